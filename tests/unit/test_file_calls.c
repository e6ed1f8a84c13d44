/* SPDX-License-Identifier: MIT */
/*
 * file_write.h, and what file.h makes, where one call to the system fails, is interrupted or does a part: what is said,
 * what is there afterwards, and that a call which is not needed is not made.
 */
#include "folder.h"
#include "base/file_private.h"
#include "base/file_write.h"

#include "planned.h"

#include <sys/resource.h>
#include <sys/statvfs.h>

WRAP(int, renameat2, (int from, const char *old, int to, const char *name, unsigned flags))
{
	return fault_due(FAULT_NAME, "renameat2") ? -1 : __real_renameat2(from, old, to, name, flags);
}

WRAP(int, syncfs, (int fd))
{
	return fault_due(FAULT_SYNC, "syncfs") ? -1 : __real_syncfs(fd);
}

static bool no_disk;		   /* it says nothing */
static const struct statvfs *disk; /* what a file system says of itself; NULL: this one */

WRAP(int, fstatvfs, (int fd, struct statvfs *to))
{
	if (no_disk)
		return -1;
	if (disk == NULL)
		return __real_fstatvfs(fd, to);
	*to = *disk;
	return 0;
}

WRAP(int, faccessat, (int dir, const char *name, int mode, int flags))
{
	return fault_due(FAULT_LOOK, "faccessat") ? -1 : __real_faccessat(dir, name, mode, flags);
}

/* What is in a file; "": there is none. */
static const char *
content(const char *name)
{
	static char text[64];
	FILE *file = fopen(at(name), "r");
	size_t n = file == NULL ? 0 : fread(text, 1, sizeof(text) - 1, file);

	if (file != NULL)
		fclose(file);
	text[n] = '\0';
	return text;
}

static bool
there(const char *name)
{
	return access(at(name), F_OK) == 0;
}

/* One failure of a function: in which call, and what follows. */
struct row {
	const char *call;
	unsigned turn;
	int error;
	enum rjwt_err wanted;
	const char *says;  /* NULL: nothing */
	const char *after; /* what is in the file then; NULL: it is not there */
	bool unmade;	   /* the call is not made */
};

static void
judge_row(const struct row *row, enum rjwt_err err, const struct rjwt_diag *diag, const char *name)
{
	char label[64];

	snprintf(label, sizeof(label), "%s %u, %s", row->call, row->turn, strerrorname_np(row->error));
	CHECK(label, failed() != row->unmade);
	EXPECT(label, err, row->wanted);
	CHECK(label, there(name) == (row->after != NULL));
	CHECK(label, row->after == NULL || strcmp(content(name), row->after) == 0);
	CHECK(label, !there(FILE_TEMPORARY "file"));
	if (row->says == NULL)
		return;
	if (strncmp(diag->text, row->says, strlen(row->says)) != 0)
		fail_msg("%s: \"%s\"", label, diag->text);
	CHECK(label, diag->errnum == (err == RJWT_IO ? row->error : 0));
}

static const struct timespec mtime = { 1795471200, 1 };

