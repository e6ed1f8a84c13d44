/* SPDX-License-Identifier: MIT */
#include "fleet/conflict.h"
#include "keyset/store.h"

/* Of a public key: key_parts(). */
struct parts {
	struct buf of[2];
};

static void
parts_clear(struct parts *parts)
{
	buf_clear(&parts->of[0]);
	buf_clear(&parts->of[1]);
}

/* RJWT_KEY_UNKNOWN: there is none. */
static enum rjwt_err
read_key(const struct dir *keys, int64_t version, struct jwk *jwk)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	char name[STORE_NAME_SIZE];
	enum rjwt_err err;

	store_name(name, version, "jwk");
	err = file_read(keys, name, JWK_FILE_MAX, &text, NULL, NULL);
	if (err_is_missing(err))
		return RJWT_KEY_UNKNOWN;
	RJWT_TRY(err);
	RJWT_TRY(seal_check(buf_view(&text)));
	err = json_parse(buf_view(&text), &json, NULL);
	return err == RJWT_OK ? jwk_parse(json, jwk, NULL) : err;
}

static enum rjwt_err
compare(const struct jwk *there, const struct jwk *offered, bool *differ)
{
	RJWT_CLEAN(parts_clear) struct parts a = { 0 };
	RJWT_CLEAN(parts_clear) struct parts b = { 0 };

	*differ = there->key == NULL || there->alg != offered->alg;
	if (*differ)
		return RJWT_OK;
	RJWT_TRY(key_parts(there->key, a.of));
	RJWT_TRY(key_parts(offered->key, b.of));
	*differ = !view_eq(buf_view(&a.of[0]), buf_view(&b.of[0])) || !view_eq(buf_view(&a.of[1]), buf_view(&b.of[1]));
	return RJWT_OK;
}

enum rjwt_err
bundle_conflicts(const struct bundle *bundle, const struct keyset *keyset, const struct dir *keys, bool *conflicts)
{
	*conflicts = false;
	for (size_t i = 0; i < bundle->nkeys && !*conflicts; i++) {
		RJWT_CLEAN(jwk_clear) struct jwk there = { 0 };
		const struct bundle_key *key = &bundle->keys[i];
		enum rjwt_err err;

		if (!keyset_has(keyset, key->version))
			continue;
		err = read_key(keys, key->version, &there);
		if (err_is_shortage(err))
			return err;
		if (err == RJWT_OK)
			RJWT_TRY(compare(&there, &key->jwk, conflicts));
	}
	return RJWT_OK;
}
