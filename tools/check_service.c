/* SPDX-License-Identifier: MIT */
/*
 * rjwt-keyd check: what the PAM stack of one service answers to tokens and passwords, good and bad.
 */
#include "check.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every condition is met. */
#define ALL 0xffffffffU

static bool
lets_in(const struct service *s, int token, bool password)
{
	const struct supposed supposed = { .token = token, .password = password, .conditions = ALL };
	struct outcome outcome;

	check_suppose(s->check, s->stack, STACK_AUTH, &supposed, &outcome);
	return outcome.answer.code == PAM_SUCCESS;
}

/* --- findings --------------------------------------------------------------------------------- */

static const char *
module_name(const struct stack_entry *entry)
{
	const char *slash = entry->module == NULL ? NULL : strrchr(entry->module, '/');

	if (entry->kind == STACK_FAULT)
		return entry->fault;
	return slash == NULL ? entry->module : slash + 1;
}

/* The same line in many services, which include it, is one finding. */
static bool
is_told(const struct findings *found, const char *code, const struct stack_place *at)
{
	for (size_t i = 0; i < found->n; i++) {
		const struct finding *f = &found->list[i];

		if (f->kind != NULL && strcmp(f->kind->code, code) == 0 && at != NULL && f->line == at->line &&
		    strcmp(f->path, at->file) == 0)
			return true;
	}
	return false;
}

/* About a line of a service's stack. entry NULL: about the service's file. text may have one %s. */
static void
tell(struct service *s, const char *code, const struct stack_entry *entry, const char *text)
{
	struct findings *found = &s->check->found;

	if (entry == NULL) {
		finding_add(found, code, "%s: %s", s->name, text);
		return;
	}
	if (is_told(found, code, entry->at))
		return;
	finding_add(found, code, "%s", text);
	finding_at(found, entry->at->file, entry->at->line);
	if (entry->at->by != NULL)
		finding_by(found, entry->at->by->file, entry->at->by->line);
}

/* --- lines ------------------------------------------------------------------------------------ */

static const struct stack_entry *
first_of(const struct stack *stack, enum stack_phase phase, const char *module)
{
	const struct stack_lines *lines = stack_lines(stack, phase);

	for (size_t i = 0; i < lines->n; i++)
		if (stack_is_module(&lines->list[i], module))
			return &lines->list[i];
	return NULL;
}

static const struct stack_entry *
last_of(const struct stack *stack, enum stack_phase phase, const char *module)
{
	const struct stack_lines *lines = stack_lines(stack, phase);

	for (size_t i = lines->n; i > 0; i--)
		if (stack_is_module(&lines->list[i - 1], module))
			return &lines->list[i - 1];
	return NULL;
}

/* --- who gets in ------------------------------------------------------------------------------ */

/* What pam_rjwt.so returns when it does not say yes, whoever is to blame; the last: it is not there. */
static const int failures[] = { PAM_AUTH_ERR, PAM_AUTHINFO_UNAVAIL, PAM_USER_UNKNOWN, PAM_BUF_ERR, PAM_CONV_ERR,
	PAM_SERVICE_ERR, PAM_MODULE_UNKNOWN };

/* More conditions than these are met, or none is. */
enum { CONDITIONS_MAX = 8 };

/* Whether somebody gets in whom pam_rjwt.so refused, and who showed nothing else. */
static bool
is_open(const struct service *s, const unsigned char *ways, struct outcome *outcome)
{
	for (size_t i = 0; i < ARRAY_LEN(failures); i++)
		for (unsigned bits = 0; bits < 1U << CONDITIONS_MAX; bits++) {
			struct supposed supposed = { .token = failures[i], .conditions = bits, .ways = ways };

			if ((bits & 1U << (CONDITIONS_MAX - 1)) != 0)
				supposed.conditions |= ALL << CONDITIONS_MAX;
			check_suppose(s->check, s->stack, STACK_AUTH, &supposed, outcome);
			if (outcome->asked && outcome->answer.code == PAM_SUCCESS && !outcome->policy)
				return true;
			if (bits >> (outcome->nconditions < CONDITIONS_MAX ? outcome->nconditions : CONDITIONS_MAX) !=
			    0)
				break; /* no condition has this bit */
		}
	return false;
}

static void
find_open(struct service *s)
{
	struct outcome outcome;
	const struct stack_entry *decided;
	unsigned char *ways = check_ways(s->check, s->stack, STACK_AUTH);
	bool open = is_open(s, ways, &outcome);
	char text[400];

	free(ways);
	if (!open)
		return;
	decided = outcome.answer.decided;
	snprintf(text, sizeof(text), "%s decides in the end: whoever fails at the token and at the password gets in",
	    module_name(decided));
	tell(s, "pam.open", decided, text);
	if (stack_is_module(decided, "pam_permit.so"))
		finding_fix(&s->check->found, "put \"auth requisite pam_deny.so\" above line %u", decided->at->line);
}

