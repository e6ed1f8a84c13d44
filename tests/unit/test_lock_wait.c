/* SPDX-License-Identifier: MIT */
/* Waiting for the lock: who is told to hold it, who is ended and when, and what is left after each call that failed. */
#include "folder.h"
#include "keyset/lock.h"
#include "keyset/lock_end.h"

#include <signal.h>
#include <sys/file.h>
#include <time.h>

enum call { FLOCK, FSTAT, FCHMOD, PREAD, PRIVATE, OPENAT, CALLS };
static struct {
	int fails[CALLS];     /* errno; 0: it works */
	unsigned once[CALLS]; /* so many times; 0: always */
	unsigned good[CALLS]; /* before that, so many work */
	unsigned chmods;
	int before; /* errno, when a file is opened well */
	int64_t leap_s, leapt_s;
	ino_t asked[8]; /* whose holders were to be ended, in their order */
	unsigned nasked, pauses;
	bool ends;
} calls;

static bool
due(enum call call)
{
	if (calls.fails[call] == 0)
		return false;
	if (calls.good[call] > 0) {
		calls.good[call]--;
		return false;
	}
	errno = calls.fails[call];
	if (calls.once[call] > 0 && --calls.once[call] == 0)
		calls.fails[call] = 0;
	return true;
}

#define WRAP(type, name, parameters)   \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters

WRAP(int, flock, (int fd, int operation))
{
	return due(FLOCK) ? -1 : __real_flock(fd, operation);
}

WRAP(int, fstat, (int fd, struct stat *status))
{
	return due(FSTAT) ? -1 : __real_fstat(fd, status);
}

WRAP(int, fchmod, (int fd, mode_t mode))
{
	calls.chmods++;
	return due(FCHMOD) ? -1 : __real_fchmod(fd, mode);
}

WRAP(enum rjwt_err, dir_open_at, (const struct dir *dir, const char *name, struct dir *sub, struct rjwt_diag *diag))
{
	return due(PRIVATE) ? diag_fail(diag, RJWT_MEMORY, "private/", "planned")
			    : __real_dir_open_at(dir, name, sub, diag);
}

int __real_openat(int fd, const char *name, int flags, ...);
int __wrap_openat(int fd, const char *name, int flags, ...);
int
__wrap_openat(int fd, const char *name, int flags, ...)
{
	int opened;

	if (strcmp(name, "lock") == 0 && due(OPENAT))
		return -1;
	opened = __real_openat(fd, name, flags, 0600);
	if (opened >= 0 && calls.before != 0)
		errno = calls.before;
	return opened;
}

WRAP(ssize_t, pread, (int fd, void *to, size_t n, off_t at))
{
	return due(PREAD) ? -1 : __real_pread(fd, to, n, at);
}

WRAP(int, clock_gettime, (clockid_t clock, struct timespec *now))
{
	int ret = __real_clock_gettime(clock, now);

	now->tv_sec += calls.leapt_s;
	calls.leapt_s += calls.leap_s;
	return ret;
}

WRAP(int, nanosleep, (const struct timespec *amount, struct timespec *rest))
{
	(void)rest;
	assert_true(amount->tv_sec == 0 && amount->tv_nsec > 0);
	calls.pauses++;
	return 0;
}

WRAP(void, lock_end_holder, (int fd, char *told, size_t size))
{
	struct stat status;

	assert_int_equal(__real_fstat(fd, &status), 0);
	if (calls.nasked < ARRAY_LEN(calls.asked))
		calls.asked[calls.nasked++] = status.st_ino;
	if (calls.ends)
		snprintf(told, size, "process 7 (x)");
}

static int
begin_lock(void **state)
{
	memset(&calls, 0, sizeof(calls));
	if (begin(state) != 0)
		return -1;
	make("private", 0700);
	return 0;
}

static unsigned
blocked(void)
{
	sigset_t set;

	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &set), 0);
	return (unsigned)(sigismember(&set, SIGTERM) == 1) + (unsigned)(sigismember(&set, SIGINT) == 1);
}

