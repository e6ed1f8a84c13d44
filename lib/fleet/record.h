/* SPDX-License-Identifier: MIT */
/*
 * record.h - what an issuer remembers of its bundle key, in private/published.json. It is durable before a line is out:
 * no two lines ever have one serial, and a line that is not in it was written by somebody else.
 */
#ifndef RJWT_RECORD_H
#define RJWT_RECORD_H

#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "keyset/keyset.h"

#define RECORD_LEFT_MAX 16

/* What is to be done when publishing has stopped. */
#define PUBLISH_RENEW "find the other host, then here: rjwt-keyd init --adopt"

struct record {
	char base[KEYSET_BASE_MAX + 1]; /* the base that the bundle key signs for; "": no record yet */
	int64_t serial, iat_s;		/* of the last line; 0: none */
	int64_t next, next_s;		/* version of the next key that is out, and since when; 0: none */
	char digest[DIGEST_HEX];	/* of its text */
	char stopped[160];		/* why nothing is published any more; "": it is */
	/* Bases that were this host's own, the latest last: whoever copied them has their keys. */
	char left[RECORD_LEFT_MAX][KEYSET_BASE_MAX + 1];
	size_t nleft;
};

/* All zeros: there is none. RJWT_KEYSET: it is damaged; RJWT_IO. */
RJWT_MUST enum rjwt_err record_read(const struct dir *private, struct record *record, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err record_write(const struct dir *private, const struct record *record, struct rjwt_diag *diag);

/* A new bundle key, for a base. */
void record_begin(struct record *record, const char *base);
bool record_has_left(const struct record *record, const char *base);

#endif
