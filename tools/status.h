/* SPDX-License-Identifier: MIT */
/*
 * status.h - the parts of rjwt-keyd status: what is shown and found (keyd_status.c), the keys in time
 * (status_line.c), and what is followed (status_fleet.c).
 */
#ifndef RJWT_STATUS_H
#define RJWT_STATUS_H

#include "rjwt.h"
#include "base/buf.h"
#include "base/err.h"

/* A table on standard output, with a line of time for each key. */
void status_put_keys(const struct rjwt_status *status);

/* What is followed: in the first line where all is well, as a table, and as a member of an object. */
void status_add_fleet(struct buf *line, const struct rjwt_status *status);
void status_put_fleet(const struct rjwt_status *status);
void status_json_fleet(struct buf *out, const struct rjwt_status *status);

#endif
