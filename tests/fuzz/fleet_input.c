/* SPDX-License-Identifier: MIT */
#include "fleet_input.h"

#include <string.h>

static void
make_roster(const struct fleet_input *input, struct rest *rest, struct buf *out)
{
	unsigned by = take_below(rest, 10), how;
	int64_t n = input->from_s + take_byte(rest);
	unsigned keys = take_byte(rest), issuers = take_byte(rest);
	struct roster roster = line_roster(n, keys, issuers);

	how = take_byte(rest);
	if ((how & 1) != 0)
		roster.iat_s += take_byte(rest);
	if ((how & 2) != 0 && roster.nissuers > 0) /* another key for a base */
		roster.issuers[0].key = *line_name(LINE_BUNDLE_KEY(take_below(rest, 8)));
	if ((how & 4) != 0 && roster.nissuers > 0)
		memcpy(roster.issuers[0].base, "I7", 3);
	line_put_roster(out, by, &roster);
}

static void
make_bundle(const struct fleet_input *input, struct rest *rest, struct buf *out)
{
	unsigned by = 6 + take_below(rest, 10), i = take_below(rest, 8), how;
	int64_t serial = input->from_s + take_byte(rest), active = take_below(rest, 8) + 1;
	RJWT_CLEAN(bundle_clear) struct bundle bundle = line_bundle(i, serial, active);

	how = take_byte(rest);
	if ((how & 1) != 0)
		line_deny(&bundle, "alice", NULL, input->from_s + take_byte(rest));
	if ((how & 2) != 0)
		line_deny(&bundle, NULL, "a1", input->from_s + take_byte(rest));
	for (unsigned k = 0; (how & 32) != 0 && k < 9; k++)
		line_deny(&bundle, NULL, (const char[]){ 'n', (char)('0' + k), '\0' }, input->from_s + 30);
	if ((how & 64) != 0 && active > 1)
		line_bundle_add(&bundle, active - 1, serial + take_byte(rest));
	if ((how & 4) != 0)
		bundle.floor += take_below(rest, 3);
	if ((how & 8) != 0)
		bundle.roster = take_byte(rest);
	if ((how & 16) != 0)
		line_bundle_key(&bundle, active, LINE_TOKEN_KEY(i, take_below(rest, 8)));
	line_put_bundle(out, by, &bundle);
}

/* A line that is there, once more. */
static void
repeat(const struct fleet_input *input, struct rest *rest, struct buf *out)
{
	const struct buf *from = &input->files[take_below(rest, (unsigned)input->nfiles)];
	RJWT_CLEAN(buf_clear) struct buf copy = { 0 };
	struct view all, line;
	unsigned k = take_byte(rest);

	buf_add_view(&copy, buf_view(from));
	all = buf_view(&copy);
	while (document_next(&all, &line))
		if (k-- == 0) {
			buf_add_view(out, line);
			buf_adds(out, "\n");
			return;
		}
}

void
fleet_input_line(const struct fleet_input *input, struct rest *rest)
{
	struct buf *out = &input->files[take_below(rest, (unsigned)input->nfiles)];
	unsigned what = take_below(rest, 8), by, most;
	struct view text;

	switch (what) {
	default:
	case 0:
	case 1:
		make_roster(input, rest, out);
		return;
	case 2:
	case 3:
		make_bundle(input, rest, out);
		return;
	case 4: /* nobody signed it */
		text = take_bytes(rest, 400);
		buf_adds(out, input->marker == NULL ? "" : input->marker);
		buf_add_view(out, text);
		buf_adds(out, "\n");
		return;
	case 5:
	case 6:
		by = take_below(rest, LINE_KEYS);
		text = take_bytes(rest, 3000);
		line_put(out, by, what == 5 ? DOCUMENT_ROSTER : DOCUMENT_BUNDLE, text);
		return;
	case 7:
		most = take_below(rest, 4) == 0 ? DOCUMENT_LINES_MAX : 1;
		for (unsigned i = 0; i < most; i++)
			repeat(input, rest, out);
	}
}
