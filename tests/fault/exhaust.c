/* SPDX-License-Identifier: MIT */
/*
 * exhaust BUILD [--share N] [--whole TEXT] [--seed S] [--only TEXT] [--point K] - logins, minting and verifying,
 * of which one call fails, for each call.
 *
 * Each scenario is run once for each allocation that it makes (its own, and those of libpam, libcrypto,
 * json-c, libyaml, libc), each call about files or random numbers, and each call to libcrypto; that call
 * fails, or it and all later ones. Each run is a process of its own, cold: nothing of libcrypto was touched
 * before. After it
 *
 *	- nobody was let in, or was ignored, who should not; no token is left in PAM_AUTHTOK or in the log
 *	- no descriptor, no memory of ours, and no error in OpenSSL's queue is left
 *	- a token that was accepted once is spent, and a fresh one logs in, in a new process
 *
 * --share N looks at one allocation in N, the seed says at which; --whole at all of the scenarios that are
 * so named. --only and --point are for whoever looks for a cause. TAP on stdout.
 */
#include "exhaust.h"
#include "base/err.h"

#include <openssl/err.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const kinds[FAULT_KINDS] = { "memory", "files", "libcrypto" };
struct page *page;

void
complain(const char *fmt, ...)
{
	size_t n = strlen(page->wrong);
	va_list args;

	va_start(args, fmt);
	vsnprintf(page->wrong + n, sizeof(page->wrong) - n, fmt, args);
	va_end(args);
	n = strlen(page->wrong);
	snprintf(page->wrong + n, sizeof(page->wrong) - n, "; ");
}

/* --- one process ------------------------------------------------------------------------------ */

static void
crashed(int number)
{
	(void)number;
	fault.armed = false;
	trace_take(&page->crash, 2);
	_exit(99);
}

void
heap_broken(const char *why, const void *block)
{
	complain("the heap: %s (%p)", why, block);
	abort();
}

static void
watch(unsigned long number)
{
	for (size_t i = 0; i < page->nleaks; i++)
		if (page->leaks[i] == number && page->ntraces < TRACES) {
			bool armed = fault.armed;

			fault.armed = false;
			page->traces[page->ntraces].number = number;
			trace_take(&page->traces[page->ntraces++], 2);
			fault.armed = armed;
		}
}

pid_t
child_start(void)
{
	static char stack[65536];
	static const int signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
	const struct sigaction action = { .sa_handler = crashed, .sa_flags = SA_ONSTACK };
	pid_t pid;

	fflush(stdout);
	page->done = page->accepted = page->again = false;
	page->wrong[0] = '\0';
	page->crash.n = 0;
	pid = fork();
	if (pid != 0)
		return pid;
	heap_recycles = false;
	sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof(stack) }, NULL);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &action, NULL);
	/* json-c tells there that it got no random numbers. */
	(void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
	alarm(60);
	return 0;
}

bool
child_end(pid_t pid, const char *what)
{
	int status = -1;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		complain("%s: no process", what);
	else if (WIFSIGNALED(status))
		complain("%s: killed by signal %d", what, WTERMSIG(status));
	else if (WEXITSTATUS(status) == 99)
		report_crash();
	else if (!page->done)
		complain("%s: ended with status %d", what, WEXITSTATUS(status));
	return page->done && page->wrong[0] == '\0';
}

static int
descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
leak(unsigned long number, size_t size)
{
	(void)size;
	if (page->nleaks < TRACES)
		page->leaks[page->nleaks++] = number;
}

static void
run(const struct scenario *s, enum fault_kind kind, unsigned long at, bool on)
{
	unsigned long first = heap_now();
	int open = descriptors();
	const char *function = "";

	fault = (struct fault){ true, kind, at, 0, on };
	s->run(s);
	fault.armed = false;
	page->calls = fault.calls;
	judge(s);
	if (descriptors() != open)
		complain("%d descriptors were left open", descriptors() - open);
	if (ERR_peek_error_all(NULL, NULL, &function, NULL, NULL) != 0)
		complain("an error was left in OpenSSL's queue, of %s", function);
	if (page->nleaks == 0)
		(void)heap_leaks(first, leak);
	page->again = login(REUSABLE) == 0;
	page->done = true;
}

/* --- one point -------------------------------------------------------------------------------- */

struct tally {
	unsigned long points, accepted, again, bad;
};

static void
after(const struct scenario *s, bool accepted)
{
	if ((s->token == ONCE || s->token == CODE) && accepted && login(s->token) == 0)
		complain("a token that was spent is accepted again");
	if (s->token == FEW && accepted && (login(FEW) != 0 || login(FEW) == 0))
		complain("a token with two uses, one of them made, was not good for exactly one more");
	if (s->token == MINTED && accepted && login(MINTED) != 0)
		complain("a token that was minted is refused");
	if (login(FRESH) != 0)
		complain("a good login does not work after it");
	page->done = true;
}

