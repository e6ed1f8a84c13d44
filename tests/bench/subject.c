/* SPDX-License-Identifier: MIT */
/* A keyset, a token of it, the token's key manually, and what rjwt and OpenSSL do with them. */
#include "bench.h"

#include "base/base64url.h"
#include "jose/jws.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static struct rjwt *
open_handle(const struct subject *s, struct rjwt_options *options)
{
	char config[512];
	struct rjwt_diag diag = { .text = "" };
	struct rjwt *handle;
	enum rjwt_err err;

	snprintf(config, sizeof(config), "%s/rjwt.yaml", s->folder);
	options->config = config;
	err = rjwt_open(options, &handle, &diag);
	if (err != RJWT_OK)
		die("%s: %s: %s %s", s->folder, rjwt_reason(err), diag.path, diag.text);
	return handle;
}

struct rjwt *
subject_handle(const struct subject *s)
{
	return open_handle(s, &(struct rjwt_options){ 0 });
}

/* --- the key manually -------------------------------------------------------------------------- */

static void
read_secret(struct subject *s, FILE *file)
{
	unsigned char secret[64];
	char digest[16];
	size_t n = fread(secret, 1, sizeof(secret), file);
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end() };

	snprintf(digest, sizeof(digest), "%s", s->alg->digest);
	s->mac = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	if (s->mac == NULL || EVP_MAC_init(s->mac, secret, n, params) != 1)
		die("%s: no HMAC", s->folder);
	buf_add(&s->peers_key, secret, n);
}

static void
read_pair(struct subject *s, FILE *file)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	s->pkey = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	if (s->pkey == NULL || bio == NULL || PEM_write_bio_PUBKEY(bio, s->pkey) != 1)
		die("%s: no private key", s->folder);
	n = BIO_get_mem_data(bio, &text);
	buf_add(&s->peers_key, text, (size_t)n);
	BIO_free(bio);
}

static void
read_key(struct subject *s)
{
	const char *label;
	char kid[RJWT_ID_SIZE], name[600];
	struct rjwt_diag diag;
	FILE *file;

	if (rjwt_current_key(s->keyset, kid, &label, &diag) != RJWT_OK)
		die("%s: %s", s->folder, diag.text);
	s->alg = alg_by_label(view_of(label));
	snprintf(name, sizeof(name), "%s/state/private/%s.key", s->folder, strchr(kid, '.') + 1);
	file = fopen(name, "re");
	if (file == NULL)
		die("%s cannot be opened", name);
	if (s->alg->kind == ALG_HMAC)
		read_secret(s, file);
	else
		read_pair(s, file);
	fclose(file);
}

/* The directory's own, so that all who measure there do it with the same; else a new one. */
static void
get_token(struct subject *s)
{
	char name[512], text[4096];
	FILE *file;

	snprintf(name, sizeof(name), "%s/token", s->folder);
	file = fopen(name, "re");
	if (file == NULL) {
		/* iss sub aud iat nbf exp jti scope: eight claims. */
		if (!mint_with(s, true, &s->token))
			die("%s: no token", s->folder);
		return;
	}
	s->token.len = fread(text, 1, sizeof(text), file);
	s->token.text = strndup(text, s->token.len);
	fclose(file);
	if (s->token.text == NULL)
		die("out of memory");
}

struct subject *
subject_open(const char *folder)
{
	static const char *const audience[] = { AUDIENCE, NULL };
	struct subject *s = calloc(1, sizeof(*s));
	char set[512];

	if (s == NULL)
		die("out of memory");
	s->folder = folder;
	snprintf(set, sizeof(set), "%s/set.json", folder);
	s->keyset = subject_handle(s);
	s->set = open_handle(s, &(struct rjwt_options){ .jwks = set, .issuer = ISSUER, .audience = audience });
	get_token(s);
	read_key(s);
	return s;
}

void
subject_close(struct subject *s)
{
	rjwt_token_clear(&s->token);
	rjwt_close(s->keyset);
	rjwt_close(s->set);
	EVP_PKEY_free(s->pkey);
	EVP_MAC_CTX_free(s->mac);
	buf_clear(&s->peers_key);
	free(s);
}

