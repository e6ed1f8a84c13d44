/* SPDX-License-Identifier: MIT */
/*
 * file_private.h - shared by file.c and file_write.c: the rule for owner and mode of a file.
 */
#ifndef RJWT_FILE_PRIVATE_H
#define RJWT_FILE_PRIVATE_H

#include "base/file.h"
#include "rjwt.h"

#define OPEN_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)

/* diag_fail() about an entry of a directory. */
enum rjwt_err
entry_fail(struct rjwt_diag *diag, enum rjwt_err err, const struct dir *dir, const char *name, const char *text);

/*
 * Root's new files get root's group, for in su they would get that of its caller. The modes give no group anything, so
 * that failing does not matter.
 */
void file_own_group(int fd);

/* Why a file or directory cannot be trusted (static); NULL: it can. above: a directory on the way to it. */
const char *file_unsafe(const struct stat *status, bool above);

#endif
