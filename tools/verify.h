/* SPDX-License-Identifier: MIT */
/*
 * verify.h - the parts of rjwt-verify: the command line (verify_options.c), reading and verifying tokens
 * (rjwt-verify.c), printing verdicts (verify_print.c) and checks (verify_explain.c).
 */
#ifndef RJWT_VERIFY_TOOL_H
#define RJWT_VERIFY_TOOL_H

#include "tool.h"
#include "base/buf.h"
#include "base/string_list.h"

struct verify {
	struct tool tool;
	struct string_list audience;
	const char *user, *service;
	const char *source;   /* of --source; NULL: none */
	struct buf auth_info; /* the key of --key as sshd shows it; empty: none */
	const char *jwks;     /* the JWK Set's file, "-": standard input; NULL: the keyset */
	struct buf set;	      /* what was read of standard input */
	int64_t leeway_s, max_lifetime_s, at_s;
	bool jws, lines, explain, json;
	struct rjwt_check trace[RJWT_CHECKS_MAX]; /* of the last token */
};

extern const struct program verify_program;

/* Read the command line. -1: continue; otherwise the exit status. */
int verify_arguments(struct verify *v, int argc, char **argv);

/* --explain, below the verdict: the groups of checks. Needs the trace. */
void verify_explain(const struct verify *v, const struct rjwt_verdict *verdict);

/* The rest of the first line of --explain: "alice may use sshd for 4m12s more, once", or why not. */
void verify_sentence(const struct verify *v, const struct rjwt_verdict *verdict);

/* What to do about a token that was rejected; false: there is nothing to say. */
bool verify_fix(const struct verify *v, const struct rjwt_verdict *verdict, struct buf *out);

/* prefix: what precedes the verdict, with a colon; NULL: nothing. */
void
verify_print(const struct verify *v, const struct rjwt *handle, const char *prefix, const struct rjwt_verdict *verdict);

#endif
