/* SPDX-License-Identifier: MIT */
/*
 * A keyset that is made, and one that is adopted, with a call of ours failing: what is told as success has happened, and the
 * same command, given again, ends as if nothing had failed. One call in RJWT_SHARE (100) fails, others in each run; 1: every
 * one.
 */
#include "fixture.h"

#include "failing.h"

#include <stdio.h>
#include <unistd.h>

static unsigned
share(void)
{
	const char *given = getenv("RJWT_SHARE");
	int n = given == NULL ? 100 : atoi(given);

	return n < 1 ? 1 : (unsigned)n;
}

static enum rjwt_err
init(struct fixture *f, int flags, struct rjwt_change *change)
{
	struct rjwt_options options = fixture_options(f);

	return rjwt_init(&options, flags, change, &f->diag);
}

/* A keyset with two keys whose older one signs, and no trace of its making. */
static void
holds(struct fixture *f, const char *label, int64_t first)
{
	RJWT_CLEAN(free_clean) char *token = NULL;
	struct keyset keyset = keyset_get(f);
	char name[64];

	if (keyset.active.version != first || keyset.next.version != first + 1 || keyset.next_version != first + 2)
		fail_msg("%s: %lld signs, not %lld", label, (long long)keyset.active.version, (long long)first);
	for (int64_t version = 1; version < first; version++) {
		snprintf(name, sizeof(name), "private/%lld.key", (long long)version);
		if (file_there(f, name))
			fail_msg("%s: %s is there", label, name);
	}
	want(label, fixture_reopen(f), RJWT_OK);
	token = minted(f, "carol");
	want(label, judge_as(f, token, "carol", "sshd", 0, NULL), RJWT_OK);
	(void)tick(f); /* if OpenSSL could not build a key, the export is left to this */
	if (file_there(f, "init"))
		fail_msg("%s: it still counts as begun", label);
	if (!file_has(f, "jwks.json", keyset.base))
		fail_msg("%s: jwks.json is not of this keyset", label);
}

static void
test_init(void **state)
{
	unsigned n = share(), k = 1 + (unsigned)getpid() % n;
	bool failed = true;

	(void)state;
	for (; failed; k += n) {
		struct fixture *f = fixture_bare("base_kid: B\nissuer: iss.example\naudience: host.example\n");
		struct rjwt_change change;
		char label[160];
		enum rjwt_err err;
		bool there;

		failing_begin(k);
		err = init(f, 0, &change);
		failed = failing_end();
		snprintf(label, sizeof(label), "init, and call %u, %s, failed", k, failed ? failing_name : "none");
		there = file_there(f, "keyset.json");
		if (err != RJWT_OK)
			want(label, init(f, 0, &change), there ? RJWT_EXISTS : RJWT_OK);
		if (!failed)
			want(label, err, RJWT_OK);
		if (err == RJWT_OK && file_there(f, "init"))
			fail_msg("%s: success, and it still counts as begun", label);
		want(label, init(f, 0, &change), RJWT_EXISTS);
		holds(f, label, 1);
		fixture_free(f);
	}
	printf("# init: one in %u of %u calls\n", n, failing_calls);
}

/* Another base, which is not that of the keyset yet. */
static void
configure(struct fixture *f, char letter, unsigned number)
{
	struct rjwt *h = NULL;
	char yaml[64];

	snprintf(yaml, sizeof(yaml), "base_kid: %c%u\n", letter, number);
	want(yaml, fixture_try(f, yaml, &h), RJWT_OK);
	rjwt_close(h);
}

/* Whichever keyset it is, the old or the new one: it mints, and verifies what it minted. */
static void
still_works(struct fixture *f, const char *label)
{
	RJWT_CLEAN(free_clean) char *token = NULL;
	struct keyset keyset = keyset_get(f);
	char yaml[64];

	snprintf(yaml, sizeof(yaml), "base_kid: %s\n", keyset.base);
	fixture_config(f, yaml);
	token = minted(f, "carol");
	want(label, judge_as(f, token, "carol", "sshd", 0, NULL), RJWT_OK);
}

static void
test_adopt(void **state)
{
	struct fixture *f = *state;
	unsigned n = share(), k = 1 + (unsigned)getpid() % n;
	bool failed = true;

	for (unsigned turn = 0; failed; k += n, turn++) {
		RJWT_CLEAN(free_clean) char *token = minted(f, "alice");
		int64_t first = keyset_get(f).next_version;
		struct rjwt_change change;
		char label[160];
		enum rjwt_err err;

		configure(f, 'B', turn);
		failing_begin(k);
		err = init(f, RJWT_ADOPT, &change);
		failed = failing_end();
		snprintf(label, sizeof(label), "adopt, and call %u, %s, failed", k, failed ? failing_name : "none");
		if (err == RJWT_OK)
			holds(f, label, first);
		else {
			still_works(f, label);
			/* versions are never used twice: a try that failed may have used some up */
			configure(f, 'C', turn);
			want(label, init(f, RJWT_ADOPT, &change), RJWT_OK);
			assert_true(keyset_get(f).active.version >= first);
			holds(f, label, keyset_get(f).active.version);
		}
		want("reopen", fixture_reopen(f), RJWT_OK);
		want(label, judge(f, token, RJWT_DRY_RUN, NULL), RJWT_KEY_UNKNOWN);
		if (!failed)
			want(label, err, RJWT_OK);
	}
	printf("# adopt: one in %u of %u calls\n", n, failing_calls);
}

/* An old copy of keyset.json, which mints nothing: an adoption that fails makes it no better. */
static void
test_adopt_old(void **state)
{
	struct fixture *f = *state;
	unsigned n = share(), k = 1 + (unsigned)getpid() % n;
	bool failed = true;

	for (unsigned turn = 0; failed; k += n, turn++) {
		int64_t next = keyset_get(f).next_version;
		struct rjwt_change change;
		char name[64];

		snprintf(name, sizeof(name), "keys/%lld.jwk", (long long)next);
		file_put(f, name, VIEW("x"));
		configure(f, 'D', turn);
		failing_begin(k);
		(void)init(f, RJWT_ADOPT, &change);
		failed = failing_end();
		if (keyset_get(f).next_version != next && keyset_get(f).active.version <= next)
			fail_msg("call %u, %s, failed: the old copy counts as the newest", k, failing_name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_init),
		cmocka_unit_test_setup_teardown(test_adopt, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_adopt_old, fixture_setup, fixture_teardown) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
