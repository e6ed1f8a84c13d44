/* SPDX-License-Identifier: MIT */
/* Who holds the lock is ended, and nobody else is: not one that has the file open, or has another lock. */
#include "lock_process.h"
#include "keyset/lock_end.h"
#include "keyset/lock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

static char path[256], other[280];

static bool
hold_flock(const char *name)
{
	return flock(open(name, O_RDWR), LOCK_EX) == 0;
}

static bool
hold_last_of_all(const char *name)
{
	return setpriority(PRIO_PROCESS, 0, 19) == 0 && hold_flock(name);
}

static bool
only_open(const char *name)
{
	return open(name, O_RDWR) >= 0;
}

static bool
hold_record_lock(const char *name)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(open(name, O_RDWR), F_SETLK, &whole) == 0;
}

static bool
hold_shared(const char *name)
{
	return flock(open(name, O_RDWR), LOCK_SH) == 0;
}

/* Whether it was killed; a process that lives has a tenth of a second to be. */
static bool
was_killed(pid_t pid, bool wait)
{
	int status = 0;

	if (!wait)
		(void)poll(NULL, 0, 100);
	if (waitpid(pid, &status, wait ? 0 : WNOHANG) == 0)
		return false;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void
lives(pid_t pid)
{
	assert_false(was_killed(pid, false));
	kill(pid, SIGKILL);
	assert_true(was_killed(pid, true));
}

static void
ends(const char *label, bool (*begin)(const char *))
{
	RJWT_CLEAN(fd_clean) int fd = open(path, O_RDWR | O_CLOEXEC);
	char told[64] = "nobody", wanted[64];
	pid_t pid = lock_process(begin, path);

	snprintf(wanted, sizeof(wanted), "process %ld (a holder)", (long)pid);
	lock_end_holder(fd, told, sizeof(told));
	if (strcmp(told, wanted) != 0)
		kill(pid, SIGKILL);
	if (strcmp(told, wanted) != 0 || !was_killed(pid, true))
		fail_msg("%s: %s, not %s", label, told, wanted);
}

static void
spares(const char *label, bool (*begin)(const char *), const char *name)
{
	RJWT_CLEAN(fd_clean) int fd = open(path, O_RDWR | O_CLOEXEC);
	char told[64] = "nobody";
	pid_t pid = lock_process(begin, name);

	lock_end_holder(fd, told, sizeof(told));
	if (strcmp(told, "nobody") != 0)
		fail_msg("%s: %s", label, told);
	lives(pid);
}

static void
test_holder(void **state)
{
	(void)state;
	ends("holds it", hold_flock);
	ends("holds it, and runs last of all", hold_last_of_all);
}

static void
test_others(void **state)
{
	(void)state;
	spares("has it open", only_open, path);
	spares("has a record lock", hold_record_lock, path);
	spares("has a shared lock", hold_shared, path);
	spares("holds another file", hold_flock, other);
}

/* Of two that have it open, the one that holds it. */
static void
test_bystander(void **state)
{
	pid_t pid = lock_process(only_open, path);

	(void)state;
	ends("beside one that has it open", hold_flock);
	lives(pid);
}

static void
test_ourselves(void **state)
{
	RJWT_CLEAN(fd_clean) int fd = open(path, O_RDWR | O_CLOEXEC), closed = -1;
	char told[64] = "nobody";

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	lock_end_holder(fd, told, sizeof(told));
	assert_string_equal(told, "nobody");
	lock_end_holder(closed, told, sizeof(told));
	assert_string_equal(told, "nobody");
}

static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%.200s/rjwt-lock-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	fd = mkstemp(path);
	snprintf(other, sizeof(other), "%s.other", path);
	return fd < 0 || close(fd) != 0 || close(open(other, O_RDWR | O_CREAT, 0600)) != 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path) != 0 || unlink(other) != 0 ? -1 : 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_holder), cmocka_unit_test(test_others),
		cmocka_unit_test(test_bystander), cmocka_unit_test(test_ourselves) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
