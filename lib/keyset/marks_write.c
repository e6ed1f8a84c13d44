/* SPDX-License-Identifier: MIT */
#include "keyset/marks_write.h"
#include "base/buf.h"
#include "base/datetime.h"
#include "base/file_write.h"
#include "base/hash.h"
#include "keyset/keyset.h"
#include "keyset/marks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Others can look a mark up by its name. They need not see when it was made. */
static const struct timespec no_time;

static enum rjwt_err
open_revoked(const struct dir *state, const char *kind, struct dir *dir, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir revoked = DIR_NONE;

	RJWT_TRY(dir_open_at(state, "revoked", &revoked, diag));
	return dir_open_at(&revoked, kind, dir, diag);
}

/* Write a mark, unless one of this or a later version exists. */
static enum rjwt_err
put_mark(const struct dir *state, const char *kind, const char *name, int64_t version, int64_t *made,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	const struct view bytes = view_of(name);
	char hash[DIGEST_HEX];
	int64_t there = 0;
	enum rjwt_err err;

	RJWT_TRY(digest_name(&bytes, 1, hash));
	RJWT_TRY(open_revoked(state, kind, &dir, diag));
	err = mark_read(&dir, hash, &there, diag);
	if (err == RJWT_REVOKED && there >= version)
		return dir_sync(&dir, diag); /* its writer may have crashed before the sync */
	if (err != RJWT_REVOKED)
		RJWT_TRY(err);
	buf_addf(&text, "%" PRId64 "\n", version);
	RJWT_TRY(buf_done(&text));
	RJWT_TRY(file_write(&dir, hash, 0644, buf_view(&text), &no_time, diag));
	*made += err != RJWT_REVOKED;
	return RJWT_OK;
}

enum rjwt_err
mark_revoke_jti(const struct dir *state, const char *jti, int64_t version, int64_t *made, struct rjwt_diag *diag)
{
	return put_mark(state, "jti", jti, version, made, diag);
}

enum rjwt_err
mark_revoke_user(const struct dir *state, const char *user, int64_t version, int64_t *made, struct rjwt_diag *diag)
{
	return put_mark(state, "sub", user, version, made, diag);
}

#define REPLACED "replaced\n"

/* spent/VERSION of a one-time token, and the name of its mark. */
static enum rjwt_err
open_spent_of(const struct dir *state, int64_t version, const struct claims *claims, const char *scope, struct dir *dir,
    char hash[static DIGEST_HEX], struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir spent = DIR_NONE;
	char subdir[32];

	snprintf(subdir, sizeof(subdir), "%" PRId64, version);
	RJWT_TRY(digest_name((struct view[]){ claims->iss, claims->jti, view_of(scope) }, 3, hash));
	RJWT_TRY(dir_open_at(state, "spent", &spent, diag));
	RJWT_TRY(dir_make(&spent, subdir, 0700, diag));
	return dir_open_at(&spent, subdir, dir, diag);
}

static bool
says_replaced(const struct dir *dir, const char *hash)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	return file_read(dir, hash, sizeof(REPLACED), &text, NULL, NULL) == RJWT_OK &&
	       view_is(buf_view(&text), REPLACED);
}

enum rjwt_err
mark_replaced(const struct dir *state, int64_t version, const struct claims *claims, const char *scope,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	char hash[DIGEST_HEX];
	enum rjwt_err err;

	RJWT_TRY(open_spent_of(state, version, claims, scope, &dir, hash, diag));
	err = file_write_first(&dir, hash, 0600, VIEW(REPLACED), diag);
	if (err != RJWT_EXISTS)
		return err;
	/* The writer of ours may have crashed before the sync. */
	return says_replaced(&dir, hash) ? dir_sync(&dir, diag) : RJWT_SPENT;
}

bool
mark_is_replaced(const struct dir *state, int64_t version, const struct claims *claims, const char *scope)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	char hash[DIGEST_HEX];

	return open_spent_of(state, version, claims, scope, &dir, hash, NULL) == RJWT_OK && says_replaced(&dir, hash);
}

static enum rjwt_err
hide_mark(void *context, const char *name)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, no_time };
	const struct dir *dir = context;

	(void)utimensat(dir->fd, name, times, AT_SYMLINK_NOFOLLOW);
	return RJWT_OK;
}

