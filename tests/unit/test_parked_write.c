/* SPDX-License-Identifier: MIT */
/* The files of codes: what is made and removed, with whose rights, and each call of ours failing. */
#include "folder.h"
#include "keyset/codes.h"
#include "keyset/parked_write.h"

#include "failing.h"

#define NOW_S 1800000000
#define LEEWAY_S RJWT_LEEWAY_MAX

static int
begin_parked(void **state)
{
	if (begin(state) != 0)
		return -1;
	make("private", 0700);
	return 0;
}

static bool
is_there(const char *name)
{
	char full[128];

	snprintf(full, sizeof(full), "private/parked/%s", name);
	return faccessat(folder.fd, full, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
put_file(const char *name, const char *text, int64_t mtime_s)
{
	const struct timespec times[2] = { { .tv_sec = mtime_s }, { .tv_sec = mtime_s } };
	char full[128];

	snprintf(full, sizeof(full), "private/parked/%s", name);
	put(full, text, 0600);
	assert_int_equal(utimensat(folder.fd, full, times, 0), 0);
}

/* The directory is made once, and what has expired goes. */
static void
test_begin(void **state)
{
	char old[64];

	(void)state;
	EXPECT("the first", parked_begin(&folder, NOW_S, NULL), RJWT_OK);
	assert_int_equal(mode_of("private/parked"), 0700);
	snprintf(old, sizeof(old), "%d\na.b.c\n", NOW_S - LEEWAY_S);
	put_file("old", old, NOW_S);
	EXPECT("the next", parked_begin(&folder, NOW_S, NULL), RJWT_OK);
	assert_false(is_there("old"));
	assert_int_equal(rmdir(at("private/parked")), 0);
	put("private/parked", "", 0600);
	EXPECT("a file", parked_begin(&folder, NOW_S, NULL), RJWT_KEYSET);
	assert_int_equal(unlink(at("private/parked")), 0);
	assert_int_equal(rmdir(at("private")), 0);
	EXPECT("no private/", parked_begin(&folder, NOW_S, NULL), RJWT_IO);
}

static void
test_put(void **state)
{
	char code[PARKED_CODE_SIZE], other[PARKED_CODE_SIZE], read[PARKED_CODE_SIZE], name[DIGEST_HEX], full[128];
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };

	(void)state;
	EXPECT("no directory", parked_put(&folder, VIEW("1\na.b.c\n"), code, NULL), RJWT_IO);
	EXPECT("begin", parked_begin(&folder, NOW_S, NULL), RJWT_OK);
	EXPECT("put", parked_put(&folder, VIEW("1800000300\na.b.c\n"), code, NULL), RJWT_OK);
	assert_true(parked_code(view_of(code), read));
	assert_string_equal(read, code);
	EXPECT("name", digest_hex(view_of(code), name), RJWT_OK);
	snprintf(full, sizeof(full), "private/parked/%s", name);
	assert_int_equal(mode_of(full), 0600);
	EXPECT("find", parked_find(&folder, code, &token, NULL), RJWT_OK);
	assert_true(view_is(buf_view(&token), "a.b.c"));
	EXPECT("another", parked_put(&folder, VIEW("1800000300\na.b.c\n"), other, NULL), RJWT_OK);
	assert_string_not_equal(other, code);
}

/* Every character comes up, and none that is not of the alphabet. */
static void
test_codes(void **state)
{
	unsigned seen[128] = { 0 };
	char code[PARKED_CODE_SIZE];

	(void)state;
	EXPECT("begin", parked_begin(&folder, NOW_S, NULL), RJWT_OK);
	for (int i = 0; i < 64; i++) { /* 1024 characters: one of 32 stays away in 1 of 10^12 runs */
		EXPECT("put", parked_put(&folder, VIEW("1\na.b.c\n"), code, NULL), RJWT_OK);
		assert_int_equal(strlen(code), PARKED_CODE);
		for (const char *c = code; *c != '\0'; c++) {
			assert_non_null(strchr(parked_alphabet, *c));
			seen[(unsigned char)*c]++;
		}
	}
	for (const char *c = parked_alphabet; *c != '\0'; c++)
		CHECK(c, seen[(unsigned char)*c] > 0);
}

/* A second early or late each. What is damaged has the time of its file alone. */
static void
test_prune(void **state)
{
	static const struct {
		const char *name, *text;
		int64_t mtime_s, until_s; /* until: when it may go */
	} rows[] = { { "good", "1800000000\na.b.c\n", 0, 1800000000 + LEEWAY_S },
		{ "good-and-old", "1800000000\na.b.c\n", 1, 1800000000 + LEEWAY_S },
		{ "torn", "1800000000\na.b", 1800000100, 1800000100 + 3600 },
		{ "empty", "", 1800000100, 1800000100 + 3600 } };

	(void)state;
	EXPECT("no directory", parked_prune(&folder, NOW_S, NULL), RJWT_OK);
	EXPECT("begin", parked_begin(&folder, NOW_S, NULL), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put_file(rows[i].name, rows[i].text, rows[i].mtime_s);
		EXPECT(rows[i].name, parked_prune(&folder, rows[i].until_s - 1, NULL), RJWT_OK);
		CHECK(rows[i].name, is_there(rows[i].name));
		EXPECT(rows[i].name, parked_prune(&folder, rows[i].until_s, NULL), RJWT_OK);
		CHECK(rows[i].name, !is_there(rows[i].name));
	}
}

/* What nobody parked: a directory stays, whatever its age; a link goes as a torn file does, and not what it leads to. */
static void
test_prune_others(void **state)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	(void)state;
	EXPECT("begin", parked_begin(&folder, NOW_S, NULL), RJWT_OK);
	make("private/parked/folder", 0700);
	assert_int_equal(utimensat(folder.fd, "private/parked/folder", times, 0), 0);
	put("elsewhere", "kept", 0600);
	assert_int_equal(symlink("../../elsewhere", at("private/parked/link")), 0);
	assert_int_equal(utimensat(folder.fd, "private/parked/link", times, AT_SYMLINK_NOFOLLOW), 0);
	EXPECT("prune", parked_prune(&folder, NOW_S, NULL), RJWT_OK);
	assert_true(is_there("folder"));
	assert_false(is_there("link"));
	assert_int_equal(access(at("elsewhere"), F_OK), 0);
	assert_int_equal(rmdir(at("private/parked/folder")), 0);
	assert_int_equal(rmdir(at("private/parked")), 0);
	put("private/parked", "", 0600);
	EXPECT("a file", parked_prune(&folder, NOW_S, NULL), RJWT_KEYSET);
}

