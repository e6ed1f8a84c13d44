/* SPDX-License-Identifier: MIT */
/* Marks of what is revoked and the record of what was minted: found, held, removed when nothing needs them any more. */
#include "marks_world.h"
#include "jose/claims.h"
#include "base/file.h"
#include "keyset/issued.h"
#include "keyset/marks.h"
#include "keyset/marks_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A mark's name, as rjwt.h's digest_name() gives it. */
static const char *
mark_path(const char *folder, const char *of)
{
	static char path[160];
	char hex[DIGEST_HEX];
	struct view part = view_of(of);

	want("name", digest_name(&part, 1, hex), RJWT_OK);
	snprintf(path, sizeof(path), "%s/%s", folder, hex);
	return path;
}

static void
test_revoked(void **state)
{
	struct fixture *f = *state;
	struct claims a = claims_of("i", "alice", "1"), anonymous = claims_of("i", "alice", NULL);
	static const struct {
		const char *folder, *of, *text;
		int64_t version;
		enum rjwt_err err;
	} rows[] = {
		{ "revoked/jti", "2", "9\n", 5, RJWT_OK },
		{ "revoked/jti", "1", "9\n", 5, RJWT_REVOKED },
		{ "revoked/jti", "1", "1", 5, RJWT_REVOKED }, /* for pruning alone */
		{ "revoked/sub", "bob", "9\n", 5, RJWT_OK },
		{ "revoked/sub", "alice", "5\n", 5, RJWT_REVOKED },
		{ "revoked/sub", "alice", "5\n", 4, RJWT_REVOKED },
		{ "revoked/sub", "alice", "5\n", 6, RJWT_OK },
		{ "revoked/sub", "alice", "", 6, RJWT_REVOKED }, /* torn */
		{ "revoked/sub", "alice", "5", 6, RJWT_REVOKED },
		{ "revoked/sub", "alice", "05\n", 6, RJWT_REVOKED },
		{ "revoked/sub", "alice", "-1\n", 6, RJWT_REVOKED },
	};
	RJWT_CLEAN(opened_close) struct opened o = open_marks(f);
	char path[256];

	want("none", mark_revoked(&o.marks, 1, &a, NULL), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		file_put(f, mark_path(rows[i].folder, rows[i].of), view_of(rows[i].text));
		want(rows[i].of, mark_revoked(&o.marks, rows[i].version, &a, NULL), rows[i].err);
		snprintf(path, sizeof(path), "%s/%s", f->state, mark_path(rows[i].folder, rows[i].of));
		assert_int_equal(unlink(path), 0);
	}
	file_put(f, mark_path("revoked/jti", ""), VIEW("9"));
	want("no jti", mark_revoked(&o.marks, 5, &anonymous, NULL), RJWT_OK);
	/* A mark that cannot be read is no permission. */
	snprintf(path, sizeof(path), "%s/%s", f->state, mark_path("revoked/sub", "alice"));
	assert_int_equal(symlink("/dev/null", path), 0);
	want("a link", mark_revoked(&o.marks, 5, &a, NULL), RJWT_KEYSET);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/revoked/sub", f->state);
	assert_int_equal(rmdir(path), 0);
	marks_close(&o.marks); /* as after a commit */
	want("no folder", mark_revoked(&o.marks, 5, &a, NULL), RJWT_IO);
	assert_int_equal(mkdir(path, 0755), 0);
	want("another folder", mark_revoked(&o.marks, 5, &a, NULL), RJWT_OK);
	file_put(f, mark_path("revoked/sub", "alice"), VIEW("5\n"));
	want("a mark in it", mark_revoked(&o.marks, 5, &a, NULL), RJWT_REVOKED);
}

