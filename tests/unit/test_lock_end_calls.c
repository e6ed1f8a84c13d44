/* SPDX-License-Identifier: MIT */
/*
 * Ending a holder, call by call: who is looked at, and that nobody is ended, or told to be, when a call failed or another
 * file was found. test_lock_end.c has it with nothing in between.
 */
#include "lock_process.h"
#include "base/file.h"
#include "keyset/lock_end.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static pid_t held; /* the process that is to be looked at */

/* The calls that a test stands between, what they are to do, and how often they were made. */
enum call { FSTAT, LOCKS, FDINFO, COMM, OPEN, FSTATAT, EACH, PIDFD, SIGNAL, SCHEDULER, PRIORITY, CALLS };
static struct {
	bool on, other_device, other_file, to_zero[CALLS];
	bool fails[CALLS];
	unsigned n[CALLS];
	char locks[300];  /* in place of /proc/locks; "": the real one */
	char fdinfo[100]; /* the same for /proc/PID/fdinfo/N */
	bool twice;	  /* the holder has another descriptor, without the lock, behind that */
	pid_t sped_up;
	int policy, nice;
} calls;
static char path[256];
static struct stat lock_status;

static bool
due(enum call call)
{
	if (!calls.on)
		return false;
	calls.n[call]++;
	if (calls.fails[call])
		errno = EIO;
	return calls.fails[call];
}

/* Descriptor 0 is one as any other. */
static int
moved(enum call call, int fd)
{
	if (!calls.on || !calls.to_zero[call] || fd < 0)
		return fd;
	assert_int_equal(dup2(fd, 0), 0);
	close(fd);
	return 0;
}

#define WRAP(type, name, parameters)   \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters

WRAP(int, fstat, (int fd, struct stat *status))
{
	return due(FSTAT) ? -1 : __real_fstat(fd, status);
}

WRAP(FILE *, fopen, (const char *name, const char *mode))
{
	enum call call = strstr(name, "/fdinfo/") != NULL ? FDINFO : strstr(name, "/comm") != NULL ? COMM : LOCKS;

	if (due(call))
		return NULL;
	if (calls.on && call == LOCKS && calls.locks[0] != '\0')
		return fmemopen(calls.locks, strlen(calls.locks), "r");
	if (calls.on && call == FDINFO && calls.fdinfo[0] != '\0')
		return fmemopen(calls.fdinfo, strlen(calls.fdinfo), "r");
	return __real_fopen(name, mode);
}

int __real_open(const char *name, int flags, ...);
int __wrap_open(const char *name, int flags, ...);
int
__wrap_open(const char *name, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = va_arg(args, int);
	va_end(args);
	return due(OPEN) ? -1 : moved(OPEN, __real_open(name, flags, mode));
}

WRAP(int, fstatat, (int fd, const char *name, struct stat *status, int flags))
{
	if (due(FSTATAT)) {
		*status = lock_status; /* what is there after a failure says nothing */
		return -1;
	}
	if (__real_fstatat(fd, name, status, flags) != 0)
		return -1;
	if (calls.on && calls.other_device)
		status->st_dev++;
	if (calls.on && calls.other_file)
		status->st_ino++;
	return 0;
}

