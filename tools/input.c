/* SPDX-License-Identifier: MIT */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int
input_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), error;
	struct stat status;

	if (fd >= 0 && fstat(fd, &status) == 0) {
		if (S_ISREG(status.st_mode))
			return fd;
		errno = 0;
	}
	error = errno;
	fd_clean(&fd);
	errno = error;
	return -1;
}

bool
input_read(int fd, size_t most, struct buf *text)
{
	char *room = buf_room(text, most);
	size_t have = 0;

	if (room == NULL) {
		errno = ENOMEM;
		return false;
	}
	while (have < most) {
		ssize_t n = read(fd, room + have, most - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	text->n = have;
	return true;
}
