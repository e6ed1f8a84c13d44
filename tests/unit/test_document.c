/* SPDX-License-Identifier: MIT */
/* Lines of fleet.jws: what is made is opened, and each refused line has its accepted twin beside it. */
#include "payloads.h"
#include "base/base64url.h"
#include "fleet/bundle.h"
#include "fleet/document.h"
#include "fleet/roster.h"
#include "jose/alg.h"
#include "jose/jws.h"

static struct key *
new_key(const char *label)
{
	struct key *key = NULL;

	EXPECT(label, key_generate(alg_by_label(view_of(label)), 2048, &key), RJWT_OK);
	return key;
}

/* --- lines ------------------------------------------------------------------------------------ */

static void
test_lines(void **state)
{
	RJWT_CLEAN(key_clean) struct key *key = new_key("EdDSA");
	RJWT_CLEAN(key_clean) struct key *other = new_key("EdDSA");
	RJWT_CLEAN(key_clean) struct key *ec = new_key("ES256");
	RJWT_CLEAN(key_clean) struct key *ed448 = new_key("Ed448");
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
	struct fleet_key name, others;
	enum document_type type;

	(void)state;
	EXPECT("name", fleet_key_of(key, &name), RJWT_OK);
	EXPECT("name", fleet_key_of(other, &others), RJWT_OK);
	EXPECT("another algorithm", fleet_key_of(ec, &others), RJWT_ALG);
	EXPECT("another curve", fleet_key_of(ed448, &others), RJWT_ALG);
	EXPECT("another algorithm", document_make(ec, DOCUMENT_ROSTER, VIEW("{}"), &line), RJWT_ALG);
	EXPECT("another curve", document_make(ed448, DOCUMENT_ROSTER, VIEW("{}"), &line), RJWT_ALG);
	assert_int_equal(line.n, 0);
	EXPECT("make", document_make(key, DOCUMENT_BUNDLE, VIEW("{\"a\":1}"), &line), RJWT_OK);
	assert_true(document_type(buf_view(&line), &type) && type == DOCUMENT_BUNDLE);
	EXPECT("open", document_open(buf_view(&line), DOCUMENT_BUNDLE, &name, &payload), RJWT_OK);
	assert_true(view_is(buf_view(&payload), "{\"a\":1}"));
	EXPECT("another type", document_open(buf_view(&line), DOCUMENT_ROSTER, &name, &payload), RJWT_MALFORMED);
	EXPECT("another key", document_open(buf_view(&line), DOCUMENT_BUNDLE, &others, &payload), RJWT_SIGNATURE);
	for (size_t i = 0; i < line.n; i++) {
		char was = line.p[i];
		enum rjwt_err err;

		line.p[i] = was == 'A' ? 'B' : 'A';
		err = document_open(buf_view(&line), DOCUMENT_BUNDLE, &name, &payload);
		CHECK("a byte", err == RJWT_SIGNATURE || err == RJWT_MALFORMED);
		line.p[i] = was;
	}
	for (size_t n = 0; n < line.n; n++)
		CHECK("cut", document_open((struct view){ line.p, n }, DOCUMENT_BUNDLE, &name, &payload) != RJWT_OK);
	buf_adds(&line, "\r");
	EXPECT("a byte more", document_open(buf_view(&line), DOCUMENT_BUNDLE, &name, &payload), RJWT_MALFORMED);
	assert_true(view_is(buf_view(&payload), "{\"a\":1}")); /* nothing of these got out */
}

