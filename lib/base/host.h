/* SPDX-License-Identifier: MIT */
/*
 * host.h - clocks, boot id, machine id and name of the host.
 */
#ifndef RJWT_HOST_H
#define RJWT_HOST_H

#include "base/err.h"
#include "base/hash.h"
#include "rjwt.h"

/* The time source of a handle: a function of the caller, or the system clocks. */
struct clock {
	void (*read)(void *context, struct rjwt_time *now); /* NULL: the system clocks */
	void *context;
	char boot_id[37]; /* read once: it cannot change in a running process */
};

void clock_now(struct clock *clock, struct rjwt_time *now);

/*
 * Hash of /etc/machine-id; "" if the machine has none, or "uninitialized", which an image contains before its first boot.
 * RJWT_IO: it has one that cannot be read.
 */
RJWT_MUST enum rjwt_err host_machine(char hex[static DIGEST_HEX], struct rjwt_diag *diag);

/* gethostname(2), lower-cased; no DNS. RJWT_AUDIENCE: it is empty or localhost. */
RJWT_MUST enum rjwt_err host_name(char name[static RJWT_NAME_MAX + 1], struct rjwt_diag *diag);

/* Whether a name in tokens may be shared by many hosts: "@web". A host has a name of its own besides. */
static inline bool
host_is_group(const char *name)
{
	return name[0] == '@';
}

#endif
