/* SPDX-License-Identifier: MIT */
/* From rows to tokens. */
#include "table.h"
#include "base/base64url.h"

#include <stdio.h>

#define EDITS 16
#define NUL_MARK "\x1d" /* until the object is put together: values are strings */

/* --- values ----------------------------------------------------------------------------------- */

/* What stands between two $. */
static void
put_variable(struct buf *out, const struct table *t, const char *name, size_t n, const struct buf *object)
{
	if (n == 1 && name[0] == '0')
		buf_add(out, NUL_MARK, 1);
	else if (n == 1 && name[0] == 'o' && object != NULL)
		buf_add_view(out, buf_view(object));
	else if (name[0] == '+' || name[0] == '-')
		buf_addf(out, "%lld", (long long)t->base_s + strtoll(name, NULL, 10));
	else
		fail_msg("no such variable: %.*s", (int)n, name);
}

static void
expand(struct buf *out, const struct table *t, const char *text, const struct buf *object)
{
	const char *at, *end;

	buf_adds(out, "");
	while ((at = strchr(text, '$')) != NULL && (end = strchr(at + 1, '$')) != NULL) {
		buf_add(out, text, (size_t)(at - text));
		put_variable(out, t, at + 1, (size_t)(end - at - 1), object);
		text = end + 1;
	}
	buf_adds(out, text);
}

/* --- tokens ----------------------------------------------------------------------------------- */

static const char *
signer_name(enum world world, const struct edit *edits)
{
	const char *name = world == SET ? "ES256" : "5";

	for (const struct edit *e = edits; e != NULL && e->part != 0; e++)
		if (e->part == 'k')
			name = e->value;
	return name;
}

/* What every token has, by the key and the time, and then the edits, their values expanded into room. */
static void
collect(struct edit *to, struct buf *room, const struct table *t, const char *signer, const struct edit *edits)
{
	bool version = signer[0] >= '0' && signer[0] <= '9';
	struct edit *e = to;

	buf_addf(&room[0], "\"%s\"", key_alg(table_key(t, signer))->name);
	buf_addf(&room[1], "\"%s%.*s\"", version ? "B." : "", (int)strcspn(signer, "'"), signer);
	expand(&room[2], t, "$+0$", NULL);
	expand(&room[3], t, "$+300$", NULL);
	*e++ = (struct edit){ 'h', "alg", room[0].p };
	*e++ = (struct edit){ 'h', "kid", room[1].p };
	*e++ = (struct edit){ 'c', "iat", room[2].p };
	*e++ = (struct edit){ 'c', "exp", room[3].p };
	for (; edits != NULL && edits->part != 0; edits++) {
		assert_true(e - to < EDITS - 1);
		*e = *edits;
		if ((edits->part == 'h' || edits->part == 'c') && edits->value != NULL) {
			expand(&room[e - to], t, edits->value, NULL);
			e->value = room[e - to].p;
		}
		e++;
	}
	*e = (struct edit){ 0, NULL, NULL };
}

/* The whole part that an edit asks for in the place of the object; or the object. */
static void
put_part(struct buf *out, const struct table *t, char part, const struct edit *edits, const struct buf *object)
{
	RJWT_CLEAN(buf_clear) struct buf whole = { 0 };

	for (const struct edit *e = edits; e != NULL && e->part != 0; e++)
		if (e->part == part)
			expand(&whole, t, e->value, object);
	if (whole.p == NULL)
		buf_add_view(&whole, buf_view(object));
	for (size_t i = 0; i < whole.n; i++)
		if (whole.p[i] == NUL_MARK[0])
			whole.p[i] = '\0';
	base64url_encode(out, buf_view(&whole));
}

void
table_input(struct table *t, enum world world, const struct edit *edits, struct buf *out)
{
	RJWT_CLEAN(buf_clear) struct buf header = { 0 };
	RJWT_CLEAN(buf_clear) struct buf claims = { 0 };
	struct buf room[EDITS] = { { 0 } };
	struct edit all[EDITS];

	collect(all, room, t, signer_name(world, edits), edits);
	token_parts(t->f, all, &header, &claims);
	put_part(out, t, 'H', edits, &header);
	buf_adds(out, ".");
	put_part(out, t, 'C', edits, &claims);
	for (size_t i = 0; i < EDITS; i++)
		buf_clear(&room[i]);
}

void
table_sign(struct table *t, const char *key, struct buf *token)
{
	RJWT_CLEAN(buf_clear) struct buf signature = { 0 };

	want(key, key_sign(table_key(t, key), buf_view(token), &signature), RJWT_OK);
	buf_adds(token, ".");
	base64url_encode(token, buf_view(&signature));
	want(key, buf_done(token), RJWT_OK);
}

void
table_token(struct table *t, enum world world, const struct edit *edits, struct buf *out)
{
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };

	table_input(t, world, edits, &token);
	table_sign(t, signer_name(world, edits), &token);
	buf_add_view(out, buf_view(&token));
}

/* --- rows ------------------------------------------------------------------------------------- */

struct refusal *
table_put(struct table *t, int rule, enum rjwt_err reason, enum world world, const char *name)
{
	struct refusal *r;

	if (t->n == t->room) {
		t->room = 2 * t->room + 64;
		t->rows = realloc(t->rows, t->room * sizeof(*t->rows));
		assert_non_null(t->rows);
	}
	r = &t->rows[t->n++];
	*r = (struct refusal){ .rule = rule,
		.reason = reason,
		.world = world,
		.user = "alice",
		.service = "sshd",
		.source = SSH_SOURCE };
	snprintf(r->name, sizeof(r->name), "%s", name);
	buf_add_view(&r->twin, buf_view(&t->plain[world]));
	return r;
}

static void
describe(char name[static 120], const struct edit *edits)
{
	size_t n = 0;

	name[0] = '\0';
	for (const struct edit *e = edits; e->part != 0 && n < 119; e++) {
		const char *value = e->value == NULL ? ABSENT : e->value;
		const char *of = e->part == 'h' || e->part == 'H' ? "header" : e->part == 'k' ? "key" : "claims";
		size_t length = strlen(value);

		n += (size_t)snprintf(name + n, 120 - n, "%s%s%s%s=%.60s", e == edits ? "" : " ", of,
		    e->name == NULL ? "" : ".", e->name == NULL ? "" : e->name, value);
		if (length > 60 && n < 120)
			n += (size_t)snprintf(name + n, 120 - n, "... (%zu bytes)", length);
	}
}

void
table_rows(struct table *t, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *row = &rows[i];
		struct refusal *r;
		char name[120];

		describe(name, row->bad);
		r = table_put(t, row->rule, row->reason, row->world, name);
		r->user = row->user == NULL ? r->user : row->user;
		r->service = row->service == NULL ? r->service : row->service;
		r->source = row->source == NULL ? r->source : row->source;
		table_token(t, row->world, row->bad, &r->bad);
		if (row->twin[0].part == 0)
			continue;
		buf_clear(&r->twin);
		table_token(t, row->world, row->twin, &r->twin);
	}
}

static struct edit
edit_of(const struct list *list, const char *value)
{
	return (struct edit){ list->part, list->member, strcmp(value, ABSENT) == 0 ? NULL : value };
}

void
table_lists(struct table *t, const struct list *lists, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (const char *const *value = lists[i].values; *value != NULL; value++) {
			struct row row = { .rule = lists[i].rule, .reason = lists[i].reason };

			row.bad[0] = edit_of(&lists[i], *value);
			if (lists[i].twin != NULL)
				row.twin[0] = edit_of(&lists[i], lists[i].twin);
			table_rows(t, &row, 1);
		}
}
