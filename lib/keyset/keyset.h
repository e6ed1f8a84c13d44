/* SPDX-License-Identifier: MIT */
/*
 * keyset.h - the keyset as a value: its states and rules. Pure: no files, no clocks, no key material.
 * store.h reads it from disk, plan.h plans changes, change.h carries them out.
 *
 * A key has a version, a number from 1 to 2^31-1 that is never used twice; its key id (kid) is base "." version.
 *
 *	next		published, has not signed yet; verifies like active
 *	active		signs; exactly one
 *	retired		private half destroyed; verifies until its exp
 *	removed		below floor
 *
 * Invariants of every change, also after crashes and power failures:
 *  1. A minted token verifies from its nbf to its exp, unless it was revoked or spent or the configuration
 *     became stricter.
 *  2. Exactly one active key; a next key is published before it signs (except after init, adoption and
 *     compromise); versions strictly increase and are never reused.
 *  3. If several processes rotate at the same time, exactly one rotates: compare-and-swap on the active version.
 *  4. max_tokens_per_key is exact.
 *  5. A spent token stays spent.
 *  6. A revocation takes effect when the command returns, also for open handles. After an adoption earlier
 *     tokens no longer verify.
 *  7. A private half exists only while its key is active or next (except for HMAC).
 *  8. A key that is not part of keyset.json verifies nothing.
 * tests/model checks them with random histories, tests/fault by interrupting changes at every point, and
 * tests/soak with real processes.
 */
#ifndef RJWT_KEYSET_H
#define RJWT_KEYSET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/string_list.h"
#include "jose/alg.h"
#include "jose/jwk.h"
#include "rjwt.h"

#define KEYSET_VERSION_MAX INT64_C(2147483647)
#define KEYSET_BASE_MAX 32
#define KEYSET_SIGNER_SIZE 44 /* 43 characters of base64url, and a NUL */
#define KEYSET_FILE_MAX 8192  /* bytes of keyset.json */
/* The message for a file whose checksum is wrong. */
#define KEYSET_DAMAGED \
	"is damaged or was altered: its sum does not match (restore a good copy, or: rjwt-keyd init --adopt)"

struct keyset {
	int64_t generation; /* of keyset.json; increases by 1 with each commit */
	char base[KEYSET_BASE_MAX + 1];
	char issuer[RJWT_NAME_MAX + 1], audience[RJWT_NAME_MAX + 1]; /* recorded at init */
	char machine[DIGEST_HEX];				     /* hash of the machine id; "": none */
	int64_t floor;						     /* the first version that may verify */
	struct {
		int64_t version, since_s;
	} active;
	struct {
		int64_t version, published_s;
	} next;
	int64_t next_version;	/* the first unused version */
	struct rjwt_time clock; /* the clocks have run in step since this reading, as of each commit */
	int64_t moved_s;	/* how far the wall clock had been set when that reading was taken; 0: not at all */
	struct {
		int64_t wall_s; /* what the wall clock showed when this count began */
		int64_t ran_s;	/* how long the machine has run since, over all boots, and the clock was not set */
		int64_t boot_s; /* CLOCK_BOOTTIME up to which that is counted, in the boot of clock */
	} trial;
	int64_t
	    revoked; /* at least so many marks of revoked tokens and users exist, of versions from floor on; -1: unknown */
	bool configured; /* a commit was made with the configuration file at the default path */
	struct {
		int64_t serial, issued_s; /* of the bundle that is installed; serial 0: this host's own keyset */
		int64_t born_s;		  /* since when this host remembers which of its one-time tokens were used */
		int64_t before_s;	  /* no token with iat up to this verifies: its denial may be gone */
		char key[KEYSET_SIGNER_SIZE]; /* that signed the bundle */
	} followed;			      /* format 2: a keyset of another host, without private halves */
};

struct rotation_policy {
	const struct alg *alg; /* of the next key that is created */
	unsigned rsa_bits;
	bool tpm2;		/* a TPM makes the next key, and wraps its private half */
	const char *base;	/* base_kid; NULL: not configured */
	const char *path;	/* the configuration file; NULL: there is none, and all keys have their defaults */
	bool configured;	/* it is the one at the default path */
	int64_t rotate_every_s; /* 0: never by time */
	int64_t max_tokens;	/* 0: no limit */
	int64_t previous_key_ttl_s, max_lifetime_s, leeway_s;
	struct string_list codes; /* scopes for which there may be codes that are renewed */
	bool published;		  /* other hosts follow this keyset */
	int64_t out, out_s;	  /* the version of the next key that was published, and since when it is; 0: none */
};

