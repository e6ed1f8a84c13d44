/* SPDX-License-Identifier: MIT */
#include "keyset/inspect.h"
#include "base/hash.h"
#include "base/host.h"
#include "jose/jwk.h"
#include "jose/provider_write.h"
#include "keyset/tickets.h"

#include <inttypes.h>
#include <string.h>

static enum rjwt_err
highest(void *context, const char *name)
{
	static const char *const suffixes[] = { "jwk", "key", "minted" };
	int64_t *most = context;

	for (size_t i = 0; i < 3; i++) {
		int64_t version = store_version(name, suffixes[i]);

		*most = version > *most ? version : *most;
	}
	return RJWT_OK;
}

enum rjwt_err
store_highest(const struct dir *dir, int64_t *most, struct rjwt_diag *diag)
{
	return dir_each(dir, highest, most, diag);
}

enum rjwt_err
store_can_sign(struct store *store, int64_t version, struct rjwt_diag *diag)
{
	RJWT_CLEAN(signer_clean) struct signer *signer = NULL;
	int64_t minted;

	provider_make_writable(store_provider(store));
	RJWT_TRY(store_read_signer(store, version, &signer, diag));
	RJWT_TRY(tickets_count(store, version, &minted, diag));
	if (minted == INT64_MAX)
		return diag_fail(diag, RJWT_KEYSET, store_dir(store)->path,
		    "private/%" PRId64 ".minted is missing or not a file: tokens cannot be counted", version);
	return RJWT_OK;
}

/*
 * A version that keyset.json never assigned. Without the lock, a rotation may be running, which claims
 * its version in keyset.json first: then that file has changed by now, and we check again.
 */
static enum rjwt_err
check_age(struct store *store, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;
	const struct keyset *keyset = store_keyset(store);
	int64_t known, most = 0;

	RJWT_TRY(dir_open_at(store_dir(store), "private", &private, diag));
	do {
		known = keyset->next_version;
		RJWT_TRY(store_highest(store_keys_dir(store), &most, diag));
		RJWT_TRY(store_highest(&private, &most, diag));
		if (most < known)
			return RJWT_OK;
		RJWT_TRY(store_load(store, diag));
	} while (keyset->next_version > known);
	return diag_fail(diag, RJWT_KEYSET, store_dir(store)->path,
	    "keyset.json is older than the key files (version %" PRId64 "): an old copy was "
	    "restored. Tokens still verify, but none is minted and no key rotates",
	    most);
}

enum rjwt_err
store_check_machine(const struct store *store, struct rjwt_diag *diag)
{
	const char *recorded = store_keyset(store)->machine;
	char machine[DIGEST_HEX];

	RJWT_TRY(host_machine(machine, diag));
	if (recorded[0] == '\0' || machine[0] == '\0' || strcmp(machine, recorded) == 0)
		return RJWT_OK;
	return diag_fail(diag, RJWT_KEYSET, store_dir(store)->path,
	    "belongs to another machine: tokens still verify, but none is minted and no key "
	    "rotates (rjwt-keyd init --adopt takes it over)");
}

enum rjwt_err
store_check_writable(struct store *store, const struct rotation_policy *policy, struct rjwt_diag *diag)
{
	const char *base = store_keyset(store)->base;

	if (store_is_approved(store))
		return RJWT_OK;
	RJWT_TRY(store_check_machine(store, diag));
	if (policy->base != NULL && strcmp(policy->base, base) != 0)
		return diag_fail(diag, RJWT_KEYSET, policy->path,
		    "base_kid is %s, but the keyset's base is %s: tokens still verify, but none is minted "
		    "and no key rotates until the two are equal",
		    policy->base, base);
	RJWT_TRY(check_age(store, diag));
	store_approve(store);
	return RJWT_OK;
}

enum rjwt_err
store_usage(struct store *store, const struct rotation_policy *policy, const struct rjwt_time *now,
    struct keyset_seen *seen, struct rjwt_diag *diag)
{
	const struct keyset *keyset = store_keyset(store);
	int64_t believed_s = keyset_believed_s(keyset, policy, now);
	int64_t now_s = believed_s > 0 ? believed_s : now->wall_s;

	*seen = (struct keyset_seen){ .first_alive = keyset->floor };
	RJWT_TRY(host_machine(seen->machine, diag));
	RJWT_TRY(tickets_count(store, keyset->active.version, &seen->minted, diag));
	for (; seen->first_alive < keyset->active.version; seen->first_alive++) {
		RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
		enum rjwt_err err = store_read_key(store, seen->first_alive, &jwk, diag);

		if (err == RJWT_KEY_UNKNOWN)
			continue; /* verifies nothing, so floor may pass it */
		if (err == RJWT_KEYSET)
			return RJWT_OK; /* damaged: it stays for inspection, and rotation continues */
		RJWT_TRY(err);
		seen->first_until_s = jwk.until_s;
		if (jwk.until_s >= now_s)
			return RJWT_OK;
	}
	seen->first_until_s = 0;
	return RJWT_OK;
}
