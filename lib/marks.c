/* SPDX-License-Identifier: MIT */
#include "marks.h"
#include "digest.h"
#include "json.h"
#include "keyset.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HOUR_S 3600
#define MARK_MAX 64 /* bytes of a mark's text */

/* --- folders that are held ------------------------------------------------------------------------------ */

void
marks_close(struct marks *marks)
{
	hasher_free(marks->hasher);
	marks->hasher = NULL;
	dir_close(&marks->jti);
	dir_close(&marks->sub);
	dir_close(&marks->spent);
}

/* With another keyset.json other folders may have come. */
static void
drop_old(struct marks *marks)
{
	if (marks->loaded != marks->store->loaded)
		marks_close(marks);
	marks->loaded = marks->store->loaded;
}

/* --- spent ------------------------------------------------------------------------------------------------- */

static enum rjwt_err
open_spent(const struct marks *marks, struct dir *spent, struct rjwt_diag *diag)
{
	enum rjwt_err err = dir_open_at(&marks->store->dir, "spent", spent, diag);

	return err == RJWT_KEYSET ? RJWT_IO : err;
}

/* A folder that was removed stays open, and takes no file. */
static bool
is_gone(const struct dir *dir)
{
	struct stat status;

	return fstat(dir->fd, &status) != 0 || status.st_nlink == 0;
}

/*
 * Every token of a version is spent in one folder, which goes when its key does. It is synced even when it was
 * there: whoever made it may not have come to that. A folder that is held was, when it was opened.
 */
static enum rjwt_err
hold_spent(struct marks *marks, int64_t version, const char *folder, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir spent = DIR_NONE;

	drop_old(marks);
	if (marks->spent.fd >= 0 && marks->version == version && !is_gone(&marks->spent))
		return RJWT_OK;
	dir_close(&marks->spent);
	RJWT_TRY(open_spent(marks, &spent, diag));
	RJWT_TRY(dir_make(&spent, folder, 0700, diag));
	RJWT_TRY(dir_open_at(&spent, folder, &marks->spent, diag));
	marks->version = version;
	return RJWT_OK;
}

static enum rjwt_err
spend(struct marks *marks, const char *hash, struct rjwt_diag *diag)
{
	enum rjwt_err err =
	    file_create(&marks->spent, hash, 0600, (struct view){ "", 0 }, diag);

	if (err != RJWT_OK && err != RJWT_EXISTS)
		dir_close(&marks->spent); /* it may be gone */
	return err == RJWT_EXISTS ? RJWT_SPENT : err;
}

