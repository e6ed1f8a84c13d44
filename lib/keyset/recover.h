/* SPDX-License-Identifier: MIT */
/*
 * recover.h - removes what a crash or a finished change left. Every holder of the lock calls it first and last.
 */
#ifndef RJWT_RECOVER_H
#define RJWT_RECOVER_H

#include "base/err.h"
#include "keyset/commit.h"
#include "keyset/store.h"

/*
 * Erase and remove files that are not part of keyset.json, private halves first, and update jwks.json. first:
 * the first call rebuilds it only if its mtime is not that of this commit; the last call compares contents.
 * *removed becomes true if something was removed. The lock is held.
 */
RJWT_MUST enum rjwt_err recover(const struct commit_ctx *ctx, struct store *store, bool first, bool *removed);

#endif
