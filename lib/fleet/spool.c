/* SPDX-License-Identifier: MIT */
#include "fleet/spool.h"
#include "base/file.h"
#include "base/text.h"
#include "fleet/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define SUFFIX ".jws"

struct listing {
	const char *path;
	struct string_list *files;
	size_t n;
};

/* A name that is being written, or made to be shown, has no place in a message. */
static bool
is_ours(const char *name)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strlen(name);

	return name[0] != '.' && strspn(name, good) == n && n > strlen(SUFFIX) &&
	       strcmp(name + n - strlen(SUFFIX), SUFFIX) == 0;
}

/* RJWT_EXISTS ends the loop: one more than are read, so that who reads says so. */
static enum rjwt_err
list_one(void *context, const char *name)
{
	RJWT_CLEAN(free_clean) char *path = NULL;
	struct listing *l = context;

	if (!is_ours(name))
		return RJWT_OK;
	if (asprintf(&path, "%s/%s", l->path, name) < 0) {
		path = NULL;
		return RJWT_MEMORY;
	}
	RJWT_TRY(string_list_add(l->files, path));
	return l->n++ < FOLLOW_FILES_MAX ? RJWT_OK : RJWT_EXISTS;
}

/* No rule on its owner: whoever may write into it can do no more than whoever writes the files. */
static enum rjwt_err
list_directory(const struct dir *dir, struct string_list *files, struct rjwt_diag *diag)
{
	struct listing l = { .path = dir->path, .files = files };
	enum rjwt_err err = dir_each(dir, list_one, &l, diag);

	return err == RJWT_EXISTS ? RJWT_OK : err;
}

static enum rjwt_err
add(const char *path, bool spool, struct string_list *files, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;

	dir.fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (dir.fd < 0 && spool)
		return diag_fail(diag, RJWT_IO, path, "cannot list the spool (name the files, or see rjwt-fleet(7))");
	if (dir.fd < 0)
		return string_list_add(files, path);
	dir.path = strdup(path);
	return dir.path == NULL ? RJWT_MEMORY : list_directory(&dir, files, diag);
}

enum rjwt_err
spool_files(const char *const *paths, struct string_list *files, struct rjwt_diag *diag)
{
	RJWT_CLEAN(string_list_clear) struct string_list found = { 0 };

	if (paths == NULL || paths[0] == NULL)
		RJWT_TRY(add(RJWT_SPOOL_DIR, true, &found, diag));
	for (; paths != NULL && *paths != NULL; paths++)
		RJWT_TRY(add(*paths, false, &found, diag));
	*files = RJWT_STEAL(found);
	return RJWT_OK;
}

enum rjwt_err
spool_name(const char *url, const char *suffix, char name[static SPOOL_NAME_SIZE])
{
	char hash[DIGEST_HEX];

	RJWT_TRY(digest_hex(view_of(url), hash));
	snprintf(name, SPOOL_NAME_SIZE, "%s%s", hash, suffix);
	return RJWT_OK;
}

int64_t
spool_answered(const char *url)
{
	char path[sizeof(RJWT_SPOOL_DIR) + 1 + SPOOL_NAME_SIZE], name[SPOOL_NAME_SIZE];
	struct stat status;

	if (spool_name(url, ".answered", name) != RJWT_OK)
		return 0;
	snprintf(path, sizeof(path), RJWT_SPOOL_DIR "/%s", name);
	if (fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	/* Who owns the spool chooses the time: what is computed from it must fit. */
	return status.st_mtim.tv_sec > 0 ? status.st_mtim.tv_sec : 1;
}