/* A code that has ended, with what it takes to sign its token anew, or without. */
static void
put_code(bool renewed)
{
	const struct rjwt_request request = { .user = "alice" };
	struct rjwt_token token = { .text = (char[]){ "a.b.c" },
		.len = 5,
		.exp_s = 1,
		.scope = (char[]){ "ssh" },
		.claims = (char[]){ "{\"iss\":\"i\",\"jti\":\"j\"}" } };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	EXPECT("format", code_format(&token, &request, "login+jwt", 1, renewed, &text), RJWT_OK);
	put_file("code", text.p, 1);
}

/* One that is renewed is ended by codes_renew.c. */
static void
test_prune_renewed(void **state)
{
	(void)state;
	EXPECT("begin", parked_begin(&folder, NOW_S, NULL), RJWT_OK);
	for (int renewed = 0; renewed < 2; renewed++) {
		put_code(renewed == 1);
		EXPECT("prune", parked_prune(&folder, NOW_S, NULL), RJWT_OK);
		assert_int_equal(is_there("code"), renewed);
	}
}

/* --- every call ------------------------------------------------------------------------------- */

static enum rjwt_err
begin_again(void)
{
	return parked_begin(&folder, NOW_S, NULL);
}

static enum rjwt_err
put_one(void)
{
	char code[PARKED_CODE_SIZE];

	return parked_put(&folder, VIEW("1800000300\na.b.c\n"), code, NULL);
}

