/* SPDX-License-Identifier: MIT */
/* The rules of the key issue: who may mint what for whom. Users and groups are made up. */
#include "fixture.h"

#include <stdio.h>
#include <unistd.h>

/* --- users and groups ------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int64_t uid;
	const char *groups;
} people[] = { { "root", 0, "root" }, { "toor", 0, "root" }, { "bob", 1001, "bob helpdesk" },
	{ "carol", 1002, "carol interns" }, { "dave", 1003, "dave interns helpdesk" }, { "eve", 1004, "eve" } };

static bool broken;   /* the lookups fail */
static bool rootless; /* they know no root */

static enum rjwt_err
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

static enum rjwt_err
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

/* --- requests --------------------------------------------------------------------------------- */

struct ask {
	const char *caller, *user;
	const char *scope[4], *audience[4];
	int64_t lifetime_s, not_before_s;
	const char *why;
	bool reusable;
	int64_t uses;
};

static enum rjwt_err
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
static void
describe(const struct rjwt_decision *d, char *out, size_t size)
{
	snprintf(out, size, "%zu of %zu", d->nmine, d->nrules);
	for (size_t i = 0; i < d->nparts; i++) {
		size_t n = strlen(out);

		snprintf(out + n, size - n, "; %d %s: %s (%s)", (int)d->parts[i].rule, d->parts[i].part,
		    d->parts[i].found, d->parts[i].expected);
	}
}

static void
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
static void
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

/* --- one part of one rule at a time ----------------------------------------------------------- */

#define RULE(more) \
	"issue: [{who: \"%helpdesk\", users: \"%interns\", scopes: [ssh, login], max_lifetime: 10m" more "}]\n"

