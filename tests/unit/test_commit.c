/* SPDX-License-Identifier: MIT */
/* The steps of a commit, each by itself: facts of the files, and each call of ours failing. */
#include "commit_world.h"
#include "jose/provider_tpm2.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* A generation more, in the file and in its time, by the clock of the commit. */
static void
test_stage(void **state)
{
	struct keyset before = *store_keyset(now.store), after = before;
	struct stat status;

	(void)state;
	clock_run(7);
	after.revoked = 2;
	want("stage", commit_stage(&now.ctx, &before, &after), RJWT_OK);
	assert_int_equal(after.generation, before.generation + 1);
	assert_int_equal(keyset_get(now.f).revoked, before.revoked); /* not yet */
	want("publish", commit_publish(&now.ctx), RJWT_OK);
	assert_int_equal(keyset_get(now.f).revoked, 2);
	assert_int_equal(keyset_get(now.f).generation, after.generation);
	assert_int_equal(fstatat(store_dir(now.store)->fd, "keyset.json", &status, 0), 0);
	assert_int_equal(status.st_mtim.tv_sec, clock_time.wall_s);
	assert_int_equal(status.st_mtim.tv_nsec, after.generation % 1000000000);
	assert_int_equal(file_mode(now.f, "keyset.json"), 0644);
}

static unsigned of_a_tpm; /* how many keys were asked for there */
static bool no_tpm;

enum rjwt_err __wrap_tpm2_generate(const struct alg *alg, unsigned rsa_bits, struct key **key, struct rjwt_diag *diag);
enum rjwt_err
__wrap_tpm2_generate(const struct alg *alg, unsigned rsa_bits, struct key **key, struct rjwt_diag *diag)
{
	of_a_tpm++;
	return no_tpm ? diag_fail(diag, RJWT_IO, "tpm", "planned") : key_generate(alg, rsa_bits, key);
}

/* Where the policy says so, and nowhere else: there is no file of a private half that could be copied. */
static void
test_make_keys_tpm(void **state)
{
	struct fresh_keys fresh = { .n = 0 };
	struct rotation_policy policy = now.policy;

	(void)state;
	of_a_tpm = 0;
	want("file", commit_make_keys(&fresh, 1, &policy, &now.f->diag), RJWT_OK);
	assert_int_equal(of_a_tpm, 0);
	policy.tpm2 = true;
	want("tpm2", commit_make_keys(&fresh, 2, &policy, &now.f->diag), RJWT_OK);
	assert_int_equal(of_a_tpm, 1);
	assert_int_equal(fresh.n, 2);
	commit_drop_keys(&fresh);
	no_tpm = true;
	want("none", commit_make_keys(&fresh, 1, &policy, &now.f->diag), RJWT_IO);
	assert_string_equal(now.f->diag.text, "planned");
	assert_int_equal(fresh.n, 0);
	no_tpm = false;
}

static void
test_make_keys(void **state)
{
	struct fresh_keys fresh = { .n = 0 };
	struct rotation_policy weak = now.policy;

	(void)state;
	want("none", commit_make_keys(&fresh, 0, &now.policy, NULL), RJWT_OK);
	assert_int_equal(fresh.n, 0);
	want("two", commit_make_keys(&fresh, COMMIT_KEYS_MAX, &now.policy, NULL), RJWT_OK);
	assert_int_equal(fresh.n, COMMIT_KEYS_MAX);
	assert_ptr_not_equal(fresh.keys[0], fresh.keys[1]);
	assert_ptr_equal(key_alg(fresh.keys[0]), now.policy.alg);
	want("there are two", commit_make_keys(&fresh, 1, &now.policy, NULL), RJWT_OK);
	assert_int_equal(fresh.n, COMMIT_KEYS_MAX);
	want("three", commit_make_keys(&fresh, COMMIT_KEYS_MAX + 1, &now.policy, NULL), RJWT_INTERNAL);
	commit_drop_keys(&fresh);
	assert_int_equal(fresh.n, 0);
	weak.alg = alg_by_label(VIEW("RS256"));
	weak.rsa_bits = 8;
	assert_int_not_equal(commit_make_keys(&fresh, 1, &weak, &now.f->diag), RJWT_OK);
	assert_string_equal(now.f->diag.text, "cannot create a RS256 key");
	assert_int_equal(fresh.n, 0);
}

