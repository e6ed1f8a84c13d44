/* SPDX-License-Identifier: MIT */
#include "folder.h"
#include "base/file_write.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

static void
modes_of_files(void **state)
{
	static const struct {
		unsigned mode;
		enum rjwt_err wanted;
	} rows[] = { { 0644, RJWT_OK }, { 0600, RJWT_OK }, { 0400, RJWT_OK }, { 0755, RJWT_OK }, { 0664, RJWT_KEYSET },
		{ 0646, RJWT_KEYSET }, { 0620, RJWT_KEYSET }, { 0602, RJWT_KEYSET }, { 0666, RJWT_KEYSET },
		{ 01666, RJWT_KEYSET } };
	struct rjwt_diag diag;

	(void)state;
	put("file", "text", 0600);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(chmod(at("file"), rows[i].mode), 0);
		EXPECT("file", reading("file", 100, &diag), rows[i].wanted);
		if (rows[i].wanted != RJWT_OK) {
			assert_string_equal(diag.path, at("file"));
			assert_non_null(strstr(diag.text, "writable by"));
		}
	}
}

static void
modes_of_folders(void **state)
{
	/* as the directory itself, on the way, as the directory of a named file */
	static const struct {
		unsigned mode;
		enum rjwt_err itself, above, named;
	} rows[] = {
		{ 0755, RJWT_OK, RJWT_OK, RJWT_OK },
		{ 0700, RJWT_OK, RJWT_OK, RJWT_OK },
		{ 0775, RJWT_KEYSET, RJWT_KEYSET, RJWT_KEYSET },
		{ 0757, RJWT_KEYSET, RJWT_KEYSET, RJWT_KEYSET },
		{ 0777, RJWT_KEYSET, RJWT_KEYSET, RJWT_KEYSET },
		{ 01777, RJWT_KEYSET, RJWT_OK, RJWT_OK },
		{ 01775, RJWT_KEYSET, RJWT_OK, RJWT_OK },
		{ 01755, RJWT_OK, RJWT_OK, RJWT_OK },
	};
	struct rjwt_diag diag;

	(void)state;
	make("sub", 0755);
	make("sub/inner", 0755);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dir dir = DIR_NONE;
		const char *name = NULL;

		assert_int_equal(chmod(at("sub"), rows[i].mode), 0);
		EXPECT("itself", opening("sub", &diag), rows[i].itself);
		EXPECT("at", dir_open_at(&folder, "sub", &dir, &diag), rows[i].itself);
		dir_close(&dir);
		EXPECT("above", opening("sub/inner", &diag), rows[i].above);
		if (rows[i].above != RJWT_OK)
			assert_string_equal(diag.path, at("sub"));
		EXPECT("named", dir_of(at("sub/file"), &dir, &name, &diag), rows[i].named);
		dir_close(&dir);
	}
	assert_int_equal(chmod(at("sub"), 0111), 0); /* on the way: need not be readable */
	EXPECT("unreadable", opening("sub/inner", &diag), RJWT_OK);
	assert_int_equal(chmod(at("sub"), 0755), 0);
}

static void
owners(void **state)
{
	const uid_t good[] = { geteuid(), 0 };
	struct rjwt_diag diag;

	(void)state;
	put("file", "text", 0644);
	make("sub", 0755);
	put("sub/file", "text", 0644);
	EXPECT("one's own", reading("file", 100, &diag), RJWT_OK);
	if (!give("file", STRANGER))
		return; /* only root can; skip() of cmocka 1.1 is a failure to automake */
	assert_true(give("sub", STRANGER));
	EXPECT("a stranger's file", reading("file", 100, &diag), RJWT_KEYSET);
	assert_non_null(strstr(diag.text, "owned by"));
	EXPECT("append", file_append(&folder, "file", VIEW("x"), 0, NULL, &diag),
	    geteuid() == 0 ? RJWT_KEYSET : RJWT_IO);
	EXPECT("a stranger's folder", opening("sub", &diag), RJWT_KEYSET);
	assert_non_null(strstr(diag.text, "owned by"));
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(give("file", good[i]) && give("sub", good[i]));
		EXPECT("file", reading("file", 100, &diag), RJWT_OK);
		EXPECT("folder", opening("sub", &diag), RJWT_OK);
	}
	assert_true(give("file", geteuid()) && give("sub", geteuid()));
}

