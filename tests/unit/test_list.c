/* SPDX-License-Identifier: MIT */
/* rjwt_list(): which tokens were minted here, where they were used, and whether they still can be. */
#include "fixture.h"

#include <stdio.h>

/* The last tokens that were listed, as text: "alice: ssh sudo | host.example | ssh | live". */
static char listed[8][256];
static int n_listed, n_wanted;

static void
put_words(char *out, size_t size, const char *const *words)
{
	size_t n = strlen(out);

	snprintf(out + n, size - n, "%s", words == NULL ? "-" : "");
	for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
		n = strlen(out);
		snprintf(out + n, size - n, "%s%s", i > 0 ? " " : "", words[i]);
	}
}

static bool
take(void *context, const struct rjwt_issued *token)
{
	char *out = listed[n_listed];
	size_t size = sizeof(listed[0]);

	assert_ptr_equal(context, listed);
	assert_true(n_listed < 8);
	snprintf(out, size, "%s: ", token->user);
	put_words(out, size, token->scope);
	snprintf(out + strlen(out), size - strlen(out), " | ");
	put_words(out, size, token->audience);
	snprintf(out + strlen(out), size - strlen(out), " |");
	for (size_t i = 0; i < token->nuses; i++) {
		assert_true(token->uses[i].at_s > 0);
		snprintf(out + strlen(out), size - strlen(out), " %s", token->uses[i].scope);
		if (token->most != 1)
			snprintf(out + strlen(out), size - strlen(out), ":%d/%d", (int)token->uses[i].times,
			    (int)token->most);
	}
	snprintf(out + strlen(out), size - strlen(out), " | %s%s%s%s%s%s%s", token->live ? "live" : "dead",
	    token->revoked ? " revoked" : "", token->once ? " once" : "", token->here ? " here" : "", token->by,
	    token->why[0] == '\0' ? "" : " why ", token->why);
	n_listed++;
	return n_listed < n_wanted;
}

static void
list(struct fixture *f, int most)
{
	n_listed = 0;
	n_wanted = most;
	want("list", rjwt_list(f->h, take, listed, &f->diag), RJWT_OK);
}

/* Exactly these, in any order. */
static void
check(struct fixture *f, const char *const *expected, int n)
{
	list(f, 8);
	assert_int_equal(n_listed, n);
	for (int i = 0; i < n; i++) {
		int found = 0;

		for (int k = 0; k < n; k++)
			found += strcmp(listed[k], expected[i]) == 0;
		if (found != 1)
			fail_msg("%s: %d times; first %s", expected[i], found, listed[0]);
	}
}

static struct rjwt_token
mint(struct fixture *f, struct rjwt_request request)
{
	struct rjwt_token token;

	want("mint", rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
	return token;
}

/* One that is known by its record alone. */
static void
mint_one(struct fixture *f, struct rjwt_request request)
{
	struct rjwt_token token = mint(f, request);

	rjwt_token_clear(&token);
}

static const char *const two[] = { "ssh", "sudo", NULL }, *const elsewhere[] = { "other.example", NULL },
			 *const both[] = { "other.example", "host.example", NULL };

/* A one-time token is live until each of its scopes was spent. */
static void
test_uses(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear)
	struct rjwt_token token =
	    mint(f, (struct rjwt_request){ .user = "alice", .scope = two, .by = "bob (sudo)", .why = "ticket 4711" });

	check(f, (const char *[]){ "alice: ssh sudo | host.example | | live once herebob (sudo) why ticket 4711" }, 1);
	want("ssh", judge_as(f, token.text, "alice", "sshd", 0, NULL), RJWT_OK);
	check(f, (const char *[]){ "alice: ssh sudo | host.example | ssh | live once herebob (sudo) why ticket 4711" },
	    1);
	want("sudo", judge_as(f, token.text, "alice", "sudo", RJWT_DRY_RUN, NULL), RJWT_OK);
	want("sudo", judge_as(f, token.text, "alice", "sudo", 0, NULL), RJWT_OK);
	check(f,
	    (const char *[]){ "alice: ssh sudo | host.example | ssh sudo | dead once herebob (sudo) why ticket 4711" },
	    1);
	want("spent", judge_as(f, token.text, "alice", "sudo", 0, NULL), RJWT_SPENT);
}

/* One with a number of uses is live until each of its scopes had them. */
static void
test_few_uses(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear)
	struct rjwt_token token = mint(f, (struct rjwt_request){ .user = "alice", .scope = two, .uses = 2 });

	check(f, (const char *[]){ "alice: ssh sudo | host.example | | live here" }, 1);
	want("ssh", judge_as(f, token.text, "alice", "sshd", 0, NULL), RJWT_OK);
	check(f, (const char *[]){ "alice: ssh sudo | host.example | ssh:1/2 | live here" }, 1);
	want("sudo", judge_as(f, token.text, "alice", "sudo", 0, NULL), RJWT_OK);
	check(f, (const char *[]){ "alice: ssh sudo | host.example | ssh:1/2 sudo:1/2 | live here" }, 1);
	want("sudo", judge_as(f, token.text, "alice", "sudo", 0, NULL), RJWT_OK);
	want("ssh", judge_as(f, token.text, "alice", "sshd", 0, NULL), RJWT_OK);
	check(f, (const char *[]){ "alice: ssh sudo | host.example | ssh:2/2 sudo:2/2 | dead here" }, 1);
	fixture_config(f, "one_time: always\n");
	check(f, (const char *[]){ "alice: ssh sudo | host.example | ssh sudo | dead here" }, 1);
}

