/* SPDX-License-Identifier: MIT */
/* The text of a PAM file: lines and words. */
#include "stack/stack_private.h"

#include <string.h>

#define BLANKS " \t\n"
#define ALL_BLANKS BLANKS "\v" /* STACK_DOUBTFUL */

enum rjwt_err
stack_fail(struct rjwt_diag *diag, enum rjwt_err err, const char *path, unsigned line, const char *text)
{
	(void)diag_fail(diag, err, path, "%s", text);
	if (diag != NULL)
		diag->line = line;
	return err;
}

/* The next physical line, with its line end. false: the text is over. */
static bool
take_physical(struct stack_text *text, struct view *line)
{
	const char *end;

	if (text->rest.n == 0)
		return false;
	end = memchr(text->rest.p, '\n', text->rest.n);
	line->p = text->rest.p;
	line->n = end == NULL ? text->rest.n : (size_t)(end - text->rest.p) + 1;
	text->rest.p += line->n;
	text->rest.n -= line->n;
	text->line++;
	return true;
}

/* What one libpam reads otherwise than another. NULL: nothing; static. */
static const char *
why_unclear(struct view line, size_t joined)
{
	const char *comment = memchr(line.p, '#', line.n);
	size_t most = comment == NULL ? line.n : (size_t)(comment - line.p);

	if (memchr(line.p, '\0', line.n) != NULL)
		return "a NUL byte ends the line for libpam, whatever follows";
	if (joined + line.n > STACK_LINE_MAX)
		return "longer than 1022 bytes, with the lines joined to it: some versions of libpam cut it into "
		       "several "
		       "lines";
	for (size_t i = 0; i < most; i++)
		if (line.p[i] == '\r' || line.p[i] == '\v' || line.p[i] == '\f')
			return line.p[i] == '\r'
				   ? "has a carriage return, which is part of a name for some versions of "
				     "libpam (line ends must be LF, not CR LF)"
				   : "has a control character, which is part of a name for some versions "
				     "of libpam";
	if (comment != NULL && most > 0 && comment[-1] == '\\')
		return "has a backslash in front of a comment, which versions of libpam read differently";
	return NULL;
}

/* Add the line, without its comment; whether a backslash joins the next one to it. */
static bool
add_line(struct buf *out, struct view line)
{
	const char *comment = memchr(line.p, '#', line.n);
	size_t n = comment == NULL ? line.n : (size_t)(comment - line.p), end = n, begin = 0;
	bool joined;

	while (end > 0 && strchr(BLANKS, line.p[end - 1]) != NULL)
		end--;
	joined = comment == NULL && end > 0 && line.p[end - 1] == '\\';
	n = joined ? end - 1 : n;
	for (; begin < n && strchr(BLANKS, line.p[begin]) != NULL; begin++)
		buf_add(out, &(const char){ STACK_DOUBTFUL }, 1);
	buf_add(out, line.p + begin, n - begin);
	if (joined) /* with nothing in front of the backslash its blank is one of those, too */
		buf_add(out, &(const char){ begin == n ? STACK_DOUBTFUL : ' ' }, 1);
	return joined;
}

static bool
is_blank(struct view line)
{
	size_t n = 0;

	while (n < line.n && strchr(BLANKS, line.p[n]) != NULL)
		n++;
	return n == line.n || line.p[n] == '#';
}

enum rjwt_err
stack_next_line(struct stack_text *text, const char *path, struct buf *out, unsigned *first, struct rjwt_diag *diag)
{
	struct view line;

	*first = 0;
	buf_clear(out);
	while (take_physical(text, &line)) {
		const char *why = why_unclear(line, out->n);

		if (why != NULL)
			return stack_fail(diag, RJWT_MALFORMED, path, text->line, why);
		if (is_blank(line)) {
			if (*first == 0)
				continue;
			return stack_fail(diag, RJWT_MALFORMED, path, text->line,
			    "an empty line or a comment between lines that a backslash joins, which Linux-PAM 1.7 "
			    "reads "
			    "differently");
		}
		*first = *first == 0 ? text->line : *first;
		if (!add_line(out, line))
			return buf_done(out);
	}
	if (*first == 0)
		return RJWT_OK;
	return stack_fail(diag, RJWT_CONFIG, path, *first,
	    "its backslash joins it to a line that is missing: libpam refuses the service");
}

/* Up to the bracket that ends the word; "\]" becomes "]". The end of the word; *over is behind the bracket. */
static char *
bracketed(char *from, char **over)
{
	char *to = from;

	for (; *from != '\0' && *from != ']'; from++) {
		if (from[0] == '\\' && from[1] == ']')
			from++;
		*to++ = *from;
	}
	*over = *from == ']' ? from + 1 : from;
	return to;
}

char *
stack_word(char **rest)
{
	char *word, *end, *over;

	if (*rest == NULL)
		return NULL;
	word = *rest + strspn(*rest, ALL_BLANKS);
	*rest = NULL;
	if (*word == '\0')
		return NULL;
	if (*word == '[') {
		end = bracketed(++word, &over);
	} else {
		end = word + strcspn(word, ALL_BLANKS);
		over = *end == '\0' ? end : end + 1;
	}
	if (*over != '\0')
		*rest = over;
	*end = '\0';
	return word;
}
