/* SPDX-License-Identifier: MIT */
/* Each parser and each use of a key, with every call of ours failing once: refused, and nothing leaks. */
#include "failing_thing.h"
#include "jose/alg.h"
#include "jose/claims.h"
#include "base/json.h"
#include "jose/jwk.h"
#include "jose/key.h"
#include "base/json_write.h"
#include "base/openssl.h"
#include "base/string_list.h"

static void
thing_clear(struct thing *thing)
{
	key_free(thing->key);
	buf_clear(&thing->text);
	buf_clear(&thing->private);
	buf_clear(&thing->signature);
}

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

/* A JWK of a set. */
static void
add_key(struct buf *text, struct key *key, const char *kid)
{
	struct jwk jwk = { .alg = key_alg(key), .key = key };

	snprintf(jwk.kid, sizeof(jwk.kid), "%s", kid);
	buf_adds(text, "{");
	want(kid, jwk_put(text, &jwk), RJWT_OK);
	buf_adds(text, "}");
}

/* Of a set that was read each key is there, or it is said why it is not; of two with one kid never both. */
static void
accounted_for(const struct jwk_set *set)
{
	static const char *const of_rsa[] = { "RS256", "RS384", "RS512", "PS256", "PS384", "PS512" };
	static const char *const kids[] = { "b", "c", "d" };
	const struct jwk *found;
	unsigned twice = 0;

	for (size_t i = 0; i < ARRAY_LEN(of_rsa); i++)
		if (jwk_set_why_not(set, VIEW("r")) == NULL) {
			want(of_rsa[i], jwk_set_find(set, VIEW("r"), view_of(of_rsa[i]), &found), RJWT_OK);
			assert_string_equal(found->alg->name, of_rsa[i]);
		}
	for (size_t i = 0; i < ARRAY_LEN(kids); i++)
		if (jwk_set_find(set, view_of(kids[i]), VIEW("ES256"), &found) != RJWT_OK)
			assert_non_null(jwk_set_why_not(set, view_of(kids[i])));
	for (size_t i = 0; i < set->n; i++)
		twice += strcmp(set->keys[i].kid, "b") == 0;
	assert_true(twice <= 1);
}

static void
test_sets(void **state)
{
	RJWT_CLEAN(key_clean) struct key *rsa = NULL;
	RJWT_CLEAN(key_clean) struct key *ec = NULL;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	(void)state;
	want("rsa", key_generate(alg_by_label(VIEW("RS256")), 2048, &rsa), RJWT_OK);
	want("ec", key_generate(alg_by_label(VIEW("ES256")), 0, &ec), RJWT_OK);
	buf_adds(&text, "{\"keys\":[");
	add_key(&text, rsa, "r");
	memcpy(strstr(text.p, "\"alg\":"), "\"gla\":", 6); /* it serves each alg of its type */
	buf_adds(&text, ",");
	add_key(&text, ec, "b");
	buf_adds(&text, ",{\"kid\":\"c\",\"kty\":\"AKP\"},");
	add_key(&text, ec, "b");
	buf_adds(&text, ",");
	add_key(&text, ec, "d");
	buf_adds(&text, "]}");
	for (unsigned k = 1;; k++) {
		RJWT_CLEAN(jwk_set_clear) struct jwk_set set = { 0 };
		enum rjwt_err err;

		failing_begin(k);
		err = jwk_set_parse(buf_view(&text), &set, NULL);
		if (!failing_end()) {
			want("nothing fails", err, RJWT_OK);
			assert_true(set.n == 7 && set.npassed_over == 2);
			break;
		}
		if (err == RJWT_OK)
			accounted_for(&set);
	}
}

static enum rjwt_err
parse_one(struct thing *thing)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
	struct rjwt_diag diag = { .text = "" };
	enum rjwt_err err = json_parse(buf_view(&thing->text), &json, NULL);

	if (err == RJWT_OK)
		err = jwk_parse(json, &jwk, &diag);
	if (strstr(diag.text, "(null)") != NULL)
		fail_msg("%s", diag.text);
	return err;
}

static void
test_one(void **state)
{
	RJWT_CLEAN(thing_clear) struct thing t = { .alg = alg_by_label(VIEW("ES256")) };

	(void)state;
	want("key", key_generate(t.alg, 0, &t.key), RJWT_OK);
	add_key(&t.text, t.key, "b");
	every("one", parse_one, &t, RJWT_OK);
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
	return openssl_ready(NULL);
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
	assert_int_equal(failing_calls, 3); /* the one that may fail, before those that must not */
	every("names", set_names, &t, RJWT_OK);
	every("text", put_text, &t, RJWT_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_keys), cmocka_unit_test(test_sets),
		cmocka_unit_test(test_one), cmocka_unit_test(test_texts), cmocka_unit_test(test_largest) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
