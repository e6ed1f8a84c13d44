/* SPDX-License-Identifier: MIT */
/*
 * file_write.h - writes files whole or not at all, and durably. Nothing that verifies tokens includes this.
 */
#ifndef RJWT_FILE_WRITE_H
#define RJWT_FILE_WRITE_H

#include "base/err.h"
#include "base/file.h"

/*
 * Replace a file as a whole: file_stage() creates the new file in the same directory, with its mode from the
 * start, and fsyncs it; file_publish() renames it and fsyncs the directory. For one writer at a time.
 * mtime may be NULL. RJWT_IO.
 */
RJWT_MUST enum rjwt_err file_stage(const struct dir *dir, const char *name, unsigned mode, struct view text,
    const struct timespec *mtime, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err file_publish(const struct dir *dir, const char *name, struct rjwt_diag *diag);
/* Both steps in one call. */
RJWT_MUST enum rjwt_err file_write(const struct dir *dir, const char *name, unsigned mode, struct view text,
    const struct timespec *mtime, struct rjwt_diag *diag);

/* The same for a file that must not exist: whoever is first keeps it. RJWT_EXISTS. */
RJWT_MUST enum rjwt_err
file_write_first(const struct dir *dir, const char *name, unsigned mode, struct view text, struct rjwt_diag *diag);

/*
 * The same for many files at once: file_write_later() renames without waiting for the disk, and files_sync() makes all
 * that was written on the file system of dir durable. Until then a crash may leave such a file empty.
 */
RJWT_MUST enum rjwt_err file_write_later(const struct dir *dir, const char *name, unsigned mode, struct view text,
    const struct timespec *mtime, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err files_sync(const struct dir *dir, struct rjwt_diag *diag);

/* Create a file durably; it must not exist. RJWT_EXISTS, RJWT_IO; a partial file is removed. */
RJWT_MUST enum rjwt_err
file_create(const struct dir *dir, const char *name, unsigned mode, struct view text, struct rjwt_diag *diag);

/*
 * The same in two steps, for contents that must not be lost once they exist: file_reserve() creates the file with
 * room for that many bytes, file_fill() writes any number. If there is nothing to write, call file_remove().
 * fd gives; close(2). RJWT_EXISTS, RJWT_IO; after an error the file is removed.
 */
RJWT_MUST enum rjwt_err
file_reserve(const struct dir *dir, const char *name, unsigned mode, size_t room, int *fd, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err
file_fill(const struct dir *dir, const char *name, int fd, struct view text, struct rjwt_diag *diag);

/*
 * Append in one write(2) to a file that must exist (make: that is created, with mode 0600, if missing).
 * end: the offset in the file after these bytes, which numbers appends without a lock. RJWT_IO.
 */
enum { FILE_MAKE = 1, FILE_DURABLE = 2 };
RJWT_MUST enum rjwt_err file_append(const struct dir *dir, const char *name, struct view text, int flags, uint64_t *end,
    struct rjwt_diag *diag);

/* Remove a file; a missing one is fine. The directory is not fsynced. */
RJWT_MUST enum rjwt_err file_remove(const struct dir *dir, const char *name, struct rjwt_diag *diag);

/* file_stage() uses temporary names with this prefix; a crash may leave such a file. */
#define FILE_TEMPORARY ".new."

#endif
