/* SPDX-License-Identifier: MIT */
/*
 * Each change of a keyset, with a call of ours failing: what is told as success has happened, after an error the keyset is
 * as it was or as it was to be, and the same change, made again, ends as if nothing had failed. One call in RJWT_SHARE
 * (32) fails, others in each run; 1: every one.
 */
#include "fixture.h"

#include "failing.h"

#include <stdio.h>
#include <unistd.h>

/* A change, and what there was before it. */
struct deed {
	struct fixture *f;
	char *token, jti[23], kid[RJWT_ID_SIZE];
	int64_t version; /* that signed */
	bool ends;	 /* the token */
	bool promotes;
};

/* A keyset that one can work with, whatever failed: it opens, mints, and verifies what it minted. */
static void
still_works(struct deed *d, const char *label)
{
	RJWT_CLEAN(free_clean) char *token = NULL;

	want(label, fixture_reopen(d->f), RJWT_OK);
	token = minted(d->f, "carol");
	want(label, judge_as(d->f, token, "carol", "sshd", 0, NULL), RJWT_OK);
}

/* No private key but of the active key and the next. */
static void
only_two_private(const struct deed *d, const char *label)
{
	struct keyset keyset = keyset_get(d->f);
	char name[64];

	for (int64_t version = 1; version < keyset.next_version; version++) {
		bool wanted = keyset_active_or_next(&keyset, version);

		snprintf(name, sizeof(name), "private/%lld.key", (long long)version);
		if (file_there(d->f, name) != wanted)
			fail_msg("%s: %s %s", label, name, wanted ? "is missing" : "is there");
	}
}

/* What success promises. What a change left, the next one removes. */
static void
holds(struct deed *d, const char *label)
{
	enum rjwt_err err = judge(d->f, d->token, RJWT_DRY_RUN, NULL);

	if (d->ends ? err != RJWT_REVOKED && err != RJWT_KEY_REVOKED && err != RJWT_KEY_UNKNOWN : err != RJWT_OK)
		fail_msg("%s: the token is %s", label, rjwt_reason(err));
	if (d->promotes && keyset_get(d->f).active.version == d->version)
		fail_msg("%s: version %lld still signs", label, (long long)d->version);
	(void)tick(d->f);
	only_two_private(d, label);
}

/* What there is before: a token, by the key that signs; old keys are gone by time. */
static void
prepare(struct deed *d)
{
	struct rjwt_request request = { .user = "alice", .reusable = true };
	struct rjwt_token token;

	clock_run(2 * DAY);
	want("reopen", fixture_reopen(d->f), RJWT_OK);
	(void)tick(d->f);
	want("mint", rjwt_mint(d->f->h, &request, &token, &d->f->diag), RJWT_OK);
	free(d->token);
	d->token = RJWT_STEAL(token.text);
	snprintf(d->jti, sizeof(d->jti), "%s", token.jti);
	snprintf(d->kid, sizeof(d->kid), "%s", token.kid);
	rjwt_token_clear(&token);
	d->version = keyset_get(d->f).active.version;
}

static unsigned
share(void)
{
	const char *given = getenv("RJWT_SHARE");
	int n = given == NULL ? 32 : atoi(given);

	return n < 1 ? 1 : (unsigned)n;
}

/* With call k failing; false: there is no such call. */
static bool
once(struct deed *d, const char *name, enum rjwt_err (*work)(struct deed *d), unsigned k)
{
	struct rjwt_diag *diag = &d->f->diag;
	char label[200];
	enum rjwt_err err;

	prepare(d);
	diag->text[0] = '\0';
	failing_begin(k);
	err = work(d);
	if (!failing_end()) {
		want(name, err, RJWT_OK);
		holds(d, name);
		return false;
	}
	snprintf(label, sizeof(label), "%s, and call %u, %s, failed", name, k, failing_name);
	if (strstr(diag->text, "(null)") != NULL ||
	    (err != RJWT_OK && diag->text[0] == '\0' && err != RJWT_MEMORY && err != RJWT_INTERNAL))
		fail_msg("%s: told as %s: \"%s\"", label, rjwt_reason(err), diag->text);
	if (err == RJWT_OK)
		holds(d, label);
	still_works(d, label);
	if (err == RJWT_OK)
		return true;
	want(label, work(d), RJWT_OK);
	holds(d, label);
	still_works(d, label);
	return true;
}

