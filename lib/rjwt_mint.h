/* SPDX-License-Identifier: MIT */
/*
 * rjwt_mint.h - part of rjwt.h, which a program includes: minting. A request is refused with the verifier's own codes.
 */
#ifndef RJWT_PUBLIC_MINT_H
#define RJWT_PUBLIC_MINT_H

#include "rjwt.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum rjwt_mint_flags {
	RJWT_FORCE = 64, /* mint although the token does not fit a prompt */
	RJWT_MINT_FLAGS = RJWT_FORCE
};

/* Borrows all. NULL and 0 mean the default of the configuration, and for user are refused. */
struct rjwt_request {
	const char *user;	     /* claim sub, and with user_suffix the claim user_claim */
	const char *const *audience; /* NULL-terminated; default: the keyset's own */
	const char *const *scope;    /* NULL-terminated; default: ssh */
	const char *issuer;	     /* claim iss */
	const char *alg, *kid;	     /* assertions: refused when the active key's differ; NULL: none */
	int64_t key_version;	     /* likewise; 0: none */
	const int64_t *lifetime_s;   /* exp = max(iat, nbf) + lifetime; NULL: default_lifetime */
	int64_t not_before_s;	     /* claim nbf; 0: iat */
	const char *claims, *header; /* JSON objects: free members, none of rjwt's own names; NULL: none */
	const char *by, *why; /* who mints, and what for: recorded for rjwt_list(), and nothing else; NULL: not */
	bool reusable;
	int flags; /* enum rjwt_mint_flags: there is no dry run, for a token cannot be taken back */
};

struct rjwt_token {
	char *text; /* the compact serialization, NUL added */
	size_t len;
	char *header, *claims;	/* the JSON that was signed */
	char *audience, *scope; /* what was, with commas and with spaces between them */
	char kid[RJWT_ID_SIZE], jti[23];
	int64_t iat_s, nbf_s, exp_s;
	bool once;
	struct rjwt_change change; /* the rotation that was due and done first */
	char warning[512];	   /* "" or what did not prevent minting: a count not written, ... */
};

/*
 * Mint a token with the active key. A rotation that is due is done first.
 *
 * token	gives; rjwt_token_clear() wipes it
 *
 * RJWT_USER, RJWT_AUDIENCE, RJWT_ISSUER, RJWT_SCOPE (bad names), RJWT_LIFETIME (0, negative, above
 * max_lifetime), RJWT_CLAIMS, RJWT_HEADER (a free member that is rjwt's own, or no JSON object),
 * RJWT_ALG, RJWT_KID (not the active key's), RJWT_TOO_LONG (does not fit a prompt that it is meant
 * for), RJWT_USAGE (an unknown flag), RJWT_KEYSET, RJWT_IO, RJWT_BUSY, RJWT_MEMORY; diag says more.
 */
enum rjwt_err
rjwt_mint(struct rjwt *handle, const struct rjwt_request *request, struct rjwt_token *token, struct rjwt_diag *diag);
void rjwt_token_clear(struct rjwt_token *token);

/* What became of one request: err is as rjwt_mint() would return it. token is there when that is RJWT_OK. */
struct rjwt_minted {
	enum rjwt_err err;
	struct rjwt_token token;
	struct rjwt_diag diag;
};

/*
 * Mint n tokens together: a look at the keyset, a write of tickets and the syncs are shared, so each costs little
 * more than its signature. Each is minted as by rjwt_mint(); a refused one does not prevent the others.
 *
 * minted	n of them; gives: rjwt_token_clear() for each token, also after an error
 *
 * RJWT_OK when all are minted, else the first error. RJWT_MEMORY, RJWT_USAGE (a handle on a JWK Set): none was.
 */
enum rjwt_err
rjwt_mint_batch(struct rjwt *handle, const struct rjwt_request *requests, size_t n, struct rjwt_minted *minted);

/* A prompt that a token is meant for. */
struct rjwt_prompt {
	const char *service; /* the PAM service, static; NULL: none that is known requires the scope */
	size_t limit;	     /* bytes of a reply that reach the module whole; 0: not known */
	bool as_user;	     /* a program of such a service does not run as root: it can take reusable tokens alone */
};

/*
 * Of the PAM services that require a scope, by the configuration, the one whose prompt takes least. False: no limit is
 * known. rjwt_mint() rejects a token that is too long for it. A handle on a JWK Set has no services of its own.
 */
bool rjwt_prompt(const struct rjwt *handle, const char *scope, struct rjwt_prompt *prompt);
/* The scope that a token needs for a PAM service; NULL: none opens it. A view of the handle, or service itself. */
const char *rjwt_scope(const struct rjwt *handle, const char *service);
/* Whether some prompt cuts a longer reply off, in silence, at exactly this length. */
bool rjwt_prompt_cuts(size_t len);

/*
 * The configuration's require_log: no token may be given out unless the log has accepted its line. The library does not
 * log, so this is up to the caller of rjwt_mint(), as in rjwt-issue: it checks before, and again afterwards.
 */
bool rjwt_requires_log(const struct rjwt *handle);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
