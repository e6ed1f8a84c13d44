/* SPDX-License-Identifier: MIT */
/*
 * host.h - what the host tells about itself: clocks, boot, machine, name.
 */
#ifndef RJWT_HOST_H
#define RJWT_HOST_H

#include "base/err.h"
#include "base/hash.h"
#include "rjwt.h"

/* Where a handle has its time from: a function that was given, or the system. */
struct clock {
	void (*read)(void *context, struct rjwt_time *now); /* NULL: the system's clocks */
	void *context;
	char boot_id[37]; /* read once: it cannot change while we run */
};

void clock_now(struct clock *clock, struct rjwt_time *now);

/* Hash of /etc/machine-id; "" when the machine has none. RJWT_IO: it has one that cannot be read. */
RJWT_MUST enum rjwt_err host_machine(char hex[static DIGEST_HEX], struct rjwt_diag *diag);

/* gethostname(2), lower-cased; no DNS. RJWT_AUDIENCE: it is empty or localhost. */
RJWT_MUST enum rjwt_err host_name(char name[static RJWT_NAME_MAX + 1], struct rjwt_diag *diag);

#endif
