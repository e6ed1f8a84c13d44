/* SPDX-License-Identifier: MIT */
/* What a verdict depends on beside the token: the attempt and the configuration. */
#include "fixture.h"

#include <stdio.h>
#include <unistd.h>

/* --- the attempt ------------------------------------------------------------------------------ */

/* What is left out is refused, and never means any; skipping has a name. */
static void
test_strictest_is_zero(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	struct rjwt_attempt zero = { .token = token, .len = strlen(token) };
	struct rjwt_verdict v;

	want("zeroed", rjwt_verify(f->h, &zero, &v, NULL), RJWT_USER);
	rjwt_verdict_clear(&v);
	want("no user", judge_as(f, token, NULL, "sshd", 0, NULL), RJWT_USER);
	want("empty user", judge_as(f, token, "", "sshd", 0, NULL), RJWT_USER);
	want("no service", judge_as(f, token, "alice", NULL, 0, NULL), RJWT_SCOPE);
	want("empty service", judge_as(f, token, "alice", "", 0, NULL), RJWT_SCOPE);
	want("both", judge_as(f, token, "alice", "sshd", 0, NULL), RJWT_OK);
	want("any user", judge_as(f, token, NULL, "sshd", RJWT_ANY_USER, &v), RJWT_OK);
	assert_string_equal(v.user, "alice");
	rjwt_verdict_clear(&v);
	want("any service", judge_as(f, token, "alice", NULL, RJWT_ANY_SERVICE, NULL), RJWT_OK);
}

/* Users that look like others, each right for itself alone. */
static void
test_users(void **state)
{
	static const char *const users[] = { "alice", "Alice", "ali", "alicee", "root", "0", "-x", "a/b", "a:b",
		"alice ", "\xc3\xa9", "e\xcc\x81", "\xef\xbd\x81lice", "*" };
	struct fixture *f = *state;
	size_t n = ARRAY_LEN(users);

	for (size_t i = 0; i < n; i++) {
		char sub[64];
		const struct edit edits[] = { CLAIM("sub", sub), END };
		RJWT_CLEAN(free_clean) char *token = NULL;

		snprintf(sub, sizeof(sub), "\"%s\"", users[i]);
		token = token_with(f, edits);
		for (size_t k = 0; k < n; k++)
			want(users[i], judge_as(f, token, users[k], "sshd", 0, NULL), i == k ? RJWT_OK : RJWT_USER);
	}
}

static void
test_services(void **state)
{
	static const struct {
		const char *service, *scope;
		enum rjwt_err with, before; /* with services: configured, and without */
	} rows[] = { { "sshd", "ssh", RJWT_OK, RJWT_OK }, { "sshd", "sshd", RJWT_SCOPE, RJWT_SCOPE },
		{ "sudo", "sudo", RJWT_OK, RJWT_OK }, { "sudo-i", "sudo", RJWT_OK, RJWT_OK },
		{ "sudo-i", "sudo-i", RJWT_SCOPE, RJWT_SCOPE }, { "su", "su", RJWT_SCOPE, RJWT_OK }, /* closed */
		{ "su-l", "su", RJWT_SCOPE, RJWT_OK },						     /* su's twin */
		{ "remote", "login", RJWT_OK, RJWT_OK }, { "login", "login", RJWT_OK, RJWT_OK },
		{ "cockpit", "cockpit", RJWT_SCOPE, RJWT_OK }, { "cockpit", "web", RJWT_OK, RJWT_SCOPE },
		{ "other", "other", RJWT_OK, RJWT_OK }, { "other", "ssh", RJWT_SCOPE, RJWT_SCOPE } };
	struct fixture *f = *state;

	for (int configured = 0; configured < 2; configured++) {
		if (configured)
			fixture_config(f, "services: {su: \"\", cockpit: web}\n");
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			char scope[64];
			const struct edit edits[] = { CLAIM("scope", scope), END };
			RJWT_CLEAN(free_clean) char *token = NULL;

			snprintf(scope, sizeof(scope), "\"x %s\"", rows[i].scope);
			token = token_with(f, edits);
			want(rows[i].service, judge_as(f, token, "alice", rows[i].service, 0, NULL),
			    configured ? rows[i].with : rows[i].before);
		}
	}
}

