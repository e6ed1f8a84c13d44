/* SPDX-License-Identifier: MIT */
/*
 * faults.h - calls of rjwt's to the system and to libraries that fail, by a plan that the input gives.
 *
 * The linker turns each call of a name in the list wraps into one of __wrap_name(), in faults.c. Until faults_arm(),
 * and after faults_disarm(), they do what they always do. In between the clocks are made up too, and what is the
 * host's own (boot id, machine id, /etc/rjwt, /var/lib/rjwt) is not seen.
 *
 * A call that fails does nothing, and says so: no error tells that a file is not there which is.
 */
#ifndef RJWT_FAULTS_H
#define RJWT_FAULTS_H

#include "fuzz.h"
#include "rjwt.h"

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

/* Take a plan from the input, of at most three failures; the clock stays what it was. */
void faults_arm(struct rest *plan);
/* How many calls failed. */
unsigned faults_disarm(void);
/* What the harness does in the middle of it, as the application that is asked. */
bool faults_pause(void);
void faults_resume(bool before);

/* For wraps elsewhere: whether this call is to fail, errno set. */
bool fault_due(enum fault_kind kind);

/* Whether something was written, by whatever name, since this was last asked. */
bool faults_wrote(void);

extern struct rjwt_time faults_clock;
extern const char *faults_machine;		       /* /etc/machine-id; NULL: there is none */
extern const char *faults_host;			       /* gethostname(2) */
void faults_now(void *context, struct rjwt_time *now); /* faults_clock, for rjwt_options.now */

#endif
