/* SPDX-License-Identifier: MIT */
/* What --explain and the log say of each check: expected and found, of an accepted token and of refused ones. */
#include "fixture.h"
#include "ssh_keys.h"

#include <stdio.h>
#include <unistd.h>

static const char *watched; /* what is freed, and must be wiped: so many bytes */
static size_t watched_n;

void __real_free(void *p);
void __wrap_free(void *p);

void
__wrap_free(void *p)
{
	for (size_t i = 0; p != NULL && p == watched && i < watched_n; i++)
		assert_int_equal(watched[i], 0);
	if (p == watched)
		watched = NULL;
	__real_free(p);
}

static void
said(const char *name, const struct rjwt_check *check, const char *expected, const char *found)
{
	if (strcmp(check->expected, expected) != 0 || strcmp(check->found, found) != 0)
		fail_msg("%s: expected \"%s\", found \"%s\"", name, check->expected, check->found);
}

static void
test_accepted(void **state)
{
	static const struct {
		const char *name, *expected, *found;
	} rows[] = { { "empty", "at least one byte", "some" }, { "too_long", "at most 8192 bytes", "302 bytes" },
		{ "malformed", "three parts in canonical base64url", "three parts" },
		{ "header", "strict JSON with alg, without crit, b64, zip, cty, jwk, jku, x5*", "such a header" },
		{ "alg", "a supported algorithm", "ES256" }, { "kid", "base.version", "B.1" },
		{ "key_unknown", "a key of this keyset", "B.1" }, { "alg of key", "ES256", "ES256" },
		{ "key_revoked", "a key that was not revoked", "such a key" },
		{ "key_retired", "a key that verifies", "such a key" },
		{ "signature", "a signature of this key", "one" }, { "typ", "login+jwt", "login+jwt" },
		{ "claims", "iss, aud, exp, iat and the user, each of its type", "such claims" },
		{ "user", "alice", "alice" }, { "issuer", "iss.example", "iss.example" },
		{ "stale", "nothing: this host's own keyset", "its own keyset" },
		{ "audience", "host.example", "host.example" },
		{ "expired", "before 2027-01-15T08:05:30Z", "2027-01-15T08:00:00Z" },
		{ "not_yet_valid", "not before 1969-12-31T23:59:30Z", "2027-01-15T08:00:00Z" },
		{ "issued_in_future", "not before it was issued, 2027-01-15T07:59:30Z", "2027-01-15T08:00:00Z" },
		{ "lifetime", "1s to 1h", "5m" },
		{ "issued after retirement", "a key that has not retired", "such a key" }, { "scope", "ssh", "ssh" },
		{ "binding", "any ssh key, or none", "not bound" }, { "source", "any address", "not bound" },
		{ "revoked", "no revocation", "none" }, { "denied", "no denial", "none" },
		{ "spent", "nothing: a reusable token", "reusable" } };
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	RJWT_CLEAN(free_clean) char *once = token_with(f, (struct edit[]){ CLAIM("once", "true"), END });
	RJWT_CLEAN(free_clean) char *other = token_with(f, (struct edit[]){ CLAIM("sub", "\"bob\""), END });
	RJWT_CLEAN(free_clean)
	char *bound = token_with(f,
	    (struct edit[]){ CLAIM("cnf", "{\"kid\":\"" SSH_FINGERPRINT "\"}"), CLAIM("src", "[\"::/0\"]"), END });
	struct rjwt_verdict v;

	want("accepted", judge(f, token, TRACED, &v), RJWT_OK);
	assert_int_equal(v.nchecks, ARRAY_LEN(rows));
	for (size_t i = 0; i < v.nchecks; i++) {
		assert_string_equal(judge_trace[i].name, rows[i].name);
		said(rows[i].name, &judge_trace[i], rows[i].expected, rows[i].found);
	}
	watched = v.claims;
	watched_n = v.claims_len;
	assert_true(watched_n > 100);
	rjwt_verdict_clear(&v);
	assert_null(watched);
	rjwt_verdict_clear(&v); /* once more does no harm */
	want("refused", judge(f, other, TRACED, &v), RJWT_USER);
	for (size_t i = 14; i < v.nchecks; i++) { /* not reached, but named */
		assert_string_equal(judge_trace[i].name, rows[i].name);
		said(rows[i].name, &judge_trace[i], "", "");
	}
	rjwt_verdict_clear(&v);
	want("skipped", judge_as(f, bound, NULL, NULL, TRACED | RJWT_ANY_USER | RJWT_ANY_SERVICE | RJWT_ANY_ORIGIN, &v),
	    RJWT_OK);
	said("user", &judge_trace[13], "no user was given", "");
	said("scope", &judge_trace[22], "no service was given", "");
	said("binding", &judge_trace[23], "no ssh key was given", "");
	said("source", &judge_trace[24], "no source address was given", "");
	rjwt_verdict_clear(&v);
	want("no need", judge(f, token, TRACED | RJWT_ANY_ORIGIN, &v), RJWT_OK);
	assert_true(judge_trace[23].outcome == RJWT_PASSED && judge_trace[24].outcome == RJWT_PASSED);
	rjwt_verdict_clear(&v);
	want("one-time", judge(f, once, TRACED, &v), RJWT_OK);
	said("spent", &judge_trace[27], "its first use", "its first use");
	rjwt_verdict_clear(&v);
	want("used", judge(f, once, TRACED, &v), RJWT_SPENT);
	said("spent", &v.failed, "its first use", "used");
	rjwt_verdict_clear(&v);
}

