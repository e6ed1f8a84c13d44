/* SPDX-License-Identifier: MIT */
/* The records of minted tokens: what is written into a line, read back from it, passed over, and removed. */
#include "fixture.h"
#include "base/file.h"
#include "keyset/issued.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOUR (T0 / 3600)

static struct dir state_dir = DIR_NONE;

static int
setup(void **state)
{
	struct fixture *f = fixture_new("");

	want("state", dir_open(f->state, &state_dir, NULL), RJWT_OK);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	dir_close(&state_dir);
	return fixture_teardown(state);
}

static void
test_hours(void **state)
{
	(void)state;
	assert_true(issued_same_hour(7200, 10799));
	assert_false(issued_same_hour(7199, 7200) || issued_same_hour(10800, 10799));
}

/* All members; and of a request that has none of them, only those that each token has. */
static void
test_line(void **state)
{
	static const char *const scope[] = { "ssh", "sudo", NULL }, *const audience[] = { "host.example", NULL };
	static const char *const from[] = { "192.0.2.0/24", NULL }, *const nowhere[] = { NULL };
	const struct rjwt_request full = { .user = "alice",
		.scope = scope,
		.audience = audience,
		.issuer = "i.example",
		.actor = "bob",
		.bind_key = "SHA256:x",
		.from = from,
		.by = "carol",
		.rule = 2,
		.login = "dave",
		.why = "a reason" };
	const struct rjwt_request bare = { .user = "alice", .scope = scope, .audience = audience, .from = nowhere };
	const struct rjwt_token token = { .jti = "a1", .kid = "B.1", .iat_s = 1, .nbf_s = 2, .exp_s = 3, .uses = 4 };
	const struct rjwt_token once = { .jti = "a2", .kid = "B.1", .iat_s = 1, .nbf_s = 2, .exp_s = 3, .once = true };
	RJWT_CLEAN(buf_clear) struct buf lines = { 0 };

	(void)state;
	issued_line(&lines, &token, &full);
	want("line", buf_done(&lines), RJWT_OK);
	assert_string_equal(lines.p,
	    "{\"sub\":\"alice\",\"jti\":\"a1\",\"kid\":\"B.1\",\"iat\":1,\"nbf\":2,\"exp\":3,\"scope\":[\"ssh\","
	    "\"sudo\"],"
	    "\"once\":false,\"uses\":4,\"iss\":\"i.example\",\"aud\":[\"host.example\"],\"act\":\"bob\",\"cnf\":"
	    "\"SHA256:x\",\"src\":[\"192.0.2.0/24\"],\"by\":\"carol\",\"rule\":2,\"loginuid\":\"dave\",\"why\":\"a "
	    "reason\"}\n");
	buf_clear(&lines);
	issued_line(&lines, &once, &bare);
	want("line", buf_done(&lines), RJWT_OK);
	assert_string_equal(lines.p, "{\"sub\":\"alice\",\"jti\":\"a2\",\"kid\":\"B.1\",\"iat\":1,\"nbf\":2,\"exp\":3,"
				     "\"scope\":[\"ssh\",\"sudo\"],"
				     "\"once\":true,\"aud\":[\"host.example\"]}\n");
}

/* --- reading ---------------------------------------------------------------------------------- */

struct seen {
	char text[512];
	unsigned n;
	enum rjwt_err ends;
};

static enum rjwt_err
see(void *context, const struct issued_token *token)
{
	struct seen *s = context;

	s->n++;
	snprintf(s->text, sizeof(s->text), "%s %s %s %s|%s|%s|%s %lld %lld %lld %lld %lld %d %s %s", token->jti.p,
	    token->user.p, token->kid.p, token->issuer.p, token->by.p, token->why.p, token->actor.p,
	    (long long)token->iat_s, (long long)token->nbf_s, (long long)token->exp_s, (long long)token->rule,
	    (long long)token->uses, token->once, token->audience == NULL ? "-" : token->audience[0],
	    token->scope == NULL ? "-" : token->scope[0]);
	return s->ends;
}

static void
record(const struct fixture *f, int64_t hour, const char *lines)
{
	char name[64];

	snprintf(name, sizeof(name), "issued/%lld", (long long)hour);
	file_put(f, name, view_of(lines));
}

static struct seen
all_from(int64_t from_s)
{
	struct seen seen = { .n = 0 };

	want("each", issued_each(&state_dir, from_s, see, &seen, NULL), RJWT_OK);
	return seen;
}

static void
test_reading(void **state)
{
	struct fixture *f = *state;

	record(f, HOUR,
	    "{\"sub\":\"alice\",\"jti\":\"a1\",\"kid\":\"B.1\",\"iat\":1,\"nbf\":2,\"exp\":3,\"scope\":[\"ssh\"],"
	    "\"once\":"
	    "true,\"uses\":4,\"iss\":\"i\",\"aud\":[\"h\"],\"act\":\"bob\",\"by\":\"carol\",\"rule\":2,\"why\":\"r\"}");
	assert_string_equal(all_from(0).text, "a1 alice B.1 i|carol|r|bob 1 2 3 2 4 1 h ssh");
	record(f, HOUR,
	    "{\"sub\":\"alice\",\"jti\":\"a1\",\"kid\":\"B.1\",\"exp\":3}\n"); /* as version 0.1.0 did, and less */
	assert_string_equal(all_from(0).text, "a1 alice B.1 ||| 0 0 3 0 0 0 - -");
}

