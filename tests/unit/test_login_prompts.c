/* SPDX-License-Identifier: MIT */
/* pam_rjwt.so in stacks, loaded by libpam: what the second prompt says, and conversations that fail or wait. */
#include "login_world.h"
#include "prompt.h"
#include "tell.h"
#include "ssh_keys.h"

#include <stdio.h>
#include <time.h>

/* The reason comes in a second prompt, for a genuine token of this user. */
static void
test_second_prompt(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *good = token_at(f, 1, 299, PLAIN);
	RJWT_CLEAN(free_clean) char *expired = token_at(f, 400, -100, PLAIN);
	RJWT_CLEAN(free_clean) char *early = token_at(f, 1, 3000, edit_time('c', "nbf", time(NULL) + 630));
	RJWT_CLEAN(free_clean) char *scope = token_at(f, 1, 299, (struct edit){ 'c', "scope", "\"su\"" });
	RJWT_CLEAN(free_clean) char *host = token_at(f, 1, 299, (struct edit){ 'c', "aud", "\"other\"" });
	const struct {
		const char *reply, *begins, *reason;
	} rows[] = {
		{ expired, "Token expired 1m4", "expired" },
		{ early, "Token starts in 10m", "not_yet_valid" },
		{ scope, "Token opens su, not ssh. Token: ", "scope" },
		{ host, "Token is for other, not host.example. Token: ", "audience" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct talk twice = { .replies = { rows[i].reply, good } };
		struct talk wrong = { .replies = { rows[i].reply, "secret" } };
		struct talk same = { .replies = { rows[i].reply, rows[i].reply } };
		struct talk gone = { .replies = { rows[i].reply, NO_REPLY } };
		const char *prompt = twice.prompts[1];

		assert_int_equal(login(f, RJWT_ALONE, &twice), PAM_SUCCESS);
		assert_int_equal(twice.asked, 2);
		assert_memory_equal(prompt, rows[i].begins, strlen(rows[i].begins));
		assert_string_equal(prompt + strlen(prompt) - 9, ". Token: ");
		assert_int_equal(twice.styles[1], PAM_PROMPT_ECHO_OFF);
		assert_int_equal(lines(rows[i].reason), 1);
		assert_int_equal(lines("accepted "), 1);
		/* Then a password: for the next module. */
		assert_int_equal(login(f, RJWT_ALONE, &wrong), PAM_AUTH_ERR);
		assert_string_equal(authtok, "secret");
		/* sshd's password method: the same reply is neither judged nor logged again. */
		assert_int_equal(login(f, RJWT_ALONE, &same), PAM_AUTH_ERR);
		assert_int_equal(same.asked, 2);
		assert_int_equal(lines("rejected"), 1);
		assert_string_equal(authtok, "-");
		assert_int_equal(login(f, RJWT_ALONE, &gone), PAM_AUTH_ERR);
		assert_int_equal(lines("rejected"), 1);
	}
}

#define LABEL "abcdefghijklmnopqrstuvwxyz"
#define HOST_82 "a." LABEL "." LABEL "." LABEL /* TELL_MAX - 5 bytes with all that is around it */

/* What the second prompt says for every reason that can be told: one form, at most TELL_MAX bytes before the prompt. */
static void
test_sentences(void **state)
{
	struct fixture *f = *state;
	const struct {
		const char *service, *sentence;
		struct edit edit;
	} rows[] = {
		{ "sshd", "Token is from another issuer. ", { 'c', "iss", "\"other\"" } },
		{ "sshd", "Token was issued in the future. ", edit_time('c', "iat", time(NULL) + 100) },
		{ "sshd", "Token lasts longer than this host allows. ", edit_time('c', "exp", time(NULL) + 36000) },
		{ "sshd", "Token is for web2, not host.example. ", { 'c', "aud", "[\"web2\",\"web3\"]" } },
		{ "sshd", "Token is for a\\x1b[2Jb, not host.example. ", { 'c', "aud", "\"a\\u001b[2Jb\"" } },
		{ "sshd", "Token is for " HOST_82 "xxxxx, not host.example. ", { 'c', "aud", "\"" HOST_82 "xxxxx\"" } },
		{ "sshd", "Token is for another host. ", { 'c', "aud", "\"" HOST_82 "xxxxxx\"" } },
		{ "sudo-i", "Token opens ssh, not sudo. ", PLAIN },
		{ "sshd", "Token opens su and sudo, not ssh. ", { 'c', "scope", "\"su sudo\"" } },
		{ "sshd", "Token opens a and b and c, not ssh. ", { 'c', "scope", "\"a b c\"" } },
		{ "sshd", "Token is for another service. ", { 'c', "scope", NULL } },
		{ "sshd", "Token is for another service. ",
		    { 'c', "scope", "\"" LABEL " " LABEL "2 " LABEL "3 " LABEL "4\"" } },
		{ "closed", "No token opens closed here. ", { 'c', "scope", "\"closed\"" } },
		{ "sshd", "Token needs its ssh key. ", { 'c', "cnf", "{\"kid\":\"" SSH_FINGERPRINT "\"}" } },
		{ "sshd", "Token is for another network. ", { 'c', "src", "[\"10.0.0.0/8\"]" } },
	};

	fixture_config(f, "services: {closed: \"\"}\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(free_clean) char *token = token_at(f, 1, 299, rows[i].edit);
		struct talk talk = { .replies = { token, "" } };
		char prompt[300];

		assert_int_equal(driver_login(f, RJWT_ALONE, rows[i].service, "alice", &talk, authtok), PAM_AUTH_ERR);
		snprintf(prompt, sizeof(prompt), "%sToken: ", rows[i].sentence);
		assert_string_equal(talk.prompts[1], prompt);
		assert_true(strlen(rows[i].sentence) <= TELL_MAX);
	}
}

static void
test_sentence_of_revoked(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_at(f, 1, 299, PLAIN);
	struct talk talk = { .replies = { token, "" } };
	const struct rjwt_revocation one = { .jti = "a1" };
	struct rjwt_change change;

	want("revoke", rjwt_revoke(f->h, &one, 0, &change, &f->diag), RJWT_OK);
	assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_AUTH_ERR);
	assert_string_equal(talk.prompts[1], "Token was revoked. Token: ");
}

