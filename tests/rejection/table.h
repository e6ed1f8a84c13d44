/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
/*
 * table.h - the refusal table: tokens that one thing is wrong with, each beside a twin that differs in that thing
 * and is accepted. All are signed with real keys, so that nothing else refuses.
 *
 *	struct table *t = table_new(clock_made_up);
 *	for (size_t i = 0; i < t->n; i++) {
 *		table_world(t, t->rows[i].world);
 *		... judge t->rows[i].bad, then .twin
 *	}
 *	table_free(t);
 *
 * The rules that the rows are of are numbered and told in rules.txt, with the tests of each.
 */
#ifndef RJWT_TEST_TABLE_H
#define RJWT_TEST_TABLE_H

#include "fixture.h"
#include "ssh_keys.h"
#include "base/buf.h"
#include "jose/key.h"

#define RULES 43

/*
 * The keyset of all worlds, at base_s: floor 2, active 5, next 6. Version 1 stands below floor, 2 is revoked, 3 is
 * past its exp, 4 retired 100 s ago and verifies, 7 was left by a crash. Used: the one-time token of jti "used",
 * for ssh; revoked: jti "gone", and user eve up to version 5. A world is a configuration; in SET a JWK Set stands in
 * the place of the keyset, with a key of each algorithm, named by its label, and "early", "late", "revoked".
 */
enum world { PLAIN, TYPE_JWT, SUFFIX, OTHER_CLAIM, ALWAYS_ONCE, SHORT, SERVICES, STRICT, SET, WORLDS };
#define SHORT_BYTES 600 /* max_token_bytes in SHORT */

struct refusal {
	int rule;
	enum rjwt_err reason;
	enum world world;
	const char *user, *service; /* of the attempt */
	const char *source;	    /* of the attempt, with SSH_AUTH_INFO of ssh_keys.h in each */
	char name[120];		    /* what is wrong; unique among those of its world, user and service */
	struct buf bad, twin;
};

struct signing {
	char name[16]; /* "5": of that version; "ES256": of the set; "ES256'": in neither, of the same type */
	struct key *key;
};

struct table {
	struct fixture *f;
	int64_t base_s;		  /* when the tokens are made */
	char set[160];		  /* path of the JWK Set */
	struct buf plain[WORLDS]; /* the token that nothing is wrong with */
	struct signing keys[64];
	size_t nkeys;
	struct refusal *rows;
	size_t n, room;
};

/* now: the clock, clock_made_up or NULL for the system's. table_free() */
struct table *table_new(void (*now)(void *context, struct rjwt_time *now));
struct table *table_bare(void (*now)(void *context, struct rjwt_time *now)); /* the worlds, and no rows */
void table_free(struct table *t);

/* Let t->f->h and t->f->config be of this world. */
void table_world(struct table *t, enum world world);
extern const char *const world_yaml[WORLDS];

/* --- making rows ------------------------------------------------------------------------------ */

/*
 * Edits as in fixture.h, and of three parts more: 'k': value names the key that signs, and that alg and kid are of;
 * 'H', 'C': value is the whole header, the whole claims. In values $+7$ and $-7$ stand for base_s and 7 s more or
 * less, $0$ for NUL, and in whole ones $o$ for the object that would be there.
 */
#define WHOLE_HEADER(text)      \
	{                       \
		'H', NULL, text \
	}
#define WHOLE_CLAIMS(text)      \
	{                       \
		'C', NULL, text \
	}
#define KEY(name)               \
	{                       \
		'k', NULL, name \
	}

struct row {
	int rule;
	enum rjwt_err reason;
	struct edit bad[4], twin[4]; /* no twin: the token without edits */
	enum world world;
	const char *user, *service; /* NULL: alice, sshd */
	const char *source;	    /* NULL: SSH_SOURCE */
};

#define ROW(rule_, reason_, ...)                                       \
	{                                                              \
		.rule = (rule_), .reason = RJWT_##reason_, __VA_ARGS__ \
	}
#define BAD(...) .bad = { __VA_ARGS__ }
#define TWIN(...) .twin = { __VA_ARGS__ }

/* A member with each of these values; twin: one that is good, NULL: the usual one. */
struct list {
	int rule;
	enum rjwt_err reason;
	char part;
	const char *member, *twin, *const *values;
};

#define LIST(rule_, reason_, part_, member_, twin_, ...)                            \
	{                                                                           \
		rule_, RJWT_##reason_, part_, member_, twin_, (const char *const[]) \
		{                                                                   \
			__VA_ARGS__, NULL                                           \
		}                                                                   \
	}
#define ABSENT "(absent)" /* the value of a member that is not there */

void table_rows(struct table *t, const struct row *rows, size_t n);
void table_lists(struct table *t, const struct list *lists, size_t n);

/* One row whose bad is filled by the caller; twin is the world's plain token until it is filled too. */
struct refusal *table_put(struct table *t, int rule, enum rjwt_err reason, enum world world, const char *name);
/* A token with these edits, appended; edits may be NULL. */
void table_token(struct table *t, enum world world, const struct edit *edits, struct buf *out);
/* header.payload, and the two signed by a key: parts of a token. */
void table_input(struct table *t, enum world world, const struct edit *edits, struct buf *out);
void table_sign(struct table *t, const char *key, struct buf *token);
struct key *table_key(const struct table *t, const char *name);

/* What the files rows_*.c hold. */
void table_text(struct table *t);
void table_header(struct table *t);
void table_json(struct table *t);
void table_signatures(struct table *t);
void table_rsa(struct table *t);
void table_claims(struct table *t);
void table_names(struct table *t);
void table_keys(struct table *t);
void table_origin(struct table *t);

#endif
