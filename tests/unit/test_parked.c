/* SPDX-License-Identifier: MIT */
/* Short codes: tokens that are parked on this host, and what may be typed in their place. */
#include "fixture.h"
#include "base/file.h"
#include "keyset/codes.h"
#include "keyset/parked_write.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rjwt_token
park_for(struct fixture *f, const char *user)
{
	const struct rjwt_request request = { .user = user, .flags = RJWT_PARK };
	struct rjwt_token token;

	want("mint", rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
	return token;
}

/* What a reply is: a token, to be freed, or NULL. */
static char *
look_up(struct fixture *f, const char *typed, enum rjwt_err code)
{
	char *token = NULL;

	f->diag = (struct rjwt_diag){ 0 };
	want(typed, rjwt_parked(f->h, typed, strlen(typed), &token, &f->diag), code);
	return token;
}

/* The file of a code, below the state directory. */
static const char *
file_of(const char *code)
{
	static char path[128];
	char plain[PARKED_CODE_SIZE], hex[DIGEST_HEX];

	assert_true(parked_code(view_of(code), plain));
	want("name", digest_hex(view_of(plain), hex), RJWT_OK);
	snprintf(path, sizeof(path), "private/parked/%s", hex);
	return path;
}

static char *
full(const struct fixture *f, const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", f->state, name);
	return path;
}

static void
test_form(void **state)
{
	static const struct {
		const char *typed, *code;
	} rows[] = { { "0123-4567-89AB-CDEF", "0123456789ABCDEF" }, { "ghjkmnpqrstvwxyz", "GHJKMNPQRSTVWXYZ" },
		{ " 0123 4567\t89ab--cdef ", "0123456789ABCDEF" }, { "oOiIlL0123456789", "0011110123456789" },
		{ "0-1-2-3-4-5-6-7-8-9-A-B-C-D-E-F-", "0123456789ABCDEF" }, { "0123-4567-89AB-CDE", NULL },
		{ "0123-4567-89AB-CDEFG", NULL }, { "0123-4567-89AB-CDEF-0123-4567", NULL }, { "", NULL },
		{ "----", NULL }, { "0123-4567-89AB-CDEU", NULL }, { "0123-4567-89AB-CDE!", NULL },
		{ "0123-4567-89AB-CDE{", NULL }, { "0123-4567-89AB-CDE`", NULL }, { "0123-4567-89AB-CDE@", NULL },
		{ "0123-4567-89AB-CDE[", NULL }, { "0123-4567-89AB-CDE\n", NULL }, { "0123_4567_89AB_CDEF", NULL },
		{ "0123-4567-89AB-CDE\xc3\x89", NULL }, { "0123.4567.89AB.CDEF", NULL } };
	struct {
		char code[PARKED_CODE_SIZE], behind[16];
	} room = { "", "nothing is here" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (parked_code(view_of(rows[i].typed), room.code) != (rows[i].code != NULL))
			fail_msg("%s", rows[i].typed);
		if (rows[i].code != NULL)
			assert_string_equal(room.code, rows[i].code);
		assert_string_equal(room.behind, "nothing is here");
	}
	assert_false(parked_code((struct view){ "0123456789ABCDE", 16 }, room.code)); /* a NUL */
	assert_int_equal(strlen(parked_alphabet), 32);
}

/* The token is durable before its code is known; it is one-time, and judged as any other. */
static void
test_parked(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = park_for(f, "alice");
	RJWT_CLEAN(free_clean) char *found = look_up(f, token.code, RJWT_OK);
	RJWT_CLEAN(free_clean) char *again = NULL;

	assert_int_equal(strlen(token.code), 19);
	assert_true(token.code[4] == '-' && token.code[9] == '-' && token.code[14] == '-');
	assert_string_equal(found, token.text);
	assert_true(token.once);
	assert_int_equal(file_mode(f, file_of(token.code)), 0600);
	assert_int_equal(file_mode(f, "private/parked"), 0700);
	want("login", judge(f, found, 0, NULL), RJWT_OK);
	want("login", judge(f, found, 0, NULL), RJWT_SPENT);
	again = look_up(f, token.code, RJWT_OK);
	assert_string_equal(again, token.text);
}

static void
test_no_code(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = { 0 };
	char other[sizeof(token.code)], aside[200];

	assert_null(look_up(f, "0123-4567-89AB-CDEF", RJWT_OK)); /* the directory is not there */
	token = park_for(f, "alice");
	assert_null(look_up(f, "0123-4567-89AB-CDEF", RJWT_OK));
	assert_null(look_up(f, "a password", RJWT_OK));
	assert_null(look_up(f, "", RJWT_OK));
	for (size_t i = 0; token.code[i] != '\0'; i++) {
		if (token.code[i] == '-')
			continue;
		memcpy(other, token.code, sizeof(other));
		other[i] = other[i] == '7' ? '8' : '7';
		assert_null(look_up(f, other, RJWT_OK));
	}
	/* Where there is no directory at all what is typed is a password, too. */
	snprintf(aside, sizeof(aside), "%s/private", f->top);
	assert_int_equal(rename(full(f, "private"), aside), 0);
	assert_null(look_up(f, token.code, RJWT_OK));
	assert_int_equal(rename(aside, full(f, "private")), 0);
	free(look_up(f, token.code, RJWT_OK));
}

static void
test_requests(void **state)
{
	static const char *const elsewhere[] = { "other.example", NULL }, *const both[] = { "other.example",
		"host.example", NULL };
	const struct {
		struct rjwt_request request;
		enum rjwt_err code;
	} rows[] = { { { .user = "alice", .reusable = true }, RJWT_USAGE },
		{ { .user = "alice", .uses = 2 }, RJWT_USAGE },
		{ { .user = "alice", .audience = elsewhere }, RJWT_AUDIENCE },
		{ { .user = "alice", .audience = both }, RJWT_OK } };
	struct fixture *f = *state;
	struct rjwt_minted minted[2];
	struct rjwt_request batch[2] = { { .user = "alice" }, { .user = "alice", .flags = RJWT_PARK } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rjwt_request request = rows[i].request;
		struct rjwt_token token;

		want("without", rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
		assert_string_equal(token.code, "");
		rjwt_token_clear(&token);
		request.flags = RJWT_PARK;
		want("with", rjwt_mint(f->h, &request, &token, &f->diag), rows[i].code);
		if (rows[i].code == RJWT_OK)
			rjwt_token_clear(&token);
	}
	want("batch", rjwt_mint_batch(f->h, batch, 2, minted), RJWT_USAGE);
}

/* As other private files: no links, no other kinds, nobody else may write or read them; and the hash is never told. */
static void
test_unsafe(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = park_for(f, "alice");
	RJWT_CLEAN(buf_clear) struct buf text = file_get(f, file_of(token.code));
	static const unsigned modes[] = { 0640, 0604, 0620, 0602, 0666 };
	static const char *const damaged[] = { "", "\n", "x\n", "1800000300\n", "1800000300\n\n", "1800000300\na.b.c",
		"\na.b.c\n", "-1\na.b.c\n", "1800000300\na.b.c\nd\ne\n", "1800000300\na.b.c\nd",
		"1800000300\na.b.c\n\n" };
	char name[128], aside[400];

	snprintf(name, sizeof(name), "%s", file_of(token.code));
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(chmod(full(f, name), modes[i]), 0);
		assert_null(look_up(f, token.code, RJWT_KEYSET));
		assert_non_null(strstr(f->diag.text, "the file of a code was altered, or is unsafe: "));
		assert_null(strstr(f->diag.path, strrchr(name, '/') + 1));
		assert_null(strstr(f->diag.text, strrchr(name, '/') + 1));
	}
	assert_int_equal(chmod(full(f, name), 0600), 0);
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		file_put(f, name, view_of(damaged[i]));
		assert_int_equal(chmod(full(f, name), 0600), 0);
		assert_null(look_up(f, token.code, RJWT_KEYSET));
	}
	file_put(f, name, VIEW("1800000300\na.\0b.c\n"));
	assert_int_equal(chmod(full(f, name), 0600), 0);
	assert_null(look_up(f, token.code, RJWT_KEYSET));
	file_put(f, name, buf_view(&text));
	assert_int_equal(chmod(full(f, name), 0600), 0);
	free(look_up(f, token.code, RJWT_OK));
	snprintf(aside, sizeof(aside), "%s/aside", f->top);
	assert_int_equal(rename(full(f, name), aside), 0);
	assert_int_equal(symlink(aside, full(f, name)), 0);
	assert_null(look_up(f, token.code, RJWT_KEYSET));
	file_gone(f, name);
	assert_int_equal(mkfifo(full(f, name), 0600), 0);
	assert_null(look_up(f, token.code, RJWT_KEYSET));
	file_gone(f, name);
	assert_int_equal(mkdir(full(f, name), 0700), 0);
	assert_null(look_up(f, token.code, RJWT_KEYSET));
	assert_int_equal(rmdir(full(f, name)), 0);
	assert_int_equal(rename(aside, full(f, name)), 0);
	free(look_up(f, token.code, RJWT_OK));
	if (geteuid() == 0) {
		assert_int_equal(chown(full(f, name), 65534, 65534), 0);
		assert_null(look_up(f, token.code, RJWT_KEYSET));
		assert_int_equal(chown(full(f, name), 0, 0), 0);
	}
	/* A directory that others may write, or a link, has no codes: what is typed is a password. */
	assert_int_equal(chmod(full(f, "private/parked"), 0777), 0);
	assert_null(look_up(f, token.code, RJWT_OK));
	assert_int_equal(chmod(full(f, "private/parked"), 0700), 0);
	snprintf(aside, sizeof(aside), "%s/parked", f->top);
	assert_int_equal(rename(full(f, "private/parked"), aside), 0);
	assert_int_equal(symlink(aside, full(f, "private/parked")), 0);
	assert_null(look_up(f, token.code, RJWT_OK));
	assert_int_equal(unlink(full(f, "private/parked")), 0);
	assert_int_equal(rename(aside, full(f, "private/parked")), 0);
	free(look_up(f, token.code, RJWT_OK));
}

