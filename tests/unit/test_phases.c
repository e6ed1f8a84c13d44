/* SPDX-License-Identifier: MIT */
/* What passes from authenticate to setcred, account and session, in one process and in sshd's two. */
#include "pam_driver.h"

#include <stdio.h>
#include <time.h>

#define STACK                       \
	"auth required @rjwt@\n"    \
	"account required @rjwt@\n" \
	"session required @rjwt@\nsession required @probe@\n"

static char authtok[4096];

static int
setup(void **state)
{
	*state = fixture_new_real("");
	return 0;
}

/* With this actor; NULL: none. */
static char *
token_of(struct fixture *f, const char *actor)
{
	int64_t now_s = time(NULL);
	const struct edit edits[] = { edit_time('c', "iat", now_s), edit_time('c', "exp", now_s + 300),
		{ actor == NULL ? 0 : 'c', "act", actor }, { 0, NULL, NULL } };

	return token_with(f, edits);
}

static char *
good_token(struct fixture *f)
{
	return token_of(f, NULL);
}

static void
want_env(pam_handle_t *pamh, const char *name, const char *value)
{
	const char *found = pam_getenv(pamh, name);

	if ((found == NULL) != (value == NULL) || (value != NULL && strcmp(found, value) != 0))
		fail_msg("%s is %s, not %s", name, found == NULL ? "unset" : found, value == NULL ? "unset" : value);
}

static void
test_one_process(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = good_token(f);
	struct talk talk = { .replies = { token } };
	pam_handle_t *pamh = driver_start(f, STACK, "sshd", "alice", &talk);
	char exp[32];

	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	want_env(pamh, "RJWT_JTI", "a1");
	want_env(pamh, "RJWT_SUB", "alice");
	snprintf(exp, sizeof(exp), "%s", pam_getenv(pamh, "RJWT_EXP"));
	assert_true(strtoll(exp, NULL, 10) - time(NULL) > 200);
	/* account never says PAM_SUCCESS: account sufficient would hide the checks below it. */
	assert_int_equal(pam_acct_mgmt(pamh, 0), IGNORED);
	assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
	/* Somebody's ~/.pam_environment. */
	assert_int_equal(pam_putenv(pamh, "RJWT_SUB=root"), PAM_SUCCESS);
	assert_int_equal(pam_putenv(pamh, "RJWT_EXP=9999999999"), PAM_SUCCESS);
	assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	want_env(pamh, "RJWT_JTI", "a1");
	want_env(pamh, "RJWT_SUB", "alice");
	want_env(pamh, "RJWT_EXP", exp);
	want_env(pamh, "RJWT_CAP", NULL);
	want_env(pamh, "PROBE_CAP", "-");
	assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_setcred(pamh, PAM_DELETE_CRED), PAM_SUCCESS);
	pam_end(pamh, PAM_SUCCESS);
}

/* sshd by public key, cron: no authenticate. Nothing of ours is believed, or left. */
static void
test_without_authenticate(void **state)
{
	struct fixture *f = *state;
	struct talk talk = { .asked = 0 };
	pam_handle_t *pamh = driver_start(f, STACK, "sshd", "alice", &talk);

	assert_int_equal(pam_acct_mgmt(pamh, 0), IGNORED);
	assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), IGNORED);
	assert_int_equal(pam_putenv(pamh, "RJWT_JTI=x"), PAM_SUCCESS);
	assert_int_equal(pam_putenv(pamh, "RJWT_SUB=root"), PAM_SUCCESS);
	assert_int_equal(pam_putenv(pamh, "RJWT_EXP=1"), PAM_SUCCESS);
	assert_int_equal(pam_putenv(pamh, "RJWT_CAP=1"), PAM_SUCCESS);
	assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	want_env(pamh, "RJWT_JTI", NULL);
	want_env(pamh, "RJWT_SUB", NULL);
	want_env(pamh, "RJWT_EXP", NULL);
	want_env(pamh, "RJWT_CAP", NULL);
	want_env(pamh, "PROBE_CAP", "-");
	pam_end(pamh, PAM_SUCCESS);
}

