/* SPDX-License-Identifier: MIT */
/*
 * keyd.h - rjwt-keyd: the keyset's keeper. Each command is a function in a table; those that are more
 * than a call of the library have a file of their own.
 */
#ifndef RJWT_KEYD_H
#define RJWT_KEYD_H

#include "tool.h"
#include "base/string_list.h"

/* The id of an option is a bit, and the set of options that a command takes is a sum of bits. */
enum {
	DRY_RUN = 1 << 8, /* above OPTION_LETTERS */
	IF_MISSING = 1 << 9,
	JSON = 1 << 10,
	ADOPT = 1 << 11,
	COMPROMISED = 1 << 12,
	JTI = 1 << 13,
	SUB = 1 << 14,
	KID = 1 << 15,
	ALL = 1 << 16,
	QUIET = 1 << 17,
	KEY_FILE = 1 << 18,
	CHECK = 1 << 19,
	AGENT = 1 << 20,
	LIFETIME = 1 << 21,
	SCOPE = 1 << 22,
	WAIT = 1 << 23,
	LOG_FILE = 1 << 24,
	MINTED_BY = 1 << 25
};

/* Where the fleet keys lie until they are moved off the host. */
#define FLEET_KEY_FILE "/root/rjwt-fleet.key"

struct keyd {
	struct tool tool;
	int given; /* the options on the command line, a sum of bits */
	bool dry_run, if_missing, json, quiet;
	const char *jti, *kid, *key_file, *lifetime, *scope, *wait, *log_file, *by;
	char whole_jti[RJWT_ID_SIZE]; /* of a token whose beginning was typed */
	struct string_list users;     /* of --sub; of try, codes, fleet, join and follow their arguments */
};

/* Rotate on a timer until SIGTERM or SIGINT. */
int keyd_run(struct keyd *keyd);

/* Report a change and its warnings on stderr. */
void keyd_tell(const struct keyd *keyd, const struct rjwt_change *change);

/* Report a failure on stderr and in the log. The exit status, as tool_fail(). */
int keyd_fail(const struct keyd *keyd, enum rjwt_err err, const struct rjwt_diag *diag);

/* A call that changes the keyset of an open handle; keyd_change() opens, changes and reports. */
typedef enum rjwt_err
keyd_changer(const struct keyd *keyd, struct rjwt *handle, int flags, struct rjwt_change *done, struct rjwt_diag *diag);
int keyd_change(struct keyd *keyd, keyd_changer *how, struct rjwt_change *done);

/*
 * After a new base: if this host issues in a fleet, print its new entry for the roster. EXIT_REFUSED: hosts still believe
 * the old one.
 */
int keyd_tell_entry(struct keyd *keyd);

/*
 * Before it publishes anything, a daemon looks at what has come: another host may have published in its name. What is wrong
 * is reported, and stops nothing.
 */
void keyd_follow_first(struct keyd *keyd);

int keyd_codes(struct keyd *keyd);

/*
 * revoke --wait. First, before anything is revoked, which may refuse: what was published, and the time of the option. Then
 * wait until hosts say that they have what was published since. EXIT_REFUSED: some do not, or nothing was published.
 */
int keyd_wait_begin(struct keyd *keyd, int64_t *serial, int64_t *wait_s);
int keyd_wait(struct keyd *keyd, int64_t serial, int64_t wait_s);

int keyd_list(struct keyd *keyd);
int keyd_revoke(struct keyd *keyd);
int keyd_status(struct keyd *keyd);
int keyd_check(struct keyd *keyd);
int keyd_try(struct keyd *keyd);
int keyd_fleet(struct keyd *keyd);
/* What hosts say of themselves in these logs of a web server; none: in that of our example. */
int keyd_hosts(struct keyd *keyd, const char *const *logs, size_t n);
int keyd_join(struct keyd *keyd);
int keyd_publish(struct keyd *keyd);
int keyd_follow(struct keyd *keyd);
int keyd_mirrors(struct keyd *keyd);

#endif
