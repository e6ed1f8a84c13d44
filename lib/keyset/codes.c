/* SPDX-License-Identifier: MIT */
#include "keyset/codes.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "keyset/parked.h"

#include <inttypes.h>
#include <string.h>

enum rjwt_err
code_format(const struct rjwt_token *token, const struct rjwt_request *request, const char *typ, int64_t until_s,
    bool renewed, struct buf *text)
{
	buf_addf(text, "%" PRId64 "\n", until_s);
	buf_add(text, token->text, token->len);
	buf_adds(text, "\n");
	json_open(text, NULL);
	json_put_string(text, "user", view_of(request->user));
	json_put_string(text, "scope", view_of(token->scope));
	json_put_string(text, "typ", view_of(typ));
	json_put_string(text, "kid", view_of(token->kid));
	json_put_integer(text, "iat", token->iat_s);
	json_put_integer(text, "exp", token->exp_s);
	json_put_bool(text, "renewed", renewed);
	if (request->by != NULL)
		json_put_text(text, "by", view_of(request->by));
	if (request->why != NULL)
		json_put_text(text, "why", view_of(request->why));
	json_put_raw(text, "claims", view_of(token->claims));
	json_close(text);
	buf_adds(text, "\n");
	return buf_done(text);
}

static bool
read_members(struct code *c)
{
	const struct {
		struct json from;
		const char *name;
		struct view *value;
		bool needed;
	} texts[] = { { c->json, "user", &c->user, true }, { c->json, "scope", &c->scope, true },
		{ c->json, "kid", &c->kid, true }, { c->json, "by", &c->by, false }, { c->json, "why", &c->why, false },
		{ c->claims, "iss", &c->iss, true }, { c->claims, "jti", &c->jti, true } };
	struct json act;

	c->by = c->why = c->actor = VIEW("");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (json_string(texts[i].from, texts[i].name, texts[i].value) != JSON_GOOD && texts[i].needed)
			return false;
	if (json_member(c->claims, "act", &act) == JSON_GOOD)
		(void)json_string(act, "sub", &c->actor);
	return json_integer(c->json, "iat", &c->iat_s) == JSON_GOOD &&
	       json_integer(c->json, "exp", &c->exp_s) == JSON_GOOD &&
	       json_boolean(c->json, "renewed", &c->renewed) == JSON_GOOD;
}

enum rjwt_err
code_parse(struct view text, struct code *code)
{
	struct code found = { .renewed = false };
	struct parked parked;

	if (!parked_parse(text, &parked) || parked.record.p == NULL)
		return RJWT_MALFORMED;
	RJWT_TRY(json_parse(parked.record, &found.json, NULL));
	found.text = parked.record;
	found.until_s = parked.until_s;
	if (json_member(found.json, "claims", &found.claims) != JSON_GOOD || !read_members(&found)) {
		code_clear(&found);
		return RJWT_MALFORMED;
	}
	*code = found;
	return RJWT_OK;
}

void
code_clear(struct code *code)
{
	json_clear(&code->json);
	*code = (struct code){ .renewed = false };
}

struct reading {
	const struct dir *dir;
	enum rjwt_err (*each)(void *context, const char *name, const struct code *code);
	void *context;
	enum rjwt_err err; /* the first of a file that could not be read */
	struct rjwt_diag *diag;
};

/* What is being written, or damaged, is passed over: parked_prune() removes it in the end. */
static enum rjwt_err
read_code(void *context, const char *name)
{
	struct reading *r = context;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(code_clear) struct code code = { .renewed = false };
	enum rjwt_err err;

	if (strlen(name) != DIGEST_HEX - 1)
		return RJWT_OK;
	err = file_read(r->dir, name, PARKED_FILE_MAX, &text, NULL, r->err == RJWT_OK ? r->diag : NULL);
	if (err == RJWT_KEYSET || err_is_missing(err))
		return RJWT_OK;
	if (err == RJWT_OK)
		err = code_parse(buf_view(&text), &code);
	if (err == RJWT_OK)
		return r->each(r->context, name, &code);
	if (r->err == RJWT_OK && err != RJWT_MALFORMED)
		r->err = err;
	return RJWT_OK;
}

enum rjwt_err
codes_each(const struct dir *state, enum rjwt_err (*each)(void *context, const char *name, const struct code *code),
    void *context, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir parked = DIR_NONE;
	struct reading r = { &parked, each, context, RJWT_OK, diag };
	enum rjwt_err err;

	RJWT_TRY(dir_open_at(state, "private", &private, diag));
	err = dir_open_at(&private, PARKED, &parked, diag);
	if (err_is_missing(err))
		return RJWT_OK;
	RJWT_TRY(err);
	RJWT_TRY(dir_each(&parked, read_code, &r, diag));
	return r.err;
}
