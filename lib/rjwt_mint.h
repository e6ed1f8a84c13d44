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
	RJWT_PARK = 512, /* keep a one-time token for this host here, and give a short code for it */
	RJWT_MINT_FLAGS = RJWT_FORCE | RJWT_PARK
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
	const char *login;    /* the login uid of who mints, recorded likewise; NULL: not */
	int64_t rule; /* the number of the rule that allowed it, recorded likewise; 0: none; rjwt_grant() sets it */
	/* Where the token can be used from; both need the scope ssh alone. NULL: anywhere. */
	const char *bind_key;	 /* claim cnf: the SHA256 fingerprint of an ssh key, as ssh-keygen -l prints it */
	const char *const *from; /* claim src: at most 16 ranges, "192.0.2.0/24"; NULL-terminated */
	const char *actor;	 /* claim act: who acts as this user; NULL: none. rjwt_grant() sets it to the caller */
	bool reusable;
	int64_t
	    uses; /* claim uses: good for so many logins, 2 to RJWT_USES_MAX; 0: once, or reusable. Not with reusable */
	/*
	 * With RJWT_PARK: the code works until then, at most RJWT_CODE_MAX from now, and its token is signed anew meanwhile;
	 * for one scope, which the configuration's codes must name. Without lifetime_s and not_before_s. 0: as long as the
	 * token does.
	 */
	int64_t code_until_s;
	int flags; /* enum rjwt_mint_flags: RJWT_DRY_RUN is not one: a token cannot be taken back */
};

struct rjwt_token {
	char *text; /* the compact serialization, NUL added */
	size_t len;
	char *header, *claims;	/* the JSON that was signed */
	char *audience, *scope; /* what was, with commas and with spaces between them */
	char kid[RJWT_ID_SIZE], jti[23];
	int64_t iat_s, nbf_s, exp_s;
	bool once;
	int64_t uses;  /* the claim; 0: it has none, and is one-time or reusable */
	char code[20]; /* with RJWT_PARK: what is typed in the place of the token, "XXXX-XXXX-XXXX-XXXX"; else "" */
	struct rjwt_change change; /* the rotation that was due and done first */
	char warning[512];	   /* "" or what did not prevent minting: a count not written, ... */
};

/*
 * Mint a token with the active key. A rotation that is due is done first.
 *
 * token	gives; rjwt_token_clear() wipes it
 *
 * RJWT_USER, RJWT_AUDIENCE, RJWT_ISSUER, RJWT_SCOPE (bad names), RJWT_BINDING, RJWT_SOURCE (no fingerprint, no
 * range; for another scope than ssh it is RJWT_SCOPE), RJWT_LIFETIME (0, negative, above
 * max_lifetime), RJWT_CLAIMS, RJWT_HEADER (a free member that is rjwt's own, or no JSON object), RJWT_CLAIMS (uses),
 * RJWT_ALG, RJWT_KID (not the active key's), RJWT_TOO_LONG (does not fit a prompt that it is meant
 * for), RJWT_USAGE (an unknown flag; RJWT_PARK of a token that is not one-time, or not for this host, or of a batch;
 * code_until_s without it, or on a host of a fleet),
 * RJWT_KEYSET, RJWT_IO, RJWT_BUSY, RJWT_MEMORY; diag says more.
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

/* --- delegate: what users other than root may mint, by the rules of the configuration's key issue --- */

/*
 * What the host knows of users and groups: the library asks no name service. Both return RJWT_OK, or the error for which
 * the request is refused; context is what is given here.
 */
struct rjwt_accounts {
	/* The uid of a login name, or -1 if the user does not exist. */
	enum rjwt_err (*uid)(void *context, const char *user, int64_t *uid, struct rjwt_diag *diag);
	/* Whether a user is a member of a group; false if either does not exist. */
	enum rjwt_err (*member)(void *context, const char *user, const char *group, bool *is, struct rjwt_diag *diag);
	void *context; /* may be NULL */
};

/* Who asks. Borrows all. */
struct rjwt_caller {
	const char *name; /* login name */
	const struct rjwt_accounts *accounts;
};

/* A rule; views until the call returns. Lists end with NULL. */
struct rjwt_rule {
	int64_t number; /* from 1, in the order of the file */
	const char *path;
	unsigned line;		/* where it is in the file */
	const char *const *who; /* this and the next three are as in the file */
	const char *const *users;
	const char *const *scopes;
	const char *const *audience;
	int64_t max_lifetime_s; /* at most the configuration's */
	bool reusable, reason_required, root;
	int64_t uses; /* how many a token may have; 1: none may have a number of uses */
};

/*
 * Call each for every rule, or for those that are for a caller, until it returns false. caller may be NULL: for all.
 *
 * RJWT_CONFIG, RJWT_USAGE, RJWT_MEMORY, or the error of a lookup.
 */
enum rjwt_err rjwt_rules(const struct rjwt_options *options, const struct rjwt_caller *caller,
    bool (*each)(void *context, const struct rjwt_rule *rule), void *context, struct rjwt_diag *diag);

/* A part of a rule that does not allow the request. Text for people; found may be hostile: escape it. */
struct rjwt_failed_part {
	int64_t rule;
	const char *part; /* "scopes", ...: a member of the rule; static */
	char found[160], expected[160];
};

/* What the rules say of a request. */
struct rjwt_decision {
	int64_t rule;	      /* the first that allows it; 0: none does */
	size_t nrules, nmine; /* how many there are, and how many of them are for the caller */
	struct rjwt_failed_part
	    *parts; /* if none allows it: of the rules for the caller, in order; NULL: there are none */
	size_t nparts;
};

/*
 * Mint a token as rjwt_mint() does, if a rule allows it. What the request leaves out has its default before the rules are
 * applied, so what they allow is what is minted. request: issuer, alg, kid, key_version, claims, header, actor and
 * flags must be left out, or RJWT_USAGE; rule is ignored, and the claim act is the caller.
 *
 * decision	gives; rjwt_decision_clear(), after any result
 * token	gives; rjwt_token_clear()
 *
 * RJWT_RULE: no rule allows it; otherwise as rjwt_mint(), or the error of a lookup.
 */
enum rjwt_err rjwt_grant(struct rjwt *handle, const struct rjwt_caller *caller, const struct rjwt_request *request,
    struct rjwt_decision *decision, struct rjwt_token *token, struct rjwt_diag *diag);
void rjwt_decision_clear(struct rjwt_decision *decision);

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
