/* SPDX-License-Identifier: MIT */
/* The lock: one holder, named to those who waited in vain, and no moment at which its caller can stop it. */
#include "folder.h"
#include "keyset/lock.h"
#include "rjwt.h"

#include <sys/file.h>

static const int held[] = { SIGTSTP, SIGINT, SIGHUP, SIGTERM };
static int64_t leap_s; /* the clock continues by so much at each reading */
static int64_t leapt_s;
static unsigned blocked_when_won; /* how many of the signals were, when flock(2) succeeded */
static unsigned pauses, blocked_in_pause;

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __real_nanosleep(const struct timespec *amount, struct timespec *rest);
int __wrap_nanosleep(const struct timespec *amount, struct timespec *rest);

static unsigned
blocked(void)
{
	sigset_t set;
	unsigned n = 0;

	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &set), 0);
	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		n += sigismember(&set, held[i]) == 1;
	return n;
}

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int ret = __real_clock_gettime(clock, now);

	now->tv_sec += leapt_s;
	leapt_s += leap_s;
	return ret;
}

int
__wrap_flock(int fd, int operation)
{
	int ret = __real_flock(fd, operation);

	if (ret == 0)
		blocked_when_won = blocked();
	return ret;
}

int
__wrap_nanosleep(const struct timespec *amount, struct timespec *rest)
{
	pauses++;
	blocked_in_pause += blocked();
	return __real_nanosleep(amount, rest);
}

static int
begin_lock(void **state)
{
	leap_s = leapt_s = 0;
	blocked_when_won = pauses = blocked_in_pause = 0;
	if (begin(state) != 0)
		return -1;
	make("private", 0700);
	return 0;
}

/* Whoever called us may send these, and holds the lock for as long as we are stopped. */
static void
test_signals(void **state)
{
	struct lock lock = LOCK_NONE;
	struct rjwt_diag diag;

	(void)state;
	assert_int_equal(blocked(), 0);
	EXPECT("take", lock_take(&lock, &folder, 0, &diag), RJWT_OK);
	assert_int_equal(blocked_when_won, ARRAY_LEN(held));
	assert_int_equal(blocked(), ARRAY_LEN(held));
	lock_release(&lock);
	assert_int_equal(blocked(), 0);
}

/* A mask that the host had set is the one that it gets back. */
static void
test_mask_restored(void **state)
{
	struct lock lock = LOCK_NONE;
	sigset_t before, after;

	(void)state;
	sigemptyset(&before);
	sigaddset(&before, SIGHUP);
	sigaddset(&before, SIGUSR1);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
	EXPECT("take", lock_take(&lock, &folder, 0, NULL), RJWT_OK);
	lock_release(&lock);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
	for (int i = 1; i < 32; i++)
		assert_int_equal(sigismember(&before, i), sigismember(&after, i));
	sigemptyset(&before);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
}

static void
test_holder_named(void **state)
{
	struct lock first = LOCK_NONE, second = LOCK_NONE;
	struct rjwt_diag diag;
	char wanted[64];

	(void)state;
	EXPECT("first", lock_take(&first, &folder, 0, &diag), RJWT_OK);
	/* Here the two are one process: what the first blocked must not count for the second. */
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &first.before, NULL), 0);
	leap_s = 10;
	EXPECT("second", lock_take(&second, &folder, 0, &diag), RJWT_BUSY);
	assert_int_equal(pauses, 2); /* 10 s, 20 s; at 30 s it is over */
	assert_int_equal(blocked_in_pause, 0);
	assert_int_equal(blocked(), 0);
	snprintf(wanted, sizeof(wanted), "last by process %ld (%.32s)", (long)getpid(), program_invocation_short_name);
	CHECK(diag.text, strstr(diag.text, wanted) != NULL);
	CHECK(diag.text, strstr(diag.text, "30s") != NULL);
	assert_string_equal(diag.path, folder.path);
	lock_release(&second);
	lock_release(&first);
	EXPECT("after", lock_take(&second, &folder, 0, &diag), RJWT_OK);
	lock_release(&second);
}

