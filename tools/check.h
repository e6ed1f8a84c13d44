/* SPDX-License-Identifier: MIT */
/*
 * check.h - rjwt-keyd check: an area is a function, or a file if it is more than that. They look, and change nothing.
 */
#ifndef RJWT_CHECK_H
#define RJWT_CHECK_H

#include "base/string_list.h"
#include "findings.h"
#include "rjwt.h"
#include "stack/stack.h"

#define RJWT_MODULE "pam_rjwt.so"
#define CHECK_SECOND "/lib/security"

struct check {
	const struct rjwt_options *options;
	struct findings found;
	const char *const *pam; /* where this libpam searches for services, NULL-terminated */
	char modules[256];	/* where it searches for modules, "/lib/.../security/"; "": not known */
	bool second;		/* and after that in CHECK_SECOND, as Debian's does */
	bool sshd, sudo;	/* whether their stacks reach pam_rjwt.so */
	bool unused;		/* no stack does */
	bool ages;		/* one takes tokens, and then asks for the age of the password */
	const char *state;	/* the state directory; NULL: not known */
};

/* --- what stacks answer ----------------------------------------------------------------------- */

/* What is given at the prompts, and how the host is. */
struct supposed {
	int token;		   /* what pam_rjwt.so's auth returns */
	int account;		   /* what its account returns */
	bool password;		   /* what asks for a password, and what is not known, is content */
	bool locked;		   /* pam_faillock has locked the user */
	unsigned conditions;	   /* a bit for each module that decides by itself, such as pam_access: content */
	const unsigned char *ways; /* of this stack and phase; NULL: found out for each line each time */
};

/* What the modules of a phase do, for who supposes often; free(). NULL: memory is short. */
unsigned char *check_ways(const struct check *check, const struct stack *stack, enum stack_phase phase);

/* What came of it. */
struct outcome {
	struct stack_answer answer;
	bool asked;	      /* pam_rjwt.so was called */
	bool policy;	      /* the line that decided is of a module that decides by itself, and ends the stack */
	bool cleared;	      /* pam_faillock authsucc was called */
	unsigned nconditions; /* in the lines that were reached */
};

void check_suppose(const struct check *check, const struct stack *stack, enum stack_phase phase,
    const struct supposed *supposed, struct outcome *outcome);

/* The same, when it is known what a line returns, whatever its module. */
void check_suppose_line(const struct check *check, const struct stack *stack, enum stack_phase phase,
    const struct supposed *supposed, const struct stack_entry *line, int returns, struct outcome *outcome);

/* Whether a module asks for a password, or is not known and may. */
bool check_asks(const struct stack_entry *entry);

/* --- one service ------------------------------------------------------------------------------ */

struct service {
	struct check *check;
	const char *name;
	const struct stack *stack;
	const struct stack_entry *auth, *account; /* the first lines that name pam_rjwt.so; NULL: none */
	bool token, password, both;		  /* what lets in, see service_judge() */
};

/* Fill auth and account. Whether the stack names pam_rjwt.so at all, in session too. */
bool service_begin(struct service *service);

/* Add what is wrong with the service's stack, which names pam_rjwt.so, to the findings. */
void service_judge(struct service *service);

/* What lets in, as words, after service_judge(); static. */
const char *service_way_in(const struct service *service);

/* Whether a password lets in where pam_rjwt.so is of no use. */
bool service_takes_password_alone(const struct service *service);

/* --- areas ------------------------------------------------------------------------------------ */

/* Names of services, some of them twice: files that programs ask for. */
void check_list_services(const struct check *check, struct string_list *names);

void check_pam(struct check *check);
void check_units(struct check *check, const struct string_list *services); /* whose auth lines name pam_rjwt.so */
void check_ages(struct check *check);					   /* after the stacks */
void check_module(struct check *check);					   /* after check_pam() */
void check_sshd(struct check *check);
void check_sudo(struct check *check);
void check_sudoers(struct check *check, const char *path); /* the same, by another file */
void check_rotation(struct check *check, const struct rjwt_status *status);
void check_follow(struct check *check, const struct rjwt_status *status);
void check_issue(struct check *check);
void check_scopes(struct check *check, const struct rjwt_status *status);
void check_codes(struct check *check, const struct rjwt_status *status);

/*
 * Look at all of them; check->options must be set. RJWT_MEMORY: something is missing. findings_clear(), rjwt_status_clear(),
 * after any result.
 */
RJWT_MUST enum rjwt_err check_look(struct check *check, struct rjwt_status *status);

/*
 * Log each finding that is new, gone or of another level since the last call, which a file in the state directory
 * remembers. Silent otherwise: also what fails is only logged.
 */
void check_news(const struct rjwt_options *options);

/* What the library found. */
void check_take_notes(struct findings *found, const struct rjwt_status *status);

/* Whether a time service keeps the clock; -1: that is not known. */
int check_synchronised(void);

/* check->modules and second, from the libpam that programs load. */
void check_find_modules(struct check *check);

/* What is wrong with the arguments of pam_rjwt.so; NULL: nothing; static. */
const char *check_arguments(size_t argc, char *const *argv);

/*
 * Run a program, with nothing on its standard input and the least environment, for at most 10 s. Its standard output is
 * added to out, at most 256 KiB, and the last line of its standard error to error. Its exit status; -1: it could not be
 * run, was killed or took too long, and error says so.
 */
int check_run(const char *const *argv, struct buf *out, char error[static 256]);

/*
 * The value of the first line that is a name, this separator and a value, in what a program has printed; NULL: no line is. It
 * points into all, in which NULs replace the line ends; further calls may follow.
 */
const char *check_value(struct buf *all, const char *name, char separator);

/* Of a clock that nobody sets. */
int64_t check_now_ms(void);

#endif
