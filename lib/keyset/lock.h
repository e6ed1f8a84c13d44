/* SPDX-License-Identifier: MIT */
/*
 * lock.h - the one lock of a keyset: flock(2) on <state>/private/lock, in a directory of mode 0700, so that nobody
 * else can open it, or see from its times when it was held. While it is held, nothing waits for a terminal or a pipe,
 * and SIGTSTP, SIGINT, SIGHUP and SIGTERM are blocked, so that the caller cannot stop us.
 *
 * Version 0.1.0 locked <state>/lock. Where that file exists, it is locked as well.
 */
#ifndef RJWT_LOCK_H
#define RJWT_LOCK_H

#include "base/err.h"
#include "base/file.h"

#include <signal.h>

#define LOCK_WAIT_S 30
#define LOCK_END_S 20 /* with LOCK_END, whoever holds the lock after this time is ended */

enum { LOCK_END = 1 };

struct lock {
	int fd, older;
	bool blocked;
	sigset_t before; /* the signal mask to restore */
	char ended[64];	 /* the process that was ended for it; "": none */
};

#define LOCK_NONE ((struct lock){ .fd = -1, .older = -1 })

/*
 * dir: the state directory, with private/. LOCK_END, for root: a process that still holds the lock after LOCK_END_S is
 * killed, because writers may be killed at any moment, and a revocation must not wait for one that was made to stand
 * still. RJWT_BUSY: still held after LOCK_WAIT_S, or SIGTERM or SIGINT is blocked and pending; diag names the holder.
 * RJWT_IO.
 */
RJWT_MUST enum rjwt_err lock_take(struct lock *lock, const struct dir *dir, int flags, struct rjwt_diag *diag);
void lock_release(struct lock *lock);

#endif
