/* SPDX-License-Identifier: MIT */
#include "keyset/marks.h"
#include "base/buf.h"
#include "base/datetime.h"
#include "base/hash.h"
#include "keyset/keyset.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MARK_MAX 64			/* bytes of a mark */
#define MARK_NAME_SIZE (DIGEST_HEX + 4) /* .100 */

/* --- open directories ------------------------------------------------------------------------ */

void
marks_close(struct marks *marks)
{
	hasher_free(marks->hasher);
	marks->hasher = NULL;
	dir_close(&marks->jti);
	dir_close(&marks->sub);
	dir_close(&marks->spent);
}

/* Directories may have been replaced together with keyset.json. */
static void
drop_old(struct marks *marks)
{
	if (marks->loaded != store_loaded(marks->store))
		marks_close(marks);
	marks->loaded = store_loaded(marks->store);
}

/* --- spent ------------------------------------------------------------------------------------ */

static enum rjwt_err
open_spent(const struct marks *marks, struct dir *spent, struct rjwt_diag *diag)
{
	enum rjwt_err err = dir_open_at(store_dir(marks->store), "spent", spent, diag);

	return err == RJWT_KEYSET ? RJWT_IO : err;
}

/* A removed directory stays open, but no file can be created in it. */
static bool
is_gone(const struct dir *dir)
{
	struct stat status;

	return fstat(dir->fd, &status) != 0 || status.st_nlink == 0;
}

/*
 * All tokens of a version are spent in one directory, which is removed with the key. An existing directory is
 * synced, too: its creator may have crashed before the sync. A directory that is still open was synced then.
 */
static enum rjwt_err
hold_spent(struct marks *marks, int64_t version, const char *subdir, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir spent = DIR_NONE;

	drop_old(marks);
	if (marks->spent.fd >= 0 && marks->version == version && !is_gone(&marks->spent))
		return RJWT_OK;
	dir_close(&marks->spent);
	RJWT_TRY(open_spent(marks, &spent, diag));
	RJWT_TRY(dir_make(&spent, subdir, 0700, diag));
	RJWT_TRY(dir_open_at(&spent, subdir, &marks->spent, diag));
	marks->version = version;
	return RJWT_OK;
}

static enum rjwt_err
spend(struct marks *marks, const char *name, struct rjwt_diag *diag)
{
	enum rjwt_err err = file_mark(&marks->spent, name, diag);

	if (err != RJWT_OK && err != RJWT_EXISTS)
		dir_close(&marks->spent); /* it may have been removed */
	return err == RJWT_EXISTS ? RJWT_SPENT : err;
}

/* The name of use n in spent/VERSION: HASH, or HASH.n where the token has a number of uses. */
static void
name_use(char name[static MARK_NAME_SIZE], const char *hash, const struct claims *claims, int64_t n)
{
	if (claims->uses == 0)
		snprintf(name, MARK_NAME_SIZE, "%s", hash);
	else
		snprintf(name, MARK_NAME_SIZE, "%s.%u", hash, (unsigned)(uint8_t)n); /* 100 at most */
}

/* spent/VERSION, and HASH. */
static enum rjwt_err
name_mark(int64_t version, const struct claims *claims, const char *scope, char subdir[static STORE_NAME_SIZE],
    char hash[static DIGEST_HEX])
{
	snprintf(subdir, STORE_NAME_SIZE, "%" PRId64, version);
	return digest_name((struct view[]){ claims->iss, claims->jti, view_of(scope) }, 3, hash);
}

/* A use that a crash took away leaves a gap, and is free: all of them are counted. */
static enum rjwt_err
count_uses(const struct dir *spent, int64_t version, const struct claims *claims, const char *scope,
    struct mark_uses *uses, struct rjwt_diag *diag)
{
	char hash[DIGEST_HEX], subdir[STORE_NAME_SIZE], name[MARK_NAME_SIZE];
	char path[STORE_NAME_SIZE + MARK_NAME_SIZE];

