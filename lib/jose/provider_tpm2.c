/* SPDX-License-Identifier: MIT */
#include "jose/provider_tpm2.h"
#include "base/openssl.h"
#include "jose/key_private.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TPM2_ONLY "provider=tpm2"

CLEANER(pkey_clean, EVP_PKEY, EVP_PKEY_free);
CLEANER(pkey_ctx_clean, EVP_PKEY_CTX, EVP_PKEY_CTX_free);
CLEANER(encoder_clean, OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free);
CLEANER(decoder_clean, OSSL_DECODER_CTX, OSSL_DECODER_CTX_free);

/* One connection to a TPM. */
struct tpm {
	OSSL_LIB_CTX *ctx;
	OSSL_PROVIDER *base, *tpm2;
};

/* --- what a TPM says -------------------------------------------------------------------------- */

static const char *
tpm_name(void)
{
	const char *name = getenv("TPM2OPENSSL_TCTI");

	return name == NULL ? "" : name;
}

/* An error of the provider: a number, and its text. */
static bool
is_theirs(unsigned long error, const char *data, int flags)
{
	return error != 0 && (flags & ERR_TXT_STRING) != 0 && isdigit((unsigned char)data[data[0] == '-']);
}

/*
 * The provider's error: the code of the TPM, or of what is between it and us, and its text. It is the last one, or has one of
 * OpenSSL's own above it (3.5 at a key that the TPM rejects) and is the first. -1: the error is not the provider's.
 */
static long
last_error(char *text, size_t size)
{
	const char *data = "";
	char *end;
	int flags = 0;
	unsigned long error = ERR_peek_last_error_data(&data, &flags);
	long code;

	text[0] = '\0';
	if (!is_theirs(error, data, flags)) {
		error = ERR_peek_error_data(&data, &flags);
		if (!is_theirs(error, data, flags))
			return -1;
	}
	code = strtol(data, &end, 10);
	snprintf(text, size, "%s", end + (*end == ' '));
	return code & 0xfffff;
}

/* errno says nothing about a TPM. */
static enum rjwt_err
fail(struct rjwt_diag *diag, const char *text)
{
	errno = 0;
	return diag_fail(diag, RJWT_IO, tpm_name(), "%s", text);
}

static enum rjwt_err
fail_at(struct rjwt_diag *diag, const char *what)
{
	char why[160], text[256];

	(void)last_error(why, sizeof(why));
	snprintf(text, sizeof(text), "the TPM cannot %s%s%s", what, why[0] == '\0' ? "" : ": ", why);
	return fail(diag, text);
}

/* --- a connection ----------------------------------------------------------------------------- */

static void
tpm_close(struct tpm *tpm)
{
	if (tpm->tpm2 != NULL)
		OSSL_PROVIDER_unload(tpm->tpm2);
	if (tpm->base != NULL)
		OSSL_PROVIDER_unload(tpm->base);
	OSSL_LIB_CTX_free(tpm->ctx);
	*tpm = (struct tpm){ 0 };
}

static enum rjwt_err
tpm_open(struct tpm *tpm, struct rjwt_diag *diag)
{
	if (tpm_name()[0] == '\0')
		return fail(diag,
		    "TPM2OPENSSL_TCTI is not set (expected the name of the TPM, such as device:/dev/tpmrm0)");
	tpm->ctx = OSSL_LIB_CTX_new();
	if (tpm->ctx == NULL)
		return RJWT_MEMORY;
	tpm->base = OSSL_PROVIDER_load(tpm->ctx, "default");
	if (tpm->base == NULL)
		return RJWT_MEMORY;
	tpm->tpm2 = OSSL_PROVIDER_load(tpm->ctx, "tpm2");
	if (tpm->tpm2 != NULL)
		return RJWT_OK;
	if (ERR_GET_REASON(ERR_peek_last_error()) != ERR_R_INIT_FAIL)
		return fail(diag, "OpenSSL's provider tpm2 cannot be loaded (install tpm2-openssl)");
	return fail(diag, "the TPM does not answer");
}

