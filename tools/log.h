/* SPDX-License-Identifier: MIT */
/*
 * log.h - the one way in which a program sends a line to the log: to /dev/log, facility authpriv.
 *
 * syslog(3) does not say whether a daemon accepted a line, and waits forever for one that does not read.
 */
#ifndef RJWT_TOOL_LOG_H
#define RJWT_TOOL_LOG_H

#include "base/buf.h"
#include "base/err.h"

#define LOG_SOCKET "/dev/log"

/* The name that lines begin with; static. First thing, once. */
void log_begin(const char *program);

/* Would a line be accepted now? Sends nothing. RJWT_IO: no socket, nobody listens, or it stayed full for LOG_WAIT_S. */
#define LOG_WAIT_S 5
RJWT_MUST enum rjwt_err log_probe(struct rjwt_diag *diag);

/* Send a line that is escaped already. RJWT_IO as for log_probe(); RJWT_MEMORY: the line is not whole. */
RJWT_MUST enum rjwt_err log_send(int priority, const struct buf *line, struct rjwt_diag *diag);

#endif
