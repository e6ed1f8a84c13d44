/* SPDX-License-Identifier: MIT */
#include "askpass.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX 64

extern char **environ;

static int
refuse(const struct tool *tool, const char *why)
{
	tool_say(tool, "RJWT_TOKEN_COMMAND: %s", why);
	return EXIT_REFUSED;
}

/* The words of text, which is cut up for it; false: too many, or none. */
static bool
split(char *text, char *words[WORDS_MAX + 1])
{
	char *place = NULL;
	size_t n = 0;

	for (char *word = strtok_r(text, " \t\n", &place); word != NULL; word = strtok_r(NULL, " \t\n", &place)) {
		if (n == WORDS_MAX)
			return false;
		words[n++] = word;
	}
	words[n] = NULL;
	return n > 0;
}

/* As the leader of a process group, which can be ended; its output goes to out. 0, or the error. */
static int
start(char *words[], int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	if ((error = posix_spawn_file_actions_init(&actions)) != 0)
		return error;
	if ((error = posix_spawnattr_init(&attributes)) == 0) {
		if ((error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)) == 0 &&
		    (error = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO)) == 0 &&
		    (error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP)) == 0)
			error = posix_spawnp(pid, words[0], &actions, &attributes, words, environ);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

static int64_t
milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What it prints until it closes its output, or a byte more than a token and its newline. False: it took too long. */
static bool
listen_to(int in, struct buf *output)
{
	int64_t until = milliseconds() + (int64_t)ASKPASS_WAIT_S * 1000, left = 1;
	char room[1024];

	while (output->n <= RJWT_TOKEN_MAX + 1 && (left = until - milliseconds()) > 0) {
		struct pollfd ready = { .fd = in, .events = POLLIN };
		ssize_t n;

		if (poll(&ready, 1, (int)left) <= 0)
			continue;
		n = read(in, room, sizeof(room));
		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		if (n > 0)
			buf_add(output, room, (size_t)n);
	}
	explicit_bzero(room, sizeof(room));
	return left > 0;
}

/* Its exit status once it has ended, which it has a second for; -1: it was ended. */
static int
wait_for(pid_t pid)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int status;

	for (int i = 0; i < 100; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		nanosleep(&pause, NULL);
	}
	kill(-pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	return -1;
}

static int
run(const struct tool *tool, char *words[], struct buf *output)
{
	int ends[2], error, status;
	bool heard;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return refuse(tool, strerrordesc_np(errno));
	error = start(words, ends[1], &pid);
	close(ends[1]);
	if (error == 0) {
		heard = listen_to(ends[0], output);
		if (!heard)
			kill(-pid, SIGKILL);
		close(ends[0]);
		status = wait_for(pid);
	} else {
		close(ends[0]);
	}
	if (error != 0) {
		tool_say(tool, "RJWT_TOKEN_COMMAND: %s: %s", words[0], strerrordesc_np(error));
		return EXIT_REFUSED;
	}
	if (!heard) {
		tool_say(tool, "RJWT_TOKEN_COMMAND: %s: no token within %d s", words[0], ASKPASS_WAIT_S);
		return EXIT_REFUSED;
	}
	if (output->n > RJWT_TOKEN_MAX + 1)
		return EXIT_DONE; /* ended because nobody reads more: that it is not a token is the reason */
	if (status > 0)
		tool_say(tool, "RJWT_TOKEN_COMMAND: %s: failed with status %d", words[0], status);
	else if (status < 0)
		tool_say(tool, "RJWT_TOKEN_COMMAND: %s: was ended", words[0]);
	return status == 0 ? EXIT_DONE : EXIT_REFUSED;
}

int
askpass_from_command(const struct tool *tool, const char *command, const char *prompt, struct buf *token)
{
	RJWT_CLEAN(free_clean) char *text = strdup(command);
	char *words[WORDS_MAX + 1];
	int status;

	if (text == NULL || setenv("RJWT_PROMPT", prompt, 1) != 0)
		return refuse(tool, "out of memory");
	if (!split(text, words))
		return refuse(tool, "expected a program and at most 63 arguments");
	status = run(tool, words, token);
	if (status != EXIT_DONE)
		return status;
	if (token->failed)
		return refuse(tool, "out of memory");
	if (token->n > 0 && token->p[token->n - 1] == '\n')
		token->n--;
	if (askpass_is_token(buf_view(token)))
		return EXIT_DONE;
	tool_say(tool, "RJWT_TOKEN_COMMAND: %s: did not print a token, alone on one line", words[0]);
	return EXIT_REFUSED;
}
