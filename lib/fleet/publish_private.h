/* SPDX-License-Identifier: MIT */
/*
 * publish_private.h - shared by publish.c and make.c. The lock is held.
 */
#ifndef RJWT_PUBLISH_PRIVATE_H
#define RJWT_PUBLISH_PRIVATE_H

#include "base/err.h"
#include "fleet/publish.h"
#include "jose/key.h"
#include "keyset/denials.h"
#include "keyset/lock.h"

#define BUNDLE_KEY "bundle.key"
#define FLEET_PRIVATE_MAX 4096 /* bytes of a file of private keys */

/* private/bundle.key. RJWT_IO (errno ENOENT: missing), RJWT_KEYSET. key gives. */
RJWT_MUST enum rjwt_err bundle_key_read(const struct dir *state, struct key **key, struct rjwt_diag *diag);

/* Add a line to the file, in the place of the bundles that a key signed (NULL: none). */
RJWT_MUST enum rjwt_err
www_add(const struct dir *state, const struct keyset_env *env, struct view line, const struct fleet_key *replaced);

RJWT_MUST enum rjwt_err publish_locked(struct store *store, const struct follow_env *env, const struct fleet *fleet,
    struct key *key, struct published *published);

#endif
