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

#include "base/buf.h"
#include "base/err.h"

#include <sys/stat.h>

struct dir {
	int fd;
	char *path;
};

#define DIR_NONE ((struct dir){ -1, NULL })

/* As RJWT_STEAL(), for a directory. */
static inline struct dir
dir_steal(struct dir *dir)
{
	struct dir stolen = *dir;

	*dir = DIR_NONE;
	return stolen;
}

/*
 * Open a folder, walking every parent without following a link. A relative path counts from the
 * current folder. RJWT_IO (errno ENOENT: not there), RJWT_KEYSET (unsafe). dir gives; dir_close().
 */
RJWT_MUST enum rjwt_err dir_open(const char *path, struct dir *dir, struct rjwt_diag *diag);

/* Open a folder inside dir, under the same rule. */
RJWT_MUST enum rjwt_err dir_open_at(const struct dir *dir, const char *name, struct dir *sub, struct rjwt_diag *diag);

/*
 * Make a folder inside dir with exactly this mode; one that is there is fine, and gets it too: whoever
 * made it may have been killed under a stranger's umask. dir is fsynced.
 */
RJWT_MUST enum rjwt_err dir_make(const struct dir *dir, const char *name, unsigned mode, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err dir_sync(const struct dir *dir, struct rjwt_diag *diag);
void dir_close(struct dir *dir);

/* Call each for every entry but "." and ".."; anything but RJWT_OK ends it and is returned. */
RJWT_MUST enum rjwt_err dir_each(const struct dir *dir, enum rjwt_err (*each)(void *context, const char *name),
    void *context, struct rjwt_diag *diag);

/*
 * Open the folder of path, which may be sticky, and give the last component; for files that are named by a
 * whole path.
 * name is a view into path. Errors as dir_open(); RJWT_USAGE for a path that ends with a slash.
 */
RJWT_MUST enum rjwt_err dir_of(const char *path, struct dir *dir, const char **name, struct rjwt_diag *diag);

/*
 * Read a whole file of at most max bytes. text gives; buf_clear(). status may be NULL; it is of the
 * descriptor that was read. RJWT_IO (errno ENOENT: not there), RJWT_KEYSET (unsafe, too large, no
 * regular file). On error errno is kept.
 */
RJWT_MUST enum rjwt_err file_read(const struct dir *dir, const char *name, size_t max, struct buf *text,
    struct stat *status, struct rjwt_diag *diag);

/*
 * Make an empty file, 0600, that must not be there, durably. RJWT_EXISTS, RJWT_IO. A file that was made and
 * could not be made durable stays: a mark too many refuses, a mark too few lets in.
 */
RJWT_MUST enum rjwt_err file_mark(const struct dir *dir, const char *name, struct rjwt_diag *diag);

#endif
