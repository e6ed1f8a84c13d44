/* SPDX-License-Identifier: MIT */
/*
 * jws.h - JWS compact serialization and the JOSE header (RFC 7515 s3.1, s4.1; RFC 8725).
 *
 * The steps of the verifier, each its own function, because each has its own reason code:
 * jws_split(), jws_header(), then, with the key that kid names, jws_verify().
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
	struct view input;			/* header.payload: what is signed */
	struct json json;			/* the JOSE header */
	struct view alg, kid, typ;		/* views into json; kid and typ .p NULL: absent */
};

/* Exactly two dots, no empty part, canonical base64url. RJWT_MALFORMED; why is static. */
RJWT_MUST enum rjwt_err jws_split(struct view token, struct jws *jws, const char **why);

/*
 * Read the header: strict JSON; alg a string, kid and typ strings if there; crit, b64, zip, cty, jwk,
 * jku, x5c, x5u, x5t, x5t#S256 refused in any form, for nothing here understands them.
 * RJWT_HEADER, RJWT_MEMORY. After it jws_clear() is due.
 */
RJWT_MUST enum rjwt_err jws_header(struct jws *jws, struct rjwt_diag *diag);

/*
 * Verify, with the algorithm of the key and never the token's, and decode the payload.
 * payload appended. RJWT_SIGNATURE, also for a payload that is no base64url; RJWT_MEMORY.
 * short_by, may be NULL: by how many bytes the signature falls short of its key's.
 */
RJWT_MUST enum rjwt_err jws_verify(const struct jws *jws, struct key *key, struct buf *payload, size_t *short_by);

/* header and payload are JSON; the compact serialization is appended to token. */
RJWT_MUST enum rjwt_err jws_sign(struct signer *signer, struct view header, struct view payload, struct buf *token);

/* Whether a free header member of this name would be one that rjwt reads, writes or refuses. */
bool jws_is_reserved(struct view name);
void jws_clear(struct jws *jws);

#endif