/* A key that other hosts are to know signs when it has been out for so long, within which they follow. */
#define KEYSET_OUT_S 120

/* The tolerated difference between two readings of one clock: the leeway, at least one second. */
int64_t keyset_slack_s(const struct rotation_policy *policy);

/* Check that a reading of the clock can be stored. RJWT_INTERNAL: before 1970, or too large for JSON. */
RJWT_MUST enum rjwt_err keyset_clock_check(const struct rjwt_time *now, struct rjwt_diag *diag);

/*
 * RJWT_CONFIG: the keyset was used with the configuration file at the default path, and that file is gone. What it
 * closed must not be opened by its absence.
 */
RJWT_MUST enum rjwt_err
keyset_check_config(const struct keyset *keyset, const struct rotation_policy *policy, struct rjwt_diag *diag);

/* Whether a rotation has been due for more than a minute plus a quarter of rotate_every. */
bool keyset_overdue(const struct keyset *keyset, const struct rotation_policy *policy, int64_t now_s);

/*
 * Whether the wall clock is earlier than a time in the keyset, or has not run in step with CLOCK_BOOTTIME, or
 * was found so recently. by_s: how far it seems to have moved; may be NULL.
 */
bool keyset_clock_suspect(const struct keyset *keyset, const struct rotation_policy *policy,
    const struct rjwt_time *now, int64_t *by_s);

/* How far the wall clock was set since the reading in the keyset; 0: not at all, or unknown. */
int64_t keyset_moved_s(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now);

/* Whether the reading in the keyset must be replaced: after a reboot or a step. */
bool keyset_clock_moved(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now);

/* For how long the wall clock is known to have run in step with CLOCK_BOOTTIME: at most since this boot; 0: not known. */
int64_t
keyset_in_step_s(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now);

/* Whether the clocks ran in step for max_lifetime + leeway in one boot: expired retired keys may then be removed. */
bool
keyset_clock_settled(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now);

/*
 * How long the machine has run since keyset->trial began, and no reading showed that the clock was set meanwhile. What
 * CLOCK_BOOTTIME shows at a reading is all that counts of a boot: while the machine is off, the clock may become wrong.
 */
int64_t keyset_ran_s(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now);

/*
 * Up to which time the wall clock is believed: retired keys that expired before may be removed. It is now if the
 * clock is settled; the beginning of the trial if the machine has run for max_lifetime + leeway since; 0: no time.
 */
int64_t
keyset_believed_s(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now);

/* For how long the machine must still run before clean-up can go on; 0: now. */
int64_t
keyset_unsettled_s(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now);

/* The trial as it is to be stored now: it begins anew when it was passed, and when the clock was set. */
void keyset_trial_at(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now,
    struct keyset *after);

/* Whether a version is part of it: from floor to next. */
bool keyset_has(const struct keyset *keyset, int64_t version);

/* Whether it is one of the two keys that have a private half and no exp. */
bool keyset_active_or_next(const struct keyset *keyset, int64_t version);

/* Whether both mint with the same key. */
bool keyset_mints_alike(const struct keyset *a, const struct keyset *b);

/* Whether it is another host's, which this one follows: nothing mints from it, and no writer but follow changes it. */
bool keyset_is_followed(const struct keyset *keyset);

/* Parse "base.version" of any keyset. base is a view. RJWT_KID: malformed. */
RJWT_MUST enum rjwt_err keyset_kid_split(struct view kid, struct view *base, int64_t *version);
/* Parse "base.version". RJWT_KID: malformed. RJWT_KEY_UNKNOWN: another base. */
RJWT_MUST enum rjwt_err keyset_kid_parse(const struct keyset *keyset, struct view kid, int64_t *version);
void keyset_kid_format(const struct keyset *keyset, int64_t version, char kid[static RJWT_ID_SIZE]);

/*
 * Check that a key, as read from its file, is part of the keyset: RJWT_KEY_UNKNOWN below floor or above next;
 * RJWT_KEYSET for a retired key with neither exp nor revoked. Stamps on active and next are cleared.
 */
RJWT_MUST enum rjwt_err keyset_check_key(const struct keyset *keyset, int64_t version, struct jwk *jwk);

/* keyset.json. RJWT_KEYSET with the reason in diag. */
RJWT_MUST enum rjwt_err keyset_parse(struct view text, struct keyset *keyset, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err keyset_format(struct buf *out, const struct keyset *keyset);
bool keyset_base_check(struct view base);

#endif
