/* SPDX-License-Identifier: MIT */
/* Where private halves live: files, and in memory, where they fail when a test wants it. */
#include "fixture.h"
#include "provider_memory.h"
#include "jose/alg.h"
#include "config/config.h"
#include "base/file.h"
#include "base/host.h"
#include "jose/jwk.h"
#include "keyset/change.h"
#include "jose/key.h"
#include "keyset/marks.h"
#include "keyset/store.h"
#include "token/verify.h"
#include "keyset/init.h"
#include "keyset/plan.h"
#include "jose/provider_write.h"

#include <stdio.h>
#include <unistd.h>

static struct memory_keys keys;
static struct clock made_up = { .read = clock_made_up };

static int
setup_bare(void **state)
{
	*state = fixture_bare("base_kid: B\n");
	return 0;
}

static int
teardown(void **state)
{
	memory_clear(&keys);
	return fixture_teardown(state);
}

/* --- files ------------------------------------------------------------------------------------ */

static void
test_file(void **state)
{
	struct fixture *f = *state;
	const struct alg *es256 = alg_by_label(VIEW("ES256"));
	RJWT_CLEAN(key_clean) struct key *key = NULL;
	RJWT_CLEAN(key_clean) struct key *other = NULL;
	struct jwk public = { .alg = es256 }, wrong = { .alg = alg_by_label(VIEW("ES384")) };
	RJWT_CLEAN(signer_clean) struct signer *signer = NULL;
	RJWT_CLEAN(buf_clear) struct buf sig = { 0 };
	struct provider *p = NULL;
	struct dir dir = DIR_NONE;

	want("dir", dir_open(f->state, &dir, NULL), RJWT_OK);
	want("provider", provider_file(&dir, &p), RJWT_OK);
	provider_make_writable(p);
	want("there is one", p->generate(p, 1, es256, 0, &key, &f->diag), RJWT_EXISTS);
	assert_null(key);
	want("a new one", p->generate(p, 7, es256, 0, &key, &f->diag), RJWT_OK);
	assert_int_equal(file_mode(f, "private/7.key"), 0600);
	public.key = key;
	want("load", p->load(p, 7, &public, &signer, &f->diag), RJWT_OK);
	assert_int_equal(signer->signature_size, 64);
	want("sign", signer->sign(signer, VIEW("text"), &sig), RJWT_OK);
	want("verify", key_verify(key, VIEW("text"), buf_view(&sig)), RJWT_OK);
	want("verify", key_verify(key, VIEW("Text"), buf_view(&sig)), RJWT_SIGNATURE);
	signer_clean(&signer);
	want("another algorithm", p->load(p, 7, &wrong, &signer, &f->diag), RJWT_KEYSET);
	want("another key", key_generate(es256, 0, &other), RJWT_OK);
	public.key = other;
	want("the half of another", p->load(p, 7, &public, &signer, &f->diag), RJWT_KEYSET);
	assert_null(signer);
	want("none", p->load(p, 8, &public, &signer, &f->diag), RJWT_IO);
	want("destroy", p->destroy(p, 7, &f->diag), RJWT_OK);
	assert_false(file_there(f, "private/7.key"));
	want("destroy again", p->destroy(p, 7, &f->diag), RJWT_OK);
	want("gone", p->load(p, 7, &public, &signer, &f->diag), RJWT_IO);
	p->free(p);
	dir_close(&dir);
}

/* A private half that is torn is refused at each length, and never makes a new one in silence. */
static void
test_file_torn(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(buf_clear) struct buf good = file_get(f, "private/1.key");

	for (size_t n = 0; n + 1 < good.n; n += 13) {
		file_put(f, "private/1.key", (struct view){ good.p, n });
		fixture_config(f, "");
		want("torn",
		    rjwt_mint(f->h, &(struct rjwt_request){ .user = "a" }, &(struct rjwt_token){ 0 }, &f->diag),
		    RJWT_KEYSET);
		if (strstr(f->diag.path, "private") == NULL)
			fail_msg("the path is not named: %s", f->diag.path);
	}
	file_put(f, "private/1.key", buf_view(&good));
	fixture_config(f, "");
	free(minted(f, NULL));
}

/* --- memory ----------------------------------------------------------------------------------- */

static struct rjwt_change change; /* by the last rotation */

struct memory_store {
	struct store *store;
	struct config config;
};

