/* SPDX-License-Identifier: MIT */
#include "askpass.h"
#include "base/file.h"
#include "base/file_write.h"

#include <string.h>
#include <sys/file.h>

#define TOKENS_MAX 256 /* lines of a file */

static int
refuse(const struct tool *tool, const char *path, const char *why)
{
	tool_say(tool, "RJWT_TOKEN_FILE: %s: %s", path, why);
	return EXIT_REFUSED;
}

/* The first line that is not empty; rest: what comes after it. */
static struct view
first_line(struct view text, struct view *rest)
{
	const char *end;

	while (text.n > 0 && text.p[0] == '\n') {
		text.p++;
		text.n--;
	}
	end = text.n == 0 ? NULL : memchr(text.p, '\n', text.n);
	*rest = (struct view){ NULL, 0 };
	if (end == NULL)
		return text;
	*rest = (struct view){ end + 1, text.n - (size_t)(end + 1 - text.p) };
	return (struct view){ text.p, (size_t)(end - text.p) };
}

static bool
has_line(struct view text)
{
	struct view rest;

	return first_line(text, &rest).n > 0;
}

static int
take_first(const struct tool *tool, const char *path, const struct dir *dir, const char *name, struct buf *token)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_diag diag = { 0 };
	struct view line, rest;
	struct stat status;

	if (file_read(dir, name, (size_t)TOKENS_MAX * (RJWT_TOKEN_MAX + 1), &text, &status, &diag) != RJWT_OK)
		return refuse(tool, path, diag.text);
	if ((status.st_mode & 077) != 0)
		return refuse(tool, path, "others can read it (chmod 600)");
	line = first_line(buf_view(&text), &rest);
	if (line.n == 0)
		return refuse(tool, path, "is empty (expected tokens, one a line)");
	if (!askpass_is_token(line))
		return refuse(tool, path, "its first line is not a token");
	if (has_line(rest) && file_write(dir, name, 0600, rest, NULL, &diag) != RJWT_OK)
		return refuse(tool, path, diag.text);
	buf_add(token, line.p, line.n);
	return token->failed ? refuse(tool, path, "out of memory") : EXIT_DONE;
}

int
askpass_from_file(const struct tool *tool, const char *path, struct buf *token)
{
	struct rjwt_diag diag = { 0 };
	struct dir dir = DIR_NONE;
	const char *name;
	int status;

	if (dir_of(path, &dir, &name, &diag) != RJWT_OK)
		return refuse(tool, path, diag.text);
	/* Two prompts at once take two tokens. */
	status = flock(dir.fd, LOCK_EX) != 0 ? refuse(tool, path, strerrordesc_np(errno))
					     : take_first(tool, path, &dir, name, token);
	dir_close(&dir);
	return status;
}
