/* SPDX-License-Identifier: MIT */
/*
 * rjwt_status(): what rjwt-keyd shows people. It calls what decides, and judges nothing itself.
 */
#include "base/datetime.h"
#include "base/err.h"
#include "base/file.h"
#include "base/host.h"
#include "base/openssl.h"
#include "config/config.h"
#include "jose/alg.h"
#include "jose/jwk.h"
#include "keyset/inspect.h"
#include "keyset/keyset.h"
#include "keyset/marks_write.h"
#include "keyset/parked.h"
#include "keyset/plan.h"
#include "keyset/store.h"
#include "keyset/tickets.h"
#include "rjwt.h"
#include "status_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One that several calls came upon is told once. */
static enum rjwt_err
note_add(struct rjwt_status *s, enum rjwt_note_level level, const char *code, const struct rjwt_diag *diag)
{
	struct rjwt_note *grown;

	for (size_t i = 0; i < s->nnotes; i++)
		if (strcmp(s->notes[i].diag.path, diag->path) == 0 && strcmp(s->notes[i].diag.text, diag->text) == 0)
			return RJWT_OK;
	grown = reallocarray(s->notes, s->nnotes + 1, sizeof(*grown));
	if (grown == NULL)
		return RJWT_MEMORY;
	s->notes = grown;
	grown[s->nnotes++] = (struct rjwt_note){ level, code, *diag };
	s->level = level > s->level ? level : s->level;
	return RJWT_OK;
}

/* A failed call is a note; only a lack of memory is an error of ours. */
static enum rjwt_err
note_failure(struct rjwt_status *s, enum rjwt_err err, const char *code, struct rjwt_diag *diag)
{
	if (err == RJWT_OK || err == RJWT_MEMORY)
		return err;
	if (diag->text[0] == '\0')
		(void)diag_fail(diag, err, diag->path, "%s", rjwt_strerror(err));
	return note_add(s, RJWT_BROKEN, code, diag);
}

enum rjwt_err
status_note(struct rjwt_status *s, enum rjwt_note_level level, const char *code, const char *path, const char *fmt, ...)
{
	struct rjwt_diag diag = { 0 };
	va_list args;

	snprintf(diag.path, sizeof(diag.path), "%s", path);
	va_start(args, fmt);
	vsnprintf(diag.text, sizeof(diag.text), fmt, args);
	va_end(args);
	return note_add(s, level, code, &diag);
}

static enum rjwt_err
note(struct rjwt_status *s, enum rjwt_note_level level, const char *code, const char *path, const char *text)
{
	return status_note(s, level, code, path, "%s", text);
}

static const char *
state_of(const struct keyset *keyset, int64_t version, const struct jwk *jwk, int64_t now_s)
{
	if (version == keyset->active.version)
		return "active";
	if (version == keyset->next.version)
		return "next";
	if (jwk->revoked_s != 0)
		return "revoked";
	return jwk->until_s < now_s ? "expired" : "retired";
}

static void
fill_key(struct store *store, int64_t version, const struct jwk *jwk, int64_t now_s, struct rjwt_key_info *info)
{
	const struct keyset *keyset = store_keyset(store);
	int64_t minted;

	snprintf(info->kid, sizeof(info->kid), "%s", jwk->kid);
	snprintf(info->alg, sizeof(info->alg), "%s", jwk->alg->label);
	snprintf(info->state, sizeof(info->state), "%s", state_of(keyset, version, jwk, now_s));
	info->published_s = jwk->published_s;
	info->active_since_s = jwk->since_s;
	info->retired_s = jwk->retired_s;
	info->verifies_until_s = jwk->until_s;
	info->revoked_s = jwk->revoked_s;
	if (version == keyset->active.version)
		info->active_since_s = keyset->active.since_s;
	info->minted = -1;
	if (version >= keyset->active.version && tickets_count(store, version, &minted, NULL) == RJWT_OK &&
	    minted != INT64_MAX)
		info->minted = minted;
}

