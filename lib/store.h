/* SPDX-License-Identifier: MIT */
/*
 * store.h - the keyset on disk as readers see it, and the tickets of those who mint. Takes no lock:
 * keyset.json is replaced as a whole, and a key file is named by the version that it vouches for.
 *
 *	keyset.json		the authority and the commit point
 *	keys/<version>.jwk	public JWK and stamps, sealed
 *	private/<version>.key	see provider.h
 *	private/<version>.minted  a byte for each token: its size is the count
 */
#ifndef RJWT_STORE_H
#define RJWT_STORE_H

#include "buf.h"
#include "err.h"
#include "file.h"
#include "jwk.h"
#include "keyset.h"
#include "provider.h"

struct store {
	struct dir dir, keys;
	char *path;		   /* of keyset.json */
	unsigned opened;	   /* how often the folder was opened: another one may come to stand there */
	uint64_t loaded;	   /* how often keyset.json was read */
	struct provider *provider; /* owns */
	struct keyset keyset;	   /* as of the last store_load() */
	struct stat identity;	   /* of the keyset.json that was read */
	struct stored_key *cache;  /* keys read since; dropped when keyset.json changes */
	size_t ncache;
	struct signer *signer; /* cached, of signer_version */
	int64_t signer_version;
	bool writable; /* store_writable() said so of this keyset */
};

/*
 * Open and load. store gives; store_close(). RJWT_KEYSET, RJWT_IO, RJWT_MEMORY.
 * provider takes; NULL: files below dir.
 */
RJWT_MUST enum rjwt_err store_open(const char *dir, struct provider *provider,
    struct store **store, struct rjwt_diag *diag);
void store_close(struct store *store);
void store_clean(struct store **store);

/*
 * Make store->keyset current: one stat(2) when keyset.json is the one that was read. Two commits are
 * always told apart, because a commit writes its generation into the file's mtime. Where another folder
 * stands at the path by now, that one is opened: what was moved away verifies nothing.
 */
RJWT_MUST enum rjwt_err store_load(struct store *store, struct rjwt_diag *diag);

/* The store as a source of keys. */
struct key_source store_keys(struct store *store);

/* A key file as it is, not vouched for. RJWT_KEY_UNKNOWN: there is none. jwk gives; jwk_clear(). */
RJWT_MUST enum rjwt_err store_read_key(struct store *store, int64_t version, struct jwk *jwk,
    struct rjwt_diag *diag);

/* The signer of a version, cached in the store: view, until the next call. RJWT_KEYSET, RJWT_IO. */
RJWT_MUST enum rjwt_err store_signer(struct store *store, int64_t version,
    struct signer **signer, struct rjwt_diag *diag);

/* Whether a version can sign: its private half is there and its own, and its tickets are. RJWT_KEYSET, RJWT_IO. */
RJWT_MUST enum rjwt_err store_signs(struct store *store, int64_t version, struct rjwt_diag *diag);

/* Take n tickets of a version; number is the last one's, counted from 1. durable: fsynced. RJWT_IO. */
RJWT_MUST enum rjwt_err store_tickets(struct store *store, int64_t version, size_t n, bool durable,
    int64_t *number, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err store_minted(const struct store *store, int64_t version, int64_t *number,
    struct rjwt_diag *diag);

/*
 * Whether this host may write to the keyset, or mint from it. RJWT_KEYSET: it is another machine's (a
 * cloned image); keyset.json is older than the key files beside it (an old copy was put back); or
 * policy->base is another base. Looks once for each keyset.json.
 */
RJWT_MUST enum rjwt_err store_writable(struct store *store,
    const struct rotation_policy *policy, struct rjwt_diag *diag);

/* The JWK Set of all keys that verify at now_s; HMAC keys are not in it. Appended to out. */
RJWT_MUST enum rjwt_err store_jwks(struct store *store, int64_t now_s, struct buf *out,
    struct rjwt_diag *diag);

/* What the planner must know; reads the key files at the floor alone. */
RJWT_MUST enum rjwt_err store_see(struct store *store, int64_t now_s, struct keyset_seen *seen,
    struct rjwt_diag *diag);

/* Names of files: "<version>.jwk"; and the way back, suffix "jwk": 0 when it is not of that form. */
#define STORE_NAME_SIZE 32
void store_name(char name[static STORE_NAME_SIZE], int64_t version, const char *suffix);
int64_t store_version(const char *name, const char *suffix);

/* The highest version that a name in dir has, of any suffix: *most is raised to it. */
RJWT_MUST enum rjwt_err store_highest(const struct dir *dir, int64_t *most,
    struct rjwt_diag *diag);

#endif
