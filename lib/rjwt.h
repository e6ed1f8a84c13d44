/* SPDX-License-Identifier: MIT */
/*
 * rjwt.h - mint and verify short-lived login tokens of one rotating keyset.
 *
 * A handle (struct rjwt) is one keyset, opened with its configuration: rjwt_open(), rjwt_close(). It notices by itself
 * that the keyset has changed, so a rotation or a revocation counts at once; the configuration is read when the handle
 * is opened, and not again. A handle is for one thread at a time. Any number of handles, in any number of processes,
 * may use one keyset.
 *
 * Errors: what can fail returns an enum rjwt_err. Results are written on success only, but for the verdict and the
 * diagnosis (struct rjwt_diag), which are always written. Anything but RJWT_OK from rjwt_verify() is a refusal.
 * Nothing prints, nothing exits, and no state of the process changes, except for the signals that are blocked while a
 * writer holds the keyset's lock.
 *
 * Units: times are seconds since the epoch (NumericDate, RFC 7519 s2) in int64_t, and 0 is "absent" where a time may be
 * absent; durations are seconds (_s), sizes are bytes. Text is UTF-8 that ends with NUL unless a length is with it.
 *
 * Ownership, here and in every header of rjwt: *borrows* is valid during the call; *takes* is freed by the callee, also
 * on error; *gives* is freed by the caller, with what is named; *view* points into another object and dies with it;
 * *static* lives as long as the process. Arguments are borrowed unless they say otherwise.
 *
 * NULL: diag may be NULL everywhere. No other pointer may be NULL unless its comment says what NULL means. A zeroed
 * request is the strictest one: what is left out is refused, or is the configuration's default, and never means "any".
 *
 * This is the only header that a program includes. It has what all of them need, and how to verify; what it includes has the
 * rest: rjwt_mint.h how to mint, rjwt_keep.h how to rotate, revoke and inspect a keyset.
 *
 * The three ways to use it. tests/bats/library_abi.bats compiles and runs these lines as they are here. For each of
 * them, zeroed options are this host's own configuration and keyset.
 *
 *	#include <rjwt.h>
 *	#include <stdio.h>
 *	#include <string.h>
 *
 *	static void
 *	complain(enum rjwt_err err, const struct rjwt_diag *diag)
 *	{
 *		fprintf(stderr, "%s: %s: %s\n", rjwt_reason(err), diag->path, diag->text);
 *	}
 *
 * Verify: may this token log alice in to the service sshd, now? A one-time token is spent by it.
 *
 *	bool
 *	may_log_in(const struct rjwt_options *options, const char *token)
 *	{
 *		struct rjwt_attempt attempt = { .token = token, .len = strlen(token), .user = "alice", .service = "sshd" };
 *		struct rjwt_verdict verdict;
 *		struct rjwt_diag diag;
 *		struct rjwt *h;
 *		enum rjwt_err err = rjwt_open(options, &h, &diag);
 *
 *		if (err != RJWT_OK) {
 *			complain(err, &diag);
 *			return false;
 *		}
 *		err = rjwt_verify(h, &attempt, &verdict, &diag);
 *		if (err == RJWT_OK)
 *			printf("accepted: %s, token %s\n", verdict.user, verdict.jti);
 *		else if (rjwt_is_verdict(err))
 *			printf("rejected: %s\n", rjwt_reason(err));
 *		else
 *			complain(err, &diag);
 *		rjwt_verdict_clear(&verdict);
 *		rjwt_close(h);
 *		return err == RJWT_OK;
 *	}
 *
 * Mint: a token for alice that opens ssh on this host once, within the next five minutes. Needs write access.
 *
 *	bool
 *	mint_for_alice(const struct rjwt_options *options)
 *	{
 *		struct rjwt_request request = { .user = "alice", .lifetime_s = &(int64_t){ 300 } };
 *		struct rjwt_token token;
 *		struct rjwt_diag diag;
 *		struct rjwt *h;
 *		enum rjwt_err err = rjwt_open(options, &h, &diag);
 *
 *		if (err != RJWT_OK) {
 *			complain(err, &diag);
 *			return false;
 *		}
 *		err = rjwt_mint(h, &request, &token, &diag);
 *		if (err == RJWT_OK) {
 *			puts(token.text);
 *			rjwt_token_clear(&token);
 *		} else {
 *			complain(err, &diag);
 *		}
 *		rjwt_close(h);
 *		return err == RJWT_OK;
 *	}
 *
 * Keep: make the keyset unless there is one, then do what is due. Call it again at *again_s; 0 is never.
 *
 *	bool
 *	keep(const struct rjwt_options *options, int64_t *again_s)
 *	{
 *		struct rjwt_change change;
 *		struct rjwt_diag diag;
 *		struct rjwt *h;
 *		enum rjwt_err err = rjwt_init(options, 0, &change, &diag);
 *
 *		if (err == RJWT_OK || err == RJWT_EXISTS)
 *			err = rjwt_open(options, &h, &diag);
 *		if (err != RJWT_OK) {
 *			complain(err, &diag);
 *			return false;
 *		}
 *		err = rjwt_maintain(h, 0, &change, &diag);
 *		if (err == RJWT_OK) {
 *			printf("%s\n", change.text);
 *			*again_s = change.next_event_s;
 *		} else {
 *			complain(err, &diag);
 *		}
 *		rjwt_close(h);
 *		return err == RJWT_OK;
 *	}
 *
 * Compatibility, and the same as a manual page: rjwt(3).
 */