static void
links(void **state)
{
	static const char *const folders[] = { "alias", "alias/", "alias/.", "alias/inner", "dangling" };
	static const char *const files[] = { "link", "dangling", "loop" };
	struct rjwt_diag diag;
	struct dir dir = DIR_NONE;
	const char *name;

	(void)state;
	make("sub", 0755);
	make("sub/inner", 0755);
	put("file", "text", 0644);
	assert_int_equal(symlink("sub", at("alias")), 0);
	assert_int_equal(symlink("file", at("link")), 0);
	assert_int_equal(symlink("nowhere", at("dangling")), 0);
	assert_int_equal(symlink("loop", at("loop")), 0);
	EXPECT("twin", opening("sub/inner", &diag), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		EXPECT(folders[i], opening(folders[i], &diag), RJWT_KEYSET);
		CHECK(diag.text, strstr(diag.text, "symbolic link") != NULL);
	}
	EXPECT("at", dir_open_at(&folder, "alias", &dir, &diag), RJWT_KEYSET);
	EXPECT("of", dir_of(at("alias/file"), &dir, &name, &diag), RJWT_KEYSET);
	EXPECT("twin", reading("file", 100, &diag), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		EXPECT(files[i], reading(files[i], 100, &diag), RJWT_KEYSET);
		CHECK(diag.text, strstr(diag.text, "symbolic link") != NULL);
	}
	EXPECT("append", file_append(&folder, "link", VIEW("x"), FILE_MAKE, NULL, &diag), RJWT_IO);
	EXPECT("create", file_create(&folder, "dangling", 0600, VIEW("x"), &diag), RJWT_EXISTS);
	/* Replacing a link replaces the link. */
	EXPECT("write", file_write(&folder, "link", 0600, VIEW("new"), NULL, &diag), RJWT_OK);
	EXPECT("now a file", reading("link", 3, &diag), RJWT_OK);
	EXPECT("untouched", reading("file", 4, &diag), RJWT_OK);
	assert_int_equal(access(at("nowhere"), F_OK), -1);
}