static void
test_signature_only(void **state)
{
	struct fixture *f = *state;
	const struct edit wrong[] = { CLAIM("sub", "1"), { 'h', "typ", NULL }, END };
	RJWT_CLEAN(free_clean) char *token = token_with(f, wrong);
	RJWT_CLEAN(free_clean)
	char *others = token_with(f, (const struct edit[]){ { 'h', "x5t", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAA\"" }, END });
	struct rjwt_verdict v;

	want("whole", judge(f, token, 0, NULL), RJWT_TYP);
	want("JWS", judge(f, token, RJWT_SIGNATURE_ONLY, &v), RJWT_OK);
	assert_non_null(strstr(v.claims, "\"sub\":1"));
	assert_int_equal(strlen(v.claims), v.claims_len);
	assert_string_equal(v.jti, "");
	rjwt_verdict_clear(&v);
	want("another's header", judge(f, others, 0, NULL), RJWT_HEADER);
	want("JWS", judge(f, others, RJWT_SIGNATURE_ONLY, NULL), RJWT_OK);
	forge(token);
	want("JWS", judge(f, token, RJWT_SIGNATURE_ONLY, &v), RJWT_SIGNATURE);
	assert_null(v.claims);
	rjwt_verdict_clear(&v);
}

/* What the verdict holds, before and behind the signature. */
static void
test_verdict(void **state)
{
	struct fixture *f = *state;
	const struct edit full[] = { CLAIM("nbf", "1800000010"), CLAIM("once", "true"), END };
	RJWT_CLEAN(free_clean) char *token = token_with(f, full);
	struct rjwt_verdict v;

	clock_run(20);
	want("accepted", judge(f, token, RJWT_DRY_RUN, &v), RJWT_OK);
	assert_string_equal(v.kid, "B.1");
	assert_string_equal(v.jti, "a1");
	assert_string_equal(v.sub, "alice");
	assert_string_equal(v.user, "alice");
	assert_true(v.iat_s == T0 && v.nbf_s == T0 + 10 && v.exp_s == T0 + 300);
	assert_true(v.accepted_until_s == T0 + 330 && v.now_s == T0 + 20);
	assert_true(v.once && !v.cap_session && v.overdue_since_s == 0 && v.clock_moved_s == 0);
	assert_int_equal(v.nchecks, 0);
	rjwt_verdict_clear(&v);
	forge(token);
	want("forged", judge(f, token, 0, &v), RJWT_SIGNATURE);
	assert_true(v.jti[0] == '\0' && v.sub[0] == '\0' && v.user[0] == '\0' && v.exp_s == 0);
	assert_true(v.claims == NULL && !v.tell);
	assert_string_equal(v.kid, "B.1");
	rjwt_verdict_clear(&v);
	fixture_config(f, "cap_session: true\n");
	forge(token);
	clock_run(24 * 3600 + 6 * 3600 + 61);
	want("late", judge(f, token, 0, &v), RJWT_EXPIRED);
	assert_true(v.overdue_since_s == T0 + 24 * 3600 && v.cap_session && v.tell);
	rjwt_verdict_clear(&v);
	clock_step(-40);
	want("stepped", judge(f, token, 0, &v), RJWT_EXPIRED);
	assert_int_equal(v.clock_moved_s, -40);
	rjwt_verdict_clear(&v);
}

/* --explain: the walk, and nothing beyond the check that failed. */
static void
test_trace(void **state)
{
	static const char *const order[] = { "empty", "too_long", "malformed", "header", "alg", "kid", "key_unknown",
		"alg of key", "key_revoked", "key_retired", "signature", "typ", "claims", "user", "issuer", "stale",
		"audience", "expired", "not_yet_valid", "issued_in_future", "lifetime", "issued after retirement",
		"scope", "binding", "source", "revoked", "denied", "spent" };
	struct fixture *f = *state;
	const struct edit other[] = { CLAIM("iss", "\"x\""), END };
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	RJWT_CLEAN(free_clean) char *refused = token_with(f, other);
	struct rjwt_check two[RJWT_CHECKS_MAX] = { { .name = NULL } }; /* room for more than is said */
	const struct rjwt_attempt few = { .token = token,
		.len = strlen(token),
		.user = "alice",
		.service = "sshd",
		.flags = RJWT_DRY_RUN,
		.trace = two,
		.trace_max = 2 };
	struct rjwt_verdict v;
	size_t n = ARRAY_LEN(order), failed = 14;

	assert_true(sizeof(v) < 1536); /* on the stack of whoever calls PAM */
	want("accepted", judge_as(f, token, NULL, NULL, TRACED | RJWT_ANY_USER | RJWT_ANY_SERVICE, &v), RJWT_OK);
	assert_int_equal(v.nchecks, n);
	for (size_t i = 0; i < n; i++) {
		bool skipped = strcmp(order[i], "user") == 0 || strcmp(order[i], "scope") == 0;

		assert_string_equal(judge_trace[i].name, order[i]);
		assert_int_equal(judge_trace[i].outcome, skipped ? RJWT_NOT_CHECKED : RJWT_PASSED);
		assert_true(judge_trace[i].expected[0] != '\0' || i < 3);
	}
	rjwt_verdict_clear(&v);
	want("refused", judge(f, refused, TRACED, &v), RJWT_ISSUER);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(judge_trace[i].outcome, i < failed    ? RJWT_PASSED
							 : i == failed ? RJWT_FAILED
								       : RJWT_NOT_REACHED);
	assert_string_equal(judge_trace[failed].expected, "iss.example");
	assert_string_equal(judge_trace[failed].found, "x");
	assert_string_equal(v.failed.found, "x");
	rjwt_verdict_clear(&v);
	want("a short one", rjwt_verify(f->h, &few, &v, &f->diag), RJWT_OK);
	assert_true(v.nchecks == 2 && strcmp(two[1].name, order[1]) == 0 && two[2].name == NULL);
	rjwt_verdict_clear(&v);
}

