/* SPDX-License-Identifier: MIT */
/*
 * hash.h - SHA-256, and texts sealed with their own checksum.
 *
 * A sealed text is a JSON object whose last member is "sum": the SHA-256, in hex, of all the bytes
 * before the comma in front of it. It detects a damaged file. It does not protect against somebody who
 * may write the file: owner and mode of the file do.
 */
#ifndef RJWT_DIGEST_H
#define RJWT_DIGEST_H

#include "base/buf.h"
#include "base/err.h"

#define DIGEST_HEX 65 /* 64 hex digits and a NUL */

#define DIGEST_BYTES 32

RJWT_MUST enum rjwt_err digest_bytes(struct view bytes, unsigned char sum[static DIGEST_BYTES]);
RJWT_MUST enum rjwt_err digest_hex(struct view bytes, char hex[static DIGEST_HEX]);

/*
 * SHA-256 over the parts, each preceded by its length, so that no two lists collide. It gives file names
 * for text that an outsider may have chosen. For many names, keep a hasher. RJWT_INTERNAL, RJWT_MEMORY.
 */
RJWT_MUST enum rjwt_err digest_name(const struct view *parts, size_t n, char hex[static DIGEST_HEX]);

struct hasher;
RJWT_MUST enum rjwt_err hasher_new(struct hasher **hasher);
RJWT_MUST enum rjwt_err
hasher_name(struct hasher *hasher, const struct view *parts, size_t n, char hex[static DIGEST_HEX]);
void hasher_free(struct hasher *hasher); /* NULL is fine */
void hasher_clean(struct hasher **hasher);

/* Add the sum and the closing brace to text, a JSON object without its closing brace. */
RJWT_MUST enum rjwt_err seal_add(struct buf *text);
/* RJWT_KEYSET: the sum is missing or wrong. */
RJWT_MUST enum rjwt_err seal_check(struct view text);

#endif
