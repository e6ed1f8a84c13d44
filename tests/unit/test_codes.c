/* SPDX-License-Identifier: MIT */
/* Codes that live longer than a token may: renewed, used once, revoked, ended. */
#include "fixture.h"
#include "base/file.h"
#include "base/hash.h"
#include "keyset/parked.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_S 86400
#define CODES "codes: [ssh, sudo]\n"

static const char *const ssh[] = { "ssh", NULL }, *const sudo[] = { "sudo", NULL }, *const su[] = { "su", NULL },
			 *const both[] = { "ssh", "sudo", NULL };

static int
setup(void **state)
{
	*state = fixture_new(CODES);
	return 0;
}

static void
pass_time(int64_t s)
{
	clock_time.wall_s += s;
	clock_time.boot_s += s;
}

static struct rjwt_token
code_for(struct fixture *f, const char *user, int64_t days)
{
	const struct rjwt_request request = { .user = user,
		.scope = ssh,
		.by = "root",
		.code_until_s = clock_time.wall_s + days * DAY_S,
		.flags = RJWT_PARK };
	struct rjwt_token token;

	want("code", rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
	return token;
}

/* What typing a code comes to: RJWT_EMPTY if there is none of it. */
static enum rjwt_err
type(struct fixture *f, const char *code, const char *user, int flags)
{
	RJWT_CLEAN(free_clean) char *token = NULL;

	want("look up", rjwt_parked(f->h, code, strlen(code), &token, &f->diag), RJWT_OK);
	return token == NULL ? RJWT_EMPTY : judge_as(f, token, user, "sshd", flags, NULL);
}

static char *
path_of(const struct fixture *f, const char *code)
{
	static char path[400];
	char plain[PARKED_CODE_SIZE], hex[DIGEST_HEX];

	assert_true(parked_code(view_of(code), plain));
	want("name", digest_hex(view_of(plain), hex), RJWT_OK);
	snprintf(path, sizeof(path), "%s/private/parked/%s", f->state, hex);
	return path;
}

/* As the daemon: wake when something is due, at the latest after a day, for so many days. */
static void
live(struct fixture *f, const struct rjwt_token *code, int64_t days)
{
	int64_t end_s = clock_time.wall_s + days * DAY_S;
	struct rjwt_change change;

	while (clock_time.wall_s < end_s) {
		int64_t wait_s;

		want("tick", rjwt_maintain(f->h, 0, &change, &f->diag), RJWT_OK);
		assert_string_equal(change.warning, "");
		want("valid", type(f, code->code, "alice", RJWT_DRY_RUN), RJWT_OK);
		wait_s = change.next_event_s - clock_time.wall_s;
		assert_true(wait_s > 0);
		pass_time(wait_s < DAY_S ? wait_s : DAY_S);
		want("until the next", type(f, code->code, "alice", RJWT_DRY_RUN), RJWT_OK);
	}
}

/* Through 60 days and as many rotations it works at any time, and once. Its tokens live longer than an hour, to save time. */
static void
test_sixty_days(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token code = { 0 };
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token used = { 0 };
	char kid[RJWT_ID_SIZE];
	const char *alg;

	fixture_config(f, CODES "max_lifetime: 8h\n");
	code = code_for(f, "alice", 61);
	used = code_for(f, "alice", 61);
	want("used", type(f, used.code, "alice", 0), RJWT_OK);
	live(f, &code, 60);
	assert_int_not_equal(access(path_of(f, used.code), F_OK), 0);
	want("key", rjwt_current_key(f->h, kid, &alg, NULL), RJWT_OK);
	assert_true(strtol(strchr(kid, '.') + 1, NULL, 10) >= 58);
	want("bob", type(f, code.code, "bob", 0), RJWT_USER);
	want("first", type(f, code.code, "alice", 0), RJWT_OK);
	want("second", type(f, code.code, "alice", 0), RJWT_SPENT);
	(void)tick(f);
	want("gone", type(f, code.code, "alice", 0), RJWT_EMPTY);
}

/* It ends when it should: neither a login, nor the keeper, makes more of it. */
static void
test_end(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token code = code_for(f, "alice", 2);

	live(f, &code, 2);
	pass_time(30);
	want("over", type(f, code.code, "alice", 0), RJWT_EXPIRED);
	(void)tick(f);
	want("gone", type(f, code.code, "alice", 0), RJWT_EMPTY);
}

/* A host that was off: the next start renews, whatever has expired meanwhile. */
static void
test_off(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token code = code_for(f, "alice", 300);
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token used = code_for(f, "alice", 300);

	want("used", type(f, used.code, "alice", 0), RJWT_OK);
	clock_time.wall_s += 100 * DAY_S;
	clock_time.boot_s = 20;
	snprintf(clock_time.boot_id, sizeof(clock_time.boot_id), "%s", "another-boot");
	want("off", type(f, code.code, "alice", RJWT_DRY_RUN), RJWT_EXPIRED);
	(void)tick(f);
	want("used", type(f, used.code, "alice", 0), RJWT_EMPTY);
	live(f, &code, 3);
	want("on", type(f, code.code, "alice", 0), RJWT_OK);
}

static void
take_back(struct fixture *f, struct rjwt_revocation revocation)
{
	struct rjwt_change change;

	want("revoke", rjwt_revoke(f->h, &revocation, 0, &change, &f->diag), RJWT_OK);
}

/* What was revoked is gone, and what was not works: also after renewals by later keys. */
static void
test_revoked(void **state)
{
	static const char *const alice[] = { "alice", NULL };
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token one = code_for(f, "alice", 100);
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token two = code_for(f, "alice", 100);
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token bob = code_for(f, "bob", 100);
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token late = { 0 };
	struct rjwt_change change;
	char kid[RJWT_ID_SIZE];
	const char *alg;

	live(f, &two, 3);
	take_back(f, (struct rjwt_revocation){ .jti = one.jti });
	want("jti", type(f, one.code, "alice", 0), RJWT_EMPTY);
	live(f, &two, 3);
	take_back(f, (struct rjwt_revocation){ .users = alice });
	want("sub", type(f, two.code, "alice", 0), RJWT_EMPTY);
	want("bob", type(f, bob.code, "bob", RJWT_DRY_RUN), RJWT_OK);
	late = code_for(f, "alice", 100);
	live(f, &late, 3);
	want("kid", rjwt_current_key(f->h, kid, &alg, NULL), RJWT_OK);
	take_back(f, (struct rjwt_revocation){ .kid = kid });
	want("kid", type(f, late.code, "alice", 0), RJWT_EMPTY);
	rjwt_token_clear(&late);
	late = code_for(f, "alice", 100);
	take_back(f, (struct rjwt_revocation){ .all = true });
	want("all", type(f, late.code, "alice", 0), RJWT_EMPTY);
	want("all", type(f, bob.code, "bob", 0), RJWT_EMPTY);
	rjwt_token_clear(&late);
	late = code_for(f, "alice", 100);
	want("compromised", rjwt_rotate(f->h, RJWT_COMPROMISED, &change, &f->diag), RJWT_OK);
	want("compromised", type(f, late.code, "alice", 0), RJWT_EMPTY);
}

/* A file that is put back after its code was used or revoked, as from a backup, is not renewed. */
static void
test_put_back(void **state)
{
	static const char *const ways[] = { "used", "jti", "sub" }, *const alice[] = { "alice", NULL };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		RJWT_CLEAN(rjwt_token_clear) struct rjwt_token code = code_for(f, "alice", 100);
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };
		char name[128];

		snprintf(name, sizeof(name), "%s", strstr(path_of(f, code.code), "private/"));
		text = file_get(f, name);
		if (i == 0)
			want(ways[i], type(f, code.code, "alice", 0), RJWT_OK);
		else if (i == 1)
			take_back(f, (struct rjwt_revocation){ .jti = code.jti });
		else
			take_back(f, (struct rjwt_revocation){ .users = alice });
		pass_time(1900);
		(void)tick(f);
		assert_false(file_there(f, name));
		for (int day = 0; day < 5; day++) {
			file_put(f, name, buf_view(&text));
			assert_int_equal(chmod(path_of(f, code.code), 0600), 0);
			pass_time(DAY_S / 2);
			(void)tick(f);
			assert_false(file_there(f, name));
			want(ways[i], type(f, code.code, "alice", 0), RJWT_EMPTY);
		}
	}
}