/* Nobody can log in, whatever is typed. */
static void
find_lockout(struct service *s, enum stack_phase phase)
{
	const struct supposed best = { PAM_SUCCESS, PAM_IGNORE, true, false, ALL, NULL };
	const struct stack_entry *decided;
	struct outcome outcome;
	char text[400];

	check_suppose(s->check, s->stack, phase, &best, &outcome);
	if (outcome.answer.code == PAM_SUCCESS)
		return;
	decided = outcome.answer.decided;
	if (decided == NULL && phase == STACK_ACCOUNT && s->account != NULL) {
		tell(s, "pam.lockout", s->account,
		    "no account line but that of pam_rjwt.so, which never says yes: nobody can log in");
		finding_fix(&s->check->found, "add \"account required pam_unix.so\" below it");
		return;
	}
	snprintf(text, sizeof(text), "%s%s: nobody can log in, not even with a good token and a good password",
	    decided == NULL ? "no line answers with yes or no" : module_name(decided),
	    decided == NULL || decided->kind == STACK_FAULT ? "" : " rejects everybody");
	tell(s, "pam.lockout", decided == NULL ? s->auth : decided, text);
}

/* A stack for tokens alone, in a file that services include which know nothing of tokens: cron, at, su of scripts. */
static void
find_shared(struct service *s)
{
	if (s->auth == NULL || s->password || !s->token || s->auth->at->by == NULL)
		return;
	if (strncmp(strrchr(s->auth->at->file, '/') + 1, "common-", 7) != 0 &&
	    strncmp(strrchr(s->auth->at->file, '/') + 1, "system-", 7) != 0)
		return;
	tell(s, "pam.lockout", s->auth,
	    "every service that includes this file accepts nothing but a token: cron and at run no jobs");
	finding_fix(&s->check->found, "move these lines into the files of the services that are for tokens alone");
}

/* A line of ours that lets nobody in when the module's file is missing. */
static void
find_required(struct service *s)
{
	const struct supposed gone = { PAM_MODULE_UNKNOWN, PAM_MODULE_UNKNOWN, true, false, ALL, NULL };
	const struct supposed there = { PAM_AUTH_ERR, PAM_IGNORE, true, false, ALL, NULL };
	static const char text[] =
	    "if the module is missing or cannot be loaded, nobody can log in, not even with a password";
	struct outcome with, without;

	check_suppose(s->check, s->stack, STACK_ACCOUNT, &gone, &without);
	check_suppose(s->check, s->stack, STACK_ACCOUNT, &there, &with);
	if (with.answer.code == PAM_SUCCESS && without.answer.code != PAM_SUCCESS)
		tell(s, "pam.required", s->account, text);
	if (s->password && !lets_in(s, PAM_MODULE_UNKNOWN, true))
		tell(s, "pam.required", s->auth, text);
}

/* --- what surprises --------------------------------------------------------------------------- */

/* Programs that wait for "assword" do not know the usual prompt. */
static void
find_prompt(struct service *s)
{
	const struct stack_lines *lines = stack_lines(s->stack, STACK_AUTH);
	const char *prompt = stack_argument(s->auth, "prompt");
	char text[400];
	bool asks = false;

	for (const struct stack_entry *e = s->auth; e < lines->list + lines->n; e++)
		asks = asks || check_asks(e);
	prompt = prompt == NULL ? "Token: " : prompt;
	if (!asks || !s->password || stack_argument(s->auth, "use_first_pass") != NULL ||
	    strstr(prompt, "assword") != NULL)
		return;
	snprintf(text, sizeof(text),
	    "prompt \"%.200s\" with a password below: sshpass, ansible and lftp hang (they wait for \"assword:\")",
	    prompt);
	tell(s, "pam.prompt", s->auth, text);
}

static void
find_session(struct service *s)
{
	const struct stack_lines *lines = stack_lines(s->stack, STACK_SESSION);
	const struct stack_entry *ours = first_of(s->stack, STACK_SESSION, RJWT_MODULE);
	const struct stack_entry *last = last_of(s->stack, STACK_SESSION, RJWT_MODULE);
	const struct stack_entry *systemd = first_of(s->stack, STACK_SESSION, "pam_systemd.so");

	if (ours != NULL && systemd != NULL && systemd < ours)
		tell(s, "pam.session_order", ours, "below pam_systemd.so, so that cap_session ends no session");
	for (size_t i = 0; i < lines->n; i++) {
		const struct stack_entry *e = &lines->list[i];
		const char *user = stack_argument(e, "user_readenv");

		if (stack_is_module(e, "pam_env.so") && user != NULL && strcmp(user, "1") == 0 &&
		    (last == NULL || e > last))
			tell(s, "pam.readenv", e,
			    "reads ~/.pam_environment, in which the user can set RJWT_SUB and the other variables");
	}
}

/* setcred may come after the session, and no line of ours is below it then. */
static void
find_readenv_in_auth(struct service *s)
{
	const struct stack_lines *lines = stack_lines(s->stack, STACK_AUTH);

	for (size_t i = 0; i < lines->n; i++) {
		const char *user = stack_argument(&lines->list[i], "user_readenv");

		if (!stack_is_module(&lines->list[i], "pam_env.so") || user == NULL || strcmp(user, "1") != 0 ||
		    is_told(&s->check->found, "pam.readenv", lines->list[i].at))
			continue;
		tell(s, "pam.readenv", &lines->list[i],
		    "reads ~/.pam_environment in auth, in which the user can set RJWT_SUB and the other variables");
		finding_fix(&s->check->found, "remove user_readenv=1 from this line");
	}
}

