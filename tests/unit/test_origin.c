/* SPDX-License-Identifier: MIT */
/* Tokens that are bound to an ssh key or to addresses: by the library, and by the module with what sshd tells PAM. */
#include "pam_driver.h"
#include "ssh_keys.h"

#include <stdio.h>
#include <time.h>

#define BOUND "{\"kid\":\"" SSH_FINGERPRINT "\"}"

static enum rjwt_err
judge_from(struct fixture *f, const char *token, const char *auth_info, const char *source, int flags)
{
	const struct rjwt_attempt attempt = { .token = token,
		.len = strlen(token),
		.user = "alice",
		.service = "sshd",
		.flags = flags,
		.auth_info = auth_info,
		.source = source };
	struct rjwt_verdict v;
	enum rjwt_err err = rjwt_verify(f->h, &attempt, &v, &f->diag);

	rjwt_verdict_clear(&v);
	return err;
}

/*
 * The flags that tools set. RJWT_ANY_ORIGIN alone lets cnf and src pass, for somebody who cannot know them; what is known
 * is compared all the same.
 */
static void
test_any_origin(void **state)
{
	struct fixture *f = *state;
	const struct edit cnf[] = { CLAIM("cnf", BOUND), END }, src[] = { CLAIM("src", "[\"192.0.2.0/24\"]"), END },
			  other[] = { CLAIM("cnf", "{}"), END };
	RJWT_CLEAN(free_clean) char *bound = token_with(f, cnf);
	RJWT_CLEAN(free_clean) char *from = token_with(f, src);
	RJWT_CLEAN(free_clean) char *odd = token_with(f, other);

	want("cnf", judge(f, bound, 0, NULL), RJWT_BINDING);
	want("cnf", judge(f, bound, RJWT_ANY_ORIGIN, NULL), RJWT_OK);
	want("cnf", judge_from(f, bound, SSH_AUTH_INFO, NULL, 0), RJWT_OK);
	want("cnf", judge_from(f, bound, SSH_AUTH_INFO, NULL, RJWT_ANY_ORIGIN), RJWT_OK);
	want("cnf", judge_from(f, bound, "", NULL, RJWT_ANY_ORIGIN), RJWT_BINDING);
	want("cnf", judge_from(f, bound, NULL, SSH_SOURCE, 0), RJWT_BINDING);
	want("src", judge(f, from, 0, NULL), RJWT_SOURCE);
	want("src", judge(f, from, RJWT_ANY_ORIGIN, NULL), RJWT_OK);
	want("src", judge_from(f, from, NULL, SSH_SOURCE, 0), RJWT_OK);
	want("src", judge_from(f, from, NULL, SSH_SOURCE, RJWT_ANY_ORIGIN), RJWT_OK);
	want("src", judge_from(f, from, NULL, SSH_SOURCE_6, RJWT_ANY_ORIGIN), RJWT_SOURCE);
	want("src", judge_from(f, from, NULL, "", RJWT_ANY_ORIGIN), RJWT_SOURCE);
	want("src", judge_from(f, from, SSH_AUTH_INFO, NULL, 0), RJWT_SOURCE);
	want("form", judge_from(f, odd, SSH_AUTH_INFO, SSH_SOURCE, RJWT_ANY_ORIGIN), RJWT_CLAIMS);
}

/* What a refused login is told to have come with. */
static void
test_told(void **state)
{
	static const struct {
		const char *auth_info, *source, *found;
		enum rjwt_err code;
	} rows[] = {
		{ NULL, NULL, "no ssh key", RJWT_BINDING },
		{ "publickey " OTHER_SSH_KEY "\n", NULL, "SHA256:", RJWT_BINDING },
		{ SSH_AUTH_INFO, NULL, "no address", RJWT_SOURCE },
		{ SSH_AUTH_INFO, SSH_SOURCE_6, SSH_SOURCE_6, RJWT_SOURCE },
	};
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean)
	char *token = token_with(f,
	    (const struct edit[]){ CLAIM("cnf", BOUND), CLAIM("src", "[\"192.0.2.0/24\",\"10.0.0.0/8\"]"), END });

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rjwt_attempt attempt = { .token = token,
			.len = strlen(token),
			.user = "alice",
			.service = "sshd",
			.auth_info = rows[i].auth_info,
			.source = rows[i].source };
		struct rjwt_verdict v;

		want(rows[i].found, rjwt_verify(f->h, &attempt, &v, &f->diag), rows[i].code);
		assert_string_equal(v.failed.expected,
		    rows[i].code == RJWT_BINDING ? "ssh key " SSH_FINGERPRINT : "192.0.2.0/24 10.0.0.0/8");
		assert_memory_equal(v.failed.found, rows[i].found, strlen(rows[i].found));
		rjwt_verdict_clear(&v);
	}
}

