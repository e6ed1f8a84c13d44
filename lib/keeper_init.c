/* SPDX-License-Identifier: MIT */
/*
 * keeper_init(): the first commit. A file "init" stands in the folder while it is under way, so that one
 * that did not end can be told from a keyset that lost its keyset.json.
 */
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define UNFINISHED "init"

static enum rjwt_err
open_or_make(const char *path, struct dir *dir, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir above = DIR_NONE;
	const char *name;
	enum rjwt_err err = dir_open(path, dir, diag);

	if (err != RJWT_IO || errno != ENOENT)
		return err;
	RJWT_TRY(dir_of(path, &above, &name, diag));
	RJWT_TRY(dir_make(&above, name, 0755, diag));
	return dir_open(path, dir, diag);
}

static enum rjwt_err
make_folders(const struct dir *dir, struct rjwt_diag *diag)
{
	static const struct {
		const char *name;
		unsigned mode;
	} folders[] = { { "keys", 0755 }, { "private", 0700 }, { "revoked", 0755 }, { "spent", 0700 },
		{ "issued", 0700 } };
	RJWT_CLEAN(dir_close) struct dir revoked = DIR_NONE;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		RJWT_TRY(dir_make(dir, folders[i].name, folders[i].mode, diag));
	RJWT_TRY(dir_open_at(dir, "revoked", &revoked, diag));
	RJWT_TRY(dir_make(&revoked, "jti", 0755, diag));
	return dir_make(&revoked, "sub", 0755, diag);
}

/*
 * Say that an init is under way, and see at once whether this file system keeps an mtime to the
 * nanosecond, without which an open handle could miss a commit.
 */
static enum rjwt_err
mark_unfinished(const struct dir *dir, const struct rjwt_time *now, struct rjwt_diag *diag)
{
	const struct timespec mtime = { .tv_sec = now->wall_s, .tv_nsec = 1 };
	struct stat status;

	RJWT_TRY(file_write(dir, UNFINISHED, 0600, (struct view){ "", 0 }, &mtime, diag));
	if (fstatat(dir->fd, UNFINISHED, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return diag_fail(diag, RJWT_IO, dir->path, UNFINISHED);
	if (status.st_mtim.tv_nsec == 1)
		return RJWT_OK;
	RJWT_TRY(file_remove(dir, UNFINISHED, diag));
	return diag_fail(diag, RJWT_KEYSET, dir->path,
	    "is on a file system that does not keep times to the nanosecond");
}

static enum rjwt_err
remove_any(void *context, const char *name)
{
	const struct dir *dir = *(const struct dir *const *)context;

	return commit_version(name) != 0 || commit_is_temporary(name) ? file_remove(dir, name, NULL) : RJWT_OK;
}

/* Nothing of a keyset may be there, but for what an init that did not end left. */
static enum rjwt_err
check_empty(struct scribe *s)
{
	struct stat status;
	int64_t most = 0;

	if (fstatat(s->dir->fd, "keyset.json", &status, AT_SYMLINK_NOFOLLOW) == 0)
		return diag_fail(s->diag, RJWT_EXISTS, s->dir->path, "has a keyset already");
	if (fstatat(s->dir->fd, UNFINISHED, &status, AT_SYMLINK_NOFOLLOW) == 0) {
		RJWT_TRY(dir_each(s->private, remove_any, &s->private, s->diag));
		RJWT_TRY(dir_each(s->keys, remove_any, &s->keys, s->diag));
	}
	RJWT_TRY(store_highest(s->keys, &most, s->diag));
	RJWT_TRY(store_highest(s->private, &most, s->diag));
	if (most == 0)
		return RJWT_OK;
	return diag_fail(s->diag, RJWT_KEYSET, s->dir->path,
	    "holds keys, but keyset.json is missing: put it back, or move the folder away");
}

static enum rjwt_err
choose_base(const struct rotation_policy *policy, char base[static KEYSET_BASE_MAX + 1])
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char bytes[6];

	if (policy->base != NULL) {
		memcpy(base, policy->base, strlen(policy->base) + 1);
		return RJWT_OK;
	}
	do { /* not with a dash in front: a kid is an argument of commands */
		buf_clear(&text);
		RJWT_TRY(random_fill(bytes, sizeof(bytes)));
		base64url_encode(&text, (struct view){ bytes, sizeof(bytes) });
		RJWT_TRY(buf_done(&text));
	} while (text.p[0] == '-');
	memcpy(base, text.p, text.n + 1);
	return RJWT_OK;
}

static void
provider_clean(struct provider **provider)
{
	if (*provider != NULL)
		(*provider)->free(*provider);
}

/* Who the keyset is for, and under which name. */
static enum rjwt_err
fill(struct keyset *keyset, const struct rotation_policy *policy, const char *issuer,
    const char *audience)
{
	snprintf(keyset->issuer, sizeof(keyset->issuer), "%s", issuer);
	snprintf(keyset->audience, sizeof(keyset->audience), "%s", audience);
	RJWT_TRY(host_machine(keyset->machine));
	return choose_base(policy, keyset->base);
}

static enum rjwt_err
make_keyset(const struct scribe *s, struct keyset *keyset)
{
	struct rjwt_time now;

	clock_now(s->clock, &now);
	RJWT_TRY(mark_unfinished(s->dir, &now, s->diag));
	RJWT_TRY(commit_new_key(s, keyset, 1));
	RJWT_TRY(commit_new_key(s, keyset, 2));
	clock_now(s->clock, &now); /* an RSA key takes its time */
	keyset_begin(keyset, 1, &now);
	RJWT_TRY(commit_keyset(s, keyset));
	return file_remove(s->dir, UNFINISHED, s->diag);
}

enum rjwt_err
keeper_init(const char *path, struct provider *given, const struct rotation_policy *policy,
    const char *issuer, const char *audience, struct clock *clock, struct rjwt_change *change,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(provider_clean) struct provider *provider = given;
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir keys = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	RJWT_CLEAN(lock_release) struct lock lock = LOCK_NONE;
	struct scribe s = { &dir, &keys, &private, NULL, policy, clock, diag };
	struct keyset keyset = { 0 };

	RJWT_TRY(open_or_make(path, &dir, diag));
	RJWT_TRY(lock_take(&lock, &dir, diag));
	RJWT_TRY(make_folders(&dir, diag));
	RJWT_TRY(dir_open_at(&dir, "keys", &keys, diag));
	RJWT_TRY(dir_open_at(&dir, "private", &private, diag));
	RJWT_TRY(check_empty(&s));
	if (provider == NULL)
		RJWT_TRY(provider_file(&dir, &provider));
	s.provider = provider;
	RJWT_TRY(fill(&keyset, policy, issuer, audience));
	RJWT_TRY(make_keyset(&s, &keyset));
	RJWT_TRY(store_open(path, NULL, &store, diag));
	RJWT_TRY(commit_jwks(&s, store));
	*change = (struct rjwt_change){ .any = true, .made = 2 };
	keyset_kid_format(&keyset, keyset.active.version, change->kid);
	if (policy->rotate_every_s > 0)
		change->next_event_s = keyset.active.since_s + policy->rotate_every_s;
	snprintf(change->text, sizeof(change->text), "made a keyset for %.80s in %.80s: %.42s signs now",
	    audience, path, change->kid);
	return RJWT_OK;
}
