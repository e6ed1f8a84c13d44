/* SPDX-License-Identifier: MIT */
/*
 * pam_floor.so - what no login by an ES256 token can do without: libcrypto is loaded, and verifies one P-256
 * signature over as many bytes as a token has, with a built-in key. No prompt, no file, no parsing. It logs
 * everybody in, and is never installed.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "../unit/pam_entry.h"
#include "pam_floor.h"

static EVP_PKEY *
built_in_key(void)
{
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char[]){ "P-256" }, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(size_t)floor_point,
		    sizeof(floor_point)),
		OSSL_PARAM_construct_end() };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

PAM_ENTRY(pam_sm_authenticate)
{
	EVP_PKEY *key = built_in_key();
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int result = PAM_AUTH_ERR;

	if (key != NULL && md != NULL && EVP_DigestVerifyInit_ex(md, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
	    EVP_DigestVerify(md, floor_signature, sizeof(floor_signature), floor_message, sizeof(floor_message)) == 1)
		result = PAM_SUCCESS;
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(key);
	return result;
}

PAM_ENTRY(pam_sm_setcred)
{
	return PAM_SUCCESS;
}
