/* SPDX-License-Identifier: MIT */
#include "fleet_issuer.h"

#include <stdio.h>

void
issuer_say(void *context, bool wrong, const char *text)
{
	struct issuer *i = context;

	buf_addf(&i->said, "%s: %s\n", wrong ? "wrong" : "done", text);
}

void
issuer_put_keys(const struct fixture *f, const char *name, unsigned first, unsigned n)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	for (unsigned i = first; i < first + n; i++)
		want("key", key_private_format(line_key(i), &text), RJWT_OK);
	buf_adds(&text, "");
	file_put(f, name, buf_view(&text));
}

int
issuer_setup(void **state)
{
	struct issuer *i = calloc(1, sizeof(*i));
	struct rjwt_options o;
	struct rjwt_fleet fleet;

	assert_non_null(i);
	i->f = fixture_new("fleet_issuer: me\n");
	snprintf(i->keys, sizeof(i->keys), "%s/fleet.key", i->f->top);
	issuer_put_keys(i->f, "../fleet.key", 0, 2);
	o = fixture_options(i->f);
	want("init", rjwt_fleet_init(&o, URL, i->keys, &fleet, &i->f->diag), RJWT_OK);
	assert_true(fleet.serial == T0 && !fleet.made_keys);
	assert_string_equal(fleet.name, "me");
	assert_string_equal(fleet.key, line_name(0)->text);
	*state = i;
	return 0;
}

int
issuer_teardown(void **state)
{
	struct issuer *i = *state;

	buf_clear(&i->said);
	fixture_free(i->f);
	free(i);
	return 0;
}

/* --- what it has -------------------------------------------------------------------------------- */

struct record
issuer_record(struct issuer *i)
{
	struct record record;

	want("record", publish_last(i->f->state, &record, NULL), RJWT_OK);
	return record;
}

void
issuer_record_put(struct issuer *i, const struct record *record)
{
	struct dir dir = DIR_NONE;
	char path[200];

	snprintf(path, sizeof(path), "%s/private", i->f->state);
	want("record", dir_open(path, &dir, NULL), RJWT_OK);
	want("record", record_write(&dir, record, NULL), RJWT_OK);
	dir_close(&dir);
}

struct key *
issuer_key(struct issuer *i)
{
	struct dir dir = DIR_NONE;
	struct key *key = NULL;

	want("key", dir_open(i->f->state, &dir, NULL), RJWT_OK);
	want("key", bundle_key_read(&dir, &key, NULL), RJWT_OK);
	dir_close(&dir);
	return key;
}

/* The bundle in www, whose line is given too. */
struct bundle
issuer_published(struct issuer *i, struct buf *line)
{
	RJWT_CLEAN(buf_clear) struct buf www = file_get(i->f, "www/fleet.jws");
	RJWT_CLEAN(key_clean) struct key *key = issuer_key(i);
	struct bundle bundle = { .serial = 0 };
	struct view rest = buf_view(&www), one;
	struct fleet_key name;

	want("name", fleet_key_of(key, &name), RJWT_OK);
	while (document_next(&rest, &one)) {
		RJWT_CLEAN(buf_clear) struct buf payload = { 0 };

		if (document_open(one, DOCUMENT_BUNDLE, &name, &payload) != RJWT_OK)
			continue;
		bundle_clear(&bundle);
		want("payload", bundle_parse(buf_view(&payload), &bundle, NULL), RJWT_OK);
		if (line != NULL) {
			buf_clear(line);
			buf_add_view(line, one);
		}
	}
	assert_true(bundle.serial > 0);
	return bundle;
}

enum rjwt_err
issuer_publish(struct issuer *i, int64_t *serial)
{
	struct rjwt_fleet fleet = { .serial = 0 };
	enum rjwt_err err = fixture_reopen(i->f);

	if (err == RJWT_OK)
		err = rjwt_publish(i->f->h, &fleet, &i->f->diag);
	*serial = fleet.serial;
	return err;
}

void
issuer_follows(struct issuer *i, const char *label, struct view text, const char *said)
{
	struct rjwt_options o = fixture_options(i->f);
	char path[200];
	const char *const files[] = { path, NULL };

	snprintf(path, sizeof(path), "%s/lines.jws", i->f->top);
	file_put(i->f, "../lines.jws", text);
	buf_clear(&i->said);
	want(label, rjwt_follow(&o, files, issuer_say, i, &i->f->diag), RJWT_OK);
	buf_adds(&i->said, "");
	if (strcmp(i->said.p == NULL ? "" : i->said.p, said) != 0)
		fail_msg("%s: said \"%s\", not \"%s\"", label, i->said.p, said);
}