enum rjwt_err
marks_hide(const struct dir *state, struct rjwt_diag *diag)
{
	static const char *const names[] = { "revoked/jti", "revoked/sub", "revoked" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
		struct stat status;

		if (fstatat(state->fd, names[i], &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(status.st_mode) ||
		    (status.st_mode & (S_IRGRP | S_IROTH)) == 0)
			continue;
		RJWT_TRY(dir_open_at(state, names[i], &dir, diag));
		RJWT_TRY(dir_each(&dir, hide_mark, &dir, diag));
		if (fchmod(dir.fd, status.st_mode & 07777 & ~(mode_t)(S_IRGRP | S_IROTH)) != 0)
			return diag_fail(diag, RJWT_IO, dir.path, "cannot chmod");
	}
	return RJWT_OK;
}

struct prune {
	const struct dir *dir;
	int64_t floor;
	bool found; /* whether something below floor was found */
	struct rjwt_diag *diag;
};

static enum rjwt_err
prune_file(void *context, const char *name)
{
	const struct prune *p = context;

	return file_remove(p->dir, name, p->diag);
}

static enum rjwt_err
prune_spent(void *context, const char *name)
{
	struct prune *p = context, inside = *p;
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	int64_t version;

	if (number_parse(view_of(name), KEYSET_VERSION_MAX, &version) != RJWT_OK || version >= p->floor)
		return RJWT_OK;
	p->found = true;
	/* Created by a login that was killed with a caller's umask in effect, it may be closed even to us. */
	RJWT_TRY(dir_make(p->dir, name, 0700, p->diag));
	RJWT_TRY(dir_open_at(p->dir, name, &dir, p->diag));
	inside.dir = &dir;
	RJWT_TRY(dir_each(&dir, prune_file, &inside, p->diag));
	if (unlinkat(p->dir->fd, name, AT_REMOVEDIR) != 0 && errno != ENOENT && errno != ENOTEMPTY)
		return diag_fail(p->diag, RJWT_IO, dir.path, "cannot remove");
	return RJWT_OK;
}

static enum rjwt_err
prune_revoked(void *context, const char *name)
{
	const struct prune *p = context;
	int64_t version = KEYSET_VERSION_MAX;
	enum rjwt_err err;

	if (strncmp(name, FILE_TEMPORARY, sizeof(FILE_TEMPORARY) - 1) == 0)
		return prune_file(context, name);
	err = mark_read(p->dir, name, &version, p->diag);
	if (err == RJWT_MEMORY)
		return err;
	/* An unreadable mark stays: looking it up reports the reason. */
	return err == RJWT_REVOKED && version < p->floor ? prune_file(context, name) : RJWT_OK;
}

enum rjwt_err
marks_prune(const struct dir *state, int64_t floor, bool rose, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir spent = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir jti = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir sub = DIR_NONE;
	struct prune p = { .floor = floor, .diag = diag };

	RJWT_TRY(dir_open_at(state, "spent", &spent, diag));
	p.dir = &spent;
	RJWT_TRY(dir_each(&spent, prune_spent, &p, diag));
	if (!rose && !p.found)
		return RJWT_OK;
	RJWT_TRY(open_revoked(state, "jti", &jti, diag));
	p.dir = &jti;
	RJWT_TRY(dir_each(&jti, prune_revoked, &p, diag));
	RJWT_TRY(open_revoked(state, "sub", &sub, diag));
	p.dir = &sub;
	return dir_each(&sub, prune_revoked, &p, diag);
}

struct count {
	const struct dir *dir;
	int64_t floor, below, n;
};

static enum rjwt_err
count_one(void *context, const char *name)
{
	struct count *c = context;
	int64_t version = KEYSET_VERSION_MAX;

	if (strncmp(name, FILE_TEMPORARY, sizeof(FILE_TEMPORARY) - 1) == 0)
		return RJWT_OK;
	/* An unreadable mark stays, see above. */
	if (mark_read(c->dir, name, &version, NULL) == RJWT_MEMORY)
		return RJWT_MEMORY;
	c->n += version >= c->floor && version < c->below;
	return RJWT_OK;
}

enum rjwt_err
marks_count(const struct dir *state, int64_t floor, int64_t below, int64_t *n, struct rjwt_diag *diag)
{
	static const char *const kinds[] = { "jti", "sub" };
	struct count c = { .floor = floor, .below = below };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;

		RJWT_TRY(open_revoked(state, kinds[i], &dir, diag));
		c.dir = &dir;
		RJWT_TRY(dir_each(&dir, count_one, &c, diag));
	}
	*n = c.n;
	return RJWT_OK;
}
