/* SPDX-License-Identifier: MIT */
/*
 * failing.h - the k-th call of ours to libc, OpenSSL, json-c or libyaml fails, as it may fail in a host that is short of
 * memory. A plan for tests/fault/wrapped.h.
 *
 *	for (unsigned k = 1; failing_begin(k), err = work(), failing_end(); k++)
 *		CHECK(failing_name, err != RJWT_OK);
 *	CHECK("nothing fails", err == RJWT_OK);
 */
#ifndef RJWT_FAILING_H
#define RJWT_FAILING_H

#include <stdbool.h>

#include "base/err.h"

/* From now on the k-th call fails; 0: none does. */
void failing_begin(unsigned k);
/* No call fails any more. Whether one did. */
bool failing_end(void);
/* A call more, of a test's own making: whether it is the one that fails. */
bool failing_here(const char *name);
/* The one that failed last, and the calls that were made since failing_begin(). */
extern const char *failing_name;
extern unsigned failing_calls;

/*
 * work with each call failing, one after the other, and at last with none, when it must be RJWT_OK. excused is asked of each that
 * failed, and may fail the test: whether this failure may do no harm. NULL: none may.
 */
void failing_every(const char *name, enum rjwt_err (*work)(void), bool (*excused)(unsigned k, enum rjwt_err err));

#endif