static void
test_new_key(void **state)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
	struct fresh_keys fresh = { .n = 0 };

	(void)state;
	want("without a key", commit_new_key(&now.ctx, store_keyset(now.store), 3, &fresh), RJWT_INTERNAL);
	assert_false(file_there(now.f, "private/3.key"));
	want("make", commit_make_keys(&fresh, 2, &now.policy, NULL), RJWT_OK);
	want("new", commit_new_key(&now.ctx, store_keyset(now.store), 3, &fresh), RJWT_OK);
	assert_int_equal(fresh.n, 1);
	assert_null(fresh.keys[1]);
	assert_int_equal(file_mode(now.f, "private/3.key"), 0600);
	assert_int_equal(file_mode(now.f, "private/3.minted"), 0600);
	assert_int_equal(file_mode(now.f, "keys/3.jwk"), 0644);
	want("read", store_read_key(now.store, 3, &jwk, NULL), RJWT_OK);
	assert_string_equal(jwk.kid, "B.3");
	assert_int_equal(jwk.published_s, clock_time.wall_s);
	want("the version is taken", commit_new_key(&now.ctx, store_keyset(now.store), 3, &fresh), RJWT_EXISTS);
	assert_int_equal(fresh.n, 0);
	file_put(now.f, "private/4.minted", VIEW(""));
	want("make", commit_make_keys(&fresh, 1, &now.policy, NULL), RJWT_OK);
	want("its count is there", commit_new_key(&now.ctx, store_keyset(now.store), 4, &fresh), RJWT_EXISTS);
	assert_false(file_there(now.f, "keys/4.jwk"));
}

/* What is written is read again before it counts: with its public half, where there is one. */
static const struct jwk *looked_at;
static bool with_public;

static enum rjwt_err
refuse_load(struct provider *provider, int64_t version, const struct jwk *jwk, struct signer **signer,
    struct rjwt_diag *diag)
{
	(void)provider;
	(void)version;
	(void)signer;
	(void)diag;
	looked_at = jwk;
	with_public = jwk->key != NULL;
	return RJWT_KEYSET;
}

static void
test_generate(void **state)
{
	static const char *const labels[] = { "ES256", "HS256" };
	struct provider *p = store_provider(now.store);
	struct provider own = *p;
	struct signer *signer = NULL;
	struct key *none = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		const struct alg *alg = alg_by_label(view_of(labels[i]));
		RJWT_CLEAN(key_clean) struct key *key = NULL;
		const struct key *mine;
		char name[32];

		snprintf(name, sizeof(name), "private/%d.key", (int)(50 + i));
		want("key", key_generate(alg, 0, &key), RJWT_OK);
		mine = key;
		want("given", p->generate(p, 50 + (int64_t)i, alg, 0, &key, NULL), RJWT_OK);
		assert_ptr_equal(key, mine);
		assert_true(file_there(now.f, name));
		looked_at = NULL;
		p->load = refuse_load;
		want("unusable", p->generate(p, 60 + (int64_t)i, alg, 0, &key, NULL), RJWT_KEYSET);
		p->load = own.load;
		assert_non_null(looked_at);
		assert_true(with_public == (i == 0));
		assert_null(key);
		want("none given", p->generate(p, 70 + (int64_t)i, alg, 0, &key, NULL), RJWT_OK);
		assert_ptr_equal(key_alg(key), alg);
		now.f->diag = (struct rjwt_diag){ 0 };
		want("load", p->load(p, 70 + (int64_t)i, &(struct jwk){ .alg = alg }, &signer, &now.f->diag), RJWT_OK);
		assert_string_equal(now.f->diag.text, ""); /* of a success nothing is told */
		signer_clean(&signer);
		assert_null(signer);
		signer_clean(&signer);
		want("destroy", p->destroy(p, 50 + (int64_t)i, NULL), RJWT_OK);
		assert_false(file_there(now.f, name));
		want("destroy again", p->destroy(p, 50 + (int64_t)i, NULL), RJWT_OK);
	}
	assert_int_not_equal(p->generate(p, 80, alg_by_label(VIEW("RS256")), 8, &none, &now.f->diag), RJWT_OK);
	assert_string_equal(now.f->diag.text, "cannot create a RS256 key");
	assert_null(none);
	assert_false(file_there(now.f, "private/80.key"));
	provider_make_writable(p);
	assert_true(p->generate == own.generate && p->destroy == own.destroy);
	p->generate = NULL;
	provider_make_writable(p);
	assert_true(p->generate == own.generate && p->destroy == own.destroy);
	p->destroy = NULL;
	provider_make_writable(p);
	assert_true(p->generate == own.generate && p->destroy == own.destroy);
}

