/* SPDX-License-Identifier: MIT */
/*
 * key_weak.h - used by key.c: keys that OpenSSL accepts but a verifier must not (RFC 8725 s3.5).
 */
#ifndef RJWT_KEY_WEAK_H
#define RJWT_KEY_WEAK_H

#include <openssl/evp.h>

/* Why the key is rejected; static. NULL: it is good. encoded: 32 or 57 bytes (RFC 8032 s5.1.2, s5.2.2). */
const char *key_rsa_weak(const EVP_PKEY *pkey);
const char *key_ed25519_weak(const unsigned char *encoded);
const char *key_ed448_weak(const unsigned char *encoded);

#endif
