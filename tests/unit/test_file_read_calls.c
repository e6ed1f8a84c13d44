/* SPDX-License-Identifier: MIT */
/* file.h where one call to the system fails, is interrupted or does a part, or another changes what is being read. */
#include "folder.h"
#include "base/file_private.h"
#include "base/file_write.h"

#include "planned.h"

static void
grow(void)
{
	FILE *file = fopen(at("file"), "a");

	fputs("more", file);
	fclose(file);
}

static void
shrink(void)
{
	assert_int_equal(truncate(at("file"), 1), 0);
}

static void
empty(void)
{
	assert_int_equal(truncate(at("file"), 0), 0);
}

struct reading {
	const char *call;
	unsigned turn;
	int error;
	void (*instead)(void);
	enum rjwt_err wanted;
	const char *says;
};

/* Both ways to read a file: what is not whole is not given, and what was there before stays. */
static void
judge_reading(const struct reading *row, bool foreign)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_diag diag = { 0 };
	char name[sizeof(path)];
	enum rjwt_err err;

	buf_adds(&text, "kept");
	put("file", "text", 0600);
	snprintf(name, sizeof(name), "%s", at("file"));
	fails(row->call, row->turn, row->error);
	plan.instead = row->instead;
	err =
	    foreign ? file_read_foreign(name, 100, &text, &diag) : file_read(&folder, "file", 100, &text, NULL, &diag);
	CHECK(row->call, failed());
	EXPECT(row->call, err, row->wanted);
	CHECK(row->call, view_is(buf_view(&text), err == RJWT_OK ? "text" : "kept"));
	if (row->says != NULL &&
	    (strncmp(diag.text, row->says, strlen(row->says)) != 0 || strcmp(diag.path, name) != 0))
		fail_msg("%s: %s: \"%s\"", row->call, diag.path, diag.text);
}

static void
reading_calls(void **state)
{
	static const struct reading both[] = { { "fstat", 1, EIO, NULL, RJWT_IO, "cannot read" },
		{ "read", 1, EIO, NULL, RJWT_IO, "cannot read" }, { "read", 2, EIO, NULL, RJWT_IO, "cannot read" },
		{ "read", 1, EINTR, NULL, RJWT_OK, NULL }, { "read", 1, ENOSPC, NULL, RJWT_OK, NULL },
		{ "read", 1, 0, grow, RJWT_KEYSET, "changed while being read" },
		{ "read", 1, 0, shrink, RJWT_KEYSET, "changed while being read" },
		{ "read", 1, 0, empty, RJWT_KEYSET, "changed while being read" },
		{ "malloc", 1, ENOMEM, NULL, RJWT_MEMORY, NULL } };
	static const struct reading ours[] = { { "openat", 1, EIO, NULL, RJWT_IO, "cannot read" },
		{ "openat", 1, ENXIO, NULL, RJWT_KEYSET, "not a regular file" },
		{ "openat", 1, ELOOP, NULL, RJWT_KEYSET, "is a symbolic link" } };
	static const struct reading foreign[] = { { "open", 1, EIO, NULL, RJWT_IO, "cannot read" },
		{ "open", 1, ENXIO, NULL, RJWT_KEYSET, "not a regular file" },
		{ "open", 1, ELOOP, NULL, RJWT_KEYSET, "not a regular file" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		judge_reading(&both[i], false);
		judge_reading(&both[i], true);
	}
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		judge_reading(&ours[i], false);
		judge_reading(&foreign[i], true);
	}
}

