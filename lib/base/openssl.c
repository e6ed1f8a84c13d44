/* SPDX-License-Identifier: MIT */
#include "base/openssl.h"
#include "rjwt.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
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
openssl_ready(void)
{
	OPENSSL_QUIETLY;

	if (OPENSSL_init_crypto(0, NULL) != 1 || OSSL_LIB_CTX_get0_global_default() == NULL)
		return RJWT_MEMORY;
	return RJWT_OK;
}

enum rjwt_err
random_fill(void *p, size_t n)
{
	OPENSSL_QUIETLY;

	return RAND_bytes_ex(NULL, p, n, 0) == 1 ? RJWT_OK : RJWT_INTERNAL;
}
