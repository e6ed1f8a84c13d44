/* SPDX-License-Identifier: MIT */
/* The keys of a keyset in time: what each did, does and, as it is planned, will do. */
#include "status.h"
#include "base/datetime.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS = 44, LABELS_EVERY = 12, RETIRED_MAX = 6, RETIRED_SHOWN = 3 };

struct timeline {
	const struct rjwt_status *status;
	int64_t start_s, step_s;
	int64_t rotation_s, end_s; /* when the next key signs, and when it no longer verifies; 0: not planned */
	int kid_width;
};

static bool
is_state(const struct rjwt_key_info *key, const char *state)
{
	return strcmp(key->state, state) == 0;
}

static int64_t
most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* From the publication of the active key to the end of the next one, in as short steps as there is room for. */
static void
lay_out(struct timeline *t)
{
	static const int64_t steps[] = { 60, 300, 900, 3600, 7200, 21600, 43200, 86400, 604800 };
	const struct rjwt_status *s = t->status;
	int64_t until_s;
	size_t i = 0;

	t->start_s = s->now_s;
	for (size_t k = 0; k < s->nkeys; k++) {
		int width = (int)strlen(s->keys[k].kid);

		t->kid_width = width > t->kid_width ? width : t->kid_width;
		if (is_state(&s->keys[k], "active") && s->keys[k].published_s < t->start_s)
			t->start_s = s->keys[k].published_s;
		if (is_state(&s->keys[k], "active") && s->rotate_every_s > 0)
			t->rotation_s = most(s->keys[k].active_since_s + s->rotate_every_s, s->now_s);
	}
	if (t->rotation_s > 0)
		t->end_s = t->rotation_s + s->rotate_every_s + s->previous_key_ttl_s;
	until_s = most(t->end_s, s->now_s + (s->now_s - t->start_s) / 2);
	while (i + 1 < ARRAY_LEN(steps) && (until_s - t->start_s) / steps[i] >= COLUMNS)
		i++;
	t->step_s = steps[i];
}

static int64_t
column(const struct timeline *t, int64_t at_s)
{
	return at_s < t->start_s ? -1 : (at_s - t->start_s) / t->step_s;
}

/* From a time until another one; 0: there is none, and until the end of the line. */
static void
fill(const struct timeline *t, char line[static COLUMNS + 1], int64_t from_s, int64_t until_s, char with)
{
	int64_t from = column(t, from_s), until = until_s == 0 ? COLUMNS : column(t, until_s);

	if (from_s == 0)
		return;
	for (int64_t i = from < 0 ? 0 : from; i < until && i < COLUMNS; i++)
		line[i] = with;
	if (from < 0 && until > 0)
		line[0] = '<';
}

/* Without the blanks at its end. */
static void
put_line(const char *line)
{
	int n = (int)strlen(line);

	while (n > 0 && line[n - 1] == ' ')
		n--;
	printf("%.*s\n", n, line);
}

static void
put_key(const struct timeline *t, const struct rjwt_key_info *key)
{
	int64_t signs_s = key->active_since_s, retires_s = key->retired_s, until_s = key->verifies_until_s;
	int64_t now = column(t, t->status->now_s);
	char line[COLUMNS + 1];

	memset(line, ' ', COLUMNS);
	line[COLUMNS] = '\0';
	if (is_state(key, "next")) {
		signs_s = t->rotation_s;
		retires_s = t->rotation_s == 0 ? 0 : t->rotation_s + t->status->rotate_every_s;
		until_s = t->end_s;
	} else if (is_state(key, "active")) {
		retires_s = t->rotation_s;
		until_s = t->rotation_s == 0 ? 0 : t->rotation_s + t->status->previous_key_ttl_s;
	}
	fill(t, line, key->published_s, signs_s, '.');
	fill(t, line, signs_s, retires_s, '=');
	fill(t, line, retires_s, until_s, '-');
	if (key->revoked_s != 0) {
		fill(t, line, key->revoked_s, 0, ' ');
		fill(t, line, key->revoked_s, key->revoked_s + t->step_s, 'x');
	}
	if (now < COLUMNS)
		line[now] = '|';
	printf("%-*s  %-7s  ", t->kid_width, key->kid, key->state);
	put_line(line);
}

/* "-1d", "now", "+1d", at their columns. */
static void
put_heading(const struct timeline *t)
{
	int64_t now = column(t, t->status->now_s);
	char line[COLUMNS + 40], amount[32], label[40];

	memset(line, ' ', sizeof(line));
	line[COLUMNS] = '\0';
	for (int64_t i = now % LABELS_EVERY; i < COLUMNS; i += LABELS_EVERY) {
		size_t n;

		duration_format(amount, (i - now) * t->step_s);
		snprintf(label, sizeof(label), "%s%s", i == now ? "" : i < now ? "-" : "+", i == now ? "now" : amount);
		n = strlen(label);
		if ((size_t)i + n <= COLUMNS)
			memcpy(line + i, label, n);
	}
	printf("%-*s  %-7s  ", t->kid_width, "KEY", "STATE");
	put_line(line);
}

/* Whether a key is one of many old ones, of which the newest are shown. */
static bool
is_left_out(size_t i, size_t old)
{
	return old > RETIRED_MAX && i + RETIRED_SHOWN < old;
}

void
status_put_keys(const struct rjwt_status *s)
{
	struct timeline t = { .status = s, .kid_width = 3 };
	int64_t last_s = 0;
	size_t old = 0, left_out = 0;
	char amount[32];

	lay_out(&t);
	put_heading(&t);
	while (old < s->nkeys && !is_state(&s->keys[old], "active") && !is_state(&s->keys[old], "next"))
		old++;
	for (size_t i = 0; i < s->nkeys; i++) {
		if (!is_left_out(i, old)) {
			put_key(&t, &s->keys[i]);
			continue;
		}
		left_out++;
		last_s = most(last_s, s->keys[i].verifies_until_s);
	}
	if (left_out > 0) {
		duration_format(amount, last_s - s->now_s);
		printf("and %zu older, the last of which %s%s\n", left_out,
		    last_s > s->now_s ? "verifies for another " : "has expired", last_s > s->now_s ? amount : "");
	}
	printf("%*s  %-7s  %s\n", t.kid_width, "", "", ". published  = signs  - verifies only  x revoked  | now");
}
