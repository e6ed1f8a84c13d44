/* SPDX-License-Identifier: MIT */
#include "jose/provider.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PRIVATE_MAX 32768 /* bytes; 16384-bit RSA takes 13,000 */

/* --- a signer in memory ----------------------------------------------------------------------- */

struct key_signer {
	struct signer signer;
	struct key *key;
};

static enum rjwt_err
key_signer_sign(struct signer *signer, struct view input, struct buf *signature)
{
	return key_sign(((struct key_signer *)signer)->key, input, signature);
}

static void
key_signer_free(struct signer *signer)
{
	key_free(((struct key_signer *)signer)->key);
	free(signer);
}

enum rjwt_err
signer_of_key(struct key *key, struct signer **signer)
{
	struct key_signer *made = calloc(1, sizeof(*made));

	if (made == NULL) {
		key_free(key);
		return RJWT_MEMORY;
	}
	made->signer = (struct signer){ key_alg(key), key_signature_size(key), key_signer_sign, key_signer_free };
	made->key = key;
	*signer = &made->signer;
	return RJWT_OK;
}

void
signer_clean(struct signer **signer)
{
	if (*signer != NULL)
		(*signer)->free(*signer);
	*signer = NULL;
}

/* --- files ------------------------------------------------------------------------------------ */

struct file_provider {
	struct provider provider;
	const struct dir *state;
};

enum rjwt_err
provider_file_open(struct provider *provider, struct dir *dir, struct rjwt_diag *diag)
{
	const struct dir *state = ((struct file_provider *)provider)->state;

	return dir_open_at(state, "private", dir, diag);
}

void
provider_key_name(char name[static 32], int64_t version)
{
	snprintf(name, 32, "%" PRId64 ".key", version);
}

static enum rjwt_err
file_secret(struct provider *provider, int64_t version, const struct alg *alg, struct key **key, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	const char *why = "";
	enum rjwt_err err;
	char name[32];

	provider_key_name(name, version);
	RJWT_TRY(provider_file_open(provider, &dir, diag));
	RJWT_TRY(file_read(&dir, name, PRIVATE_MAX, &text, NULL, diag));
	err = key_private_parse(alg, buf_view(&text), key, &why);
	if (err == RJWT_KEYSET)
		return diag_fail(diag, err, dir.path, "%s: %s", name, why);
	return err;
}

/* Whether public verifies what the signer signs: a damaged private key file may still have its public half. */
static bool
fits(struct key *private, struct key *public)
{
	RJWT_CLEAN(buf_clear) struct buf signature = { 0 };
	const struct view probe = VIEW("rjwt");

	return key_is_pair(private, public) && key_sign(private, probe, &signature) == RJWT_OK &&
	       key_verify(public, probe, buf_view(&signature)) == RJWT_OK;
}

static enum rjwt_err
file_load(struct provider *provider, int64_t version, const struct jwk *jwk, struct signer **signer,
    struct rjwt_diag *diag)
{
	struct key *key = NULL;

	RJWT_TRY(file_secret(provider, version, jwk->alg, &key, diag));
	if (jwk->key != NULL && !fits(key, jwk->key)) {
		key_free(key);
		return diag_fail(diag, RJWT_KEYSET, "",
		    "private/%" PRId64 ".key is not the key of keys/%" PRId64 ".jwk", version, version);
	}
	return signer_of_key(key, signer);
}

static void
file_free(struct provider *provider)
{
	free(provider);
}

enum rjwt_err
provider_file(const struct dir *state, struct provider **provider)
{
	struct file_provider *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return RJWT_MEMORY;
	made->provider = (struct provider){ .load = file_load, .secret = file_secret, .free = file_free };
	made->state = state;
	*provider = &made->provider;
	return RJWT_OK;
}
