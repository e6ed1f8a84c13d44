/* SPDX-License-Identifier: MIT */
/* rjwt.yaml: every key with good and bad values, and what refuses the file as a whole. */
#include "config_world.h"
#include "default_config.h"

#include <stdio.h>
#include <unistd.h>

#define TEN "0123456789"

/* --- values ----------------------------------------------------------------------------------- */

#define SIXTY TEN TEN TEN TEN TEN TEN

/* One good rule, with more members. */
#define RULE_OF(more) "issue: [{who: bob, users: self, scopes: ssh, max_lifetime: 5m" more "}]"

static const struct {
	const char *good, *bad;
} values[] = {
	{ "issuer: a", "issuer: \"\"" },
	{ "issuer: [a, b]", "issuer: []" },
	{ "issuer: \"12\"", "issuer: 12" },
	{ "issuer: \"true\"", "issuer: true" },
	{ "issuer: https://x/y", "issuer: {a: b}" },
	{ "issuer: [a]", "issuer: [[a]]" },
	{ "codes: login", "codes: \"\"" },
	{ "codes: [login, ssh]", "codes: [login, 'a b']" },
	{ "codes: [login]", "codes: []" },
	{ "issuer: 'a b'", "issuer: \"a\\tb\"" },
	{ "issuer: [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p]", "issuer: [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q]" },
	{ "audience: host", "audience: ~" },
	{ "audience: [a, b]", "audience: [a, ]\nx: y" },
	{ "audience: [a]", "audience:" },
	{ "state_dir: /a", "state_dir: a" },
	{ "state_dir: \"/a b\"", "state_dir: [/a]" },
	{ "alg: EdDSA", "alg: eddsa" },
	{ "alg: Ed448", "alg: none" },
	{ "alg: HS512", "alg: \"\"" },
	{ "alg: \"PS256\"", "alg: [PS256]" },
	{ "rsa_bits: 2048", "rsa_bits: 2047" },
	{ "rsa_bits: 16384", "rsa_bits: 16392" },
	{ "rsa_bits: 3072", "rsa_bits: 3073" },
	{ "rsa_bits: 4096", "rsa_bits: \"4096\"" },
	{ "rsa_bits: 4096", "rsa_bits: 04096" },
	{ "rsa_bits: 4096", "rsa_bits: 0x1000" },
	{ "rsa_bits: 4096", "rsa_bits: 4e3" },
	{ "base_kid: a_-9", "base_kid: a.b" },
	{ "base_kid: abcdefghijklmnopqrstuvwxyz123456", "base_kid: abcdefghijklmnopqrstuvwxyz1234567" },
	{ "base_kid: \"1\"", "base_kid: 1" },
	{ "fleet_issuer: i-1", "fleet_issuer: 1i" },
	{ "fleet_issuer: i", "fleet_issuer: \"\"" },
	{ "fleet_issuer: ab", "fleet_issuer: aB" },
	{ "fleet_issuer: i1", "fleet_issuer: i.1" },
	{ "fleet_issuer: abcdefghijklmnopqrstuvwxyz-12345", "fleet_issuer: abcdefghijklmnopqrstuvwxyz-123456" },
	{ "rotate_every: 0", "rotate_every: -5" }, /* rotated at every mint in the reference */
	{ "rotate_every: 90s", "rotate_every: 90" },
	{ "rotate_every: 7d", "rotate_every: 1w" },
	{ "rotate_every: 3650d", "rotate_every: 3651d" },
	{ "rotate_every: \"1h30m\"", "rotate_every: 30m1h" },
	{ "rotate_every: 9s", "rotate_every: 1.5h" },
	{ "rotate_every: 9s", "rotate_every: 8s" }, /* 10,800 keys in previous_key_ttl */
	{ "rotate_every: 1s\nprevious_key_ttl: 10000s", "rotate_every: 1s\nprevious_key_ttl: 10001s" },
	{ "previous_key_ttl: 2s\nmax_lifetime: 1s\ndefault_lifetime: 1s\nleeway: 0",
	    "previous_key_ttl: 1s\nmax_lifetime: 1s\ndefault_lifetime: 1s\nleeway: 0" },
	{ "max_tokens_per_key: 0", "max_tokens_per_key: -1" },
	{ "max_tokens_per_key: 1000000000", "max_tokens_per_key: 1000000001" },
	{ "max_tokens_per_key: 5", "max_tokens_per_key: 99999999999999999999" },
	{ "previous_key_ttl: 1h\nmax_lifetime: 59m", "previous_key_ttl: 1h\nmax_lifetime: 1h" },
	{ "previous_key_ttl: 3660s", "previous_key_ttl: 3659s" },
	{ "previous_key_ttl: 3602s\nmax_lifetime: 1h\nleeway: 1s",
	    "previous_key_ttl: 3601s\nmax_lifetime: 1h\nleeway: 1s" },
	/* what happens within a second may be dated by two */
	{ "previous_key_ttl: 3601s\nmax_lifetime: 1h\nleeway: 0s",
	    "previous_key_ttl: 3600s\nmax_lifetime: 1h\nleeway: 0s" },
	{ "default_lifetime: 1h", "default_lifetime: 61m" },
	{ "default_lifetime: 1s", "default_lifetime: 0s" },
	{ "max_lifetime: 5m", "max_lifetime: 4m" },
	{ "max_lifetime: 23h", "max_lifetime: 0" },
	{ "leeway: 0", "leeway: 301s" },
	{ "leeway: 5m", "leeway: 6m" },
	{ "token_type: JWT", "token_type: \"\"" },
	{ "token_type: at+jwt", "token_type: [JWT]" },
	{ "token_type: application/a", "token_type: application/" },
	{ "token_type: applicatio/", "token_type: Application/" },
	{ "token_type: rjwt-roster+jw", "token_type: rjwt-roster+jws" },
	{ "token_type: rjwt-bundle", "token_type: Application/RJWT-bundle+jws" },
	{ "max_token_bytes: 300", "max_token_bytes: 299" },
	{ "max_token_bytes: 65536", "max_token_bytes: 65537" },
	{ "services: {su: \"\"}", "services: {su: }" },
	{ "services: {}", "services: []" },
	{ "services: {a: b}", "services: {a: [b]}" },
	{ "services: {a: b, c: b}", "services: {a: b, a: c}" },
	{ "services: {a: x/y}", "services: {a: \"x y\"}" },
	{ "services: {sshd: \"\"}", "services: {SSHD: \"\"}" },
	{ "services: {a: \"1\"}", "services: {a: 1}" },
	{ "services: {a: abcdefghijklmnopqrstuvwxyz123456}", "services: {a: abcdefghijklmnopqrstuvwxyz1234567}" },
	{ "services: {a.b_c-d@e: f}", "services: {\"a b\": c}" },
	{ "services: {sudo-i: \"\"}", "services: {\"sudo-i \": \"\"}" },
	{ "services: {a: b}", "services: {../a: b}" },
	{ "services: {a: b}", "services: {a/b: c}" },
	{ "services: {a: b}", "services: {\"\xc3\xa4\": b}" },
	{ "services: {a: b}", "services: {\"\": b}" },
	{ "services: {a: b}", "services: {[a]: b}" },
	{ "token_type: \"a b\"", "token_type: \"a\\tb\"" },
	{ "user_claim: upn", "user_claim: aud" },
	{ "user_claim: sub", "user_claim: exp" },
	{ "user_claim: https://x/user", "user_claim: \"\"" },
	{ "user_suffix: \"\"", "user_suffix: ~" },
	{ "user_suffix: \"@x\"", "user_suffix: [\"@x\"]" },
	{ "user_suffix: '@x'", "user_suffix: @x" },
	{ "one_time: always", "one_time: Always" },
	{ "one_time: as_issued", "one_time: true" },
	{ "cap_session: true", "cap_session: yes" },
	{ "cap_session: false", "cap_session: \"false\"" },
	{ "require_log: true", "require_log: 1" },
	{ "private_keys: tpm2", "private_keys: tpm" },
	{ "private_keys: file", "private_keys: [file]" },
	{ "private_keys: tpm2\nalg: ES256", "private_keys: tpm2\nalg: HS256" },
	{ "private_keys: tpm2\nalg: ES384", "private_keys: tpm2\nalg: ES512" },
	{ "private_keys: file\nalg: EdDSA", "private_keys: tpm2\nalg: EdDSA" },
	{ "private_keys: file\nalg: Ed448", "private_keys: tpm2\nalg: Ed448" },
	{ "private_keys: tpm2\nalg: RS256\nrsa_bits: 2048", "private_keys: tpm2\nalg: RS256\nrsa_bits: 2056" },
	{ "private_keys: tpm2\nalg: PS512\nrsa_bits: 3072", "private_keys: tpm2\nalg: PS512\nrsa_bits: 4096" },
	{ "private_keys: tpm2\nalg: ES256\nrsa_bits: 4096", "private_keys: tpm2\nalg: RS384\nrsa_bits: 4096" },
	{ RULE_OF(""), "issue: [{who: a}]" },
	{ RULE_OF(""), "issue: [{users: self, scopes: ssh, max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: bob, scopes: ssh, max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: bob, users: self, max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: bob, users: self, scopes: ssh}]" },
	{ RULE_OF(""), "issue: {who: bob, users: self, scopes: ssh, max_lifetime: 5m}" },
	{ RULE_OF(""), "issue: [[]]" },
	{ RULE_OF(""), "issue: [{}]" },
	{ RULE_OF(""), "issue: [{? [who] : bob}]" },
	{ RULE_OF(""), RULE_OF(", who: carol") },
	{ RULE_OF(""), RULE_OF(", whom: carol") },
	{ RULE_OF(", uses: 3"), RULE_OF(", use: 3") },
	{ RULE_OF(", uses: 100"), RULE_OF(", uses: 101") },
	{ RULE_OF(", uses: 1"), RULE_OF(", uses: 0") },
	{ RULE_OF(", uses: 2"), RULE_OF(", uses: \"2\"") },
	{ RULE_OF(", uses: 2"), RULE_OF(", uses: [2]") },
	{ RULE_OF(", uses: 2"), RULE_OF(", uses: any") },
	{ RULE_OF(", audience: web1"), RULE_OF(", audience: []") },
	{ RULE_OF(", audience: [web1, self]"), RULE_OF(", audience: [web1, [self]]") },
	{ RULE_OF(", audience: \"*.lab\""), RULE_OF(", audience: \"*lab\"") },
	{ RULE_OF(", audience: \"web.*.lab\""), RULE_OF(", audience: \"web*.lab\"") },
	{ RULE_OF(", audience: \"*\""), RULE_OF(", audience: \"**\"") },
	{ RULE_OF(", audience: web1"), RULE_OF(", audience: {web1: web2}") },
	{ RULE_OF(", audience: \"12\""), RULE_OF(", audience: 12") },
	{ RULE_OF(", reusable: true"), RULE_OF(", reusable: yes") },
	{ RULE_OF(", reusable: false"), RULE_OF(", reusable: [false]") },
	{ RULE_OF(", reason: required"), RULE_OF(", reason: true") },
	{ RULE_OF(", reason: optional"), RULE_OF(", reason: \"\"") },
	{ RULE_OF(", root: true"), RULE_OF(", root: \"true\"") },
	{ "issue: [{who: \"*\", users: \"*\", scopes: ssh, max_lifetime: 5m}]",
	    "issue: [{who: \"*b\", users: \"*\", scopes: ssh, max_lifetime: 5m}]" },
	{ "issue: [{who: [\"%a b\", bob], users: self, scopes: ssh, max_lifetime: 5m}]",
	    "issue: [{who: [\"%\", bob], users: self, scopes: ssh, max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: [], users: self, scopes: ssh, max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: \"\", users: self, scopes: ssh, max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: , users: self, scopes: ssh, max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: self, users: self, scopes: ssh, max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: \"!bob\", users: self, scopes: ssh, max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: \"#1000\", users: self, scopes: ssh, max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: \"+netgroup\", users: self, scopes: ssh, max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: \"bob,carol\", users: self, scopes: ssh, max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: \"%%g\", users: self, scopes: ssh, max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: bob, users: [], scopes: ssh, max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: bob, users: \"a*\", scopes: ssh, max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: bob, users: self, scopes: [], max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: bob, users: self, scopes: \"*\", max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: bob, users: self, scopes: \"ssh sudo\", max_lifetime: 5m}]" },
	{ RULE_OF(""), "issue: [{who: bob, users: self, scopes: ssh, max_lifetime: 0}]" },
	{ RULE_OF(""), "issue: [{who: bob, users: self, scopes: ssh, max_lifetime: 366d}]" },
	{ RULE_OF(""), "issue: [{who: bob, users: self, scopes: ssh, max_lifetime: [5m]}]" },
	{ "issue: []", "issue: {}" },
	{ "issue: []", "issue: \"\"" },
	{ "issue: []", "issue: ~" },
	{ "token_type: a" SIXTY "123", "token_type: a" SIXTY "1234" },
	{ "user_suffix: " SIXTY SIXTY SIXTY SIXTY "12345678901234a",
	    "user_suffix: " SIXTY SIXTY SIXTY SIXTY "123456789012345a" },
	{ "state_dir: /" SIXTY SIXTY SIXTY SIXTY SIXTY, "state_dir: " SIXTY SIXTY SIXTY SIXTY SIXTY },
	{ "# nothing", "nothing" },
	{ "", "[]" },
	{ "---\nleeway: 1s", "--- \nleeway: 1s\n---\nleeway: 2s" },
	{ "leeway: 1s\n...", "leeway: 1s\n...\nleeway: 2s" },
	{ "leeway: 1s", "leeway: &a 1s" },
	{ "leeway: 1s", "leeway: *a" },
	{ "leeway: 1s", "leeway: !!str 1s" },
	{ "services: {a: b}", "services: &x {a: b}" },
	{ "leeway: 1s", "&k leeway: 1s" },
	{ "leeway: 1s", "<<: {leeway: 1s}" },
	{ "leeway: 1s", "? [leeway]\n: 1s" },
	{ "leeway: 1s", "leeway: 1s: 2s" },
	{ "leeway: 1s", "\tleeway: 1s" },
	{ "leeway: 1s", "leeway: \"1s" },
	{ "leeway: 1s", "leeway: 1s\nleeway: 1s" },
	{ "%YAML 1.1\n---\nleeway: 1s", "%YAML 1.1\nleeway: 1s" },
};