/* Directories are held while keyset.json is the same; another one may come with it, and then those are looked into. */
static void
test_revoked_in_other_folders(void **state)
{
	static const char *const kinds[] = { "jti", "sub" };
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);

	for (size_t i = 0; i < 2; i++) {
		char path[256], moved[256], folder[32];

		want("good", judge(f, token, 0, NULL), RJWT_OK);
		snprintf(path, sizeof(path), "%s/revoked/%s", f->state, kinds[i]);
		snprintf(moved, sizeof(moved), "%s/revoked/was-%s", f->state, kinds[i]);
		assert_int_equal(rename(path, moved), 0);
		tick(f); /* nothing is due, and it continues as it is */
		keyset_put(f, &(struct keyset[]){ keyset_get(f) }[0]);
		want("gone", judge(f, token, 0, NULL), RJWT_IO);
		assert_int_equal(mkdir(path, 0775), 0);
		assert_int_equal(chmod(path, 0775), 0);
		want("open to others", judge(f, token, 0, NULL), RJWT_KEYSET);
		assert_int_equal(chmod(path, 0755), 0);
		want("there", judge(f, token, 0, NULL), RJWT_OK);
		snprintf(folder, sizeof(folder), "revoked/%s", kinds[i]);
		file_put(f, mark_path(folder, i == 0 ? "a1" : "alice"), VIEW("9\n"));
		want("revoked", judge(f, token, 0, NULL), RJWT_REVOKED);
		file_gone(f, mark_path(folder, i == 0 ? "a1" : "alice"));
	}
}

