/* SPDX-License-Identifier: MIT */
/*
 * file.h - files that nobody else could have written; writes that are whole or not there.
 *
 * One rule for every file and folder that rjwt trusts, and for every folder above: owned by root or
 * the effective user, not writable by group or others (a sticky folder above is fine), no symbolic
 * link. Only regular files are read; opening one never blocks. The refusal names path and reason.
 *
 * A struct dir is a folder that passed, held open; its path is for messages.
 */
#ifndef RJWT_FILE_H
#define RJWT_FILE_H

#include "buf.h"
#include "err.h"

#include <sys/stat.h>

struct dir {
	int fd;
	char *path;
};

#define DIR_NONE ((struct dir){ -1, NULL })

/*
 * Open a folder, walking every parent without following a link. A relative path counts from the
 * current folder. RJWT_IO (errno ENOENT: not there), RJWT_KEYSET (unsafe). dir gives; dir_close().
 */
RJWT_MUST enum rjwt_err dir_open(const char *path, struct dir *dir, struct rjwt_diag *diag);

/* Open a folder inside dir, under the same rule. */
RJWT_MUST enum rjwt_err dir_open_at(const struct dir *dir, const char *name, struct dir *sub,
    struct rjwt_diag *diag);

/*
 * Make a folder inside dir with exactly this mode; one that is there is fine, and gets it too: whoever
 * made it may have been killed under a stranger's umask. dir is fsynced.
 */
RJWT_MUST enum rjwt_err dir_make(const struct dir *dir, const char *name, unsigned mode,
    struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err dir_sync(const struct dir *dir, struct rjwt_diag *diag);
void dir_close(struct dir *dir);

/* Call each for every entry but "." and ".."; anything but RJWT_OK ends it and is returned. */
RJWT_MUST enum rjwt_err dir_each(const struct dir *dir,
    enum rjwt_err (*each)(void *context, const char *name), void *context, struct rjwt_diag *diag);

/*
 * Open the folder of path, which may be sticky, and give the last component; for files that are named by a
 * whole path.
 * name is a view into path. Errors as dir_open(); RJWT_USAGE for a path that ends with a slash.
 */
RJWT_MUST enum rjwt_err dir_of(const char *path, struct dir *dir, const char **name,
    struct rjwt_diag *diag);

/*
 * Read a whole file of at most max bytes. text gives; buf_clear(). status may be NULL; it is of the
 * descriptor that was read. RJWT_IO (errno ENOENT: not there), RJWT_KEYSET (unsafe, too large, no
 * regular file). On error errno is kept.
 */
RJWT_MUST enum rjwt_err file_read(const struct dir *dir, const char *name, size_t max,
    struct buf *text, struct stat *status, struct rjwt_diag *diag);

/*
 * Replace a file as a whole: file_stage() makes the new file in the same folder, with its mode from the
 * start, and fsyncs it; file_publish() renames it, and fsyncs the folder. For one writer at a time.
 * mtime may be NULL. RJWT_IO.
 */
RJWT_MUST enum rjwt_err file_stage(const struct dir *dir, const char *name, unsigned mode,
    struct view text, const struct timespec *mtime, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err file_publish(const struct dir *dir, const char *name,
    struct rjwt_diag *diag);
/* Both, one after the other. */
RJWT_MUST enum rjwt_err file_write(const struct dir *dir, const char *name, unsigned mode,
    struct view text, const struct timespec *mtime, struct rjwt_diag *diag);

/* Make a file that must not be there, durably. RJWT_EXISTS, RJWT_IO; what it began, it removes. */
RJWT_MUST enum rjwt_err file_create(const struct dir *dir, const char *name, unsigned mode,
    struct view text, struct rjwt_diag *diag);

/*
 * The same in two steps, for what must not be lost once it is known: file_reserve() makes the file with room
 * for so many bytes, file_fill() writes it, of any size. Who has nothing to write calls file_remove().
 * fd gives; close(2). RJWT_EXISTS, RJWT_IO; what failed is removed.
 */
RJWT_MUST enum rjwt_err file_reserve(const struct dir *dir, const char *name, unsigned mode,
    size_t room, int *fd, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err file_fill(const struct dir *dir, const char *name, int fd,
    struct view text, struct rjwt_diag *diag);

/*
 * Append in one write(2) to a file that must be there (make: that may be made, with mode 0600).
 * end: the file's offset after these very bytes, which numbers appends without a lock. RJWT_IO.
 */
enum { FILE_MAKE = 1, FILE_DURABLE = 2 };
RJWT_MUST enum rjwt_err file_append(const struct dir *dir, const char *name, struct view text,
    int flags, uint64_t *end, struct rjwt_diag *diag);

/* Remove a file; one that is not there is fine. The folder is not fsynced. */
RJWT_MUST enum rjwt_err file_remove(const struct dir *dir, const char *name,
    struct rjwt_diag *diag);

/* The temporary name that file_stage() uses begins with this; what a crash left is named so. */
#define FILE_TEMPORARY ".new."

#endif
