/* SPDX-License-Identifier: MIT */
#include "config/config_value.h"
#include "base/datetime.h"
#include "base/text.h"
#include "jose/alg.h"
#include "jose/claims.h"
#include "jose/jws.h"
#include "keyset/keyset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct config_row config_rows[] = {
#define KEY(name, kind, field, initial, least, most, help) \
	{ #name, kind, offsetof(struct config, field), initial, least, most, help },
#include "config/config.def"
#undef KEY
};

const struct config_row rule_rows[] = {
#define RULE(name, kind, field, initial, least, most, help) \
	{ #name, kind, offsetof(struct issue_rule, field), initial, least, most, help },
#include "config/rules.def"
#undef RULE
};

_Static_assert(ARRAY_LEN(rule_rows) <= KEYS_MAX, "a place for every member");
const size_t rule_nrows = ARRAY_LEN(rule_rows);

_Static_assert(ARRAY_LEN(config_rows) <= KEYS_MAX, "a place for every key");
const size_t config_nrows = ARRAY_LEN(config_rows);

const char *
config_key(size_t i, const char **initial, const char **help)
{
	if (i >= config_nrows)
		return NULL;
	*initial = config_rows[i].initial;
	*help = config_rows[i].help;
	return config_rows[i].name;
}

bool
config_value_say(struct config_value *v, const char *wanted)
{
	if (text_is_name(v->text))
		snprintf(v->why, sizeof(v->why), "%s: \"%s\" %s", v->row->name, v->text.p, wanted);
	else
		snprintf(v->why, sizeof(v->why), "%s: %s", v->row->name, wanted);
	return false;
}

static bool
say_range(struct config_value *v, const char *unit)
{
	char wanted[80];

	snprintf(wanted, sizeof(wanted), "must be %" PRId64 " to %" PRId64 "%s", v->row->least, v->row->most, unit);
	return config_value_say(v, wanted);
}

bool
config_value_is_text(const struct config_value *v)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off", "null", "~", "" };
	bool digits = v->text.n > 0;

	if (!v->plain)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(v->text.p, words[i]) == 0)
			return false;
	for (size_t i = 0; i < v->text.n; i++)
		digits = digits && strchr("0123456789.+-", v->text.p[i]) != NULL;
	return !digits;
}

/* "application/" may precede a type and is not a type itself; and what signs documents must not seem to sign tokens. */
static bool
is_no_token_type(const struct config_row *row, struct view text)
{
	static const struct view prefix = VIEW("application/");

	return row->offset == offsetof(struct config, token_type) &&
	       ((text.n == prefix.n && strncasecmp(text.p, prefix.p, prefix.n) == 0) || jws_typ_is_document(text));
}

static bool
fits(const struct config_row *row, struct view text)
{
	return !is_no_token_type(row, text) && text.n >= (size_t)row->least && text.n <= (size_t)row->most &&
	       (text.n == 0 || row->kind == PATH || claims_name_check(text));
}

bool
config_check_typ(struct view typ)
{
	for (size_t i = 0; i < config_nrows; i++)
		if (config_rows[i].offset == offsetof(struct config, token_type))
			return fits(&config_rows[i], typ);
	return false;
}

static bool
set_text(struct config_value *v, char **field)
{
	char *copy;

	if (!config_value_is_text(v))
		return config_value_say(v, "is not text; quote it");
	if (!fits(v->row, v->text))
		return say_range(v, " bytes without control characters");
	if (v->row->kind == PATH && v->text.p[0] != '/')
		return config_value_say(v, "is not an absolute path");
	if (v->row->kind == BASE && !keyset_base_check(v->text))
		return config_value_say(v, "must be 1 to 32 of A-Z a-z 0-9 _ -");
	if (v->row->kind == LABEL && !label_check(v->text))
		return config_value_say(v, "must be 1 to 32 of a-z 0-9 -, a letter first");
	copy = strdup(v->text.p);
	if (copy == NULL)
		return config_value_say(v, "cannot be stored: out of memory");
	free(*field);
	*field = copy;
	return true;
}

static bool
set_duration(struct config_value *v, int64_t *field)
{
	char least[32], most[32], wanted[80];
	int64_t seconds;

	if (duration_parse(v->text.p, &seconds) != RJWT_OK)
		return config_value_say(v, "is not a duration (such as 90s, 15m, 1h30m or 7d)");
	if (seconds >= v->row->least && seconds <= v->row->most) {
		*field = seconds;
		return true;
	}
	duration_format(least, v->row->least);
	duration_format(most, v->row->most);
	snprintf(wanted, sizeof(wanted), "must be %s to %s", least, most);
	return config_value_say(v, wanted);
}

