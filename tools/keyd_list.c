/* SPDX-License-Identifier: MIT */
/* rjwt-keyd list: who can log in now, with a token that was minted here. */
#include "keyd.h"
#include "base/datetime.h"
#include "base/host.h"
#include "base/json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The columns of the table. */
enum { ID, USER, OPENS, HOST, LEFT, USED, BY, COLUMNS };

struct row {
	char *text[COLUMNS];
	int64_t exp_s;
};

struct listing {
	int64_t now_s;
	const char *by; /* only what this user minted; NULL: all */
	struct row *rows;
	size_t n, max;
	size_t reusable;
	struct buf *json; /* NULL: a table is printed */
	enum rjwt_err err;
};

static void
listing_clear(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < COLUMNS; k++)
			free(l->rows[i].text[k]);
	free(l->rows);
}

static void
add_words(struct buf *out, const char *const *words, const char *between)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
		if (i > 0)
			buf_adds(out, between);
		text_escape(out, view_of(words[i]));
	}
}

static int64_t
times_used(const struct rjwt_issued *token, const char *scope)
{
	for (size_t i = 0; i < token->nuses; i++)
		if (strcmp(token->uses[i].scope, scope) == 0)
			return token->uses[i].times;
	return 0;
}

/* How many uses are left for each scope: "2 of 3 left", or "ssh 2 of 3 left, sudo 3 of 3 left". */
static void
add_uses_left(struct buf *out, const struct rjwt_issued *token)
{
	for (size_t i = 0; token->scope != NULL && token->scope[i] != NULL; i++) {
		buf_adds(out, i > 0 ? ", " : "");
		if (token->scope[1] != NULL) {
			text_escape(out, view_of(token->scope[i]));
			buf_adds(out, " ");
		}
		buf_addf(out, "%" PRId64 " of %" PRId64 " left", token->most - times_used(token, token->scope[i]),
		    token->most);
	}
}

/* The scopes for which it was spent here; "-" none, "code" none, and a code waits for it, "?" another host knows, "any" it is reusable. */
static void
add_uses(struct buf *out, const struct rjwt_issued *token)
{
	if (token->most == 0)
		buf_adds(out, "any");
	else if (!token->here)
		buf_adds(out, "?");
	else if (token->most > 1)
		add_uses_left(out, token);
	else if (token->nuses == 0)
		buf_adds(out, token->code ? "code" : "-");
	for (size_t i = 0; token->most == 1 && i < token->nuses; i++) {
		buf_adds(out, i > 0 ? " " : "");
		text_escape(out, view_of(token->uses[i].scope));
	}
}

/* How long it can still be used, or when it can. */
static void
add_left(struct buf *out, const struct rjwt_issued *token, int64_t now_s)
{
	char amount[32];

	duration_format(amount, token->nbf_s > now_s ? token->nbf_s - now_s : token->exp_s - now_s);
	buf_addf(out, "%s%s", token->nbf_s > now_s ? "in " : "", token->exp_s > now_s ? amount : "0s");
}

static void
add_cell(struct buf *out, int column, const struct rjwt_issued *token, int64_t now_s)
{
	switch (column) {
	case ID:
		text_escape(out, view_of(token->jti));
		break;
	case USER:
		text_escape(out, view_of(token->user));
		break;
	case OPENS:
		add_words(out, token->scope, " ");
		break;
	case HOST:
		if (token->here && token->audience[1] == NULL && !host_is_group(token->audience[0]))
			buf_adds(out, "here");
		else
			add_words(out, token->audience, ",");
		break;
	case LEFT:
		add_left(out, token, now_s);
		break;
	case USED:
		add_uses(out, token);
		break;
	default:
		text_escape(out, view_of(token->by));
		if (token->actor[0] != '\0' && strcmp(token->actor, token->by) != 0) {
			buf_adds(out, " for ");
			text_escape(out, view_of(token->actor));
		}
		if (token->rule != 0)
			buf_addf(out, " (rule %" PRId64 ")", token->rule);
	}
	if (out->n == 0)
		buf_adds(out, "?"); /* an earlier version did not record it */
}

static enum rjwt_err
add_row(struct listing *l, const struct rjwt_issued *token)
{
	if (l->n == l->max) {
		size_t max = 2 * l->max + 16;
		struct row *rows = reallocarray(l->rows, max, sizeof(*rows));

		if (rows == NULL)
			return RJWT_MEMORY;
		l->rows = rows;
		l->max = max;
	}
	l->rows[l->n] = (struct row){ .exp_s = token->exp_s };
	l->n++;
	for (int column = 0; column < COLUMNS; column++) {
		RJWT_CLEAN(buf_clear) struct buf cell = { 0 };

		add_cell(&cell, column, token, l->now_s);
		RJWT_TRY(buf_done(&cell));
		l->rows[l->n - 1].text[column] = RJWT_STEAL(cell.p);
	}
	return RJWT_OK;
}

static void
json_list(struct buf *out, const char *name, const char *const *words)
{
	if (words == NULL)
		return; /* what is not known is absent */
	json_open_array(out, name);
	for (size_t i = 0; words[i] != NULL; i++)
		json_put_text(out, NULL, view_of(words[i]));
	json_close_array(out);
}

