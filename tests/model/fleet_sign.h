/* SPDX-License-Identifier: MIT */
/*
 * fleet_sign.h - what a thief signs with private keys that lie in a file: of several the first. A file that cannot be read
 * ends the process.
 */
#ifndef RJWT_FLEET_SIGN_H
#define RJWT_FLEET_SIGN_H

#include "base/buf.h"
#include "base/err.h"
#include "fleet/document.h"

/* "roster" or "bundle" */
enum document_type sign_type(const char *name);

/* A line with this payload. Appended. */
RJWT_MUST enum rjwt_err sign_line(const char *file, enum document_type type, struct view payload, struct buf *line);

/* A token with these claims. Appended. */
RJWT_MUST enum rjwt_err sign_token(const char *file, const char *kid, struct view claims, struct buf *text);

/* Which of these public keys, NULL-terminated, signed a line. RJWT_SIGNATURE: none. */
RJWT_MUST enum rjwt_err sign_find(struct view line, enum document_type type, char *const *keys, size_t *number);

#endif
