/* SPDX-License-Identifier: MIT */
/* What rjwt-keyd try thinks of the logins of a service. */
#include "try.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_CONDITIONS 0xffffffffU

/* --- what was seen ------------------------------------------------------------------------------ */

bool
try_accepted(const struct try_seen *seen)
{
	return seen->end == TRY_DONE && seen->auth == PAM_SUCCESS && seen->account == PAM_SUCCESS;
}

struct view
try_decision(const struct try_seen *seen)
{
	static const char begins[] = "pam_rjwt(";
	struct view found = { NULL, 0 };

	for (const char *line = seen->log; *line != '\0';) {
		size_t n = strcspn(line, "\n");
		const char *text = memmem(line, n, "): ", 3);

		if (strncmp(line, begins, sizeof(begins) - 1) == 0 && text != NULL &&
		    (strncmp(text + 3, "accepted ", 9) == 0 || strncmp(text + 3, "rejected ", 9) == 0))
			found = (struct view){ text + 3, (size_t)(line + n - text) - 3 };
		line += n + (line[n] == '\n');
	}
	return found;
}

void
try_said(const struct try_seen *seen, char word[static 64])
{
	static const char reason[] = "rejected reason=";
	struct view d = try_decision(seen);
	size_t skip = 0, n = 0;

	if (d.n > sizeof(reason) && strncmp(d.p, reason, sizeof(reason) - 1) == 0)
		skip = sizeof(reason) - 1;
	while (skip + n < d.n && d.p[skip + n] != ' ')
		n++;
	snprintf(word, 64, "%.*s", n == 0 ? 1 : (int)n, n == 0 ? "-" : d.p + skip);
}

/* What pam_rjwt.so returned, as far as the log says. */
static int
token_answer(const struct try_seen *seen)
{
	char said[64];

	try_said(seen, said);
	if (strcmp(said, "accepted") == 0)
		return PAM_SUCCESS;
	if (strstr(seen->log, "adding faulty module: ") != NULL && strstr(seen->log, RJWT_MODULE) != NULL)
		return PAM_MODULE_UNKNOWN;
	for (int code = RJWT_CONFIG; code <= RJWT_INTERNAL; code++)
		if (strcmp(said, rjwt_reason((enum rjwt_err)code)) == 0)
			return PAM_AUTHINFO_UNAVAIL;
	return PAM_AUTH_ERR;
}

/* The first line that, if it returned one of these, would have had the stack answer as it did. */
static const struct stack_entry *
could_decide(const struct trial *t, enum stack_phase phase, const struct supposed *supposed, int code)
{
	const int returned[] = { code, PAM_ACCT_EXPIRED, PAM_AUTH_ERR };
	const struct stack_lines *lines = stack_lines(t->stack, phase);
	struct outcome outcome;

	for (size_t i = 0; i < lines->n; i++)
		for (size_t k = 0; k < (phase == STACK_AUTH ? 1 : ARRAY_LEN(returned)); k++) {
			if (stack_is_module(&lines->list[i], RJWT_MODULE))
				continue; /* what it returned is known */
			check_suppose_line(t->check, t->stack, phase, supposed, &lines->list[i], returned[k], &outcome);
			if (outcome.answer.code == code)
				return &lines->list[i];
		}
	return NULL;
}

/* Of all that may be, the first with which the stack answers as it did. */
static const struct stack_entry *
find_in_auth(const struct trial *t, const struct try_seen *seen, const unsigned char *ways)
{
	struct supposed supposed = { .token = token_answer(seen), .account = PAM_IGNORE, .ways = ways };
	struct outcome outcome;

	for (int password = 0; password < 2; password++)
		for (unsigned bits = 0; bits < 256; bits++) {
			supposed.password = password == 1;
			supposed.conditions = ALL_CONDITIONS ^ bits; /* all are met, all but the first, ... */
			check_suppose(t->check, t->stack, STACK_AUTH, &supposed, &outcome);
			if (outcome.answer.code == seen->auth)
				return outcome.answer.decided;
		}
	supposed.password = false;
	supposed.conditions = ALL_CONDITIONS;
	return could_decide(t, STACK_AUTH, &supposed, seen->auth);
}