static enum rjwt_err
list_keys(struct store *store, int64_t now_s, struct rjwt_status *s)
{
	const struct keyset *k = store_keyset(store);

	s->keys = calloc((size_t)(k->next.version - k->floor + 1), sizeof(*s->keys));
	if (s->keys == NULL)
		return RJWT_MEMORY;
	for (int64_t v = k->floor; v <= k->next.version; v++) {
		RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
		struct rjwt_diag why = { 0 };
		enum rjwt_err err = store_read_key(store, v, &jwk, &why);

		if (err == RJWT_OK)
			err = keyset_check_key(k, v, &jwk);
		if (err == RJWT_OK)
			fill_key(store, v, &jwk, now_s, &s->keys[s->nkeys++]);
		else if (err != RJWT_KEY_UNKNOWN || keyset_active_or_next(k, v))
			RJWT_TRY(note_failure(s, err, "keyset.key", &why));
		if (err == RJWT_OK && jwk.alg->kind == ALG_HMAC && v == k->active.version)
			RJWT_TRY(note(s, RJWT_NOTE, "keyset.shared_secret", store_dir(store)->path,
			    "the active key is a shared secret (HS*): only root can verify, and whoever can "
			    "read private/ can mint"));
	}
	return RJWT_OK;
}

/* Whether what signs can, and what will sign could: for those who may look into private/. */
static enum rjwt_err
judge_private(struct store *store, struct rjwt_status *s)
{
	const struct keyset *keyset = store_keyset(store);
	const int64_t versions[] = { keyset->active.version, keyset->next.version };

	for (size_t i = 0; i < 2; i++) {
		RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
		struct rjwt_diag why = { 0 };
		enum rjwt_err err;

		if (store_read_key(store, versions[i], &jwk, NULL) != RJWT_OK)
			continue; /* told with the list of keys */
		err = store_can_sign(store, versions[i], &why);
		if (err == RJWT_IO && errno == EACCES)
			return RJWT_OK;
		RJWT_TRY(
		    note_failure(s, err, err == RJWT_IO && why.errnum == 0 ? "keyset.tpm" : "keyset.private", &why));
	}
	return RJWT_OK;
}

/* What is its owner's alone; what others could read may have been read. */
static enum rjwt_err
judge_mode(struct rjwt_status *s, const struct dir *dir, const char *name, const char *what_to_do)
{
	RJWT_CLEAN(free_clean) char *path = NULL;
	struct rjwt_diag diag;
	struct stat status;

	if (fstatat(dir->fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || (status.st_mode & (S_IRWXG | S_IRWXO)) == 0)
		return RJWT_OK;
	if (asprintf(&path, "%s/%s", dir->path, name) < 0) {
		path = NULL;
		return RJWT_MEMORY;
	}
	(void)diag_fail(&diag, RJWT_OK, path, "accessible to its group or to others (chmod go-rwx%s)", what_to_do);
	return note_add(s, RJWT_BROKEN, "keyset.mode", &diag);
}

struct secret_files {
	const struct dir *private;
	struct rjwt_status *status;
};

static enum rjwt_err
judge_key_mode(void *context, const char *name)
{
	const struct secret_files *f = context;

	if (store_version(name, "key") == 0)
		return RJWT_OK;
	return judge_mode(f->status, f->private, name,
	    "; if somebody may have read it, run rjwt-keyd rotate --compromised");
}

/* Nobody is refused for these: who may read a key can mint with it anyway, and logins must go on. */
static enum rjwt_err
judge_modes(struct store *store, struct rjwt_status *s)
{
	static const char *const folders[] = { "private", "spent", "issued" };
	const struct dir *state = store_dir(store);
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;

	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		RJWT_TRY(judge_mode(s, state, folders[i], ""));
	if (dir_open_at(state, "private", &private, NULL) != RJWT_OK)
		return RJWT_OK; /* closed to us, as it should be; or told above */
	RJWT_TRY(judge_mode(s, &private, PARKED, ""));
	return dir_each(&private, judge_key_mode, &(struct secret_files){ &private, s }, NULL);
}

/* What was used or revoked is a file: without its directory nobody knows it, and logins are refused. */
static enum rjwt_err
judge_folders(struct store *store, struct rjwt_status *s)
{
	static const char *const folders[] = { "spent", "revoked/jti", "revoked/sub" };
	const struct dir *state = store_dir(store);
	struct rjwt_diag diag;
	struct stat status;

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		if (fstatat(state->fd, folders[i], &status, 0) == 0 || errno != ENOENT)
			continue;
		(void)diag_fail(&diag, RJWT_OK, state->path,
		    "%s is missing: its marks are lost (run rjwt-keyd init --adopt)", folders[i]);
		RJWT_TRY(note_add(s, RJWT_BROKEN, "keyset.marks", &diag));
	}
	return RJWT_OK;
}

