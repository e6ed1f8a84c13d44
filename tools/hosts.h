/* SPDX-License-Identifier: MIT */
/* hosts.h - what rjwt-keyd fleet LOG and rjwt-keyd revoke --wait share. */
#ifndef RJWT_HOSTS_H
#define RJWT_HOSTS_H

#include "fleet_log.h"
#include "keyd.h"
#include "lines.h"

/* What is newest, as this host knows it. EXIT_REFUSED after a message. */
int hosts_newest(const struct keyd *keyd, struct rjwt_following *following);

/* Says that a log cannot be read; error: errno, 0: it is not a regular file. EXIT_REFUSED. */
int hosts_fail(const struct keyd *keyd, const char *path, int error);

/* Read as far as a log goes now. False: errno says why not. */
bool hosts_read(struct lines *lines, struct fleet_log *log);

/* Print hosts, a row each. */
struct hosts_table {
	const struct fleet_log *log;
	bool (*wanted)(const struct fleet_log *log, const struct fleet_host *host); /* NULL: all */
	int width, serial_width[RJWT_ISSUERS_MAX];				    /* keyd_hosts.c's own */
};
void hosts_put(struct hosts_table *table);

#endif
