/* SPDX-License-Identifier: MIT */
#include "prompt.h"
#include "rjwt.h"
#include "base/buf.h"

#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>

void
reply_clear(struct reply *reply)
{
	if (reply->p != NULL)
		secret_wipe(reply->p, strlen(reply->p));
	free(reply->p);
	reply->p = NULL;
}

static bool
text_is_long(const char *text)
{
	return strlen(text) >= REPLY_LONG;
}

static bool
text_is_token(const char *text)
{
	const char *dot;

	if (!text_is_long(text) || strncmp(text, "eyJ", 3) != 0)
		return false;
	if (rjwt_prompt_cuts(strlen(text)))
		return true;
	dot = strchr(text, '.');
	return dot != NULL && strchr(dot + 1, '.') != NULL;
}

bool
reply_is_long(const struct reply *reply)
{
	return reply->p != NULL && text_is_long(reply->p);
}

bool
reply_is_token(const struct reply *reply)
{
	return reply->p != NULL && text_is_token(reply->p);
}

bool
reply_same(const struct reply *a, const struct reply *b)
{
	return a->p != NULL && b->p != NULL && strcmp(a->p, b->p) == 0;
}

int
prompt_ask(pam_handle_t *pamh, const char *text, struct reply *reply)
{
	char *typed = NULL;
	int ret = pam_prompt(pamh, PAM_PROMPT_ECHO_OFF, &typed, "%s", text);
	struct reply got = { typed };

	if (ret == PAM_SUCCESS && typed == NULL)
		ret = PAM_CONV_ERR;
	if (ret != PAM_SUCCESS) {
		reply_clear(&got);
		return ret;
	}
	*reply = got;
	return PAM_SUCCESS;
}

int
prompt_take_stacked(pam_handle_t *pamh, struct reply *reply)
{
	const void *item = NULL;
	struct reply copy = { NULL };
	int ret = pam_get_item(pamh, PAM_AUTHTOK, &item);
	bool token;

	if (ret != PAM_SUCCESS || item == NULL || !text_is_long(item))
		return PAM_SUCCESS;
	token = text_is_token(item);
	copy.p = strdup(item);
	/* It goes, whether there is memory for a copy or not. */
	if (token)
		ret = pam_set_item(pamh, PAM_AUTHTOK, NULL);
	if (ret == PAM_SUCCESS && copy.p == NULL)
		ret = PAM_BUF_ERR;
	if (ret != PAM_SUCCESS) {
		reply_clear(&copy);
		return ret;
	}
	*reply = copy;
	return PAM_SUCCESS;
}

int
prompt_pass_on(pam_handle_t *pamh, const struct reply *reply)
{
	return pam_set_item(pamh, PAM_AUTHTOK, reply->p);
}
