/* SPDX-License-Identifier: MIT */
/*
 * jws.h - JWS compact serialization and the JOSE header (RFC 7515 s3.1, s4.1; RFC 8725).
 *
 * The steps of the verifier, one function for each reason code:
 * jws_split(), jws_header(), then jws_verify() with the key that kid names.
 */
#ifndef RJWT_JWS_H
#define RJWT_JWS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "jose/key.h"
#include "jose/provider.h"

struct jws {
	struct view header, payload, signature; /* base64url; views into the token */
	struct view input;			/* header.payload, the signed bytes */
	struct json json;			/* the JOSE header */
	struct view alg, kid, typ;		/* views into json; kid and typ .p NULL: absent */
};

/*
 * Split at exactly two dots into non-empty parts of canonical base64url. RJWT_MALFORMED; why is static.
 * empty_payload: the payload may be empty, as in any JWS; a JWT has claims.
 */
RJWT_MUST enum rjwt_err jws_split(struct view token, bool empty_payload, struct jws *jws, const char **why);

/*
 * Read the header: strict JSON; alg a string, kid and typ strings if present; crit, b64, zip, cty, jwk,
 * jku, x5c, x5u, x5t, x5t#S256 rejected with any value, because none is supported. foreign: others sign tokens with
 * x5t and x5t#S256, which name a certificate and fetch nothing: both are ignored.
 * RJWT_HEADER, RJWT_MEMORY. Call jws_clear() afterwards, also on error.
 */
RJWT_MUST enum rjwt_err jws_header(struct jws *jws, bool foreign, struct rjwt_diag *diag);

/*
 * Verify with the algorithm of the key, never that of the token; then decode the payload and append it to
 * payload. RJWT_SIGNATURE, also for a payload that is not base64url; RJWT_MEMORY.
 * short_by (may be NULL): how many bytes the signature is too short for the key.
 */
RJWT_MUST enum rjwt_err jws_verify(const struct jws *jws, struct key *key, struct buf *payload, size_t *short_by);

/* Sign header and payload (JSON), and append the compact serialization to token. */
RJWT_MUST enum rjwt_err jws_sign(struct signer *signer, struct view header, struct view payload, struct buf *token);

/* The types of documents, which are not tokens: no token may have one of them, in any spelling of a media type. */
#define JWS_TYP_ROSTER "rjwt-roster+jws"
#define JWS_TYP_BUNDLE "rjwt-bundle+jws"
bool jws_typ_is_document(struct view typ);

/* A media type without application/, which may be left out (RFC 7515 s4.1.9); view. Case does not matter. */
struct view jws_media_type(struct view typ);

/* Whether rjwt itself reads, writes or rejects a header member of this name. */
bool jws_is_reserved(struct view name);
void jws_clear(struct jws *jws);

#endif