/* Whose token it is, and whether it was revoked, is judged as of any other; of another base it opens nothing. */
static void
test_judged(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = park_for(f, "alice");
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token other = park_for(f, "alice");
	RJWT_CLEAN(free_clean) char *found = look_up(f, token.code, RJWT_OK);
	struct rjwt_options options = fixture_options(f);
	struct rjwt_change change;

	assert_string_not_equal(token.code, other.code);
	want("bob", judge_as(f, found, "bob", "sshd", 0, NULL), RJWT_USER);
	want("sudo", judge_as(f, found, "alice", "sudo", 0, NULL), RJWT_SCOPE);
	want("revoke", rjwt_revoke(f->h, &(struct rjwt_revocation){ .jti = token.jti }, 0, &change, &f->diag), RJWT_OK);
	want("revoked", judge(f, found, 0, NULL), RJWT_REVOKED);
	free(found);
	found = look_up(f, other.code, RJWT_OK);
	want("the other", judge(f, found, RJWT_DRY_RUN, NULL), RJWT_OK);
	fixture_config(f, "base_kid: C\n");
	options = fixture_options(f);
	want("adopt", rjwt_init(&options, RJWT_ADOPT, &change, &f->diag), RJWT_OK);
	want("another base", judge(f, found, 0, NULL), RJWT_KEY_UNKNOWN);
}

