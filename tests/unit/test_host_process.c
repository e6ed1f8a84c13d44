/* SPDX-License-Identifier: MIT */
/*
 * sshd and sudo lend us their process: after a login it is as it was, whatever the verdict, and after a thousand
 * of them, of which each loads the module and unloads it.
 */
#include "pam_driver.h"

#include <openssl/err.h>

#include <dirent.h>
#include <limits.h>
#include <locale.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 1000
#define GROWTH_MAX 65536 /* bytes, from round 10 on */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__ /* it keeps what was freed */
#define MEMORY_IS_ITS_OWN false
#else
#define MEMORY_IS_ITS_OWN true
#endif

static char authtok[4096];

static int
setup(void **state)
{
	*state = fixture_new_real("");
	return 0;
}

/* Issued just now; once: how a one-time token is told from others by its jti, NULL: reusable. */
static char *
token(struct fixture *f, const char *once)
{
	const int64_t now_s = time(NULL);
	const struct edit edits[] = { edit_time('c', "iat", now_s - 1), edit_time('c', "exp", now_s + 3000),
		{ 'c', "jti", once == NULL ? "\"a1\"" : once }, { 'c', "once", once == NULL ? "false" : "true" },
		{ 0, NULL, NULL } };

	return token_with(f, edits);
}

static int
login(struct fixture *f, const char *stack, const char *reply)
{
	struct talk talk = { .replies = { reply } };

	return driver_login(f, stack, "sshd", "alice", &talk, authtok);
}

/* --- what of a process is everybody's, in words ----------------------------------------------- */

static int
entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static void
describe_signals(struct buf *out)
{
	sigset_t blocked;

	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &blocked), 0);
	for (int i = 1; i < NSIG; i++) {
		struct sigaction action = { .sa_flags = 0 };

		(void)sigaction(i, NULL, &action);
		buf_addf(out, "%d %d %d %d\n", i, sigismember(&blocked, i), action.sa_flags,
		    action.sa_handler == SIG_DFL);
	}
}

static void
describe_limits(struct buf *out)
{
	for (int i = 0; i < 3; i++) {
		struct itimerval timer = { .it_value = { 0 } };

		assert_int_equal(getitimer((__itimer_which_t)i, &timer), 0);
		buf_addf(out, "timer %d %lld %lld\n", i, (long long)timer.it_value.tv_sec,
		    (long long)timer.it_interval.tv_sec);
	}
	for (int i = 0; i < (int)RLIM_NLIMITS; i++) {
		struct rlimit limit = { 0, 0 };

		assert_int_equal(getrlimit((__rlimit_resource_t)i, &limit), 0);
		buf_addf(out, "limit %d %llu %llu\n", i, (unsigned long long)limit.rlim_cur,
		    (unsigned long long)limit.rlim_max);
	}
}

static void
describe_process(struct buf *out)
{
	RJWT_CLEAN(buf_clear) struct buf all = { 0 };
	char cwd[4096], hex[DIGEST_HEX];
	mode_t mask = umask(0);

	umask(mask);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	buf_addf(out, "umask %o cwd %s uid %d %d locale %s threads %d children %d descriptors %d errors %lx\n", mask,
	    cwd, (int)getuid(), (int)geteuid(), setlocale(LC_ALL, NULL), entries("/proc/self/task"),
	    waitid(P_ALL, 0, &(siginfo_t){ 0 }, WEXITED | WNOHANG | WNOWAIT), entries("/proc/self/fd"),
	    ERR_peek_error());
	describe_signals(out);
	describe_limits(out);
	for (char **p = environ; *p != NULL; p++)
		buf_addf(&all, "%s\n", *p);
	want("digest", digest_hex(buf_view(&all), hex), RJWT_OK); /* a log is no place for all of it */
	buf_addf(out, "environ %s\n", hex);
}

static void
test_any_verdict(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *good = token(f, NULL);
	RJWT_CLEAN(free_clean) char *once = token(f, "\"b\"");
	const struct {
		const char *reply;
		int ret;
	} rows[] = { { good, PAM_SUCCESS }, { once, PAM_SUCCESS }, { SHAPED, PAM_AUTH_ERR }, { "secret", PAM_AUTH_ERR },
		{ NO_REPLY, PAM_CONV_ERR } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf before = { 0 };
		RJWT_CLEAN(buf_clear) struct buf after = { 0 };

		describe_process(&before);
		assert_int_equal(login(f, RJWT_ALONE, rows[i].reply), rows[i].ret);
		describe_process(&after);
		assert_string_equal(before.p, after.p);
	}
}

