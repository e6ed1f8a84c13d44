/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
#include "fixture.h"

#include <stdio.h>

static void
test_kid_grammar(void **state)
{
	static const struct {
		const char *kid;
		enum rjwt_err err;
		int64_t version;
	} rows[] = {
		{ "B.1", RJWT_OK, 1 },
		{ "B.99", RJWT_OK, 99 },
		{ "B.2147483647", RJWT_OK, 2147483647 },
		{ "C.1", RJWT_KEY_UNKNOWN, 0 },
		{ "b.1", RJWT_KEY_UNKNOWN, 0 },
		{ "BB.1", RJWT_KEY_UNKNOWN, 0 },
		{ "_-.1", RJWT_KEY_UNKNOWN, 0 },
		{ "", RJWT_KID, 0 },
		{ "B", RJWT_KID, 0 },
		{ ".1", RJWT_KID, 0 },
		{ "B.", RJWT_KID, 0 },
		{ "B.0", RJWT_KID, 0 },
		{ "B.00", RJWT_KID, 0 },
		{ "B.002", RJWT_KID, 0 },
		{ "B.2147483648", RJWT_KID, 0 },
		{ "B.18446744073709551617", RJWT_KID, 0 },
		{ "B.99999999999999999999999999", RJWT_KID, 0 },
		{ "B.1.1", RJWT_KID, 0 },
		{ "B..1", RJWT_KID, 0 },
		{ "B.-1", RJWT_KID, 0 },
		{ "B.+1", RJWT_KID, 0 },
		{ "B. 1", RJWT_KID, 0 },
		{ "B.1 ", RJWT_KID, 0 },
		{ " B.1", RJWT_KID, 0 },
		{ "B.1\n", RJWT_KID, 0 },
		{ "B.0x1", RJWT_KID, 0 },
		{ "B.1e0", RJWT_KID, 0 },
		{ "B.\xc2\xb2", RJWT_KID, 0 },
		{ "B.\xd9\xa1", RJWT_KID, 0 },
		{ "B/.1", RJWT_KID, 0 },
		{ "../B.1", RJWT_KID, 0 },
		{ "\xc3\xa9.1", RJWT_KID, 0 },
		{ "abcdefghijklmnopqrstuvwxyz1234567.1", RJWT_KID, 0 },
		{ "abcdefghijklmnopqrstuvwxyz123456.1", RJWT_KEY_UNKNOWN, 0 },
	};
	struct keyset k = keyset_of_three();
	char kid[RJWT_ID_SIZE];
	int64_t version;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		version = -7;
		want(rows[i].kid, keyset_kid_parse(&k, view_of(rows[i].kid), &version), rows[i].err);
		assert_true(version == (rows[i].err == RJWT_OK ? rows[i].version : -7));
	}
	want("NUL", keyset_kid_parse(&k, VIEW("B.1\0"), &version), RJWT_KID);
	want("NUL", keyset_kid_parse(&k, VIEW("B\0.1"), &version), RJWT_KID);
	strcpy(k.base, "abcdefghijklmnopqrstuvwxyz123456");
	keyset_kid_format(&k, KEYSET_VERSION_MAX, kid);
	assert_string_equal(kid, "abcdefghijklmnopqrstuvwxyz123456.2147483647");
	want("longest", keyset_kid_parse(&k, view_of(kid), &version), RJWT_OK);
	assert_true(version == KEYSET_VERSION_MAX);
}

static void
test_vouch(void **state)
{
	static const struct {
		int64_t version, retired_s, until_s, revoked_s;
		enum rjwt_err err;
		int64_t until_after;
	} rows[] = {
		{ 1, 5, 9, 0, RJWT_KEY_UNKNOWN, 9 }, /* below floor */
		{ 2, 5, 9, 0, RJWT_OK, 9 },
		{ 2, 5, 0, 7, RJWT_OK, 0 },
		{ 2, 5, 9, 7, RJWT_OK, 9 },
		{ 2, 5, 0, 0, RJWT_KEYSET, 0 },
		{ 2, 0, 0, 0, RJWT_KEYSET, 0 },
		{ 3, 5, 9, 7, RJWT_OK, 0 }, /* active, next: stamps do not count */
		{ 4, 5, 9, 7, RJWT_OK, 0 },
		{ 5, 0, 0, 0, RJWT_KEY_UNKNOWN, 0 },
		{ 5, 5, 9, 0, RJWT_KEY_UNKNOWN, 9 },
		{ 0, 5, 9, 0, RJWT_KEY_UNKNOWN, 9 },
		{ -1, 5, 9, 0, RJWT_KEY_UNKNOWN, 9 },
	};
	struct keyset k = keyset_of_three();

	(void)state;
	k.floor = 2;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct jwk jwk = { .retired_s = rows[i].retired_s,
			.until_s = rows[i].until_s,
			.revoked_s = rows[i].revoked_s };
		char name[16];

		snprintf(name, sizeof(name), "row %zu", i);
		want(name, keyset_check_key(&k, rows[i].version, &jwk), rows[i].err);
		assert_true(rows[i].err != RJWT_OK || jwk.until_s == rows[i].until_after);
		assert_true(rows[i].version < 3 || rows[i].err != RJWT_OK || jwk.revoked_s == 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_kid_grammar), cmocka_unit_test(test_vouch) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
