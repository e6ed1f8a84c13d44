/* SPDX-License-Identifier: MIT */
/*
 * denials_write.h - writes denials (denials.h). The caller holds the lock.
 */
#ifndef RJWT_DENIALS_WRITE_H
#define RJWT_DENIALS_WRITE_H

#include "base/err.h"
#include "base/file.h"

/* The directories of dir/denied, made where they are missing. denials_close(). */
struct denials {
	struct dir sub, jti;
};
#define DENIALS_NONE ((struct denials){ DIR_NONE, DIR_NONE })
RJWT_MUST enum rjwt_err denials_open(const struct dir *dir, struct denials *denials, struct rjwt_diag *diag);
void denials_close(struct denials *denials);

/*
 * Write a denial, durably, unless one of this or a later date exists; one that is damaged is written again. later: it
 * becomes durable with files_sync(). *written becomes true if a file was written.
 */
RJWT_MUST enum rjwt_err denial_put(const struct dir *kind, const char *hash, int64_t until_s, bool later, bool *written,
    struct rjwt_diag *diag);

/* What is dated later than most_s is dated as of that: for who takes his own denials back, and begins anew. */
RJWT_MUST enum rjwt_err denials_date_back(const struct dir *kind, int64_t most_s, struct rjwt_diag *diag);

/* Call each for every denial of a kind, a damaged one with DENIAL_DAMAGED_S; the first error ends it. */
RJWT_MUST enum rjwt_err denials_each(const struct dir *kind,
    enum rjwt_err (*each)(void *context, const char *hash, int64_t until_s), void *context, struct rjwt_diag *diag);

/* Call each for the directories denied/sub and denied/jti of dir; without denied/ nothing is called. */
RJWT_MUST enum rjwt_err denials_each_kind(const struct dir *dir,
    enum rjwt_err (*each)(void *context, const struct dir *kind), void *context, struct rjwt_diag *diag);

#endif
