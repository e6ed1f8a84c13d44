/* SPDX-License-Identifier: MIT */
/* corruption_world.h - a keyset with all its files, which is damaged, and what must hold of it then. */
#ifndef RJWT_TEST_CORRUPTION_WORLD_H
#define RJWT_TEST_CORRUPTION_WORLD_H

#include "fixture.h"

#include <ftw.h>
#include <stdio.h>

int __wrap_fsync(int fd);

/* Nothing here is about power cuts, and a disk takes its time. */
int
__wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

#define HANG_S 600 /* a reader that waits for the other end of a fifo ends with the program */

static const char YAML[] = "leeway: 0s\n";
static char *retired, *active, *once; /* tokens of versions 1, 2 and 2 */

/* Version 1 is retired, 2 active, 3 next; a copy of the keyset is kept as good. */
static inline int
setup(void **state)
{
	const struct edit one_time[] = { { 'c', "once", "true" }, { 0, NULL, NULL } };
	struct fixture *f = fixture_new(YAML);

	*state = f;
	retired = token_with(f, NULL);
	rotate(f);
	f->version = 2;
	active = token_with(f, NULL);
	once = token_with(f, one_time);
	free(minted(f, "carol")); /* so that all files are there */
	return 0;
}

static inline int
teardown(void **state)
{
	free(retired);
	free(active);
	free(once);
	return fixture_teardown(state);
}

static struct buf listing;

static inline int
list_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)type;
	if (strcmp(path + ftw->base, "lock") != 0) /* which names its last holder */
		buf_addf(&listing, "%s %o %lld %lld.%ld\n", path, status->st_mode, (long long)status->st_size,
		    (long long)status->st_ctim.tv_sec, status->st_ctim.tv_nsec);
	return 0;
}

/* Names, modes, sizes and times of all below state: state_digest() would open a fifo. buf_clear() */
static inline struct buf
snapshot(const struct fixture *f)
{
	struct buf found;

	(void)nftw(f->state, list_one, 16, FTW_PHYS); /* nothing, where the keyset is missing */
	buf_adds(&listing, ".\n");
	want("snapshot", buf_done(&listing), RJWT_OK);
	found = listing;
	listing = (struct buf){ 0 };
	return found;
}

static inline void
want_same(const struct fixture *f, const char *what, const struct buf *before)
{
	RJWT_CLEAN(buf_clear) struct buf after = snapshot(f);

	if (!view_eq(buf_view(before), buf_view(&after)))
		fail_msg("%s: something was written:\n%s\n%s", what, before->p, after.p);
}

/* A refusal says which file it is about, whichever of the two fields it stands in. */
static inline void
want_named(const struct fixture *f, const char *what, const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash == NULL ? name : slash + 1;

	if (f->diag.text[0] == '\0' || (strstr(f->diag.path, last) == NULL && strstr(f->diag.text, last) == NULL))
		fail_msg("%s: \"%s: %s\" does not name %s", what, f->diag.path, f->diag.text, name);
}

/* What was minted is judged as other tokens of that key are. */
static inline enum rjwt_err
try_mint(struct fixture *f, enum rjwt_err verdict)
{
	struct rjwt_token token = { 0 };
	enum rjwt_err err =
	    rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice", .reusable = true }, &token, &f->diag);

	if (err == RJWT_OK)
		want("what was minted", judge(f, token.text, 0, NULL), verdict);
	rjwt_token_clear(&token);
	return err;
}

static inline enum rjwt_err
try_tick(struct fixture *f)
{
	return rjwt_maintain(f->h, 0, &(struct rjwt_change){ 0 }, &f->diag);
}

#endif
