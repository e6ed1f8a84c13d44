/* SPDX-License-Identifier: MIT */
/* What rjwt-keyd status shows of a fleet: a row for each issuer. */
#include "status.h"
#include "base/datetime.h"
#include "base/json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NAME, SIGNS, SERIAL, NEWS, MIRROR, STOP, COLUMNS };

struct row {
	char text[COLUMNS][RJWT_ID_SIZE];
};

/* "12s ago"; "-" if it has not been. */
static void
put_ago(char text[static RJWT_ID_SIZE], int64_t at_s, int64_t now_s)
{
	char amount[32];

	duration_format(amount, now_s > at_s ? now_s - at_s : 0);
	snprintf(text, RJWT_ID_SIZE, at_s == 0 ? "-" : "%s ago", amount);
}

static void
fill(struct row *row, const struct rjwt_followed *f, int64_t now_s)
{
	char amount[32];

	snprintf(row->text[NAME], RJWT_ID_SIZE, "%s", f->name);
	snprintf(row->text[SIGNS], RJWT_ID_SIZE, "%s", f->kid[0] == '\0' ? "-" : f->kid);
	snprintf(row->text[SERIAL], RJWT_ID_SIZE, "%" PRId64, f->serial);
	put_ago(row->text[NEWS], f->issued_s, now_s);
	put_ago(row->text[MIRROR], f->answered_s, now_s);
	duration_format(amount, f->stale_s - now_s);
	snprintf(row->text[STOP], RJWT_ID_SIZE, "%s", f->serial == 0 ? "-" : f->stale_s < now_s ? "stopped" : amount);
}

static void
put_row(const struct row *row, const int width[COLUMNS])
{
	for (int i = 0; i < COLUMNS; i++)
		printf(i == COLUMNS - 1 ? "%*s%s\n"
		       : i == SERIAL	? "%*s  "
					: "%-*s  ",
		    i == COLUMNS - 1 ? 0 : width[i], i == COLUMNS - 1 ? "" : row->text[i], row->text[i]);
}

void
status_put_fleet(const struct rjwt_status *s)
{
	struct row rows[RJWT_ISSUERS_MAX + 1] = {
		{ { "ISSUER", "SIGNS", "SERIAL", "NEWS", "MIRROR", "TOKENS STOP IN" } }
	};
	int width[COLUMNS] = { 0 };

	if (s->fleet.n == 0)
		return;
	for (size_t i = 0; i < s->fleet.n; i++)
		fill(&rows[i + 1], &s->fleet.issuers[i], s->now_s);
	for (size_t i = 0; i <= s->fleet.n; i++)
		for (int k = 0; k < COLUMNS; k++)
			if ((int)strlen(rows[i].text[k]) > width[k])
				width[k] = (int)strlen(rows[i].text[k]);
	for (size_t i = 0; i <= s->fleet.n; i++)
		put_row(&rows[i], width);
}

void
status_add_fleet(struct buf *line, const struct rjwt_status *s)
{
	char ago[RJWT_ID_SIZE];

	buf_addf(line, "follows %zu issuer%s", s->fleet.n, s->fleet.n == 1 ? "" : "s");
	for (size_t i = 0; i < s->fleet.n; i++) {
		const struct rjwt_followed *f = &s->fleet.issuers[i];

		put_ago(ago, f->issued_s, s->now_s);
		buf_addf(line, "; %s serial %" PRId64 ", %s", f->name, f->serial, ago);
	}
}

static void
json_issuer(struct buf *out, const struct rjwt_followed *f)
{
	json_open_element(out);
	json_put_string(out, "issuer", view_of(f->name));
	json_put_string(out, "base", view_of(f->base));
	json_put_text(out, "url", view_of(f->url));
	if (f->serial != 0) {
		json_put_string(out, "signs", view_of(f->kid));
		json_put_integer(out, "serial", f->serial);
		json_put_integer(out, "issued", f->issued_s);
		json_put_integer(out, "stale_at", f->stale_s);
	}
	if (f->answered_s != 0)
		json_put_integer(out, "answered", f->answered_s);
	if (f->offered != 0)
		json_put_integer(out, "offered", f->offered);
	json_close(out);
}

void
status_json_fleet(struct buf *out, const struct rjwt_status *s)
{
	if (!s->joined)
		return;
	json_open(out, "fleet");
	json_put_integer(out, "roster", s->fleet.roster);
	json_open_array(out, "issuers");
	for (size_t i = 0; i < s->fleet.n; i++)
		json_issuer(out, &s->fleet.issuers[i]);
	json_close_array(out);
	json_close(out);
}
