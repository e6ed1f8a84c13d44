/* SPDX-License-Identifier: MIT */
#include "fleet/www.h"
#include "base/file_write.h"
#include "fleet/merge.h"
#include "fleet/own.h"

#include <stdlib.h>
#include <string.h>

/* --- what is installed -------------------------------------------------------------------------- */

struct installed {
	const struct dir *state;
	struct own own;
	struct rjwt_diag *diag;
};

static enum rjwt_err
read_keyset(const struct installed *i, const char *base, struct keyset *keyset)
{
	RJWT_CLEAN(dir_close) struct dir all = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	RJWT_TRY(dir_open_at(i->state, FLEET_DIR, &all, NULL));
	RJWT_TRY(dir_open_at(&all, base, &dir, NULL));
	RJWT_TRY(file_read(&dir, "keyset.json", KEYSET_FILE_MAX, &text, NULL, NULL));
	return keyset_parse(buf_view(&text), keyset, NULL);
}

/* A directory that is damaged or cannot be read has nothing installed: what this host says itself is published. */
static enum rjwt_err
read_serial(const struct installed *i, const struct fleet_issuer *issuer, int64_t *serial)
{
	struct keyset keyset;
	enum rjwt_err err;

	if (own_is(&i->own, issuer)) {
		*serial = i->own.record.serial;
		return RJWT_OK;
	}
	err = read_keyset(i, issuer->base, &keyset);
	if (err_is_shortage(err))
		return err;
	if (err == RJWT_OK && keyset_is_followed(&keyset) && strcmp(keyset.followed.key, issuer->key.text) == 0)
		*serial = keyset.followed.serial;
	return RJWT_OK;
}

static enum rjwt_err
read_serials(void *context, const struct roster *roster, int64_t serials[static FLEET_ISSUERS_MAX])
{
	for (size_t i = 0; i < roster->nissuers; i++)
		RJWT_TRY(read_serial(context, &roster->issuers[i], &serials[i]));
	return RJWT_OK;
}

/* --- the file ---------------------------------------------------------------------------------- */

static enum rjwt_err
read_file(const struct dir *www, struct buf *text, struct stat *status, struct rjwt_diag *diag)
{
	enum rjwt_err err = file_read(www, PUBLISH_FILE, DOCUMENT_FILE_MAX, text, status, diag);

	return err_is_missing(err) ? RJWT_OK : err;
}

enum rjwt_err
www_read(const struct dir *state, struct buf *text, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir www = DIR_NONE;
	enum rjwt_err err = dir_open_at(state, PUBLISH_DIR, &www, diag);

	if (err_is_missing(err))
		return RJWT_OK;
	RJWT_TRY(err);
	return read_file(&www, text, NULL, diag);
}

static enum rjwt_err
write_file(const struct dir *www, const struct keyset_env *env, const struct stat *before, const struct buf *text)
{
	struct timespec mtime = { 0 };
	struct rjwt_time now;

	clock_now(env->clock, &now);
	mtime.tv_sec = before->st_mtime >= now.wall_s ? before->st_mtime + 1 : now.wall_s;
	return file_write(www, PUBLISH_FILE, 0644, buf_view(text), &mtime, env->diag);
}

static void
texts_free(struct buf **texts)
{
	free(*texts);
}

/* What was made here counts. If it does not, a call failed that judged it, and so it may be with any other line. */
static enum rjwt_err
check_own(const struct buf *own, const struct buf *merged, struct rjwt_diag *diag)
{
	struct view rest = own == NULL ? (struct view){ NULL, 0 } : buf_view(own), line;

	while (document_next(&rest, &line))
		if (merged->n < line.n || memmem(merged->p, merged->n, line.p, line.n) == NULL)
			return diag_fail(diag, RJWT_INTERNAL, "", "a line that was signed here could not be verified");
	return RJWT_OK;
}

enum rjwt_err
www_merge(const struct dir *state, const struct keyset_env *env, const struct fleet *fleet, const struct buf *texts,
    size_t n, const struct buf *own)
{
	RJWT_CLEAN(dir_close) struct dir www = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf there = { 0 };
	RJWT_CLEAN(buf_clear) struct buf merged = { 0 };
	RJWT_CLEAN(texts_free) struct buf *all = calloc(n + 1, sizeof(*all)); /* borrows */
	struct installed installed = { .state = state, .diag = env->diag };
	struct stat before = { 0 };

	if (all == NULL)
		return RJWT_MEMORY;
	RJWT_TRY(dir_make(state, PUBLISH_DIR, 0755, env->diag));
	RJWT_TRY(dir_open_at(state, PUBLISH_DIR, &www, env->diag));
	RJWT_TRY(read_file(&www, &there, &before, env->diag));
	RJWT_TRY(own_read(state, &installed.own, env->diag));
	all[0] = there;
	for (size_t i = 0; i < n; i++)
		all[i + 1] = texts[i];
	RJWT_TRY(merge_lines(fleet, all, n + 1, read_serials, &installed, &merged));
	RJWT_TRY(check_own(own, &merged, env->diag));
	return view_eq(buf_view(&merged), buf_view(&there)) ? RJWT_OK : write_file(&www, env, &before, &merged);
}
