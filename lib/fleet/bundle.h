/* SPDX-License-Identifier: MIT */
/*
 * bundle.h - what an issuer publishes, as a value: its public keys, its counters and its denials. Pure.
 */
#ifndef RJWT_BUNDLE_H
#define RJWT_BUNDLE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "jose/jwk.h"
#include "keyset/keyset.h"

#define BUNDLE_DENIALS_MAX 2000 /* of tokens and of users, together */
#define BUNDLE_KEYS_MAX 256

/* Tokens with iat <= until_s are rejected: of one id, or of one login name. */
struct denial {
	char hash[DIGEST_HEX]; /* digest_name() of the id or the name */
	int64_t until_s;
};

struct denial_list {
	struct denial *list; /* in order of hash, none twice */
	size_t n;
};

struct bundle_key {
	int64_t version;
	struct jwk jwk;
};

struct bundle {
	char base[KEYSET_BASE_MAX + 1];
	int64_t serial, iat_s;
	int64_t roster; /* n of the roster that its issuer has; 0: none */
	int64_t max_lifetime_s;
	int64_t floor, next_version;
	struct {
		int64_t version, since_s;
	} active;
	struct {
		int64_t version, published_s;
	} next;
	struct bundle_key *keys; /* in order of version */
	size_t nkeys;
	struct denial_list sub, jti;
	struct view line; /* into the text that it was read from, by who read it; empty: it was not */
};

/* The payload of a bundle line. RJWT_MALFORMED with the reason in diag: the line does not count. bundle gives. */
RJWT_MUST enum rjwt_err bundle_parse(struct view payload, struct bundle *bundle, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err bundle_format(struct buf *out, const struct bundle *bundle);
void bundle_clear(struct bundle *bundle);

/* The key of a version; NULL: none. */
const struct bundle_key *bundle_key(const struct bundle *bundle, int64_t version);

/* Add a denial at its place; a list has each hash once, with the later date. RJWT_MEMORY. */
RJWT_MUST enum rjwt_err denial_add(struct denial_list *list, const char *hash, int64_t until_s);
/* The date of a hash; NULL: none. */
const struct denial *denial_find(const struct denial_list *list, const char *hash);
void denial_list_clear(struct denial_list *list);

#endif