	uses->used = uses->at_s = 0;
	RJWT_TRY(name_mark(version, claims, scope, subdir, hash));
	for (int64_t n = 1; n <= uses->most; n++) {
		struct stat status;

		name_use(name, hash, claims, n);
		snprintf(path, sizeof(path), "%s/%s", subdir, name);
		if (fstatat(spent->fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0) {
			uses->used++;
			uses->at_s = status.st_mtime > uses->at_s ? status.st_mtime : uses->at_s;
		} else if (errno != ENOENT) {
			return diag_fail(diag, RJWT_IO, spent->path, "cannot search");
		}
	}
	return uses->used < uses->most ? RJWT_OK : RJWT_SPENT;
}

enum rjwt_err
mark_spent_at(struct marks *marks, int64_t version, const struct claims *claims, const char *scope,
    struct mark_uses *uses, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir spent = DIR_NONE;

	RJWT_TRY(open_spent(marks, &spent, diag));
	return count_uses(&spent, version, claims, scope, uses, diag);
}

enum rjwt_err
mark_find_spent(struct marks *marks, int64_t version, const struct claims *claims, const char *scope,
    struct mark_uses *uses, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir spent = DIR_NONE;

	RJWT_TRY(open_spent(marks, &spent, diag));
	RJWT_TRY(count_uses(&spent, version, claims, scope, uses, diag));
	return dir_probe(&spent, 0, diag);
}

enum rjwt_err
mark_spend(struct marks *marks, int64_t version, const struct claims *claims, const char *scope, struct mark_uses *uses,
    struct rjwt_diag *diag)
{
	char hash[DIGEST_HEX], subdir[STORE_NAME_SIZE], name[MARK_NAME_SIZE];
	enum rjwt_err err = RJWT_SPENT;

	uses->used = uses->at_s = 0;
	RJWT_TRY(name_mark(version, claims, scope, subdir, hash));
	RJWT_TRY(hold_spent(marks, version, subdir, diag));
	while (err == RJWT_SPENT && uses->used < uses->most) {
		name_use(name, hash, claims, ++uses->used);
		err = spend(marks, name, diag);
	}
	return err;
}

/* --- revoked ---------------------------------------------------------------------------------- */

/* A directory in revoked/, which only its owner can list. */
static enum rjwt_err
enter_revoked(const struct dir *state, const char *kind, struct dir *dir, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir revoked = DIR_NONE;

	RJWT_TRY(dir_enter_at(state, "revoked", &revoked, diag));
	return dir_enter_at(&revoked, kind, dir, diag);
}

/* Read a mark in such a directory: RJWT_OK if there is none. It contains a version, written only by rjwt. */
enum rjwt_err
mark_read(const struct dir *dir, const char *name, int64_t *version, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	enum rjwt_err err = file_read(dir, name, MARK_MAX, &text, NULL, diag);

	if (err_is_missing(err))
		return RJWT_OK;
	RJWT_TRY(err);
	/* A damaged mark still revokes; a line without its end may be the beginning of a higher number. */
	if (text.n == 0 || text.p[--text.n] != '\n' ||
	    number_parse(buf_view(&text), KEYSET_VERSION_MAX + 1, version) != RJWT_OK)
		*version = KEYSET_VERSION_MAX;
	return RJWT_REVOKED;
}

static enum rjwt_err
open_marks(struct marks *marks, struct rjwt_diag *diag)
{
	drop_old(marks);
	if (marks->hasher == NULL)
		RJWT_TRY(hasher_new(&marks->hasher));
	if (marks->jti.fd < 0)
		RJWT_TRY(enter_revoked(store_dir(marks->store), "jti", &marks->jti, diag));
	return marks->sub.fd >= 0 ? RJWT_OK : enter_revoked(store_dir(marks->store), "sub", &marks->sub, diag);
}

/* Most names have no mark, and no file is opened for them. */
static enum rjwt_err
look_up(struct hasher *hasher, const struct dir *dir, struct view name, int64_t *version, struct rjwt_diag *diag)
{
	char hash[DIGEST_HEX];
	struct stat status;

	RJWT_TRY(hasher_name(hasher, &name, 1, hash));
	if (fstatat(dir->fd, hash, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return RJWT_OK;
	return mark_read(dir, hash, version, diag);
}

enum rjwt_err
mark_revoked(struct marks *marks, int64_t version, const struct claims *claims, struct rjwt_diag *diag)
{
	int64_t until = 0;
	enum rjwt_err err;

	RJWT_TRY(open_marks(marks, diag));
	if (claims->jti.p != NULL)
		RJWT_TRY(look_up(marks->hasher, &marks->jti, claims->jti, &until, diag));
	err = look_up(marks->hasher, &marks->sub, claims->user, &until, diag);
	return err == RJWT_REVOKED && version > until ? RJWT_OK : err;
}
