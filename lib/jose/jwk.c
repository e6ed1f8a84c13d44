/* SPDX-License-Identifier: MIT */
#include "jose/jwk.h"
#include "base/base64url.h"
#include "base/json_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
jwk_clear(struct jwk *jwk)
{
	key_free(jwk->key);
	*jwk = (struct jwk){ 0 };
}

/* Messages about a key begin with its kid. */
static enum rjwt_err
fail(struct rjwt_diag *diag, enum rjwt_err err, const struct jwk *jwk, const char *why)
{
	return diag_fail(diag, err, "", "key %s: %s", jwk->kid[0] == '\0' ? "without kid" : jwk->kid, why);
}

/* Whether use and key_ops allow verifying; *why is set if they are malformed. */
static bool
for_verifying(struct json json, const char **why)
{
	struct view text;
	size_t count;
	bool good = true;

	switch (json_string(json, "use", &text)) {
	case JSON_WRONG:
		*why = "use is not a string";
		return false;
	case JSON_GOOD:
		good = view_is(text, "sig");
		break;
	case JSON_ABSENT:
		break;
	}
	switch (json_array(json, "key_ops", &count)) {
	case JSON_WRONG:
		*why = "key_ops is not an array of strings";
		return false;
	case JSON_GOOD:
		if (json_strings(json, "key_ops", &count) != JSON_GOOD) {
			*why = "key_ops is not an array of strings";
			return false;
		}
		for (size_t i = 0; i < count; i++)
			if (view_is(json_string_at(json, "key_ops", i), "verify"))
				return good;
		return false;
	case JSON_ABSENT:
		break;
	}
	return good;
}

/* NULL: no supported algorithm; *why is set if the members are malformed. */
static const struct alg *
read_alg(struct json json, bool foreign, const char **why)
{
	struct view kty, crv, name;
	enum json_has has_crv = json_string(json, "crv", &crv);
	enum json_has has_alg = json_string(json, "alg", &name);
	const struct view *a_crv = has_crv == JSON_GOOD ? &crv : NULL;
	const struct view *a_name = has_alg == JSON_GOOD ? &name : NULL;
	const struct alg *alg;

	if (json_string(json, "kty", &kty) != JSON_GOOD)
		*why = "kty is missing or not a string";
	else if (has_crv == JSON_WRONG)
		*why = "crv is not a string";
	else if (has_alg == JSON_WRONG)
		*why = "alg is not a string";
	if (*why != NULL)
		return NULL;
	alg = alg_of_jwk(kty, a_crv, a_name, foreign);
	if (alg == NULL && alg_parts_known(kty, a_crv, a_name, foreign))
		*why = "kty, crv and alg contradict each other";
	return alg;
}

/* The JWK members that carry the key, in the order of key_from_parts(). */
static const char *const *
part_names(const struct alg *alg)
{
	static const char *const rsa[] = { "n", "e" }, *const ec[] = { "x", "y" }, *const okp[] = { "x", NULL },
				 *const oct[] = { "k", NULL };

	switch (alg->kind) {
	case ALG_HMAC:
		return oct;
	case ALG_RSA:
	case ALG_PSS:
		return rsa;
	case ALG_ECDSA:
		return ec;
	case ALG_EDDSA:
		return okp;
	}
	return okp;
}

static enum rjwt_err
read_key(struct json json, struct jwk *jwk, const char **why)
{
	RJWT_CLEAN(buf_clear) struct buf first = { 0 };
	RJWT_CLEAN(buf_clear) struct buf second = { 0 };
	struct buf *const parts[2] = { &first, &second };
	const char *const *names = part_names(jwk->alg);
	struct view text;

	for (int i = 0; i < 2 && names[i] != NULL; i++) {
		enum json_has has = json_string(json, names[i], &text);
		enum rjwt_err err;

		if (has == JSON_ABSENT && jwk->alg->kind == ALG_HMAC)
			return RJWT_OK;
		if (has != JSON_GOOD) {
			*why = "the member k, n, e, x or y is missing or not a string";
			return RJWT_KEYSET;
		}
		err = base64url_decode(text, parts[i]);
		if (err == RJWT_MALFORMED) {
			*why = "the member k, n, e, x or y is not base64url";
			return RJWT_KEYSET;
		}
		RJWT_TRY(err);
	}
	return key_from_parts(jwk->alg, (struct view[]){ buf_view(&first), buf_view(&second) }, &jwk->key, why);
}

static const struct {
	const char *name;
	size_t offset;
	bool ends; /* it limits the key: 0 must not mean "never" */
} times[] = {
	{ "iat", offsetof(struct jwk, published_s), false },
	{ "nbf", offsetof(struct jwk, since_s), false },
	{ "retired", offsetof(struct jwk, retired_s), true },
	{ "exp", offsetof(struct jwk, until_s), true },
	{ "revoked", offsetof(struct jwk, revoked_s), true },
};

