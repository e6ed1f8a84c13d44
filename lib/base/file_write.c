/* SPDX-License-Identifier: MIT */
#include "base/file_private.h"
#include "base/err.h"
#include "base/file_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* On a full tmpfs fsync(2) and close(2) still succeed: the result of write(2) decides. */
static bool
write_full(int fd, struct view text)
{
	while (text.n > 0) {
		ssize_t put = write(fd, text.p, text.n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			errno = put == 0 ? ENOSPC : errno;
			return false;
		}
		text.p += put;
		text.n -= (size_t)put;
	}
	return true;
}

/* Remove what was begun; errno keeps the error. */
static bool
undo_new(int dir_fd, const char *name)
{
	int saved = errno;

	unlinkat(dir_fd, name, 0);
	errno = saved;
	return false;
}

static bool
open_new(int dir_fd, const char *name, unsigned mode, int *fd)
{
	*fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | OPEN_FLAGS, mode);
	if (*fd < 0)
		return false;
	file_own_group(*fd);
	return fchmod(*fd, mode) == 0 || undo_new(dir_fd, name);
}

static bool
fill_new(int dir_fd, const char *name, unsigned mode, struct view text, const struct timespec *mtime, bool later)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		mtime == NULL ? (struct timespec){ .tv_nsec = UTIME_OMIT } : *mtime };
	RJWT_CLEAN(fd_clean) int fd = -1;

	if (!open_new(dir_fd, name, mode, &fd))
		return false;
	return (write_full(fd, text) && (mtime == NULL || futimens(fd, times) == 0) && (later || fsync(fd) == 0)) ||
	       undo_new(dir_fd, name);
}

static char *
staged_name(const char *name)
{
	char *staged = NULL;

	return asprintf(&staged, FILE_TEMPORARY "%s", name) < 0 ? NULL : staged;
}

static enum rjwt_err
stage(const struct dir *dir, const char *name, unsigned mode, struct view text, const struct timespec *mtime,
    bool later, struct rjwt_diag *diag)
{
	RJWT_CLEAN(free_clean) char *fresh = staged_name(name);

	if (fresh == NULL)
		return RJWT_MEMORY;
	/* An existing one was left by a crash: its writer held the lock that we hold now. */
	if (unlinkat(dir->fd, fresh, 0) != 0 && errno != ENOENT)
		return entry_fail(diag, RJWT_IO, dir, fresh, "cannot remove");
	if (!fill_new(dir->fd, fresh, mode, text, mtime, later))
		return entry_fail(diag, RJWT_IO, dir, name, "cannot write");
	return RJWT_OK;
}

enum rjwt_err
file_stage(const struct dir *dir, const char *name, unsigned mode, struct view text, const struct timespec *mtime,
    struct rjwt_diag *diag)
{
	return stage(dir, name, mode, text, mtime, false, diag);
}

static enum rjwt_err
rename_staged(const struct dir *dir, const char *name, unsigned flags, struct rjwt_diag *diag)
{
	RJWT_CLEAN(free_clean) char *fresh = staged_name(name);
	int ret;

	if (fresh == NULL)
		return RJWT_MEMORY;
	ret = flags == 0 ? renameat(dir->fd, fresh, dir->fd, name) : renameat2(dir->fd, fresh, dir->fd, name, flags);
	if (ret != 0) {
		enum rjwt_err code = errno == EEXIST ? RJWT_EXISTS : RJWT_IO;
		enum rjwt_err err = entry_fail(diag, code, dir, name, "cannot replace");

		unlinkat(dir->fd, fresh, 0);
		return err;
	}
	return RJWT_OK;
}

enum rjwt_err
file_publish(const struct dir *dir, const char *name, struct rjwt_diag *diag)
{
	RJWT_TRY(rename_staged(dir, name, 0, diag));
	return dir_sync(dir, diag);
}

enum rjwt_err
file_write_later(const struct dir *dir, const char *name, unsigned mode, struct view text, const struct timespec *mtime,
    struct rjwt_diag *diag)
{
	RJWT_TRY(stage(dir, name, mode, text, mtime, true, diag));
	return rename_staged(dir, name, 0, diag);
}

enum rjwt_err
files_sync(const struct dir *dir, struct rjwt_diag *diag)
{
	if (syncfs(dir->fd) != 0)
		return diag_fail(diag, RJWT_IO, dir->path, "cannot sync to disk");
	return RJWT_OK;
}

