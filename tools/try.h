/* SPDX-License-Identifier: MIT */
/*
 * try.h - rjwt-keyd try: what is asked, and what comes of replies, in the real PAM stacks of services. keyd_try.c has the
 * command, try_login.c one login in a process of its own, try_log.c what is logged there, try_judge.c what that
 * means, try_print.c how it is shown.
 */
#ifndef RJWT_TRY_H
#define RJWT_TRY_H

#include "check.h"
#include "keyd.h"

#include <signal.h>

/* What is replied, in this order: a stack that clears a tally of failures clears it at the end. */
enum try_kind { TRY_WRONG, TRY_EMPTY, TRY_GOOD, TRY_PASSWORD };
#define TRY_KINDS 4

/* A process that logs in has so long. */
#define TRY_LIMIT_S 20

struct try_typed {
	const char *user, *service;
	const char *prompt; /* the reply is for who asks with it; NULL: for who asks first */
	const char *reply;
	const char *others; /* for all who ask otherwise; NULL: the conversation fails there */
};

enum try_end { TRY_NOT, TRY_DONE, TRY_HUNG, TRY_DIED, TRY_STOPPED };

/* What came of a reply. */
struct try_seen {
	enum try_end end;  /* TRY_NOT: it was not tried */
	int auth, account; /* what libpam answered; account -1: it was not asked */
	bool replied;	   /* somebody asked for the reply */
	char asks[256];	   /* the prompt after the reply; "": none */
	char log[8192];	   /* lines that were logged, escaped */
};

/* A service, while it is tried. */
struct trial {
	struct keyd *keyd;
	struct check *check;
	const char *user, *password; /* password NULL: not known */
	const char *service;
	struct stack *stack;
	const struct stack_entry *line; /* the first auth line of pam_rjwt.so */
	struct rjwt *handle;		/* with the configuration that the line names */
	const char *scope;
	struct rjwt_token token; /* text NULL: none */
	struct try_seen seen[TRY_KINDS];
	int tally[2]; /* of pam_faillock, before and after; -1: not known */
};

/*
 * Log in: authenticate and, if that succeeds, account, with a real uid that is not root's and an effective one that is, as
 * su and sudo have. SIGCHLD and the signals of try_signals() must be blocked: one of these ends it with TRY_STOPPED.
 */
void try_login(const struct try_typed *typed, struct try_seen *seen);
const sigset_t *try_signals(void);

/* From here on, what this process logs by syslog(3) is added to seen->log, besides. */
void try_log_into(struct try_seen *seen);

/* The last decision that pam_rjwt.so logged: "rejected reason=spent ..."; n 0: none. view. */
struct view try_decision(const struct try_seen *seen);
/* The same in a word: "accepted", a reason, "-". */
void try_said(const struct try_seen *seen, char word[static 64]);

/* The line that decided, as rjwt-keyd check understands the stack; NULL: not known. Of account the first that can have. */
const struct stack_entry *try_decided(const struct trial *t, enum try_kind kind);

/* Whether somebody got in. */
bool try_accepted(const struct try_seen *seen);

/* Add what is to be said of a service that was tried: one finding, or more. */
void try_judge(struct trial *t);

/* A row, with the log line and what decided. width: of the column of services. */
void try_print_heading(int width);
void try_print_row(const struct trial *t, enum try_kind kind, int width);
void try_json(const struct trial *t, enum try_kind kind, struct buf *out);

#endif