/* What was expected and found is told of a refusal without a trace as well; what is no verdict is not told. */
static void
test_failed(void **state)
{
	struct fixture *f = *state;
	char from[200];
	const struct edit old[] = { edit_time('c', "exp", T0 + 60), END };
	const struct edit ends_first[] = { edit_time('c', "exp", T0 + 20), edit_time('c', "iat", T0 + 25), END };
	RJWT_CLEAN(free_clean) char *token = token_with(f, old);
	RJWT_CLEAN(free_clean) char *backwards = token_with(f, ends_first);
	struct rjwt_verdict v;

	want("before it was issued", judge(f, backwards, 0, &v), RJWT_LIFETIME);
	assert_string_equal(v.failed.expected, "1s to 1h");
	assert_string_equal(v.failed.found, "-5s");
	rjwt_verdict_clear(&v);
	want("user", judge_as(f, token, "bob", "sshd", 0, &v), RJWT_USER);
	assert_string_equal(v.failed.expected, "bob");
	assert_string_equal(v.failed.found, "alice");
	rjwt_verdict_clear(&v);
	clock_run(100);
	want("late", judge(f, token, 0, &v), RJWT_EXPIRED);
	assert_string_equal(v.failed.expected, "before 2027-01-15T08:01:30Z");
	assert_string_equal(v.failed.found, "2027-01-15T08:01:40Z");
	assert_true(v.tell);
	rjwt_verdict_clear(&v);
	clock_run(-100);
	want("good", judge(f, token, 0, &v), RJWT_OK);
	assert_true(v.failed.name == NULL && v.failed.expected[0] == '\0' && v.failed.found[0] == '\0' && !v.tell);
	rjwt_verdict_clear(&v);
	snprintf(from, sizeof(from), "%s/revoked/jti", f->state);
	assert_int_equal(rmdir(from), 0);
	fixture_config(f, "");
	want("no marks", judge(f, token, 0, &v), RJWT_IO);
	assert_false(v.tell);
	rjwt_verdict_clear(&v);
}

/* Nothing is denied by a date where there is none, also of the first second that there is. */
static void
test_epoch(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean)
	char *token = token_with(f, (const struct edit[]){ CLAIM("iat", "0"), CLAIM("exp", "300"), END });

	clock_step(-T0 + 100);
	want("1970", judge(f, token, 0, NULL), RJWT_OK);
	clock_step(300);
	want("later", judge(f, token, 0, NULL), RJWT_EXPIRED);
}

/* What does not fit into what --explain shows is cut. */
static void
test_trace_of_long(void **state)
{
	struct fixture *f = *state;
	char issuer[258];
	struct rjwt_verdict v;

	for (size_t n = 158; n <= 161; n++) {
		const struct edit edits[] = { CLAIM("iss", issuer), END };
		RJWT_CLEAN(free_clean) char *token = NULL;

		memset(issuer, 'x', sizeof(issuer));
		issuer[0] = issuer[n + 1] = '"';
		issuer[n + 2] = '\0';
		token = token_with(f, edits);
		want("issuer", judge(f, token, TRACED, &v), RJWT_ISSUER);
		assert_int_equal(strlen(v.failed.found), n < 159 ? n : 159);
		rjwt_verdict_clear(&v);
	}
}

