/* SPDX-License-Identifier: MIT */
#include "mutant.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned char nowhere[1 << 16];

int mutant_asked = -1;
volatile unsigned char *mutant_reached = nowhere;

/* A mapped file: a test that dies, and the children of one, are heard as well. open() may be wrapped. */
__attribute__((constructor)) static void
mutant_begin(void)
{
	const char *asked = getenv("RJWT_MUTANT"), *path = getenv("RJWT_REACHED");
	int fd = path == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	struct stat status;
	void *map;

	if (asked != NULL)
		mutant_asked = atoi(asked);
	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && status.st_size > 0) {
		map = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED)
			mutant_reached = map;
	}
	syscall(SYS_close, fd);
}
