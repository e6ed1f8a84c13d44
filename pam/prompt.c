/* SPDX-License-Identifier: MIT */
#include "prompt.h"
#include "rjwt.h"
#include "base/buf.h"

#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"

void
reply_clear(struct reply *reply)
{
	if (reply->p != NULL)
		secret_wipe(reply->p, strlen(reply->p));
	free(reply->p);
	*reply = (struct reply){ NULL, 0 };
}

bool
text_may_be_token(const char *text)
{
	return strlen(text) >= REPLY_LONG && strncmp(text, "eyJ", 3) == 0;
}

bool
reply_is_long(const struct reply *reply)
{
	return reply->p != NULL && reply->n >= REPLY_LONG;
}

bool
reply_is_token(const struct reply *reply)
{
	const char *dot;

	if (reply->p == NULL || !text_may_be_token(reply->p))
		return false;
	if (rjwt_prompt_cuts(reply->n))
		return true;
	dot = strchr(reply->p, '.');
	return dot != NULL && strchr(dot + 1, '.') != NULL;
}

/* Remove bytes from both ends of a text, and wipe what is left behind it. */
static void
take_off(char *text, size_t before, size_t after)
{
	size_t n = strlen(text) - before - after;

	memmove(text, text + before, n);
	secret_wipe(text + n, before + after);
}

static void
take_blanks_off(char *text)
{
	size_t before = strspn(text, BLANKS), n = strlen(text), after = 0;

	while (before + after < n && strchr(BLANKS, text[n - 1 - after]) != NULL)
		after++;
	take_off(text, before, after);
}

/* text takes. The length that was typed decides what is long: sshd's junk has it, too. */
static struct reply
reply_of(char *text)
{
	static const char begin[] = "\033[200~", end[] = "\033[201~"; /* bracketed paste, as xterm has it */
	struct reply reply = { text, text == NULL ? 0 : strlen(text) };
	size_t n;

	if (!reply_is_long(&reply))
		return reply;
	take_blanks_off(text);
	if (strncmp(text, begin, sizeof(begin) - 1) == 0)
		take_off(text, sizeof(begin) - 1, 0);
	n = strlen(text);
	if (n >= sizeof(end) - 1 && strcmp(text + n - (sizeof(end) - 1), end) == 0)
		take_off(text, 0, sizeof(end) - 1);
	take_blanks_off(text);
	return reply;
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
	struct reply got = reply_of(typed);

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
	int ret = pam_get_item(pamh, PAM_AUTHTOK, &item);
	RJWT_CLEAN(reply_clear) struct reply copy = { NULL, 0 };

	if (ret != PAM_SUCCESS || item == NULL || strlen(item) < REPLY_LONG)
		return PAM_SUCCESS;
	copy = reply_of(strdup(item));
	/* Without memory for a copy nobody knows what it is: it goes. */
	if (copy.p != NULL && !reply_is_token(&copy))
		return PAM_SUCCESS;
	ret = pam_set_item(pamh, PAM_AUTHTOK, NULL);
	if (ret == PAM_SUCCESS && copy.p == NULL)
		ret = PAM_BUF_ERR;
	if (ret == PAM_SUCCESS)
		*reply = RJWT_STEAL(copy);
	return ret;
}

int
prompt_pass_on(pam_handle_t *pamh, const struct reply *reply)
{
	return pam_set_item(pamh, PAM_AUTHTOK, reply->p);
}