WRAP(enum rjwt_err, dir_each,
    (const struct dir *dir, enum rjwt_err (*each)(void *, const char *), void *context, struct rjwt_diag *diag))
{
	enum rjwt_err err = __real_dir_each(dir, each, context, diag);

	return due(EACH) ? RJWT_IO : err;
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long
__wrap_syscall(long number, ...)
{
	va_list args;
	long a, b, c, d;

	va_start(args, number);
	a = va_arg(args, long);
	b = va_arg(args, long);
	c = va_arg(args, long);
	d = va_arg(args, long);
	va_end(args);
	if (number == SYS_pidfd_open)
		assert_true(
		    a > 1 && (pid_t)a != getpid()); /* neither init, nor one of another namespace, nor ourselves */
	if (number == SYS_pidfd_open && (pid_t)a != held) /* somebody else on this machine has a lock, too */
		return __real_syscall(number, a, (unsigned long)b & 0xffffffff);
	if (number == SYS_pidfd_open)
		return due(PIDFD) ? -1 : moved(PIDFD, (int)__real_syscall(number, a, (unsigned long)b & 0xffffffff));
	if (number == SYS_pidfd_send_signal)
		return due(SIGNAL) ? -1 : __real_syscall(number, a, b, c, (unsigned long)d & 0xffffffff);
	return __real_syscall(number, a, b, c, d);
}

WRAP(int, sched_setscheduler, (pid_t pid, int policy, const struct sched_param *param))
{
	if (due(SCHEDULER))
		return -1;
	calls.sped_up = pid;
	calls.policy = policy;
	return __real_sched_setscheduler(pid, policy, param);
}

WRAP(int, setpriority, (__priority_which_t which, id_t who, int nice))
{
	if (due(PRIORITY))
		return -1;
	calls.nice = nice;
	return __real_setpriority(which, who, nice);
}

/* --- processes -------------------------------------------------------------------------------- */

static bool
hold(const char *name)
{
	return flock(__real_open(name, O_RDWR, 0), LOCK_EX) == 0 && (!calls.twice || __real_open(name, O_RDWR, 0) >= 0);
}

static pid_t
holder(void)
{
	return held = lock_process(hold, path);
}

static unsigned
descriptors(void)
{
	DIR *all = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(all) != NULL)
		n++;
	closedir(all);
	return n;
}

/* One call of lock_end_holder(), told as what; then the process is gone, however that came. */
static bool
ended(char told[static 64], pid_t pid)
{
	RJWT_CLEAN(fd_clean) int fd = __real_open(path, O_RDWR | O_CLOEXEC, 0);
	unsigned before = descriptors();
	int status = 0;

	strcpy(told, "nobody");
	calls.on = true;
	lock_end_holder(fd, told, 64);
	calls.on = false;
	if (!calls.to_zero[OPEN] && !calls.to_zero[PIDFD])
		assert_int_equal(descriptors(), before);
	if (strcmp(told, "nobody") == 0)
		(void)poll(NULL, 0, 20);
	assert_int_equal(kill(pid, 0), 0); /* at least as a zombie */
	if (waitpid(pid, &status, strcmp(told, "nobody") == 0 ? WNOHANG : 0) != 0)
		return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return false;
}

static void
ends(const char *label)
{
	char told[64], wanted[64];
	pid_t pid = holder();
	bool is_ended = ended(told, pid);

	snprintf(wanted, sizeof(wanted), "process %ld (%s)", (long)pid, calls.fails[COMM] ? "" : "a holder");
	if (!is_ended || strcmp(told, wanted) != 0)
		fail_msg("%s: %s, %s", label, is_ended ? "ended" : "spared", told);
	if (calls.sped_up != pid || calls.policy != SCHED_OTHER || calls.nice != -20)
		fail_msg("%s: it may be the last to run", label);
	memset(&calls, 0, sizeof(calls));
}

/* looks: whether the process is looked at: once or more, as /proc/locks is read in pieces, and shows the last lock again
 * where somebody else on this machine locks a file in between. */
static void
spares(const char *label, bool looks)
{
	char told[64];
	pid_t pid = holder();

	if (ended(told, pid) || strcmp(told, "nobody") != 0)
		fail_msg("%s: %s", label, told);
	if ((calls.n[PIDFD] != 0) != looks)
		fail_msg("%s: looked at %u times", label, calls.n[PIDFD]);
	if (!calls.fails[SIGNAL] && calls.n[SCHEDULER] + calls.n[PRIORITY] != 0)
		fail_msg("%s: its turn was changed", label);
	memset(&calls, 0, sizeof(calls));
}

/* --- tests ------------------------------------------------------------------------------------ */

