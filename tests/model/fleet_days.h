/* SPDX-License-Identifier: MIT */
/* fleet_days.h - what the parts of fleet_days share. Times are seconds since its beginning. */
#ifndef FLEET_DAYS_H
#define FLEET_DAYS_H

#include "rjwt_keep.h"
#include "rjwt_mint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DAY_S 86400.0
#define DAYS 30
#define HOSTS 10000
#define ISSUERS 3
#define USERS 20000
#define COMPROMISED (12.3 * DAY_S) /* when i1 does that */
#define AWAY_ISSUER 1		   /* whose machine is off */
#define AWAY_FROM (20 * DAY_S)
#define AWAY_UNTIL (22 * DAY_S)

/* --- what is made up: fleet_days_world.c --------------------------------------------------------- */

enum where { ONLINE, OFF, OUTAGE }; /* of the host, when a token is used */

struct token {
	double minted, used, heard; /* heard: the last poll of its host that came through before it is used */
	uint32_t host, user;
	uint8_t issuer, where;
	bool reusable;
};

/* By the time they are minted; of the seed alone. free(). */
struct token *days_tokens(size_t count, uint64_t seed);

/* 20 a day: an issuer's and when, in order. */
struct days_revocation {
	double at;
	unsigned issuer;
};
struct days_revocation *days_revocations(size_t *count);

bool days_outage(double at);			/* no mirror can be reached */
double days_heard(uint32_t host, double until); /* its last poll that came through */

double days_random(void);	      /* 0 to 1 */
double days_offset(uint32_t machine); /* of a clock: -10 to 10 s */

/* --- machines: fleet_days_machine.c -------------------------------------------------------------- */

#define START INT64_C(1800000000) /* of the wall clock */
#define OUT 40000

struct machine {
	char name[16], id[65], dir[200];
	double offset; /* of its clock */
	struct rjwt *open;
	size_t state; /* the last publication that it has heard */
};

struct publication {
	double at;	      /* when mirrors have it */
	size_t last[ISSUERS]; /* of each issuer, until then: DIR/air/NUMBER.jws */
};

struct seen {
	size_t minted, not_minted, revoked, accepted, right, either, stale, follows, compared, differ, twice, opened,
	    copies;
	size_t judged[3], refused[3], lost[3]; /* by enum where; lost: what --compromised costs */
};

extern struct machine issuers[ISSUERS];
extern struct publication out[OUT];
extern size_t nout;
extern size_t dropped_in,
    renewed_in; /* publications: i1's old base is gone, its new one is there; SIZE_MAX: none yet */
extern double now_s;
extern char top[100], config[120];
extern struct seen seen;
extern struct rjwt_diag diag;

void machine_is(struct machine *m, const char *name, unsigned number);
int64_t clock_of(const struct machine *m);
struct rjwt_options as(struct machine *m); /* whose turn it is */
struct rjwt *opened(struct machine *m);	   /* the same, with a handle that stays open */
void must(enum rjwt_err err, const char *what);
void shell(const char *what, const char *a, const char *b);
void nothing(void *context, bool wrong, const char *text);
void follow(struct machine *m, size_t state); /* what the mirrors have in it */

/* --- hosts: fleet_days_hosts.c ------------------------------------------------------------------- */

void hosts_expect(const struct token *tokens, size_t count); /* all that will be minted */
void hosts_join(const char *url, const char *key);
void hosts_wait(const struct token *token, const struct rjwt_token *made, bool renewed); /* it was minted */
void hosts_revoked(uint32_t user, int64_t clock_s); /* the newest publication has it; clock_s: of who did */
bool hosts_lately(uint32_t user);		    /* he was */
void hosts_live(void);				    /* until now */
size_t hosts_end(void);				    /* how many tokens were not judged */

#endif
