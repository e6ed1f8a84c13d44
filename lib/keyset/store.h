/* SPDX-License-Identifier: MIT */
/*
 * store.h - the keyset on disk as readers see it. Takes no lock: keyset.json is replaced as a whole, and
 * a key file is named after its version.
 *
 *	keyset.json		decides which keys are valid; its rename is the commit
 *	keys/<version>.jwk	public JWK and stamps, sealed
 *	private/<version>.key	see provider.h
 *	private/<version>.minted  a byte for each token; its size is the count
 */
#ifndef RJWT_STORE_H
#define RJWT_STORE_H

#include "base/err.h"
#include "base/file.h"
#include "jose/jwk.h"
#include "jose/provider.h"
#include "keyset/keyset.h"

struct store; /* its members are in store.c */

/*
 * Open and load. store gives; store_close(). RJWT_KEYSET, RJWT_IO, RJWT_MEMORY.
 * provider takes; NULL: files below dir.
 */
RJWT_MUST enum rjwt_err
store_open(const char *dir, struct provider *provider, struct store **store, struct rjwt_diag *diag);
/* The same for a keyset of another host, which store_open() refuses as store_open_followed() refuses one's own. */
RJWT_MUST enum rjwt_err store_open_followed(const char *dir, struct store **store, struct rjwt_diag *diag);
/* Whether a directory has no keyset.json. */
bool store_is_missing(const char *dir);
void store_close(struct store *store);
void store_clean(struct store **store);

/*
 * Make the keyset current: one stat(2) if keyset.json has not changed. Two commits always
 * differ, because a commit stores its generation in the mtime of the file. If another directory is
 * at the path by now, that one is opened: a keyset that was moved away verifies nothing.
 */
RJWT_MUST enum rjwt_err store_load(struct store *store, struct rjwt_diag *diag);

/*
 * What was loaded, and the state directory: views that stay where they are as long as the store, and whose contents
 * store_load() replaces.
 */
const struct keyset *store_keyset(const struct store *store);
const struct dir *store_dir(const struct store *store);

/*
 * How often keyset.json was read, and how often another directory was found at the path. Whoever keeps something that
 * belongs to either compares with the count of then.
 */
uint64_t store_loaded(const struct store *store);
unsigned store_replaced(const struct store *store);

/* The time in the mtime of keyset.json: no two commits have the same. A view, as store_dir(). */
const struct timespec *store_commit_time(const struct store *store);

/* The store as a source of keys. */
struct key_source store_keys(struct store *store);

/* A key file as it is, not checked against the keyset. RJWT_KEY_UNKNOWN: there is none. jwk gives; jwk_clear(). */
RJWT_MUST enum rjwt_err store_read_key(struct store *store, int64_t version, struct jwk *jwk, struct rjwt_diag *diag);

/* The active or the next key. RJWT_KEYSET: its file is missing. jwk gives; jwk_clear(). */
RJWT_MUST enum rjwt_err
store_read_signing_key(struct store *store, int64_t version, struct jwk *jwk, struct rjwt_diag *diag);

/* The signer of a version, cached in the store: a view until the next call. RJWT_KEYSET, RJWT_IO. */
RJWT_MUST enum rjwt_err
store_signer(struct store *store, int64_t version, struct signer **signer, struct rjwt_diag *diag);

/* Nothing holds on to a TPM while the lock is waited for, or another key is made: some serve one connection at a time. */
void store_drop_signer(struct store *store);

/* The same, read from its file in any case. signer gives; signer_clean(). */
RJWT_MUST enum rjwt_err
store_read_signer(struct store *store, int64_t version, struct signer **signer, struct rjwt_diag *diag);

/* For those who write: where key files are, and what private halves are. Views as long as the store. */
const struct dir *store_keys_dir(const struct store *store);
struct provider *store_provider(const struct store *store);

/* For store_check_writable(): that it approved this keyset, until another is loaded. */
bool store_is_approved(const struct store *store);
void store_approve(struct store *store);

/* File names: "<version>.jwk"; and the version of a name with suffix "jwk", 0 if it has another form. */
#define STORE_NAME_SIZE 32
void store_name(char name[static STORE_NAME_SIZE], int64_t version, const char *suffix);
int64_t store_version(const char *name, const char *suffix);

#endif
