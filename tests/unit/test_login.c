/* SPDX-License-Identifier: MIT */
/* pam_rjwt.so in stacks, loaded by libpam: replies, codes, arguments, and what it answers. */
#include "login_world.h"
#include "prompt.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void
test_accepted(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_at(f, 1, 299, PLAIN);
	struct talk talk = { .replies = { token } };

	assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_SUCCESS);
	assert_int_equal(talk.asked, 1);
	assert_string_equal(talk.prompts[0], "Token: ");
	assert_int_equal(talk.styles[0], PAM_PROMPT_ECHO_OFF);
	assert_string_equal(authtok, "-");
	assert_int_equal(lines("\n"), 1);
	assert_non_null(strstr(driver_log.p, "accepted user=alice service=sshd kid=B.1 jti=a1 sub=alice exp="));
	assert_null(strstr(driver_log.p, token));
}

#define LONG_OTHER "x" SHAPED

/* A password typed at our prompt is for the module below, and is never logged, measured or described. */
static void
test_password_is_passed_on(void **state)
{
	static char longest[REPLY_LONG], brief[REPLY_LONG] = "eyJ.a.";
	static const char *const replies[] = { "secret", "eyJhbGciOiJ", "eyJ.one-dot", "a.b.c", " eyJ.a.b", "eyj.a.b",
		"{\"alg\":1}..", "pass word\xc3\xa9", "eyJ.a.b", longest, brief };
	struct fixture *f = *state;

	memset(longest, 'a', REPLY_LONG - 1);
	memset(brief + 6, 'a', REPLY_LONG - 1 - 6);

	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		struct talk talk = { .replies = { replies[i] } };

		assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_AUTH_ERR);
		assert_int_equal(talk.asked, 1);
		assert_string_equal(authtok, replies[i]);
		assert_string_equal(driver_log.p, "");
	}
}

/* What looks like a token never becomes PAM_AUTHTOK, and tells nothing unless it is genuine and theirs. */
static void
test_silent_refusals(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *forged = token_at(f, 1, 299, PLAIN);
	RJWT_CLEAN(free_clean) char *others = token_at(f, 1, 299, (struct edit){ 'c', "sub", "\"bob\"" });
	RJWT_CLEAN(free_clean) char *late = token_at(f, 400, -100, (struct edit){ 'c', "sub", "\"bob\"" });
	const char *const replies[] = { SHAPED, SHAPED ".c", forged, others, late };
	static const char *const reasons[] = { "malformed", "malformed", "signature", "user", "user" };

	forge(forged);
	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		struct talk talk = { .replies = { replies[i] } };
		char reason[64];

		assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_AUTH_ERR);
		assert_int_equal(talk.asked, 1);
		assert_string_equal(authtok, "-");
		snprintf(reason, sizeof(reason), "rejected reason=%s user=alice", reasons[i]);
		assert_int_equal(lines(reason), 1);
		assert_int_equal(lines("\n"), 1);
		assert_null(strstr(driver_log.p, replies[i]));
	}
}

/* NULL, empty, blank: denied before parsing. */
static void
test_empty_replies(void **state)
{
	struct fixture *f = *state;
	struct talk null = { .replies = { talk_null } }, empty = { .replies = { "" } }, blank = { .replies = { " " } };

	assert_int_equal(login(f, RJWT_ALONE, &null), PAM_CONV_ERR);
	assert_true(null.asked <= 2);
	assert_int_equal(lines("rejected reason=io user=alice"), 1);
	assert_string_equal(authtok, "-");
	assert_int_equal(login(f, RJWT_ALONE, &empty), PAM_AUTH_ERR);
	assert_int_equal(empty.asked, 1);
	assert_string_equal(authtok, "-"); /* pam_unix lets an empty password in, with nullok */
	assert_int_equal(lines("rejected reason=empty user=alice"), 1);
	assert_int_equal(login(f, RJWT_ALONE, &blank), PAM_AUTH_ERR);
	assert_string_equal(authtok, " ");
}

