/* SPDX-License-Identifier: MIT */
#include "fleet_disk.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int __real_fsync(int fd);
int __real_syncfs(int fd);
int __real_openat(int dir, const char *name, int flags, ...);
int __real_renameat(int from, const char *old, int to, const char *new);
int __real_renameat2(int from, const char *old, int to, const char *new, unsigned flags);
int __real_unlinkat(int dir, const char *name, int flags);
int __real_mkdirat(int dir, const char *name, mode_t mode);
ssize_t __real_write(int fd, const void *p, size_t n);

int __wrap_fsync(int fd);
int __wrap_syncfs(int fd);
int __wrap_openat(int dir, const char *name, int flags, ...);
int __wrap_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat2(int from, const char *old, int to, const char *new, unsigned flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __wrap_mkdirat(int dir, const char *name, mode_t mode);
ssize_t __wrap_write(int fd, const void *p, size_t n);

/* A change of a directory that can be undone, or bytes that were written. */
struct done {
	enum { MADE, MADE_DIRECTORY, REPLACED, RENAMED, REMOVED, WRITTEN } what;
	ino_t where; /* the directory; of WRITTEN the file */
	int fd;	     /* the same, to undo it */
	char name[128], other[128], kept[32];
	off_t from, to;
	bool synced;
};

static struct {
	unsigned long left; /* 0: nobody dies */
	bool cut;
	uint64_t random;
	int keep;
	struct done *list;
	size_t n;
	unsigned long calls;
} disk = { .keep = -1 };

void
disk_die_at(unsigned long k, bool cut, uint64_t seed, const char *keep)
{
	disk.left = k;
	disk.cut = cut;
	disk.random = seed * 0x9e3779b97f4a7c15 + 1;
	disk.keep = cut ? open(keep, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

static uint64_t
dice(uint64_t sides)
{
	disk.random ^= disk.random << 13;
	disk.random ^= disk.random >> 7;
	disk.random ^= disk.random << 17;
	return disk.random % sides;
}

static ino_t
inode(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

/* --- a power cut -------------------------------------------------------------------------------- */

static void
undo(const struct done *d)
{
	switch (d->what) {
	case MADE:
		(void)__real_unlinkat(d->fd, d->name, 0);
		return;
	case MADE_DIRECTORY:
		(void)__real_unlinkat(d->fd, d->name, AT_REMOVEDIR);
		return;
	case REPLACED:
		(void)__real_renameat(d->fd, d->name, d->fd, d->other);
		(void)!linkat(disk.keep, d->kept, d->fd, d->name, 0);
		return;
	case RENAMED:
		(void)__real_renameat(d->fd, d->name, d->fd, d->other);
		return;
	case REMOVED:
		(void)!linkat(disk.keep, d->kept, d->fd, d->name, 0);
		return;
	case WRITTEN:
		(void)!ftruncate(d->fd, d->from + (off_t)dice((uint64_t)(d->to - d->from) + 1));
		return;
	}
}

/* Of each directory a suffix of what was not synced, the newest first. */
static void
lose(void)
{
	for (size_t i = disk.n; i > 0; i--) {
		struct done *last = &disk.list[i - 1];
		uint64_t keep = dice(3); /* a third each: all is lost, all is kept, some is */

		for (size_t j = i; j > 0; j--) {
			struct done *d = &disk.list[j - 1];

			if (d->where != last->where || d->synced)
				continue;
			if (keep == 1 || (keep == 2 && dice(2) == 0))
				keep = 1;
			else
				undo(d);
			d->synced = true;
		}
	}
}

unsigned long
disk_calls(void)
{
	unsigned long calls = disk.calls;

	disk.calls = 0;
	return calls;
}

static void
maybe_die(void)
{
	disk.calls++;
	if (disk.left == 0 || --disk.left > 0)
		return;
	if (disk.cut)
		lose();
	_exit(9);
}

/* --- what was done ------------------------------------------------------------------------------ */

static struct done *
note(int fd)
{
	struct done *grown;

	if (disk.left == 0 || !disk.cut)
		return NULL;
	grown = reallocarray(disk.list, disk.n + 1, sizeof(*grown));
	if (grown == NULL)
		abort();
	disk.list = grown;
	grown[disk.n] = (struct done){ .where = inode(fd), .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0) };
	return &grown[disk.n++];
}

/* A second name for what is there, so that it can come back. */
static bool
keep_entry(int dir, const char *name, char kept[32])
{
	static unsigned long number;

	snprintf(kept, 32, "%d.%lu", (int)getpid(), ++number);
	return disk.left > 0 && disk.cut && linkat(dir, name, disk.keep, kept, 0) == 0;
}

static void
note_synced(ino_t where)
{
	for (size_t i = 0; i < disk.n; i++)
		disk.list[i].synced = disk.list[i].synced || where == 0 || disk.list[i].where == where;
}

/* --- the calls ---------------------------------------------------------------------------------- */

/* In memory nothing needs it: where nobody dies it is left out. */
int
__wrap_fsync(int fd)
{
	maybe_die();
	note_synced(inode(fd));
	return 0;
}

int
__wrap_syncfs(int fd)
{
	(void)fd;
	maybe_die();
	note_synced(0);
	return 0;
}

int
__wrap_openat(int dir, const char *name, int flags, ...)
{
	bool makes = (flags & O_CREAT) != 0 && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
	mode_t mode = 0;
	va_list args;
	struct done *d;
	int fd;

	va_start(args, flags);
	if ((flags & (O_CREAT | O_TMPFILE)) != 0)
		mode = va_arg(args, mode_t);
	va_end(args);
	if (makes)
		maybe_die();
	fd = __real_openat(dir, name, flags, mode);
	d = makes && fd >= 0 ? note(dir) : NULL;
	if (d != NULL)
		snprintf(d->name, sizeof(d->name), "%s", name);
	return fd;
}

static int
rename_noted(int from, const char *old, int to, const char *new, unsigned flags)
{
	char kept[32];
	bool replaces;
	struct done *d;
	int ret;

	maybe_die();
	replaces = keep_entry(to, new, kept);
	ret = flags == 0 ? __real_renameat(from, old, to, new) : __real_renameat2(from, old, to, new, flags);
	d = ret == 0 ? note(to) : NULL;
	if (d != NULL) {
		d->what = replaces ? REPLACED : RENAMED;
		snprintf(d->name, sizeof(d->name), "%s", new);
		snprintf(d->other, sizeof(d->other), "%s", old);
		memcpy(d->kept, kept, sizeof(d->kept));
	}
	return ret;
}

int
__wrap_renameat(int from, const char *old, int to, const char *new)
{
	return rename_noted(from, old, to, new, 0);
}

int
__wrap_renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	return rename_noted(from, old, to, new, flags);
}

int
__wrap_unlinkat(int dir, const char *name, int flags)
{
	char kept[32];
	bool there;
	struct done *d;
	int ret;

	if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return __real_unlinkat(dir, name, flags);
	maybe_die();
	there = keep_entry(dir, name, kept);
	ret = __real_unlinkat(dir, name, flags);
	d = ret == 0 && there ? note(dir) : NULL;
	if (d != NULL) {
		d->what = REMOVED;
		snprintf(d->name, sizeof(d->name), "%s", name);
		memcpy(d->kept, kept, sizeof(d->kept));
	}
	return ret;
}

int
__wrap_mkdirat(int dir, const char *name, mode_t mode)
{
	struct done *d;
	int ret;

	maybe_die();
	ret = __real_mkdirat(dir, name, mode);
	d = ret == 0 ? note(dir) : NULL;
	if (d != NULL) {
		d->what = MADE_DIRECTORY;
		snprintf(d->name, sizeof(d->name), "%s", name);
	}
	return ret;
}

ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	off_t from = lseek(fd, 0, SEEK_CUR);
	struct stat status;
	struct done *d;
	ssize_t put;

	if (from < 0)
		return __real_write(fd, p, n); /* not a file */
	maybe_die();
	put = __real_write(fd, p, n);
	d = put > 0 && fstat(fd, &status) == 0 ? note(fd) : NULL;
	if (d != NULL) {
		d->what = WRITTEN;
		d->to = status.st_size;
		d->from = status.st_size - put;
	}
	return put;
}