/* A file that is locked, with this in it. */
static int
locked_file(const char *name, const char *text)
{
	int fd;

	put(name, text, 0600);
	fd = open(at(name), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(__real_flock(fd, LOCK_EX), 0);
	return fd;
}

static ino_t
number_of(const char *name)
{
	struct stat status;

	assert_int_equal(stat(at(name), &status), 0);
	return status.st_ino;
}

static void
has(const char *name, const char *wanted)
{
	char text[128] = "";
	FILE *file = fopen(at(name), "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(text, wanted);
}

/* --- what is told ----------------------------------------------------------------------------- */

static void
test_told(void **state)
{
	static const struct {
		const char *text, *told;
	} rows[] = { { "", "locked for 30s, last by an unknown program" },
		{ "\n", "locked for 30s, last by an unknown program" },
		{ "process 12 (rjwt-keyd)\n", "locked for 30s, last by process 12 (rjwt-keyd)" },
		{ "no end", "locked for 30s, last by no end" },
		{ "process 12 (a)\nmore\n", "locked for 30s, last by process 12 (a)" } };

	RJWT_CLEAN(fd_clean) int fd = -1;
	struct lock lock = LOCK_NONE;
	struct rjwt_diag diag;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		fd = locked_file("private/lock", rows[i].text);
		calls.leapt_s = 0;
		calls.leap_s = 10;
		EXPECT("held", lock_take(&lock, &folder, 0, &diag), RJWT_BUSY);
		assert_string_equal(diag.text, rows[i].told);
		assert_string_equal(diag.path, folder.path);
		assert_int_equal(blocked(), 0);
		has("private/lock", rows[i].text); /* it is the holder's to write */
		lock_release(&lock);
		close(fd);
	}
	calls.fails[PREAD] = EIO;
	calls.leapt_s = 0;
	fd = locked_file("private/lock", "process 12 (x)\n");
	EXPECT("not read", lock_take(&lock, &folder, 0, &diag), RJWT_BUSY);
	assert_string_equal(diag.text, rows[0].told);
	lock_release(&lock);
	assert_int_equal(calls.nasked, 0); /* without LOCK_END nobody is ended */
}

/* What a function finds on its stack. */
static void __attribute__((noinline)) fill_stack(void)
{
	volatile unsigned char some[16384];

	for (size_t i = 0; i < sizeof(some); i++)
		some[i] = 0xff;
}

/* Four signals wait, and no other; a lock that was not taken changes none. */
static void
test_signals(void **state)
{
	struct lock lock = LOCK_NONE;
	sigset_t set;

	(void)state;
	fill_stack();
	EXPECT("take", lock_take(&lock, &folder, 0, NULL), RJWT_OK);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &set), 0);
	for (int i = 1; i < 32; i++)
		assert_int_equal(sigismember(&set, i), i == SIGTSTP || i == SIGINT || i == SIGHUP || i == SIGTERM);
	lock_release(&lock);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &set, NULL), 0);
	lock = LOCK_NONE;
	lock_release(&lock);
	assert_int_equal(blocked(), 1);
	sigemptyset(&set);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &set, NULL), 0);
}

/* Whoever holds the lock is in it, and nobody before. */
static void
test_holder(void **state)
{
	struct lock lock = LOCK_NONE;
	char wanted[80];

	(void)state;
	put("private/lock", "process 1234567 (of a program with a long name that was there before)\n", 0600);
	EXPECT("take", lock_take(&lock, &folder, 0, NULL), RJWT_OK);
	assert_string_equal(lock.ended, "");
	snprintf(wanted, sizeof(wanted), "process %ld (%.32s)\n", (long)getpid(), program_invocation_short_name);
	has("private/lock", wanted);
	assert_int_equal(blocked(), 2);
	assert_int_equal(calls.pauses, 0);
	lock_release(&lock);
	assert_true(lock.fd == -1 && lock.older == -1);
	assert_int_equal(blocked(), 0);
	lock_release(&lock); /* a second time does nothing */
	assert_int_equal(blocked(), 0);
}

/* --- who is ended ----------------------------------------------------------------------------- */

/* From 20 s on, once a second. */
static void
test_end(void **state)
{
	RJWT_CLEAN(fd_clean) int fd = -1;
	struct lock lock = LOCK_NONE;

	(void)state;
	fd = locked_file("private/lock", "");
	calls.leap_s = 1;
	snprintf(lock.ended, sizeof(lock.ended), "of an earlier call");
	EXPECT("held", lock_take(&lock, &folder, LOCK_END, NULL), RJWT_BUSY);
	assert_string_equal(lock.ended, "");
	assert_int_equal(calls.nasked, ARRAY_LEN(calls.asked)); /* 20 to 29, of which these are noted */
	for (unsigned i = 0; i < calls.nasked; i++)
		assert_int_equal(calls.asked[i], number_of("private/lock"));
	lock_release(&lock);
}

