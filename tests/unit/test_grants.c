/* SPDX-License-Identifier: MIT */
/*
 * rjwt_grant(), beyond one part of one rule: several rules, lookups that fail, what no caller can have, the record, and the
 * rules as they are listed.
 */
#include "rules_world.h"

#include <stdio.h>

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

static struct fixture *renamed;

static enum rjwt_err
rename_host(void *context, const char *user, int64_t *uid, struct rjwt_diag *diag)
{
	struct keyset keyset = keyset_get(renamed);

	snprintf(keyset.audience, sizeof(keyset.audience), "other.example");
	keyset_put(renamed, &keyset);
	return look_up_uid(context, user, uid, diag);
}

/* The name of the host that was judged is the one that the token has, also where the keyset has another one by then. */
static void
test_renamed_meanwhile(void **state)
{
	struct fixture *f = *state;
	const struct rjwt_accounts slow = { rename_host, look_up_member, accounts.context };
	const struct rjwt_caller bob = { "bob", &slow };
	const struct rjwt_request request = { .user = "carol" };
	struct rjwt_decision d;
	struct rjwt_token token;

	renamed = f;
	fixture_config(f, RULE(""));
	want("judged", rjwt_grant(f->h, &bob, &request, &d, &token, &f->diag), RJWT_OK);
	assert_non_null(strstr(token.claims, "\"aud\":\"host.example\""));
	rjwt_decision_clear(&d);
	rjwt_token_clear(&token);
	allowed(f, &(struct ask){ .caller = "bob", .user = "carol" }, 1, "\"aud\":\"other.example\"");
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
		assert_non_null(strstr(f->diag.text, "a request that rules are to allow has no"));
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
	snprintf(f->diag.text, sizeof(f->diag.text), "of the call before");
	want("always", rjwt_rules(&options, &caller, see_powers, out, &f->diag), RJWT_OK);
	assert_string_equal(out, "1:1 2:1 root 3:1 ");
	assert_string_equal(f->diag.text, "");
	out[0] = '\0';
	want("nobody", rjwt_rules(&options, &nobody, see_powers, out, &f->diag), RJWT_USAGE);
	assert_string_equal(out, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_several, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_defaults, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_empty, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_mint_refuses, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_lookup_fails, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_rootless, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_no_keyset, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_renamed_meanwhile, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_roots_alone, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_record, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_listed, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_powers, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
