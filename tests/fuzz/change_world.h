/* SPDX-License-Identifier: MIT */
/* change_world.h - the keyset of fuzz_change.c, its configuration, and what was promised of the tokens that are held. */
#ifndef RJWT_FUZZ_CHANGE_WORLD_H
#define RJWT_FUZZ_CHANGE_WORLD_H

#include "damage.h"
#include "keyset/keyset.h"

/* What is seen; fuzz_sights[] has the words. */
enum { MINTED, OPENED, REVOKED, ROTATED, ADOPTED, FAILED, WARNED, BROKEN_KEYSET };

#define TOKENS 32
#define OPS 24
#define BATCH 3
#define COUNT(table) ((unsigned)(ARRAY_LEN(table)))

enum promise { OPENS, MAY_OPEN, NEVER };

struct held {
	char *text;
	size_t len;
	char jti[23], kid[RJWT_ID_SIZE];
	const char *user;
	int64_t nbf_s, exp_s;
	bool once;
	enum promise promise;
};

extern struct world {
	char top[300], state[320], config[320];
	struct rest *rest;
	struct rjwt *h;
	struct held tokens[TOKENS];
	size_t n;
	int64_t limit; /* of tokens a key; 0: none */
	bool orderly;  /* no damage, and no clock that was set */
	struct keyset before;
	unsigned setting;
} w;

extern const char *const change_users[2];

/* Run a call of rjwt's by the plan that comes next; its result. */
extern unsigned change_failed;
#define TRY(err, call)                                     \
	do {                                               \
		faults_arm(w.rest);                        \
		(err) = (call);                            \
		change_failed = faults_disarm();           \
		if ((err) != RJWT_OK && change_failed > 0) \
			FUZZ_SAW(FAILED);                  \
	} while (0)

/* Configurations, by number: the same number writes the same again. */
void change_configure(unsigned number);
struct rjwt_options change_options(void);
/* false: the keyset cannot be opened. */
bool change_reopen(void);

/* A token may not open any more, or must not where err says that a change was made; all of them. */
void change_worsen(size_t i, enum rjwt_err err);
void change_worsen_all(enum rjwt_err err);
/* Files were damaged: nothing that they stood for can be relied on, either way. */
void change_promise_nothing(void);
/* Versions only rise; replaced: begins anew. */
void change_look(bool replaced);
/* Hold a token that was minted. plain: nothing odd was asked for. */
void change_keep(const struct rjwt_token *token, const char *user, bool plain);

#endif
