/* SPDX-License-Identifier: MIT */
/*
 * pam_driver.h - an application that speaks PAM, without root: a directory of service files of its own, and a
 * person who answers from a script. What modules log is kept here, and does not reach the host's log.
 *
 * In a stack @rjwt@ is the path of pam_rjwt.so with conf=, @probe@ that of pam_probe.so, @conf@ the
 * configuration.
 */
#ifndef RJWT_TEST_PAM_DRIVER_H
#define RJWT_TEST_PAM_DRIVER_H

#include "fixture.h"

#include <security/pam_appl.h>

#define REPLIES 4

struct talk {
	const char *replies[REPLIES];		    /* NULL: the conversation fails */
	int failure;				    /* with this; 0: PAM_CONV_ERR */
	void (*meanwhile)(const struct talk *talk); /* while the first prompt waits; may be NULL */
	struct fixture *fixture;		    /* for meanwhile */
	pam_handle_t *pamh;			    /* too */
	const char *const
	    *environment;  /* NAME=value, which the application gives to modules; ends with NULL; may be NULL */
	const char *rhost; /* PAM_RHOST; NULL: none */
	char prompts[REPLIES][300];
	int styles[REPLIES];
	int asked;
};

#define NO_REPLY ((const char *)NULL)
extern const char talk_null[]; /* a reply that is a NULL pointer, with PAM_SUCCESS */

extern struct buf driver_log; /* lines of pam_syslog(), "priority text\n" */

/*
 * Does a line tell what no log may: a control character, a reply to a hidden prompt since driver_start(), or what
 * its stack put in PAM_AUTHTOK; a token not even in part. Such a line fails the test in which it is logged.
 */
bool driver_log_tells(const char *line);

pam_handle_t *
driver_start(struct fixture *f, const char *stack, const char *service, const char *user, struct talk *talk);

/* Start, authenticate, end; what authenticate said, and PROBE_AUTHTOK to authtok (may be NULL). */
int driver_login(struct fixture *f, const char *stack, const char *service, const char *user, struct talk *talk,
    char authtok[static 4096]);

#define TEN "aaaaaaaaaa"
#define SHAPED "eyJ." TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN ".b" /* like a token, and none */
#define RJWT_ALONE "auth required @rjwt@\nauth required @probe@\n"

/* PAM_IGNORE of a stack's only module comes out of libpam as PAM_PERM_DENIED. */
#define IGNORED PAM_PERM_DENIED

#endif
