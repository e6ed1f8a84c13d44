/* SPDX-License-Identifier: MIT */
/*
 * digest.h - SHA-256, random bytes, and texts that vouch for themselves.
 *
 * A sealed text is a JSON object whose last member is "sum": the SHA-256, in hex, of all the bytes
 * before the comma in front of it. It tells a torn or altered file from a whole one; against
 * somebody who may write the file it is no protection, the file's owner and mode are.
 */
#ifndef RJWT_DIGEST_H
#define RJWT_DIGEST_H

#include "buf.h"
#include "err.h"

#define DIGEST_HEX 65 /* 64 hex digits and a NUL */

/*
 * Make libcrypto ready, before anything else calls it: some of its first calls crash when memory
 * runs out, this one says so. RJWT_MEMORY.
 */
RJWT_MUST enum rjwt_err digest_ready(void);

/*
 * First declaration of each function that calls OpenSSL: at its end, whatever the way out, OpenSSL's error
 * queue is as it was. What fails there is told by our own codes; the host's errors stay the host's.
 */
#define OPENSSL_QUIETLY \
	__attribute__((unused)) RJWT_CLEAN(openssl_unmark) int openssl_marked_ = openssl_mark()
int openssl_mark(void);
void openssl_unmark(int *marked);

RJWT_MUST enum rjwt_err digest_hex(struct view bytes, char hex[static DIGEST_HEX]);

/*
 * SHA-256 over the parts, each preceded by its length, so that no two lists collide. Names files
 * by what an outsider may have chosen. Who names many keeps a hasher. RJWT_INTERNAL, RJWT_MEMORY.
 */
RJWT_MUST enum rjwt_err digest_name(const struct view *parts, size_t n,
    char hex[static DIGEST_HEX]);

struct hasher;
RJWT_MUST enum rjwt_err hasher_new(struct hasher **hasher);
RJWT_MUST enum rjwt_err hasher_name(struct hasher *hasher, const struct view *parts, size_t n,
    char hex[static DIGEST_HEX]);
void hasher_free(struct hasher *hasher); /* NULL is fine */

/* Cryptographically secure random bytes. RJWT_INTERNAL. */
RJWT_MUST enum rjwt_err random_fill(void *p, size_t n);

/* Add the sum and close the object; text holds a JSON object without its closing brace. */
RJWT_MUST enum rjwt_err seal_add(struct buf *text);
/* RJWT_KEYSET: there is no sum, or a wrong one. */
RJWT_MUST enum rjwt_err seal_check(struct view text);

#endif
