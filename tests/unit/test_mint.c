/* SPDX-License-Identifier: MIT */
/* Requests that become tokens, requests that are refused, and the rotation that comes first. */
#include "fixture.h"
#include "ssh_keys.h"

static const char *const two[] = { "host.example", "b.example", NULL };
static const char *const scopes[] = { "ssh", "sudo", NULL };
static const char *const bad_scope[] = { "ssh", "a b", NULL };
static const char *const no_scope[] = { "", NULL };
static const char *const long_scope[] = { "abcdefghijklmnopqrstuvwxyz1234567", NULL };
static const char *const bad_audience[] = { "host.example", "", NULL };
static const char *const none[] = { NULL };
static const int64_t zero = 0, one = 1, minus = -5, hour = 3600, above = 3601, most = INT64_MAX;
static const char *const ssh[] = { "ssh", NULL };
static const char *const sudo[] = { "sudo", NULL };
static const char *const range[] = { "10.0.0.0/8", "::/0", "192.0.2.7", NULL };
static const char *const host_bits[] = { "10.0.0.0/8", "10.0.0.1/8", NULL };
static const char *const no_range[] = { "web1", NULL };
static const char *const empty_range[] = { "", NULL };
static const char *const sixteen[] = { "::", "::1", "::2", "::3", "::4", "::5", "::6", "::7", "::8", "::9", "::a",
	"::b", "::c", "::d", "::e", "::f", NULL };
static const char *const seventeen[] = { "::", "::1", "::2", "::3", "::4", "::5", "::6", "::7", "::8", "::9", "::a",
	"::b", "::c", "::d", "::e", "::f", "1::", NULL };
static char long_name[RJWT_NAME_MAX + 2];

