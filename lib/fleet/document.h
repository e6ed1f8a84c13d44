/* SPDX-License-Identifier: MIT */
/*
 * document.h - one line of fleet.jws: a compact JWS (RFC 7515), Ed25519 (RFC 8037), whose header is exactly
 * {"alg":"EdDSA","typ":"..."} and whose payload is a strict JSON object. Pure: no files, no clocks.
 *
 * A public key is named by the 43 characters of base64url that its JWK has as x.
 */
#ifndef RJWT_DOCUMENT_H
#define RJWT_DOCUMENT_H

#include "base/buf.h"
#include "base/err.h"
#include "jose/key.h"

#define DOCUMENT_LINE_MAX (256 * 1024) /* bytes, without the line end */
#define DOCUMENT_FILE_MAX (4 * 1024 * 1024)
#define DOCUMENT_LINES_MAX 256

#define FLEET_KEY_LENGTH 43
struct fleet_key {
	char text[FLEET_KEY_LENGTH + 1];
};

enum document_type { DOCUMENT_ROSTER, DOCUMENT_BUNDLE };

/* The type that a line claims to have, judged by its header alone. False: it has none, or is too long. */
bool document_type(struct view line, enum document_type *type);

/*
 * Verify a line and append its payload, of which nothing is read before. RJWT_MALFORMED: not a line of this type;
 * RJWT_SIGNATURE: this key did not sign it; RJWT_MEMORY, RJWT_INTERNAL.
 */
RJWT_MUST enum rjwt_err
document_open(struct view line, enum document_type type, const struct fleet_key *key, struct buf *payload);

/* Sign a payload and append the line, without a line end. RJWT_TOO_LONG: it would be longer than DOCUMENT_LINE_MAX. */
RJWT_MUST enum rjwt_err
document_make(struct key *private, enum document_type type, struct view payload, struct buf *line);

/* The next line of a file, which it is taken off from; empty lines are left out. False at the end. */
bool document_next(struct view *file, struct view *line);

/*
 * Whether a text names a public key that can verify: RJWT_KEYSET: it does not; RJWT_MEMORY, RJWT_INTERNAL. fleet_key_read()
 * looks at its form alone. key may be NULL.
 */
RJWT_MUST enum rjwt_err fleet_key_parse(struct view text, struct fleet_key *key);
bool fleet_key_read(struct view text, struct fleet_key *key);
/* The name of the public half of an Ed25519 key. */
RJWT_MUST enum rjwt_err fleet_key_of(const struct key *private, struct fleet_key *key);
bool fleet_key_eq(const struct fleet_key *a, const struct fleet_key *b);

#endif