#ifndef RJWT_H
#define RJWT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Longest token that any configuration can allow, in bytes. */
#define RJWT_TOKEN_MAX 65536
/* Largest JWK Set, in bytes: 1,000 RSA keys of 16384 bits. */
#define RJWT_JWKS_MAX 4194304
/* Longest login name, issuer, audience, in bytes. */
#define RJWT_NAME_MAX 255
/* Largest leeway and lifetime, in seconds. */
#define RJWT_LEEWAY_MAX 300
#define RJWT_LIFETIME_MAX 31536000
/* Longest life of a code that is renewed, in seconds. */
#define RJWT_CODE_MAX 34560000
/* Most logins that a token may be good for with a number of uses. */
#define RJWT_USES_MAX 100
/* Sizes of the strings kid and jti in the structs below, NUL included. */
#define RJWT_ID_SIZE 130

/*
 * The reason codes, one row each: CODE(NAME, word, sentence). The word is stable and for logs and programs; the
 * sentence is for people, has no full stop, and may change. A new code is a new row and nothing else.
 *
 * RJWT_VERDICTS: the token was judged and is rejected. When minting, the same codes say what a request lacks.
 * RJWT_NO_VERDICTS: nothing could be judged; diag says what failed, and where.
 */
/* clang-format off */
#define RJWT_VERDICTS(CODE) \
	CODE(RJWT_EMPTY, "empty", "the token is empty") \
	CODE(RJWT_TOO_LONG, "too_long", "the token is longer than allowed") \
	CODE(RJWT_TRUNCATED, "truncated", "the token was cut off where a prompt ends") \
	CODE(RJWT_MALFORMED, "malformed", "not a token") \
	CODE(RJWT_HEADER, "header", "the JOSE header is not accepted") \
	CODE(RJWT_ALG, "alg", "the algorithm does not match the key") \
	CODE(RJWT_KID, "kid", "the key id is missing or malformed") \
	CODE(RJWT_KEY_UNKNOWN, "key_unknown", "no key with this id can verify") \
	CODE(RJWT_KEY_REVOKED, "key_revoked", "the key was revoked") \
	CODE(RJWT_KEY_RETIRED, "key_retired", "the key has retired") \
	CODE(RJWT_SIGNATURE, "signature", "the signature does not match the key") \
	CODE(RJWT_TYP, "typ", "the token has another type") \
	CODE(RJWT_CLAIMS, "claims", "the claims are not accepted") \
	CODE(RJWT_USER, "user", "the token is for another user") \
	CODE(RJWT_ISSUER, "issuer", "the token is from another issuer") \
	CODE(RJWT_AUDIENCE, "audience", "the token is for another host") \
	CODE(RJWT_EXPIRED, "expired", "the token has expired") \
	CODE(RJWT_NOT_YET_VALID, "not_yet_valid", "the token is not valid yet") \
	CODE(RJWT_ISSUED_IN_FUTURE, "issued_in_future", "the token was issued in the future") \
	CODE(RJWT_LIFETIME, "lifetime", "the lifetime is not allowed") \
	CODE(RJWT_SCOPE, "scope", "the token is not for this service") \
	CODE(RJWT_BINDING, "binding", "the token is bound to an ssh key that was not used") \
	CODE(RJWT_SOURCE, "source", "the token is for another source address") \
	CODE(RJWT_REVOKED, "revoked", "the token was revoked") \
	CODE(RJWT_DENIED, "denied", "the token was denied in this fleet") \
	CODE(RJWT_SPENT, "spent", "the token was used before") \
	CODE(RJWT_RULE, "rule", "no rule allows the request")