static const struct {
	const char *yaml;
	struct ask bad;
	const char *expected;
	struct ask good; /* caller NULL: the same, by good_yaml */
	const char *good_yaml;
} rows[] = {
	/* who */
	{ RULE(""), { .caller = "eve", .user = "carol" }, "0 of 1", { .caller = "bob", .user = "carol" }, NULL },
	{ RULE(""), { .caller = "nobody", .user = "carol" }, "0 of 1", { .caller = "dave", .user = "carol" }, NULL },
	{ RULE(""), { .caller = "helpdesk", .user = "carol" }, "0 of 1", { .caller = "bob", .user = "carol" }, NULL },
	{ RULE(""), { .caller = "%helpdesk", .user = "carol" }, "0 of 1", { .caller = "bob", .user = "carol" }, NULL },
	{ "issue: [{who: bob, users: carol, scopes: ssh, max_lifetime: 10m}]\n", { .caller = "Bob", .user = "carol" },
	    "0 of 1", { .caller = "bob", .user = "carol" }, NULL },
	{ "issue: [{who: bob, users: carol, scopes: ssh, max_lifetime: 10m}]\n", { .caller = "bobb", .user = "carol" },
	    "0 of 1", { .caller = "bob", .user = "carol" }, NULL },
	{ "issue: [{who: bob, users: self, scopes: ssh, max_lifetime: 10m}]\n", { .caller = "eve", .user = "eve" },
	    "0 of 1", { .caller = NULL }, "issue: [{who: \"*\", users: self, scopes: ssh, max_lifetime: 10m}]\n" },
	{ "issue: []\n", { .caller = "bob", .user = "bob" }, "0 of 0", { .caller = NULL },
	    "issue: [{who: bob, users: self, scopes: ssh, max_lifetime: 10m}]\n" },
	/* users */
	{ RULE(""), { .caller = "bob", .user = "eve" }, "1 of 1; 1 users: eve (%interns)",
	    { .caller = "bob", .user = "dave" }, NULL },
	{ RULE(""), { .caller = "bob", .user = "bob" }, "1 of 1; 1 users: bob (%interns)",
	    { .caller = "dave", .user = "dave" }, NULL },
	{ RULE(""), { .caller = "bob", .user = "stranger" }, "1 of 1; 1 users: stranger (%interns)",
	    { .caller = "bob", .user = "carol" }, NULL },
	{ RULE(""), { .caller = "bob", .user = "Carol" }, "1 of 1; 1 users: Carol (%interns)",
	    { .caller = "bob", .user = "carol" }, NULL },
	{ RULE(""), { .caller = "bob", .user = "%interns" }, "1 of 1; 1 users: %interns (%interns)",
	    { .caller = "bob", .user = "carol" }, NULL },
	{ RULE(""), { .caller = "bob", .user = "*" }, "1 of 1; 1 users: * (%interns)",
	    { .caller = "bob", .user = "carol" }, NULL },
	{ RULE(""), { .caller = "bob", .user = "self" }, "1 of 1; 1 users: self (%interns)",
	    { .caller = "bob", .user = "carol" }, NULL },
	{ RULE(""), { .caller = "bob", .user = "carol\n" }, "1 of 1; 1 users: carol\n (%interns)",
	    { .caller = "bob", .user = "carol" }, NULL },
	{ "issue: [{who: bob, users: self, scopes: ssh, max_lifetime: 10m}]\n", { .caller = "bob", .user = "carol" },
	    "1 of 1; 1 users: carol (self)", { .caller = "bob", .user = "bob" }, NULL },
	{ "issue: [{who: bob, users: self, scopes: ssh, max_lifetime: 10m}]\n", { .caller = "bob", .user = "self" },
	    "1 of 1; 1 users: self (self)", { .caller = "bob", .user = "bob" }, NULL },
	{ "issue: [{who: bob, users: \"*\", scopes: ssh, max_lifetime: 10m}]\n",
	    { .caller = "bob", .user = "stranger" }, "1 of 1; 1 users: stranger (*)",
	    { .caller = "bob", .user = "eve" }, NULL },
	{ "issue: [{who: bob, users: \"*\", scopes: ssh, max_lifetime: 10m}]\n",
	    { .caller = "bob", .user = "stranger" }, "1 of 1; 1 users: stranger (*)", { .caller = NULL },
	    "issue: [{who: bob, users: [carol, stranger], scopes: ssh, max_lifetime: 10m}]\n" },
	/* scopes */
	{ RULE(""), { .caller = "bob", .user = "carol", .scope = { "sudo" } }, "1 of 1; 1 scopes: sudo (ssh login)",
	    { .caller = "bob", .user = "carol", .scope = { "login" } }, NULL },
	{ RULE(""), { .caller = "bob", .user = "carol", .scope = { "ssh", "sudo", "x" } },
	    "1 of 1; 1 scopes: sudo x (ssh login)", { .caller = "bob", .user = "carol", .scope = { "ssh", "login" } },
	    NULL },
	{ RULE(""), { .caller = "bob", .user = "carol", .scope = { "SSH" } }, "1 of 1; 1 scopes: SSH (ssh login)",
	    { .caller = "bob", .user = "carol", .scope = { "ssh" } }, NULL },
	{ RULE(""), { .caller = "bob", .user = "carol", .scope = { "ssh login" } },
	    "1 of 1; 1 scopes: ssh login (ssh login)",
	    { .caller = "bob", .user = "carol", .scope = { "ssh", "login" } }, NULL },
	{ "issue: [{who: bob, users: carol, scopes: login, max_lifetime: 10m}]\n", { .caller = "bob", .user = "carol" },
	    "1 of 1; 1 scopes: ssh (login)", { .caller = "bob", .user = "carol", .scope = { "login" } }, NULL },
	/* audience */
	{ RULE(""), { .caller = "bob", .user = "carol", .audience = { "b.example" } },
	    "1 of 1; 1 audience: b.example (self)",
	    { .caller = "bob", .user = "carol", .audience = { "host.example" } }, NULL },
	{ RULE(""), { .caller = "bob", .user = "carol", .audience = { "host.example", "b" } },
	    "1 of 1; 1 audience: b (self)", { .caller = "bob", .user = "carol", .audience = { "host.example" } },
	    NULL },
	{ RULE(", audience: [web1, \"*.lab\"]"), { .caller = "bob", .user = "carol" },
	    "1 of 1; 1 audience: host.example (web1 *.lab)",
	    { .caller = "bob", .user = "carol", .audience = { "web1", "a.lab" } }, NULL },
	{ RULE(", audience: \"*.lab\""), { .caller = "bob", .user = "carol", .audience = { "lab", ".lab", "a.b.lab" } },
	    "1 of 1; 1 audience: lab .lab a.b.lab (*.lab)",
	    { .caller = "bob", .user = "carol", .audience = { "a.lab" } }, NULL },
	{ RULE(", audience: \"*.lab\""),
	    { .caller = "bob", .user = "carol", .audience = { "a.lab.", "a.labs", "a.LAB" } },
	    "1 of 1; 1 audience: a.lab. a.labs a.LAB (*.lab)",
	    { .caller = "bob", .user = "carol", .audience = { "*.lab" } }, NULL },
	{ RULE(", audience: \"web.*.lab\""),
	    { .caller = "bob", .user = "carol", .audience = { "web.lab", "web.a", "web.a.lab.x" } },
	    "1 of 1; 1 audience: web.lab web.a web.a.lab.x (web.*.lab)",
	    { .caller = "bob", .user = "carol", .audience = { "web.a.lab" } }, NULL },
	{ RULE(", audience: web1"), { .caller = "bob", .user = "carol", .audience = { "web", "web11", "self" } },
	    "1 of 1; 1 audience: web web11 self (web1)", { .caller = "bob", .user = "carol", .audience = { "web1" } },
	    NULL },
	{ RULE(", audience: \"a.lab\""), { .caller = "bob", .user = "carol", .audience = { "b.lab", "*.lab" } },
	    "1 of 1; 1 audience: b.lab *.lab (a.lab)", { .caller = "bob", .user = "carol", .audience = { "a.lab" } },
	    NULL },
	{ RULE(""), { .caller = "bob", .user = "carol", .audience = { "x" } }, "1 of 1; 1 audience: x (self)",
	    { .caller = NULL }, RULE(", audience: \"*\"") },
	/* a group opens many hosts, so only its own name allows it */
	{ RULE(", audience: [\"*\", \"*.lab\", \"@web.*\", \"@we\"]"),
	    { .caller = "bob", .user = "carol", .audience = { "a", "@web", "@web.lab" } },
	    "1 of 1; 1 audience: @web @web.lab (* *.lab @web.* @we)",
	    { .caller = "bob", .user = "carol", .audience = { "a", "@we" } }, NULL },
	{ "audience: \"@web\"\n" RULE(""), { .caller = "bob", .user = "carol", .audience = { "@web" } },
	    "1 of 1; 1 audience: @web (self)", { .caller = "bob", .user = "carol", .audience = { "host.example" } },
	    NULL },
	{ "audience: \"@web\"\n" RULE(""), { .caller = "bob", .user = "carol", .audience = { "@web" } },
	    "1 of 1; 1 audience: @web (self)", { .caller = NULL },
	    "audience: \"@web\"\n" RULE(", audience: \"@web\"") },
	{ "audience: [a.example, b.example]\n" RULE(""),
	    { .caller = "bob", .user = "carol", .audience = { "host.example" } },
	    "1 of 1; 1 audience: host.example (self)",
	    { .caller = "bob", .user = "carol", .audience = { "b.example" } }, NULL },
	/* max_lifetime */
	{ RULE(""), { .caller = "bob", .user = "carol", .lifetime_s = 601 },
	    "1 of 1; 1 max_lifetime: 10m1s (at most 10m)", { .caller = "bob", .user = "carol", .lifetime_s = 600 },
	    NULL },
	{ RULE(""), { .caller = "bob", .user = "carol", .lifetime_s = INT64_MAX, .not_before_s = T0 + 9 },
	    "1 of 1; 1 max_lifetime: 106751991167300d15h (at most 10m)",
	    { .caller = "bob", .user = "carol", .lifetime_s = 1 }, NULL },
	{ RULE(""), { .caller = "bob", .user = "carol", .lifetime_s = 300, .not_before_s = T0 + 301 },
	    "1 of 1; 1 max_lifetime: 10m1s (at most 10m)",
	    { .caller = "bob", .user = "carol", .lifetime_s = 300, .not_before_s = T0 + 300 }, NULL },
	{ "default_lifetime: 5m\nissue: [{who: bob, users: carol, scopes: ssh, max_lifetime: 4m}]\n",
	    { .caller = "bob", .user = "carol" }, "1 of 1; 1 max_lifetime: 5m (at most 4m)",
	    { .caller = "bob", .user = "carol", .lifetime_s = 240 }, NULL },
	{ "max_lifetime: 5m\n" RULE(""), { .caller = "bob", .user = "carol", .lifetime_s = 301 },
	    "1 of 1; 1 max_lifetime: 5m1s (at most 5m)", { .caller = "bob", .user = "carol", .lifetime_s = 300 },
	    NULL },
	/* reusable */
	{ RULE(""), { .caller = "bob", .user = "carol", .reusable = true },
	    "1 of 1; 1 reusable: a reusable token (a one-time token)", { .caller = NULL }, RULE(", reusable: true") },
	/* uses */
	{ RULE(""), { .caller = "bob", .user = "carol", .uses = 2 }, "1 of 1; 1 uses: 2 uses (a one-time token)",
	    { .caller = NULL }, RULE(", uses: 2") },
	{ RULE(", uses: 3"), { .caller = "bob", .user = "carol", .uses = 4 }, "1 of 1; 1 uses: 4 uses (at most 3)",
	    { .caller = "bob", .user = "carol", .uses = 3 }, NULL },
	{ RULE(", uses: 3"), { .caller = "bob", .user = "carol", .uses = 100 }, "1 of 1; 1 uses: 100 uses (at most 3)",
	    { .caller = NULL }, RULE(", reusable: true") },
	{ RULE(", uses: 100"), { .caller = "bob", .user = "carol", .reusable = true },
	    "1 of 1; 1 reusable: a reusable token (a one-time token)",
	    { .caller = "bob", .user = "carol", .uses = 100 }, NULL },
	/* reason */
	{ RULE(", reason: required"), { .caller = "bob", .user = "carol" }, "1 of 1; 1 reason: none (a reason)",
	    { .caller = "bob", .user = "carol", .why = "ticket 1" }, NULL },
	{ RULE(", reason: required"), { .caller = "bob", .user = "carol", .why = "" },
	    "1 of 1; 1 reason: none (a reason)", { .caller = NULL }, RULE(", reason: optional") },
	{ RULE(", reason: required"), { .caller = "bob", .user = "carol", .why = " \t\n" },
	    "1 of 1; 1 reason: none (a reason)", { .caller = "bob", .user = "carol", .why = " x" }, NULL },
	/* root */
	{ "issue: [{who: bob, users: \"*\", scopes: ssh, max_lifetime: 10m}]\n", { .caller = "bob", .user = "root" },
	    "1 of 1; 1 root: a user with uid 0 (neither a user with uid 0 nor a scope of su)", { .caller = NULL },
	    "issue: [{who: bob, users: \"*\", scopes: ssh, max_lifetime: 10m, root: true}]\n" },
	{ "issue: [{who: bob, users: [toor, carol], scopes: ssh, max_lifetime: 10m}]\n",
	    { .caller = "bob", .user = "toor" },
	    "1 of 1; 1 root: a user with uid 0 (neither a user with uid 0 nor a scope of su)",
	    { .caller = "bob", .user = "carol" }, NULL },
	{ "issue: [{who: bob, users: carol, scopes: [ssh, su], max_lifetime: 10m}]\n",
	    { .caller = "bob", .user = "carol", .scope = { "su" } },
	    "1 of 1; 1 root: scope su (neither a user with uid 0 nor a scope of su)", { .caller = NULL },
	    "issue: [{who: bob, users: carol, scopes: [ssh, su], max_lifetime: 10m, root: true}]\n" },
	/* also where no service opens by it */
	{ "services: {su: \"\"}\nissue: [{who: bob, users: carol, scopes: [ssh, su], max_lifetime: 10m}]\n",
	    { .caller = "bob", .user = "carol", .scope = { "su" } },
	    "1 of 1; 1 root: scope su (neither a user with uid 0 nor a scope of su)",
	    { .caller = "bob", .user = "carol", .scope = { "ssh" } }, NULL },
	{ "services: {su-l: become}\nissue: [{who: bob, users: carol, scopes: [ssh, become], max_lifetime: 10m}]\n",
	    { .caller = "bob", .user = "carol", .scope = { "become" } },
	    "1 of 1; 1 root: scope become (neither a user with uid 0 nor a scope of su)",
	    { .caller = "bob", .user = "carol", .scope = { "ssh" } }, NULL },
};