static void
replacing(void **state)
{
	static const struct row rows[] = { { "unlinkat", 1, EACCES, RJWT_IO, "cannot remove", "old", false },
		{ "openat", 1, EACCES, RJWT_IO, "cannot write", "old", false },
		{ "fchmod", 1, EPERM, RJWT_IO, "cannot write", "old", false },
		{ "write", 1, EIO, RJWT_IO, "cannot write", "old", false },
		{ "write", 1, EINTR, RJWT_OK, NULL, "new", false },
		{ "write", 1, ENOSPC, RJWT_OK, NULL, "new", false }, /* half at first, the rest then */
		{ "futimens", 1, EPERM, RJWT_IO, "cannot write", "old", false },
		{ "fsync", 1, EIO, RJWT_IO, "cannot write", "old", false },
		{ "renameat", 1, EXDEV, RJWT_IO, "cannot replace", "old", false },
		{ "fsync", 2, EIO, RJWT_IO, "cannot sync to disk", "new", false },
		{ "asprintf", 1, ENOMEM, RJWT_MEMORY, NULL, "old", false },
		{ "fsync", 3, EIO, RJWT_OK, NULL, "new", true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rjwt_diag diag = { 0 };
		enum rjwt_err err;

		put("file", "old", 0600);
		fails(rows[i].call, rows[i].turn, rows[i].error);
		err = file_write(&folder, "file", 0600, VIEW("new"), &mtime, &diag);
		judge_row(&rows[i], err, &diag, "file");
	}
}

/* Not one byte is taken, and no error told: the disk is full. */
static void
nothing_is_taken(void **state)
{
	struct rjwt_diag diag;
	enum rjwt_err err;

	(void)state;
	fails("write", 1, ENOSPC);
	err = file_write(&folder, "file", 0600, VIEW("x"), NULL, &diag);
	assert_true(failed());
	EXPECT("write", err, RJWT_IO);
	assert_int_equal(diag.errnum, ENOSPC);
	assert_false(there("file") || there(FILE_TEMPORARY "file"));
}

static void
without_a_time(void **state)
{
	(void)state;
	fails("futimens", 1, EPERM);
	EXPECT("write", file_write(&folder, "file", 0600, VIEW("x"), NULL, NULL), RJWT_OK);
	assert_false(failed());
}

static void
first_of_two(void **state)
{
	static const struct row rows[] = { { "renameat2", 1, EINVAL, RJWT_IO, "cannot replace", NULL, false },
		{ "fsync", 1, EIO, RJWT_IO, "cannot write", NULL, false },
		{ "fsync", 2, EIO, RJWT_IO, "cannot sync to disk", "new", false },
		{ "renameat", 1, EIO, RJWT_OK, NULL, "new", true } };
	struct rjwt_diag diag = { 0 };

	(void)state;
	put("file", "old", 0600);
	EXPECT("second", file_write_first(&folder, "file", 0600, VIEW("new"), &diag), RJWT_EXISTS);
	assert_string_equal(content("file"), "old");
	assert_false(there(FILE_TEMPORARY "file"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum rjwt_err err;

		EXPECT("remove", file_remove(&folder, "file", NULL), RJWT_OK);
		fails(rows[i].call, rows[i].turn, rows[i].error);
		err = file_write_first(&folder, "file", 0640, VIEW("new"), &diag);
		judge_row(&rows[i], err, &diag, "file");
	}
	assert_int_equal(mode_of("file"), 0640);
}

static void
many_at_once(void **state)
{
	static const struct row rows[] = { { "fsync", 1, EIO, RJWT_OK, NULL, "new", true }, /* files_sync() does it */
		{ "write", 1, EIO, RJWT_IO, "cannot write", "old", false },
		{ "renameat", 1, EIO, RJWT_IO, "cannot replace", "old", false } };
	struct rjwt_diag diag;
	enum rjwt_err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put("file", "old", 0600);
		fails(rows[i].call, rows[i].turn, rows[i].error);
		err = file_write_later(&folder, "file", 0600, VIEW("new"), NULL, &diag);
		judge_row(&rows[i], err, &diag, "file");
	}
	EXPECT("sync", files_sync(&folder, &diag), RJWT_OK);
	fails("syncfs", 1, EIO);
	err = files_sync(&folder, &diag);
	assert_true(failed());
	EXPECT("sync", err, RJWT_IO);
	assert_string_equal(diag.path, folder.path);
	assert_int_equal(strncmp(diag.text, "cannot sync to disk", 19), 0);
}

static void
creating(void **state)
{
	static const struct row rows[] = { { "openat", 1, EACCES, RJWT_IO, "cannot write", NULL, false },
		{ "fchmod", 1, EPERM, RJWT_IO, "cannot write", NULL, false },
		{ "write", 1, EIO, RJWT_IO, "cannot write", NULL, false },
		{ "fsync", 1, EIO, RJWT_IO, "cannot write", NULL, false },
		{ "fsync", 2, EIO, RJWT_IO, "cannot sync to disk", "new", false },
		{ "fsync", 3, EIO, RJWT_OK, NULL, "new", true } };
	struct rjwt_diag diag;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum rjwt_err err;

		EXPECT("remove", file_remove(&folder, "file", NULL), RJWT_OK);
		fails(rows[i].call, rows[i].turn, rows[i].error);
		err = file_create(&folder, "file", 0600, VIEW("new"), &diag);
		judge_row(&rows[i], err, &diag, "file");
	}
	EXPECT("again", file_create(&folder, "file", 0600, VIEW("x"), &diag), RJWT_EXISTS);
	assert_string_equal(diag.text, "exists already");
}

static void
reserving(void **state)
{
	static const struct row rows[] = { { "openat", 1, EACCES, RJWT_IO, "cannot write", NULL, false },
		{ "fallocate", 1, ENOSPC, RJWT_IO, "cannot write", NULL, false },
		{ "fallocate", 1, EOPNOTSUPP, RJWT_OK, NULL, "", false },
		{ "fallocate", 2, ENOSPC, RJWT_OK, NULL, "", true } };
	struct rjwt_diag diag;
	struct stat status;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(fd_clean) int fd = -1;
		enum rjwt_err err;

		EXPECT("remove", file_remove(&folder, "file", NULL), RJWT_OK);
		fails(rows[i].call, rows[i].turn, rows[i].error);
		err = file_reserve(&folder, "file", 0600, 5000, &fd, &diag);
		judge_row(&rows[i], err, &diag, "file");
		CHECK(rows[i].call, (fd >= 0) == (err == RJWT_OK));
	}
	assert_int_equal(stat(at("file"), &status), 0);
	assert_true(status.st_size == 0 && status.st_blocks > 0);
	EXPECT("again", file_reserve(&folder, "file", 0600, 1, &(int){ -1 }, &diag), RJWT_EXISTS);
	assert_string_equal(diag.text, "exists already");
}

