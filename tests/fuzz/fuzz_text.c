/* SPDX-License-Identifier: MIT */
/* Durations, times, numbers, escapes and names of people's words: read, written and read again. */
#include "fuzz.h"
#include "base/text.h"
#include "base/buf.h"
#include "base/datetime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char fuzz_name[] = "text";
enum { DURATION, TIME, NUMBER, ESCAPED, NEAR };
const char *const fuzz_sights[] = { "a duration", "a time", "a number", "an escape", "a nearest name", NULL };

#define DAY_S INT64_C(86400)

static void
read_duration(const char *text)
{
	static const char letters[] = "smhd";
	static const int64_t units[] = { 1, 60, 3600, DAY_S };
	int64_t seconds = -1, again = -1;
	char shown[32], *end = NULL;
	long long count = strtoll(text, &end, 10);
	const char *unit = *end == '\0' ? NULL : strchr(letters, *end);

	if (duration_parse(text, &seconds) != RJWT_OK) {
		FUZZ_CHECK(seconds == -1);
		return;
	}
	FUZZ_SAW(DURATION);
	FUZZ_CHECK(seconds >= 0 && seconds <= 100 * 365 * DAY_S);
	if (strcmp(text, "0") == 0)
		FUZZ_CHECK(seconds == 0);
	else
		FUZZ_CHECK(unit != NULL && (end[1] != '\0' || seconds == count * units[unit - letters]));
	duration_format(shown, seconds);
	FUZZ_CHECK(strlen(shown) < sizeof(shown) && duration_parse(shown, &again) == RJWT_OK);
	/* A third unit is left out: less than an hour of days, less than a minute of hours. */
	FUZZ_CHECK(again <= seconds && seconds - again < 3600);
}

static void
read_time(const char *text, int64_t now_s)
{
	int64_t seconds = -1, again = -1;
	char shown[32];

	if (time_parse(text, now_s, &seconds) != RJWT_OK) {
		FUZZ_CHECK(seconds == -1);
		return;
	}
	FUZZ_SAW(TIME);
	FUZZ_CHECK(seconds >= 0 && seconds <= INT64_C(253402300799));
	time_format(shown, seconds);
	if (seconds == 0)
		FUZZ_CHECK(strcmp(shown, "-") == 0);
	else
		FUZZ_CHECK(time_parse(shown, now_s, &again) == RJWT_OK && again == seconds);
}

static void
read_number(struct view text, int64_t max)
{
	int64_t number = -1;
	char shown[32];

	if (number_parse(text, max, &number) != RJWT_OK) {
		FUZZ_CHECK(number == -1);
		return;
	}
	FUZZ_SAW(NUMBER);
	snprintf(shown, sizeof(shown), "%lld", (long long)number);
	FUZZ_CHECK(number >= 0 && number <= max && view_is(text, shown));
}

/* What is escaped is one line of printable UTF-8, and tells all bytes. */
static void
escape(struct view text)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	size_t bytes = 0, length;

	text_escape(&out, text);
	FUZZ_CHECK(buf_done(&out) == RJWT_OK);
	for (size_t i = 0; i < out.n; i += length) {
		length = utf8_length(out.p + i, out.n - i);
		FUZZ_CHECK(length > 0 && text_is_printable(utf8_decode(out.p + i, length)));
		if (out.p[i] == '\\') {
			char hex[3] = "";

			FUZZ_SAW(ESCAPED);
			FUZZ_CHECK(out.n - i >= 4 && out.p[i + 1] == 'x');
			memcpy(hex, out.p + i + 2, 2);
			FUZZ_CHECK((char)strtol(hex, NULL, 16) == text.p[bytes]);
			length = 4;
			bytes++;
		} else {
			FUZZ_CHECK(memcmp(out.p + i, text.p + bytes, length) == 0);
			bytes += length;
		}
	}
	FUZZ_CHECK(bytes == text.n);
	text_log_word(&line, "key", text);
	FUZZ_CHECK(buf_done(&line) == RJWT_OK && strncmp(line.p, "key=", 4) == 0);
	/* A value ends where its quotes or its word do. */
	if (line.p[4] == '"')
		FUZZ_CHECK(strchr(line.p + 5, '"') == line.p + line.n - 1);
	else
		FUZZ_CHECK(strpbrk(line.p + 4, " \"=") == NULL);
}

static void
find_near(struct view word)
{
	static const char *const names[] = { "issuer", "audience", "state_dir", "alg", "leeway", "services", NULL };
	const char *near = text_nearest(word, names);
	char some[64] = "abc";

	if (near != NULL)
		FUZZ_SAW(NEAR);
	for (size_t i = 0; names[i] != NULL; i++)
		FUZZ_CHECK(!view_is(word, names[i]) || near == names[i]);
	text_append(some, 1 + word.n % sizeof(some) < 4 ? 4 : 1 + word.n % sizeof(some), ", ", "%.*s",
	    (int)(word.n > 80 ? 80 : word.n), word.n == 0 ? "" : word.p);
	FUZZ_CHECK(strlen(some) < sizeof(some) && strncmp(some, "abc", 3) == 0);
}

/* A code has one word, and a sentence; what is none has both too. */
static void
name_code(unsigned number)
{
	enum rjwt_err err = (enum rjwt_err)(number % (RJWT_INTERNAL + 2));
	const char *word = rjwt_reason(err);

	FUZZ_CHECK(word[0] != '\0' && word[strspn(word, "abcdefghijklmnopqrstuvwxyz_")] == '\0');
	FUZZ_CHECK(rjwt_strerror(err)[0] != '\0');
	FUZZ_CHECK(!rjwt_is_verdict(err) || (err > RJWT_OK && err < RJWT_CONFIG));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct view bytes = { (const char *)data, size };
	char *text = strndup((const char *)data, size), shown[32];
	int64_t number = 0;

	FUZZ_CHECK(text != NULL);
	if (size >= 8)
		memcpy(&number, data, 8);
	read_duration(text);
	read_time(text, 1800000000);
	read_time(text, number);
	read_number(bytes, INT64_MAX);
	read_number(bytes, number < 0 ? 0 : number);
	duration_format(shown, number);
	time_format(shown, number);
	escape(bytes);
	find_near(bytes);
	name_code((unsigned char)text[0]);
	free(text);
	return 0;
}
