/* SPDX-License-Identifier: MIT */
/* Each step of a verification, and of what writes, with every call of ours failing once: refused, and nothing leaks. */
#include "failing_thing.h"
#include "config/config.h"
#include "base/file.h"
#include "jose/jws.h"
#include "keyset/issued.h"
#include "keyset/marks.h"
#include "keyset/store.h"
#include "keyset/inspect.h"
#include "keyset/jwks.h"
#include "keyset/marks_write.h"
#include "keyset/tickets.h"

#include <stdio.h>
#include <sys/stat.h>

/* --- a host ----------------------------------------------------------------------------------- */

static enum rjwt_err
load_config(struct thing *thing)
{
	RJWT_CLEAN(config_clear) struct config config = { 0 };

	return config_load(thing->f->config, &config, NULL);
}

static void
test_config(void **state)
{
	struct thing t = { .f = *state };

	every("configuration", load_config, &t, RJWT_OK);
	fixture_config(t.f, "audience: [a, \"b\"]\nservices: {x: y, z: \"\"}\nissuer: i\nalg: EdDSA\nissue: []\n");
	every("configuration", load_config, &t, RJWT_OK);
}

/* From nothing: configuration, keyset, key, marks. */
static enum rjwt_err
whole(struct thing *thing)
{
	struct rjwt_options options = fixture_options(thing->f);
	RJWT_CLEAN(rjwt_verdict_clear) struct rjwt_verdict verdict = { 0 };
	struct rjwt_check trace[RJWT_CHECKS_MAX];
	const struct rjwt_attempt attempt = { .token = thing->token,
		.len = strlen(thing->token),
		.user = "alice",
		.service = "sshd",
		.flags = thing->flags,
		.trace = thing->traced ? trace : NULL,
		.trace_max = RJWT_CHECKS_MAX };
	struct rjwt *h = NULL;
	enum rjwt_err err = rjwt_open(&options, &h, NULL);

	if (err == RJWT_OK)
		err = rjwt_verify(h, &attempt, &verdict, NULL);
	rjwt_close(h);
	return err;
}

static void
test_verification(void **state)
{
	struct thing t = { .f = *state };
	RJWT_CLEAN(free_clean) char *good = token_with(t.f, (struct edit[]){ { 'c', "once", "true" }, { 0 } });
	RJWT_CLEAN(free_clean) char *bad = token_with(t.f, (struct edit[]){ { 'c', "sub", "\"bob\"" }, { 0 } });

	t.token = good;
	t.harmless = 4; /* one of them: fleet.json cannot be looked at, and when it is opened it is not there */
	t.flags = RJWT_DRY_RUN;
	every("good", whole, &t, RJWT_OK);
	t.traced = true;
	every("good", whole, &t, RJWT_OK);
	t.harmless = 0;
	t.flags = 0;
	t.token = bad;
	every("another's", whole, &t, RJWT_USER);
	t.token = good;
	forge(good);
	every("forged", whole, &t, RJWT_SIGNATURE);
}

/* A mark that is there revokes, whatever cannot be read. */
static void
test_revoked(void **state)
{
	struct thing t = { .f = *state };
	RJWT_CLEAN(free_clean) char *token = token_with(t.f, NULL);
	RJWT_CLEAN(free_clean) char *other = token_with(t.f, (struct edit[]){ { 'c', "jti", "\"a2\"" }, { 0 } });
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;

	t.token = token;
	want("folder", dir_open(t.f->state, &dir, NULL), RJWT_OK);
	want("jti", mark_revoke_jti(&dir, "a1", 9, &(int64_t){ 0 }, NULL), RJWT_OK);
	every("revoked jti", whole, &t, RJWT_REVOKED);
	t.token = other;
	want("user", mark_revoke_user(&dir, "alice", 9, &(int64_t){ 0 }, NULL), RJWT_OK);
	every("revoked user", whole, &t, RJWT_REVOKED);
}

static void
test_secret(void **state)
{
	struct thing t = { .f = *state, .harmless = 4 };
	RJWT_CLEAN(free_clean) char *good = token_with(t.f, (struct edit[]){ { 'h', "alg", "\"HS256\"" }, { 0 } });

	t.token = good;
	every("HS256", whole, &t, RJWT_OK);
}

/* Another token each time: a mark may stand already when a later call fails. */
static void
make_one_time(struct thing *thing, unsigned k)
{
	char jti[32];

	snprintf(jti, sizeof(jti), "\"%u\"", k);
	free(thing->token);
	thing->token = token_with(thing->f, (struct edit[]){ { 'c', "once", "true" }, { 'c', "jti", jti }, { 0 } });
}

static void
test_one_time(void **state)
{
	struct thing t = { .f = *state, .harmless = 8, .prepare = make_one_time };

	every("one-time", whole, &t, RJWT_OK);
	free(t.token);
}

/* By a handle that is open. */
static enum rjwt_err
again(struct thing *thing)
{
	return judge(thing->f, thing->token, 0, NULL);
}

static void
commit(struct thing *thing, unsigned k)
{
	struct keyset keyset = keyset_get(thing->f);

	(void)k;
	if (thing->token == NULL)
		thing->token = token_with(thing->f, NULL);
	keyset_put(thing->f, &keyset);
}

/* The directory and its twin change places. */
static void
swap(struct thing *thing, unsigned k)
{
	char twin[200], aside[200];

	commit(thing, k);
	snprintf(twin, sizeof(twin), "%s/twin", thing->f->top);
	snprintf(aside, sizeof(aside), "%s/aside", thing->f->top);
	assert_int_equal(rename(thing->f->state, aside), 0);
	assert_int_equal(rename(twin, thing->f->state), 0);
	assert_int_equal(rename(aside, twin), 0);
}

