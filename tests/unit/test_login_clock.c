/* SPDX-License-Identifier: MIT */
/* pam_rjwt.so by a made-up clock: prompt, account and log have its times, to the second. */
#include "pam_driver.h"
#include "base/datetime.h"

#include <regex.h>
#include <stdio.h>

static char authtok[4096];

/* Accepted until exp and the leeway; account says so to the second. */
static void
test_account_expires(void **state)
{
	static const struct {
		int64_t at_s;
		int ret;
	} rows[] = { { T0 + 10, IGNORED }, { T0 + 329, IGNORED }, { T0 + 330, PAM_ACCT_EXPIRED },
		{ T0 + 400000, PAM_ACCT_EXPIRED } };
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct talk talk = { .replies = { token } };
		char stack[256], line[256], now[32];
		pam_handle_t *pamh;

		time_format(now, rows[i].at_s);
		snprintf(line, sizeof(line),
		    "5 rejected reason=expired phase=account user=alice service=sshd "
		    "rhost=h jti=a1 sub=alice exp=2027-01-15T08:05:00Z now=%s\n",
		    now);
		snprintf(stack, sizeof(stack),
		    "auth required @probe@ now=1800000010 conf=@conf@\naccount required @probe@ now=%lld\n",
		    (long long)rows[i].at_s);
		pamh = driver_start(f, stack, "sshd", "alice", &talk);
		assert_int_equal(pam_set_item(pamh, PAM_RHOST, "h"), PAM_SUCCESS);
		assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
		buf_clear(&driver_log);
		buf_adds(&driver_log, "");
		assert_int_equal(pam_acct_mgmt(pamh, 0), rows[i].ret);
		assert_string_equal(driver_log.p, rows[i].ret == IGNORED ? "" : line);
		pam_end(pamh, PAM_SUCCESS);
	}
}

/* What the prompt says, to the second. */
static void
test_prompt_to_the_second(void **state)
{
	static const struct {
		int64_t at_s;
		const char *second; /* NULL: accepted */
	} rows[] = { { T0 - 31, "Token was issued in the future. Token: " }, { T0 - 30, NULL }, { T0 + 329, NULL },
		{ T0 + 330, "Token expired 30s ago. Token: " }, { T0 + 340, "Token expired 40s ago. Token: " },
		{ T0 + 550, "Token expired 4m10s ago. Token: " } };
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct talk talk = { .replies = { token, token } };
		char stack[256];
		int ret;

		snprintf(stack, sizeof(stack), "auth required @probe@ now=%lld conf=@conf@\n", (long long)rows[i].at_s);
		ret = driver_login(f, stack, "sshd", "alice", &talk, authtok);
		assert_int_equal(ret, rows[i].second == NULL ? PAM_SUCCESS : PAM_AUTH_ERR);
		assert_string_equal(talk.prompts[1], rows[i].second == NULL ? "" : rows[i].second);
	}
}

/* Where time decided, the log has that time and this host's clock. */
static void
test_log_has_the_times(void **state)
{
	static const struct {
		const char *name, *value; /* of the claim that is another than usual */
		int64_t at_s, retired_s;  /* retired: of its key; 0: active */
		const char *log;	  /* after rejected reason= */
	} rows[] = {
		{ "exp", "1800000300", T0 + 330, 0, "expired .* exp=2027-01-15T08:05:00Z now=2027-01-15T08:05:30Z\n" },
		{ "nbf", "1800000060", T0 + 29, 0,
		    "not_yet_valid .* exp=2027-01-15T08:05:00Z nbf=2027-01-15T08:01:00Z now=2027-01-15T08:00:29Z\n" },
		{ "iat", "1800000060", T0 + 29, 0,
		    "issued_in_future .* exp=2027-01-15T08:05:00Z iat=2027-01-15T08:01:00Z "
		    "now=2027-01-15T08:00:29Z\n" },
		{ "scope", "\"su\"", T0 + 1, 0, /* time did not decide */
		    "scope .* exp=2027-01-15T08:05:00Z\n" },
		{ "iat", "1800000000", T0 + 1, T0 - 31,
		    "key_retired .* exp=2027-01-15T08:05:00Z iat=2027-01-15T08:00:00Z now=2027-01-15T08:00:01Z\n" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct edit edits[] = { { 'c', rows[i].name, rows[i].value }, { 0, NULL, NULL } };
		RJWT_CLEAN(free_clean) char *token = token_with(f, edits);
		struct talk talk = { .replies = { token, "secret" } };
		char stack[256], pattern[256];
		regex_t regex;

		if (rows[i].retired_s != 0) {
			rotate(f);
			key_stamp(f, 1, rows[i].retired_s, T0 + 86400, 0);
		}
		snprintf(stack, sizeof(stack), "auth required @probe@ now=%lld conf=@conf@\n", (long long)rows[i].at_s);
		assert_int_equal(driver_login(f, stack, "sshd", "alice", &talk, authtok), PAM_AUTH_ERR);
		snprintf(pattern, sizeof(pattern), "^[0-9] rejected reason=%s", rows[i].log);
		assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
		if (regexec(&regex, driver_log.p, 0, NULL, 0) != 0)
			fail_msg("not %s, but %s", pattern, driver_log.p);
		regfree(&regex);
	}
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_account_expires), T(test_prompt_to_the_second),
		T(test_log_has_the_times) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