/* A token that is good for two logins: how often it was used, this one included. */
static void
test_uses(void **state)
{
	static const char *const used[] = { "used 1 of 2 times", "used 2 of 2 times", "used 2 of 2 times" };
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *two = token_with(f, (struct edit[]){ CLAIM("uses", "2"), END });
	struct rjwt_verdict v;

	for (int i = 0; i < 3; i++) {
		want(used[i], judge(f, two, TRACED, &v), i < 2 ? RJWT_OK : RJWT_SPENT);
		said("spent", i < 2 ? &judge_trace[27] : &v.failed, "one of its 2 uses", used[i]);
		rjwt_verdict_clear(&v);
	}
}

/* For alice by sshd, without a trace. */
static const struct {
	const char *name, *expected, *found;
	enum rjwt_err reason;
	struct edit edits[3];
} refused[] = {
	{ "crit", "strict JSON with alg, without crit, b64, zip, cty, jwk, jku, x5*", "crit is not accepted",
	    RJWT_HEADER, { HEADER("crit", "[]"), END } },
	{ "alg", "a supported algorithm", "none", RJWT_ALG, { HEADER("alg", "\"none\""), END } },
	{ "no kid", "a key id", "none", RJWT_KID, { HEADER("kid", NULL), END } },
	{ "kid", "base.version", "B.01", RJWT_KID, { HEADER("kid", "\"B.01\""), END } },
	{ "unknown", "a key of this keyset", "B.9", RJWT_KEY_UNKNOWN, { HEADER("kid", "\"B.9\""), END } },
	{ "alg of key", "ES256", "HS256", RJWT_ALG, { HEADER("alg", "\"HS256\""), END } },
	{ "other key", "a signature of this key", "none", RJWT_SIGNATURE, { HEADER("kid", "\"B.2\""), END } },
	{ "no typ", "login+jwt", "none", RJWT_TYP, { HEADER("typ", NULL), END } },
	{ "typ", "login+jwt", "JWT", RJWT_TYP, { HEADER("typ", "\"JWT\""), END } },
	{ "prefix", "login+jwt", "xxxxxxxxxxx/login+jwt", RJWT_TYP,
	    { HEADER("typ", "\"xxxxxxxxxxx/login+jwt\""), END } },
	{ "claims", "iss, aud, exp, iat and the user, each of its type", "exp is missing", RJWT_CLAIMS,
	    { CLAIM("exp", NULL), END } },
	{ "user", "alice", "bob", RJWT_USER, { CLAIM("sub", "\"bob\""), END } },
	{ "issuer", "iss.example", "x", RJWT_ISSUER, { CLAIM("iss", "\"x\""), END } },
	{ "audience", "host.example", "x", RJWT_AUDIENCE, { CLAIM("aud", "[\"x\",\"y\"]"), END } },
	{ "expired", "before 2027-01-15T07:59:59Z", "2027-01-15T08:00:00Z", RJWT_EXPIRED,
	    { CLAIM("exp", "1799999969"), CLAIM("iat", "1799999900"), END } },
	{ "nbf", "not before 2027-01-15T08:00:01Z", "2027-01-15T08:00:00Z", RJWT_NOT_YET_VALID,
	    { CLAIM("nbf", "1800000031"), END } },
	{ "iat", "not before it was issued, 2027-01-15T08:00:01Z", "2027-01-15T08:00:00Z", RJWT_ISSUED_IN_FUTURE,
	    { CLAIM("iat", "1800000031"), END } },
	{ "lifetime", "1s to 1h", "0s", RJWT_LIFETIME, { CLAIM("exp", "1800000000"), END } },
	{ "long", "1s to 1h", "1h1s", RJWT_LIFETIME, { CLAIM("exp", "1800003601"), END } },
	{ "scope", "ssh", "sudo", RJWT_SCOPE, { CLAIM("scope", "\"sudo\""), END } },
	{ "no scope", "ssh", "none", RJWT_SCOPE, { CLAIM("scope", NULL), END } },
	{ "cnf", "ssh key " SSH_FINGERPRINT, "no ssh key", RJWT_BINDING,
	    { CLAIM("cnf", "{\"kid\":\"" SSH_FINGERPRINT "\"}"), END } },
	{ "src", "10.0.0.0/8 ::/0", "no address", RJWT_SOURCE, { CLAIM("src", "[\"10.0.0.0/8\",\"::/0\"]"), END } },
	{ "cnf of another form", "iss, aud, exp, iat and the user, each of its type",
	    "cnf is not {\"kid\":\"SHA256:...\"} with the fingerprint of an ssh key", RJWT_CLAIMS,
	    { CLAIM("cnf", "1"), END } },
	{ "src of another form", "iss, aud, exp, iat and the user, each of its type",
	    "src is not an array of 1 to 16 address ranges such as 192.0.2.0/24", RJWT_CLAIMS,
	    { CLAIM("src", "1"), END } },
};