enum rjwt_err
file_write(const struct dir *dir, const char *name, unsigned mode, struct view text, const struct timespec *mtime,
    struct rjwt_diag *diag)
{
	RJWT_TRY(file_stage(dir, name, mode, text, mtime, diag));
	return file_publish(dir, name, diag);
}

enum rjwt_err
file_write_first(const struct dir *dir, const char *name, unsigned mode, struct view text, struct rjwt_diag *diag)
{
	RJWT_TRY(file_stage(dir, name, mode, text, NULL, diag));
	RJWT_TRY(rename_staged(dir, name, RENAME_NOREPLACE, diag));
	return dir_sync(dir, diag);
}

static enum rjwt_err
new_fail(const struct dir *dir, const char *name, struct rjwt_diag *diag)
{
	return entry_fail(diag, errno == EEXIST ? RJWT_EXISTS : RJWT_IO, dir, name,
	    errno == EEXIST ? "exists already" : "cannot write");
}

enum rjwt_err
file_create(const struct dir *dir, const char *name, unsigned mode, struct view text, struct rjwt_diag *diag)
{
	if (!fill_new(dir->fd, name, mode, text, NULL, false))
		return new_fail(dir, name, diag);
	return dir_sync(dir, diag);
}

enum rjwt_err
file_reserve(const struct dir *dir, const char *name, unsigned mode, size_t room, int *fd, struct rjwt_diag *diag)
{
	RJWT_CLEAN(fd_clean) int made = -1;

	if (!open_new(dir->fd, name, mode, &made))
		return new_fail(dir, name, diag);
	/* Where the file system cannot do that, file_fill() reports a full disk. The size stays 0: a crash leaves no zeros. */
	if (fallocate(made, FALLOC_FL_KEEP_SIZE, 0, (off_t)room) != 0 && errno != EOPNOTSUPP) {
		undo_new(dir->fd, name);
		return new_fail(dir, name, diag);
	}
	*fd = made;
	made = -1;
	return RJWT_OK;
}

enum rjwt_err
file_fill(const struct dir *dir, const char *name, int fd, struct view text, struct rjwt_diag *diag)
{
	if (!write_full(fd, text) || ftruncate(fd, (off_t)text.n) != 0 || fsync(fd) != 0) {
		undo_new(dir->fd, name);
		return new_fail(dir, name, diag);
	}
	return dir_sync(dir, diag);
}

enum rjwt_err
file_append(const struct dir *dir, const char *name, struct view text, int flags, uint64_t *end, struct rjwt_diag *diag)
{
	RJWT_CLEAN(fd_clean)
	int fd =
	    openat(dir->fd, name, O_WRONLY | O_APPEND | OPEN_FLAGS | ((flags & FILE_MAKE) != 0 ? O_CREAT : 0), 0600);
	struct stat status;
	ssize_t put;
	off_t at;

	if (fd < 0 || fstat(fd, &status) != 0)
		return entry_fail(diag, RJWT_IO, dir, name, "cannot open");
	if (!S_ISREG(status.st_mode) || file_unsafe(&status, false) != NULL)
		return entry_fail(diag, RJWT_KEYSET, dir, name, "not a file that rjwt created");
	if ((status.st_mode & 07777) != 0600 && fchmod(fd, 0600) != 0)
		return entry_fail(diag, RJWT_IO, dir, name, "cannot chmod");
	put = write(fd, text.p, text.n);
	if (put >= 0 && (size_t)put != text.n)
		errno = ENOSPC;
	if (put < 0 || (size_t)put != text.n)
		return entry_fail(diag, RJWT_IO, dir, name, "cannot write");
	at = lseek(fd, 0, SEEK_CUR);
	if (at < 0 || ((flags & FILE_DURABLE) != 0 && fsync(fd) != 0))
		return entry_fail(diag, RJWT_IO, dir, name, "cannot sync to disk");
	if (end != NULL)
		*end = (uint64_t)at;
	return RJWT_OK;
}

enum rjwt_err
file_remove(const struct dir *dir, const char *name, struct rjwt_diag *diag)
{
	if (unlinkat(dir->fd, name, 0) != 0 && errno != ENOENT)
		return entry_fail(diag, RJWT_IO, dir, name, "cannot remove");
	return RJWT_OK;
}