static void
test_after_a_failure(void **state)
{
	struct fixture *f = *state;
	struct talk talk = { .replies = { SHAPED } };
	pam_handle_t *pamh = driver_start(f, STACK, "sshd", "alice", &talk);

	assert_int_equal(pam_authenticate(pamh, 0), PAM_AUTH_ERR);
	want_env(pamh, "RJWT_JTI", NULL);
	assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), IGNORED);
	assert_int_equal(pam_acct_mgmt(pamh, 0), IGNORED);
	pam_end(pamh, PAM_SUCCESS);
}

/*
 * The stack refuses a login that we accepted, and the application tries again with another user: login does.
 * Nothing of the first is the second's.
 */
static void
test_another_user_after(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = good_token(f);
	struct talk talk = { .replies = { token, "secret" } };
	pam_handle_t *pamh;

	fixture_config(f, "cap_session: true\n");
	pamh = driver_start(f,
	    "auth required @probe@ only=bob\nauth sufficient @rjwt@\nauth required @probe@\n"
	    "account required @rjwt@\nsession required @rjwt@\nsession required @probe@\n",
	    "login", "alice", &talk);
	fixture_config(f, "cap_session: true\nservices: {login: ssh}\n");
	assert_int_equal(pam_authenticate(pamh, 0), PAM_PERM_DENIED);
	assert_non_null(strstr(driver_log.p, "accepted user=alice"));
	want_env(pamh, "RJWT_SUB", "alice");
	assert_int_equal(pam_set_item(pamh, PAM_USER, "bob"), PAM_SUCCESS);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	want_env(pamh, "RJWT_JTI", NULL);
	want_env(pamh, "RJWT_SUB", NULL);
	want_env(pamh, "RJWT_EXP", NULL);
	want_env(pamh, "RJWT_CAP", NULL);
	assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
	assert_int_equal(pam_acct_mgmt(pamh, 0), IGNORED);
	assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	want_env(pamh, "RJWT_SUB", NULL);
	want_env(pamh, "PROBE_CAP", "-");
	pam_end(pamh, PAM_SUCCESS);
}

/* In sshd setcred and session run in another process: the environment comes along, the data does not. */
static pam_handle_t *
other_process(struct fixture *f, pam_handle_t *first, struct talk *talk)
{
	char **all = pam_getenvlist(first);
	pam_handle_t *second = driver_start(f, STACK, "sshd", "alice", talk);

	assert_non_null(all);
	for (char **p = all; *p != NULL; p++) {
		assert_int_equal(pam_putenv(second, *p), PAM_SUCCESS);
		free(*p);
	}
	free(all);
	pam_end(first, PAM_SUCCESS);
	return second;
}

static pam_handle_t *
authenticated(struct fixture *f, struct talk *talk)
{
	RJWT_CLEAN(free_clean) char *token = good_token(f);
	pam_handle_t *pamh = driver_start(f, STACK, "sshd", "alice", talk);

	talk->replies[0] = token;
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	return pamh;
}

/* The actor is on the line of the log, and in the session what the token said, whatever the user's own files say. */
static void
test_actor(void **state)
{
	static const struct {
		const char *claim, *line, *env;
	} rows[] = { { "{\"sub\":\"carol\"}", " sub=alice act=carol exp=", "carol" },
		{ "{\"sub\":\"car ol=\\\"\"}", " sub=alice act=\"car ol=\\x22\" exp=", "car ol=\"" },
		{ NULL, " sub=alice exp=", NULL } };
	struct fixture *f = *state;

	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(free_clean) char *token = token_of(f, rows[i / 2].claim);
		struct talk talk = { .replies = { token } };
		pam_handle_t *pamh = driver_start(f, STACK, "sshd", "alice", &talk);

		assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
		if (strstr(driver_log.p, rows[i / 2].line) == NULL)
			fail_msg("no%s in %s", rows[i / 2].line, driver_log.p);
		if (i % 2 == 1)
			pamh = other_process(f, pamh, &talk);
		assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
		assert_int_equal(pam_putenv(pamh, "RJWT_ACTOR=root"), PAM_SUCCESS);
		assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
		want_env(pamh, "RJWT_ACTOR", rows[i / 2].env);
		pam_end(pamh, PAM_SUCCESS);
	}
}

