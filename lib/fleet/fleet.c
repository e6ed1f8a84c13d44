/* SPDX-License-Identifier: MIT */
#include "fleet/fleet.h"
#include "base/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fleet_reader {
	char *state, *path;   /* the state directory, and fleet.json in it */
	struct stat identity; /* of the fleet.json that was read */
	bool joined;	      /* there is one */
	enum rjwt_err err;    /* why it cannot be used */
	struct rjwt_diag why; /* the same for people */
	struct fleet fleet;   /* if err is RJWT_OK */
	struct followed opened[FLEET_ISSUERS_MAX];
	size_t nopened;
};

/* --- files ------------------------------------------------------------------------------------ */

enum rjwt_err
fleet_read(const struct dir *state, struct fleet *fleet, struct stat *status, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	enum rjwt_err err;

	RJWT_TRY(file_read(state, FLEET_FILE, FLEET_FILE_MAX, &text, status, diag));
	err = fleet_parse(buf_view(&text), fleet, diag);
	if (err != RJWT_OK && diag != NULL)
		snprintf(diag->path, sizeof(diag->path), "%.240s/" FLEET_FILE, state->path);
	return err;
}

char *
fleet_path(const struct dir *state, const char *base)
{
	char *path = NULL;

	return asprintf(&path, "%s/" FLEET_DIR "/%s", state->path, base) < 0 ? NULL : path;
}

/* --- the reader ------------------------------------------------------------------------------- */

static void
drop_opened(struct fleet_reader *r)
{
	while (r->nopened > 0) {
		struct followed *last = &r->opened[--r->nopened];

		marks_close(&last->marks);
		store_close(last->store);
	}
}

void
fleet_close(struct fleet_reader *r)
{
	if (r == NULL)
		return;
	drop_opened(r);
	free(r->state);
	free(r->path);
	free(r);
}

enum rjwt_err
fleet_open(const char *path, struct fleet_reader **reader)
{
	struct fleet_reader *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return RJWT_MEMORY;
	made->state = strdup(path);
	if (made->state == NULL || asprintf(&made->path, "%s/" FLEET_FILE, path) < 0) {
		made->path = NULL;
		fleet_close(made);
		return RJWT_MEMORY;
	}
	*reader = made;
	return RJWT_OK;
}

/* An image of a joined host is another host until follow has given it a name. */
static enum rjwt_err
check_machine(const struct fleet_reader *r, const struct fleet *fleet, struct rjwt_diag *diag)
{
	char machine[DIGEST_HEX];

	RJWT_TRY(host_machine(machine, diag));
	if (fleet->machine[0] == '\0' || machine[0] == '\0' || strcmp(fleet->machine, machine) == 0)
		return RJWT_OK;
	return diag_fail(diag, RJWT_KEYSET, r->path,
	    "belongs to another machine: tokens of other issuers are not judged until rjwt-keyd follow has run");
}

/* RJWT_KEY_UNKNOWN: it could not be looked at, or was there then, and it is not there. */
static enum rjwt_err
load(struct fleet_reader *r)
{
	RJWT_CLEAN(dir_close) struct dir state = DIR_NONE;
	struct stat status;
	enum rjwt_err err;

	RJWT_TRY(dir_open(r->state, &state, &r->why));
	err = fleet_read(&state, &r->fleet, &status, &r->why);
	if (err_is_missing(err))
		return RJWT_KEY_UNKNOWN;
	RJWT_TRY(err);
	RJWT_TRY(check_machine(r, &r->fleet, &r->why));
	r->identity = status;
	return RJWT_OK;
}

enum rjwt_err
fleet_refresh(struct fleet_reader *r)
{
	struct stat status;
	bool found = fstatat(AT_FDCWD, r->path, &status, AT_SYMLINK_NOFOLLOW) == 0;

	r->joined = found || errno != ENOENT;
	if (found && r->identity.st_ino != 0 && file_same(&status, &r->identity))
		return RJWT_OK;
	drop_opened(r);
	r->identity = (struct stat){ 0 };
	r->why = (struct rjwt_diag){ 0 };
	r->err = r->joined ? load(r) : RJWT_KEY_UNKNOWN;
	r->joined = r->joined && r->err != RJWT_KEY_UNKNOWN;
	return r->err == RJWT_MEMORY ? RJWT_MEMORY : RJWT_OK;
}