static void
test_rows(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		fixture_config(f, rows[i].yaml);
		refused(f, &rows[i].bad, rows[i].expected);
		if (rows[i].good_yaml != NULL)
			fixture_config(f, rows[i].good_yaml);
		allowed(f, rows[i].good.caller == NULL ? &rows[i].bad : &rows[i].good, 1, "\"sub\":\"");
	}
}

/* --- several rules ---------------------------------------------------------------------------- */

#define SEVERAL                                                                                  \
	"issue:\n"                                                                               \
	"- {who: \"%helpdesk\", users: \"%interns\", scopes: ssh, max_lifetime: 10m}\n"          \
	"- {who: eve, users: secret-user, scopes: secret-scope, max_lifetime: 1m}\n"             \
	"- {who: \"*\", users: self, scopes: [sudo, ssh], max_lifetime: 2m, reason: required}\n" \
	"- {who: bob, users: \"*\", scopes: [ssh, login], max_lifetime: 1h, reusable: true}\n"

static void
test_several(void **state)
{
	struct fixture *f = *state;

	fixture_config(f, SEVERAL);
	/* the first that allows it */
	allowed(f, &(struct ask){ .caller = "bob", .user = "carol" }, 1, "\"once\":true");
	allowed(f, &(struct ask){ .caller = "bob", .user = "carol", .lifetime_s = 601 }, 4, "\"once\":true");
	allowed(f, &(struct ask){ .caller = "bob", .user = "eve", .scope = { "login", "ssh" }, .reusable = true }, 4,
	    "\"scope\":\"login ssh\",\"act\":{\"sub\":\"bob\"}}");
	allowed(f, &(struct ask){ .caller = "bob", .user = "bob", .scope = { "sudo" }, .lifetime_s = 120, .why = "x" },
	    3, "\"sub\":\"bob\"");
	/* two rules that each allow a half do not allow the whole */
	refused(f,
	    &(struct ask){ .caller = "bob", .user = "bob", .scope = { "sudo", "login" }, .lifetime_s = 60, .why = "x" },
	    "3 of 4; 1 users: bob (%interns); 1 scopes: sudo login (ssh); 3 scopes: login (sudo ssh); "
	    "4 scopes: sudo (ssh login)");
	/* all parts of the caller's rules, in order, and nothing of another's */
	refused(f,
	    &(struct ask){ .caller = "dave",
		.user = "root",
		.scope = { "su" },
		.audience = { "x" },
		.lifetime_s = 3601,
		.reusable = true },
	    "2 of 4; 1 users: root (%interns); 1 scopes: su (ssh); 1 audience: x (self); "
	    "1 max_lifetime: 1h1s (at most 10m); 1 reusable: a reusable token (a one-time token); "
	    "1 root: a user with uid 0, scope su (neither a user with uid 0 nor a scope of su); "
	    "3 users: root (self); 3 scopes: su (sudo ssh); 3 audience: x (self); 3 max_lifetime: 1h1s (at most 2m); "
	    "3 reusable: a reusable token (a one-time token); 3 reason: none (a reason); "
	    "3 root: a user with uid 0, scope su (neither a user with uid 0 nor a scope of su)");
}