/* --- rjwt's own ------------------------------------------------------------------------------- */

bool
verify_token_with(struct rjwt *handle, struct view token)
{
	struct rjwt_attempt attempt = { .token = token.p, .len = token.n, .user = USER, .service = "sshd" };
	struct rjwt_verdict verdict;
	struct rjwt_diag diag;
	enum rjwt_err err = rjwt_verify(handle, &attempt, &verdict, &diag);

	rjwt_verdict_clear(&verdict);
	return err == RJWT_OK;
}

bool
mint_with(const struct subject *s, bool reusable, struct rjwt_token *token)
{
	struct rjwt_request request = { .user = USER, .reusable = reusable };
	struct rjwt_diag diag;

	return rjwt_mint(s->keyset, &request, token, &diag) == RJWT_OK;
}

/* --- the bare operation ----------------------------------------------------------------------- */

void
take_apart(const struct subject *s, struct view token, struct signed_bytes *out)
{
	RJWT_CLEAN(buf_clear) struct buf flat = { 0 };
	struct jws jws;
	const char *why;

	if (jws_split(token, false, &jws, &why) != RJWT_OK || base64url_decode(jws.signature, &flat) != RJWT_OK ||
	    flat.n > sizeof(out->signature))
		die("%s: no token", s->folder);
	out->input = jws.input;
	if (s->alg->kind == ALG_ECDSA) {
		ECDSA_SIG *sig = ECDSA_SIG_new();
		const unsigned char *p = (const unsigned char *)flat.p;
		unsigned char *to = out->signature;
		int half = (int)flat.n / 2;

		if (sig == NULL || ECDSA_SIG_set0(sig, BN_bin2bn(p, half, NULL), BN_bin2bn(p + half, half, NULL)) != 1)
			die("out of memory");
		out->n = (size_t)i2d_ECDSA_SIG(sig, &to);
		ECDSA_SIG_free(sig);
	} else {
		memcpy(out->signature, flat.p, flat.n);
		out->n = flat.n;
	}
}

static bool
mac_of(const struct subject *s, struct view input, unsigned char mac[static 64], size_t *n)
{
	return EVP_MAC_init(s->mac, NULL, 0, NULL) == 1 &&
	       EVP_MAC_update(s->mac, (const unsigned char *)input.p, input.n) == 1 &&
	       EVP_MAC_final(s->mac, mac, n, 64) == 1;
}

static bool
pad(const struct subject *s, EVP_PKEY_CTX *ctx)
{
	return s->alg->kind != ALG_PSS || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
					      EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

bool
bare_verify(const struct subject *s, const struct signed_bytes *token)
{
	unsigned char mac[64];
	EVP_PKEY_CTX *ctx;
	EVP_MD_CTX *md;
	size_t n;
	bool good;

	if (s->alg->kind == ALG_HMAC)
		return mac_of(s, token->input, mac, &n) && n == token->n &&
		       CRYPTO_memcmp(mac, token->signature, n) == 0;
	md = EVP_MD_CTX_new();
	good = EVP_DigestVerifyInit_ex(md, &ctx, s->alg->digest, NULL, NULL, s->pkey, NULL) == 1 && pad(s, ctx) &&
	       EVP_DigestVerify(md, token->signature, token->n, (const unsigned char *)token->input.p,
		   token->input.n) == 1;
	EVP_MD_CTX_free(md);
	return good;
}

bool
bare_sign(const struct subject *s, struct view input)
{
	unsigned char out[512];
	size_t n = sizeof(out);
	EVP_PKEY_CTX *ctx;
	EVP_MD_CTX *md;
	bool good;

	if (s->alg->kind == ALG_HMAC)
		return mac_of(s, input, out, &n);
	md = EVP_MD_CTX_new();
	good = EVP_DigestSignInit_ex(md, &ctx, s->alg->digest, NULL, NULL, s->pkey, NULL) == 1 && pad(s, ctx) &&
	       EVP_DigestSign(md, out, &n, (const unsigned char *)input.p, input.n) == 1;
	EVP_MD_CTX_free(md);
	return good;
}
