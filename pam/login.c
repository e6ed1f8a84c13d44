/* SPDX-License-Identifier: MIT */
#include "module.h"

#include <security/pam_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* One authentication, from the first prompt to the answer. */
struct login {
	pam_handle_t *pamh;
	const struct args *args;
	void (*now)(struct rjwt_time *);
	struct rjwt *handle;
	char *user;	     /* a copy: the item may change under us */
	const char *service, *rhost;
	struct reply first, second;
	unsigned prompts;    /* asked so far */
	char next_prompt[256]; /* "": do not ask again */
};

int
login_code(enum rjwt_err err)
{
	switch (err) {
	case RJWT_OK:
		return PAM_SUCCESS;
	case RJWT_EMPTY:
	case RJWT_TOO_LONG:
	case RJWT_TRUNCATED:
	case RJWT_MALFORMED:
	case RJWT_HEADER:
	case RJWT_ALG:
	case RJWT_KID:
	case RJWT_KEY_UNKNOWN:
	case RJWT_KEY_REVOKED:
	case RJWT_KEY_RETIRED:
	case RJWT_SIGNATURE:
	case RJWT_TYP:
	case RJWT_CLAIMS:
	case RJWT_USER:
	case RJWT_ISSUER:
	case RJWT_AUDIENCE:
	case RJWT_EXPIRED:
	case RJWT_NOT_YET_VALID:
	case RJWT_ISSUED_IN_FUTURE:
	case RJWT_LIFETIME:
	case RJWT_SCOPE:
	case RJWT_BINDING:
	case RJWT_SOURCE:
	case RJWT_REVOKED:
	case RJWT_SPENT:
		return PAM_AUTH_ERR;
	case RJWT_MEMORY:
		return PAM_BUF_ERR;
	case RJWT_CONFIG:
	case RJWT_KEYSET:
	case RJWT_IO:
	case RJWT_BUSY:
	case RJWT_EXISTS:
	case RJWT_USAGE:
	case RJWT_INTERNAL:
		return PAM_AUTHINFO_UNAVAIL;
	}
	return PAM_AUTHINFO_UNAVAIL;
}

/* --- the log: one line for each decision, all values escaped, never the token ---------------------------------- */

static void
put_line(const struct login *l, int priority, const struct buf *line)
{
	pam_syslog(l->pamh, priority, "%s", line->p == NULL || line->failed ? "out of memory" : line->p);
}

static void
put_where(const struct login *l, struct buf *line)
{
	text_log_word(line, "user", view_of(l->user));
	text_log_word(line, "service", view_of(l->service));
	if (l->rhost != NULL && l->rhost[0] != '\0')
		text_log_word(line, "rhost", view_of(l->rhost));
}

static void
put_word(struct buf *line, const char *key, const char *text)
{
	if (text[0] != '\0')
		text_log_word(line, key, view_of(text));
}

static void
put_time(struct buf *line, const char *key, int64_t at_s)
{
	char text[32];

	time_format(text, at_s);
	if (at_s != 0)
		text_log_word(line, key, view_of(text));
}

static bool
time_decided(enum rjwt_err reason)
{
	return reason == RJWT_EXPIRED || reason == RJWT_NOT_YET_VALID ||
	    reason == RJWT_ISSUED_IN_FUTURE || reason == RJWT_KEY_RETIRED;
}

static void
log_verdict(const struct login *l, const struct rjwt_verdict *v)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };

	buf_adds(&line, v->reason == RJWT_OK ? "accepted" : "rejected");
	if (v->reason != RJWT_OK)
		put_word(&line, "reason", rjwt_reason(v->reason));
	put_where(l, &line);
	put_word(&line, "kid", v->kid);
	put_word(&line, "jti", v->jti);
	put_word(&line, "sub", v->sub);
	put_time(&line, "exp", v->exp_s);
	if (time_decided(v->reason)) {
		if (v->reason == RJWT_NOT_YET_VALID)
			put_time(&line, "nbf", v->nbf_s);
		if (v->reason == RJWT_ISSUED_IN_FUTURE || v->reason == RJWT_KEY_RETIRED)
			put_time(&line, "iat", v->iat_s);
		put_time(&line, "now", v->now_s);
	}
	put_line(l, LOG_NOTICE, &line);
	if (v->rotation_overdue)
		pam_syslog(l->pamh, LOG_WARNING, "rotation is overdue: is rjwt-keyd at work?");
	if (v->clock_suspect)
		pam_syslog(l->pamh, LOG_WARNING, "clock suspect: it went back, or does not run in step");
}

