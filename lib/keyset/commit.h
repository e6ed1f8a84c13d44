/* SPDX-License-Identifier: MIT */
/*
 * commit.h - writes the files of a keyset, each as a whole and durable when the call returns. The caller
 * holds the lock.
 */
#ifndef RJWT_COMMIT_H
#define RJWT_COMMIT_H

#include "base/err.h"
#include "base/file.h"
#include "jose/jwk.h"
#include "jose/key.h"
#include "jose/provider.h"
#include "keyset/env.h"
#include "keyset/keyset.h"

/* What these functions need. Borrows all. */
struct commit_ctx {
	const struct dir *dir, *keys, *private;
	struct provider *provider;
	const struct keyset_env *env;
};

/*
 * The only place that writes keyset.json, in two steps: the slow part, then the rename, which is the commit.
 * generation increases by one and is also stored in the mtime of the file.
 */
RJWT_MUST enum rjwt_err commit_stage(const struct commit_ctx *ctx, const struct keyset *before, struct keyset *keyset);
RJWT_MUST enum rjwt_err commit_publish(const struct commit_ctx *ctx);

/*
 * Keys for commit_new_key() are made before the lock is taken: RSA takes seconds, and whoever waits for the lock would
 * wait for them. fresh gives; commit_drop_keys().
 */
#define COMMIT_KEYS_MAX 2
struct fresh_keys {
	struct key *keys[COMMIT_KEYS_MAX];
	unsigned n;
};

/* Make keys with the algorithm of the policy until there are n. */
RJWT_MUST enum rjwt_err
commit_make_keys(struct fresh_keys *fresh, unsigned n, const struct rotation_policy *policy, struct rjwt_diag *diag);
void commit_drop_keys(struct fresh_keys *fresh);

/* Write one of these keys, the last, as a version: private half, ticket count and, last, the public half. */
RJWT_MUST enum rjwt_err
commit_new_key(const struct commit_ctx *ctx, const struct keyset *keyset, int64_t version, struct fresh_keys *fresh);

/* Write the public file of a key with its stamps, as a whole. */
RJWT_MUST enum rjwt_err commit_key(const struct commit_ctx *ctx, int64_t version, const struct jwk *jwk);

/* Exists in the state directory while keyset_init() is running. */
#define COMMIT_UNFINISHED "init"

/* Whether commit_...() created a name in keys/ or private/: its version (0: none), or a half-written file. */
int64_t commit_version(const char *name);
bool commit_is_temporary(const char *name);

#endif