/* A login that holds the old token while it is replaced by one of a later key: one of both gets in. */
static void
test_stopped_login(void **state)
{
	struct fixture *f = *state;

	for (int first = 0; first < 2; first++) {
		RJWT_CLEAN(rjwt_token_clear) struct rjwt_token code = code_for(f, "alice", 100);
		RJWT_CLEAN(free_clean) char *held = NULL;
		struct rjwt_change change;

		want("held", rjwt_parked(f->h, code.code, strlen(code.code), &held, &f->diag), RJWT_OK);
		pass_time(1000);
		want("rotate", rjwt_rotate(f->h, 0, &change, &f->diag), RJWT_OK);
		if (first == 1)
			want("first", judge_as(f, held, "alice", "sshd", 0, NULL), RJWT_OK);
		pass_time(900);
		(void)tick(f);
		want("held", judge_as(f, held, "alice", "sshd", 0, NULL), RJWT_SPENT);
		want("code", type(f, code.code, "alice", 0), first == 1 ? RJWT_EMPTY : RJWT_OK);
	}
}

/* A crash after the mark and before the file: the next pass goes on, and takes the mark for what it is. */
static void
test_crash(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token code = code_for(f, "alice", 100);
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_change change;
	char name[128];

	snprintf(name, sizeof(name), "%s", strstr(path_of(f, code.code), "private/"));
	text = file_get(f, name);
	pass_time(1700);
	want("rotate", rjwt_rotate(f->h, 0, &change, &f->diag), RJWT_OK);
	pass_time(1800);
	(void)tick(f);
	file_put(f, name, buf_view(&text));
	assert_int_equal(chmod(path_of(f, code.code), 0600), 0);
	file_put(f, "private/parked/.new.0123", VIEW("1"));
	want("between", type(f, code.code, "alice", RJWT_DRY_RUN), RJWT_SPENT);
	(void)tick(f);
	assert_false(file_there(f, "private/parked/.new.0123"));
	want("after", type(f, code.code, "alice", 0), RJWT_OK);
	want("once", type(f, code.code, "alice", 0), RJWT_SPENT);
}

