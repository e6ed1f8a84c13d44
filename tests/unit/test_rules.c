/* SPDX-License-Identifier: MIT */
/* The rules of the key issue: who may mint what for whom. Users and groups are made up. */
#include "rules_world.h"

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
	{ RULE(""), { .caller = "bob", .user = "carol", .audience = { "x", "y.lab" } },
	    "1 of 1; 1 audience: x y.lab (self)", { .caller = NULL }, RULE(", audience: \"*\"") },
	{ RULE(""), { .caller = "bob", .user = "carol", .audience = { "b", "host.example" } },
	    "1 of 1; 1 audience: b (self)", { .caller = "bob", .user = "carol", .audience = { "host.example" } },
	    NULL },
	/* a name ends where it ends */
	{ RULE(", audience: \"web.*\""), { .caller = "bob", .user = "carol", .audience = { "web\0x" } },
	    "1 of 1; 1 audience: web (web.*)", { .caller = "bob", .user = "carol", .audience = { "web.x" } }, NULL },
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