/* What is judged is what is minted: the defaults are filled in before. */
static void
test_defaults(void **state)
{
	struct fixture *f = *state;

	fixture_config(f, "default_lifetime: 7m\n" RULE(""));
	allowed(f, &(struct ask){ .caller = "bob", .user = "carol" }, 1, "\"aud\":\"host.example\",");
	allowed(f, &(struct ask){ .caller = "bob", .user = "carol" }, 1,
	    "\"scope\":\"ssh\",\"once\":true,\"act\":{\"sub\":\"bob\"}}");
	assert_true(T0 == 1800000000);
	allowed(f, &(struct ask){ .caller = "bob", .user = "carol" }, 1, "\"exp\":1800000420,");
	/* one_time: always wins over a rule, and a rule's max_lifetime never over the configuration's */
	fixture_config(f, "one_time: always\n" RULE(", reusable: true"));
	allowed(f, &(struct ask){ .caller = "bob", .user = "carol", .reusable = true }, 1,
	    "\"once\":true,\"act\":{\"sub\":\"bob\"}}");
	fixture_config(f, "max_lifetime: 5m\nissue: [{who: bob, users: carol, scopes: ssh, max_lifetime: 1d}]\n");
	refused(f, &(struct ask){ .caller = "bob", .user = "carol", .lifetime_s = 301 },
	    "1 of 1; 1 max_lifetime: 5m1s (at most 5m)");
}

