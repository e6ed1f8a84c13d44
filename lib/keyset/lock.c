/* SPDX-License-Identifier: MIT */
#include "keyset/lock.h"

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
	return diag_fail(diag, RJWT_BUSY, dir->path, "has been locked for %lds, last by %s", waited_s,
	    holder[0] == '\0' ? "an unknown program" : holder);
}

/* So that whoever called us cannot stop us while we hold the lock: not even right after we got it. */
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

/* A daemon that reads its signals from a descriptor has them blocked: it shall end, and not wait first. */
static bool
told_to_end(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

/* Not by a waiting flock(2): only a signal would end that, and signals are the host's. */
static enum rjwt_err
lock_wait(struct lock *lock, const struct dir *dir, struct rjwt_diag *diag)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	struct timespec start, now;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		block_signals(lock);
		if (flock(lock->fd, LOCK_EX | LOCK_NB) == 0)
			return RJWT_OK;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return diag_fail(diag, RJWT_IO, dir->path, "lock");
		unblock_signals(lock); /* whoever waits may be interrupted */
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - start.tv_sec >= LOCK_WAIT_S || told_to_end())
			return busy(lock->fd, dir, (long)(now.tv_sec - start.tv_sec), diag);
		(void)nanosleep(&pause, NULL);
	}
}

enum rjwt_err
lock_take(struct lock *lock, const struct dir *dir, struct rjwt_diag *diag)
{
	char holder[64];
	struct stat status;
	int n;

	lock->fd = openat(dir->fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (lock->fd < 0 || fstat(lock->fd, &status) != 0)
		return diag_fail(diag, RJWT_IO, dir->path, "lock cannot be opened");
	if ((status.st_mode & 07777) != 0600 && fchmod(lock->fd, 0600) != 0)
		return diag_fail(diag, RJWT_IO, dir->path, "lock cannot be made private");
	RJWT_TRY(lock_wait(lock, dir, diag));
	n = snprintf(holder, sizeof(holder), "process %ld (%.32s)\n", (long)getpid(), program_invocation_short_name);
	/* For a message alone: a full disk must not stop us here. */
	if (ftruncate(lock->fd, 0) != 0 || pwrite(lock->fd, holder, (size_t)n, 0) != n)
		errno = 0;
	return RJWT_OK;
}

void
lock_release(struct lock *lock)
{
	fd_clean(&lock->fd); /* and with it the lock */
	lock->fd = -1;
	unblock_signals(lock);
}
