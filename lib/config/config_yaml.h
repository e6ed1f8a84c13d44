/* SPDX-License-Identifier: MIT */
/*
 * config_yaml.h - inside config.c: the text of rjwt.yaml, read by libyaml and by nothing else.
 */
#ifndef RJWT_CONFIG_YAML_H
#define RJWT_CONFIG_YAML_H

#include "base/err.h"
#include "config/config.h"
#include "config/config_value.h"

/* Where each key is in the file, by its number in config_rows; line 0: the file does not have it. */
struct config_places {
	unsigned line[KEYS_MAX], column[KEYS_MAX];
};

/* Read text into config, which has its defaults and its path. RJWT_CONFIG with the place, RJWT_MEMORY. */
RJWT_MUST enum rjwt_err
config_yaml_read(struct view text, struct config *config, struct config_places *places, struct rjwt_diag *diag);

#endif
