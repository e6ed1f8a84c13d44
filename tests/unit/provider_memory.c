/* SPDX-License-Identifier: MIT */
#include "provider_memory.h"
#include "jose/alg.h"
#include "base/err.h"
#include "jose/jwk.h"
#include "jose/key.h"

#include <stdlib.h>

struct memory_provider {
	struct provider provider;
	struct memory_keys *keys;
};

static struct memory_keys *
keys_of(struct provider *provider)
{
	return ((struct memory_provider *)(void *)provider)->keys;
}

static int
slot_of(const struct memory_keys *keys, int64_t version)
{
	for (int i = 0; i < MEMORY_KEYS; i++)
		if (keys->keys[i].version == version)
			return i;
	return -1;
}

bool
memory_has(const struct memory_keys *keys, int64_t version)
{
	return slot_of(keys, version) >= 0;
}

void
memory_clear(struct memory_keys *keys)
{
	for (int i = 0; i < MEMORY_KEYS; i++)
		buf_clear(&keys->keys[i].text);
	*keys = (struct memory_keys){ 0 };
}

static enum rjwt_err
memory_generate(struct provider *provider, int64_t version, const struct alg *alg, unsigned rsa_bits, struct key **key,
    struct rjwt_diag *diag)
{
	struct memory_keys *keys = keys_of(provider);
	RJWT_CLEAN(key_clean) struct key *made = RJWT_STEAL(*key);
	int slot = slot_of(keys, 0);

	if (keys->generate != RJWT_OK)
		return diag_fail(diag, keys->generate, "", "as the test wants it");
	if (memory_has(keys, version) || slot < 0)
		return RJWT_EXISTS;
	if (made == NULL)
		RJWT_TRY(key_generate(alg, rsa_bits, &made));
	RJWT_TRY(key_private_format(made, &keys->keys[slot].text));
	keys->keys[slot].version = version;
	keys->generated++;
	*key = RJWT_STEAL(made);
	return RJWT_OK;
}

static enum rjwt_err
memory_secret(struct provider *provider, int64_t version, const struct alg *alg, struct key **key,
    struct rjwt_diag *diag)
{
	struct memory_keys *keys = keys_of(provider);
	int slot = slot_of(keys, version);
	const char *why;

	if (keys->load != RJWT_OK || slot < 0)
		return diag_fail(diag, slot < 0 ? RJWT_KEYSET : keys->load, "", "no such key");
	return key_private_parse(alg, buf_view(&keys->keys[slot].text), key, &why);
}

static enum rjwt_err
memory_load(struct provider *provider, int64_t version, const struct jwk *jwk, struct signer **signer,
    struct rjwt_diag *diag)
{
	struct key *key = NULL;

	RJWT_TRY(memory_secret(provider, version, jwk->alg, &key, diag));
	return signer_of_key(key, signer);
}

static enum rjwt_err
memory_destroy(struct provider *provider, int64_t version, struct rjwt_diag *diag)
{
	struct memory_keys *keys = keys_of(provider);
	int slot = slot_of(keys, version);

	if (keys->destroy != RJWT_OK)
		return diag_fail(diag, keys->destroy, "", "as the test wants it");
	if (slot >= 0) {
		buf_clear(&keys->keys[slot].text);
		keys->keys[slot].version = 0;
		keys->destroyed++;
	}
	return RJWT_OK;
}

static void
memory_free(struct provider *provider)
{
	keys_of(provider)->freed++;
	free(provider);
}

struct provider *
provider_memory(struct memory_keys *keys)
{
	struct memory_provider *made = calloc(1, sizeof(*made));

	if (made == NULL)
		abort();
	made->provider =
	    (struct provider){ memory_generate, memory_load, memory_secret, memory_destroy, memory_free, NULL };
	made->keys = keys;
	return &made->provider;
}