static void
test_long_replies(void **state)
{
	struct fixture *f = *state;
	static char reply[65537];
	struct talk talk = { .replies = { reply } };

	/* What sshd makes of any reply for a user who may not log in: as little is handed on as of a token so long. */
	for (size_t n = REPLY_LONG; n < sizeof(reply); n *= 2) {
		memset(reply, 'a', n);
		assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_AUTH_ERR);
		assert_int_equal(talk.asked, 1);
		assert_string_equal(authtok, "-");
		assert_string_equal(driver_log.p, "5 rejected reason=malformed user=alice service=sshd\n");
	}
	memcpy(reply, "eyJ.a.", 6);
	assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_AUTH_ERR);
	assert_int_equal(lines("reason=too_long"), 1);
}

/* What people and terminals put around a token that is pasted: blanks and the marks of bracketed paste go. */
static void
test_pasted_replies(void **state)
{
	static const struct {
		const char *before, *after;
		bool good;
	} rows[] = { { " ", "", true }, { "", " ", true }, { "\t \r\n", "\r\n \t", true },
		{ "\033[200~", "\033[201~", true }, { "\033[200~", "", true }, { "", "\033[201~", true },
		{ " \033[200~ ", " \033[201~ ", true }, { "\"", "\"", false }, { "Bearer ", "", false },
		{ "\033[201~", "\033[200~", false }, { "\v", "", false }, { "\xc2\xa0", "", false },
		{ "\033[200~\033[200~", "", false }, { "x", "", false }, { "", " x", false } };
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_at(f, 1, 299, PLAIN);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf reply = { 0 };
		struct talk talk = { 0 };
		int ret;

		buf_addf(&reply, "%s%s%s", rows[i].before, token, rows[i].after);
		talk.replies[0] = reply.p;
		ret = login(f, RJWT_ALONE, &talk);
		if (ret != (rows[i].good ? PAM_SUCCESS : PAM_AUTH_ERR) || strcmp(authtok, "-") != 0 || talk.asked != 1)
			fail_msg("row %zu: %d after %d prompts, authtok %.20s", i, ret, talk.asked, authtok);
		/* Nothing is refused without a line. */
		assert_int_equal(lines("\n"), 1);
		assert_int_equal(lines("rejected reason=malformed user=alice"), !rows[i].good);
	}
}

/* A password keeps its blanks; what is long because of them is long. */
static void
test_blanks_of_passwords(void **state)
{
	struct fixture *f = *state;
	char blanks[REPLY_LONG + 2] = { 0 };
	struct talk padded = { .replies = { " secret " } }, longest = { .replies = { blanks } };

	assert_int_equal(login(f, RJWT_ALONE, &padded), PAM_AUTH_ERR);
	assert_string_equal(authtok, " secret ");
	memset(blanks, ' ', REPLY_LONG + 1);
	for (size_t n = REPLY_LONG + 1; n >= REPLY_LONG - 1; n--) {
		blanks[n] = '\0';
		assert_int_equal(login(f, RJWT_ALONE, &longest), PAM_AUTH_ERR);
		assert_string_equal(authtok, n < REPLY_LONG ? blanks : "-");
		assert_int_equal(lines("rejected reason=malformed"), n >= REPLY_LONG);
	}
}

/* A reply of exactly what a prompt can hold was cut, maybe before its second dot: no module below gets that. */
static void
test_cut_replies(void **state)
{
	static const struct {
		size_t length;
		bool cut;
	} rows[] = { { 278, true }, { 279, false }, { 503, false }, { 504, true }, { 510, false }, { 511, true },
		{ 512, true }, { 513, false }, { 1022, false }, { 1023, true }, { 1024, false }, { 4094, false },
		{ 4095, true } };
	static const char *const begins[] = { "eyJ", "eyJhbGciOiJFUzI1NiJ9." };
	struct fixture *f = *state;
	char reply[4096];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t k = 0; k < 2; k++) {
			struct talk talk = { .replies = { reply } };

			memset(reply, 'x', rows[i].length);
			reply[rows[i].length] = '\0';
			memcpy(reply, begins[k], strlen(begins[k]));
			assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_AUTH_ERR);
			if (lines("rejected reason=truncated user=alice") != rows[i].cut ||
			    lines("rejected reason=malformed user=alice") == rows[i].cut)
				fail_msg("%zu bytes: %s", rows[i].length, driver_log.p);
			assert_string_equal(authtok, "-");
		}
}

