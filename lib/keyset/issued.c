/* SPDX-License-Identifier: MIT */
#include "keyset/issued.h"
#include "base/datetime.h"
#include "base/file_write.h"
#include "base/json_write.h"

#include <errno.h>
#include <stdio.h>

#define HOUR_S 3600

bool
issued_same_hour(int64_t exp_s, int64_t other_s)
{
	return exp_s / HOUR_S == other_s / HOUR_S;
}

void
issued_line(struct buf *lines, const struct rjwt_token *token, const struct rjwt_request *request)
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
issued_add(const struct dir *state, int64_t exp_s, const struct buf *lines, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	enum rjwt_err err;
	char name[32];

	RJWT_TRY(buf_done(lines));
	snprintf(name, sizeof(name), "%lld", (long long)(exp_s / HOUR_S));
	err = dir_open_at(state, "issued", &dir, diag);
	if (err_is_missing(err)) { /* somebody cleaned up: it is for people alone */
		RJWT_TRY(dir_make(state, "issued", 0700, diag));
		err = dir_open_at(state, "issued", &dir, diag);
	}
	RJWT_TRY(err);
	return file_append(&dir, name, buf_view(lines), FILE_MAKE, NULL, diag);
}

struct prune {
	const struct dir *dir;
	int64_t now_s;
	struct rjwt_diag *diag;
};

static enum rjwt_err
prune_hour(void *context, const char *name)
{
	const struct prune *p = context;
	int64_t hour;

	if (number_parse(view_of(name), INT64_MAX / HOUR_S - 2, &hour) != RJWT_OK || (hour + 2) * HOUR_S > p->now_s)
		return RJWT_OK;
	return file_remove(p->dir, name, p->diag);
}

enum rjwt_err
issued_prune(const struct dir *state, int64_t now_s, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	struct prune p = { .now_s = now_s, .diag = diag };
	enum rjwt_err err = dir_open_at(state, "issued", &dir, diag);

	if (err_is_missing(err))
		return RJWT_OK; /* minting makes it again */
	RJWT_TRY(err);
	p.dir = &dir;
	return dir_each(&dir, prune_hour, &p, diag);
}
