/* SPDX-License-Identifier: MIT */
/*
 * publish_private.h - shared by what publishes. The lock is held, but for the fleet keys.
 */
#ifndef RJWT_PUBLISH_PRIVATE_H
#define RJWT_PUBLISH_PRIVATE_H

#include "base/err.h"
#include "fleet/publish.h"
#include "fleet/record.h"
#include "jose/key.h"
#include "keyset/denials.h"
#include "keyset/lock.h"

#define BUNDLE_KEY "bundle.key"
#define FLEET_PRIVATE_MAX 4096 /* bytes of a file of private keys */

/* private/bundle.key. RJWT_IO (errno ENOENT: missing), RJWT_KEYSET. key gives. */
RJWT_MUST enum rjwt_err bundle_key_read(const struct dir *state, struct key **key, struct rjwt_diag *diag);

/* The same, made where it is missing, or is the key of another base. */
RJWT_MUST enum rjwt_err
bundle_key_for(const struct dir *state, const char *base, struct key **key, struct rjwt_diag *diag);

/* Another one, for a new base; the old one is erased. */
RJWT_MUST enum rjwt_err
bundle_key_renew(const struct dir *state, const char *base, const struct fleet *fleet, struct rjwt_diag *diag);

/* The two fleet keys: PEM after PEM in one file. The second may sign when the first is lost. */
#define FLEET_KEYS 2
struct fleet_keys {
	struct key *keys[FLEET_KEYS];
};
RJWT_MUST enum rjwt_err fleet_keys_read(const char *path, struct fleet_keys *keys, struct rjwt_diag *diag);
/* The same, made where the file is missing. */
RJWT_MUST enum rjwt_err fleet_keys_make(const char *path, struct fleet_keys *keys, bool *made, struct rjwt_diag *diag);
void fleet_keys_clear(struct fleet_keys *keys);

/* The entry of this base with this bundle key; NULL: the roster has none. */
RJWT_MUST enum rjwt_err
publish_listed(const struct fleet *fleet, const char *base, const struct key *key, const struct fleet_issuer **issuer);

RJWT_MUST enum rjwt_err publish_locked(struct store *store, const struct follow_env *env, const struct fleet *fleet,
    struct key *key, struct published *published);

/* What a roster says of this keyset. */
RJWT_MUST enum rjwt_err entry_fill(const struct follow_env *env, const struct keyset *keyset, const char *url,
    const char *name, const struct key *bundle_key, struct fleet_issuer *entry);

/* Sign a roster and append its line, with a line end. digest: of its payload. */
RJWT_MUST enum rjwt_err
roster_sign(const struct roster *roster, struct key *key, struct buf *lines, char digest[static DIGEST_HEX]);

#endif
