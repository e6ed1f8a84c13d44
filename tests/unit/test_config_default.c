/* SPDX-License-Identifier: MIT */
/* The configuration at the default path: away, and there again. */
#include "fixture.h"
#include "default_config.h"

#include <stdio.h>
#include <unistd.h>

/* The handle anew, with the default file. */
static enum rjwt_err
open_default(struct fixture *f, const char *file)
{
	struct rjwt_options options = { .state_dir = f->state, .now = f->now };

	in_its_place = file;
	rjwt_close(f->h);
	f->h = NULL;
	return rjwt_open(&options, &f->h, &f->diag);
}

/* What status finds: level, file, and the text of its first note. */
static void
check_status(struct fixture *f, enum rjwt_note_level level, const char *file, const char *text)
{
	struct rjwt_options options = { .state_dir = f->state, .now = f->now };
	struct rjwt_status status;

	want("status", rjwt_status(&options, &status), RJWT_OK);
	assert_int_equal(status.level, level);
	assert_string_equal(status.config, file);
	assert_int_equal(status.nnotes, text == NULL ? 0 : 1);
	if (text != NULL) {
		assert_string_equal(status.notes[0].diag.path, RJWT_CONFIG_FILE);
		assert_non_null(strstr(status.notes[0].diag.text, text));
	}
	rjwt_status_clear(&status);
}

/* A file that the keyset was used with cannot go away unnoticed: it may have closed what the defaults open. */
static void
test_default_file_away(void **state)
{
	struct fixture *f = *state;
	struct rjwt_options options = { .state_dir = f->state, .now = f->now };
	RJWT_CLEAN(free_clean) char *token = minted(f, NULL), *away = NULL;
	struct rjwt_change change;

	assert_true(asprintf(&away, "%s/away.yaml", f->top) > 0);
	/* It was made with a file that was named: the default one is not missed. */
	want("never used", open_default(f, away), RJWT_OK);
	assert_false(tick(f).any);
	check_status(f, RJWT_NOTE, "", NULL);
	want("only read", open_default(f, f->config), RJWT_OK);
	want("only read", judge(f, token, 0, NULL), RJWT_OK);
	want("only read", open_default(f, away), RJWT_OK);
	want("used", open_default(f, f->config), RJWT_OK);
	assert_non_null(strstr(tick(f).text, "recorded that a configuration file is used"));
	assert_true(keyset_get(f).configured);
	assert_false(tick(f).any);
	check_status(f, RJWT_NOTE, RJWT_CONFIG_FILE, NULL);
	/* Nobody judges, nobody writes. */
	want("away", open_default(f, away), RJWT_CONFIG);
	assert_string_equal(f->diag.path, RJWT_CONFIG_FILE);
	assert_non_null(strstr(f->diag.text, "put it back"));
	check_status(f, RJWT_BROKEN, "", "is missing");
	want("adopt", rjwt_init(&options, RJWT_ADOPT, &change, &f->diag), RJWT_CONFIG);
	assert_string_equal(f->diag.path, RJWT_CONFIG_FILE);
	/* One that is named stands for it. */
	fixture_config(f, "issuer: iss.example\naudience: host.example\n");
	want("named", judge(f, token, 0, NULL), RJWT_OK);
	assert_false(tick(f).any);
	assert_true(keyset_get(f).configured);
	want("back", open_default(f, f->config), RJWT_OK);
	want("back", judge(f, token, 0, NULL), RJWT_OK);
	rotate(f);
	assert_true(keyset_get(f).configured);
	assert_int_equal(truncate(f->config, 0), 0);
	want("empty", open_default(f, f->config), RJWT_OK);
	want("empty", judge(f, token, 0, NULL), RJWT_OK);
	want("adopt", rjwt_init(&options, RJWT_ADOPT, &change, &f->diag), RJWT_OK);
	assert_true(keyset_get(f).configured);
	want("adopted", open_default(f, away), RJWT_CONFIG);
}

/* From the first commit on. */
static void
test_default_file_at_init(void **state)
{
	struct fixture *f = fixture_bare("issuer: i\naudience: a\n");
	struct rjwt_options options = { .now = f->now };
	struct rjwt_change change;

	(void)state;
	in_its_place = f->config;
	want("init", rjwt_init(&options, 0, &change, &f->diag), RJWT_OK);
	assert_true(keyset_get(f).configured);
	want("there", open_default(f, f->config), RJWT_OK);
	want("away", open_default(f, "/nonexistent/rjwt.yaml"), RJWT_CONFIG);
	fixture_free(f);
	f = fixture_bare("issuer: i\naudience: a\n");
	options.config = f->config;
	want("init", rjwt_init(&options, 0, &change, &f->diag), RJWT_OK);
	assert_false(keyset_get(f).configured);
	want("away", open_default(f, "/nonexistent/rjwt.yaml"), RJWT_OK);
	fixture_free(f);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_default_file_away), cmocka_unit_test(test_default_file_at_init) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
