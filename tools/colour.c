/* SPDX-License-Identifier: MIT */
#include "colour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
colour_wanted(void)
{
	const char *term = getenv("TERM"), *plain = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0 &&
	       (plain == NULL || plain[0] == '\0');
}

void
colour_word(struct buf *out, const char *word, bool colour)
{
	static const struct {
		const char *word, *colour;
	} words[] = { { "OK", "32" }, { "accepted", "32" }, { "WARN", "33" }, { "FAIL", "31" }, { "rejected", "31" } };

	for (size_t i = 0; i < ARRAY_LEN(words) && colour; i++)
		if (strcmp(words[i].word, word) == 0) {
			buf_addf(out, "\033[%sm%s\033[0m", words[i].colour, word);
			return;
		}
	buf_adds(out, word);
}
