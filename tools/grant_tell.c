/* SPDX-License-Identifier: MIT */
/* What rjwt-grant says: the rules of its caller, refusals, a summary; and the log line of a refusal. */
#include "grant.h"
#include "log.h"
#include "base/datetime.h"
#include "base/json_write.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

/* --- refusals --------------------------------------------------------------------------------- */

static void
put_part(const struct rjwt_failed_part *part, bool first)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	char rule[32];

	snprintf(rule, sizeof(rule), "rule %" PRId64, part->rule);
	buf_addf(&line, "  %-7s %s: found ", first ? rule : "", part->part);
	text_escape(&line, view_of(part->found[0] == '\0' ? "\"\"" : part->found));
	buf_adds(&line, " (expected ");
	text_escape(&line, view_of(part->expected));
	buf_adds(&line, ")");
	fprintf(stderr, "%s\n", line.p == NULL ? "" : line.p);
}

/* How many rules there are, for somebody for whom none of them is. */
static void
say_none(const struct grant *g, size_t nrules)
{
	if (nrules == 0)
		tool_say(&g->issue.tool,
		    "rule: the configuration has no rules, so nobody may issue tokens with this program");
	else if (nrules == 1)
		tool_say(&g->issue.tool, "rule: the only rule is not for %s", g->caller.name);
	else
		tool_say(&g->issue.tool, "rule: none of the %zu rules is for %s", nrules, g->caller.name);
}

static void
say_rules(const struct grant *g)
{
	const struct rjwt_decision *d = &g->decision;

	if (d->nmine == 0) {
		say_none(g, d->nrules);
		return;
	}
	tool_say(&g->issue.tool, "rule: no rule lets %s issue this", g->caller.name);
	for (size_t i = 0; i < d->nparts; i++)
		put_part(&d->parts[i], i == 0 || d->parts[i].rule != d->parts[i - 1].rule);
}

/* Of what is not about the request, the caller gets a fixed sentence. */
int
grant_refuse(const struct grant *g, enum rjwt_err err, const struct rjwt_diag *diag)
{
	const struct tool *tool = &g->issue.tool;
	bool judged = err == RJWT_RULE && diag->text[0] != '\0' && g->caller.name != NULL && g->caller.name[0] != '\0';

	issue_log_refused(&g->issue, &g->issue.request, err == RJWT_RULE ? &g->decision : NULL, err, diag);
	if (judged) {
		say_rules(g);
		return EXIT_REFUSED;
	}
	if (rjwt_is_verdict(err) || err == RJWT_USAGE) {
		tool_say(tool, "%s: %s", rjwt_reason(err), diag->text[0] == '\0' ? rjwt_strerror(err) : diag->text);
		return err == RJWT_USAGE ? EXIT_WRONG_USE : EXIT_REFUSED;
	}
	tool_say(tool, "%s: %s (%s)", rjwt_reason(err), rjwt_strerror(err),
	    tool_denied(diag) ? "expected to run as root: sudo rjwt-grant"
			      : "the log and rjwt-keyd check, run by root, say more");
	return EXIT_REFUSED;
}

/* --- --rules ---------------------------------------------------------------------------------- */

struct listing {
	const struct grant *g;
	struct buf out;
	size_t all, mine;
};

static void
put_row(struct buf *out, const char *head, const char *name, const char *const *words)
{
	buf_addf(out, "%-7s %s:", head, name);
	for (size_t i = 0; words[i] != NULL; i++) {
		buf_adds(out, " ");
		text_escape(out, view_of(words[i]));
	}
	buf_adds(out, "\n");
}

static void
put_word(struct buf *out, const char *name, const char *word)
{
	put_row(out, "", name, (const char *const[]){ word, NULL });
}

