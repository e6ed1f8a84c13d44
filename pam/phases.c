/* SPDX-License-Identifier: MIT */
#include "phases.h"
#include "log.h"
#include "base/datetime.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA "pam_rjwt_login"
#define RUNTIME_MAX "systemd.runtime_max_sec" /* pam_systemd(8): read in its open_session */

static const char *const variables[] = { "RJWT_JTI", "RJWT_SUB", "RJWT_EXP", "RJWT_ACTOR" };
enum { JTI, SUB, EXP, ACTOR, VARIABLES };
#define CAP "RJWT_CAP" /* on its way to setcred only, never left to the user */

/* A login that was accepted. */
struct login_record {
	char jti[RJWT_ID_SIZE], sub[RJWT_NAME_MAX + 1];
	char actor[RJWT_NAME_MAX + 1]; /* "": the token names none */
	int64_t exp_s;
	int64_t until_s; /* with the leeway; account alone needs it, in the process of authenticate */
	bool cap_session;
};

static void
forget(pam_handle_t *pamh, void *data, int status)
{
	(void)pamh;
	(void)status;
	free(data);
}

static const struct login_record *
recall(pam_handle_t *pamh)
{
	const void *data = NULL;

	return pam_get_data(pamh, DATA, &data) == PAM_SUCCESS ? data : NULL;
}

static int
keep(pam_handle_t *pamh, const struct login_record *accepted)
{
	struct login_record *copy = malloc(sizeof(*copy));
	int ret;

	if (copy == NULL)
		return PAM_BUF_ERR;
	*copy = *accepted;
	ret = pam_set_data(pamh, DATA, copy, forget);
	if (ret != PAM_SUCCESS)
		free(copy);
	return ret;
}

/* NAME=value; value NULL takes the variable away. */
static int
put(pam_handle_t *pamh, const char *name, const char *value)
{
	char text[RJWT_NAME_MAX + 32];

	if (value == NULL)
		return pam_getenv(pamh, name) == NULL ? PAM_SUCCESS : pam_putenv(pamh, name);
	snprintf(text, sizeof(text), "%s=%s", name, value);
	return pam_putenv(pamh, text);
}

/* Of two answers the first that is a failure: what is to go must go as far as it can. */
static int
worse(int first, int second)
{
	return first == PAM_SUCCESS ? second : first;
}

static int
put_all(pam_handle_t *pamh, const struct login_record *a)
{
	const char *values[VARIABLES] = { NULL };
	char exp[32];
	int ret = PAM_SUCCESS;

	if (a != NULL) {
		snprintf(exp, sizeof(exp), "%" PRId64, a->exp_s);
		values[JTI] = a->jti;
		values[SUB] = a->sub;
		values[EXP] = exp;
		values[ACTOR] = a->actor[0] == '\0' ? NULL : a->actor;
	}
	for (int i = 0; i < VARIABLES; i++)
		ret = worse(ret, put(pamh, variables[i], values[i]));
	return ret;
}

/*
 * A stack may have refused a login that we accepted, and the application tries again, with another user: login
 * does. The environment goes too, or setcred would believe it.
 */
int
phase_forget(pam_handle_t *pamh)
{
	int ret = recall(pamh) == NULL ? PAM_SUCCESS : pam_set_data(pamh, DATA, NULL, NULL);

	ret = worse(ret, put_all(pamh, NULL));
	return worse(ret, put(pamh, CAP, NULL));
}

int
phase_remember(pam_handle_t *pamh, const struct rjwt_verdict *v)
{
	struct login_record a = { .exp_s = v->exp_s, .until_s = v->accepted_until_s, .cap_session = v->cap_session };
	int ret;

	snprintf(a.jti, sizeof(a.jti), "%s", v->jti);
	snprintf(a.sub, sizeof(a.sub), "%s", v->sub[0] == '\0' ? v->user : v->sub);
	snprintf(a.actor, sizeof(a.actor), "%s", v->actor);
	ret = keep(pamh, &a);
	if (ret == PAM_SUCCESS)
		ret = put_all(pamh, &a);
	if (ret == PAM_SUCCESS)
		ret = put(pamh, CAP, a.cap_session ? "1" : NULL);
	/* The login is refused then: no later phase may take it for ours. */
	return ret == PAM_SUCCESS ? ret : worse(ret, phase_forget(pamh));
}

