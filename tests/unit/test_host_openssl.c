/* SPDX-License-Identifier: MIT */
/*
 * The process that loads the module may have made of OpenSSL what it likes: a library context of its own, other providers,
 * properties that nothing has, or none at all any more. A token is judged rightly or rejected, nothing crashes, and what is
 * the host's stays. Each host is a process of its own, and each token that it could not use is accepted by the next.
 */
#include "pam_driver.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOT_A_CODE 100 /* what a host exits with when it is not as it was */
#define ALL_PHASES                                                             \
	RJWT_ALONE "account required @rjwt@\naccount required pam_permit.so\n" \
		   "session required @rjwt@\nsession required pam_permit.so\n"

static char *
once(struct fixture *f, const char *jti)
{
	const int64_t now_s = time(NULL);
	const struct edit edits[] = { edit_time('c', "iat", now_s - 1), edit_time('c', "exp", now_s + 3000),
		{ 'c', "jti", jti }, { 'c', "once", "true" }, { 0, NULL, NULL } };

	return token_with(f, edits);
}

/* --- hosts ------------------------------------------------------------------------------------ */

static OSSL_LIB_CTX *own;

static void
has_nothing_special(void)
{
}

static void
has_a_context(void)
{
	own = OSSL_LIB_CTX_new();
	(void)OSSL_LIB_CTX_set0_default(own);
}

static void
has_a_context_without_algorithms(void)
{
	has_a_context();
	(void)OSSL_PROVIDER_load(own, "null");
}

static void
has_legacy(void)
{
	(void)OSSL_PROVIDER_load(NULL, "legacy");
	(void)OSSL_PROVIDER_load(NULL, "default");
}

static void
wants_fips(void)
{
	(void)EVP_default_properties_enable_fips(NULL, 1);
}

static void
has_cleaned_up(void)
{
	OPENSSL_cleanup();
}

/* What a host gets, in a process of its own; a signal is no PAM code, either. */
static int
in_host(struct fixture *f, void (*becomes)(void), const char *token)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct talk talk = { .replies = { token } };
		char authtok[4096];
		int ret;

		becomes();
		ret = driver_login(f, RJWT_ALONE, "sshd", "alice", &talk, authtok);
		_exit(own != NULL && OSSL_LIB_CTX_set0_default(NULL) != own ? NOT_A_CODE : ret);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
}

static void
test_hosts(void **state)
{
	static const struct {
		const char *name, *jti;
		void (*becomes)(void);
		bool works;
	} rows[] = {
		{ "nothing special", "\"a\"", has_nothing_special, true },
		{ "a context of its own", "\"b\"", has_a_context, true },
		{ "legacy", "\"c\"", has_legacy, true },
		{ "a context without algorithms", "\"d\"", has_a_context_without_algorithms, false },
		{ "fips=yes", "\"f\"", wants_fips, false },
		{ "cleaned up", "\"g\"", has_cleaned_up, false },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(free_clean) char *token = once(f, rows[i].jti);
		int first = in_host(f, rows[i].becomes, token), again = in_host(f, has_nothing_special, token);

		print_message("# %s: %d, then %d\n", rows[i].name, first, again);
		if (first < 0 || first == NOT_A_CODE || (first == PAM_SUCCESS) != rows[i].works)
			fail_msg("%s: %d", rows[i].name, first);
		if (again != (rows[i].works ? PAM_AUTH_ERR : PAM_SUCCESS))
			fail_msg("%s: then, without it: %d", rows[i].name, again);
	}
}

/* All phases in a host that ends OpenSSL before one of them, the end of PAM, or never; 0, or how the first of them failed. */
static int
all_phases(struct fixture *f, const char *token, int before)
{
	struct talk talk = { .replies = { token } };
	pam_handle_t *pamh = driver_start(f, ALL_PHASES, "sshd", "alice", &talk);
	int failed = 0;

	for (int i = 0; i < 4; i++) {
		int code;

		if (i == before)
			OPENSSL_cleanup();
		code = i == 0	? pam_authenticate(pamh, 0)
		       : i == 1 ? pam_acct_mgmt(pamh, 0)
		       : i == 2 ? pam_open_session(pamh, 0)
				: pam_close_session(pamh, 0);
		if (code != PAM_SUCCESS && failed == 0)
			failed = 50 * i + code;
	}
	if (before == 4)
		OPENSSL_cleanup();
	return pam_end(pamh, PAM_SUCCESS) == PAM_SUCCESS ? failed : NOT_A_CODE;
}

/* The host ends OpenSSL between two phases: those that follow, and the end of PAM, need none of it. */
static void
test_cleaned_up_between(void **state)
{
	struct fixture *f = *state;

	for (int before = 1; before <= 5; before++) {
		char jti[8];
		RJWT_CLEAN(free_clean) char *token = NULL;
		int status;
		pid_t pid;

		snprintf(jti, sizeof(jti), "\"j%d\"", before);
		token = once(f, jti);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(all_phases(f, token, before));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

static int
setup(void **state)
{
	*state = fixture_new_real("");
	return 0;
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_hosts), T(test_cleaned_up_between) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
