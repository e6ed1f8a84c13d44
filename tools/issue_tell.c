/* SPDX-License-Identifier: MIT */
#include "issue.h"
#include "audit.h"
#include "log.h"
#include "base/datetime.h"
#include "base/host.h"
#include "base/json_write.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

void
issue_name_caller(struct issue *is)
{
	caller_read(&is->caller);
	caller_by(&is->caller, &is->by);
	is->request.by = buf_done(&is->by) == RJWT_OK ? is->by.p : NULL;
	is->request.login = is->caller.login[0] == '\0' ? NULL : is->caller.login;
}

/* What to do about a log that cannot be written to. */
static enum rjwt_err
require_log(const struct issue *is, enum rjwt_err err, struct rjwt_diag *diag)
{
	if (err == RJWT_OK || !rjwt_requires_log(is->handle))
		return RJWT_OK;
	text_append(diag->text, sizeof(diag->text), "; ",
	    "require_log is true, so no token is issued (start the syslog daemon, or set require_log: false)");
	return err;
}

enum rjwt_err
issue_check_log(const struct issue *is, struct rjwt_diag *diag)
{
	return rjwt_requires_log(is->handle) ? require_log(is, log_probe(diag), diag) : RJWT_OK;
}

/* A rotation that was done on the way, whatever became of the token. */
static void
tell_change(const struct issue *is, const struct rjwt_token *token)
{
	if (is->request.rule != 0)
		return; /* who is not root did not ask for it */
	if (token->change.rotated)
		tool_say(&is->tool, "rotation was due: %s", token->change.text);
	if (token->change.warning[0] != '\0')
		tool_say(&is->tool, "warning: %s", token->change.warning);
}

enum rjwt_err
issue_tell(struct issue *is, const struct rjwt_request *request, const struct rjwt_token *token, struct rjwt_diag *diag)
{
	struct rjwt_diag why = { 0 };
	enum rjwt_err err = require_log(is, issue_log_token(is, request, token, &why), &why);

	tell_change(is, token);
	if (err != RJWT_OK) {
		*diag = why;
		return err;
	}
	issue_warn_user(is, request);
	if (token->warning[0] != '\0') {
		tool_say(&is->tool, "warning: %s", token->warning);
		audit_warning(token->warning);
	}
	return RJWT_OK;
}

void
issue_say_uses(const struct issue *is, const struct rjwt_token *token)
{
	if ((is->request.reusable || is->request.uses != 0) && token->once)
		tool_say(&is->tool, "the configuration has one_time: always, so this token works once");
	else if (!token->once && token->uses == 0)
		tool_say(&is->tool, "this token is a password until it expires: anyone who sees it can use it");
}

static void
add_words(struct buf *out, const char *const *words, const char *otherwise)
{
	if (words == NULL)
		buf_adds(out, otherwise);
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		buf_addf(out, "%s%s", i > 0 ? " " : "", words[i]);
}

void
issue_say_origin(const struct issue *is)
{
	RJWT_CLEAN(buf_clear) struct buf ranges = { 0 };
	const char *key = is->request.bind_key;

	add_words(&ranges, is->request.from, "");
	if (key != NULL)
		tool_say(&is->tool, "only together with the ssh key %s", key);
	if (ranges.n > 0)
		tool_say(&is->tool, "only from %s", ranges.p);
}

/* The next word of a scope from *rest on; false: that was the last. */
static bool
next_scope(const char **rest, char word[static RJWT_NAME_MAX + 1])
{
	size_t n = strcspn(*rest, " ");

	if (n == 0)
		return false;
	snprintf(word, RJWT_NAME_MAX + 1, "%.*s", (int)n, *rest);
	*rest += n + ((*rest)[n] == ' ');
	return true;
}

/* The prompts of its scopes: what each takes, and whether that is known. */
static void
say_length(const struct issue *is, const struct rjwt_token *token)
{
	RJWT_CLEAN(buf_clear) struct buf known = { 0 };
	RJWT_CLEAN(buf_clear) struct buf unknown = { 0 };
	char scope[RJWT_NAME_MAX + 1];

	for (const char *rest = token->scope; next_scope(&rest, scope);) {
		struct rjwt_prompt prompt;

		if (!rjwt_prompt(is->handle, scope, &prompt))
			buf_addf(&unknown, "%s%s", unknown.n > 0 ? " or " : "", scope);
		else if (token->len <= prompt.limit)
			buf_addf(&known, "%s %s (%zu bytes)", known.n > 0 ? "," : "", scope, prompt.limit);
	}
	tool_say(&is->tool, "%zu bytes%s%s%s%s%s", token->len, known.n > 0 ? ", fits the prompts of its scopes:" : "",
	    known.n > 0 ? known.p : "", unknown.n > 0 ? "; the limit of the prompt of " : "",
	    unknown.n > 0 ? unknown.p : "", unknown.n > 0 ? " is not known" : "");
}

void
issue_often(char out[static 40], const struct rjwt_token *token)
{
	bool shared = host_is_group(token->audience) || strchr(token->audience, ',') != NULL;
	const char *each = strchr(token->scope, ' ') == NULL ? "" : " for each", *where = !shared ? ""
											  : each[0] == '\0'
											      ? " on each host"
											      : ", on each host";

	if (token->uses != 0)
		snprintf(out, 40, "%" PRId64 " times%s%s", token->uses, each, where);
	else if (token->once)
		snprintf(out, 40, "once%s%s", each, where);
	else
		snprintf(out, 40, "any number of times");
}

void
issue_summarize(const struct issue *is, const struct rjwt_token *token)
{
	RJWT_CLEAN(buf_clear) struct buf where = { 0 };
	RJWT_CLEAN(buf_clear) struct buf what = { 0 };
	char from[32], until[32], lifetime[32], often[40];

	add_words(&where, is->request.audience, "this host");
	add_words(&what, is->request.scope, "ssh");
	time_format(from, token->nbf_s);
	time_format(until, token->exp_s);
	duration_format(lifetime, token->exp_s - token->nbf_s);
	issue_often(often, token);
	tool_say(&is->tool, "%s may use %s on %s, %s, from %s until %s (%s)", is->request.user,
	    what.p == NULL ? "" : what.p, where.p == NULL ? "" : where.p, often, from, until, lifetime);
	issue_say_origin(is);
	if (token->code[0] == '\0')
		say_length(is, token);
	else
		tool_say(&is->tool, "a code to type in the place of the token; capitals or small letters, with or "
				    "without blanks and hyphens");
}

enum rjwt_err
issue_json(const struct issue *is, const struct rjwt_token *token, struct buf *out)
{
	struct rjwt_prompt prompt;
	char scope[RJWT_NAME_MAX + 1];

	json_open(out, NULL);
	if (token->code[0] == '\0')
		json_put_string(out, "token", (struct view){ token->text, token->len });
	else
		json_put_string(out, "code", view_of(token->code));
	json_put_raw(out, "claims", view_of(token->claims));
	json_put_raw(out, "header", view_of(token->header));
	json_put_integer(out, "size", (int64_t)(token->code[0] == '\0' ? token->len : strlen(token->code)));
	json_open_array(out, "fits");
	for (const char *rest = token->scope; next_scope(&rest, scope);)
		if (rjwt_prompt(is->handle, scope, &prompt) && (token->code[0] != '\0' || token->len <= prompt.limit))
			json_put_string(out, NULL, view_of(scope));
	json_close_array(out);
	json_close(out);
	buf_adds(out, "\n");
	return buf_done(out);
}
