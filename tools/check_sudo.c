/* SPDX-License-Identifier: MIT */
/* rjwt-keyd check: what sudoers says that tokens are about, for all who use sudo, and who may run programs of ours. */
#include "check.h"
#include "sudoers.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Flags are 0 or 1. */
enum { TIMEOUT, ROOTPW, RUNASPW, TARGETPW, OVERRIDE, SETTINGS };

static const char *const names[SETTINGS] = { "timestamp_timeout", "rootpw", "runaspw", "targetpw",
	"passprompt_override" };

struct sudo {
	struct check *check;
	struct setting {
		double value;
		char path[256]; /* of the last line that says so; "": none does */
		unsigned line;
	} settings[SETTINGS];
	unsigned some; /* lines that say so for some users, hosts or commands */
};

/* --- Defaults --------------------------------------------------------------------------------- */

/* "!name", "name", "name = value" */
static void
take_setting(struct sudo *s, const char *path, unsigned line, const char *item, bool for_all)
{
	size_t off = strspn(item, "! \t"), n = strspn(item + off, "abcdefghijklmnopqrstuvwxyz_"), i = 0;
	const char *value = item + off + n;
	bool no = off > 0 && item[0] == '!';

	while (i < SETTINGS && !(strlen(names[i]) == n && strncmp(names[i], item + off, n) == 0))
		i++;
	if (i == SETTINGS)
		return;
	if (!for_all) {
		s->some++;
		return;
	}
	value += strspn(value, " \t=\"");
	s->settings[i].value = no ? 0 : i == TIMEOUT ? strtod(value, NULL) : 1;
	snprintf(s->settings[i].path, sizeof(s->settings[i].path), "%s", path);
	s->settings[i].line = line;
}

/* --- who may run what ------------------------------------------------------------------------- */

/* Whether sudo takes arguments of the caller's choice; "" allows none. */
static bool
are_free(const char *arguments)
{
	return arguments[0] == '\0' || arguments[0] == '^' || strpbrk(arguments, "*?[") != NULL;
}

/* Programs with which whoever chooses their arguments can do what root can. rjwt-grant judges for itself. */
static bool
is_roots(const char *command)
{
	static const char *const programs[] = { "rjwt-issue", "rjwt-keyd", "rjwt-verify" };
	const char *slash = strrchr(command, '/');

	for (size_t i = 0; slash != NULL && strstr(slash, "rjwt") != NULL && i < ARRAY_LEN(programs); i++)
		if (fnmatch(slash + 1, programs[i], 0) == 0)
			return true;
	return false;
}

/* A path and its arguments, behind the user, tags, and whatever else a rule or an alias begins with; "!" takes it away. */
static void
take_command(struct sudo *s, const char *path, unsigned line, char *item)
{
	char *command = item, *rest;

	while ((command = strchr(command, '/')) != NULL && command > item && strchr(" \t=:)", command[-1]) == NULL) {
		if (command[-1] == '!')
			return;
		command++;
	}
	if (command == NULL)
		return;
	rest = command + strcspn(command, " \t");
	if (*rest != '\0')
		*rest++ = '\0';
	rest += strspn(rest, " \t\r");
	if (!is_roots(command) || !are_free(rest))
		return;
	finding_add(&s->check->found, "sudo.free",
	    "%s with arguments of its caller's choice: whoever may run it can become root", command);
	finding_at(&s->check->found, path, line);
}

static void
take_line(void *context, const char *path, unsigned line, char *text)
{
	bool defaults = strncmp(text, "Defaults", 8) == 0 && strchr(" \t@:!>", text[8]) != NULL && text[8] != '\0';
	bool for_all = defaults && (text[8] == ' ' || text[8] == '\t');
	char *rest = text;

	if (defaults) /* behind the names that it is for, which have no blank */
		rest += 8 + (for_all ? 0 : strcspn(text + 8, " \t"));
	for (char *item; (item = sudoers_item(&rest)) != NULL;) {
		if (defaults)
			take_setting(context, path, line, item, for_all);
		else
			take_command(context, path, line, item);
	}
}

/* --- what it means ---------------------------------------------------------------------------- */

static void
tell(const struct sudo *s, const char *code, int setting, const char *text)
{
	finding_add(&s->check->found, code, "%s: %s", names[setting], text);
	finding_at(&s->check->found, s->settings[setting].path, s->settings[setting].line);
}

static void
tell_timeout(const struct sudo *s)
{
	const struct setting *timeout = &s->settings[TIMEOUT];

	if (timeout->value < 0)
		finding_add(&s->check->found, "sudo.timestamp",
		    "timestamp_timeout %g: sudo asks once, and not again until a reboot", timeout->value);
	else if (timeout->value > 15)
		finding_add(&s->check->found, "sudo.timestamp",
		    "timestamp_timeout %g: sudo asks again after %g minutes", timeout->value, timeout->value);
	else
		return;
	finding_at(&s->check->found, timeout->path, timeout->line);
}

static void
tell_well(const struct sudo *s)
{
	double minutes = s->settings[TIMEOUT].value;
	char some[80] = "";

	if (s->some > 0)
		snprintf(some, sizeof(some), "; %u setting%s for some users, hosts or commands not checked", s->some,
		    s->some == 1 ? "" : "s");
	if (minutes > 0)
		finding_ok(&s->check->found, "sudo", "timestamp_timeout %g: sudo asks again after %g minutes%s",
		    minutes, minutes, some);
	else
		finding_ok(&s->check->found, "sudo", "timestamp_timeout 0: sudo asks each time%s", some);
}

static void
judge(const struct sudo *s)
{
	static const char whose[] = "sudo asks for a token, or the password, of ";
	char text[128];

	tell_timeout(s);
	/* the order in which sudo looks */
	if (s->settings[ROOTPW].value != 0) {
		snprintf(text, sizeof(text), "%sroot, not of the user who runs it", whose);
		tell(s, "sudo.other_user", ROOTPW, text);
	} else if (s->settings[RUNASPW].value != 0) {
		snprintf(text, sizeof(text), "%srunas_default, which is root, not of the user who runs it", whose);
		tell(s, "sudo.other_user", RUNASPW, text);
	} else if (s->settings[TARGETPW].value != 0) {
		snprintf(text, sizeof(text), "%sthe user whom -u names, root without it", whose);
		tell(s, "sudo.other_user", TARGETPW, text);
	}
	if (s->settings[OVERRIDE].value != 0)
		tell(s, "sudo.prompt", OVERRIDE,
		    "sudo's prompt is shown in the place of pam_rjwt.so's: nobody sees why a token was rejected");
	tell_well(s);
}

void
check_sudoers(struct check *check, const char *path)
{
	struct sudo s = { .check = check, .settings = { [TIMEOUT] = { .value = 15 } } };
	char unread[512];

	if (access(path, F_OK) != 0) {
		finding_ok(&check->found, "sudo", "not checked: there is no %s", path);
		return;
	}
	sudoers_read(path, take_line, &s, unread);
	if (unread[0] != '\0' && geteuid() != 0) {
		finding_ok(&check->found, "sudo", "not checked: needs root");
		return;
	}
	if (unread[0] != '\0')
		finding_add(&check->found, "sudo.unreadable", "%s: what it says is not checked", unread);
	if (check->sudo)
		judge(&s);
	else
		finding_ok(&check->found, "sudo", "not checked: its stack does not name pam_rjwt.so");
}

void
check_sudo(struct check *check)
{
	check_sudoers(check, "/etc/sudoers");
}
