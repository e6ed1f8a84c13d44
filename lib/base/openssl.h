/* SPDX-License-Identifier: MIT */
/*
 * openssl.h - libcrypto: initialization, error queue, random bytes.
 */
#ifndef RJWT_OPENSSL_H
#define RJWT_OPENSSL_H

#include "base/err.h"

/*
 * Initialize libcrypto, before anything else calls it: without this, some of its functions crash when memory
 * runs out. RJWT_MEMORY. RJWT_INTERNAL: as it is configured here, it has no SHA-256, so that nothing could be told from what is
 * damaged.
 */
RJWT_MUST enum rjwt_err openssl_ready(struct rjwt_diag *diag);

/*
 * The first declaration in each function that calls OpenSSL: when the function returns, the error queue of OpenSSL
 * is restored. Our own codes report failures; entries of the calling program stay in the queue.
 */
#define OPENSSL_QUIETLY __attribute__((unused)) RJWT_CLEAN(openssl_unmark) int openssl_marked_ = openssl_mark()
int openssl_mark(void);
void openssl_unmark(int *marked);

/* Cryptographically secure random bytes. RJWT_INTERNAL. */
RJWT_MUST enum rjwt_err random_fill(void *p, size_t n);

#endif