/* A key that retired 100 s ago signed a token of 1 s ago. */
static void
test_sentence_of_retired(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_at(f, 1, 299, PLAIN);
	struct talk talk = { .replies = { token, "" } };
	struct rjwt_change change;

	want("rotate", rjwt_rotate(f->h, 0, &change, &f->diag), RJWT_OK);
	key_stamp(f, 1, time(NULL) - 100, time(NULL) + 86400, 0);
	assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_AUTH_ERR);
	assert_string_equal(talk.prompts[1], "Token was issued after its key retired. Token: ");
}

static void
test_at_most_two_prompts(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *expired = token_at(f, 400, -100, PLAIN);
	RJWT_CLEAN(free_clean) char *again = token_at(f, 400, -110, PLAIN);
	struct talk talk = { .replies = { expired, again, "never asked" } };

	assert_int_equal(login(f, RJWT_ALONE, &talk), PAM_AUTH_ERR);
	assert_int_equal(talk.asked, 2);
	assert_int_equal(lines("rejected reason=expired"), 2);
	assert_non_null(strstr(driver_log.p, " now="));
}

/* sudo answers PAM_CONV_ERR to more than 511 bytes; a shorter token may follow. */
static void
test_conversation_fails(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *good = token_at(f, 1, 299, PLAIN);
	struct talk shorter = { .replies = { NO_REPLY, good } }, never = { .replies = { NO_REPLY, NO_REPLY } };

	assert_int_equal(login(f, RJWT_ALONE, &shorter), PAM_SUCCESS);
	assert_string_equal(shorter.prompts[1], "Nothing arrived: the token may be too long here. Token: ");
	assert_int_equal(lines("rejected "), 0);
	assert_int_equal(lines("accepted "), 1);
	assert_int_equal(login(f, RJWT_ALONE, &never), PAM_CONV_ERR);
	assert_int_equal(never.asked, 2);
	assert_int_equal(lines("rejected "), 1); /* libpam has a line of its own for each failure */
	assert_int_equal(lines("rejected reason=io user=alice service=sshd error=\"the conversation failed\""), 1);
}

