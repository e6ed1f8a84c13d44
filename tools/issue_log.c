/* SPDX-License-Identifier: MIT */
/* The log lines of rjwt-issue and rjwt-grant: a token that was issued, and one that was not. */
#include "issue.h"
#include "audit.h"
#include "log.h"
#include "base/datetime.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <syslog.h>

static void
log_list(struct buf *line, const char *key, const char *const *words, const char *between)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	for (size_t i = 0; words != NULL && words[i] != NULL && text.n <= LOG_VALUE_MAX; i++)
		buf_addf(&text, "%s%s", i > 0 ? between : "", words[i]);
	if (text.n > 0)
		text_log_word(line, key, buf_view(&text));
}

enum rjwt_err
issue_log_token(const struct issue *is, const struct rjwt_request *request, const struct rjwt_token *token,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	char until[32], rule[32], uses[32];

	buf_adds(&line, "issued");
	caller_log(&is->caller, &line);
	if (request->rule != 0) {
		snprintf(rule, sizeof(rule), "%" PRId64, request->rule);
		text_log_word(&line, "rule", view_of(rule));
	}
	text_log_word(&line, "sub", view_of(request->user));
	text_log_word(&line, "aud", view_of(token->audience));
	text_log_word(&line, "scope", view_of(token->scope));
	time_format(until, token->exp_s);
	text_log_word(&line, "jti", view_of(token->jti));
	text_log_word(&line, "exp", view_of(until));
	text_log_word(&line, "kid", view_of(token->kid));
	snprintf(uses, sizeof(uses), "%s", token->once ? "once" : "any");
	if (token->uses != 0)
		snprintf(uses, sizeof(uses), "%" PRId64, token->uses);
	text_log_word(&line, "uses", view_of(uses));
	if (request->code_until_s != 0) {
		time_format(until, request->code_until_s);
		text_log_word(&line, "until", view_of(until));
	}
	if (request->actor != NULL)
		text_log_word(&line, "act", view_of(request->actor));
	if (request->bind_key != NULL)
		text_log_word(&line, "cnf", view_of(request->bind_key));
	log_list(&line, "src", request->from, " ");
	if (request->why != NULL)
		text_log_word(&line, "why", view_of(request->why));
	return log_send(LOG_NOTICE, &line, diag);
}

static size_t
count_parts(const struct rjwt_decision *d, int64_t rule)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nparts; i++)
		n += d->parts[i].rule == rule;
	return n;
}

/* The rule that came nearest: the first of those with the fewest parts that do not allow the request. */
static void
log_nearest(struct buf *line, const struct rjwt_decision *d)
{
	RJWT_CLEAN(buf_clear) struct buf names = { 0 };
	int64_t nearest = 0;
	char number[32];

	for (size_t i = 0; i < d->nparts; i++)
		if (nearest == 0 || count_parts(d, d->parts[i].rule) < count_parts(d, nearest))
			nearest = d->parts[i].rule;
	if (nearest == 0)
		return;
	for (size_t i = 0; i < d->nparts; i++)
		if (d->parts[i].rule == nearest)
			buf_addf(&names, "%s%s", names.n > 0 ? "," : "", d->parts[i].part);
	text_log_word(line, "part", buf_view(&names));
	snprintf(number, sizeof(number), "%" PRId64, nearest);
	text_log_word(line, "rule", view_of(number));
}

void
issue_log_refused(const struct issue *is, const struct rjwt_request *request, const struct rjwt_decision *decision,
    enum rjwt_err err, const struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };

	buf_adds(&line, "refused");
	text_log_word(&line, "reason", view_of(rjwt_reason(err)));
	caller_log(&is->caller, &line);
	if (request->user != NULL)
		text_log_word(&line, "sub", view_of(request->user));
	log_list(&line, "aud", request->audience, ",");
	log_list(&line, "scope", request->scope, " ");
	if (decision != NULL && decision->nrules > 0)
		log_nearest(&line, decision);
	else
		audit_put_error(&line, diag);
	if (request->why != NULL)
		text_log_word(&line, "why", view_of(request->why));
	tool_log(rjwt_is_verdict(err) ? LOG_NOTICE : LOG_ERR, &line);
}
