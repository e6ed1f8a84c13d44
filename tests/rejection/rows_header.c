/* SPDX-License-Identifier: MIT */
/* Rules 4 to 6: alg, kid, and what a header may not have. */
#include "table.h"

#include "unit.h"

#define KID32 "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define ANY "null", "true", "0", "\"\"", "\"x\"", "[]", "{}", "[\"exp\"]", "{\"kty\":\"EC\"}"

static const struct list lists[] = {
	/* alg: none in every spelling, unknown, other cases; CVE-2015-9235, CVE-2020-28042, CVE-2026-22817 */
	LIST(4, ALG, 'h', "alg", "\"ES256\"", "\"none\"", "\"None\"", "\"NONE\"", "\"nONE\"", "\"nonE\"", "\"none \"",
	    "\" none\"", "\"n\\u006fne\"", "\"no\\tne\"", "\"\"", "\" \"", "\"es256\"", "\"Es256\"", "\"eS256\"",
	    "\"ES256 \"", "\" ES256\"", "\"ES256\\n\"", "\"ES-256\"", "\"ES25\"", "\"ES2566\"", "\"ES256K\"",
	    "\"ES256,HS256\"",
	    "\"ES\xef\xbc\x92"
	    "56\"",
	    "\"\xd0\x95S256\"", "\"SHA256\"", "\"HMAC\"", "\"ECDSA\"", "\"RS1\"", "\"HS1\"", "\"HS256/64\"",
	    "\"Ed25519\"", "\"Ed448\"", "\"eddsa\"", "\"EDDSA\"", "\"ML-DSA-44\"", "\"dir\"", "\"A128KW\"",
	    "\"RSA-OAEP\"", "\"ECDH-ES\"", "\"*\"", "\"null\"", "\"../ES256\""),
	/* another algorithm that rjwt has: the key's is the only one; CVE-2016-10555, CVE-2026-44699 */
	LIST(4, ALG, 'h', "alg", "\"\\u0045S256\"", "\"HS256\"", "\"HS384\"", "\"HS512\"", "\"RS256\"", "\"RS384\"",
	    "\"RS512\"", "\"PS256\"", "\"PS384\"", "\"PS512\"", "\"ES384\"", "\"ES512\"", "\"EdDSA\""),
	/* NUL, and other types */
	LIST(4, HEADER, 'h', "alg", NULL, "\"none\\u0000\"", "\"ES256\\u0000\"", "\"\\u0000ES256\"",
	    "\"ES256\\u0000none\"", ABSENT, "null", "true", "256", "[\"ES256\"]", "[]", "{}", "{\"ES256\":1}",
	    "\"ES256\",\"alg\":\"ES256\"", "\"none\",\"alg\":\"ES256\"", "\"ES256\",\"\\u0061lg\":\"none\""),
	/* kid: in the reference a path, and "B" and its aliases meant the current key */
	LIST(5, KID, 'h', "kid", "\"B.\\u0035\"", ABSENT, "\"\"", "\"B\"", "\"B.\"", "\".\"", "\".5\"", "\"5\"",
	    "\"B.0\"", "\"B.00\"", "\"B.05\"", "\"B.005\"", "\"B.+5\"", "\"B.-5\"", "\"B.-1\"", "\"B. 5\"", "\"B.5 \"",
	    "\" B.5\"", "\"B.5\\n\"", "\"B.5\\t\"", "\"B.5.\"", "\"B.5.5\"", "\"B..5\"", "\".B.5\"", "\"B.5e0\"",
	    "\"B.5.0\"", "\"B.0x5\"", "\"B.5L\"", "\"B.five\"", "\"B.*\"", "\"*.5\"", "\"B.%35\"", "\"B.5;\"",
	    "\"B.5#\"", "\"B.5?\"", "\"B,5\"", "\"B:5\"", "\"B_5\"", "\"B/5\"", "\"B.\xc2\xb2\"", "\"B.\xc2\xb9\"",
	    "\"B.\xd9\xa5\"", "\"B.\xef\xbc\x95\"", "\"B.\xe0\xa5\xab\"",
	    "\"B\xef\xbc\x8e"
	    "5\"",
	    "\"\xd0\x92.5\"", "\"\xef\xbc\xa2.5\"", "\"B.2147483648\"", "\"B.4294967301\"",
	    "\"B.18446744073709551621\"", "\"B.99999999999999999999\"", "\"" KID32 "B.5\"", "\"../keys/B.5\"",
	    "\"../../etc/passwd\"", "\"/tmp/evil.5\"", "\"keys/5.jwk\"", "\"5.jwk\"", "\"B.5/../5\"", "\"B.5\\\\\"",
	    "\"file:///tmp/k.5\"", "\"'; drop--.5\"", "\"$(id).5\"", "\"`id`.5\"", "\"|id.5\"", "\"B.5\\u001b[0m\"",
	    "\"\xe2\x80\xae.5\""),
	LIST(5, HEADER, 'h', "kid", NULL, "null", "true", "5", "[\"B.5\"]", "[]", "{}", "{\"B\":5}", "\"B.5\\u0000\"",
	    "\"B\\u0000.5\"", "\"B.5\",\"kid\":\"B.5\"", "\"B.6\",\"kid\":\"B.5\"", "\"B.5\",\"k\\u0069d\":\"B.6\""),
	LIST(5, KEY_UNKNOWN, 'h', "kid", NULL, "\"b.5\"", "\"C.5\"", "\"BB.5\"", "\"B-.5\"", "\"_.5\"",
	    "\"" KID32 ".5\"", "\"B.8\"", "\"B.99\"", "\"B.51\"", "\"B.2147483647\"", "\"keys.5\"", "\"ES256.5\""),
	/* RFC 7515 s4.1.2 to s4.1.8: keys and places of keys that a token brings along; CVE-2018-0114 */
	LIST(6, HEADER, 'h', "jwk", NULL, ANY),
	LIST(6, HEADER, 'h', "jku", NULL, ANY, "\"https://x.example/\""),
	LIST(6, HEADER, 'h', "x5u", NULL, ANY),
	LIST(6, HEADER, 'h', "x5c", NULL, ANY),
	LIST(6, HEADER, 'h', "x5t", NULL, ANY),
	LIST(6, HEADER, 'h', "x5t#S256", NULL, ANY),
	/* s4.1.11: what must be understood is understood, or the token is refused; CVE-2025-59420, CVE-2026-32597 */
	LIST(6, HEADER, 'h', "crit", NULL, ANY, "[\"b64\"]", "[\"alg\"]", "[\"x\"],\"x\":1", "[\"exp\",\"exp\"]"),
	LIST(6, HEADER, 'h', "b64", NULL, "true", "false", "null", "\"false\""),
	LIST(6, HEADER, 'h', "zip", NULL, "\"DEF\"", "null", "\"\"", "[]"),
	LIST(6, HEADER, 'h', "cty", NULL, "\"JWT\"", "\"jwt\"", "null", "\"\"", "\"json\""),
	LIST(6, HEADER, 'h', "c\\u0072it", NULL, "[]"),
	LIST(6, HEADER, 'h', "\\u006awk", NULL, "{}"),
	/* typ, RFC 8725 s3.11: any case, with or without application/ */
	LIST(6, TYP, 'h', "typ", "\"LOGIN+jwt\"", ABSENT, "\"\"", "\"JWT\"", "\"jwt\"", "\"at+jwt\"", "\"login\""),
	LIST(6, TYP, 'h', "typ", "\"application/login+jwt\"", "\"application/\"", "\"application/JWT\"",
	    "\"application/application/login+jwt\"", "\"text/login+jwt\"", "\"/login+jwt\"", "\"*/*\"",
	    "\"application/login+jwt \""),
	LIST(6, TYP, 'h', "typ", "\"APPLICATION/Login+JWT\"", "\"login+jwt \"", "\" login+jwt\"", "\"login+jwt2\"",
	    "\"login+jw\"", "\"login jwt\"", "\"login+jwt;v=1\"", "\"login%2bjwt\"", "\"lo\xc4\xb1gin+jwt\"",
	    "\"l\xef\xbd\x8fgin+jwt\"", "\"login+jwt\\n\"", "\"\\u001b]0;x\\u0007\"", "\"\xe2\x80\xaelogin+jwt\""),
	LIST(6, HEADER, 'h', "typ", NULL, "null", "true", "1", "[\"login+jwt\"]", "{}", "\"login+jwt\\u0000\"",
	    "\"login+jwt\",\"typ\":\"login+jwt\""),
};