/* The header is these bytes and no others, whoever signed them. */
static void
test_headers(void **state)
{
	static const struct {
		const char *header;
		enum rjwt_err err;
	} rows[] = {
		{ "{\"alg\":\"EdDSA\",\"typ\":\"rjwt-roster+jws\"}", RJWT_OK },
		{ "{\"typ\":\"rjwt-roster+jws\",\"alg\":\"EdDSA\"}", RJWT_MALFORMED },
		{ "{\"alg\":\"EdDSA\", \"typ\":\"rjwt-roster+jws\"}", RJWT_MALFORMED },
		{ "{\"alg\":\"Ed25519\",\"typ\":\"rjwt-roster+jws\"}", RJWT_MALFORMED },
		{ "{\"alg\":\"none\",\"typ\":\"rjwt-roster+jws\"}", RJWT_MALFORMED },
		{ "{\"alg\":\"EdDSA\",\"typ\":\"RJWT-roster+jws\"}", RJWT_MALFORMED },
		{ "{\"alg\":\"EdDSA\",\"typ\":\"rjwt-bundle+jws\"}", RJWT_MALFORMED },
		{ "{\"alg\":\"EdDSA\",\"typ\":\"login+jwt\"}", RJWT_MALFORMED },
		{ "{\"alg\":\"EdDSA\",\"typ\":\"rjwt-roster+jws\",\"kid\":\"a\"}", RJWT_MALFORMED },
		{ "{\"alg\":\"EdDSA\",\"typ\":\"rjwt-roster+jws\",\"crit\":[\"b64\"],\"b64\":false}", RJWT_MALFORMED },
		{ "{\"alg\":\"EdDSA\"}", RJWT_MALFORMED },
	};
	RJWT_CLEAN(key_clean) struct key *key = new_key("EdDSA");
	struct fleet_key name;

	(void)state;
	EXPECT("name", fleet_key_of(key, &name), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf line = { 0 };
		RJWT_CLEAN(buf_clear) struct buf signature = { 0 };
		RJWT_CLEAN(buf_clear) struct buf payload = { 0 };

		base64url_encode(&line, view_of(rows[i].header));
		buf_adds(&line, ".");
		base64url_encode(&line, VIEW("{}"));
		EXPECT("sign", key_sign(key, buf_view(&line), &signature), RJWT_OK);
		buf_adds(&line, ".");
		base64url_encode(&line, buf_view(&signature));
		EXPECT(rows[i].header, document_open(buf_view(&line), DOCUMENT_ROSTER, &name, &payload), rows[i].err);
	}
	assert_true(
	    jws_typ_is_document(VIEW(JWS_TYP_ROSTER)) && jws_typ_is_document(VIEW("Application/RJWT-Bundle+jws")));
	assert_false(jws_typ_is_document(VIEW("login+jwt")) || jws_typ_is_document(VIEW("rjwt-roster+jw")) ||
		     jws_typ_is_document(VIEW("rjwt-bundle+jwt")) || jws_typ_is_document(VIEW("rjwt-roster+jwsx")) ||
		     jws_typ_is_document(VIEW("rjwt-bundle+jwsx")));
	assert_true(view_is(jws_media_type(VIEW("Application/x")), "x"));
	assert_true(view_is(jws_media_type(VIEW("application/")), "application/"));
}

/* A line of the greatest length, and one that is longer. */
static void
test_lengths(void **state)
{
	RJWT_CLEAN(key_clean) struct key *key = new_key("EdDSA");
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
	RJWT_CLEAN(buf_clear) struct buf got = { 0 };
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	enum document_type type;
	struct fleet_key name;

	(void)state;
	EXPECT("name", fleet_key_of(key, &name), RJWT_OK);
	memset(buf_room(&payload, DOCUMENT_LINE_MAX), ' ', DOCUMENT_LINE_MAX);
	EXPECT("too long", document_make(key, DOCUMENT_ROSTER, buf_view(&payload), &line), RJWT_TOO_LONG);
	assert_int_equal(line.n, 0);
	payload.n = (DOCUMENT_LINE_MAX - 55 - 88) / 4 * 3; /* header, signature and dots take less */
	EXPECT("long", document_make(key, DOCUMENT_ROSTER, buf_view(&payload), &line), RJWT_OK);
	assert_true(line.n <= DOCUMENT_LINE_MAX && line.n > DOCUMENT_LINE_MAX - 20);
	EXPECT("long", document_open(buf_view(&line), DOCUMENT_ROSTER, &name, &got), RJWT_OK);
	memset(buf_room(&line, 20), 'A', 20);
	assert_false(document_type(buf_view(&line), &type));
	EXPECT("longer", document_open(buf_view(&line), DOCUMENT_ROSTER, &name, &got), RJWT_MALFORMED);
}

