/* SPDX-License-Identifier: MIT */
/*
 * Keysets as earlier versions wrote them (tests/vectors/keyset-1: 0.1.0) verify, mint, rotate and recover; one of a
 * format that this version does not know is refused, and nothing of it changes.
 */
#include "fixture.h"

#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

/* --- a copy of the vector --------------------------------------------------------------------- */

static char from[512];
static const struct fixture *copied;

static void
read_whole(const char *path, struct buf *text)
{
	char some[4096];
	size_t n;
	FILE *file = fopen(path, "r");

	CHECK(path, file != NULL);
	while ((n = fread(some, 1, sizeof(some), file)) > 0)
		buf_add(text, some, n);
	fclose(file);
	EXPECT(path, buf_done(text), RJWT_OK);
}

static void
read_vector(const char *name, struct buf *text)
{
	const char *source = getenv("RJWT_SOURCE");

	snprintf(from, sizeof(from), "%s/tests/vectors/keyset-1/%s", source == NULL ? "." : source, name);
	read_whole(from, text);
}

/* git keeps no modes: these are the ones that rjwt(7) has. */
static bool
is_private(const char *name)
{
	return strncmp(name, "private", 7) == 0 || strncmp(name, "spent", 5) == 0 || strncmp(name, "issued", 6) == 0;
}

static int
copy_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	const char *name = path + strlen(from);
	char to[512];

	(void)status;
	(void)ftw;
	name += name[0] == '/';
	snprintf(to, sizeof(to), "%s/%s", copied->state, name);
	if (type == FTW_D)
		return mkdir(to, 0700) != 0 || chmod(to, is_private(name) ? 0700 : 0755) != 0;
	read_whole(path, &text);
	file_put(copied, name, buf_view(&text));
	return chmod(to, is_private(name) ? 0600 : 0644);
}

static int
setup(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf yaml = { 0 };
	RJWT_CLEAN(buf_clear) struct buf time = { 0 };
	struct fixture *f;
	char *last;

	read_vector("rjwt.yaml", &yaml);
	read_vector("time", &time);
	f = fixture_bare(yaml.p);
	clock_time.wall_s = strtoll(time.p, &last, 10);
	clock_time.wall_s = strtoll(last, NULL, 10); /* when its last token was minted */
	from[strlen(from) - strlen("time")] = '\0';
	memcpy(from + strlen(from), "state", sizeof("state"));
	copied = f;
	assert_int_equal(nftw(from, copy_one, 16, FTW_PHYS), 0);
	fixture_config(f, yaml.p);
	*state = f;
	return 0;
}

/* --- what it must still do -------------------------------------------------------------------- */

/* Each line of tokens: the answer, the user, the service, the token. */
static size_t
check_tokens(struct fixture *f)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	size_t n = 0;
	char *rest, *line;

	read_vector("tokens", &text);
	for (line = strtok_r(text.p, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest), n++) {
		char answer[32], user[32], service[32], token[1024];
		enum rjwt_err err;

		assert_int_equal(sscanf(line, "%31s %31s %31s %1023s", answer, user, service, token), 4);
		err = judge_as(f, token, user, service, RJWT_DRY_RUN, NULL);
		if (strcmp(rjwt_reason(err), answer) != 0)
			fail_msg("line %zu: %s, not %s: %s", n + 1, rjwt_reason(err), answer, f->diag.text);
	}
	return n;
}

static void
test_verdicts(void **state)
{
	struct fixture *f = *state;
	char before[DIGEST_HEX], after[DIGEST_HEX];

	state_digest(f, before);
	assert_int_equal(check_tokens(f), 8);
	state_digest(f, after);
	assert_string_equal(after, before);
}