/* --- the configuration ------------------------------------------------------------------------ */

/* Accepted with one configuration, refused with another. */
static void
test_configured(void **state)
{
	static const struct {
		const char *good, *bad;
		enum rjwt_err reason;
		struct edit edits[3];
	} rows[] = { { "issuer: [new.example, iss.example]\n", "issuer: new.example\n", RJWT_ISSUER, { END } },
		{ "issuer: iss.example\n", "issuer: [new.example, old.example]\n", RJWT_ISSUER, { END } },
		{ "audience: [a, host.example]\n", "audience: a\n", RJWT_AUDIENCE, { END } },
		{ "token_type: JWT\n", "", RJWT_TYP, { { 'h', "typ", NULL }, END } },
		{ "token_type: JWT\n", "", RJWT_TYP, { { 'h', "typ", "\"jwt\"" }, END } },
		{ "", "token_type: JWT\n", RJWT_TYP, { END } }, { "", "token_type: login-jwt\n", RJWT_TYP, { END } },
		{ "token_type: JWT\n", "token_type: JWTX\n", RJWT_TYP, { { 'h', "typ", NULL }, END } },
		{ "token_type: JWT\n", "token_type: JWX\n", RJWT_TYP, { { 'h', "typ", NULL }, END } },
		{ "token_type: application/jwt\n", "", RJWT_TYP, { { 'h', "typ", "\"JWT\"" }, END } },
		{ "token_type: application/jwt\n", "", RJWT_TYP, { { 'h', "typ", NULL }, END } },
		{ "token_type: application/login+jwt\n", "token_type: application/jwt\n", RJWT_TYP, { END } },
		{ "max_lifetime: 20m\n", "max_lifetime: 5m\n", RJWT_LIFETIME, { CLAIM("exp", "1800000301"), END } },
		{ "leeway: 41s\n", "leeway: 40s\n", RJWT_NOT_YET_VALID, { CLAIM("nbf", "1800000041"), END } },
		{ "leeway: 0s\n", "leeway: 0s\nmax_lifetime: 5m\n", RJWT_LIFETIME,
		    { CLAIM("iat", "1799999999"), END } },
		{ "user_claim: upn\n", "", RJWT_USER, { CLAIM("upn", "\"alice\""), CLAIM("sub", "\"uuid\""), END } },
		{ "", "user_claim: upn\n", RJWT_CLAIMS, { END } },
		{ "user_suffix: \"@x\"\n", "", RJWT_USER, { CLAIM("sub", "\"alice@x\""), END } },
		{ "", "user_suffix: \"@x\"\n", RJWT_USER, { END } },
		{ "user_suffix: \"@x\"\n", "user_suffix: \"@y\"\n", RJWT_USER, { CLAIM("sub", "\"alice@x\""), END } },
		{ "user_suffix: \"@x\"\n", "user_suffix: \"@x@x\"\n", RJWT_USER, { CLAIM("sub", "\"alice@x\""), END } },
		{ "", "one_time: always\n", RJWT_CLAIMS, { CLAIM("jti", NULL), END } } };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(free_clean) char *token = token_with(f, rows[i].edits);

		fixture_config(f, rows[i].good);
		want(rows[i].good, judge(f, token, 0, NULL), RJWT_OK);
		fixture_config(f, rows[i].bad);
		want(rows[i].bad, judge(f, token, 0, NULL), rows[i].reason);
	}
}

/* Cut off once: what is left may end with it again, and may not be nothing. */
static void
test_suffix_once(void **state)
{
	struct fixture *f = *state;
	const struct edit twice[] = { CLAIM("sub", "\"alice@x@x\""), END };
	const struct edit alone[] = { CLAIM("sub", "\"@x\""), END };
	RJWT_CLEAN(free_clean) char *token = token_with(f, twice);
	RJWT_CLEAN(free_clean) char *nobody = token_with(f, alone);

	fixture_config(f, "user_suffix: \"@x\"\n");
	want("once", judge_as(f, token, "alice@x", "sshd", 0, NULL), RJWT_OK);
	want("twice", judge_as(f, token, "alice", "sshd", 0, NULL), RJWT_USER);
	want("nobody", judge_as(f, nobody, "", "sshd", 0, NULL), RJWT_USER);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_strictest_is_zero), T(test_users), T(test_services),
		T(test_signature_only), T(test_verdict), T(test_trace), T(test_trace_of_long), T(test_epoch),
		T(test_failed), T(test_configured), T(test_suffix_once) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
