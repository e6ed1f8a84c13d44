/* SPDX-License-Identifier: MIT */
/*
 * wrapped.h - calls of rjwt's to the system and to libraries that fail when a plan says so.
 *
 * For programs that are linked with wrapped.c and -Wl,@wraps: the linker turns our own objects' calls of a name in that
 * list into calls of __wrap_name(), which is there. Without a plan they do what they always do. calls.c and shim.c make
 * calls fail in whole programs as they are installed, by a library that is loaded first; here are the parts alone.
 *
 * A call that fails does nothing, and says so: no error tells that a file is not there which is.
 */
#ifndef RJWT_WRAPPED_H
#define RJWT_WRAPPED_H

#include <stdbool.h>

enum fault_kind {
	FAULT_ANY, /* in a plan: every call counts */
	FAULT_MEMORY,
	FAULT_OPEN,
	FAULT_READ,
	FAULT_WRITE,
	FAULT_SYNC,
	FAULT_NAME, /* what makes, renames and removes names */
	FAULT_LOOK, /* what looks at files, locks and directories */
	FAULT_CRYPTO,
	FAULT_PARSE, /* json-c, libyaml */
	FAULT_PAM,
	FAULT_KINDS
};

/*
 * Asked before each call: whether it fails, errno set. ENOSPC: a read or a write is done by half. NULL: nothing fails.
 * A name may say more than the call: "a short EVP_Q_digest" writes a byte less than it should.
 */
extern bool (*wrapped_plan)(enum fault_kind kind, const char *name);

/* For calls that are wrapped elsewhere: the plan's answer, and a function that is wrapped. */
bool fault_due(enum fault_kind kind, const char *name);
#define WRAP(type, name, parameters)   \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters

/* Something may have been written, by whatever name, while there was a plan. */
extern bool wrapped_wrote;

/*
 * Asked, while there is a plan, before a file is opened: a descriptor, or -1 and errno, of one that is made up;
 * WRAPPED_REAL: it is opened. NULL: none is made up.
 */
#define WRAPPED_REAL (-2)
extern int (*wrapped_open)(const char *name);

#endif
