/* SPDX-License-Identifier: MIT */
#include "pam_driver.h"

#include "prompt.h"

#include <ctype.h>
#include <limits.h>
#include <security/pam_ext.h>
#include <stdio.h>
#include <sys/stat.h>

const char talk_null[] = "";
struct buf driver_log;

static struct buf hidden; /* what this login's log may not tell, each ended by NUL */

static void
hide(const char *text)
{
	buf_add(&hidden, text, strlen(text) + 1);
	assert_false(hidden.failed);
}

/* Of a token any 16 characters in a row are too many; a word of less than 5 may stand in any log. */
static bool
tells(const char *line, const char *text)
{
	size_t n = strlen(text),
	       part = reply_is_token(&(struct reply){ (char *)(uintptr_t)text, n }) && n > 16 ? 16 : n;
	char word[8192];

	if (n < 5 || part >= sizeof(word))
		return false;
	for (size_t i = 0; i + part <= n; i++) {
		memcpy(word, text + i, part);
		word[part] = '\0';
		if (strstr(line, word) != NULL)
			return true;
	}
	return false;
}

bool
driver_log_tells(const char *line)
{
	for (const char *p = line; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p))
			return true;
	for (size_t i = 0; i < hidden.n; i += strlen(hidden.p + i) + 1)
		if (tells(line, hidden.p + i))
			return true;
	return false;
}

/* In the place of libpam's, for the modules too: the program exports it. */
__attribute__((visibility("default"), format(printf, 3, 4))) void
pam_syslog(const pam_handle_t *pamh, int priority, const char *fmt, ...)
{
	char line[8192];
	va_list args;

	(void)pamh;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (driver_log_tells(line))
		fail_msg("the log tells what it must not: %s", line);
	buf_addf(&driver_log, "%d %s\n", priority, line);
}

static int
converse(int n, const struct pam_message **messages, struct pam_response **responses, void *context)
{
	struct talk *talk = context;
	struct pam_response *made = calloc((size_t)n, sizeof(*made));

	assert_non_null(made);
	for (int i = 0; i < n; i++) {
		const char *reply;

		if (talk->asked >= REPLIES)
			fail_msg("asked more often than the script knows: %s", messages[i]->msg);
		talk->styles[talk->asked] = messages[i]->msg_style;
		snprintf(talk->prompts[talk->asked], sizeof(talk->prompts[0]), "%s", messages[i]->msg);
		if (talk->asked == 0 && talk->meanwhile != NULL)
			talk->meanwhile(talk);
		reply = talk->replies[talk->asked++];
		if (reply == NULL) {
			free(made);
			return talk->failure == 0 ? PAM_CONV_ERR : talk->failure;
		}
		if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			hide(reply);
		made[i].resp = reply == talk_null ? NULL : strdup(reply);
	}
	*responses = made;
	return PAM_SUCCESS;
}

static void
put_module(struct buf *out, const char *path)
{
	const char *build = getenv("RJWT_BUILD");
	char whole[PATH_MAX], joined[PATH_MAX];

	snprintf(joined, sizeof(joined), "%s/%s", build == NULL ? "." : build, path);
	if (realpath(joined, whole) == NULL)
		fail_msg("%s is not there: is RJWT_BUILD set?", joined);
	buf_adds(out, whole);
}

/* The values of set=, in a stack: they become PAM_AUTHTOK. */
static void
hide_stacked(const char *stack)
{
	char word[8192];

	for (const char *p = stack; (p = strstr(p, "set=")) != NULL; p++)
		if (sscanf(p, "set=%8191s", word) == 1)
			hide(word);
}

static void
put_service(struct fixture *f, const char *name, const char *stack)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char path[256];
	FILE *out;

	for (const char *p = stack; *p != '\0'; p++) {
		if (strncmp(p, "@rjwt@", 6) == 0) {
			put_module(&text, "pam_rjwt.so");
			buf_addf(&text, " conf=%s", f->config);
			p += 5;
		} else if (strncmp(p, "@bare@", 6) == 0) {
			put_module(&text, "pam_rjwt.so");
			p += 5;
		} else if (strncmp(p, "@probe@", 7) == 0) {
			put_module(&text, "tests/unit/pam_probe.so");
			p += 6;
		} else if (strncmp(p, "@conf@", 6) == 0) {
			buf_adds(&text, f->config);
			p += 5;
		} else {
			buf_add(&text, p, 1);
		}
	}
	snprintf(path, sizeof(path), "%s/pam.d", f->top);
	(void)mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/pam.d/%s", f->top, name);
	out = fopen(path, "we");
	assert_non_null(out);
	assert_true(fputs(text.p, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

pam_handle_t *
driver_start(struct fixture *f, const char *stack, const char *service, const char *user, struct talk *talk)
{
	/* libpam keeps a copy of this, and the script must outlive the handle. */
	const struct pam_conv conv = { converse, talk };
	pam_handle_t *pamh = NULL;
	char folder[256];

	buf_clear(&hidden);
	hide_stacked(stack);
	put_service(f, service, stack);
	put_service(f, "other", "auth required pam_deny.so\n");
	snprintf(folder, sizeof(folder), "%s/pam.d", f->top);
	talk->asked = 0;
	talk->fixture = f;
	buf_clear(&driver_log);
	buf_adds(&driver_log, "");
	assert_int_equal(pam_start_confdir(service, user, &conv, folder, &pamh), PAM_SUCCESS);
	talk->pamh = pamh;
	for (size_t i = 0; talk->environment != NULL && talk->environment[i] != NULL; i++)
		assert_int_equal(pam_putenv(pamh, talk->environment[i]), PAM_SUCCESS);
	if (talk->rhost != NULL)
		assert_int_equal(pam_set_item(pamh, PAM_RHOST, talk->rhost), PAM_SUCCESS);
	return pamh;
}

int
driver_login(struct fixture *f, const char *stack, const char *service, const char *user, struct talk *talk,
    char authtok[static 4096])
{
	pam_handle_t *pamh = driver_start(f, stack, service, user, talk);
	int ret = pam_authenticate(pamh, 0);
	const char *seen = pam_getenv(pamh, "PROBE_AUTHTOK");

	snprintf(authtok, 4096, "%s", seen == NULL ? "(not reached)" : seen);
	assert_int_equal(pam_end(pamh, ret), PAM_SUCCESS);
	return ret;
}