#define TIMES (ARRAY_LEN(times))

/* As alg says; NULL: as the members say. foreign: a key of somebody else. */
static enum rjwt_err
read_members(struct json json, const struct alg *alg, bool foreign, struct jwk *jwk, const char **why)
{
	struct view kid = { NULL, 0 };
	enum json_has has = json_string(json, "kid", &kid);

	if (has == JSON_WRONG || (has == JSON_GOOD && (kid.n == 0 || kid.n > KID_MAX))) {
		*why = "kid is not a string of 1 to 128 bytes";
		return RJWT_KEYSET;
	}
	if (kid.n > 0)
		memcpy(jwk->kid, kid.p, kid.n);
	jwk->alg = alg != NULL ? alg : read_alg(json, foreign, why);
	if (!for_verifying(json, why) || jwk->alg == NULL) {
		if (*why != NULL)
			return RJWT_KEYSET;
		*why = jwk->alg == NULL ? "unsupported kty, crv or alg" : "not for verifying signatures";
		return RJWT_ALG;
	}
	for (size_t i = 0; i < TIMES; i++) {
		void *field = (char *)jwk + times[i].offset;
		int64_t *at_s = field;

		has = json_integer(json, times[i].name, at_s);
		if (has == JSON_WRONG || (has == JSON_GOOD && times[i].ends && *at_s == 0)) {
			*why = "iat, nbf, retired, exp or revoked is not a time";
			return RJWT_KEYSET;
		}
	}
	return read_key(json, jwk, why);
}

enum rjwt_err
jwk_parse(struct json json, struct jwk *jwk, struct rjwt_diag *diag)
{
	RJWT_CLEAN(jwk_clear) struct jwk found = { 0 };
	const char *why = NULL;
	enum rjwt_err err = read_members(json, NULL, false, &found, &why);

	if (err != RJWT_OK)
		return fail(diag, err, &found, why == NULL ? rjwt_strerror(err) : why);
	*jwk = RJWT_STEAL(found);
	return RJWT_OK;
}

enum rjwt_err
jwk_put(struct buf *out, const struct jwk *jwk)
{
	RJWT_CLEAN(buf_clear) struct buf first = { 0 };
	RJWT_CLEAN(buf_clear) struct buf second = { 0 };
	struct buf parts[2] = { { 0 }, { 0 } };
	const char *const *names = part_names(jwk->alg);
	enum rjwt_err err = jwk->key == NULL ? RJWT_OK : key_parts(jwk->key, parts);

	first = parts[0];
	second = parts[1];
	RJWT_TRY(err);
	json_put_string(out, "kid", view_of(jwk->kid));
	json_put_string(out, "kty", view_of(jwk->alg->kty));
	if (jwk->alg->crv != NULL)
		json_put_string(out, "crv", view_of(jwk->alg->crv));
	for (int i = 0; i < 2 && names[i] != NULL && parts[i].n > 0; i++) {
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };

		base64url_encode(&text, buf_view(&parts[i]));
		RJWT_TRY(buf_done(&text));
		json_put_string(out, names[i], buf_view(&text));
	}
	json_put_string(out, "alg", view_of(jwk->alg->name));
	json_put_string(out, "use", VIEW("sig"));
	for (size_t i = 0; i < TIMES; i++) {
		int64_t at_s = *(const int64_t *)(const void *)((const char *)jwk + times[i].offset);

		if (at_s != 0)
			json_put_integer(out, times[i].name, at_s);
	}
	return buf_done(out);
}

/* --- sets ------------------------------------------------------------------------------------- */

void
jwk_set_clear(struct jwk_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		jwk_clear(&set->keys[i]);
	free(set->keys);
	free(set->passed_over);
	*set = (struct jwk_set){ 0 };
}

/* Room for one element more in an array of n; it doubles when n is a power of two. NULL: out of memory. */
static void *
grow(void *array, size_t n, size_t size)
{
	return (n & (n - 1)) != 0 ? array : reallocarray(array, n == 0 ? 1 : 2 * n, size);
}

static enum rjwt_err
pass_over(struct jwk_set *set, const char kid[static RJWT_ID_SIZE], const char *why)
{
	struct jwk_passed_over *grown = grow(set->passed_over, set->npassed_over, sizeof(*grown));

	if (grown == NULL)
		return RJWT_MEMORY;
	set->passed_over = grown;
	grown += set->npassed_over++;
	memcpy(grown->kid, kid, RJWT_ID_SIZE);
	grown->why = why;
	return RJWT_OK;
}

