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

enum rjwt_err
issue_json(const struct rjwt_token *token, struct buf *out)
{
	const char *name;
	size_t limit;

	json_open(out, NULL);
	json_put_string(out, "token", (struct view){ token->text, token->len });
	json_put_raw(out, "claims", view_of(token->claims));
	json_put_raw(out, "header", view_of(token->header));
	json_put_integer(out, "size", (int64_t)token->len);
	json_open_array(out, "fits");
	for (unsigned i = 0; (name = rjwt_prompt(i, &limit)) != NULL; i++)
		if ((token->fits & 1U << i) != 0)
			json_put_string(out, NULL, view_of(name));
	json_close_array(out);
	json_close(out);
	buf_adds(out, "\n");
	return buf_done(out);
}