/* While the clock is suspect nothing is renewed, and nothing ends. */
static void
test_clock(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token code = code_for(f, "alice", 100);

	clock_time.wall_s += 200 * DAY_S;
	(void)tick(f);
	want("forward", type(f, code.code, "alice", RJWT_DRY_RUN), RJWT_EXPIRED);
	(void)tick(f);
	clock_time.wall_s -= 200 * DAY_S;
	(void)tick(f);
	for (int i = 0; i < 20; i++) {
		pass_time(600);
		(void)tick(f);
	}
	want("believed", type(f, code.code, "alice", 0), RJWT_OK);
}

/* What the configuration no longer names is not renewed; what is no code of this kind is left alone. */
static void
test_not_named(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token code = code_for(f, "alice", 100);
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token other = { 0 };

	want("short", rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice", .flags = RJWT_PARK }, &other, &f->diag),
	    RJWT_OK);
	(void)tick(f);
	want("short", type(f, other.code, "alice", 0), RJWT_OK);
	fixture_config(f, "codes: su\n");
	want("reopen", fixture_reopen(f), RJWT_OK);
	pass_time(1900);
	(void)tick(f);
	pass_time(1900);
	want("not named", type(f, code.code, "alice", 0), RJWT_EXPIRED);
}

/* The count of a key includes the tokens of its codes. */
static void
test_counted(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token code = { 0 };

	fixture_config(f, CODES "max_tokens_per_key: 3\n");
	want("reopen", fixture_reopen(f), RJWT_OK);
	code = code_for(f, "alice", 30);
	live(f, &code, 2);
	want("code", type(f, code.code, "alice", 0), RJWT_OK);
}

