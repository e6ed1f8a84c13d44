/* SPDX-License-Identifier: MIT */
/* Other programs that rjwt-keyd check asks. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_MS = 10000, MOST_BYTES = 256 * 1024 };

int64_t
check_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
become(const char *const *argv, const int out[2], const int err[2])
{
	char *const environment[] = { (char[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" }, (char[]){ "LC_ALL=C" }, NULL };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) < 0 || dup2(out[1], 1) < 0 || dup2(err[1], 2) < 0)
		_exit(127);
	execve(argv[0], (char *const *)(uintptr_t)argv, environment);
	_exit(127);
}

/* One read of what there is. false: the other end is closed. */
static bool
take(int fd, struct buf *out)
{
	char *room = buf_room(out, 4096);
	ssize_t n = room == NULL ? -1 : read(fd, room, 4096);

	if (room != NULL)
		out->n -= 4096 - (size_t)(n > 0 ? n : 0);
	return n > 0;
}

/* Both of its outputs, to their ends or for as long as it may take. */
static bool
listen_to(int out, int err, struct buf *text, struct buf *errors)
{
	struct pollfd fds[2] = { { .fd = out, .events = POLLIN }, { .fd = err, .events = POLLIN } };
	int64_t end_ms = check_now_ms() + MOST_MS;

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		int64_t left_ms = end_ms - check_now_ms();

		if (left_ms <= 0 || poll(fds, 2, (int)left_ms) <= 0 || text->n > MOST_BYTES || errors->n > MOST_BYTES)
			return false;
		if (fds[0].revents != 0 && !take(out, text))
			fds[0].fd = -1;
		if (fds[1].revents != 0 && !take(err, errors))
			fds[1].fd = -1;
	}
	return true;
}

static void
last_line(const struct buf *errors, char error[static 256])
{
	size_t end = errors->n, begin;

	while (end > 0 && (errors->p[end - 1] == '\n' || errors->p[end - 1] == '\r'))
		end--;
	for (begin = end; begin > 0 && errors->p[begin - 1] != '\n';)
		begin--;
	if (end > begin)
		snprintf(error, 256, "%.*s", (int)(end - begin < 255 ? end - begin : 255), errors->p + begin);
}

int
check_run(const char *const *argv, struct buf *out, char error[static 256])
{
	RJWT_CLEAN(buf_clear) struct buf errors = { 0 };
	int to[2], err[2], status = 0;
	bool whole;
	pid_t pid;

	snprintf(error, 256, "%s cannot be run", argv[0]);
	if (pipe2(to, O_CLOEXEC) != 0)
		return -1;
	if (pipe2(err, O_CLOEXEC) != 0) {
		close(to[0]);
		close(to[1]);
		return -1;
	}
	pid = fork();
	if (pid == 0)
		become(argv, to, err);
	close(to[1]);
	close(err[1]);
	whole = pid > 0 && listen_to(to[0], err[0], out, &errors);
	close(to[0]);
	close(err[0]);
	if (pid > 0 && !whole) {
		snprintf(error, 256, "%s took longer than 10 s, or printed too much", argv[0]);
		kill(pid, SIGKILL);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!whole)
		return -1;
	last_line(&errors, error);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

const char *
check_value(struct buf *all, const char *name, char separator)
{
	size_t n = strlen(name), length;

	for (size_t at = 0; at < all->n; at += length + 1) {
		char *line = all->p + at;

		length = strcspn(line, "\n");
		line[length] = '\0';
		if (strncmp(line, name, n) == 0 && line[n] == separator)
			return line + n + 1;
	}
	return NULL;
}
