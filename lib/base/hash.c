/* SPDX-License-Identifier: MIT */
#include "base/hash.h"
#include "base/openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEAL_HEAD ",\"sum\":\""
#define SEAL_TAIL "\"}\n"
#define SEAL_SIZE (sizeof(SEAL_HEAD) - 1 + (DIGEST_HEX - 1) + sizeof(SEAL_TAIL) - 1)

static void
format_sum(const unsigned char sum[static DIGEST_BYTES], char hex[static DIGEST_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		hex[2 * i] = digits[sum[i] >> 4];
		hex[2 * i + 1] = digits[sum[i] & 15];
	}
	hex[DIGEST_HEX - 1] = '\0';
}

enum rjwt_err
digest_bytes(struct view bytes, unsigned char sum[static DIGEST_BYTES])
{
	OPENSSL_QUIETLY;
	size_t n = 0;

	if (EVP_Q_digest(NULL, "SHA256", NULL, bytes.n == 0 ? "" : bytes.p, bytes.n, sum, &n) != 1 || n != DIGEST_BYTES)
		return RJWT_INTERNAL;
	return RJWT_OK;
}

enum rjwt_err
digest_hex(struct view bytes, char hex[static DIGEST_HEX])
{
	unsigned char sum[DIGEST_BYTES];

	RJWT_TRY(digest_bytes(bytes, sum));
	format_sum(sum, hex);
	return RJWT_OK;
}

/* --- names ------------------------------------------------------------------------------------ */

struct hasher {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
};

void
hasher_free(struct hasher *hasher)
{
	if (hasher == NULL)
		return;
	EVP_MD_CTX_free(hasher->ctx);
	EVP_MD_free(hasher->md);
	free(hasher);
}

void
hasher_clean(struct hasher **hasher)
{
	hasher_free(*hasher);
}

enum rjwt_err
hasher_new(struct hasher **hasher)
{
	OPENSSL_QUIETLY;
	RJWT_CLEAN(hasher_clean) struct hasher *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return RJWT_MEMORY;
	made->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	made->ctx = EVP_MD_CTX_new();
	if (made->md == NULL || made->ctx == NULL)
		return RJWT_INTERNAL;
	*hasher = RJWT_STEAL(made);
	return RJWT_OK;
}

static bool
add_part(EVP_MD_CTX *ctx, struct view part)
{
	char length[24];
	int n = snprintf(length, sizeof(length), "%zu:", part.n);

	return EVP_DigestUpdate(ctx, length, (size_t)n) == 1 &&
	       (part.n == 0 || EVP_DigestUpdate(ctx, part.p, part.n) == 1);
}

enum rjwt_err
hasher_name(struct hasher *hasher, const struct view *parts, size_t n, char hex[static DIGEST_HEX])
{
	OPENSSL_QUIETLY;
	unsigned char sum[DIGEST_BYTES];
	unsigned have = 0;

	if (EVP_DigestInit_ex2(hasher->ctx, hasher->md, NULL) != 1)
		return RJWT_INTERNAL;
	for (size_t i = 0; i < n; i++)
		if (!add_part(hasher->ctx, parts[i]))
			return RJWT_INTERNAL;
	if (EVP_DigestFinal_ex(hasher->ctx, sum, &have) != 1 || have != sizeof(sum))
		return RJWT_INTERNAL;
	format_sum(sum, hex);
	return RJWT_OK;
}

enum rjwt_err
digest_name(const struct view *parts, size_t n, char hex[static DIGEST_HEX])
{
	RJWT_CLEAN(hasher_clean) struct hasher *hasher = NULL;

	RJWT_TRY(hasher_new(&hasher));
	return hasher_name(hasher, parts, n, hex);
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
