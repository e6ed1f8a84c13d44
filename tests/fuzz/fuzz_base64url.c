/* SPDX-License-Identifier: MIT */
/* base64url: what decodes has one spelling, and a decoder that goes bit by bit reads the same. */
#include "base/base64url.h"
#include "fuzz.h"
#include "base/buf.h"

#include <string.h>

const char fuzz_name[] = "base64url";
enum { DECODED, REFUSED };
const char *const fuzz_sights[] = { "decoded", "refused", NULL };

/* Bits of the letters, first one first; false: they are no whole bytes, or there is another letter. */
static bool
read_bits(struct view text, struct buf *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned have = 0, bits = 0;

	for (size_t i = 0; i < text.n; i++) {
		const char *letter = memchr(letters, text.p[i], 64);

		if (letter == NULL)
			return false;
		for (int k = 5; k >= 0; k--) {
			bits = bits << 1 | ((unsigned)(letter - letters) >> k & 1);
			if (++have % 8 == 0) {
				char byte = (char)(bits & 0xff);

				buf_add(out, &byte, 1);
				bits = 0;
			}
		}
	}
	return have % 8 < 6 && bits == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct view text = { (const char *)data, size };
	RJWT_CLEAN(buf_clear) struct buf decoded = { 0 };
	RJWT_CLEAN(buf_clear) struct buf wanted = { 0 };
	RJWT_CLEAN(buf_clear) struct buf again = { 0 };
	enum rjwt_err err = base64url_decode(text, &decoded);

	FUZZ_CHECK((err == RJWT_OK) == (base64url_check(text) == NULL));
	FUZZ_CHECK((err == RJWT_OK) == read_bits(text, &wanted));
	if (err == RJWT_OK) {
		FUZZ_SAW(DECODED);
		FUZZ_CHECK(view_eq(buf_view(&decoded), buf_view(&wanted)));
		base64url_encode(&again, buf_view(&decoded));
		FUZZ_CHECK(view_eq(buf_view(&again), text));
	} else {
		FUZZ_SAW(REFUSED);
		FUZZ_CHECK(err == RJWT_MALFORMED && decoded.n == 0);
	}
	buf_clear(&decoded);
	buf_clear(&again);
	base64url_encode(&again, text);
	FUZZ_CHECK(base64url_decode(buf_view(&again), &decoded) == RJWT_OK);
	FUZZ_CHECK(view_eq(buf_view(&decoded), text));
	return 0;
}