static bool
set_count(struct config_value *v, void *field)
{
	int64_t number;

	if (!v->plain || number_parse(v->text, INT64_MAX / 2, &number) != RJWT_OK)
		return config_value_say(v, "is not a whole number (write it without quotes)");
	if (number < v->row->least || number > v->row->most)
		return say_range(v, "");
	if (strcmp(v->row->name, "rsa_bits") == 0)
		*(unsigned *)field = (unsigned)number;
	else
		*(int64_t *)field = number;
	return true;
}

static bool
set_alg(struct config_value *v, const struct alg **field)
{
	const struct alg *alg = alg_by_label(v->text);
	const char *near = alg == NULL ? text_nearest(v->text, alg_labels()) : NULL;
	char wanted[80];

	if (alg != NULL) {
		*field = alg;
		return true;
	}
	snprintf(wanted, sizeof(wanted), "is not a supported algorithm%s%s%s", near == NULL ? "" : "; did you mean ",
	    near == NULL ? "" : near, near == NULL ? "" : "?");
	return config_value_say(v, wanted);
}

/* One of two words. */
static bool
set_either(struct config_value *v, const char *no, const char *yes, bool quotable, bool *field)
{
	char wanted[80];

	if ((v->plain || quotable) && (view_is(v->text, no) || view_is(v->text, yes))) {
		*field = view_is(v->text, yes);
		return true;
	}
	snprintf(wanted, sizeof(wanted), "is not %s or %s", yes, no);
	return config_value_say(v, wanted);
}

/* A login name or the name of a group, as a rule has it: none of what sudoers(5) would understand and we do not. */
static bool
is_account(struct view name)
{
	if (!claims_name_check(name) || strchr("%!#+-@*", name.p[0]) != NULL)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (strchr(":,*/", name.p[i]) != NULL)
			return false;
	return true;
}

/* "*" is for all. self means something in users alone, so that nobody's name can be taken for it. */
static bool
is_subject(struct view name, bool users)
{
	if (view_is(name, "*"))
		return true;
	if (view_is(name, "self"))
		return users;
	if (name.n > 0 && name.n <= RJWT_NAME_MAX && name.p[0] == '%')
		return is_account((struct view){ name.p + 1, name.n - 1 });
	return is_account(name);
}

/* In a pattern a * is a whole label. */
static bool
is_host(struct view name)
{
	if (!claims_name_check(name))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == '*' && ((i > 0 && name.p[i - 1] != '.') || (i + 1 < name.n && name.p[i + 1] != '.')))
			return false;
	return true;
}

bool
config_value_check_entry(struct config_value *v)
{
	if (!config_value_is_text(v))
		return config_value_say(v, "is not text; quote it");
	switch (v->row->kind) {
	case WHO:
		return is_subject(v->text, false) || config_value_say(v, "expected a login name, %group or \"*\"");
	case USERS:
		return is_subject(v->text, true) || config_value_say(v, "expected a login name, %group, self or \"*\"");
	case SCOPES:
		return claims_word_check(v->text) ||
		       config_value_say(v, "is not a scope (1 to 32 of A-Z a-z 0-9 . _ : / -)");
	case HOSTS:
		return is_host(v->text) ||
		       config_value_say(v, "expected the name of a host, self, or a pattern such as \"*.lab\"");
	default:
		return config_value_say(v, "has the wrong type");
	}
}

bool
config_value_set(struct config_value *v, void *object)
{
	void *field = (char *)object + v->row->offset;

	switch (v->row->kind) {
	case PATH:
	case BASE:
	case LABEL:
	case WORD:
	case TEXT:
		return set_text(v, field);
	case ALG:
		return set_alg(v, field);
	case COUNT:
		return set_count(v, field);
	case DURATION:
		return set_duration(v, field);
	case CHOICE:
		if (strcmp(v->row->name, "private_keys") == 0)
			return set_either(v, "file", "tpm2", true, field);
		return set_either(v, "as_issued", "always", true, field);
	case BOOL:
		return set_either(v, "false", "true", false, field);
	case REASON:
		return set_either(v, "optional", "required", true, field);
	case NAMES:
	case SERVICES:
	case ISSUE:
	case WHO:
	case USERS:
	case SCOPES:
	case HOSTS:
		break;
	}
	return config_value_say(v, "has the wrong type");
}