static void
test_files(void **state)
{
	struct view file = VIEW("\n\na\nbb\n\nc"), line = { NULL, 0 };

	(void)state;
	assert_true(document_next(&file, &line) && view_is(line, "a"));
	assert_true(document_next(&file, &line) && view_is(line, "bb"));
	assert_true(document_next(&file, &line) && view_is(line, "c"));
	assert_false(document_next(&file, &line));
}

static void
test_keys(void **state)
{
	struct fleet_key key;

	(void)state;
	EXPECT("a key", fleet_key_parse(VIEW(K1), &key), RJWT_OK);
	assert_string_equal(key.text, K1);
	assert_true(fleet_key_read(VIEW(SMALL), NULL)); /* the form alone */
	EXPECT("no key", fleet_key_parse(VIEW(SMALL), NULL), RJWT_KEYSET);
	EXPECT("no key", fleet_key_parse(VIEW("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR"), NULL), RJWT_KEYSET);
	EXPECT("no key", fleet_key_parse(VIEW(K1 "A"), NULL), RJWT_KEYSET);
	EXPECT("no key", fleet_key_parse(VIEW("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo"), NULL), RJWT_KEYSET);
	assert_false(fleet_key_read(VIEW("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp"), NULL)); /* not canonical */
	assert_false(fleet_key_read(VIEW("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo"), NULL));
	assert_false(fleet_key_read((struct view){ NULL, 0 }, NULL));
}

/* The header tells the type; what is longer than a line may be is none. */
static void
test_types(void **state)
{
	RJWT_CLEAN(key_clean) struct key *key = new_key("EdDSA");
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
	struct fleet_key name;
	unsigned longest = 0;

	(void)state;
	EXPECT("name", fleet_key_of(key, &name), RJWT_OK);
	for (int t = DOCUMENT_ROSTER; t <= DOCUMENT_BUNDLE; t++) {
		enum document_type wanted = (enum document_type)t, type = (enum document_type)9;
		RJWT_CLEAN(buf_clear) struct buf line = { 0 };
		size_t n;

		EXPECT("make", document_make(key, wanted, VIEW("{}"), &line), RJWT_OK);
		n = strcspn(line.p, ".") + 1;
		assert_true(document_type((struct view){ line.p, n }, &type) && type == wanted);
		assert_false(document_type((struct view){ line.p, n - 1 }, &type));
		for (size_t bytes = 3 * (DOCUMENT_LINE_MAX - n - 87) / 4 - 4;; bytes++) {
			RJWT_CLEAN(buf_clear) struct buf made = { 0 };
			RJWT_CLEAN(buf_clear) struct buf opened = { 0 };

			while (payload.n < bytes)
				buf_adds(&payload, " ");
			if (document_make(key, wanted, buf_view(&payload), &made) != RJWT_OK)
				break;
			assert_true(made.n <= DOCUMENT_LINE_MAX);
			assert_true(document_type(buf_view(&made), &type));
			EXPECT("open", document_open(buf_view(&made), wanted, &name, &opened), RJWT_OK);
			longest += made.n == DOCUMENT_LINE_MAX;
			buf_adds(&made, "A");
			if (made.n <= DOCUMENT_LINE_MAX)
				continue;
			assert_false(document_type(buf_view(&made), &type));
			EXPECT("longer", document_open(buf_view(&made), wanted, &name, &opened), RJWT_MALFORMED);
		}
		buf_clear(&payload);
	}
	assert_true(longest > 0);
	assert_false(document_type(VIEW("x"), &(enum document_type){ 0 }));
}

/* --- payloads --------------------------------------------------------------------------------- */

