/* SPDX-License-Identifier: MIT */
/*
 * www.h - the file that an issuer publishes, www/fleet.jws. The lock is held.
 */
#ifndef RJWT_WWW_H
#define RJWT_WWW_H

#include "base/err.h"
#include "fleet/fleet.h"
#include "keyset/env.h"

#define PUBLISH_DIR "www"
#define PUBLISH_FILE "fleet.jws"

/* Read it; missing: empty. text gives. */
RJWT_MUST enum rjwt_err www_read(const struct dir *state, struct buf *text, struct rjwt_diag *diag);

/*
 * Merge these texts of lines (merge.h) into it, and write it if that changes it, with an mtime that is at least a second
 * above that of the one before: web servers make their tags of mtime and size. own: lines among texts that were made here,
 * NULL: none. RJWT_INTERNAL: they would not be in it; nothing is written.
 */
RJWT_MUST enum rjwt_err www_merge(const struct dir *state, const struct keyset_env *env, const struct fleet *fleet,
    const struct buf *texts, size_t n, const struct buf *own);

#endif
