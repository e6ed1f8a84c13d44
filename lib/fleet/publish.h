/* SPDX-License-Identifier: MIT */
/*
 * publish.h - an issuer's side: its bundle key, its roster, and the lines that it publishes.
 *
 *	private/bundle.key	0600  signs the bundles of this base, and nothing else
 *	private/published.json	0600  the serial that was used last, and of which line: durable before the line is out
 *	www/fleet.jws		0644  all lines, for others to fetch
 */
#ifndef RJWT_PUBLISH_H
#define RJWT_PUBLISH_H

#include "base/err.h"
#include "fleet/follow.h"
#include "keyset/store.h"

#define PUBLISH_DIR "www"
#define PUBLISH_FILE "fleet.jws"

/* Whether a state directory has a bundle key: every commit is then to be published. */
bool publish_wanted(const char *state);

struct published {
	int64_t serial;
	char name[FLEET_NAME_MAX + 1]; /* of this issuer in the roster */
	char path[256];		       /* of the file */
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

#endif