static void
test_refused(void **state)
{
	struct fixture *f = *state;
	struct rjwt_verdict v;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		RJWT_CLEAN(free_clean) char *token = token_with(f, refused[i].edits);

		want(refused[i].name, judge(f, token, 0, &v), refused[i].reason);
		said(refused[i].name, &v.failed, refused[i].expected, refused[i].found);
		assert_true((v.kid[0] == '\0') ==
			    (v.reason == RJWT_HEADER || v.reason == RJWT_KID || strcmp(refused[i].name, "alg") == 0));
		rjwt_verdict_clear(&v);
	}
	want("empty", judge(f, "", 0, &v), RJWT_EMPTY);
	said("empty", &v.failed, "at least one byte", "none");
	rjwt_verdict_clear(&v);
	want("parts", judge(f, "a.b", 0, &v), RJWT_MALFORMED);
	said("parts", &v.failed, "three parts in canonical base64url", "fewer or more parts");
	rjwt_verdict_clear(&v);
	want("NULL", rjwt_verify(f->h, &(struct rjwt_attempt){ .token = NULL, .len = 5 }, &v, NULL), RJWT_EMPTY);
	rjwt_verdict_clear(&v);
}

/* What depends on the configuration, on the signature's length, and on who is asked about. */
static void
test_others(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	RJWT_CLEAN(free_clean) char *untyped = token_with(f, (struct edit[]){ HEADER("typ", "\"\""), END });
	RJWT_CLEAN(free_clean) char *nameless = token_with(f, (struct edit[]){ CLAIM("jti", NULL), END });
	RJWT_CLEAN(free_clean) char *endless = token_with(f, (struct edit[]){ CLAIM("exp", NULL), END });
	RJWT_CLEAN(free_clean) char *unnamed = token_with(f, (struct edit[]){ HEADER("kid", NULL), END });
	RJWT_CLEAN(buf_clear) struct buf longer = { 0 };
	struct rjwt_verdict v;

	buf_addf(&longer, "%.*sAAAA", (int)strlen(token) - 2, token); /* 66 bytes */
	fixture_config(f, "max_token_bytes: 300\n");
	want("long", judge(f, token, 0, &v), RJWT_TOO_LONG);
	said("long", &v.failed, "at most 300 bytes", "302 bytes");
	rjwt_verdict_clear(&v);
	fixture_config(f, "services: {sshd: \"\"}\n");
	want("closed", judge(f, token, 0, &v), RJWT_SCOPE);
	said("closed", &v.failed, "nothing (an empty scope rejects all tokens)", "ssh");
	rjwt_verdict_clear(&v);
	fixture_config(f, "issuer: [a, b]\naudience: c\n");
	want("issuer", judge(f, token, 0, &v), RJWT_ISSUER);
	said("issuer", &v.failed, "a", "iss.example");
	rjwt_verdict_clear(&v);
	fixture_config(f, "one_time: always\n");
	want("no jti", judge(f, nameless, 0, &v), RJWT_CLAIMS);
	said("no jti", &v.failed, "iss, aud, exp, iat and the user, each of its type",
	    "jti is missing (one_time: always requires it)");
	rjwt_verdict_clear(&v);
	want("no exp", judge(f, endless, 0, &v), RJWT_CLAIMS);
	said("no exp", &v.failed, "iss, aud, exp, iat and the user, each of its type", "exp is missing");
	rjwt_verdict_clear(&v);
	fixture_config(f, "user_suffix: \"@a.longer.suffix.than.the.name.example.org\"\n");
	want("suffix", judge(f, token, 0, &v), RJWT_USER);
	rjwt_verdict_clear(&v);
	fixture_config(f, "token_type: a\n");
	want("typ", judge(f, untyped, 0, &v), RJWT_TYP);
	said("typ", &v.failed, "a", "");
	rjwt_verdict_clear(&v);
	fixture_config(f, "");
	want("no kid", judge(f, unnamed, RJWT_SIGNATURE_ONLY, &v), RJWT_KID);
	said("no kid", &v.failed, "a key id", "none");
	rjwt_verdict_clear(&v);
	want("no service", judge_as(f, token, "alice", "", 0, &v), RJWT_SCOPE);
	said("no service", &v.failed, "nothing (an empty scope rejects all tokens)", "ssh");
	rjwt_verdict_clear(&v);
	want("nobody", judge_as(f, token, NULL, "sshd", 0, &v), RJWT_USER);
	said("nobody", &v.failed, "a user", "alice");
	rjwt_verdict_clear(&v);
	clock_run(1000);
	want("any user", judge_as(f, token, NULL, "sshd", RJWT_ANY_USER, &v), RJWT_EXPIRED);
	assert_false(v.tell); /* nobody's name was compared */
	rjwt_verdict_clear(&v);
	want("long", judge(f, longer.p, 0, &v), RJWT_SIGNATURE);
	said("long", &v.failed, "a signature of this key", "none");
	rjwt_verdict_clear(&v);
	token[strlen(token) - 2] = '\0'; /* 63 bytes */
	want("short", judge(f, token, 0, &v), RJWT_SIGNATURE);
	said("short", &v.failed, "a signature of this key", "one that is too short");
	rjwt_verdict_clear(&v);
}

