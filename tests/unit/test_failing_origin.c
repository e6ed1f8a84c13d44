/* SPDX-License-Identifier: MIT */
/* With a call of ours failing: another key opens nothing, the right one is not called wrong, and no rule allows more. */
#include "fixture.h"
#include "ssh_keys.h"

#include "failing.h"

static enum rjwt_err
log_in(struct fixture *f, const char *token, const char *auth_info)
{
	const struct rjwt_attempt attempt = { .token = token,
		.len = strlen(token),
		.user = "alice",
		.service = "sshd",
		.auth_info = auth_info,
		.flags = RJWT_DRY_RUN };
	struct rjwt_verdict v;
	enum rjwt_err err = rjwt_verify(f->h, &attempt, &v, NULL);

	rjwt_verdict_clear(&v);
	return err;
}

static void
test_bound(void **state)
{
	static const char *const infos[] = { SSH_AUTH_INFO, "publickey " OTHER_SSH_KEY "\n" };
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean)
	char *token = token_with(f, (struct edit[]){ CLAIM("cnf", "{\"kid\":\"" SSH_FINGERPRINT "\"}"), END });
	enum rjwt_err err, good[] = { RJWT_OK, RJWT_BINDING };

	for (size_t i = 0; i < ARRAY_LEN(infos); i++) {
		want("nothing fails", log_in(f, token, infos[i]), good[i]);
		for (unsigned k = 1;; k++) {
			failing_begin(k);
			err = log_in(f, token, infos[i]);
			if (!failing_end())
				break;
			if (err == (i == 0 ? RJWT_BINDING : RJWT_OK))
				fail_msg("call %u, %s, failed: %s", k, failing_name, rjwt_reason(err));
		}
		want("and then", err, good[i]);
	}
}

static enum rjwt_err
find_uid(void *context, const char *user, int64_t *uid, struct rjwt_diag *diag)
{
	(void)context, (void)user, (void)diag;
	*uid = 1000;
	return RJWT_OK;
}

static enum rjwt_err
mint(struct fixture *f, const char *user)
{
	const struct rjwt_accounts accounts = { .uid = find_uid };
	const struct rjwt_caller caller = { "bob", &accounts };
	const struct rjwt_request request = { .user = user };
	struct rjwt_decision decision;
	struct rjwt_token token;
	enum rjwt_err err = rjwt_grant(f->h, &caller, &request, &decision, &token, NULL);

	if (err == RJWT_OK)
		rjwt_token_clear(&token);
	rjwt_decision_clear(&decision);
	return err;
}

static void
test_rules(void **state)
{
	struct fixture *f = *state;
	bool short_of = false;

	fixture_config(f, "issue: [{who: bob, users: carol, scopes: ssh, max_lifetime: 10m}]\n");
	want("carol", mint(f, "carol"), RJWT_OK);
	for (unsigned k = 1;; k++) {
		enum rjwt_err err;

		failing_begin(k);
		err = mint(f, "eve");
		if (!failing_end()) {
			want("eve", err, RJWT_RULE);
			break;
		}
		if (err == RJWT_OK)
			fail_msg("call %u, %s, failed, and eve has a token", k, failing_name);
		short_of = short_of || err == RJWT_MEMORY;
	}
	assert_true(short_of);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_bound), T(test_rules) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
