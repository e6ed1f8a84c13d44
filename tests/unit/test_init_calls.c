/* SPDX-License-Identifier: MIT */
/* init.c where a part that it calls fails: nothing is told as made that is not, and the same command is good afterwards. */
#include "fixture.h"
#include "base/file_write.h"
#include "base/host.h"
#include "base/openssl.h"
#include "jose/provider.h"
#include "keyset/commit.h"
#include "keyset/init.h"
#include "keyset/inspect.h"
#include "keyset/lock.h"
#include "keyset/marks_write.h"
#include "keyset/recover.h"
#include "keyset/store.h"

#include "planned.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rjwt_change change;
static char synced[20][300]; /* directories that init.c synced */
static unsigned nsynced;

PLANNED(dir_open, (const char *path, struct dir *dir, struct rjwt_diag *diag), path, dir, diag);
PLANNED(dir_of, (const char *path, struct dir *dir, const char **name, struct rjwt_diag *diag), path, dir, name, diag);
PLANNED(dir_make, (const struct dir *dir, const char *name, unsigned mode, struct rjwt_diag *diag), dir, name, mode,
    diag);
PLANNED(dir_open_at, (const struct dir *dir, const char *name, struct dir *sub, struct rjwt_diag *diag), dir, name, sub,
    diag);
PLANNED(dir_each,
    (const struct dir *dir, enum rjwt_err (*each)(void *context, const char *name), void *context,
	struct rjwt_diag *diag),
    dir, each, context, diag);
PLANNED(store_highest, (const struct dir *dir, int64_t *most, struct rjwt_diag *diag), dir, most, diag);
PLANNED(store_check_machine, (const struct store *store, struct rjwt_diag *diag), store, diag);
PLANNED(host_name, (char name[static RJWT_NAME_MAX + 1], struct rjwt_diag *diag), name, diag);
PLANNED(host_machine, (char machine[static DIGEST_HEX], struct rjwt_diag *diag), machine, diag);
PLANNED(file_write,
    (const struct dir *dir, const char *name, unsigned mode, struct view text, const struct timespec *mtime,
	struct rjwt_diag *diag),
    dir, name, mode, text, mtime, diag);
PLANNED(commit_make_keys,
    (struct fresh_keys * fresh, unsigned n, const struct rotation_policy *policy, struct rjwt_diag *diag), fresh, n,
    policy, diag);
PLANNED(lock_take, (struct lock * lock, const struct dir *dir, int flags, struct rjwt_diag *diag), lock, dir, flags,
    diag);
PLANNED(keyset_clock_check, (const struct rjwt_time *now, struct rjwt_diag *diag), now, diag);
PLANNED(keyset_check_config,
    (const struct keyset *keyset, const struct rotation_policy *policy, struct rjwt_diag *diag), keyset, policy, diag);
PLANNED(marks_prune, (const struct dir *state, int64_t floor, bool rose, struct rjwt_diag *diag), state, floor, rose,
    diag);

PLANNED_AT(commit_stage, ctx->env->diag,
    (const struct commit_ctx *ctx, const struct keyset *before, struct keyset *keyset), ctx, before, keyset);
PLANNED_AT(commit_publish, ctx->env->diag, (const struct commit_ctx *ctx), ctx);
PLANNED_AT(commit_new_key, ctx->env->diag,
    (const struct commit_ctx *ctx, const struct keyset *keyset, int64_t version, struct fresh_keys *fresh), ctx, keyset,
    version, fresh);
PLANNED_AT(recover, ctx->env->diag, (const struct commit_ctx *ctx, struct store *store, bool first, bool *removed), ctx,
    store, first, removed);

/* It takes the provider, also when it fails. */
WRAP(enum rjwt_err, store_open,
    (const char *dir, struct provider *provider, struct store **store, struct rjwt_diag *diag))
{
	if (!fault_due(FAULT_ANY, "store_open"))
		return __real_store_open(dir, provider, store, diag);
	if (provider != NULL)
		provider->free(provider);
	return diag_fail(diag, RJWT_KEYSET, "/a/path", "planned");
}

WRAP(enum rjwt_err, provider_file, (const struct dir *state, struct provider **provider))
{
	return fault_due(FAULT_ANY, "provider_file") ? RJWT_MEMORY : __real_provider_file(state, provider);
}

