/* SPDX-License-Identifier: MIT */
/*
 * file_write.h - files written whole or not at all, and durably. Nothing that verifies a token includes this.
 */
#ifndef RJWT_FILE_WRITE_H
#define RJWT_FILE_WRITE_H

#include "base/err.h"
#include "base/file.h"

/*
 * Replace a file as a whole: file_stage() makes the new file in the same folder, with its mode from the
 * start, and fsyncs it; file_publish() renames it, and fsyncs the folder. For one writer at a time.
 * mtime may be NULL. RJWT_IO.
 */
RJWT_MUST enum rjwt_err file_stage(const struct dir *dir, const char *name, unsigned mode, struct view text,
    const struct timespec *mtime, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err file_publish(const struct dir *dir, const char *name, struct rjwt_diag *diag);
/* Both, one after the other. */
RJWT_MUST enum rjwt_err file_write(const struct dir *dir, const char *name, unsigned mode, struct view text,
    const struct timespec *mtime, struct rjwt_diag *diag);

/* Make a file that must not be there, durably. RJWT_EXISTS, RJWT_IO; what it began, it removes. */
RJWT_MUST enum rjwt_err
file_create(const struct dir *dir, const char *name, unsigned mode, struct view text, struct rjwt_diag *diag);

/*
 * The same in two steps, for what must not be lost once it is known: file_reserve() makes the file with room
 * for so many bytes, file_fill() writes it, of any size. Who has nothing to write calls file_remove().
 * fd gives; close(2). RJWT_EXISTS, RJWT_IO; what failed is removed.
 */
RJWT_MUST enum rjwt_err
file_reserve(const struct dir *dir, const char *name, unsigned mode, size_t room, int *fd, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err
file_fill(const struct dir *dir, const char *name, int fd, struct view text, struct rjwt_diag *diag);

/*
 * Append in one write(2) to a file that must be there (make: that may be made, with mode 0600).
 * end: the file's offset after these very bytes, which numbers appends without a lock. RJWT_IO.
 */
enum { FILE_MAKE = 1, FILE_DURABLE = 2 };
RJWT_MUST enum rjwt_err file_append(const struct dir *dir, const char *name, struct view text, int flags, uint64_t *end,
    struct rjwt_diag *diag);

/* Remove a file; one that is not there is fine. The folder is not fsynced. */
RJWT_MUST enum rjwt_err file_remove(const struct dir *dir, const char *name, struct rjwt_diag *diag);

/* The temporary name that file_stage() uses begins with this; what a crash left is named so. */
#define FILE_TEMPORARY ".new."

#endif