static void
set_mtime(const struct fixture *f, const char *name, int64_t at_s)
{
	const struct timespec times[2] = { { .tv_sec = at_s }, { .tv_sec = at_s } };

	assert_int_equal(utimensat(AT_FDCWD, full(f, name), times, 0), 0);
}

/* What has expired goes with the next code, and with the keeper's work; what was half written goes after an hour. */
static void
test_pruned(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = park_for(f, "alice");
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token next = { 0 };
	char old[128];

	snprintf(old, sizeof(old), "%s", file_of(token.code));
	clock_time.wall_s = token.exp_s + RJWT_LEEWAY_MAX - 1;
	next = park_for(f, "alice");
	assert_true(file_there(f, old));
	clock_time.wall_s++;
	(void)tick(f);
	assert_false(file_there(f, old));
	assert_true(file_there(f, file_of(next.code)));
	file_put(f, "private/parked/torn", VIEW("1800"));
	set_mtime(f, "private/parked/torn", clock_time.wall_s - 3599);
	(void)tick(f);
	assert_true(file_there(f, "private/parked/torn"));
	set_mtime(f, "private/parked/torn", clock_time.wall_s - 3600);
	(void)tick(f);
	assert_false(file_there(f, "private/parked/torn"));
}

static int
type_code(struct fixture *f, int i)
{
	struct rjwt_options options = fixture_options(f);
	char code[32], *token = NULL;
	char path[200];
	FILE *in;
	enum rjwt_err err;

	(void)i;
	snprintf(path, sizeof(path), "%s/code", f->top);
	in = fopen(path, "re");
	if (in == NULL || fgets(code, sizeof(code), in) == NULL || rjwt_open(&options, &f->h, NULL) != RJWT_OK)
		return 3;
	if (rjwt_parked(f->h, code, strlen(code), &token, NULL) != RJWT_OK || token == NULL)
		return 4;
	err = judge(f, token, 0, NULL);
	return err == RJWT_OK ? 1 : err == RJWT_SPENT ? 0 : 2;
}