/* What authenticate left in the PAM environment of another process. */
static bool
from_environment(pam_handle_t *pamh, struct login_record *a)
{
	const char *values[VARIABLES];

	for (int i = 0; i < VARIABLES; i++) {
		values[i] = pam_getenv(pamh, variables[i]);
		if (values[i] == NULL && i != ACTOR)
			return false;
	}
	if (values[ACTOR] == NULL)
		values[ACTOR] = "";
	if (strlen(values[ACTOR]) >= sizeof(a->actor) || strlen(values[JTI]) >= sizeof(a->jti) ||
	    strlen(values[SUB]) >= sizeof(a->sub) ||
	    number_parse(view_of(values[EXP]), INT64_MAX / 4, &a->exp_s) != RJWT_OK)
		return false;
	memcpy(a->jti, values[JTI], strlen(values[JTI]) + 1);
	memcpy(a->sub, values[SUB], strlen(values[SUB]) + 1);
	memcpy(a->actor, values[ACTOR], strlen(values[ACTOR]) + 1);
	a->until_s = a->exp_s;
	a->cap_session = pam_getenv(pamh, CAP) != NULL;
	return true;
}

int
phase_setcred(pam_handle_t *pamh, int flags)
{
	struct login_record a = { 0 };
	bool known = recall(pamh) != NULL;

	if (!known && (((unsigned)flags & PAM_ESTABLISH_CRED) == 0 || !from_environment(pamh, &a)))
		return PAM_IGNORE;
	if ((!known && keep(pamh, &a) != PAM_SUCCESS) || put(pamh, CAP, NULL) != PAM_SUCCESS)
		return PAM_CRED_ERR;
	return PAM_SUCCESS;
}

int
phase_account(pam_handle_t *pamh, int64_t now_s)
{
	const struct login_record *a = recall(pamh);
	struct rjwt_verdict verdict = { .reason = RJWT_EXPIRED, .now_s = now_s, .tell = true };
	struct login_id who;

	if (a == NULL || now_s < a->until_s)
		return PAM_IGNORE;
	verdict.exp_s = a->exp_s;
	memcpy(verdict.jti, a->jti, sizeof(a->jti));
	memcpy(verdict.sub, a->sub, sizeof(a->sub));
	memcpy(verdict.actor, a->actor, sizeof(a->actor));
	login_id_find(pamh, &who);
	log_verdict(pamh, &who, "account", &verdict);
	return PAM_ACCT_EXPIRED;
}

static void
forget_text(pam_handle_t *pamh, void *data, int status)
{
	forget(pamh, data, status);
}

/* The session ends when the token does; at least a second is left, so that there is one. */
static int
cap_session(pam_handle_t *pamh, const struct login_record *a, int64_t now_s)
{
	char *seconds = NULL;
	int ret;

	if (asprintf(&seconds, "%" PRId64, a->exp_s > now_s ? a->exp_s - now_s : 1) < 0)
		return PAM_BUF_ERR;
	ret = pam_set_data(pamh, RUNTIME_MAX, seconds, forget_text);
	if (ret != PAM_SUCCESS)
		free(seconds);
	return ret;
}

int
phase_session(pam_handle_t *pamh, int64_t now_s)
{
	const struct login_record *a = recall(pamh);
	int ret = put_all(pamh, a);

	if (ret == PAM_SUCCESS)
		ret = put(pamh, CAP, NULL);
	if (ret == PAM_SUCCESS && a != NULL && a->cap_session)
		ret = cap_session(pamh, a, now_s);
	return ret == PAM_SUCCESS ? PAM_SUCCESS : PAM_SESSION_ERR;
}