#define RJWT_NO_VERDICTS(CODE) \
	CODE(RJWT_CONFIG, "config", "the configuration is not valid") \
	CODE(RJWT_KEYSET, "keyset", "the keyset is not usable") \
	CODE(RJWT_STALE, "stale", "the issuer was not heard from for too long") \
	CODE(RJWT_IO, "io", "input or output failed") \
	CODE(RJWT_BUSY, "busy", "the keyset is locked") \
	CODE(RJWT_EXISTS, "exists", "it already exists") \
	CODE(RJWT_MEMORY, "memory", "out of memory") \
	CODE(RJWT_USAGE, "usage", "invalid request") \
	CODE(RJWT_INTERNAL, "internal", "internal error")
/* clang-format on */

enum rjwt_err {
	RJWT_OK = 0,
#define RJWT_ENUMERATOR(name, word, sentence) name,
	RJWT_VERDICTS(RJWT_ENUMERATOR) RJWT_NO_VERDICTS(RJWT_ENUMERATOR)
#undef RJWT_ENUMERATOR
};

/* The version of the library that is loaded: "0.1.0"; static. */
const char *rjwt_version(void);

const char *rjwt_reason(enum rjwt_err err);   /* "key_unknown": stable, for logs; static */
const char *rjwt_strerror(enum rjwt_err err); /* a sentence for people, without a full stop; static */
bool rjwt_is_verdict(enum rjwt_err err);      /* judged and refused, RJWT_OK not included */

/*
 * Where and why something failed. path is "" where no file is to blame, line is 0 where there is
 * none. text may hold bytes from outside: escape it before it reaches a terminal or a log.
 */
struct rjwt_diag {
	char path[256];
	unsigned line, column;
	int errnum; /* why a system call failed, RJWT_IO alone; 0: not known */
	char text[512];
};

/* The clocks, as one reading. boot_id is /proc/sys/kernel/random/boot_id. */
struct rjwt_time {
	int64_t wall_s; /* CLOCK_REALTIME */
	int64_t boot_s; /* CLOCK_BOOTTIME */
	char boot_id[37];
};

/*
 * How a handle is opened. A zeroed struct means: /etc/rjwt/rjwt.yaml (or, where that file is
 * missing, the defaults), its state directory, the system's clocks. Borrows all, now_context apart.
 */
/* --- what happened to the keyset: for the log ------------------------------------------------- */

enum rjwt_event_kind {
	RJWT_EVENT_PUBLISHED, /* a key was made, and verifies from now on: kid, alg */
	RJWT_EVENT_PROMOTED,  /* another key signs: kid, cause "time", "count", "manual", "revoke", "init", "adopt" */
	RJWT_EVENT_RETIRED,   /* the key that signed before: kid, until_s */
	RJWT_EVENT_ERASED,    /* the private half of a key: kid */
	RJWT_EVENT_REMOVED,   /* a key that verifies nothing any more: kid */
	RJWT_EVENT_CLOCK,     /* the clock was set: cause "back" or "forward", by_s */
	RJWT_EVENT_WARNING,   /* what did not prevent the change: text */
	RJWT_EVENT_CODES      /* tokens of codes were signed anew, and codes removed: renewed, removed */
};

struct rjwt_event {
	enum rjwt_event_kind kind;
	char kid[RJWT_ID_SIZE];
	const char *alg, *cause; /* static */
	int64_t until_s, by_s;
	size_t renewed, removed;
	char text[256]; /* may be hostile: escape it */
};

