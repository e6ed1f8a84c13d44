/* SPDX-License-Identifier: MIT */
/* What rjwt-keyd try shows of a login. */
#include "try.h"
#include "base/json_write.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *word, *text;
} kinds[TRY_KINDS] = { { "wrong", "wrong token" }, { "empty", "empty reply" }, { "good", "good token" },
	{ "password", "password" } };

static const char *
login_of(const struct try_seen *seen)
{
	switch (seen->end) {
	case TRY_HUNG:
		return "hung";
	case TRY_DIED:
		return "died";
	case TRY_STOPPED:
	case TRY_NOT:
		return "stopped";
	case TRY_DONE:
		break;
	}
	return try_accepted(seen) ? "accepted" : "rejected";
}

void
try_print_heading(int width)
{
	printf("%-*s  %-12s %-9s %-10s %s\n", width, "SERVICE", "REPLY", "LOGIN", "RJWT SAYS", "THEN ASKS");
}

/* The prompt without the blank at its end. */
static void
put_asks(struct buf *out, const struct try_seen *seen)
{
	size_t n = strlen(seen->asks);

	while (n > 0 && seen->asks[n - 1] == ' ')
		n--;
	text_escape(out, n == 0 ? VIEW("-") : (struct view){ seen->asks, n });
}

/* What pam_rjwt.so decided; where that is not known, or not what should have come of it, all that was logged. */
static void
put_log(struct buf *out, const struct try_seen *seen, bool all)
{
	struct view decision = try_decision(seen);

	if (decision.n > 0 && !all) {
		buf_adds(out, "  log    ");
		buf_add_view(out, decision);
		buf_adds(out, "\n");
		return;
	}
	for (const char *line = seen->log; *line != '\0';) {
		size_t n = strcspn(line, "\n");

		buf_addf(out, "  log    %.*s\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

/* "account: acct_expired by FILE:LINE pam_unix.so" */
static void
put_answer(struct buf *out, const struct trial *t, enum try_kind kind)
{
	const struct try_seen *seen = &t->seen[kind];
	const struct stack_entry *decided = try_decided(t, kind);

	if (seen->end != TRY_DONE)
		return;
	buf_addf(out, "  pam    %s%s", seen->auth == PAM_SUCCESS && !try_accepted(seen) ? "account: " : "",
	    stack_code(seen->auth == PAM_SUCCESS ? seen->account : seen->auth));
	if (decided != NULL) {
		buf_adds(out, ", by ");
		text_escape(out, view_of(decided->at->file));
		buf_addf(out, ":%u ", decided->at->line);
		text_escape(out, view_of(decided->module == NULL ? decided->fault : decided->module));
	}
	buf_adds(out, "\n");
}

void
try_print_row(const struct trial *t, enum try_kind kind, int width)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	const struct try_seen *seen = &t->seen[kind];
	char said[64];

	try_said(seen, said);
	text_escape(&out, view_of(t->service));
	buf_addf(&out, "%*s  %-12s %-9s %-10s ", width - (int)strlen(t->service), "", kinds[kind].text, login_of(seen),
	    said);
	put_asks(&out, seen);
	buf_adds(&out, "\n");
	put_answer(&out, t, kind);
	put_log(&out, seen, try_accepted(seen) != (kind == TRY_GOOD || kind == TRY_PASSWORD));
	fputs(out.p == NULL ? "" : out.p, stdout);
	fflush(stdout);
}

void
try_json(const struct trial *t, enum try_kind kind, struct buf *out)
{
	const struct try_seen *seen = &t->seen[kind];
	const struct stack_entry *decided = seen->end == TRY_DONE ? try_decided(t, kind) : NULL;
	char said[64];

	try_said(seen, said);
	json_open_element(out);
	json_put_string(out, "reply", view_of(kinds[kind].word));
	json_put_string(out, "login", view_of(login_of(seen)));
	if (seen->end == TRY_DONE)
		json_put_string(out, "auth", view_of(stack_code(seen->auth)));
	if (seen->end == TRY_DONE && seen->auth == PAM_SUCCESS)
		json_put_string(out, "account", view_of(stack_code(seen->account)));
	if (strcmp(said, "-") != 0)
		json_put_text(out, "said", view_of(said));
	if (seen->asks[0] != '\0')
		json_put_text(out, "asks", view_of(seen->asks));
	if (decided != NULL) {
		json_put_text(out, "path", view_of(decided->at->file));
		json_put_integer(out, "line", decided->at->line);
		json_put_text(out, "module", view_of(decided->module == NULL ? "" : decided->module));
	}
	json_open_array(out, "log");
	for (const char *line = seen->log; *line != '\0';) {
		size_t n = strcspn(line, "\n");

		json_put_text(out, NULL, (struct view){ line, n });
		line += n + (line[n] == '\n');
	}
	json_close_array(out);
	json_close(out);
}