/* What anybody may have written: any mode and owner, but a regular file with one name. */
static void
foreign_files(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_diag diag;
	char name[sizeof(path)], other[sizeof(path)];

	(void)state;
	snprintf(other, sizeof(other), "%s", at("other"));
	put("file", "text", 0666);
	snprintf(name, sizeof(name), "%s", at("file"));
	EXPECT("4 of 4", file_read_foreign(name, 4, &text, &diag), RJWT_OK);
	assert_string_equal(text.p, "text");
	EXPECT("4 of 3", file_read_foreign(name, 3, &text, &diag), RJWT_KEYSET);
	assert_string_equal(diag.text, "too large");
	assert_int_equal(link(name, other), 0);
	EXPECT("two names", file_read_foreign(name, 4, &text, &diag), RJWT_KEYSET);
	assert_string_equal(diag.text, "has more than one name (hard links are not read)");
	assert_int_equal(unlink(other), 0);
	EXPECT("one", file_read_foreign(name, 4, &text, &diag), RJWT_OK);
	assert_int_equal(symlink(name, other), 0);
	EXPECT("a link", file_read_foreign(other, 4, &text, &diag), RJWT_KEYSET);
	assert_string_equal(diag.text, "not a regular file");
	EXPECT("missing", file_read_foreign(at("none"), 4, &text, &diag), RJWT_IO);
	assert_int_equal(diag.errnum, ENOENT);
	EXPECT("a folder", file_read_foreign(folder.path, 100000, &text, &diag), RJWT_KEYSET);
	assert_string_equal(diag.text, "not a regular file");
	assert_string_equal(text.p, "text");
}

/* --- directories ------------------------------------------------------------------------------ */

static enum rjwt_err
do_open(struct rjwt_diag *diag)
{
	struct dir dir = DIR_NONE;
	enum rjwt_err err = dir_open(folder.path, &dir, diag);

	CHECK("open", (dir.fd >= 0) == (err == RJWT_OK));
	dir_close(&dir);
	return err;
}

static enum rjwt_err
do_open_here(struct rjwt_diag *diag)
{
	struct dir dir = DIR_NONE;
	enum rjwt_err err = dir_open("there", &dir, diag);

	dir_close(&dir);
	return err;
}

static enum rjwt_err
do_make(struct rjwt_diag *diag)
{
	return dir_make(&folder, "sub", 0750, diag);
}

static enum rjwt_err
do_make_there(struct rjwt_diag *diag)
{
	return dir_make(&folder, "there", 0711, diag);
}

static enum rjwt_err
one(void *context, const char *name)
{
	(void)context;
	(void)name;
	return RJWT_OK;
}

static enum rjwt_err
do_each(struct rjwt_diag *diag)
{
	return dir_each(&folder, one, NULL, diag);
}

static enum rjwt_err
do_sync(struct rjwt_diag *diag)
{
	return dir_sync(&folder, diag);
}

static void
directories(void **state)
{
	static const struct {
		enum rjwt_err (*work)(struct rjwt_diag *diag);
		const char *call;
		unsigned turn;
		int error;
		enum rjwt_err wanted;
		const char *says;
	} rows[] = { { do_open, "open", 1, EIO, RJWT_IO, "cannot open" },
		{ do_open, "fstat", 1, EIO, RJWT_IO, "cannot open" },
		{ do_open, "openat", 1, EIO, RJWT_IO, "cannot open" },
		{ do_open, "fstat", 2, EIO, RJWT_IO, "cannot open" },
		{ do_open, "openat", 2, ENOTDIR, RJWT_KEYSET, "not a directory" },
		{ do_open, "openat", 2, ELOOP, RJWT_KEYSET, "not a directory" },
		{ do_open, "strdup", 1, ENOMEM, RJWT_MEMORY, NULL },
		{ do_open, "malloc", 1, ENOMEM, RJWT_MEMORY, NULL },
		{ do_open, "malloc", 2, ENOMEM, RJWT_MEMORY, NULL },
		{ do_open_here, "getcwd", 1, ENOENT, RJWT_IO, "cannot find the current directory" },
		{ do_make, "mkdirat", 1, EACCES, RJWT_IO, "cannot create" },
		{ do_make, "fchmodat", 1, EPERM, RJWT_IO, "cannot create" },
		{ do_make, "openat", 1, EIO, RJWT_IO, "cannot create" },
		{ do_make, "fsync", 1, EIO, RJWT_IO, "cannot create" },
		{ do_make, "fsync", 2, EIO, RJWT_IO, "cannot sync to disk" },
		{ do_make_there, "fstatat", 1, EIO, RJWT_IO, "cannot stat" },
		{ do_make_there, "fsync", 1, EIO, RJWT_IO, "cannot sync to disk" },
		{ do_each, "openat", 1, EIO, RJWT_IO, "cannot list" },
		{ do_each, "fdopendir", 1, ENOMEM, RJWT_IO, "cannot list" },
		{ do_each, "readdir", 1, EIO, RJWT_IO, "cannot list" },
		{ do_each, "readdir", 3, EIO, RJWT_IO, "cannot list" },
		{ do_sync, "fsync", 1, EIO, RJWT_IO, "cannot sync to disk" } };

	(void)state;
	make("there", 0711);
	assert_int_equal(chdir(folder.path), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rjwt_diag diag = { 0 };
		char label[64];
		enum rjwt_err err;

		snprintf(label, sizeof(label), "row %zu, %s", i, rows[i].call);
		fails(rows[i].call, rows[i].turn, rows[i].error);
		err = rows[i].work(&diag);
		CHECK(label, failed());
		EXPECT(label, err, rows[i].wanted);
		if (rows[i].says != NULL && strncmp(diag.text, rows[i].says, strlen(rows[i].says)) != 0)
			fail_msg("%s: \"%s\"", label, diag.text);
		CHECK(label, err != RJWT_IO || diag.errnum == rows[i].error);
		if (rows[i].work == do_make)
			(void)rmdir(at("sub"));
		EXPECT(label, rows[i].work(&diag), RJWT_OK);
		if (rows[i].work == do_make)
			assert_int_equal(mode_of("sub"), 0750);
		(void)rmdir(at("sub"));
	}
	assert_int_equal(chdir("/"), 0);
}

