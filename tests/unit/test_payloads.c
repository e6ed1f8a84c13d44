/* SPDX-License-Identifier: MIT */
/* Payloads of rosters and bundles that are refused: which rule it is that refuses them, and the numbers next to each limit. */
#include "payloads.h"
#include "fleet/bundle.h"
#include "fleet/document.h"
#include "fleet/roster.h"
#include "fleet_lines.h"

#include <stdio.h>

#define CONTRADICT "floor, active, next and next_version contradict each other"
#define NO_DENIALS "denied is not two lists"
#define NO_KEY "a key is not a public key that rjwt can use"
#define NO_ISSUER "name, base, iss or url of an issuer is missing or malformed"

static const struct row {
	const char *from, *to, *why; /* NULL: it is accepted */
} bundles[] = {
	{ "\"base\":\"B\"", "\"base\":\"a.b\"", "base is missing or malformed" },
	{ "\"base\":\"B\",", "", "base is missing or malformed" },
	{ "\"floor\":2", "\"floor\":4", CONTRADICT },
	{ "\"version\":3,", "\"version\":4,", CONTRADICT },
	{ "\"version\":4,", "\"version\":3,", CONTRADICT },
	{ "\"keys\":[", "\"keys\":[5,", NO_KEY },
	{ "\"keys\":[", "\"keys\":[" JWK("B.2", ",\"exp\":99") "," JWK("B.2", ",\"exp\":98") ",",
	    "a key is there twice" },
	{ "\"B.3\"", "\"B.4\"", "a key is there twice" },
	{ "\"keys\":[" JWK("B.3", ",\"iat\":6"), "\"keys\":[" JWK("B.2", ",\"exp\":99"),
	    "the active or the next key is missing" },
	{ JWK("B.4", ",\"iat\":7"), JWK("B.2", ",\"exp\":99"), "the active or the next key is missing" },
	{ JWK("B.3", ",\"iat\":6") ",", "", "keys is not a list of 2 to 256 keys" },
	{ H1 " 10", "g" H63 " 10", NO_DENIALS },
	{ H1 " 10", "f" H63 " 10", NULL },
	{ H1 " 10", "`" H63 " 10", NO_DENIALS },
	{ H1 " 10", "a" H63 " 10", NULL },
	{ H1 " 10", "/" H63 " 10", NO_DENIALS },
	{ H1 " 10", "0" H63 " 10", NULL },
	{ H1 " 10", ":" H63 " 10", NO_DENIALS },
	{ H1 " 10", "9" H63 " 10", NULL },
	{ H1 " 10", H1 ",10", NO_DENIALS },
	{ H1 " 10", H1 "110", NO_DENIALS },
};
static const struct row rosters[] = {
	{ "}]}", "},5]}", NO_ISSUER },
	{ "[\"" K1 "\"]", "5", "keys is not a list of 1 to 8 fleet keys" },
	{ "http://i/f", "http://i/~", NULL },
	{ "http://i/f", "http://i/\\u007f", NO_ISSUER },
};

static void
test_bundles(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bundles); i++) {
		RJWT_CLEAN(bundle_clear) struct bundle bundle = { 0 };
		struct rjwt_diag diag = { 0 };

		replace(&text, BUNDLE, bundles[i].from, bundles[i].to);
		EXPECT(text.p, bundle_parse(buf_view(&text), &bundle, &diag),
		    bundles[i].why == NULL ? RJWT_OK : RJWT_MALFORMED);
		CHECK(text.p, strstr(diag.text, bundles[i].why == NULL ? "" : bundles[i].why) != NULL);
	}
}

static void
test_rosters(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct roster roster;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rosters); i++) {
		struct rjwt_diag diag = { 0 };

		replace(&text, ROSTER, rosters[i].from, rosters[i].to);
		EXPECT(text.p, roster_parse(buf_view(&text), &roster, &diag),
		    rosters[i].why == NULL ? RJWT_OK : RJWT_MALFORMED);
		CHECK(text.p, strstr(diag.text, rosters[i].why == NULL ? "" : rosters[i].why) != NULL);
	}
}

/* What is no JSON is told as that, and an entry alone as a roster with it. */
static void
test_no_json(void **state)
{
	struct rjwt_diag diag = { 0 };
	struct bundle bundle = { 0 };
	struct roster roster = { 0 };
	struct fleet_issuer entry = { .name = "" };

	(void)state;
	EXPECT("bundle", bundle_parse(VIEW("{"), &bundle, &diag), RJWT_MALFORMED);
	assert_null(strstr(diag.text, "base"));
	EXPECT("roster", roster_parse(VIEW("{"), &roster, &diag), RJWT_MALFORMED);
	assert_null(strstr(diag.text, "n or iat"));
	EXPECT("entry", roster_entry_parse(VIEW("{"), &entry, &diag), RJWT_MALFORMED);
	assert_null(strstr(diag.text, "issuer"));
	EXPECT("entry", roster_entry_parse(VIEW("{}"), &entry, &diag), RJWT_MALFORMED);
	assert_non_null(strstr(diag.text, NO_ISSUER));
	EXPECT("entry", roster_entry_parse(VIEW(ISSUER("i1", "B", K2)), &entry, &diag), RJWT_OK);
	assert_string_equal(entry.name, "i1");
}

