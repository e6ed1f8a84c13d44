/* SPDX-License-Identifier: MIT */
/*
 * rjwt_keep.h - part of rjwt.h, which a program includes: the keyset. Who signs, rotating, revoking, the record of what was
 * minted, status; and what its keeper calls, as rjwt-keyd does.
 */
#ifndef RJWT_PUBLIC_KEEP_H
#define RJWT_PUBLIC_KEEP_H

#include "rjwt.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* The public JWK Set (RFC 7517 s5) of all keys that verify now. json gives; rjwt_free(). */
enum rjwt_err rjwt_jwks(struct rjwt *handle, char **json, size_t *len, struct rjwt_diag *diag);

/* The key that signs now. kid is filled; alg is static. */
enum rjwt_err rjwt_current_key(struct rjwt *handle, char kid[RJWT_ID_SIZE], const char **alg, struct rjwt_diag *diag);

/* Names of the algorithms (RFC 7518 s3.1, RFC 8037), NULL at the end; static. */
const char *const *rjwt_algorithms(void);

enum rjwt_rotate_flags {
	/* RJWT_DRY_RUN: plan, and write nothing */
	RJWT_COMPROMISED = 256, /* the private keys are known to somebody else */
	RJWT_ROTATE_FLAGS = RJWT_DRY_RUN | RJWT_COMPROMISED
};

/*
 * Promote the next key now. Of several calls at once, one rotates: change->rotated says which. RJWT_COMPROMISED makes
 * two new keys and erases the old private keys; earlier tokens stop verifying.
 */
enum rjwt_err rjwt_rotate(struct rjwt *handle, int flags, struct rjwt_change *change, struct rjwt_diag *diag);

void rjwt_free(void *p); /* what rjwt_jwks() gave; NULL is fine */

/* --- the keyset's keeper: what rjwt-keyd calls ------------------------------------------------ */

enum rjwt_init_flags {
	RJWT_ADOPT = 128, /* take over the keyset that is there */
	RJWT_INIT_FLAGS = RJWT_ADOPT
};

/*
 * Make the keyset that the options name. RJWT_EXISTS when there is one; RJWT_AUDIENCE when the host
 * has no name of its own (empty, localhost) and the configuration gives no issuer and audience.
 * RJWT_ADOPT takes over a keyset that was copied, restored or damaged: a new base, and no earlier token
 * verifies. RJWT_CONFIG: base_kid is the old base; RJWT_KEYSET: nothing is there.
 */
enum rjwt_err
rjwt_init(const struct rjwt_options *options, int flags, struct rjwt_change *change, struct rjwt_diag *diag);

enum rjwt_maintain_flags {
	/* RJWT_DRY_RUN: plan, and write nothing */
	RJWT_MAINTAIN_FLAGS = RJWT_DRY_RUN
};

/* Do what is due: rotate, remove keys and marks that are no longer needed. */
enum rjwt_err rjwt_maintain(struct rjwt *handle, int flags, struct rjwt_change *change, struct rjwt_diag *diag);

enum rjwt_revoke_flags {
	/* RJWT_DRY_RUN: plan, and write nothing */
	RJWT_REVOKE_FLAGS = RJWT_DRY_RUN
};

/* What is revoked: exactly one of these; the others are NULL and false. Borrows all. */
struct rjwt_revocation {
	const char *jti;	  /* one token, by its id */
	const char *const *users; /* all tokens of these login names that were minted until now; NULL-terminated */
	const char *kid;	  /* all tokens of one key */
	bool all;		  /* all tokens that were minted until now */
};

/*
 * Revoke. When it returns RJWT_OK, what was revoked is refused, also by handles that are open, and stays so.
 * Repeating it does no harm. In a fleet jti and users are denials, of tokens of all issuers: on an issuer for all hosts,
 * elsewhere on this host alone, also where it has no keyset of its own. RJWT_USAGE: an unknown flag, not exactly one, or no name; RJWT_KID,
 * RJWT_KEY_UNKNOWN: no such key verifies; RJWT_KEYSET, RJWT_IO, RJWT_BUSY, RJWT_MEMORY.
 */
enum rjwt_err rjwt_revoke(struct rjwt *handle, const struct rjwt_revocation *revocation, int flags,
    struct rjwt_change *change, struct rjwt_diag *diag);

/* A scope for which a token was used on this host, and when it was last. */
struct rjwt_use {
	const char *scope;
	int64_t at_s;
	int64_t times; /* 1 for a one-time token */
};