/* Each change that is refused, and one much like it that is not. */
static const struct {
	const char *from, *good, *bad;
} roster_rows[] = {
	{ "\"n\":5", "\"n\":9007199254740992", "\"n\":9007199254740993" },
	{ "\"n\":5", "\"n\":1", "\"n\":0" },
	{ "\"n\":5", "\"n\":6", "\"n\":\"6\"" },
	{ "\"n\":5,", "\"n\":5,\"x\":1,", "" },
	{ "\"iat\":7", "\"iat\":0", "\"iat\":-1" },
	{ "\"iat\":7", "\"iat\":8", "\"iat\":8.0" },
	{ "\"iat\":7", "\"iat\":8", "\"iat\":8,\"iat\":8" },
	{ "[\"" K1 "\"]", "[\"" K1 "\",\"" K3 "\"]", "[\"" K1 "\",\"" K1 "\"]" },
	{ "[\"" K1 "\"]", "[\"" K3 "\"]", "[]" },
	{ "[\"" K1 "\"]", "[\"" K3 "\"]", "\"" K3 "\"" },
	{ "[\"" K1 "\"]", "[\"" K3 "\"]", "[\"" SMALL "\"]" },
	{ "[\"" K1 "\"]", "[\"" K3 "\"]", "[\"" K2 "\"]" }, /* also the bundle key */
	{ "[\"" K1 "\"]", "[\"" K3 "\"]", "[\"" K3 "\",5]" },
	{ "\"name\":\"i1\"", "\"name\":\"a-1\"", "\"name\":\"1a\"" },
	{ "\"name\":\"i1\"", "\"name\":\"abcdefghijklmnopqrstuvwxyz012345\"",
	    "\"name\":\"abcdefghijklmnopqrstuvwxyz0123456\"" },
	{ "\"name\":\"i1\"", "\"name\":\"i\"", "\"name\":\"\"" },
	{ "\"name\":\"i1\"", "\"name\":\"ia\"", "\"name\":\"iA\"" },
	{ "\"name\":\"i1\"", "\"name\":\"ia\"", "\"name\":\"i.a\"" },
	{ "\"base\":\"B\"", "\"base\":\"b_-9\"", "\"base\":\"b.9\"" },
	{ "\"base\":\"B\"", "\"base\":\"a\"", "\"base\":\"..\"" },
	{ "\"base\":\"B\"", "\"base\":\"a\"", "\"base\":\"a/b\"" },
	{ "\"iss\":\"iss.example\"", "\"iss\":\"a b\"", "\"iss\":\"a\\nb\"" },
	{ "\"iss\":\"iss.example\"", "\"iss\":\"a\"", "\"iss\":\"\"" },
	{ "http://i/f", "https://i:8443/f?a=b", "ftp://i/f" },
	{ "http://i/f", "http://i", "http://" },
	{ "http://i/f", "http://i/%20", "http://i/ f" },
	{ "http://i/f", "http://i/f;g", "http://i/f\\u001b" },
	{ "http://i/f", "http://i/f", "http://i/`f`" },
	{ "\"key\":\"" K2 "\"", "\"key\":\"" K3 "\"", "\"key\":\"" SMALL "\"" },
	{ "\"key\":\"" K2 "\"", "\"key\":\"" K3 "\"", "\"key\":5" },
	{ "}]}", "}," ISSUER("i2", "C", K3) "]}", "}," ISSUER("i1", "C", K3) "]}" },
	{ "}]}", "}," ISSUER("i2", "C", K3) "]}", "}," ISSUER("i2", "B", K3) "]}" },
	{ "}]}", "}," ISSUER("i2", "C", K3) "]}", "}," ISSUER("i2", "C", K2) "]}" },
	{ "}]}", "}," ISSUER("i2", "C", K3) "]}", "},5]}" },
	{ "}]}", "}],\"more\":{}}", "}]" },
};

static void
test_rosters(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_diag diag = { 0 };
	struct roster roster = { .n = 99 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(roster_rows); i++) {
		roster.n = 99;
		replace(&text, ROSTER, roster_rows[i].from, roster_rows[i].bad);
		EXPECT(text.p, roster_parse(buf_view(&text), &roster, &diag), RJWT_MALFORMED);
		CHECK(text.p, roster.n == 99 && diag.text[0] != '\0');
		replace(&text, ROSTER, roster_rows[i].from, roster_rows[i].good);
		EXPECT(text.p, roster_parse(buf_view(&text), &roster, &diag), RJWT_OK);
	}
	EXPECT("none", roster_parse(VIEW("{\"n\":1,\"iat\":1,\"keys\":[\"" K1 "\"],\"issuers\":[]}"), &roster, &diag),
	    RJWT_OK);
	assert_int_equal(roster.nissuers, 0);
}