static void
log_failure(const struct login *l, enum rjwt_err err, const struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	char place[32];

	buf_adds(&line, "rejected");
	put_word(&line, "reason", rjwt_reason(err));
	put_where(l, &line);
	put_word(&line, "path", diag->path);
	snprintf(place, sizeof(place), "%u:%u", diag->line, diag->column);
	if (diag->line != 0)
		put_word(&line, "line", place);
	put_word(&line, "error", diag->text[0] == '\0' ? rjwt_strerror(err) : diag->text);
	put_line(l, LOG_ERR, &line);
}

static void
log_debug(const struct login *l, const char *text)
{
	if (l->args->debug)
		pam_syslog(l->pamh, LOG_DEBUG, "%s", text);
}

/* --- what is told, in the next prompt: sshd drops messages, and sudo is silent ------------------------------------- */

static void
tell_reason(struct login *l, const struct rjwt_verdict *v)
{
	char amount[32];

	if (v->reason == RJWT_EXPIRED) {
		duration_format(amount, v->now_s - v->exp_s);
		snprintf(l->next_prompt, sizeof(l->next_prompt), "Token expired %s ago. %.100s", amount,
		    l->args->prompt);
	} else if (v->reason == RJWT_NOT_YET_VALID) {
		duration_format(amount, v->nbf_s - v->now_s);
		snprintf(l->next_prompt, sizeof(l->next_prompt), "Token is valid in %s. %.100s", amount,
		    l->args->prompt);
	} else {
		snprintf(l->next_prompt, sizeof(l->next_prompt), "Refused: %s. %.100s",
		    rjwt_strerror(v->reason), l->args->prompt);
	}
}

/* --- judging --------------------------------------------------------------------------------------------------------- */

/* The name that was verified must be the one that will be logged in. */
static bool
same_user(const struct login *l)
{
	const void *item = NULL;

	return pam_get_item(l->pamh, PAM_USER, &item) == PAM_SUCCESS && item != NULL &&
	    strcmp(item, l->user) == 0;
}

static int
accept(struct login *l, const struct rjwt_verdict *v)
{
	if (!same_user(l)) {
		pam_syslog(l->pamh, LOG_ERR, "rejected reason=user: PAM_USER changed under us");
		return PAM_AUTH_ERR;
	}
	if (phase_remember(l->pamh, v) != PAM_SUCCESS) {
		pam_syslog(l->pamh, LOG_ERR, "rejected reason=memory: the login cannot be remembered");
		return PAM_BUF_ERR;
	}
	log_verdict(l, v);
	return PAM_SUCCESS;
}

/* Configuration and keyset, as they are now. */
static int
open_host(struct login *l)
{
	struct rjwt_options options = { .config = l->args->config, .now = l->now };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err;

	rjwt_close(l->handle);
	l->handle = NULL;
	err = rjwt_open(&options, &l->handle, &diag);
	if (err != RJWT_OK)
		log_failure(l, err, &diag);
	return login_code(err);
}

