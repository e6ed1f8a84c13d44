/* SPDX-License-Identifier: MIT */
/*
 * config_value.h - used by config.c: the table of config.def, and parsing of one value.
 */
#ifndef RJWT_CONFIG_VALUE_H
#define RJWT_CONFIG_VALUE_H

#include "base/err.h"
#include "config/config.h"

enum config_kind {
	NAMES,
	PATH,
	ALG,
	COUNT,
	BASE,
	LABEL,
	DURATION,
	WORD,
	TEXT,
	SERVICES,
	CHOICE,
	BOOL,
	ISSUE,
	/* of a rule alone */
	WHO,
	USERS,
	SCOPES,
	HOSTS,
	REASON
};

#define KEYS_MAX 32

struct config_row {
	const char *name;
	enum config_kind kind;
	size_t offset; /* of the field in struct config, or in struct issue_rule */
	const char *initial;
	int64_t least, most;
	const char *help;
};

extern const struct config_row config_rows[];
extern const size_t config_nrows;
extern const struct config_row rule_rows[]; /* of rules.def */
extern const size_t rule_nrows;

/* A scalar of the file, and why it is rejected. */
struct config_value {
	const struct config_row *row;
	struct view text; /* NUL-terminated, without a NUL inside */
	bool plain;	  /* unquoted */
	char why[200];
};

/* Set the field of a scalar in a struct config or, if its row is a rule's, struct issue_rule. False: why has the message. */
bool config_value_set(struct config_value *value, void *object);

/* Whether an entry may be in a list of a rule. False: why has the message. */
bool config_value_check_entry(struct config_value *value);

/* Whether the value is text: an unquoted true, 12 or ~ is not. */
bool config_value_is_text(const struct config_value *value);

/* Whether token_type may have this value. */
bool config_check_typ(struct view typ);

/* Set why to key, value and what is wrong with the value. Always false. */
bool config_value_say(struct config_value *value, const char *wanted);

#endif
