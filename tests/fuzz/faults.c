/* SPDX-License-Identifier: MIT */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PLANS 3

struct fault_plan {
	unsigned kind, nth; /* the nth call of this kind, from 1 */
	bool stays;	    /* and all after it */
	int error;
};

static struct fault_plan plans[PLANS];
static size_t nplans;
static unsigned calls[FAULT_KINDS], hits[FAULT_KINDS];
static int64_t pause_s; /* by which the monotonic clock went on */

struct rjwt_time faults_clock;
const char *faults_host = "Host.example";
const char *faults_machine = "00112233445566778899aabbccddeeff\n";
const char *faults_spool;

void
faults_now(void *context, struct rjwt_time *now)
{
	(void)context;
	*now = faults_clock;
}

static const struct fault_plan *
plan_due(enum fault_kind kind)
{
	for (size_t i = 0; i < nplans; i++) {
		const struct fault_plan *p = &plans[i];
		unsigned count = calls[p->kind];

		if (p->kind != FAULT_ANY && p->kind != kind)
			continue;
		/* What is interrupted for ever is tried again for ever. */
		if (count == p->nth || (p->stays && p->error != EINTR && count > p->nth))
			return p;
	}
	return NULL;
}

static bool
is_due(enum fault_kind kind, const char *name)
{
	const struct fault_plan *p;

	(void)name;
	calls[FAULT_ANY]++;
	calls[kind]++;
	p = plan_due(kind);
	if (p == NULL)
		return false;
	hits[FAULT_ANY]++;
	hits[kind]++;
	errno = kind == FAULT_MEMORY ? ENOMEM : p->error;
	return true;
}

ssize_t __real_write(int fd, const void *p, size_t n);

/* A file that is made up, as a pipe. */
static int
open_text(const char *text)
{
	int ends[2];

	if (text == NULL) {
		errno = ENOENT;
		return -1;
	}
	if (pipe2(ends, O_CLOEXEC) != 0 || __real_write(ends[1], text, strlen(text)) < 0)
		fuzz_broken("no pipe");
	close(ends[1]);
	return ends[0];
}

/* What carriers bring is below faults_spool. */
static int
open_in_spool(const char *name)
{
	bool before = faults_pause();
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s%s", faults_spool, name + strlen(RJWT_SPOOL_DIR));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	faults_resume(before);
	return fd;
}

static int
open_of_host(const char *name)
{
	if (faults_spool != NULL && strncmp(name, RJWT_SPOOL_DIR, strlen(RJWT_SPOOL_DIR)) == 0)
		return open_in_spool(name);
	if (strcmp(name, "/etc/machine-id") == 0)
		return open_text(faults_machine);
	if (strcmp(name, "/proc/sys/kernel/random/boot_id") == 0)
		return open_text(faults_clock.boot_id);
	if (strcmp(name, "rjwt") != 0) /* of the host's /etc and /var/lib */
		return WRAPPED_REAL;
	errno = ENOENT;
	return -1;
}

void
faults_arm(struct rest *rest)
{
	static const int errors[] = { EIO, ENOSPC, EACCES, EMFILE, EINTR, EROFS, ENOMEM, EWOULDBLOCK, ELOOP, ENXIO,
		EPERM, EOPNOTSUPP };

	memset(calls, 0, sizeof(calls));
	memset(hits, 0, sizeof(hits));
	nplans = take_below(rest, PLANS + 1);
	for (size_t i = 0; i < nplans; i++) {
		unsigned how;

		plans[i].kind = take_below(rest, FAULT_KINDS);
		plans[i].nth = take_byte(rest) + 1;
		how = take_byte(rest);
		plans[i].stays = (how & 1) != 0;
		if ((how & 2) != 0)
			plans[i].nth += 256 * (how >> 6);
		plans[i].error = errors[(how >> 2) % (ARRAY_LEN(errors))];
	}
	wrapped_open = open_of_host;
	wrapped_plan = is_due;
}

unsigned
faults_disarm(void)
{
	wrapped_plan = NULL;
	return hits[FAULT_ANY];
}

bool
faults_pause(void)
{
	bool before = wrapped_plan != NULL;

	wrapped_plan = NULL;
	return before;
}

void
faults_resume(bool before)
{
	wrapped_plan = before ? is_due : NULL;
}

bool
faults_wrote(void)
{
	bool did = wrapped_wrote;

	wrapped_wrote = false;
	return did;
}

/* --- what is the host's own ------------------------------------------------------------------ */

WRAP(int, gethostname, (char *to, size_t n))
{
	if (fault_due(FAULT_LOOK, "gethostname"))
		return -1;
	if (wrapped_plan == NULL)
		return __real_gethostname(to, n);
	snprintf(to, n, "%s", faults_host);
	return 0;
}

WRAP(int, clock_gettime, (clockid_t id, struct timespec *to))
{
	if (wrapped_plan == NULL)
		return __real_clock_gettime(id, to);
	*to = (struct timespec){ .tv_sec = id == CLOCK_REALTIME	  ? faults_clock.wall_s
					   : id == CLOCK_BOOTTIME ? faults_clock.boot_s
								  : pause_s };
	return 0;
}

WRAP(time_t, time, (time_t * to))
{
	return wrapped_plan != NULL && to == NULL ? (time_t)faults_clock.wall_s : __real_time(to);
}

WRAP(int, nanosleep, (const struct timespec *wanted, struct timespec *left))
{
	if (wrapped_plan == NULL)
		return __real_nanosleep(wanted, left);
	pause_s += 7; /* a lock is waited for by many short ones */
	return 0;
}
