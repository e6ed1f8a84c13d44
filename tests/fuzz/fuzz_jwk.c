/* SPDX-License-Identifier: MIT */
/*
 * A JWK and a JWK Set. A key that is accepted is one of rjwt's, not a weak one by the plainest measure, and is read
 * again from what rjwt writes of it. The first bytes are a plan of failing calls.
 */
#include "faults.h"
#include "jose/jwk.h"
#include "jose/alg.h"
#include "base/buf.h"
#include "base/json.h"
#include "jose/key.h"
#include "base/json_write.h"

#include <stdio.h>
#include <string.h>

const char fuzz_name[] = "jwk";
enum { KEY, SECRET, PASSED_OVER, REFUSED, SET, SIGNED };
const char *const fuzz_sights[] = { "a key", "a secret", "a key that is passed over", "refused", "a set",
	"a private half", NULL };

static void
check_key(const struct jwk *jwk)
{
	RJWT_CLEAN(buf_clear) struct buf first = { 0 };
	RJWT_CLEAN(buf_clear) struct buf second = { 0 };
	struct buf parts[2] = { { 0 }, { 0 } };

	FUZZ_CHECK(jwk->alg != NULL && strlen(jwk->kid) <= KID_MAX);
	if (jwk->key == NULL) {
		FUZZ_CHECK(jwk->alg->kind == ALG_HMAC);
		return;
	}
	FUZZ_SAW(jwk->alg->kind == ALG_HMAC ? SECRET : KEY);
	FUZZ_CHECK(key_alg(jwk->key) == jwk->alg && key_parts(jwk->key, parts) == RJWT_OK);
	first = parts[0];
	second = parts[1];
	if (jwk->alg->kind == ALG_RSA || jwk->alg->kind == ALG_PSS) {
		FUZZ_CHECK(first.n >= 256 && first.n <= 2048 && (first.p[first.n - 1] & 1) == 1);
		FUZZ_CHECK(second.n >= 3 && second.n <= 8 && (second.p[second.n - 1] & 1) == 1);
		FUZZ_CHECK(key_signature_size(jwk->key) == first.n);
	} else {
		FUZZ_CHECK(first.n == jwk->alg->coordinate_size);
		FUZZ_CHECK(key_signature_size(jwk->key) == jwk->alg->signature_size);
	}
	/* No signature of nothing. */
	FUZZ_CHECK(key_verify(jwk->key, VIEW("x"), VIEW("")) == RJWT_SIGNATURE);
}

/* What is written is read as the same. */
static void
write_again(const struct jwk *jwk)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(buf_clear) struct buf again = { 0 };
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	RJWT_CLEAN(jwk_clear) struct jwk read = { 0 };
	struct rjwt_diag diag;

	/* A kid that the JSON had in escapes may be no UTF-8 text of ours, but it is UTF-8. */
	json_open(&text, NULL);
	FUZZ_CHECK(jwk_put(&text, jwk) == RJWT_OK);
	json_close(&text);
	if (jwk->kid[0] == '\0') /* rjwt writes no key without */
		return;
	FUZZ_CHECK(json_parse(buf_view(&text), &json, &diag) == RJWT_OK);
	if (jwk_parse(json, &read, &diag) != RJWT_OK)
		fuzz_broken("%s: %s", text.p, diag.text);
	json_open(&again, NULL);
	FUZZ_CHECK(jwk_put(&again, &read) == RJWT_OK);
	json_close(&again);
	FUZZ_CHECK(view_eq(buf_view(&text), buf_view(&again)));
	FUZZ_CHECK(jwk->key == NULL || jwk->alg->kind == ALG_HMAC || key_is_pair(jwk->key, read.key));
}

static void
read_one(struct json json, struct rest *plan)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err;

	faults_arm(plan);
	err = jwk_parse(json, &jwk, &diag);
	if (faults_disarm() > 0) {
		FUZZ_CHECK(err == RJWT_OK || jwk.key == NULL);
		return;
	}
	FUZZ_CHECK(err == RJWT_OK || err == RJWT_ALG || err == RJWT_KEYSET);
	if (err == RJWT_OK) {
		check_key(&jwk);
		write_again(&jwk);
	} else {
		FUZZ_SAW(err == RJWT_ALG ? PASSED_OVER : REFUSED);
		FUZZ_CHECK(jwk.alg == NULL && jwk.key == NULL && diag.text[0] != '\0');
	}
}

static void
read_set(struct view text, struct rest *plan)
{
	struct jwk_set set = { .n = 0 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err;

	faults_arm(plan);
	err = jwk_set_parse(text, &set, &diag);
	if (faults_disarm() == 0)
		FUZZ_CHECK(err == RJWT_OK || (err == RJWT_KEYSET && set.keys == NULL));
	for (size_t i = 0; err == RJWT_OK && i < set.n; i++) {
		const struct jwk *found = NULL;

		FUZZ_SAW(SET);
		check_key(&set.keys[i]);
		FUZZ_CHECK(set.keys[i].kid[0] == '\0' || (jwk_set_find(&set, view_of(set.keys[i].kid),
							      view_of(set.keys[i].alg->name), &found) == RJWT_OK &&
							     found == &set.keys[i]));
	}
	jwk_set_clear(&set);
}

/* The text as the private half of a key of this algorithm. */
static void
read_private(struct view text, unsigned number, struct rest *plan)
{
	RJWT_CLEAN(buf_clear) struct buf signature = { 0 };
	const struct alg *alg = alg_by_label(view_of(alg_labels()[number]));
	struct key *key = NULL;
	const char *why = NULL;
	enum rjwt_err err, signed_it = RJWT_INTERNAL;

	faults_arm(plan);
	err = key_private_parse(alg, text, &key, &why);
	if (err == RJWT_OK)
		signed_it = key_sign(key, VIEW("rjwt"), &signature);
	if (faults_disarm() == 0 && signed_it == RJWT_OK) {
		FUZZ_SAW(SIGNED);
		FUZZ_CHECK(signature.n == key_signature_size(key));
	}
	FUZZ_CHECK((err == RJWT_OK) == (key != NULL));
	key_free(key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rest rest = { data, size }, plan;
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	unsigned mode = take_below(&rest, 16);
	struct view text;

	plan = rest;
	faults_arm(&rest); /* takes it off the input */
	(void)faults_disarm();
	text = (struct view){ (const char *)rest.p, rest.n };
	if (mode == 0)
		read_set(text, &plan);
	else if (mode == 1 && json_parse(text, &json, NULL) == RJWT_OK)
		read_one(json, &plan);
	else if (mode > 1)
		read_private(text, mode - 2, &plan);
	return 0;
}