/* A request refused, beside one that differs in that one thing. */
static const struct {
	const char *name;
	enum rjwt_err reason;
	struct rjwt_request bad, good;
} rows[] = {
	{ "lifetime 0", RJWT_LIFETIME, { .lifetime_s = &zero }, { .lifetime_s = &one } },
	{ "lifetime -5", RJWT_LIFETIME, { .lifetime_s = &minus }, { .lifetime_s = NULL } },
	{ "lifetime above", RJWT_LIFETIME, { .lifetime_s = &above }, { .lifetime_s = &hour } },
	{ "lifetime overflows", RJWT_LIFETIME, { .lifetime_s = &most }, { .lifetime_s = &hour } },
	{ "exp - iat above", RJWT_LIFETIME, { .lifetime_s = &hour, .not_before_s = T0 + 1 },
	    { .lifetime_s = &hour, .not_before_s = T0 - 10 } },
	{ "nbf and default", RJWT_LIFETIME, { .not_before_s = T0 + 3301 }, { .not_before_s = T0 + 3300 } },
	{ "nbf negative", RJWT_LIFETIME, { .not_before_s = -1 }, { .not_before_s = 0 } },
	{ "nbf huge", RJWT_LIFETIME, { .not_before_s = INT64_MAX }, { .not_before_s = 1 } },
	{ "user empty", RJWT_USER, { .user = "" }, { .user = "a" } },
	{ "user with newline", RJWT_USER, { .user = "a\nb" }, { .user = "a b" } },
	{ "user no UTF-8", RJWT_USER, { .user = "\xff" }, { .user = "\xc3\xbf" } },
	{ "user too long", RJWT_USER, { .user = long_name }, { .user = long_name + 1 } },
	{ "issuer empty", RJWT_ISSUER, { .issuer = "" }, { .issuer = "other" } },
	{ "issuer with DEL", RJWT_ISSUER, { .issuer = "a\177" }, { .issuer = "a" } },
	{ "audience empty", RJWT_AUDIENCE, { .audience = bad_audience }, { .audience = two } },
	{ "scope of two words", RJWT_SCOPE, { .scope = bad_scope }, { .scope = scopes } },
	{ "scope empty", RJWT_SCOPE, { .scope = no_scope }, { .scope = none } },
	{ "scope too long", RJWT_SCOPE, { .scope = long_scope }, { .scope = scopes } },
	{ "claim exp", RJWT_CLAIMS, { .claims = "{\"exp\":1}" }, { .claims = "{\"exp2\":1}" } },
	{ "claim sub", RJWT_CLAIMS, { .claims = "{\"x\":1,\"sub\":\"root\"}" }, { .claims = "{\"x\":1}" } },
	{ "claim escaped", RJWT_CLAIMS, { .claims = "{\"s\\u0075b\":\"root\"}" },
	    { .claims = "{\"s\\u0075b2\":\"root\"}" } },
	{ "claim cnf", RJWT_CLAIMS, { .claims = "{\"cnf\":{}}" }, { .claims = "{}" } },
	{ "claim src", RJWT_CLAIMS, { .claims = "{\"src\":[]}" }, { .claims = "{\"a\":[]}" } },
	{ "claim act", RJWT_CLAIMS, { .claims = "{\"act\":{\"sub\":\"root\"}}" }, { .claims = "{\"actor\":1}" } },
	{ "actor empty", RJWT_CLAIMS, { .actor = "" }, { .actor = "carol" } },
	{ "actor with a control character", RJWT_CLAIMS, { .actor = "a\nb" }, { .actor = "a b" } },
	{ "actor too long", RJWT_CLAIMS, { .actor = long_name }, { .actor = long_name + 1 } },
	{ "key of another form", RJWT_BINDING, { .bind_key = "SHA256:x" }, { .bind_key = SSH_FINGERPRINT } },
	{ "key empty", RJWT_BINDING, { .bind_key = "" }, { .bind_key = NULL } },
	{ "key itself", RJWT_BINDING, { .bind_key = SSH_KEY }, { .bind_key = SSH_FINGERPRINT } },
	{ "key for sudo", RJWT_SCOPE, { .bind_key = SSH_FINGERPRINT, .scope = sudo },
	    { .bind_key = SSH_FINGERPRINT, .scope = ssh } },
	{ "key for ssh and sudo", RJWT_SCOPE, { .bind_key = SSH_FINGERPRINT, .scope = scopes }, { .scope = scopes } },
	{ "no range", RJWT_SOURCE, { .from = no_range }, { .from = range } },
	{ "range empty", RJWT_SOURCE, { .from = empty_range }, { .from = none } },
	{ "range with host bits", RJWT_SOURCE, { .from = host_bits }, { .from = range } },
	{ "too many ranges", RJWT_SOURCE, { .from = seventeen }, { .from = sixteen } },
	{ "range for sudo", RJWT_SCOPE, { .from = range, .scope = sudo }, { .from = range, .scope = ssh } },
	{ "range for ssh and sudo", RJWT_SCOPE, { .from = range, .scope = scopes }, { .from = none, .scope = scopes } },
	{ "claims an array", RJWT_CLAIMS, { .claims = "[]" }, { .claims = " { } " } },
	{ "claims empty", RJWT_CLAIMS, { .claims = "" }, { .claims = NULL } },
	{ "claims twice", RJWT_CLAIMS, { .claims = "{\"a\":1,\"a\":2}" }, { .claims = "{\"a\":1,\"b\":2}" } },
	{ "claims too deep", RJWT_CLAIMS, { .claims = "{\"a\":[[[[[[[[1]]]]]]]]}" },
	    { .claims = "{\"a\":[[[[[[[1]]]]]]]}" } },
	{ "claims with more behind", RJWT_CLAIMS, { .claims = "{},\"sub\":\"root\"" }, { .claims = "{}" } },
	{ "header alg", RJWT_HEADER, { .header = "{\"alg\":\"none\"}" }, { .header = "{\"al\":\"none\"}" } },
	{ "header kid", RJWT_HEADER, { .header = "{\"kid\":\"x\"}" }, { .header = "{\"kid2\":\"x\"}" } },
	{ "header typ", RJWT_HEADER, { .header = "{\"typ\":\"x\"}" }, { .header = "{}" } },
	{ "header crit", RJWT_HEADER, { .header = "{\"crit\":[]}" }, { .header = NULL } },
	{ "header jwk", RJWT_HEADER, { .header = "{\"jwk\":{}}" }, { .header = "{\"a\":{}}" } },
	{ "header x5t#S256", RJWT_HEADER, { .header = "{\"x5t#S256\":\"\"}" }, { .header = "{}" } },
	{ "header no JSON", RJWT_HEADER, { .header = "alg" }, { .header = "{\"a\":1}" } },
	/* Ignored by the reference. */
	{ "kid of next", RJWT_KID, { .kid = "B.2" }, { .kid = "B.1" } },
	{ "kid of another base", RJWT_KID, { .kid = "C.1" }, { .kid = "B.1" } },
	{ "kid empty", RJWT_KID, { .kid = "" }, { .kid = NULL } },
	{ "version of next", RJWT_KID, { .key_version = 2 }, { .key_version = 1 } },
	{ "version -1", RJWT_KID, { .key_version = -1 }, { .key_version = 0 } },
	{ "alg", RJWT_ALG, { .alg = "RS256" }, { .alg = "ES256" } },
	{ "alg in lower case", RJWT_ALG, { .alg = "es256" }, { .alg = "ES256" } },
};

