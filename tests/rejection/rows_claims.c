/* SPDX-License-Identifier: MIT */
/* Rules 9, 15, 16 and 17: the types of the claims, times, issuer and audience. */
#include "table.h"

#include "unit.h"

#define NO_STRING "null", "true", "false", "1", "1.5", "{}", "{\"a\":\"alice\"}"
#define NO_BOOLEAN "null", "0", "1", "\"true\"", "\"false\"", "\"\"", "[]", "[true]", "{}"
/* The values are judged by their literal. */
#define NO_TIME                                                                                                  \
	"null", "true", "\"$+300$\"", "\"9999999999\"", "\"\"", "[]", "[$+300$]", "{}", "$+300$.0", "$+300$.5",  \
	    "$+300$e0", "18000003e2", "1.8e9", "-1", "-0", "-$+300$", "9007199254740993", "9223372036854775807", \
	    "9223372036854775808", "18446744073709551616", "99999999999999999999999999", "1e400",                \
	    "-9223372036854775809"

#define N51 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxy"
#define N255 N51 N51 N51 N51 N51

static const struct list lists[] = {
	/* a claim of the wrong type is not absent; CVE-2026-25537 */
	LIST(9, CLAIMS, 'c', "iss", NULL, ABSENT, NO_STRING, "[]", "[\"iss.example\"]", "\"\""),
	LIST(9, CLAIMS, 'c', "sub", NULL, ABSENT, NO_STRING, "[]", "[\"alice\"]", "\"\""),
	LIST(9, CLAIMS, 'c', "jti", ABSENT, NO_STRING, "[]", "[\"a1\"]", "\"\""),
	LIST(9, CLAIMS, 'c', "scope", "\"su ssh\"", NO_STRING, "[]", "[\"ssh\"]", "\"\"", "\" \"", "\" ssh\"",
	    "\"ssh \"", "\"su  ssh\"", "\"ssh,su\"", "\"ssh\\tsu\"", "\"ssh\\nsu\"", "\"ssh;su\"", "\"ssh*\"",
	    "\"\xc3\xa9\"", "\"ssh abcdefghijklmnopqrstuvwxyz0123456\""),
	LIST(9, CLAIMS, 'c', "once", "false", NO_BOOLEAN),
	LIST(9, CLAIMS, 'c', "uses", "100", "null", "true", "false", "0", "1", "101", "-2", "-0", "2.0", "2e0", "1e1",
	    "0.5", "9007199254740993", "18446744073709551618", "4294967298", "\"2\"", "\"\"", "[]", "[2]", "{}",
	    "{\"n\":2}", "2,\"uses\":2", "2,\"once\":true", "2,\"once\":false", "2,\"once\":null"),
	LIST(9, CLAIMS, 'c', "act", "{\"sub\":\"carol\"}", "null", "true", "1", "\"carol\"", "\"\"", "[]",
	    "[\"carol\"]", "{}", "{\"sub\":\"\"}", "{\"sub\":null}", "{\"sub\":1}", "{\"sub\":[\"carol\"]}",
	    "{\"sub\":{\"sub\":\"carol\"}}", "{\"sub\":\"ca\\nrol\"}", "{\"sub\":\"ca\\u0000rol\"}",
	    "{\"sub\":\"\\u0085\"}", "{\"Sub\":\"carol\"}", "{\"sub\":\"carol\",\"iss\":\"iss.example\"}",
	    "{\"sub\":\"carol\",\"act\":{\"sub\":\"bob\"}}", "{\"sub\":\"carol\",\"sub\":\"bob\"}",
	    "{\"sub\":\"carol\"},\"act\":{\"sub\":\"bob\"}", "{\"sub\":\"" N255 "x\"}"),
	LIST(9, CLAIMS, 'c', "act", "{\"sub\":\"" N255 "\"}", "{\"sub\":\"" N255 "Ã©\"}"),
	LIST(9, CLAIMS, 'c', "act", ABSENT, "{\"sub\":false}"),
	LIST(16, CLAIMS, 'c', "exp", "$+300$", ABSENT, NO_TIME),
	LIST(16, CLAIMS, 'c', "iat", "$+0$", ABSENT, NO_TIME),
	LIST(16, LIFETIME, 'c', "exp", "$+301$", "$+0$", "$-1$", "$+300$000", "9007199254740992"),
	LIST(16, EXPIRED, 'c', "exp", NULL, "0", "1", "300"),
	LIST(16, LIFETIME, 'c', "iat", "$-300$", "0", "1", "$-3600$"),
	LIST(16, ISSUED_IN_FUTURE, 'c', "iat", NULL, "$+200$", "$+900$", "$+0$000", "9007199254740992"),
	LIST(16, NOT_YET_VALID, 'c', "nbf", "0", "$+200$", "$+299$", "$+0$000", "9007199254740992"),
	/* RFC 7519 s4.1.1, s4.1.3: exact */
	LIST(17, ISSUER, 'c', "iss", "\"iss\\u002eexample\"", "\"ISS.example\"", "\"iss.example.\"", "\"iss.exampl\"",
	    "\"iss.examplee\"", "\" iss.example\"", "\"iss.example \"", "\"https://iss.example\"", "\"iss.example/\"",
	    "\"iss.example,iss.example\"", "\"*\"", "\"iss\"", "\"example\"", "\"host.example\"", "\"alice\"",
	    "\"\xd1\x96ss.example\"",
	    "\"iss\xef\xbc\x8e"
	    "example\"",
	    "\"iss.ex\\u200bample\"", "\"new.example\"", "\"\\u202eiss.example\"", "\"\xf0\x9f\x98\x80\""),
	LIST(17, CLAIMS, 'c', "iss", NULL, "\"iss.example\\n\"", "\"iss.example\\u0000\"", "\"iss\\u0085example\"",
	    "\"\\u001b]0;x\\u0007\"", "\"\\u007f\"", "\"iss.example\",\"iss\":\"iss.example\""),
	LIST(17, AUDIENCE, 'c', "aud", "[\"other\",\"host.example\"]", "\"HOST.example\"", "\"host.example.\"",
	    "\"host.exampl\"", "\"host.examplee\"", "\"host\"", "\"example\"", "\" host.example\"", "\"host.example \"",
	    "\"host.example,other\"", "\"other,host.example\"", "\"host.example other\"", "\"https://host.example\"",
	    "\"*\"", "\"*.example\"", "\"\"", "\"iss.example\"", "[\"a\",\"b\"]", "[\"HOST.example\"]", "[\"\"]",
	    "[\"host.exampl\",\"e\"]", "[\"host.example\\u0020\"]", "\"h\xd0\xbest.example\"", "\"other.example\"",
	    "\"ho\\u00adst.example\"", "\"\\u001b[2J\"", "\"\\n\"", "[\"\\u202e\"]", "\"localhost\""),
	LIST(17, CLAIMS, 'c', "aud", "[\"host.example\"]", ABSENT, "null", "true", "1", "[]", "{}",
	    "{\"host.example\":1}", "[\"host.example\",1]", "[1,\"host.example\"]", "[\"host.example\",null]",
	    "[[\"host.example\"]]", "[\"host.example\",[\"host.example\"]]", "[\"host.example\",{}]", "[null]",
	    "[true]", "\"host.example\",\"aud\":\"host.example\"", "\"host.example\\u0000\"",
	    "[\"host.example\",\"\\u0000\"]"),
};