/* What is empty matches nothing: that mint would refuse it is no reason for a rule to allow it. */
static void
test_empty(void **state)
{
	struct fixture *f = *state;

	fixture_config(f, RULE(""));
	refused(f, &(struct ask){ .caller = "bob", .user = "" }, "1 of 1; 1 users:  (%interns)");
	refused(f, &(struct ask){ .caller = "bob", .user = "carol", .scope = { "" } },
	    "1 of 1; 1 scopes:  (ssh login)");
	refused(f, &(struct ask){ .caller = "bob", .user = "carol", .scope = { "ssh", "" } },
	    "1 of 1; 1 scopes:  (ssh login)");
	refused(f, &(struct ask){ .caller = "bob", .user = "carol", .audience = { "" } },
	    "1 of 1; 1 audience:  (self)");
	allowed(f, &(struct ask){ .caller = "bob", .user = "carol", .scope = { "ssh" } }, 1, "\"scope\":\"ssh\"");
}

/* What mints refuses is refused here too, after the rules. */
static void
test_mint_refuses(void **state)
{
	struct fixture *f = *state;
	struct rjwt_decision d;
	struct rjwt_token token;

	fixture_config(f, "issue: [{who: bob, users: [carol, \"a\\u00e9\"], scopes: vsftpd, max_lifetime: 1h}]\n");
	want("prompt", grant(f, &(struct ask){ .caller = "bob", .user = "carol", .scope = { "vsftpd" } }, &d, &token),
	    RJWT_TOO_LONG);
	assert_int_equal(d.rule, 1);
	rjwt_decision_clear(&d);
	fixture_config(f, RULE(""));
	want("lifetime", grant(f, &(struct ask){ .caller = "bob", .user = "carol", .lifetime_s = -1 }, &d, &token),
	    RJWT_LIFETIME);
	rjwt_decision_clear(&d);
	want("nbf", grant(f, &(struct ask){ .caller = "bob", .user = "carol", .not_before_s = -1 }, &d, &token),
	    RJWT_LIFETIME);
	rjwt_decision_clear(&d);
}

