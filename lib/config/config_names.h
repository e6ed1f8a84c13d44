/* SPDX-License-Identifier: MIT */
/*
 * config_names.h - used by config.c: the lists of a configuration, which grow as the file is read.
 */
#ifndef RJWT_CONFIG_NAMES_H
#define RJWT_CONFIG_NAMES_H

#include "base/err.h"
#include "config/config.h"

/* Copies its arguments. RJWT_MEMORY. */
RJWT_MUST enum rjwt_err service_add(struct config *config, const char *name, const char *scope);

/* Appends the rule, and takes it: it is zeros afterwards. RJWT_MEMORY. */
RJWT_MUST enum rjwt_err rule_add(struct config *config, struct issue_rule *rule);
void rule_clear(struct issue_rule *rule);

/* Whether it could be the name of a PAM service: a file in /etc/pam.d, in lower case as libpam looks for it. */
bool service_name_check(struct view name);

/* view; NULL: not configured. */
const struct service *service_find(const struct config *config, const char *name);

#endif
