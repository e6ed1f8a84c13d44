/* SPDX-License-Identifier: MIT */
#include "public_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_BYTES = 64 * 1024 };

static bool
contains(struct view text, const char *word)
{
	return text.n > 0 && memmem(text.p, text.n, word, strlen(word)) != NULL;
}

const char *
public_key_parse(struct view text, struct public_key *key)
{
	enum rjwt_err err;

	while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	if (text.n == 0)
		return "empty (expected one public key: TYPE BASE64 [COMMENT])";
	if (contains(text, "PRIVATE KEY-----") || contains(text, "Private-Lines:"))
		return "a private key (expected the public one, whose file usually ends in .pub)";
	if (contains(text, "\n"))
		return "several lines (expected one public key: TYPE BASE64 [COMMENT])";
	err = ssh_key_fingerprint(text, key->fingerprint);
	if (err == RJWT_MALFORMED)
		return "not a public key of OpenSSH (expected TYPE BASE64 [COMMENT]; ssh-keygen -y prints it)";
	buf_add_view(&key->line, text);
	if (err != RJWT_OK || buf_done(&key->line) != RJWT_OK)
		return rjwt_strerror(err == RJWT_OK ? RJWT_MEMORY : err);
	return NULL;
}

/* All of it. False: errno says why. */
static bool
read_all(int fd, struct buf *text)
{
	char *room = buf_room(text, MOST_BYTES + 1);
	size_t have = 0;

	while (room != NULL && have <= MOST_BYTES) {
		ssize_t n = read(fd, room + have, MOST_BYTES + 1 - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	text->n = have;
	errno = room == NULL ? ENOMEM : EFBIG;
	return room != NULL && have <= MOST_BYTES;
}

/* Opening a fifo or a device waits, or does something, as root at a caller's word: -1, and *why. */
static int
open_regular(const char *path, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) != 0)
		*why = strerrordesc_np(errno);
	else if (!S_ISREG(status.st_mode))
		*why = "not a regular file (- reads standard input)";
	else
		return fd;
	fd_clean(&fd);
	return -1;
}

int
public_key_read(const struct tool *tool, const char *path, struct public_key *key)
{
	struct rjwt_diag diag = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	bool input = strcmp(path, "-") == 0;
	const char *why = NULL;
	RJWT_CLEAN(fd_clean) int opened = input ? -1 : open_regular(path, &why);

	if (why == NULL && !read_all(input ? STDIN_FILENO : opened, &text))
		why = errno == EFBIG ? "too large for a public key" : strerrordesc_np(errno);
	if (why == NULL)
		why = public_key_parse(buf_view(&text), key);
	if (why == NULL)
		return EXIT_DONE;
	snprintf(diag.path, sizeof(diag.path), "%s", input ? "standard input" : path);
	snprintf(diag.text, sizeof(diag.text), "%s", why);
	return tool_fail(tool, RJWT_BINDING, &diag);
}

void
public_key_clear(struct public_key *key)
{
	buf_clear(&key->line);
	*key = (struct public_key){ 0 };
}
