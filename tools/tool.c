/* SPDX-License-Identifier: MIT */
#include "tool.h"
#include "log.h"
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* As far up as we may: sudo hands on what the caller had set. */
static void
raise_limit(__rlimit_resource_t resource)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	if (setrlimit(resource, &limit) == 0 || getrlimit(resource, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(resource, &limit);
}

static void
raise_files(void)
{
	struct rlimit limit = { 1024, 4096 };

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= 1024)
		return;
	limit.rlim_cur = 1024;
	limit.rlim_max = limit.rlim_max < 1024 ? 1024 : limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * A file of ours must not become descriptor 0, 1 or 2. The replacement of a closed one cannot be read, or
 * written: a token that nobody gets is an error.
 */
static void
hold_descriptors(void)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_RDWR };

	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", modes[fd]); /* the lowest that is free: fd */
}

/* From whatever the caller chose to the usual class, and from a place in it behind others to the middle. */
static void
take_turn(void)
{
	const struct sched_param usual = { 0 };
	int class = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
	RJWT_CLEAN(fd_clean) int group = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);

	if (class == SCHED_IDLE || class == SCHED_BATCH)
		(void)sched_setscheduler(0, SCHED_OTHER, &usual);
	if (getpriority(PRIO_PROCESS, 0) > 0)
		(void)setpriority(PRIO_PROCESS, 0, 0);
	if (group >= 0)
		(void)!write(group, "0", 1);
}

/*
 * Who calls by sudo also hands on how much of the machine we get, and would have others wait for as long as we hold
 * the lock. What an administrator gives to a service, in a cgroup, stays.
 */
static void
run_as_others(void)
{
	unsigned char all[1024];

	take_turn();
	memset(all, 0xff, sizeof(all));
	(void)sched_setaffinity(0, sizeof(all), (const cpu_set_t *)all);
	(void)syscall(SYS_ioprio_set, 1 /* a process */, 0, 0 /* no class: as the nice value says */);
}

void
tool_begin(struct tool *tool, const struct program *program)
{
	const struct rlimit none = { 0, 0 };

	hold_descriptors();
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	raise_limit(RLIMIT_FSIZE);
	raise_limit(RLIMIT_CPU);
	raise_files();
	run_as_others();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	log_begin(program->name);
	*tool = (struct tool){ .program = program };
	opterr = 0;
}

void
tool_choose_tpm(void)
{
	(void)setenv("TPM2OPENSSL_TCTI", "device:/dev/tpmrm0", 0);
	(void)setenv("TSS2_LOG", "all+none", 0);
}

/* What tool_progress() has on the terminal. */
static struct {
	int width; /* 0: nothing */
	time_t at; /* since when it has shown something; 0: never */
} progress;

static void
progress_take_away(void)
{
	if (progress.width > 0)
		fprintf(stderr, "\r%*s\r", progress.width, "");
	progress.width = 0;
}

void
tool_progress(const struct tool *tool, const char *fmt, ...)
{
	time_t now = time(NULL);
	char text[128];
	va_list args;

	if (progress.at == 0)
		progress.at = now; /* what ends within a second says nothing */
	if (now <= progress.at || isatty(STDERR_FILENO) == 0 || isatty(STDOUT_FILENO) != 0)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	progress_take_away();
	progress.width = fprintf(stderr, "%s: %s ...", tool->program->name, text);
	progress.at = now;
}

static void RJWT_PRINTF(2, 0) say(const struct tool *tool, const char *fmt, va_list args)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	char *text = NULL, where[32] = "";

	if (vasprintf(&text, fmt, args) < 0)
		return;
	text_escape(&line, view_of(text));
	free(text);
	fflush(stdout);
	progress_take_away();
	if (tool->line != 0)
		snprintf(where, sizeof(where), "line %" PRIu64 ": ", tool->line);
	fprintf(stderr, "%s: %s%s\n", tool->program->name, where, line.p == NULL ? "out of memory" : line.p);
}

void
tool_say(const struct tool *tool, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(tool, fmt, args);
	va_end(args);
}

int
tool_wrong(const struct tool *tool, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(tool, fmt, args);
	va_end(args);
	fprintf(stderr, "Try `%s --help'.\n", tool->program->name);
	return EXIT_WRONG_USE;
}

bool
tool_denied(const struct rjwt_diag *diag)
{
	return geteuid() != 0 && diag->errnum == EACCES;
}

/* Trouble must not look like a verdict. */
static int
failed(const struct tool *tool)
{
	return tool->program->one_is_verdict ? EXIT_WRONG_USE : EXIT_REFUSED;
}

int
tool_fail(const struct tool *tool, enum rjwt_err err, const struct rjwt_diag *diag)
{
	const char *text = diag->text[0] == '\0' ? rjwt_strerror(err) : diag->text;
	const char *hint = tool_denied(diag) ? " (run it as root)" : "";

	if (diag->path[0] == '\0')
		tool_say(tool, "%s: %s%s", rjwt_reason(err), text, hint);
	else if (diag->line == 0)
		tool_say(tool, "%s: %s%s", diag->path, text, hint);
	else
		tool_say(tool, "%s:%u:%u: %s", diag->path, diag->line, diag->column, text);
	return err == RJWT_USAGE ? EXIT_WRONG_USE : failed(tool);
}

void
tool_put(const char *text)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };

	text_escape(&out, view_of(text));
	fputs(out.p == NULL ? "" : out.p, stdout);
}

int
tool_end(const struct tool *tool, int status)
{
	progress_take_away();
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return status;
	tool_say(tool, "standard output: %s", strerrordesc_np(errno));
	return status > failed(tool) ? status : failed(tool);
}

void
tool_log(int priority, const struct buf *line)
{
	(void)!log_send(priority, line, NULL);
}
