/* SPDX-License-Identifier: MIT */
/* Whose keyset it is: an older one that was put back, another machine's, one of another base_kid. */
#include "fixture.h"
#include "base/base64url.h"

#include <stdio.h>
#include <unistd.h>

static char machine = 'a'; /* the id of the one that we run on; 0: none */

enum rjwt_err __wrap_host_machine(char hex[static DIGEST_HEX], struct rjwt_diag *diag);

enum rjwt_err
__wrap_host_machine(char hex[static DIGEST_HEX], struct rjwt_diag *diag)
{
	(void)diag;
	memset(hex, machine, DIGEST_HEX - 1);
	hex[DIGEST_HEX - 1] = '\0';
	return RJWT_OK;
}

/* Writers refuse, verifying continues, status says broken. */
static void
check_read_only(struct fixture *f, const char *token, const char *why)
{
	struct rjwt_options options = fixture_options(f);
	char before[DIGEST_HEX], after[DIGEST_HEX], path[256];
	struct rjwt_status status;

	snprintf(path, sizeof(path), "%s/private/lock", f->state);
	unlink(path);
	state_digest(f, before);
	want(why, rjwt_mint(f->h, &(struct rjwt_request){ .user = "a" }, &(struct rjwt_token){ 0 }, &f->diag),
	    RJWT_KEYSET);
	assert_non_null(strstr(f->diag.text, why));
	want(why, rjwt_rotate(f->h, RJWT_DRY_RUN, &(struct rjwt_change){ 0 }, &f->diag), RJWT_KEYSET);
	want(why, rjwt_rotate(f->h, 0, &(struct rjwt_change){ 0 }, &f->diag), RJWT_KEYSET);
	want(why, rjwt_maintain(f->h, 0, &(struct rjwt_change){ 0 }, &f->diag), RJWT_KEYSET);
	unlink(path);
	state_digest(f, after);
	assert_string_equal(before, after);
	want("verifying goes on", judge(f, token, 0, NULL), RJWT_OK);
	want("status", rjwt_status(&options, &status), RJWT_OK);
	assert_int_equal(status.level, RJWT_BROKEN);
	rjwt_status_clear(&status);
}

static void
test_old_keyset_put_back(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	struct keyset old = keyset_get(f), now;

	rotate(f);
	now = keyset_get(f);
	keyset_put(f, &old);
	check_read_only(f, token, "an old copy was restored");
	keyset_put(f, &now);
	rotate(f);
}

/* A copy of the whole machine signs nothing; one without an id cannot tell itself from another. */
static void
test_other_machine(void **state)
{
	static const struct {
		char made, now; /* the machines; 0: without an id */
		bool writable;
	} rows[] = { { 'a', 'a', true }, { 'a', 'b', false }, { 'a', 0, true }, { 0, 'a', true }, { 0, 0, true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(free_clean) char *token = NULL;
		struct fixture *f;

		machine = rows[i].made;
		f = fixture_new("");
		assert_true(keyset_get(f).machine[0] == rows[i].made);
		token = token_with(f, NULL);
		machine = rows[i].now;
		if (!rows[i].writable) {
			check_read_only(f, token, "belongs to another machine");
			machine = rows[i].made;
		}
		rotate(f);
		assert_int_equal(keyset_get(f).active.version, 2);
		fixture_free(f);
	}
}

/* After a restart with another base_kid the reference signed with version 1. */
static void
test_base_kid_differs(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);

	fixture_config(f, "base_kid: C\n");
	check_read_only(f, token, "base_kid is C");
	fixture_config(f, "base_kid: B\n");
	rotate(f);
}

/* A keyset that was made without a machine id says so; the first writer that has one records it, and then it guards. */
static void
test_machine_recorded_late(void **state)
{
	struct fixture *f;
	struct rjwt_options options;
	struct rjwt_change change;
	struct rjwt_status status;

	(void)state;
	machine = '\0';
	f = fixture_bare("issuer: i\naudience: a\n");
	options = fixture_options(f);
	want("init", rjwt_init(&options, 0, &change, &f->diag), RJWT_OK);
	assert_non_null(strstr(change.warning, "no machine id"));
	fixture_config(f, "issuer: i\naudience: a\n");
	assert_string_equal(keyset_get(f).machine, "");
	assert_false(tick(f).any);
	machine = 'a';
	want("status", rjwt_status(&options, &status), RJWT_OK);
	assert_true(status.nnotes == 1 && strstr(status.notes[0].diag.text, "the next writer records it") != NULL);
	rjwt_status_clear(&status);
	assert_non_null(strstr(tick(f).text, "recorded the machine id"));
	assert_int_equal(keyset_get(f).machine[0], 'a');
	want("status", rjwt_status(&options, &status), RJWT_OK);
	assert_int_equal(status.nnotes, 0);
	rjwt_status_clear(&status);
	want("init again", rjwt_init(&options, 0, &change, &f->diag), RJWT_EXISTS);
	machine = 'b';
	fixture_config(f, "issuer: i\naudience: a\n");
	want("a clone", rjwt_maintain(f->h, 0, &change, &f->diag), RJWT_KEYSET);
	want("init on a clone", rjwt_init(&options, 0, &change, &f->diag), RJWT_KEYSET);
	machine = 'a';
	fixture_free(f);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_old_keyset_put_back), cmocka_unit_test(test_other_machine),
		T(test_base_kid_differs), cmocka_unit_test(test_machine_recorded_late) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
