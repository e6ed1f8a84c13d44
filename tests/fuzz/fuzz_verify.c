/* SPDX-License-Identifier: MIT */
/*
 * rjwt_verify() on a keyset and on a JWK Set of each algorithm, with tokens of any form behind a good signature,
 * mutated ones and plain bytes; any call may fail.
 *
 * What is accepted was minted here, for this user and service, is in its time, not revoked and not spent; and what
 * is that is accepted, unless a call failed.
 */
#include "token/mint.h"
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char fuzz_name[] = "verify";
enum { ACCEPTED, ACCEPTED_SET, REFUSED, FAILED, SPENT, REVOKED, RETIRED };
const char *const fuzz_sights[] = { "accepted", "accepted by a JWK Set", "refused", "no verdict", "spent", "revoked",
	"retired", NULL };

#define COUNT(table) ((unsigned)(ARRAY_LEN(table)))
#define ATTEMPTS 3

static const int64_t clocks[] = { 60, 0, 1, 1800, 3600, 86399, 86400, 86401, 90000, -3600, -3700, -1800000000,
	INT64_C(9007199254740992) };
static const char *const users[] = { "alice", "bob", "mallory", "root", "", "Alice" };
/* One input, unpacked. */
struct trial {
	struct stage *stage; /* NULL: a set */
	const struct stage_set *set;
	const struct stage_setting *setting;
	struct rjwt *h;
	struct asked asked;
	char *user, *service;
	const char *scope;
	int flags, version;
	bool traced, origin;
	struct said spent[ATTEMPTS]; /* once, and accepted */
	size_t nspent;
	bool unclear; /* a call failed before: what it left is not known here */
};

static void
choose(struct trial *t, struct rest *rest)
{
	unsigned n = take_byte(rest), flags;

	if (n % 2 == 0)
		t->stage = stage_get(n / 2 % STAGE_KINDS);
	else
		t->set = stage_set(n / 2);
	t->setting = &stage_settings[take_below(rest, STAGE_SETTINGS)];
	flags = take_byte(rest);
	t->flags = (int)(flags & (RJWT_DRY_RUN | RJWT_ANY_USER | RJWT_ANY_SERVICE | RJWT_SIGNATURE_ONLY));
	t->traced = (flags & 32) != 0;
	t->origin = (flags & 64) == 0;
	n = take_byte(rest);
	if (n % 8 == 7)
		t->user = take_string(rest, 300);
	else if (n % 8 < COUNT(users))
		t->user = strdup(users[n % 8]);
	t->service = stage_service(rest, &t->scope);
	t->version = (int)(1 + (1 + take_byte(rest)) % (STAGE_VERSIONS - 1)); /* the active one mostly */
	faults_clock = (struct rjwt_time){ STAGE_RETIRED + clocks[take_below(rest, COUNT(clocks))], 103660,
		"11111111-1111-1111-1111-111111111111" };
}

static enum rjwt_err
open_handle(struct trial *t, struct rest *rest)
{
	static const char *const audience[] = { "host.example", NULL };
	struct stage *stage = t->stage == NULL ? stage_get(STAGE_ES256) : t->stage;
	struct rjwt_options options = { .now = faults_now, .config = stage->config };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err;

	stage_config(stage, view_of(t->setting->yaml));
	if (t->stage == NULL) {
		options.jwks = t->set->path;
		options.issuer = "iss.example";
		options.audience = audience;
	}
	faults_arm(rest);
	err = rjwt_open(&options, &t->h, &diag);
	/* Of a JWK Set a key that could not be built is passed over. */
	t->unclear = faults_disarm() > 0;
	FUZZ_CHECK(t->unclear || err == RJWT_OK);
	return err;
}

/* --- judging ---------------------------------------------------------------------------------- */

static bool
was_spent(const struct trial *t, const struct said *said)
{
	for (size_t i = 0; i < t->nspent; i++)
		if (strcmp(t->spent[i].jti, said->jti) == 0 && strcmp(t->spent[i].iss, said->iss) == 0)
			return true;
	return false;
}

/* What a keyset adds: retired, revoked, spent. */
static bool
keyset_may_pass(const struct trial *t, const struct said *said)
{
	int64_t slack_s = t->setting->leeway_s > 1 ? t->setting->leeway_s : 1;

	if (t->version == 1 && (said->iat_s > STAGE_RETIRED + slack_s || faults_clock.wall_s > STAGE_RETIRED + 86400)) {
		FUZZ_SAW(RETIRED);
		return false;
	}
	/* Not by the user that is asked for, who may not be checked: by the one in the token. */
	if (strcmp(said->jti, "revoked") == 0 || (t->version == 1 && strcmp(said->user, "mallory") == 0)) {
		FUZZ_SAW(REVOKED);
		return false;
	}
	if (said->once && was_spent(t, said)) {
		FUZZ_SAW(SPENT);
		return false;
	}
	return true;
}

