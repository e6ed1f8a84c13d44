/* SPDX-License-Identifier: MIT */
#include "public_key.h"
#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
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

/* A file, or standard input. NULL: it is in text; otherwise why not. */
static const char *
read_text(const char *path, struct buf *text)
{
	bool input = strcmp(path, "-") == 0;
	RJWT_CLEAN(fd_clean) int opened = input ? -1 : input_open(path);

	if (!input && opened < 0)
		return errno == 0 ? "not a regular file (- reads standard input)" : strerrordesc_np(errno);
	if (!input_read(input ? STDIN_FILENO : opened, MOST_BYTES + 1, text))
		return strerrordesc_np(errno);
	return text->n > MOST_BYTES ? "too large for a public key" : NULL;
}

int
public_key_read(const struct tool *tool, const char *path, struct public_key *key)
{
	struct rjwt_diag diag = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	const char *why = read_text(path, &text);

	if (why == NULL)
		why = public_key_parse(buf_view(&text), key);
	if (why == NULL)
		return EXIT_DONE;
	snprintf(diag.path, sizeof(diag.path), "%s", strcmp(path, "-") == 0 ? "standard input" : path);
	snprintf(diag.text, sizeof(diag.text), "%s", why);
	return tool_fail(tool, RJWT_BINDING, &diag);
}

void
public_key_clear(struct public_key *key)
{
	buf_clear(&key->line);
	*key = (struct public_key){ 0 };
}