static void
test_two_processes(void **state)
{
	struct fixture *f = *state;
	struct talk talk = { .asked = 0 };
	pam_handle_t *pamh;

	fixture_config(f, "cap_session: true\n");
	pamh = authenticated(f, &talk);
	want_env(pamh, "RJWT_CAP", "1");
	pamh = other_process(f, pamh, &talk);
	assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
	/* Its way ends here: a stack without a session line of ours leaves nothing to the user. */
	want_env(pamh, "RJWT_CAP", NULL);
	assert_int_equal(pam_putenv(pamh, "RJWT_JTI=x"), PAM_SUCCESS);
	assert_int_equal(pam_putenv(pamh, "RJWT_EXP=1"), PAM_SUCCESS);
	assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	want_env(pamh, "RJWT_JTI", "a1");
	want_env(pamh, "RJWT_SUB", "alice");
	want_env(pamh, "RJWT_CAP", NULL);
	assert_true(strtol(pam_getenv(pamh, "PROBE_CAP"), NULL, 10) > 200);
	pam_end(pamh, PAM_SUCCESS);
}

/* Only PAM_ESTABLISH_CRED (for libpam also 0) believes the environment, and only all of it. */
static void
test_environment_alone(void **state)
{
	static const struct {
		int flags;
		const char *env;
		int ret;
	} rows[] = { { PAM_ESTABLISH_CRED, NULL, PAM_SUCCESS }, { PAM_DELETE_CRED, NULL, IGNORED },
		{ PAM_REINITIALIZE_CRED, NULL, IGNORED }, { PAM_REFRESH_CRED, NULL, IGNORED }, { 0, NULL, PAM_SUCCESS },
		{ PAM_ESTABLISH_CRED | PAM_SILENT, NULL, PAM_SUCCESS }, { PAM_ESTABLISH_CRED, "RJWT_EXP", IGNORED },
		{ PAM_ESTABLISH_CRED, "RJWT_SUB", IGNORED }, { PAM_ESTABLISH_CRED, "RJWT_JTI", IGNORED },
		{ PAM_ESTABLISH_CRED, "RJWT_EXP=", IGNORED }, { PAM_ESTABLISH_CRED, "RJWT_EXP=-1", IGNORED },
		{ PAM_ESTABLISH_CRED, "RJWT_EXP=1x", IGNORED },
		{ PAM_ESTABLISH_CRED, "RJWT_EXP=99999999999999999999", IGNORED } };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct talk talk = { .asked = 0 };
		pam_handle_t *pamh = other_process(f, authenticated(f, &talk), &talk);
		int ret;

		if (rows[i].env != NULL)
			assert_int_equal(pam_putenv(pamh, rows[i].env), PAM_SUCCESS);
		ret = pam_setcred(pamh, rows[i].flags);
		if (ret != rows[i].ret)
			fail_msg("row %zu: %d", i, ret);
		pam_end(pamh, PAM_SUCCESS);
	}
}

static bool no_memory; /* for the next calloc(3) of ours: the probe finds rjwt_open() here */

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *
__wrap_calloc(size_t n, size_t size)
{
	bool fails = no_memory;

	no_memory = false;
	return fails ? NULL : __real_calloc(n, size);
}

/* Without memory nobody is judged, and nobody is asked in vain. */
static void
test_no_memory(void **state)
{
	static const struct {
		bool no_memory;
		int ret;
	} rows[] = { { true, PAM_BUF_ERR }, { false, PAM_SUCCESS } };
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct talk talk = { .replies = { token } };
		pam_handle_t *pamh =
		    driver_start(f, "auth required @probe@ now=1800000010 conf=@conf@\n", "sshd", "alice", &talk);

		no_memory = rows[i].no_memory;
		assert_int_equal(pam_authenticate(pamh, 0), rows[i].ret);
		assert_false(no_memory);
		assert_int_equal(talk.asked, rows[i].ret == PAM_SUCCESS);
		assert_true((strstr(driver_log.p, "rejected reason=memory user=alice") != NULL) == rows[i].no_memory);
		pam_end(pamh, PAM_SUCCESS);
	}
}