static void
test_mint_and_spend(void **state)
{
	struct fixture *f = *state;
	struct rjwt_request request = { .user = "dave" };
	struct rjwt_verdict verdict;
	struct rjwt_token token;

	want(f->diag.text, rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
	assert_string_equal(token.kid, "vector-1.4");
	want("first", judge_as(f, token.text, "dave", "sshd", 0, &verdict), RJWT_OK);
	assert_string_equal(verdict.jti, token.jti);
	rjwt_verdict_clear(&verdict);
	want("second", judge_as(f, token.text, "dave", "sshd", 0, NULL), RJWT_SPENT);
	rjwt_token_clear(&token);
	assert_int_equal(check_tokens(f), 8);
}

static void
test_rotate(void **state)
{
	struct fixture *f = *state;
	struct rjwt_change change = rotate(f);
	char *token;

	assert_true(change.rotated);
	assert_string_equal(change.kid, "vector-1.5");
	assert_int_equal(change.retired_version, 4);
	assert_int_equal(change.made_version, 6);
	assert_false(file_there(f, "private/4.key"));
	assert_int_equal(check_tokens(f), 8);
	token = minted(f, "dave");
	want("minted", judge_as(f, token, "dave", "sshd", RJWT_DRY_RUN, NULL), RJWT_OK);
	free(token);
	want("revoke", rjwt_revoke(f->h, &(struct rjwt_revocation){ .all = true }, 0, &change, &f->diag), RJWT_OK);
	assert_int_equal(keyset_get(f).floor, 6);
}

/* A crash after a commit: a retired private key and an old jwks.json are left. */
static void
test_recover(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(buf_clear) struct buf jwks = file_get(f, "jwks.json");
	RJWT_CLEAN(buf_clear) struct buf key = file_get(f, "private/4.key");
	RJWT_CLEAN(buf_clear) struct buf again = { 0 };

	file_put(f, "private/3.key", buf_view(&key));
	file_put(f, "private/3.minted", VIEW("x"));
	file_gone(f, "jwks.json");
	tick(f);
	assert_false(file_there(f, "private/3.key"));
	assert_false(file_there(f, "private/3.minted"));
	again = file_get(f, "jwks.json");
	assert_string_equal(again.p, jwks.p);
	assert_int_equal(check_tokens(f), 8);
}

/* The first writer locks as 0.1.0 does, too, and adds what 0.1.0 did not know. */
static void
test_additions(void **state)
{
	struct fixture *f = *state;
	struct rjwt_options options = fixture_options(f);
	struct rjwt_status status;

	file_put(f, "lock", VIEW(""));
	assert_int_equal(keyset_get(f).revoked, -1);
	tick(f);
	assert_int_equal(keyset_get(f).revoked, 2);
	assert_int_equal(check_tokens(f), 8);
	assert_true(file_mode(f, "revoked/sub") == 0711 && file_there(f, "lock") && file_there(f, "private/lock"));
	want("status", rjwt_status(&options, &status), RJWT_OK);
	assert_int_equal(status.level, RJWT_NOTE);
	rjwt_status_clear(&status);
}

/* --- what it must not touch ------------------------------------------------------------------- */

/* The same keyset with another number for its format, and a sum that fits. */
static void
put_format(const struct fixture *f, const char *format)
{
	RJWT_CLEAN(buf_clear) struct buf text = file_get(f, "keyset.json");
	RJWT_CLEAN(buf_clear) struct buf changed = { 0 };
	char *rest = strstr(text.p, ",\"generation\""), *sum = strstr(text.p, ",\"sum\"");

	assert_true(rest != NULL && sum != NULL);
	buf_addf(&changed, "{\"format\":%s%.*s", format, (int)(sum - rest), rest);
	want("seal", seal_add(&changed), RJWT_OK);
	file_put(f, "keyset.json", buf_view(&changed));
}

static void
expect_refused(struct fixture *f, const char *what, enum rjwt_err err)
{
	want(what, err, RJWT_KEYSET);
	if (strstr(f->diag.text, "format") == NULL || strstr(f->diag.path, "keyset.json") == NULL)
		fail_msg("%s: does not name the format: %s: %s", what, f->diag.path, f->diag.text);
}

/* By a handle that was opened before, and by all that open one. */
static void
refuse_everything(struct fixture *f)
{
	struct rjwt_options options = fixture_options(f);
	struct rjwt_request request = { .user = "dave" };
	struct rjwt_change change;
	struct rjwt_status status;
	struct rjwt_token token;
	struct rjwt *h;

	expect_refused(f, "verify", judge(f, "eyJhbGciOiJFUzI1NiJ9.e30.AAAA", 0, NULL));
	expect_refused(f, "mint", rjwt_mint(f->h, &request, &token, &f->diag));
	expect_refused(f, "rotate", rjwt_rotate(f->h, 0, &change, &f->diag));
	expect_refused(f, "maintain", rjwt_maintain(f->h, 0, &change, &f->diag));
	expect_refused(f, "revoke",
	    rjwt_revoke(f->h, &(struct rjwt_revocation){ .users = (const char *const[]){ "alice", NULL } }, 0, &change,
		&f->diag));
	expect_refused(f, "open", rjwt_open(&options, &h, &f->diag));
	want("init", rjwt_init(&options, 0, &change, &f->diag), RJWT_KEYSET);
	want("status", rjwt_status(&options, &status), RJWT_OK);
	assert_int_equal(status.level, RJWT_BROKEN);
	rjwt_status_clear(&status);
}

static void
test_unknown_format(void **state)
{
	static const char *const formats[] = { "2", "0", "-1", "1.0", "\"1\"", "null" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		char before[DIGEST_HEX], after[DIGEST_HEX];

		put_format(f, formats[i]);
		state_digest(f, before);
		refuse_everything(f);
		state_digest(f, after);
		assert_string_equal(after, before);
	}
	put_format(f, "1"); /* as it was */
	assert_int_equal(check_tokens(f), 8);
	tick(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_verdicts, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_mint_and_spend, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_rotate, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_recover, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_additions, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_unknown_format, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
