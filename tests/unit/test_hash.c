/* SPDX-License-Identifier: MIT */
#include "unit.h"
#include "base/hash.h"
#include "base/openssl.h"

static void
sha256(void **state)
{
	/* FIPS 180-4, NIST's examples */
	static const struct {
		struct view bytes;
		const char *hex;
	} rows[] = {
		{ VIEW(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ { NULL, 0 }, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ VIEW("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ VIEW("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
		    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
		{ VIEW("\0"), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
	};
	RJWT_CLEAN(buf_clear) struct buf million = { 0 };
	char hex[DIGEST_HEX];
	char *room = buf_room(&million, 1000000);

	(void)state;
	EXPECT("ready", openssl_ready(NULL), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		EXPECT(rows[i].hex, digest_hex(rows[i].bytes, hex), RJWT_OK);
		assert_string_equal(hex, rows[i].hex);
	}
	assert_non_null(room);
	memset(room, 'a', 1000000);
	EXPECT("a million a", digest_hex(buf_view(&million), hex), RJWT_OK);
	assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Lists that look the same when their parts are put in a row. */
static void
names_do_not_collide(void **state)
{
	static const struct {
		struct view parts[3];
		size_t n;
	} rows[] = {
		{ { { NULL, 0 } }, 0 },
		{ { VIEW("") }, 1 },
		{ { VIEW(""), VIEW("") }, 2 },
		{ { VIEW("abc") }, 1 },
		{ { VIEW("ab"), VIEW("c") }, 2 },
		{ { VIEW("a"), VIEW("bc") }, 2 },
		{ { VIEW("abc"), VIEW("") }, 2 },
		{ { VIEW(""), VIEW("abc") }, 2 },
		{ { VIEW("a"), VIEW("b"), VIEW("c") }, 3 },
		{ { VIEW("1:a1:b") }, 1 },
		{ { VIEW("a1:b") }, 1 },
		{ { VIEW("a"), VIEW("b") }, 2 },
		{ { VIEW("b"), VIEW("a") }, 2 },
		{ { VIEW("a\0b") }, 1 },
		{ { VIEW("a\0") }, 1 },
		{ { VIEW("a") }, 1 },
	};
	char hex[ARRAY_LEN(rows)][DIGEST_HEX], again[DIGEST_HEX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		EXPECT("name", digest_name(rows[i].parts, rows[i].n, hex[i]), RJWT_OK);
		EXPECT("name", digest_name(rows[i].parts, rows[i].n, again), RJWT_OK);
		assert_string_equal(hex[i], again);
		assert_int_equal(strspn(hex[i], "0123456789abcdef"), 64);
		assert_int_equal(strlen(hex[i]), 64);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(hex[i], hex[k]);
	}
}

static void
randomness(void **state)
{
	char first[32] = { 0 }, second[32] = { 0 }, edge[34] = { 0 };

	(void)state;
	EXPECT("random", random_fill(first, sizeof(first)), RJWT_OK);
	EXPECT("random", random_fill(second, sizeof(second)), RJWT_OK);
	assert_memory_not_equal(first, second, sizeof(first));
	EXPECT("random", random_fill(edge + 1, 32), RJWT_OK);
	assert_int_equal(edge[0], 0);
	assert_int_equal(edge[33], 0);
}

static void
seal(struct buf *text, const char *open)
{
	buf_adds(text, open);
	EXPECT(open, seal_add(text), RJWT_OK);
}

static void
sealed_text_is_json_with_its_sum_last(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	struct view sum;
	char hex[DIGEST_HEX];

	(void)state;
	seal(&text, "{\"a\":1");
	EXPECT("sealed", seal_check(buf_view(&text)), RJWT_OK);
	EXPECT("parse", json_parse(buf_view(&text), &json, NULL), RJWT_OK);
	assert_int_equal(json_string(json, "sum", &sum), JSON_GOOD);
	EXPECT("sum", digest_hex(VIEW("{\"a\":1"), hex), RJWT_OK);
	assert_true(view_is(sum, hex));
	assert_memory_equal(text.p, "{\"a\":1,\"sum\":\"", 14);
	assert_string_equal(text.p + 14 + 64, "\"}\n");
}

static void
every_flip_is_seen(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	(void)state;
	seal(&text, "{\"format\":1,\"generation\":7,\"base\":\"abc\"");
	for (size_t i = 0; i < text.n; i++) {
		char kept = text.p[i];

		for (unsigned mask = 1; mask < 256; mask++) {
			text.p[i] = (char)(kept ^ (char)mask);
			EXPECT("flip", seal_check(buf_view(&text)), RJWT_KEYSET);
		}
		text.p[i] = kept;
		EXPECT("flipped back", seal_check(buf_view(&text)), RJWT_OK);
	}
}

static void
every_cut_is_seen(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct view whole;

	(void)state;
	seal(&text, "{\"format\":1,\"generation\":7,\"base\":\"abc\"");
	whole = buf_view(&text);
	for (size_t i = 0; i < whole.n; i++) {
		EXPECT("no end", seal_check(unit_view(whole.p, i)), RJWT_KEYSET);
		if (i > 0)
			EXPECT("no front", seal_check(unit_view(whole.p + i, whole.n - i)), RJWT_KEYSET);
	}
	EXPECT("nothing", seal_check((struct view){ NULL, 0 }), RJWT_KEYSET);
	EXPECT("whole", seal_check(whole), RJWT_OK);
	buf_adds(&text, "\n");
	EXPECT("one byte more", seal_check(buf_view(&text)), RJWT_KEYSET);
}

static void
sums_that_are_not_seals(void **state)
{
	/* 64 hex digits that are the sum of nothing here */
#define SUM "ab6f5ac2c7b1ea2f97ca1b0d3d4c8f7ba76b2f8c5a2c2f3bdba4d3f2a5b0c1d2"
	static const struct view rows[] = { VIEW("{\"a\":1}\n"), VIEW("{\"a\":1,\"sum\":\"\"}\n"),
		VIEW("{\"a\":1,\"sum\":\"" SUM "\"}\n"), VIEW("{\"sum\":\"" SUM "\",\"a\":1}\n"),
		VIEW("{\"a\":1,\"sum\":null}\n"), VIEW("") };
	RJWT_CLEAN(buf_clear) struct buf good = { 0 };
	RJWT_CLEAN(buf_clear) struct buf least = { 0 };
	RJWT_CLEAN(buf_clear) struct buf failed = { .failed = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		EXPECT(rows[i].p, seal_check(rows[i]), RJWT_KEYSET);
	seal(&least, "");
	EXPECT("a seal alone", seal_check(buf_view(&least)), RJWT_OK);
	seal(&good, "{\"a\":1");
	EXPECT("good", seal_check(buf_view(&good)), RJWT_OK);
	for (size_t i = 14; i < 78; i++)
		if (good.p[i] >= 'a' && good.p[i] <= 'f') {
			good.p[i] = (char)(good.p[i] - 'a' + 'A');
			break;
		}
	EXPECT("upper case", seal_check(buf_view(&good)), RJWT_KEYSET);
	EXPECT("no memory", seal_add(&failed), RJWT_MEMORY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256),
		cmocka_unit_test(names_do_not_collide),
		cmocka_unit_test(randomness),
		cmocka_unit_test(sealed_text_is_json_with_its_sum_last),
		cmocka_unit_test(every_flip_is_seen),
		cmocka_unit_test(every_cut_is_seen),
		cmocka_unit_test(sums_that_are_not_seals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
