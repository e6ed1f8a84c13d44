/* SPDX-License-Identifier: MIT */
/*
 * directory.h - tests of file.h: a directory for each, the files in it, and an end that counts
 * descriptors.
 *
 * Each test runs twice when root calls: as root, and with the effective user of nobody.
 */
#ifndef RJWT_FOLDER_H
#define RJWT_FOLDER_H

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#define NOBODY 65534
#define STRANGER 1 /* neither root nor the user who runs the test */

static struct dir folder = { -1, NULL };
static char path[512]; /* what at() made last */
static int open_before;

static inline int
descriptors(void)
{
	DIR *all = opendir("/proc/self/fd");
	int n = 0;

	while (all != NULL && readdir(all) != NULL)
		n++;
	if (all != NULL)
		closedir(all);
	return n;
}

static inline int
begin(void **state)
{
	(void)state;
	umask(022);
	open_before = descriptors();
	folder = unit_folder();
	return 0;
}

static inline int
begin_as_nobody(void **state)
{
	return (geteuid() == 0 && seteuid(NOBODY) != 0) || begin(state);
}

/* No test may leave a descriptor behind: in sshd it would be sshd's. */
static inline int
end(void **state)
{
	(void)state;
	umask(022);
	unit_folder_remove(&folder);
	return (getuid() == 0 && seteuid(0) != 0) || descriptors() != open_before;
}

static inline const char *
at(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", folder.path, name);
	return path;
}

static inline void
put(const char *name, const char *text, unsigned mode)
{
	FILE *file = fopen(at(name), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static inline void
make(const char *name, unsigned mode)
{
	assert_int_equal(mkdir(at(name), 0700), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static inline unsigned
mode_of(const char *name)
{
	struct stat status;

	assert_int_equal(lstat(at(name), &status), 0);
	return status.st_mode & 07777;
}

/* Give a file or directory to somebody; false when only root could. */
static inline bool
give(const char *name, uid_t uid)
{
	uid_t me = geteuid();
	bool given;

	if (seteuid(0) != 0)
		return false;
	given = chown(at(name), uid, (gid_t)-1) == 0;
	assert_int_equal(seteuid(me), 0);
	return given;
}

static inline enum rjwt_err
reading(const char *name, size_t max, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	enum rjwt_err err;

	buf_adds(&text, "kept");
	errno = 0;
	err = file_read(&folder, name, max, &text, NULL, diag);
	CHECK(name, (err == RJWT_OK) != view_is(buf_view(&text), "kept"));
	return err;
}

static inline enum rjwt_err
opening(const char *name, struct rjwt_diag *diag)
{
	struct dir dir = DIR_NONE;
	enum rjwt_err err;

	errno = 0;
	err = dir_open(at(name), &dir, diag);
	CHECK(name, (err == RJWT_OK) == (dir.fd >= 0));
	dir_close(&dir);
	return err;
}

#define BOTH(test)                                                   \
	{ #test, test, begin, end, NULL },                           \
	{                                                            \
#test "_as_nobody", test, begin_as_nobody, end, NULL \
	}

#endif
