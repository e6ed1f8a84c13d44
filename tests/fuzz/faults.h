/* SPDX-License-Identifier: MIT */
/*
 * faults.h - a plan for ../fault/wrapped.h that the input gives.
 *
 * Until faults_arm(), and after faults_disarm(), calls do what they always do. In between the clocks are made up too, and
 * what is the host's own (boot id, machine id, /etc/rjwt, /var/lib/rjwt) is not seen.
 */
#ifndef RJWT_FAULTS_H
#define RJWT_FAULTS_H

#include "../fault/wrapped.h"
#include "fuzz.h"
#include "rjwt.h"

/* Take a plan from the input, of at most three failures; the clock stays what it was. */
void faults_arm(struct rest *plan);
/* How many calls failed. */
unsigned faults_disarm(void);
/* What the harness does in the middle of it, as the application that is asked. */
bool faults_pause(void);
void faults_resume(bool before);

/* Whether something was written, by whatever name, since this was last asked. */
bool faults_wrote(void);

extern struct rjwt_time faults_clock;
extern const char *faults_machine;		       /* /etc/machine-id; NULL: there is none */
extern const char *faults_host;			       /* gethostname(2) */
extern const char *faults_spool;		       /* a directory, in the place of RJWT_SPOOL_DIR; NULL: none */
void faults_now(void *context, struct rjwt_time *now); /* faults_clock, for rjwt_options.now */

#endif