static void
test_names(void **state)
{
	(void)state;
	assert_int_equal(commit_version("12.jwk"), 12);
	assert_int_equal(commit_version("12.key"), 12);
	assert_int_equal(commit_version("12.minted"), 12);
	assert_int_equal(commit_version("12.txt"), 0);
	assert_int_equal(commit_version("README"), 0);
	assert_true(commit_is_temporary(".new.12.jwk"));
	assert_false(commit_is_temporary("12.jwk"));
	assert_false(commit_is_temporary(".new"));
}

/* --- every call ------------------------------------------------------------------------------- */

static int64_t version = 10; /* of the key that is made next */

static enum rjwt_err
do_stage(void)
{
	struct keyset before = *store_keyset(now.store), after = before;

	return commit_stage(&now.ctx, &before, &after);
}

static enum rjwt_err
do_new_key(void)
{
	struct fresh_keys fresh = { .n = 0 };
	enum rjwt_err err = commit_make_keys(&fresh, 1, &now.policy, NULL);

	version++;
	if (err == RJWT_OK)
		err = commit_new_key(&now.ctx, store_keyset(now.store), version, &fresh);
	commit_drop_keys(&fresh);
	return err;
}

static enum rjwt_err
do_destroy(void)
{
	return store_provider(now.store)->destroy(store_provider(now.store), 77, NULL);
}

/* A key that could not be written down leaves no file. */
static void
test_failing_format(void **state)
{
	char name[64];
	bool failed = true, seen = false;

	(void)state;
	for (unsigned k = 1; failed; k++) {
		failing_begin(k);
		(void)do_new_key();
		failed = failing_end();
		if (!failed || strcmp(failing_name, "PEM_write_bio_PKCS8PrivateKey") != 0)
			continue;
		seen = true;
		snprintf(name, sizeof(name), "private/%d.key", (int)version);
		assert_false(file_there(now.f, name));
	}
	assert_true(seen);
}

/* What cannot be looked at is not missing: a host without a keyset of its own follows others alone. */
static void
test_is_missing(void **state)
{
	char path[300], away[300];

	(void)state;
	snprintf(path, sizeof(path), "%s/keyset.json", now.f->state);
	snprintf(away, sizeof(away), "%s/away.json", now.f->state);
	for (int is_away = 0; is_away < 2; is_away++) {
		unsigned failed = 0;

		assert_int_equal(is_away ? rename(path, away) : 0, 0);
		for (unsigned k = 1;; k++) {
			bool missing;

			failing_begin(k);
			missing = store_is_missing(now.f->state);
			if (!failing_end()) {
				assert_int_equal(missing, is_away);
				break;
			}
			failed += strcmp(failing_name, "fstatat") == 0;
			if (missing)
				fail_msg("%s", failing_name);
		}
		assert_true(failed > 0);
	}
	assert_int_equal(rename(away, path), 0);
	want("without a diag", store_open("/nonexistent", NULL, &now.store, NULL), RJWT_KEYSET);
}

static void
test_failing(void **state)
{
	(void)state;
	assert_int_equal(every("stage", NULL, do_stage, NULL), 1);
	assert_int_equal(every("new key", NULL, do_new_key, NULL), 6); /* three files, each in its directory */
	assert_int_equal(every("destroy", NULL, do_destroy, NULL), 0);
}

#define C(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { C(test_stage), C(test_make_keys), C(test_make_keys_tpm), C(test_new_key),
		C(test_generate), C(test_names), C(test_is_missing), C(test_failing), C(test_failing_format) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