static void
memory_open(struct fixture *f, struct memory_store *m)
{
	want("config", config_load(f->config, &m->config, &f->diag), RJWT_OK);
	want("init",
	    keyset_init(f->state, provider_memory(&keys),
		&(struct keyset_env){ &m->config.rotation, &made_up, &f->diag, NULL },
		&(struct init_names){ "iss.example", "host.example" }, false, &change),
	    RJWT_OK);
	assert_int_equal(keys.freed, 1);
	want("open", store_open(f->state, provider_memory(&keys), &m->store, &f->diag), RJWT_OK);
}

static void
memory_close(struct memory_store *m)
{
	store_close(m->store);
	config_clear(&m->config);
	assert_int_equal(keys.freed, 2);
}

static enum rjwt_err
memory_rotate(struct fixture *f, struct memory_store *m)
{
	return keyset_change(m->store, &(struct keyset_env){ &m->config.rotation, &made_up, &f->diag, NULL },
	    &(struct change_request){ .why = WHY_MANUAL, .version = store_keyset(m->store)->active.version }, 0,
	    &change);
}

/* kid of a token that was minted, verified too. */
static void
memory_mint(struct fixture *f, struct memory_store *m, const char *kid)
{
	struct minter minter = { &m->config, m->store, &made_up, NULL, NULL, false };
	RJWT_CLEAN(marks_close) struct marks marks = MARKS_OF(m->store);
	struct verifier verifier = { &m->config, store_keyset(m->store), store_keys(m->store), NULL, &marks, NULL,
		&made_up };
	struct rjwt_token token;
	struct rjwt_attempt attempt = { .user = "alice", .service = "sshd" };
	struct rjwt_verdict verdict;

	want("mint", mint_token(&minter, &(struct rjwt_request){ .user = "alice" }, &token, &f->diag), RJWT_OK);
	assert_string_equal(token.kid, kid);
	attempt.token = token.text;
	attempt.len = token.len;
	want("verify", verify_token(&verifier, &attempt, &verdict, &f->diag), RJWT_OK);
	rjwt_verdict_clear(&verdict);
	rjwt_token_clear(&token);
}

/* No private half touches the disk, and each is destroyed when its key retires. */
static void
test_memory(void **state)
{
	struct fixture *f = *state;
	struct memory_store m = { 0 };

	memory_open(f, &m);
	assert_true(memory_has(&keys, 1) && memory_has(&keys, 2));
	assert_false(file_there(f, "private/1.key"));
	memory_mint(f, &m, "B.1");
	want("rotate", memory_rotate(f, &m), RJWT_OK);
	assert_true(!memory_has(&keys, 1) && memory_has(&keys, 2) && memory_has(&keys, 3));
	memory_mint(f, &m, "B.2");
	memory_close(&m);
}

/* In the reference a failed rotation marked the current key as previous. */
static void
test_failed_rotation_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct memory_store m = { 0 };
	RJWT_CLEAN(buf_clear) struct buf key = { 0 };
	RJWT_CLEAN(buf_clear) struct buf after = { 0 };

	memory_open(f, &m);
	key = file_get(f, "keys/1.jwk");
	keys.generate = RJWT_IO;
	for (int i = 0; i < 3; i++) {
		want("rotate", memory_rotate(f, &m), RJWT_IO);
		assert_int_equal(keyset_get(f).active.version, 1);
		memory_mint(f, &m, "B.1");
	}
	after = file_get(f, "keys/1.jwk");
	assert_string_equal(key.p, after.p);
	/* Also when it is due: minting continues, and says so. */
	clock_run(86400);
	memory_mint(f, &m, "B.1");
	keys.generate = RJWT_OK;
	memory_mint(f, &m, "B.2");
	assert_true(keyset_get(f).next.version >= 4); /* versions that were claimed are not used again */
	memory_close(&m);
}

/* Why a signer could not sign is told for what it could not read or use, and for nothing else. */
static void
test_signer_tell(void **state)
{
	static const struct {
		enum rjwt_err err;
		bool told;
	} rows[] = { { RJWT_IO, true }, { RJWT_KEYSET, true }, { RJWT_OK, false }, { RJWT_MEMORY, false },
		{ RJWT_INTERNAL, false } };
	const struct rjwt_diag why = { .path = "a key", .text = "the TPM denies it" };
	struct signer silent = { .why = NULL }, signer = { .why = &why };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rjwt_diag diag = { .text = "of before" };

		want("silent", signer_tell(&silent, rows[i].err, &diag), rows[i].err);
		assert_string_equal(diag.text, "of before");
		want("nobody asks", signer_tell(&signer, rows[i].err, NULL), rows[i].err);
		want("told", signer_tell(&signer, rows[i].err, &diag), rows[i].err);
		assert_string_equal(diag.text, rows[i].told ? why.text : "of before");
		assert_string_equal(diag.path, rows[i].told ? why.path : "");
	}
}