bool
fleet_is_joined(const struct fleet_reader *r)
{
	return r->joined;
}

const struct fleet *
fleet_value(const struct fleet_reader *r)
{
	return r->joined && r->err == RJWT_OK ? &r->fleet : NULL;
}

int64_t
fleet_written_s(const struct fleet_reader *r)
{
	return fleet_value(r) == NULL ? 0 : r->identity.st_mtim.tv_sec;
}

/* Why followed tokens get no verdict, or RJWT_KEY_UNKNOWN where no fleet was joined. */
static enum rjwt_err
check_usable(const struct fleet_reader *r, struct rjwt_diag *diag)
{
	if (r->err != RJWT_OK && diag != NULL)
		*diag = r->why;
	return r->err;
}

static enum rjwt_err
open_followed(struct fleet_reader *r, const char *base, struct followed **followed, struct rjwt_diag *diag)
{
	RJWT_CLEAN(free_clean) char *path = NULL;
	struct followed *one = &r->opened[r->nopened];
	struct stat status;

	if (r->nopened == FLEET_ISSUERS_MAX)
		return RJWT_INTERNAL;
	if (asprintf(&path, "%s/" FLEET_DIR "/%s", r->state, base) < 0) {
		path = NULL;
		return RJWT_MEMORY;
	}
	/* Its roster names it, and no bundle of it has come yet. */
	if (fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return RJWT_KEY_UNKNOWN;
	RJWT_TRY(store_open_followed(path, &one->store, diag));
	one->marks = MARKS_OF(one->store);
	snprintf(one->base, sizeof(one->base), "%s", base);
	r->nopened++;
	*followed = one;
	return RJWT_OK;
}

static enum rjwt_err
current(struct fleet_reader *r, const char *base, struct followed **followed, struct rjwt_diag *diag)
{
	for (size_t i = 0; i < r->nopened; i++)
		if (strcmp(r->opened[i].base, base) == 0) {
			*followed = &r->opened[i];
			return store_load(r->opened[i].store, diag);
		}
	return open_followed(r, base, followed, diag);
}

enum rjwt_err
fleet_find(struct fleet_reader *r, struct view base, struct followed **followed, const struct fleet_issuer **issuer,
    struct rjwt_diag *diag)
{
	struct followed *found = NULL;
	const struct keyset *keyset;

	RJWT_TRY(check_usable(r, diag));
	*issuer = roster_find(&r->fleet.roster, base);
	if (*issuer == NULL)
		return RJWT_KEY_UNKNOWN;
	RJWT_TRY(current(r, (*issuer)->base, &found, diag));
	keyset = store_keyset(found->store);
	if (strcmp(keyset->followed.key, (*issuer)->key.text) != 0 || strcmp(keyset->base, (*issuer)->base) != 0)
		return RJWT_KEY_UNKNOWN;
	*followed = found;
	return RJWT_OK;
}

enum rjwt_err
fleet_can_judge(struct fleet_reader *r, struct rjwt_diag *diag)
{
	const struct fleet_issuer *issuer;
	struct followed *followed;
	enum rjwt_err err;

	RJWT_TRY(check_usable(r, diag));
	err = diag_fail(diag, RJWT_KEYSET, r->path, "no issuer has been heard from yet (rjwt-keyd follow)");
	for (size_t i = 0; i < r->fleet.roster.nissuers; i++) {
		enum rjwt_err one = fleet_find(r, view_of(r->fleet.roster.issuers[i].base), &followed, &issuer, diag);

		if (one == RJWT_OK || one == RJWT_MEMORY)
			return one;
		err = one == RJWT_KEY_UNKNOWN ? err : one;
	}
	return err;
}

/* --- denials ---------------------------------------------------------------------------------- */

/* denied/ is made by join, and by whoever denies; where neither happened, nothing is denied. */
static enum rjwt_err
may_deny(const struct fleet_reader *r, bool *may)
{
	RJWT_CLEAN(free_clean) char *path = NULL;
	struct stat status;

	*may = r->joined;
	if (r->joined)
		return RJWT_OK;
	if (asprintf(&path, "%s/denied", r->state) < 0) {
		path = NULL;
		return RJWT_MEMORY;
	}
	*may = fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
	return RJWT_OK;
}

/* A look at the denials of each issuer. */
struct visit {
	enum rjwt_err (*look)(const struct visit *v, const struct dir *dir);
	const struct denial_question *question; /* of a token */
	struct view user;			/* or the latest date of a login name */
	int64_t *until_s;
	struct rjwt_diag *diag;
	struct dir all; /* FLEET_DIR */
	bool torn;
};

static enum rjwt_err
visit_one(void *context, const char *base)
{
	const struct visit *v = context;
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	enum rjwt_err err = dir_enter_at(&v->all, base, &dir, v->diag);

	if (err_is_missing(err))
		return RJWT_OK; /* no bundle of this issuer was installed, or it is this host */
	RJWT_TRY(err);
	err = v->look(v, &dir);
	return v->torn && err_is_missing(err) ? RJWT_OK : err;
}

/*
 * The issuers of the roster. Where fleet.json cannot be read, whoever has a directory: what was denied stays denied, and
 * otherwise the host's own tokens do not suffer from that.
 */
static enum rjwt_err
visit_issuers(struct visit *v, const struct dir *state, const struct fleet *fleet)
{
	enum rjwt_err err;

	v->torn = fleet == NULL;
	v->all = DIR_NONE;
	err = (fleet == NULL ? dir_open_at : dir_enter_at)(state, FLEET_DIR, &v->all, v->diag);
	if (fleet == NULL && err_is_missing(err))
		return RJWT_OK;
	RJWT_TRY(err);
	if (fleet == NULL)
		err = dir_each(&v->all, visit_one, v, v->diag);
	for (size_t i = 0; err == RJWT_OK && fleet != NULL && i < fleet->roster.nissuers; i++)
		err = visit_one(v, fleet->roster.issuers[i].base);
	dir_close(&v->all);
	return err;
}

static enum rjwt_err
look_for_denial(const struct visit *v, const struct dir *dir)
{
	return denials_find(dir, v->question, v->diag);
}

enum rjwt_err
fleet_denied(struct fleet_reader *r, struct view user, struct view jti, int64_t iat_s, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir state = DIR_NONE;
	struct denial_question question;
	struct visit v = { .look = look_for_denial, .question = &question, .diag = diag };
	bool may;

	RJWT_TRY(may_deny(r, &may));
	if (!may)
		return RJWT_OK;
	RJWT_TRY(denial_ask(user, jti, iat_s, &question));
	RJWT_TRY(dir_open(r->state, &state, diag));
	RJWT_TRY(denials_find(&state, &question, diag));
	return r->joined ? visit_issuers(&v, &state, fleet_value(r)) : RJWT_OK;
}

static enum rjwt_err
keep_latest(const struct dir *dir, struct view user, int64_t *until_s, struct rjwt_diag *diag)
{
	int64_t one_s;
	enum rjwt_err err = denial_date(dir, user, &one_s, diag);

	if (err != RJWT_DENIED)
		return err;
	if (one_s > *until_s)
		*until_s = one_s;
	return RJWT_OK;
}

static enum rjwt_err
look_for_date(const struct visit *v, const struct dir *dir)
{
	return keep_latest(dir, v->user, v->until_s, v->diag);
}

enum rjwt_err
fleet_denied_until(const struct fleet_reader *r, const struct dir *state, struct view user, int64_t *until_s,
    struct rjwt_diag *diag)
{
	struct visit v = { .look = look_for_date, .user = user, .until_s = until_s, .diag = diag };

	*until_s = -1;
	RJWT_TRY(keep_latest(state, user, until_s, diag));
	if (r != NULL && r->joined)
		RJWT_TRY(visit_issuers(&v, state, fleet_value(r)));
	return *until_s < 0 ? RJWT_OK : RJWT_DENIED;
}