struct rjwt_options {
	/* A file that must exist. NULL: the default one; it may be missing, unless the keyset was used with it. */
	const char *config;
	const char *state_dir; /* NULL: the configuration's */
	/* JWK Set file in place of the keyset, for rjwt_verify() only; keys that it cannot use are passed over; NULL: none */
	const char *jwks;
	void (*now)(void *context, struct rjwt_time *now); /* NULL: the system's clocks; else must fill all of now */
	void *now_context; /* what now() is given; may be NULL; must live as long as the handle */
	/* Overrides of the configuration for this handle; NULL: none. */
	const char *issuer; /* verify: the only issuer accepted; mint: what is minted; 1 to RJWT_NAME_MAX bytes */
	const char *const *audience;   /* NULL-terminated, at least one; verify: the names accepted */
	const char *typ;	       /* header typ, as the file's token_type: 1 to 64 bytes */
	const int64_t *leeway_s;       /* 0 to RJWT_LEEWAY_MAX */
	const int64_t *max_lifetime_s; /* 1 to RJWT_LIFETIME_MAX */
	/* The bytes of a JWK Set in place of a file's; NULL: none. Not with jwks. */
	const char *jwks_text;
	size_t jwks_len;
	/*
	 * Called for what happened to the keyset in a call that changed it, whatever the call returns: before it returns,
	 * when the lock is given back. Borrows event. NULL: nobody asks.
	 */
	void (*event)(void *context, const struct rjwt_event *event);
	void *event_context; /* what event() is given; may be NULL; must live as long as the handle */
};

struct rjwt;

/*
 * Open a keyset for verifying, minting and rotating.
 *
 * handle	gives; rjwt_close()
 *
 * RJWT_CONFIG, RJWT_KEYSET (missing, damaged, writable by others, ...), RJWT_USAGE (an override that the
 * file could not have), RJWT_IO, RJWT_MEMORY.
 */
enum rjwt_err rjwt_open(const struct rjwt_options *options, struct rjwt **handle, struct rjwt_diag *diag);
void rjwt_close(struct rjwt *handle); /* wipes; NULL is fine */

/*
 * Flags. Each function has an enum of those that it knows, and the last name of that enum is all of them. A flag that
 * a function does not know is RJWT_USAGE: nothing is done. No value means two things. One that several functions know is
 * of no enum, because compilers warn of flags of two enums in one expression.
 */
#define RJWT_DRY_RUN 1 /* judge or plan, and write nothing */

/* --- verify: may this token log this user in here, now? --------------------------------------- */

enum rjwt_verify_flags {
	/* RJWT_DRY_RUN: do not mark a one-time token as spent */
	RJWT_ANY_USER = 2,	  /* skip the check of the user */
	RJWT_ANY_SERVICE = 4,	  /* skip the check of the scope; spent is what is spent for all its scopes */
	RJWT_ANY_ORIGIN = 8,	  /* skip the check of the bound key without auth_info, of the address without source */
	RJWT_SIGNATURE_ONLY = 16, /* JWS alone (RFC 7515): stop after the signature */
	RJWT_VERIFY_FLAGS = RJWT_DRY_RUN | RJWT_ANY_USER | RJWT_ANY_SERVICE | RJWT_ANY_ORIGIN | RJWT_SIGNATURE_ONLY
};

struct rjwt_check;

/* What is tried. Borrows all. */
struct rjwt_attempt {
	const char *token; /* compact serialization, RFC 7515 s3.1; need not end with NUL; NULL: an empty one */
	size_t len;
	const char *user;	  /* PAM_USER; NULL is refused unless RJWT_ANY_USER */
	const char *service;	  /* PAM_SERVICE; NULL is refused unless RJWT_ANY_SERVICE */
	int flags;		  /* enum rjwt_verify_flags */
	struct rjwt_check *trace; /* NULL: none; else filled with every check in its order, verdict.nchecks of them */
	size_t trace_max;	  /* how many trace has room for; RJWT_CHECKS_MAX always suffices */
	/*
	 * Where the login comes from, for tokens that are bound to that; such a token is refused where it is NULL, unless
	 * RJWT_ANY_ORIGIN. auth_info: sshd's variable SSH_AUTH_INFO_0. source: the address of the peer; what is no
	 * literal is refused, and ::ffff:a.b.c.d is IPv4.
	 */
	const char *auth_info, *source;
};

enum rjwt_outcome { RJWT_NOT_REACHED = 0, RJWT_PASSED, RJWT_FAILED, RJWT_NOT_CHECKED };

/* One row of the walk. expected and found are text for people; found may be hostile: escape it. */
struct rjwt_check {
	enum rjwt_err code; /* what a failure of this row is called */
	const char *name;   /* "signature"; static */
	const char *group;  /* "form", "key", "type", "who", "time", "use": rows that belong together; static */
	enum rjwt_outcome outcome;
	char expected[160], found[160];
};

