/* SPDX-License-Identifier: MIT */
/*
 * fixture.h - a keyset in a directory of its own, a handle on it, tokens of any form signed with its keys.
 *
 * The keyset has base B, issuer iss.example, audience host.example; versions 1 (active) and 2 (next). The
 * clock is clock.h's unless a test says otherwise.
 */
#ifndef RJWT_TEST_FIXTURE_H
#define RJWT_TEST_FIXTURE_H

#include "unit.h"
#include "clock.h"
#include "token/mint.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/err.h"
#include "keyset/keyset.h"

struct fixture {
	char top[128];		      /* the directory of the test, 0700 */
	char state[160], config[160]; /* top/state, top/rjwt.yaml */
	struct rjwt *h;
	void (*now)(void *context, struct rjwt_time *now);
	struct rjwt_diag diag;
	int64_t version; /* of the key that token_with() signs with; 1 */
};

/* yaml: what the configuration has beside state_dir and base_kid while the keyset is made. */
struct fixture *fixture_new(const char *yaml);
/* As fixture_new(), by the system's clocks. */
struct fixture *fixture_new_real(const char *yaml);
/* A directory and a configuration, and no keyset. */
struct fixture *fixture_bare(const char *yaml);
void fixture_free(struct fixture *f);
/* For cmocka: fixture_new() with nothing beside, and with alg HS256; and the end of any. */
int fixture_setup(void **state);
int fixture_setup_hs256(void **state);
int fixture_teardown(void **state);

/* Write another configuration (state_dir is added), and open the handle anew. */
void fixture_config(struct fixture *f, const char *yaml);
enum rjwt_err fixture_reopen(struct fixture *f); /* with the same */
enum rjwt_err fixture_try(struct fixture *f, const char *yaml, struct rjwt **h);
struct rjwt_options fixture_options(const struct fixture *f);

/* Make the host the first issuer of a fleet, with its key in top/fleet.key. */
#define FLEET_URL "http://i.example/fleet.jws"
struct rjwt_fleet fixture_issuer(struct fixture *f);

/* Fail with a row's name when two codes differ: EXPECT() of unit.h. */
#define want(name, got, expected) EXPECT(name, got, expected)

/* One change to the header ('h') or the claims ('c') of a token; value is JSON, NULL: taken away. */
struct edit {
	char part; /* 0: the end */
	const char *name, *value;
};
#define HEADER(name, value)      \
	{                        \
		'h', name, value \
	}
#define CLAIM(name, value)       \
	{                        \
		'c', name, value \
	}
#define END                   \
	{                     \
		0, NULL, NULL \
	}

/* An object of these members, to an end of part 0, with the edits of one part. */
void put_object(struct buf *out, char part, const struct edit *members, const struct edit *edits);

/* A token for alice on host.example, scope ssh, from T0 to T0 + 300, reusable, but for these edits. free() */
char *token_with(struct fixture *f, const struct edit *edits);
/* Its header and claims, appended, for who signs them otherwise. */
void token_parts(const struct fixture *f, const struct edit *edits, struct buf *header, struct buf *claims);
char *token_signed(struct fixture *f, struct view header, struct view payload);
void forge(char *token); /* another signature, still canonical; twice: as it was */
struct edit edit_time(char part, const char *name, int64_t at_s); /* value good until 8 more calls */

/* For alice by sshd; verdict may be NULL. */
enum rjwt_err judge(struct fixture *f, const char *token, int flags, struct rjwt_verdict *verdict);
enum rjwt_err judge_as(struct fixture *f, const char *token, const char *user, const char *service, int flags,
    struct rjwt_verdict *verdict);

/* TRACED among the flags of judge() and judge_as(): the checks are put into judge_trace. */
#define TRACED (1 << 30)
extern struct rjwt_check judge_trace[RJWT_CHECKS_MAX];

/* Mint by the handle, with defaults for what is NULL: alice, reusable. free() */
char *minted(struct fixture *f, const char *user);

/* By the handle; they must succeed. */
struct rjwt_change rotate(struct fixture *f);
struct rjwt_change tick(struct fixture *f);

/* Files below state. */
void file_put(const struct fixture *f, const char *name, struct view text);
struct buf file_get(const struct fixture *f, const char *name);
void file_gone(const struct fixture *f, const char *name); /* removes it */
bool file_has(const struct fixture *f, const char *name, const char *text);
bool file_there(const struct fixture *f, const char *name);

/* An integer member of a version's key file, -1: it has none. */
int64_t key_member(const struct fixture *f, int64_t version, const char *name);
unsigned file_mode(const struct fixture *f, const char *name);

/* keyset.json and key files, changed with a sum that fits. The mtime changes too. */
struct keyset keyset_get(const struct fixture *f);
void keyset_put(const struct fixture *f, const struct keyset *keyset);
void key_stamp(const struct fixture *f, int64_t version, int64_t retired_s, int64_t until_s, int64_t revoked_s);

/* Values, and no files: version 3 is active, 1 and 2 verify; a rotation a day. The clock is reset. */
#define DAY 86400
#define SETTLE 3630 /* max_lifetime + leeway of that policy */
struct keyset keyset_of_three(void);
struct rotation_policy policy_of_a_day(void);

/* n processes at once, each runs work(f, i); how many returned code. */
int crowd(struct fixture *f, int n, int (*work)(struct fixture *f, int i), int code);

/* A digest over names, modes and contents of everything below state: did anything change? */
void state_digest(const struct fixture *f, char hex[static DIGEST_HEX]);

#endif