static const struct row rows[] = {
	/* to the second: leeway 30 s, max_lifetime 1 h; and 0 s, 5 min */
	ROW(16, EXPIRED, BAD(CLAIM("iat", "$-1000$"), CLAIM("exp", "$-30$")),
	    TWIN(CLAIM("iat", "$-1000$"), CLAIM("exp", "$-29$"))),
	ROW(16, EXPIRED, BAD(CLAIM("iat", "$-100$"), CLAIM("exp", "$+0$")),
	    TWIN(CLAIM("iat", "$-100$"), CLAIM("exp", "$+1$")), .world = STRICT),
	ROW(16, EXPIRED, BAD(CLAIM("iat", "$-1000$"), CLAIM("exp", "$-100$")),
	    TWIN(CLAIM("iat", "$-1000$"), CLAIM("exp", "$+100$"))),
	ROW(16, NOT_YET_VALID, BAD(CLAIM("nbf", "$+31$")), TWIN(CLAIM("nbf", "$+30$"))),
	ROW(16, NOT_YET_VALID, BAD(CLAIM("nbf", "$+1$")), TWIN(CLAIM("nbf", "$+0$")), .world = STRICT),
	ROW(16, ISSUED_IN_FUTURE, BAD(CLAIM("iat", "$+31$")), TWIN(CLAIM("iat", "$+30$"))),
	ROW(16, ISSUED_IN_FUTURE, BAD(CLAIM("iat", "$+1$")), TWIN(CLAIM("iat", "$+0$")), .world = STRICT),
	ROW(16, LIFETIME, BAD(CLAIM("exp", "$+3601$")), TWIN(CLAIM("exp", "$+3600$"))),
	ROW(16, LIFETIME, BAD(CLAIM("exp", "$+301$")), TWIN(CLAIM("exp", "$+300$")), .world = STRICT),
	ROW(16, LIFETIME, BAD(CLAIM("iat", "$-1$")), TWIN(CLAIM("iat", "$-0$")), .world = STRICT),
	ROW(16, LIFETIME, BAD(CLAIM("iat", "$+10$"), CLAIM("exp", "$+9$")),
	    TWIN(CLAIM("iat", "$+10$"), CLAIM("exp", "$+11$"))),
	/* sums that would overflow: 2^53 on both sides, and on one */
	ROW(16, ISSUED_IN_FUTURE, BAD(CLAIM("iat", "9007199254740992"), CLAIM("exp", "9007199254740992"))),
	ROW(16, NOT_YET_VALID, BAD(CLAIM("nbf", "9007199254740992"), CLAIM("iat", "9007199254740992"))),
	ROW(16, EXPIRED, BAD(CLAIM("iat", "0"), CLAIM("exp", "0"))),
	/* of others (RFC 7519 s2): any number, to the stricter side; no string, nothing negative, nothing beyond 2^53 */
	ROW(16, CLAIMS, BAD(CLAIM("exp", "\"$+300$.5\"")), TWIN(CLAIM("exp", "$+300$.5")), .world = SET),
	ROW(16, CLAIMS, BAD(CLAIM("iat", "-0.5")), TWIN(CLAIM("iat", "$-1$.5")), .world = SET),
	ROW(16, CLAIMS, BAD(CLAIM("nbf", "9007199254740992.5")), TWIN(CLAIM("nbf", "1.5e3")), .world = SET),
	ROW(16, CLAIMS, BAD(CLAIM("nbf", "1e400")), TWIN(CLAIM("nbf", "1e-400")), .world = SET),
	ROW(16, EXPIRED, BAD(CLAIM("iat", "$-1000$"), CLAIM("exp", "$-30$.9")),
	    TWIN(CLAIM("iat", "$-1000$"), CLAIM("exp", "$-29$.0")), .world = SET),
	ROW(16, NOT_YET_VALID, BAD(CLAIM("nbf", "$+30$.1")), TWIN(CLAIM("nbf", "$+30$.0")), .world = SET),
	ROW(16, ISSUED_IN_FUTURE, BAD(CLAIM("iat", "$+30$.1")), TWIN(CLAIM("iat", "$+30$.0")), .world = SET),
	ROW(16, LIFETIME, BAD(CLAIM("iat", "$+0$.5"), CLAIM("exp", "$+3600$.6")),
	    TWIN(CLAIM("iat", "$+0$.5"), CLAIM("exp", "$+3600$.5")), .world = SET),
	ROW(16, LIFETIME, BAD(CLAIM("iat", "$+0$.5"), CLAIM("exp", "$+0$.5")),
	    TWIN(CLAIM("iat", "$+0$.5"), CLAIM("exp", "$+1$.5")), .world = SET),
	/* a scope of others has none of our words, and no number is a scope */
	ROW(9, SCOPE, BAD(CLAIM("scope", "[\"ssh\"]")), TWIN(CLAIM("scope", "\"ssh\"")), .world = SET),
	ROW(9, SCOPE, BAD(CLAIM("scope", "\"ssh  su\"")), TWIN(CLAIM("scope", "\"ssh su\"")), .world = SET),
	ROW(9, CLAIMS, BAD(CLAIM("scope", "7")), TWIN(CLAIM("scope", "\"ssh\"")), .world = SET),
	ROW(17, ISSUER, BAD(CLAIM("iss", "\"old.example\"")), TWIN(CLAIM("iss", "\"new.example\"")), .world = STRICT),
	ROW(17, AUDIENCE, BAD(CLAIM("aud", "[\"old.example\"]")), TWIN(CLAIM("aud", "[\"other.example\"]")),
	    .world = STRICT),
	/* payloads that no signature stands for are not even parsed, and the first failure is the one that is named */
	ROW(15, SIGNATURE, BAD(KEY("6"), HEADER("kid", "\"B.5\""), WHOLE_CLAIMS("no JSON"))),
	ROW(15, SIGNATURE, BAD(KEY("6"), HEADER("kid", "\"B.5\""), WHOLE_CLAIMS("{\"exp\":\"x\"}"))),
	ROW(15, SIGNATURE, BAD(KEY("6"), HEADER("kid", "\"B.5\""), CLAIM("exp", "$-9000$"))),
	ROW(15, SIGNATURE, BAD(KEY("6"), HEADER("kid", "\"B.5\""), CLAIM("sub", "\"bob\""))),
	ROW(15, SIGNATURE, BAD(KEY("6"), HEADER("kid", "\"B.5\""), HEADER("typ", "\"JWT\""))),
	ROW(15, SIGNATURE, BAD(KEY("6"), HEADER("kid", "\"B.5\""), WHOLE_CLAIMS("$0$\xff\x1b[2J"))),
	ROW(15, SIGNATURE, BAD(KEY("6"), HEADER("kid", "\"B.5\""), WHOLE_CLAIMS("{\"a\":{\"a\":1,\"a\":2}}"))),
	ROW(15, HEADER, BAD(WHOLE_HEADER("{"), WHOLE_CLAIMS("{"))),
	ROW(15, ALG, BAD(HEADER("alg", "\"none\""), WHOLE_CLAIMS("{"))),
	ROW(15, KID, BAD(HEADER("kid", "\"B\""), WHOLE_CLAIMS("{"))),
	ROW(15, KEY_UNKNOWN, BAD(HEADER("kid", "\"B.9\""), WHOLE_CLAIMS("{"))),
	ROW(15, TYP, BAD(HEADER("typ", "\"x\""), WHOLE_CLAIMS("{"))),
};

void
table_claims(struct table *t)
{
	table_lists(t, lists, ARRAY_LEN(lists));
	table_rows(t, rows, ARRAY_LEN(rows));
}