/* A daemon that is to end does not wait for the lock. */
static void
test_told_to_end(void **state)
{
	static const int signals[] = { SIGHUP, SIGTERM, SIGINT };
	struct lock first = LOCK_NONE, second = LOCK_NONE;
	sigset_t before, none;

	(void)state;
	EXPECT("first", lock_take(&first, &folder, 0, NULL), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct timespec now = { 0, 0 };

		sigemptyset(&before);
		sigaddset(&before, signals[i]);
		assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
		assert_int_equal(raise(signals[i]), 0);
		leap_s = 10;
		pauses = 0;
		EXPECT("second", lock_take(&second, &folder, 0, NULL), RJWT_BUSY);
		assert_int_equal(pauses, signals[i] == SIGHUP ? 2 : 0);
		lock_release(&second);
		assert_int_equal(sigtimedwait(&before, NULL, &now), signals[i]);
	}
	sigemptyset(&none);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &none, NULL), 0);
	first.blocked = false;
	lock_release(&first);
}

/* Nobody but its owner may hold it open, whatever umask was handed on and whatever stood there before. */
static void
test_private(void **state)
{
	static const mode_t masks[] = { 0, 022, 0777 };
	struct lock open_one = LOCK_NONE;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
		struct lock lock = LOCK_NONE;

		umask(masks[i]);
		EXPECT("take", lock_take(&lock, &folder, 0, NULL), RJWT_OK);
		umask(022);
		lock_release(&lock);
		assert_int_equal(mode_of("private/lock"), 0600);
		assert_int_equal(unlink(at("private/lock")), 0);
	}
	put("private/lock", "", 0666);
	EXPECT("an open one", lock_take(&open_one, &folder, 0, NULL), RJWT_OK);
	assert_int_equal(mode_of("private/lock"), 0600);
	lock_release(&open_one);
}

/* A program of 0.1.0 that still runs locks another file: neither works beside the other, and none is made for it. */
static void
test_older_lock(void **state)
{
	struct lock lock = LOCK_NONE, again = LOCK_NONE;
	int older;

	(void)state;
	EXPECT("none", lock_take(&lock, &folder, 0, NULL), RJWT_OK);
	lock_release(&lock);
	assert_int_equal(access(at("lock"), F_OK), -1);
	put("lock", "process 1 (older)\n", 0600);
	older = open(at("lock"), O_RDWR | O_CLOEXEC);
	assert_true(older >= 0);
	assert_int_equal(__real_flock(older, LOCK_EX), 0);
	leap_s = 10;
	EXPECT("held", lock_take(&lock, &folder, 0, NULL), RJWT_BUSY);
	lock_release(&lock);
	leap_s = 0;
	assert_int_equal(__real_flock(older, LOCK_UN), 0);
	EXPECT("free", lock_take(&again, &folder, 0, NULL), RJWT_OK);
	assert_int_equal(__real_flock(older, LOCK_EX | LOCK_NB), -1);
	lock_release(&again);
	assert_int_equal(__real_flock(older, LOCK_EX | LOCK_NB), 0);
	close(older);
}

static void
test_link_refused(void **state)
{
	struct lock lock = LOCK_NONE;
	struct rjwt_diag diag;

	(void)state;
	put("elsewhere", "kept", 0600);
	assert_int_equal(symlink("elsewhere", at("private/lock")), 0);
	EXPECT("a link", lock_take(&lock, &folder, 0, &diag), RJWT_IO);
	CHECK(diag.text, strstr(diag.text, "cannot open lock") != NULL);
	lock_release(&lock);
	assert_int_equal(blocked(), 0);
	assert_int_equal(unlink(at("private/lock")), 0);
	EXPECT("none", lock_take(&lock, &folder, 0, &diag), RJWT_OK);
	lock_release(&lock);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_signals, begin_lock, end),
		cmocka_unit_test_setup_teardown(test_mask_restored, begin_lock, end),
		cmocka_unit_test_setup_teardown(test_holder_named, begin_lock, end),
		cmocka_unit_test_setup_teardown(test_told_to_end, begin_lock, end),
		cmocka_unit_test_setup_teardown(test_private, begin_lock, end),
		cmocka_unit_test_setup_teardown(test_older_lock, begin_lock, end),
		cmocka_unit_test_setup_teardown(test_link_refused, begin_lock, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
