/* SPDX-License-Identifier: MIT */
/*
 * fault.h - what exhaust.c, the calls that it makes fail, and its module share.
 *
 * The program has functions of the names of libc's and libcrypto's, and exports them, so that all libraries
 * call these. They are counted by kind; the one that was asked for fails.
 */
#ifndef RJWT_TEST_FAULT_H
#define RJWT_TEST_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum fault_kind { FAULT_MEMORY, FAULT_FILES, FAULT_CRYPTO, FAULT_KINDS };

/* Which call fails. at 0: none, they are only counted. */
struct fault {
	bool armed;
	enum fault_kind kind;
	unsigned long at, calls;
	bool on; /* all later ones, too */
};
extern struct fault fault;

/* One more call of this kind; true: it has to fail. */
bool fault_hit(enum fault_kind kind);

/*
 * The heap. Nothing is used twice, so that what was freed stays poisoned, and each block ends with bytes that
 * must not change. A block freed twice, written behind, or not of this heap ends the process by heap_broken().
 */
_Noreturn void heap_broken(const char *why, const void *block); /* exhaust.c */
unsigned long heap_now(void);					/* number of the next block */
/*
 * Blocks from number first on that nothing points to any more, neither data of a program or library, nor the
 * stack, nor a block that is found from there. Each is told to leak; their number.
 */
size_t heap_leaks(unsigned long first, void (*leak)(unsigned long number, size_t size));
/* The process that makes the others takes the last block's room again, or it would grow for ever. */
extern bool heap_recycles;
/* Told of a block when it is made. */
extern void (*heap_watch)(unsigned long number);

/* What the module said, and whether a token stood in PAM_AUTHTOK when it had authenticated. */
#define NOT_CALLED (-1)
struct witness {
	int auth, setcred, account, session;
	bool token_left;
};
extern struct witness witness;

#endif
