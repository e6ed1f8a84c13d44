/* SPDX-License-Identifier: MIT */
#include "keyset/denials_write.h"
#include "base/file_write.h"
#include "keyset/denials.h"

#include <inttypes.h>
#include <string.h>

enum rjwt_err
denials_open(const struct dir *dir, struct denials *denials, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir denied = DIR_NONE;
	RJWT_CLEAN(denials_close) struct denials made = DENIALS_NONE;

	RJWT_TRY(dir_make(dir, "denied", 0711, diag));
	RJWT_TRY(dir_open_at(dir, "denied", &denied, diag));
	RJWT_TRY(dir_make(&denied, "sub", 0711, diag));
	RJWT_TRY(dir_make(&denied, "jti", 0711, diag));
	RJWT_TRY(dir_open_at(&denied, "sub", &made.sub, diag));
	RJWT_TRY(dir_open_at(&denied, "jti", &made.jti, diag));
	denials->sub = dir_steal(&made.sub);
	denials->jti = dir_steal(&made.jti);
	return RJWT_OK;
}

void
denials_close(struct denials *denials)
{
	dir_close(&denials->sub);
	dir_close(&denials->jti);
}

static enum rjwt_err
write_date(const struct dir *kind, const char *hash, int64_t until_s, bool later, struct rjwt_diag *diag)
{
	static const struct timespec no_time; /* who may look it up need not see when it was made */
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	buf_addf(&text, "%" PRId64 "\n", until_s);
	RJWT_TRY(buf_done(&text));
	return (later ? file_write_later : file_write)(kind, hash, 0644, buf_view(&text), &no_time, diag);
}

enum rjwt_err
denial_put(const struct dir *kind, const char *hash, int64_t until_s, bool later, bool *written, struct rjwt_diag *diag)
{
	int64_t there_s = 0;
	enum rjwt_err err = denial_read(kind, hash, &there_s, diag);

	if (err == RJWT_DENIED && there_s != DENIAL_DAMAGED_S && there_s >= until_s)
		return RJWT_OK;
	if (err != RJWT_DENIED)
		RJWT_TRY(err);
	*written = true;
	return write_date(kind, hash, until_s, later, diag);
}

struct walk {
	const struct dir *kind;
	enum rjwt_err (*each)(void *context, const char *hash, int64_t until_s);
	void *context;
	struct rjwt_diag *diag;
};

static enum rjwt_err
walk_one(void *context, const char *name)
{
	const struct walk *w = context;
	int64_t until_s = 0;
	enum rjwt_err err;

	if (strspn(name, "0123456789abcdef") != DIGEST_HEX - 1 || name[DIGEST_HEX - 1] != '\0')
		return RJWT_OK;
	err = denial_read(w->kind, name, &until_s, w->diag);
	return err == RJWT_DENIED ? w->each(w->context, name, until_s) : err;
}

enum rjwt_err
denials_each(const struct dir *kind, enum rjwt_err (*each)(void *context, const char *hash, int64_t until_s),
    void *context, struct rjwt_diag *diag)
{
	struct walk w = { kind, each, context, diag };

	return dir_each(kind, walk_one, &w, diag);
}

struct dating {
	const struct dir *kind;
	int64_t most_s;
	struct rjwt_diag *diag;
};

/* One that is damaged has no date, and stays. */
static enum rjwt_err
date_one(void *context, const char *hash, int64_t until_s)
{
	const struct dating *d = context;

	return until_s == DENIAL_DAMAGED_S || until_s <= d->most_s
		   ? RJWT_OK
		   : write_date(d->kind, hash, d->most_s, false, d->diag);
}

enum rjwt_err
denials_date_back(const struct dir *kind, int64_t most_s, struct rjwt_diag *diag)
{
	struct dating d = { kind, most_s, diag };

	return denials_each(kind, date_one, &d, diag);
}

enum rjwt_err
denials_each_kind(const struct dir *dir, enum rjwt_err (*each)(void *context, const struct dir *kind), void *context,
    struct rjwt_diag *diag)
{
	static const char *const kinds[] = { "sub", "jti" };
	RJWT_CLEAN(dir_close) struct dir denied = DIR_NONE;
	enum rjwt_err err = dir_open_at(dir, "denied", &denied, diag);

	for (size_t i = 0; err == RJWT_OK && i < ARRAY_LEN(kinds); i++) {
		RJWT_CLEAN(dir_close) struct dir kind = DIR_NONE;

		err = dir_open_at(&denied, kinds[i], &kind, diag);
		if (err == RJWT_OK)
			err = each(context, &kind);
	}
	return err_is_missing(err) ? RJWT_OK : err;
}
