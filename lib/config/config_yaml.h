/* SPDX-License-Identifier: MIT */
/*
 * config_yaml.h - used by config.c: parses the text of rjwt.yaml with libyaml.
 */
#ifndef RJWT_CONFIG_YAML_H
#define RJWT_CONFIG_YAML_H

#include "base/err.h"
#include "config/config.h"
#include "config/config_value.h"

/* Line and column of each key, by its number in config_rows; line 0: not in the file. */
struct config_places {
	unsigned line[KEYS_MAX], column[KEYS_MAX];
};

/* Read text into config, which has its defaults and path already. RJWT_CONFIG with line and column, RJWT_MEMORY. */
RJWT_MUST enum rjwt_err
config_yaml_read(struct view text, struct config *config, struct config_places *places, struct rjwt_diag *diag);

#endif