static void
test_requests(void **state)
{
	struct fixture *f = *state;

	memset(long_name, 'a', RJWT_NAME_MAX + 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rjwt_request bad = rows[i].bad, good = rows[i].good;
		char before[DIGEST_HEX], after[DIGEST_HEX];
		struct rjwt_token token = { 0 };

		bad.user = bad.user == NULL ? "alice" : bad.user;
		good.user = good.user == NULL ? "alice" : good.user;
		state_digest(f, before);
		want(rows[i].name, rjwt_mint(f->h, &bad, &token, &f->diag), rows[i].reason);
		state_digest(f, after);
		if (strcmp(before, after) != 0)
			fail_msg("%s: a refused request took a ticket, or wrote", rows[i].name);
		if (f->diag.text[0] == '\0' || token.text != NULL)
			fail_msg("%s: without a reason, or with a token", rows[i].name);
		want(rows[i].name, rjwt_mint(f->h, &good, &token, &f->diag), RJWT_OK);
		rjwt_token_clear(&token);
	}
	want("no user", rjwt_mint(f->h, &(struct rjwt_request){ 0 }, &(struct rjwt_token){ 0 }, &f->diag), RJWT_USER);
}

/* What a token is bound to is in its claims, in the one form that the verifier reads, and in the record of the token. */
static void
test_bound(void **state)
{
	struct fixture *f = *state;
	const struct rjwt_request request = { .user = "alice", .bind_key = SSH_FINGERPRINT, .from = range };
	struct rjwt_attempt attempt = { .user = "alice",
		.service = "sshd",
		.flags = RJWT_DRY_RUN,
		.auth_info = SSH_AUTH_INFO,
		.source = SSH_SOURCE };
	struct rjwt_verdict v;
	struct rjwt_token token;

	want("mint", rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
	assert_non_null(strstr(token.claims,
	    "\"cnf\":{\"kid\":\"" SSH_FINGERPRINT "\"},\"src\":[\"10.0.0.0/8\",\"::/0\",\"192.0.2.7/32\"]"));
	attempt.token = token.text;
	attempt.len = token.len;
	want("good", rjwt_verify(f->h, &attempt, &v, &f->diag), RJWT_OK);
	rjwt_verdict_clear(&v);
	attempt.source = "192.0.2.8";
	want("address", rjwt_verify(f->h, &attempt, &v, &f->diag), RJWT_SOURCE);
	rjwt_verdict_clear(&v);
	attempt.auth_info = "publickey " OTHER_SSH_KEY "\n";
	want("key", rjwt_verify(f->h, &attempt, &v, &f->diag), RJWT_BINDING);
	rjwt_verdict_clear(&v);
	rjwt_token_clear(&token);
	assert_true(file_has(f, "issued/500000",
	    "\"cnf\":\"" SSH_FINGERPRINT "\",\"src\":[\"10.0.0.0/8\",\"::/0\",\"192.0.2.7\"]"));
}

/* Who acts as the user is in the claims, the record and the verdict, as it was given. */
static void
test_actor(void **state)
{
	struct fixture *f = *state;
	const struct rjwt_request request = { .user = "alice", .actor = "carol \"c\"", .by = "root", .reusable = true };
	struct rjwt_attempt attempt = { .user = "alice", .service = "sshd", .flags = RJWT_DRY_RUN };
	struct rjwt_verdict v;
	struct rjwt_token token;

	want("mint", rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
	assert_non_null(strstr(token.claims, "\"act\":{\"sub\":\"carol \\\"c\\\"\"}"));
	attempt.token = token.text;
	attempt.len = token.len;
	want("actor", rjwt_verify(f->h, &attempt, &v, &f->diag), RJWT_OK);
	assert_string_equal(v.actor, "carol \"c\"");
	rjwt_verdict_clear(&v);
	rjwt_token_clear(&token);
	assert_true(file_has(f, "issued/500000", "\"act\":\"carol \\\"c\\\"\""));
	want("none", rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice" }, &token, &f->diag), RJWT_OK);
	assert_null(strstr(token.claims, "act"));
	rjwt_token_clear(&token);
}

/* Every option ends up where it belongs, and the token says what was asked. */
static void
test_all_options(void **state)
{
	struct fixture *f = *state;
	const int64_t lifetime = 600;
	const struct rjwt_request request = { .user = "alice",
		.audience = two,
		.scope = scopes,
		.issuer = "iss.example",
		.alg = "ES256",
		.kid = "B.1",
		.key_version = 1,
		.lifetime_s = &lifetime,
		.not_before_s = T0 + 60,
		.claims = "{\"a\":{\"b\":[1,null]}}",
		.header = "{\"h\":\"\\u00e9\"}" };
	struct rjwt_token t;

	want("mint", rjwt_mint(f->h, &request, &t, &f->diag), RJWT_OK);
	assert_true(t.iat_s == T0 && t.nbf_s == T0 + 60 && t.exp_s == T0 + 660);
	assert_string_equal(t.kid, "B.1");
	assert_int_equal(strlen(t.jti), 22);
	assert_int_equal(strlen(t.text), t.len);
	assert_true(t.once && !t.change.any);
	assert_string_equal(t.warning,
	    "the token works once on each host that it is for, and each of these hosts could use it on the others");
	assert_string_equal(t.header, "{\"alg\":\"ES256\",\"kid\":\"B.1\",\"typ\":\"login+jwt\",\"h\":\"\\u00e9\"}");
	assert_non_null(strstr(t.claims, "\"aud\":[\"host.example\",\"b.example\"]"));
	assert_non_null(strstr(t.claims, "\"scope\":\"ssh sudo\""));
	assert_non_null(strstr(t.claims, "\"once\":true"));
	assert_non_null(strstr(t.claims, "\"a\":{\"b\":[1,null]}"));
	want("early", judge(f, t.text, 0, NULL), RJWT_NOT_YET_VALID);
	clock_run(30);
	want("in time", judge(f, t.text, 0, NULL), RJWT_OK);
	want("again", judge(f, t.text, 0, NULL), RJWT_SPENT);
	rjwt_token_clear(&t);
}

static void
test_defaults(void **state)
{
	struct fixture *f = *state;
	struct rjwt_token a, b;
	const struct rjwt_request request = { .user = "alice" };

	want("mint", rjwt_mint(f->h, &request, &a, &f->diag), RJWT_OK);
	want("mint", rjwt_mint(f->h, &request, &b, &f->diag), RJWT_OK);
	assert_string_not_equal(a.jti, b.jti);
	assert_true(a.exp_s == T0 + 300 && a.nbf_s == T0);
	assert_true(a.len < 511); /* a token must fit a prompt */
	assert_non_null(strstr(a.claims, "\"iss\":\"iss.example\",\"sub\":\"alice\",\"aud\":\"host.example\""));
	assert_non_null(strstr(a.claims, "\"scope\":\"ssh\""));
	want("ssh", judge(f, a.text, 0, NULL), RJWT_OK);
	rjwt_token_clear(&a);
	rjwt_token_clear(&b);
}

/* exp = max(iat, nbf) + lifetime: in the reference a caller's exp beat it. */
static void
test_expiry(void **state)
{
	static const struct {
		int64_t nbf_s, lifetime_s, exp_s;
	} times[] = { { 0, 300, T0 + 300 }, { T0 - 100, 300, T0 + 300 }, { T0, 1, T0 + 1 }, { T0 + 100, 300, T0 + 400 },
		{ 1, 3600, T0 + 3600 } };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct rjwt_request request = { .user = "alice",
			.lifetime_s = &times[i].lifetime_s,
			.not_before_s = times[i].nbf_s,
			.reusable = true };
		struct rjwt_token token;

		want("mint", rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
		assert_true(token.exp_s == times[i].exp_s && token.iat_s == T0);
		rjwt_token_clear(&token);
	}
}

static void
test_configured(void **state)
{
	struct fixture *f = *state;
	const struct rjwt_request request = { .user = "alice", .reusable = true };
	struct rjwt_token t;

	fixture_config(f, "issuer: [new, old]\naudience: [a, b]\ntoken_type: JWT\nuser_claim: upn\n"
			  "user_suffix: \"@x\"\none_time: always\ndefault_lifetime: 7s\n");
	want("mint", rjwt_mint(f->h, &request, &t, &f->diag), RJWT_OK);
	assert_non_null(strstr(t.claims, "\"iss\":\"new\",\"sub\":\"alice\",\"upn\":\"alice@x\",\"aud\":\"a\""));
	assert_non_null(strstr(t.claims, "\"once\":true"));
	assert_non_null(strstr(t.header, "\"typ\":\"JWT\""));
	assert_true(t.exp_s == T0 + 7 && t.once);
	want("verify", judge(f, t.text, 0, NULL), RJWT_OK);
	rjwt_token_clear(&t);
	want("the user claim",
	    rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice", .claims = "{\"upn\":\"root@x\"}" }, &t, &f->diag),
	    RJWT_CLAIMS);
}

/* A number of uses is a claim of its own, in the place of once; where every token works once it is once. */
static void
test_uses(void **state)
{
	static const struct {
		int64_t uses;
		bool reusable;
		enum rjwt_err code;
	} asked[] = { { 2, false, RJWT_OK }, { 100, false, RJWT_OK }, { 1, false, RJWT_CLAIMS },
		{ 101, false, RJWT_CLAIMS }, { -1, false, RJWT_CLAIMS }, { INT64_MIN, false, RJWT_CLAIMS },
		{ 2, true, RJWT_CLAIMS } };
	struct fixture *f = *state;
	const struct rjwt_request request = { .user = "alice", .uses = 2 };
	struct rjwt_token t;

	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct rjwt_request r = { .user = "alice", .uses = asked[i].uses, .reusable = asked[i].reusable };

		want("range", rjwt_mint(f->h, &r, &t, &f->diag), asked[i].code);
		if (asked[i].code == RJWT_OK)
			rjwt_token_clear(&t);
	}
	want("mint", rjwt_mint(f->h, &request, &t, &f->diag), RJWT_OK);
	assert_true(!t.once && t.uses == 2 && strstr(t.claims, "\"uses\":2") != NULL);
	assert_null(strstr(t.claims, "\"once\""));
	want("first", judge(f, t.text, 0, NULL), RJWT_OK);
	want("second", judge(f, t.text, 0, NULL), RJWT_OK);
	want("third", judge(f, t.text, 0, NULL), RJWT_SPENT);
	want("look", judge(f, t.text, RJWT_DRY_RUN, NULL), RJWT_SPENT);
	rjwt_token_clear(&t);
	want("free claim",
	    rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice", .claims = "{\"uses\":2}" }, &t, &f->diag),
	    RJWT_CLAIMS);
	want("before", rjwt_mint(f->h, &request, &t, &f->diag), RJWT_OK);
	fixture_config(f, "one_time: always\n");
	want("always", judge(f, t.text, 0, NULL), RJWT_OK);
	want("always", judge(f, t.text, 0, NULL), RJWT_SPENT);
	rjwt_token_clear(&t);
	want("mint", rjwt_mint(f->h, &request, &t, &f->diag), RJWT_OK);
	assert_true(t.once && t.uses == 0 && strstr(t.claims, "\"once\":true") != NULL);
	rjwt_token_clear(&t);
}

