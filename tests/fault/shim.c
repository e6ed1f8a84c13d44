/* SPDX-License-Identifier: MIT */
/*
 * Preloaded: calls that change files are counted, recorded, and made to fail, or to be the last one.
 *
 *	RJWT_FAULT_BELOW	only what happens below this directory counts
 *	RJWT_FAULT_JOURNAL	a line for each call that succeeded: what crash.py makes a power cut of
 *	RJWT_FAULT_AT=K		at the K-th call, counted from 1:
 *	RJWT_FAULT_ERRNO=N	it fails with this errno; without it the process ends before it
 *	RJWT_FAULT_ON		set: all later ones fail too
 *	RJWT_FAULT_READS	set: opening a file or directory to read it counts, too
 *
 * The journal's lines, fields by tabs: "create PATH", "write PATH OFFSET HEX", "sync PATH", "sync all PATH",
 * "rename OLD NEW", "unlink PATH", "mkdir PATH", "mode PATH MODE".
 */
#undef _FORTIFY_SOURCE /* with clang its functions are overloaded, and have no address */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#pragma GCC visibility push(default) /* all that has a name of libc's is to be found in its place */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static unsigned long calls;

/* The path of an entry of a directory, or of a descriptor when name is NULL; false: it is not ours to watch. */
static bool
path_of(int dir, const char *name, char path[static PATH_MAX])
{
	const char *below = getenv("RJWT_FAULT_BELOW");
	char link[64], folder[PATH_MAX] = "";
	ssize_t n = 0;

	if (name == NULL || (name[0] != '/' && dir != AT_FDCWD)) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
		n = readlink(link, folder, sizeof(folder) - 1);
		if (n < 0)
			return false;
		folder[n] = '\0';
	}
	if (snprintf(path, PATH_MAX, "%s%s%s", folder, n > 0 && name != NULL ? "/" : "", name == NULL ? "" : name) >=
	    PATH_MAX)
		return false;
	return below != NULL && strncmp(path, below, strlen(below)) == 0;
}

static void __attribute__((format(printf, 1, 2))) record(const char *fmt, ...)
{
	const char *journal = getenv("RJWT_FAULT_JOURNAL");
	char line[70000];
	va_list args;
	int fd, n, saved = errno;

	if (journal == NULL)
		return;
	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	fd = (int)syscall(SYS_openat, AT_FDCWD, journal, O_WRONLY | O_APPEND | O_CREAT, 0600);
	if (fd < 0 || syscall(SYS_write, fd, line, n) != n)
		abort();
	(void)syscall(SYS_close, fd);
	errno = saved;
}

/* One more call; true: it is to fail, errno is set. */
static bool
fault(void)
{
	const char *at = getenv("RJWT_FAULT_AT"), *error = getenv("RJWT_FAULT_ERRNO");
	unsigned long which = at == NULL ? 0 : strtoul(at, NULL, 10);

	calls++;
	if (which == 0 || calls < which || (calls > which && getenv("RJWT_FAULT_ON") == NULL))
		return false;
	if (error == NULL)
		_exit(137);
	errno = atoi(error);
	return true;
}

static int
open_watched(int dir, const char *name, int flags, mode_t mode)
{
	char path[PATH_MAX];
	struct stat status;
	bool counts = (flags & O_CREAT) != 0 || getenv("RJWT_FAULT_READS") != NULL;
	bool there, watched = counts && path_of(dir, name, path);
	int fd;

	if (!watched)
		return REAL(openat)(dir, name, flags, mode);
	there = lstat(path, &status) == 0;
	if (fault())
		return -1;
	fd = REAL(openat)(dir, name, flags, mode);
	if (fd >= 0 && !there)
		record("create\t%s\n", path);
	return fd;
}

int
openat(int dir, const char *name, int flags, ...)
{
	va_list args;
	mode_t mode = 0;

	if ((flags & O_CREAT) != 0) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return open_watched(dir, name, flags, mode);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	char path[PATH_MAX], hex[60000];
	struct stat status;
	ssize_t put;

	if (!path_of(fd, NULL, path) || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return REAL(write)(fd, p, n);
	if (fault())
		return -1;
	put = REAL(write)(fd, p, n);
	if (put <= 0 || (size_t)put * 2 >= sizeof(hex))
		return put;
	for (ssize_t i = 0; i < put; i++)
		snprintf(hex + 2 * i, 3, "%02x", ((const unsigned char *)p)[i]);
	record("write\t%s\t%lld\t%s\n", path, (long long)lseek(fd, 0, SEEK_CUR) - put, hex);
	return put;
}

int
fsync(int fd)
{
	char path[PATH_MAX];
	int ret;

	if (!path_of(fd, NULL, path))
		return REAL(fsync)(fd);
	if (fault())
		return -1;
	ret = REAL(fsync)(fd);
	if (ret == 0)
		record("sync\t%s\n", path);
	return ret;
}

/* Of all that is below, as far as the journal goes. */
int
syncfs(int fd)
{
	char path[PATH_MAX];
	int ret;

	if (!path_of(fd, NULL, path))
		return REAL(syncfs)(fd);
	if (fault())
		return -1;
	ret = REAL(syncfs)(fd);
	if (ret == 0)
		record("sync all\t%s\n", path);
	return ret;
}

int
renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	char first[PATH_MAX], second[PATH_MAX];
	int ret;

	if (!path_of(from, old, first) || !path_of(to, new, second))
		return REAL(renameat2)(from, old, to, new, flags);
	if (fault())
		return -1;
	ret = REAL(renameat2)(from, old, to, new, flags);
	if (ret == 0)
		record("rename\t%s\t%s\n", first, second);
	return ret;
}

int
renameat(int from, const char *old, int to, const char *new)
{
	return renameat2(from, old, to, new, 0);
}

int
unlinkat(int dir, const char *name, int flags)
{
	char path[PATH_MAX];
	struct stat status;
	int ret;

	/* What is not there is no call that changes anything. */
	if (!path_of(dir, name, path) || lstat(path, &status) != 0)
		return REAL(unlinkat)(dir, name, flags);
	if (fault())
		return -1;
	ret = REAL(unlinkat)(dir, name, flags);
	if (ret == 0)
		record("unlink\t%s\n", path);
	return ret;
}

int
mkdirat(int dir, const char *name, mode_t mode)
{
	char path[PATH_MAX];
	struct stat status;
	int ret;

	if (!path_of(dir, name, path) || lstat(path, &status) == 0)
		return REAL(mkdirat)(dir, name, mode);
	if (fault())
		return -1;
	ret = REAL(mkdirat)(dir, name, mode);
	if (ret == 0)
		record("mkdir\t%s\n", path);
	return ret;
}

int
fchmodat(int dir, const char *name, mode_t mode, int flags)
{
	char path[PATH_MAX];

	if (!path_of(dir, name, path))
		return REAL(fchmodat)(dir, name, mode, flags);
	return fault() ? -1 : REAL(fchmodat)(dir, name, mode, flags);
}

int
fchmod(int fd, mode_t mode)
{
	char path[PATH_MAX];

	if (!path_of(fd, NULL, path))
		return REAL(fchmod)(fd, mode);
	return fault() ? -1 : REAL(fchmod)(fd, mode);
}

int
futimens(int fd, const struct timespec times[2])
{
	char path[PATH_MAX];

	if (!path_of(fd, NULL, path))
		return REAL(futimens)(fd, times);
	return fault() ? -1 : REAL(futimens)(fd, times);
}
