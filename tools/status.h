/* SPDX-License-Identifier: MIT */
/*
 * status.h - the parts of rjwt-keyd status: what is shown and found (keyd_status.c), and the keys in time
 * (status_line.c).
 */
#ifndef RJWT_STATUS_H
#define RJWT_STATUS_H

#include "rjwt.h"
#include "base/err.h"

/* A table on standard output, with a line of time for each key. */
void status_put_keys(const struct rjwt_status *status);

#endif