static enum rjwt_err
prune_one(void)
{
	put_file("old", "1\na.b.c\n", 1);
	return parked_prune(&folder, NOW_S, NULL);
}

static bool
no_name(unsigned k, enum rjwt_err err)
{
	(void)k;
	if (strstr(failing_name, "EVP_Q_digest") != NULL)
		EXPECT("no name", err, RJWT_INTERNAL);
	return false;
}

/* A file that cannot be looked at stays for the next time, and one that cannot be read is torn. */
static bool
of_one_file(unsigned k, enum rjwt_err err)
{
	static const char *const never[] = { "fdopendir", "readdir", "unlinkat" };
	bool may = k > 8; /* calls that open the directory */

	(void)no_name(k, err);
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		may = may && strcmp(failing_name, never[i]) != 0;
	return may;
}

static void
test_failing(void **state)
{
	(void)state;
	EXPECT("begin", parked_begin(&folder, NOW_S, NULL), RJWT_OK);
	failing_every("begin", begin_again, no_name);
	failing_every("put", put_one, no_name);
	failing_every("prune", prune_one, of_one_file);
}

/* Who types a code gets its token, or hears that something failed; or it is handed on as a password, where it cannot be read. */
static void
test_failing_find(void **state)
{
	char code[PARKED_CODE_SIZE];
	unsigned told = 0, missing = 0;
	enum rjwt_err err;

	(void)state;
	EXPECT("begin", parked_begin(&folder, NOW_S, NULL), RJWT_OK);
	EXPECT("put", parked_put(&folder, VIEW("1800000300\na.b.c\n"), code, NULL), RJWT_OK);
	for (unsigned k = 1;; k++) {
		RJWT_CLEAN(buf_clear) struct buf token = { 0 };

		failing_begin(k);
		err = parked_find(&folder, code, &token, NULL);
		if (!failing_end()) {
			EXPECT("nothing fails", err, RJWT_OK);
			assert_string_equal(token.p, "a.b.c");
			break;
		}
		CHECK(failing_name, err != RJWT_OK || token.n == 0 || strcmp(token.p, "a.b.c") == 0);
		if (strstr(failing_name, "EVP_Q_digest") != NULL)
			EXPECT("no name", err, RJWT_INTERNAL);
		told += err != RJWT_OK;
		missing += err == RJWT_OK && token.n == 0;
		CHECK(failing_name, err == RJWT_OK || err == RJWT_MEMORY || err == RJWT_INTERNAL);
	}
	assert_true(told >= 2 && missing >= 2);
}

/* One that works, or will once it is signed anew, is not taken for a torn one, whatever fails. */
static void
test_failing_keeps(void **state)
{
	(void)state;
	EXPECT("begin", parked_begin(&folder, NOW_S, NULL), RJWT_OK);
	put_file("live", "1800000000\na.b.c\n", 1);
	put_code(true);
	for (unsigned k = 1;; k++) {
		enum rjwt_err err;

		failing_begin(k);
		err = parked_prune(&folder, NOW_S, NULL);
		if (!failing_end()) {
			EXPECT("nothing fails", err, RJWT_OK);
			break;
		}
		CHECK(failing_name, is_there("live") && is_there("code"));
	}
}

#define P(test) cmocka_unit_test_setup_teardown(test, begin_parked, end)

int
main(void)
{
	const struct CMUnitTest tests[] = { P(test_begin), P(test_put), P(test_codes), P(test_prune),
		P(test_prune_others), P(test_prune_renewed), P(test_failing), P(test_failing_keeps),
		P(test_failing_find) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
