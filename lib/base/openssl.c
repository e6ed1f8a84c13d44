/* SPDX-License-Identifier: MIT */
#include "base/openssl.h"
#include "rjwt.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

int
openssl_mark(void)
{
	return ERR_set_mark(); /* 0: the queue is empty, and popping will empty it */
}

void
openssl_unmark(int *marked)
{
	(void)marked;
	(void)ERR_pop_to_mark();
}

enum rjwt_err
openssl_ready(struct rjwt_diag *diag)
{
	OPENSSL_QUIETLY;
	EVP_MD *md;

	if (OPENSSL_init_crypto(0, NULL) != 1 || OSSL_LIB_CTX_get0_global_default() == NULL)
		return RJWT_MEMORY;
	md = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (md == NULL && ERR_GET_REASON(ERR_peek_last_error()) != ERR_R_UNSUPPORTED)
		return RJWT_MEMORY;
	if (md == NULL)
		return diag_fail(diag, RJWT_INTERNAL, "",
		    "OpenSSL has no SHA-256 here (openssl.cnf: is the provider \"default\" activated, and do the "
		    "default_properties permit it?)");
	EVP_MD_free(md);
	return RJWT_OK;
}

enum rjwt_err
random_fill(void *p, size_t n)
{
	OPENSSL_QUIETLY;

	return RAND_bytes_ex(NULL, p, n, 0) == 1 ? RJWT_OK : RJWT_INTERNAL;
}
