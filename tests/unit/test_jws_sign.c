/* SPDX-License-Identifier: MIT */
/* Signing and verifying, with the examples of the RFCs and with every algorithm. */
#include "unit.h"
#include "jose/alg.h"
#include "base/base64url.h"
#include "jose/jwk.h"
#include "jose/key.h"
#include "jose/provider.h"

#include "jose/jws.h"

static enum rjwt_err
verifying(struct view token, struct key *key, struct buf *payload, size_t *short_by)
{
	struct jws jws;
	const char *why;

	RJWT_TRY(jws_split(token, false, &jws, &why));
	return jws_verify(&jws, key, payload, short_by);
}

/* The good one, one bit of each of its characters, and its signature cut. */
static void
judge(const char *name, struct view token, struct key *key)
{
	RJWT_CLEAN(buf_clear) struct buf changed = { 0 };
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
	RJWT_CLEAN(buf_clear) struct buf wanted = { 0 };
	size_t short_by = 99;
	struct jws jws;
	const char *why;

	EXPECT(name, verifying(token, key, &payload, &short_by), RJWT_OK);
	CHECK(name, short_by == 0);
	EXPECT(name, jws_split(token, false, &jws, &why), RJWT_OK);
	EXPECT(name, base64url_decode(jws.payload, &wanted), RJWT_OK);
	CHECK(name, view_eq(buf_view(&payload), buf_view(&wanted)));
	buf_clear(&payload);
	buf_add_view(&changed, token);
	for (size_t i = 0; i < token.n; i++) {
		enum rjwt_err err;

		changed.p[i] = token.p[i] == 'A' ? 'B' : 'A';
		err = verifying(buf_view(&changed), key, &payload, NULL);
		CHECK(name, err == RJWT_SIGNATURE || err == RJWT_MALFORMED);
		changed.p[i] = token.p[i];
	}
	for (size_t cut = 4; cut <= jws.signature.n; cut += 4) { /* whole groups: still base64url but for the last */
		struct view cut_off = { token.p, token.n - jws.signature.n % 4 - cut };

		if (cut + jws.signature.n % 4 >= jws.signature.n)
			break;
		EXPECT(name, verifying(cut_off, key, &payload, &short_by), RJWT_SIGNATURE);
		CHECK(name,
		    short_by == key_signature_size(key) - (jws.signature.n - jws.signature.n % 4 - cut) / 4 * 3);
	}
	CHECK(name, payload.n == 0); /* nothing of a bad token gets out */
}

static void
vectors(void **state)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	size_t count = unit_vectors("jws.json", &json);

	(void)state;
	assert_int_equal(count, 11);
	for (size_t i = 0; i < count; i++) {
		RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
		RJWT_CLEAN(jws_clear) struct jws jws = { 0 };
		struct json row = json_element(json, "cases", i), member;
		const char *name = unit_text(row, "name"), *why;
		struct view token = view_of(unit_text(row, "token"));
		struct rjwt_diag diag = { .text = "" };

		CHECK(name, json_member(row, "jwk", &member) == JSON_GOOD);
		EXPECT(name, jwk_parse(member, &jwk, &diag), RJWT_OK);
		EXPECT(name, jws_split(token, false, &jws, &why), RJWT_OK);
		EXPECT(name, jws_header(&jws, false, &diag), RJWT_OK);
		CHECK(name, view_is(jws.alg, jwk.alg->name));
		judge(name, token, jwk.key);
	}
}

/* HMAC, RSASSA-PKCS1-v1_5 and EdDSA are deterministic: the examples come out byte by byte. */
static void
vectors_signed_again(void **state)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	size_t count = unit_vectors("jws.json", &json), signed_again = 0;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		RJWT_CLEAN(buf_clear) struct buf token = { 0 };
		RJWT_CLEAN(buf_clear) struct buf header = { 0 };
		RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
		RJWT_CLEAN(signer_clean) struct signer *signer = NULL;
		struct json row = json_element(json, "cases", i), member;
		const char *name = unit_text(row, "name"), *pem = unit_text(row, "private"), *why = "";
		struct jwk jwk = { 0 };
		struct jws jws;
		bool same = false;

		CHECK(name, json_boolean(row, "same", &same) == JSON_GOOD);
		if (!same)
			continue;
		CHECK(name, json_member(row, "jwk", &member) == JSON_GOOD);
		EXPECT(name, jwk_parse(member, &jwk, NULL), RJWT_OK);
		if (pem != NULL) {
			key_free(jwk.key);
			EXPECT(name, key_private_parse(jwk.alg, view_of(pem), &jwk.key, &why), RJWT_OK);
		}
		EXPECT(name, signer_of_key(jwk.key, &signer), RJWT_OK); /* takes the key */
		EXPECT(name, jws_split(view_of(unit_text(row, "token")), false, &jws, &why), RJWT_OK);
		EXPECT(name, base64url_decode(jws.header, &header), RJWT_OK);
		EXPECT(name, base64url_decode(jws.payload, &payload), RJWT_OK);
		buf_adds(&token, "kept");
		EXPECT(name, jws_sign(signer, buf_view(&header), buf_view(&payload), &token), RJWT_OK);
		CHECK(name, strncmp(token.p, "kept", 4) == 0 && strcmp(token.p + 4, unit_text(row, "token")) == 0);
		signed_again++;
	}
	assert_int_equal(signed_again, 6);
}

/* Every algorithm, signed and judged here; and by the other keys, whatever the header says. */
static void
every_algorithm(void **state)
{
	struct signer *signers[14] = { NULL };
	struct key *keys[14] = { NULL };
	size_t n = 0;

	(void)state;
	for (; alg_labels()[n] != NULL; n++) {
		const struct alg *alg = alg_by_label(view_of(alg_labels()[n]));
		RJWT_CLEAN(buf_clear) struct buf private = { 0 };
		struct key *own = NULL;
		const char *why;

		assert_true(n < ARRAY_LEN(keys));
		EXPECT(alg->label, key_generate(alg, 2048, &keys[n]), RJWT_OK);
		EXPECT(alg->label, key_private_format(keys[n], &private), RJWT_OK);
		EXPECT(alg->label, key_private_parse(alg, buf_view(&private), &own, &why), RJWT_OK);
		EXPECT(alg->label, signer_of_key(own, &signers[n]), RJWT_OK);
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			RJWT_CLEAN(buf_clear) struct buf token = { 0 };
			RJWT_CLEAN(buf_clear) struct buf header = { 0 };
			RJWT_CLEAN(buf_clear) struct buf payload = { 0 };

			/* The header claims the verifying key's algorithm: it is not believed. */
			buf_addf(&header, "{\"alg\":\"%s\"}", key_alg(keys[k])->name);
			EXPECT("sign", jws_sign(signers[i], buf_view(&header), VIEW("{\"sub\":\"alice\"}"), &token),
			    RJWT_OK);
			EXPECT(alg_labels()[k], verifying(buf_view(&token), keys[k], &payload, NULL),
			    i == k ? RJWT_OK : RJWT_SIGNATURE);
			CHECK(alg_labels()[k], view_is(buf_view(&payload), i == k ? "{\"sub\":\"alice\"}" : ""));
		}
	for (size_t i = 0; i < n; i++) {
		signer_clean(&signers[i]);
		key_free(keys[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(vectors_signed_again),
		cmocka_unit_test(every_algorithm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