static const struct row rows[] = {
	/* where the configuration says JWT, none will do; any other has to be that */
	ROW(6, TYP, BAD(HEADER("typ", "\"login+jwt\"")), TWIN(HEADER("typ", NULL)), .world = TYPE_JWT),
	ROW(6, TYP, BAD(HEADER("typ", "\"\"")), TWIN(HEADER("typ", "\"jwt\"")), .world = TYPE_JWT),
	ROW(6, TYP, BAD(HEADER("typ", "\"at+JWT\"")), TWIN(HEADER("typ", "\"application/jwt\"")), .world = TYPE_JWT),
	ROW(6, HEADER, BAD(HEADER("typ", "null")), TWIN(HEADER("typ", NULL)), .world = TYPE_JWT),
	/* what looks like them and is not */
	ROW(6, HEADER, BAD(HEADER("crit", "[\"x\"]")), TWIN(HEADER("Crit", "[\"x\"]"))),
	ROW(6, HEADER, BAD(HEADER("jwk", "{\"kty\":\"oct\"}")), TWIN(HEADER("JWK", "{\"kty\":\"oct\"}"))),
	ROW(6, HEADER, BAD(HEADER("x5t#S256", "\"AAAA\"")), TWIN(HEADER("x5t#S384", "\"AAAA\""))),
	/* of others: a thumbprint fetches nothing, a key and an address do */
	ROW(6, HEADER, BAD(HEADER("x5c", "[\"AAAA\"]")), TWIN(HEADER("x5t", "\"AAAA\"")), .world = SET),
	ROW(6, HEADER, BAD(HEADER("x5u", "\"https://x.example\"")), TWIN(HEADER("x5t#S256", "\"AAAA\"")), .world = SET),
	ROW(6, HEADER, BAD(HEADER("x5t#S512", "\"AAAA\""), HEADER("crit", "[\"x5t#S512\"]")), TWIN(HEADER("x5t", "7")),
	    .world = SET),
	/* RFC 9864, of others alone: the name has the curve, and it is the key's */
	ROW(4, ALG, BAD(KEY("EdDSA"), HEADER("alg", "\"Ed448\"")), TWIN(KEY("EdDSA"), HEADER("alg", "\"Ed25519\"")),
	    .world = SET),
	ROW(4, ALG, BAD(KEY("Ed448"), HEADER("alg", "\"Ed25519\"")), TWIN(KEY("Ed448"), HEADER("alg", "\"Ed448\"")),
	    .world = SET),
	ROW(4, ALG, BAD(KEY("ES256"), HEADER("alg", "\"Ed25519\"")), TWIN(KEY("ES256")), .world = SET),
	ROW(6, HEADER, BAD(HEADER("b64", "0")), TWIN(HEADER("x", "{\"b64\":false,\"crit\":[\"b64\"]}"))),
	/* in a set kids are any string of 1 to 128 bytes, and nothing is guessed */
	ROW(5, KID, BAD(HEADER("kid", NULL)), TWIN(HEADER("kid", "\"ES256\"")), .world = SET),
	ROW(5, KID, BAD(HEADER("kid", "\"\"")), .world = SET),
	ROW(5, KID, BAD(HEADER("kid", "\"" KID32 KID32 KID32 KID32 "B\"")), .world = SET),
	ROW(5, KEY_UNKNOWN, BAD(HEADER("kid", "\"" KID32 KID32 KID32 KID32 "\"")), .world = SET),
	ROW(5, KEY_UNKNOWN, BAD(HEADER("kid", "\"es256\"")), TWIN(HEADER("kid", "\"\\u0045S256\"")), .world = SET),
	ROW(5, KEY_UNKNOWN, BAD(HEADER("kid", "\"ES256 \"")), .world = SET),
	ROW(5, KEY_UNKNOWN, BAD(HEADER("kid", "\"ES25\"")), .world = SET),
	ROW(5, KEY_UNKNOWN, BAD(HEADER("kid", "\"B.5\"")), .world = SET),
	ROW(5, HEADER, BAD(HEADER("kid", "1")), .world = SET),
};

void
table_header(struct table *t)
{
	table_lists(t, lists, ARRAY_LEN(lists));
	table_rows(t, rows, ARRAY_LEN(rows));
}
