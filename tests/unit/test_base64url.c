/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
#include "unit.h"
#include "base/base64url.h"
#include "base/hash.h"
#include "base/openssl.h"

static void
vectors(void **state)
{
	/* RFC 4648 s10 without padding, RFC 7515 App. C, and the two characters of s5 */
	static const struct {
		struct view bytes;
		const char *text;
	} rows[] = {
		{ VIEW(""), "" },
		{ VIEW("f"), "Zg" },
		{ VIEW("fo"), "Zm8" },
		{ VIEW("foo"), "Zm9v" },
		{ VIEW("foob"), "Zm9vYg" },
		{ VIEW("fooba"), "Zm9vYmE" },
		{ VIEW("foobar"), "Zm9vYmFy" },
		{ VIEW("\x03\xec\xff\xe0\xc1"), "A-z_4ME" },
		{ VIEW("\xfb\xff\xbf"), "-_-_" },
		{ VIEW("\0"), "AA" },
		{ VIEW("\0\0\0"), "AAAA" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };
		RJWT_CLEAN(buf_clear) struct buf bytes = { 0 };

		base64url_encode(&text, rows[i].bytes);
		CHECK(rows[i].text, view_is(buf_view(&text), rows[i].text));
		EXPECT(rows[i].text, base64url_decode(view_of(rows[i].text), &bytes), RJWT_OK);
		CHECK(rows[i].text, view_eq(buf_view(&bytes), rows[i].bytes));
		CHECK(rows[i].text, bytes.p == NULL || bytes.p[bytes.n] == '\0');
	}
}

static void
refusals(void **state)
{
	/* Each beside a twin: "Zg", "Zm8", "Zm9v" and "Zm9vYg" are good. */
	static const struct view rows[] = {
		VIEW("Z"),
		VIEW("Zm9vY"),
		VIEW("Zg=="),
		VIEW("Zm8="),
		VIEW("Zg="),
		VIEW("="),
		VIEW("Zm9v="),
		VIEW("Zh"),
		VIEW("Zo"),
		VIEW("Z_"),
		VIEW("Zm9"),
		VIEW("Zm-"),
		VIEW("Zm_"),
		VIEW("Zm9vYh"),
		VIEW("Zm9+"),
		VIEW("Zm9/"),
		VIEW("Zm9."),
		VIEW(" Zm9v"),
		VIEW("Zm9v "),
		VIEW("Zm 9v"),
		VIEW("Zm9v\n"),
		VIEW("\nZm9"),
		VIEW("Zm9\r"),
		VIEW("Zm9\t"),
		VIEW("Zm9\0"),
		VIEW("\0\0\0\0"),
		VIEW("Zg\0\0"),
		VIEW("Zm9\x80"),
		VIEW("Zm\xc3\xa4"),
		VIEW("Zm9\xff"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf out = { 0 };

		buf_adds(&out, "kept");
		CHECK(rows[i].p, base64url_check(rows[i]) != NULL);
		EXPECT(rows[i].p, base64url_decode(rows[i], &out), RJWT_MALFORMED);
		CHECK(rows[i].p, view_is(buf_view(&out), "kept"));
	}
}

static void
reasons(void **state)
{
	(void)state;
	assert_null(base64url_check(VIEW("")));
	assert_null(base64url_check((struct view){ NULL, 0 }));
	assert_null(base64url_check(VIEW("Zm9vYg")));
	assert_non_null(strstr(base64url_check(VIEW("Zm9+Yg")), "byte"));
	assert_non_null(strstr(base64url_check(VIEW("Zm9vY")), "length"));
	assert_non_null(strstr(base64url_check(VIEW("Zm9vYh")), "bits"));
}

/* All 256 bytes at all four places: exactly the 64 of RFC 4648 s5 pass. */
static void
alphabet(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++)
		for (size_t at = 0; at < 4; at++) {
			bool good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
				    c == '-' || c == '_';
			char text[4] = { 'A', 'A', 'A', 'A' };

			text[at] = (char)c;
			assert_int_equal(base64url_check((struct view){ text, 4 }) == NULL, good);
		}
}

/* Of the texts of 2 and 3 characters just those pass that encoding makes: 256 and 65536. */
static void
one_text_for_each_value(void **state)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned two = 0, three = 0;

	(void)state;
	for (unsigned i = 0; i < 64 * 64 * 64; i++) {
		const char text[3] = { letters[i / 4096], letters[i / 64 % 64], letters[i % 64] };

		three += base64url_check((struct view){ text, 3 }) == NULL;
		two += i < 4096 && base64url_check((struct view){ text + 1, 2 }) == NULL;
	}
	assert_int_equal(two, 256);
	assert_int_equal(three, 65536);
}

static void
every_length_there_and_back(void **state)
{
	char bytes[301];

	(void)state;
	EXPECT("random", random_fill(bytes, sizeof(bytes)), RJWT_OK);
	for (size_t n = 0; n <= 300; n++) {
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };
		RJWT_CLEAN(buf_clear) struct buf back = { 0 };

		buf_adds(&text, "kept");
		base64url_encode(&text, unit_view(bytes, n));
		assert_int_equal(text.n, 4 + (n * 8 + 5) / 6);
		buf_adds(&back, "kept");
		EXPECT("back", base64url_decode(unit_view(text.p + 4, text.n - 4), &back), RJWT_OK);
		assert_int_equal(back.n, 4 + n);
		assert_memory_equal(back.p, "kept", 4);
		assert_memory_equal(back.p + 4, bytes, n);
		assert_memory_equal(text.p, "kept", 4);
	}
}

static void
memory(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf out = { .failed = true };

	(void)state;
	EXPECT("failed before", base64url_decode(VIEW("Zm9v"), &out), RJWT_MEMORY);
	base64url_encode(&out, VIEW("foo"));
	assert_int_equal(out.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(refusals),
		cmocka_unit_test(reasons),
		cmocka_unit_test(alphabet),
		cmocka_unit_test(one_text_for_each_value),
		cmocka_unit_test(every_length_there_and_back),
		cmocka_unit_test(memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
