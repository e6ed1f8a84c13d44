/* SPDX-License-Identifier: MIT */
/*
 * provider.h - where private halves live: in files now, in a TPM or behind PKCS#11 one day.
 *
 * Keys are named by their version. Whoever mints asks for a signer, and never sees the private half.
 * A provider for tests, in memory, is in tests/.
 */
#ifndef RJWT_PROVIDER_H
#define RJWT_PROVIDER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "jose/alg.h"
#include "jose/jwk.h"
#include "jose/key.h"

/* What signs. One key; free wipes. */
struct signer {
	const struct alg *alg;
	size_t signature_size; /* bytes */
	enum rjwt_err (*sign)(struct signer *signer, struct view input, struct buf *signature);
	void (*free)(struct signer *signer);
};

struct provider {
	/* NULL, as destroy is, until provider_make_writable(). Make the private half, durably; key gives the public half, or the secret. RJWT_IO, RJWT_EXISTS. */
	enum rjwt_err (*generate)(struct provider *provider, int64_t version, const struct alg *alg, unsigned rsa_bits,
	    struct key **key, struct rjwt_diag *diag);
	/* The private half of a public key. signer gives. RJWT_KEYSET: it is another's; RJWT_IO. */
	enum rjwt_err (*load)(struct provider *provider, int64_t version, const struct jwk *jwk, struct signer **signer,
	    struct rjwt_diag *diag);
	/* HMAC alone: the secret, to verify with. key gives. */
	enum rjwt_err (*secret)(struct provider *provider, int64_t version, const struct alg *alg, struct key **key,
	    struct rjwt_diag *diag);
	/* Nothing there is success. */
	enum rjwt_err (*destroy)(struct provider *provider, int64_t version, struct rjwt_diag *diag);
	void (*free)(struct provider *provider);
};

/* Files private/<version>.key below state, which is borrowed as long as the provider lives. */
RJWT_MUST enum rjwt_err provider_file(const struct dir *state, struct provider **provider);

/* For provider_write.c: the directory of such a provider's files, and the name of one. */
RJWT_MUST enum rjwt_err provider_file_open(struct provider *provider, struct dir *dir, struct rjwt_diag *diag);
void provider_key_name(char name[static 32], int64_t version);

/* A signer around a key that is in memory. takes key. */
RJWT_MUST enum rjwt_err signer_of_key(struct key *key, struct signer **signer);
void signer_clean(struct signer **signer);

#endif