static int
judge(struct login *l, const struct reply *reply)
{
	struct rjwt_attempt attempt = { .token = reply->p, .len = strlen(reply->p), .user = l->user,
		.service = l->service };
	RJWT_CLEAN(rjwt_verdict_clear) struct rjwt_verdict verdict = { 0 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err;

	/* A prompt waits as long as its user likes, and what was opened before it may be of yesterday. */
	if (l->prompts > 0) {
		int ret = open_host(l);

		if (ret != PAM_SUCCESS)
			return ret;
	}
	err = rjwt_verify(l->handle, &attempt, &verdict, &diag);
	if (err == RJWT_OK)
		return accept(l, &verdict);
	if (!rjwt_is_verdict(err)) {
		log_failure(l, err, &diag);
		return login_code(err);
	}
	log_verdict(l, &verdict);
	if (verdict.tell)
		tell_reason(l, &verdict);
	return login_code(err);
}

/* A reply that was typed: a token is judged, anything else is for the next module. */
static int
take_reply(struct login *l, const struct reply *reply)
{
	l->next_prompt[0] = '\0';
	if (reply_is_token(reply))
		return judge(l, reply);
	if (reply->p[0] == '\0') {
		log_verdict(l, &(struct rjwt_verdict){ .reason = RJWT_EMPTY });
		return PAM_AUTH_ERR;
	}
	log_debug(l, "the reply is no token, and left to the next module");
	return prompt_pass_on(l->pamh, reply) == PAM_SUCCESS ? PAM_AUTH_ERR : PAM_BUF_ERR;
}

/*
 * The conversation failed: sudo does that for a reply of more than 511 bytes, and a shorter one may follow.
 * An application's own codes do not become ours: some of them count as success in a stack.
 */
static int
take_failure(struct login *l, int ret)
{
	if (ret == PAM_CONV_AGAIN)
		return PAM_INCOMPLETE;
	if (ret == PAM_BUF_ERR || ret == PAM_AUTH_ERR)
		return ret;
	if (ret == PAM_CONV_ERR)
		snprintf(l->next_prompt, sizeof(l->next_prompt),
		    "Nothing was read: a token for this prompt may be too long. %.100s",
		    l->args->prompt);
	return PAM_CONV_ERR;
}

static int
ask(struct login *l, const char *text, struct reply *reply)
{
	int ret;

	l->prompts++;
	ret = prompt_ask(l->pamh, text, reply);
	return ret == PAM_SUCCESS ? PAM_SUCCESS : take_failure(l, ret);
}

static int
converse(struct login *l)
{
	char text[sizeof(l->next_prompt)];
	int ret = PAM_SUCCESS;

	if (!l->args->try_first_pass && !l->args->use_first_pass)
		reply_clear(&l->first); /* somebody's token, taken from where it must not stay */
	if (l->args->use_first_pass)
		return l->first.p == NULL ? PAM_AUTH_ERR : take_reply(l, &l->first);
	if (l->first.p == NULL)
		ret = ask(l, l->args->prompt, &l->first);
	if (ret == PAM_SUCCESS)
		ret = take_reply(l, &l->first);
	if (l->next_prompt[0] == '\0')
		return ret;
	memcpy(text, l->next_prompt, sizeof(text));
	l->next_prompt[0] = '\0';
	if (ask(l, text, &l->second) != PAM_SUCCESS)
		return ret;
	/* sshd's password method answers every prompt with the one password. */
	if (reply_same(&l->first, &l->second))
		return ret;
	return take_reply(l, &l->second);
}

/* --- the whole ---------------------------------------------------------------------------------------------------------- */

static void
login_clear(struct login *l)
{
	reply_clear(&l->first);
	reply_clear(&l->second);
	rjwt_close(l->handle);
	free(l->user);
}

static int
find_user(struct login *l)
{
	const char *name = NULL;
	const void *item = NULL;
	int ret = pam_get_user(l->pamh, &name, NULL);

	if (ret != PAM_SUCCESS)
		return take_failure(l, ret);
	if (name == NULL || name[0] == '\0')
		return PAM_USER_UNKNOWN;
	l->user = strdup(name);
	if (l->user == NULL)
		return PAM_BUF_ERR;
	if (pam_get_item(l->pamh, PAM_SERVICE, &item) == PAM_SUCCESS)
		l->service = item;
	item = NULL;
	if (pam_get_item(l->pamh, PAM_RHOST, &item) == PAM_SUCCESS)
		l->rhost = item;
	return PAM_SUCCESS;
}

int
login_authenticate(pam_handle_t *pamh, const struct args *args, void (*now)(struct rjwt_time *))
{
	RJWT_CLEAN(login_clear) struct login l = { .pamh = pamh, .args = args, .now = now };
	int ret;

	/* First what must not stay, whatever comes: another login's mark, and a token in PAM_AUTHTOK. */
	if (phase_forget(pamh) != PAM_SUCCESS || prompt_take_stacked(pamh, &l.first) != PAM_SUCCESS)
		return PAM_BUF_ERR;
	if (args == NULL)
		return PAM_AUTHINFO_UNAVAIL;
	ret = find_user(&l);
	/* A host that cannot judge does not ask. */
	if (ret == PAM_SUCCESS)
		ret = open_host(&l);
	return ret == PAM_SUCCESS ? converse(&l) : ret;
}
