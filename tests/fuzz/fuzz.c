/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

unsigned long fuzz_seen[16];
static char folder[256];

/* --- the input -------------------------------------------------------------------------------- */

unsigned
take_byte(struct rest *rest)
{
	if (rest->n == 0)
		return 0;
	rest->n--;
	return *rest->p++;
}

unsigned
take_below(struct rest *rest, unsigned sides)
{
	return take_byte(rest) % sides;
}

unsigned
take_word(struct rest *rest)
{
	unsigned high = take_byte(rest);

	return high << 8 | take_byte(rest);
}

struct view
take_bytes(struct rest *rest, size_t most)
{
	size_t n = take_word(rest);
	struct view bytes;

	n = n < most ? n : most;
	n = n < rest->n ? n : rest->n;
	bytes = (struct view){ (const char *)rest->p, n };
	rest->p += n;
	rest->n -= n;
	return bytes;
}

char *
take_string(struct rest *rest, size_t most)
{
	struct view bytes = take_bytes(rest, most);
	char *text = malloc(bytes.n + 1);

	FUZZ_CHECK(text != NULL);
	if (bytes.n > 0)
		memcpy(text, bytes.p, bytes.n);
	text[bytes.n] = '\0';
	return text;
}

/* --- files ------------------------------------------------------------------------------------ */

static int
remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)status;
	(void)kind;
	(void)at;
	return remove(path);
}

static int
open_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)status;
	(void)at;
	return kind == FTW_DNR || kind == FTW_D ? chmod(path, 0700) : 0;
}

void
fuzz_remove(const char *path)
{
	if (geteuid() != 0) { /* root needs none of it; a directory that is closed is opened, then looked into */
		nftw(path, open_one, 16, FTW_PHYS);
		nftw(path, open_one, 16, FTW_PHYS);
		nftw(path, open_one, 16, FTW_PHYS);
	}
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
remove_folder(void)
{
	fuzz_remove(folder);
}

void
fuzz_broken(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s: BROKEN: ", fuzz_name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	if (folder[0] != '\0')
		remove_folder();
	abort();
}

const char *
fuzz_folder(void)
{
	const char *top = getenv("TMPDIR");

	if (folder[0] != '\0')
		return folder;
	if (top == NULL || top[0] != '/')
		top = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(folder, sizeof(folder), "%.200s/rjwt-fuzz-XXXXXX", top);
	if (mkdtemp(folder) == NULL)
		fuzz_broken("no folder can be made in %s", top);
	atexit(remove_folder);
	return folder;
}

void
fuzz_put(const char *path, struct view text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text.p, text.n) != (ssize_t)text.n)
		fuzz_broken("%s cannot be written", path);
	close(fd);
}

int
fuzz_lowest(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}