/* Of many who type one code at once one gets in. */
static void
test_crowd(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = park_for(f, "alice");
	char path[200];
	FILE *out;

	snprintf(path, sizeof(path), "%s/code", f->top);
	out = fopen(path, "we");
	assert_true(out != NULL && fputs(token.code, out) >= 0 && fclose(out) == 0);
	assert_int_equal(crowd(f, 64, type_code, 1), 1);
	assert_int_equal(crowd(f, 4, type_code, 0), 4);
}

struct record {
	int n;
	char who[64];
};

static enum rjwt_err
see_code(void *context, const char *name, const struct code *code)
{
	struct record *seen = context;

	(void)name;
	seen->n++;
	snprintf(seen->who, sizeof(seen->who), "%.*s %.*s %.*s", (int)code->by.n, code->by.p, (int)code->why.n,
	    code->why.p, (int)code->actor.n, code->actor.p);
	return RJWT_OK;
}

static struct record
records(struct fixture *f, enum rjwt_err code)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	struct record seen = { 0 };

	want("state", dir_open(f->state, &dir, NULL), RJWT_OK);
	want("codes", codes_each(&dir, see_code, &seen, NULL), code);
	return seen;
}

/* The file with another name for the first member of this name in its record. */
static void
rename_member(struct fixture *f, const char *path, struct view text, const char *member)
{
	char *copy = strndup(text.p, text.n), *record, *at;

	assert_non_null(copy);
	record = strchr(strchr(copy, '\n') + 1, '\n');
	at = strstr(record, member);
	assert_non_null(at);
	at[1] = '_';
	file_put(f, path, view_of(copy));
	free(copy);
}

/* What a record has of who made it; and one with a member missing is none: the code is not shown, and not renewed. */
static void
test_records(void **state)
{
	static const char *const needed[] = { "\"user\":", "\"scope\":", "\"kid\":", "\"iat\":", "\"exp\":",
		"\"renewed\":", "\"claims\":", "\"iss\":", "\"jti\":" };
	static const char *const optional[] = { "\"by\":", "\"why\":", "\"act\":" };
	struct fixture *f = *state;
	const struct rjwt_request request = { .user = "alice",
		.by = "root",
		.why = "sealed",
		.actor = "carol",
		.flags = RJWT_PARK };
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = { 0 };
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token other = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char path[128], aside[200];

	assert_int_equal(records(f, RJWT_OK).n, 0);
	want("code", rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
	snprintf(path, sizeof(path), "%s", file_of(token.code));
	text = file_get(f, path);
	assert_string_equal(records(f, RJWT_OK).who, "root sealed carol");
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		rename_member(f, path, buf_view(&text), needed[i]);
		if (records(f, RJWT_OK).n != 0)
			fail_msg("without %s", needed[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(optional); i++) {
		rename_member(f, path, buf_view(&text), optional[i]);
		if (records(f, RJWT_OK).n != 1)
			fail_msg("without %s", optional[i]);
	}
	file_put(f, path, (struct view){ text.p, (size_t)(strchr(strchr(text.p, '\n') + 1, '\n') + 1 - text.p) });
	assert_int_equal(records(f, RJWT_OK).n, 0); /* no record at all */
	file_gone(f, path);
	assert_int_equal(mkdir(full(f, path), 0700), 0);
	assert_int_equal(records(f, RJWT_OK).n, 0);
	assert_int_equal(rmdir(full(f, path)), 0);
	file_put(f, path, buf_view(&text));
	assert_int_equal(records(f, RJWT_OK).n, 1);
	file_put(f, "private/parked/0123456789abcdef", buf_view(&text)); /* no hash of a code */
	assert_int_equal(records(f, RJWT_OK).n, 1);
	other = park_for(f, "bob");
	assert_int_equal(records(f, RJWT_OK).n, 2);
	assert_true(file_has(f, path, "\"by\":") && file_has(f, path, "\"why\":"));
	assert_int_equal(chmod(full(f, "private/parked"), 0777), 0);
	(void)records(f, RJWT_KEYSET);
	assert_int_equal(chmod(full(f, "private/parked"), 0700), 0);
	snprintf(aside, sizeof(aside), "%s/private", f->top);
	assert_int_equal(rename(full(f, "private"), aside), 0);
	(void)records(f, RJWT_IO);
	assert_int_equal(rename(aside, full(f, "private")), 0);
	assert_false(file_has(f, file_of(other.code), "\"by\":") || file_has(f, file_of(other.code), "\"why\":"));
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_form), T(test_parked), T(test_no_code),
		T(test_requests), T(test_unsafe), T(test_judged), T(test_pruned), T(test_crowd), T(test_records) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