/* What is damaged hides nothing else. */
static void
test_damaged(void **state)
{
	static const char *const lines[] = { "{", "[]", "{\"sub\":\"a\",\"jti\":\"j\",\"kid\":\"k\"}",
		"{\"sub\":\"a\",\"jti\":\"j\",\"exp\":3}", "{\"sub\":\"a\",\"kid\":\"k\",\"exp\":3}",
		"{\"jti\":\"j\",\"kid\":\"k\",\"exp\":3}",
		"{\"sub\":\"a\",\"jti\":\"j\",\"kid\":\"k\",\"exp\":3,\"uses\":1}",
		"{\"sub\":\"a\",\"jti\":\"j\",\"kid\":\"k\",\"exp\":3,\"once\":1}", "" };
	struct fixture *f = *state;
	char text[512];

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		snprintf(text, sizeof(text), "%s\n{\"sub\":\"a\",\"jti\":\"good\",\"kid\":\"k\",\"exp\":3}\n%s",
		    lines[i], lines[i]);
		record(f, HOUR, text);
		if (all_from(0).n != 1)
			fail_msg("%s: %u", lines[i], all_from(0).n);
		assert_non_null(strstr(all_from(0).text, "good a k"));
	}
}

/* Hours that end after a time; names that are no hours; the first error ends it. */
static void
test_which(void **state)
{
	struct fixture *f = *state;
	const char *line = "{\"sub\":\"a\",\"jti\":\"j\",\"kid\":\"k\",\"exp\":3}\n";
	struct seen stop = { .ends = RJWT_BUSY };
	char path[300];

	record(f, HOUR, line);
	file_put(f, "issued/README", view_of(line));
	assert_int_equal(all_from((HOUR + 1) * 3600 - 1).n, 1);
	assert_int_equal(all_from((HOUR + 1) * 3600).n, 0);
	record(f, HOUR + 1, line);
	assert_int_equal(all_from((HOUR + 1) * 3600).n, 1);
	assert_int_equal(all_from(0).n, 2);
	want("stop", issued_each(&state_dir, 0, see, &stop, NULL), RJWT_BUSY);
	assert_int_equal(stop.n, 1);
	snprintf(path, sizeof(path), "%s/issued/%lld", f->state, (long long)HOUR);
	assert_int_equal(chmod(path, 0666), 0);
	want("a file that others may write", issued_each(&state_dir, 0, see, &(struct seen){ .n = 0 }, NULL),
	    RJWT_KEYSET);
	snprintf(path, sizeof(path), "%s/issued", f->state);
	assert_int_equal(chmod(path, 0777), 0);
	want("a folder that others may write", issued_each(&state_dir, 0, see, &(struct seen){ .n = 0 }, NULL),
	    RJWT_KEYSET);
	want("prune", issued_prune(&state_dir, T0, NULL), RJWT_KEYSET);
	assert_int_equal(chmod(path, 0700), 0);
}

/* An hour is removed an hour after its end. */
static void
test_prune(void **state)
{
	struct fixture *f = *state;
	char name[64];

	record(f, HOUR, "x");
	file_put(f, "issued/README", VIEW("x"));
	snprintf(name, sizeof(name), "issued/%lld", (long long)HOUR);
	want("prune", issued_prune(&state_dir, (HOUR + 2) * 3600 - 1, NULL), RJWT_OK);
	assert_true(file_there(f, name));
	want("prune", issued_prune(&state_dir, (HOUR + 2) * 3600, NULL), RJWT_OK);
	assert_false(file_there(f, name));
	assert_true(file_there(f, "issued/README"));
}

/* The folder is for people, who may remove it: it is made again. */
static void
test_folder(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(buf_clear) struct buf lines = { 0 };
	char path[300];

	snprintf(path, sizeof(path), "%s/issued", f->state);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(all_from(0).n, 0);
	want("prune", issued_prune(&state_dir, T0, NULL), RJWT_OK);
	buf_adds(&lines, "one\n");
	want("add", issued_add(&state_dir, T0, &lines, NULL), RJWT_OK);
	want("add", issued_add(&state_dir, T0 + 3599, &lines, NULL), RJWT_OK);
	assert_int_equal(file_mode(f, "issued"), 0700);
	assert_true(file_has(f, "issued/500000", "one\none\n"));
	assert_int_equal(chmod(path, 0777), 0);
	want("not ours alone", issued_add(&state_dir, T0, &lines, NULL), RJWT_KEYSET);
	assert_int_equal(chmod(path, 0700), 0);
}

#define I(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { I(test_hours), I(test_line), I(test_reading), I(test_damaged),
		I(test_which), I(test_prune), I(test_folder) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
