/* SPDX-License-Identifier: MIT */
#include "folder.h"
#include "base/file_write.h"

#include <sys/wait.h>

/* sudo hands on the umask of whoever calls it. */
static void
exact_modes_under_any_umask(void **state)
{
	static const unsigned masks[] = { 0, 022, 077, 0777 }, modes[] = { 0600, 0644, 0640, 0700 };
	struct rjwt_diag diag;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(masks); i++)
		for (size_t k = 0; k < ARRAY_LEN(modes); k++) {
			RJWT_CLEAN(buf_clear) struct buf name = { 0 };

			umask((mode_t)masks[i]);
			buf_addf(&name, "a%zu%zu", i, k);
			EXPECT("create", file_create(&folder, name.p, modes[k], VIEW("x"), &diag), RJWT_OK);
			assert_int_equal(mode_of(name.p), modes[k]);
			EXPECT("write", file_write(&folder, name.p, 0604, VIEW("y"), NULL, &diag), RJWT_OK);
			assert_int_equal(mode_of(name.p), 0604);
			buf_adds(&name, "n");
			EXPECT("append", file_append(&folder, name.p, VIEW("x"), FILE_MAKE, NULL, &diag), RJWT_OK);
			assert_int_equal(mode_of(name.p), 0600);
		}
}

