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
	int64_t minted;	       /* tickets taken of the active key */
	int64_t first_alive;   /* the first version from floor on whose exp has not passed */
	int64_t first_until_s; /* its exp; 0: it is active or next */
};

enum keyset_why {
	WHY_DUE,	 /* what time and count demand; often nothing */
	WHY_MANUAL,	 /* now */
	WHY_TOKEN_LIMIT, /* the active key's tickets are used up */
	WHY_REVOKE_KEY,	 /* one key; the next one steps in where that is needed */
	WHY_REVOKE_USER, /* a user's tokens until now: the next key signs what comes later */
	WHY_REVOKE_ALL,	 /* all tokens until now */
	WHY_COMPROMISED, /* two new keys, and nothing of before verifies */
	WHY_BUMP	 /* commit, so that open handles look again */
};

struct plan {
	enum keyset_why why;
	bool any;	     /* whether there is something to commit */
	struct keyset after; /* complete after keyset_plan_at() */
	unsigned make;	     /* keys to make first: the last versions below after.next_version */
	int64_t retire;	     /* version that retires with the commit; 0: none */
	int64_t revoke;	     /* version that is revoked with the commit; 0: none */
	struct {
		int64_t retired_s, until_s;
	} stamp;	   /* of the key that retires */
	int64_t revoked_s; /* of the key that is revoked */
	bool raced;	   /* another rotation came first: this one is not done */
	bool restamp;	   /* retirements later than now are written again as of now */
	struct rjwt_change change;
};

/*
 * Plan a change.
 *
 * version	WHY_MANUAL, WHY_TOKEN_LIMIT: the one that was active when the caller decided; they do nothing when
 *		it is another by now. WHY_REVOKE_KEY: the one to revoke
 * now		read while holding the lock
 *
 * RJWT_KEYSET: versions are used up. RJWT_KEY_UNKNOWN: that key verifies nothing as it is.
 */
RJWT_MUST enum rjwt_err
keyset_plan(const struct keyset *keyset, const struct rotation_policy *policy, enum keyset_why why, int64_t version,
    const struct keyset_seen *seen, const struct rjwt_time *now, struct plan *plan, struct rjwt_diag *diag);

/* Date the plan: the commit happens now. May be called again, later, when the commit took its time. */
void keyset_plan_at(struct plan *plan, const struct keyset *before, const struct rotation_policy *policy,
    const struct rjwt_time *now);

/* The first commit of all, or of a new base: first_version is active, the one after it next. */
void keyset_begin(struct keyset *keyset, int64_t first_version, const struct rjwt_time *now);

/*
 * Whether the active key is to be replaced by now, or was dated by a clock that has gone back since; minted:
 * tickets taken, 0 to judge by time alone.
 */
bool keyset_due(const struct keyset *keyset, const struct rotation_policy *policy, int64_t minted, int64_t now_s);

/* When something is due, 0: never; in the past, when nobody has done it. what: "rotation", "clean-up"; static. */
int64_t keyset_next_event(const struct keyset *keyset, const struct rotation_policy *policy,
    const struct keyset_seen *seen, const struct rjwt_time *now, const char **what);

#endif