/* A token that was minted here and has not expired; views until the call returns. Lists end with NULL. */
struct rjwt_issued {
	const char *jti, *user, *kid;
	const char *by, *why; /* as in the request; "": not recorded */
	const char *actor;    /* likewise; "": none */
	int64_t rule;	      /* as in the request; 0: none */
	const char *const *audience;
	const char *const *scope;    /* NULL, both: not recorded */
	const struct rjwt_use *uses; /* of a token whose uses are counted, and whose audience includes this host */
	size_t nuses;
	int64_t most; /* how often it may be used for each scope: 1 for a one-time token; 0: any number of times */
	int64_t iat_s, nbf_s, exp_s;
	bool once;
	bool here;    /* this host is in its audience */
	bool revoked; /* itself, its user up to its key, or its key */
	bool code;    /* a code waits for it on this host; of one that is renewed, kid is of the token of now, and exp_s
			 the end of the code */
	bool live;    /* neither revoked nor, as far as this host knows, spent for all its scopes */
};

/*
 * Call each for every token that was minted here and has not expired, in no order, until it returns false. Only root
 * can read the record of minted tokens.
 *
 * RJWT_USAGE: a handle on a JWK Set; RJWT_KEYSET, RJWT_IO, RJWT_MEMORY.
 */
enum rjwt_err rjwt_list(struct rjwt *handle, bool (*each)(void *context, const struct rjwt_issued *token),
    void *context, struct rjwt_diag *diag);

struct rjwt_key_info {
	char kid[RJWT_ID_SIZE];
	char alg[8], state[8]; /* state: "active", "next", "retired", "revoked", "expired" */
	int64_t published_s, active_since_s, retired_s, verifies_until_s, revoked_s; /* 0: not, or not yet */
	int64_t minted; /* number of tokens that it signed; -1: unknown, as for keys that are neither active nor next */
};

enum rjwt_note_level { RJWT_NOTE = 0, RJWT_ATTENTION = 1, RJWT_BROKEN = 3 };

struct rjwt_note {
	enum rjwt_note_level level;
	const char *code; /* "keyset.machine": stable, for programs; rjwt-keyd(8) has them; static */
	struct rjwt_diag diag;
};

/* An issuer that this host follows, and what its mirror gave to the carrier that comes with rjwt. */
struct rjwt_followed {
	char name[33], base[RJWT_ID_SIZE], url[256];
	char kid[RJWT_ID_SIZE];	  /* of the key that signs; "": nothing is installed */
	int64_t serial, issued_s; /* of the bundle that is installed; 0: none is */
	int64_t stale_s;	  /* its tokens get no verdict from then on */
	struct rjwt_diag why;	  /* what is installed cannot be read; text "": it can */
	bool fetched;		  /* the mirror's file is in the spool */
	bool own;		  /* this host itself: what it published last, which only root can read */
	int64_t offered;	  /* the serial that it has of this issuer; 0: none that its key signed */
	int64_t answered_s;	  /* when the mirror answered last; 0: not known */
};

#define RJWT_ISSUERS_MAX 8
struct rjwt_following {
	char audience[RJWT_NAME_MAX + 1]; /* the name that this host has in tokens */
	char url[256];			  /* where join was told to look */
	int64_t roster;			  /* the number of the roster that is believed; 0: none has come */
	int64_t forked;			  /* two rosters of this number differ; 0: none do */
	int64_t forked_s[2];		  /* when these say that they were made, the earlier first */
	int64_t newer;			  /* a bundle names a roster of this number; 0: none is newer */
	char newer_by[33];		  /* whose bundle */
	struct rjwt_followed issuers[RJWT_ISSUERS_MAX];
	size_t n;
};

struct rjwt_status {
	enum rjwt_note_level level; /* the worst of notes; the exit status of rjwt-keyd status */
	char config[256]; /* the configuration file that is used; "": there is none, and every key has its default */
	char dir[256], issuer[RJWT_NAME_MAX + 1], audience[RJWT_NAME_MAX + 1];
	struct rjwt_key_info *keys; /* NULL: there are none */
	size_t nkeys;
	int64_t now_s, next_event_s;		    /* due before now_s: nobody has done it */
	char next_event[16];			    /* "rotation", "clean-up", "nothing" */
	int64_t rotate_every_s, previous_key_ttl_s; /* as configured */
	int64_t in_step_s;			    /* for so long the clock was not set, in this boot; 0: not known */
	uint64_t generation;
	struct rjwt_note *notes; /* NULL: there are none */
	size_t nnotes;
	bool codes;		     /* the configuration's codes names a scope */
	bool joined;		     /* a fleet */
	struct rjwt_following fleet; /* what it follows, without the keyset of this host itself */
};

/*
 * The state of configuration, keyset and host, changing nothing. What is broken is a note, not an
 * error: RJWT_OK also for a keyset that is missing. status gives; rjwt_status_clear().
 */
enum rjwt_err rjwt_status(const struct rjwt_options *options, struct rjwt_status *status);
void rjwt_status_clear(struct rjwt_status *status);