/* pam_rjwt.so says so itself when it refuses here. */
static const struct stack_entry *
find_in_account(const struct trial *t, const struct try_seen *seen, const unsigned char *ways)
{
	const struct supposed supposed = { PAM_SUCCESS, PAM_IGNORE, true, false, ALL_CONDITIONS, ways };

	return strstr(seen->log, " phase=account ") != NULL ? NULL
							    : could_decide(t, STACK_ACCOUNT, &supposed, seen->account);
}

static const struct stack_entry *
decided_in(const struct trial *t, const struct try_seen *seen, enum stack_phase phase)
{
	unsigned char *ways = check_ways(t->check, t->stack, phase);
	const struct stack_entry *decided =
	    phase == STACK_AUTH ? find_in_auth(t, seen, ways) : find_in_account(t, seen, ways);

	free(ways);
	return decided;
}

const struct stack_entry *
try_decided(const struct trial *t, enum try_kind kind)
{
	const struct try_seen *seen = &t->seen[kind];

	return decided_in(t, seen,
	    seen->auth == PAM_SUCCESS && seen->account != PAM_SUCCESS ? STACK_ACCOUNT : STACK_AUTH);
}

/* --- what it means ------------------------------------------------------------------------------ */

/* A finding about the service, with the place that decided. */
static void
tell(struct trial *t, const char *code, const char *text, const struct stack_entry *decided)
{
	struct findings *found = &t->check->found;

	if (decided == NULL)
		finding_add(found, code, "%s", text);
	else
		finding_add(found, code, "%s (after %s:%u, %s)", text, decided->at->file, decided->at->line,
		    decided->module == NULL ? decided->fault : decided->module);
	finding_area(found, t->service);
}

/* What the stack answers, as rjwt-keyd check understands it. */
static bool
should_accept(const struct trial *t, int token, bool password)
{
	const struct supposed supposed = { token, PAM_IGNORE, password, false, ALL_CONDITIONS, NULL };
	struct outcome outcome;

	check_suppose(t->check, t->stack, STACK_AUTH, &supposed, &outcome);
	return outcome.answer.code == PAM_SUCCESS;
}

static const char *const replies[TRY_KINDS] = { "a wrong token", "an empty reply", "a good token", "the password" };

static bool
find_hung(struct trial *t)
{
	char text[200];

	for (int kind = 0; kind < TRY_KINDS; kind++) {
		if (t->seen[kind].end != TRY_HUNG && t->seen[kind].end != TRY_DIED)
			continue;
		if (t->seen[kind].end == TRY_HUNG)
			snprintf(text, sizeof(text), "no answer to %s within %d s", replies[kind], TRY_LIMIT_S);
		else
			snprintf(text, sizeof(text), "%s ended the process, without an answer", replies[kind]);
		tell(t, "try.hung", text, NULL);
		return true;
	}
	return false;
}

/* Whoever is authenticated by nothing gets in, also when the account of this user does not let him. */
static bool
find_open(struct trial *t, enum try_kind kind)
{
	const struct stack_entry *decided;
	char text[200];

	if (t->seen[kind].auth != PAM_SUCCESS)
		return false;
	decided = decided_in(t, &t->seen[kind], STACK_AUTH);
	snprintf(text, sizeof(text), "%s gets in", replies[kind]);
	tell(t, "try.open", text, decided);
	if (decided != NULL)
		finding_fix(&t->check->found, "mend or remove line %u of %s now; then rjwt-keyd check",
		    decided->at->line, decided->at->file);
	return true;
}