static void
test_end_times(void **state)
{
	static const struct {
		int64_t leap_s;
		unsigned asked, pauses;
	} rows[] = { { 19, 0, 1 }, { 20, 1, 1 }, { 10, 1, 2 }, { 7, 2, 4 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(lock_release) struct lock lock = LOCK_NONE;
		RJWT_CLEAN(fd_clean) int fd = locked_file("private/lock", "");

		assert_true(fd >= 0);
		memset(&calls, 0, sizeof(calls));
		calls.leap_s = rows[i].leap_s;
		calls.ends = true;
		EXPECT("held", lock_take(&lock, &folder, LOCK_END, NULL), RJWT_BUSY);
		if (calls.nasked != rows[i].asked || calls.pauses != rows[i].pauses)
			fail_msg("%d s: %u, %u pauses", (int)rows[i].leap_s, calls.nasked, calls.pauses);
		assert_string_equal(lock.ended, rows[i].asked > 0 ? "process 7 (x)" : "");
	}
}

/* Of two locks the one that is held. */
static void
test_end_older(void **state)
{
	struct lock lock = LOCK_NONE;
	struct rjwt_diag diag;
	int older;

	(void)state;
	older = locked_file("lock", "process 1 (older)\n");
	calls.leap_s = 20;
	EXPECT("held", lock_take(&lock, &folder, LOCK_END, &diag), RJWT_BUSY);
	assert_int_equal(calls.nasked, 1);
	assert_int_equal(calls.asked[0], number_of("lock"));
	assert_string_equal(diag.text, "locked for 40s, last by process 1 (older)");
	close(older);
	lock_release(&lock);
}

/* --- what fails ------------------------------------------------------------------------------- */

static void
test_failing(void **state)
{
	static const struct {
		const char *label, *told;
		enum call call;
		int error;
	} rows[] = { { "flock", "lock: No locks available", FLOCK, ENOLCK },
		{ "fstat", "cannot open lock: Input/output error", FSTAT, EIO },
		{ "fchmod", "cannot chmod lock: Operation not permitted", FCHMOD, EPERM },
		{ "openat", "cannot open lock: Permission denied", OPENAT, EACCES },
		{ "openat, in a directory that is gone", "cannot open lock: No such file or directory", OPENAT,
		    ENOENT } };
	struct lock none = LOCK_NONE;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lock lock = LOCK_NONE;
		struct rjwt_diag diag;

		put("private/lock", "", 0644);
		calls.fails[rows[i].call] = rows[i].error;
		calls.good[FSTAT] = 1; /* the directory's */
		EXPECT(rows[i].label, lock_take(&lock, &folder, 0, &diag), RJWT_IO);
		assert_string_equal(diag.text, rows[i].told);
		calls.fails[rows[i].call] = 0;
		lock_release(&lock);
		assert_int_equal(blocked(), 0);
		EXPECT("twin", lock_take(&lock, &folder, 0, NULL), RJWT_OK);
		assert_int_equal(mode_of("private/lock"), 0600);
		lock_release(&lock);
		assert_int_equal(unlink(at("private/lock")), 0);
	}
	assert_int_equal(rmdir(at("private")), 0);
	EXPECT("no private/", lock_take(&none, &folder, 0, NULL), RJWT_IO);
}

/* What opened well is not taken for missing because of an earlier error, and what has the right mode is left alone. */
static void
test_older(void **state)
{
	struct lock lock = LOCK_NONE;
	struct rjwt_diag diag;

	(void)state;
	calls.fails[PRIVATE] = EIO;
	EXPECT("private/", lock_take(&lock, &folder, 0, &diag), RJWT_MEMORY);
	assert_string_equal(diag.text, "planned");
	calls.fails[PRIVATE] = 0;
	put("private/lock", "", 0600);
	put("lock", "", 0644);
	calls.before = ENOENT;
	EXPECT("both", lock_take(&lock, &folder, 0, &diag), RJWT_OK);
	assert_true(lock.older >= 0);
	assert_int_equal(mode_of("lock"), 0600);
	assert_int_equal(calls.chmods, 1);
	lock_release(&lock);
	for (unsigned good = 0; good < 2; good++) {
		calls.fails[OPENAT] = EACCES;
		calls.good[OPENAT] = good;
		EXPECT("either", lock_take(&lock, &folder, 0, &diag), RJWT_IO);
		assert_string_equal(diag.text, "cannot open lock: Permission denied");
		lock_release(&lock);
	}
}

/* A signal, or another holder: tried again. */
static void
test_again(void **state)
{
	static const int errors[] = { EINTR, EWOULDBLOCK };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		struct lock lock = LOCK_NONE;

		memset(&calls, 0, sizeof(calls));
		calls.fails[FLOCK] = errors[i];
		calls.once[FLOCK] = 3;
		EXPECT("the fourth time", lock_take(&lock, &folder, 0, NULL), RJWT_OK);
		assert_int_equal(calls.pauses, 3);
		assert_int_equal(blocked(), 2);
		lock_release(&lock);
	}
}

#define L(test) cmocka_unit_test_setup_teardown(test, begin_lock, end)

int
main(void)
{
	const struct CMUnitTest tests[] = { L(test_told), L(test_signals), L(test_holder), L(test_end),
		L(test_end_times), L(test_end_older), L(test_failing), L(test_older), L(test_again) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
