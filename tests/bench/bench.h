/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what is measured: one token, and each way to verify it or to make another like it. An operation
 * returns whether it succeeded.
 */
#ifndef RJWT_BENCH_H
#define RJWT_BENCH_H

#include "jose/alg.h"
#include "base/buf.h"
#include "base/err.h"
#include "rjwt.h"

#include <openssl/evp.h>

#define ISSUER "ca.example.org"
#define AUDIENCE "host.example.org"
#define USER "alice"

struct subject {
	const char *folder;
	struct rjwt *keyset, *set; /* handles: on the keyset, on set.json */
	struct rjwt_request request;
	struct rjwt_token token;
	/* The same manually. */
	const struct alg *alg;
	EVP_PKEY *pkey;
	EVP_MAC_CTX *mac;     /* HMAC: with its key */
	struct buf peers_key; /* public key as PEM, or the secret */
};

/* A signature in the form that OpenSSL takes, and what it signs, a view of the token. */
struct signed_bytes {
	struct view input;
	unsigned char signature[512];
	size_t n;
};

/* Say so, and exit with 1. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

struct subject *subject_open(const char *folder);
void subject_close(struct subject *s);
struct rjwt *subject_handle(const struct subject *s); /* one more on the keyset; rjwt_close() */

bool verify_token_with(struct rjwt *handle, struct view token);
bool mint_with(const struct subject *s, bool reusable, struct rjwt_token *token);

/* The bare operation of OpenSSL: what nobody who uses EVP can do without. */
void take_apart(const struct subject *s, struct view token, struct signed_bytes *out);
bool bare_verify(const struct subject *s, const struct signed_bytes *token);
bool bare_sign(const struct subject *s, struct view input);

/* The same token and the same checks by libjwt, if this machine has it. */
bool peer_load(void);
bool peer_verify(const struct subject *s);

/* Logins with one-time tokens by several processes: one line of JSON. */
void spend(const struct subject *s, int processes, int tokens);

#endif