/* A path has one slash between its parts, also below /. */
static void
paths(void **state)
{
	struct rjwt_diag diag;
	struct dir dir = DIR_NONE, sub = DIR_NONE;

	(void)state;
	EXPECT("missing", dir_open("//rjwt-none/x", &dir, &diag), RJWT_IO);
	assert_string_equal(diag.path, "/rjwt-none");
	make("sub", 0700);
	EXPECT("a part", dir_open_at(&folder, "sub", &sub, &diag), RJWT_OK);
	assert_string_equal(sub.path, at("sub"));
	dir_close(&sub);
}

/* . on the way is passed over; at the end it is the directory itself, with its rule. */
static void
dots(void **state)
{
	struct dir sub = DIR_NONE;

	(void)state;
	make("sub", 0700);
	EXPECT("on the way", dir_open(at("././sub"), &sub, NULL), RJWT_OK);
	assert_string_equal(sub.path, at("sub"));
	dir_close(&sub);
	EXPECT("at the end", opening("sub/.", NULL), RJWT_OK);
	assert_int_equal(chmod(at("sub"), 01777), 0);
	EXPECT("sticky", opening("sub/.", NULL), RJWT_KEYSET);
}

/* One that can be searched, and not read. */
static void
entered(void **state)
{
	struct dir sub = DIR_NONE;

	(void)state;
	make("sub", 0700);
	make("sub/inner", 0700);
	assert_int_equal(chmod(at("sub"), 0100), 0);
	EXPECT("enter", dir_enter_at(&folder, "sub", &sub, NULL), RJWT_OK);
	dir_close(&sub);
	EXPECT("open", dir_open_at(&folder, "sub", &sub, NULL), geteuid() == 0 ? RJWT_OK : RJWT_IO);
	dir_close(&sub);
	assert_int_equal(chmod(at("sub"), 0700), 0);
}