static int
open_files(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* A process that lives for years looks for as many marks. */
static void
test_folders_are_held(void **state)
{
	struct fixture *f = *state;
	struct claims a = claims_of("i", "alice", "1");
	RJWT_CLEAN(opened_close) struct opened o = open_marks(f);
	int before;

	want("none", mark_revoked(&o.marks, 1, &a, NULL), RJWT_OK);
	before = open_files();
	want("none", mark_revoked(&o.marks, 1, &a, NULL), RJWT_OK);
	assert_int_equal(open_files(), before);
}

#define ISSUED "{\"sub\":\"alice\",\"jti\":\"j\",\"kid\":\"B.1\",\"iat\":1,\"nbf\":2,\"exp\":3,\"scope\":"

/* Each token that was minted, for people to read. */
static void
test_issued(void **state)
{
	struct fixture *f = *state;
	const struct rjwt_token token = { .kid = "B.1", .jti = "j", .iat_s = 1, .nbf_s = 2, .exp_s = 3, .once = true };
	const struct rjwt_request wide = { .user = "alice",
		.scope = (const char *const[]){ "ssh", "su", NULL },
		.issuer = "i",
		.audience = (const char *const[]){ "h", NULL },
		.by = "bob",
		.why = "a \"reason\"\n" },
				  none = { .user = "alice" };
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf lines = { 0 };
	RJWT_CLEAN(buf_clear) struct buf there = { 0 };
	int before = open_files();

	issued_line(&lines, &token, &wide);
	issued_line(&lines, &token, &none);
	assert_string_equal(lines.p,
	    ISSUED "[\"ssh\",\"su\"],\"once\":true,\"iss\":\"i\",\"aud\":[\"h\"],"
		   "\"by\":\"bob\",\"why\":\"a \\\"reason\\\"\\\\x0a\"}\n" ISSUED "[],\"once\":true,\"aud\":[]}\n");
	want("state", dir_open(f->state, &dir, NULL), RJWT_OK);
	want("no memory", issued_add(&dir, T0, &(struct buf){ .failed = true }, NULL), RJWT_MEMORY);
	assert_false(file_there(f, "issued/500000"));
	errno = ENOENT; /* of something else */
	want("issued", issued_add(&dir, T0, &lines, NULL), RJWT_OK);
	dir_close(&dir);
	assert_int_equal(open_files(), before);
	there = file_get(f, "issued/500000");
	assert_string_equal(there.p, lines.p);
}

/* A mark goes when floor has passed its version, and never by a clock. */
static void
test_prune(void **state)
{
	static const struct {
		const char *name, *text;
		bool by_floor; /* removed with floor 3; issued: by the hour */
	} files[] = { { "revoked/jti/a", "2\n", true }, { "revoked/jti/b", "3\n", false },
		{ "revoked/jti/c", "torn", false }, { "revoked/jti/.new.d", "", true },
		{ "revoked/sub/a", "2\n", true }, { "revoked/sub/b", "3\n", false },
		{ "revoked/sub/c", "2", false }, /* torn: it may have been 27 */
		{ "spent/2/x", "", true }, { "spent/3/x", "", false }, { "spent/note", "", false },
		{ "issued/499997", "", true }, { "issued/499998", "", true }, { "issued/499999", "", false },
		{ "issued/500000", "", false }, { "issued/note", "", false } };
	struct fixture *f = *state;
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	char path[256], moved[256];

	want("state", dir_open(f->state, &dir, NULL), RJWT_OK);
	for (int version = 2; version < 4; version++) {
		snprintf(path, sizeof(path), "%s/spent/%d", f->state, version);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		file_put(f, files[i].name, view_of(files[i].text));
	want("nothing", marks_prune(&dir, 1, true, NULL), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		assert_true(file_there(f, files[i].name) == !strstr(files[i].name, ".new."));
	want("hours", issued_prune(&dir, T0, NULL), RJWT_OK); /* T0 is hour 500000 */
	want("floor", marks_prune(&dir, 3, true, NULL), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (file_there(f, files[i].name) == files[i].by_floor)
			fail_msg("%s", files[i].name);
	assert_false(file_there(f, "spent/2"));
	/* A clean-up that was cut short: as long as something of a lower version is spent there may be more. */
	file_put(f, "revoked/jti/a", VIEW("2\n"));
	want("nothing found", marks_prune(&dir, 3, false, NULL), RJWT_OK);
	assert_true(file_there(f, "revoked/jti/a"));
	snprintf(path, sizeof(path), "%s/spent/1", f->state);
	assert_int_equal(mkdir(path, 0700), 0);
	want("found", marks_prune(&dir, 3, false, NULL), RJWT_OK);
	assert_false(file_there(f, "revoked/jti/a"));
	snprintf(path, sizeof(path), "%s/issued", f->state);
	assert_int_equal(chmod(path, 0777), 0);
	want("others could write", issued_prune(&dir, T0, NULL), RJWT_KEYSET);
	snprintf(moved, sizeof(moved), "%s/was-issued", f->state);
	assert_int_equal(rename(path, moved), 0);
	want("gone", issued_prune(&dir, T0, NULL), RJWT_OK);
}

static int unlink_errno; /* of a directory; 0: what the system says */

int __real_unlinkat(int fd, const char *path, int flags);
int __wrap_unlinkat(int fd, const char *path, int flags);

int
__wrap_unlinkat(int fd, const char *path, int flags)
{
	if (unlink_errno == 0 || flags != AT_REMOVEDIR)
		return __real_unlinkat(fd, path, flags);
	errno = unlink_errno;
	return -1;
}

/* A directory that another took away, or in which a login has just put a mark, prevents nobody. */
static void
test_prune_races(void **state)
{
	static const struct {
		int error;
		enum rjwt_err err;
	} rows[] = { { ENOENT, RJWT_OK }, { ENOTEMPTY, RJWT_OK }, { EACCES, RJWT_IO } };
	struct fixture *f = *state;
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	char path[256];

	want("state", dir_open(f->state, &dir, NULL), RJWT_OK);
	snprintf(path, sizeof(path), "%s/spent/2", f->state);
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unlink_errno = rows[i].error;
		want(strerror(rows[i].error), marks_prune(&dir, 3, true, NULL), rows[i].err);
	}
	unlink_errno = 0;
	want("at last", marks_prune(&dir, 3, true, NULL), RJWT_OK);
	assert_false(file_there(f, "spent/2"));
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_folders_are_held), T(test_issued), T(test_revoked),
		T(test_revoked_in_other_folders), T(test_prune), T(test_prune_races) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