/* One key for one algorithm, or the reason why there is none. alg as for read_members(). */
static enum rjwt_err
set_add_as(struct json json, size_t element, const struct alg *alg, struct jwk_set *set)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { .element = element };
	const char *why = NULL;
	struct jwk *grown;
	enum rjwt_err err = RJWT_KEYSET;

	if (json.object == NULL)
		why = "not an object";
	else
		err = read_members(json, alg, true, &jwk, &why);
	if (err == RJWT_OK && jwk.key == NULL) {
		why = "k is missing";
		err = RJWT_KEYSET;
	}
	if (err == RJWT_KEYSET || err == RJWT_ALG)
		return pass_over(set, jwk.kid, why);
	RJWT_TRY(err);
	grown = grow(set->keys, set->n, sizeof(*grown));
	if (grown == NULL)
		return RJWT_MEMORY;
	set->keys = grown;
	set->keys[set->n++] = RJWT_STEAL(jwk);
	return RJWT_OK;
}

/* A key, or several: RFC 7517 s4.4 has alg optional, and an RSA key without one serves each alg of its type. */
static enum rjwt_err
set_add(struct json json, size_t element, struct jwk_set *set)
{
	size_t before = set->n;
	const struct alg *alg;
	struct view name;

	RJWT_TRY(set_add_as(json, element, NULL, set));
	if (set->n == before || json_string(json, "alg", &name) != JSON_ABSENT)
		return RJWT_OK;
	alg = set->keys[before].alg;
	if (alg->kind != ALG_RSA)
		return RJWT_OK;
	while ((alg = alg_next_of_type(alg)) != NULL)
		RJWT_TRY(set_add_as(json, element, alg, set));
	return RJWT_OK;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct jwk *x = a, *y = b;
	int order = strcmp(x->kid, y->kid);

	return order != 0 ? order : strcmp(x->alg->name, y->alg->name);
}

/* Several keys may have no kid (RFC 7517 s4.5): none of them is found by one. */
static bool
are_duplicates(const struct jwk *a, const struct jwk *b)
{
	return a->kid[0] != '\0' && strcmp(a->kid, b->kid) == 0 && strcmp(a->alg->name, b->alg->name) == 0;
}

/* Of keys with the same kid and alg, which are neighbours, none is kept. */
static enum rjwt_err
drop_duplicates(struct jwk_set *set)
{
	size_t kept = 0, end;

	for (size_t i = 0; i < set->n; i = end) {
		for (end = i + 1; end < set->n && are_duplicates(&set->keys[i], &set->keys[end]); end++)
			;
		if (end - i == 1) {
			struct jwk jwk = RJWT_STEAL(set->keys[i]);

			set->keys[kept++] = jwk;
			continue;
		}
		RJWT_TRY(pass_over(set, set->keys[i].kid, "another key has this kid and this alg"));
		for (size_t k = i; k < end; k++)
			jwk_clear(&set->keys[k]);
	}
	set->n = kept;
	return RJWT_OK;
}

enum rjwt_err
jwk_set_parse(struct view text, struct jwk_set *set, struct rjwt_diag *diag)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	RJWT_CLEAN(jwk_set_clear) struct jwk_set found = { 0 };
	enum rjwt_err err = json_parse(text, &json, diag);
	size_t count;

	if (err != RJWT_OK)
		return err == RJWT_MALFORMED ? RJWT_KEYSET : err;
	if (json_array(json, "keys", &count) != JSON_GOOD)
		return diag_fail(diag, RJWT_KEYSET, "", "not a JWK Set: keys is missing or not an array");
	for (size_t i = 0; i < count; i++)
		RJWT_TRY(set_add(json_element(json, "keys", i), i + 1, &found));
	if (found.n > 0)
		qsort(found.keys, found.n, sizeof(*found.keys), compare_keys);
	RJWT_TRY(drop_duplicates(&found));
	*set = RJWT_STEAL(found);
	return RJWT_OK;
}

enum rjwt_err
jwk_set_find(const struct jwk_set *set, struct view kid, struct view alg, const struct jwk **jwk)
{
	const struct jwk *found = NULL;

	if (kid.n > KID_MAX)
		return RJWT_KID;
	for (size_t i = 0; i < set->n; i++) {
		const struct jwk *key = &set->keys[i];

		if (kid.n == 0 && key->element != set->keys[0].element)
			return RJWT_KID;
		if (kid.n > 0 && !view_is(kid, key->kid))
			continue;
		if (found == NULL || alg_has_name(key->alg, alg, true))
			found = key;
	}
	if (found == NULL)
		return kid.n == 0 ? RJWT_KID : RJWT_KEY_UNKNOWN;
	*jwk = found;
	return RJWT_OK;
}

const char *
jwk_set_why_not(const struct jwk_set *set, struct view kid)
{
	for (size_t i = 0; i < set->npassed_over && kid.n > 0; i++)
		if (view_is(kid, set->passed_over[i].kid))
			return set->passed_over[i].why;
	return NULL;
}
