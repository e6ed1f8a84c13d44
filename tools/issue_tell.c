/* SPDX-License-Identifier: MIT */
#include "issue.h"
#include "base/datetime.h"
#include "base/json_write.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

/* Who asked: the real user, and who sudo says called it. */
static void
log_caller(struct buf *line)
{
	const char *sudo = getenv("SUDO_USER");
	struct passwd *user = getpwuid(getuid());
	char uid[32] = "";
	FILE *file = fopen("/proc/self/loginuid", "re");

	text_log_word(line, "by", view_of(user == NULL ? "?" : user->pw_name));
	if (sudo != NULL)
		text_log_word(line, "sudo_user", view_of(sudo));
	if (file != NULL) {
		if (fgets(uid, sizeof(uid), file) != NULL && strcmp(uid, "4294967295") != 0)
			text_log_word(line, "loginuid", view_of(uid));
		fclose(file);
	}
}

/* The line that a login's jti leads back to. */
static void
log_token(struct issue *is, const struct rjwt_request *request, const char *reason, const struct rjwt_token *token)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	char until[32];

	if (is->caller.n == 0)
		log_caller(&is->caller);
	buf_adds(&line, "issued ");
	buf_add_view(&line, buf_view(&is->caller));
	text_log_word(&line, "sub", view_of(request->user));
	text_log_word(&line, "aud", view_of(token->audience));
	text_log_word(&line, "scope", view_of(token->scope));
	time_format(until, token->exp_s);
	text_log_word(&line, "jti", view_of(token->jti));
	text_log_word(&line, "exp", view_of(until));
	text_log_word(&line, "kid", view_of(token->kid));
	text_log_word(&line, "uses", view_of(token->once ? "once" : "any"));
	if (reason != NULL)
		text_log_word(&line, "reason", view_of(reason));
	tool_log(LOG_NOTICE, &line);
}

void
issue_tell(struct issue *is, const struct rjwt_request *request, const char *reason, const struct rjwt_token *token)
{
	log_token(is, request, reason, token);
	tool_log_change(&token->change);
	if (token->change.rotated)
		tool_say(&is->tool, "rotation was due: %s", token->change.text);
	if (token->change.warning[0] != '\0')
		tool_say(&is->tool, "warning: %s", token->change.warning);
	if (token->warning[0] != '\0') {
		tool_say(&is->tool, "warning: %s", token->warning);
		tool_log_text(LOG_WARNING, token->warning);
	}
}

/* The next prompt from number *i on that the token fits; NULL: there is none. *i: after it. */
static const char *
next_prompt(const struct rjwt_token *token, unsigned *i)
{
	const char *name;
	size_t limit;

	while ((name = rjwt_prompt((*i)++, &limit)) != NULL)
		if ((token->fits & 1U << (*i - 1)) != 0)
			return name;
	return NULL;
}

static void
add_words(struct buf *out, const char *const *words, const char *otherwise)
{
	if (words == NULL)
		buf_adds(out, otherwise);
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		buf_addf(out, "%s%s", i > 0 ? " " : "", words[i]);
}

static void
list_prompts(const struct rjwt_token *token, struct buf *out)
{
	const char *name;

	for (unsigned i = 0; (name = next_prompt(token, &i)) != NULL;)
		buf_addf(out, "%s%s", out->n > 0 ? " " : "", name);
	if (out->n == 0)
		buf_adds(out, "none");
}

/* How often the token works, in words. */
static const char *
uses(const struct issue *is, const struct rjwt_token *token)
{
	if (!token->once)
		return "any number of times";
	return is->scope.n > 1 ? "once for each" : "once";
}

void
issue_summarize(const struct issue *is, const struct rjwt_token *token)
{
	RJWT_CLEAN(buf_clear) struct buf where = { 0 };
	RJWT_CLEAN(buf_clear) struct buf what = { 0 };
	RJWT_CLEAN(buf_clear) struct buf prompts = { 0 };
	char from[32], until[32], lifetime[32];

	add_words(&where, is->request.audience, "this host");
	add_words(&what, is->request.scope, "ssh");
	list_prompts(token, &prompts);
	time_format(from, token->nbf_s);
	time_format(until, token->exp_s);
	duration_format(lifetime, token->exp_s - token->nbf_s);
	tool_say(&is->tool, "%s may use %s on %s, %s, from %s until %s (%s)", is->request.user,
	    what.p == NULL ? "" : what.p, where.p == NULL ? "" : where.p, uses(is, token), from, until, lifetime);
	tool_say(&is->tool, "%zu bytes, fits the prompts of %s", token->len, prompts.p == NULL ? "" : prompts.p);
}

enum rjwt_err
issue_json(const struct rjwt_token *token, struct buf *out)
{
	const char *name;

	json_open(out, NULL);
	json_put_string(out, "token", (struct view){ token->text, token->len });
	json_put_raw(out, "claims", view_of(token->claims));
	json_put_raw(out, "header", view_of(token->header));
	json_put_integer(out, "size", (int64_t)token->len);
	json_open_array(out, "fits");
	for (unsigned i = 0; (name = next_prompt(token, &i)) != NULL;)
		json_put_string(out, NULL, view_of(name));
	json_close_array(out);
	json_close(out);
	buf_adds(out, "\n");
	return buf_done(out);
}
