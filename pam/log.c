/* SPDX-License-Identifier: MIT */
#include "log.h"
#include "prompt.h"
#include "base/buf.h"
#include "base/datetime.h"
#include "base/text.h"

#include <inttypes.h>
#include <security/pam_ext.h>
#include <stdio.h>
#include <syslog.h>

static const char *
item_of(const pam_handle_t *pamh, int type)
{
	const void *item = NULL;

	return pam_get_item(pamh, type, &item) == PAM_SUCCESS ? item : NULL;
}

/* A program that lets PAM ask for the name says how: login, and what takes its place. */
void
login_id_find(const pam_handle_t *pamh, struct login_id *who)
{
	*who = (struct login_id){ .user = item_of(pamh, PAM_USER),
		.service = item_of(pamh, PAM_SERVICE),
		.rhost = item_of(pamh, PAM_RHOST) };
	who->typed = who->user == NULL || item_of(pamh, PAM_USER_PROMPT) != NULL;
}

void
log_line(const pam_handle_t *pamh, int priority, const struct buf *line)
{
	pam_syslog(pamh, priority, "%s", line->p == NULL || line->failed ? "out of memory" : line->p);
}

static void
put_word(struct buf *line, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		text_log_word(line, key, view_of(text));
}

/*
 * named: a genuine token named the user. An empty name is logged too: it is what was wrong with it. What looks like a
 * token is never logged, wherever it was put.
 */
static void
put_who(struct buf *line, const struct login_id *who, bool named)
{
	const char *user = who->user;

	if (user != NULL && user[0] != '\0' && (text_may_be_token(user) || (who->typed && !named)))
		user = "(hidden)";
	if (user != NULL)
		text_log_word(line, "user", view_of(user));
	put_word(line, "service", who->service);
	put_word(line, "rhost", who->rhost);
}

static void
put_time(struct buf *line, const char *key, int64_t at_s)
{
	char text[32];

	time_format(text, at_s);
	if (at_s != 0)
		text_log_word(line, key, view_of(text));
}

/* Of the token: what is known to be genuine. */
static void
put_token(struct buf *line, const struct rjwt_verdict *v)
{
	put_word(line, "kid", v->kid);
	put_word(line, "jti", v->jti);
	put_word(line, "sub", v->sub);
	put_word(line, "act", v->actor);
}

/* Which of its uses it was, or how many there were. */
static void
put_uses(struct buf *line, const struct rjwt_verdict *v)
{
	char text[48];

	snprintf(text, sizeof(text), "%" PRId64 "/%" PRId64, v->used, v->uses);
	if (v->uses > 1 && v->used > 0)
		text_log_word(line, "uses", view_of(text));
}

static bool
time_decided(enum rjwt_err reason)
{
	return reason == RJWT_EXPIRED || reason == RJWT_NOT_YET_VALID || reason == RJWT_ISSUED_IN_FUTURE ||
	       reason == RJWT_KEY_RETIRED;
}

/* What an administrator should look at, whatever became of the login. */
static void
log_care(const pam_handle_t *pamh, const struct rjwt_verdict *v)
{
	RJWT_CLEAN(buf_clear) struct buf overdue = { 0 };
	RJWT_CLEAN(buf_clear) struct buf clock = { 0 };

	if (v->overdue_since_s != 0) {
		buf_adds(&overdue, "overdue");
		put_time(&overdue, "since", v->overdue_since_s);
		log_line(pamh, LOG_WARNING, &overdue);
	}
	if (v->clock_moved_s != 0) {
		text_log_clock(&clock, v->clock_moved_s);
		log_line(pamh, LOG_WARNING, &clock);
	}
}

void
log_verdict(const pam_handle_t *pamh, const struct login_id *who, const char *phase, const struct rjwt_verdict *v)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };

	buf_adds(&line, v->reason == RJWT_OK ? "accepted" : "rejected");
	if (v->reason != RJWT_OK)
		put_word(&line, "reason", rjwt_reason(v->reason));
	put_word(&line, "phase", phase);
	put_who(&line, who, v->reason == RJWT_OK || v->tell);
	put_token(&line, v);
	put_time(&line, "exp", v->exp_s);
	put_uses(&line, v);
	if (time_decided(v->reason)) {
		if (v->reason == RJWT_NOT_YET_VALID)
			put_time(&line, "nbf", v->nbf_s);
		if (v->reason == RJWT_ISSUED_IN_FUTURE || v->reason == RJWT_KEY_RETIRED)
			put_time(&line, "iat", v->iat_s);
		put_time(&line, "now", v->now_s);
	}
	log_line(pamh, LOG_NOTICE, &line);
	log_care(pamh, v);
}

void
log_failure(const pam_handle_t *pamh, const struct login_id *who, enum rjwt_err err, const struct rjwt_verdict *verdict,
    const struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	char place[32];

	buf_adds(&line, "rejected");
	put_word(&line, "reason", rjwt_reason(err));
	put_who(&line, who, verdict != NULL && verdict->jti[0] != '\0');
	if (verdict != NULL)
		put_token(&line, verdict);
	put_word(&line, "path", diag->path);
	snprintf(place, sizeof(place), "%u:%u", diag->line, diag->column);
	if (diag->line != 0)
		put_word(&line, "line", place);
	put_word(&line, "error", diag->text[0] == '\0' ? rjwt_strerror(err) : diag->text);
	log_line(pamh, LOG_ERR, &line);
}

void
log_refusal(const pam_handle_t *pamh, const struct login_id *who, enum rjwt_err err, const char *text)
{
	struct rjwt_diag diag = { 0 };

	snprintf(diag.text, sizeof(diag.text), "%s", text);
	log_failure(pamh, who, err, NULL, &diag);
}

void
log_opened(const pam_handle_t *pamh, const struct args *args, struct rjwt *handle)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	char kid[RJWT_ID_SIZE];
	const char *alg = NULL;

	if (rjwt_current_key(handle, kid, &alg, NULL) != RJWT_OK)
		return;
	buf_adds(&line, "opened");
	put_word(&line, "config", args->config == NULL ? RJWT_CONFIG_FILE : args->config);
	put_word(&line, "signs", kid);
	put_word(&line, "alg", alg);
	log_line(pamh, LOG_DEBUG, &line);
}