/* Keys, with the marks of their tokens, that have expired and are not removed yet: how many, and since when. */
static enum rjwt_err
judge_waiting(struct store *store, const struct rotation_policy *policy, const struct rjwt_time *now,
    struct rjwt_status *s)
{
	int64_t left_s = keyset_unsettled_s(store_keyset(store), policy, now), since_s = 0;
	char text[200], since[32], left[32];
	size_t n = 0;

	for (size_t i = 0; i < s->nkeys; i++)
		if (s->keys[i].verifies_until_s != 0 && s->keys[i].verifies_until_s < now->wall_s) {
			n++;
			since_s = since_s == 0 || s->keys[i].verifies_until_s < since_s ? s->keys[i].verifies_until_s
											: since_s;
		}
	if (n == 0)
		return RJWT_OK;
	time_format(since, since_s);
	duration_format(left, left_s);
	snprintf(text, sizeof(text),
	    left_s > 0 ? "%zu expired %s to be removed, the first since %s: the clock has to "
			 "run for another %s first, without being set"
		       : "%zu expired %s to be removed, the first since %s",
	    n, n == 1 ? "key waits" : "keys wait", since, left);
	return note(s, RJWT_NOTE, "keyset.waiting", store_dir(store)->path, text);
}

/* Marks that another program removed: what they revoked is accepted again. */
static enum rjwt_err
judge_marks(struct store *store, struct rjwt_status *s)
{
	const struct keyset *keyset = store_keyset(store);
	int64_t vouched = keyset->revoked, generation = keyset->generation, n = 0;
	char text[200];

	/* A writer removes marks, too, after a commit that says so. */
	if (vouched <= 0 || marks_count(store_dir(store), keyset->floor, INT64_MAX, &n, NULL) != RJWT_OK ||
	    n >= vouched || store_load(store, NULL) != RJWT_OK || keyset->generation != generation)
		return RJWT_OK;
	snprintf(text, sizeof(text),
	    "revoked/ has %" PRId64 " marks of %" PRId64
	    ": others were removed, and what they revoked may be accepted (run "
	    "rjwt-keyd revoke --all, and keep cleaning jobs out)",
	    n, vouched);
	return note(s, RJWT_BROKEN, "keyset.marks", store_dir(store)->path, text);
}

/* A guard that was not armed when the keyset was made. */
static enum rjwt_err
judge_machine(const struct store *store, struct rjwt_status *s)
{
	char machine[DIGEST_HEX];

	if (store_keyset(store)->machine[0] != '\0' || host_machine(machine, NULL) != RJWT_OK)
		return RJWT_OK;
	return note(s, RJWT_NOTE, "keyset.machine", store_dir(store)->path,
	    machine[0] == '\0' ? "this host has no machine id (/etc/machine-id), so a clone of it is not detected"
			       : "no machine id is recorded, so a clone of this host is not detected (the next writer "
				 "records it: rjwt-keyd once)");
}

/* How the clock and the schedule stand. */
static enum rjwt_err
judge_time(struct store *store, const struct rotation_policy *policy, const struct rjwt_time *now,
    struct rjwt_status *s)
{
	const struct keyset *keyset = store_keyset(store);
	struct keyset_seen seen = { .first_alive = keyset->floor };
	char text[96], amount[32];
	const char *what;
	int64_t by_s;

	if (store_usage(store, policy, now, &seen, NULL) != RJWT_OK && geteuid() != 0)
		RJWT_TRY(note(s, RJWT_NOTE, "keyset.readable", store_dir(store)->path,
		    "cannot read private/: the number of minted tokens is unknown (run this as root)"));
	if (keyset_clock_suspect(keyset, policy, now, &by_s)) {
		duration_format(amount, by_s);
		snprintf(text, sizeof(text), "clock suspect: it went %s by %s", by_s < 0 ? "back" : "forward", amount);
		RJWT_TRY(note(s, RJWT_ATTENTION, "clock.suspect", store_dir(store)->path, text));
	}
	if (keyset_overdue(keyset, policy, now->wall_s))
		RJWT_TRY(note(s, RJWT_ATTENTION, "rotation.overdue", store_dir(store)->path,
		    "rotation is overdue: is rjwt-keyd run (or rjwt-keyd once from cron) running?"));
	RJWT_TRY(judge_waiting(store, policy, now, s));
	s->in_step_s = keyset_in_step_s(keyset, policy, now);
	s->next_event_s = keyset_next_event(keyset, policy, &seen, now, &what);
	snprintf(s->next_event, sizeof(s->next_event), "%s", what);
	return RJWT_OK;
}

