/* SPDX-License-Identifier: MIT */
#include "keyset/parked_write.h"
#include "base/file_write.h"
#include "base/hash.h"
#include "base/openssl.h"
#include "keyset/codes.h"
#include "rjwt.h"

#include <fcntl.h>
#include <sys/stat.h>

#define TORN_S 3600 /* age of a damaged file that nobody writes any more */

static enum rjwt_err
open_parked(const struct dir *state, struct dir *parked, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;

	RJWT_TRY(dir_open_at(state, "private", &private, diag));
	return dir_open_at(&private, PARKED, parked, diag);
}

enum rjwt_err
parked_begin(const struct dir *state, int64_t now_s, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir parked = DIR_NONE;

	RJWT_TRY(dir_open_at(state, "private", &private, diag));
	RJWT_TRY(dir_make(&private, PARKED, 0700, diag));
	RJWT_TRY(dir_open_at(&private, PARKED, &parked, diag));
	RJWT_TRY(parked_prune(state, now_s, diag));
	return dir_probe(&parked, DIR_PROBE_MAX, diag);
}

/* 5 bits of each byte: every character is as likely as every other. */
static enum rjwt_err
make_code(char code[static PARKED_CODE_SIZE])
{
	unsigned char bits[PARKED_CODE];

	RJWT_TRY(random_fill(bits, sizeof(bits)));
	for (size_t i = 0; i < PARKED_CODE; i++)
		code[i] = parked_alphabet[bits[i] & 31];
	code[PARKED_CODE] = '\0';
	secret_wipe(bits, sizeof(bits));
	return RJWT_OK;
}

enum rjwt_err
parked_put(const struct dir *state, struct view text, char code[static PARKED_CODE_SIZE], struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir parked = DIR_NONE;
	char name[DIGEST_HEX];

	RJWT_TRY(make_code(code));
	RJWT_TRY(digest_hex(view_of(code), name));
	RJWT_TRY(open_parked(state, &parked, diag));
	return file_create(&parked, name, 0600, text, diag);
}

struct prune {
	const struct dir *dir;
	int64_t now_s;
	struct rjwt_diag *diag;
};

/*
 * What is torn or unsafe stays as long as somebody may still be writing it; what could not be read, for want of memory or
 * by a fault of the disk, for the next time. Codes that are renewed end by a clock that is not suspect: see codes.h.
 */
static enum rjwt_err
prune_parked(void *context, const char *name)
{
	const struct prune *p = context;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(code_clear) struct code code = { .renewed = false };
	struct stat status;
	struct parked parked;
	int64_t end_s;
	enum rjwt_err err;

	if (fstatat(p->dir->fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return RJWT_OK;
	err = file_read(p->dir, name, PARKED_FILE_MAX, &text, NULL, NULL);
	if (err != RJWT_OK && err != RJWT_KEYSET)
		return RJWT_OK;
	if (parked_parse(buf_view(&text), &parked))
		end_s = parked.until_s + RJWT_LEEWAY_MAX;
	else
		end_s = status.st_mtime + TORN_S;
	err = code_parse(buf_view(&text), &code);
	if (err_is_shortage(err) || code.renewed)
		return RJWT_OK;
	return end_s <= p->now_s && !S_ISDIR(status.st_mode) ? file_remove(p->dir, name, p->diag) : RJWT_OK;
}

enum rjwt_err
parked_prune(const struct dir *state, int64_t now_s, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir parked = DIR_NONE;
	struct prune p = { .now_s = now_s, .diag = diag };
	enum rjwt_err err = open_parked(state, &parked, diag);

	if (err_is_missing(err))
		return RJWT_OK;
	RJWT_TRY(err);
	p.dir = &parked;
	return dir_each(&parked, prune_parked, &p, diag);
}
