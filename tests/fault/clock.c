/* SPDX-License-Identifier: MIT */
/*
 * Preloaded: the program sees clocks that a test moves while it runs.
 *
 *	RJWT_CLOCK_FILE		"WALL BOOT": seconds by which CLOCK_REALTIME and CLOCK_BOOTTIME are off. Read at
 *				each call, so replace it by rename; missing: "0 0"
 *	RJWT_CLOCK_BOOT_ID	is read in place of /proc/sys/kernel/random/boot_id
 *
 * When WALL changes and BOOT as much, time has passed; when it does not, somebody has set the clock. Then a
 * timer with TFD_TIMER_CANCEL_ON_SET does what timerfd_create(2) says: poll(2) wakes, and the first read, or
 * timerfd_settime, which arms it all the same, fails with ECANCELED. The real timer is set by the real clock.
 *
 * A file with .next at the end of its name takes the clock file's place just before a timer is armed: the
 * clock that is set between a look at it and the sleep.
 */
#undef _FORTIFY_SOURCE /* with clang its functions are overloaded, and have no address */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#pragma GCC visibility push(default) /* all that has a name of libc's is to be found in its place */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define SLICE_MS 20 /* how often a sleeper looks whether the clock was set */
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

struct shift {
	long long wall_s, boot_s;
};

/* The one timer that a program of ours has. */
static struct {
	int fd;		       /* -1: none that tells of a clock set */
	struct shift seen;     /* when it was told last */
	bool cancels;	       /* armed with TFD_TIMER_CANCEL_ON_SET */
	struct itimerspec due; /* absolute, by the clock that the program sees */
	struct shift armed;    /* when the real one was set */
} timer = { .fd = -1 };

static struct shift
shift_now(void)
{
	const char *path = getenv("RJWT_CLOCK_FILE");
	struct shift shift = { 0, 0 };
	char text[64] = "";
	int fd, saved = errno;

	fd = path == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (syscall(SYS_read, fd, text, sizeof(text) - 1) <= 0 ||
		    sscanf(text, "%lld %lld", &shift.wall_s, &shift.boot_s) != 2)
			abort(); /* a test that is wrong must not pass */
		(void)syscall(SYS_close, fd);
	}
	errno = saved;
	return shift;
}

/* Out of step with what was seen: the clock was set. */
static bool
was_set(const struct shift *seen, const struct shift *now)
{
	return now->wall_s - seen->wall_s != now->boot_s - seen->boot_s;
}

/* --- clocks ----------------------------------------------------------------------------------- */

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	int ret = REAL(clock_gettime)(clock, now);
	struct shift shift;

	if (ret != 0)
		return ret;
	shift = shift_now();
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		now->tv_sec += shift.wall_s;
	else if (clock == CLOCK_BOOTTIME)
		now->tv_sec += shift.boot_s;
	return 0;
}

time_t
time(time_t *to)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (to != NULL)
		*to = now.tv_sec;
	return now.tv_sec;
}

int
open(const char *path, int flags, ...)
{
	const char *boot_id = getenv("RJWT_CLOCK_BOOT_ID");
	mode_t mode = 0;
	va_list args;

	if ((flags & O_CREAT) != 0) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return REAL(open)(boot_id != NULL && strcmp(path, BOOT_ID) == 0 ? boot_id : path, flags, mode);
}

/* --- the timer -------------------------------------------------------------------------------- */

/* The real timer, when the clock that the program sees shows the time that it wants. */
static int
arm(int flags, struct itimerspec *old)
{
	struct itimerspec real = timer.due;

	timer.armed = shift_now();
	real.it_value.tv_sec -= timer.armed.wall_s;
	if (real.it_value.tv_sec < 0) /* long past; 0 0 would disarm it */
		real.it_value = (struct timespec){ .tv_nsec = 1 };
	return REAL(timerfd_settime)(timer.fd, flags & ~TFD_TIMER_CANCEL_ON_SET, &real, old);
}

/* Once for each time that the clock was set. */
static bool
cancelled(void)
{
	struct shift now = shift_now();
	bool set = timer.cancels && was_set(&timer.seen, &now);

	timer.seen = now;
	if (set)
		errno = ECANCELED;
	return set;
}

int
timerfd_create(clockid_t clock, int flags)
{
	int fd = REAL(timerfd_create)(clock, flags);

	if (fd >= 0 && clock == CLOCK_REALTIME) {
		timer.fd = fd;
		timer.cancels = false;
		timer.seen = shift_now();
	}
	return fd;
}

int
timerfd_settime(int fd, int flags, const struct itimerspec *due, struct itimerspec *old)
{
	const char *path = getenv("RJWT_CLOCK_FILE");
	char next[PATH_MAX];

	if (fd != timer.fd || (flags & TFD_TIMER_ABSTIME) == 0)
		return REAL(timerfd_settime)(fd, flags, due, old);
	if (path != NULL && snprintf(next, sizeof(next), "%s.next", path) < PATH_MAX)
		(void)rename(next, path);
	timer.due = *due;
	timer.cancels = (flags & TFD_TIMER_CANCEL_ON_SET) != 0;
	if (arm(flags, old) != 0)
		return -1;
	return cancelled() ? -1 : 0;
}

ssize_t
read(int fd, void *p, size_t n)
{
	if (fd >= 0 && fd == timer.fd && cancelled())
		return -1;
	return REAL(read)(fd, p, n);
}

/* Marks the timer as ready when the clock was set; when time has passed, it may be due by now. */
static int
look_at_timer(struct pollfd *fds, nfds_t n)
{
	struct shift now = shift_now();

	for (nfds_t i = 0; i < n; i++) {
		if (fds[i].fd != timer.fd || timer.fd < 0)
			continue;
		if (timer.cancels && was_set(&timer.seen, &now)) {
			for (nfds_t j = 0; j < n; j++)
				fds[j].revents = 0;
			fds[i].revents = POLLIN;
			return 1;
		}
		if (now.wall_s != timer.armed.wall_s && arm(TFD_TIMER_ABSTIME, NULL) != 0)
			return -1;
	}
	return 0;
}

int
poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	for (;;) {
		int slice = timeout_ms < 0 || timeout_ms > SLICE_MS ? SLICE_MS : timeout_ms;
		int ready = look_at_timer(fds, n);

		if (ready == 0)
			ready = REAL(poll)(fds, n, slice);
		if (ready != 0 || timeout_ms == slice)
			return ready;
		timeout_ms -= timeout_ms < 0 ? 0 : slice;
	}
}
