/* SPDX-License-Identifier: MIT */
/* What rjwt_status() says of a disk: whether what has to be written can be, of this host's keyset and of those that it follows. */
#include "base/file.h"
#include "fleet/fleet.h"
#include "status_private.h"

#include <errno.h>
#include <stdint.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LOOK SIZE_MAX /* nothing: it is read */

/* What has to be written into a directory, and what fails otherwise. */
static const struct written {
	const char *name;
	size_t room;
	const char *fails;
} written[] = {
	{ "", DIR_PROBE_MAX, "no rotation and no revocation" },
	{ "keys", DIR_PROBE_MAX, "no rotation" },
	{ "private", DIR_PROBE_MAX, "no rotation" },
	{ "revoked/jti", DIR_PROBE_MAX, "no token can be revoked" },
	{ "revoked/sub", DIR_PROBE_MAX, "no user's tokens can be revoked" },
	{ "spent", 0, "no login with a one-time token" },
	{ "issued", DIR_PROBE_MAX, "no record of minted tokens" },
	{ "private/parked", DIR_PROBE_MAX, "no code in place of a token" },
};

/* What fails where others own a directory, or can write to it. Of keys/ and private/ that is found elsewhere. */
static const struct written trusted[] = {
	{ "revoked", LOOK, "no login with a token" },
	{ "revoked/jti", LOOK, "no login with a token" },
	{ "revoked/sub", LOOK, "no login with a token" },
	{ "spent", LOOK, "no login with a one-time token" },
	{ "issued", LOOK, "no record of minted tokens" },
	{ "private/parked", LOOK, "no code in place of a token" },
};

/* What has to be written into a keyset that is followed. */
static const struct written installed[] = {
	{ "", DIR_PROBE_MAX, "nothing new of this issuer is installed" },
	{ "denied/sub", DIR_PROBE_MAX, "no revocation of this issuer is installed" },
	{ "denied/jti", DIR_PROBE_MAX, "no revocation of this issuer is installed" },
	{ "spent", 0, "no login with a one-time token of this issuer" },
};

/* What keeps a directory from being written to. */
static const char *
code_of_write(const struct dir *dir, int error)
{
	struct statvfs disk;

	if (error == EROFS)
		return "disk.readonly";
	if (error == ENOSPC && fstatvfs(dir->fd, &disk) == 0 && disk.f_files > 0 && disk.f_favail == 0)
		return "disk.inodes";
	return error == ENOSPC || error == EDQUOT ? "disk.full" : "disk.failed";
}

/* A directory that others own or can write to is not used. code NULL: that is not found here. */
static enum rjwt_err
judge_write(const struct dir *keyset, const struct written *w, const char *code, struct rjwt_status *s)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = w->name[0] == '\0' ? RJWT_OK : dir_open_at(keyset, w->name, &dir, &diag);

	if (err == RJWT_KEYSET && code != NULL)
		return status_note(s, RJWT_BROKEN, code, diag.path, "%s: %s", diag.text, w->fails);
	if (err != RJWT_OK || w->room == LOOK)
		return err == RJWT_MEMORY ? err : RJWT_OK; /* missing, or closed to us: not found here */
	err = dir_probe(w->name[0] == '\0' ? keyset : &dir, w->room, &diag);
	if (err == RJWT_OK || (diag.errnum == EACCES && geteuid() != 0))
		return RJWT_OK;
	return status_note(s, RJWT_BROKEN, code_of_write(keyset, diag.errnum), diag.path, "%s: %s", diag.text,
	    w->fails);
}

/* All that is read may be well where nothing can be written. Nothing is left behind by looking. */
enum rjwt_err
status_writing(struct rjwt_status *s, const struct dir *state)
{
	for (size_t i = 0; i < ARRAY_LEN(written); i++)
		RJWT_TRY(judge_write(state, &written[i], NULL, s));
	for (size_t i = 0; i < ARRAY_LEN(trusted); i++)
		RJWT_TRY(judge_write(state, &trusted[i], "keyset.mode", s));
	return RJWT_OK;
}

/* Without it a login with a one-time token gets no verdict. */
static enum rjwt_err
judge_spent(const struct dir *keyset, struct rjwt_status *s)
{
	RJWT_CLEAN(dir_close) struct dir spent = DIR_NONE;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = dir_open_at(keyset, "spent", &spent, &diag);

	if (err == RJWT_OK || err == RJWT_MEMORY || (diag.errnum == EACCES && geteuid() != 0))
		return err == RJWT_MEMORY ? err : RJWT_OK;
	return status_note(s, RJWT_BROKEN, "fleet.keyset", diag.path,
	    "%s: no login with a one-time token of this issuer", diag.text);
}

static enum rjwt_err
judge_installed(const struct dir *state, const char *base, struct rjwt_status *s)
{
	RJWT_CLEAN(dir_close) struct dir all = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	enum rjwt_err err = dir_open_at(state, FLEET_DIR, &all, NULL);

	if (err == RJWT_OK)
		err = dir_open_at(&all, base, &dir, NULL);
	if (err != RJWT_OK)
		return err == RJWT_MEMORY ? err : RJWT_OK; /* as above */
	for (size_t i = 0; i < ARRAY_LEN(installed); i++)
		RJWT_TRY(judge_write(&dir, &installed[i], NULL, s));
	return judge_spent(&dir, s);
}

enum rjwt_err
status_writing_fleet(struct rjwt_status *s, const char *state_dir)
{
	static const struct written roster = { "", DIR_PROBE_MAX, "nothing new of the fleet is installed" };
	RJWT_CLEAN(dir_close) struct dir state = DIR_NONE;
	enum rjwt_err err = dir_open(state_dir, &state, NULL);

	if (err != RJWT_OK)
		return err == RJWT_MEMORY ? err : RJWT_OK;
	RJWT_TRY(judge_write(&state, &roster, NULL, s));
	for (size_t i = 0; i < s->fleet.n; i++)
		RJWT_TRY(judge_installed(&state, s->fleet.issuers[i].base, s));
	return RJWT_OK;
}
