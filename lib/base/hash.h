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

#include "base/buf.h"
#include "base/err.h"

#define DIGEST_HEX 65 /* 64 hex digits and a NUL */

RJWT_MUST enum rjwt_err digest_hex(struct view bytes, char hex[static DIGEST_HEX]);

/*
 * SHA-256 over the parts, each preceded by its length, so that no two lists collide. Names files
 * by what an outsider may have chosen. Who names many keeps a hasher. RJWT_INTERNAL, RJWT_MEMORY.
 */
RJWT_MUST enum rjwt_err digest_name(const struct view *parts, size_t n, char hex[static DIGEST_HEX]);

struct hasher;
RJWT_MUST enum rjwt_err hasher_new(struct hasher **hasher);
RJWT_MUST enum rjwt_err
hasher_name(struct hasher *hasher, const struct view *parts, size_t n, char hex[static DIGEST_HEX]);
void hasher_free(struct hasher *hasher); /* NULL is fine */

/* Add the sum and close the object; text holds a JSON object without its closing brace. */
RJWT_MUST enum rjwt_err seal_add(struct buf *text);
/* RJWT_KEYSET: there is no sum, or a wrong one. */
RJWT_MUST enum rjwt_err seal_check(struct view text);

#endif