static void
test_spent(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *once = token_at(f, 1, 299, (struct edit){ 'c', "once", "true" });
	struct talk first = { .replies = { once } }, second = { .replies = { once, once } }, again = first;
	char path[256];

	assert_int_equal(login(f, RJWT_ALONE, &first), PAM_SUCCESS);
	assert_int_equal(login(f, RJWT_ALONE, &second), PAM_AUTH_ERR);
	assert_string_equal(second.prompts[1], "Token already used. Token: ");
	/* Whether it was cannot be told: that is no verdict. */
	snprintf(path, sizeof(path), "%s/spent", f->state);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(login(f, "auth required @rjwt@\n", &again), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(again.asked, 1);
	assert_non_null(strstr(driver_log.p, "rejected reason=io user=alice service=sshd kid=B.1 jti="));
}

/* A number of uses: the line of each login says which it was, and who is too late is told how many there were. */
static void
test_uses(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_at(f, 1, 299, (struct edit){ 'c', "uses", "2" });
	struct talk first = { .replies = { token } }, second = first, third = { .replies = { token, token } };

	assert_int_equal(login(f, RJWT_ALONE, &first), PAM_SUCCESS);
	assert_non_null(strstr(driver_log.p, " uses=1/2\n"));
	assert_int_equal(login(f, RJWT_ALONE, &second), PAM_SUCCESS);
	assert_non_null(strstr(driver_log.p, " uses=2/2\n"));
	assert_int_equal(login(f, RJWT_ALONE, &third), PAM_AUTH_ERR);
	assert_string_equal(third.prompts[1], "Token was used 2 times. Token: ");
	assert_non_null(strstr(driver_log.p, "rejected reason=spent user=alice"));
	assert_non_null(strstr(driver_log.p, " uses=2/2\n"));
}

static struct rjwt_token
park_one(struct fixture *f)
{
	const struct rjwt_request request = { .user = "alice", .flags = RJWT_PARK };
	struct rjwt_token token;

	want("mint", rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
	return token;
}

/* A code in the place of its token: judged as the token is, and never handed on. */
static void
test_codes(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = park_one(f);
	char typed[40], other[20];
	struct talk good = { .replies = { typed } }, spent = { .replies = { token.code, token.code } };
	struct talk bobs = { .replies = { token.code } }, wrong = { .replies = { other } };

	memcpy(other, token.code, sizeof(other));
	other[0] = other[0] == '7' ? '8' : '7';
	assert_int_equal(login(f, RJWT_ALONE, &wrong), PAM_AUTH_ERR);
	assert_int_equal(wrong.asked, 1);
	assert_string_equal(authtok, other);
	assert_string_equal(driver_log.p, "");
	/* as another user: not theirs, and not used by it */
	assert_int_equal(driver_login(f, RJWT_ALONE, "sshd", "bob", &bobs, authtok), PAM_AUTH_ERR);
	assert_int_equal(bobs.asked, 1);
	assert_string_equal(authtok, token.code); /* as a wrong one: what is asked next tells nothing */
	assert_int_equal(lines("rejected reason=user user=bob"), 1);
	assert_null(strstr(driver_log.p, token.code));
	snprintf(typed, sizeof(typed), " %.4s %.15s", token.code, token.code + 4);
	for (char *p = typed; *p != '\0'; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
	assert_int_equal(login(f, RJWT_ALONE, &good), PAM_SUCCESS);
	assert_int_equal(good.asked, 1);
	assert_string_equal(authtok, "-");
	assert_int_equal(lines("\n"), 1);
	assert_non_null(strstr(driver_log.p, "accepted user=alice service=sshd kid=B.1 jti="));
	assert_int_equal(login(f, RJWT_ALONE, &spent), PAM_AUTH_ERR);
	assert_int_equal(spent.asked, 2);
	assert_string_equal(spent.prompts[1], "Token already used. Token: ");
	assert_string_equal(authtok, "-");
}

/* Not a code that is parked: a password, as before, whatever is wrong with the keyset meanwhile. */
static void
test_codes_that_are_passwords(void **state)
{
	static const char *const replies[] = { "0123-4567-89AB-CDEF", "correcthorsebat1", "0123-4567-89AB-CDE",
		"0123-4567-89AB-CDEFG" };
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = { 0 };
	char path[256];

	for (int round = 0; round < 3; round++) {
		if (round == 1)
			token = park_one(f);
		if (round == 2) {
			snprintf(path, sizeof(path), "%s/private", f->state);
			assert_int_equal(chmod(path, 0), 0);
		}
		for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
			struct talk talk = { .replies = { replies[i] } };

			assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_AUTH_ERR);
			assert_int_equal(talk.asked, 1);
			assert_string_equal(talk.prompts[0], "Token: ");
			assert_string_equal(authtok, replies[i]);
			assert_string_equal(driver_log.p, "");
		}
	}
	assert_int_equal(chmod(path, 0700), 0);
}

/* A file of a code that others could read is refused and logged, without the hash of what was typed. */
static void
test_unsafe_code(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = park_one(f);
	struct talk talk = { .replies = { token.code } };
	char path[400], plain[20] = "", hex[DIGEST_HEX];

	for (const char *p = token.code; *p != '\0'; p++)
		if (*p != '-')
			plain[strlen(plain)] = *p;
	want("name", digest_hex(view_of(plain), hex), RJWT_OK);
	snprintf(path, sizeof(path), "%s/private/parked/%s", f->state, hex);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_AUTHINFO_UNAVAIL);
	assert_string_equal(authtok, token.code);
	assert_int_equal(lines("rejected reason=keyset"), 1);
	assert_null(strstr(driver_log.p, hex));
}

