/* SPDX-License-Identifier: MIT */
/* Each parser and each step of a verification, with every call of ours failing once: refused, and nothing leaks. */
#include "fixture.h"
#include "jose/alg.h"
#include "jose/claims.h"
#include "config/config.h"
#include "base/file.h"
#include "base/json.h"
#include "jose/jwk.h"
#include "jose/jws.h"
#include "jose/key.h"
#include "keyset/issued.h"
#include "keyset/marks.h"
#include "jose/provider.h"
#include "keyset/store.h"
#include "base/json_write.h"
#include "base/openssl.h"
#include "keyset/inspect.h"
#include "keyset/jwks.h"
#include "keyset/marks_write.h"
#include "keyset/plan.h"
#include "keyset/tickets.h"
#include "base/string_list.h"

#include "failing.h"

#include <stdio.h>
#include <sys/stat.h>

/* Anything that is worked on: what it reads, made while nothing fails. */
struct thing {
	struct fixture *f;
	const struct alg *alg;
	char *token;
	int flags;
	bool traced;
	/*
	 * How many calls may fail: where keyset.json or a mark cannot be read it is
	 * opened again.
	 */
	unsigned harmless;
	bool writes; /* they need not tell why */
	bool prunes; /* and leave to people what they cannot read: those calls are counted as well */
	void (*prepare)(struct thing *, unsigned k);
	struct key *key;
	struct buf text, private, signature;
};

/* What can fail for nothing but want of memory, and is told as that. */
static bool
is_memory(const char *name)
{
	static const char *const names[] = { "malloc", "calloc", "reallocarray", "asprintf", "vasprintf", "BIO_new",
		"BIO_new_mem_buf", "ECDSA_SIG_new", "i2d_ECDSA_SIG", "json_object_new_object", "json_object_new_array",
		"json_object_new_boolean", "json_object_new_int64", "json_object_new_uint64",
		"json_object_new_double_s", "json_object_new_string_len", "json_object_object_add_ex",
		"json_object_array_add", "yaml_parser_initialize", "yaml_parser_parse" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Every k: an error, whatever fails. Without a failure: wanted. */
static void
every(const char *label, enum rjwt_err (*work)(struct thing *), struct thing *thing, enum rjwt_err wanted)
{
	unsigned harmless = 0;
	enum rjwt_err err;

	for (unsigned k = 1;; k++) {
		if (thing->prepare != NULL)
			thing->prepare(thing, k);
		failing_begin(k);
		err = work(thing);
		if (!failing_end())
			break;
		if (is_memory(failing_name) && !thing->writes && err != RJWT_OK)
			want(failing_name, err, RJWT_MEMORY);
		if (strstr(failing_name, "EVP_Q_digest") != NULL && err != RJWT_OK)
			want(failing_name, err, RJWT_INTERNAL); /* a file is not blamed for a sum that was not made */
		if (err == RJWT_SIGNATURE && wanted == RJWT_OK && strcmp(failing_name, "EVP_DigestVerify") != 0)
			fail_msg("%s: call %u, %s, failed, and the signature was blamed", label, k, failing_name);
		if (err == RJWT_OK &&
		    (thing->prunes || strstr(failing_name, "stat") != NULL || strcmp(failing_name, "asprintf") == 0))
			harmless++;
		else if (err == RJWT_OK)
			fail_msg("%s: call %u, %s, failed, and nobody minded", label, k, failing_name);
	}
	want(label, err, wanted);
	if (harmless != thing->harmless)
		fail_msg("%s: %u of the calls that failed did no harm", label, harmless);
}

static void
thing_clear(struct thing *thing)
{
	key_free(thing->key);
	buf_clear(&thing->text);
	buf_clear(&thing->private);
	buf_clear(&thing->signature);
}

/* --- keys ------------------------------------------------------------------------------------- */

static enum rjwt_err
parse_jwk(struct thing *thing)
{
	RJWT_CLEAN(jwk_set_clear) struct jwk_set set = { 0 };
	struct rjwt_diag diag = { .text = "" };
	enum rjwt_err err = jwk_set_parse(buf_view(&thing->text), &set, &diag);

	if (strstr(diag.text, "(null)") != NULL)
		fail_msg("%s", diag.text);
	/* A key that cannot be built is passed over, with a reason, and verifies nothing. */
	return err == RJWT_OK && set.npassed_over > 0 ? RJWT_KEYSET : err;
}

static enum rjwt_err
put_jwk(struct thing *thing)
{
	const struct jwk jwk = { .alg = thing->alg, .key = thing->key, .kid = "k" };
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };

	return jwk_put(&out, &jwk);
}

static enum rjwt_err
parse_private(struct thing *thing)
{
	RJWT_CLEAN(key_clean) struct key *key = NULL;
	const char *why;

	return key_private_parse(thing->alg, buf_view(&thing->private), &key, &why);
}

static enum rjwt_err
format_private(struct thing *thing)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };

	return key_private_format(thing->key, &out);
}