static void
json_token(struct buf *out, const struct rjwt_issued *token)
{
	json_open_element(out);
	json_put_text(out, "jti", view_of(token->jti));
	json_put_text(out, "user", view_of(token->user));
	json_list(out, "scope", token->scope);
	json_list(out, "audience", token->audience);
	json_put_bool(out, "here", token->here);
	json_put_text(out, "kid", view_of(token->kid));
	if (token->iat_s != 0)
		json_put_integer(out, "issued", token->iat_s);
	if (token->nbf_s != 0)
		json_put_integer(out, "from", token->nbf_s);
	json_put_integer(out, "until", token->exp_s);
	json_put_bool(out, "once", token->once);
	if (token->code)
		json_put_bool(out, "code", true);
	if (token->most > 1)
		json_put_integer(out, "uses", token->most);
	if (token->most > 0 && token->here) {
		json_open_array(out, "used");
		for (size_t i = 0; i < token->nuses; i++) {
			json_open_element(out);
			json_put_text(out, "scope", view_of(token->uses[i].scope));
			json_put_integer(out, "at", token->uses[i].at_s);
			json_put_integer(out, "times", token->uses[i].times);
			json_close(out);
		}
		json_close_array(out);
	}
	if (token->by[0] != '\0')
		json_put_text(out, "by", view_of(token->by));
	if (token->actor[0] != '\0')
		json_put_text(out, "actor", view_of(token->actor));
	if (token->rule != 0)
		json_put_integer(out, "rule", token->rule);
	if (token->why[0] != '\0')
		json_put_text(out, "why", view_of(token->why));
	json_close(out);
}

/* "bob", or "bob (sudo)" where sudo reported it. */
static bool
is_by(const struct rjwt_issued *token, const char *name)
{
	size_t n = strlen(name);

	return strncmp(token->by, name, n) == 0 && (token->by[n] == '\0' || strncmp(token->by + n, " (", 2) == 0);
}

static bool
list_one(void *context, const struct rjwt_issued *token)
{
	struct listing *l = context;

	if (!token->live || (l->by != NULL && !is_by(token, l->by)))
		return true;
	l->reusable += token->most == 0;
	if (l->json != NULL)
		json_token(l->json, token);
	else
		l->err = add_row(l, token);
	return l->err == RJWT_OK;
}

static int
by_user(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	return strcmp(left->text[USER], right->text[USER]);
}

static size_t
count_users(struct listing *l)
{
	size_t n = l->n > 0;

	qsort(l->rows, l->n, sizeof(*l->rows), by_user);
	for (size_t i = 1; i < l->n; i++)
		n += by_user(&l->rows[i - 1], &l->rows[i]) != 0;
	return n;
}

static int
by_end(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	if (left->exp_s != right->exp_s)
		return left->exp_s < right->exp_s ? -1 : 1;
	return strcmp(left->text[ID], right->text[ID]);
}

/* The last column is not padded. */
static void
put_cell(const char *text, int column, const size_t width[COLUMNS])
{
	if (column == COLUMNS - 1)
		puts(text);
	else
		printf("%-*s  ", (int)width[column], text);
}

static void
put_title(struct listing *l)
{
	RJWT_CLEAN(buf_clear) struct buf by = { 0 };
	size_t users = l->n == 0 ? 0 : count_users(l);

	if (l->by != NULL) {
		buf_adds(&by, " minted by ");
		text_escape(&by, view_of(l->by));
	}
	printf(by.p == NULL ? "%zu token%s live%s" : "%zu live token%s%s", l->n, l->n == 1 ? "" : "s",
	    by.p == NULL ? "" : by.p);
	if (l->n > 0)
		printf(", of %zu user%s; %zu reusable", users, users == 1 ? "" : "s", l->reusable);
	puts("");
}

static void
put_table(struct listing *l)
{
	static const char *const heading[COLUMNS] = { "ID", "USER", "OPENS", "HOST", "LEFT", "USED", "BY" };
	size_t width[COLUMNS];

	put_title(l);
	if (l->n == 0)
		return;
	qsort(l->rows, l->n, sizeof(*l->rows), by_end);
	for (int column = 0; column < COLUMNS; column++) {
		width[column] = strlen(heading[column]);
		for (size_t i = 0; i < l->n; i++)
			if (strlen(l->rows[i].text[column]) > width[column])
				width[column] = strlen(l->rows[i].text[column]);
	}
	for (int column = 0; column < COLUMNS; column++)
		put_cell(heading[column], column, width);
	for (size_t i = 0; i < l->n; i++)
		for (int column = 0; column < COLUMNS; column++)
			put_cell(l->rows[i].text[column], column, width);
}

static enum rjwt_err
put_json(struct listing *l)
{
	json_close_array(l->json);
	json_close(l->json);
	RJWT_TRY(buf_done(l->json));
	puts(l->json->p);
	return RJWT_OK;
}

static enum rjwt_err
list(struct keyd *keyd, struct listing *l, struct rjwt_diag *diag)
{
	struct rjwt *handle;
	enum rjwt_err err;

	RJWT_TRY(rjwt_open(&keyd->tool.options, &handle, diag));
	err = rjwt_list(handle, list_one, l, diag);
	rjwt_close(handle);
	RJWT_TRY(err);
	RJWT_TRY(l->err);
	if (l->json != NULL)
		return put_json(l);
	put_table(l);
	return RJWT_OK;
}

int
keyd_list(struct keyd *keyd)
{
	RJWT_CLEAN(listing_clear) struct listing l = { .now_s = time(NULL), .by = keyd->by };
	RJWT_CLEAN(buf_clear) struct buf json = { 0 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err;

	if (keyd->json) {
		l.json = &json;
		json_open(&json, NULL);
		json_put_integer(&json, "schema", 1);
		json_put_integer(&json, "now", l.now_s);
		json_open_array(&json, "tokens");
	}
	err = list(keyd, &l, &diag);
	return err == RJWT_OK ? EXIT_DONE : tool_fail(&keyd->tool, err, &diag);
}