static void
make_twin(struct fixture *f)
{
	static const char *const folders[] = { "", "/keys", "/revoked", "/revoked/jti", "/revoked/sub" },
				 *const files[] = { "keyset.json", "keys/1.jwk" };
	struct fixture twin = *f;
	char path[200];

	snprintf(twin.state, sizeof(twin.state), "%.100s/twin", f->top);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof(path), "%s%s", twin.state, folders[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		RJWT_CLEAN(buf_clear) struct buf text = file_get(f, files[i]);

		file_put(&twin, files[i], buf_view(&text));
	}
}

/* What a handle cannot read, it reads at the next call. */
static void
test_handle(void **state)
{
	struct thing t = { .f = *state, .harmless = 6, .prepare = commit };

	every("another keyset.json", again, &t, RJWT_OK);
	make_twin(t.f);
	t.prepare = swap;
	every("another folder", again, &t, RJWT_OK);
	want("after all that", again(&t), RJWT_OK);
	free(t.token);
}

/* --- what writers do -------------------------------------------------------------------------- */

/* Sign, count, look at all keys: by a handle of its own. */
static enum rjwt_err
keep(struct thing *thing)
{
	const struct rotation_policy policy = { .leeway_s = 30 };
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	struct keyset_seen seen;
	struct signer *signer;
	int64_t ticket;

	RJWT_TRY(store_open(thing->f->state, NULL, &store, NULL));
	RJWT_TRY(store_signer(store, 1, &signer, NULL));
	RJWT_TRY(jws_sign(signer, VIEW("{}"), VIEW("{}"), &out));
	RJWT_TRY(store_can_sign(store, 1, NULL));
	RJWT_TRY(tickets_take(store, 1, 1, true, &ticket, NULL));
	RJWT_TRY(store_check_writable(store, &policy, NULL));
	RJWT_TRY(store_usage(store, &policy, &clock_time, &seen, NULL));
	return store_jwks(store, T0, &out, NULL);
}

/* What cannot be read of a retired key is not taken for its end. */
static enum rjwt_err
see(struct thing *thing)
{
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	const struct rotation_policy policy = { .rotate_every_s = 86400, .max_lifetime_s = 3600, .leeway_s = 30 };
	struct keyset_seen seen;

	RJWT_TRY(store_open(thing->f->state, NULL, &store, NULL));
	RJWT_TRY(store_usage(store, &policy, &clock_time, &seen, NULL));
	assert_int_equal(seen.first_alive, 1);
	return RJWT_OK;
}

/* Marks of a rising version, and what is made of them when floor rises. */
static enum rjwt_err
mark(struct thing *thing)
{
	static int64_t version;
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;

	version++;
	RJWT_TRY(dir_open(thing->f->state, &dir, NULL));
	RJWT_TRY(mark_revoke_jti(&dir, "j", version, &(int64_t){ 0 }, NULL));
	return mark_revoke_user(&dir, "dave", version, &(int64_t){ 0 }, NULL);
}

static enum rjwt_err
prune(struct thing *thing)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;

	RJWT_TRY(dir_open(thing->f->state, &dir, NULL));
	RJWT_TRY(marks_prune(&dir, 3, true, NULL));
	return issued_prune(&dir, T0 + 100000, NULL);
}

/* With the directory, or without, which is made anew. */
static enum rjwt_err
issue(struct thing *thing)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;

	RJWT_TRY(dir_open(thing->f->state, &dir, NULL));
	return issued_add(&dir, T0, &thing->text, NULL);
}

static void
remove_issued(struct thing *thing, unsigned k)
{
	char path[256], other[256];

	snprintf(path, sizeof(path), "%s/issued", thing->f->state);
	snprintf(other, sizeof(other), "%.200s/was-issued-%u", thing->f->state, k);
	(void)rename(path, other);
}

/* What there is to remove. */
static void
make_marks(struct thing *thing, unsigned k)
{
	RJWT_CLEAN(free_clean) char *token = NULL;
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	struct thing fresh = *thing;

	/* What an earlier call left would be more each time. */
	want("folder", dir_open(thing->f->state, &dir, NULL), RJWT_OK);
	want("prune", marks_prune(&dir, 3, true, NULL), RJWT_OK);
	fresh.token = NULL;
	make_one_time(&fresh, k);
	token = fresh.token;
	want("spent", judge(thing->f, token, 0, NULL), RJWT_OK);
	free(minted(thing->f, "carol"));
	want("revoked", mark_revoke_jti(&dir, "j", 2, &(int64_t){ 0 }, NULL), RJWT_OK);
	want("revoked", mark_revoke_user(&dir, "bob", 2, &(int64_t){ 0 }, NULL), RJWT_OK);
}

static void
test_writers(void **state)
{
	struct thing t = { .f = *state, .writes = true };

	every("keep", keep, &t, RJWT_OK);
	every("mark", mark, &t, RJWT_OK);
	buf_adds(&t.text, "{}\n");
	every("issue", issue, &t, RJWT_OK);
	t.prepare = remove_issued;
	every("issue", issue, &t, RJWT_OK);
	buf_clear(&t.text);
	t.prepare = make_marks;
	t.prunes = true;
	t.harmless = 12;
	every("prune", prune, &t, RJWT_OK);
	t.prepare = NULL;
	rotate(t.f);
	t.harmless = 1;
	every("see", see, &t, RJWT_OK);
}

#define F(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { F(test_config), F(test_verification), F(test_one_time), F(test_revoked),
		F(test_handle), F(test_writers),
		cmocka_unit_test_setup_teardown(test_secret, fixture_setup_hs256, fixture_teardown) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