static void
filling(void **state)
{
	static const struct row rows[] = { { "write", 1, EIO, RJWT_IO, "cannot write", NULL, false },
		{ "ftruncate", 1, EIO, RJWT_IO, "cannot write", NULL, false },
		{ "fsync", 1, EIO, RJWT_IO, "cannot write", NULL, false },
		{ "fsync", 2, EIO, RJWT_IO, "cannot sync to disk", "new", false },
		{ "fsync", 3, EIO, RJWT_OK, NULL, "new", true } };
	struct rjwt_diag diag;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(fd_clean) int fd = -1;
		enum rjwt_err err;

		EXPECT("remove", file_remove(&folder, "file", NULL), RJWT_OK);
		EXPECT("reserve", file_reserve(&folder, "file", 0600, 5000, &fd, &diag), RJWT_OK);
		fails(rows[i].call, rows[i].turn, rows[i].error);
		err = file_fill(&folder, "file", fd, VIEW("new"), &diag);
		judge_row(&rows[i], err, &diag, "file");
	}
}

static void
appending(void **state)
{
	static const struct {
		int flags;
		unsigned mode;
		struct row row;
	} rows[] = { { 0, 0600, { "openat", 1, EIO, RJWT_IO, "cannot open", "a", false } },
		{ 0, 0600, { "fstat", 1, EIO, RJWT_IO, "cannot open", "a", false } },
		{ 0, 0644, { "fchmod", 1, EPERM, RJWT_IO, "cannot chmod", "a", false } },
		{ 0, 0600, { "fchmod", 1, EPERM, RJWT_OK, NULL, "abc", true } },
		{ 0, 0600, { "write", 1, EIO, RJWT_IO, "cannot write", "a", false } },
		{ 0, 0600, { "write", 1, ENOSPC, RJWT_IO, "cannot write", "ab", false } },
		{ 0, 0600, { "lseek", 1, EIO, RJWT_IO, "cannot sync to disk", "abc", false } },
		{ FILE_DURABLE, 0600, { "fsync", 1, EIO, RJWT_IO, "cannot sync to disk", "abc", false } },
		{ FILE_MAKE, 0600, { "fsync", 1, EIO, RJWT_OK, NULL, "abc", true } } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rjwt_diag diag = { 0 };
		uint64_t end_at = 7;
		enum rjwt_err err;

		put("file", "a", rows[i].mode);
		fails(rows[i].row.call, rows[i].row.turn, rows[i].row.error);
		err = file_append(&folder, "file", VIEW("bc"), rows[i].flags, &end_at, &diag);
		judge_row(&rows[i].row, err, &diag, "file");
		assert_int_equal(end_at, err == RJWT_OK ? 3 : 7);
		EXPECT("remove", file_remove(&folder, "file", NULL), RJWT_OK);
	}
}

static void
removing(void **state)
{
	struct rjwt_diag diag;
	enum rjwt_err err;

	(void)state;
	put("file", "x", 0600);
	fails("unlinkat", 1, EACCES);
	err = file_remove(&folder, "file", &diag);
	assert_true(failed() && there("file"));
	EXPECT("remove", err, RJWT_IO);
	assert_int_equal(strncmp(diag.text, "cannot remove", 13), 0);
	assert_string_equal(diag.path, at("file"));
}

/* An extra mark rejects a token: one that could not be synced stays. */
static void
marking(void **state)
{
	static const struct row rows[] = { { "openat", 1, EIO, RJWT_IO, "cannot write", NULL, false },
		{ "fchmod", 1, EPERM, RJWT_IO, "cannot write", "", false },
		{ "fsync", 1, EIO, RJWT_IO, "cannot write", "", false },
		{ "fsync", 2, EIO, RJWT_IO, "cannot sync to disk", "", false },
		{ "fsync", 3, EIO, RJWT_OK, NULL, "", true } };
	struct rjwt_diag diag;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum rjwt_err err;

		EXPECT("remove", file_remove(&folder, "file", NULL), RJWT_OK);
		umask(0277);
		fails(rows[i].call, rows[i].turn, rows[i].error);
		err = file_mark(&folder, "file", &diag);
		umask(022);
		judge_row(&rows[i], err, &diag, "file");
	}
	assert_int_equal(mode_of("file"), 0600);
	EXPECT("again", file_mark(&folder, "file", &diag), RJWT_EXISTS);
	assert_string_equal(diag.text, "exists already");
}

