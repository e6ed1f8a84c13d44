/* SPDX-License-Identifier: MIT */
/*
 * config_reader.h - used by config_yaml.c and config_rules.c: the events of rjwt.yaml, and where they are.
 */
#ifndef RJWT_CONFIG_READER_H
#define RJWT_CONFIG_READER_H

#include "base/err.h"
#include "config/config.h"
#include "config/config_value.h"
#include "config/config_yaml.h"

#include <yaml.h>

struct reader {
	yaml_parser_t parser;
	struct view text; /* the whole file */
	struct config *config;
	struct rjwt_diag *diag;
	struct config_places *places;
};

/* RJWT_CONFIG, with this place of the file. */
enum rjwt_err config_fail_at(struct reader *r, yaml_mark_t mark, const char *fmt, ...) RJWT_PRINTF(3, 4);

/* A name that is in none of the rows; what: "key". */
RJWT_MUST enum rjwt_err config_fail_unknown(struct reader *r, const yaml_event_t *event, const char *what,
    const struct config_row *rows, size_t n);

/* The next event; anchors, aliases and tags are rejected. */
RJWT_MUST enum rjwt_err config_next_event(struct reader *r, yaml_event_t *event);
void config_event_clean(yaml_event_t *event);

/* A name, or a list of names: call item for each. owner: what has the row's field. */
typedef enum rjwt_err read_item(struct reader *r, const struct config_row *row, void *owner, const yaml_event_t *event);
read_item read_word; /* a string of the row's list, checked by its kind */
RJWT_MUST enum rjwt_err config_read_list(struct reader *r, const struct config_row *row, void *owner,
    const yaml_event_t *first, read_item *item);

/* The value of a scalar; text is a view of the event. */
struct config_value config_value_of(const struct config_row *row, const yaml_event_t *event);

/* value->why: the list of its row has no room for it. */
void config_say_full(struct config_value *value);

#endif