static int looks;

/* Each look at the clock is an hour after the one before. */
static void
slow(void *context, struct rjwt_time *now)
{
	clock_made_up(context, now);
	now->wall_s += 3600 * looks;
	now->boot_s += 3600 * looks++;
}

/* A mark that is there is the answer; only one that was made is followed by another look. */
static void
test_marks(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *once = token_with(f, (struct edit[]){ CLAIM("once", "true"), END });
	RJWT_CLEAN(free_clean)
	char *late = token_with(f, (struct edit[]){ CLAIM("once", "true"), CLAIM("jti", "\"a2\""), END });
	struct rjwt_change change;
	struct rjwt_verdict v;

	want("first", judge(f, once, 0, NULL), RJWT_OK);
	f->now = slow;
	for (int i = 0; i < 2; i++) {
		fixture_config(f, "");
		looks = 0;
		want("slow", judge(f, i == 0 ? once : late, 0, &v), i == 0 ? RJWT_SPENT : RJWT_EXPIRED);
		rjwt_verdict_clear(&v);
	}
	f->now = clock_made_up;
	fixture_config(f, "");
	want("revoke", rjwt_revoke(f->h, &(struct rjwt_revocation){ .jti = "a2" }, 0, &change, &f->diag), RJWT_OK);
	want("revoked", judge(f, late, 0, &v), RJWT_REVOKED);
	said("revoked", &v.failed, "no revocation", "one");
	rjwt_verdict_clear(&v);
}

