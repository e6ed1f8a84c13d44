/* SPDX-License-Identifier: MIT */
/* rjwt-keyd try: one login, in a process of its own, because a module may hang, crash, or end its process. */
#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Who answers this many prompts talks with a stack that does not end. */
enum { NOBODY = 65534, PROMPTS_MAX = 16 };

struct conversation {
	const struct try_typed *typed;
	struct try_seen *seen;
	int prompts;
};

/* --- in the process that logs in ---------------------------------------------------------------- */

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

/* NULL: none. */
static const char *
answer(struct conversation *c, const char *prompt)
{
	if (++c->prompts > PROMPTS_MAX)
		return NULL;
	if (!c->seen->replied && (c->typed->prompt == NULL || ends_with(prompt, c->typed->prompt))) {
		c->seen->replied = true;
		return c->typed->reply;
	}
	if (c->seen->replied && c->seen->asks[0] == '\0')
		snprintf(c->seen->asks, sizeof(c->seen->asks), "%s", prompt);
	return c->typed->others;
}

static int
converse(int n, const struct pam_message **messages, struct pam_response **responses, void *context)
{
	struct pam_response *given = n > 0 ? calloc((size_t)n, sizeof(*given)) : NULL;

	if (given == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++) {
		const char *text;

		if (messages[i]->msg_style != PAM_PROMPT_ECHO_OFF && messages[i]->msg_style != PAM_PROMPT_ECHO_ON)
			continue;
		text = answer(context, messages[i]->msg == NULL ? "" : messages[i]->msg);
		given[i].resp = text == NULL ? NULL : strdup(text);
		if (given[i].resp == NULL) {
			for (int k = 0; k < i; k++)
				free(given[k].resp);
			free(given);
			return text == NULL ? PAM_CONV_ERR : PAM_BUF_ERR;
		}
	}
	*responses = given;
	return PAM_SUCCESS;
}

static void
wait_for_nobody(int result, unsigned microseconds, void *context)
{
	(void)result;
	(void)microseconds;
	(void)context;
}

/* What a service's program says of where its user is, and what it demands. */
static int
set_items(pam_handle_t *pamh, const char *service, int *flags)
{
	union {
		void (*function)(int, unsigned, void *);
		const void *item;
	} delay = { wait_for_nobody };
	int ret = pam_set_item(pamh, PAM_FAIL_DELAY, delay.item);

	*flags = 0;
	if (strcmp(service, "sshd") != 0)
		return ret;
	*flags = PAM_DISALLOW_NULL_AUTHTOK;
	if (ret == PAM_SUCCESS)
		ret = pam_set_item(pamh, PAM_TTY, "ssh");
	return ret == PAM_SUCCESS ? pam_set_item(pamh, PAM_RHOST, "127.0.0.1") : ret;
}

static void
log_in(const struct try_typed *typed, struct try_seen *seen)
{
	struct conversation c = { typed, seen, 0 };
	const struct pam_conv conv = { converse, &c };
	pam_handle_t *pamh = NULL;
	int flags = 0, ret = pam_start(typed->service, typed->user, &conv, &pamh);

	if (ret == PAM_SUCCESS)
		ret = set_items(pamh, typed->service, &flags);
	if (ret == PAM_SUCCESS)
		ret = pam_authenticate(pamh, flags);
	seen->auth = ret;
	if (ret == PAM_SUCCESS)
		seen->account = ret = pam_acct_mgmt(pamh, flags);
	if (pamh != NULL)
		(void)pam_end(pamh, ret);
	seen->end = TRY_DONE;
}

/*
 * As a program is that a user has called: with real uid 0 pam_rootok would let in who types anything. It has no terminal to
 * ask at, and does not outlive us. The signal of our death is last: a change of the uid takes it back.
 */
static bool
become(pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 || setsid() < 0)
		return false;
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGXFSZ, SIG_DFL);
	return setresuid(NOBODY, 0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
	       sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

/* --- in ours ------------------------------------------------------------------------------------ */

const sigset_t *
try_signals(void)
{
	static const int signals[] = { SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
	static sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaddset(&set, signals[i]);
	return &set;
}

static enum try_end
await(pid_t pid)
{
	int64_t end_ms = check_now_ms() + TRY_LIMIT_S * 1000;
	int status = 0;

	for (;;) {
		int64_t left_ms = end_ms - check_now_ms();
		struct timespec left = { left_ms / 1000, (long)(left_ms % 1000) * 1000000 };
		int got;

		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? TRY_DONE : TRY_DIED;
		if (left_ms <= 0)
			return TRY_HUNG;
		got = sigtimedwait(try_signals(), NULL, &left);
		if (got > 0 && got != SIGCHLD && got != SIGTSTP)
			return TRY_STOPPED;
	}
}

/*
 * Kill what is there of a login: its process, and what that had started, which is ours when its parent is gone. A few
 * times, for each may have started others.
 */
static void
end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	for (int n = 0; n < 10 && pid > 0; n++) {
		FILE *children;

		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		children = fopen("/proc/thread-self/children", "re");
		pid = 0;
		while (children != NULL && fscanf(children, "%d", &pid) == 1)
			(void)kill(pid, SIGKILL);
		if (children != NULL)
			fclose(children);
	}
}

/* What another process has written, which may have crashed: text ends, and is one line or several. */
static void
take_over(struct try_seen *seen, const struct try_seen *shared)
{
	*seen = *shared;
	seen->asks[sizeof(seen->asks) - 1] = seen->log[sizeof(seen->log) - 1] = '\0';
}

void
try_login(const struct try_typed *typed, struct try_seen *seen)
{
	struct try_seen *shared =
	    mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t self = getpid(), pid;
	enum try_end how;

	*seen = (struct try_seen){ .end = TRY_DIED, .auth = PAM_ABORT, .account = -1 };
	if (shared == MAP_FAILED)
		return;
	*shared = *seen;
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	fflush(NULL); /* or it would be printed twice */
	pid = fork();
	if (pid == 0) {
		if (!become(self))
			_exit(1);
		try_log_into(shared);
		log_in(typed, shared);
		_exit(0);
	}
	how = pid < 0 ? TRY_DIED : await(pid);
	if (how == TRY_HUNG || how == TRY_STOPPED)
		end(pid);
	take_over(seen, shared);
	if (how != TRY_DONE || seen->end != TRY_DONE) /* a module may exit(0) */
		seen->end = how == TRY_DONE ? TRY_DIED : how;
	(void)munmap(shared, sizeof(*shared));
}
