/* SPDX-License-Identifier: MIT */
/*
 * openssl.h - libcrypto as a whole: made ready, its error queue left as it was, its random bytes.
 */
#ifndef RJWT_OPENSSL_H
#define RJWT_OPENSSL_H

#include "base/err.h"

/*
 * Make libcrypto ready, before anything else calls it: some of its first calls crash when memory
 * runs out, this one says so. RJWT_MEMORY.
 */
RJWT_MUST enum rjwt_err openssl_ready(void);

/*
 * First declaration of each function that calls OpenSSL: at its end, whatever the way out, OpenSSL's error
 * queue is as it was. What fails there is told by our own codes; the host's errors stay the host's.
 */
#define OPENSSL_QUIETLY __attribute__((unused)) RJWT_CLEAN(openssl_unmark) int openssl_marked_ = openssl_mark()
int openssl_mark(void);
void openssl_unmark(int *marked);

/* Cryptographically secure random bytes. RJWT_INTERNAL. */
RJWT_MUST enum rjwt_err random_fill(void *p, size_t n);

#endif
