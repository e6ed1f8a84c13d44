/* SPDX-License-Identifier: MIT */
/* The control of a PAM line, as pam.d(5) has it: a word, or return values with actions. */
#include "stack/stack_private.h"

#include <ctype.h>
#include <security/pam_appl.h>
#include <string.h>
#include <strings.h>

#define UNSET 1000000000 /* no jump gets there */

/* By their number. libpam takes the first that the text begins with. */
static const char *const codes[STACK_CODES] = { "success", "open_err", "symbol_err", "service_err", "system_err",
	"buf_err", "perm_denied", "auth_err", "cred_insufficient", "authinfo_unavail", "user_unknown", "maxtries",
	"new_authtok_reqd", "acct_expired", "session_err", "cred_unavail", "cred_expired", "cred_err", "no_module_data",
	"conv_err", "authtok_err", "authtok_recover_err", "authtok_lock_busy", "authtok_disable_aging", "try_again",
	"ignore", "abort", "authtok_expired", "module_unknown", "bad_item", "conv_again", "incomplete" };

static const char *const actions[] = { "ignore", "ok", "done", "bad", "die", "reset" }; /* 0, -1, ... */

const char *
stack_code(int code)
{
	return code < 0 || code >= STACK_CODES ? "?" : codes[code];
}

/* What the words mean, as brackets would say it. */
static const struct {
	const char *name;
	int success, ignore, others;
} words[] = {
	{ "required", STACK_OK, STACK_IGNORE, STACK_BAD },
	{ "requisite", STACK_OK, STACK_IGNORE, STACK_DIE },
	{ "optional", STACK_OK, STACK_IGNORE, STACK_IGNORE },
	{ "sufficient", STACK_DONE, STACK_IGNORE, STACK_IGNORE },
};

static void
fill(int *action, int from, int to)
{
	for (size_t i = 0; i < STACK_CODES; i++)
		if (from == to || action[i] == from)
			action[i] = to;
}

static const char *
skip_blanks(const char *at)
{
	while (isspace((unsigned char)*at))
		at++;
	return at;
}

/* The first of the names that the text begins with; n: none. */
static size_t
starts_with(const char **at, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t length = strlen(names[i]);

		if (strncmp(names[i], *at, length) == 0) {
			*at += length;
			return i;
		}
	}
	return n;
}

/* An action, or a number above 0 of lines that are skipped. */
static bool
read_action(const char **at, int *action)
{
	size_t i = starts_with(at, actions, ARRAY_LEN(actions));
	int lines = 0;

	if (i < ARRAY_LEN(actions)) {
		*action = -(int)i;
		return true;
	}
	for (; isdigit((unsigned char)**at); ++*at)
		lines = lines > STACK_LINES_MAX ? lines : lines * 10 + (**at - '0');
	*action = lines;
	return lines > 0;
}

/* "code=action" or "default=action", which is for the codes that have none yet. */
static bool
read_pair(const char **at, int *action)
{
	size_t code = starts_with(at, codes, STACK_CODES);
	int what;

	if (code == STACK_CODES && strncmp(*at, "default", 7) != 0)
		return false;
	*at = skip_blanks(code == STACK_CODES ? *at + 7 : *at);
	if (**at != '=')
		return false;
	*at = skip_blanks(*at + 1);
	if (!read_action(at, &what))
		return false;
	if (code == STACK_CODES)
		fill(action, UNSET, what);
	else
		action[code] = what;
	return true;
}

bool
stack_control(const char *text, int action[static STACK_CODES])
{
	fill(action, UNSET, UNSET);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(words[i].name, text) == 0) {
			fill(action, UNSET, words[i].others);
			action[PAM_SUCCESS] = action[PAM_NEW_AUTHTOK_REQD] = words[i].success;
			action[PAM_IGNORE] = words[i].ignore;
			return true;
		}
	for (text = skip_blanks(text); *text != '\0'; text = skip_blanks(text))
		if (!read_pair(&text, action)) {
			fill(action, STACK_BAD, STACK_BAD);
			return false;
		}
	fill(action, UNSET, STACK_BAD);
	return true;
}
