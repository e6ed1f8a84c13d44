/* SPDX-License-Identifier: MIT */
/*
 * What the modules of Linux-PAM return, measured with version 1.5.2 for a user who is not root and where nothing is
 * configured. A module that is not known may ask for a password.
 */
#include "check.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * CONDITION: succeeds or not, by a rule of the administrator's. PASSWORD: succeeds when somebody has shown who he is.
 * OURS: what is supposed of pam_rjwt.so. UNKNOWN: the module does not do this, or is not installed.
 */
enum way { SUCCESS, IGNORE, UNKNOWN, DENY, CONDITION, PASSWORD, FAILLOCK, OURS };

static const struct {
	const char *module;
	enum way auth, account;
} modules[] = {
	{ "pam_permit.so", SUCCESS, SUCCESS },
	{ "pam_deny.so", DENY, DENY },
	{ "pam_env.so", IGNORE, UNKNOWN },
	{ "pam_faildelay.so", IGNORE, UNKNOWN },
	{ "pam_nologin.so", IGNORE, IGNORE },
	{ "pam_group.so", IGNORE, UNKNOWN },
	{ "pam_warn.so", IGNORE, IGNORE },
	{ "pam_mail.so", IGNORE, UNKNOWN },
	{ "pam_issue.so", IGNORE, UNKNOWN },
	{ "pam_keyinit.so", IGNORE, UNKNOWN },
	{ "pam_sepermit.so", IGNORE, IGNORE },
	{ "pam_echo.so", SUCCESS, SUCCESS },
	{ "pam_debug.so", SUCCESS, SUCCESS },
	{ "pam_cap.so", SUCCESS, UNKNOWN },
	{ "pam_lastlog.so", SUCCESS, SUCCESS },
	{ "pam_limits.so", UNKNOWN, UNKNOWN },
	{ "pam_motd.so", UNKNOWN, UNKNOWN },
	{ "pam_umask.so", UNKNOWN, UNKNOWN },
	{ "pam_systemd.so", UNKNOWN, UNKNOWN },
	{ "pam_loginuid.so", UNKNOWN, SUCCESS },
	{ "pam_mkhomedir.so", UNKNOWN, UNKNOWN },
	{ "pam_namespace.so", UNKNOWN, UNKNOWN },
	{ "pam_xauth.so", UNKNOWN, UNKNOWN },
	{ "pam_access.so", CONDITION, CONDITION },
	{ "pam_time.so", UNKNOWN, CONDITION },
	{ "pam_shells.so", CONDITION, CONDITION },
	{ "pam_securetty.so", CONDITION, CONDITION },
	{ "pam_localuser.so", CONDITION, CONDITION },
	{ "pam_usertype.so", CONDITION, CONDITION },
	{ "pam_succeed_if.so", CONDITION, CONDITION },
	{ "pam_listfile.so", CONDITION, CONDITION },
	{ "pam_rootok.so", CONDITION, CONDITION },
	{ "pam_wheel.so", CONDITION, CONDITION },
	{ "pam_rhosts.so", CONDITION, UNKNOWN },
	{ "pam_timestamp.so", CONDITION, UNKNOWN },
	{ "pam_tally2.so", CONDITION, CONDITION },
	{ "pam_faillock.so", FAILLOCK, SUCCESS },
};

struct supposing {
	const struct check *check;
	const struct supposed *supposed;
	struct outcome *outcome;
	const struct stack_lines *lines;
	enum stack_phase phase;
	const struct stack_entry *line; /* what it returns is known; NULL: there is none */
	int returns;
};

static enum way
way_of(const struct stack_entry *entry, enum stack_phase phase)
{
	for (size_t i = 0; i < ARRAY_LEN(modules); i++)
		if (stack_is_module(entry, modules[i].module))
			return phase == STACK_AUTH ? modules[i].auth : modules[i].account;
	return phase == STACK_AUTH ? PASSWORD : SUCCESS;
}

bool
check_asks(const struct stack_entry *entry)
{
	return entry->kind == STACK_MODULE && !stack_is_module(entry, RJWT_MODULE) &&
	       way_of(entry, STACK_AUTH) == PASSWORD;
}

