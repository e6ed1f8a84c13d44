/* SPDX-License-Identifier: MIT */
/*
 * login_world.h - pam_rjwt.so in stacks, by the real clock: tokens of now, and what the log has.
 */
#ifndef RJWT_TEST_LOGIN_WORLD_H
#define RJWT_TEST_LOGIN_WORLD_H

#include "pam_driver.h"
#include <string.h>
#include <time.h>

static char authtok[4096];

static inline int
setup(void **state)
{
	*state = fixture_new_real("");
	return 0;
}

/* A token issued issued_s ago that expires in left_s. */
static inline char *
token_at(struct fixture *f, int64_t issued_s, int64_t left_s, struct edit more)
{
	int64_t now_s = time(NULL);
	const struct edit edits[] = { edit_time('c', "iat", now_s - issued_s), edit_time('c', "exp", now_s + left_s),
		more, { 0, NULL, NULL } };

	return token_with(f, edits);
}

#define PLAIN ((struct edit){ 0, NULL, NULL })

static inline int
login(struct fixture *f, const char *stack, struct talk *talk)
{
	return driver_login(f, stack, "sshd", "alice", talk, authtok);
}

static inline int
lines(const char *word)
{
	int n = 0;

	for (const char *p = driver_log.p; (p = strstr(p, word)) != NULL; p++)
		n++;
	return n;
}

#endif
