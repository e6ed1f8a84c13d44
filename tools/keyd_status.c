/* SPDX-License-Identifier: MIT */
/* rjwt-keyd status: is all well, which key signs, and what comes next? For people and for programs. */
#include "check.h"
#include "colour.h"
#include "keyd.h"
#include "status.h"
#include "base/datetime.h"
#include "base/json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SCOPES_MAX = 16 };

/* Tokens that can be used now. */
struct live {
	bool known;
	size_t n, nscopes;
	struct {
		char name[34];
		size_t n;
	} scopes[SCOPES_MAX]; /* the first ones */
	int64_t last_login_s; /* of those that were used and have not expired; 0: none */
};

struct report {
	const struct keyd *keyd;
	struct rjwt_status status;
	struct findings found;
	struct live live;
};

/* --- what there is --------------------------------------------------------------------------------- */

static void
count_scope(struct live *live, const char *name)
{
	for (size_t i = 0; i < live->nscopes; i++)
		if (strcmp(live->scopes[i].name, name) == 0) {
			live->scopes[i].n++;
			return;
		}
	if (live->nscopes == SCOPES_MAX)
		return;
	snprintf(live->scopes[live->nscopes].name, sizeof(live->scopes[0].name), "%s", name);
	live->scopes[live->nscopes++].n = 1;
}

static bool
count_token(void *context, const struct rjwt_issued *token)
{
	struct live *live = context;

	for (size_t i = 0; i < token->nuses; i++)
		live->last_login_s =
		    token->uses[i].at_s > live->last_login_s ? token->uses[i].at_s : live->last_login_s;
	live->n += token->live;
	for (size_t i = 0; token->live && token->scope != NULL && token->scope[i] != NULL; i++)
		count_scope(live, token->scope[i]);
	return true;
}

/* Only who may read the record of minted tokens knows. */
static void
count_tokens(struct report *r)
{
	struct rjwt *handle;

	if (rjwt_open(&r->keyd->tool.options, &handle, NULL) != RJWT_OK)
		return;
	r->live.known = rjwt_list(handle, count_token, &r->live, NULL) == RJWT_OK;
	rjwt_close(handle);
}

/* What the library says is a remark is no warning here: nothing needs attention for it. */
static void
find(struct report *r)
{
	check_take_notes(&r->found, &r->status);
	for (size_t i = 0; i < r->found.n && i < r->status.nnotes; i++)
		r->found.list[i].level = r->status.notes[i].level == RJWT_NOTE	      ? LEVEL_OK
					 : r->status.notes[i].level == RJWT_ATTENTION ? LEVEL_WARN
										      : LEVEL_FAIL;
}

static const struct rjwt_key_info *
key_of(const struct rjwt_status *s, const char *state)
{
	for (size_t i = 0; i < s->nkeys; i++)
		if (strcmp(s->keys[i].state, state) == 0)
			return &s->keys[i];
	return NULL;
}

/* Whether all that has to be written can be. */
static bool
is_writable(const struct report *r)
{
	for (size_t i = 0; i < r->found.n; i++)
		if (strcmp(r->found.list[i].area, "disk") == 0)
			return false;
	return r->status.nkeys > 0;
}

/* --- for people ------------------------------------------------------------------------------------- */

/* "vm: K.14 signs, K.15 takes over in 9h11m", or the worst that was found. */
static void
put_verdict(const struct report *r)
{
	const struct rjwt_status *s = &r->status;
	const struct rjwt_key_info *active = key_of(s, "active"), *next = key_of(s, "next");
	enum level level = findings_level(&r->found);
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	size_t counts[LEVELS];
	char away[32];

	level_put(&out, level, colour_wanted());
	buf_adds(&out, level == LEVEL_OK ? "    " : "  ");
	if (s->audience[0] != '\0')
		buf_addf(&text, "%s: ", s->audience);
	for (size_t i = 0; i < r->found.n && level != LEVEL_OK; i++)
		if (r->found.list[i].level == level) {
			finding_sentence(&text, &r->found.list[i]);
			findings_count(&r->found, counts);
			if (counts[level] > 1)
				buf_addf(&text, " (and %zu more)", counts[level] - 1);
			break;
		}
	if (level == LEVEL_OK && active != NULL)
		buf_addf(&text, "%s signs", active->kid);
	else if (level == LEVEL_OK)
		status_add_fleet(&text, s);
	duration_format(away, s->next_event_s - s->now_s);
	if (level == LEVEL_OK && next != NULL && strcmp(s->next_event, "rotation") == 0)
		buf_addf(&text, s->next_event_s < s->now_s ? ", %s should since %s" : ", %s takes over in %s",
		    next->kid, away);
	else if (level == LEVEL_OK && next != NULL)
		buf_addf(&text, ", %s is next", next->kid);
	text_escape(&out, buf_view(&text));
	puts(out.p == NULL ? "" : out.p);
}

