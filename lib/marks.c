/* SPDX-License-Identifier: MIT */
#include "marks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HOUR_S 3600
#define MARK_MAX 64 /* bytes of a mark's text */

/* --- spent ------------------------------------------------------------------------------------------------- */

/* Every token of a version is spent in one folder, which goes when its key does. */
static enum rjwt_err
spend(const struct dir *spent, const char *version, const char *hash, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	enum rjwt_err err;

	/* Synced even when it was there: whoever made it may not have come to that yet. */
	RJWT_TRY(dir_make(spent, version, 0700, diag));
	RJWT_TRY(dir_open_at(spent, version, &dir, diag));
	err = file_create(&dir, hash, 0600, (struct view){ "", 0 }, diag);
	return err == RJWT_EXISTS ? RJWT_SPENT : err;
}

static enum rjwt_err
look(const struct dir *spent, const char *version, const char *hash, struct rjwt_diag *diag)
{
	RJWT_CLEAN(free_clean) char *path = NULL;
	struct stat status;

	if (asprintf(&path, "%s/%s", version, hash) < 0) {
		path = NULL;
		return RJWT_MEMORY;
	}
	if (fstatat(spent->fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0)
		return RJWT_SPENT;
	return errno == ENOENT ? RJWT_OK :
				 diag_fail(diag, RJWT_IO, spent->path, "cannot be searched");
}

enum rjwt_err
mark_spend(const struct dir *state, int64_t version, const struct claims *claims,
    const char *scope, bool dry_run, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir spent = DIR_NONE;
	char hash[DIGEST_HEX], folder[STORE_NAME_SIZE];
	enum rjwt_err err;

	RJWT_TRY(digest_name((struct view[]){ claims->iss, claims->jti, view_of(scope) }, 3, hash));
	snprintf(folder, sizeof(folder), "%lld", (long long)version);
	err = dir_open_at(state, "spent", &spent, diag);
	if (err != RJWT_OK)
		return err == RJWT_KEYSET ? RJWT_IO : err;
	return dry_run ? look(&spent, folder, hash, diag) : spend(&spent, folder, hash, diag);
}

/* --- revoked ------------------------------------------------------------------------------------------------- */

/* A mark of revoked/<kind>: RJWT_OK when there is none. It holds a version, written by rjwt alone. */
static enum rjwt_err
read_mark(const struct dir *state, const char *kind, struct view name, int64_t *version,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir revoked = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char hash[DIGEST_HEX];
	enum rjwt_err err;

	RJWT_TRY(digest_name(&name, 1, hash));
	RJWT_TRY(dir_open_at(state, "revoked", &revoked, diag));
	RJWT_TRY(dir_open_at(&revoked, kind, &dir, diag));
	err = file_read(&dir, hash, MARK_MAX, &text, NULL, diag);
	if (err == RJWT_IO && errno == ENOENT)
		return RJWT_OK;
	RJWT_TRY(err);
	while (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	if (number_parse(buf_view(&text), KEYSET_VERSION_MAX + 1, version) != RJWT_OK)
		*version = KEYSET_VERSION_MAX; /* torn: it revokes all the same */
	return RJWT_REVOKED;
}

enum rjwt_err
mark_revoked(const struct dir *state, int64_t version, const struct claims *claims,
    struct rjwt_diag *diag)
{
	int64_t until = 0;
	enum rjwt_err err;

	if (claims->jti.p != NULL)
		RJWT_TRY(read_mark(state, "jti", claims->jti, &until, diag));
	err = read_mark(state, "sub", claims->user, &until, diag);
	return err == RJWT_REVOKED && version > until ? RJWT_OK : err;
}

/* --- issued ---------------------------------------------------------------------------------------------------- */

enum rjwt_err
mark_issued(const struct dir *state, const struct rjwt_token *token,
    const struct rjwt_request *request, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	char name[32];

	json_open(&line, NULL);
	json_put_string(&line, "sub", view_of(request->user));
	json_put_string(&line, "jti", view_of(token->jti));
	json_put_string(&line, "kid", view_of(token->kid));
	json_put_integer(&line, "iat", token->iat_s);
	json_put_integer(&line, "nbf", token->nbf_s);
	json_put_integer(&line, "exp", token->exp_s);
	json_open_array(&line, "scope");
	for (size_t i = 0; request->scope != NULL && request->scope[i] != NULL; i++)
		json_put_string(&line, NULL, view_of(request->scope[i]));
	json_close_array(&line);
	json_put_bool(&line, "once", token->once);
	json_close(&line);
	buf_adds(&line, "\n");
	RJWT_TRY(buf_done(&line));
	snprintf(name, sizeof(name), "%lld", (long long)(token->exp_s / HOUR_S));
	RJWT_TRY(dir_open_at(state, "issued", &dir, diag));
	return file_append(&dir, name, buf_view(&line), FILE_MAKE, NULL, diag);
}

/* --- clean-up ---------------------------------------------------------------------------------------------------- */

struct prune {
	const struct dir *dir;
	int64_t floor, now_s;
	unsigned *removed;
	struct rjwt_diag *diag;
};

static enum rjwt_err
prune_file(void *context, const char *name)
{
	struct prune *p = context;

	RJWT_TRY(file_remove(p->dir, name, p->diag));
	++*p->removed;
	return RJWT_OK;
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
	struct prune *p = context;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	int64_t version;

	if (strncmp(name, FILE_TEMPORARY, sizeof(FILE_TEMPORARY) - 1) == 0)
		return prune_file(context, name);
	RJWT_TRY(file_read(p->dir, name, MARK_MAX, &text, NULL, p->diag));
	while (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	if (number_parse(buf_view(&text), KEYSET_VERSION_MAX + 1, &version) != RJWT_OK ||
	    version >= p->floor)
		return RJWT_OK;
	return prune_file(context, name);
}

static enum rjwt_err
prune_issued(void *context, const char *name)
{
	struct prune *p = context;
	int64_t hour;

	if (number_parse(view_of(name), INT64_MAX / HOUR_S - 2, &hour) != RJWT_OK ||
	    (hour + 2) * HOUR_S > p->now_s)
		return RJWT_OK;
	return prune_file(context, name);
}

/* One folder below another. */
static enum rjwt_err
prune_in(struct prune *p, const struct dir *above, const char *name,
    enum rjwt_err (*each)(void *context, const char *name))
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;

	RJWT_TRY(dir_open_at(above, name, &dir, p->diag));
	p->dir = &dir;
	return dir_each(&dir, each, p, p->diag);
}

enum rjwt_err
marks_prune(const struct dir *state, int64_t floor, int64_t now_s, unsigned *removed,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir revoked = DIR_NONE;
	struct prune p = { .floor = floor, .now_s = now_s, .removed = removed, .diag = diag };

	if (floor > 0) {
		RJWT_TRY(prune_in(&p, state, "spent", prune_spent));
		RJWT_TRY(dir_open_at(state, "revoked", &revoked, diag));
		RJWT_TRY(prune_in(&p, &revoked, "jti", prune_revoked));
		RJWT_TRY(prune_in(&p, &revoked, "sub", prune_revoked));
	}
	return prune_in(&p, state, "issued", prune_issued);
}