static enum rjwt_err
sign(struct thing *thing)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };

	return key_sign(thing->key, VIEW("input"), &out);
}

static enum rjwt_err
verify(struct thing *thing)
{
	return key_verify(thing->key, VIEW("input"), buf_view(&thing->signature));
}

/* The first signature of a key sets up what the others copy. */
static enum rjwt_err
first(struct thing *thing, enum rjwt_err (*work)(struct thing *thing))
{
	RJWT_CLEAN(key_clean) struct key *key = NULL;
	struct thing fresh = *thing;
	const char *why;
	enum rjwt_err err = key_private_parse(thing->alg, buf_view(&thing->private), &key, &why);

	fresh.key = key;
	return err == RJWT_OK ? work(&fresh) : err;
}

static enum rjwt_err
sign_first(struct thing *thing)
{
	return first(thing, sign);
}

static enum rjwt_err
verify_first(struct thing *thing)
{
	return first(thing, verify);
}

static enum rjwt_err
generate(struct thing *thing)
{
	RJWT_CLEAN(key_clean) struct key *key = NULL;

	return key_generate(thing->alg, 2048, &key);
}

static void
test_keys(void **state)
{
	static const char *const labels[] = { "HS256", "HS512", "RS256", "PS384", "ES256", "ES512", "EdDSA", "Ed448" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		RJWT_CLEAN(thing_clear) struct thing t = { .alg = alg_by_label(view_of(labels[i])) };

		want(labels[i], key_generate(t.alg, 2048, &t.key), RJWT_OK);
		want(labels[i], key_private_format(t.key, &t.private), RJWT_OK);
		want(labels[i], key_sign(t.key, VIEW("input"), &t.signature), RJWT_OK);
		buf_adds(&t.text, "{\"keys\":[{");
		if (t.alg->kind == ALG_HMAC)
			buf_adds(&t.text, "\"kty\":\"oct\",\"k\":"
					  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
					  "AAAAAAAAAAAA\"");
		else
			want(labels[i], jwk_put(&t.text, &(struct jwk){ .alg = t.alg, .key = t.key, .kid = "k" }),
			    RJWT_OK);
		buf_adds(&t.text, "}]}");
		every(labels[i], parse_jwk, &t, RJWT_OK);
		every(labels[i], put_jwk, &t, RJWT_OK);
		every(labels[i], parse_private, &t, RJWT_OK);
		every(labels[i], format_private, &t, RJWT_OK);
		every(labels[i], sign, &t, RJWT_OK);
		every(labels[i], verify, &t, RJWT_OK);
		every(labels[i], sign_first, &t, RJWT_OK);
		every(labels[i], verify_first, &t, RJWT_OK);
		if (t.alg->kind != ALG_RSA && t.alg->kind != ALG_PSS)
			every(labels[i], generate, &t, RJWT_OK);
		t.signature.p[3] ^= 1;
		every(labels[i], verify, &t, RJWT_SIGNATURE);
	}
}