/* A lookup that fails allows nothing, also where a later entry would. */
static void
test_lookup_fails(void **state)
{
	struct fixture *f = *state;
	struct rjwt_decision d;
	struct rjwt_token token;

	fixture_config(f,
	    "issue: [{who: [\"%helpdesk\", bob], users: [\"%interns\", carol], scopes: ssh, max_lifetime: 1h}]\n");
	broken = true;
	want("who", grant(f, &(struct ask){ .caller = "bob", .user = "carol" }, &d, &token), RJWT_IO);
	assert_int_equal(d.rule, 0);
	rjwt_decision_clear(&d);
	fixture_config(f, "issue: [{who: bob, users: carol, scopes: ssh, max_lifetime: 1h}]\n");
	want("root", grant(f, &(struct ask){ .caller = "bob", .user = "carol" }, &d, &token), RJWT_IO);
	rjwt_decision_clear(&d);
	fixture_config(f, "issue: [{who: bob, users: \"*\", scopes: ssh, max_lifetime: 1h, root: true}]\n");
	want("anybody", grant(f, &(struct ask){ .caller = "bob", .user = "carol" }, &d, &token), RJWT_IO);
	assert_int_equal(d.rule, 0);
	rjwt_decision_clear(&d);
	/* What is decided before needs none of them. */
	fixture_config(f, "issue: [{who: [bob, \"%helpdesk\"], users: [carol, \"%interns\"], scopes: ssh, "
			  "max_lifetime: 1h, root: true}]\n");
	allowed(f, &(struct ask){ .caller = "bob", .user = "carol" }, 1, "carol");
	broken = false;
	allowed(f, &(struct ask){ .caller = "bob", .user = "carol" }, 1, "carol");
}