static void
tell_account(struct trial *t, const struct try_seen *seen)
{
	char text[400];

	snprintf(text, sizeof(text), "rjwt accepted the token, account refused %s: \"%s\"", t->user,
	    pam_strerror(NULL, seen->account));
	tell(t, "try.account", text, decided_in(t, seen, STACK_ACCOUNT));
	if (seen->account == PAM_ACCT_EXPIRED || strstr(seen->log, "has expired (account expired)") != NULL)
		finding_fix(&t->check->found, "chage -E -1 %s", t->user);
	else if (seen->account == PAM_NEW_AUTHTOK_REQD)
		finding_fix(&t->check->found, "write no_pass_expiry after pam_unix.so, or: chage -M -1 %s", t->user);
}

/* The token was right, and the stack was not content. */
static void
tell_more_asked(struct trial *t, const struct try_seen *seen)
{
	char text[400];

	if (seen->asks[0] != '\0' && t->password == NULL && should_accept(t, PAM_SUCCESS, true)) {
		tell(t, "try.both", "a good token is accepted, and the password is asked for, too", NULL);
		return;
	}
	snprintf(text, sizeof(text), "rjwt accepted the token, the stack refused %s", t->user);
	tell(t, "try.token", text, decided_in(t, seen, STACK_AUTH));
}

static bool
find_rejected(struct trial *t)
{
	const struct try_seen *seen = &t->seen[TRY_GOOD];
	char said[64], text[200];

	if (try_accepted(seen))
		return false;
	try_said(seen, said);
	if (seen->auth == PAM_SUCCESS) {
		tell_account(t, seen);
	} else if (strcmp(said, "accepted") == 0) {
		tell_more_asked(t, seen);
	} else if (strcmp(said, "-") == 0) {
		tell(t, "try.token",
		    seen->replied ? "pam_rjwt.so decided nothing: a good token does not let in"
				  : "pam_rjwt.so decided nothing, and nobody asked for the token",
		    decided_in(t, seen, STACK_AUTH));
	} else {
		snprintf(text, sizeof(text), "pam_rjwt.so rejected a good token: %s", said);
		tell(t, "try.token", text, NULL);
	}
	return true;
}

static bool
find_password(struct trial *t)
{
	if (t->password != NULL && !try_accepted(&t->seen[TRY_PASSWORD]) && should_accept(t, PAM_AUTH_ERR, true)) {
		tell(t, "try.password", "the password was rejected", try_decided(t, TRY_PASSWORD));
		return true;
	}
	if (t->seen[TRY_WRONG].asks[0] != '\0' || should_accept(t, PAM_AUTH_ERR, true))
		return false;
	tell(t, "try.no_password", "no password is asked for: nobody can log in here when rjwt cannot verify tokens",
	    NULL);
	return true;
}

/* This process is root, and the service's program is not. */
static bool
find_not_root(struct trial *t)
{
	struct rjwt_prompt prompt = { .service = NULL };

	(void)rjwt_prompt(t->handle, t->scope, &prompt);
	if (prompt.service == NULL || strcmp(prompt.service, t->service) != 0 || !prompt.as_user)
		return false;
	tell(t, "try.not_root",
	    "the good token was accepted, but the program of the service does not run as root: it takes only reusable "
	    "tokens",
	    NULL);
	return true;
}

static void
find_tally(struct trial *t)
{
	char text[128];

	if (t->tally[0] < 0 || t->tally[1] <= t->tally[0])
		return;
	snprintf(text, sizeof(text), "faillock: %.60s's tally was %d, is %d", t->user, t->tally[0], t->tally[1]);
	tell(t, "try.faillock", text, NULL);
	finding_fix(&t->check->found, "faillock --user %s --reset", t->user);
}

void
try_judge(struct trial *t)
{
	if (!find_hung(t) && !find_open(t, TRY_WRONG) && !find_open(t, TRY_EMPTY) && !find_rejected(t) &&
	    !find_password(t) && !find_not_root(t))
		finding_ok(&t->check->found, t->service, "%s",
		    t->password == NULL ? "only the good token gets in; otherwise a password is asked for"
		    : try_accepted(&t->seen[TRY_PASSWORD])
			? "the good token and the password get in, nothing else"
			: "only the good token gets in, not even the password alone");
	find_tally(t);
}
