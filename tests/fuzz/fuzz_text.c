/* SPDX-License-Identifier: MIT */
/* Durations, times, numbers, escapes, names, addresses and ssh keys, all as people write them: read, written and read again. */
#include "fuzz.h"
#include "base/address.h"
#include "base/buf.h"
#include "base/datetime.h"
#include "base/ssh_key.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char fuzz_name[] = "text";
enum { DURATION, TIME, NUMBER, ESCAPED, NEAR, ADDRESS, RANGE, FINGERPRINT, KEY };
const char *const fuzz_sights[] = { "a duration", "a time", "a number", "an escape", "a nearest name", "an address",
	"a range", "a fingerprint", "a key", NULL };

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

/* A range has one spelling, and its first address is in it. */
static void
read_range(struct view text)
{
	struct address_range range, again;
	struct address address;
	char shown[ADDRESS_RANGE_SIZE];
	const char *why = address_range_parse(text, &range);

	if (address_parse(text, &address)) {
		FUZZ_SAW(ADDRESS);
		FUZZ_CHECK((address.n == 4 || address.n == 16) && text.n < 46);
	}
	FUZZ_CHECK(why == NULL || (why[0] != '\0' && !address_range_check(text)));
	if (why != NULL)
		return;
	FUZZ_SAW(RANGE);
	address_range_format(&range, shown);
	FUZZ_CHECK(address_range_check(view_of(shown)) && address_range_check(text) == view_is(text, shown));
	FUZZ_CHECK(address_range_parse(view_of(shown), &again) == NULL && again.bits == range.bits &&
		   address_range_has(&again, &range.first) && address_range_has(&range, &again.first));
}

static bool
same_key(void *context, const char *fingerprint)
{
	const char **wanted = context;

	FUZZ_CHECK(strcmp(fingerprint, *wanted) == 0);
	*wanted = NULL;
	return true;
}

static bool
any_key(void *context, const char *fingerprint)
{
	(void)context;
	FUZZ_CHECK(ssh_fingerprint_check(view_of(fingerprint)));
	return false;
}

/* A key, and the same key as sshd tells it. */
static void
read_key(struct view text, const char *copy)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	char fingerprint[SSH_FINGERPRINT_SIZE];
	const char *wanted = fingerprint;

	FUZZ_CHECK(ssh_key_each(copy, any_key, NULL) == RJWT_OK);
	if (ssh_fingerprint_check(text))
		FUZZ_SAW(FINGERPRINT);
	if (ssh_key_fingerprint(text, fingerprint) != RJWT_OK)
		return;
	FUZZ_SAW(KEY);
	FUZZ_CHECK(ssh_fingerprint_check(view_of(fingerprint)));
	buf_addf(&line, "password\npublickey %s\n", copy);
	FUZZ_CHECK(ssh_key_each(line.p, same_key, &wanted) == RJWT_OK && wanted == NULL);
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
	read_range(bytes);
	read_key(bytes, text);
	free(text);
	return 0;
}