/* --- making ----------------------------------------------------------------------------------- */

static EVP_PKEY *
make(const struct tpm *tpm, const struct alg *alg, unsigned rsa_bits)
{
	bool rsa = alg->kind != ALG_ECDSA;
	RJWT_CLEAN(pkey_ctx_clean)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(tpm->ctx, rsa ? "RSA" : "EC", TPM2_ONLY);
	EVP_PKEY *pkey = NULL;

	if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
	    (rsa ? EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)rsa_bits)
		 : EVP_PKEY_CTX_set_group_name(ctx, alg->group)) != 1 ||
	    EVP_PKEY_generate(ctx, &pkey) != 1)
		return NULL;
	return pkey;
}

static enum rjwt_err
wrapped(const EVP_PKEY *pkey, struct buf *text)
{
	RJWT_CLEAN(encoder_clean)
	OSSL_ENCODER_CTX *encoder =
	    OSSL_ENCODER_CTX_new_for_pkey(pkey, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", TPM2_ONLY);
	unsigned char *data = NULL;
	size_t n = 0;

	if (encoder == NULL || OSSL_ENCODER_to_data(encoder, &data, &n) != 1)
		return RJWT_INTERNAL;
	buf_add(text, data, n);
	OPENSSL_free(data);
	return buf_done(text);
}

/* The public half, in the default context: what is verified with it never asks the TPM. */
static enum rjwt_err
public_half(const struct key *key, struct key **public)
{
	RJWT_CLEAN(buf_clear) struct buf first = { 0 };
	RJWT_CLEAN(buf_clear) struct buf second = { 0 };
	struct buf parts[2] = { { 0 }, { 0 } };
	enum rjwt_err err = key_parts(key, parts);
	const char *why;

	first = parts[0];
	second = parts[1];
	RJWT_TRY(err);
	if (key->alg->kind != ALG_ECDSA && second.n == 0)
		buf_add(&second, "\x01\0\x01", 3); /* 0 is how a TPM writes 65537 */
	RJWT_TRY(buf_done(&second));
	return key_from_parts(key->alg, (struct view[2]){ buf_view(&first), buf_view(&second) }, public, &why);
}

/* takes pkey. */
static enum rjwt_err
key_in(const struct tpm *tpm, const struct alg *alg, EVP_PKEY *pkey, struct key **key)
{
	RJWT_TRY(key_new(alg, pkey, key));
	(*key)->libctx = tpm->ctx;
	(*key)->properties = TPM2_ONLY;
	return RJWT_OK;
}

enum rjwt_err
tpm2_generate(const struct alg *alg, unsigned rsa_bits, struct key **key, struct rjwt_diag *diag)
{
	OPENSSL_QUIETLY;
	RJWT_CLEAN(tpm_close) struct tpm tpm = { 0 };
	RJWT_CLEAN(pkey_clean) EVP_PKEY *pkey = NULL;
	RJWT_CLEAN(key_clean) struct key *pair = NULL;
	RJWT_CLEAN(key_clean) struct key *public = NULL;
	enum rjwt_err err;
	char what[64];

	RJWT_TRY(tpm_open(&tpm, diag));
	snprintf(what, sizeof(what), "create a key for %s", alg->label);
	pkey = make(&tpm, alg, rsa_bits);
	if (pkey == NULL)
		return fail_at(diag, what);
	err = key_in(&tpm, alg, RJWT_STEAL(pkey), &pair);
	if (err == RJWT_OK)
		err = public_half(pair, &public);
	if (err == RJWT_OK)
		err = wrapped(pair->pkey, &public->secret);
	if (err != RJWT_OK)
		return err == RJWT_MEMORY ? err : fail_at(diag, what);
	*key = RJWT_STEAL(public);
	return RJWT_OK;
}

/* --- signing ---------------------------------------------------------------------------------- */

struct tpm2_signer {
	struct signer signer;
	struct tpm tpm;
	struct key *key; /* NULL: the next signature loads it */
	struct buf text;
	struct rjwt_diag why;
};

static void
drop(struct tpm2_signer *s)
{
	key_free(RJWT_STEAL(s->key));
	tpm_close(&s->tpm);
}

/* A parameter that a TPM rejects is the key itself: it was wrapped by another one, or is damaged. */
static enum rjwt_err
refused(const char *path, struct rjwt_diag *diag)
{
	char text[160];
	long code = last_error(text, sizeof(text));

	if (code == -1)
		return diag_fail(diag, RJWT_KEYSET, path, "not a key wrapped by a TPM");
	if (code < 0x1000 && (code & 0xc0) == 0xc0)
		return diag_fail(diag, RJWT_KEYSET, path,
		    "this TPM cannot read it (%s): another TPM made it, or this one was cleared since (rjwt-keyd "
		    "rotate --compromised makes new keys)",
		    text);
	return fail_at(diag, "load the key");
}

static enum rjwt_err
load(struct tpm2_signer *s, const char *path, struct rjwt_diag *diag)
{
	RJWT_CLEAN(decoder_clean) OSSL_DECODER_CTX *decoder = NULL;
	EVP_PKEY *pkey = NULL;
	const unsigned char *data = bytes(buf_view(&s->text));
	size_t n = s->text.n;

	RJWT_TRY(tpm_open(&s->tpm, diag));
	decoder = OSSL_DECODER_CTX_new_for_pkey(&pkey, "PEM", NULL, NULL, EVP_PKEY_KEYPAIR, s->tpm.ctx, TPM2_ONLY);
	if (decoder == NULL)
		return RJWT_MEMORY;
	if (OSSL_DECODER_from_data(decoder, &data, &n) != 1 || pkey == NULL)
		return refused(path, diag);
	return key_in(&s->tpm, s->signer.alg, pkey, &s->key);
}

static enum rjwt_err
sign(struct signer *signer, struct view input, struct buf *signature)
{
	OPENSSL_QUIETLY;
	struct tpm2_signer *s = (struct tpm2_signer *)signer;
	enum rjwt_err err = s->key == NULL ? load(s, "", &s->why) : RJWT_OK;

	if (err == RJWT_OK)
		err = key_sign_marked(s->key, input, signature);
	if (err == RJWT_INTERNAL || (err == RJWT_MEMORY && s->key != NULL))
		err = fail_at(&s->why,
		    "sign"); /* OpenSSL does not say which: a copy of a context is made by the provider */
	if (err != RJWT_OK)
		drop(s);
	return err;
}

static void
signer_free(struct signer *signer)
{
	struct tpm2_signer *s = (struct tpm2_signer *)signer;

	drop(s);
	buf_clear(&s->text);
	free(s);
}

enum rjwt_err
tpm2_signer(const struct alg *alg, struct view text, const char *path, struct signer **signer, struct rjwt_diag *diag)
{
	OPENSSL_QUIETLY;
	struct tpm2_signer *made = calloc(1, sizeof(*made));
	RJWT_CLEAN(signer_clean) struct signer *owned = NULL;

	if (made == NULL)
		return RJWT_MEMORY;
	owned = &made->signer;
	made->signer = (struct signer){ .alg = alg, .sign = sign, .free = signer_free, .why = &made->why };
	buf_add_view(&made->text, text);
	RJWT_TRY(buf_done(&made->text));
	RJWT_TRY(load(made, path, diag));
	made->signer.signature_size = key_signature_size(made->key);
	*signer = RJWT_STEAL(owned);
	return RJWT_OK;
}

enum rjwt_err
tpm2_try(const struct alg *alg, struct rjwt_diag *diag)
{
	RJWT_CLEAN(key_clean) struct key *public = NULL;
	RJWT_CLEAN(signer_clean) struct signer *signer = NULL;
	enum rjwt_err err;

	RJWT_TRY(tpm2_generate(alg, 0, &public, diag));
	RJWT_TRY(tpm2_signer(alg, buf_view(&public->secret), tpm_name(), &signer, diag));
	err = signer_check(signer, public, diag);
	return err == RJWT_SIGNATURE ? fail(diag, "the signature of the TPM does not verify") : err;
}
