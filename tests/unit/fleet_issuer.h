/* SPDX-License-Identifier: MIT */
/*
 * fleet_issuer.h - an issuer called "me", of base B, that began a fleet at T0 with the fleet keys 0 and 1 (fleet_lines.h);
 * what it remembers, what it publishes, and what it says of lines that it is given.
 */
#ifndef RJWT_TEST_FLEET_ISSUER_H
#define RJWT_TEST_FLEET_ISSUER_H

#include "fixture.h"
#include "fleet/bundle.h"
#include "fleet/follow.h"
#include "fleet/own.h"
#include "fleet/publish_private.h"
#include "fleet_lines.h"

#define URL "http://b.example/fleet.jws"

struct issuer {
	struct fixture *f;
	char keys[200]; /* fleet keys 0 and 1 */
	struct buf said;
};

int issuer_setup(void **state);
int issuer_teardown(void **state);

/* A file of fleet keys, from a first one. */
void issuer_put_keys(const struct fixture *f, const char *name, unsigned first, unsigned n);

struct record issuer_record(struct issuer *i);
void issuer_record_put(struct issuer *i, const struct record *record);
struct key *issuer_key(struct issuer *i); /* gives */
/* The bundle in www, and its line unless that is NULL. bundle_clear(). */
struct bundle issuer_published(struct issuer *i, struct buf *line);
/* By a new handle. */
enum rjwt_err issuer_publish(struct issuer *i, int64_t *serial);
/* Follow a file of these lines; what is said is exactly that. */
void issuer_follows(struct issuer *i, const char *label, struct view text, const char *said);
void issuer_say(void *context, bool wrong, const char *text);

#endif