/* Where standard input is closed a file may be 0; and what errno was before says nothing. */
static void
zero(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char name[sizeof(path)];
	struct dir sub = DIR_NONE;
	int kept = dup(0), n;

	(void)state;
	put("file", "text", 0600);
	snprintf(name, sizeof(name), "%s", at("file"));
	assert_int_equal(close(0), 0);
	for (n = 0; n < 2; n++) {
		errno = n == 0 ? ELOOP : ENXIO;
		EXPECT("file", file_read(&folder, "file", 9, &text, NULL, NULL), RJWT_OK);
		errno = n == 0 ? ELOOP : ENXIO;
		EXPECT("foreign", file_read_foreign(name, 9, &text, NULL), RJWT_OK);
		EXPECT("each", dir_each(&folder, one, NULL, NULL), RJWT_OK);
		EXPECT("open", dir_open(folder.path, &sub, NULL), RJWT_OK);
		dir_close(&sub);
		EXPECT("make", dir_make(&folder, n == 0 ? "a" : "b", 0700, NULL), RJWT_OK);
		errno = n == 0 ? ELOOP : ENOTDIR;
		EXPECT("at", dir_open_at(&folder, "a", &sub, NULL), RJWT_OK);
		dir_close(&sub);
		errno = EEXIST;
		EXPECT("mark", file_mark(&folder, n == 0 ? "c" : "d", NULL), RJWT_OK);
		EXPECT("probe", dir_probe(&folder, 1, NULL), RJWT_OK);
		EXPECT("write", file_write(&folder, "e", 0600, VIEW("x"), NULL, NULL), RJWT_OK);
		EXPECT("append", file_append(&folder, "e", VIEW("x"), 0, NULL, NULL), RJWT_OK);
	}
	errno = ELOOP;
	EXPECT("missing", file_read_foreign("/rjwt-none", 9, &text, NULL), RJWT_IO);
	assert_int_equal(dup2(kept, 0), 0);
	close(kept);
}

/* What the way to a file needs memory for. */
static void
no_memory(void **state)
{
	struct rjwt_diag diag = { 0 };
	struct dir dir = DIR_NONE;
	const char *last;
	enum rjwt_err err;

	(void)state;
	fails("strndup", 1, ENOMEM);
	err = dir_of("/none/file", &dir, &last, &diag);
	assert_true(failed());
	EXPECT("of", err, RJWT_MEMORY);
	fails("strdup", 1, ENOMEM);
	err = dir_of("file", &dir, &last, &diag);
	assert_true(failed());
	EXPECT("of", err, RJWT_MEMORY);
}

/* Who the owner must be depends on who asks, and on what is on the way. */
static void
owners_are_told(void **state)
{
	const struct stat good = { .st_uid = geteuid(), .st_mode = 0755 }, other = { .st_uid = 7, .st_mode = 0755 };
	bool root = geteuid() == 0;
	const char *user = "not owned by root or by the user who runs this";

	(void)state;
	assert_null(file_unsafe(&good, false));
	assert_null(file_unsafe(&(struct stat){ .st_mode = 0755 }, true));
	assert_string_equal(file_unsafe(&other, false), root ? "not owned by root (chown root)" : user);
	assert_string_equal(file_unsafe(&other, true), root ? "not owned by root" : user);
}

/* In su they would get the caller's group; nobody else can choose. */
static void
groups(void **state)
{
	struct stat status;
	const gid_t before = getegid();

	(void)state;
	if (geteuid() != 0)
		return;
	assert_int_equal(setegid(7), 0);
	EXPECT("mark", file_mark(&folder, "mark", NULL), RJWT_OK);
	EXPECT("file", file_write(&folder, "file", 0600, VIEW("x"), NULL, NULL), RJWT_OK);
	EXPECT("folder", dir_make(&folder, "sub", 0700, NULL), RJWT_OK);
	put("caller", "", 0600);
	assert_int_equal(setegid(before), 0);
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = { "mark", "file", "sub", "caller" };

		assert_int_equal(stat(at(names[i]), &status), 0);
		assert_int_equal(status.st_gid, i < 3 ? 0 : 7);
	}
}

static void
same_files(void **state)
{
	const struct stat a = { .st_dev = 1, .st_ino = 2, .st_size = 3, .st_mtim = { 4, 5 } };
	struct stat others[] = { a, a, a, a, a };

	(void)state;
	others[0].st_dev++;
	others[1].st_ino++;
	others[2].st_size++;
	others[3].st_mtim.tv_sec++;
	others[4].st_mtim.tv_nsec++;
	assert_true(file_same(&a, &a));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(file_same(&a, &others[i]) || file_same(&others[i], &a));
}

#define F(test)                               \
	{                                     \
#test, test, begin, end, NULL \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = { F(reading_calls), F(foreign_files), F(directories), BOTH(paths), BOTH(dots),
		BOTH(entered), F(zero), F(no_memory), BOTH(owners_are_told), BOTH(groups), F(same_files) };

	alarm(600);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
