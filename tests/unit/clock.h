/* SPDX-License-Identifier: MIT */
/*
 * clock.h - a made-up clock: time stands still until a test moves it. Give clock_made_up to whatever takes
 * a function that reads the clocks.
 */
#ifndef RJWT_TEST_CLOCK_H
#define RJWT_TEST_CLOCK_H

#include "rjwt.h"

#define T0 INT64_C(1800000000) /* where the wall clock begins */

extern struct rjwt_time clock_time;

void clock_reset(void);
void clock_made_up(void *context, struct rjwt_time *now);
void clock_run(int64_t seconds);  /* time passes: both clocks run in step */
void clock_step(int64_t seconds); /* somebody sets the wall clock */
void clock_boot(int64_t seconds); /* the machine was off for so long, and boots */

#endif