/* Whether the time can be believed. What is not known is left out. */
static void
put_now(const struct rjwt_status *s)
{
	int synchronised = check_synchronised();
	char now[32], in_step[32];

	time_format(now, s->now_s);
	duration_format(in_step, s->in_step_s);
	printf("now      %s%s", now,
	    synchronised < 0	? ""
	    : synchronised == 0 ? ", clock not synchronised"
				: ", clock synchronised");
	printf(s->in_step_s > 0 ? ", in step for %s\n" : "\n", in_step);
}

/* What is due when, or what was and was not done. */
static void
put_event(const struct rjwt_status *s)
{
	char at[32], away[32];

	time_format(at, s->next_event_s);
	duration_format(away, s->next_event_s - s->now_s);
	if (s->next_event_s == 0)
		printf("next     none by time (rotate_every: 0)\n");
	else if (s->next_event_s < s->now_s)
		printf("next     %s was due %s ago, %s\n", s->next_event, away, at);
	else
		printf("next     %s in %s, %s\n", s->next_event, away, at);
}

static void
put_tokens(const struct report *r)
{
	const struct rjwt_key_info *active = key_of(&r->status, "active");

	printf("tokens   ");
	if (r->live.known)
		printf("%zu live", r->live.n);
	for (size_t i = 0; i < r->live.nscopes; i++) {
		printf("%s%zu ", i == 0 ? ": " : ", ", r->live.scopes[i].n);
		tool_put(r->live.scopes[i].name);
	}
	if (active != NULL && active->minted >= 0)
		printf("%s%" PRId64 " issued by %s", r->live.known ? "; " : "", active->minted, active->kid);
	else if (active != NULL)
		printf("%s? issued by %s", r->live.known ? "; " : "", active->kid);
	puts("");
}

static void
put_names(const struct rjwt_status *s)
{
	bool one = strcmp(s->issuer, s->audience) == 0;

	printf("names    issuer %s", one ? "and audience " : "");
	tool_put(s->issuer);
	if (!one) {
		printf(", audience ");
		tool_put(s->audience);
	}
	puts("");
}

static void
put_keyset(const struct report *r)
{
	printf("keyset   ");
	tool_put(r->status.dir);
	printf("%s; config ", is_writable(r) ? ", writable" : "");
	tool_put(r->status.config[0] == '\0' ? RJWT_CONFIG_FILE : r->status.config);
	puts(r->status.config[0] == '\0' ? " does not exist: every key has its default" : "");
}

static void
put_text(const struct report *r)
{
	const struct rjwt_status *s = &r->status;
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	char ago[32];

	put_verdict(r);
	if (r->keyd->quiet)
		return;
	if (s->nkeys > 0) {
		status_put_keys(s);
		put_now(s);
		put_event(s);
		put_tokens(r);
		duration_format(ago, s->now_s - r->live.last_login_s);
		if (r->live.last_login_s != 0)
			printf("login    last one-time login %s ago; rejections: journalctl -g rejected\n", ago);
		put_names(s);
		put_keyset(r);
	}
	status_put_fleet(s);
	for (size_t i = 0; i < r->found.n; i++)
		finding_put(&out, &r->found.list[i], colour_wanted());
	fputs(out.p == NULL ? "" : out.p, stdout);
}

/* --- for programs ------------------------------------------------------------------------------------ */

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
	if (strcmp(key->state, "active") == 0 && key->minted >= 0)
		json_put_integer(out, "minted", key->minted);
	json_close(out);
}

/* As version 0.1.0 has them. */
static const char *const states[] = { "well", "attention", "broken", "broken" };

