/* SPDX-License-Identifier: MIT */
#include "base/file_private.h"
#include "base/buf.h"
#include "base/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A login makes 50 of them: printed, they took more than all else that it does with directories. */
static char *
path_join(const struct dir *dir, const char *name)
{
	size_t n = strcmp(dir->path, "/") == 0 ? 0 : strlen(dir->path), rest = strlen(name) + 1;
	char *path = malloc(n + 1 + rest);

	if (path == NULL)
		return NULL;
	memcpy(path, dir->path, n);
	path[n] = '/';
	memcpy(path + n + 1, name, rest);
	return path;
}

enum rjwt_err
entry_fail(struct rjwt_diag *diag, enum rjwt_err err, const struct dir *dir, const char *name, const char *text)
{
	char path[PATH_MAX]; /* diag has the end of a long one */
	int saved = errno;

	snprintf(path, sizeof(path), "%s/%s", strcmp(dir->path, "/") == 0 ? "" : dir->path, name);
	errno = saved;
	return diag_fail(diag, err, path, "%s", text);
}

/* The rule for owner and mode; NULL: satisfied. above: a directory on the way. */
const char *
file_unsafe(const struct stat *status, bool above)
{
	if (status->st_uid != 0 && status->st_uid != geteuid())
		return geteuid() != 0 ? "not owned by root or by the user who runs this"
		       : above	      ? "not owned by root"
				      : /* it may be a home directory */
			   "not owned by root (chown root)";
	if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0 && !(above && (status->st_mode & S_ISVTX) != 0))
		return "writable by its group or by others (chmod go-w)";
	return NULL;
}

void
file_own_group(int fd)
{
	if (geteuid() == 0 && getegid() != 0)
		(void)!fchown(fd, (uid_t)-1, 0);
}

void
dir_close(struct dir *dir)
{
	fd_clean(&dir->fd);
	free(dir->path);
	*dir = DIR_NONE;
}

/* What a directory is used for. */
enum step {
	ON_THE_WAY, /* need not be readable; may be sticky */
	ABOVE,	    /* contains the file to be opened; may be sticky */
	TRUSTED,    /* ours: nobody else may create a name in it */
	ENTERED	    /* the same, and need not be readable */
};

static enum rjwt_err
dir_step(const struct dir *dir, const char *name, enum step step, struct dir *sub, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir found = DIR_NONE;
	struct stat status;
	const char *why;

	found.path = path_join(dir, name);
	if (found.path == NULL)
		return RJWT_MEMORY;
	found.fd = openat(dir->fd, name,
	    (step == ON_THE_WAY || step == ENTERED ? O_PATH : O_RDONLY) | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (found.fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return diag_fail(diag, RJWT_KEYSET, found.path, "not a directory (symbolic links are not followed)");
	if (found.fd < 0 || fstat(found.fd, &status) != 0)
		return diag_fail(diag, RJWT_IO, found.path, "cannot open");
	why = file_unsafe(&status, step == ON_THE_WAY || step == ABOVE);
	if (why != NULL)
		return diag_fail(diag, RJWT_KEYSET, found.path, "%s", why);
	*sub = dir_steal(&found);
	return RJWT_OK;
}

enum rjwt_err
dir_open_at(const struct dir *dir, const char *name, struct dir *sub, struct rjwt_diag *diag)
{
	return dir_step(dir, name, TRUSTED, sub, diag);
}

enum rjwt_err
dir_enter_at(const struct dir *dir, const char *name, struct dir *sub, struct rjwt_diag *diag)
{
	return dir_step(dir, name, ENTERED, sub, diag);
}

/* Walk from / through each component of an absolute path, which is cut at its slashes. */
static enum rjwt_err
dir_walk(char *path, enum step last, struct dir *dir, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir at = DIR_NONE;
	char *save = NULL, *part, *next;
	struct stat status;
	const char *why;

	at.fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	at.path = strdup("/");
	if (at.path == NULL)
		return RJWT_MEMORY;
	if (at.fd < 0 || fstat(at.fd, &status) != 0)
		return diag_fail(diag, RJWT_IO, "/", "cannot open");
	why = file_unsafe(&status, true);
	if (why != NULL)
		return diag_fail(diag, RJWT_KEYSET, "/", "%s", why);
	for (part = strtok_r(path, "/", &save); part != NULL; part = next) {
		struct dir sub = DIR_NONE;

		next = strtok_r(NULL, "/", &save);
		if (strcmp(part, ".") == 0 && next != NULL)
			continue;
		RJWT_TRY(dir_step(&at, part, next == NULL ? last : ON_THE_WAY, &sub, diag));
		dir_close(&at);
		at = sub;
	}
	*dir = dir_steal(&at);
	return RJWT_OK;
}

static enum rjwt_err
dir_reach(const char *path, enum step last, struct dir *dir, struct rjwt_diag *diag)
{
	RJWT_CLEAN(free_clean) char *here = NULL;
	RJWT_CLEAN(free_clean) char *whole = NULL;

	if (path[0] != '/' && (here = getcwd(NULL, 0)) == NULL)
		return diag_fail(diag, RJWT_IO, path, "cannot find the current directory");
	if (asprintf(&whole, "%s%s%s", here == NULL ? "" : here, here == NULL ? "" : "/", path) < 0) {
		whole = NULL;
		return RJWT_MEMORY;
	}
	return dir_walk(whole, last, dir, diag);
}

enum rjwt_err
dir_open(const char *path, struct dir *dir, struct rjwt_diag *diag)
{
	return dir_reach(path, TRUSTED, dir, diag);
}

enum rjwt_err
dir_of(const char *path, struct dir *dir, const char **name, struct rjwt_diag *diag)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash == NULL ? path : slash + 1;
	RJWT_CLEAN(free_clean) char *folder = NULL;

	if (*last == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
		return diag_fail(diag, RJWT_USAGE, path, "not the name of a file");
	folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path + 1));
	if (folder == NULL)
		return RJWT_MEMORY;
	RJWT_TRY(dir_reach(folder, ABOVE, dir, diag));
	*name = last;
	return RJWT_OK;
}

