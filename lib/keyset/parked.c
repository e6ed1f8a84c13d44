/* SPDX-License-Identifier: MIT */
#include "keyset/parked.h"
#include "base/datetime.h"
#include "base/hash.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char parked_alphabet[33] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* What a character of a code means; '\0': it is not one. */
static char
read_character(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		return '0';
	if (c == 'I' || c == 'L')
		return '1';
	return c != '\0' && strchr(parked_alphabet, c) != NULL ? c : '\0';
}

bool
parked_code(struct view typed, char code[static PARKED_CODE_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; i < typed.n; i++) {
		char c = typed.p[i];

		if (c == ' ' || c == '\t' || c == '-')
			continue;
		c = read_character(c);
		if (c == '\0' || n == PARKED_CODE)
			return false;
		code[n++] = c;
	}
	code[n] = '\0';
	return n == PARKED_CODE;
}

/* The next line of a text, without its end; false: there is none, or it is not whole. */
static bool
next_line(struct view *rest, struct view *line)
{
	const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);

	if (end == NULL)
		return false;
	*line = (struct view){ rest->p, (size_t)(end - rest->p) };
	*rest = (struct view){ end + 1, rest->n - line->n - 1 };
	return line->n > 0 && memchr(line->p, '\0', line->n) == NULL;
}

bool
parked_parse(struct view text, struct parked *parked)
{
	struct parked found = { .until_s = 0 };
	struct view rest = text, until;

	if (!next_line(&rest, &until) || number_parse(until, INT64_MAX / 2, &found.until_s) != RJWT_OK ||
	    !next_line(&rest, &found.token) || (rest.n > 0 && !next_line(&rest, &found.record)) || rest.n > 0)
		return false;
	*parked = found;
	return true;
}

/* The name of the file is not told: it is the hash of what somebody typed. */
static enum rjwt_err
unsafe(const struct dir *parked, const char *text, struct rjwt_diag *diag)
{
	return diag_fail(diag, RJWT_KEYSET, parked->path, "the file of a code was altered, or is unsafe: %.200s", text);
}

static enum rjwt_err
read_parked(const struct dir *parked, const char *name, struct buf *token, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_diag why = { 0 };
	struct stat status;
	struct parked found;
	enum rjwt_err err = file_read(parked, name, PARKED_FILE_MAX, &text, &status, &why);

	if (err == RJWT_IO) /* missing, or not ours to read: what was typed may be a password */
		return RJWT_OK;
	if (err == RJWT_KEYSET)
		return unsafe(parked, why.text, diag);
	RJWT_TRY(err);
	if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return unsafe(parked, "accessible to its group or to others", diag);
	if (!parked_parse(buf_view(&text), &found))
		return unsafe(parked, "not an expiry and a token", diag);
	buf_add_view(token, found.token);
	return buf_done(token);
}

enum rjwt_err
parked_find(const struct dir *state, const char *code, struct buf *token, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir parked = DIR_NONE;
	char name[DIGEST_HEX];
	enum rjwt_err err;

	RJWT_TRY(digest_hex(view_of(code), name));
	err = dir_enter_at(state, "private", &private, NULL);
	if (err == RJWT_OK)
		err = dir_enter_at(&private, PARKED, &parked, NULL);
	if (err == RJWT_IO || err == RJWT_KEYSET) /* no code can be read here, so this is none */
		return RJWT_OK;
	RJWT_TRY(err);
	return read_parked(&parked, name, token, diag);
}