/* The largest that may be made is asked for, which would take long: nothing refuses it before. */
static void
test_largest(void **state)
{
	struct key *key = NULL;

	(void)state;
	failing_begin(1);
	want("16384 bits", key_generate(alg_by_label(VIEW("RS256")), RSA_BITS_MAX, &key), RJWT_INTERNAL);
	assert_true(failing_end());
	assert_string_equal(failing_name, "EVP_PKEY_Q_keygen");
}

/* --- texts ------------------------------------------------------------------------------------ */

static enum rjwt_err
seal(struct thing *thing)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };

	buf_add_view(&out, buf_view(&thing->private));
	return seal_add(&out);
}

static enum rjwt_err
check_seal(struct thing *thing)
{
	return seal_check(buf_view(&thing->text));
}

static enum rjwt_err
make_hasher(struct thing *thing)
{
	struct hasher *hasher = NULL;
	enum rjwt_err err = hasher_new(&hasher);

	(void)thing;
	hasher_free(hasher);
	return err;
}

static enum rjwt_err
name(struct thing *thing)
{
	const struct view parts[] = { buf_view(&thing->private), VIEW("b") };
	char hex[DIGEST_HEX];

	return digest_name(parts, 2, hex);
}

static enum rjwt_err
parse_claims(struct thing *thing)
{
	RJWT_CLEAN(claims_clear) struct claims claims = { 0 };

	return claims_parse(buf_view(&thing->private), "sub", &claims, NULL);
}

/* Of every type, and a number of each size. */
static enum rjwt_err
parse_json(struct thing *thing)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };

	(void)thing;
	return json_parse(VIEW("{\"a\":[1,-2.5e3,18446744073709551615,true,null,\"x\",{}],\"b\":{\"\\u0063\":false}}"),
	    &json, NULL);
}

static enum rjwt_err
random_bytes(struct thing *thing)
{
	char some[8];

	(void)thing;
	return random_fill(some, sizeof(some));
}

static enum rjwt_err
ready(struct thing *thing)
{
	(void)thing;
	return openssl_ready();
}

/* Two names, of which the second finds no room for its own; and another in their place. */
static enum rjwt_err
set_names(struct thing *thing)
{
	RJWT_CLEAN(string_list_clear) struct string_list names = { 0 };

	(void)thing;
	RJWT_TRY(string_list_set(&names, (const char *const[]){ "a", "b", NULL }));
	return string_list_set(&names, (const char *const[]){ "c", NULL });
}

static enum rjwt_err
put_text(struct thing *thing)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };

	json_open(&out, NULL);
	json_put_text(&out, "t", buf_view(&thing->private));
	json_put_text(&out, "t", buf_view(&thing->private));
	json_close(&out);
	return buf_done(&out);
}

static void
test_texts(void **state)
{
	RJWT_CLEAN(thing_clear) struct thing t = { 0 };

	(void)state;
	buf_adds(&t.private, "{\"iss\":\"i\",\"aud\":[\"a\"],\"exp\":1,\"iat\":0,\"sub\":\"alice\",\"jti\":\"j\"}");
	every("seal", seal, &t, RJWT_OK);
	buf_add_view(&t.text, buf_view(&t.private));
	want("seal", seal_add(&t.text), RJWT_OK);
	every("sealed", check_seal, &t, RJWT_OK);
	every("hasher", make_hasher, &t, RJWT_OK);
	every("name", name, &t, RJWT_OK);
	every("json", parse_json, &t, RJWT_OK);
	every("claims", parse_claims, &t, RJWT_OK);
	every("random", random_bytes, &t, RJWT_OK);
	every("ready", ready, &t, RJWT_OK);
	failing_begin(0);
	want("ready", ready(&t), RJWT_OK);
	assert_int_equal(failing_calls, 2); /* the one that may fail, before the one that must not */
	every("names", set_names, &t, RJWT_OK);
	every("text", put_text, &t, RJWT_OK);
}

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
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_keys), cmocka_unit_test(test_texts), F(test_config),
		F(test_verification), F(test_one_time), F(test_revoked), F(test_handle), F(test_writers),
		cmocka_unit_test(test_largest),
		cmocka_unit_test_setup_teardown(test_secret, fixture_setup_hs256, fixture_teardown) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