static void
test_values(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		want(values[i].good, load_text(f, values[i].good), RJWT_OK);
		want(values[i].bad, load_text(f, values[i].bad), RJWT_CONFIG);
		if (f->diag.line == 0 || f->diag.column == 0 || f->diag.text[0] == '\0')
			fail_msg("%s: no place or no reason", values[i].bad);
		assert_string_equal(f->diag.path, f->config);
	}
}

static void
test_defaults(void **state)
{
	struct fixture *f = *state;
	struct config c = { 0 };
	const char *initial, *help;
	size_t n = 0;

	want("empty", load(f, VIEW(""), &c), RJWT_OK);
	assert_true(c.issuer.n == 0 && c.audience.n == 0 && c.base_kid == NULL && c.rotation.base == NULL);
	assert_string_equal(c.rotation.alg->label, "ES256");
	assert_int_equal(c.rotation.rsa_bits, 3072);
	assert_true(c.rotation.rotate_every_s == 86400 && c.rotation.max_tokens == 0);
	assert_true(c.rotation.previous_key_ttl_s == 86400 && c.rotation.max_lifetime_s == 3600);
	assert_true(c.rotation.leeway_s == 30 && c.default_lifetime_s == 300 && c.max_token_bytes == 8192);
	assert_string_equal(c.token_type, "login+jwt");
	assert_string_equal(c.user_claim, "sub");
	assert_string_equal(c.user_suffix, "");
	assert_false(c.one_time_always || c.cap_session || c.require_log || c.rotation.tpm2);
	assert_string_equal(config_scope(&c, "sshd"), "ssh");
	assert_string_equal(config_scope(&c, "anything"), "anything");
	assert_string_equal(c.path, f->config);
	config_clear(&c);
	while (config_key(n, &initial, &help) != NULL) {
		assert_true(initial != NULL && strlen(help) > 10);
		n++;
	}
	assert_int_equal(n, 25);
}

