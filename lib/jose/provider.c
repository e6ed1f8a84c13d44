/* SPDX-License-Identifier: MIT */
#include "jose/provider.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 512 /* in messages */

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
	made->signer = (struct signer){ key_alg(key), key_signature_size(key), key_signer_sign, key_signer_free, NULL };
	made->key = key;
	*signer = &made->signer;
	return RJWT_OK;
}

enum rjwt_err
signer_tell(const struct signer *signer, enum rjwt_err err, struct rjwt_diag *diag)
{
	if ((err == RJWT_IO || err == RJWT_KEYSET) && signer->why != NULL && diag != NULL)
		*diag = *signer->why;
	return err;
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
read_file(struct provider *provider, int64_t version, struct buf *text, char path[static PATH_SIZE],
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	char name[32];

	provider_key_name(name, version);
	RJWT_TRY(provider_file_open(provider, &dir, diag));
	snprintf(path, PATH_SIZE, "%s/%s", dir.path, name);
	return file_read(&dir, name, PROVIDER_FILE_MAX, text, NULL, diag);
}

static enum rjwt_err
parse(const char *path, const struct alg *alg, struct view text, struct key **key, struct rjwt_diag *diag)
{
	const char *why = "";
	enum rjwt_err err = key_private_parse(alg, text, key, &why);

	return err == RJWT_KEYSET ? diag_fail(diag, err, path, "%s", why) : err;
}

static enum rjwt_err
file_secret(struct provider *provider, int64_t version, const struct alg *alg, struct key **key, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char path[PATH_SIZE];

	RJWT_TRY(read_file(provider, version, &text, path, diag));
	return parse(path, alg, buf_view(&text), key, diag);
}

static enum rjwt_err
other_key(int64_t version, struct rjwt_diag *diag)
{
	return diag_fail(diag, RJWT_KEYSET, "", "private/%" PRId64 ".key is not the key of keys/%" PRId64 ".jwk",
	    version, version);
}

enum rjwt_err
signer_check(struct signer *signer, struct key *public, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf signature = { 0 };
	const struct view probe = VIEW("rjwt");
	enum rjwt_err err = signer->sign(signer, probe, &signature);

	if (signer->why != NULL)
		RJWT_TRY(signer_tell(signer, err, diag));
	if (err == RJWT_OK && key_verify(public, probe, buf_view(&signature)) == RJWT_OK)
		return RJWT_OK;
	return RJWT_SIGNATURE;
}

bool
provider_is_wrapped(struct view text)
{
	static const struct view first = VIEW("-----BEGIN TSS2 PRIVATE KEY-----");

	return text.n >= first.n && memcmp(text.p, first.p, first.n) == 0;
}

static enum rjwt_err
file_load(struct provider *provider, int64_t version, const struct jwk *jwk, struct signer **signer,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(signer_clean) struct signer *found = NULL;
	RJWT_CLEAN(key_clean) struct key *key = NULL;
	char path[PATH_SIZE];
	enum rjwt_err err;

	RJWT_TRY(read_file(provider, version, &text, path, diag));
	if (provider_is_wrapped(buf_view(&text))) {
		if (provider->unwrap == NULL)
			return RJWT_INTERNAL;
		RJWT_TRY(provider->unwrap(jwk->alg, buf_view(&text), path, &found, diag));
	} else {
		RJWT_TRY(parse(path, jwk->alg, buf_view(&text), &key, diag));
		if (jwk->key != NULL && !key_is_pair(key, jwk->key))
			return other_key(version, diag);
		RJWT_TRY(signer_of_key(RJWT_STEAL(key), &found));
	}
	err = jwk->key == NULL ? RJWT_OK : signer_check(found, jwk->key, diag);
	if (err == RJWT_SIGNATURE)
		return other_key(version, diag);
	RJWT_TRY(err);
	*signer = RJWT_STEAL(found);
	return RJWT_OK;
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
