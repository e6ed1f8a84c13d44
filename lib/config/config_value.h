/* SPDX-License-Identifier: MIT */
/*
 * config_value.h - inside config.c: the table of config.def, and one value of it read from text.
 */
#ifndef RJWT_CONFIG_VALUE_H
#define RJWT_CONFIG_VALUE_H

#include "base/err.h"
#include "config/config.h"

enum config_kind { NAMES, PATH, ALG, COUNT, BASE, DURATION, WORD, TEXT, SERVICES, CHOICE, BOOL, ISSUE };

#define KEYS_MAX 32

struct config_row {
	const char *name;
	enum config_kind kind;
	size_t offset; /* of its field in struct config */
	const char *initial;
	int64_t least, most;
	const char *help;
};

extern const struct config_row config_rows[];
extern const size_t config_nrows;

/* A scalar of the file, and why it does not fit. */
struct config_value {
	const struct config_row *row;
	struct view text; /* NUL-terminated, and without a NUL inside */
	bool plain;	  /* unquoted */
	char why[200];
};

/* Set a scalar's field. false: why says why not. */
bool config_value_set(struct config_value *value, struct config *config);

/* YAML has types that we do not guess at: an unquoted true, 12 or ~ is no text. */
bool config_value_is_text(const struct config_value *value);

/* Whether token_type may have this value. */
bool config_check_typ(struct view typ);

/* Fill why, with the text itself and what was wanted of it; false. */
bool config_value_say(struct config_value *value, const char *wanted);

#endif