static unsigned dashes; /* so many bases would begin with a dash */

WRAP(enum rjwt_err, random_fill, (void *p, size_t n))
{
	enum rjwt_err err = fault_due(FAULT_ANY, "random_fill") ? RJWT_INTERNAL : __real_random_fill(p, n);

	if (err == RJWT_OK && dashes > 0) {
		*(unsigned char *)p = 62 << 2;
		dashes--;
	}
	return err;
}

WRAP(enum rjwt_err, file_remove, (const struct dir *dir, const char *name, struct rjwt_diag *diag))
{
	return fault_due(FAULT_ANY, "file_remove") ? diag_fail(diag, RJWT_KEYSET, "/a/path", "planned")
						   : __real_file_remove(dir, name, diag);
}

WRAP(enum rjwt_err, dir_sync, (const struct dir *dir, struct rjwt_diag *diag))
{
	if (nsynced < ARRAY_LEN(synced))
		snprintf(synced[nsynced++], sizeof(synced[0]), "%s", dir->path);
	return fault_due(FAULT_ANY, "dir_sync") ? diag_fail(diag, RJWT_KEYSET, "/a/path", "planned")
						: __real_dir_sync(dir, diag);
}

static char causes[64], warned[256]; /* of events */

static void
note(void *context, const struct rjwt_event *event)
{
	(void)context;
	if (event->kind == RJWT_EVENT_PROMOTED)
		snprintf(causes, sizeof(causes), "%s", event->cause);
	if (event->kind == RJWT_EVENT_WARNING)
		snprintf(warned, sizeof(warned), "%s", event->text);
}

static enum rjwt_err
init(struct fixture *f, int flags)
{
	struct rjwt_options options = fixture_options(f);

	memset(&change, 0, sizeof(change));
	causes[0] = warned[0] = '\0';
	options.event = note;
	f->diag = (struct rjwt_diag){ 0 };
	nsynced = 0;
	return rjwt_init(&options, flags, &change, &f->diag);
}

static void
configure(struct fixture *f, const char *yaml)
{
	struct rjwt *h = NULL;

	if (fixture_try(f, yaml, &h) == RJWT_OK)
		rjwt_close(h);
}

static bool
was_synced(const char *path)
{
	for (unsigned i = 0; i < nsynced; i++)
		if (strcmp(synced[i], path) == 0)
			return true;
	return false;
}

/* Parts whose failure is an error of the command, whichever call of them it is, but for one. */
static const struct part {
	const char *name;
	unsigned harmless;		/* this call of it may fail; 0: none */
	bool silent;			/* it has no text of its own */
} parts[] = { { "dir_open", 1, false }, /* a look before all: what is wrong is told when it is opened */
	{ "dir_of", 0, false }, { "dir_make", 0, false }, { "dir_open_at", 0, false }, { "dir_each", 0, false },
	{ "dir_sync", 0, false }, { "store_highest", 0, false }, { "host_name", 0, false },
	{ "host_machine", 0, false }, { "file_write", 0, false }, { "commit_make_keys", 0, false },
	{ "lock_take", 0, false }, { "keyset_clock_check", 0, false }, { "keyset_check_config", 0, false },
	{ "store_open", 0, false }, { "commit_stage", 0, false }, { "commit_publish", 0, false },
	{ "commit_new_key", 0, false }, { "recover", 0, false }, { "provider_file", 0, true },
	{ "random_fill", 0, true } };

/* Whether the turn-th call of a part was made, and the command judged that failed by it. */
static bool
judge_part(const struct part *part, unsigned turn, bool adopt)
{
	struct fixture *f = adopt ? fixture_new("") : fixture_bare("issuer: i.example\n");
	char label[80];
	enum rjwt_err err;
	bool did;

	snprintf(label, sizeof(label), "%s, %s %u", adopt ? "adopt" : "init", part->name, turn);
	if (adopt)
		configure(f, "issuer: i.example\n"); /* and a base that is chosen */
	fails(part->name, turn, ENOMEM);
	err = init(f, adopt ? RJWT_ADOPT : 0);
	did = failed();
	if (!did || turn == part->harmless)
		want(label, err, RJWT_OK);
	else if (err == RJWT_OK && strstr(change.warning, ": planned") == NULL)
		fail_msg("%s: success", label);
	else if (err != RJWT_OK && !part->silent &&
		 (strcmp(f->diag.text, "planned") != 0 || (err != RJWT_KEYSET && err != RJWT_CONFIG)))
		fail_msg("%s: \"%s\"", label, f->diag.text);
	if (did && err != RJWT_OK && !adopt && !file_there(f, "keyset.json"))
		want(label, init(f, 0), RJWT_OK);
	else if (did && err != RJWT_OK)
		want(label, init(f, RJWT_ADOPT), RJWT_OK);
	want(label, init(f, 0), RJWT_EXISTS);
	fixture_free(f);
	return did;
}

