/* SPDX-License-Identifier: MIT */
/*
 * publish.h - an issuer's side: its bundle key, its roster, and the lines that it publishes.
 *
 *	private/bundle.key	0600  signs the bundles of this base, and nothing else
 *	private/published.json	0600  the serial that was used last, and of which line (record.h)
 *	www/fleet.jws		0644  all lines, for others to fetch
 */
#ifndef RJWT_PUBLISH_H
#define RJWT_PUBLISH_H

#include "base/err.h"
#include "fleet/follow.h"
#include "fleet/record.h"
#include "fleet/www.h"
#include "keyset/store.h"

/*
 * Whether a state directory is an issuer's: every commit is then to be published. After an error that is not known;
 * publish_wanted() then says no.
 */
RJWT_MUST enum rjwt_err publish_look(const char *state, bool *wanted, struct rjwt_diag *diag);
bool publish_wanted(const char *state);

/* What is remembered of the last line. */
RJWT_MUST enum rjwt_err publish_last(const char *state, struct record *record, struct rjwt_diag *diag);

/* A host that hears nothing for long is stale: what has not changed is published again. */
#define PUBLISH_EVERY_S 600

struct published {
	int64_t serial;
	char name[LABEL_MAX + 1]; /* of this issuer in the roster */
	char path[256];		  /* of the file */
};

/*
 * Sign the keyset and this host's denials as a bundle with the next serial, and write the file. RJWT_KEYSET: this keyset
 * is another machine's, or has another base than the bundle key; RJWT_ALG: a key is secret (HS*); RJWT_IO, RJWT_BUSY.
 */
RJWT_MUST enum rjwt_err publish(struct store *store, const struct follow_env *env, struct published *published);

/*
 * Make what is missing of: fleet keys in key_file, bundle key, a roster that lists this keyset at url, fleet.json; then
 * publish. made: the fleet keys are new. pin: what hosts join with.
 */
struct fleet_made {
	bool keys;
	struct fleet_key pin;
	struct published published;
};
RJWT_MUST enum rjwt_err fleet_make(struct store *store, const struct follow_env *env, const char *url,
    const char *key_file, struct fleet_made *made);

/*
 * This host has a new base: a new bundle key for it, and what lies too far ahead of what it denies is dated back, at most
 * now + leeway. The old base is not followed here. RJWT_KEYSET, RJWT_IO, RJWT_BUSY.
 */
RJWT_MUST enum rjwt_err fleet_renew(struct store *store, const struct follow_env *env);

/*
 * What a roster is to say of this host, served at url. The bundle key is made where it is missing, or is another base's.
 * name "": the one that is configured, or of the host. url "": url and name are those that the roster has of this base or an earlier one. RJWT_USAGE: url
 * or name are malformed, or the roster has none; otherwise as publish().
 */
RJWT_MUST enum rjwt_err fleet_entry(struct store *store, const struct follow_env *env, const char *url,
    const char *name, struct fleet_issuer *entry);

/* The next roster: where the fleet keys are. */
enum roster_what { ROSTER_ADD, ROSTER_DROP, ROSTER_ROLL };
struct roster_request {
	enum roster_what what;
	const char *subject;  /* the entry (JSON, as roster_entry_put()); the name; the file of the new fleet keys */
	const char *key_file; /* two fleet keys, one of which the newest roster lists */
	const char *const *files; /* of lines, besides www/fleet.jws; NULL-terminated, or NULL */
};
struct roster_made {
	struct roster roster;
	struct fleet_key pin; /* a host that joins from now on is given it */
	bool made_keys;	      /* ROSTER_ROLL: in the file */
	struct buf lines;     /* of the new rosters; buf_clear() */
	char path[256];	      /* of the file that has them */
};

/*
 * Read the newest roster that this host believes, change it, sign it, and write it to www/fleet.jws, from which
 * follow_files() takes it. RJWT_KEYSET: not joined, no roster, none of the keys may sign, or the subject contradicts the
 * roster; RJWT_USAGE: it is malformed. report: files that cannot be read.
 */
RJWT_MUST enum rjwt_err fleet_change_roster(const struct follow_env *env, const struct roster_request *request,
    struct roster_made *made, struct follow_report *report);

#endif
