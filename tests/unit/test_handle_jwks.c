/* SPDX-License-Identifier: MIT */
/* A handle that verifies with a JWK Set in place of a keyset. */
#include "fixture.h"
#include "base/base64url.h"

#include <stdio.h>

static const char *const hosts[] = { "host.example", NULL };

/* --- a JWK Set in place of the keyset --------------------------------------------------------- */

static enum rjwt_err
open_set(struct fixture *f, const char *text, const char *issuer, const char *const *audience)
{
	char path[256];
	struct rjwt_options options = { .jwks = path,
		.now = clock_made_up,
		.config = f->config,
		.issuer = issuer,
		.audience = audience };

	snprintf(path, sizeof(path), "%s/set.json", f->state);
	file_put(f, "set.json", view_of(text));
	rjwt_close(f->h);
	f->h = NULL;
	return rjwt_open(&options, &f->h, &f->diag);
}

static void
test_jwks(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	RJWT_CLEAN(buf_clear) struct buf set = file_get(f, "jwks.json");
	RJWT_CLEAN(free_clean)
	char *once = token_with(f, (const struct edit[]){ { 'c', "once", "true" }, { 0, NULL, NULL } });
	struct rjwt_verdict v;

	want("open", open_set(f, set.p, "iss.example", hosts), RJWT_OK);
	want("good", judge(f, token, RJWT_DRY_RUN | TRACED, &v), RJWT_OK);
	assert_int_equal(judge_trace[v.nchecks - 2].outcome, RJWT_NOT_CHECKED); /* revoked */
	rjwt_verdict_clear(&v);
	want("once", judge(f, once, RJWT_DRY_RUN | TRACED, &v), RJWT_OK);
	assert_int_equal(judge_trace[v.nchecks - 1].outcome, RJWT_NOT_CHECKED); /* spent */
	rjwt_verdict_clear(&v);
	want("once, and nothing to mark it in", judge(f, once, 0, NULL), RJWT_OK);
	want("other user", judge_as(f, token, "bob", "sshd", RJWT_DRY_RUN, NULL), RJWT_USER);
	assert_int_equal(rjwt_mint(f->h, &(struct rjwt_request){ .user = "a" }, &(struct rjwt_token){ 0 }, &f->diag),
	    RJWT_USAGE);
	assert_int_equal(rjwt_rotate(f->h, 0, &(struct rjwt_change){ 0 }, &f->diag), RJWT_USAGE);
	/* A set records no issuer and no audience. */
	want("open", open_set(f, set.p, NULL, hosts), RJWT_OK);
	want("no issuer", judge(f, token, RJWT_DRY_RUN, NULL), RJWT_USAGE);
	want("open", open_set(f, set.p, "iss.example", NULL), RJWT_OK);
	want("no audience", judge(f, token, RJWT_DRY_RUN, NULL), RJWT_USAGE);
	want("neither is needed", judge(f, token, RJWT_SIGNATURE_ONLY, NULL), RJWT_OK);
	want("not JSON", open_set(f, "{\"keys\":[", "i", hosts), RJWT_KEYSET);
	assert_non_null(strstr(f->diag.path, "set.json"));
	want("no keys", open_set(f, "{}", "i", hosts), RJWT_KEYSET);
	want("no key", open_set(f, "{\"keys\":[]}", "iss.example", hosts), RJWT_OK);
	want("no key", judge(f, token, RJWT_DRY_RUN, NULL), RJWT_KEY_UNKNOWN);
}

/* The bytes of a set, in place of a file. */
static void
test_jwks_text(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	RJWT_CLEAN(buf_clear) struct buf set = file_get(f, "jwks.json");
	struct rjwt_options options = { .jwks_text = set.p,
		.jwks_len = set.n,
		.now = clock_made_up,
		.config = f->config,
		.issuer = "iss.example",
		.audience = hosts };

	rjwt_close(f->h);
	f->h = NULL;
	want("text", rjwt_open(&options, &f->h, &f->diag), RJWT_OK);
	want("good", judge(f, token, RJWT_DRY_RUN, NULL), RJWT_OK);
	rjwt_close(f->h);
	f->h = NULL;
	options.jwks = "/nonexistent";
	want("both", rjwt_open(&options, &f->h, &f->diag), RJWT_USAGE);
	options.jwks = NULL;
	options.jwks_len = set.n - 2;
	want("cut", rjwt_open(&options, &f->h, &f->diag), RJWT_KEYSET);
	options.jwks_len = RJWT_JWKS_MAX + 1; /* not looked at */
	want("too large", rjwt_open(&options, &f->h, &f->diag), RJWT_KEYSET);
	assert_non_null(strstr(f->diag.text, "too large"));
}