/* The name root is root's, whatever a lookup says. */
static void
test_rootless(void **state)
{
	struct fixture *f = *state;

	rootless = true;
	fixture_config(f, "issue: [{who: bob, users: [root, carol], scopes: ssh, max_lifetime: 10m}]\n");
	refused(f, &(struct ask){ .caller = "bob", .user = "root" },
	    "1 of 1; 1 root: a user with uid 0 (neither a user with uid 0 nor a scope of su)");
	allowed(f, &(struct ask){ .caller = "bob", .user = "carol" }, 1, "carol");
	rootless = false;
}

/* Without a keyset that can be used nobody is judged. */
static void
test_no_keyset(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_decision d;
	struct rjwt_token token;

	fixture_config(f, RULE(""));
	text = file_get(f, "keyset.json");
	file_put(f, "keyset.json", VIEW("{}"));
	want("damaged", grant(f, &(struct ask){ .caller = "bob", .user = "carol" }, &d, &token), RJWT_KEYSET);
	assert_int_equal(d.nrules, 0);
	file_put(f, "keyset.json", buf_view(&text));
	allowed(f, &(struct ask){ .caller = "bob", .user = "carol" }, 1, "carol");
}

/* --- what a caller cannot have ---------------------------------------------------------------- */

static void
test_roots_alone(void **state)
{
	static const struct rjwt_request bad[] = { { .issuer = "x" }, { .alg = "ES256" }, { .kid = "B.1" },
		{ .key_version = 1 }, { .claims = "{}" }, { .header = "{}" }, { .flags = RJWT_FORCE },
		{ .flags = RJWT_PARK }, { .code_until_s = T0 + 9 }, { .actor = "root" } };
	struct fixture *f = *state;
	struct rjwt_caller caller = { "bob", &accounts };
	struct rjwt_decision d;
	struct rjwt_token token;

	fixture_config(f, RULE(""));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct rjwt_request request = bad[i];

		request.user = "carol";
		want("root's", rjwt_grant(f->h, &caller, &request, &d, &token, &f->diag), RJWT_USAGE);
		rjwt_decision_clear(&d);
	}
	want("no user", rjwt_grant(f->h, &caller, &(struct rjwt_request){ 0 }, &d, &token, &f->diag), RJWT_USER);
	caller.name = "";
	want("nobody", rjwt_grant(f->h, &caller, &(struct rjwt_request){ .user = "carol" }, &d, &token, &f->diag),
	    RJWT_USAGE);
	caller.name = NULL;
	want("nobody", rjwt_grant(f->h, &caller, &(struct rjwt_request){ .user = "carol" }, &d, &token, &f->diag),
	    RJWT_USAGE);
	caller = (struct rjwt_caller){ "bob", NULL };
	want("blind", rjwt_grant(f->h, &caller, &(struct rjwt_request){ .user = "carol" }, &d, &token, &f->diag),
	    RJWT_USAGE);
	caller = (struct rjwt_caller){ "bob", &accounts };
	want("good",
	    rjwt_grant(f->h, &caller, &(struct rjwt_request){ .user = "carol", .rule = 9 }, &d, &token, &f->diag),
	    RJWT_OK);
	assert_int_equal(d.rule, 1);
	rjwt_decision_clear(&d);
	rjwt_token_clear(&token);
}

/* --- the record, and the rules as they are listed --------------------------------------------- */