static bool
is_installed(const struct check *check, const struct stack_entry *entry)
{
	const char *slash = strrchr(entry->module, '/');
	char path[512];

	if (strstr(entry->module, "$ISA") != NULL || (entry->module[0] != '/' && check->modules[0] == '\0'))
		return true; /* where is not known */
	snprintf(path, sizeof(path), "%s%s", entry->module[0] == '/' ? "" : check->modules, entry->module);
	if (access(path, F_OK) == 0)
		return true;
	snprintf(path, sizeof(path), CHECK_SECOND "/%s", slash == NULL ? entry->module : slash + 1);
	return check->second && access(path, F_OK) == 0;
}

/* Of a line of modules. */
static enum way
find_way(const struct check *check, const struct stack_entry *entry, enum stack_phase phase)
{
	if (stack_is_module(entry, RJWT_MODULE))
		return OURS;
	return is_installed(check, entry) ? way_of(entry, phase) : UNKNOWN;
}

unsigned char *
check_ways(const struct check *check, const struct stack *stack, enum stack_phase phase)
{
	const struct stack_lines *lines = stack_lines(stack, phase);
	unsigned char *ways = calloc(lines->n + 1, 1);

	for (size_t i = 0; ways != NULL && i < lines->n; i++)
		if (lines->list[i].kind == STACK_MODULE)
			ways[i] = (unsigned char)find_way(check, &lines->list[i], phase);
	return ways;
}

/* pam_faillock's auth: what comes first says whether the user is locked, what comes last counts. */
static int
faillock(const struct supposing *s, const struct stack_entry *entry)
{
	if (stack_argument(entry, "authfail") != NULL)
		return s->supposed->locked ? PAM_AUTH_ERR : PAM_IGNORE;
	s->outcome->cleared = s->outcome->cleared || stack_argument(entry, "authsucc") != NULL;
	return s->supposed->locked ? PAM_AUTH_ERR : PAM_SUCCESS;
}

/* Each is a bit, and those above 31 are as the last. */
static int
condition(const struct supposing *s)
{
	unsigned bit = s->outcome->nconditions < 31 ? s->outcome->nconditions : 31;

	s->outcome->nconditions++;
	return (s->supposed->conditions >> bit & 1) != 0 ? PAM_SUCCESS : PAM_AUTH_ERR;
}

static int
suppose(void *context, const struct stack_entry *entry)
{
	const struct supposing *s = context;
	const unsigned char *ways = s->supposed->ways;

	if (entry == s->line)
		return s->returns;
	switch (ways != NULL ? (enum way)ways[entry - s->lines->list] : find_way(s->check, entry, s->phase)) {
	case OURS:
		s->outcome->asked = true;
		return s->phase == STACK_AUTH ? s->supposed->token : s->supposed->account;
	case SUCCESS:
		return PAM_SUCCESS;
	case IGNORE:
		return PAM_IGNORE;
	case UNKNOWN:
		return PAM_MODULE_UNKNOWN;
	case DENY:
		return PAM_AUTH_ERR;
	case CONDITION:
		return condition(s);
	case FAILLOCK:
		return faillock(s, entry);
	case PASSWORD:
		break;
	}
	return s->supposed->password ? PAM_SUCCESS : PAM_AUTH_ERR;
}

void
check_suppose(const struct check *check, const struct stack *stack, enum stack_phase phase,
    const struct supposed *supposed, struct outcome *outcome)
{
	check_suppose_line(check, stack, phase, supposed, NULL, 0, outcome);
}

void
check_suppose_line(const struct check *check, const struct stack *stack, enum stack_phase phase,
    const struct supposed *supposed, const struct stack_entry *line, int returns, struct outcome *outcome)
{
	struct supposing s = { check, supposed, outcome, stack_lines(stack, phase), phase, line, returns };
	const struct stack_entry *decided;

	*outcome = (struct outcome){ .asked = false };
	stack_walk(s.lines, suppose, &s, &outcome->answer);
	decided = outcome->answer.decided;
	outcome->policy = decided != NULL && decided->kind == STACK_MODULE && outcome->answer.action == STACK_DONE &&
			  way_of(decided, phase) == CONDITION;
}
