/* SPDX-License-Identifier: MIT */
/*
 * provider.h - where private halves are kept: in files, as they are or wrapped by a TPM (provider_tpm2.h).
 *
 * Keys are named by their version. Minting uses a signer and never sees the private half. What a file holds says what is
 * needed to sign with it, so both kinds stand side by side in one keyset.
 * tests/ has a provider in memory.
 */
#ifndef RJWT_PROVIDER_H
#define RJWT_PROVIDER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "jose/alg.h"
#include "jose/jwk.h"
#include "jose/key.h"

/* Signs with one key; free wipes it. */
struct signer {
	const struct alg *alg;
	size_t signature_size; /* bytes */
	enum rjwt_err (*sign)(struct signer *signer, struct view input, struct buf *signature);
	void (*free)(struct signer *signer);
	const struct rjwt_diag
	    *why; /* what the last sign() failed with, if it was RJWT_IO or RJWT_KEYSET; may be NULL */
};

struct provider {
	/*
	 * NULL, like destroy and unwrap, until provider_make_writable(). Create the private half durably. key takes one that
	 * key_generate() made, or NULL, and gives the public half or the secret. RJWT_IO, RJWT_EXISTS.
	 */
	enum rjwt_err (*generate)(struct provider *provider, int64_t version, const struct alg *alg, unsigned rsa_bits,
	    struct key **key, struct rjwt_diag *diag);
	/* The private half of a public key. signer gives. RJWT_KEYSET: it belongs to another key; RJWT_IO. */
	enum rjwt_err (*load)(struct provider *provider, int64_t version, const struct jwk *jwk, struct signer **signer,
	    struct rjwt_diag *diag);
	/* HMAC only: the secret, for verifying. key gives. */
	enum rjwt_err (*secret)(struct provider *provider, int64_t version, const struct alg *alg, struct key **key,
	    struct rjwt_diag *diag);
	/* A missing key is success. */
	enum rjwt_err (*destroy)(struct provider *provider, int64_t version, struct rjwt_diag *diag);
	void (*free)(struct provider *provider);
	/* For load: a signer for what a TPM has wrapped, which is in the file at path. */
	enum rjwt_err (*unwrap)(const struct alg *alg, struct view text, const char *path, struct signer **signer,
	    struct rjwt_diag *diag);
};

/* Files private/<version>.key in state, which is borrowed for the lifetime of the provider. */
RJWT_MUST enum rjwt_err provider_file(const struct dir *state, struct provider **provider);

/* Whether the text of such a file is what a TPM has wrapped, as its first line says: see provider_tpm2.h. */
bool provider_is_wrapped(struct view text);
#define PROVIDER_FILE_MAX 32768 /* bytes; 16384-bit RSA takes 13,000 */

/* For provider_write.c: the directory of the files of such a provider, and the name of one file. */
RJWT_MUST enum rjwt_err provider_file_open(struct provider *provider, struct dir *dir, struct rjwt_diag *diag);
void provider_key_name(char name[static 32], int64_t version);

/* A signer for a key in memory. takes key. */
RJWT_MUST enum rjwt_err signer_of_key(struct key *key, struct signer **signer);
/* Passes on what sign() returned, and puts into diag (may be NULL) why it failed. */
enum rjwt_err signer_tell(const struct signer *signer, enum rjwt_err err, struct rjwt_diag *diag);

/*
 * Whether public verifies what the signer signs: a damaged private half may still have its public one. RJWT_SIGNATURE: it
 * does not; a signer with why also fails for that.
 */
RJWT_MUST enum rjwt_err signer_check(struct signer *signer, struct key *public, struct rjwt_diag *diag);
void signer_clean(struct signer **signer);

#endif