static void
json_notes(struct buf *out, const struct rjwt_status *s)
{
	json_open_array(out, "notes");
	for (size_t i = 0; i < s->nnotes; i++) {
		json_open_element(out);
		json_put_string(out, "level", view_of(states[s->notes[i].level]));
		json_put_string(out, "code", view_of(s->notes[i].code));
		json_put_text(out, "path", view_of(s->notes[i].diag.path));
		json_time(out, "line", s->notes[i].diag.line);
		json_time(out, "column", s->notes[i].diag.column);
		json_put_text(out, "text", view_of(s->notes[i].diag.text));
		json_close(out);
	}
	json_close_array(out);
}

static void
json_tokens(struct buf *out, const struct report *r)
{
	const struct rjwt_key_info *active = key_of(&r->status, "active");

	json_open(out, "tokens");
	if (r->live.known) {
		json_open(out, "live");
		for (size_t i = 0; i < r->live.nscopes; i++)
			json_put_integer(out, r->live.scopes[i].name, (int64_t)r->live.scopes[i].n);
		json_close(out);
		json_put_integer(out, "count", (int64_t)r->live.n);
	}
	if (active != NULL && active->minted >= 0)
		json_put_integer(out, "issued", active->minted);
	json_close(out);
}

/* What is not known is absent. */
static void
json_clock(struct buf *out, const struct report *r)
{
	int synchronised = check_synchronised();
	bool suspect = false;

	for (size_t i = 0; i < r->status.nnotes; i++)
		suspect = suspect || strcmp(r->status.notes[i].code, "clock.suspect") == 0;
	json_open(out, "clock");
	if (synchronised >= 0)
		json_put_bool(out, "synchronised", synchronised == 1);
	json_put_bool(out, "suspect", suspect);
	json_time(out, "in_step_s", r->status.in_step_s);
	json_close(out);
}

static void
put_json(const struct report *r, struct buf *out)
{
	const struct rjwt_status *s = &r->status;

	json_open(out, NULL);
	json_put_integer(out, "schema", 1);
	json_put_string(out, "level", view_of(level_word(findings_level(&r->found))));
	json_put_string(out, "state", view_of(states[s->level]));
	json_put_text(out, "config", view_of(s->config));
	json_put_text(out, "state_dir", view_of(s->dir));
	json_put_bool(out, "writable", is_writable(r));
	json_put_string(out, "issuer", view_of(s->issuer));
	json_put_string(out, "audience", view_of(s->audience));
	json_put_integer(out, "generation", (int64_t)s->generation);
	json_time(out, "now", s->now_s);
	json_put_string(out, "next_event", view_of(s->next_event));
	json_time(out, "next_event_at", s->next_event_s);
	json_open_array(out, "keys");
	for (size_t i = 0; i < s->nkeys; i++)
		json_key(out, &s->keys[i]);
	json_close_array(out);
	json_tokens(out, r);
	json_time(out, "last_login_at", r->live.last_login_s);
	json_clock(out, r);
	status_json_fleet(out, s);
	json_open_array(out, "findings");
	for (size_t i = 0; i < r->found.n; i++)
		finding_json(out, &r->found.list[i]);
	json_close_array(out);
	json_notes(out, s);
	json_close(out);
}

int
keyd_status(struct keyd *keyd)
{
	static const int exits[LEVELS] = { 0, 1, 3 };
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	struct report r = { .keyd = keyd };
	enum rjwt_err err = rjwt_status(&keyd->tool.options, &r.status);
	int status;

	if (err != RJWT_OK)
		return tool_fail(&keyd->tool, err, &(struct rjwt_diag){ 0 });
	find(&r);
	count_tokens(&r);
	if (keyd->json)
		put_json(&r, &out);
	else
		put_text(&r);
	if (keyd->json && buf_done(&out) == RJWT_OK)
		puts(out.p);
	status = exits[findings_level(&r.found)];
	if (r.found.failed || buf_done(&out) != RJWT_OK)
		status = tool_fail(&keyd->tool, RJWT_MEMORY, &(struct rjwt_diag){ 0 });
	findings_clear(&r.found);
	rjwt_status_clear(&r.status);
	return status;
}
