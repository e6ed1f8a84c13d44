/* SPDX-License-Identifier: MIT */
/*
 * Lines of a stream (rjwt-verify --lines, rjwt-issue --batch), against a split of the whole that knows no room and no
 * reads. Reads come short, are interrupted, or fail.
 */
#include "faults.h"
#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char fuzz_name[] = "lines";
enum { GOOD, LONG, FAILED, WHOLE };
const char *const fuzz_sights[] = { "a line", "a line that is too long", "a read that fails", "a whole stream", NULL };

/* The line that should come next; false: there is none. */
static bool
split(struct view *all, struct view *line)
{
	const char *end = all->n == 0 ? NULL : memchr(all->p, '\n', all->n);

	if (all->n == 0)
		return false;
	*line = (struct view){ all->p, end == NULL ? all->n : (size_t)(end - all->p) };
	*all = (struct view){ all->p + line->n, all->n - line->n };
	if (end != NULL) {
		all->p++;
		all->n--;
	}
	return true;
}

static int
open_stream(struct view text)
{
	static char path[300];
	int fd;

	if (path[0] == '\0')
		snprintf(path, sizeof(path), "%s/lines", fuzz_folder());
	fuzz_put(path, text);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	FUZZ_CHECK(fd >= 0);
	return fd;
}

static void
check_line(enum lines_state state, struct view line, struct view wanted, size_t max)
{
	if (wanted.n <= max) {
		FUZZ_SAW(GOOD);
		FUZZ_CHECK(state == LINES_GOOD && view_eq(line, wanted));
	} else {
		FUZZ_SAW(LONG);
		FUZZ_CHECK(state == LINES_LONG && line.n == max + 1 && memcmp(line.p, wanted.p, line.n) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rest rest = { data, size }, plan = rest;
	struct lines lines = { .fd = -1 };
	struct view all, line, wanted, again = { NULL, 0 };
	enum lines_state state = LINES_END;
	uint64_t n = 0;

	faults_arm(&rest); /* takes it off the input */
	(void)faults_disarm();
	lines.max = take_byte(&rest);
	lines.max = lines.max < 200 ? lines.max : (lines.max - 199) * 100;
	all = (struct view){ (const char *)rest.p, rest.n };
	lines.fd = open_stream(all);
	faults_arm(&plan);
	while ((state = lines_next(&lines, &line)) == LINES_GOOD || state == LINES_LONG) {
		FUZZ_CHECK(split(&all, &wanted) && lines.number == ++n);
		check_line(state, line, wanted, lines.max);
		/* What was given stands as long as the next one is there already. */
		if (again.p != NULL)
			FUZZ_CHECK(again.n == 0 || memchr(again.p, '\n', again.n) == NULL);
		again = lines_ready(&lines) ? line : (struct view){ NULL, 0 };
	}
	if (faults_disarm() == 0 || state == LINES_END) {
		FUZZ_SAW(WHOLE);
		FUZZ_CHECK(state == LINES_END && !split(&all, &wanted));
		FUZZ_CHECK(lines_next(&lines, &line) == LINES_END);
	} else {
		FUZZ_SAW(FAILED);
		FUZZ_CHECK(state == LINES_FAILED);
	}
	close(lines.fd);
	lines_clear(&lines);
	return 0;
}