static void
test_roster_round_trip(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct roster roster, other;

	(void)state;
	EXPECT("parse", roster_parse(VIEW(ROSTER), &roster, NULL), RJWT_OK);
	assert_true(roster.n == 5 && roster.iat_s == 7 && roster.nkeys == 1 && roster.nissuers == 1);
	assert_string_equal(roster.issuers[0].iss, "iss.example");
	EXPECT("format", roster_format(&text, &roster), RJWT_OK);
	assert_string_equal(text.p, ROSTER);
	assert_ptr_equal(roster_find(&roster, VIEW("B")), &roster.issuers[0]);
	assert_null(roster_find(&roster, VIEW("b")));
	assert_ptr_equal(roster_named(&roster, VIEW("i1")), &roster.issuers[0]);
	assert_null(roster_named(&roster, VIEW("i2")));
	other = roster;
	assert_true(roster_same_keys(&roster, &other));
	memcpy(other.keys[0].text, K3, sizeof(K3));
	assert_false(roster_same_keys(&roster, &other));
	memcpy(other.keys[1].text, K1, sizeof(K1));
	other.nkeys = 2;
	assert_false(roster_same_keys(&roster, &other));
}

/* Eight issuers are a fleet, nine are not. */
static void
test_most_issuers(void **state)
{
	struct roster roster, found;

	(void)state;
	EXPECT("parse", roster_parse(VIEW(ROSTER), &roster, NULL), RJWT_OK);
	for (size_t n = 1; n <= FLEET_ISSUERS_MAX + 1; n++) {
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };

		buf_adds(&text, "{\"n\":5,\"iat\":7,\"keys\":[\"" K1 "\"],\"issuers\":[");
		for (size_t i = 0; i < n; i++) {
			RJWT_CLEAN(key_clean) struct key *key = new_key("EdDSA");
			struct fleet_key name;

			EXPECT("name", fleet_key_of(key, &name), RJWT_OK);
			buf_addf(&text,
			    "%s{\"name\":\"i%zu\",\"base\":\"B%zu\",\"iss\":\"i\",\"url\":\"http://i\",\"key\":\"%s\"}",
			    i == 0 ? "" : ",", i, i, name.text);
		}
		buf_adds(&text, "]}");
		EXPECT("issuers", roster_parse(buf_view(&text), &found, NULL),
		    n <= FLEET_ISSUERS_MAX ? RJWT_OK : RJWT_MALFORMED);
	}
}