/* Of a file system without files that have no name, what it says of itself decides. */
static void
probing(void **state)
{
	static const struct {
		const char *call;
		int error;
		size_t room;
		struct statvfs says;
		int wanted; /* 0: it seems to be writable */
	} rows[] = { { "openat", EOPNOTSUPP, 1, { .f_bfree = 1 }, 0 }, { "openat", EISDIR, 1, { .f_bfree = 1 }, 0 },
		{ "openat", ENOENT, 1, { .f_bfree = 1 }, 0 }, { "openat", EROFS, 1, { .f_bfree = 1 }, EROFS },
		{ "openat", EOPNOTSUPP, 1, { .f_bfree = 1, .f_flag = ST_RDONLY }, EROFS },
		{ "openat", EOPNOTSUPP, 1, { .f_bfree = 0 }, ENOSPC }, { "openat", EOPNOTSUPP, 0, { .f_bfree = 0 }, 0 },
		{ "openat", EOPNOTSUPP, 0, { .f_files = 9 }, ENOSPC },
		{ "openat", EOPNOTSUPP, 0, { .f_files = 9, .f_ffree = 1 }, 0 },
		{ "write", ENOSPC, DIR_PROBE_MAX, { .f_bfree = 1 }, ENOSPC },
		{ "write", EDQUOT, DIR_PROBE_MAX, { .f_bfree = 1 }, EDQUOT } };
	struct rjwt_diag diag;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum rjwt_err err;

		disk = &rows[i].says;
		fails(rows[i].call, 1, rows[i].error);
		errno = 0;
		err = dir_probe(&folder, rows[i].room, &diag);
		CHECK(rows[i].call, failed());
		EXPECT(rows[i].call, err, rows[i].wanted == 0 ? RJWT_OK : RJWT_IO);
		if (rows[i].wanted != 0 && diag.errnum != rows[i].wanted)
			fail_msg("row %zu: %s", i, diag.text);
	}
	disk = NULL;
	EXPECT("this one", dir_probe(&folder, DIR_PROBE_MAX, &diag), RJWT_OK);
	EXPECT("nothing", dir_probe(&folder, 0, &diag), RJWT_OK);
}

/* A disk that takes a part tells no error; what errno was before is none. */
static void
partial(void **state)
{
	const struct rlimit one = { 1, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };
	struct rjwt_diag diag = { 0 }, probe = { 0 };
	enum rjwt_err append, probing_err;

	(void)state;
	put("file", "", 0600);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &one), 0);
	errno = EIO;
	append = file_append(&folder, "file", VIEW("ab"), 0, NULL, &diag);
	errno = EOPNOTSUPP;
	probing_err = dir_probe(&folder, DIR_PROBE_MAX, &probe);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	EXPECT("append", append, RJWT_IO);
	assert_int_equal(diag.errnum, ENOSPC);
	EXPECT("probe", probing_err, RJWT_IO);
	assert_int_equal(probe.errnum, ENOSPC);
}

static void
probing_closed(void **state)
{
	struct rjwt_diag diag = { 0 };
	struct dir sub = DIR_NONE;
	enum rjwt_err err;

	(void)state;
	make("sub", 0555);
	EXPECT("open", dir_open_at(&folder, "sub", &sub, NULL), RJWT_OK);
	fails("openat", 1, EOPNOTSUPP);
	err = dir_probe(&sub, 0, &diag);
	assert_true(failed());
	EXPECT("closed", err, geteuid() == 0 ? RJWT_OK : RJWT_IO);
	assert_int_equal(diag.errnum, geteuid() == 0 ? 0 : EACCES);
	no_disk = true;
	fails("openat", 1, EOPNOTSUPP);
	err = dir_probe(&sub, 0, &diag);
	no_disk = false;
	EXPECT("it says nothing", err, RJWT_IO);
	(void)failed();
	dir_close(&sub);
}

static void
no_memory_to_publish(void **state)
{
	enum rjwt_err err;

	(void)state;
	put("file", "old", 0600);
	fails("asprintf", 2, ENOMEM);
	err = file_write(&folder, "file", 0600, VIEW("new"), NULL, NULL);
	assert_true(failed());
	EXPECT("write", err, RJWT_MEMORY);
	assert_string_equal(content("file"), "old");
}

#define F(test)                               \
	{                                     \
#test, test, begin, end, NULL \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = { F(replacing), F(nothing_is_taken), F(without_a_time), F(first_of_two),
		F(many_at_once), F(creating), F(reserving), F(filling), F(appending), F(removing), F(marking),
		F(probing), F(partial), BOTH(probing_closed), F(no_memory_to_publish) };

	alarm(600);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
