/* SPDX-License-Identifier: MIT */
/* rjwt.yaml as a file: its size, its bytes, who may write to it; and lists that are full. */
#include "config_world.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void
test_size(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct config c = { 0 };

	buf_adds(&text, "leeway: 1s\n#");
	while (text.n < 65535)
		buf_adds(&text, "x");
	buf_adds(&text, "\n");
	want("64 KiB", load(f, buf_view(&text), &c), RJWT_OK);
	config_clear(&c);
	buf_adds(&text, "\n");
	want("a byte more", load(f, buf_view(&text), &c), RJWT_CONFIG);
	assert_non_null(strstr(f->diag.text, "too large"));
}

/* su and su -, sudo and sudo -i, login and remote: whoever closes one means both, unless the other is named. */
static void
test_twins(void **state)
{
	static const struct {
		const char *yaml, *service, *scope;
	} rows[] = {
		{ "services: {su: \"\", sudo: \"\"}", "su-l", NULL },
		{ "services: {su: \"\", sudo: \"\"}", "sudo-i", NULL },
		{ "services: {su: \"\", sudo: \"\"}", "login", "login" },
		{ "services: {su-l: \"\"}", "su", NULL },
		{ "services: {sudo-i: \"\"}", "sudo", NULL },
		{ "services: {login: \"\"}", "remote", NULL },
		{ "services: {remote: \"\"}", "login", NULL },
		{ "services: {su: \"\", su-l: su}", "su-l", "su" },
		{ "services: {su: \"\", su-l: su}", "su", NULL },
		{ "services: {su: root}", "su-l", "su" },
		{ "services: {sshd: \"\"}", "su", "su" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config c = { 0 };
		const char *scope;

		want(rows[i].yaml, load(f, view_of(rows[i].yaml), &c), RJWT_OK);
		scope = config_scope(&c, rows[i].service);
		if ((scope == NULL) != (rows[i].scope == NULL) || (scope != NULL && strcmp(scope, rows[i].scope) != 0))
			fail_msg("%s: %s requires %s", rows[i].yaml, rows[i].service, scope == NULL ? "" : scope);
		config_clear(&c);
	}
}

/* As many services as the table says, each once, and with nobody who wants to know why not. */
static void
test_services_full(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct config c = { 0 };

	buf_adds(&text, "services:\n");
	for (int i = 0; i < 64; i++)
		buf_addf(&text, "  s%d: x\n", i);
	want("64", load(f, buf_view(&text), &c), RJWT_OK);
	assert_int_equal(c.nservices, 64);
	config_clear(&c);
	buf_adds(&text, "  s64: x\n");
	want("65", load(f, buf_view(&text), &c), RJWT_CONFIG);
	assert_non_null(strstr(f->diag.text, "one too many for this list (at most 64)"));
	want("nobody", config_load(f->config, &c, NULL), RJWT_CONFIG);
	want("a rule", load_text(f, "leeway: 5m\nprevious_key_ttl: 1h\n"), RJWT_CONFIG);
	want("nobody", config_load(f->config, &c, NULL), RJWT_CONFIG);
}

static void
test_bytes(void **state)
{
	static const struct {
		struct view bad, good;
		unsigned line, column;
		const char *text;
	} rows[] = { { VIEW("#\nleeway: 1s\0\n"), VIEW("#\nleeway: 1s\n"), 2, 11, "not text: " },
		{ VIEW("issuer: \"a\\0b\"\n"), VIEW("issuer: \"a\\x20b\"\n"), 1, 9, "a NUL is not accepted" },
		{ VIEW("issuer: \xff\n"), VIEW("issuer: \xc3\xbf\n"), 1, 9, "not text: " },
		{ VIEW("\n\n# \xc3\xbc\nissuer: \xc3\xbc\xff\n"), VIEW("\n\n# \xc3\xbc\nissuer: \xc3\xbc\n"), 4, 10,
		    "not text: " },
		{ VIEW("issuer: \xc0\xaf\n"), VIEW("issuer: /\n"), 1, 9, "not text: " },
		{ VIEW("issuer: a\xc3"), VIEW("issuer: a"), 1, 10, "not text: " },
		{ VIEW("issuer: \"a\\nb\"\n"), VIEW("issuer: \"a\n  b\"\n"), 1, 9, "without control characters" },
		{ VIEW("issuer: a\x1b\n"), VIEW("issuer: a\n"), 1, 10, "not text: " },
		{ VIEW("services: {\"a\\0\": b}\n"), VIEW("services: {\"a\": b}\n"), 1, 12, "a NUL" } };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config c = { 0 };
		char name[16];

		snprintf(name, sizeof(name), "row %zu", i);
		want(name, load(f, rows[i].bad, &c), RJWT_CONFIG);
		if (f->diag.line != rows[i].line || f->diag.column != rows[i].column ||
		    strstr(f->diag.text, rows[i].text) == NULL)
			fail_msg("%s: %u:%u: %s", name, f->diag.line, f->diag.column, f->diag.text);
		want(name, load(f, rows[i].good, &c), RJWT_OK);
		config_clear(&c);
	}
}

