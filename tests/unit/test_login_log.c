/* SPDX-License-Identifier: MIT */
/* pam_rjwt.so in stacks, loaded by libpam: which user logs in, and what the log says of it. */
#include "login_world.h"

#include <stdio.h>

/* PAM_USER_UNKNOWN for an empty name alone: NSS is never asked. */
static void
test_users(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean)
	char *token = token_at(f, 1, 299, (struct edit){ 'c', "sub", "\"no-such-user-anywhere\"" });
	struct talk talk = { .replies = { token } };

	assert_int_equal(driver_login(f, RJWT_ALONE, "sshd", "no-such-user-anywhere", &talk, authtok), PAM_SUCCESS);
	assert_int_equal(driver_login(f, RJWT_ALONE, "sshd", "no-such-user-anywhere2", &talk, authtok), PAM_AUTH_ERR);
	assert_int_equal(driver_login(f, RJWT_ALONE, "sshd", "", &talk, authtok), PAM_USER_UNKNOWN);
	assert_int_equal(talk.asked, 0);
	assert_string_equal(driver_log.p,
	    "3 rejected reason=user user=\"\" service=sshd error=\"the login name is empty\"\n");
}

/*
 * A name that is typed at a prompt may be a password, or a token: it is logged when a genuine token names it. A name
 * that the program had is logged, unless it looks like a token. Neither shows whether there is such a user.
 */
static void
test_asked_for_user(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_at(f, 1, 299, PLAIN);
	RJWT_CLEAN(free_clean) char *expired = token_at(f, 400, -100, PLAIN);
	struct talk talk = { .replies = { "alice", token } }, gone = { .replies = { NO_REPLY } },
		    wrong = { .replies = { "tweedledum", "" } }, other = { .replies = { "tweedledum", token } },
		    late = { .replies = { "alice", expired, "x" } }, swapped = { .replies = { token, "alice" } };

	assert_int_equal(driver_login(f, RJWT_ALONE, "sshd", NULL, &talk, authtok), PAM_SUCCESS);
	assert_int_equal(lines("accepted user=alice service=sshd"), 1);
	assert_int_equal(driver_login(f, RJWT_ALONE, "sshd", NULL, &late, authtok), PAM_AUTH_ERR);
	assert_int_equal(lines("rejected reason=expired user=alice service=sshd"), 1);
	assert_int_equal(driver_login(f, RJWT_ALONE, "login", NULL, &wrong, authtok), PAM_AUTH_ERR);
	assert_string_equal(driver_log.p, "5 rejected reason=empty user=(hidden) service=login\n");
	assert_int_equal(driver_login(f, RJWT_ALONE, "sshd", NULL, &other, authtok), PAM_AUTH_ERR);
	assert_int_equal(lines("rejected reason=user user=(hidden) service=sshd kid=B.1 jti="), 1);
	assert_int_equal(lines(" sub=alice"), 1);
	assert_int_equal(driver_login(f, RJWT_ALONE, "login", NULL, &swapped, authtok), PAM_AUTH_ERR);
	assert_null(strstr(driver_log.p, "eyJ"));
	assert_int_equal(driver_login(f, RJWT_ALONE, "sshd", NULL, &gone, authtok), PAM_CONV_ERR);
	assert_int_equal(lines("rejected "), 1);
	assert_int_equal(lines("rejected reason=io service=sshd error=\"the conversation failed\"\n"), 1);
}

/* As login does: an earlier module had the name asked for, and PAM_USER is there before us. */
static void
test_name_before_us(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_at(f, 1, 299, PLAIN);
	struct talk talk = { .replies = { "" } }, good = { .replies = { token } };
	pam_handle_t *pamh = driver_start(f, RJWT_ALONE, "login", "tweedledum", &talk);

	assert_int_equal(pam_set_item(pamh, PAM_USER_PROMPT, "login: "), PAM_SUCCESS);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_AUTH_ERR);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
	assert_string_equal(driver_log.p, "5 rejected reason=empty user=(hidden) service=login\n");
	pamh = driver_start(f, RJWT_ALONE, "sshd", "alice", &good);
	assert_int_equal(pam_set_item(pamh, PAM_USER_PROMPT, "login: "), PAM_SUCCESS);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
	assert_int_equal(lines("accepted user=alice service=sshd"), 1);
	assert_int_equal(driver_login(f, RJWT_ALONE, "sshd", token, &talk, authtok), PAM_AUTH_ERR);
	assert_string_equal(driver_log.p, "5 rejected reason=empty user=(hidden) service=sshd\n");
	assert_int_equal(driver_login(f, RJWT_ALONE, "sshd", "eyJames", &talk, authtok), PAM_AUTH_ERR);
	assert_string_equal(driver_log.p, "5 rejected reason=empty user=eyJames service=sshd\n");
}

