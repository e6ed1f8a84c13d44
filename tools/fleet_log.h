/* SPDX-License-Identifier: MIT */
/*
 * fleet_log.h - what hosts say of themselves in the access log of a web server that serves a fleet.jws (combined format).
 *
 * curl calls itself "rjwt/1 HOST n=ROSTER ISSUER=SERIAL..." there (rjwt-keyd mirrors --agent). Anybody can send that, so it
 * proves nothing; whatever is in the log, memory is bounded, and a name is made of [A-Za-z0-9._@-] alone.
 */
#ifndef RJWT_FLEET_LOG_H
#define RJWT_FLEET_LOG_H

#include "base/err.h"

#define FLEET_LOG_LINE_MAX 8192
#define FLEET_LOG_HOSTS_MAX 65536 /* about 20 MB */
#define FLEET_LATE_S 75		  /* a host that polls every minute has heard by then */
#define FLEET_SILENT_S 3600

/* Where the nginx of our example writes it. */
#define FLEET_LOG_FILE "/var/log/nginx/rjwt.log"

/* Coming: it has not asked since the newest was published, or not long after. */
enum host_state { HOST_GOOD, HOST_COMING, HOST_BEHIND, HOST_SILENT };
#define HOST_STATES 4

struct fleet_host {
	char *name;
	int64_t polled_s;		  /* when it asked last */
	int64_t roster;			  /* what it had then, as it said; 0: nothing */
	int64_t serial[RJWT_ISSUERS_MAX]; /* of each issuer of the roster here; -1: it did not say */
	int64_t old_s[RJWT_ISSUERS_MAX];  /* when it asked last without the newest; 0: never */
	int64_t new_s[RJWT_ISSUERS_MAX];  /* when it first asked with it; 0: never */
};

struct fleet_log {
	const struct rjwt_following *fleet; /* borrows: what is newest */
	int64_t now_s;
	void *hosts; /* of tsearch(3): no choice of names makes it slow */
	size_t nhosts;
	uint64_t skipped;  /* polls that are malformed */
	uint64_t left_out; /* polls of more hosts than FLEET_LOG_HOSTS_MAX */
	uint64_t refused;  /* polls that the web server answered with an error: they do not count */
	bool failed;	   /* out of memory: something is missing */
};

/* A line of the log, without its end. */
void fleet_log_line(struct fleet_log *log, struct view line);

/* Each host, by name. */
void
fleet_log_each(const struct fleet_log *log, void (*each)(const struct fleet_host *host, void *context), void *context);

enum host_state fleet_host_state(const struct fleet_log *log, const struct fleet_host *host);

/* How long after its publication a host fetched the newest bundle of an issuer; -1: not known. */
int64_t fleet_host_delay(const struct fleet_log *log, const struct fleet_host *host, size_t issuer);

void fleet_log_clear(struct fleet_log *log);

#endif
