/* SPDX-License-Identifier: MIT */
#include "keyset/lock.h"
#include "keyset/lock_end.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <sys/file.h>
#include <unistd.h>

static enum rjwt_err
busy(int fd, const struct dir *dir, long waited_s, struct rjwt_diag *diag)
{
	char holder[64] = "";
	ssize_t n = pread(fd, holder, sizeof(holder) - 1, 0);

	holder[n > 0 ? n : 0] = '\0';
	holder[strcspn(holder, "\n")] = '\0';
	return diag_fail(diag, RJWT_BUSY, dir->path, "locked for %lds, last by %s", waited_s,
	    holder[0] == '\0' ? "an unknown program" : holder);
}

/* So that the caller cannot stop us while we hold the lock, not even right after we got it. */
static void
block_signals(struct lock *lock)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGTSTP);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGTERM);
	lock->blocked = pthread_sigmask(SIG_BLOCK, &held, &lock->before) == 0;
}

static void
unblock_signals(struct lock *lock)
{
	if (lock->blocked)
		(void)pthread_sigmask(SIG_SETMASK, &lock->before, NULL);
	lock->blocked = false;
}

/* A daemon that reads signals from a descriptor blocks them: end its wait if one is pending. */
static bool
told_to_end(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

/* Both locks or none: nobody waits for one and holds the other. *busy: the one that is held. */
static bool
try_locks(const struct lock *lock, int *busy)
{
	int saved;

	*busy = lock->fd;
	if (flock(lock->fd, LOCK_EX | LOCK_NB) != 0)
		return false;
	if (lock->older < 0 || flock(lock->older, LOCK_EX | LOCK_NB) == 0)
		return true;
	*busy = lock->older;
	saved = errno;
	(void)flock(lock->fd, LOCK_UN);
	errno = saved;
	return false;
}

/* Not with a blocking flock(2): only a signal could end it, and signals belong to the calling program. */
static enum rjwt_err
lock_wait(struct lock *lock, const struct dir *dir, int flags, struct rjwt_diag *diag)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	long waited_s, end_s = LOCK_END_S;
	struct timespec start, now;
	int held;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		block_signals(lock);
		if (try_locks(lock, &held))
			return RJWT_OK;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return diag_fail(diag, RJWT_IO, dir->path, "lock");
		unblock_signals(lock); /* waiting may be interrupted */
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		waited_s = (long)(now.tv_sec - start.tv_sec);
		if (waited_s >= LOCK_WAIT_S || told_to_end())
			return busy(held, dir, waited_s, diag);
		if ((flags & LOCK_END) != 0 && waited_s >= end_s) {
			lock_end_holder(held, lock->ended, sizeof(lock->ended));
			end_s = waited_s + 1; /* it needs a moment to end */
		}
		(void)nanosleep(&pause, NULL);
	}
}

/* A missing one is created, or with create 0 left missing. */
static enum rjwt_err
lock_open(const struct dir *dir, int create, int *fd, struct rjwt_diag *diag)
{
	struct stat status;

	*fd = openat(dir->fd, "lock", O_RDWR | create | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (*fd < 0 && errno == ENOENT && create == 0)
		return RJWT_OK;
	if (*fd < 0 || fstat(*fd, &status) != 0)
		return diag_fail(diag, RJWT_IO, dir->path, "cannot open lock");
	if ((status.st_mode & 07777) != 0600 && fchmod(*fd, 0600) != 0)
		return diag_fail(diag, RJWT_IO, dir->path, "cannot chmod lock");
	return RJWT_OK;
}

enum rjwt_err
lock_take(struct lock *lock, const struct dir *dir, int flags, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;
	char holder[64];
	int n;

	lock->ended[0] = '\0';
	RJWT_TRY(dir_open_at(dir, "private", &private, diag));
	RJWT_TRY(lock_open(&private, O_CREAT, &lock->fd, diag));
	RJWT_TRY(lock_open(dir, 0, &lock->older, diag));
	RJWT_TRY(lock_wait(lock, dir, flags, diag));
	n = snprintf(holder, sizeof(holder), "process %ld (%.32s)\n", (long)getpid(), program_invocation_short_name);
	/* Only for a message: a full disk must not stop us here. */
	if (ftruncate(lock->fd, 0) != 0 || pwrite(lock->fd, holder, (size_t)n, 0) != n)
		errno = 0;
	return RJWT_OK;
}

void
lock_release(struct lock *lock)
{
	fd_clean(&lock->older); /* releases it */
	fd_clean(&lock->fd);
	lock->fd = lock->older = -1;
	unblock_signals(lock);
}
