/* SPDX-License-Identifier: MIT */
#include "config/config_rules.h"
#include "base/string_list.h"
#include "config/config_names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool
is_list(const struct config_row *row)
{
	return row->kind == WHO || row->kind == USERS || row->kind == SCOPES || row->kind == HOSTS;
}

/* What is not in the file has its default. */
static enum rjwt_err
set_default(const struct config_row *row, struct issue_rule *rule)
{
	struct config_value v = { .row = row,
		.text = view_of(row->initial),
		.plain = row->kind == BOOL || row->kind == COUNT };
	void *field = (char *)rule + row->offset;

	if (is_list(row))
		return string_list_add(field, row->initial);
	return config_value_set(&v, rule) ? RJWT_OK : RJWT_MEMORY;
}

enum rjwt_err
read_word(struct reader *r, const struct config_row *row, void *owner, const yaml_event_t *event)
{
	struct config_value v = config_value_of(row, event);
	void *field = (char *)owner + row->offset;
	struct string_list *list = field;

	if (config_value_check_entry(&v) && list->n == (size_t)row->most)
		config_say_full(&v);
	if (v.why[0] != '\0')
		return config_fail_at(r, event->start_mark, "%s", v.why);
	return string_list_add(list, v.text.p);
}

static enum rjwt_err
read_member(struct reader *r, const struct config_row *row, struct issue_rule *rule)
{
	RJWT_CLEAN(config_event_clean) yaml_event_t event = { 0 };
	struct config_value v;

	RJWT_TRY(config_next_event(r, &event));
	if (is_list(row))
		return config_read_list(r, row, rule, &event, read_word);
	if (event.type != YAML_SCALAR_EVENT)
		return config_fail_at(r, event.start_mark, "%s: expected one value, not a list", row->name);
	v = config_value_of(row, &event);
	return config_value_set(&v, rule) ? RJWT_OK : config_fail_at(r, event.start_mark, "%s", v.why);
}

static const struct config_row *
find_member(const yaml_event_t *event)
{
	for (size_t i = 0; i < rule_nrows; i++)
		if (strcmp((const char *)event->data.scalar.value, rule_rows[i].name) == 0)
			return &rule_rows[i];
	return NULL;
}

/* The members of one rule, until its mapping ends. found: a bit for each that is in the file. */
static enum rjwt_err
read_members(struct reader *r, struct issue_rule *rule, unsigned *found)
{
	for (;;) {
		RJWT_CLEAN(config_event_clean) yaml_event_t event = { 0 };
		const struct config_row *row;

		RJWT_TRY(config_next_event(r, &event));
		if (event.type == YAML_MAPPING_END_EVENT)
			return RJWT_OK;
		if (event.type != YAML_SCALAR_EVENT)
			return config_fail_at(r, event.start_mark, "issue: expected a member of a rule, such as who");
		row = find_member(&event);
		if (row == NULL)
			return config_fail_unknown(r, &event, "member of a rule", rule_rows, rule_nrows);
		if ((*found & 1U << (row - rule_rows)) != 0)
			return config_fail_at(r, event.start_mark, "%s: the rule has it twice", row->name);
		*found |= 1U << (row - rule_rows);
		RJWT_TRY(read_member(r, row, rule));
	}
}

static enum rjwt_err
read_rule(struct reader *r, struct issue_rule *rule, yaml_mark_t mark)
{
	unsigned found = 0;

	RJWT_TRY(read_members(r, rule, &found));
	for (size_t i = 0; i < rule_nrows; i++) {
		if ((found & 1U << i) != 0)
			continue;
		if (rule_rows[i].initial[0] == '\0')
			return config_fail_at(r, mark,
			    "issue: the rule has no %s (expected who, users, scopes and max_lifetime)",
			    rule_rows[i].name);
		RJWT_TRY(set_default(&rule_rows[i], rule));
	}
	rule->line = (unsigned)mark.line + 1;
	return RJWT_OK;
}

enum rjwt_err
config_rules_read(struct reader *r, const struct config_row *issue, const yaml_event_t *first)
{
	if (first->type != YAML_SEQUENCE_START_EVENT)
		return config_fail_at(r, first->start_mark, "issue: expected a list of rules");
	for (;;) {
		RJWT_CLEAN(config_event_clean) yaml_event_t event = { 0 };
		RJWT_CLEAN(rule_clear) struct issue_rule rule = { 0 };

		RJWT_TRY(config_next_event(r, &event));
		if (event.type == YAML_SEQUENCE_END_EVENT)
			return RJWT_OK;
		if (event.type != YAML_MAPPING_START_EVENT)
			return config_fail_at(r, event.start_mark,
			    "issue: expected a rule with who, users, scopes and max_lifetime");
		if (r->config->nrules == (size_t)issue->most)
			return config_fail_at(r, event.start_mark, "issue: one rule too many (at most %" PRId64 ")",
			    issue->most);
		RJWT_TRY(read_rule(r, &rule, event.start_mark));
		RJWT_TRY(rule_add(r->config, &rule));
	}
}
