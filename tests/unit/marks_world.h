/* SPDX-License-Identifier: MIT */
/* marks_world.h - marks of a keyset that is open. */
#ifndef RJWT_TEST_MARKS_WORLD_H
#define RJWT_TEST_MARKS_WORLD_H

#include "fixture.h"
#include "jose/claims.h"
#include "keyset/marks.h"
#include "keyset/store.h"

/* As a handle has them. */
struct opened {
	struct store *store;
	struct marks marks;
};

static inline struct opened
open_marks(const struct fixture *f)
{
	struct opened o;

	want("open", store_open(f->state, NULL, &o.store, NULL), RJWT_OK);
	o.marks = MARKS_OF(o.store);
	return o;
}

static inline void
opened_close(struct opened *o)
{
	marks_close(&o->marks);
	store_close(o->store);
}

static inline struct claims
claims_of(const char *iss, const char *user, const char *jti)
{
	return (struct claims){ .iss = view_of(iss), .user = view_of(user), .jti = view_of(jti) };
}

#endif