static void
test_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		unsigned turns[2] = { 0, 0 };

		for (int adopt = 0; adopt < 2; adopt++)
			while (judge_part(&parts[i], turns[adopt] + 1, adopt == 1))
				turns[adopt]++;
		if (turns[0] + turns[1] == 0)
			fail_msg("%s is not called", parts[i].name);
	}
}

/* Marks that cannot be removed do not matter. */
static void
test_warning(void **state)
{
	struct fixture *f = *state;
	enum rjwt_err err;

	configure(f, "base_kid: C\n");
	fails("marks_prune", 1, 0);
	err = init(f, RJWT_ADOPT);
	assert_true(failed());
	want("adopt", err, RJWT_OK);
	assert_string_equal(change.warning, "cannot remove old marks: /a/path: planned");
	assert_string_equal(warned, change.warning);
	assert_string_equal(causes, "adopt");
}

/* --- meanwhile ---------------------------------------------------------------------------------- */

static struct fixture *now_f;

static void
another_inits(void)
{
	want("another", init(now_f, 0), RJWT_OK);
	assert_string_equal(causes, "init");
}

/* Two at once: who comes second to the lock leaves the keyset of the first as it is. */
static void
test_another(void **state)
{
	struct keyset keyset;

	(void)state;
	now_f = fixture_bare("issuer: i.example\n");
	fails("lock_take", 1, 0);
	plan.instead = another_inits;
	want("second", init(now_f, 0), RJWT_EXISTS);
	assert_true(failed());
	keyset = keyset_get(now_f);
	assert_true(keyset.active.version == 1 && keyset.next_version == 3 && !file_there(now_f, "init"));
	fixture_free(now_f);
}

static bool begun;

static void
look(void)
{
	begun = file_there(now_f, "init");
}

/* Only a directory without a keyset is marked: an adoption that is killed leaves a keyset. */
static void
test_begun(void **state)
{
	(void)state;
	now_f = fixture_bare("issuer: i.example\n");
	fails("commit_new_key", 1, 0);
	plan.instead = look;
	want("init", init(now_f, 0), RJWT_OK);
	assert_true(failed() && begun);
	fails("commit_new_key", 1, 0);
	plan.instead = look;
	want("adopt", init(now_f, RJWT_ADOPT), RJWT_OK);
	assert_true(failed() && !begun);
	fixture_free(now_f);
}

/* A kid is an argument of commands. */
static void
test_no_dash(void **state)
{
	(void)state;
	now_f = fixture_bare("issuer: i.example\n");
	dashes = 3;
	want("init", init(now_f, 0), RJWT_OK);
	assert_int_equal(dashes, 0);
	assert_int_not_equal(keyset_get(now_f).base[0], '-');
	fixture_free(now_f);
}

/* --- the directory ---------------------------------------------------------------------------- */

/* One that is there was perhaps made by an init that was killed before it synced. */
static void
test_synced(void **state)
{
	struct fixture *f = *state;
	struct dir dir = DIR_NONE;

	nsynced = 0;
	want("there", state_open_or_make(f->state, &dir, NULL), RJWT_OK);
	dir_close(&dir);
	assert_true(was_synced(f->top));
	nsynced = 0;
	assert_int_equal(chdir(f->state), 0);
	want("it has no name", state_open_or_make(".", &dir, NULL), RJWT_OK);
	dir_close(&dir);
	assert_int_equal(nsynced, 0);
	assert_int_equal(chdir("/"), 0);
}

