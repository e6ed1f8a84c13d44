/* SPDX-License-Identifier: MIT */
#include "login.h"
#include "log.h"
#include "origin.h"
#include "phases.h"
#include "prompt.h"
#include "tell.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One authentication, from the first prompt to the answer. */
struct login {
	pam_handle_t *pamh;
	const struct args *args;
	void (*now)(void *context, struct rjwt_time *now);
	struct rjwt *handle;
	char *user, *service, *rhost; /* copies: the items may change while a prompt waits */
	struct login_id who;
	struct reply first, second;
	unsigned prompts;	     /* asked so far */
	char next_prompt[TELL_SIZE]; /* "": do not ask again */
};

int
login_code(enum rjwt_err err)
{
	if (err == RJWT_OK)
		return PAM_SUCCESS;
	if (err == RJWT_MEMORY)
		return PAM_BUF_ERR;
	return rjwt_is_verdict(err) ? PAM_AUTH_ERR : PAM_AUTHINFO_UNAVAIL;
}

/* --- judging ---------------------------------------------------------------------------------- */

/* The name that was verified must be the one that will be logged in. */
static bool
same_user(const struct login *l)
{
	struct login_id now;

	login_id_find(l->pamh, &now);
	return now.user != NULL && strcmp(now.user, l->user) == 0;
}

static int
accept(struct login *l, const struct rjwt_verdict *v)
{
	if (!same_user(l)) {
		log_refusal(l->pamh, &l->who, RJWT_USER, "PAM_USER changed during authentication");
		return PAM_AUTH_ERR;
	}
	if (phase_remember(l->pamh, v) != PAM_SUCCESS) {
		log_refusal(l->pamh, &l->who, RJWT_MEMORY, "cannot store the login in the PAM handle");
		return PAM_BUF_ERR;
	}
	log_verdict(l->pamh, &l->who, NULL, v);
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
		log_failure(l->pamh, &l->who, err, NULL, &diag);
	return login_code(err);
}

/* The marks of one-time tokens are root's to make, and pam(3) has programs that are not. */
static void
explain_no_root(const struct rjwt_verdict *v, struct rjwt_diag *diag)
{
	if (v->uses != 0 && v->jti[0] != '\0' && diag->errnum == EACCES && geteuid() != 0)
		text_append(diag->text, sizeof(diag->text), ": ",
		    "this program does not run as root, so it cannot take a one-time token: mint with --reusable");
}