static bool
see_record(void *context, const struct rjwt_issued *token)
{
	assert_string_equal(token->by, "bob");
	assert_int_equal(token->rule, 1);
	++*(int *)context;
	return true;
}

static void
test_record(void **state)
{
	struct fixture *f = *state;
	int n = 0;

	fixture_config(f, RULE(""));
	allowed(f, &(struct ask){ .caller = "bob", .user = "carol" }, 1, "carol");
	want("list", rjwt_list(f->h, see_record, &n, &f->diag), RJWT_OK);
	assert_int_equal(n, 1);
}

static bool
see_rule(void *context, const struct rjwt_rule *rule)
{
	char *out = context;
	size_t n = strlen(out);

	snprintf(out + n, 256 - n, "%d:%u:%s:%s:%d%s ", (int)rule->number, rule->line, rule->users[0], rule->scopes[0],
	    (int)rule->max_lifetime_s, rule->reason_required ? "r" : "");
	return rule->number != 3;
}

static void
test_listed(void **state)
{
	struct fixture *f = *state;
	struct rjwt_options options;
	struct rjwt_caller caller = { "carol", &accounts };
	char out[256] = "";

	fixture_config(f, "max_lifetime: 30m\n" SEVERAL);
	options = fixture_options(f);
	want("all", rjwt_rules(&options, NULL, see_rule, out, &f->diag), RJWT_OK);
	/* it ended where it was told to; the fixture's lines stand above */
	assert_non_null(strstr(out, ":%interns:ssh:600 2:"));
	assert_non_null(strstr(out, ":self:sudo:120r "));
	assert_null(strstr(out, " 4:"));
	out[0] = '\0';
	want("carol's", rjwt_rules(&options, &caller, see_rule, out, &f->diag), RJWT_OK);
	assert_true(out[0] == '3');
	assert_null(strstr(out, "secret"));
	caller.name = "bob";
	out[0] = '\0';
	broken = true;
	want("broken", rjwt_rules(&options, &caller, see_rule, out, &f->diag), RJWT_IO);
	broken = false;
	options.config = "/nonexistent";
	want("no file", rjwt_rules(&options, &caller, see_rule, out, &f->diag), RJWT_CONFIG);
	assert_true(out[0] == '\0');
}

static bool
see_powers(void *context, const struct rjwt_rule *rule)
{
	char *out = context;
	size_t n = strlen(out);

	snprintf(out + n, 256 - n, "%d:%d%s%s ", (int)rule->number, (int)rule->uses, rule->reusable ? " reusable" : "",
	    rule->root ? " root" : "");
	return true;
}

/* What a rule allows is what it says as far as the configuration lets it. */
static void
test_powers(void **state)
{
#define POWERS                                                                            \
	"issue:\n"                                                                        \
	"- {who: bob, users: self, scopes: ssh, max_lifetime: 1m}\n"                      \
	"- {who: bob, users: self, scopes: ssh, max_lifetime: 1m, uses: 3, root: true}\n" \
	"- {who: bob, users: self, scopes: ssh, max_lifetime: 1m, reusable: true}\n"
	struct fixture *f = *state;
	struct rjwt_caller caller = { "bob", &accounts }, nobody = { NULL, &accounts };
	struct rjwt_options options;
	char out[256] = "";

	fixture_config(f, POWERS);
	options = fixture_options(f);
	want("listed", rjwt_rules(&options, &caller, see_powers, out, NULL), RJWT_OK);
	assert_string_equal(out, "1:1 2:3 root 3:1 reusable ");
	out[0] = '\0';
	fixture_config(f, "one_time: always\n" POWERS);
	want("always", rjwt_rules(&options, &caller, see_powers, out, &f->diag), RJWT_OK);
	assert_string_equal(out, "1:1 2:1 root 3:1 ");
	out[0] = '\0';
	want("nobody", rjwt_rules(&options, &nobody, see_powers, out, &f->diag), RJWT_USAGE);
	assert_string_equal(out, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_several, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_defaults, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_empty, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_mint_refuses, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_lookup_fails, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_rootless, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_no_keyset, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_roots_alone, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_record, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_listed, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_powers, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
