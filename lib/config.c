/* SPDX-License-Identifier: MIT */
#include "config_value.h"

#include <yaml.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *scope;
} known_services[] = { { "sshd", "ssh" }, { "sudo-i", "sudo" },
	{ "su-l", "su" }, { "remote", "login" } };

/* --- lists ------------------------------------------------------------------------------------------------------- */

void
names_clear(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct names){ 0 };
}

static enum rjwt_err
names_add(struct names *names, const char *name)
{
	char **grown = reallocarray(names->list, names->n + 2, sizeof(*grown));

	if (grown == NULL)
		return RJWT_MEMORY;
	names->list = grown;
	grown[names->n] = strdup(name);
	if (grown[names->n] == NULL)
		return RJWT_MEMORY;
	grown[++names->n] = NULL;
	return RJWT_OK;
}

enum rjwt_err
names_set(struct names *names, const char *const *values)
{
	RJWT_CLEAN(names_clear) struct names made = { 0 };

	for (; *values != NULL; values++)
		RJWT_TRY(names_add(&made, *values));
	names_clear(names);
	*names = made;
	made = (struct names){ 0 };
	return RJWT_OK;
}

static struct service *
service_find(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->nservices; i++)
		if (strcmp(config->services[i].name, name) == 0)
			return &config->services[i];
	return NULL;
}

static enum rjwt_err
service_add(struct config *config, const char *name, const char *scope)
{
	struct service *grown =
	    reallocarray(config->services, config->nservices + 1, sizeof(*grown));
	struct service made;

	if (grown == NULL)
		return RJWT_MEMORY;
	config->services = grown;
	made = (struct service){ strdup(name), strdup(scope) };
	if (made.name == NULL || made.scope == NULL) {
		free(made.name);
		free(made.scope);
		return RJWT_MEMORY;
	}
	grown[config->nservices++] = made;
	return RJWT_OK;
}

const char *
config_scope(const struct config *config, const char *service)
{
	const struct service *found = service_find(config, service);

	if (found != NULL)
		return found->scope[0] == '\0' ? NULL : found->scope;
	for (size_t i = 0; i < sizeof(known_services) / sizeof(known_services[0]); i++)
		if (strcmp(known_services[i].name, service) == 0)
			return known_services[i].scope;
	return service;
}

/* --- the file --------------------------------------------------------------------------------------------------- */

#define KEYS_MAX 32

struct reader {
	yaml_parser_t parser;
	struct config *config;
	struct rjwt_diag *diag;
	unsigned line[KEYS_MAX], column[KEYS_MAX]; /* where a key stands; 0: it does not */
};

static enum rjwt_err
fail_at(struct reader *r, yaml_mark_t mark, const char *why)
{
	(void)diag_fail(r->diag, RJWT_CONFIG, r->config->path, "%s", why);
	if (r->diag != NULL) {
		r->diag->line = (unsigned)mark.line + 1;
		r->diag->column = (unsigned)mark.column + 1;
	}
	return RJWT_CONFIG;
}

static void
event_clean(yaml_event_t *event)
{
	yaml_event_delete(event);
}

/* The next event, without what has no place in a configuration. */
static enum rjwt_err
next_event(struct reader *r, yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (yaml_parser_parse(&r->parser, event) != 1) {
		if (r->parser.error == YAML_MEMORY_ERROR)
			return RJWT_MEMORY;
		return fail_at(r, r->parser.problem_mark,
		    r->parser.problem == NULL ? "no YAML" : r->parser.problem);
	}
	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		if (memchr(event->data.scalar.value, '\0', event->data.scalar.length) != NULL)
			return fail_at(r, event->start_mark, "a NUL is not accepted");
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (anchor != NULL || event->type == YAML_ALIAS_EVENT)
		return fail_at(r, event->start_mark, "anchors and aliases are not accepted");
	if (tag != NULL)
		return fail_at(r, event->start_mark, "tags are not accepted");
	return RJWT_OK;
}

static struct config_value
value_of(const struct config_row *row, const yaml_event_t *event)
{
	return (struct config_value){ .row = row,
		.text = { (const char *)event->data.scalar.value, event->data.scalar.length },
		.plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE };
}

