/* SPDX-License-Identifier: MIT */
/* rules_world.h - users and groups that are made up, and requests of them. */
#ifndef RJWT_TEST_RULES_WORLD_H
#define RJWT_TEST_RULES_WORLD_H

#include "fixture.h"

#include <stdio.h>

static const struct {
	const char *name;
	int64_t uid;
	const char *groups;
} people[] = { { "root", 0, "root" }, { "toor", 0, "root" }, { "bob", 1001, "bob helpdesk" },
	{ "carol", 1002, "carol interns" }, { "dave", 1003, "dave interns helpdesk" }, { "eve", 1004, "eve" } };

static bool broken;   /* the lookups fail */
static bool rootless; /* they know no root */

static inline enum rjwt_err
look_up_uid(void *context, const char *user, int64_t *uid, struct rjwt_diag *diag)
{
	assert_ptr_equal(context, people);
	if (broken)
		return diag_fail(diag, RJWT_IO, "", "made up");
	for (size_t i = rootless; i < ARRAY_LEN(people); i++)
		if (strcmp(people[i].name, user) == 0)
			*uid = people[i].uid;
	return RJWT_OK;
}

static inline enum rjwt_err
look_up_member(void *context, const char *user, const char *group, bool *is, struct rjwt_diag *diag)
{
	char word[64], words[128];

	assert_ptr_equal(context, people);
	if (broken)
		return diag_fail(diag, RJWT_IO, "", "made up");
	snprintf(word, sizeof(word), " %s ", group);
	for (size_t i = 0; i < ARRAY_LEN(people); i++) {
		snprintf(words, sizeof(words), " %s ", people[i].groups);
		if (strcmp(people[i].name, user) == 0)
			*is = strstr(words, word) != NULL;
	}
	return RJWT_OK;
}

static const struct rjwt_accounts accounts = { look_up_uid, look_up_member, (void *)(uintptr_t)people };

struct ask {
	const char *caller, *user;
	const char *scope[4], *audience[4];
	int64_t lifetime_s, not_before_s;
	const char *why;
	bool reusable;
	int64_t uses;
};

static inline enum rjwt_err
grant(struct fixture *f, const struct ask *a, struct rjwt_decision *d, struct rjwt_token *token)
{
	struct rjwt_caller caller = { a->caller, &accounts };
	struct rjwt_request request = { .user = a->user, .not_before_s = a->not_before_s, .why = a->why };

	request.scope = a->scope[0] == NULL ? NULL : a->scope;
	request.audience = a->audience[0] == NULL ? NULL : a->audience;
	request.lifetime_s = a->lifetime_s == 0 ? NULL : &a->lifetime_s;
	request.reusable = a->reusable;
	request.uses = a->uses;
	request.by = a->caller;
	f->diag = (struct rjwt_diag){ 0 };
	return rjwt_grant(f->h, &caller, &request, d, token, &f->diag);
}

/* "2 mine; 1 users: x (y)" */
static inline void
describe(const struct rjwt_decision *d, char *out, size_t size)
{
	snprintf(out, size, "%zu of %zu", d->nmine, d->nrules);
	for (size_t i = 0; i < d->nparts; i++) {
		size_t n = strlen(out);

		snprintf(out + n, size - n, "; %d %s: %s (%s)", (int)d->parts[i].rule, d->parts[i].part,
		    d->parts[i].found, d->parts[i].expected);
	}
}

static inline void
refused(struct fixture *f, const struct ask *a, const char *expected)
{
	struct rjwt_decision d;
	struct rjwt_token token;
	char said[2048];

	want(expected, grant(f, a, &d, &token), RJWT_RULE);
	describe(&d, said, sizeof(said));
	assert_string_equal(said, expected);
	assert_int_equal(d.rule, 0);
	rjwt_decision_clear(&d);
	assert_null(d.parts);
}

/* By this rule; the claims have these. */
static inline void
allowed(struct fixture *f, const struct ask *a, int64_t rule, const char *claims)
{
	struct rjwt_decision d;
	struct rjwt_token token;
	enum rjwt_err err = grant(f, a, &d, &token);
	char said[2048];

	describe(&d, said, sizeof(said));
	want(said, err, RJWT_OK);
	assert_int_equal(d.rule, rule);
	if (strstr(token.claims, claims) == NULL)
		fail_msg("no %s in %s", claims, token.claims);
	rjwt_decision_clear(&d);
	rjwt_token_clear(&token);
}

#define RULE(more) \
	"issue: [{who: \"%helpdesk\", users: \"%interns\", scopes: [ssh, login], max_lifetime: 10m" more "}]\n"

#endif
