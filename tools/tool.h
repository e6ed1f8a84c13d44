/* SPDX-License-Identifier: MIT */
/*
 * tool.h - what the programs share: how they start and end, messages, the log. options.h has the command line.
 *
 * Messages are "rjwt-issue: what: why" on stderr, escaped; stdout carries data only. Exit status: 0
 * done, 1 rejected or failed, 2 usage error.
 */
#ifndef RJWT_TOOL_H
#define RJWT_TOOL_H

#include "base/json.h"
#include "rjwt.h"
#include "base/text.h"
#include "base/buf.h"
#include "base/err.h"

struct program;

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_WRONG_USE = 2 };

struct tool {
	const struct program *program;
	uint64_t line; /* of the input, which messages are about; 0: none */
	struct rjwt_options options;
};

/*
 * First thing in main(): standard descriptors open, no core dump, no ptrace by the caller, limits of
 * the caller's raised, its scheduling undone, a closed pipe an error and no signal, log opened.
 */
void tool_begin(struct tool *tool, const struct program *program);

/*
 * For programs that mint: the TPM that private_keys: tpm2 means, unless the environment names one, and none of its
 * library's messages on stderr. Also after the environment was cleared.
 */
void tool_choose_tpm(void);

/* "NAME: text" on stderr, one line, escaped. */
void tool_say(const struct tool *tool, const char *fmt, ...) RJWT_PRINTF(2, 3);
/* Says it with a hint at --help; EXIT_WRONG_USE. */
int tool_wrong(const struct tool *tool, const char *fmt, ...) RJWT_PRINTF(2, 3);
/*
 * Says what failed, where and why; EXIT_REFUSED, or EXIT_WRONG_USE for RJWT_USAGE and in a program whose EXIT_REFUSED
 * is a verdict.
 */
int tool_fail(const struct tool *tool, enum rjwt_err err, const struct rjwt_diag *diag);

/* Whether it failed because another user than root runs this. */
bool tool_denied(const struct rjwt_diag *diag);

/*
 * How far a long work has come: a line on a terminal, anew every second, which the next message takes away. Not where
 * standard output is a terminal too: there the work itself is seen.
 */
void tool_progress(const struct tool *tool, const char *fmt, ...) RJWT_PRINTF(2, 3);

/* Text from outside, escaped, on stdout. */
void tool_put(const char *text);

/* Everything that was printed, out; status, or that of tool_fail() when it did not get there. */
int tool_end(const struct tool *tool, int status);

/* To the log, if it can be written to; log_send() in log.h says whether it could. */
void tool_log(int priority, const struct buf *line);

#endif