/* The suffix counts: a name is at most 255 bytes in the claim. */
static void
test_suffix_length(void **state)
{
	struct fixture *f = *state;
	char name[RJWT_NAME_MAX + 1] = "";
	struct rjwt_token t;

	fixture_config(f, "user_suffix: \"@x\"\n");
	memset(name, 'a', RJWT_NAME_MAX - 1);
	want("254 and 2", rjwt_mint(f->h, &(struct rjwt_request){ .user = name }, &t, &f->diag), RJWT_USER);
	name[RJWT_NAME_MAX - 2] = '\0';
	want("253 and 2", rjwt_mint(f->h, &(struct rjwt_request){ .user = name }, &t, &f->diag), RJWT_OK);
	want("verify", judge_as(f, t.text, name, "sshd", 0, NULL), RJWT_OK);
	rjwt_token_clear(&t);
}

/* Tokens of this scope, longer and longer: where the limit is, to the byte or nearly. */
static void
check_limit(struct fixture *f, const char *name, size_t limit)
{
	const char *scope[] = { name, NULL };
	size_t longest = 0, shortest = SIZE_MAX;

	for (size_t pad = limit * 3 / 4 - 330; pad < limit * 3 / 4; pad++) {
		RJWT_CLEAN(buf_clear) struct buf claims = { 0 };
		struct rjwt_request request = { .user = "alice", .scope = scope };
		struct rjwt_token t = { 0 };
		enum rjwt_err err;

		buf_addf(&claims, "{\"pad\":\"%0*d\"}", (int)pad, 0);
		request.claims = claims.p;
		err = rjwt_mint(f->h, &request, &t, &f->diag);
		if (err == RJWT_OK) {
			longest = t.len > longest ? t.len : longest;
			rjwt_token_clear(&t);
			continue;
		}
		want(name, err, RJWT_TOO_LONG);
		request.flags = RJWT_FORCE;
		want("by force", rjwt_mint(f->h, &request, &t, &f->diag), RJWT_OK);
		shortest = t.len < shortest ? t.len : shortest;
		rjwt_token_clear(&t);
		break;
	}
	if (longest > limit || longest + 3 < limit || shortest <= limit || shortest > limit + 3)
		fail_msg("%s: %zu bytes fit, %zu do not, the limit is %zu", name, longest, shortest, limit);
}

