/* SPDX-License-Identifier: MIT */
/*
 * rjwt-issue --batch: a JSON object a line becomes a token a line. Lines that are here at once are minted
 * together, so that they share the syncs; memory does not grow with their number.
 */
#include "issue.h"
#include "lines.h"
#include "base/datetime.h"
#include "base/json_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 64

/* One line on its way; request points into the rest. */
struct entry {
	uint64_t line;
	enum rjwt_err err; /* of its reading; diag says why */
	struct rjwt_diag diag;
	struct rjwt_request request;
	struct json json;
	struct string_list audience, scope, from;
	struct public_key bind;
	struct buf words, claims, header;
	int64_t lifetime_s;
};

struct batch {
	struct issue *is;
	struct entry entries[BLOCK];
	struct rjwt_request requests[BLOCK];
	struct rjwt_minted minted[BLOCK]; /* of the entries that could be read */
	size_t n, nminted;
	struct buf out;
	uint64_t refused, done;
};

static void
entry_clear(struct entry *e)
{
	json_clear(&e->json);
	string_list_clear(&e->audience);
	string_list_clear(&e->scope);
	string_list_clear(&e->from);
	public_key_clear(&e->bind);
	buf_clear(&e->words);
	buf_clear(&e->claims);
	buf_clear(&e->header);
	*e = (struct entry){ 0 };
}

/* --- a line becomes a request ----------------------------------------------------------------- */

static enum rjwt_err
bad(struct entry *e, const char *name, const char *expected)
{
	return diag_fail(&e->diag, RJWT_MALFORMED, "", "%s: expected %s", name, expected);
}

/* A string that overrides an option. */
static enum rjwt_err
read_text(struct entry *e, const char *name, const char **value)
{
	struct view text;

	switch (json_string(e->json, name, &text)) {
	case JSON_WRONG:
		return bad(e, name, "a string");
	case JSON_GOOD:
		*value = text.p;
		break;
	case JSON_ABSENT:
		break;
	}
	return RJWT_OK;
}

static enum rjwt_err
read_list(struct entry *e, const char *name, struct string_list *words, const char *const **value)
{
	size_t count = 0;

	switch (json_strings(e->json, name, &count)) {
	case JSON_WRONG:
		return bad(e, name, "a string, or an array of strings");
	case JSON_ABSENT:
		return RJWT_OK;
	case JSON_GOOD:
		break;
	}
	for (size_t i = 0; i < count; i++)
		RJWT_TRY(string_list_add(words, json_string_at(e->json, name, i).p));
	*value = string_list_view(words);
	return RJWT_OK;
}

/* As a claim has it, words with a space between them, or an array of them. */
static enum rjwt_err
read_scope(struct entry *e)
{
	struct view text;
	char *space;

	if (json_string(e->json, "scope", &text) != JSON_GOOD)
		return read_list(e, "scope", &e->scope, &e->request.scope);
	buf_add_view(&e->words, text);
	RJWT_TRY(buf_done(&e->words));
	for (char *word = e->words.p; word != NULL; word = space == NULL ? NULL : space + 1) {
		space = strchr(word, ' ');
		if (space != NULL)
			*space = '\0';
		RJWT_TRY(string_list_add(&e->scope, word));
	}
	e->request.scope = string_list_view(&e->scope);
	return RJWT_OK;
}

/* The text of a .pub file. */
static enum rjwt_err
read_bind_key(struct entry *e)
{
	const char *text = NULL, *why;

	RJWT_TRY(read_text(e, "bind_key", &text));
	if (text == NULL)
		return RJWT_OK;
	why = public_key_parse(view_of(text), &e->bind);
	if (why != NULL)
		return diag_fail(&e->diag, RJWT_BINDING, "", "bind_key: %s", why);
	e->request.bind_key = e->bind.fingerprint;
	return RJWT_OK;
}

/* Seconds, or a text as the option takes it. */
static enum rjwt_err
read_times(struct entry *e)
{
	struct view text;
	enum json_has has = json_integer(e->json, "lifetime", &e->lifetime_s);

	if (has == JSON_WRONG &&
	    (json_string(e->json, "lifetime", &text) != JSON_GOOD || duration_parse(text.p, &e->lifetime_s) != RJWT_OK))
		return bad(e, "lifetime", "a number of seconds, or a duration like \"90s\" or \"15m\"");
	if (has != JSON_ABSENT)
		e->request.lifetime_s = &e->lifetime_s;
	has = json_integer(e->json, "nbf", &e->request.not_before_s);
	if (has == JSON_WRONG && (json_string(e->json, "nbf", &text) != JSON_GOOD ||
				     time_parse(text.p, time(NULL), &e->request.not_before_s) != RJWT_OK))
		return bad(e, "nbf", "seconds since the epoch, or an RFC 3339 time, or \"+10m\"");
	return RJWT_OK;
}