static enum rjwt_err
read_name(struct reader *r, const struct config_row *row, const yaml_event_t *event)
{
	struct config_value v = value_of(row, event);
	struct names *names = (struct names *)(void *)((char *)r->config + row->offset);

	if (!config_value_is_text(&v))
		(void)config_value_say(&v, "text: write it between quotes");
	else if (!claims_name_check(v.text))
		(void)config_value_say(&v, "a name of 1 to 255 bytes without control characters");
	else if (names->n == (size_t)row->most)
		(void)config_value_say(&v, "accepted: the list is full");
	if (v.why[0] != '\0')
		return fail_at(r, event->start_mark, v.why);
	return names_add(names, v.text.p);
}

/* A name, or a list of names. */
static enum rjwt_err
read_names(struct reader *r, const struct config_row *row, const yaml_event_t *first)
{
	if (first->type == YAML_SCALAR_EVENT)
		return read_name(r, row, first);
	if (first->type != YAML_SEQUENCE_START_EVENT)
		return fail_at(r, first->start_mark, "a name or a list of names is wanted");
	for (size_t n = 0;; n++) {
		RJWT_CLEAN(event_clean) yaml_event_t event = { 0 };

		RJWT_TRY(next_event(r, &event));
		if (event.type == YAML_SEQUENCE_END_EVENT)
			return n > 0 ? RJWT_OK : fail_at(r, first->start_mark, "the list is empty");
		if (event.type != YAML_SCALAR_EVENT)
			return fail_at(r, event.start_mark, "a name is wanted");
		RJWT_TRY(read_name(r, row, &event));
	}
}

