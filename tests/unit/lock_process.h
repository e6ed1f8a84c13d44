/* SPDX-License-Identifier: MIT */
/* lock_process.h - processes that hold the lock, or something like it. */
#ifndef RJWT_TEST_LOCK_PROCESS_H
#define RJWT_TEST_LOCK_PROCESS_H

#include "unit.h"

#include <signal.h>
#include <sys/prctl.h>

/* One of the name "a holder" that begins so and then waits for its end, at the latest for ours. */
static inline pid_t
lock_process(bool (*begin)(const char *), const char *name)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, "a holder");
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (begin(name) && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

#endif