/* Some of an application's codes would count as success in a stack. */
static void
test_conversation_codes(void **state)
{
	static const struct {
		int failure, ret;
		const char *log; /* "": no decision yet */
	} rows[] = { { PAM_CONV_ERR, PAM_CONV_ERR, "reason=io " }, { PAM_BUF_ERR, PAM_BUF_ERR, "reason=memory " },
		{ PAM_AUTH_ERR, PAM_AUTH_ERR, "reason=io " }, { PAM_CONV_AGAIN, PAM_INCOMPLETE, "" },
		{ PAM_NEW_AUTHTOK_REQD, PAM_CONV_ERR, "reason=io " }, { PAM_IGNORE, PAM_CONV_ERR, "reason=io " },
		{ PAM_OPEN_ERR, PAM_CONV_ERR, "reason=io " }, { PAM_ABORT, PAM_CONV_ERR, "reason=io " },
		{ 99, PAM_CONV_ERR, "reason=io " } };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct talk talk = { .replies = { NO_REPLY, NO_REPLY }, .failure = rows[i].failure };

		assert_int_equal(login(f, "auth required @rjwt@\n", &talk), rows[i].ret);
		assert_int_equal(talk.asked, rows[i].failure == PAM_CONV_ERR ? 2 : 1);
		assert_int_equal(lines("rejected "), rows[i].log[0] != '\0');
		assert_non_null(strstr(driver_log.p, rows[i].log));
	}
}

static void
nothing(const struct talk *talk)
{
	(void)talk;
}

static void
close_service(const struct talk *talk)
{
	fixture_config(talk->fixture, "services: {sshd: \"\"}\n");
}

/* What the README says to do about a stolen private/: nothing from before is worth anything then. */
static void
begin_anew(const struct talk *talk)
{
	struct fixture *f = talk->fixture;
	struct rjwt_options options = fixture_options(f);
	struct rjwt_change change;
	char moved[256];

	snprintf(moved, sizeof(moved), "%s.old", f->state);
	assert_int_equal(rename(f->state, moved), 0);
	want("init", rjwt_init(&options, 0, &change, &f->diag), RJWT_OK);
}

static void
break_keyset(const struct talk *talk)
{
	file_put(talk->fixture, "keyset.json", VIEW("torn"));
}

/* The name that was verified would not be the one that logs in. */
static void
become_bob(const struct talk *talk)
{
	assert_int_equal(pam_set_item(talk->pamh, PAM_USER, "bob"), PAM_SUCCESS);
}

static void
become_nobody(const struct talk *talk)
{
	assert_int_equal(pam_set_item(talk->pamh, PAM_USER, NULL), PAM_SUCCESS);
}

/* A prompt waits as long as its user likes: what is judged by is what stands there when the reply comes. */
static void
test_waiting_prompt(void **state)
{
	static const struct {
		void (*meanwhile)(const struct talk *talk);
		const char *log;
		int ret;
	} rows[] = { { nothing, "accepted user=alice", PAM_SUCCESS },
		{ close_service, "rejected reason=scope", PAM_AUTH_ERR },
		{ begin_anew, "rejected reason=key_unknown", PAM_AUTH_ERR },
		{ break_keyset, "rejected reason=keyset", PAM_AUTHINFO_UNAVAIL },
		{ become_bob, "rejected reason=user", PAM_AUTH_ERR },
		{ become_nobody, "rejected reason=user", PAM_AUTH_ERR } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture *f = fixture_new_real("");
		RJWT_CLEAN(free_clean) char *token = token_at(f, 1, 299, PLAIN);
		struct talk talk = { .replies = { token, "secret" }, .meanwhile = rows[i].meanwhile };
		int ret = login(f, "auth required @rjwt@\n", &talk);

		if (ret != rows[i].ret || lines(rows[i].log) != 1)
			fail_msg("%s: %d, %s", rows[i].log, ret, driver_log.p);
		assert_int_equal(lines("accepted"), ret == PAM_SUCCESS);
		fixture_free(f);
	}
	/* A password is for the next module, whatever became of the keyset. */
	struct talk talk = { .replies = { "secret" }, .meanwhile = break_keyset };

	assert_int_equal(login(*state, RJWT_ALONE, &talk), PAM_AUTH_ERR);
	assert_string_equal(authtok, "secret");
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_second_prompt), T(test_sentences), T(test_sentence_of_revoked),
		T(test_sentence_of_retired), T(test_at_most_two_prompts), T(test_conversation_fails),
		T(test_conversation_codes), T(test_waiting_prompt) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
