/* SPDX-License-Identifier: MIT */
/*
 * recover.h - what a crash or a finished change left is removed: whoever holds the lock calls it first and last.
 */
#ifndef RJWT_RECOVER_H
#define RJWT_RECOVER_H

#include "base/err.h"
#include "keyset/commit.h"
#include "keyset/store.h"

/*
 * Erase and remove what keyset.json does not vouch for, private halves first; make jwks.json what it should
 * be; first: only where it is another commit's, for the last time looks at its bytes. *removed becomes true when
 * there was something. The lock is held.
 */
RJWT_MUST enum rjwt_err recover(const struct commit_ctx *scribe, struct store *store, bool first, bool *removed);

#endif
