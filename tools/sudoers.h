/* SPDX-License-Identifier: MIT */
/*
 * sudoers.h - the lines of sudoers(5), with those of the files that it includes, as sudo reads them.
 */
#ifndef RJWT_SUDOERS_H
#define RJWT_SUDOERS_H

#include "base/err.h"

/* A line, without its comment, and with those that continue it; begins with no blank, is not empty, and may be changed. */
typedef void (*sudoers_take)(void *context, const char *path, unsigned line, char *text);

/* unread: the first file that could not be read, and why; "": all of them were. */
void sudoers_read(const char *path, sudoers_take take, void *context, char unread[static 512]);

/* The next part of a list, which a comma ends that is neither quoted nor behind a backslash; NULL: there is none. */
char *sudoers_item(char **list);

#endif