static void
test_missing(void **state)
{
	struct fixture *f = *state;
	struct dir dir = DIR_NONE;
	char gone[300];

	snprintf(gone, sizeof(gone), "%s/none/below", f->top);
	want("nobody asks why", state_open_or_make(gone, &dir, NULL), RJWT_IO);
	fails("strdup", 2, ENOMEM); /* the first is of dir_open() */
	want("no memory", state_open_or_make(gone, &dir, NULL), RJWT_MEMORY);
	assert_true(failed());
	snprintf(gone, sizeof(gone), "%s/none/.", f->top);
	want("no name", state_open_or_make(gone, &dir, &f->diag), RJWT_USAGE);
	snprintf(gone, sizeof(gone), "%s/gone", f->top);
	assert_int_equal(mkdir(gone, 0700), 0);
	assert_int_equal(chdir(gone), 0);
	assert_int_equal(rmdir(gone), 0);
	want("where nothing can be", state_open_or_make("name", &dir, &f->diag), RJWT_IO);
	assert_null(strstr(f->diag.text, "mkdir"));
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(dir.fd, -1);
}

/* All keys are gone, and keyset.json is not: it knows the next version. */
static void
test_no_keys(void **state)
{
	static const char *const names[] = { "keys/1.jwk", "keys/2.jwk", "private/1.key", "private/2.key",
		"private/1.minted", "private/2.minted" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		file_gone(f, names[i]);
	configure(f, "base_kid: C\n");
	want("adopt", init(f, RJWT_ADOPT), RJWT_OK);
	assert_int_equal(keyset_get(f).active.version, 3);
}

/* --- adopting --------------------------------------------------------------------------------- */

/* An adoption that fails has claimed its versions, and the old keyset goes on; an old copy of keyset.json stays one. */
static void
test_claimed(void **state)
{
	static const struct {
		const char *newer; /* a file that the old copy does not know */
		int64_t next;
	} rows[] = { { NULL, 5 }, { "keys/3.jwk", 3 }, { "keys/9.jwk", 3 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture *f = fixture_new("");
		struct keyset keyset;

		(void)state;
		configure(f, "base_kid: C\n");
		if (rows[i].newer != NULL)
			file_put(f, rows[i].newer, VIEW("x"));
		fails("commit_new_key", 1, 0);
		want("adopt", init(f, RJWT_ADOPT), RJWT_KEYSET);
		assert_true(failed());
		keyset = keyset_get(f);
		assert_string_equal(keyset.base, "B");
		assert_int_equal(keyset.next_version, rows[i].next);
		assert_int_equal(keyset.active.version, 1);
		want("again", init(f, RJWT_ADOPT), RJWT_OK);
		fixture_free(f);
	}
}

/* What another host's keyset says is not this host's: its names and versions do not count. */
static void
test_followed(void **state)
{
	struct fixture *f = *state;
	struct keyset keyset = keyset_get(f);

	keyset.followed.serial = 5;
	keyset.followed.issued_s = T0;
	memset(keyset.followed.key, 'A', sizeof(keyset.followed.key) - 1);
	keyset.next_version = 9;
	snprintf(keyset.issuer, sizeof(keyset.issuer), "theirs.example");
	keyset_put(f, &keyset);
	configure(f, "audience: h.example\n");
	want("adopt", init(f, RJWT_ADOPT), RJWT_OK);
	assert_int_equal(keyset_get(f).active.version, 3);
	assert_string_not_equal(keyset_get(f).issuer, "theirs.example");
}

/* What is configured needs no name of the host; that a configuration was used is kept. */
static void
test_kept(void **state)
{
	struct fixture *f = *state;
	struct keyset keyset = keyset_get(f);

	keyset.configured = true;
	keyset_put(f, &keyset);
	configure(f, "base_kid: C\nissuer: i.example\naudience: h.example\n");
	fails("host_name", 1, 0);
	want("adopt", init(f, RJWT_ADOPT), RJWT_OK);
	assert_false(failed());
	assert_true(keyset_get(f).configured);
	keyset = keyset_get(f);
	keyset.configured = false;
	keyset_put(f, &keyset);
	configure(f, "base_kid: D\n");
	want("adopt", init(f, RJWT_ADOPT), RJWT_OK);
	assert_false(keyset_get(f).configured);
}

#define I(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_parts), I(test_warning), I(test_synced),
		I(test_missing), I(test_no_keys), cmocka_unit_test(test_claimed), cmocka_unit_test(test_another),
		cmocka_unit_test(test_begun), cmocka_unit_test(test_no_dash), I(test_followed), I(test_kept) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