/* ssh -l with thousands of letters: a line has its end. */
static void
test_log_has_an_end(void **state)
{
	struct fixture *f = *state;
	static char name[8001];
	struct talk talk = { .replies = { "" } };
	pam_handle_t *pamh;

	memset(name, '\1', sizeof(name) - 1);
	pamh = driver_start(f, RJWT_ALONE, "sshd", name, &talk);
	assert_int_equal(pam_set_item(pamh, PAM_RHOST, name), PAM_SUCCESS);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_AUTH_ERR);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
	assert_true(driver_log.n < 700);
	assert_int_equal(lines("..."), 2);
}

/* debug: one line more, of the host alone, whatever was typed and however often. */
static void
test_debug(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_at(f, 1, 299, PLAIN);
	RJWT_CLEAN(free_clean) char *expired = token_at(f, 400, -100, PLAIN);
	struct talk good = { .replies = { token } }, twice = { .replies = { expired, expired } },
		    password = { .replies = { "secret" } };
	char opened[512];

	snprintf(opened, sizeof(opened), "7 opened config=%s signs=B.1 alg=ES256\n", f->config);
	assert_int_equal(login(f, "auth required @rjwt@ debug\n", &password), PAM_AUTH_ERR);
	assert_string_equal(driver_log.p, opened);
	assert_int_equal(login(f, "auth required @rjwt@\n", &password), PAM_AUTH_ERR);
	assert_string_equal(driver_log.p, "");
	assert_int_equal(login(f, "auth required @rjwt@ debug\n", &good), PAM_SUCCESS);
	assert_int_equal(lines("\n"), 2);
	assert_memory_equal(driver_log.p, opened, strlen(opened));
	assert_int_equal(login(f, "auth required @rjwt@ debug\n", &twice), PAM_AUTH_ERR);
	assert_int_equal(twice.asked, 2);
	assert_int_equal(lines("\n"), 2);
	assert_int_equal(lines(opened), 1);
}

/* Values from outside are escaped: a log line ends where we end it. */
static void
test_log_is_escaped(void **state)
{
	struct fixture *f = *state;
	struct talk talk = { .replies = { SHAPED } };
	pam_handle_t *pamh = driver_start(f, RJWT_ALONE, "sshd", "al\nice accepted", &talk);

	assert_int_equal(pam_set_item(pamh, PAM_RHOST, "h\x1b[2J\naccepted user=root %n"), PAM_SUCCESS);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_AUTH_ERR);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
	assert_int_equal(lines("\n"), 1);
	assert_null(strstr(driver_log.p, "\x1b"));
	assert_non_null(strstr(driver_log.p, "rhost="));
}

/* Each line of each test is looked at by the driver, which finds what is planted. */
static void
test_log_tells(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_at(f, 1, 299, PLAIN);
	const char *payload = strchr(token, '.') + 1, *signature = strrchr(token, '.') + 1;
	struct talk talk = { .replies = { token } }, password = { .replies = { "tweedledum" } };
	char line[4096];

	assert_false(driver_log_tells(signature));
	assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_SUCCESS);
	assert_true(driver_log_tells(token));
	snprintf(line, sizeof(line), "accepted user=alice token=%s", signature);
	assert_true(driver_log_tells(line));
	snprintf(line, sizeof(line), "[%.16s]", signature + 40);
	assert_true(driver_log_tells(line));
	snprintf(line, sizeof(line), "[%.15s]", signature + 40);
	assert_false(driver_log_tells(line));
	snprintf(line, sizeof(line), "jti=%.20s", payload + 7);
	assert_true(driver_log_tells(line));
	snprintf(line, sizeof(line), "auth required @probe@ set=%s\nauth required @rjwt@\n", token);
	assert_int_equal(login(f, line, &password), PAM_AUTH_ERR);
	assert_true(driver_log_tells(signature));
	assert_true(driver_log_tells("user=\"tweedledum\""));
	assert_false(driver_log_tells("user=\"tweedledee\""));
	assert_true(driver_log_tells("user=a\nb"));
	assert_true(driver_log_tells("user=a\x7f"));
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_users), T(test_asked_for_user), T(test_name_before_us),
		T(test_log_has_an_end), T(test_debug), T(test_log_is_escaped), T(test_log_tells) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
