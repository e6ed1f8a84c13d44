/* SPDX-License-Identifier: MIT */
/* revoke_world.h - revocations that succeed, in short. */
#ifndef RJWT_TEST_REVOKE_WORLD_H
#define RJWT_TEST_REVOKE_WORLD_H

#include "fixture.h"

#include <stdio.h>
#include <sys/stat.h>

static inline struct rjwt_change
revoked(struct fixture *f, struct rjwt_revocation what)
{
	struct rjwt_change change;

	want("revoke", rjwt_revoke(f->h, &what, 0, &change, &f->diag), RJWT_OK);
	assert_true(change.any);
	return change;
}

#define USERS(...) ((struct rjwt_revocation){ .users = (const char *const[]){ __VA_ARGS__, NULL } })
#define KEY(name) ((struct rjwt_revocation){ .kid = (name) })
#define ALL ((struct rjwt_revocation){ .all = true })

static inline char *
jti_of(struct fixture *f, const char *token)
{
	struct rjwt_verdict v;
	char *jti;

	want("judge", judge(f, token, RJWT_DRY_RUN, &v), RJWT_OK);
	jti = strdup(v.jti);
	assert_non_null(jti);
	rjwt_verdict_clear(&v);
	return jti;
}

static inline void
set_mode(const struct fixture *f, const char *name, mode_t mode)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->state, name);
	assert_int_equal(chmod(path, mode), 0);
}

#endif
