/* SPDX-License-Identifier: MIT */
#include "jose/alg.h"

#include <string.h>

/* clang-format off */
/*	label	 name	  kty	 crv	    digest    group	 kind	    sig coord secret tpm */
static const struct alg algs[] = {
	{ "HS256", "HS256", "oct", NULL, "SHA256", "HMAC", ALG_HMAC, 32, 0, 32, false },
	{ "HS384", "HS384", "oct", NULL, "SHA384", "HMAC", ALG_HMAC, 48, 0, 48, false },
	{ "HS512", "HS512", "oct", NULL, "SHA512", "HMAC", ALG_HMAC, 64, 0, 64, false },
	{ "RS256", "RS256", "RSA", NULL, "SHA256", "RSA", ALG_RSA, 0, 0, 0, true },
	{ "RS384", "RS384", "RSA", NULL, "SHA384", "RSA", ALG_RSA, 0, 0, 0, true },
	{ "RS512", "RS512", "RSA", NULL, "SHA512", "RSA", ALG_RSA, 0, 0, 0, true },
	{ "PS256", "PS256", "RSA", NULL, "SHA256", "RSA", ALG_PSS, 0, 0, 0, true },
	{ "PS384", "PS384", "RSA", NULL, "SHA384", "RSA", ALG_PSS, 0, 0, 0, true },
	{ "PS512", "PS512", "RSA", NULL, "SHA512", "RSA", ALG_PSS, 0, 0, 0, true },
	{ "ES256", "ES256", "EC", "P-256", "SHA256", "P-256", ALG_ECDSA, 64, 32, 0, true },
	{ "ES384", "ES384", "EC", "P-384", "SHA384", "P-384", ALG_ECDSA, 96, 48, 0, true },
	{ "ES512", "ES512", "EC", "P-521", "SHA512", "P-521", ALG_ECDSA, 132, 66, 0, false },
	{ "EdDSA", "EdDSA", "OKP", "Ed25519", NULL, "ED25519", ALG_EDDSA, 64, 32, 0, false },
	{ "Ed448", "EdDSA", "OKP", "Ed448", NULL, "ED448", ALG_EDDSA, 114, 57, 0, false },
};
/* clang-format on */

#define ALGS (ARRAY_LEN(algs))

const struct alg *
alg_by_label(struct view label)
{
	for (size_t i = 0; i < ALGS; i++)
		if (view_is(label, algs[i].label))
			return &algs[i];
	return NULL;
}

bool
alg_has_name(const struct alg *alg, struct view name, bool foreign)
{
	return view_is(name, alg->name) || (foreign && alg->kind == ALG_EDDSA && view_is(name, alg->crv));
}

bool
alg_known(struct view name, bool foreign)
{
	for (size_t i = 0; i < ALGS; i++)
		if (alg_has_name(&algs[i], name, foreign))
			return true;
	return false;
}

/* The first row that fits a key type is its default algorithm. */
const struct alg *
alg_of_jwk(struct view kty, const struct view *crv, const struct view *name, bool foreign)
{
	for (size_t i = 0; i < ALGS; i++) {
		if (!view_is(kty, algs[i].kty))
			continue;
		if (algs[i].crv != NULL && (crv == NULL || !view_is(*crv, algs[i].crv)))
			continue;
		if (name == NULL || alg_has_name(&algs[i], *name, foreign))
			return &algs[i];
	}
	return NULL;
}

const struct alg *
alg_next_of_type(const struct alg *alg)
{
	for (const struct alg *next = alg + 1; next < algs + ALGS; next++)
		if (strcmp(next->group, alg->group) == 0)
			return next;
	return NULL;
}

bool
alg_parts_known(struct view kty, const struct view *crv, const struct view *name, bool foreign)
{
	bool has_kty = false, has_crv = crv == NULL;

	for (size_t i = 0; i < ALGS; i++) {
		has_kty = has_kty || view_is(kty, algs[i].kty);
		has_crv = has_crv || (algs[i].crv != NULL && view_is(*crv, algs[i].crv));
	}
	return has_kty && has_crv && (name == NULL || alg_known(*name, foreign));
}

const char *const *
alg_labels(void)
{
	static const char *labels[ALGS + 1];

	/* Always the same pointers: concurrent threads write equal values. */
	for (size_t i = 0; i < ALGS; i++)
		labels[i] = algs[i].label;
	return labels;
}