/* A token that its prompt would cut is refused, and minted by force. */
static void
test_prompts(void **state)
{
	static const struct {
		const char *scope, *service;
		size_t limit;
	} prompts[] = { { "sudo", "sudo", 511 }, { "ssh", "sshd", 1022 }, { "su", "su", 4095 },
		{ "login", "login", 4095 }, { "doas", "doas", 511 }, { "i3lock", "i3lock", 504 },
		{ "proftpd", "proftpd", 512 } };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(prompts); i++) {
		struct rjwt_prompt prompt;

		assert_true(rjwt_prompt(f->h, prompts[i].scope, &prompt));
		assert_string_equal(prompt.service, prompts[i].service);
		assert_int_equal(prompt.limit, prompts[i].limit);
		check_limit(f, prompts[i].scope, prompts[i].limit);
	}
	fixture_config(f, "max_token_bytes: 300\n");
	want("max_token_bytes",
	    rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice", .flags = RJWT_FORCE }, &(struct rjwt_token){ 0 },
		&f->diag),
	    RJWT_TOO_LONG);
}

/* --- while a token is minted ------------------------------------------------------------------ */

/* An alg of another case: Ed448 is EdDSA in the header, and may be asserted by both names. */
static void
test_assert_ed448(void **state)
{
	struct fixture *f = *state;
	struct rjwt_token t;

	want("label", rjwt_mint(f->h, &(struct rjwt_request){ .user = "a", .alg = "Ed448" }, &t, &f->diag), RJWT_OK);
	assert_non_null(strstr(t.header, "\"alg\":\"EdDSA\""));
	rjwt_token_clear(&t);
	want("name", rjwt_mint(f->h, &(struct rjwt_request){ .user = "a", .alg = "EdDSA" }, &t, &f->diag), RJWT_OK);
	want("verify", judge_as(f, t.text, "a", "sshd", 0, NULL), RJWT_OK); /* never worked in the reference */
	rjwt_token_clear(&t);
}

static int
setup_ed448(void **state)
{
	*state = fixture_new("alg: Ed448\n");
	return 0;
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_requests), T(test_bound), T(test_actor), T(test_all_options),
		T(test_defaults), T(test_expiry), T(test_configured), T(test_uses), T(test_suffix_length),
		T(test_prompts), cmocka_unit_test_setup_teardown(test_assert_ed448, setup_ed448, fixture_teardown) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
