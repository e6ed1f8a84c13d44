/* SPDX-License-Identifier: MIT */
#include "jose/provider_write.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/file_write.h"
#include "jose/alg.h"
#include "jose/jwk.h"
#include "jose/key.h"
#include "jose/provider_tpm2.h"

#include <stdio.h>

/* A key counts when what was written can be read again, and signs what its public half verifies. */
static enum rjwt_err
check_usable(struct provider *provider, int64_t version, struct key *made, struct rjwt_diag *diag)
{
	const struct jwk jwk = { .alg = key_alg(made), .key = key_alg(made)->kind == ALG_HMAC ? NULL : made };
	RJWT_CLEAN(signer_clean) struct signer *signer = NULL;

	return provider->load(provider, version, &jwk, &signer, diag);
}

static enum rjwt_err
file_generate(struct provider *provider, int64_t version, const struct alg *alg, unsigned rsa_bits, struct key **key,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(key_clean) struct key *made = RJWT_STEAL(*key);
	enum rjwt_err err = made == NULL ? key_generate(alg, rsa_bits, &made) : RJWT_OK;
	char name[32];

	if (err != RJWT_OK)
		return diag_fail(diag, err, "", "cannot create a %s key", alg->label);
	provider_key_name(name, version);
	RJWT_TRY(provider_file_open(provider, &dir, diag));
	RJWT_TRY(key_private_format(made, &text));
	RJWT_TRY(file_create(&dir, name, 0600, buf_view(&text), diag));
	RJWT_TRY(check_usable(provider, version, made, diag));
	*key = RJWT_STEAL(made);
	return RJWT_OK;
}

static enum rjwt_err
file_destroy(struct provider *provider, int64_t version, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	char name[32];

	provider_key_name(name, version);
	RJWT_TRY(provider_file_open(provider, &dir, diag));
	return file_remove(&dir, name, diag);
}

void
provider_make_writable(struct provider *provider)
{
	if (provider->generate == NULL)
		provider->generate = file_generate;
	if (provider->destroy == NULL)
		provider->destroy = file_destroy;
	if (provider->unwrap == NULL)
		provider->unwrap = tpm2_signer;
}
