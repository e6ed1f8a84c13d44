/* SPDX-License-Identifier: MIT */
/*
 * stack.h - what a PAM stack answers: a service's files as libpam reads them, and the walk through their lines as libpam
 * walks it, with outcomes of modules that the caller supposes. No module is loaded and nothing is written.
 *
 * It answers as Linux-PAM 1.5.2 and 1.7.0 do, and tests/unit/test_stack_libpam.c compares it with the one of this host. Where
 * versions of libpam differ the stack is not judged: stack_read() reports the line.
 */
#ifndef RJWT_STACK_H
#define RJWT_STACK_H

#include "base/err.h"

enum stack_phase { STACK_AUTH, STACK_ACCOUNT, STACK_SESSION, STACK_PASSWORD };
#define STACK_PHASES 4

/* The return values of modules, from PAM_SUCCESS on. */
#define STACK_CODES 32

/* What a return value does. Above 0: so many lines are skipped. */
enum { STACK_IGNORE = 0, STACK_OK = -1, STACK_DONE = -2, STACK_BAD = -3, STACK_DIE = -4, STACK_RESET = -5 };

/* A line, and the line whose include led to its file; NULL: none, it is the service's own file. */
struct stack_place {
	const char *file;
	unsigned line; /* the first of several that backslashes join */
	const struct stack_place *by;
};

enum stack_kind {
	STACK_MODULE,
	STACK_SUBSTACK, /* lines of a higher level follow, and their answer stays among them */
	STACK_FAULT	/* libpam cannot use the line, and takes it for a module that fails */
};

struct stack_entry {
	const struct stack_place *at;
	enum stack_kind kind;
	int level; /* of substacks around it */
	int action[STACK_CODES];
	const char *fault;  /* static; NULL unless STACK_FAULT */
	const char *module; /* as it is written; NULL: none is named */
	char **argv;
	size_t argc;
};

struct stack_lines {
	struct stack_entry *list;
	size_t n;
};

struct stack;

/*
 * Read the files of a service, which are searched for in directories (NULL-terminated), as are those that a line includes
 * without a path. For a phase without a line the lines of the service "other" are taken, as libpam does.
 *
 * RJWT_CONFIG: libpam refuses the service as a whole. RJWT_MALFORMED: a line that is not judged, because versions of libpam
 * differ, or crash. For both diag has file and line. RJWT_IO: a file cannot be read. stack gives; stack_free().
 */
RJWT_MUST enum rjwt_err
stack_read(const char *const *directories, const char *service, struct stack **stack, struct rjwt_diag *diag);
void stack_free(struct stack *stack); /* NULL is fine */
void stack_clean(struct stack **stack);

/* The lines of a phase, in order; view. */
const struct stack_lines *stack_lines(const struct stack *stack, enum stack_phase phase);

/* The value of an argument "name=value", of "name" alone "", NULL if there is none; of several the last. view. */
const char *stack_argument(const struct stack_entry *entry, const char *name);

/* Whether the line names this module, by a path or not. */
bool stack_is_module(const struct stack_entry *entry, const char *module);

/* The name of a PAM_ code, as a control has it: "auth_err"; "?" for none. static. */
const char *stack_code(int code);

/* What a module returns: a PAM_ code, not PAM_INCOMPLETE. Called for the modules that libpam would call, in its order. */
typedef int stack_outcome(void *context, const struct stack_entry *entry);

struct stack_answer {
	int code;			   /* of pam_authenticate() or pam_acct_mgmt() */
	const struct stack_entry *decided; /* the line that the code is from; NULL: no line had an opinion */
	int action;			   /* what that line did: one of those above */
};

/* Walk through the lines of a phase: the first call, before setcred or a closing session freezes the chain. */
void stack_walk(const struct stack_lines *lines, stack_outcome *outcome, void *context, struct stack_answer *answer);

#endif