/* pam_systemd ends the session when the token expires; a second is left at least. */
static void
test_cap_session(void **state)
{
	static const struct {
		const char *yaml;
		int64_t at_s;
		const char *cap;
	} rows[] = { { "cap_session: true\n", T0 + 100, "200" }, { "cap_session: true\n", T0 + 299, "1" },
		{ "cap_session: true\n", T0 + 320, "1" }, { "cap_session: false\n", T0 + 100, "-" }, { "", T0, "-" } };
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct talk talk = { .replies = { token } };
		char stack[256];
		pam_handle_t *pamh;

		fixture_config(f, rows[i].yaml);
		snprintf(stack, sizeof(stack),
		    "auth required @probe@ now=1800000010 conf=@conf@\n"
		    "session required @probe@ now=%lld\nsession required @probe@\n",
		    (long long)rows[i].at_s);
		pamh = driver_start(f, stack, "sshd", "alice", &talk);
		assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
		assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
		want_env(pamh, "PROBE_CAP", rows[i].cap);
		want_env(pamh, "RJWT_EXP", "1800000300");
		pam_end(pamh, PAM_SUCCESS);
	}
}

/* An overdue rotation and a clock that was set each give a further line. */
static void
test_warnings(void **state)
{
	struct fixture *f = *state;
	const struct edit late[] = { { 'c', "iat", "1800200000" }, { 'c', "exp", "1800200300" }, { 0, NULL, NULL } };
	RJWT_CLEAN(free_clean) char *token = token_with(f, late);
	struct talk talk = { .replies = { token } };

	assert_int_equal(driver_login(f, "auth required @probe@ now=1800200010 conf=@conf@\n", "sshd", "alice", &talk,
			     authtok),
	    PAM_SUCCESS);
	assert_non_null(strstr(driver_log.p, "accepted user=alice"));
	assert_non_null(strstr(driver_log.p, "overdue since=20"));
	assert_non_null(strstr(driver_log.p, "clock suspect=forward by="));
}

static void
test_unknown_argument(void **state)
{
	struct fixture *f = *state;
	struct talk talk = { .asked = 0 };
	pam_handle_t *pamh = driver_start(f,
	    "auth required @rjwt@ x\naccount required @rjwt@ x\nsession required @rjwt@ x\n", "sshd", "alice", &talk);

	assert_int_equal(pam_authenticate(pamh, 0), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_CRED_ERR);
	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SERVICE_ERR);
	assert_int_equal(pam_open_session(pamh, 0), PAM_SESSION_ERR);
	assert_int_equal(pam_close_session(pamh, 0), PAM_SESSION_ERR);
	assert_int_equal(talk.asked, 0);
	pam_end(pamh, PAM_SUCCESS);
}

/* The name that was verified is the one that logs in: PAM_USER is compared, never set. */
static void
test_user_stays(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = good_token(f);
	struct talk talk = { .replies = { token } };
	const void *user = NULL;
	pam_handle_t *pamh = driver_start(f, STACK, "sshd", "alice", &talk);

	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_get_item(pamh, PAM_USER, &user), PAM_SUCCESS);
	assert_string_equal(user, "alice");
	pam_end(pamh, PAM_SUCCESS);
	assert_int_equal(driver_login(f, "auth required @probe@ name=alice\nauth required @rjwt@\n", "sshd", "bob",
			     &talk, authtok),
	    PAM_SUCCESS);
	assert_int_equal(driver_login(f, "auth required @probe@ name=bob\nauth required @rjwt@\n", "sshd", "alice",
			     &talk, authtok),
	    PAM_AUTH_ERR);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
#define M(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_one_process), T(test_without_authenticate), T(test_after_a_failure),
		T(test_another_user_after), T(test_actor), T(test_two_processes), T(test_environment_alone),
		M(test_no_memory), M(test_cap_session), M(test_warnings), T(test_unknown_argument),
		T(test_user_stays) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