static void
test_requests(void **state)
{
	static const int64_t lifetime_s = 60;
	const int64_t day_s = clock_time.wall_s + DAY_S;
	const struct {
		struct rjwt_request request;
		enum rjwt_err code;
	} rows[] = { { { .scope = ssh, .flags = RJWT_PARK, .code_until_s = day_s }, RJWT_OK },
		{ { .scope = sudo, .flags = RJWT_PARK, .code_until_s = day_s }, RJWT_OK },
		{ { .scope = su, .flags = RJWT_PARK, .code_until_s = day_s }, RJWT_SCOPE },
		{ { .scope = both, .flags = RJWT_PARK, .code_until_s = day_s }, RJWT_SCOPE },
		{ { .flags = RJWT_PARK, .code_until_s = day_s }, RJWT_SCOPE },
		{ { .scope = ssh, .code_until_s = day_s }, RJWT_USAGE },
		{ { .scope = ssh, .flags = RJWT_PARK, .code_until_s = day_s, .reusable = true }, RJWT_USAGE },
		{ { .scope = ssh, .flags = RJWT_PARK, .code_until_s = day_s, .lifetime_s = &lifetime_s }, RJWT_USAGE },
		{ { .scope = ssh, .flags = RJWT_PARK, .code_until_s = day_s, .not_before_s = 1 }, RJWT_USAGE },
		{ { .scope = ssh, .flags = RJWT_PARK, .code_until_s = -1 }, RJWT_LIFETIME },
		{ { .scope = ssh, .flags = RJWT_PARK, .code_until_s = day_s - DAY_S }, RJWT_LIFETIME },
		{ { .scope = ssh, .flags = RJWT_PARK, .code_until_s = day_s - DAY_S + RJWT_CODE_MAX }, RJWT_OK },
		{ { .scope = ssh, .flags = RJWT_PARK, .code_until_s = day_s - DAY_S + RJWT_CODE_MAX + 1 },
		    RJWT_LIFETIME } };
	struct fixture *f = *state;
	struct rjwt_token token;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rjwt_request request = rows[i].request;
		char name[32];

		request.user = "alice";
		snprintf(name, sizeof(name), "row %zu", i);
		want(name, rjwt_mint(f->h, &request, &token, &f->diag), rows[i].code);
		if (rows[i].code == RJWT_OK)
			rjwt_token_clear(&token);
	}
	/* Without the key there are none. */
	fixture_config(f, "");
	want("reopen", fixture_reopen(f), RJWT_OK);
	want("none",
	    rjwt_mint(f->h,
		&(struct rjwt_request){ .user = "alice", .scope = ssh, .flags = RJWT_PARK, .code_until_s = day_s },
		&token, &f->diag),
	    RJWT_SCOPE);
}

struct seen {
	char text[512];
};

static bool
see(void *context, const struct rjwt_issued *token)
{
	struct seen *seen = context;
	size_t n = strlen(seen->text);

	if (token->live)
		snprintf(seen->text + n, sizeof(seen->text) - n, "%s %s %s by %s until %lld%s\n", token->jti,
		    token->user, token->scope[0], token->by, (long long)token->exp_s, token->code ? " code" : "");
	return true;
}

/* The list has each code once, until its end, also when the record of its first token is gone. */
static void
test_list(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token code = code_for(f, "alice", 10);
	char expected[256];

	snprintf(expected, sizeof(expected), "%s alice ssh by root until %lld code\n", code.jti,
	    (long long)clock_time.wall_s + 10 * DAY_S);
	for (int i = 0; i < 3; i++) {
		struct seen seen = { "" };

		want("list", rjwt_list(f->h, see, &seen, &f->diag), RJWT_OK);
		assert_string_equal(seen.text, expected);
		live(f, &code, 2);
	}
	want("code", type(f, code.code, "alice", 0), RJWT_OK);
	for (int i = 0; i < 2; i++) {
		struct seen seen = { "" };

		want("list", rjwt_list(f->h, see, &seen, &f->diag), RJWT_OK);
		assert_string_equal(seen.text, "");
		(void)tick(f);
	}
}

/* Where codes could not be looked at, the marks stay that say whether one was used: or it would be taken for used up. */
static void
test_marks_stay(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token code = code_for(f, "alice", 300);
	struct rjwt_change change;
	char path[300];

	(void)rotate(f);
	pass_time(2 * DAY_S); /* B.1 has expired, and the clock is settled */
	snprintf(path, sizeof(path), "%s/private/parked/.new.x", f->state);
	assert_int_equal(mkdir(path, 0700), 0); /* is no file that could be removed */
	change = tick(f);
	assert_non_null(strstr(change.warning, "cannot renew codes: "));
	assert_int_equal(keyset_get(f).floor, 1);
	assert_int_equal(rmdir(path), 0);
	change = tick(f);
	assert_string_equal(change.warning, "");
	assert_int_equal(keyset_get(f).floor, 2); /* its token is another key's now */
	want("it works", type(f, code.code, "alice", 0), RJWT_OK);
}

/* A key that still verifies is not forgotten for a code of a later one. */
static void
test_older_keys_stay(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token code = { 0 };

	(void)rotate(f);
	code = code_for(f, "alice", 300);
	pass_time(2 * 3600);
	assert_true(tick(f).any); /* renewed */
	assert_int_equal(keyset_get(f).floor, 1);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_sixty_days), T(test_end), T(test_off), T(test_revoked),
		T(test_put_back), T(test_stopped_login), T(test_crash), T(test_clock), T(test_not_named),
		T(test_counted), T(test_requests), T(test_list), T(test_marks_stay), T(test_older_keys_stay) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
