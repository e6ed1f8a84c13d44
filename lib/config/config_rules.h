/* SPDX-License-Identifier: MIT */
/*
 * config_rules.h - used by config.c: the key issue, a list of rules. rules.def has the members of a rule.
 */
#ifndef RJWT_CONFIG_RULES_H
#define RJWT_CONFIG_RULES_H

#include "base/err.h"
#include "config/config_reader.h"

/* Read the value of the key, whose row is issue, and which begins with first. RJWT_CONFIG with its place, RJWT_MEMORY. */
RJWT_MUST enum rjwt_err config_rules_read(struct reader *r, const struct config_row *issue, const yaml_event_t *first);

#endif