/* A token that is not bound does not ask where it comes from, whatever that is. */
static void
test_not_bound(void **state)
{
	struct fixture *f = *state;
	static const char *const infos[] = { NULL, "", "\n", SSH_AUTH_INFO, "publickey", "\xff\x1b" },
				 *const sources[] = { NULL, "", "UNKNOWN", "192.0.2.7", "\xff\x1b" };
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);

	for (size_t i = 0; i < ARRAY_LEN(infos); i++)
		for (size_t k = 0; k < ARRAY_LEN(sources); k++)
			want(infos[i], judge_from(f, token, infos[i], sources[k], 0), RJWT_OK);
}

/* Every source against every range: the address decides, and only as a literal. */
static void
test_sources(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *src, *source;
		bool good;
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.0", true },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.1.255", false },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.0/24", "::ffff:192.0.2.7", true },
		{ "192.0.2.0/24", "::ffff:c000:207", true },
		{ "192.0.2.0/24", "::192.0.2.7", false },
		{ "0.0.0.0/0", "::1", false },
		{ "0.0.0.0/0", "::ffff:192.0.2.7", true },
		{ "::/0", "192.0.2.7", false },
		{ "::/0", "::ffff:192.0.2.7", false },
		{ "::/0", "2001:db8::7", true },
		{ "::/0", "::", true },
		{ "2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff", true },
		{ "2001:db8::/64", "2001:db8:0:1::", false },
		{ "2001:db8::7/128", "2001:DB8::7", true },
		{ "2001:db8::7/128", "2001:db8::8", false },
		{ "fe80::/10", "fe80::1%lo", false },
		{ "fe80::/10", "fe80::1", true },
		{ "192.0.2.0/24", "web1.example.org", false },
		{ "192.0.2.0/24", "192.0.2", false },
		{ "192.0.2.0/24", "192.0.2.7 ", false },
		{ "192.0.2.0/24", " 192.0.2.7", false },
		{ "192.0.2.0/24", "192.0.2.7 22 192.0.2.1 22", false },
		{ "192.0.2.0/24", "3221225991", false },
		{ "192.0.2.0/24", "192.0.2.07", false },
		{ "192.0.2.0/24", "192.0.2.7/32", false },
		{ "0.0.0.0/0", "UNKNOWN", false },
		{ "::/0", "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char src[120];
		const struct edit edits[] = { CLAIM("src", src), END };
		RJWT_CLEAN(free_clean) char *token = NULL;

		snprintf(src, sizeof(src), "[\"203.0.113.9/32\",\"%s\"]", rows[i].src);
		token = token_with(f, edits);
		want(rows[i].source, judge_from(f, token, NULL, rows[i].source, 0),
		    rows[i].good ? RJWT_OK : RJWT_SOURCE);
	}
}

/* What sshd says in SSH_AUTH_INFO_0, against a token for one key. */
static void
test_keys_used(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *auth_info;
		bool good;
	} rows[] = { { SSH_AUTH_INFO, true }, { "publickey " SSH_CERTIFICATE "\n", true },
		{ "publickey " OTHER_SSH_KEY "\n" SSH_AUTH_INFO, true },
		{ SSH_AUTH_INFO "publickey " OTHER_SSH_KEY "\n", true }, { "password\n" SSH_AUTH_INFO, true },
		{ "publickey " OTHER_SSH_KEY "\n", false }, { "password\n", false }, { "", false }, { NULL, false },
		{ "hostbased " SSH_KEY "\n", false }, { SSH_KEY "\n", false }, { "publickey", false } };
	const struct edit edits[] = { CLAIM("cnf", BOUND), END };
	RJWT_CLEAN(free_clean) char *token = token_with(f, edits);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		want(rows[i].auth_info, judge_from(f, token, rows[i].auth_info, NULL, 0),
		    rows[i].good ? RJWT_OK : RJWT_BINDING);
}

/* --- the module ------------------------------------------------------------------------------- */