static const struct {
	const char *from, *good, *bad;
} bundle_rows[] = {
	{ "\"base\":\"B\"", "\"base\":\"B\"", "\"base\":\"C\"" }, /* kids of another base */
	{ "\"base\":\"B\"", "\"base\":\"B\"", "\"base\":\"../B\"" },
	{ "\"serial\":9", "\"serial\":1", "\"serial\":0" },
	{ "\"serial\":9", "\"serial\":9007199254740992", "\"serial\":9007199254740993" },
	{ "\"iat\":8", "\"iat\":0", "\"iat\":\"8\"" },
	{ "\"roster\":5", "\"roster\":0", "\"roster\":null" },
	{ "\"max_lifetime\":3600", "\"max_lifetime\":1", "\"max_lifetime\":0" },
	{ "\"max_lifetime\":3600", "\"max_lifetime\":31536000", "\"max_lifetime\":31536001" },
	{ "\"floor\":2", "\"floor\":3", "\"floor\":4" },
	{ "\"floor\":2", "\"floor\":1", "\"floor\":0" },
	{ "\"version\":3,", "\"version\":3,", "\"version\":4," },
	{ "\"version\":4,", "\"version\":4,", "\"version\":3," },
	{ "\"next_version\":5", "\"next_version\":6", "\"next_version\":4" },
	{ "\"next_version\":5", "\"next_version\":2147483648", "\"next_version\":2147483649" },
	{ "\"next_version\":5,", "\"next_version\":5,\"more\":[],", "" },
	{ "\"since\":7", "\"since\":0", "\"since\":-7" },
	{ "\"B.3\"", "\"B.3\"", "\"B.03\"" },
	{ "\"B.3\"", "\"B.3\"", "\"B.+3\"" },
	{ "\"B.3\"", "\"B.3\"", "\"B.4\"" }, /* twice, and the active key is missing */
	{ "\"B.3\"", "\"B.3\"", "\"C.3\"" },
	{ "\"kty\":\"OKP\",\"crv\":\"Ed25519\"", "\"kty\":\"OKP\",\"crv\":\"Ed25519\"", "\"kty\":\"oct\"" },
	{ "{\"kid\":\"B.3\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" K1
	  "\",\"alg\":\"EdDSA\",\"use\":\"sig\",\"iat\":6}",
	    JWK("B.3", ",\"iat\":7"),
	    "{\"kid\":\"B.3\",\"kty\":\"oct\",\"k\":\"" K1 "\",\"alg\":\"HS256\",\"use\":\"sig\"}" },
	{ "\"alg\":\"EdDSA\",\"use\":\"sig\",\"iat\":6", "\"alg\":\"EdDSA\",\"use\":\"sig\",\"iat\":6",
	    "\"alg\":\"ES256\",\"use\":\"sig\",\"iat\":6" },
	{ "\"x\":\"" K1 "\"", "\"x\":\"" K2 "\"", "\"x\":\"" SMALL "\"" },
	{ "\"keys\":[", "\"keys\":[" JWK("B.2", ",\"exp\":99") ",", "\"keys\":[" JWK("B.2", "") "," },
	{ "\"keys\":[", "\"keys\":[" JWK("B.2", ",\"revoked\":99") ",", "\"keys\":[" JWK("B.1", ",\"exp\":99") "," },
	{ "\"keys\":[", "\"keys\":[" JWK("B.2", ",\"exp\":99") ",", "\"keys\":[" JWK("B.5", ",\"exp\":99") "," },
	{ "\"keys\":[", "\"keys\":[" JWK("B.2", ",\"exp\":99") ",", "\"keys\":[5," },
	{ H1 " 10", H1 " 0", H1 " " },
	{ H1 " 10", H1 " 9007199254740992", H1 " 9007199254740993" },
	{ H1 " 10", H1 " 1", H1 " 01" },
	{ H1 " 10", H1 " 1", H1 "  1" },
	{ H1 " 10", H1 " 1", H1 " -1" },
	{ H1 " 10", H1 " 1", H1 "1 1" },
	{ H1 " 10", "aa11111111111111111111111111111111111111111111111111111111111111 1",
	    "aA11111111111111111111111111111111111111111111111111111111111111 1" },
	{ "\"sub\":[\"" H1 " 10\"]", "\"sub\":[\"" H1 " 10\",\"" H2 " 10\"]", "\"sub\":[\"" H1 " 10\",\"" H1 " 11\"]" },
	{ "\"sub\":[\"" H1 " 10\"]", "\"sub\":[\"" H1 " 10\",\"" H2 " 10\"]", "\"sub\":[\"" H2 " 10\",\"" H1 " 10\"]" },
	{ "\"sub\":[\"" H1 " 10\"]", "\"sub\":[]", "\"sub\":\"" H1 " 10\"" },
	{ "\"sub\":[\"" H1 " 10\"],", "\"sub\":[],", "" },
	{ "\"jti\":[]", "\"jti\":[\"" H1 " 10\"]", "\"jti\":[5]" },
	{ "\"jti\":[]}", "\"jti\":[],\"x\":[]}", "\"jti\":{}}" },
};

static void
test_bundles(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_diag diag = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bundle_rows); i++) {
		RJWT_CLEAN(bundle_clear) struct bundle bundle = { 0 };

		replace(&text, BUNDLE, bundle_rows[i].from, bundle_rows[i].bad);
		EXPECT(text.p, bundle_parse(buf_view(&text), &bundle, &diag), RJWT_MALFORMED);
		CHECK(text.p, bundle.serial == 0 && bundle.keys == NULL && diag.text[0] != '\0');
		replace(&text, BUNDLE, bundle_rows[i].from, bundle_rows[i].good);
		EXPECT(text.p, bundle_parse(buf_view(&text), &bundle, &diag), RJWT_OK);
	}
}