/* --- limits ----------------------------------------------------------------------------------- */

static void
test_urls(void **state)
{
	char url[FLEET_URL_MAX + 2];

	(void)state;
	memset(url, 'x', sizeof(url));
	memcpy(url, "http://", 7);
	assert_true(fleet_url_check((struct view){ url, FLEET_URL_MAX }));
	assert_false(fleet_url_check((struct view){ url, FLEET_URL_MAX + 1 }));
	url[20] = '~';
	assert_true(fleet_url_check((struct view){ url, 30 }));
	url[20] = '\x7f';
	assert_false(fleet_url_check((struct view){ url, 30 }));
}

static void
test_fleet_keys(void **state)
{
	(void)state;
	for (unsigned n = FLEET_KEYS_MAX; n <= FLEET_KEYS_MAX + 1; n++) {
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };
		struct rjwt_diag diag = { 0 };
		struct roster roster;

		buf_adds(&text, "{\"n\":5,\"iat\":7,\"keys\":[");
		for (unsigned i = 0; i < n; i++)
			buf_addf(&text, "%s\"%s\"", i == 0 ? "" : ",", line_name(i)->text);
		buf_adds(&text, "],\"issuers\":[]}");
		EXPECT("keys", roster_parse(buf_view(&text), &roster, &diag),
		    n == FLEET_KEYS_MAX ? RJWT_OK : RJWT_MALFORMED);
		CHECK(diag.text, n == FLEET_KEYS_MAX || strstr(diag.text, "a list of 1 to 8 fleet keys") != NULL);
	}
}

static void
test_bundle_keys(void **state)
{
	(void)state;
	for (int64_t n = BUNDLE_KEYS_MAX; n <= BUNDLE_KEYS_MAX + 1; n++) {
		RJWT_CLEAN(bundle_clear) struct bundle bundle = line_bundle(0, 100, n - 1);
		RJWT_CLEAN(bundle_clear) struct bundle read = { 0 };
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };
		struct rjwt_diag diag = { 0 };

		for (int64_t version = 1; version < n - 1; version++)
			line_bundle_add(&bundle, version, 1000);
		EXPECT("format", bundle_format(&text, &bundle), RJWT_OK);
		EXPECT("keys", bundle_parse(buf_view(&text), &read, &diag),
		    n == BUNDLE_KEYS_MAX ? RJWT_OK : RJWT_MALFORMED);
		CHECK(diag.text, n == BUNDLE_KEYS_MAX || strstr(diag.text, "a list of 2 to 256 keys") != NULL);
	}
}

/* All of one kind. */
static void
test_denials(void **state)
{
	static struct denial_list none;
	RJWT_CLEAN(free_clean) char *brief = strdup("1");

	(void)state;
	assert_null(denial_find(&none, H1));
	for (int n = BUNDLE_DENIALS_MAX; n <= BUNDLE_DENIALS_MAX + 1; n++) {
		RJWT_CLEAN(bundle_clear) struct bundle bundle = { 0 };
		RJWT_CLEAN(bundle_clear) struct bundle read = { 0 };
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };

		EXPECT("parse", bundle_parse(VIEW(BUNDLE), &bundle, NULL), RJWT_OK);
		denial_list_clear(&bundle.sub);
		for (int i = 0; i < n; i++) {
			char hash[DIGEST_HEX];

			snprintf(hash, sizeof(hash), "%064x", (unsigned)i);
			EXPECT("add", denial_add(&bundle.sub, hash, 7), RJWT_OK);
		}
		assert_null(denial_find(&bundle.sub, brief));
		EXPECT("format", bundle_format(&text, &bundle), RJWT_OK);
		EXPECT("denials", bundle_parse(buf_view(&text), &read, NULL),
		    n == BUNDLE_DENIALS_MAX ? RJWT_OK : RJWT_MALFORMED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_bundles), cmocka_unit_test(test_rosters),
		cmocka_unit_test(test_no_json), cmocka_unit_test(test_urls), cmocka_unit_test(test_fleet_keys),
		cmocka_unit_test(test_bundle_keys), cmocka_unit_test(test_denials) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
