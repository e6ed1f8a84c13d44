/* SPDX-License-Identifier: MIT */
#include "digest.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <string.h>

#define SEAL_HEAD ",\"sum\":\""
#define SEAL_TAIL "\"}\n"
#define SEAL_SIZE (sizeof(SEAL_HEAD) - 1 + (DIGEST_HEX - 1) + sizeof(SEAL_TAIL) - 1)

int
openssl_mark(void)
{
	return ERR_set_mark(); /* 0: the queue is empty, and popping will empty it */
}

void
openssl_unmark(int *marked)
{
	(void)marked;
	(void)ERR_pop_to_mark();
}

enum rjwt_err
digest_ready(void)
{
	OPENSSL_QUIETLY;

	if (OPENSSL_init_crypto(0, NULL) != 1 || OSSL_LIB_CTX_get0_global_default() == NULL)
		return RJWT_MEMORY;
	return RJWT_OK;
}

enum rjwt_err
digest_hex(struct view bytes, char hex[static DIGEST_HEX])
{
	OPENSSL_QUIETLY;
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[32];
	size_t n = 0;

	if (EVP_Q_digest(NULL, "SHA256", NULL, bytes.n == 0 ? "" : bytes.p, bytes.n, sum, &n) != 1 ||
	    n != sizeof(sum))
		return RJWT_INTERNAL;
	for (size_t i = 0; i < sizeof(sum); i++) {
		hex[2 * i] = digits[sum[i] >> 4];
		hex[2 * i + 1] = digits[sum[i] & 15];
	}
	hex[DIGEST_HEX - 1] = '\0';
	return RJWT_OK;
}

enum rjwt_err
digest_name(const struct view *parts, size_t n, char hex[static DIGEST_HEX])
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	for (size_t i = 0; i < n; i++) {
		buf_addf(&text, "%zu:", parts[i].n);
		buf_add_view(&text, parts[i]);
	}
	RJWT_TRY(buf_done(&text));
	return digest_hex(buf_view(&text), hex);
}

enum rjwt_err
random_fill(void *p, size_t n)
{
	OPENSSL_QUIETLY;

	return RAND_bytes_ex(NULL, p, n, 0) == 1 ? RJWT_OK : RJWT_INTERNAL;
}

enum rjwt_err
seal_add(struct buf *text)
{
	char hex[DIGEST_HEX];

	RJWT_TRY(buf_done(text));
	RJWT_TRY(digest_hex(buf_view(text), hex));
	buf_addf(text, "%s%s%s", SEAL_HEAD, hex, SEAL_TAIL);
	return buf_done(text);
}

enum rjwt_err
seal_check(struct view text)
{
	char hex[DIGEST_HEX];
	struct view tail;

	if (text.n < SEAL_SIZE)
		return RJWT_KEYSET;
	text.n -= SEAL_SIZE;
	RJWT_TRY(digest_hex(text, hex));
	tail = (struct view){ text.p + text.n, SEAL_SIZE };
	if (memcmp(tail.p, SEAL_HEAD, sizeof(SEAL_HEAD) - 1) != 0 ||
	    memcmp(tail.p + sizeof(SEAL_HEAD) - 1, hex, DIGEST_HEX - 1) != 0 ||
	    memcmp(tail.p + SEAL_SIZE - (sizeof(SEAL_TAIL) - 1), SEAL_TAIL, sizeof(SEAL_TAIL) - 1) != 0)
		return RJWT_KEYSET;
	return RJWT_OK;
}
