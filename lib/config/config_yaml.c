/* SPDX-License-Identifier: MIT */
#include "config/config_yaml.h"
#include "base/string_list.h"
#include "base/text.h"
#include "config/config_names.h"
#include "config/config_reader.h"
#include "config/config_rules.h"
#include "jose/claims.h"
#include "rjwt.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum rjwt_err
config_fail_at(struct reader *r, yaml_mark_t mark, const char *fmt, ...)
{
	char why[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	(void)diag_fail(r->diag, RJWT_CONFIG, r->config->path, "%s", why);
	if (r->diag != NULL) {
		r->diag->line = (unsigned)mark.line + 1;
		r->diag->column = (unsigned)mark.column + 1;
	}
	return RJWT_CONFIG;
}

void
config_event_clean(yaml_event_t *event)
{
	yaml_event_delete(event);
}

/* Whether a byte continues a UTF-8 character. */
static bool
continues(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Whether a blank, or nothing, is at mark. libyaml counts characters, without the byte order mark. */
static bool
blank_at(const struct reader *r, yaml_mark_t mark)
{
	struct view rest = r->text;

	if (rest.n >= 3 && memcmp(rest.p, "\xef\xbb\xbf", 3) == 0)
		rest = (struct view){ rest.p + 3, rest.n - 3 };
	for (size_t i = 0; rest.n > 0 && (i < mark.index || continues(*rest.p)); rest.p++, rest.n--)
		i += !continues(*rest.p);
	return rest.n == 0 || strchr(" \t\r\n", *rest.p) != NULL;
}

/* A byte that is not text. libyaml reports its offset, but neither line nor column. */
static enum rjwt_err
fail_byte(struct reader *r)
{
	size_t at = r->parser.problem_offset;
	yaml_mark_t mark = { 0 };

	at = at < r->text.n ? at : r->text.n;
	for (size_t i = 0; i < at; i++) {
		mark.column += !continues(r->text.p[i]);
		if (r->text.p[i] == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return config_fail_at(r, mark, "not text: %s", r->parser.problem);
}

/* The message of libyaml, unless it mentions tokens, which mean something else here. */
static enum rjwt_err
fail_yaml(struct reader *r)
{
	yaml_mark_t mark = r->parser.problem_mark;

	if (r->parser.error == YAML_MEMORY_ERROR)
		return RJWT_MEMORY;
	if (r->parser.problem == NULL)
		return config_fail_at(r, mark, "not YAML");
	if (r->parser.error == YAML_READER_ERROR)
		return fail_byte(r);
	if (strstr(r->parser.problem, "token") == NULL)
		return config_fail_at(r, mark, "not YAML: %s", r->parser.problem);
	if (blank_at(r, mark))
		return config_fail_at(r, mark, "not YAML: a tab where only spaces are allowed");
	return config_fail_at(r, mark, "not YAML: this character cannot start a plain value; quote the value");
}

/* The next event; anchors, aliases and tags are rejected. */
enum rjwt_err
config_next_event(struct reader *r, yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (yaml_parser_parse(&r->parser, event) != 1)
		return fail_yaml(r);
	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		if (memchr(event->data.scalar.value, '\0', event->data.scalar.length) != NULL)
			return config_fail_at(r, event->start_mark, "a NUL is not accepted");
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (anchor != NULL || event->type == YAML_ALIAS_EVENT)
		return config_fail_at(r, event->start_mark, "anchors and aliases are not accepted");
	if (tag != NULL)
		return config_fail_at(r, event->start_mark, "tags are not accepted");
	return RJWT_OK;
}

struct config_value
config_value_of(const struct config_row *row, const yaml_event_t *event)
{
	return (struct config_value){ .row = row,
		.text = { (const char *)event->data.scalar.value, event->data.scalar.length },
		.plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE };
}

void
config_say_full(struct config_value *v)
{
	char text[64];

	snprintf(text, sizeof(text), "is one too many for this list (at most %" PRId64 ")", v->row->most);
	(void)config_value_say(v, text);
}

static enum rjwt_err
read_name(struct reader *r, const struct config_row *row, void *owner, const yaml_event_t *event)
{
	struct config_value v = config_value_of(row, event);
	void *field = (char *)owner + row->offset;
	struct string_list *names = field;

	if (!config_value_is_text(&v))
		(void)config_value_say(&v, "is not text; quote it");
	else if (!claims_name_check(v.text))
		(void)config_value_say(&v, "must be 1 to 255 bytes without control characters");
	else if (names->n == (size_t)row->most)
		config_say_full(&v);
	if (v.why[0] != '\0')
		return config_fail_at(r, event->start_mark, "%s", v.why);
	return string_list_add(names, v.text.p);
}

enum rjwt_err
config_read_list(struct reader *r, const struct config_row *row, void *owner, const yaml_event_t *first,
    read_item *item)
{
	if (first->type == YAML_SCALAR_EVENT)
		return item(r, row, owner, first);
	if (first->type != YAML_SEQUENCE_START_EVENT)
		return config_fail_at(r, first->start_mark, "%s: expected a name or a list of names", row->name);
	for (size_t n = 0;; n++) {
		RJWT_CLEAN(config_event_clean) yaml_event_t event = { 0 };

		RJWT_TRY(config_next_event(r, &event));
		if (event.type == YAML_SEQUENCE_END_EVENT)
			return n > 0 ? RJWT_OK
				     : config_fail_at(r, first->start_mark, "%s: the list is empty", row->name);
		if (event.type != YAML_SCALAR_EVENT)
			return config_fail_at(r, event.start_mark, "%s: expected a name", row->name);
		RJWT_TRY(item(r, row, owner, &event));
	}
}

/* service: scope */
static enum rjwt_err
read_services(struct reader *r, const struct config_row *row, const yaml_event_t *first)
{
	if (first->type != YAML_MAPPING_START_EVENT)
		return config_fail_at(r, first->start_mark, "%s: expected lines of the form service: scope", row->name);
	for (;;) {
		RJWT_CLEAN(config_event_clean) yaml_event_t name = { 0 };
		RJWT_CLEAN(config_event_clean) yaml_event_t scope = { 0 };
		struct config_value v;

		RJWT_TRY(config_next_event(r, &name));
		if (name.type == YAML_MAPPING_END_EVENT)
			return RJWT_OK;
		RJWT_TRY(config_next_event(r, &scope));
		if (name.type != YAML_SCALAR_EVENT || scope.type != YAML_SCALAR_EVENT)
			return config_fail_at(r, scope.start_mark, "%s: expected service: scope", row->name);
		v = config_value_of(row, &name);
		if (!service_name_check(v.text))
			(void)config_value_say(&v,
			    "not the name of a PAM service (expected a-z 0-9 . _ - + @ :, as in /etc/pam.d)");
		else if (service_find(r->config, v.text.p) != NULL)
			(void)config_value_say(&v, "is listed twice");
		else if (r->config->nservices == (size_t)row->most)
			config_say_full(&v);
		if (v.why[0] != '\0')
			return config_fail_at(r, name.start_mark, "%s", v.why);
		v = config_value_of(row, &scope);
		if (!config_value_is_text(&v))
			(void)config_value_say(&v, "is not text; quote it");
		else if (v.text.n > 0 && !claims_word_check(v.text))
			(void)config_value_say(&v, "is not a scope (1 to 32 of A-Z a-z 0-9 . _ : / -, or \"\")");
		if (v.why[0] != '\0')
			return config_fail_at(r, scope.start_mark, "%s", v.why);
		RJWT_TRY(service_add(r->config, (const char *)name.data.scalar.value, v.text.p));
	}
}

static enum rjwt_err
read_value(struct reader *r, const struct config_row *row)
{
	RJWT_CLEAN(config_event_clean) yaml_event_t event = { 0 };
	struct config_value v;

	RJWT_TRY(config_next_event(r, &event));
	switch (row->kind) {
	case NAMES:
		return config_read_list(r, row, r->config, &event, read_name);
	case SCOPES:
		return config_read_list(r, row, r->config, &event, read_word);
	case SERVICES:
		return read_services(r, row, &event);
	case ISSUE:
		return config_rules_read(r, row, &event);
	default:
		break;
	}
	if (event.type != YAML_SCALAR_EVENT)
		return config_fail_at(r, event.start_mark, "%s: expected one value, not a list", row->name);
	v = config_value_of(row, &event);
	return config_value_set(&v, r->config) ? RJWT_OK : config_fail_at(r, event.start_mark, "%s", v.why);
}

enum rjwt_err
config_fail_unknown(struct reader *r, const yaml_event_t *event, const char *what, const struct config_row *rows,
    size_t n)
{
	struct view word = { (const char *)event->data.scalar.value, event->data.scalar.length };
	const char *names[KEYS_MAX + 1] = { NULL }, *near;
	bool show = text_is_name(word);

	for (size_t i = 0; i < n; i++)
		names[i] = rows[i].name;
	near = text_nearest(word, names);
	return config_fail_at(r, event->start_mark, "unknown %s%s%s%s%s%s%s", what, show ? " \"" : "",
	    show ? word.p : "", show ? "\"" : "", near == NULL ? "" : "; did you mean ", near == NULL ? "" : near,
	    near == NULL ? "" : "?");
}

/* One key and its value; *end: the mapping ended instead. */
static enum rjwt_err
read_entry(struct reader *r, bool *end)
{
	RJWT_CLEAN(config_event_clean) yaml_event_t event = { 0 };

	RJWT_TRY(config_next_event(r, &event));
	*end = event.type == YAML_MAPPING_END_EVENT;
	if (*end)
		return RJWT_OK;
	if (event.type != YAML_SCALAR_EVENT)
		return config_fail_at(r, event.start_mark, "expected a key");
	for (size_t i = 0; i < config_nrows; i++) {
		if (strcmp((const char *)event.data.scalar.value, config_rows[i].name) != 0)
			continue;
		if (r->places->line[i] != 0)
			return config_fail_at(r, event.start_mark, "%s: duplicate key, first on line %u",
			    config_rows[i].name, r->places->line[i]);
		r->places->line[i] = (unsigned)event.start_mark.line + 1;
		r->places->column[i] = (unsigned)event.start_mark.column + 1;
		return read_value(r, &config_rows[i]);
	}
	return config_fail_unknown(r, &event, "key", config_rows, config_nrows);
}

/* One event of type or other; *got is its type. */
static enum rjwt_err
expect(struct reader *r, yaml_event_type_t type, yaml_event_type_t other, const char *why, yaml_event_type_t *got)
{
	RJWT_CLEAN(config_event_clean) yaml_event_t event = { 0 };

	RJWT_TRY(config_next_event(r, &event));
	if (event.type != type && event.type != other)
		return config_fail_at(r, event.start_mark, "%s", why);
	*got = event.type;
	return RJWT_OK;
}

static enum rjwt_err
read_stream(struct reader *r)
{
	yaml_event_type_t got;
	bool end = false;

	RJWT_TRY(expect(r, YAML_STREAM_START_EVENT, YAML_STREAM_START_EVENT, "not YAML", &got));
	RJWT_TRY(expect(r, YAML_DOCUMENT_START_EVENT, YAML_STREAM_END_EVENT, "not YAML", &got));
	if (got == YAML_STREAM_END_EVENT)
		return RJWT_OK; /* only comments */
	RJWT_TRY(expect(r, YAML_MAPPING_START_EVENT, YAML_MAPPING_START_EVENT, "expected lines of the form key: value",
	    &got));
	while (!end)
		RJWT_TRY(read_entry(r, &end));
	RJWT_TRY(expect(r, YAML_DOCUMENT_END_EVENT, YAML_DOCUMENT_END_EVENT, "not YAML", &got));
	return expect(r, YAML_STREAM_END_EVENT, YAML_STREAM_END_EVENT, "a second document is not accepted", &got);
}

enum rjwt_err
config_yaml_read(struct view text, struct config *config, struct config_places *places, struct rjwt_diag *diag)
{
	struct reader r = { .text = text, .config = config, .places = places, .diag = diag };
	enum rjwt_err err;

	if (yaml_parser_initialize(&r.parser) != 1)
		return RJWT_MEMORY;
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.n);
	err = read_stream(&r);
	yaml_parser_delete(&r.parser);
	return err;
}