/* An object whose members come after those of the option. */
static enum rjwt_err
read_object(struct entry *e, struct view line, const char *name, struct buf *object, const char **value)
{
	struct view text;
	struct json ignored;

	switch (json_member(e->json, name, &ignored)) {
	case JSON_WRONG:
		return bad(e, name, "an object");
	case JSON_ABSENT:
		return RJWT_OK;
	case JSON_GOOD:
		break;
	}
	if (!json_raw(line, name, &text))
		return RJWT_INTERNAL;
	json_open(object, NULL);
	if (*value != NULL)
		json_put_members(object, view_of(*value));
	json_put_members(object, text);
	json_close(object);
	*value = object->p;
	return buf_done(object);
}

static enum rjwt_err
know_name(void *context, struct view name)
{
	static const char *const known[] = { "sub", "aud", "scope", "lifetime", "nbf", "iss", "reusable", "uses",
		"reason", "claims", "header", "bind_key", "from", "actor" };
	struct entry *e = context;

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (view_is(name, known[i]))
			return RJWT_OK;
	return diag_fail(&e->diag, RJWT_MALFORMED, "",
	    "%.*s: unknown member (expected sub, aud, scope, lifetime, nbf, iss, reusable, uses, reason, bind_key, "
	    "from, actor, claims or header)",
	    (int)(name.n > 100 ? 100 : name.n), name.p);
}

static enum rjwt_err
read_entry(struct entry *e, struct view line)
{
	RJWT_TRY(json_parse(line, &e->json, &e->diag));
	RJWT_TRY(json_names(e->json, know_name, e));
	RJWT_TRY(read_text(e, "sub", &e->request.user));
	RJWT_TRY(read_text(e, "iss", &e->request.issuer));
	RJWT_TRY(read_text(e, "actor", &e->request.actor));
	RJWT_TRY(read_text(e, "reason", &e->request.why));
	if (e->request.why != NULL && strlen(e->request.why) > REASON_MAX)
		return diag_fail(&e->diag, RJWT_TOO_LONG, "", "reason: longer than %d bytes", REASON_MAX);
	RJWT_TRY(read_list(e, "aud", &e->audience, &e->request.audience));
	RJWT_TRY(read_list(e, "from", &e->from, &e->request.from));
	RJWT_TRY(read_bind_key(e));
	RJWT_TRY(read_scope(e));
	RJWT_TRY(read_times(e));
	if (json_boolean(e->json, "reusable", &e->request.reusable) == JSON_WRONG)
		return bad(e, "reusable", "true or false");
	if (json_integer(e->json, "uses", &e->request.uses) == JSON_WRONG ||
	    (e->request.uses != 0 && (e->request.uses < 2 || e->request.uses > RJWT_USES_MAX)))
		return bad(e, "uses", "a number from 2 to 100");
	RJWT_TRY(read_object(e, line, "claims", &e->claims, &e->request.claims));
	return read_object(e, line, "header", &e->header, &e->request.header);
}

/* --- a block of them -------------------------------------------------------------------------- */

/* The next lines: one is waited for, and those that came with it. False: that was all. */
static bool
read_block(struct batch *b, struct lines *lines, enum lines_state *state)
{
	b->n = 0;
	do {
		struct entry *e = &b->entries[b->n];
		struct view line;

		*state = lines_next(lines, &line);
		if (*state == LINES_END || *state == LINES_FAILED)
			return false;
		*e = (struct entry){ .line = lines->number, .request = b->is->request };
		if (*state == LINES_LONG)
			e->err =
			    diag_fail(&e->diag, RJWT_TOO_LONG, "", "the line is longer than %zu bytes", lines->max);
		else
			e->err = read_entry(e, line);
		b->n++;
	} while (b->n < BLOCK && lines_ready(lines));
	return true;
}

/* Mint what could be read. */
static void
mint_block(struct batch *b)
{
	size_t n = 0;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = issue_check_log(b->is, &diag);

	for (size_t i = 0; err != RJWT_OK && i < b->n; i++)
		if (b->entries[i].err == RJWT_OK) {
			b->entries[i].err = err;
			b->entries[i].diag = diag;
		}
	for (size_t i = 0; i < b->n; i++)
		if (b->entries[i].err == RJWT_OK)
			b->requests[n++] = b->entries[i].request;
	if (n > 0)
		(void)rjwt_mint_batch(b->is->handle, b->requests, n, b->minted);
	b->nminted = n;
}

/* A refused line leaves an empty one, or with --json the reason: the n-th answer belongs to the n-th line. */
static enum rjwt_err
put_refused(struct batch *b, enum rjwt_err err, const struct rjwt_diag *diag)
{
	if (b->is->json) {
		json_open(&b->out, NULL);
		json_put_string(&b->out, "refused", view_of(rjwt_reason(err)));
		json_put_text(&b->out, "text", view_of(diag->text[0] == '\0' ? rjwt_strerror(err) : diag->text));
		json_close(&b->out);
	}
	buf_adds(&b->out, "\n");
	return buf_done(&b->out);
}

