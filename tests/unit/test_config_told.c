/* SPDX-License-Identifier: MIT */
/* rjwt.yaml: what is told of a mistake, word for word, and where it is. */
#include "config_world.h"

#define TEN "0123456789"
#define BOM "\xef\xbb\xbf"
#define A_UMLAUT "\xc3\xa4"
#define PLAIN "not YAML: this character cannot start a plain value; quote the value"
#define TAB "not YAML: a tab where only spaces are allowed"
#define NO_ANCHORS "anchors and aliases are not accepted"
#define NO_TAGS "tags are not accepted"

static const struct {
	const char *yaml;
	unsigned line, column;
	const char *text;
} rows[] = {
	/* no YAML, in characters and without the byte order mark */
	{ "user_suffix: @x", 1, 14, PLAIN },
	{ BOM "user_suffix: @x", 1, 14, PLAIN },
	{ "issuer: [\"" A_UMLAUT A_UMLAUT "\", @x]", 1, 16, PLAIN },
	{ "# " A_UMLAUT "\nuser_suffix: @x", 2, 14, PLAIN },
	{ "\tissuer: a", 1, 1, TAB },
	{ BOM "\tissuer: a", 1, 1, TAB },
	{ "# " A_UMLAUT "\n\tissuer: a", 2, 1, TAB },
	{ "issuer: \"a", 1, 11, "not YAML: found unexpected end of stream" },
	{ "issuer: a\nx: \xff", 2, 4, "not text: invalid leading UTF-8 octet" },
	{ "issuer: " A_UMLAUT "\xff", 1, 10, "not text: invalid leading UTF-8 octet" },
	{ "issuer: a\n\nx: " A_UMLAUT "\x01", 3, 5, "not text: control characters are not allowed" },
	{ "\xff", 1, 1, "not text: invalid leading UTF-8 octet" },
	{ "issuer: \"a\\0b\"", 1, 9, "a NUL is not accepted" },
	/* what YAML has and this file has not */
	{ "issuer: &a b", 1, 9, NO_ANCHORS },
	{ "issuer: &a [b]", 1, 9, NO_ANCHORS },
	{ "services: &a {b: c}", 1, 11, NO_ANCHORS },
	{ "issuer: !x b", 1, 9, NO_TAGS },
	{ "issuer: !x [b]", 1, 9, NO_TAGS },
	{ "services: !x {b: c}", 1, 11, NO_TAGS },
	{ "--- {}\n--- {}", 2, 1, "a second document is not accepted" },
	{ "[issuer]", 1, 1, "expected lines of the form key: value" },
	{ "? [issuer]\n: a", 1, 3, "expected a key" },
	/* keys */
	{ "isuer: a", 1, 1, "unknown key \"isuer\"; did you mean issuer?" },
	{ "zzzzzzzzzz: a", 1, 1, "unknown key \"zzzzzzzzzz\"" },
	{ "\"a b c d e f g h\": a", 1, 1, "unknown key" },
	{ "\"issuer \": a", 1, 1, "unknown key; did you mean issuer?" },
	{ "leeway: 1s\nissuer: a\nleeway: 2s", 3, 1, "leeway: duplicate key, first on line 1" },
	/* lists */
	{ "issuer: {a: b}", 1, 9, "issuer: expected a name or a list of names" },
	{ "issuer: []", 1, 9, "issuer: the list is empty" },
	{ "issuer: [a, [b]]", 1, 13, "issuer: expected a name" },
	{ "issuer: [a, {b: c}]", 1, 13, "issuer: expected a name" },
	{ "alg: [ES256]", 1, 6, "alg: expected one value, not a list" },
	{ "alg: {a: b}", 1, 6, "alg: expected one value, not a list" },
	/* services */
	{ "services: a", 1, 11, "services: expected lines of the form service: scope" },
	{ "services: [a]", 1, 11, "services: expected lines of the form service: scope" },
	{ "services: {a: [b]}", 1, 15, "services: expected service: scope" },
	{ "services: {? [a] : b}", 1, 15, "services: expected service: scope" },
	/* keys that do not go together: at the first of them that is there */
	{ "previous_key_ttl: 3700s\nmax_lifetime: 1h\nleeway: 2m", 1, 1,
	    "previous_key_ttl: 1h1m is less than max_lifetime + 2 x leeway (1h4m): tokens would outlive their key" },
	{ "previous_key_ttl: 3600s\nmax_lifetime: 1h\nleeway: 0s", 1, 1,
	    "previous_key_ttl: 1h is less than max_lifetime + 1s (1h1s): tokens would outlive their key" },
	{ "max_lifetime: 23h\nrotate_every: 2s", 2, 1,
	    "rotate_every: 2s is too often with this previous_key_ttl: more than 10000 retired keys would verify "
	    "(expected at least 9s)" },
	{ "max_lifetime: 5m\ndefault_lifetime: 6m", 2, 1, "default_lifetime: 6m is more than max_lifetime (5m)" },
	{ "max_lifetime: 4m", 1, 1, "default_lifetime: 5m is more than max_lifetime (4m)" },
	{ "rsa_bits: 3073", 1, 1, "rsa_bits: 3073 is not a multiple of 8" },
	{ "private_keys: tpm2\nalg: EdDSA", 2, 1,
	    "alg: a TPM has no EdDSA keys (private_keys: tpm2 expects ES256, ES384, RS256 to RS512 or PS256 to "
	    "PS512)" },
	{ "private_keys: tpm2\nalg: RS256\nrsa_bits: 4096", 3, 1,
	    "rsa_bits: a TPM has no RSA keys of 4096 bits (private_keys: tpm2 expects 2048 or 3072)" },
	/* values, and rules of issue */
	{ "# one\nrotate_evry: 1h\n", 2, 1, "unknown key \"rotate_evry\"; did you mean rotate_every?" },
	{ "leeway: 1s\nalg:   es256\n", 2, 8, "alg: is not a supported algorithm; did you mean ES256?" },
	{ "issuer: [a, 12]\n", 1, 13, "issuer: is not text; quote it" },
	{ "services:\n  a: b\n  c: 'd e'\n", 3, 6,
	    "services: is not a scope (1 to 32 of A-Z a-z 0-9 . _ : / -, or \"\")" },
	{ "alg: ES256\nprevious_key_ttl: 1h\n", 2, 1,
	    "previous_key_ttl: 1h is less than max_lifetime + 2 x leeway (1h1m): tokens would outlive their key" },
	{ "leeway: 0\nrotate_every: 2s\n", 2, 1,
	    "rotate_every: 2s is too often with this previous_key_ttl: more than 10000 retired keys would verify "
	    "(expected at least 9s)" },
	{ "previous_key_ttl: 7d\nrotate_every: 1m\n", 2, 1,
	    "rotate_every: 1m is too often with this previous_key_ttl: more than 10000 retired keys would verify "
	    "(expected at least 1m1s)" },
	{ "default_lifetime: 2h\n", 1, 1, "default_lifetime: 2h is more than max_lifetime (1h)" },
	{ "rsa_bits: 2049\n", 1, 1, "rsa_bits: 2049 is not a multiple of 8" },
	{ "leeway: 400s\n", 1, 9, "leeway: must be 0s to 5m" },
	{ "rotate_every: 3651d\n", 1, 15, "rotate_every: must be 0s to 3650d" },
	{ "previous_key_ttl: 0\n", 1, 19, "previous_key_ttl: must be 2s to 3650d" },
	{ "leeway: [1s]\n", 1, 9, "leeway: expected one value, not a list" },
	{ "leeway: 1s\n--- \nalg: ES256\n", 2, 1, "a second document is not accepted" },
	{ "\xef\xbb\xbf# \xc3\xbc\nissuer: *b # c\n", 2, 9, "anchors and aliases are not accepted" },
	{ "leeway: !x 1s\n", 1, 9, "tags are not accepted" },
	{ "# \xc3\xbc\nleeway: !!str 1s\n", 2, 9, "tags are not accepted" },
	{ "audience: []\n", 1, 11, "audience: the list is empty" },
	{ "issue: [a]\n", 1, 9, "issue: expected a rule with who, users, scopes and max_lifetime" },
	{ "issue: a\n", 1, 8, "issue: expected a list of rules" },
	{ "issue:\n- who: bob\n  users: self\n", 2, 3,
	    "issue: the rule has no scopes (expected who, users, scopes and max_lifetime)" },
	{ "issue:\n- who: bob\n  user: self\n", 3, 3, "unknown member of a rule \"user\"; did you mean users?" },
	{ "issue:\n- who: bob\n  root:x:0: self\n", 3, 3, "unknown member of a rule" },
	{ "issue:\n- who: bob\n  users: [self, \"a:b\"]\n", 3, 17,
	    "users: expected a login name, %group, self or \"*\"" },
	{ "issue:\n- who: bob\n  who: bob\n", 3, 3, "who: the rule has it twice" },
	{ "issue:\n- who: bob\n  reason: always\n", 3, 11, "reason: \"always\" is not required or optional" },
	{ "leeway: 1s\nuser_suffix: @x y\n", 2, 14,
	    "not YAML: this character cannot start a plain value; quote the value" },
	{ "- a\n", 1, 1, "expected lines of the form key: value" },
	{ "*a", 1, 1, "anchors and aliases are not accepted" },
	{ "leeway: *" TEN TEN TEN TEN TEN TEN "x\n", 1, 9, "anchors and aliases are not accepted" },
	{ "max_token_bytes: 299\n", 1, 18, "max_token_bytes: must be 300 to 65536" },
	{ "private_keys: tpm2\n\nalg: ES512\n", 3, 1,
	    "alg: a TPM has no ES512 keys (private_keys: tpm2 expects ES256, ES384, RS256 to RS512 or PS256 to "
	    "PS512)" },
	{ "alg: RS256\nprivate_keys: tpm2\nrsa_bits: 4096\n", 3, 1,
	    "rsa_bits: a TPM has no RSA keys of 4096 bits (private_keys: tpm2 expects 2048 or 3072)" },
	{ "cap_session: maybe\n", 1, 14, "cap_session: \"maybe\" is not true or false" },
	{ "alg: zzzzzzzzzz\n", 1, 6, "alg: \"zzzzzzzzzz\" is not a supported algorithm" },
	{ "user_claim: exp", 1, 1, "user_claim: \"exp\" is a claim with a meaning of its own" },
};

static void
test_told(void **state)
{
	unsigned bad = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture *f = *state;
		enum rjwt_err err = load_text(f, rows[i].yaml);

		if (err == RJWT_CONFIG && f->diag.line == rows[i].line && f->diag.column == rows[i].column &&
		    strcmp(f->diag.text, rows[i].text) == 0)
			continue;
		bad++;
		print_message("%s\n\t%s %u:%u %s\n", rows[i].yaml, rjwt_strerror(err), f->diag.line, f->diag.column,
		    f->diag.text);
	}
	assert_int_equal(bad, 0);
}

/* Refused all the same where nobody asks why. */
static void
test_untold(void **state)
{
	struct fixture *f = *state;
	struct config config = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)load_text(f, rows[i].yaml);
		want(rows[i].yaml, config_load(f->config, &config, NULL), RJWT_CONFIG);
		assert_null(config.path);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_told, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_untold, setup, fixture_teardown) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