/* The host's own errors, locale and handlers stay, too. */
static void
test_hosts_own(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *good = token(f, NULL);
	RJWT_CLEAN(buf_clear) struct buf before = { 0 };
	RJWT_CLEAN(buf_clear) struct buf after = { 0 };

	ERR_raise(ERR_LIB_USER, 42);
	assert_int_equal(sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 100000, 0 } }, NULL), 0);
	assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
	assert_int_equal(chdir(f->top), 0);
	umask(0033); /* an odd one, that leaves the driver its own files */
	describe_process(&before);
	assert_int_equal(login(f, RJWT_ALONE, good), PAM_SUCCESS);
	assert_int_equal(login(f, RJWT_ALONE, SHAPED), PAM_AUTH_ERR);
	describe_process(&after);
	assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), 42);
	ERR_clear_error();
	assert_int_equal(setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 0 } }, NULL), 0);
	assert_int_equal(sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL), 0);
	assert_int_equal(chdir("/"), 0);
	umask(022);
	for (char *p = before.p, *q = after.p; *p != '\0' && *q != '\0'; p++, q++)
		if (strncmp(p, "timer 0", 7) == 0) /* it runs on */
			memcpy(p, q, strcspn(q, "\n"));
	assert_string_equal(before.p, after.p);
}

/* --- a thousand of them ----------------------------------------------------------------------- */

static bool
has_line(const char *path, const char *word, long *number)
{
	char line[4096];
	bool found = false;
	FILE *in = fopen(path, "re");

	assert_non_null(in);
	while (!found && fgets(line, sizeof(line), in) != NULL) {
		found = strstr(line, word) != NULL;
		if (found && number != NULL)
			*number = strtol(line + strlen(word), NULL, 10);
	}
	fclose(in);
	return found;
}

static bool loaded; /* while the prompt waits */

static void
look(const struct talk *talk)
{
	(void)talk;
	loaded = has_line("/proc/self/maps", "/pam_rjwt.so", NULL);
}

static void
test_unloaded(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *good = token(f, NULL);
	struct talk talk = { .replies = { good }, .meanwhile = look };

	for (int i = 0; i < 3; i++) {
		loaded = false;
		assert_int_equal(driver_login(f, RJWT_ALONE, "sshd", "alice", &talk, authtok), PAM_SUCCESS);
		assert_true(loaded);
		assert_false(has_line("/proc/self/maps", "/pam_rjwt.so", NULL));
	}
}

struct use {
	long heap, anonymous; /* bytes in use, and those that the kernel gave */
};

static struct use
use_now(void)
{
	struct use use = { 0, 0 };

	use.heap = (long)mallinfo2().uordblks;
	assert_true(has_line("/proc/self/status", "RssAnon:", &use.anonymous));
	use.anonymous *= 1024;
	return use;
}

static void
test_thousand_rounds(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *good = token(f, NULL);
	RJWT_CLEAN(free_clean) char *forged = token(f, NULL);
	RJWT_CLEAN(buf_clear) struct buf before = { 0 };
	RJWT_CLEAN(buf_clear) struct buf after = { 0 };
	struct use tenth = { 0, 0 }, last;

	forge(forged);
	for (int i = 1; i <= ROUNDS; i++) {
		RJWT_CLEAN(free_clean) char *once = NULL;
		char jti[32];

		/* A good and a bad one in turn: reusable, forged, one-time, spent. */
		snprintf(jti, sizeof(jti), "\"j%d\"", (i + 1) / 4);
		once = token(f, jti);
		assert_int_equal(login(f, RJWT_ALONE,
				     i % 4 == 1	  ? good
				     : i % 4 == 2 ? forged
						  : once),
		    i % 2 == 1 ? PAM_SUCCESS : PAM_AUTH_ERR);
		if (i == 10) {
			describe_process(&before);
			tenth = use_now();
		}
	}
	last = use_now();
	assert_false(has_line("/proc/self/maps", "/pam_rjwt.so", NULL));
	describe_process(&after);
	assert_string_equal(before.p, after.p);
	print_message("# from round 10 to %d: heap %+ld bytes, anonymous memory %+ld bytes\n", ROUNDS,
	    last.heap - tenth.heap, last.anonymous - tenth.anonymous);
	if (MEMORY_IS_ITS_OWN && getenv("RJWT_EMULATED") == NULL) {
		assert_in_range(last.heap - tenth.heap + GROWTH_MAX, 0, 2 * GROWTH_MAX - 1);
		assert_true(last.anonymous - tenth.anonymous < GROWTH_MAX);
	}
}

/* --- seen from outside ------------------------------------------------------------------------ */