/* nbf, exp and revoked of a set's key are honoured, and kids may be any. */
static void
test_jwks_times(void **state)
{
	static const struct {
		const char *members, *kid;
		enum rjwt_err err;
	} rows[] = {
		{ "", "../any kid/\xc3\xa9", RJWT_OK },
		{ "", "x", RJWT_OK },
		{ "",
		    "12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
		    "012345678901234567890123456789012345678",
		    RJWT_OK }, /* 128 */
		{ ",\"exp\":1800000000", "x", RJWT_OK },
		{ ",\"exp\":1799999999", "x", RJWT_KEY_RETIRED },
		{ ",\"nbf\":1800000030", "x", RJWT_OK },
		{ ",\"nbf\":1800000031", "x", RJWT_KEY_UNKNOWN },
		{ ",\"revoked\":1", "x", RJWT_KEY_REVOKED },
		{ ",\"retired\":1799999970", "x", RJWT_OK },
		{ ",\"retired\":1799999969", "x", RJWT_KEY_RETIRED },
	};
	struct fixture *f = *state;
	RJWT_CLEAN(buf_clear) struct buf key = file_get(f, "private/1.key");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf set = { 0 };
		RJWT_CLEAN(buf_clear) struct buf k = { 0 };
		RJWT_CLEAN(buf_clear) struct buf kid = { 0 };
		RJWT_CLEAN(free_clean) char *token = NULL;

		buf_addf(&kid, "\"%s\"", rows[i].kid);
		token = token_with(f,
		    (const struct edit[]){ { 'h', "alg", "\"HS256\"" }, { 'h', "kid", kid.p }, { 0, NULL, NULL } });
		base64url_encode(&k, buf_view(&key));
		buf_addf(&set, "{\"keys\":[{\"kty\":\"oct\",\"alg\":\"HS256\",\"kid\":\"%s\",\"k\":\"%s\"%s}]}",
		    rows[i].kid, k.p, rows[i].members);
		want("open", open_set(f, set.p, "iss.example", hosts), RJWT_OK);
		want(rows[i].members[0] == '\0' ? rows[i].kid : rows[i].members, judge(f, token, RJWT_DRY_RUN, NULL),
		    rows[i].err);
	}
}

#define K60 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define K64 K60 "kkkk"

/* The signature alone, with a set of one key: then no kid, issuer or audience is needed. */
static void
test_jwks_signature_only(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean)
	char *token = token_with(f, (const struct edit[]){ { 'h', "kid", NULL }, { 0, NULL, NULL } });
	RJWT_CLEAN(free_clean)
	char *empty = token_with(f, (const struct edit[]){ { 'h', "kid", "\"\"" }, { 0, NULL, NULL } });
	RJWT_CLEAN(free_clean)
	char *longest = token_with(f, (const struct edit[]){ { 'h', "kid", "\"" K64 K64 "\"" }, { 0, NULL, NULL } });
	RJWT_CLEAN(free_clean)
	char *longer = token_with(f, (const struct edit[]){ { 'h', "kid", "\"" K64 K64 "k\"" }, { 0, NULL, NULL } });
	RJWT_CLEAN(buf_clear) struct buf two = file_get(f, "jwks.json");
	RJWT_CLEAN(buf_clear) struct buf one = { 0 };
	const char *second = strstr(two.p, ",{");
	struct rjwt_verdict v;

	assert_non_null(second);
	buf_addf(&one, "%.*s]}", (int)(second - two.p), two.p);
	want("open", open_set(f, one.p, "iss.example", hosts), RJWT_OK);
	want("one", judge(f, token, RJWT_SIGNATURE_ONLY, NULL), RJWT_OK);
	want("a login needs a kid", judge(f, token, RJWT_DRY_RUN, NULL), RJWT_KID);
	want("an empty one is none", judge(f, empty, RJWT_SIGNATURE_ONLY, NULL), RJWT_KID);
	want("long", judge(f, longer, RJWT_SIGNATURE_ONLY, &v), RJWT_KID);
	assert_string_equal(v.failed.expected, "1 to 128 bytes");
	assert_string_equal(v.kid, "");
	rjwt_verdict_clear(&v);
	want("as long as may be", judge(f, longest, RJWT_SIGNATURE_ONLY, &v), RJWT_KEY_UNKNOWN);
	assert_int_equal(strlen(v.kid), 128);
	rjwt_verdict_clear(&v);
	want("open", open_set(f, two.p, "iss.example", hosts), RJWT_OK);
	want("two", judge(f, token, RJWT_SIGNATURE_ONLY, NULL), RJWT_KID);
}

