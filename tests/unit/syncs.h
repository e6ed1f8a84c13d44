/* SPDX-License-Identifier: MIT */
/*
 * syncs.h - fsync(2) between us and the C library, in a program linked with -Wl,--wrap=fsync: which files were
 * synced since syncs_begin(), and one call that fails.
 */
#ifndef RJWT_SYNCS_H
#define RJWT_SYNCS_H

#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYNCS_MAX 64

static ino_t syncs[SYNCS_MAX]; /* the first ones, in their order */
static unsigned nsyncs, failing;

int __real_fsync(int fd);
int __wrap_fsync(int fd);

/* Forget those before; the k-th from now fails, and is not counted as done. 0: none. */
static inline void
syncs_begin(unsigned k)
{
	nsyncs = 0;
	failing = k;
}

int
__wrap_fsync(int fd)
{
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	if (failing == nsyncs + 1) {
		failing = 0;
		errno = EIO;
		return -1;
	}
	if (nsyncs < SYNCS_MAX)
		syncs[nsyncs++] = status.st_ino;
	return __real_fsync(fd);
}

/* A file below state, by its name. */
static inline bool
synced(const struct fixture *f, const char *name)
{
	struct stat status;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", f->state, name);
	assert_int_equal(stat(path, &status), 0);
	for (unsigned i = 0; i < nsyncs; i++)
		if (syncs[i] == status.st_ino)
			return true;
	return false;
}

#endif
