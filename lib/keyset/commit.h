/* SPDX-License-Identifier: MIT */
/*
 * commit.h - the files of a keyset, written: each as a whole, durable when the call returns. Whoever calls
 * holds the lock.
 */
#ifndef RJWT_COMMIT_H
#define RJWT_COMMIT_H

#include "base/err.h"
#include "base/file.h"
#include "base/host.h"
#include "jose/jwk.h"
#include "jose/provider.h"
#include "keyset/keyset.h"

/* What writing needs. Borrows all. */
struct commit_ctx {
	const struct dir *dir, *keys, *private;
	struct provider *provider;
	const struct rotation_policy *policy;
	struct clock *clock;
	struct rjwt_diag *diag;
};

/*
 * The one place that writes keyset.json, in two steps: what takes time, and the rename, which is the commit.
 * generation goes up by one, and into the file's mtime.
 */
RJWT_MUST enum rjwt_err
commit_stage(const struct commit_ctx *scribe, const struct keyset *before, struct keyset *keyset);
RJWT_MUST enum rjwt_err commit_publish(const struct commit_ctx *scribe);

/* Make a key of the policy's algorithm: private half, count of tickets, and the public half last. */
RJWT_MUST enum rjwt_err commit_new_key(const struct commit_ctx *scribe, const struct keyset *keyset, int64_t version);

/* Write a key's public file with its stamps, whole. */
RJWT_MUST enum rjwt_err commit_key(const struct commit_ctx *scribe, int64_t version, const struct jwk *jwk);

/* Stands in the folder while keyset_init() is under way. */
#define COMMIT_UNFINISHED "init"

/* A name that commit_...() gave, in keys/ or private/: its version, 0 for none; or a half-written file. */
int64_t commit_version(const char *name);
bool commit_is_temporary(const char *name);

#endif
