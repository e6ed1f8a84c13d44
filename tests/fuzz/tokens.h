/* SPDX-License-Identifier: MIT */
/*
 * tokens.h - tokens by the input's choice, signed with a real key, so that a fuzzer gets behind the signature; and
 * by what is in them, whether they may be accepted.
 *
 * That is judged from the bytes which were signed, read by json-c alone, in the plainest way: none of rjwt's own
 * reading has a part in it.
 */
#ifndef RJWT_TOKENS_H
#define RJWT_TOKENS_H

#include "faults.h"
#include "../unit/ssh_keys.h"
#include "jose/jws.h"
#include "base/buf.h"
#include "jose/provider.h"

struct token {
	struct buf text;	   /* what is handed in */
	struct buf header, claims; /* what was signed */
	bool minted;		   /* text is as it was signed: not changed since, nor made of the input's bytes */
	bool plain;		   /* well-formed, with no bytes of the input in it */
};

/* How a token is to be made. Borrows all. */
struct recipe {
	struct signer *signer;
	const char *kid;
	int64_t now_s;
	bool once;
};

/* Make one. token gives; token_clear(). Nothing fails meanwhile. */
void token_make(struct rest *rest, const struct recipe *recipe, struct token *token);
void token_clear(struct token *token);

/* Who asks, and what the configuration says. */
struct asked {
	const char *user, *scope; /* NULL: not checked */
	const char *issuer, *audience, *typ;
	const char *user_claim, *user_suffix;
	const char *alg, *kid;
	int64_t now_s, leeway_s, max_lifetime_s;
	bool once_always;
	bool foreign; /* by a JWK Set, which judges what others mint */
	bool origin;  /* with TOKENS_AUTH_INFO, from TOKENS_SOURCE; else from nowhere */
};

/* A login by ssh, and the key that was not used. */
#define TOKENS_KEY SSH_FINGERPRINT
#define TOKENS_OTHER_KEY OTHER_FINGERPRINT
#define TOKENS_AUTH_INFO SSH_AUTH_INFO
#define TOKENS_SOURCE SSH_SOURCE /* 192.0.2.7 */

/* What it says of itself. */
struct said {
	char iss[256], jti[256], user[256]; /* user: without the suffix */
	bool once;
	int64_t iat_s;
	bool elsewhere; /* it may not pass for its issuer and audience alone */
};

/* Whether a token that was minted may be accepted, marks apart. said is filled then. */
bool token_may_pass(const struct token *token, const struct asked *asked, struct said *said);

#endif