/* A token never stays PAM_AUTHTOK: a module below might send it over the network. */
static void
test_stacked_and_unavailable(void **state)
{
	static const char *const lines_of_ours[] = { "@bare@ conf=/nonexistent/rjwt.yaml",
		"@bare@ conf=/nonexistent/rjwt.yaml try_first_pass", "@rjwt@ bogus", "@bare@ bogus use_first_pass" };
	static const char *const authtoks[][2] = { { SHAPED, "-" }, { "secret", "secret" } };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(lines_of_ours); i++)
		for (size_t k = 0; k < 2; k++) {
			struct talk talk = { .asked = 0 };
			char stack[512];

			snprintf(stack, sizeof(stack),
			    "auth required @probe@ set=%s\nauth required %s\nauth required @probe@\n", authtoks[k][0],
			    lines_of_ours[i]);
			assert_int_equal(login(f, stack, &talk), PAM_AUTHINFO_UNAVAIL);
			assert_string_equal(authtok, authtoks[k][1]);
		}
}

/* What stands in PAM_AUTHTOK before us. */
static void
test_stacked(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_at(f, 1, 299, PLAIN);
	RJWT_CLEAN(free_clean) char *expired = token_at(f, 400, -100, PLAIN);
	const struct {
		const char *set, *argument, *typed;
		int ret, asked;
		const char *after;
	} rows[] = {
		{ token, "use_first_pass", "x", PAM_SUCCESS, 0, "-" },
		{ expired, "use_first_pass", "x", PAM_AUTH_ERR, 0, "-" },
		{ "secret", "use_first_pass", "x", PAM_AUTH_ERR, 0, "secret" },
		{ NULL, "use_first_pass", "x", PAM_AUTH_ERR, 0, "-" },
		{ token, "try_first_pass", "x", PAM_SUCCESS, 0, "-" },
		{ expired, "try_first_pass", token, PAM_SUCCESS, 1, "-" },
		{ SHAPED, "use_first_pass", token, PAM_AUTH_ERR, 0, "-" },
		{ SHAPED, "try_first_pass", token, PAM_SUCCESS, 1, "-" }, /* asked, as whoever gave no token */
		{ SHAPED, "try_first_pass", SHAPED, PAM_AUTH_ERR, 1, "-" },
		{ "secret", "try_first_pass", token, PAM_SUCCESS, 1, "secret" },
		{ NULL, "try_first_pass", token, PAM_SUCCESS, 1, "-" },
		{ "secret", "try_first_pass", "typed", PAM_AUTH_ERR, 1, "typed" },
		{ token, "", "typed", PAM_AUTH_ERR, 1, "typed" }, /* taken away, not judged */
		{ LONG_OTHER, "use_first_pass", "x", PAM_AUTH_ERR, 0, LONG_OTHER },
		{ LONG_OTHER, "try_first_pass", "x", PAM_AUTH_ERR, 1, "x" }, /* a password of any length is no answer */
		{ LONG_OTHER, "try_first_pass", token, PAM_SUCCESS, 1, LONG_OTHER },
		{ LONG_OTHER, "", token, PAM_SUCCESS, 1, LONG_OTHER },
		{ token, "", token, PAM_SUCCESS, 1, "-" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf stack = { 0 };
		struct talk talk = { .replies = { rows[i].typed } };
		int ret;

		if (rows[i].set != NULL)
			buf_addf(&stack, "auth required @probe@ set=%s\n", rows[i].set);
		buf_addf(&stack, "auth required @rjwt@ %s\nauth required @probe@\n", rows[i].argument);
		ret = login(f, stack.p, &talk);
		if (ret != rows[i].ret || talk.asked != rows[i].asked || strcmp(authtok, rows[i].after) != 0)
			fail_msg("row %zu: %d after %d prompts, authtok %.20s", i, ret, talk.asked, authtok);
	}
}

/* vault-ssh-helper let any password in by an unknown argument. */
static void
test_arguments(void **state)
{
	static const struct {
		const char *arguments;
		bool good;
	} rows[] = { { "", true }, { "debug", true }, { "[prompt=Give it now: ]", true }, { "debugg", false },
		{ "Debug", false }, { "debug=1", false }, { "prompt", false }, { "prompt=", false },
		{ "[prompt=a] [prompt=b]", false }, { "conf=/dev/null", false }, { "use_first_pass=1", false },
		{ "try_first_pass use_first_pass", false }, { "nullok", false }, { "skip_user", false } };
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_at(f, 1, 299, PLAIN);
	struct talk talk = { .replies = { token } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char stack[256];
		int ret;

		snprintf(stack, sizeof(stack), "auth required @rjwt@ %s\n", rows[i].arguments);
		ret = login(f, stack, &talk);
		if (ret != (rows[i].good ? PAM_SUCCESS : PAM_AUTHINFO_UNAVAIL) || talk.asked != rows[i].good)
			fail_msg("%s: %d", rows[i].arguments, ret);
		if (!rows[i].good && lines("rejected reason=usage argument=") != 1)
			fail_msg("%s: not logged", rows[i].arguments);
	}
	assert_int_equal(login(f, "auth required @rjwt@ [prompt=Give it now: ]\n", &talk), PAM_SUCCESS);
	assert_string_equal(talk.prompts[0], "Give it now: ");
	assert_int_equal(login(f, "auth required @bare@ conf=rjwt.yaml\n", &talk), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(talk.asked, 0);
}

/* A host that cannot judge does not ask. */
static void
test_unavailable(void **state)
{
	static const char *const yamls[] = { "nonsense: 1\n", "leeway: 1\n", "state_dir: /nonexistent\n" };
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_at(f, 1, 299, PLAIN);
	RJWT_CLEAN(buf_clear) struct buf keyset = file_get(f, "keyset.json");
	struct talk talk = { .replies = { token } };
	struct rjwt *none;

	for (size_t i = 0; i < ARRAY_LEN(yamls); i++) {
		want("open", fixture_try(f, yamls[i], &none), RJWT_CONFIG);
		assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_AUTHINFO_UNAVAIL);
		assert_int_equal(talk.asked, 0);
		assert_int_equal(lines("rejected reason=config"), 1);
		assert_non_null(strstr(driver_log.p, "rjwt.yaml"));
	}
	fixture_config(f, "");
	file_put(f, "keyset.json", VIEW("torn"));
	assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(lines("rejected reason=keyset"), 1);
	assert_int_equal(talk.asked, 0);
	file_put(f, "keyset.json", buf_view(&keyset));
	assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_SUCCESS);
	unlink(f->config);
	assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(talk.asked, 0);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_accepted), T(test_password_is_passed_on), T(test_silent_refusals),
		T(test_empty_replies), T(test_long_replies), T(test_cut_replies), T(test_spent), T(test_uses),
		T(test_codes), T(test_codes_that_are_passwords), T(test_unsafe_code), T(test_stacked),
		T(test_stacked_and_unavailable), T(test_arguments), T(test_unavailable), T(test_pasted_replies),
		T(test_blanks_of_passwords) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