static enum rjwt_err
look(const struct marks *marks, const char *folder, const char *hash, struct rjwt_diag *diag)
{
	RJWT_CLEAN(free_clean) char *path = NULL;
	RJWT_CLEAN(dir_close) struct dir spent = DIR_NONE;
	struct stat status;

	RJWT_TRY(open_spent(marks, &spent, diag));
	if (asprintf(&path, "%s/%s", folder, hash) < 0) {
		path = NULL;
		return RJWT_MEMORY;
	}
	if (fstatat(spent.fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0)
		return RJWT_SPENT;
	return errno == ENOENT ? RJWT_OK :
				 diag_fail(diag, RJWT_IO, spent.path, "cannot be searched");
}

enum rjwt_err
mark_spend(struct marks *marks, int64_t version, const struct claims *claims, const char *scope,
    bool dry_run, struct rjwt_diag *diag)
{
	char hash[DIGEST_HEX], folder[STORE_NAME_SIZE];

	RJWT_TRY(digest_name((struct view[]){ claims->iss, claims->jti, view_of(scope) }, 3, hash));
	snprintf(folder, sizeof(folder), "%lld", (long long)version);
	if (dry_run)
		return look(marks, folder, hash, diag);
	RJWT_TRY(hold_spent(marks, version, folder, diag));
	return spend(marks, hash, diag);
}

/* --- revoked ------------------------------------------------------------------------------------------------- */

/* A folder below revoked/. */
static enum rjwt_err
open_revoked(const struct dir *state, const char *kind, struct dir *dir, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir revoked = DIR_NONE;

	RJWT_TRY(dir_open_at(state, "revoked", &revoked, diag));
	return dir_open_at(&revoked, kind, dir, diag);
}

/* A mark in such a folder: RJWT_OK when there is none. It holds a version, written by rjwt alone. */
static enum rjwt_err
read_mark(const struct dir *dir, const char *name, int64_t *version, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	enum rjwt_err err = file_read(dir, name, MARK_MAX, &text, NULL, diag);

	if (err == RJWT_IO && errno == ENOENT)
		return RJWT_OK;
	RJWT_TRY(err);
	/* Torn it revokes all the same; a line without its end may be the beginning of a higher number. */
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
		RJWT_TRY(open_revoked(&marks->store->dir, "jti", &marks->jti, diag));
	return marks->sub.fd >= 0 ? RJWT_OK :
				    open_revoked(&marks->store->dir, "sub", &marks->sub, diag);
}

/* Most names have no mark, and nothing is opened for them. */
static enum rjwt_err
look_up(struct hasher *hasher, const struct dir *dir, struct view name, int64_t *version,
    struct rjwt_diag *diag)
{
	char hash[DIGEST_HEX];
	struct stat status;

	RJWT_TRY(hasher_name(hasher, &name, 1, hash));
	if (fstatat(dir->fd, hash, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return RJWT_OK;
	return read_mark(dir, hash, version, diag);
}

enum rjwt_err
mark_revoked(struct marks *marks, int64_t version, const struct claims *claims,
    struct rjwt_diag *diag)
{
	int64_t until = 0;
	enum rjwt_err err;

	RJWT_TRY(open_marks(marks, diag));
	if (claims->jti.p != NULL)
		RJWT_TRY(look_up(marks->hasher, &marks->jti, claims->jti, &until, diag));
	err = look_up(marks->hasher, &marks->sub, claims->user, &until, diag);
	return err == RJWT_REVOKED && version > until ? RJWT_OK : err;
}

/* Write a mark, unless one of this version or a later one is there. */
static enum rjwt_err
put_mark(const struct dir *state, const char *kind, const char *name, int64_t version,
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
	err = read_mark(&dir, hash, &there, diag);
	if (err == RJWT_REVOKED && there >= version)
		return dir_sync(&dir, diag); /* whoever wrote it may not have come to that */
	if (err != RJWT_REVOKED)
		RJWT_TRY(err);
	buf_addf(&text, "%lld\n", (long long)version);
	RJWT_TRY(buf_done(&text));
	return file_write(&dir, hash, 0644, buf_view(&text), NULL, diag);
}

enum rjwt_err
mark_revoke_jti(const struct dir *state, const char *jti, int64_t version, struct rjwt_diag *diag)
{
	return put_mark(state, "jti", jti, version, diag);
}

enum rjwt_err
mark_revoke_user(const struct dir *state, const char *user, int64_t version,
    struct rjwt_diag *diag)
{
	return put_mark(state, "sub", user, version, diag);
}

/* --- issued ---------------------------------------------------------------------------------------------------- */

bool
mark_same_hour(int64_t exp_s, int64_t other_s)
{
	return exp_s / HOUR_S == other_s / HOUR_S;
}

void
mark_issued_line(struct buf *lines, const struct rjwt_token *token,
    const struct rjwt_request *request)
{
	json_open(lines, NULL);
	json_put_string(lines, "sub", view_of(request->user));
	json_put_string(lines, "jti", view_of(token->jti));
	json_put_string(lines, "kid", view_of(token->kid));
	json_put_integer(lines, "iat", token->iat_s);
	json_put_integer(lines, "nbf", token->nbf_s);
	json_put_integer(lines, "exp", token->exp_s);
	json_open_array(lines, "scope");
	for (size_t i = 0; request->scope != NULL && request->scope[i] != NULL; i++)
		json_put_string(lines, NULL, view_of(request->scope[i]));
	json_close_array(lines);
	json_put_bool(lines, "once", token->once);
	json_close(lines);
	buf_adds(lines, "\n");
}

enum rjwt_err
mark_issued(const struct dir *state, int64_t exp_s, const struct buf *lines, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	enum rjwt_err err;
	char name[32];

	RJWT_TRY(buf_done(lines));
	snprintf(name, sizeof(name), "%lld", (long long)(exp_s / HOUR_S));
	err = dir_open_at(state, "issued", &dir, diag);
	if (err == RJWT_IO && errno == ENOENT) { /* somebody cleaned up: it is for people alone */
		RJWT_TRY(dir_make(state, "issued", 0700, diag));
		err = dir_open_at(state, "issued", &dir, diag);
	}
	RJWT_TRY(err);
	return file_append(&dir, name, buf_view(lines), FILE_MAKE, NULL, diag);
}

/* --- clean-up ---------------------------------------------------------------------------------------------------- */

struct prune {
	const struct dir *dir;
	int64_t floor, now_s;
	bool found; /* something of below floor */
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

	if (number_parse(view_of(name), KEYSET_VERSION_MAX, &version) != RJWT_OK ||
	    version >= p->floor)
		return RJWT_OK;
	p->found = true;
	/* Made by a login that was killed under a stranger's umask, it may be closed even to us. */
	RJWT_TRY(dir_make(p->dir, name, 0700, p->diag));
	RJWT_TRY(dir_open_at(p->dir, name, &dir, p->diag));
	inside.dir = &dir;
	RJWT_TRY(dir_each(&dir, prune_file, &inside, p->diag));
	if (unlinkat(p->dir->fd, name, AT_REMOVEDIR) != 0 && errno != ENOENT && errno != ENOTEMPTY)
		return diag_fail(p->diag, RJWT_IO, dir.path, "cannot be removed");
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
	err = read_mark(p->dir, name, &version, p->diag);
	if (err == RJWT_MEMORY)
		return err;
	/* What cannot be read stays: who looks it up is told why. */
	return err == RJWT_REVOKED && version < p->floor ? prune_file(context, name) : RJWT_OK;
}

static enum rjwt_err
prune_issued(void *context, const char *name)
{
	const struct prune *p = context;
	int64_t hour;

	if (number_parse(view_of(name), INT64_MAX / HOUR_S - 2, &hour) != RJWT_OK ||
	    (hour + 2) * HOUR_S > p->now_s)
		return RJWT_OK;
	return prune_file(context, name);
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

enum rjwt_err
marks_prune_issued(const struct dir *state, int64_t now_s, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	struct prune p = { .now_s = now_s, .diag = diag };
	enum rjwt_err err = dir_open_at(state, "issued", &dir, diag);

	if (err == RJWT_IO && errno == ENOENT)
		return RJWT_OK; /* minting makes it again */
	RJWT_TRY(err);
	p.dir = &dir;
	return dir_each(&dir, prune_issued, &p, diag);
}
