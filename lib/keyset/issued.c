/* SPDX-License-Identifier: MIT */
#include "keyset/issued.h"
#include "base/datetime.h"
#include "base/file_write.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/string_list.h"
#include "jose/claims.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HOUR_S 3600
#define HOUR_BYTES_MAX (256U << 20) /* a million tokens */

bool
issued_same_hour(int64_t exp_s, int64_t other_s)
{
	return exp_s / HOUR_S == other_s / HOUR_S;
}

static void
put_list(struct buf *lines, const char *name, const char *const *strings)
{
	json_open_array(lines, name);
	for (size_t i = 0; strings != NULL && strings[i] != NULL; i++)
		json_put_string(lines, NULL, view_of(strings[i]));
	json_close_array(lines);
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
	put_list(lines, "scope", request->scope);
	json_put_bool(lines, "once", token->once);
	if (token->uses != 0)
		json_put_integer(lines, "uses", token->uses);
	if (request->issuer != NULL)
		json_put_string(lines, "iss", view_of(request->issuer));
	put_list(lines, "aud", request->audience);
	if (request->actor != NULL)
		json_put_string(lines, "act", view_of(request->actor));
	if (request->bind_key != NULL)
		json_put_string(lines, "cnf", view_of(request->bind_key));
	if (request->from != NULL && request->from[0] != NULL)
		put_list(lines, "src", request->from);
	if (request->by != NULL)
		json_put_text(lines, "by", view_of(request->by));
	if (request->rule != 0)
		json_put_integer(lines, "rule", request->rule);
	if (request->login != NULL)
		json_put_text(lines, "loginuid", view_of(request->login));
	if (request->why != NULL)
		json_put_text(lines, "why", view_of(request->why));
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
	snprintf(name, sizeof(name), "%" PRId64, exp_s / HOUR_S);
	err = dir_open_at(state, "issued", &dir, diag);
	if (err_is_missing(err)) { /* the directory was removed, which is allowed: it is only for people */
		RJWT_TRY(dir_make(state, "issued", 0700, diag));
		err = dir_open_at(state, "issued", &dir, diag);
	}
	RJWT_TRY(err);
	return file_append(&dir, name, buf_view(lines), FILE_MAKE, NULL, diag);
}

struct reading {
	const struct dir *dir;
	int64_t from_s;
	enum rjwt_err (*each)(void *context, const struct issued_token *token);
	void *context;
	struct rjwt_diag *diag;
};

/* false: it is damaged. */
static bool
read_members(struct json json, struct issued_token *token)
{
	const struct {
		const char *name;
		struct view *value;
		bool needed;
	} texts[] = { { "jti", &token->jti, true }, { "sub", &token->user, true }, { "kid", &token->kid, true },
		{ "iss", &token->issuer, false }, { "by", &token->by, false }, { "why", &token->why, false },
		{ "act", &token->actor, false } };
	const struct {
		const char *name;
		int64_t *value;
		bool needed;
	} times[] = { { "exp", &token->exp_s, true }, { "iat", &token->iat_s, false }, { "nbf", &token->nbf_s, false },
		{ "rule", &token->rule, false }, { "uses", &token->uses, false } };

	*token = (struct issued_token){ .issuer = { "", 0 }, .by = { "", 0 }, .why = { "", 0 }, .actor = { "", 0 } };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (json_string(json, texts[i].name, texts[i].value) != JSON_GOOD && texts[i].needed)
			return false;
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		if (json_integer(json, times[i].name, times[i].value) != JSON_GOOD && times[i].needed)
			return false;
	if (token->uses != 0 && !claims_uses_check(token->uses))
		return false;
	return json_boolean(json, "once", &token->once) != JSON_WRONG;
}

static enum rjwt_err
read_list(struct json json, const char *name, struct string_list *list)
{
	size_t n = 0;

	if (json_strings(json, name, &n) != JSON_GOOD)
		return RJWT_OK;
	for (size_t i = 0; i < n; i++)
		RJWT_TRY(string_list_add(list, json_string_at(json, name, i).p));
	return RJWT_OK;
}

static enum rjwt_err
read_line(const struct reading *r, struct view line)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	RJWT_CLEAN(string_list_clear) struct string_list audience = { 0 };
	RJWT_CLEAN(string_list_clear) struct string_list scope = { 0 };
	struct issued_token token;
	enum rjwt_err err = json_parse(line, &json, NULL);

	if (err == RJWT_MEMORY)
		return err;
	if (err != RJWT_OK || !read_members(json, &token))
		return RJWT_OK;
	RJWT_TRY(read_list(json, "aud", &audience));
	RJWT_TRY(read_list(json, "scope", &scope));
	token.audience = string_list_view(&audience);
	token.scope = string_list_view(&scope);
	return r->each(r->context, &token);
}

static enum rjwt_err
read_hour(void *context, const char *name)
{
	const struct reading *r = context;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	int64_t hour;
	struct view rest;

	if (number_parse(view_of(name), INT64_MAX / HOUR_S - 2, &hour) != RJWT_OK || (hour + 1) * HOUR_S <= r->from_s)
		return RJWT_OK;
	RJWT_TRY(file_read(r->dir, name, HOUR_BYTES_MAX, &text, NULL, r->diag));
	rest = buf_view(&text);
	while (rest.n > 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		RJWT_TRY(read_line(r, (struct view){ rest.p, n }));
		n += end != NULL;
		rest = (struct view){ rest.p + n, rest.n - n };
	}
	return RJWT_OK;
}

enum rjwt_err
issued_each(const struct dir *state, int64_t from_s,
    enum rjwt_err (*each)(void *context, const struct issued_token *token), void *context, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	struct reading r = { .from_s = from_s, .each = each, .context = context, .diag = diag };
	enum rjwt_err err = dir_open_at(state, "issued", &dir, diag);

	if (err_is_missing(err))
		return RJWT_OK;
	RJWT_TRY(err);
	r.dir = &dir;
	return dir_each(&dir, read_hour, &r, diag);
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
		return RJWT_OK; /* minting creates it again */
	RJWT_TRY(err);
	p.dir = &dir;
	return dir_each(&dir, prune_hour, &p, diag);
}
