/* SPDX-License-Identifier: MIT */
/*
 * keyset_init(): the first commit of a base. While the very first one is running, a file marks the directory, so that
 * an interrupted init is distinguishable from a keyset that lost its keyset.json.
 */
#include "keyset/init.h"
#include "base/base64url.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/file_write.h"
#include "base/openssl.h"
#include "base/text.h"
#include "jose/provider_write.h"
#include "keyset/commit.h"
#include "keyset/events.h"
#include "keyset/inspect.h"
#include "keyset/lock.h"
#include "keyset/marks_write.h"
#include "keyset/plan.h"
#include "keyset/recover.h"
#include "keyset/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Open the parent directory and get the name in it. A path that ends with a slash or a dot has none. */
static enum rjwt_err
open_above(const char *path, struct dir *above, char name[static NAME_MAX + 1], struct rjwt_diag *diag)
{
	RJWT_CLEAN(free_clean) char *bare = strdup(path);
	const char *last;
	enum rjwt_err err;

	if (bare == NULL)
		return RJWT_MEMORY;
	for (size_t n = strlen(bare); n > 1 && bare[n - 1] == '/'; n--)
		bare[n - 1] = '\0';
	err = dir_of(bare, above, &last, diag);
	if (err_is_missing(err) && diag != NULL && strrchr(bare, '/') != NULL)
		text_append(diag->text, sizeof(diag->text), " ", "(create it first: mkdir -p %.*s)",
		    (int)(strrchr(bare, '/') - bare), bare);
	RJWT_TRY(err);
	snprintf(name, NAME_MAX + 1, "%s", last);
	return RJWT_OK;
}

enum rjwt_err
state_open_or_make(const char *path, struct dir *dir, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir above = DIR_NONE;
	char name[NAME_MAX + 1];
	enum rjwt_err err = dir_open(path, dir, diag), found;

	if (err != RJWT_OK && !err_is_missing(err))
		return err;
	found = open_above(path, &above, name, diag);
	if (err == RJWT_OK && found == RJWT_USAGE)
		return RJWT_OK; /* "." and the like: somebody else created it */
	RJWT_TRY(found);
	if (err == RJWT_OK)
		return dir_sync(&above, diag); /* perhaps created by an init that was killed before the sync */
	RJWT_TRY(dir_make(&above, name, 0755, diag));
	return dir_open(path, dir, diag);
}

/* The directories of a keyset. */
static const struct part {
	const char *name;
	unsigned mode;
} parts[] = { { "keys", 0755 }, { "private", 0700 }, { "revoked", 0711 }, { "spent", 0700 }, { "issued", 0700 } };

static enum rjwt_err
adopt_open(const char *path, struct dir *dir, struct rjwt_diag *diag)
{
	enum rjwt_err err = dir_open(path, dir, diag);

	if (err_is_missing(err))
		return diag_fail(diag, RJWT_KEYSET, path, "does not exist (rjwt-keyd init creates a keyset)");
	return err;
}

