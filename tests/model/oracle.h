/* SPDX-License-Identifier: MIT */
/*
 * oracle.h - what model.c knows of its keyset: what was promised of each token, and how the keyset was after the last step.
 * It knows nothing of plans, stamps and marks.
 */
#ifndef RJWT_TEST_ORACLE_H
#define RJWT_TEST_ORACLE_H

#include "fixture.h"

#define LEEWAY 30
#define MAX_LIFETIME 3600
#define TOKENS 300
#define VERSIONS 1000000

enum promise { OPENS, MAY_OPEN, NEVER }; /* from its nbf to its exp; nobody can tell; not any more */

struct token {
	char *text, user[8];
	char jti[23], base[16];
	int64_t version, iat_s, exp_s;
	bool once;
	enum promise promise;
	int logins;
};

extern struct model {
	struct fixture *f;
	unsigned long step, seed;
	uint64_t random;
	struct token tokens[TOKENS];
	size_t ntokens;
	struct keyset keyset;	   /* as it was after the last step */
	bool settled_back;	   /* no clock step back that no writer has seen yet */
	int64_t limit, most_limit; /* tokens a key: now, and at most since the active one signs; 0: none */
	int64_t minted;		   /* tokens of the active key that we hold or held */
	struct buf stolen[3];	   /* the private halves of the last versions, and what they are */
	int64_t stolen_version[3], stolen_retired_s[3];
	char stolen_base[3][33];
	unsigned long counts[32];
} m;

/* End the program: a rule is broken. */
void __attribute__((noreturn, format(printf, 1, 2))) broken(const char *fmt, ...);

/* A random number below sides. */
uint64_t dice(uint64_t sides);

/* The next key, before it signs; exactly one that does; versions that only rise. */
void look_at_keyset(bool replaced);
/* Nothing may lie in private/ but what signs and will sign. */
void look_at_private(void);

enum promise worse(enum promise a, enum promise b);
/* What a revocation promises; done: it returned. */
void revoke_where(bool (*covers)(const struct token *t, const char *what, int64_t version), const char *what,
    int64_t version, bool done);
bool covers_all(const struct token *t, const char *what, int64_t version);
bool covers_user(const struct token *t, const char *what, int64_t version);
bool covers_jti(const struct token *t, const char *what, int64_t version);
bool covers_key(const struct token *t, const char *what, int64_t version);

/* A copy of what signs, for later. */
void steal(void);
/* A writer sees at last that the clock went back, and dates what was dated later as of now. */
void take_note(void);

#endif
