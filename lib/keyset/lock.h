/* SPDX-License-Identifier: MIT */
/*
 * lock.h - the one lock of a keyset: flock(2) on <state>/lock, mode 0600, so that only its owner can
 * open it. While it is held, nothing waits for a terminal or a pipe, and SIGTSTP, SIGINT, SIGHUP and
 * SIGTERM are blocked, so that the caller cannot stop us.
 */
#ifndef RJWT_LOCK_H
#define RJWT_LOCK_H

#include "base/err.h"
#include "base/file.h"

#include <signal.h>

#define LOCK_WAIT_S 30

struct lock {
	int fd;
	bool blocked;
	sigset_t before; /* the signal mask to restore */
};

#define LOCK_NONE ((struct lock){ .fd = -1 })

/*
 * RJWT_BUSY: still held after LOCK_WAIT_S, or SIGTERM or SIGINT is blocked and pending; diag names the holder. RJWT_IO.
 */
RJWT_MUST enum rjwt_err lock_take(struct lock *lock, const struct dir *dir, struct rjwt_diag *diag);
void lock_release(struct lock *lock);

#endif