enum rjwt_err
dir_make(const struct dir *dir, const char *name, unsigned mode, struct rjwt_diag *diag)
{
	RJWT_CLEAN(fd_clean) int fd = -1;
	struct stat status;

	if (mkdirat(dir->fd, name, mode) != 0) {
		if (errno != EEXIST)
			return entry_fail(diag, RJWT_IO, dir, name, "cannot create");
		if (fstatat(dir->fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
			return entry_fail(diag, RJWT_IO, dir, name, "cannot stat");
		/* In a sticky directory the entry of another user could be swapped for a link: touch only our own. */
		if (!S_ISDIR(status.st_mode) || (status.st_mode & 07777) == mode || status.st_uid != geteuid())
			return dir_sync(dir, diag);
	}
	/* mkdir(2) obeys the umask, which sudo inherits from its caller and which may deny even opening it. */
	if (fchmodat(dir->fd, name, mode, 0) == 0)
		fd = openat(dir->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		file_own_group(fd);
	if (fd < 0 || fsync(fd) != 0)
		return entry_fail(diag, RJWT_IO, dir, name, "cannot create");
	return dir_sync(dir, diag);
}

enum rjwt_err
dir_sync(const struct dir *dir, struct rjwt_diag *diag)
{
	if (fsync(dir->fd) != 0)
		return diag_fail(diag, RJWT_IO, dir->path, "cannot sync to disk");
	return RJWT_OK;
}

static void
stream_clean(DIR **stream)
{
	if (*stream != NULL)
		closedir(*stream);
}

enum rjwt_err
dir_each(const struct dir *dir, enum rjwt_err (*each)(void *context, const char *name), void *context,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(fd_clean) int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	RJWT_CLEAN(stream_clean) DIR *stream = NULL;
	struct dirent *entry;

	if (fd < 0 || (stream = fdopendir(fd)) == NULL)
		return diag_fail(diag, RJWT_IO, dir->path, "cannot list");
	fd = -1; /* owned by the stream now */
	while (errno = 0, (entry = readdir(stream)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			RJWT_TRY(each(context, entry->d_name));
	if (errno != 0)
		return diag_fail(diag, RJWT_IO, dir->path, "cannot list");
	return RJWT_OK;
}

/* Read up to n bytes, or to the end. */
static ssize_t
read_full(int fd, char *to, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = read(fd, to + have, n - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

static const char cannot_read[] = "cannot read";

static const char *
not_readable(const struct stat *found, size_t max)
{
	if (!S_ISREG(found->st_mode))
		return "not a regular file";
	return found->st_size < 0 || (uintmax_t)found->st_size > max ? "too large" : NULL;
}

/* One byte more than its size: a file that grows meanwhile is not whole. *why is set if it could not be read. */
static enum rjwt_err
read_whole(int fd, const struct stat *found, struct buf *text, const char **why)
{
	char *room = buf_room(text, (size_t)found->st_size + 1);
	ssize_t n;

	if (room == NULL)
		return RJWT_MEMORY;
	n = read_full(fd, room, (size_t)found->st_size + 1);
	if (n != (ssize_t)found->st_size) {
		*why = n < 0 ? cannot_read : "changed while being read";
		return RJWT_OK;
	}
	text->n = (size_t)n;
	text->p[n] = '\0';
	return RJWT_OK;
}

enum rjwt_err
file_read_foreign(const char *path, size_t max, struct buf *text, struct rjwt_diag *diag)
{
	RJWT_CLEAN(fd_clean) int fd = open(path, O_RDONLY | OPEN_FLAGS);
	RJWT_CLEAN(buf_clear) struct buf got = { 0 };
	struct stat found;
	const char *why;

	if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return diag_fail(diag, RJWT_KEYSET, path, "not a regular file");
	if (fd < 0 || fstat(fd, &found) != 0)
		return diag_fail(diag, RJWT_IO, path, "%s", cannot_read);
	why = not_readable(&found, max);
	if (why == NULL && found.st_nlink != 1)
		why = "has more than one name (hard links are not read)";
	if (why == NULL)
		RJWT_TRY(read_whole(fd, &found, &got, &why));
	if (why != NULL)
		return diag_fail(diag, why == cannot_read ? RJWT_IO : RJWT_KEYSET, path, "%s", why);
	buf_clear(text);
	*text = RJWT_STEAL(got);
	return RJWT_OK;
}

enum rjwt_err
file_read(const struct dir *dir, const char *name, size_t max, struct buf *text, struct stat *status,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(fd_clean) int fd = openat(dir->fd, name, O_RDONLY | OPEN_FLAGS);
	RJWT_CLEAN(buf_clear) struct buf got = { 0 };
	struct stat found;
	const char *why;

	if (fd < 0 && errno == ELOOP)
		return entry_fail(diag, RJWT_KEYSET, dir, name, "is a symbolic link (not followed)");
	if (fd < 0 && errno == ENXIO)
		return entry_fail(diag, RJWT_KEYSET, dir, name, "not a regular file");
	if (fd < 0 || fstat(fd, &found) != 0)
		return entry_fail(diag, RJWT_IO, dir, name, "cannot read");
	why = not_readable(&found, max);
	if (why == NULL)
		why = file_unsafe(&found, false);
	if (why == NULL)
		RJWT_TRY(read_whole(fd, &found, &got, &why));
	if (why != NULL)
		return entry_fail(diag, why == cannot_read ? RJWT_IO : RJWT_KEYSET, dir, name, why);
	if (status != NULL)
		*status = found;
	buf_clear(text);
	*text = RJWT_STEAL(got);
	return RJWT_OK;
}

enum rjwt_err
file_mark(const struct dir *dir, const char *name, struct rjwt_diag *diag)
{
	RJWT_CLEAN(fd_clean) int fd = openat(dir->fd, name, O_WRONLY | O_CREAT | O_EXCL | OPEN_FLAGS, 0600);

	if (fd < 0 && errno == EEXIST)
		return entry_fail(diag, RJWT_EXISTS, dir, name, "exists already");
	if (fd >= 0)
		file_own_group(fd);
	if (fd < 0 || fchmod(fd, 0600) != 0 || fsync(fd) != 0)
		return entry_fail(diag, RJWT_IO, dir, name, "cannot write");
	return dir_sync(dir, diag);
}

/* Where the file system has no files without a name, what it says about itself decides. */
static bool
seems_writable(int fd, size_t room)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs) != 0)
		return false;
	errno = (fs.f_flag & ST_RDONLY) != 0 ? EROFS : ENOSPC;
	return (fs.f_flag & ST_RDONLY) == 0 && (room == 0 || fs.f_bfree > 0) && (fs.f_files == 0 || fs.f_ffree > 0) &&
	       faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

/* An almost full disk writes a part, and write() then sets no errno. */
static bool
takes(int fd, struct view text)
{
	ssize_t put = write(fd, text.p, text.n);

	if (put >= 0 && (size_t)put < text.n)
		errno = ENOSPC;
	return put >= 0 && (size_t)put == text.n;
}

enum rjwt_err
dir_probe(const struct dir *dir, size_t room, struct rjwt_diag *diag)
{
	static const char block[DIR_PROBE_MAX];

	RJWT_CLEAN(fd_clean) int fd = openat(dir->fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)
		? seems_writable(dir->fd, room)
		: fd >= 0 && takes(fd, (struct view){ block, room }))
		return RJWT_OK;
	return diag_fail(diag, RJWT_IO, dir->path, "cannot write");
}

bool
file_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}