static void
test_failing(void **state)
{
	static const struct {
		enum call call;
		const char *label;
		bool looks;
	} rows[] = { { FSTAT, "fstat", false }, { LOCKS, "/proc/locks", false }, { FDINFO, "fdinfo", true },
		{ OPEN, "open", true }, { FSTATAT, "fstatat", true }, { EACH, "the list of descriptors", true },
		{ PIDFD, "pidfd_open", true }, { SIGNAL, "pidfd_send_signal", true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		calls.fails[rows[i].call] = true;
		spares(rows[i].label, rows[i].looks);
	}
	calls.fails[FSTAT] = true;
	ended((char[64]){ "" }, holder());
	assert_int_equal(calls.n[LOCKS], 0);
	memset(&calls, 0, sizeof(calls));
	calls.fails[COMM] = true;
	ends("a name that cannot be read");
	ends("nothing fails");
}

static void
test_other_files(void **state)
{
	(void)state;
	calls.other_device = true;
	spares("another device", true);
	calls.other_file = true;
	spares("another file", true);
}

/* What the kernel says of a descriptor: a line of its own for each lock, anywhere. */
static void
test_fdinfo(void **state)
{
	static const struct {
		const char *text;
		bool ends;
	} rows[] = { { "pos:\t0\nflags:\t02\n", false },
		{ "lock:\t1: POSIX  ADVISORY  WRITE 1 00:00:1 0 EOF\n", false }, { "flags:\tFLOCK\n", false },
		{ "lock:\t1: FLOCK  ADVISORY  WRITE 1 00:00:1 0 EOF\n", true },
		{ "pos:\t0\nlock:\t1: FLOCK  ADVISORY  WRITE 1 00:00:1 0 EOF\nmore:\t0\n", true },
		{ "lock:\t1: FLOCK  ADVISORY  WRITE 1 00:00:1 0 EOF\nmore:\t0\nmore:\t0\n", true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(calls.fdinfo, sizeof(calls.fdinfo), "%s", rows[i].text);
		if (rows[i].ends)
			ends(rows[i].text);
		else
			spares(rows[i].text, true);
	}
	calls.twice = true;
	ends("two descriptors");
}

/* Of a descriptor that is 0 nothing else is to be thought. */
static void
test_descriptor_zero(void **state)
{
	int kept = fcntl(0, F_DUPFD_CLOEXEC, 3);

	(void)state;
	calls.to_zero[OPEN] = true;
	ends("/proc/PID/fd");
	calls.to_zero[PIDFD] = true;
	ends("the process");
	if (kept >= 0) {
		assert_int_equal(dup2(kept, 0), 0);
		close(kept);
	}
}

/* Lines of /proc/locks, with the process that holds it, or a number. */
static void
test_lines(void **state)
{
	static const struct {
		const char *kind, *digit, *more, *label;
		long pid; /* 0: the holder's */
		unsigned looks;
	} rows[] = { { "POSIX  ADVISORY  WRITE", "", "", "a record lock", 0, 0 },
		{ "FLOCK  ADVISORY  READ", "", "", "a shared lock", 0, 0 },
		{ "FLOCK  ADVISORY  WRITE", "1", "", "another file", 0, 0 },
		{ "-> FLOCK  ADVISORY  WRITE", "", "", "one that waits", 0, 0 },
		{ "FLOCK  ADVISORY  WRITE", "", "", "process 1", 1, 0 },
		{ "FLOCK  ADVISORY  WRITE", "", "", "of another namespace", -1, 0 },
		{ "FLOCK  ADVISORY  WRITE", "", "", "ours", -2, 0 },
		{ "FLOCK  ADVISORY  WRITE", "", "2: POSIX  ADVISORY  WRITE 7 00:00:7 0 EOF\n", "a line behind it", 0,
		    1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		pid_t pid = holder();
		char told[64];
		bool is_ended;

		snprintf(calls.locks, sizeof(calls.locks), "1: %s %ld 00:00:%s%llu 0 EOF\n%s", rows[i].kind,
		    rows[i].pid == 0	? (long)pid
		    : rows[i].pid == -2 ? (long)getpid()
					: rows[i].pid,
		    rows[i].digit, (unsigned long long)lock_status.st_ino, rows[i].more);
		is_ended = ended(told, pid);
		if (is_ended != (rows[i].looks == 1) || calls.n[PIDFD] != rows[i].looks)
			fail_msg("%s: %s, %u looked at", rows[i].label, told, calls.n[PIDFD]);
		memset(&calls, 0, sizeof(calls));
	}
}

static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%.200s/rjwt-lock-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	fd = mkstemp(path);
	return fd < 0 || __real_fstat(fd, &lock_status) != 0 || close(fd) != 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_failing), cmocka_unit_test(test_other_files),
		cmocka_unit_test(test_fdinfo), cmocka_unit_test(test_descriptor_zero), cmocka_unit_test(test_lines) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