static bool
is_there(const struct dir *dir, const char *name)
{
	struct stat status;

	return fstatat(dir->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The highest version of a file in keys/ or private/; 0: there is none. */
static enum rjwt_err
highest_there(const struct dir *dir, int64_t *most, struct rjwt_diag *diag)
{
	static const char *const names[] = { "keys", "private" };

	*most = 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		RJWT_CLEAN(dir_close) struct dir sub = DIR_NONE;

		if (!is_there(dir, names[i]))
			continue;
		RJWT_TRY(dir_open_at(dir, names[i], &sub, diag));
		RJWT_TRY(store_highest(&sub, most, diag));
	}
	return RJWT_OK;
}

struct entries {
	const struct dir *dir;
	bool begun; /* by an init that was interrupted */
	struct rjwt_diag *diag;
};

static enum rjwt_err
not_ours(const struct entries *e, const char *name)
{
	return diag_fail(e->diag, RJWT_KEYSET, e->dir->path,
	    "has %.64s, which no interrupted init left (init wants an empty directory)", name);
}

/* An init makes private/lock first, then the file that says so, then the rest; a file system has its own directory. */
static enum rjwt_err
check_entry(void *context, const char *name)
{
	const struct entries *e = context;

	static const char *const of_others[] = { "fleet", "fleet.json", "denied", /* it follows others already */
		"findings" };							  /* of check, when the daemon began */

	if (strcmp(name, "private") == 0 || strcmp(name, "lost+found") == 0)
		return RJWT_OK;
	for (size_t i = 0; i < ARRAY_LEN(of_others); i++)
		if (strcmp(name, of_others[i]) == 0)
			return RJWT_OK;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (e->begun && strcmp(name, parts[i].name) == 0)
			return RJWT_OK;
	if (strcmp(name, FILE_TEMPORARY COMMIT_UNFINISHED) == 0 ||
	    (e->begun && (strcmp(name, COMMIT_UNFINISHED) == 0 || strcmp(name, "lock") == 0 ||
			     strcmp(name, FILE_TEMPORARY "keyset.json") == 0)))
		return RJWT_OK;
	return not_ours(e, name);
}

static enum rjwt_err
check_private_entry(void *context, const char *name)
{
	return strcmp(name, "lock") == 0 ? RJWT_OK : not_ours(context, name);
}

/*
 * A directory that init may take: what is in it must have been left by an init that was interrupted. Whatever else lies
 * there is not ours, and its modes are not ours to change; and keys without keyset.json must not reappear empty.
 */
static enum rjwt_err
check_unused(const struct dir *dir, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;
	struct entries e = { dir, is_there(dir, COMMIT_UNFINISHED), diag };
	struct stat status;
	int64_t most;

	RJWT_TRY(highest_there(dir, &most, diag));
	if (!e.begun && most > 0)
		return diag_fail(diag, RJWT_KEYSET, dir->path,
		    "has keys but no keyset.json (restore it, or run rjwt-keyd init --adopt)");
	RJWT_TRY(dir_each(dir, check_entry, &e, diag));
	if (e.begun || !is_there(dir, "private"))
		return RJWT_OK;
	RJWT_TRY(dir_open_at(dir, "private", &private, diag));
	if (fstat(private.fd, &status) != 0 || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return not_ours(&e, "private");
	e.dir = &private;
	return dir_each(&private, check_private_entry, &e, diag);
}

/* The keyset that is there: RJWT_EXISTS; why it cannot be used by this host. */
static enum rjwt_err
report_existing(const struct dir *dir, struct rjwt_diag *diag)
{
	RJWT_CLEAN(store_clean) struct store *store = NULL;

	RJWT_TRY(store_open(dir->path, NULL, &store, diag));
	RJWT_TRY(store_check_machine(store, diag));
	return diag_fail(diag, RJWT_EXISTS, dir->path, "already has a keyset");
}

/* Before anything is created or changed. */
static enum rjwt_err
check_there(const struct dir *dir, bool adopt, struct rjwt_diag *diag)
{
	bool keyset = is_there(dir, "keyset.json");
	int64_t most;

	if (!adopt)
		return keyset ? report_existing(dir, diag) : check_unused(dir, diag);
	RJWT_TRY(highest_there(dir, &most, diag));
	if (!keyset && most == 0)
		return diag_fail(diag, RJWT_KEYSET, dir->path, "nothing to adopt (rjwt-keyd init creates a keyset)");
	return RJWT_OK;
}

/* Also before a directory is made for it, and before this host's name is asked for. */
static enum rjwt_err
look_first(const char *path, bool adopt, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	struct rjwt_diag why;

	if (dir_open(path, &dir, &why) != RJWT_OK)
		return RJWT_OK; /* reported when it is opened or made */
	return check_there(&dir, adopt, diag);
}

static enum rjwt_err
make_directories(const struct dir *dir, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir revoked = DIR_NONE;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		RJWT_TRY(dir_make(dir, parts[i].name, parts[i].mode, diag));
	RJWT_TRY(dir_open_at(dir, "revoked", &revoked, diag));
	RJWT_TRY(dir_make(&revoked, "jti", 0711, diag));
	return dir_make(&revoked, "sub", 0711, diag);
}

/*
 * Mark that an init is running, and check that the file system keeps an mtime to the nanosecond:
 * otherwise an open handle could miss a commit.
 */
static enum rjwt_err
mark_unfinished(const struct dir *dir, const struct rjwt_time *now, struct rjwt_diag *diag)
{
	const struct timespec mtime = { .tv_sec = now->wall_s, .tv_nsec = 1 };
	struct stat status;

	RJWT_TRY(file_write(dir, COMMIT_UNFINISHED, 0600, (struct view){ "", 0 }, &mtime, diag));
	if (fstatat(dir->fd, COMMIT_UNFINISHED, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return diag_fail(diag, RJWT_IO, dir->path, COMMIT_UNFINISHED);
	if (status.st_mtim.tv_nsec == 1)
		return RJWT_OK;
	RJWT_TRY(file_remove(dir, COMMIT_UNFINISHED, diag));
	return diag_fail(diag, RJWT_KEYSET, dir->path, "the file system does not keep times to the nanosecond");
}

static enum rjwt_err
remove_any(void *context, const char *name)
{
	const struct dir *dir = *(const struct dir *const *)context;

	return commit_version(name) != 0 || commit_is_temporary(name) ? file_remove(dir, name, NULL) : RJWT_OK;
}

/* Keys that an interrupted init left: there are no others, see check_unused(). */
static enum rjwt_err
remove_begun(struct commit_ctx *s)
{
	RJWT_TRY(dir_each(s->private, remove_any, &s->private, s->env->diag));
	return dir_each(s->keys, remove_any, &s->keys, s->env->diag);
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
	do { /* no leading dash: a kid is an argument of commands */
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

/* Issuer and audience of the keyset: configured, recorded earlier, or the host name. */
static enum rjwt_err
fill(struct keyset *keyset, const struct rotation_policy *policy, const struct init_names *names,
    struct rjwt_diag *diag)
{
	char host[RJWT_NAME_MAX + 1] = "";

	if (names->issuer != NULL)
		snprintf(keyset->issuer, sizeof(keyset->issuer), "%s", names->issuer);
	if (names->audience != NULL)
		snprintf(keyset->audience, sizeof(keyset->audience), "%s", names->audience);
	if (keyset->issuer[0] == '\0' || keyset->audience[0] == '\0')
		RJWT_TRY(host_name(host, diag));
	if (keyset->issuer[0] == '\0')
		memcpy(keyset->issuer, host, sizeof(host));
	if (keyset->audience[0] == '\0')
		memcpy(keyset->audience, host, sizeof(host));
	RJWT_TRY(host_machine(keyset->machine, diag));
	return choose_base(policy, keyset->base);
}

/*
 * As a rotation does, so that what fails from here on leaves the old keyset as it was. One that is older than the key files
 * stays so.
 */
static enum rjwt_err
claim_versions(const struct commit_ctx *s, struct keyset *keyset, int64_t most)
{
	const struct keyset before = *keyset;

	if (most >= before.next_version)
		return RJWT_OK;
	keyset->next_version = most + 3;
	RJWT_TRY(commit_stage(s, &before, keyset));
	return commit_publish(s);
}

/* Continue in keyset what is readable of the old keyset; *most: the highest version that exists. */
static enum rjwt_err
adopt_existing(const struct commit_ctx *s, struct keyset *keyset, int64_t *most)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct keyset there;
	bool whole = file_read(s->dir, "keyset.json", KEYSET_FILE_MAX, &text, NULL, NULL) == RJWT_OK &&
		     keyset_parse(buf_view(&text), &there, NULL) == RJWT_OK && !keyset_is_followed(&there);

	if (whole)
		*keyset = there;
	if (whole && s->env->policy->base != NULL && strcmp(s->env->policy->base, keyset->base) == 0)
		return diag_fail(s->env->diag, RJWT_CONFIG, s->dir->path,
		    "already has the base %s (change base_kid or leave it out)", keyset->base);
	if (whole) {
		RJWT_TRY(keyset_check_config(keyset, s->env->policy, s->env->diag));
		*most = keyset->next_version - 1;
	}
	RJWT_TRY(store_highest(s->keys, most, s->env->diag));
	RJWT_TRY(store_highest(s->private, most, s->env->diag));
	if (*most == 0)
		return diag_fail(s->env->diag, RJWT_KEYSET, s->dir->path,
		    "nothing to adopt (rjwt-keyd init creates a keyset)");
	if (*most > KEYSET_VERSION_MAX - 2)
		return diag_fail(s->env->diag, RJWT_KEYSET, s->dir->path, "all key versions are used up");
	return whole ? claim_versions(s, keyset, *most) : RJWT_OK;
}

static enum rjwt_err
make_keyset(const struct commit_ctx *s, int64_t first, struct fresh_keys *fresh, struct keyset *keyset)
{
	const struct keyset before = *keyset;
	struct rjwt_time now;

	RJWT_TRY(commit_new_key(s, keyset, first, fresh));
	RJWT_TRY(commit_new_key(s, keyset, first + 1, fresh));
	clock_now(s->env->clock, &now);
	RJWT_TRY(keyset_clock_check(&now, s->env->diag));
	keyset_begin(keyset, first, &now);
	keyset->configured = keyset->configured || s->env->policy->configured;
	RJWT_TRY(commit_stage(s, &before, keyset));
	return commit_publish(s);
}

static void
tell(const struct keyset *keyset, const struct rotation_policy *policy, const struct dir *dir, bool adopt,
    struct rjwt_change *change)
{
	*change = (struct rjwt_change){ .any = true, .rotated = adopt, .made_version = keyset->next.version };
	keyset_kid_format(keyset, keyset->active.version, change->kid);
	if (policy->rotate_every_s > 0)
		change->next_event_s = keyset->active.since_s + policy->rotate_every_s;
	snprintf(change->text, sizeof(change->text), "%s for %.64s in %.64s: %.42s signs now%s",
	    adopt ? "adopted the keyset" : "created a keyset", keyset->audience, dir->path, change->kid,
	    adopt ? ", earlier tokens no longer verify" : "");
}

enum rjwt_err
keyset_init(const char *path, struct provider *given, const struct keyset_env *env, const struct init_names *names,
    bool adopt, struct rjwt_change *change)
{
	RJWT_CLEAN(provider_clean) struct provider *provider = given;
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir keys = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	RJWT_CLEAN(lock_release) struct lock lock = LOCK_NONE;
	RJWT_CLEAN(commit_drop_keys) struct fresh_keys fresh = { 0 };
	/* What an old base had is not told key by key. */
	const struct keyset_env quiet = { env->policy, env->clock, env->diag, NULL };
	struct commit_ctx s = { &dir, &keys, &private, NULL, &quiet };
	struct keyset keyset = { 0 };
	struct rjwt_diag *diag = env->diag, why = { 0 };
	struct rjwt_time now;
	bool removed = false;
	int64_t most = 0;

	RJWT_TRY(look_first(path, adopt, diag));
	if (!adopt)
		RJWT_TRY(fill(&keyset, env->policy, names, diag));
	RJWT_TRY(adopt ? adopt_open(path, &dir, diag) : state_open_or_make(path, &dir, diag));
	RJWT_TRY(commit_make_keys(&fresh, 2, env->policy, diag));
	RJWT_TRY(dir_make(&dir, "private", 0700, diag));
	RJWT_TRY(lock_take(&lock, &dir, 0, diag));
	RJWT_TRY(check_there(&dir, adopt, diag)); /* another process may have changed it */
	clock_now(env->clock, &now);
	RJWT_TRY(keyset_clock_check(&now, diag));
	if (!adopt)
		RJWT_TRY(mark_unfinished(&dir, &now, diag));
	RJWT_TRY(make_directories(&dir, diag));
	RJWT_TRY(dir_open_at(&dir, "keys", &keys, diag));
	RJWT_TRY(dir_open_at(&dir, "private", &private, diag));
	if (adopt)
		RJWT_TRY(adopt_existing(&s, &keyset, &most));
	else
		RJWT_TRY(remove_begun(&s));
	if (adopt)
		RJWT_TRY(fill(&keyset, env->policy, names, diag));
	if (provider == NULL)
		RJWT_TRY(provider_file(&dir, &provider));
	provider_make_writable(provider);
	s.provider = provider;
	RJWT_TRY(make_keyset(&s, most + 1, &fresh, &keyset));
	events_add_first(env->events, &keyset, env->policy->alg->label, adopt ? "adopt" : "init");
	RJWT_TRY(store_open(path, RJWT_STEAL(provider), &store, diag));
	RJWT_TRY(recover(&s, store, false, &removed));
	tell(&keyset, env->policy, &dir, adopt, change);
	if (keyset.machine[0] == '\0')
		text_append(change->warning, sizeof(change->warning), "; ",
		    "this host has no machine id (/etc/machine-id): if it is cloned, the clone will accept and mint "
		    "tokens of this keyset until both have recorded one");
	if (marks_prune(&dir, keyset.floor, adopt, &why) != RJWT_OK)
		text_append(change->warning, sizeof(change->warning), "; ", "cannot remove old marks: %s: %s", why.path,
		    why.text);
	events_add_warning(env->events, change->warning);
	return RJWT_OK;
}
