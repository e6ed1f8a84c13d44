/* SPDX-License-Identifier: MIT */
/* rjwt.yaml: what is told of a mistake, word for word, and where it is. */
#include "config_world.h"

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

/* The same words for a caller who wants none. */
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