static void
folders_made_under_any_umask(void **state)
{
	static const unsigned masks[] = { 0, 022, 077, 0777 }, modes[] = { 0700, 0755, 0711 };
	struct rjwt_diag diag = { .text = "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(masks); i++)
		for (size_t k = 0; k < ARRAY_LEN(modes); k++) {
			const char name[] = { 'd', (char)('0' + i), (char)('0' + k), '\0' };

			umask((mode_t)masks[i]);
			EXPECT(diag.text, dir_make(&folder, name, modes[k], &diag), RJWT_OK);
			assert_int_equal(mode_of(name), modes[k]);
			EXPECT("again", dir_make(&folder, name, modes[k], &diag), RJWT_OK);
			EXPECT("usable", opening(name, &diag), RJWT_OK);
		}
}

/* Whoever made it may have been killed between mkdir(2) and chmod(2), under a stranger's umask. */
static void
folders_that_are_there(void **state)
{
	static const struct {
		unsigned there, wanted;
	} rows[] = { { 0700, 0700 }, { 0, 0700 }, { 0100, 0700 }, { 0755, 0700 }, { 0777, 0700 }, { 0700, 0755 },
		{ 0, 0755 }, { 0775, 0755 }, { 01777, 0755 }, { 02755, 0755 } };
	struct rjwt_diag diag = { .text = "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf name = { 0 };

		buf_addf(&name, "d%zu", i);
		make(name.p, 0700);
		assert_int_equal(chmod(at(name.p), rows[i].there), 0);
		umask(0777);
		EXPECT(diag.text, dir_make(&folder, name.p, rows[i].wanted, &diag), RJWT_OK);
		umask(022);
		assert_int_equal(mode_of(name.p), rows[i].wanted);
		EXPECT("usable", opening(name.p, &diag), RJWT_OK);
	}
	/* What is no directory is left alone: whoever opens it finds that out. */
	put("file", "x", 0640);
	EXPECT("a file", dir_make(&folder, "file", 0700, &diag), RJWT_OK);
	assert_int_equal(mode_of("file"), 0640);
	assert_int_equal(symlink("file", at("link")), 0);
	EXPECT("a link", dir_make(&folder, "link", 0700, &diag), RJWT_OK);
	assert_int_equal(mode_of("file"), 0640);
	/* A stranger's too: below a sticky directory he could put a link in its place meanwhile. */
	make("theirs", 0755);
	if (give("theirs", STRANGER)) {
		EXPECT("a stranger's", dir_make(&folder, "theirs", 0700, &diag), RJWT_OK);
		assert_int_equal(mode_of("theirs"), 0755);
		assert_true(give("theirs", geteuid()));
	}
}

static void
writing_replaces_the_whole(void **state)
{
	const struct timespec mtime = { 1795471200, 123456789 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct stat status, other;
	struct rjwt_diag diag;

	(void)state;
	put("file", "a long text that was there before", 0644);
	EXPECT("write", file_write(&folder, "file", 0600, VIEW("a\0b"), &mtime, &diag), RJWT_OK);
	EXPECT("read", file_read(&folder, "file", 100, &text, &status, &diag), RJWT_OK);
	assert_true(view_eq(buf_view(&text), VIEW("a\0b")));
	assert_int_equal(status.st_mtim.tv_sec, mtime.tv_sec);
	assert_int_equal(status.st_mtim.tv_nsec, mtime.tv_nsec);
	EXPECT("write", file_write(&folder, "file", 0600, VIEW("c"), NULL, &diag), RJWT_OK);
	EXPECT("read", file_read(&folder, "file", 100, &text, &other, &diag), RJWT_OK);
	assert_true(view_is(buf_view(&text), "c"));
	assert_int_not_equal(status.st_ino, other.st_ino);
	EXPECT("new", file_write(&folder, "new", 0600, VIEW(""), NULL, &diag), RJWT_OK);
	make("sub", 0700);
	EXPECT("over a folder", file_write(&folder, "sub", 0600, VIEW("x"), NULL, &diag), RJWT_IO);
	assert_int_equal(access(at(FILE_TEMPORARY "sub"), F_OK), -1);
}

static void
leftovers_of_a_crash(void **state)
{
	struct rjwt_diag diag;

	(void)state;
	put("victim", "text", 0600);
	put(FILE_TEMPORARY "one", "half", 0666);
	assert_int_equal(symlink("victim", at(FILE_TEMPORARY "two")), 0);
	EXPECT("one", file_write(&folder, "one", 0600, VIEW("whole"), NULL, &diag), RJWT_OK);
	EXPECT("two", file_write(&folder, "two", 0600, VIEW("whole"), NULL, &diag), RJWT_OK);
	EXPECT("one", reading("one", 5, &diag), RJWT_OK);
	assert_int_equal(mode_of("one"), 0600);
	EXPECT("victim", reading("victim", 4, &diag), RJWT_OK);
	assert_int_equal(access(at(FILE_TEMPORARY "one"), F_OK), -1);
	assert_int_equal(access(at(FILE_TEMPORARY "two"), F_OK), -1);
	make(FILE_TEMPORARY "three", 0700);
	EXPECT("three", file_write(&folder, "three", 0600, VIEW("x"), NULL, &diag), RJWT_IO);
}

static void
creating_what_is_there(void **state)
{
	struct rjwt_diag diag;

	(void)state;
	put("file", "text", 0600);
	EXPECT("exists", file_create(&folder, "file", 0600, VIEW("longer"), &diag), RJWT_EXISTS);
	assert_string_equal(diag.path, at("file"));
	EXPECT("untouched", reading("file", 4, &diag), RJWT_OK);
	EXPECT("another", file_create(&folder, "file2", 0600, VIEW("longer"), &diag), RJWT_OK);
	EXPECT("no folder", file_create(&folder, "none/file", 0600, VIEW("x"), &diag), RJWT_IO);
}

static void
appends_are_numbered(void **state)
{
	struct rjwt_diag diag;
	uint64_t end_at = 0;

	(void)state;
	EXPECT("1", file_append(&folder, "log", VIEW("x"), FILE_MAKE, &end_at, &diag), RJWT_OK);
	assert_int_equal(end_at, 1);
	EXPECT("2", file_append(&folder, "log", VIEW("yz"), FILE_DURABLE, &end_at, &diag), RJWT_OK);
	assert_int_equal(end_at, 3);
	EXPECT("3", file_append(&folder, "log", VIEW("!"), 0, NULL, NULL), RJWT_OK);
	EXPECT("4", reading("log", 4, &diag), RJWT_OK);
	put("open", "", 0644);
	EXPECT("made private", file_append(&folder, "open", VIEW("x"), 0, NULL, &diag), RJWT_OK);
	assert_int_equal(mode_of("open"), 0600);
	put("shared", "", 0660);
	EXPECT("shared", file_append(&folder, "shared", VIEW("x"), 0, NULL, &diag), RJWT_KEYSET);
}

/* Eight processes at once: no number is given twice, none is left out. */
static void
appends_of_many(void **state)
{
	enum { MANY = 8, EACH = 200 };
	static char seen[MANY * EACH + 1];
	int ends[2];
	uint64_t end_at;

	(void)state;
	memset(seen, 0, sizeof(seen));
	put("log", "", 0600);
	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < MANY; i++) {
		if (fork() != 0)
			continue;
		for (int k = 0; k < EACH; k++)
			if (file_append(&folder, "log", VIEW("x"), 0, &end_at, NULL) != RJWT_OK ||
			    write(ends[1], &end_at, sizeof(end_at)) != sizeof(end_at))
				_exit(1);
		_exit(0);
	}
	close(ends[1]);
	while (read(ends[0], &end_at, sizeof(end_at)) == sizeof(end_at)) {
		assert_in_range(end_at, 1, MANY * EACH);
		assert_int_equal(seen[end_at]++, 0);
	}
	close(ends[0]);
	for (int i = 0, status; i < MANY; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	for (size_t i = 1; i < sizeof(seen); i++)
		assert_int_equal(seen[i], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(exact_modes_under_any_umask),
		BOTH(folders_made_under_any_umask),
		BOTH(folders_that_are_there),
		BOTH(writing_replaces_the_whole),
		BOTH(leftovers_of_a_crash),
		BOTH(creating_what_is_there),
		BOTH(appends_are_numbered),
		BOTH(appends_of_many),
	};

	alarm(600);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
