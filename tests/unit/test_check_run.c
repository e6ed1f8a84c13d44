/* SPDX-License-Identifier: MIT */
/* What rjwt-keyd check reads in the answers of other programs. */
#include "unit.h"
#include "check.h"
#include "sshd_config.h"

/* Longer than any room that a value was once copied into. */
#define METHODS_64 "publickey,publickey,publickey,publickey,publickey,publickey,hosts"
#define LONG METHODS_64 " " METHODS_64 " " METHODS_64 " " METHODS_64 " "

static void
values(void **state)
{
	static const struct {
		const char *name;
		char separator;
		const char *value; /* NULL: there is none */
	} rows[] = {
		{ "usepam", ' ', "yes" }, { "authenticationmethods", ' ', LONG "publickey,keyboard-interactive" },
		{ "usep", ' ', NULL },						  /* what it begins with */
		{ "usepam yes", ' ', NULL },					  /* a whole line */
		{ "pam", ' ', NULL },						  /* what it ends with */
		{ "UsePAM", ' ', NULL },					  /* in other letters */
		{ "usepam", '=', NULL },					  /* another separator */
		{ "banner", ' ', "" },						  /* an empty one */
		{ "port", ' ', "22" },						  /* the first of two */
		{ "ReadWritePaths", '=', "/a /b" }, { "Id", '=', "ssh.service" }, /* no newline behind it */
		{ "usepam", ' ', "yes" },					  /* and the first again */
	};
	RJWT_CLEAN(buf_clear) struct buf all = { 0 };

	(void)state;
	assert_null(check_value(&all, "usepam", ' '));
	buf_adds(&all, "usepam yes\n\nport 22\nport 2222\nbanner \nauthenticationmethods " LONG
		       "publickey,keyboard-interactive\nReadWritePaths=/a /b\nId=ssh.service");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *value = check_value(&all, rows[i].name, rows[i].separator);

		CHECK(rows[i].name, (value == NULL) == (rows[i].value == NULL));
		if (value != NULL)
			assert_string_equal(value, rows[i].value);
	}
}

static void
methods(void **state)
{
	static const struct {
		const char *methods;
		bool asks;
	} rows[] = {
		{ "publickey,keyboard-interactive", true },
		{ "publickey,keyboard-interactive:pam", true },
		{ "publickey,publickey,keyboard-interactive", true },
		{ "publickey,keyboard-interactive password", true },
		{ "password publickey,keyboard-interactive", true },
		{ LONG "publickey,keyboard-interactive", true },
		{ LONG "publickey,password", false },
		{ "", false },
		{ "any", false },
		{ "keyboard-interactive", false },
		{ "publickey", false },
		{ "publickey keyboard-interactive", false },
		{ "keyboard-interactive,publickey", false },
		{ "publickey,password", false },
		{ "publickey,", false },
		{ "publickey, keyboard-interactive", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK(rows[i].methods, sshd_asks_after_key(rows[i].methods) == rows[i].asks);
}

/* A program's output, last line of errors, and status. */
static void
runs(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	char error[256];

	(void)state;
	assert_int_equal(check_run((const char *const[]){ "/bin/echo", "a b", NULL }, &out, error), 0);
	assert_true(view_is(buf_view(&out), "a b\n"));
	assert_int_equal(check_run((const char *const[]){ "/bin/sh", "-c", "echo first >&2; echo last >&2; exit 3",
				       NULL },
			     &out, error),
	    3);
	assert_string_equal(error, "last");
	assert_int_equal(check_run((const char *const[]){ "/nowhere", NULL }, &out, error), 127);
	assert_string_equal(error, "/nowhere cannot be run");
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(values), cmocka_unit_test(methods),
		cmocka_unit_test(runs) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
