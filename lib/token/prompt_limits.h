/* SPDX-License-Identifier: MIT */
/*
 * prompt_limits.h - which replies reach the module whole: a table of PAM services, from measurements
 * with the programs of Debian 12: tests/limits/run.
 */
#ifndef RJWT_PROMPT_LIMITS_H
#define RJWT_PROMPT_LIMITS_H

#include "config/config.h"
#include "rjwt.h"

/* Of the services that require this scope, the one whose prompt takes least; see rjwt_prompt(). */
bool prompt_find(const struct config *config, const char *scope, struct rjwt_prompt *prompt);

#endif
