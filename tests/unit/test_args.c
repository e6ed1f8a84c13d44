/* SPDX-License-Identifier: MIT */
/* Arguments of the module's line in pam.d: an unknown or malformed one refuses. */
#include "pam_driver.h"

#include "args.h"
#include "login.h"
#include "prompt.h"
#include "base/text.h"

#include <stdio.h>

static const struct {
	const char *args[5];
	bool good;
	struct args found;
} rows[] = {
	{ { NULL }, true, { .prompt = "Token: " } },
	{ { "debug" }, true, { .prompt = "Token: ", .debug = true } },
	{ { "debug", "debug" }, true, { .prompt = "Token: ", .debug = true } },
	{ { "conf=/a" }, true, { .config = "/a", .prompt = "Token: " } },
	{ { "conf=/a=b" }, true, { .config = "/a=b", .prompt = "Token: " } },
	{ { "conf=a" }, false, { .debug = false } },
	{ { "conf=" }, false, { .debug = false } },
	{ { "conf" }, false, { .debug = false } },
	{ { "conf=/a", "conf=/b" }, false, { .debug = false } },
	{ { "conf=/a", "conf=/a" }, false, { .debug = false } },
	{ { "conf:/a" }, false, { .debug = false } },
	{ { "config=/a" }, false, { .debug = false } },
	{ { "prompt=Give: " }, true, { .prompt = "Give: " } },
	{ { "prompt=%s%n" }, true, { .prompt = "%s%n" } },
	{ { "prompt=" }, false, { .debug = false } },
	{ { "prompt=a", "prompt=a" }, false, { .debug = false } },
	{ { "try_first_pass" }, true, { .prompt = "Token: ", .try_first_pass = true } },
	{ { "use_first_pass" }, true, { .prompt = "Token: ", .use_first_pass = true } },
	{ { "use_first_pass", "try_first_pass" }, false, { .debug = false } },
	{ { "use_first_pass=no" }, false, { .debug = false } },
	{ { "Use_first_pass" }, false, { .debug = false } },
	{ { "" }, false, { .debug = false } },
	{ { " debug" }, false, { .debug = false } },
	{ { "debug " }, false, { .debug = false } },
	{ { "debug", "conf=/a", "nullok" }, false, { .debug = false } },
	{ { "use_uid" }, false, { .debug = false } },
	{ { "always_ok" }, false, { .debug = false } },
};

static bool
same(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static void
test_arguments(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct args args = { .prompt = "untouched" };
		const char *argv[5];
		RJWT_CLEAN(buf_clear) struct buf refused = { 0 };
		int argc = 0;

		for (; rows[i].args[argc] != NULL; argc++)
			argv[argc] = rows[i].args[argc];
		argv[argc] = NULL;
		buf_clear(&driver_log);
		buf_adds(&driver_log, "");
		if (args_parse(NULL, argc, argv, &args) != rows[i].good)
			fail_msg("row %zu: %s", i, rows[i].args[0]);
		buf_clear(&refused);
		buf_adds(&refused, "rejected reason=usage");
		text_log_word(&refused, "argument", view_of(argc == 0 ? "" : rows[i].args[argc - 1]));
		buf_adds(&refused, " error=\"expected conf=/FILE, ");
		if (!rows[i].good && (strstr(driver_log.p, refused.p) == NULL || strcmp(args.prompt, "untouched") != 0))
			fail_msg("row %zu: not logged, or args were written", i);
		if (rows[i].good &&
		    (!same(args.config, rows[i].found.config) || !same(args.prompt, rows[i].found.prompt) ||
			args.debug != rows[i].found.debug || args.try_first_pass != rows[i].found.try_first_pass ||
			args.use_first_pass != rows[i].found.use_first_pass || driver_log.n != 0))
			fail_msg("row %zu: %s: read wrong", i, rows[i].args[0]);
	}
}

/* PAM arguments of any kind: the line that names one ends where we end it. */
static void
test_log_is_escaped(void **state)
{
	const char *argv[] = { "x\n4 accepted user=root\x1b[2J%n", NULL };
	struct args args;

	(void)state;
	buf_clear(&driver_log);
	assert_false(args_parse(NULL, 1, argv, &args));
	assert_ptr_equal(strchr(driver_log.p, '\n'), driver_log.p + driver_log.n - 1);
	assert_null(strchr(driver_log.p, '\x1b'));
	argv[0] = NULL;
	assert_false(args_parse(NULL, 1, argv, &args));
}

/* Our codes to PAM's: a verdict is PAM_AUTH_ERR, and PAM_SUCCESS means RJWT_OK alone. */
static void
test_codes(void **state)
{
	(void)state;
	for (int e = RJWT_OK; e <= RJWT_INTERNAL; e++) {
		enum rjwt_err err = (enum rjwt_err)e;
		int code = login_code(err), wanted = PAM_AUTHINFO_UNAVAIL;

		if (err == RJWT_OK)
			wanted = PAM_SUCCESS;
		else if (rjwt_is_verdict(err))
			wanted = PAM_AUTH_ERR;
		else if (err == RJWT_MEMORY)
			wanted = PAM_BUF_ERR;
		if (code != wanted)
			fail_msg("%s: %d", rjwt_reason(err), code);
	}
	assert_int_equal(login_code((enum rjwt_err)999), PAM_AUTHINFO_UNAVAIL);
}

static void
test_replies(void **state)
{
#define LONG(c) c c c c c c c c
#define B128 LONG(LONG("bb"))
	static char token[] = "eyJ." B128 ".c", same_token[] = "eyJ." B128 ".c", other[] = "eyJ." B128 ".d",
		    one[] = "eyJ." B128, empty[] = "", late[] = "a eyJ." B128 ".c", many[] = "eyJ...." B128,
		    begins[] = "eyJ" B128, brief[] = "eyJ.b.c";
	static char most[REPLY_LONG], least[REPLY_LONG + 1];
	const struct {
		char *text;
		bool token;
	} kinds[] = { { token, true }, { many, true }, { one, false }, { empty, false }, { late, false },
		{ begins, false }, { brief, false }, { most, false }, { least, true } };
	const struct reply a = { token, 1 }, b = { same_token, 1 }, c = { other, 1 }, none = { NULL, 0 };

	(void)state;
	memcpy(least, token, REPLY_LONG - 2);
	memcpy(least + REPLY_LONG - 2, ".c", 2);
	memcpy(most, token, REPLY_LONG - 3);
	memcpy(most + REPLY_LONG - 3, ".c", 2);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		assert_true(reply_is_token(&(struct reply){ kinds[i].text, strlen(kinds[i].text) }) == kinds[i].token);
	assert_false(reply_is_token(&none));
	assert_true(reply_same(&a, &b));
	assert_false(reply_same(&a, &c) || reply_same(&a, &none) || reply_same(&none, &none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_arguments), cmocka_unit_test(test_log_is_escaped),
		cmocka_unit_test(test_codes), cmocka_unit_test(test_replies) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
