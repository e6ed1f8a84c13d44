/* SPDX-License-Identifier: MIT */
#include "keyset/tickets.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/file_write.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum rjwt_err
tickets_take(struct store *store, int64_t version, size_t n, bool durable, int64_t *number, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf tickets = { 0 };
	char name[STORE_NAME_SIZE];
	uint64_t end = 0;

	store_name(name, version, "minted");
	for (size_t i = 0; i < n; i++)
		buf_adds(&tickets, ".");
	RJWT_TRY(buf_done(&tickets));
	RJWT_TRY(dir_open_at(store_dir(store), "private", &dir, diag));
	RJWT_TRY(file_append(&dir, name, buf_view(&tickets), durable ? FILE_DURABLE : 0, &end, diag));
	*number = (int64_t)end;
	return RJWT_OK;
}

enum rjwt_err
tickets_count(const struct store *store, int64_t version, int64_t *number, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	char name[STORE_NAME_SIZE];
	struct stat status;

	store_name(name, version, "minted");
	RJWT_TRY(dir_open_at(store_dir(store), "private", &dir, diag));
	*number = INT64_MAX; /* a lost count is treated as used up and never restarted */
	if (fstatat(dir.fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
		*number = S_ISREG(status.st_mode) ? status.st_size : INT64_MAX;
	else if (errno != ENOENT)
		return diag_fail(diag, RJWT_IO, dir.path, "%s", name);
	return RJWT_OK;
}
