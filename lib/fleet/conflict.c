/* SPDX-License-Identifier: MIT */
#include "fleet/conflict.h"
#include "keyset/store.h"

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

bool
bundle_conflicts(const struct bundle *bundle, const struct keyset *keyset, const struct dir *keys)
{
	for (size_t i = 0; i < bundle->nkeys; i++) {
		RJWT_CLEAN(jwk_clear) struct jwk there = { 0 };
		const struct bundle_key *key = &bundle->keys[i];

		if (read_key(keys, key->version, &there) == RJWT_OK && keyset_has(keyset, key->version) &&
		    (there.key == NULL || there.alg != key->jwk.alg || !key_is_pair(there.key, key->jwk.key)))
			return true;
	}
	return false;
}