/* A token for a group of hosts is not over when this one has spent it. */
static void
test_group(void **state)
{
	struct fixture *f = *state;
	static const char *const group[] = { "@web", NULL }, *const here[] = { "host.example", NULL };
	RJWT_CLEAN(rjwt_token_clear)
	struct rjwt_token all = mint(f, (struct rjwt_request){ .user = "alice", .audience = group });
	RJWT_CLEAN(rjwt_token_clear)
	struct rjwt_token one = mint(f, (struct rjwt_request){ .user = "bob", .audience = here });

	want("not of the group", judge_as(f, all.text, "alice", "sshd", 0, NULL), RJWT_AUDIENCE);
	fixture_config(f, "audience: \"@web\"\n");
	want("alice", judge_as(f, all.text, "alice", "sshd", 0, NULL), RJWT_OK);
	want("bob", judge_as(f, one.text, "bob", "sshd", 0, NULL), RJWT_OK);
	check(f,
	    (const char *[]){ "alice: ssh | @web | ssh | live once here",
		"bob: ssh | host.example | ssh | dead once here" },
	    2);
}

/* Of what another host may take as well, this one does not know the end. */
static void
test_hosts(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear)
	struct rjwt_token any = mint(f, (struct rjwt_request){ .user = "dora", .audience = both });
	RJWT_CLEAN(rjwt_token_clear)
	struct rjwt_token reusable = mint(f, (struct rjwt_request){ .user = "carol", .reusable = true });

	mint_one(f, (struct rjwt_request){ .user = "ed", .audience = elsewhere });
	want("dora", judge_as(f, any.text, "dora", "sshd", 0, NULL), RJWT_OK);
	want("carol", judge_as(f, reusable.text, "carol", "sshd", 0, NULL), RJWT_OK);
	check(f,
	    (const char *[]){ "ed: ssh | other.example | | live once",
		"dora: ssh | other.example host.example | ssh | live once here",
		"carol: ssh | host.example | | live here" },
	    3);
	list(f, 1); /* ends when it is told to */
	assert_int_equal(n_listed, 1);
}

static void
take_back(struct fixture *f, struct rjwt_revocation r)
{
	struct rjwt_change change;

	want("revoke", rjwt_revoke(f->h, &r, 0, &change, &f->diag), RJWT_OK);
}

static void
test_revoked(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token a = mint(f, (struct rjwt_request){ .user = "a" });
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token c = mint(f, (struct rjwt_request){ .user = "c" });

	mint_one(f, (struct rjwt_request){ .user = "b" });
	take_back(f, (struct rjwt_revocation){ .jti = a.jti });
	take_back(f, (struct rjwt_revocation){ .users = (const char *const[]){ "b", NULL } });
	check(f,
	    (const char *[]){ "a: ssh | host.example | | dead revoked once here",
		"b: ssh | host.example | | dead revoked once here", "c: ssh | host.example | | live once here" },
	    3);
	take_back(f, (struct rjwt_revocation){ .kid = c.kid });
	list(f, 8);
	for (int i = 0; i < 3; i++)
		assert_non_null(strstr(listed[i], "dead revoked"));
}

/* A token is listed until its exp and the leeway are over. */
static void
test_end(void **state)
{
	struct fixture *f = *state;
	const int64_t lifetime_s = 60;
	RJWT_CLEAN(rjwt_token_clear)
	struct rjwt_token token = mint(f, (struct rjwt_request){ .user = "alice", .lifetime_s = &lifetime_s });

	clock_time.wall_s = token.exp_s + 29;
	list(f, 8);
	assert_int_equal(n_listed, 1);
	clock_time.wall_s = token.exp_s + 30;
	list(f, 8);
	assert_int_equal(n_listed, 0);
}

/* Records of 0.1.0 have neither issuer nor audience; a damaged line is passed over, and hides no other. */
static void
test_records(void **state)
{
	static const char lines[] =
	    "{\"sub\":\"old\",\"jti\":\"j\",\"kid\":\"B.1\",\"iat\":1,\"nbf\":2,\"exp\":1800000100,"
	    "\"scope\":[\"ssh\"],\"once\":true}\n"
	    "{\"sub\":\"cut\",\"jti\":\"k\",\"kid\n"
	    "{\"sub\":1,\"jti\":\"k\",\"kid\":\"B.1\",\"exp\":1800000100,\"once\":true}\n"
	    "{\"sub\":\"a\",\"jti\":\"k\",\"kid\":\"B.1\",\"exp\":\"1800000100\",\"once\":true}\n"
	    "{\"sub\":\"a\",\"jti\":\"k\",\"kid\":\"B.1\",\"exp\":1800000100,\"once\":1}\n"
	    "{\"sub\":\"a\",\"jti\":\"k\",\"kid\":\"B.1\",\"exp\":1800000100,\"uses\":1000000000}\n"
	    "{\"sub\":\"base\",\"jti\":\"k\",\"kid\":\"C.1\",\"exp\":1800000100,\"once\":true}\n"
	    "{\"sub\":\"least\",\"jti\":\"k\",\"kid\":\"B.2\",\"exp\":1800000100}\n";
	struct fixture *f = *state;

	want("record", rjwt_list(f->h, take, listed, &f->diag), RJWT_OK);
	file_put(f, "issued/500000", VIEW(lines));
	check(f, (const char *[]){ "old: ssh | - | | live once", "least: - | - | | live" }, 2);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_uses), T(test_few_uses), T(test_hosts), T(test_group),
		T(test_revoked), T(test_end), T(test_records) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
