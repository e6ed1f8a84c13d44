/* SPDX-License-Identifier: MIT */
/*
 * fleet_lines.h - lines of fleet.jws for tests and fuzzers, who are the strangers: by keys that are the same in each run.
 *
 * Keys are numbers: 0 to 7 are fleet keys, 8 + i is the bundle key of issuer i, 24 and above are what tokens are signed
 * with. Issuer i is called "i<i>", has base "I<i>" and iss "i<i>.example". What goes wrong ends the program.
 */
#ifndef RJWT_TEST_FLEET_LINES_H
#define RJWT_TEST_FLEET_LINES_H

#include "fleet/bundle.h"
#include "fleet/document.h"
#include "fleet/roster.h"

#define LINE_KEYS 64
#define LINE_BUNDLE_KEY(i) (8 + (unsigned)(i))
#define LINE_TOKEN_KEY(i, version) (24 + (unsigned)(4 * (i) + (version)) % 40)

struct key *line_key(unsigned number);		    /* a private one; a view */
const struct fleet_key *line_name(unsigned number); /* of its public half; a view */

/* A number of the roster, and as bits which fleet keys and issuers it lists. Both may be changed before they are signed. */
struct roster line_roster(int64_t n, unsigned keys, unsigned issuers);
struct fleet_issuer line_issuer(unsigned i);
/* Of issuer i: iat is serial; active and the next one verify. bundle_clear(). */
struct bundle line_bundle(unsigned i, int64_t serial, int64_t active);
/* Another key for a version of it, in its place. */
void line_bundle_key(struct bundle *bundle, int64_t version, unsigned number);
/* One more version, which expires. */
void line_bundle_add(struct bundle *bundle, int64_t version, int64_t until_s);
/* The denial of a login name, or of a token. */
void line_deny(struct bundle *bundle, const char *user, const char *jti, int64_t until_s);

/* Append a line, with its end, signed by a key. */
void line_put_roster(struct buf *out, unsigned by, const struct roster *roster);
void line_put_bundle(struct buf *out, unsigned by, const struct bundle *bundle);
void line_put(struct buf *out, unsigned by, enum document_type type, struct view payload);

/* A token for alice at host.example, of a version of issuer i, from iat for 300 s. free() */
char *line_token(unsigned i, int64_t version, const char *iss, const char *jti, int64_t iat_s);

#endif
