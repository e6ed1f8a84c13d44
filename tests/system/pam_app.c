/* SPDX-License-Identifier: MIT */
/*
 * pam_app [-a] [-f] [-m] [-s] [-w SECONDS] SERVICE USER - an application that does not stop at a refusal.
 *
 * Calls pam_authenticate, pam_acct_mgmt, pam_setcred, pam_open_session and pam_close_session, whatever they
 * say, and prints what they return: "0/0/0/0/0". Replies are lines of standard input; where there is none the
 * conversation fails. What was shown goes to standard error, "STYLE TEXT" in a line.
 *
 *	-a	without pam_authenticate, printed as "-": sshd with a public key, cron
 *	-f	each fsync(2) of pam_rjwt.so fails
 *	-m	each calloc(3) of pam_rjwt.so fails
 *	-s	stops when pam_authenticate refuses
 *	-w	so much later, by time(2), once pam_authenticate has returned
 *
 * It waits no failure's delay. Needs -rdynamic: it stands in the place of some functions of libc.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static bool no_sync, no_memory;
static time_t later_s;

void *__libc_calloc(size_t n, size_t size); /* dlsym(3) itself may need it */

static bool
is_module(const void *address)
{
	Dl_info info;

	return dladdr(address, &info) != 0 && strstr(info.dli_fname, "/pam_rjwt.so") != NULL;
}

void *
calloc(size_t n, size_t size)
{
	if (no_memory && is_module(__builtin_return_address(0)))
		return NULL;
	return __libc_calloc(n, size);
}

int
fsync(int fd)
{
	if (no_sync && is_module(__builtin_return_address(0))) {
		errno = EIO;
		return -1;
	}
	return REAL(fsync)(fd);
}

time_t
time(time_t *now)
{
	time_t at = REAL(time)(NULL) + later_s;

	if (now != NULL)
		*now = at;
	return at;
}

static char *
next_reply(void)
{
	char *line = NULL;
	size_t size = 0;

	if (getline(&line, &size, stdin) < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static int
converse(int n, const struct pam_message **messages, struct pam_response **responses, void *context)
{
	struct pam_response *made = calloc((size_t)n, sizeof(*made));

	(void)context;
	for (int i = 0; i < n; i++) {
		int style = messages[i]->msg_style;

		fprintf(stderr, "%d %s\n", style, messages[i]->msg);
		if (style != PAM_PROMPT_ECHO_OFF && style != PAM_PROMPT_ECHO_ON)
			continue;
		made[i].resp = next_reply();
		if (made[i].resp == NULL) {
			free(made);
			return PAM_CONV_ERR;
		}
	}
	*responses = made;
	return PAM_SUCCESS;
}

static void
no_delay(int ret, unsigned usec, void *context)
{
	(void)ret;
	(void)usec;
	(void)context;
}

static void
log_in(pam_handle_t *pamh, bool authenticate, bool stop, time_t wait_s)
{
	int ret = authenticate ? pam_authenticate(pamh, 0) : PAM_SUCCESS;

	if (authenticate)
		printf("%d", ret);
	else
		printf("-");
	if (stop && ret != PAM_SUCCESS) {
		printf("\n");
		return;
	}
	later_s = wait_s;
	printf("/%d", pam_acct_mgmt(pamh, 0));
	printf("/%d", pam_setcred(pamh, PAM_ESTABLISH_CRED));
	printf("/%d", pam_open_session(pamh, 0));
	printf("/%d\n", pam_close_session(pamh, 0));
}

int
main(int argc, char **argv)
{
	const struct pam_conv conv = { converse, NULL };
	union {
		void (*function)(int, unsigned, void *);
		const void *item;
	} delay = { no_delay };
	bool authenticate = true, stop = false;
	pam_handle_t *pamh;
	time_t wait_s = 0;
	int option;

	while ((option = getopt(argc, argv, "afmsw:")) != -1) {
		if (option == '?')
			return 2;
		authenticate = authenticate && option != 'a';
		no_sync = no_sync || option == 'f';
		no_memory = no_memory || option == 'm';
		stop = stop || option == 's';
		if (option == 'w')
			wait_s = strtol(optarg, NULL, 10);
	}
	if (argc - optind != 2 || pam_start(argv[optind], argv[optind + 1], &conv, &pamh) != PAM_SUCCESS ||
	    pam_set_item(pamh, PAM_FAIL_DELAY, delay.item) != PAM_SUCCESS)
		return 2;
	log_in(pamh, authenticate, stop, wait_s);
	return pam_end(pamh, PAM_SUCCESS);
}
