/* SPDX-License-Identifier: MIT */
/*
 * grant.h - the parts of rjwt-grant: the command line (grant_options.c), what is printed and logged (grant_tell.c), and the
 * program itself (grant.c). rjwt-grant.c has main() alone, so that tests can have one of their own.
 *
 * Whoever sudo lets run it chooses its arguments, environment, limits and descriptors, and it runs as root. It has no
 * option that names a file, a key or a claim, and says nothing of what it reads but the rules that are for its caller.
 */
#ifndef RJWT_GRANT_H
#define RJWT_GRANT_H

#include "issue.h"

struct grant {
	struct issue issue;
	struct rjwt_caller caller;
	struct rjwt_decision decision;
	bool rules; /* --rules */
};

extern const struct program grant_program;

/* The whole program. options has the configuration and the state directory: NULL, both, in rjwt-grant. */
int grant_run(const struct rjwt_options *options, int argc, char **argv);

/* Read the command line. -1: continue; otherwise the exit status. */
int grant_arguments(struct grant *g, int argc, char **argv);

/* --rules: what the caller may mint, on standard output; the exit status, EXIT_REFUSED if that is nothing. */
int grant_rules(const struct grant *g);

/* Log the refusal, and say on stderr what the caller may know of it. EXIT_REFUSED, or EXIT_WRONG_USE. */
int grant_refuse(const struct grant *g, enum rjwt_err err, const struct rjwt_diag *diag);

/* Two lines on stderr: the rule, who may use the token, until when. */
void grant_summarize(const struct grant *g, const struct rjwt_token *token);

#endif