static enum rjwt_err
put_token(struct batch *b, const struct rjwt_token *token)
{
	RJWT_CLEAN(buf_clear) struct buf object = { 0 };

	if (b->is->json) {
		RJWT_TRY(issue_json(b->is, token, &object));
		buf_add_view(&b->out, buf_view(&object));
	} else {
		buf_add(&b->out, token->text, token->len);
		buf_adds(&b->out, "\n");
	}
	return buf_done(&b->out);
}

static enum rjwt_err
refuse(struct batch *b, enum rjwt_err err, const struct rjwt_diag *diag)
{
	b->refused++;
	(void)tool_fail(&b->is->tool, err, diag);
	return put_refused(b, err, diag);
}

static enum rjwt_err
tell_token(struct batch *b, const struct entry *e, const struct rjwt_token *token)
{
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = issue_tell(b->is, &e->request, token, &diag);

	if (err != RJWT_OK)
		return refuse(b, err, &diag);
	b->done++;
	return put_token(b, token);
}

/* What became of each, on stderr and in the log before any of it is on standard output. */
static enum rjwt_err
tell_block(struct batch *b)
{
	const struct rjwt_minted *m = b->minted;
	enum rjwt_err err = RJWT_OK;

	for (const struct entry *e = b->entries; e < b->entries + b->n; e++) {
		enum rjwt_err put;

		b->is->tool.line = e->line;
		if (e->err != RJWT_OK) {
			put = refuse(b, e->err, &e->diag);
		} else if (m->err != RJWT_OK) {
			issue_log_refused(b->is, &e->request, NULL, m->err, &m->diag);
			put = refuse(b, m->err, &m->diag);
		} else {
			put = tell_token(b, e, &m->token);
		}
		m += e->err == RJWT_OK;
		err = put != RJWT_OK ? put : err;
	}
	b->is->tool.line = 0;
	return err;
}

/* Where a part of a token came to stand at the end of a file, take it away: whole lines, or none. */
static void
take_back(const char *text, size_t put)
{
	const char *end = put == 0 ? NULL : memrchr(text, '\n', put);
	size_t half = put - (end == NULL ? 0 : (size_t)(end + 1 - text));
	off_t at = lseek(STDOUT_FILENO, 0, SEEK_CUR);
	struct stat status;

	if (half > 0 && at >= (off_t)half && fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode) &&
	    status.st_size == at)
		(void)!ftruncate(STDOUT_FILENO, at - (off_t)half);
}

/* The input line of the first answer that is not whole among so many bytes. */
static uint64_t
first_lost(const struct batch *b, size_t put)
{
	size_t i = 0;

	for (size_t at = 0; at < put; at++)
		i += b->out.p[at] == '\n';
	return b->entries[i].line;
}

static bool
write_block(struct batch *b)
{
	size_t put = 0;

	while (put < b->out.n) {
		ssize_t n = write(STDOUT_FILENO, b->out.p + put, b->out.n - put);
		int error = errno;

		if (n < 0 && error == EINTR)
			continue;
		if (n < 0) {
			take_back(b->out.p, put);
			tool_say(&b->is->tool, "standard output: %s: the tokens from line %" PRIu64 " on are lost",
			    strerrordesc_np(error), first_lost(b, put));
			return false;
		}
		put += (size_t)n;
	}
	return true;
}

static void
clear_block(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		entry_clear(&b->entries[i]);
	for (size_t i = 0; i < b->nminted; i++)
		rjwt_token_clear(&b->minted[i].token);
	buf_clear(&b->out);
	b->n = b->nminted = 0;
}

static int
issue_lines(struct batch *b)
{
	RJWT_CLEAN(lines_clear) struct lines lines = { .fd = STDIN_FILENO, .max = RJWT_TOKEN_MAX };
	enum lines_state state;
	enum rjwt_err err = RJWT_OK;
	bool written = true;

	while (err == RJWT_OK && written && read_block(b, &lines, &state)) {
		mint_block(b);
		err = tell_block(b);
		if (err == RJWT_OK)
			written = write_block(b);
		clear_block(b);
		tool_progress(&b->is->tool, "%" PRIu64 " tokens minted", b->done);
	}
	if (err != RJWT_OK)
		return tool_fail(&b->is->tool, err, &(struct rjwt_diag){ 0 });
	if (written && state == LINES_FAILED)
		tool_say(&b->is->tool, "standard input: %s", strerrordesc_np(errno));
	if (isatty(STDERR_FILENO))
		tool_say(&b->is->tool, "%" PRIu64 " tokens minted, %" PRIu64 " lines rejected", b->done, b->refused);
	return written && state == LINES_END && b->refused == 0 ? EXIT_DONE : EXIT_REFUSED;
}

int
issue_batch(struct issue *is)
{
	RJWT_CLEAN(free_clean) struct batch *b = calloc(1, sizeof(*b));
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = b == NULL ? RJWT_MEMORY : rjwt_open(&is->tool.options, &is->handle, &diag);

	if (err != RJWT_OK)
		return tool_fail(&is->tool, err, &diag);
	issue_name_caller(is);
	if (is->request.bind_key != NULL)
		issue_warn_sshd(is);
	b->is = is;
	return issue_lines(b);
}