#define BEGIN_PERMIT "/rjwt-test-begin-permit"
#define BEGIN_RJWT "/rjwt-test-begin-rjwt"
#define MARK "/rjwt-test-end"
#define PERMIT_ALONE "auth required pam_permit.so\nauth required @probe@\n"

/* What strace looks at: a login by each stack, cold, between calls that stand out. */
static int
traced(void)
{
	struct fixture *f = fixture_new_real("");
	char *once = token(f, "\"b\"");
	int ret;

	(void)access(BEGIN_PERMIT, F_OK);
	ret = login(f, PERMIT_ALONE, NO_REPLY);
	(void)access(MARK, F_OK);
	(void)access(BEGIN_RJWT, F_OK);
	ret = ret == PAM_SUCCESS ? login(f, RJWT_ALONE, once) : ret;
	(void)access(MARK, F_OK);
	free(once);
	fixture_free(f);
	return ret == PAM_SUCCESS ? 0 : 1;
}

/* A call that a guest does not make, or does with a file of spent/ alone. gcov has files of its own. */
static bool
is_unfit(const char *line)
{
	static const char *const calls[] = { "socket(", "connect(", "sendto(", "sendmsg(", "bind(", "fork(", "vfork(",
		"clone(", "clone3(", "execve(", "kill(", "setuid(", "setresuid(", "chdir(", "umask(", "prctl(",
		"rt_sigaction(", "setrlimit(", "alarm(", "setitimer(", "rename", "unlink", "chmod(", "ftruncate(" };
	const char *call = line + strspn(line, " 0123456789");

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (strncmp(call, calls[i], strlen(calls[i])) == 0)
			return true;
	return strncmp(call, "open", 4) == 0 && strstr(line, ".gcda") == NULL &&
	       (strstr(line, "O_WRONLY") != NULL || strstr(line, "O_RDWR") != NULL || strstr(line, "O_CREAT") != NULL);
}

struct seen {
	int calls;	  /* of any kind */
	int unfit, marks; /* is_unfit(), the spent mark aside; marks made */
	char first[300];  /* what was unfit first */
};

static void
read_trace(const char *path, const char *begin, struct seen *seen)
{
	char line[4096];
	bool inside = false;
	FILE *in = fopen(path, "re");

	assert_non_null(in);
	while (fgets(line, sizeof(line), in) != NULL) {
		if (strstr(line, MARK) != NULL)
			inside = false;
		if (inside) {
			/* O_EXCL, a name of 64 hex digits, below a directory that was opened. */
			bool mark = strstr(line, "O_CREAT|O_EXCL") != NULL && strstr(line, ", \"") != NULL &&
				    strcspn(strstr(line, ", \"") + 3, "\"") == DIGEST_HEX - 1;

			seen->calls++;
			seen->marks += mark;
			if (!mark && is_unfit(line) && seen->unfit++ == 0)
				snprintf(seen->first, sizeof(seen->first), "%.290s", line);
		}
		if (strstr(line, begin) != NULL)
			inside = true;
	}
	fclose(in);
}

static void
test_traced(void **state)
{
	struct fixture *f = *state;
	struct seen permit = { 0 }, rjwt = { 0 };
	char command[PATH_MAX + 300], self[PATH_MAX] = "", out[200];

	if (getenv("RJWT_EMULATED") != NULL) { /* of tests/elsewhere/run: strace would see qemu */
		print_message("# emulated: not looked at\n");
		return;
	}
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	snprintf(out, sizeof(out), "%s/trace", f->top);
	/* The leak sanitizer, where it is built in, cannot work under strace. */
	snprintf(command, sizeof(command), "ASAN_OPTIONS=detect_leaks=0 strace -f -o %s %s traced >/dev/null 2>&1", out,
	    self);
	if (system("strace -o /dev/null true >/dev/null 2>&1") != 0) { /* missing, or not allowed here */
		print_message("# strace cannot trace\n");
		skip();
	}
	assert_int_equal(system(command), 0);
	read_trace(out, BEGIN_PERMIT, &permit);
	read_trace(out, BEGIN_RJWT, &rjwt);
	assert_true(permit.calls > 10);
	assert_true(rjwt.calls > permit.calls);
	assert_int_equal(permit.marks, 0);
	assert_int_equal(rjwt.marks, 1);
	if (rjwt.unfit != permit.unfit)
		fail_msg("%d calls, with pam_permit %d; the first one: %s", rjwt.unfit, permit.unfit, rjwt.first);
}

int
main(int argc, char **argv)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_any_verdict), /* first: what a login changes may stay changed */
		T(test_hosts_own), T(test_unloaded), T(test_thousand_rounds), T(test_traced) };

	if (argc == 2 && strcmp(argv[1], "traced") == 0)
		return traced();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
