/* SPDX-License-Identifier: MIT */
/* Rules 30 and 31: keys that nothing vouches for, or no longer. */
#include "table.h"

#include "unit.h"

static const struct row rows[] = {
	/* below floor, above next, of another keyset: whatever lies in keys/ */
	ROW(31, KEY_UNKNOWN, BAD(KEY("1")), TWIN(KEY("5"))),
	ROW(31, KEY_UNKNOWN, BAD(KEY("7")), TWIN(KEY("6"))),
	ROW(31, KEY_UNKNOWN, BAD(KEY("5"), HEADER("kid", "\"B.8\"")), TWIN(KEY("5"))),
	ROW(31, KEY_UNKNOWN, BAD(KEY("5"), HEADER("kid", "\"B.1\"")), TWIN(KEY("5"))),
	ROW(31, KEY_UNKNOWN, BAD(KEY("7"), HEADER("kid", "\"B.8\"")), TWIN(KEY("6"))),
	ROW(30, KEY_UNKNOWN, BAD(HEADER("kid", "\"A.5\"")), TWIN(HEADER("kid", "\"B.5\""))),
	ROW(30, KEY_UNKNOWN, BAD(HEADER("kid", "\"ca-2025.5\"")), TWIN(HEADER("kid", "\"B.5\""))),
	ROW(31, SIGNATURE, BAD(KEY("7"), HEADER("kid", "\"B.6\"")), TWIN(KEY("6"))),
	ROW(31, SIGNATURE, BAD(KEY("1"), HEADER("kid", "\"B.5\"")), TWIN(KEY("5"))),
	/* revoked, past its exp, retired before the token was issued */
	ROW(31, KEY_REVOKED, BAD(KEY("2"), CLAIM("iat", "$-600$")), TWIN(KEY("4"), CLAIM("iat", "$-600$"))),
	ROW(31, KEY_REVOKED, BAD(KEY("2"))),
	ROW(31, KEY_REVOKED, BAD(KEY("5"), HEADER("kid", "\"B.2\""))),
	ROW(31, KEY_RETIRED, BAD(KEY("3"), CLAIM("iat", "$-200$")), TWIN(KEY("4"), CLAIM("iat", "$-200$"))),
	ROW(31, KEY_RETIRED, BAD(KEY("5"), HEADER("kid", "\"B.3\""))),
	ROW(31, KEY_RETIRED, BAD(KEY("4")), TWIN(KEY("4"), CLAIM("iat", "$-100$"))),
	ROW(31, KEY_RETIRED, BAD(KEY("4"), CLAIM("iat", "$-69$")), TWIN(KEY("4"), CLAIM("iat", "$-70$"))),
	ROW(31, KEY_RETIRED, BAD(KEY("4"), CLAIM("iat", "$+20$")), TWIN(KEY("5"), CLAIM("iat", "$+20$"))),
	/* keys of a set have times too */
	ROW(31, KEY_UNKNOWN, BAD(KEY("ES256"), HEADER("kid", "\"early\"")), TWIN(KEY("ES256")), .world = SET),
	ROW(31, KEY_RETIRED, BAD(KEY("ES256"), HEADER("kid", "\"late\"")), TWIN(KEY("ES256")), .world = SET),
	ROW(31, KEY_REVOKED, BAD(KEY("ES256"), HEADER("kid", "\"revoked\"")), TWIN(KEY("ES256")), .world = SET),
	ROW(31, SIGNATURE, BAD(KEY("5"), HEADER("kid", "\"ES256\"")), TWIN(KEY("ES256")), .world = SET),
	ROW(31, KEY_UNKNOWN, BAD(KEY("5")), TWIN(KEY("ES256")), .world = SET),
	ROW(31, SIGNATURE, BAD(KEY("ES256"), HEADER("kid", "\"B.5\"")), TWIN(KEY("5"))),
};

void
table_keys(struct table *t)
{
	table_rows(t, rows, ARRAY_LEN(rows));
}
