/* SPDX-License-Identifier: MIT */
/*
 * base64url.h - RFC 4648 s5 without padding (RFC 7515 s2), canonical only.
 */
#ifndef RJWT_BASE64URL_H
#define RJWT_BASE64URL_H

#include "base/buf.h"
#include "base/err.h"

/*
 * What makes text non-canonical base64url: a byte outside A-Z a-z 0-9 - _, a length of 1 modulo 4, unused
 * bits that are not zero. NULL: nothing does. Static.
 */
const char *base64url_check(struct view text);

/* Decode canonical base64url and append it to out. On error out is unchanged. RJWT_MALFORMED, RJWT_MEMORY. */
RJWT_MUST enum rjwt_err base64url_decode(struct view text, struct buf *out);
void base64url_encode(struct buf *out, struct view bytes);

#endif
