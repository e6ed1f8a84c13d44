/* SPDX-License-Identifier: MIT */
/*
 * exhaust.h - the parts of exhaust.c: what is tried (exhaust_world.c), what is told (exhaust_report.c).
 */
#ifndef RJWT_TEST_EXHAUST_H
#define RJWT_TEST_EXHAUST_H

#include "fault.h"
#include "rjwt.h"

#include <stdarg.h>
#include <sys/types.h>

#define TOKEN_SIZE 1024
#define TRACES 8
#define FRAMES 40

enum token { REUSABLE, ONCE, FEW, CODE, FRESH, FORGED, OTHER, REVOKED, SPENT, MINTED, PASSWORD, EMPTY, TOKENS };

/* A call chain, from the place where something happened to main(). */
struct trace {
	unsigned long number; /* of the block; 0: of no block */
	int n;
	struct {
		char object[48], symbol[64];
		size_t offset; /* in the object */
	} frames[FRAMES];
};

/* What a process tells the one that made it. */
struct page {
	char tokens[TOKENS][TOKEN_SIZE];
	unsigned long calls;
	bool done;	  /* it came to its end */
	bool accepted;	  /* the login was, or the token was minted */
	bool again;	  /* a good login in the same process worked after it */
	char wrong[2048]; /* "": nothing */
	char log[4096];	  /* what was logged last */
	unsigned long leaks[TRACES];
	size_t nleaks;
	struct trace crash, traces[TRACES];
	size_t ntraces;
};
extern struct page *page;

/* Something that must not be, added to page->wrong. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* As fork(2): 0 in the child, which is told off by its signal when it dies; the page's results are new. */
pid_t child_start(void);
/* Its end: true, or complain. */
bool child_end(pid_t pid, const char *what);
/* Where we are, skipping so many frames; signal-safe once it has been called. */
void trace_take(struct trace *trace, int skip);

/* --- exhaust_world.c */

struct scenario {
	const char *name;
	bool good;
	enum token token;
	void (*run)(const struct scenario *s);
};
extern const struct scenario scenarios[];
extern const size_t nscenarios;

void world_make(const char *build); /* a keyset, tokens, a stack with the module, in a directory of its own */
void world_free(void);
void world_reset(void); /* no token is spent but SPENT */
/* A login by the module, all phases; what the application was told by pam_authenticate. */
int login(enum token token);
/* What the scenario did was right, whatever failed. */
void judge(const struct scenario *s);

/* --- exhaust_report.c */

/* A crash or a block lost: library's own and known, counted; anything else: complain. */
void report_crash(void);
void report_leaks(void);
void report_counts(void); /* as comments, and begins anew */

#endif