static enum rjwt_err
describe(const struct config *config, struct store *store, const struct rjwt_time *now, struct rjwt_status *s)
{
	struct rjwt_diag diag = { 0 };
	const struct keyset *k = store_keyset(store);
	enum rjwt_err err;

	snprintf(s->issuer, sizeof(s->issuer), "%s", config->issuer.n > 0 ? config->issuer.list[0] : k->issuer);
	snprintf(s->audience, sizeof(s->audience), "%s", config_audience(config, k->audience));
	s->rotate_every_s = config->rotation.rotate_every_s;
	s->previous_key_ttl_s = config->rotation.previous_key_ttl_s;
	s->generation = (uint64_t)k->generation;
	RJWT_TRY(list_keys(store, now->wall_s, s));
	err = store_check_writable(store, &config->rotation, &diag);
	if (err != RJWT_IO || geteuid() == 0) /* others cannot look into private/, which is as it should be */
		RJWT_TRY(note_failure(s, err, "keyset.writable", &diag));
	RJWT_TRY(judge_machine(store, s));
	RJWT_TRY(status_writing(s, store_dir(store)));
	RJWT_TRY(judge_private(store, s));
	RJWT_TRY(judge_modes(store, s));
	RJWT_TRY(judge_folders(store, s));
	RJWT_TRY(judge_marks(store, s));
	RJWT_TRY(judge_time(store, &config->rotation, now, s));
	if (config->rotation.rotate_every_s == 0)
		RJWT_TRY(note(s, RJWT_NOTE, "rotation.never", config->path,
		    "rotate_every is 0: marks of spent and revoked tokens are kept forever"));
	return RJWT_OK;
}

/* What keeps a keyset from being used: the code of the finding. */
static const char *
why_not(enum rjwt_err err, const char *state_dir)
{
	if (err == RJWT_CONFIG)
		return "config.missing";
	return access(state_dir, F_OK) != 0 || store_is_missing(state_dir) ? "keyset.missing" : "keyset.unusable";
}

/* The keyset of this host, if it has one: where it has joined a fleet it need not. */
static enum rjwt_err
gather_keysets(struct config *config, const char *state_dir, const struct rjwt_time *now, struct rjwt_status *s)
{
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = store_open(state_dir, NULL, &store, &diag);

	if (err == RJWT_OK)
		err = keyset_check_config(store_keyset(store), &config->rotation, &diag);
	RJWT_TRY(status_fleet(s, state_dir, config, store == NULL ? NULL : store_keyset(store)->base));
	if (err == RJWT_OK)
		RJWT_TRY(status_issuer(s, state_dir, config, store_keyset(store)->base));
	if (err == RJWT_OK)
		RJWT_TRY(status_tpm(s, state_dir, config, store_keyset(store)->next.version));
	if (err == RJWT_OK)
		return describe(config, store, now, s);
	if (s->joined && store_is_missing(state_dir))
		return RJWT_OK;
	return note_failure(s, err, why_not(err, state_dir), &diag);
}

static enum rjwt_err
gather(const struct rjwt_options *options, struct rjwt_status *s)
{
	RJWT_CLEAN(config_clear) struct config config = { 0 };
	struct clock clock = { .read = options->now, .context = options->now_context };
	struct rjwt_diag diag = { 0 };
	struct rjwt_time now;
	enum rjwt_err err = config_load(options->config, &config, &diag);

	if (err != RJWT_OK)
		return note_failure(s, err, "config.invalid", &diag);
	s->codes = config.rotation.codes.n > 0;
	snprintf(s->config, sizeof(s->config), "%s", config.path == NULL ? "" : config.path);
	clock_now(&clock, &now);
	s->now_s = now.wall_s;
	snprintf(s->dir, sizeof(s->dir), "%s", options->state_dir != NULL ? options->state_dir : config.state_dir);
	return gather_keysets(&config, options->state_dir != NULL ? options->state_dir : config.state_dir, &now, s);
}

enum rjwt_err
rjwt_status(const struct rjwt_options *options, struct rjwt_status *status)
{
	struct rjwt_status found = { 0 };
	enum rjwt_err err = openssl_ready(NULL);

	if (err == RJWT_OK)
		err = gather(options, &found);
	if (err != RJWT_OK) {
		rjwt_status_clear(&found);
		return err;
	}
	*status = found;
	return RJWT_OK;
}

void
rjwt_status_clear(struct rjwt_status *status)
{
	free(status->keys);
	free(status->notes);
	*status = (struct rjwt_status){ 0 };
}
