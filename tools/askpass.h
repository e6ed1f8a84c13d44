/* SPDX-License-Identifier: MIT */
/* askpass.h - rjwt-askpass: where its token comes from. */
#ifndef RJWT_ASKPASS_H
#define RJWT_ASKPASS_H

#include "tool.h"

#include <errno.h>

/* Whether it has the form of a token. */
bool askpass_is_token(struct view text);

/*
 * The next token. EXIT_DONE, or EXIT_REFUSED after a message, which shows nothing of the file or of what the command
 * printed. token gives; buf_clear().
 *
 * From a file that only the user can read: the first line, which is removed unless it is the only one.
 */
int askpass_from_file(const struct tool *tool, const char *path, struct buf *token);

/* From what a command prints within ASKPASS_WAIT_S: one line. */
#define ASKPASS_WAIT_S 30
int askpass_from_command(const struct tool *tool, const char *command, const char *prompt, struct buf *token);

#endif