/* By the first line, which may be all that is left of a file. */
static void
test_is_wrapped(void **state)
{
	(void)state;
	assert_true(provider_is_wrapped(VIEW("-----BEGIN TSS2 PRIVATE KEY-----\nMA==\n")));
	assert_true(provider_is_wrapped(VIEW("-----BEGIN TSS2 PRIVATE KEY-----")));
	assert_false(provider_is_wrapped(VIEW("-----BEGIN TSS2 PRIVATE KEY----")));
	assert_false(provider_is_wrapped(VIEW("-----BEGIN PRIVATE KEY-----\nMA==\n")));
	assert_false(provider_is_wrapped(VIEW("")));
}

static enum rjwt_err fails_with;

static enum rjwt_err
fail_to_sign(struct signer *signer, struct view input, struct buf *signature)
{
	(void)signer, (void)input, (void)signature;
	return fails_with;
}

/* Before a key signs for others: it is that of the public half. One that cannot sign says why, if it knows. */
static void
test_signer_check(void **state)
{
	static const enum rjwt_err errors[] = { RJWT_IO, RJWT_KEYSET, RJWT_MEMORY };
	const struct alg *es256 = alg_by_label(VIEW("ES256"));
	const struct rjwt_diag why = { .text = "the TPM denies it" };
	struct signer silent = { .sign = fail_to_sign }, signer = { .sign = fail_to_sign, .why = &why };
	RJWT_CLEAN(key_clean) struct key *other = NULL;
	RJWT_CLEAN(signer_clean) struct signer *good = NULL;
	struct rjwt_diag diag;
	struct key *key = NULL;

	(void)state;
	want("other", key_generate(es256, 0, &other), RJWT_OK);
	want("key", key_generate(es256, 0, &key), RJWT_OK);
	want("signer", signer_of_key(key, &good), RJWT_OK);
	want("its own", signer_check(good, key, &diag), RJWT_OK);
	want("another's", signer_check(good, other, &diag), RJWT_SIGNATURE);
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		diag = (struct rjwt_diag){ .text = "of before" };
		fails_with = errors[i];
		want("silent", signer_check(&silent, key, &diag), RJWT_SIGNATURE);
		assert_string_equal(diag.text, "of before");
		want("why", signer_check(&signer, key, &diag), errors[i]);
		assert_string_equal(diag.text, errors[i] == RJWT_MEMORY ? "of before" : why.text);
	}
}

/* A private half that cannot be erased is erased by the next writer. */
static void
test_destroy_fails(void **state)
{
	struct fixture *f = *state;
	struct memory_store m = { 0 };

	memory_open(f, &m);
	keys.destroy = RJWT_IO;
	want("committed, and told so", memory_rotate(f, &m), RJWT_OK);
	assert_true(memory_has(&keys, 1));
	assert_int_equal(keyset_get(f).active.version, 2);
	assert_non_null(strstr(change.warning, "clean-up failed"));
	/* Whoever comes next finishes that first. */
	want("nothing new on what is not finished", memory_rotate(f, &m), RJWT_IO);
	assert_int_equal(keyset_get(f).active.version, 2);
	keys.destroy = RJWT_OK;
	want("rotate", memory_rotate(f, &m), RJWT_OK);
	assert_false(memory_has(&keys, 1) || memory_has(&keys, 2));
	memory_close(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file, fixture_setup, fixture_teardown),
		cmocka_unit_test(test_is_wrapped),
		cmocka_unit_test(test_signer_tell),
		cmocka_unit_test(test_signer_check),
		cmocka_unit_test_setup_teardown(test_file_torn, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_memory, setup_bare, teardown),
		cmocka_unit_test_setup_teardown(test_failed_rotation_changes_nothing, setup_bare, teardown),
		cmocka_unit_test_setup_teardown(test_destroy_fails, setup_bare, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