static int
judge(struct login *l, const struct reply *reply)
{
	struct origin origin;
	struct rjwt_attempt attempt = { .token = reply->p,
		.len = strlen(reply->p),
		.user = l->user,
		.service = l->who.service,
		.source = origin.source };
	RJWT_CLEAN(rjwt_verdict_clear) struct rjwt_verdict verdict = { 0 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err;

	/* A prompt waits as long as its user likes, and what was opened before it may be of yesterday. */
	if (l->prompts > 0) {
		int ret = open_host(l);

		if (ret != PAM_SUCCESS)
			return ret;
	}
	origin_find(l->pamh, l->rhost, &origin);
	attempt.auth_info = origin.auth_info;
	err = rjwt_verify(l->handle, &attempt, &verdict, &diag);
	if (err == RJWT_OK)
		return accept(l, &verdict);
	if (!rjwt_is_verdict(err)) {
		explain_no_root(&verdict, &diag);
		log_failure(l->pamh, &l->who, err, &verdict, &diag);
		if (verdict.tell) /* stale: the holder of a good token learns why it does not open this host */
			tell_rejected(l->next_prompt, &verdict, l->who.service, l->args->prompt);
		return login_code(err);
	}
	log_verdict(l->pamh, &l->who, NULL, &verdict);
	if (verdict.tell)
		tell_rejected(l->next_prompt, &verdict, l->who.service, l->args->prompt);
	return login_code(err);
}

/* The handle is the one that was opened before the prompt: where no keyset can be read any more, passwords still work. */
static int
judge_code(struct login *l, const struct reply *reply)
{
	RJWT_CLEAN(reply_clear) struct reply token = { NULL, 0 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = RJWT_OK;

	if (l->handle != NULL)
		err = rjwt_parked(l->handle, reply->p, strlen(reply->p), &token.p, &diag);
	if (err != RJWT_OK)
		log_failure(l->pamh, &l->who, err, NULL, &diag);
	else if (token.p != NULL)
		return judge(l, &token);
	return err == RJWT_OK ? PAM_AUTH_ERR : login_code(err);
}

/*
 * A short reply may be the code of a token that is parked here. Otherwise it is taken for a password, and passed on with
 * no word about it. So is a code that is refused in silence: what asks next must not depend on what the reply was, for
 * sshd replaces the reply for a user who is not there.
 */
static int
take_short(struct login *l, const struct reply *reply)
{
	int ret = judge_code(l, reply);

	if (ret == PAM_SUCCESS || l->next_prompt[0] != '\0')
		return ret;
	return prompt_pass_on(l->pamh, reply) == PAM_SUCCESS ? ret : PAM_BUF_ERR;
}

/* A reply that was typed: a token is judged, a password is for the next module. */
static int
take_reply(struct login *l, const struct reply *reply)
{
	l->next_prompt[0] = '\0';
	if (reply_is_token(reply))
		return judge(l, reply);
	if (reply->p[0] == '\0' || reply_is_long(reply)) {
		const struct rjwt_verdict v = { .reason = reply_is_long(reply) ? RJWT_MALFORMED : RJWT_EMPTY };

		log_verdict(l->pamh, &l->who, NULL, &v);
		return PAM_AUTH_ERR;
	}
	return take_short(l, reply);
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
		tell_nothing_arrived(l->next_prompt, l->args->prompt);
	return PAM_CONV_ERR;
}

/* Where a failed conversation is the answer: PAM_INCOMPLETE is none, the application calls again. */
static int
unread(const struct login *l, int ret)
{
	if (ret == PAM_BUF_ERR)
		log_refusal(l->pamh, &l->who, RJWT_MEMORY, "");
	else if (ret != PAM_INCOMPLETE)
		log_refusal(l->pamh, &l->who, RJWT_IO, "the conversation failed");
	return ret;
}

static int
ask(struct login *l, const char *text, struct reply *reply)
{
	int ret;

	l->prompts++;
	ret = prompt_ask(l->pamh, text, reply);
	return ret == PAM_SUCCESS ? PAM_SUCCESS : take_failure(l, ret);
}

/* The second prompt. false: nothing new came of it, and the first answer stands. */
static bool
ask_again(struct login *l)
{
	char text[sizeof(l->next_prompt)];

	if (l->next_prompt[0] == '\0')
		return false;
	memcpy(text, l->next_prompt, sizeof(text));
	l->next_prompt[0] = '\0';
	/* sshd's password method answers every prompt with the one password. */
	return ask(l, text, &l->second) == PAM_SUCCESS && !reply_same(&l->first, &l->second);
}

/*
 * The reply to a module above is judged, and after a refusal its user is asked, as one is whose reply cannot be a
 * token: sshd puts junk of the same length in the place of what is typed for a user who is not there.
 */
static int
take_stacked(struct login *l)
{
	int ret = take_reply(l, &l->first);

	if (ret == PAM_AUTH_ERR && l->next_prompt[0] == '\0')
		snprintf(l->next_prompt, sizeof(l->next_prompt), "%.100s", l->args->prompt);
	return ret;
}

static int
converse(struct login *l)
{
	int ret;

	if (!l->args->try_first_pass && !l->args->use_first_pass)
		reply_clear(&l->first); /* somebody's token, taken from where it must not stay */
	if (l->args->use_first_pass)
		return l->first.p == NULL ? PAM_AUTH_ERR : take_reply(l, &l->first);
	if (l->first.p != NULL) {
		ret = take_stacked(l);
	} else {
		ret = ask(l, l->args->prompt, &l->first);
		if (ret == PAM_SUCCESS)
			ret = take_reply(l, &l->first);
	}
	if (ask_again(l))
		return take_reply(l, &l->second);
	return l->first.p == NULL ? unread(l, ret) : ret;
}

/* --- the whole -------------------------------------------------------------------------------- */

static void
login_clear(struct login *l)
{
	reply_clear(&l->first);
	reply_clear(&l->second);
	rjwt_close(l->handle);
	free(l->user);
	free(l->service);
	free(l->rhost);
}

static int
find_user(struct login *l)
{
	const char *name = NULL;
	struct login_id before;
	int ret;

	login_id_find(l->pamh, &before);
	ret = pam_get_user(l->pamh, &name, NULL);
	login_id_find(l->pamh, &l->who);
	l->who.typed = before.typed;
	if (ret != PAM_SUCCESS)
		return unread(l, take_failure(l, ret));
	if (name == NULL || name[0] == '\0') {
		log_refusal(l->pamh, &l->who, RJWT_USER, "the login name is empty");
		return PAM_USER_UNKNOWN;
	}
	l->user = strdup(name);
	l->service = strdup(l->who.service == NULL ? "" : l->who.service);
	l->rhost = strdup(l->who.rhost == NULL ? "" : l->who.rhost);
	if (l->user == NULL || l->service == NULL || l->rhost == NULL)
		return unread(l, PAM_BUF_ERR);
	l->who = (struct login_id){ l->user, l->service, l->rhost, before.typed };
	return PAM_SUCCESS;
}

/* What must not stay, whatever comes: another login's mark, and a token in PAM_AUTHTOK. Either goes without the other. */
static int
clear_away(struct login *l)
{
	int forgotten = phase_forget(l->pamh), taken = prompt_take_stacked(l->pamh, &l->first);

	if (forgotten == PAM_SUCCESS && taken == PAM_SUCCESS)
		return PAM_SUCCESS;
	login_id_find(l->pamh, &l->who);
	return unread(l, PAM_BUF_ERR);
}

int
login_authenticate(pam_handle_t *pamh, const struct args *args, void (*now)(void *context, struct rjwt_time *now))
{
	RJWT_CLEAN(login_clear) struct login l = { .pamh = pamh, .args = args, .now = now };
	int ret = clear_away(&l);

	if (ret != PAM_SUCCESS)
		return ret;
	if (args == NULL)
		return PAM_AUTHINFO_UNAVAIL;
	ret = find_user(&l);
	/* A host that cannot judge does not ask. */
	if (ret == PAM_SUCCESS)
		ret = open_host(&l);
	if (ret != PAM_SUCCESS)
		return ret;
	if (args->debug)
		log_opened(pamh, args, l.handle);
	return converse(&l);
}
