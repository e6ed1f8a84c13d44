/* SPDX-License-Identifier: MIT */
/*
 * plan.h - what is due, and the plan of a change: a pure function of a keyset, a policy and a time.
 */
#ifndef RJWT_PLAN_H
#define RJWT_PLAN_H

#include "base/err.h"
#include "keyset/keyset.h"
#include "rjwt.h"

/* What the planner must know of the files. */
struct keyset_seen {
	int64_t minted;		  /* tickets taken from the active key */
	char machine[DIGEST_HEX]; /* of this host, see host_machine() */
	int64_t first_alive;   /* the first version, from floor on, that had not expired by the time that is believed */
	int64_t first_until_s; /* its exp; 0: it is active or next */
};

enum keyset_why {
	WHY_DUE,	 /* what is due by time or count; often nothing */
	WHY_MANUAL,	 /* rotate now */
	WHY_TOKEN_LIMIT, /* the active key's tickets are used up */
	WHY_REVOKE_KEY,	 /* one key; if it is active, the next key takes over */
	WHY_REVOKE_USER, /* all earlier tokens of users: the next key signs later ones */
	WHY_REVOKE_ALL,	 /* all earlier tokens */
	WHY_COMPROMISED, /* two new keys; earlier tokens no longer verify */
	WHY_BUMP	 /* commit, so that open handles reload */
};

struct plan {
	enum keyset_why why;
	bool any;	     /* whether there is something to commit */
	struct keyset after; /* complete after keyset_plan_at() */
	unsigned make;	     /* number of keys to create first: the last versions below after.next_version */
	int64_t retire;	     /* version that retires with the commit; 0: none */
	int64_t revoke;	     /* version that is revoked with the commit; 0: none */
	struct {
		int64_t retired_s, until_s;
	} stamp;	    /* of the key that retires */
	int64_t revoked_s;  /* of the key that is revoked */
	bool raced;	    /* another rotation came first, and this one is skipped */
	bool restamp;	    /* retirements in the future are rewritten as of now */
	int64_t clock_by_s; /* how far the clock was set, back if below 0; 0: it was not */
	bool by_count;	    /* WHY_DUE: the tickets are used up, time alone would not rotate */
	int64_t early_s;    /* the next key is promoted so much too early for hosts that follow: its count is used up */
	bool counts;	    /* how long the clock has run is recorded, and nothing else need be */
	struct rjwt_change change;
};

/* What a plan is made of. Borrows all. */
struct plan_facts {
	const struct keyset *keyset;
	const struct rotation_policy *policy;
	const struct keyset_seen *seen;
	const struct rjwt_time *now; /* read while holding the lock */
};

/*
 * Plan a change.
 *
 * version	WHY_MANUAL, WHY_TOKEN_LIMIT: the version that was active when the caller decided; nothing
 *		happens if another one is active by now. WHY_REVOKE_KEY: the one to revoke
 *
 * RJWT_KEYSET: all versions are used up. RJWT_BUSY: hosts that follow may not know the next key yet. RJWT_KEY_UNKNOWN: that key does not verify any more, or never did.
 */
RJWT_MUST enum rjwt_err keyset_plan(const struct plan_facts *facts, enum keyset_why why, int64_t version,
    struct plan *plan, struct rjwt_diag *diag);

/* Date the plan: the commit happens now. May be called again if the commit is delayed. */
void keyset_plan_at(struct plan *plan, const struct keyset *before, const struct rotation_policy *policy,
    const struct rjwt_time *now);

/* The first commit of all, or of a new base: first_version is active, the one after it next. */
void keyset_begin(struct keyset *keyset, int64_t first_version, const struct rjwt_time *now);

/*
 * Whether the active key must be replaced, or was dated by a clock that was set back since. minted: the number of
 * tickets taken; 0: consider only time.
 */
bool keyset_due(const struct keyset *keyset, const struct rotation_policy *policy, int64_t minted, int64_t now_s);

/*
 * When a writer should look again, at the latest: as keyset_next_event(), but while expired keys wait for the clock, soon
 * enough to record how long the machine has run before it may be switched off.
 */
int64_t keyset_wake_s(const struct keyset *keyset, const struct rotation_policy *policy, const struct keyset_seen *seen,
    const struct rjwt_time *now, int64_t event_s);

/* When something is due; 0: never; in the past: overdue. what: "rotation", "clean-up"; static. */
int64_t keyset_next_event(const struct keyset *keyset, const struct rotation_policy *policy,
    const struct keyset_seen *seen, const struct rjwt_time *now, const char **what);

/* Login names for a sentence: "a, b, c and others"; "": there are none. */
#define KEYSET_NAMES_SIZE 120
void keyset_name_users(const char *const *users, char names[static KEYSET_NAMES_SIZE]);

#endif
