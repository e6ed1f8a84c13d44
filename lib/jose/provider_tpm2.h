/* SPDX-License-Identifier: MIT */
/*
 * provider_tpm2.h - private halves that a TPM wraps: private_keys: tpm2. Nothing that verifies tokens includes this.
 *
 * OpenSSL's tpm2 provider makes, loads and signs, in a library context that lives as long as one key is used, so that
 * no other code of the process meets the provider, and no connection to a TPM outlives what it was opened for. The TPM
 * makes the key and gives out its private half encrypted, as a TSS2 PRIVATE KEY in PEM; another TPM, or this one after
 * it was cleared, cannot read that. The public half is an ordinary key of the default context.
 *
 * TPM2OPENSSL_TCTI names the TPM. It must be set: without it the provider would try one after the other, in the end a
 * port of this host on which anybody may listen.
 *
 * What keys behind PKCS#11 would need. OpenSSL's pkcs11 provider (1.0) makes, writes and reads keys by the calls that are here,
 * and its PEM has nothing but a URI: tests/elsewhere/pkcs11. What is in the way:
 *	- it writes that PEM only if it is configured so, and wants the path of the token's library and a PIN. tpm_open() loads a
 *	  provider by its name alone; OSSL_PROVIDER_load_ex() has parameters, from OpenSSL 3.2 on, and Debian 12 has 3.0;
 *	- the PIN is a secret of a kind that rjwt does not have, and has to be in a file;
 *	- a token takes a second key of the same name, and the URI of one is that of the other: each key needs a name that is
 *	  never used again, though versions begin at 1 with each base;
 *	- removing private/<version>.key leaves the key in the token, and OpenSSL has no call that removes it: destroy, and
 *	  with it a rotation, would need PKCS#11 itself. So would recover(), for what a crash leaves is not in private/ alone;
 *	- the strings here that name the provider, and what provider_is_wrapped() looks for.
 */
#ifndef RJWT_PROVIDER_TPM2_H
#define RJWT_PROVIDER_TPM2_H

#include "base/buf.h"
#include "base/err.h"
#include "jose/alg.h"
#include "jose/key.h"
#include "jose/provider.h"

/*
 * A new key: its public half, whose key_private_format() is what the TPM wrapped. key gives. RJWT_IO, without an
 * errnum: the provider or the TPM is missing, or the TPM cannot make such a key.
 */
RJWT_MUST enum rjwt_err
tpm2_generate(const struct alg *alg, unsigned rsa_bits, struct key **key, struct rjwt_diag *diag);

/*
 * A signer for a wrapped key; path is for messages. After a signature that failed it opens the TPM anew. signer gives.
 * RJWT_KEYSET: this TPM cannot read it; RJWT_IO: as above, or the TPM does not answer.
 */
RJWT_MUST enum rjwt_err
tpm2_signer(const struct alg *alg, struct view text, const char *path, struct signer **signer, struct rjwt_diag *diag);

/* Whether the TPM makes a key, reads it again and signs with it. RJWT_IO, RJWT_KEYSET. */
RJWT_MUST enum rjwt_err tpm2_try(const struct alg *alg, struct rjwt_diag *diag);

#endif