/* A few are enough to see what it is. */
static void
tell_point(const struct scenario *s, enum fault_kind kind, unsigned long at, bool on, const char *when,
    const struct tally *tally)
{
	if (tally->bad < 5)
		printf("# %s, %s, %scall %lu%s: %.700s\n", s->name, kinds[kind], when, at,
		    on ? " and all later ones" : "", page->wrong);
}

/* Once more, to see where those blocks come from. */
static void
look_at_leaks(const struct scenario *s, enum fault_kind kind, unsigned long at, bool on)
{
	char wrong[sizeof(page->wrong)];
	pid_t pid;

	strcpy(wrong, page->wrong);
	world_reset();
	pid = child_start();
	if (pid == 0) {
		heap_watch = watch;
		run(s, kind, at, on);
		_exit(0);
	}
	(void)child_end(pid, "run again");
	strcpy(page->wrong, wrong);
	report_leaks();
}

static bool
point(const struct scenario *s, enum fault_kind kind, unsigned long at, bool on, struct tally *tally)
{
	bool accepted, good;
	pid_t pid;

	world_reset();
	page->nleaks = page->ntraces = 0;
	pid = child_start();
	if (pid == 0) {
		run(s, kind, at, on);
		_exit(0);
	}
	(void)child_end(pid, "run");
	accepted = page->accepted;
	tally->accepted += accepted;
	tally->again += page->again;
	if (page->nleaks > 0)
		look_at_leaks(s, kind, at, on);
	good = page->wrong[0] == '\0';
	if (!good)
		tell_point(s, kind, at, on, "", tally);
	if (s->good && s->token != ONCE && s->token != MINTED)
		accepted = false;
	pid = child_start();
	if (pid == 0) {
		after(s, accepted);
		_exit(0);
	}
	if (!child_end(pid, "login after it")) {
		tell_point(s, kind, at, on, "after ", tally);
		good = false;
	}
	tally->points++;
	tally->bad += !good;
	return good;
}

/* Which points are looked at. */
struct choice {
	unsigned long share, seed;
	unsigned long one;	  /* this one alone; 0: not */
	const char *only, *whole; /* a part of a scenario's name: no other one; with no share */
};

static void
sweep_calls(const struct scenario *s, enum fault_kind kind, bool on, const struct choice *choice)
{
	static unsigned long test;
	struct tally tally = { 0 }, undisturbed = { 0 };
	unsigned long calls, share = choice->share;
	bool good = point(s, kind, 0, on, &undisturbed) && (undisturbed.accepted == 1) == s->good;

	if (kind != FAULT_MEMORY || (choice->whole != NULL && strstr(s->name, choice->whole) != NULL))
		share = 1;
	calls = page->calls;
	for (unsigned long at = 1; at <= calls; at++)
		if (choice->one == 0 ? at % share == choice->seed % share : at == choice->one)
			good &= point(s, kind, at, on, &tally);
	printf("%sok %lu - exhaust %s: %s, %s: %lu of %lu points, %lu accepted, %lu work again in the process\n",
	    good ? "" : "not ", ++test, s->name, kinds[kind], on ? "from there on" : "once", tally.points, calls,
	    tally.accepted, tally.again);
	report_counts();
}

static void
plan(const struct choice *choice)
{
	size_t n = 0;

	for (size_t i = 0; i < nscenarios; i++)
		n += strstr(scenarios[i].name, choice->only) != NULL;
	printf("1..%zu\n# seed %lu, one allocation in %lu\n", n * FAULT_KINDS * 2, choice->seed, choice->share);
}

int
main(int argc, char **argv)
{
	struct choice choice = { 1, (unsigned long)getpid(), 0, "", NULL };
	struct trace warm;

	for (int i = 2; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--share") == 0)
			choice.share = strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0)
			choice.seed = strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--only") == 0)
			choice.only = argv[i + 1];
		else if (strcmp(argv[i], "--whole") == 0)
			choice.whole = argv[i + 1];
		else if (strcmp(argv[i], "--point") == 0)
			choice.one = strtoul(argv[i + 1], NULL, 10);
	}
	if (argc < 2 || argc % 2 != 0 || choice.share == 0) {
		fprintf(stderr,
		    "usage: exhaust BUILD [--share N] [--whole TEXT] [--seed S] [--only TEXT] [--point K]\n");
		return 2;
	}
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return 2;
	heap_recycles = true;
	trace_take(&warm, 0);
	world_make(argv[1]);
	plan(&choice);
	for (size_t i = 0; i < nscenarios; i++)
		for (int kind = 0; kind < FAULT_KINDS; kind++)
			for (int on = 0; on < 2; on++)
				if (strstr(scenarios[i].name, choice.only) != NULL)
					sweep_calls(&scenarios[i], (enum fault_kind)kind, on == 1, &choice);
	world_free();
	return 0;
}
