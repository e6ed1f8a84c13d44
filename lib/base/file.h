/* SPDX-License-Identifier: MIT */
/*
 * file.h - reads only files that nobody else could have written.
 *
 * One rule for every file and directory that rjwt trusts, and for every directory above it: owned by root or
 * the effective user, not writable by group or others (a sticky directory above is fine), not a symbolic
 * link. Only regular files are read, and opening one never blocks. An error names path and reason.
 *
 * A struct dir is a directory that passed, kept open; its path is for messages.
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
 * Open a directory, walking every parent without following a link. A relative path starts at the
 * current directory. RJWT_IO (errno ENOENT: missing), RJWT_KEYSET (unsafe). dir gives; dir_close().
 */
RJWT_MUST enum rjwt_err dir_open(const char *path, struct dir *dir, struct rjwt_diag *diag);

/* Open a directory inside dir, under the same rule. */
RJWT_MUST enum rjwt_err dir_open_at(const struct dir *dir, const char *name, struct dir *sub, struct rjwt_diag *diag);

/* The same for a directory that need only be searched: through sub nothing can be listed or synced. */
RJWT_MUST enum rjwt_err dir_enter_at(const struct dir *dir, const char *name, struct dir *sub, struct rjwt_diag *diag);

/*
 * Create a directory inside dir with exactly this mode. An existing one is fine and gets the mode, too: its
 * creator may have been killed with a caller's umask in effect. Root's gets root's group: in su a file
 * would get the caller's. dir is fsynced.
 */
RJWT_MUST enum rjwt_err dir_make(const struct dir *dir, const char *name, unsigned mode, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err dir_sync(const struct dir *dir, struct rjwt_diag *diag);
void dir_close(struct dir *dir);

/* Call each for every entry except "." and ".."; the first error ends the loop and is returned. */
RJWT_MUST enum rjwt_err dir_each(const struct dir *dir, enum rjwt_err (*each)(void *context, const char *name),
    void *context, struct rjwt_diag *diag);

/*
 * Open the directory of path, which may be sticky, and give the last component: for files that are named by a
 * full path.
 * name is a view into path. Errors as dir_open(); RJWT_USAGE for a path that ends with a slash.
 */
RJWT_MUST enum rjwt_err dir_of(const char *path, struct dir *dir, const char **name, struct rjwt_diag *diag);

/*
 * Read a whole file of at most max bytes. text gives; buf_clear(). status may be NULL; it describes the
 * file that was read. RJWT_IO (errno ENOENT: missing), RJWT_KEYSET (unsafe, too large, not a
 * regular file). On error errno is kept.
 */
RJWT_MUST enum rjwt_err file_read(const struct dir *dir, const char *name, size_t max, struct buf *text,
    struct stat *status, struct rjwt_diag *diag);

/*
 * Read a file that anybody may have written, of at most max bytes: a regular file with one name. No link is followed as
 * its last component, and opening never blocks. What it has is to be believed only for its signatures. Errors as above.
 */
RJWT_MUST enum rjwt_err file_read_foreign(const char *path, size_t max, struct buf *text, struct rjwt_diag *diag);

/*
 * Check that a file of room bytes (at most DIR_PROBE_MAX) can be created in dir, without giving it a name: nothing is
 * left behind, and no time changes. RJWT_IO with the reason: a full or read-only file system, no inode left, no
 * permission.
 */
#define DIR_PROBE_MAX 8192
RJWT_MUST enum rjwt_err dir_probe(const struct dir *dir, size_t room, struct rjwt_diag *diag);

/*
 * Create an empty file with mode 0600, durably; it must not exist. RJWT_EXISTS, RJWT_IO. A file that was created
 * but could not be synced stays: an extra mark rejects a token, a missing mark would accept one.
 */
RJWT_MUST enum rjwt_err file_mark(const struct dir *dir, const char *name, struct rjwt_diag *diag);

/* Whether a file is still the one, and unchanged: of files that are replaced as a whole, with an mtime of their own. */
bool file_same(const struct stat *a, const struct stat *b);

#endif
