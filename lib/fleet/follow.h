/* SPDX-License-Identifier: MIT */
/*
 * follow.h - joins a fleet, and installs what files of lines offer.
 *
 * Each roster and each bundle is a commit of its own: what has to be durable before it is written first, and fleet.json or
 * keyset.json is renamed last. Broken off anywhere, the old one is whole, and the next run does it again. Of a bundle:
 * denials, keys with their stamps, keyset.json, then the keys that the bundle has no more are removed.
 */
#ifndef RJWT_FOLLOW_H
#define RJWT_FOLLOW_H

#include "base/err.h"
#include "base/string_list.h"
#include "fleet/fleet.h"
#include "keyset/env.h"

struct follow_env {
	const char *state;	  /* the path of the state directory */
	const char *name;	  /* in the roster, configured; NULL: of the host */
	const char *issuer;	  /* configured; NULL: recorded in the keyset */
	const char *audience;	  /* configured; NULL: the host's name */
	struct keyset_env keyset; /* rules, clock, diag */
};

/*
 * Write fleet.json. With the pin that is there it changes nothing; with another one a new chain begins, and nothing that
 * is followed verifies before a roster of that chain lists it. RJWT_USAGE: url or pin are malformed; RJWT_AUDIENCE: the
 * host has no name. *fleet: what is there afterwards.
 */
RJWT_MUST enum rjwt_err
follow_join(const struct follow_env *env, const char *url, const char *pin, bool *changed, struct fleet *fleet);

/* Whether it has. RJWT_KEYSET: it has not, or with another pin, or fleet.json is damaged; RJWT_USAGE as above. */
RJWT_MUST enum rjwt_err
follow_joined(const struct follow_env *env, const char *url, const char *pin, struct fleet *fleet);

/* What follow did. Each line is one event: "i1: installed serial 7". */
struct follow_report {
	struct string_list done;  /* was written */
	struct string_list wrong; /* was not, and why */
	size_t skipped;		  /* lines */
};
void follow_report_clear(struct follow_report *report);

#define FOLLOW_FILES_MAX 16
/* Files cannot be read: reported, the others are read. RJWT_KEYSET, RJWT_IO (not joined), RJWT_BUSY, RJWT_MEMORY. */
RJWT_MUST enum rjwt_err
follow_files(const struct follow_env *env, const char *const *files, struct follow_report *report);

/* Remove denials that are not needed any more: prune.h. Every follow that installs something does so, too. */
RJWT_MUST enum rjwt_err follow_prune(const struct follow_env *env, size_t *removed);

/* fleet.json, as one commit. The caller holds the lock. */
RJWT_MUST enum rjwt_err fleet_commit(const struct dir *state, const struct keyset_env *env, struct fleet *fleet);

#endif