/* --- a fleet: few issuers, many hosts; rjwt-fleet(7) ------------------------------------------- */

/* What a host is in its fleet. */
struct rjwt_fleet {
	bool changed;			  /* something was written */
	bool made_keys;			  /* the fleet keys are new */
	int64_t serial;			  /* that was published; 0: none */
	char name[33];			  /* of this issuer */
	char path[256];			  /* of the file that was published */
	char key[44];			  /* the fleet key that hosts join with */
	char audience[RJWT_NAME_MAX + 1]; /* the name that this host has in tokens */
	int64_t roster;			  /* number of the roster that was made; 0: none */
	int issuers;			  /* in it */
};

/*
 * Make what is missing of keyset, fleet keys (in key_file), bundle key and roster, and publish. url: where others will
 * fetch the file. RJWT_EXISTS: this host has joined another fleet; as rjwt_init().
 */
enum rjwt_err rjwt_fleet_init(const struct rjwt_options *options, const char *url, const char *key_file,
    struct rjwt_fleet *fleet, struct rjwt_diag *diag);

/*
 * The entry of this host for a roster: JSON, without a line end. Hosts will fetch its file from url. Creates the keyset and
 * the bundle key if they are missing. name: what the roster calls this issuer; NULL: the name of the host. If url is NULL,
 * url and name are those that the roster already has for this host, or for an earlier base of it. *entry is released with
 * rjwt_free(). RJWT_USAGE: url or name is malformed, or url is NULL and the roster has no such entry, or this host is not an
 * issuer; otherwise as rjwt_init().
 */
enum rjwt_err rjwt_fleet_request(const struct rjwt_options *options, const char *url, const char *name, char **entry,
    struct rjwt_diag *diag);

/* A change of the roster: exactly one of add, drop and roll. */
struct rjwt_roster {
	const char *add;  /* an entry, as rjwt_fleet_request() gives it; in the place of one with its name or base */
	const char *drop; /* the name of an issuer */
	const char *roll; /* a file for new fleet keys, which are made if it is missing */
	const char *key_file;	  /* the fleet keys */
	const char *const *files; /* where the newest roster is, besides what this host has; NULL-terminated, or NULL */
};

/*
 * Make the next roster, take it, and publish it. lines: that were signed, each with a line end; gives; rjwt_free(). say: as
 * rjwt_follow(). RJWT_USAGE: the change is malformed; RJWT_KEYSET: it contradicts the roster, this host has joined no fleet
 * or knows no roster, or no key in key_file may sign; RJWT_IO, RJWT_BUSY, RJWT_MEMORY.
 */
enum rjwt_err rjwt_fleet_roster(const struct rjwt_options *options, const struct rjwt_roster *roster, char **lines,
    struct rjwt_fleet *fleet, void (*say)(void *context, bool wrong, const char *text), void *context,
    struct rjwt_diag *diag);

/*
 * Publish the keyset of a host that is an issuer; every change of the keyset does so, and warns where that fails.
 * RJWT_USAGE: it is none; RJWT_KEYSET, RJWT_ALG (a key is secret), RJWT_IO, RJWT_BUSY, RJWT_MEMORY.
 */
enum rjwt_err rjwt_publish(struct rjwt *handle, struct rjwt_fleet *fleet, struct rjwt_diag *diag);

/*
 * Believe in the fleet with this key. No network is used. RJWT_USAGE: url or key are malformed; RJWT_AUDIENCE.
 * rjwt_joined() changes nothing: RJWT_KEYSET: this host has not joined, or with another key, or fleet.json is damaged.
 */
enum rjwt_err rjwt_join(const struct rjwt_options *options, const char *url, const char *key, struct rjwt_fleet *fleet,
    struct rjwt_diag *diag);
enum rjwt_err rjwt_joined(const struct rjwt_options *options, const char *url, const char *key,
    struct rjwt_fleet *fleet, struct rjwt_diag *diag);

/*
 * Install what files of lines offer, which anybody may have written; NULL-terminated. A directory means the files in
 * it that end in .jws; NULL or an empty list for the spool, LOCALSTATEDIR/spool/rjwt. say is called for each event: wrong
 * means that something was not installed. An error is this host's; what is wrong with the files is said.
 */
enum rjwt_err rjwt_follow(const struct rjwt_options *options, const char *const *files,
    void (*say)(void *context, bool wrong, const char *text), void *context, struct rjwt_diag *diag);

/*
 * What this host follows; writes nothing. RJWT_KEY_UNKNOWN: it has joined no fleet; RJWT_KEYSET, RJWT_IO: fleet.json
 * cannot be used.
 */
enum rjwt_err
rjwt_following(const struct rjwt_options *options, struct rjwt_following *following, struct rjwt_diag *diag);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