/* --- what is told ----------------------------------------------------------------------------- */

static const struct rjwt_check *
row(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(judge_trace); i++)
		if (judge_trace[i].name != NULL && strcmp(judge_trace[i].name, name) == 0)
			return &judge_trace[i];
	fail_msg("no row %s", name);
	return NULL;
}

/* Of a key that is not found it is said whether the set has it all the same; no more of its name than has room. */
static void
test_jwks_told(void **state)
{
	static const struct {
		const char *kid, *shown;
	} passed[] = { { "k", "k" }, { K60, K60 }, { K60 "k", K60 } };
	static const struct {
		struct edit edits[2];
		enum rjwt_err code;
		const char *expected, *found;
	} others[] = {
		{ { CLAIM("scope", "[\"ssh\"]"), END }, RJWT_SCOPE, "ssh",
		    "not a list of words with one space between them" },
		{ { CLAIM("scope", NULL), END }, RJWT_SCOPE, "ssh", "none" },
		{ { CLAIM("cnf", "{\"jkt\":\"x\"}"), END }, RJWT_BINDING, "cnf with the fingerprint of an ssh key",
		    "another form" },
		{ { CLAIM("src", "{}"), END }, RJWT_SOURCE, "src with address ranges", "no address" },
	};
	struct fixture *f = *state;
	RJWT_CLEAN(buf_clear) struct buf good = file_get(f, "jwks.json");
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	RJWT_CLEAN(free_clean)
	char *crit = token_with(f, (const struct edit[]){ { 'h', "crit", "[\"x\"]" }, { 0, NULL, NULL } });
	struct rjwt_verdict v;

	want("open", open_set(f, good.p, "iss.example", hosts), RJWT_OK);
	want("good", judge(f, token, RJWT_DRY_RUN | TRACED, &v), RJWT_OK);
	assert_string_equal(row("key_unknown")->expected, "a key of this JWK Set");
	rjwt_verdict_clear(&v);
	want("header", judge(f, crit, RJWT_DRY_RUN, &v), RJWT_HEADER);
	assert_string_equal(v.failed.expected, "strict JSON with alg, without crit, b64, zip, cty, jwk, jku, x5c, x5u");
	rjwt_verdict_clear(&v);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		RJWT_CLEAN(free_clean) char *other = token_with(f, others[i].edits);

		want(others[i].found, judge(f, other, RJWT_DRY_RUN, &v), others[i].code);
		assert_string_equal(v.failed.expected, others[i].expected);
		assert_string_equal(v.failed.found, others[i].found);
		rjwt_verdict_clear(&v);
	}
	for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
		char kid[80], set[160], found[160];
		RJWT_CLEAN(free_clean) char *of = NULL;

		snprintf(kid, sizeof(kid), "\"%s\"", passed[i].kid);
		of = token_with(f, (const struct edit[]){ { 'h', "kid", kid }, { 0, NULL, NULL } });
		want("open", open_set(f, "{\"keys\":[]}", "iss.example", hosts), RJWT_OK);
		want("not there", judge(f, of, RJWT_DRY_RUN, &v), RJWT_KEY_UNKNOWN);
		assert_string_equal(v.failed.expected, "a key of this JWK Set");
		assert_string_equal(v.failed.found, passed[i].kid);
		rjwt_verdict_clear(&v);
		snprintf(set, sizeof(set), "{\"keys\":[{\"kid\":%s,\"kty\":\"AKP\"}]}", kid);
		want("open", open_set(f, set, "iss.example", hosts), RJWT_OK);
		want("passed over", judge(f, of, RJWT_DRY_RUN, &v), RJWT_KEY_UNKNOWN);
		assert_string_equal(v.failed.expected, "a key of this JWK Set that can verify");
		snprintf(found, sizeof(found), "%s, which is in the set but passed over: ", passed[i].shown);
		assert_memory_equal(v.failed.found, found, strlen(found));
		rjwt_verdict_clear(&v);
	}
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_jwks), T(test_jwks_text),
		cmocka_unit_test_setup_teardown(test_jwks_times, fixture_setup_hs256, fixture_teardown),
		T(test_jwks_signature_only), T(test_jwks_told) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