static int
login_with(struct fixture *f, const char *token, const char *const *variables, const char *rhost)
{
	struct talk talk = { .replies = { token, "" }, .environment = variables, .rhost = rhost };
	char authtok[4096];

	return driver_login(f, RJWT_ALONE, "sshd", "alice", &talk, authtok);
}

/* SSH_CONNECTION is sshd's own; PAM_RHOST is asked only where there is none, and may be a name. */
static void
test_module(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *auth_info, *connection, *rhost;
		bool key, address;
	} rows[] = {
		{ "SSH_AUTH_INFO_0=" SSH_AUTH_INFO, "SSH_CONNECTION=192.0.2.7 4022 192.0.2.1 22", "203.0.113.9", true,
		    true },
		{ "SSH_AUTH_INFO_0=publickey " SSH_CERTIFICATE "\n", "SSH_CONNECTION=::ffff:192.0.2.7 1 ::1 22", NULL,
		    true, true },
		{ "SSH_AUTH_INFO_0=", "SSH_CONNECTION=203.0.113.9 4022 192.0.2.7 22", "192.0.2.7", false, false },
		{ "SSH_AUTH_INFO=" SSH_AUTH_INFO, "SSH_CONNECTION=", "192.0.2.7", false, false },
		{ "SSH_AUTH_INFO_1=" SSH_AUTH_INFO, "SSH_CONNECTION=UNKNOWN 65535 UNKNOWN 65535", "192.0.2.7", false,
		    false },
		{ "SSH_AUTH_INFO_0=publickey " OTHER_SSH_KEY "\n", "SSH_CONNECTION= 192.0.2.7", "192.0.2.7", false,
		    false },
		{ "SSH_AUTH_INFO_0=password\n", "SSH_CLIENT=192.0.2.7 4022 22", "192.0.2.7", false, true },
		{ "A=b", "A=b", "192.0.2.7", false, true },
		{ "A=b", "A=b", "::ffff:192.0.2.7", false, true },
		{ "A=b", "A=b", "web1.example.org", false, false },
		{ "A=b", "A=b", "192.0.2.7 ", false, false },
		{ "A=b", "A=b", "192.0.2.7 22", false, false },
		{ "A=b", "A=b", "", false, false },
		{ "A=b", "A=b", NULL, false, false },
		{ "A=b", "SSH_CONNECTION=192.0.2.7", "203.0.113.9", false, true },
		{ "A=b", "SSH_CONNECTION=192.0.2.7\t22", NULL, false, false },
		{ "A=b", "SSH_CONNECTION=192.0.2.7,203.0.113.9 22", NULL, false, false },
		{ "A=b", "SSH_CONNECTION=" TEN TEN TEN TEN TEN TEN TEN " 22", "192.0.2.7", false, false },
		{ "A=b", "A=b", "192.0.2.7" TEN TEN TEN TEN TEN TEN TEN, false, false },
	};
	char exp[24], iat[24];
	const struct edit times[] = { CLAIM("exp", exp), CLAIM("iat", iat) };
	const struct edit cnf[] = { times[0], times[1], CLAIM("cnf", BOUND), END },
			  src[] = { times[0], times[1], CLAIM("src", "[\"192.0.2.0/24\"]"), END },
			  plain[] = { times[0], times[1], END };
	RJWT_CLEAN(free_clean) char *bound = NULL;
	RJWT_CLEAN(free_clean) char *from = NULL;
	RJWT_CLEAN(free_clean) char *free_one = NULL;

	snprintf(iat, sizeof(iat), "%lld", (long long)time(NULL));
	snprintf(exp, sizeof(exp), "%lld", (long long)time(NULL) + 300);
	bound = token_with(f, cnf);
	from = token_with(f, src);
	free_one = token_with(f, plain);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const variables[] = { rows[i].auth_info, rows[i].connection, NULL };
		bool key = login_with(f, bound, variables, rows[i].rhost) == PAM_SUCCESS;
		bool address = login_with(f, from, variables, rows[i].rhost) == PAM_SUCCESS;

		if (key != rows[i].key || address != rows[i].address)
			fail_msg("row %zu: key %d, address %d", i, key, address);
		assert_int_equal(login_with(f, free_one, variables, rows[i].rhost), PAM_SUCCESS);
	}
}

static int
setup_now(void **state)
{
	*state = fixture_new_real("");
	return 0;
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_any_origin), T(test_told), T(test_not_bound), T(test_sources),
		T(test_keys_used), cmocka_unit_test_setup_teardown(test_module, setup_now, fixture_teardown) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
