/* SPDX-License-Identifier: MIT */
/*
 * What an authenticate must not leave in the handle when a call of it fails: a token in PAM_AUTHTOK, for the modules
 * below, and the mark of a login that was refused. The calls that fail are those of the module, for this program's
 * functions stand before libc's and libpam's.
 */
#include "pam_driver.h"

#include <dlfcn.h>
#include <stdio.h>

#define EXPORT __attribute__((visibility("default")))

static int duplicates, settings; /* the call of this number fails, 1 being the next; 0: none */

static bool
due(int *countdown)
{
	return *countdown > 0 && --*countdown == 0;
}

/* From 1.7 on libpam calls it as well. */
static bool
by_libpam(const void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) != 0 && strstr(info.dli_fname, "/libpam.so") != NULL;
}

EXPORT char *
strdup(const char *text)
{
	size_t n = strlen(text) + 1;
	char *copy = !by_libpam(__builtin_return_address(0)) && due(&duplicates) ? NULL : malloc(n);

	return copy == NULL ? NULL : memcpy(copy, text, n);
}

EXPORT int
pam_putenv(pam_handle_t *pamh, const char *text)
{
	int (*next)(pam_handle_t *, const char *);
	void *symbol = dlsym(RTLD_NEXT, "pam_putenv");

	memcpy(&next, &symbol, sizeof(next));
	if (strncmp(text, "RJWT_", 5) == 0 && due(&settings))
		return PAM_BUF_ERR;
	return next(pamh, text);
}

static int
start(void **state)
{
	duplicates = settings = 0;
	return fixture_setup(state);
}

#define STACKED "auth optional @probe@ set=%s\nauth required @rjwt@ try_first_pass\nauth required @probe@\n"

/* A login with the token in PAM_AUTHTOK, and what the next module finds there. */
static void
login_stacked(struct fixture *f, const char *before, char authtok[static 4096])
{
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	RJWT_CLEAN(buf_clear) struct buf stack = { 0 };
	struct talk talk = { .replies = { NO_REPLY } };
	pam_handle_t *pamh;
	const char *seen;

	buf_addf(&stack, STACKED, token);
	pamh = driver_start(f, stack.p, "sshd", "alice", &talk);
	if (before != NULL)
		assert_int_equal(pam_putenv(pamh, before), PAM_SUCCESS);
	duplicates = before == NULL ? 1 : 0;
	settings = before == NULL ? 0 : 1;
	assert_int_not_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	seen = pam_getenv(pamh, "PROBE_AUTHTOK");
	snprintf(authtok, 4096, "%s", seen == NULL ? "(not reached)" : seen);
	pam_end(pamh, PAM_SUCCESS);
	assert_non_null(strstr(driver_log.p, "rejected reason=memory user=alice"));
}

static void
test_token_goes(void **state)
{
	static char authtok[4096];

	login_stacked(*state, NULL, authtok);
	assert_int_equal(duplicates, 0);
	assert_string_equal(authtok, "-");
	/* What an earlier login left could not be taken away: that is no reason to leave the token. */
	login_stacked(*state, "RJWT_JTI=x", authtok);
	assert_int_equal(settings, 0);
	assert_string_equal(authtok, "-");
}

/* Refused because it cannot be remembered: then nothing of it is. */
static void
test_refused_is_forgotten(void **state)
{
	for (int n = 1; n <= 3; n++) {
		struct fixture *f = *state;
		RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
		struct talk talk = { .replies = { token } };
		pam_handle_t *pamh =
		    driver_start(f, "auth required @probe@ now=1800000000 conf=@conf@\n", "sshd", "alice", &talk);

		settings = n;
		assert_int_equal(pam_authenticate(pamh, 0), PAM_BUF_ERR);
		assert_int_equal(settings, 0);
		assert_non_null(strstr(driver_log.p, "cannot store the login in the PAM handle"));
		assert_null(pam_getenv(pamh, "RJWT_JTI"));
		assert_null(pam_getenv(pamh, "RJWT_SUB"));
		assert_null(pam_getenv(pamh, "RJWT_EXP"));
		/* PAM_IGNORE of a stack's only module comes out of libpam as this. */
		assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_PERM_DENIED);
		pam_end(pamh, PAM_SUCCESS);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_token_goes, start, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_refused_is_forgotten, start, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
