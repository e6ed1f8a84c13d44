/* SPDX-License-Identifier: MIT */
/*
 * fake_pam.h - what pam_rjwt asks of libpam, in its place: items, data and environment of one handle, a person who
 * answers from the input, and a log that is kept. Each call may fail, by the plan of faults.h.
 *
 * As in libpam a failed pam_set_item() changes nothing, and what modules log has no line end of its own.
 */
#ifndef RJWT_FAKE_PAM_H
#define RJWT_FAKE_PAM_H

#include "faults.h"

#include <security/pam_modules.h>

#define FAKE_DATA 4
#define FAKE_ENV 8

struct pam_handle {
	char *items[16]; /* by PAM_USER and its like */
	struct {
		char name[64];
		void *data;
		void (*cleanup)(pam_handle_t *pamh, void *data, int status);
	} data[FAKE_DATA];
	char *env[FAKE_ENV]; /* NAME=value; NULL: free */
	/* Answer a prompt: PAM_SUCCESS and a reply, which the module frees, or why not. */
	int (*answer)(void *context, const char *prompt, char **reply);
	void *context;
	unsigned prompts;
	char log[65536]; /* what was logged, each line with its end */
	size_t nlog;
	bool kept_authtok; /* it could not be looked at or taken away: the call failed */
};

void fake_clear(struct pam_handle *pamh);
/* Set an item from outside; nothing fails. */
void fake_item(struct pam_handle *pamh, int type, const char *text);
/* Another process continues: it has no data. */
void fake_forget(struct pam_handle *pamh);
/* What the module left under a name; NULL: nothing. */
void *fake_data(struct pam_handle *pamh, const char *name);

#endif