static void
test_bundle_round_trip(void **state)
{
	RJWT_CLEAN(bundle_clear) struct bundle bundle = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	(void)state;
	EXPECT("parse", bundle_parse(VIEW(BUNDLE), &bundle, NULL), RJWT_OK);
	assert_true(bundle.serial == 9 && bundle.iat_s == 8 && bundle.roster == 5 && bundle.nkeys == 2);
	assert_int_equal(bundle_key(&bundle, 4)->jwk.published_s, 7);
	assert_null(bundle_key(&bundle, 2));
	assert_int_equal(denial_find(&bundle.sub, H1)->until_s, 10);
	assert_null(denial_find(&bundle.sub, H2));
	EXPECT("format", bundle_format(&text, &bundle), RJWT_OK);
	assert_string_equal(text.p, BUNDLE);
}

/* 2,000 denials fit into a line; one more refuses it. */
static void
test_most_denials(void **state)
{
	RJWT_CLEAN(key_clean) struct key *key = new_key("EdDSA");
	RJWT_CLEAN(bundle_clear) struct bundle bundle = { 0 };

	(void)state;
	EXPECT("parse", bundle_parse(VIEW(BUNDLE), &bundle, NULL), RJWT_OK);
	for (int i = 0; i <= BUNDLE_DENIALS_MAX - 1; i++) {
		char hash[DIGEST_HEX];

		snprintf(hash, sizeof(hash), "%064x", (unsigned)i * 2654435761u);
		EXPECT("add", denial_add(i % 2 == 0 ? &bundle.sub : &bundle.jti, hash, JSON_INTEGER_MAX - i), RJWT_OK);
		if (i < BUNDLE_DENIALS_MAX - 2)
			continue;
		RJWT_CLEAN(bundle_clear) struct bundle again = { 0 };
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };
		RJWT_CLEAN(buf_clear) struct buf line = { 0 };
		bool fits = bundle.sub.n + bundle.jti.n <= BUNDLE_DENIALS_MAX;

		assert_int_equal(fits, i == BUNDLE_DENIALS_MAX - 2);
		EXPECT("format", bundle_format(&text, &bundle), RJWT_OK);
		EXPECT("line", document_make(key, DOCUMENT_BUNDLE, buf_view(&text), &line), RJWT_OK);
		EXPECT("parse", bundle_parse(buf_view(&text), &again, NULL), fits ? RJWT_OK : RJWT_MALFORMED);
	}
	for (size_t i = 1; i < bundle.sub.n; i++)
		assert_true(strcmp(bundle.sub.list[i - 1].hash, bundle.sub.list[i].hash) < 0);
}

/* Of two dates the later one stays. */
static void
test_denial_dates(void **state)
{
	RJWT_CLEAN(denial_list_clear) struct denial_list list = { 0 };

	(void)state;
	EXPECT("add", denial_add(&list, H2, 5), RJWT_OK);
	EXPECT("add", denial_add(&list, H1, 6), RJWT_OK);
	EXPECT("later", denial_add(&list, H2, 7), RJWT_OK);
	EXPECT("earlier", denial_add(&list, H1, 3), RJWT_OK);
	EXPECT("no hash", denial_add(&list, "abc", 3), RJWT_INTERNAL);
	assert_true(list.n == 2 && list.list[0].until_s == 6 && list.list[1].until_s == 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines), cmocka_unit_test(test_types),
		cmocka_unit_test(test_headers), cmocka_unit_test(test_lengths), cmocka_unit_test(test_files),
		cmocka_unit_test(test_keys), cmocka_unit_test(test_rosters), cmocka_unit_test(test_roster_round_trip),
		cmocka_unit_test(test_most_issuers), cmocka_unit_test(test_bundles),
		cmocka_unit_test(test_bundle_round_trip), cmocka_unit_test(test_most_denials),
		cmocka_unit_test(test_denial_dates) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
