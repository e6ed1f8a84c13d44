/* SPDX-License-Identifier: MIT */
/*
 * keyset.h - the keyset as a value: its states, what is due, and the plan of a change. Pure: no file,
 * no clock, no key material. store.h reads it from disk, keeper.h carries plans out.
 *
 * A key is a version: a number from 1 to 2^31-1, never used twice, and its kid is base "." version.
 *
 *	next		published, never signs yet; verifies like active
 *	active		signs; exactly one
 *	retired		private half destroyed; verifies until its exp
 *	removed		below floor
 *
 * Invariants, which every change keeps, through crashes and power cuts:
 *  1. A minted token verifies from its nbf to its exp, unless revoked or spent, or the configuration
 *     was narrowed.
 *  2. Exactly one active key; a next key is published before it signs (init, adoption and compromise
 *     apart); versions strictly increase and never come again.
 *  3. However many act at the due moment, one rotation happens: compare-and-swap on the active version.
 *  4. max_tokens_per_key is exact.
 *  5. A spent token stays spent.
 *  6. Revoked is revoked from the moment that the command returns, also for a handle that is open. After an
 *     adoption nothing from before verifies.
 *  7. A private half exists only while its key is active or next (HMAC apart).
 *  8. What keyset.json does not vouch for verifies nothing.
 * tests/model plays histories against them; tests/fault breaks off what changes a keyset at every point;
 * tests/soak does it with real processes.
 */
#ifndef RJWT_KEYSET_H
#define RJWT_KEYSET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "jose/alg.h"
#include "jose/jwk.h"
#include "rjwt.h"

#define KEYSET_VERSION_MAX INT64_C(2147483647)
#define KEYSET_BASE_MAX 32
#define KEYSET_FILE_MAX 8192 /* bytes of keyset.json */
/* What is said of a file whose seal is broken. */
#define KEYSET_TORN "is torn or was altered: its sum does not fit (put a good copy back, or rjwt-keyd init --adopt)"

struct keyset {
	int64_t generation; /* of keyset.json: + 1 at each commit */
	char base[KEYSET_BASE_MAX + 1];
	char issuer[RJWT_NAME_MAX + 1], audience[RJWT_NAME_MAX + 1]; /* recorded at init */
	char machine[DIGEST_HEX]; /* hash of the machine id; "": the machine had none */
	int64_t floor;		  /* the first version that may verify */
	struct {
		int64_t version, since_s;
	} active;
	struct {
		int64_t version, published_s;
	} next;
	int64_t next_version;	/* the first that was never used */
	struct rjwt_time clock; /* since this reading the clocks ran in step, at each commit */
	int64_t moved_s;	/* by how much the wall clock had been set when that reading was taken; 0: not */
};

struct rotation_policy {
	const struct alg *alg; /* of the next key that is made */
	unsigned rsa_bits;
	const char *base;	/* base_kid; NULL: not configured */
	const char *path;	/* of the file that has it, to be blamed; NULL: none */
	int64_t rotate_every_s; /* 0: never by time */
	int64_t max_tokens;	/* 0: no limit */
	int64_t previous_key_ttl_s, max_lifetime_s, leeway_s;
};

/* By how much two readings of one clock may differ and mean the same: the leeway, a second at least. */
int64_t keyset_slack_s(const struct rotation_policy *policy);

/* Whether a reading of the clock can be written down. RJWT_INTERNAL: before 1970, or beyond what JSON keeps. */
RJWT_MUST enum rjwt_err keyset_clock_check(const struct rjwt_time *now, struct rjwt_diag *diag);

/* Whether nobody has rotated although it has been due for long: a minute, and a quarter of rotate_every. */
bool keyset_overdue(const struct keyset *keyset, const struct rotation_policy *policy, int64_t now_s);

/*
 * The wall clock stands before what the keyset saw, or did not run in step with CLOCK_BOOTTIME since, or
 * was found so not long ago, and is not settled. by_s: by how much it seems to have moved; may be NULL.
 */
bool keyset_clock_suspect(const struct keyset *keyset, const struct rotation_policy *policy,
    const struct rjwt_time *now, int64_t *by_s);

/* By how much the wall clock was set since the keyset's reading; 0: not, as far as can be known. */
int64_t keyset_moved_s(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now);

/* Another boot, or a step: the reading that the keyset has must be taken again. */
bool keyset_clock_moved(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now);

/* One boot, in step, for max_lifetime + leeway: retired keys whose exp has passed may be forgotten. */
bool
keyset_clock_settled(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now);

/* "base.version": RJWT_KID when it has not that form, RJWT_KEY_UNKNOWN for another base. */
RJWT_MUST enum rjwt_err keyset_kid_parse(const struct keyset *keyset, struct view kid, int64_t *version);
void keyset_kid_format(const struct keyset *keyset, int64_t version, char kid[static RJWT_ID_SIZE]);

/*
 * Whether the keyset vouches for a key as its file has it: RJWT_KEY_UNKNOWN below floor or above next;
 * RJWT_KEYSET for a retired key without exp and revoked. Stamps on active and next are taken off.
 */
RJWT_MUST enum rjwt_err keyset_check_key(const struct keyset *keyset, int64_t version, struct jwk *jwk);

/* keyset.json. RJWT_KEYSET with the reason in diag. */
RJWT_MUST enum rjwt_err keyset_parse(struct view text, struct keyset *keyset, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err keyset_format(struct buf *out, const struct keyset *keyset);
bool keyset_base_check(struct view base);

#endif