static void
put_rule(struct buf *out, const struct rjwt_rule *rule)
{
	char head[32], lifetime[32], uses[32];

	snprintf(head, sizeof(head), "rule %" PRId64, rule->number);
	duration_format(lifetime, rule->max_lifetime_s);
	snprintf(uses, sizeof(uses), "%" PRId64, rule->uses);
	put_row(out, head, "users", rule->users);
	put_row(out, "", "scopes", rule->scopes);
	put_row(out, "", "audience", rule->audience);
	put_word(out, "max_lifetime", lifetime);
	if (rule->reusable)
		put_word(out, "reusable", "true");
	if (rule->uses > 1)
		put_word(out, "uses", uses);
	if (rule->reason_required)
		put_word(out, "reason", "required");
	if (rule->root)
		put_word(out, "root", "true");
}

static void
put_json_list(struct buf *out, const char *name, const char *const *words)
{
	json_open_array(out, name);
	for (size_t i = 0; words[i] != NULL; i++)
		json_put_text(out, NULL, view_of(words[i]));
	json_close_array(out);
}

static void
put_json(struct buf *out, const struct rjwt_rule *rule)
{
	json_open_element(out);
	json_put_integer(out, "rule", rule->number);
	put_json_list(out, "users", rule->users);
	put_json_list(out, "scopes", rule->scopes);
	put_json_list(out, "audience", rule->audience);
	json_put_integer(out, "max_lifetime", rule->max_lifetime_s);
	json_put_bool(out, "reusable", rule->reusable);
	json_put_integer(out, "uses", rule->uses);
	json_put_bool(out, "reason_required", rule->reason_required);
	json_put_bool(out, "root", rule->root);
	json_close(out);
}

static bool
count_rule(void *context, const struct rjwt_rule *rule)
{
	struct listing *l = context;

	(void)rule;
	l->all++;
	return true;
}

static bool
list_rule(void *context, const struct rjwt_rule *rule)
{
	struct listing *l = context;

	l->mine++;
	if (l->g->issue.json)
		put_json(&l->out, rule);
	else
		put_rule(&l->out, rule);
	return true;
}

static enum rjwt_err
list_rules(struct listing *l, struct rjwt_diag *diag)
{
	const struct rjwt_options *options = &l->g->issue.tool.options;
	bool json = l->g->issue.json;

	if (json) {
		json_open(&l->out, NULL);
		json_put_integer(&l->out, "schema", 1);
		json_open_array(&l->out, "rules");
	}
	RJWT_TRY(rjwt_rules(options, &l->g->caller, list_rule, l, diag));
	if (l->mine == 0)
		RJWT_TRY(rjwt_rules(options, NULL, count_rule, l, diag));
	if (json) {
		json_close_array(&l->out);
		json_close(&l->out);
		buf_adds(&l->out, "\n");
	}
	return buf_done(&l->out);
}

int
grant_rules(const struct grant *g)
{
	struct listing l = { .g = g };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = list_rules(&l, &diag);

	if (err == RJWT_OK && l.out.n > 0)
		(void)fwrite(l.out.p, 1, l.out.n, stdout);
	buf_clear(&l.out);
	if (err != RJWT_OK)
		return grant_refuse(g, err, &diag);
	if (l.mine == 0)
		say_none(g, l.all);
	return tool_end(&g->issue.tool, l.mine == 0 ? EXIT_REFUSED : EXIT_DONE);
}

/* --- a token ---------------------------------------------------------------------------------- */

void
grant_summarize(const struct grant *g, const struct rjwt_token *token)
{
	const struct tool *tool = &g->issue.tool;
	char from[32], until[32], lifetime[32], often[40];

	time_format(from, token->nbf_s);
	time_format(until, token->exp_s);
	duration_format(lifetime, token->exp_s - token->nbf_s);
	issue_often(often, token);
	tool_say(tool, "rule %" PRId64 ": %s may use %s on %s, %s", g->decision.rule, g->issue.request.user,
	    token->scope, token->audience, often);
	tool_say(tool, "for %s, %s%s%suntil %s; id %s", lifetime, token->nbf_s > token->iat_s ? "from " : "",
	    token->nbf_s > token->iat_s ? from : "", token->nbf_s > token->iat_s ? " " : "", until, token->jti);
	issue_say_origin(&g->issue);
}
