/* SPDX-License-Identifier: MIT */
#include "fake_pam.h"

#include <security/pam_ext.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* The codes that a failing call gives. */
static int
code(void)
{
	static const int codes[] = { PAM_BUF_ERR, PAM_SYSTEM_ERR, PAM_CONV_ERR, PAM_CONV_AGAIN, PAM_IGNORE, PAM_ABORT,
		PAM_BAD_ITEM, PAM_PERM_DENIED, PAM_AUTH_ERR, PAM_INCOMPLETE, PAM_NEW_AUTHTOK_REQD, 99 };

	return codes[(unsigned)errno % (ARRAY_LEN(codes))];
}

/* The harness's own copies: no plan counts them. */
static char *
copy_of(const char *text)
{
	bool before = faults_pause();
	char *copy = text == NULL ? NULL : strdup(text);

	faults_resume(before);
	FUZZ_CHECK(text == NULL || copy != NULL);
	return copy;
}

void
fake_item(struct pam_handle *pamh, int type, const char *text)
{
	free(pamh->items[type]);
	pamh->items[type] = copy_of(text);
}

static void
drop_data(struct pam_handle *pamh, size_t i, int status)
{
	if (pamh->data[i].cleanup != NULL)
		pamh->data[i].cleanup(pamh, pamh->data[i].data, status);
	pamh->data[i].name[0] = '\0';
	pamh->data[i].data = NULL;
	pamh->data[i].cleanup = NULL;
}

void
fake_forget(struct pam_handle *pamh)
{
	for (size_t i = 0; i < FAKE_DATA; i++)
		drop_data(pamh, i, PAM_SUCCESS);
}

void
fake_clear(struct pam_handle *pamh)
{
	for (size_t i = 0; i < 16; i++)
		free(pamh->items[i]);
	fake_forget(pamh);
	for (size_t i = 0; i < FAKE_ENV; i++)
		free(pamh->env[i]);
	*pamh = (struct pam_handle){ .answer = NULL };
}

void *
fake_data(struct pam_handle *pamh, const char *name)
{
	for (size_t i = 0; i < FAKE_DATA; i++)
		if (strcmp(pamh->data[i].name, name) == 0)
			return pamh->data[i].data;
	return NULL;
}

EXPORT int
pam_get_item(const pam_handle_t *pamh, int type, const void **item)
{
	if (fault_due(FAULT_PAM, __func__)) {
		if (type == PAM_AUTHTOK)
			((struct pam_handle *)(uintptr_t)pamh)->kept_authtok = true;
		return code();
	}
	*item = pamh->items[type];
	return PAM_SUCCESS;
}

EXPORT int
pam_set_item(pam_handle_t *pamh, int type, const void *item)
{
	if (fault_due(FAULT_PAM, __func__)) {
		pamh->kept_authtok = pamh->kept_authtok || (type == PAM_AUTHTOK && item == NULL);
		return code();
	}
	fake_item(pamh, type, item);
	return PAM_SUCCESS;
}

EXPORT int
pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
	(void)prompt;
	if (fault_due(FAULT_PAM, __func__))
		return code();
	*user = pamh->items[PAM_USER];
	return PAM_SUCCESS;
}

EXPORT int
pam_get_data(const pam_handle_t *pamh, const char *name, const void **data)
{
	if (fault_due(FAULT_PAM, __func__))
		return PAM_SYSTEM_ERR;
	for (size_t i = 0; i < FAKE_DATA; i++)
		if (strcmp(pamh->data[i].name, name) == 0) {
			*data = pamh->data[i].data;
			return PAM_SUCCESS;
		}
	return PAM_NO_MODULE_DATA;
}

EXPORT int
pam_set_data(pam_handle_t *pamh, const char *name, void *data,
    void (*cleanup)(pam_handle_t *pamh, void *data, int status))
{
	size_t i = 0;

	if (fault_due(FAULT_PAM, __func__))
		return PAM_BUF_ERR;
	while (i < FAKE_DATA && strcmp(pamh->data[i].name, name) != 0)
		i++;
	for (size_t k = 0; i == FAKE_DATA && k < FAKE_DATA; k++)
		i = pamh->data[k].name[0] == '\0' ? k : i;
	FUZZ_CHECK(i < FAKE_DATA);
	drop_data(pamh, i, PAM_DATA_REPLACE);
	snprintf(pamh->data[i].name, sizeof(pamh->data[i].name), "%s", name);
	pamh->data[i].data = data;
	pamh->data[i].cleanup = cleanup;
	return PAM_SUCCESS;
}

static size_t
find_env(const struct pam_handle *pamh, const char *name, size_t n)
{
	for (size_t i = 0; i < FAKE_ENV; i++)
		if (pamh->env[i] != NULL && strncmp(pamh->env[i], name, n) == 0 && pamh->env[i][n] == '=')
			return i;
	return FAKE_ENV;
}

EXPORT const char *
pam_getenv(pam_handle_t *pamh, const char *name)
{
	size_t n = strlen(name), i = find_env(pamh, name, n);

	return i == FAKE_ENV ? NULL : pamh->env[i] + n + 1;
}

EXPORT int
pam_putenv(pam_handle_t *pamh, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t i = find_env(pamh, text, equals == NULL ? strlen(text) : (size_t)(equals - text));

	if (fault_due(FAULT_PAM, __func__))
		return PAM_BUF_ERR;
	if (equals == NULL && i == FAKE_ENV)
		return PAM_BAD_ITEM;
	for (size_t k = 0; i == FAKE_ENV && k < FAKE_ENV; k++)
		i = pamh->env[k] == NULL ? k : i;
	FUZZ_CHECK(i < FAKE_ENV);
	free(pamh->env[i]);
	pamh->env[i] = equals == NULL ? NULL : copy_of(text);
	return PAM_SUCCESS;
}

EXPORT int
pam_prompt(pam_handle_t *pamh, int style, char **reply, const char *fmt, ...)
{
	char prompt[1024];
	va_list args;

	FUZZ_CHECK(style == PAM_PROMPT_ECHO_OFF);
	va_start(args, fmt);
	vsnprintf(prompt, sizeof(prompt), fmt, args);
	va_end(args);
	*reply = NULL;
	pamh->prompts++;
	if (fault_due(FAULT_PAM, __func__))
		return code();
	return pamh->answer(pamh->context, prompt, reply);
}

EXPORT __attribute__((format(printf, 3, 4))) void
pam_syslog(const pam_handle_t *pamh, int priority, const char *fmt, ...)
{
	struct pam_handle *log = (struct pam_handle *)(uintptr_t)pamh;
	size_t room = sizeof(pamh->log) - pamh->nlog;
	va_list args;
	int n;

	(void)priority;
	va_start(args, fmt);
	n = vsnprintf(log->log + log->nlog, room, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n + 1 >= room)
		return; /* it had one of 64 KiB in it, and is looked at no further */
	log->nlog += (size_t)n;
	log->log[log->nlog++] = '\n';
}