static void
every(struct fixture *f, const char *name, enum rjwt_err (*work)(struct deed *d), bool ends, bool promotes)
{
	struct deed d = { .f = f, .ends = ends, .promotes = promotes };
	unsigned n = share(), k = 1 + (unsigned)getpid() % n;

	for (; once(&d, name, work, k); k += n)
		;
	printf("# %s: one in %u of %u calls\n", name, n, failing_calls);
	free(d.token);
}

/* --- the changes ------------------------------------------------------------------------------ */

static enum rjwt_err
do_rotate(struct deed *d)
{
	struct rjwt_change change;

	return rjwt_rotate(d->f->h, 0, &change, &d->f->diag);
}

static enum rjwt_err
do_compromised(struct deed *d)
{
	struct rjwt_change change;

	return rjwt_rotate(d->f->h, RJWT_COMPROMISED, &change, &d->f->diag);
}

static enum rjwt_err
do_maintain(struct deed *d)
{
	struct rjwt_change change;

	return rjwt_maintain(d->f->h, 0, &change, &d->f->diag);
}

static enum rjwt_err
revoke_it(struct deed *d, const struct rjwt_revocation *what)
{
	struct rjwt_change change;

	return rjwt_revoke(d->f->h, what, 0, &change, &d->f->diag);
}

static enum rjwt_err
do_jti(struct deed *d)
{
	return revoke_it(d, &(struct rjwt_revocation){ .jti = d->jti });
}

static enum rjwt_err
do_user(struct deed *d)
{
	return revoke_it(d, &(struct rjwt_revocation){ .users = (const char *const[]){ "alice", NULL } });
}

static enum rjwt_err
do_kid(struct deed *d)
{
	return revoke_it(d, &(struct rjwt_revocation){ .kid = d->kid });
}

static enum rjwt_err
do_all(struct deed *d)
{
	return revoke_it(d, &(struct rjwt_revocation){ .all = true });
}

static enum rjwt_err
mint(struct deed *d, const struct rjwt_request *request)
{
	struct rjwt_token token;
	enum rjwt_err err = rjwt_mint(d->f->h, request, &token, &d->f->diag);

	if (err == RJWT_OK) {
		free(d->token);
		d->token = RJWT_STEAL(token.text);
	}
	rjwt_token_clear(&token);
	return err;
}

static enum rjwt_err
do_mint(struct deed *d)
{
	return mint(d, &(struct rjwt_request){ .user = "alice", .by = "root", .why = "a reason" });
}

/* It takes the last ticket of the key: the next one rotates. */
static enum rjwt_err
do_mint_last(struct deed *d)
{
	enum rjwt_err err = mint(d, &(struct rjwt_request){ .user = "alice", .reusable = true });

	return err == RJWT_OK ? mint(d, &(struct rjwt_request){ .user = "alice" }) : err;
}

#define CHANGE(label, ends, promotes)                              \
	static void test_##label(void **state)                     \
	{                                                          \
		every(*state, #label, do_##label, ends, promotes); \
	}
CHANGE(rotate, false, true)
CHANGE(compromised, true, true)
CHANGE(maintain, false, false)
CHANGE(jti, true, false)
CHANGE(user, true, true)
CHANGE(kid, true, true)
CHANGE(all, true, true)
CHANGE(mint, false, false)
CHANGE(mint_last, false, false)

static int
setup_few_tokens(void **state)
{
	*state = fixture_new("max_tokens_per_key: 3");
	return 0;
}

#define F(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { F(test_rotate), F(test_compromised), F(test_maintain), F(test_jti),
		F(test_user), F(test_kid), F(test_all), F(test_mint),
		cmocka_unit_test_setup_teardown(test_mint_last, setup_few_tokens, fixture_teardown) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