/* A missing default file means the defaults; a file that was named must be there. */
static void
test_missing(void **state)
{
	struct fixture *f = *state;
	struct config c = { 0 };

	in_its_place = f->config;
	want("default", config_load(NULL, &c, &f->diag), RJWT_OK);
	assert_non_null(c.path);
	assert_string_equal(c.path, RJWT_CONFIG_FILE);
	assert_string_equal(c.state_dir, f->state);
	config_clear(&c);
	want("given", config_load(f->config, &c, &f->diag), RJWT_OK);
	config_clear(&c);
	assert_int_equal(unlink(f->config), 0);
	want("given", config_load(f->config, &c, &f->diag), RJWT_CONFIG);
	want("default", config_load(NULL, &c, &f->diag), RJWT_OK);
	assert_null(c.path);
	assert_string_equal(c.state_dir, RJWT_STATE_DIR);
	config_clear(&c);
	/* No directory is a missing file too; a loop of links is not. */
	in_its_place = "/nonexistent/rjwt.yaml";
	want("default", config_load(NULL, &c, &f->diag), RJWT_OK);
	assert_null(c.path);
	config_clear(&c);
	assert_int_equal(symlink("rjwt.yaml", f->config), 0);
	in_its_place = f->config;
	want("a loop", config_load(NULL, &c, &f->diag), RJWT_CONFIG);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_values), T(test_defaults), T(test_missing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
