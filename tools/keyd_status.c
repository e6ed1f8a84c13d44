/* SPDX-License-Identifier: MIT */
/* rjwt-keyd status: what rjwt_status() found, for people and for programs. */
#include "keyd.h"
#include "base/datetime.h"
#include "base/json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* FILE:LINE:COLUMN: message */
static void
put_note(const struct rjwt_note *note)
{
	tool_put(note->diag.path);
	if (note->diag.path[0] != '\0')
		fputs(":", stdout);
	if (note->diag.line != 0)
		printf("%u:%u:", note->diag.line, note->diag.column);
	if (note->diag.path[0] != '\0')
		fputs(" ", stdout);
	tool_put(note->diag.text);
	fputs("\n", stdout);
}

/* Since when a key has its present state. */
static int64_t
state_since(const struct rjwt_key_info *key)
{
	if (strcmp(key->state, "active") == 0)
		return key->active_since_s;
	if (strcmp(key->state, "next") == 0)
		return key->published_s;
	if (strcmp(key->state, "revoked") == 0)
		return key->revoked_s;
	return strcmp(key->state, "expired") == 0 ? key->verifies_until_s : key->retired_s;
}

/* Whether the number of its tokens is shown, and known. */
static bool
counts(const struct rjwt_key_info *key)
{
	return strcmp(key->state, "active") == 0 && key->minted >= 0;
}

static void
put_key(const struct rjwt_key_info *key)
{
	char since[32], until[32];

	time_format(since, state_since(key));
	time_format(until, key->revoked_s != 0 ? 0 : key->verifies_until_s);
	printf("%-24s %-6s %-8s %-21s %s", key->kid, key->alg, key->state, since, until);
	if (counts(key))
		printf("%*s %" PRId64, 21 - (int)strlen(until), "", key->minted);
	else if (strcmp(key->state, "active") == 0)
		printf("%*s ?", 21 - (int)strlen(until), "");
	fputs("\n", stdout);
}

/* What is due when, or what was and was not done. */
static void
put_event(const struct rjwt_status *s)
{
	char at[32], away[32];
	bool late = s->next_event_s != 0 && s->next_event_s < s->now_s;

	time_format(at, s->next_event_s);
	duration_format(away, s->next_event_s - s->now_s);
	printf("next      %s", s->next_event);
	if (late)
		printf(" was due %s (%s ago)", at, away);
	else if (s->next_event_s != 0)
		printf(" %s (in %s)", at, away);
	fputs("\n", stdout);
}

static void
put_notes(const struct rjwt_status *s)
{
	for (size_t i = 0; i < s->nnotes; i++)
		put_note(&s->notes[i]);
}

static void
put_config(const struct rjwt_status *s)
{
	printf("config    ");
	tool_put(s->config[0] == '\0' ? RJWT_CONFIG_FILE : s->config);
	puts(s->config[0] == '\0' ? " does not exist: every key has its default" : "");
}

static void
put_text(const struct rjwt_status *s)
{
	char now[32];

	time_format(now, s->now_s);
	if (s->nkeys == 0) { /* broken: the notes say how */
		put_notes(s);
		return;
	}
	printf("keyset    ");
	tool_put(s->dir);
	fputs("\n", stdout);
	put_config(s);
	printf("audience  ");
	tool_put(s->audience);
	printf("\nissuer    ");
	tool_put(s->issuer);
	printf("\nnow       %s\n", now);
	put_event(s);
	printf("\n%-24s %-6s %-8s %-21s %-21s %s\n", "KEY", "ALG", "STATE", "SINCE", "VERIFIES UNTIL", "TOKENS");
	for (size_t i = 0; i < s->nkeys; i++)
		put_key(&s->keys[i]);
	if (s->nnotes > 0)
		fputs("\n", stdout);
	put_notes(s);
}

static void
json_time(struct buf *out, const char *name, int64_t at_s)
{
	if (at_s != 0)
		json_put_integer(out, name, at_s);
}

static void
json_key(struct buf *out, const struct rjwt_key_info *key)
{
	json_open_element(out);
	json_put_string(out, "kid", view_of(key->kid));
	json_put_string(out, "alg", view_of(key->alg));
	json_put_string(out, "state", view_of(key->state));
	json_time(out, "published", key->published_s);
	json_time(out, "since", key->active_since_s);
	json_time(out, "retired", key->retired_s);
	json_time(out, "until", key->verifies_until_s);
	json_time(out, "revoked", key->revoked_s);
	if (counts(key))
		json_put_integer(out, "minted", key->minted);
	json_close(out);
}

static void
put_json(const struct rjwt_status *s)
{
	static const char *const levels[] = { "well", "attention", "broken", "broken" };
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };

	json_open(&out, NULL);
	json_put_string(&out, "state", view_of(levels[s->level]));
	json_put_text(&out, "config", view_of(s->config));
	json_put_text(&out, "state_dir", view_of(s->dir));
	json_put_string(&out, "issuer", view_of(s->issuer));
	json_put_string(&out, "audience", view_of(s->audience));
	json_put_integer(&out, "generation", (int64_t)s->generation);
	json_time(&out, "now", s->now_s);
	json_put_string(&out, "next_event", view_of(s->next_event));
	json_time(&out, "next_event_at", s->next_event_s);
	json_open_array(&out, "keys");
	for (size_t i = 0; i < s->nkeys; i++)
		json_key(&out, &s->keys[i]);
	json_close_array(&out);
	json_open_array(&out, "notes");
	for (size_t i = 0; i < s->nnotes; i++) {
		json_open_element(&out);
		json_put_string(&out, "level", view_of(levels[s->notes[i].level]));
		json_put_string(&out, "code", view_of(s->notes[i].code));
		json_put_text(&out, "path", view_of(s->notes[i].diag.path));
		json_time(&out, "line", s->notes[i].diag.line);
		json_time(&out, "column", s->notes[i].diag.column);
		json_put_text(&out, "text", view_of(s->notes[i].diag.text));
		json_close(&out);
	}
	json_close_array(&out);
	json_close(&out);
	printf("%s\n", out.p == NULL ? "" : out.p);
}

int
keyd_status(struct keyd *keyd)
{
	struct rjwt_status status;
	enum rjwt_err err = rjwt_status(&keyd->tool.options, &status);
	int level;

	if (err != RJWT_OK)
		return tool_fail(&keyd->tool, err, &(struct rjwt_diag){ 0 });
	if (keyd->json)
		put_json(&status);
	else
		put_text(&status);
	level = (int)status.level;
	rjwt_status_clear(&status);
	return level;
}
