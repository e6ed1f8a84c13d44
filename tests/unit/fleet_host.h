/* SPDX-License-Identifier: MIT */
/*
 * fleet_host.h - a host that has joined with fleet key 0 (fleet_lines.h), what it is given to read, and what it says of that.
 * Its name is host.example; it has no keyset of its own. Times begin at T0 (clock.h).
 */
#ifndef RJWT_TEST_FLEET_HOST_H
#define RJWT_TEST_FLEET_HOST_H

#include "fixture.h"
#include "fleet/fleet.h"
#include "fleet_lines.h"

struct host {
	struct fixture *f;
	struct buf file; /* that follow is to read next */
	struct buf said; /* "done: ...\n", "wrong: ...\n" */
};

int host_setup(void **state); /* joined */
int host_teardown(void **state);

/* With these issuers in the roster T0, and what serial 0 has of each. */
void host_begin(struct host *h, unsigned issuers);

/* Into the next file. */
void host_roster(struct host *h, unsigned by, int64_t n, unsigned keys, unsigned issuers);
void host_bundle(struct host *h, unsigned by, const struct bundle *bundle);
void host_serial(struct host *h, unsigned i, int64_t serial); /* versions 1 and 2 */

/* Follow the file, which is empty afterwards. What is said is exactly that: "%lld" are the numbers given, T0 is added. */
void host_follows(struct host *h, const char *label, const char *said);
/* The same, and nothing is written of what a login reads. */
void host_unchanged(struct host *h, const char *label, const char *said);
void host_follow_path(struct host *h, const char *path, enum rjwt_err err);

/* A token of an issuer's version, from this time, at this host. */
enum rjwt_err host_judges(struct host *h, unsigned i, int64_t version, int64_t iat_s);
enum rjwt_err host_judges_token(struct host *h, const char *token);

/* What is installed; a version of -1: nothing. And the same written, as a commit. */
struct keyset host_keyset(struct host *h, unsigned i);
void host_keyset_put(struct host *h, unsigned i, const struct keyset *keyset);
struct fleet host_fleet(struct host *h);
void host_fleet_put(struct host *h, struct fleet *fleet);
/* The date of a denial of a name or an id, of issuer i, or of the host (-1). -1: there is none. */
int64_t host_denial(struct host *h, int i, const char *user, const char *jti);
/* The host itself denies a name, until T0 and so many seconds. */
void host_deny(struct host *h, const char *user, int64_t until);

/* Whether its state directory has this. */
static inline bool
host_has(const struct host *h, const char *name)
{
	return file_there(h->f, name);
}

/* What follow reports; # is the time at which a host begins. */
#define R1 "done: took roster #0, with 1 issuer\n"
#define I0(serial) "done: i0: installed serial #" serial "\n"
#define I1(serial) "done: i1: installed serial #" serial "\n"
#define SKIPPED(lines) "done: " lines " skipped\n"

#endif
