/* SPDX-License-Identifier: MIT */
#include "keyset/denials.h"
#include "base/datetime.h"

#include <errno.h>
#include <fcntl.h>

#define DENIAL_MAX 64 /* bytes of a denial */

enum rjwt_err
denial_ask(struct view user, struct view jti, int64_t iat_s, struct denial_question *question)
{
	RJWT_CLEAN(hasher_clean) struct hasher *hasher = NULL;

	*question = (struct denial_question){ .iat_s = iat_s };
	RJWT_TRY(hasher_new(&hasher));
	if (jti.p != NULL)
		RJWT_TRY(hasher_name(hasher, &jti, 1, question->jti));
	return hasher_name(hasher, &user, 1, question->sub);
}

enum rjwt_err
denial_read(const struct dir *kind, const char *hash, int64_t *until_s, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct stat status;

	/* Most have no denial, and no file is opened for them. */
	if (fstatat(kind->fd, hash, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return RJWT_OK;
	RJWT_TRY(file_read(kind, hash, DENIAL_MAX, &text, NULL, diag));
	/* A line without its end may be the beginning of a later date. */
	if (text.n == 0 || text.p[--text.n] != '\n' ||
	    number_parse(buf_view(&text), JSON_INTEGER_MAX, until_s) != RJWT_OK)
		*until_s = DENIAL_DAMAGED_S;
	return RJWT_DENIED;
}

static enum rjwt_err
find(const struct dir *denied, const char *kind, const char *hash, int64_t *until_s, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;

	RJWT_TRY(dir_enter_at(denied, kind, &dir, diag));
	return denial_read(&dir, hash, until_s, diag);
}

enum rjwt_err
denial_date(const struct dir *dir, struct view user, int64_t *until_s, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir denied = DIR_NONE;
	char hash[DIGEST_HEX];
	struct stat status;

	/* Most hosts deny nothing, and no error is described for them. */
	if (fstatat(dir->fd, "denied", &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return RJWT_OK;
	RJWT_TRY(dir_enter_at(dir, "denied", &denied, diag));
	RJWT_TRY(digest_name(&user, 1, hash));
	return find(&denied, "sub", hash, until_s, diag);
}

/* A directory that is not there is an error here: only a missing file says that nothing is denied. */
enum rjwt_err
denials_find(const struct dir *dir, const struct denial_question *question, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir denied = DIR_NONE;
	int64_t until_s = 0;
	enum rjwt_err err;

	RJWT_TRY(dir_enter_at(dir, "denied", &denied, diag));
	if (question->jti[0] != '\0')
		RJWT_TRY(find(&denied, "jti", question->jti, &until_s, diag));
	err = find(&denied, "sub", question->sub, &until_s, diag);
	return err == RJWT_DENIED && question->iat_s > until_s ? RJWT_OK : err;
}