/* alarm(600) in main() ends a test that blocks. */
static void
special_files(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct rjwt_diag diag;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder.path);
	assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	make("sub", 0700);
	EXPECT("fifo", reading("fifo", 100, &diag), RJWT_KEYSET);
	assert_non_null(strstr(diag.text, "not a regular file"));
	EXPECT("socket", reading("socket", 100, &diag), RJWT_KEYSET);
	assert_non_null(strstr(diag.text, "not a regular file"));
	EXPECT("folder", reading("sub", 10000, &diag), RJWT_KEYSET);
	assert_non_null(strstr(diag.text, "not a regular file"));
	EXPECT("append", file_append(&folder, "fifo", VIEW("x"), 0, NULL, &diag), RJWT_IO);
	fd = open(at("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	EXPECT("append", file_append(&folder, "fifo", VIEW("x"), 0, NULL, &diag), RJWT_KEYSET);
	close(fd);
	put("file", "", 0600);
	EXPECT("a file is no folder", opening("file", &diag), RJWT_KEYSET);
	EXPECT("a fifo is no folder", opening("fifo", &diag), RJWT_KEYSET);
	EXPECT("nor on the way", opening("fifo/x", &diag), RJWT_KEYSET);
}

static void
sizes(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_diag diag;
	struct stat status;

	(void)state;
	put("ten", "0123456789", 0600);
	put("none", "", 0600);
	EXPECT("10 of 10", reading("ten", 10, &diag), RJWT_OK);
	EXPECT("10 of 9", reading("ten", 9, &diag), RJWT_KEYSET);
	assert_non_null(strstr(diag.text, "too large"));
	EXPECT("10 of 0", reading("ten", 0, &diag), RJWT_KEYSET);
	EXPECT("0 of 0", reading("none", 0, &diag), RJWT_OK);
	EXPECT("read", file_read(&folder, "ten", 100, &text, &status, &diag), RJWT_OK);
	assert_true(view_is(buf_view(&text), "0123456789"));
	assert_int_equal(text.p[10], 0);
	assert_int_equal(status.st_size, 10);
	EXPECT("read", file_read(&folder, "none", 100, &text, &status, NULL), RJWT_OK);
	assert_int_equal(text.n, 0);
}

static void
missing(void **state)
{
	struct rjwt_diag diag;
	uint64_t end_at = 7;

	(void)state;
	EXPECT("file", reading("none", 100, &diag), RJWT_IO);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(diag.path, at("none"));
	EXPECT("folder", opening("none", &diag), RJWT_IO);
	assert_int_equal(errno, ENOENT);
	EXPECT("on the way", opening("none/inner", &diag), RJWT_IO);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(diag.path, at("none"));
	EXPECT("append", file_append(&folder, "none", VIEW("x"), 0, &end_at, &diag), RJWT_IO);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(end_at, 7);
	EXPECT("remove", file_remove(&folder, "none", &diag), RJWT_OK);
	put("some", "", 0600);
	EXPECT("remove", file_remove(&folder, "some", &diag), RJWT_OK);
	EXPECT("removed", reading("some", 100, &diag), RJWT_IO);
	make("sub", 0700);
	EXPECT("remove a folder", file_remove(&folder, "sub", &diag), RJWT_IO);
}

static void
last_parts_of_paths(void **state)
{
	static const struct {
		const char *path, *name;
		enum rjwt_err wanted;
	} rows[] = {
		{ "a", "a", RJWT_OK },
		{ "./a", "a", RJWT_OK },
		{ ".//a", "a", RJWT_OK },
		{ "sub/a", "a", RJWT_OK },
		{ "sub//a", "a", RJWT_OK },
		{ "sub/./a", "a", RJWT_OK },
		{ "sub/../a", "a", RJWT_OK },
		{ "./sub/.././a", "a", RJWT_OK },
		{ "...", "...", RJWT_OK },
		{ "sub/.hidden", ".hidden", RJWT_OK },
		{ "/a", "a", RJWT_OK },
		{ "//a", "a", RJWT_OK },
		{ "/.a", ".a", RJWT_OK },
		{ "sub", "sub", RJWT_OK },
		{ "", NULL, RJWT_USAGE },
		{ ".", NULL, RJWT_USAGE },
		{ "..", NULL, RJWT_USAGE },
		{ "/", NULL, RJWT_USAGE },
		{ "//", NULL, RJWT_USAGE },
		{ "a/", NULL, RJWT_USAGE },
		{ "sub/", NULL, RJWT_USAGE },
		{ "sub/.", NULL, RJWT_USAGE },
		{ "sub/..", NULL, RJWT_USAGE },
		{ "none/a", NULL, RJWT_IO },
		{ "file/a", NULL, RJWT_KEYSET },
	};
	struct rjwt_diag diag;

	(void)state;
	make("sub", 0700);
	put("file", "", 0600);
	assert_int_equal(chdir(folder.path), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
		const char *name = NULL;

		EXPECT(rows[i].path, dir_of(rows[i].path, &dir, &name, &diag), rows[i].wanted);
		CHECK(rows[i].path, (name == NULL) == (rows[i].name == NULL));
		CHECK(rows[i].path, name == NULL || strcmp(name, rows[i].name) == 0);
		CHECK(rows[i].path, (dir.fd >= 0) == (rows[i].wanted == RJWT_OK));
	}
	assert_int_equal(chdir("/"), 0);
}

static enum rjwt_err
count_one(void *context, const char *name)
{
	CHECK(name, strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
	++*(int *)context;
	return strcmp(name, "stop") == 0 ? RJWT_BUSY : RJWT_OK;
}

static void
listing(void **state)
{
	struct rjwt_diag diag;
	int n = 0;

	(void)state;
	EXPECT("empty", dir_each(&folder, count_one, &n, &diag), RJWT_OK);
	assert_int_equal(n, 0);
	put("a", "", 0600);
	put(".b", "", 0600);
	make("c", 0700);
	for (int i = 1; i <= 2; i++) { /* from the beginning each time */
		EXPECT("three", dir_each(&folder, count_one, &n, &diag), RJWT_OK);
		assert_int_equal(n, 3 * i);
	}
	put("stop", "", 0600);
	EXPECT("stopped", dir_each(&folder, count_one, &n, &diag), RJWT_BUSY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(modes_of_files),
		BOTH(modes_of_folders),
		BOTH(owners),
		BOTH(links),
		BOTH(special_files),
		BOTH(sizes),
		BOTH(missing),
		BOTH(last_parts_of_paths),
		BOTH(listing),
	};

	alarm(600);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