static void
check(struct trial *t, const struct token *token, enum rjwt_err err, const struct rjwt_verdict *v)
{
	struct said said;
	bool may = token_may_pass(token, &t->asked, &said), usage;

	if ((t->flags & RJWT_SIGNATURE_ONLY) != 0) {
		FUZZ_CHECK(err != RJWT_OK || token->minted);
	} else {
		may = may && (t->stage == NULL || keyset_may_pass(t, &said));
		FUZZ_CHECK(err != RJWT_OK || may);
		usage = t->stage != NULL && said.once && (t->flags & RJWT_ANY_SERVICE) != 0 &&
			(t->flags & RJWT_DRY_RUN) == 0;
		FUZZ_CHECK(
		    err == RJWT_OK || !may || !token->plain || usage || t->unclear || token->text.n > t->setting->most);
		if (err == RJWT_OK && said.once && (t->flags & RJWT_DRY_RUN) == 0)
			t->spent[t->nspent++] = said;
	}
	FUZZ_CHECK(v->reason == err);
	FUZZ_CHECK(v->claims == NULL || (token->minted && v->claims_len == token->claims.n &&
					    memcmp(v->claims, token->claims.p, v->claims_len) == 0));
	FUZZ_CHECK(!v->tell || (token->minted && rjwt_is_verdict(err)));
	FUZZ_CHECK(err != RJWT_OK || t->asked.user == NULL || (t->flags & RJWT_SIGNATURE_ONLY) != 0 ||
		   strcmp(v->user, t->user) == 0);
	if (err == RJWT_OK)
		FUZZ_SAW(t->stage != NULL ? ACCEPTED : ACCEPTED_SET);
	else
		FUZZ_SAW(rjwt_is_verdict(err) ? REFUSED : FAILED);
}

static void
attempt(struct trial *t, struct rest *rest, struct rest plan)
{
	const struct recipe recipe = { .signer = t->stage == NULL ? t->set->signer : t->stage->signers[t->version],
		.kid = t->asked.kid,
		.now_s = faults_clock.wall_s,
		.once = take_byte(rest) % 2 == 1 };
	struct rjwt_check trace[RJWT_CHECKS_MAX];
	struct rjwt_attempt a = { .user = t->user,
		.service = t->service,
		.flags = t->flags,
		.trace = t->traced ? trace : NULL,
		.trace_max = RJWT_CHECKS_MAX,
		.auth_info = t->origin ? TOKENS_AUTH_INFO : NULL,
		.source = t->origin ? TOKENS_SOURCE : NULL };
	struct rjwt_verdict verdict;
	struct rjwt_diag diag = { 0 };
	struct token token;
	enum rjwt_err err;

	token_make(rest, &recipe, &token);
	t->asked.now_s = faults_clock.wall_s += take_byte(rest);
	a.token = token.text.p;
	a.len = token.text.n;
	faults_arm(&plan);
	err = rjwt_verify(t->h, &a, &verdict, &diag);
	t->unclear = faults_disarm() > 0 || t->unclear;
	check(t, &token, err, &verdict);
	rjwt_verdict_clear(&verdict);
	token_clear(&token);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rest rest = { data, size }, plan;
	struct trial t = { .stage = NULL };
	char kid[32] = "B.1";
	enum rjwt_err err;
	unsigned attempts;
	int lowest;

	choose(&t, &rest);
	if (t.stage != NULL)
		snprintf(kid, sizeof(kid), "B.%d", t.version);
	t.asked = (struct asked){ .user = (t.flags & RJWT_ANY_USER) != 0 ? NULL
					  : t.user == NULL		 ? ""
									 : t.user,
		.scope = (t.flags & RJWT_ANY_SERVICE) != 0 ? NULL : t.scope,
		.issuer = "iss.example",
		.audience = "host.example",
		.typ = t.setting->typ,
		.user_claim = t.setting->user_claim,
		.user_suffix = t.setting->user_suffix,
		.kid = kid,
		.alg = t.stage == NULL ? t.set->alg->name : t.stage->signers[t.version]->alg->name,
		.leeway_s = t.setting->leeway_s,
		.max_lifetime_s = t.setting->max_lifetime_s,
		.once_always = t.setting->once_always,
		.foreign = t.stage == NULL,
		.origin = t.origin };
	lowest = fuzz_lowest();
	err = open_handle(&t, &rest);
	attempts = 1 + take_below(&rest, ATTEMPTS);
	for (unsigned i = 0; i < attempts && err == RJWT_OK; i++) {
		plan = rest;
		faults_arm(&rest); /* takes it off the input */
		(void)faults_disarm();
		attempt(&t, &rest, plan);
	}
	rjwt_close(t.h);
	FUZZ_CHECK(fuzz_lowest() == lowest);
	free(t.user);
	free(t.service);
	if (t.stage != NULL)
		stage_restore(t.stage, false);
	return 0;
}