/* Who else could have written it? Then nothing of it is believed. */
static void
test_unsafe(void **state)
{
	static const struct {
		mode_t mode;
		bool good;
	} modes[] = { { 0600, true }, { 0644, true }, { 0444, true }, { 0664, false }, { 0646, false } };
	struct fixture *f = *state;
	char moved[256];

	want("plain", load_text(f, "leeway: 1s\n"), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		struct config c = { 0 };

		assert_int_equal(chmod(f->config, modes[i].mode), 0);
		want("mode", config_load(f->config, &c, &f->diag), modes[i].good ? RJWT_OK : RJWT_CONFIG);
		config_clear(&c);
		assert_true(modes[i].good || strstr(f->diag.text, "chmod go-w") != NULL);
	}
	assert_int_equal(chmod(f->config, 0600), 0);
	assert_int_equal(chmod(f->top, 0770), 0);
	want("its folder", config_load(f->config, &(struct config){ 0 }, &f->diag), RJWT_CONFIG);
	assert_int_equal(chmod(f->top, 0700), 0);
	snprintf(moved, sizeof(moved), "%s.moved", f->config);
	assert_int_equal(rename(f->config, moved), 0);
	assert_int_equal(symlink(moved, f->config), 0);
	want("a link", config_load(f->config, &(struct config){ 0 }, &f->diag), RJWT_CONFIG);
	unlink(f->config);
	assert_int_equal(mkfifo(f->config, 0600), 0);
	want("a fifo", config_load(f->config, &(struct config){ 0 }, &f->diag), RJWT_CONFIG);
	unlink(f->config);
	assert_int_equal(mkdir(f->config, 0700), 0);
	want("a folder", config_load(f->config, &(struct config){ 0 }, &f->diag), RJWT_CONFIG);
	rmdir(f->config);
	want("a device", config_load("/dev/null", &(struct config){ 0 }, &f->diag), RJWT_CONFIG);
}

/* The path that is refused on its way is named. */
static void
test_diag_of_unsafe(void **state)
{
	struct fixture *f = *state;
	struct config c = { 0 };

	want("plain", load_text(f, "leeway: 1s\n"), RJWT_OK);
	assert_int_equal(chmod(f->top, 0702), 0);
	want("its folder", config_load(f->config, &(struct config){ 0 }, &f->diag), RJWT_CONFIG);
	assert_string_equal(f->diag.path, f->top);
	assert_int_equal(f->diag.line, 0);
	assert_int_equal(chmod(f->top, 01702), 0);
	want("a sticky folder", config_load(f->config, &c, &f->diag), RJWT_OK);
	config_clear(&c);
	assert_int_equal(chmod(f->top, 0700), 0);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_size), T(test_services_full), T(test_twins), T(test_bytes),
		T(test_unsafe), T(test_diag_of_unsafe) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
