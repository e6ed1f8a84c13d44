/* SPDX-License-Identifier: MIT */
/*
 * fleet.h - what a host knows of its fleet, and the keysets that it follows, as a login sees them.
 *
 *	fleet.json		0644, sealed: the roster that is believed, and what this host is in it
 *	fleet/<base>/		a keyset of format 2 (keyset.h) with keys/, spent/ and denied/
 *	denied/			this host's own denials (denials.h)
 *
 * Takes no lock: files are replaced as a whole, and fleet.json has the mtime of its commit as keyset.json has.
 */
#ifndef RJWT_FLEET_H
#define RJWT_FLEET_H

#include "base/err.h"
#include "base/file.h"
#include "fleet/roster.h"
#include "keyset/denials.h"
#include "keyset/marks.h"
#include "keyset/store.h"

#define FLEET_FILE "fleet.json"
#define FLEET_DIR "fleet"
#define FLEET_FILE_MAX 32768 /* bytes of fleet.json */

/* fleet.json as a value. */
struct fleet {
	int64_t generation;	     /* increases by 1 with each commit */
	int64_t chain;		     /* how many pins there were */
	struct fleet_key pin;	     /* signs the first roster of the chain */
	char url[FLEET_URL_MAX + 1]; /* where join was told to look */
	struct roster roster;	     /* that is believed; n 0: none yet, and keys has the pin */
	char digest[DIGEST_HEX];     /* of its payload; "": none */
	int64_t used_n;		     /* the highest number of a roster that was made here: no other gets it */
	char audience[RJWT_NAME_MAX + 1];
	char machine[DIGEST_HEX]; /* hash of the machine id; "": none */
	int64_t before_s;	  /* no token with iat up to this verifies: its denial may be gone */
	int64_t born_s;		  /* since when this host is this host, and remembers used tokens */
};

/* RJWT_KEYSET with the reason in diag. */
RJWT_MUST enum rjwt_err fleet_parse(struct view text, struct fleet *fleet, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err fleet_format(struct buf *out, const struct fleet *fleet);

/* Read it. RJWT_IO (errno ENOENT: not joined), RJWT_KEYSET. status: of the file; may be NULL. */
RJWT_MUST enum rjwt_err
fleet_read(const struct dir *state, struct fleet *fleet, struct stat *status, struct rjwt_diag *diag);

/* The path of the directory of a base. free(); NULL: no memory. */
char *fleet_path(const struct dir *state, const char *base);

/* --- for a login ------------------------------------------------------------------------------ */

/* A followed keyset. */
struct followed {
	char base[KEYSET_BASE_MAX + 1];
	struct store *store;
	struct marks marks;
};

struct fleet_reader; /* its members are in fleet.c */

/* path: the state directory; nothing is opened yet. reader gives; fleet_close(). */
RJWT_MUST enum rjwt_err fleet_open(const char *path, struct fleet_reader **reader);
void fleet_close(struct fleet_reader *reader);

/*
 * Read fleet.json if it has changed: one stat(2) otherwise. RJWT_MEMORY. Succeeds if the file cannot be
 * read; that is reported when a followed token is judged.
 */
RJWT_MUST enum rjwt_err fleet_refresh(struct fleet_reader *reader);

/* Whether there is a fleet.json, readable or not; and what it says, NULL: not there or not readable. */
bool fleet_is_joined(const struct fleet_reader *reader);
const struct fleet *fleet_value(const struct fleet_reader *reader);
int64_t fleet_written_s(const struct fleet_reader *reader); /* its last commit; 0: as fleet_value() */

/*
 * The followed keyset of a base, current, and its entry in the roster: views until the next fleet_refresh().
 * RJWT_KEY_UNKNOWN: the roster has no such base, or another key signed what is installed, or nothing is. RJWT_KEYSET,
 * RJWT_IO: no verdict, also where fleet.json belongs to another machine.
 */
RJWT_MUST enum rjwt_err fleet_find(struct fleet_reader *reader, struct view base, struct followed **followed,
    const struct fleet_issuer **issuer, struct rjwt_diag *diag);

/* Whether a followed keyset can be used. Else why none can. */
RJWT_MUST enum rjwt_err fleet_can_judge(struct fleet_reader *reader, struct rjwt_diag *diag);

/*
 * RJWT_DENIED: by this host or an issuer of the roster; while fleet.json cannot be read, by any issuer that has a directory.
 * Without any fleet RJWT_OK, and nothing is computed.
 */
RJWT_MUST enum rjwt_err
fleet_denied(struct fleet_reader *reader, struct view user, struct view jti, int64_t iat_s, struct rjwt_diag *diag);

/*
 * The latest date until which this host, whose state directory is state, or an issuer of the roster denies a login name:
 * RJWT_DENIED, or RJWT_OK if none does. reader NULL, or fleet.json cannot be used: this host alone is asked.
 */
RJWT_MUST enum rjwt_err fleet_denied_until(const struct fleet_reader *reader, const struct dir *state, struct view user,
    int64_t *until_s, struct rjwt_diag *diag);

#endif