/* service: scope */
static enum rjwt_err
read_services(struct reader *r, const struct config_row *row, const yaml_event_t *first)
{
	if (first->type != YAML_MAPPING_START_EVENT)
		return fail_at(r, first->start_mark, "lines of the form service: scope are wanted");
	for (;;) {
		RJWT_CLEAN(event_clean) yaml_event_t name = { 0 };
		RJWT_CLEAN(event_clean) yaml_event_t scope = { 0 };
		struct config_value v;

		RJWT_TRY(next_event(r, &name));
		if (name.type == YAML_MAPPING_END_EVENT)
			return RJWT_OK;
		RJWT_TRY(next_event(r, &scope));
		if (name.type != YAML_SCALAR_EVENT || scope.type != YAML_SCALAR_EVENT)
			return fail_at(r, scope.start_mark, "service: scope is wanted");
		v = value_of(row, &name);
		if (!claims_name_check(v.text))
			(void)config_value_say(&v, "the name of a PAM service");
		else if (strpbrk(v.text.p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL)
			(void)config_value_say(&v, "in lower case, as PAM has the names of services");
		else if (service_find(r->config, v.text.p) != NULL)
			(void)config_value_say(&v, "to stand twice");
		else if (r->config->nservices == (size_t)row->most)
			(void)config_value_say(&v, "accepted: the list is full");
		if (v.why[0] != '\0')
			return fail_at(r, name.start_mark, v.why);
		v = value_of(row, &scope);
		if (!config_value_is_text(&v))
			(void)config_value_say(&v, "text: write it between quotes");
		else if (v.text.n > 0 && !claims_word_check(v.text))
			(void)config_value_say(&v, "a scope: 1 to 32 of A-Z a-z 0-9 . _ : / -, or \"\"");
		if (v.why[0] != '\0')
			return fail_at(r, scope.start_mark, v.why);
		RJWT_TRY(service_add(r->config, (const char *)name.data.scalar.value, v.text.p));
	}
}

static enum rjwt_err
read_issue(struct reader *r, const yaml_event_t *first)
{
	RJWT_CLEAN(event_clean) yaml_event_t event = { 0 };

	if (first->type == YAML_SEQUENCE_START_EVENT) {
		RJWT_TRY(next_event(r, &event));
		if (event.type == YAML_SEQUENCE_END_EVENT)
			return RJWT_OK;
	}
	return fail_at(r, first->start_mark,
	    "issue: rules are not known to this version, only [] is accepted");
}

static enum rjwt_err
read_value(struct reader *r, const struct config_row *row)
{
	RJWT_CLEAN(event_clean) yaml_event_t event = { 0 };
	struct config_value v;

	RJWT_TRY(next_event(r, &event));
	switch (row->kind) {
	case NAMES:
		return read_names(r, row, &event);
	case SERVICES:
		return read_services(r, row, &event);
	case ISSUE:
		return read_issue(r, &event);
	default:
		break;
	}
	if (event.type != YAML_SCALAR_EVENT) {
		char why[80];

		snprintf(why, sizeof(why), "%s takes one value, no list", row->name);
		return fail_at(r, event.start_mark, why);
	}
	v = value_of(row, &event);
	return config_value_set(&v, r->config) ? RJWT_OK : fail_at(r, event.start_mark, v.why);
}

static enum rjwt_err
unknown_key(struct reader *r, const yaml_event_t *event)
{
	struct view word = { (const char *)event->data.scalar.value, event->data.scalar.length };
	const char *names[KEYS_MAX + 1] = { NULL }, *near;
	char why[200];

	for (size_t i = 0; i < config_nrows && i < KEYS_MAX; i++)
		names[i] = config_rows[i].name;
	near = text_nearest(word, names);
	snprintf(why, sizeof(why), "unknown key \"%.60s\"%s%s%s", word.p,
	    near == NULL ? "" : "; do you mean ", near == NULL ? "" : near, near == NULL ? "" : "?");
	return fail_at(r, event->start_mark, why);
}

/* One key and its value; *end: the mapping's end came instead. */
static enum rjwt_err
read_entry(struct reader *r, bool *end)
{
	RJWT_CLEAN(event_clean) yaml_event_t event = { 0 };
	char why[80];

	RJWT_TRY(next_event(r, &event));
	*end = event.type == YAML_MAPPING_END_EVENT;
	if (*end)
		return RJWT_OK;
	if (event.type != YAML_SCALAR_EVENT)
		return fail_at(r, event.start_mark, "a key is wanted");
	for (size_t i = 0; i < config_nrows; i++) {
		if (strcmp((const char *)event.data.scalar.value, config_rows[i].name) != 0)
			continue;
		if (r->line[i] != 0) {
			snprintf(why, sizeof(why), "%s stands already in line %u", config_rows[i].name, r->line[i]);
			return fail_at(r, event.start_mark, why);
		}
		r->line[i] = (unsigned)event.start_mark.line + 1;
		r->column[i] = (unsigned)event.start_mark.column + 1;
		return read_value(r, &config_rows[i]);
	}
	return unknown_key(r, &event);
}

/* One event of this type, or other: *got tells which. */
static enum rjwt_err
expect(struct reader *r, yaml_event_type_t type, yaml_event_type_t other, const char *why,
    yaml_event_type_t *got)
{
	RJWT_CLEAN(event_clean) yaml_event_t event = { 0 };

	RJWT_TRY(next_event(r, &event));
	if (event.type != type && event.type != other)
		return fail_at(r, event.start_mark, why);
	*got = event.type;
	return RJWT_OK;
}

static enum rjwt_err
read_stream(struct reader *r)
{
	yaml_event_type_t got;
	bool end = false;

	RJWT_TRY(expect(r, YAML_STREAM_START_EVENT, YAML_STREAM_START_EVENT, "no YAML", &got));
	RJWT_TRY(expect(r, YAML_DOCUMENT_START_EVENT, YAML_STREAM_END_EVENT, "no YAML", &got));
	if (got == YAML_STREAM_END_EVENT)
		return RJWT_OK; /* nothing but comments */
	RJWT_TRY(expect(r, YAML_MAPPING_START_EVENT, YAML_MAPPING_START_EVENT,
	    "lines of the form key: value are wanted", &got));
	while (!end)
		RJWT_TRY(read_entry(r, &end));
	RJWT_TRY(expect(r, YAML_DOCUMENT_END_EVENT, YAML_DOCUMENT_END_EVENT, "no YAML", &got));
	return expect(r, YAML_STREAM_END_EVENT, YAML_STREAM_END_EVENT,
	    "a second document is not accepted", &got);
}

enum rjwt_err
config_check(const struct config *config, const char *const **keys, struct rjwt_diag *diag)
{
	static const char *const ttl[] = { "previous_key_ttl", "max_lifetime", "leeway", NULL };
	static const char *const lifetime[] = { "default_lifetime", "max_lifetime", NULL };
	static const char *const bits[] = { "rsa_bits", NULL };
	static const char *const claim[] = { "user_claim", NULL };
	const struct rotation_policy *p = &config->rotation;
	int64_t least = p->max_lifetime_s + p->leeway_s + keyset_slack_s(p);

	*keys = ttl;
	if (p->previous_key_ttl_s < least)
		return diag_fail(diag, RJWT_CONFIG, config->path,
		    "previous_key_ttl: %llds is less than max_lifetime + %s = %llds, so tokens would outlive "
		    "their key", (long long)p->previous_key_ttl_s, p->leeway_s > 0 ? "2 x leeway" : "1s",
		    (long long)least);
	*keys = lifetime;
	if (config->default_lifetime_s > p->max_lifetime_s)
		return diag_fail(diag, RJWT_CONFIG, config->path,
		    "default_lifetime: %llds is more than max_lifetime, %llds",
		    (long long)config->default_lifetime_s, (long long)p->max_lifetime_s);
	*keys = bits;
	if (p->rsa_bits % 8 != 0)
		return diag_fail(diag, RJWT_CONFIG, config->path, "rsa_bits: %u is no multiple of 8",
		    p->rsa_bits);
	*keys = claim;
	if (strcmp(config->user_claim, "sub") != 0 &&
	    claims_is_reserved(view_of(config->user_claim), "sub"))
		return diag_fail(diag, RJWT_CONFIG, config->path,
		    "user_claim: %s has a meaning of its own", config->user_claim);
	return RJWT_OK;
}

void
config_clear(struct config *config)
{
	names_clear(&config->issuer);
	names_clear(&config->audience);
	for (size_t i = 0; i < config->nservices; i++) {
		free(config->services[i].name);
		free(config->services[i].scope);
	}
	free(config->services);
	free(config->path);
	free(config->state_dir);
	free(config->base_kid);
	free(config->token_type);
	free(config->user_claim);
	free(config->user_suffix);
	*config = (struct config){ 0 };
}

/* The rows' own defaults, through the parser of the file. */
static enum rjwt_err
set_defaults(struct config *config)
{
	for (size_t i = 0; i < config_nrows; i++) {
		struct config_value v = { .row = &config_rows[i], .text = view_of(config_rows[i].initial) };

		v.plain = config_rows[i].kind == COUNT || config_rows[i].kind == BOOL;
		if (v.text.n == 0 && config_rows[i].kind != TEXT)
			continue;
		if (!config_value_set(&v, config))
			return RJWT_MEMORY;
	}
	return RJWT_OK;
}

static enum rjwt_err
read_file(const char *path, bool must_be, struct buf *text, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	const char *name;
	enum rjwt_err err = dir_of(path, &dir, &name, diag);

	if (err == RJWT_OK)
		err = file_read(&dir, name, CONFIG_FILE_MAX, text, NULL, diag);
	if (err == RJWT_IO && errno == ENOENT && !must_be)
		return RJWT_OK;
	return err == RJWT_MEMORY || err == RJWT_OK ? err : RJWT_CONFIG;
}

/* Of the keys that a rule is about, the first that stands in the file: a default broke no rule. */
static void
blame(struct reader *r, const char *const *keys)
{
	for (; *keys != NULL; keys++)
		for (size_t i = 0; i < config_nrows; i++)
			if (r->line[i] != 0 && strcmp(config_rows[i].name, *keys) == 0) {
				r->diag->line = r->line[i];
				r->diag->column = r->column[i];
				return;
			}
}

static enum rjwt_err
read_config(struct reader *r, struct view text)
{
	const char *const *keys;
	enum rjwt_err err;

	yaml_parser_set_input_string(&r->parser, (const unsigned char *)text.p, text.n);
	RJWT_TRY(read_stream(r));
	err = config_check(r->config, &keys, r->diag);
	if (err != RJWT_OK && r->diag != NULL)
		blame(r, keys);
	return err;
}

enum rjwt_err
config_load(const char *path, struct config *config, struct rjwt_diag *diag)
{
	RJWT_CLEAN(config_clear) struct config found = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct reader r = { .config = &found, .diag = diag };
	enum rjwt_err err;

	RJWT_TRY(set_defaults(&found));
	RJWT_TRY(read_file(path == NULL ? RJWT_CONFIG_FILE : path, path != NULL, &text, diag));
	if (text.p != NULL) {
		found.path = strdup(path == NULL ? RJWT_CONFIG_FILE : path);
		if (found.path == NULL || yaml_parser_initialize(&r.parser) != 1)
			return RJWT_MEMORY;
		err = read_config(&r, buf_view(&text));
		yaml_parser_delete(&r.parser);
		RJWT_TRY(err);
	}
	found.rotation.base = found.base_kid;
	*config = found;
	found = (struct config){ 0 };
	return RJWT_OK;
}
