/* SPDX-License-Identifier: MIT */
/*
 * A provider of OpenSSH for keys of type ed25519-sk and ecdsa-sk (SecurityKeyProvider, ssh-keygen -w) that is no device:
 * the handle of a key is the private key. For tests alone. The layouts are those of version 10 of OpenSSH's interface.
 */
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SK_ECDSA, SK_ED25519 };

struct sk_enroll_response {
	uint8_t flags;
	uint8_t *public_key;
	size_t public_key_len;
	uint8_t *key_handle;
	size_t key_handle_len;
	uint8_t *signature;
	size_t signature_len;
	uint8_t *attestation_cert;
	size_t attestation_cert_len;
	uint8_t *authdata;
	size_t authdata_len;
};

struct sk_sign_response {
	uint8_t flags;
	uint32_t counter;
	uint8_t *sig_r;
	size_t sig_r_len;
	uint8_t *sig_s;
	size_t sig_s_len;
};

uint32_t
sk_api_version(void)
{
	return 0x000a0000;
}

static size_t
put_number(const BIGNUM *number, uint8_t **out)
{
	*out = malloc(32);
	return *out != NULL && BN_bn2binpad(number, *out, 32) == 32 ? 32 : 0;
}

static size_t
put_public(EVP_PKEY *key, uint32_t alg, uint8_t **out)
{
	size_t n = 32;

	if (alg != SK_ED25519)
		return EVP_PKEY_get1_encoded_public_key(key, out);
	*out = malloc(n);
	return *out != NULL && EVP_PKEY_get_raw_public_key(key, *out, &n) == 1 ? n : 0;
}

int
sk_enroll(uint32_t alg, const uint8_t *challenge, size_t n, const char *application, uint8_t flags, const char *pin,
    void **options, struct sk_enroll_response **response)
{
	EVP_PKEY *key =
	    alg == SK_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	struct sk_enroll_response *made = calloc(1, sizeof(*made));
	int handle;

	(void)challenge, (void)n, (void)application, (void)pin, (void)options;
	if (key == NULL || made == NULL)
		return -1;
	made->flags = flags;
	made->public_key_len = put_public(key, alg, &made->public_key);
	handle = i2d_PrivateKey(key, &made->key_handle);
	made->key_handle_len = handle > 0 ? (size_t)handle : 0;
	made->signature = calloc(1, 1);
	EVP_PKEY_free(key);
	*response = made;
	return made->public_key_len > 0 && handle > 0 ? 0 : -1;
}

/* What a device signs: the hash of the application, flags, counter, the hash of the message. */
static size_t
put_signed(const char *application, const struct sk_sign_response *r, const uint8_t *data, size_t n, uint8_t out[69])
{
	EVP_Digest(application, strlen(application), out, NULL, EVP_sha256(), NULL);
	out[32] = r->flags;
	for (int i = 0; i < 4; i++)
		out[33 + i] = (uint8_t)(r->counter >> (24 - 8 * i));
	EVP_Digest(data, n, out + 37, NULL, EVP_sha256(), NULL);
	return 69;
}

int
sk_sign(uint32_t alg, const uint8_t *data, size_t n, const char *application, const uint8_t *handle, size_t handle_len,
    uint8_t flags, const char *pin, void **options, struct sk_sign_response **response)
{
	const unsigned char *p = handle;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)handle_len);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct sk_sign_response *made = calloc(1, sizeof(*made));
	uint8_t text[69], *signature = malloc(128);
	size_t length = 128;

	(void)pin, (void)options;
	if (key == NULL || ctx == NULL || made == NULL || signature == NULL)
		return -1;
	made->flags = flags;
	made->counter = 1;
	if (EVP_DigestSignInit(ctx, NULL, alg == SK_ED25519 ? NULL : EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(ctx, signature, &length, text, put_signed(application, made, data, n, text)) != 1)
		return -1;
	if (alg == SK_ED25519) {
		made->sig_r = signature;
		made->sig_r_len = length;
	} else {
		const unsigned char *der = signature;
		ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)length);

		made->sig_r_len = put_number(ECDSA_SIG_get0_r(sig), &made->sig_r);
		made->sig_s_len = put_number(ECDSA_SIG_get0_s(sig), &made->sig_s);
		ECDSA_SIG_free(sig);
		free(signature);
	}
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	*response = made;
	return 0;
}

int
sk_load_resident_keys(const char *pin, void **options, void ***keys, size_t *n)
{
	(void)pin, (void)options, (void)keys, (void)n;
	return -2;
}