/* A key that retired, was used after that, ran out, and was revoked. */
static void
test_keys(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	const struct edit late[] = { edit_time('c', "iat", T0 + 91), END };
	const struct edit early[] = { edit_time('c', "iat", T0 - 1000), edit_time('c', "exp", T0 - 700), END };
	RJWT_CLEAN(free_clean) char *before = token_with(f, early);
	RJWT_CLEAN(free_clean) char *stolen = token_with(f, late);
	struct rjwt_verdict v;

	clock_run(60);
	rotate(f);
	want("retired", judge(f, token, TRACED, &v), RJWT_OK);
	said("until", &judge_trace[9], "a key that verifies, until 2027-01-16T08:01:00Z", "2027-01-15T08:01:00Z");
	said("issued", &judge_trace[21], "issued before its key retired, 2027-01-15T08:01:00Z", "2027-01-15T08:00:00Z");
	rjwt_verdict_clear(&v);
	clock_run(40);
	want("stolen", judge(f, stolen, 0, &v), RJWT_KEY_RETIRED);
	said("stolen", &v.failed, "issued before its key retired, 2027-01-15T08:01:00Z", "2027-01-15T08:01:31Z");
	rjwt_verdict_clear(&v);
	clock_step(-1000); /* before the key began to sign, which is no rule in a keyset: clocks run back */
	want("early", judge(f, before, 0, NULL), RJWT_OK);
	clock_step(1000);
	key_stamp(f, 1, T0 + 60, T0 + 99, 0);
	want("over", judge(f, token, 0, &v), RJWT_KEY_RETIRED);
	said("over", &v.failed, "a key that verifies, until 2027-01-15T08:01:39Z", "2027-01-15T08:01:40Z");
	rjwt_verdict_clear(&v);
	key_stamp(f, 1, T0 + 60, T0 + 999, T0 + 70);
	want("revoked", judge(f, token, 0, &v), RJWT_KEY_REVOKED);
	said("revoked", &v.failed, "a key that was not revoked", "revoked at 2027-01-15T08:01:10Z");
	rjwt_verdict_clear(&v);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_accepted), T(test_uses), T(test_refused), T(test_others),
		T(test_marks), T(test_keys) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
