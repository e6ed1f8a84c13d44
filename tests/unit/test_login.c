/* SPDX-License-Identifier: MIT */
/* pam_rjwt.so in stacks, loaded by libpam: prompts, replies, answers, the log. */
#include "prompt.h"
#include "tell.h"
#include "pam_driver.h"
#include "ssh_keys.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char authtok[4096];

static int
setup(void **state)
{
	*state = fixture_new_real("");
	return 0;
}

/* A token issued issued_s ago that expires in left_s. */
static char *
token_at(struct fixture *f, int64_t issued_s, int64_t left_s, struct edit more)
{
	int64_t now_s = time(NULL);
	const struct edit edits[] = { edit_time('c', "iat", now_s - issued_s), edit_time('c', "exp", now_s + left_s),
		more, { 0, NULL, NULL } };

	return token_with(f, edits);
}

#define PLAIN ((struct edit){ 0, NULL, NULL })

static int
login(struct fixture *f, const char *stack, struct talk *talk)
{
	return driver_login(f, stack, "sshd", "alice", talk, authtok);
}

static int
lines(const char *word)
{
	int n = 0;

	for (const char *p = driver_log.p; (p = strstr(p, word)) != NULL; p++)
		n++;
	return n;
}

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

/* sudo answers PAM_CONV_ERR to more than 511 bytes; a shorter token may follow. */
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
	const struct CMUnitTest tests[] = { T(test_accepted), T(test_password_is_passed_on), T(test_silent_refusals),
		T(test_empty_replies), T(test_long_replies), T(test_cut_replies), T(test_second_prompt),
		T(test_sentences), T(test_sentence_of_revoked), T(test_sentence_of_retired),
		T(test_at_most_two_prompts), T(test_spent), T(test_uses), T(test_codes),
		T(test_codes_that_are_passwords), T(test_unsafe_code), T(test_conversation_fails),
		T(test_conversation_codes), T(test_waiting_prompt), T(test_stacked), T(test_stacked_and_unavailable),
		T(test_arguments), T(test_unavailable), T(test_users), T(test_asked_for_user), T(test_name_before_us),
		T(test_log_has_an_end), T(test_pasted_replies), T(test_blanks_of_passwords), T(test_debug),
		T(test_log_is_escaped), T(test_log_tells) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
