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

/* Errors of a key begin with its kid. */
static enum rjwt_err
fail(struct rjwt_diag *diag, enum rjwt_err err, const struct jwk *jwk, const char *why)
{
	return diag_fail(diag, err, "", "key %s: %s", jwk->kid[0] == '\0' ? "without kid" : jwk->kid, why);
}

/* Whether use and key_ops leave the key to us; *why: malformed. */
static bool
for_verifying(struct json json, const char **why)
{
	struct view text;
	size_t count;
	bool good = true;

	switch (json_string(json, "use", &text)) {
	case JSON_WRONG:
		*why = "use is no string";
		return false;
	case JSON_GOOD:
		good = view_is(text, "sig");
		break;
	case JSON_ABSENT:
		break;
	}
	switch (json_array(json, "key_ops", &count)) {
	case JSON_WRONG:
		*why = "key_ops is no array of strings";
		return false;
	case JSON_GOOD:
		if (json_strings(json, "key_ops", &count) != JSON_GOOD) {
			*why = "key_ops is no array of strings";
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

/* NULL: fits no algorithm of ours; *why: malformed. */
static const struct alg *
read_alg(struct json json, const char **why)
{
	struct view kty, crv, name;
	enum json_has has_crv = json_string(json, "crv", &crv);
	enum json_has has_alg = json_string(json, "alg", &name);
	const struct view *a_crv = has_crv == JSON_GOOD ? &crv : NULL;
	const struct view *a_name = has_alg == JSON_GOOD ? &name : NULL;
	const struct alg *alg;

	if (json_string(json, "kty", &kty) != JSON_GOOD)
		*why = "kty is missing or no string";
	else if (has_crv == JSON_WRONG)
		*why = "crv is no string";
	else if (has_alg == JSON_WRONG)
		*why = "alg is no string";
	if (*why != NULL)
		return NULL;
	alg = alg_of_jwk(kty, a_crv, a_name);
	if (alg == NULL && alg_parts_known(kty, a_crv, a_name))
		*why = "kty, crv and alg do not fit each other";
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
			*why = "a member of the key is missing or no string";
			return RJWT_KEYSET;
		}
		err = base64url_decode(text, parts[i]);
		if (err == RJWT_MALFORMED) {
			*why = "a member of the key is no base64url";
			return RJWT_KEYSET;
		}
		RJWT_TRY(err);
	}
	return key_from_parts(jwk->alg, (struct view[]){ buf_view(&first), buf_view(&second) }, &jwk->key, why);
}

static const struct {
	const char *name;
	size_t offset;
	bool ends; /* it ends what the key is good for: 1970 must not read as never */
} times[] = {
	{ "iat", offsetof(struct jwk, published_s), false },
	{ "nbf", offsetof(struct jwk, since_s), false },
	{ "retired", offsetof(struct jwk, retired_s), true },
	{ "exp", offsetof(struct jwk, until_s), true },
	{ "revoked", offsetof(struct jwk, revoked_s), true },
};

#define TIMES (ARRAY_LEN(times))

static enum rjwt_err
read_members(struct json json, struct jwk *jwk, const char **why)
{
	struct view kid = { NULL, 0 };
	enum json_has has = json_string(json, "kid", &kid);

	if (has == JSON_WRONG || (has == JSON_GOOD && (kid.n == 0 || kid.n > KID_MAX))) {
		*why = "kid is no string of 1 to 128 bytes";
		return RJWT_KEYSET;
	}
	if (kid.n > 0)
		memcpy(jwk->kid, kid.p, kid.n);
	jwk->alg = read_alg(json, why);
	if (!for_verifying(json, why) || jwk->alg == NULL) {
		if (*why != NULL)
			return RJWT_KEYSET;
		*why = jwk->alg == NULL ? "kty, crv and alg are none that rjwt has" : "not for verifying signatures";
		return RJWT_ALG;
	}
	for (size_t i = 0; i < TIMES; i++) {
		void *field = (char *)jwk + times[i].offset;
		int64_t *at_s = field;

		has = json_integer(json, times[i].name, at_s);
		if (has == JSON_WRONG || (has == JSON_GOOD && times[i].ends && *at_s == 0)) {
			*why = "iat, nbf, retired, exp or revoked is no time";
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
	enum rjwt_err err = read_members(json, &found, &why);

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

void
jwk_set_clear(struct jwk_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		jwk_clear(&set->keys[i]);
	free(set->keys);
	*set = (struct jwk_set){ 0 };
}

static enum rjwt_err
set_add(struct json json, struct jwk_set *set, struct rjwt_diag *diag)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
	enum rjwt_err err;

	if (json.object == NULL)
		return diag_fail(diag, RJWT_KEYSET, "", "an element of keys is no object");
	err = jwk_parse(json, &jwk, diag);
	if (err == RJWT_ALG)
		return RJWT_OK; /* RFC 7517 s5: ignore what is not understood */
	RJWT_TRY(err);
	if (jwk.key == NULL)
		return fail(diag, RJWT_KEYSET, &jwk, "k is missing");
	for (size_t i = 0; i < set->n; i++) /* RFC 7517 s4.5: several may have none */
		if (jwk.kid[0] != '\0' && strcmp(set->keys[i].kid, jwk.kid) == 0)
			return fail(diag, RJWT_KEYSET, &jwk, "stands twice in the set");
	set->keys[set->n++] = RJWT_STEAL(jwk);
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
		return diag_fail(diag, RJWT_KEYSET, "", "is no JWK Set: keys is missing or no array");
	found.keys = calloc(count + 1, sizeof(*found.keys));
	if (found.keys == NULL)
		return RJWT_MEMORY;
	for (size_t i = 0; i < count; i++)
		RJWT_TRY(set_add(json_element(json, "keys", i), &found, diag));
	*set = RJWT_STEAL(found);
	return RJWT_OK;
}

enum rjwt_err
jwk_set_find(void *context, struct view kid, const struct jwk **jwk, struct rjwt_diag *diag)
{
	const struct jwk_set *set = context;

	(void)diag;
	if (kid.n == 0) {
		if (set->n != 1)
			return RJWT_KID;
		*jwk = &set->keys[0];
		return RJWT_OK;
	}
	if (kid.n > KID_MAX)
		return RJWT_KID;
	for (size_t i = 0; i < set->n; i++)
		if (view_is(kid, set->keys[i].kid)) {
			*jwk = &set->keys[i];
			return RJWT_OK;
		}
	return RJWT_KEY_UNKNOWN;
}
