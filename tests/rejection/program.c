/* SPDX-License-Identifier: MIT */
#include "program.h"
#include "base/text.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Files, and no pipes: nobody waits for anybody. */
static int
open_file(const struct fixture *f, const char *name, int flags)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%.128s/%s", f->top, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static void
read_all(const struct fixture *f, const char *name, struct buf *out)
{
	RJWT_CLEAN(fd_clean) int fd = open_file(f, name, O_RDONLY);
	char some[4096];
	ssize_t n;

	buf_adds(out, "");
	while ((n = read(fd, some, sizeof(some))) > 0)
		buf_add(out, some, (size_t)n);
	assert_int_equal(n, 0);
}

static void
become(const struct fixture *f, char *const argv[])
{
	const char *build = getenv("RJWT_BUILD");
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", build == NULL ? "." : build, argv[0]);
	if (dup2(open_file(f, "stdin", O_RDONLY), 0) != 0 ||
	    dup2(open_file(f, "stdout", O_WRONLY | O_CREAT | O_TRUNC), 1) != 1 ||
	    dup2(open_file(f, "stderr", O_WRONLY | O_CREAT | O_TRUNC), 2) != 2)
		_exit(126);
	execv(path, argv);
	_exit(127);
}

struct printed
run_program(const struct fixture *f, char *const argv[], struct view input)
{
	RJWT_CLEAN(fd_clean) int fd = open_file(f, "stdin", O_WRONLY | O_CREAT | O_TRUNC);
	struct printed printed = { .status = -1 };
	int status = 0;
	pid_t pid;

	assert_true(write(fd, input.n == 0 ? "" : input.p, input.n) == (ssize_t)input.n);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		become(f, argv);
	assert_true(waitpid(pid, &status, 0) == pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 125)
		fail_msg("%s ended with %x", argv[0], (unsigned)status);
	printed.status = WEXITSTATUS(status);
	read_all(f, "stdout", &printed.out);
	read_all(f, "stderr", &printed.err);
	return printed;
}

void
printed_clear(struct printed *printed)
{
	buf_clear(&printed->out);
	buf_clear(&printed->err);
}

/* Of the general categories Cc and Cf, and the separators of lines; by blocks, and not as text.c has them. */
static bool
acts(uint32_t c)
{
	static const uint32_t ranges[][2] = { { 0, 9 }, { 0xb, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x600, 0x605 },
		{ 0x61c, 0x61c }, { 0x6dd, 0x6dd }, { 0x70f, 0x70f }, { 0x180e, 0x180e }, { 0x200b, 0x200f },
		{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f } };

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}

const char *
unsafe_text(struct view text)
{
	for (size_t i = 0; i < text.n;) {
		size_t length = utf8_length(text.p + i, text.n - i);

		if (length == 0)
			return "a byte that is no UTF-8";
		if (acts(utf8_decode(text.p + i, length)))
			return "a character that acts on a terminal";
		i += length;
	}
	return NULL;
}
