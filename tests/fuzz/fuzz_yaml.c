/* SPDX-License-Identifier: MIT */
/*
 * A configuration. One that is accepted keeps the limits of its table and the rules between keys; one that is refused
 * is refused whole, with its place in the file. After a plan of failing calls the input is the file.
 */
#include "config/config.h"
#include "faults.h"
#include "jose/claims.h"
#include "jose/key.h"
#include "keyset/keyset.h"
#include "base/string_list.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char fuzz_name[] = "yaml";
enum { ACCEPTED, REFUSED, FAILED };
const char *const fuzz_sights[] = { "accepted", "refused", "failed", NULL };

static void
check_names(const struct string_list *names)
{
	FUZZ_CHECK(names->n <= 16 && (names->n == 0 || names->list[names->n] == NULL));
	for (size_t i = 0; i < names->n; i++)
		FUZZ_CHECK(claims_name_check(view_of(names->list[i])));
}

/* A rule that was accepted has all that must be given, and every list is an own one. */
static void
check_rule(const struct issue_rule *rule)
{
	const struct string_list *lists[] = { &rule->who, &rule->users, &rule->scopes, &rule->audience };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		FUZZ_CHECK(lists[i]->n >= 1 && lists[i]->n <= 64 && lists[i]->list[lists[i]->n] == NULL);
		for (size_t k = 0; k < lists[i]->n; k++)
			FUZZ_CHECK(claims_name_check(view_of(lists[i]->list[k])));
	}
	for (size_t i = 0; i < rule->scopes.n; i++)
		FUZZ_CHECK(claims_word_check(view_of(rule->scopes.list[i])));
	for (size_t i = 0; i < rule->who.n; i++)
		FUZZ_CHECK(strcmp(rule->who.list[i], "self") != 0 && strcmp(rule->who.list[i], "%") != 0);
	FUZZ_CHECK(rule->max_lifetime_s > 0 && rule->max_lifetime_s <= RJWT_LIFETIME_MAX && rule->line > 0);
}

static void
check_config(const struct config *c)
{
	const struct rotation_policy *p = &c->rotation;
	const char *const *keys;

	check_names(&c->issuer);
	check_names(&c->audience);
	FUZZ_CHECK(c->path != NULL && c->state_dir[0] == '/' && p->alg != NULL);
	FUZZ_CHECK(p->rsa_bits >= RSA_BITS_MIN && p->rsa_bits <= RSA_BITS_MAX && p->rsa_bits % 8 == 0);
	FUZZ_CHECK(p->base == NULL || keyset_base_check(view_of(p->base)));
	FUZZ_CHECK(p->rotate_every_s >= 0 && p->max_tokens >= 0);
	FUZZ_CHECK(p->leeway_s >= 0 && p->leeway_s <= RJWT_LEEWAY_MAX && p->max_lifetime_s > 0 &&
		   p->max_lifetime_s <= RJWT_LIFETIME_MAX && c->default_lifetime_s > 0 &&
		   c->default_lifetime_s <= p->max_lifetime_s);
	/* No token outlives its key. */
	FUZZ_CHECK(p->previous_key_ttl_s >= p->max_lifetime_s + 2 * p->leeway_s);
	FUZZ_CHECK(c->max_token_bytes >= 256 && c->max_token_bytes <= RJWT_TOKEN_MAX);
	FUZZ_CHECK(c->token_type[0] != '\0' && c->user_claim[0] != '\0' && strcmp(c->user_claim, "exp") != 0);
	FUZZ_CHECK(c->nrules <= 64);
	for (size_t i = 0; i < c->nrules; i++)
		check_rule(&c->rules[i]);
	FUZZ_CHECK(c->nservices <= 64);
	for (size_t i = 0; i < c->nservices; i++)
		FUZZ_CHECK(c->services[i].scope[0] == '\0' || claims_word_check(view_of(c->services[i].scope)));
	for (size_t i = 0; i < c->nservices; i++) {
		const char *scope = config_scope(c, c->services[i].name);

		FUZZ_CHECK(scope == NULL || strcmp(scope, c->services[i].scope) == 0);
	}
	FUZZ_CHECK(config_check(c, &keys, NULL) == RJWT_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[300];
	struct rest rest = { data, size }, plan = rest;
	struct config config = { .path = NULL };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err;
	unsigned failed;
	int lowest;

	faults_arm(&rest); /* takes it off the input */
	(void)faults_disarm();
	if (path[0] == '\0')
		snprintf(path, sizeof(path), "%s/rjwt.yaml", fuzz_folder());
	lowest = fuzz_lowest();
	fuzz_put(path, (struct view){ (const char *)rest.p, rest.n });
	faults_arm(&plan);
	err = config_load(path, &config, &diag);
	failed = faults_disarm();
	FUZZ_CHECK(fuzz_lowest() == lowest);
	if (err == RJWT_OK) {
		FUZZ_SAW(ACCEPTED);
		check_config(&config);
	} else {
		FUZZ_SAW(failed > 0 ? FAILED : REFUSED);
		FUZZ_CHECK(failed > 0 || (err == RJWT_CONFIG && diag.text[0] != '\0'));
		FUZZ_CHECK(config.path == NULL && config.state_dir == NULL && config.services == NULL);
	}
	config_clear(&config);
	return 0;
}