static void
find_expired_password(struct service *s)
{
	const struct stack_entry *unix_line = first_of(s->stack, STACK_ACCOUNT, "pam_unix.so");

	if (unix_line == NULL || stack_argument(unix_line, "no_pass_expiry") != NULL)
		return;
	s->check->ages = s->check->ages || s->token;
	if (s->token && !s->password)
		tell(s, "pam.expired_password", unix_line,
		    "a token is taken here and no password: an expired password locks its user out, and spends the "
		    "token");
}

/* A user whom pam_faillock has locked. */
static void
find_faillock(struct service *s)
{
	const struct supposed locked = { PAM_SUCCESS, PAM_IGNORE, true, true, ALL, NULL };
	const struct supposed good = { PAM_SUCCESS, PAM_IGNORE, false, false, ALL, NULL };
	const struct stack_entry *faillock = first_of(s->stack, STACK_AUTH, "pam_faillock.so");
	struct outcome outcome;

	if (faillock == NULL)
		return;
	check_suppose(s->check, s->stack, STACK_AUTH, &locked, &outcome);
	if (outcome.answer.code == PAM_SUCCESS)
		return; /* the tally is the password's alone */
	if (outcome.asked)
		tell(s, "pam.faillock", faillock,
		    "a locked user is asked for a token all the same: a good one is spent, and rejected");
	check_suppose(s->check, s->stack, STACK_AUTH, &good, &outcome);
	if (outcome.answer.code == PAM_SUCCESS && !outcome.cleared &&
	    first_of(s->stack, STACK_ACCOUNT, "pam_faillock.so") == NULL)
		tell(s, "pam.faillock", faillock,
		    "rejected tokens count, and a good token does not clear the tally: who has no password is locked "
		    "out");
}

static void
find_not_root(struct service *s)
{
	struct rjwt_prompt prompt;
	struct rjwt *handle;

	if (rjwt_open(s->check->options, &handle, NULL) != RJWT_OK)
		return;
	(void)rjwt_prompt(handle, s->name, &prompt);
	rjwt_close(handle);
	if (prompt.service != NULL && strcmp(prompt.service, s->name) == 0 && prompt.as_user)
		tell(s, "pam.not_root", s->auth, "this program does not run as root: it cannot take one-time tokens");
}

static void
find_arguments(struct service *s, enum stack_phase phase)
{
	const struct stack_lines *lines = stack_lines(s->stack, phase);

	for (size_t i = 0; i < lines->n; i++) {
		const struct stack_entry *e = &lines->list[i];
		const char *why = stack_is_module(e, RJWT_MODULE) ? check_arguments(e->argc, e->argv) : NULL;

		if (why != NULL)
			tell(s, "module.argument", e, why);
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

bool
service_begin(struct service *s)
{
	s->auth = first_of(s->stack, STACK_AUTH, RJWT_MODULE);
	s->account = first_of(s->stack, STACK_ACCOUNT, RJWT_MODULE);
	return s->auth != NULL || s->account != NULL || first_of(s->stack, STACK_SESSION, RJWT_MODULE) != NULL;
}

void
service_judge(struct service *s)
{
	if (s->auth != NULL) {
		s->token = lets_in(s, PAM_SUCCESS, false);
		s->password = lets_in(s, PAM_AUTH_ERR, true);
		s->both = lets_in(s, PAM_SUCCESS, true);
		find_open(s);
		find_lockout(s, STACK_AUTH);
		find_shared(s);
		find_prompt(s);
		find_faillock(s);
		find_readenv_in_auth(s);
		find_session(s);
		find_expired_password(s);
		find_not_root(s);
		if (!s->token && s->password && s->both)
			tell(s, "pam.useless", s->auth,
			    "a good token is not enough: the stack asks for the password as well");
	}
	find_lockout(s, STACK_ACCOUNT);
	find_required(s);
	for (int phase = 0; phase < STACK_PHASES; phase++)
		find_arguments(s, (enum stack_phase)phase);
}

const char *
service_way_in(const struct service *s)
{
	if (s->token)
		return s->password ? "a token or the password" : "a token";
	if (s->password)
		return "the password";
	return s->both ? "a token and the password" : "nothing";
}

bool
service_takes_password_alone(const struct service *s)
{
	const struct supposed gone = { PAM_MODULE_UNKNOWN, PAM_MODULE_UNKNOWN, true, false, ALL, NULL };
	struct outcome auth, account;

	check_suppose(s->check, s->stack, STACK_AUTH, &gone, &auth);
	check_suppose(s->check, s->stack, STACK_ACCOUNT, &gone, &account);
	return auth.answer.code == PAM_SUCCESS && account.answer.code == PAM_SUCCESS;
}