/* A trace of this many checks has room for all. With less room it holds the first ones. */
#define RJWT_CHECKS_MAX 32

struct rjwt_verdict {
	enum rjwt_err reason;
	bool tell; /* genuine and this user's own: the reason may be shown to who typed it */
	/* "" until the signature is good; kid is "" until the token's kid is well formed */
	char kid[RJWT_ID_SIZE], jti[RJWT_ID_SIZE], sub[RJWT_NAME_MAX + 1];
	char user[RJWT_NAME_MAX + 1];  /* the login name whom the token logs in */
	char actor[RJWT_NAME_MAX + 1]; /* who acts as this user, of the claim act; "": it has none */
	int64_t iat_s, nbf_s, exp_s;
	int64_t accepted_until_s; /* exp and the leeway */
	int64_t now_s;		  /* the time it was judged by */
	bool once;
	int64_t uses; /* how many logins it is good for, for each scope: 1, or those of its claim; 0: any number */
	int64_t used; /* how many of them there were for this scope, this login included; 0 unless it was looked up */
	bool cap_session;	 /* the configuration's cap_session */
	int64_t overdue_since_s; /* when the rotation should have been; 0: it is not overdue */
	int64_t clock_moved_s;	 /* how far the clock was set, back if below 0, while that is recent; 0: it was not */
	char *claims; /* the payload's bytes, NUL added; NULL unless the signature is good; rjwt_verdict_clear() */
	size_t claims_len;
	struct rjwt_check failed; /* the check that failed, traced or not */
	size_t nchecks;		  /* how many of attempt.trace were written; 0 without a trace */
};

/*
 * Judge a token. A one-time token, or one use of a token that has several, is marked as spent, durably, before RJWT_OK
 * is returned, unless RJWT_DRY_RUN.
 *
 * verdict	gives; rjwt_verdict_clear(), after any result. verdict->reason is what is returned.
 *
 * Returns RJWT_OK, a verdict, or RJWT_CONFIG, RJWT_KEYSET, RJWT_IO, RJWT_MEMORY, RJWT_INTERNAL with
 * diag filled; RJWT_USAGE: an unknown flag, RJWT_ANY_SERVICE without RJWT_DRY_RUN and a one-time token (there is no
 * scope to spend it under), or a JWK Set without issuer and audience for more than a signature.
 */
enum rjwt_err rjwt_verify(struct rjwt *handle, const struct rjwt_attempt *attempt, struct rjwt_verdict *verdict,
    struct rjwt_diag *diag);
void rjwt_verdict_clear(struct rjwt_verdict *verdict);

/*
 * The token that is parked on this host under a code (rjwt_mint() with RJWT_PARK), for rjwt_verify(). typed is what
 * somebody typed: case, blanks and hyphens do not count. *token is NULL where it has not the form of a code, no token is
 * parked under it, or this process may not look: it may then be a password, and nothing should be said of it.
 *
 * token	gives; wipe it, rjwt_free()
 *
 * RJWT_KEYSET: the file of that code was altered or is unsafe; RJWT_MEMORY, RJWT_INTERNAL, RJWT_USAGE (a handle on a
 * JWK Set).
 */
enum rjwt_err rjwt_parked(struct rjwt *handle, const char *typed, size_t len, char **token, struct rjwt_diag *diag);

/*
 * Key number i (from 0) of the handle's JWK Set that is not used, because it cannot be used for verifying, and why; false
 * at the end, and for a keyset. kid is "" if it has none. why is text for people, static; kid is a view into the handle
 * and may be hostile: escape it.
 */
bool rjwt_passed_over(const struct rjwt *handle, size_t i, const char **kid, const char **why);

/* --- what a writer did, or with RJWT_DRY_RUN would do ----------------------------------------- */

struct rjwt_change {
	bool any;		 /* something was, or would be, written */
	bool rotated;		 /* another key signs now */
	char kid[RJWT_ID_SIZE];	 /* of the active key, after it */
	int64_t retired_version; /* of the key that retired; 0: none */
	int64_t made_version;	 /* of the newest key made; 0: none */
	int64_t next_event_s;	 /* when something is due again; 0: never */
	char text[256];		 /* one true sentence */
	char warning[512];	 /* "" or: the clock went back, ... */
};

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

/* The other two ways to use it. */
#include "rjwt_mint.h"
#include "rjwt_keep.h"

#endif
