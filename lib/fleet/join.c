/* SPDX-License-Identifier: MIT */
#include "fleet/follow.h"
#include "base/file_write.h"
#include "base/host.h"
#include "keyset/denials_write.h"
#include "keyset/init.h"
#include "keyset/lock.h"

#include <stdio.h>
#include <string.h>

enum rjwt_err
fleet_commit(const struct dir *state, const struct keyset_env *env, struct fleet *fleet)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_time now;
	struct timespec mtime;

	clock_now(env->clock, &now);
	fleet->generation++;
	mtime = (struct timespec){ .tv_sec = now.wall_s, .tv_nsec = (long)(fleet->generation % 1000000000) };
	RJWT_TRY(fleet_format(&text, fleet));
	return file_write(state, FLEET_FILE, 0644, buf_view(&text), &mtime, env->diag);
}

struct latest {
	const struct dir *state;
	int64_t now_s, before_s;
};

/* What is damaged verifies nothing. A date ahead of the time is a wrong clock's: of that of its bundle, if that is later. */
static enum rjwt_err
look_at_before(void *context, const char *base)
{
	RJWT_CLEAN(free_clean) char *path = NULL;
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	struct latest *l = context;
	int64_t before_s = 0, time_s = l->now_s;
	enum rjwt_err err;

	if (!keyset_base_check(view_of(base)))
		return RJWT_OK;
	path = fleet_path(l->state, base);
	if (path == NULL)
		return RJWT_MEMORY;
	err = store_open_followed(path, &store, NULL);
	if (err == RJWT_OK) {
		const struct keyset *k = store_keyset(store);

		before_s = k->followed.before_s;
		time_s = k->followed.issued_s > time_s ? k->followed.issued_s : time_s;
	}
	if (before_s > l->before_s && before_s <= time_s)
		l->before_s = before_s;
	return err == RJWT_MEMORY ? err : RJWT_OK;
}

/* A directory that was followed before remembers dates, also where fleet.json is lost: the latest counts on. */
static enum rjwt_err
find_before(const struct follow_env *env, const struct dir *state, struct fleet *fleet)
{
	RJWT_CLEAN(dir_close) struct dir all = DIR_NONE;
	struct latest l = { .state = state, .before_s = fleet->before_s };
	struct rjwt_time now;

	clock_now(env->keyset.clock, &now);
	l.now_s = now.wall_s;
	RJWT_TRY(dir_open_at(state, FLEET_DIR, &all, env->keyset.diag));
	RJWT_TRY(dir_each(&all, look_at_before, &l, env->keyset.diag));
	fleet->before_s = l.before_s;
	return RJWT_OK;
}

static enum rjwt_err
begin(const struct follow_env *env, const struct fleet *before, struct fleet *fleet)
{
	struct rjwt_time now;

	clock_now(env->keyset.clock, &now);
	*fleet = (struct fleet){ .chain = before->chain + 1,
		.generation = before->generation,
		.before_s = before->before_s,
		.born_s = before->born_s != 0 ? before->born_s : now.wall_s };
	if (env->audience != NULL)
		snprintf(fleet->audience, sizeof(fleet->audience), "%s", env->audience);
	else
		RJWT_TRY(host_name(fleet->audience, env->keyset.diag));
	return host_machine(fleet->machine, env->keyset.diag);
}

static enum rjwt_err
make_directories(const struct dir *state, struct rjwt_diag *diag)
{
	RJWT_CLEAN(denials_close) struct denials denials = DENIALS_NONE;

	RJWT_TRY(dir_make(state, FLEET_DIR, 0755, diag));
	return denials_open(state, &denials, diag);
}

static enum rjwt_err
join_locked(const struct follow_env *env, const struct dir *state, const char *url, const struct fleet_key *pin,
    bool *changed, struct fleet *fleet)
{
	struct rjwt_diag why = { 0 };
	struct fleet there = { 0 };
	enum rjwt_err err = fleet_read(state, &there, NULL, &why);

	if (err != RJWT_OK && err != RJWT_KEYSET && !err_is_missing(err)) {
		if (env->keyset.diag != NULL)
			*env->keyset.diag = why;
		return err;
	}
	RJWT_TRY(make_directories(state, env->keyset.diag));
	*changed = err != RJWT_OK || !fleet_key_eq(&there.pin, pin);
	if (!*changed) {
		*fleet = there;
		return RJWT_OK;
	}
	if (err != RJWT_OK)
		there = (struct fleet){ 0 };
	RJWT_TRY(find_before(env, state, &there));
	RJWT_TRY(begin(env, &there, fleet));
	snprintf(fleet->url, sizeof(fleet->url), "%s", url);
	fleet->pin = fleet->roster.keys[0] = *pin;
	fleet->roster.nkeys = 1;
	return fleet_commit(state, &env->keyset, fleet);
}

static enum rjwt_err
check_line(const char *url, const char *pin, struct fleet_key *key, struct rjwt_diag *diag)
{
	enum rjwt_err err;

	if (!fleet_url_check(view_of(url)))
		return diag_fail(diag, RJWT_USAGE, "", "\"%s\" is not an address (expected http:// or https://)", url);
	err = fleet_key_parse(view_of(pin), key);
	if (err == RJWT_KEYSET)
		return diag_fail(diag, RJWT_USAGE, "", "\"%s\" is not a fleet key (expected its %d characters)", pin,
		    FLEET_KEY_LENGTH);
	return err;
}

enum rjwt_err
follow_joined(const struct follow_env *env, const char *url, const char *pin, struct fleet *fleet)
{
	RJWT_CLEAN(dir_close) struct dir state = DIR_NONE;
	struct rjwt_diag *diag = env->keyset.diag;
	struct fleet there;
	struct fleet_key key;
	enum rjwt_err err;

	RJWT_TRY(check_line(url, pin, &key, diag));
	err = dir_open(env->state, &state, diag);
	if (err == RJWT_OK)
		err = fleet_read(&state, &there, NULL, diag);
	if (err_is_missing(err))
		return diag_fail(diag, RJWT_KEYSET, env->state, "this host has joined no fleet");
	RJWT_TRY(err);
	if (!fleet_key_eq(&there.pin, &key))
		return diag_fail(diag, RJWT_KEYSET, env->state, "this host has joined with another key: %s",
		    there.pin.text);
	*fleet = there;
	return RJWT_OK;
}

enum rjwt_err
follow_join(const struct follow_env *env, const char *url, const char *pin, bool *changed, struct fleet *fleet)
{
	RJWT_CLEAN(dir_close) struct dir state = DIR_NONE;
	RJWT_CLEAN(lock_release) struct lock lock = LOCK_NONE;
	struct rjwt_diag *diag = env->keyset.diag;
	struct fleet_key key;

	RJWT_TRY(check_line(url, pin, &key, diag));
	RJWT_TRY(state_open_or_make(env->state, &state, diag));
	RJWT_TRY(dir_make(&state, "private", 0700, diag));
	RJWT_TRY(lock_take(&lock, &state, 0, diag));
	return join_locked(env, &state, url, &key, changed, fleet);
}
