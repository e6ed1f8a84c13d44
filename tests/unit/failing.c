/* SPDX-License-Identifier: MIT */
#include "failing.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

const char *failing_name = "none";
unsigned failing_calls;
static unsigned failing_at;
static bool failed;

void
failing_begin(unsigned k)
{
	failing_at = k;
	failing_calls = 0;
	failed = false;
}

bool
failing_end(void)
{
	failing_at = 0;
	return failed;
}

bool
failing_here(const char *name)
{
	if (++failing_calls != failing_at)
		return false;
	failed = true;
	failing_name = name;
	errno = ENOMEM;
	return true;
}

/* A function that fails by what it returns, and leaves everything else as it was. */
#define CALL(type, name, failure, parameters, ...)                                   \
	type __real_##name parameters;                                               \
	type __wrap_##name parameters;                                               \
	type __wrap_##name parameters                                                \
	{                                                                            \
		return failing_here(#name) ? (failure) : __real_##name(__VA_ARGS__); \
	}                                                                            \
	struct name##_needs_a_semicolon

/* One that writes as well: it may fail, or write a byte too little, which we do not believe either. */
#define SIZED(type, name, failure, parameters, ...) \
	type __real_##name parameters;              \
	type __wrap_##name parameters;              \
	type __wrap_##name parameters               \
	{                                           \
		type good;                          \
                                                    \
		if (failing_here(#name))            \
			return failure;             \
		good = __real_##name(__VA_ARGS__);  \
		if (failing_here("a short " #name)) \
			--*size;                    \
		return good;                        \
	}                                           \
	struct name##_needs_a_semicolon

/* --- libc ------------------------------------------------------------------------------------- */

CALL(void *, malloc, NULL, (size_t n), n);
CALL(void *, calloc, NULL, (size_t n, size_t size), n, size);
CALL(void *, reallocarray, NULL, (void *p, size_t n, size_t size), p, n, size);
CALL(char *, strdup, NULL, (const char *s), s);
CALL(int, fstat, -1, (int fd, struct stat *to), fd, to);
CALL(int, fstatat, -1, (int fd, const char *path, struct stat *to, int flags), fd, path, to, flags);
CALL(int, stat, -1, (const char *path, struct stat *to), path, to);
CALL(int, fsync, -1, (int fd), fd);
CALL(int, fchmodat, -1, (int fd, const char *path, mode_t mode, int flags), fd, path, mode, flags);
CALL(int, mkdirat, -1, (int fd, const char *path, mode_t mode), fd, path, mode);
CALL(int, unlinkat, -1, (int fd, const char *path, int flags), fd, path, flags);
CALL(int, renameat, -1, (int from, const char *path, int to, const char *as), from, path, to, as);
CALL(ssize_t, write, -1, (int fd, const void *p, size_t n), fd, p, n);
CALL(ssize_t, read, -1, (int fd, void *to, size_t n), fd, to, n);

int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);
int __wrap_asprintf(char **text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int __wrap___asprintf_chk(char **text, int flag, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A file that is made has a mode. */
#define TAKE_MODE(flags, mode)                                            \
	do {                                                              \
		va_list args;                                             \
		va_start(args, flags);                                    \
		mode = ((flags)&O_CREAT) != 0 ? va_arg(args, mode_t) : 0; \
		va_end(args);                                             \
	} while (0)

int
__wrap_openat(int fd, const char *path, int flags, ...)
{
	mode_t mode;

	TAKE_MODE(flags, mode);
	return failing_here("openat") ? -1 : __real_openat(fd, path, flags, mode);
}

int
__wrap_open(const char *path, int flags, ...)
{
	mode_t mode;

	TAKE_MODE(flags, mode);
	return failing_here("open") ? -1 : __real_openat(AT_FDCWD, path, flags, mode);
}

int
__wrap_asprintf(char **text, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = failing_here("asprintf") ? -1 : vasprintf(text, fmt, args);
	va_end(args);
	return n;
}

int
__wrap___asprintf_chk(char **text, int flag, const char *fmt, ...)
{
	va_list args;
	int n;

	(void)flag;
	va_start(args, fmt);
	n = failing_here("asprintf") ? -1 : vasprintf(text, fmt, args);
	va_end(args);
	return n;
}

/* --- json-c, libyaml -------------------------------------------------------------------------- */

CALL(json_object *, json_object_new_object, NULL, (void));
CALL(json_object *, json_object_new_array, NULL, (void));
CALL(json_object *, json_object_new_boolean, NULL, (json_bool value), value);
CALL(json_object *, json_object_new_int64, NULL, (int64_t value), value);
CALL(json_object *, json_object_new_uint64, NULL, (uint64_t value), value);
CALL(json_object *, json_object_new_double_s, NULL, (double value, const char *text), value, text);
CALL(json_object *, json_object_new_string_len, NULL, (const char *text, int n), text, n);
CALL(int, json_object_object_add_ex, -1, (json_object * object, const char *name, json_object *value, unsigned flags),
    object, name, value, flags);
CALL(int, json_object_array_add, -1, (json_object * array, json_object *value), array, value);
CALL(int, yaml_parser_initialize, 0, (yaml_parser_t * parser), parser);

int __real_yaml_parser_parse(yaml_parser_t *parser, yaml_event_t *event);
int __wrap_yaml_parser_parse(yaml_parser_t *parser, yaml_event_t *event);

int
__wrap_yaml_parser_parse(yaml_parser_t *parser, yaml_event_t *event)
{
	if (!failing_here("yaml_parser_parse"))
		return __real_yaml_parser_parse(parser, event);
	parser->error = YAML_MEMORY_ERROR;
	return 0;
}

/* --- OpenSSL ---------------------------------------------------------------------------------- */

CALL(int, OPENSSL_init_crypto, 0, (uint64_t what, const OPENSSL_INIT_SETTINGS *how), what, how);
CALL(OSSL_LIB_CTX *, OSSL_LIB_CTX_get0_global_default, NULL, (void));
CALL(int, RAND_bytes_ex, 0, (OSSL_LIB_CTX * c, unsigned char *p, size_t n, unsigned s), c, p, n, s);
SIZED(int, EVP_Q_digest, 0,
    (OSSL_LIB_CTX * c, const char *name, const char *query, const void *p, size_t n, unsigned char *sum, size_t *size),
    c, name, query, p, n, sum, size);
CALL(EVP_MAC *, EVP_MAC_fetch, NULL, (OSSL_LIB_CTX * c, const char *name, const char *query), c, name, query);
CALL(EVP_MAC_CTX *, EVP_MAC_CTX_new, NULL, (EVP_MAC * mac), mac);
CALL(int, EVP_MAC_init, 0, (EVP_MAC_CTX * mac, const unsigned char *key, size_t n, const OSSL_PARAM *params), mac, key,
    n, params);
CALL(EVP_MAC_CTX *, EVP_MAC_CTX_dup, NULL, (const EVP_MAC_CTX *mac), mac);
CALL(int, EVP_MAC_update, 0, (EVP_MAC_CTX * mac, const unsigned char *p, size_t n), mac, p, n);
SIZED(int, EVP_MAC_final, 0, (EVP_MAC_CTX * mac, unsigned char *out, size_t *size, size_t room), mac, out, size, room);
CALL(EVP_MD *, EVP_MD_fetch, NULL, (OSSL_LIB_CTX * c, const char *name, const char *query), c, name, query);
CALL(int, EVP_DigestInit_ex2, 0, (EVP_MD_CTX * md, const EVP_MD *type, const OSSL_PARAM *params), md, type, params);
CALL(int, EVP_DigestUpdate, 0, (EVP_MD_CTX * md, const void *p, size_t n), md, p, n);
SIZED(int, EVP_DigestFinal_ex, 0, (EVP_MD_CTX * md, unsigned char *sum, unsigned *size), md, sum, size);
CALL(int, EVP_MD_CTX_copy_ex, 0, (EVP_MD_CTX * to, const EVP_MD_CTX *from), to, from);
CALL(EVP_MD_CTX *, EVP_MD_CTX_new, NULL, (void));
CALL(int, EVP_DigestSignInit_ex, 0,
    (EVP_MD_CTX * md, EVP_PKEY_CTX **ctx, const char *digest, OSSL_LIB_CTX *c, const char *query, EVP_PKEY *pkey,
	const OSSL_PARAM *params),
    md, ctx, digest, c, query, pkey, params);
CALL(int, EVP_DigestSign, 0, (EVP_MD_CTX * md, unsigned char *out, size_t *size, const unsigned char *p, size_t n), md,
    out, size, p, n);
CALL(int, EVP_DigestVerifyInit_ex, 0,
    (EVP_MD_CTX * md, EVP_PKEY_CTX **ctx, const char *digest, OSSL_LIB_CTX *c, const char *query, EVP_PKEY *pkey,
	const OSSL_PARAM *params),
    md, ctx, digest, c, query, pkey, params);
CALL(int, EVP_DigestVerify, -1,
    (EVP_MD_CTX * md, const unsigned char *sig, size_t nsig, const unsigned char *p, size_t n), md, sig, nsig, p, n);
CALL(int, EVP_PKEY_CTX_set_rsa_padding, -2, (EVP_PKEY_CTX * ctx, int mode), ctx, mode);
CALL(int, EVP_PKEY_CTX_set_rsa_pss_saltlen, -2, (EVP_PKEY_CTX * ctx, int n), ctx, n);
CALL(int, EVP_PKEY_CTX_set_rsa_mgf1_md_name, -2, (EVP_PKEY_CTX * ctx, const char *name, const char *query), ctx, name,
    query);
CALL(ECDSA_SIG *, ECDSA_SIG_new, NULL, (void));
CALL(int, ECDSA_SIG_set0, 0, (ECDSA_SIG * sig, BIGNUM *r, BIGNUM *s), sig, r, s);
CALL(ECDSA_SIG *, d2i_ECDSA_SIG, NULL, (ECDSA_SIG * *sig, const unsigned char **p, long n), sig, p, n);
CALL(int, i2d_ECDSA_SIG, -1, (const ECDSA_SIG *sig, unsigned char **p), sig, p);
CALL(BIGNUM *, BN_bin2bn, NULL, (const unsigned char *p, int n, BIGNUM *to), p, n, to);
CALL(int, BN_bn2binpad, -1, (const BIGNUM *n, unsigned char *to, int size), n, to, size);
CALL(OSSL_PARAM_BLD *, OSSL_PARAM_BLD_new, NULL, (void));
CALL(OSSL_PARAM *, OSSL_PARAM_BLD_to_param, NULL, (OSSL_PARAM_BLD * build), build);
CALL(int, OSSL_PARAM_BLD_push_BN, 0, (OSSL_PARAM_BLD * build, const char *name, const BIGNUM *n), build, name, n);
CALL(int, OSSL_PARAM_BLD_push_utf8_string, 0, (OSSL_PARAM_BLD * build, const char *name, const char *p, size_t n),
    build, name, p, n);
CALL(int, OSSL_PARAM_BLD_push_octet_string, 0, (OSSL_PARAM_BLD * build, const char *name, const void *p, size_t n),
    build, name, p, n);
CALL(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_name, NULL, (OSSL_LIB_CTX * c, const char *name, const char *query), c, name,
    query);
CALL(int, EVP_PKEY_fromdata_init, 0, (EVP_PKEY_CTX * ctx), ctx);
CALL(int, EVP_PKEY_fromdata, 0, (EVP_PKEY_CTX * ctx, EVP_PKEY **pkey, int selection, OSSL_PARAM *params), ctx, pkey,
    selection, params);
CALL(EVP_PKEY *, EVP_PKEY_new_raw_public_key_ex, NULL,
    (OSSL_LIB_CTX * c, const char *name, const char *query, const unsigned char *p, size_t n), c, name, query, p, n);
CALL(int, EVP_PKEY_get_bn_param, 0, (const EVP_PKEY *pkey, const char *name, BIGNUM **n), pkey, name, n);
SIZED(int, EVP_PKEY_get_octet_string_param, 0,
    (const EVP_PKEY *pkey, const char *name, unsigned char *p, size_t room, size_t *size), pkey, name, p, room, size);
SIZED(int, EVP_PKEY_get_raw_public_key, 0, (const EVP_PKEY *pkey, unsigned char *p, size_t *size), pkey, p, size);
CALL(int, EVP_PKEY_get_group_name, 0, (const EVP_PKEY *pkey, char *name, size_t room, size_t *size), pkey, name, room,
    size);
CALL(BIO *, BIO_new_mem_buf, NULL, (const void *p, int n), p, n);
CALL(long, BIO_ctrl, 0, (BIO * bio, int what, long n, void *p), bio, what, n, p);
CALL(BIO *, BIO_new, NULL, (const BIO_METHOD *method), method);
CALL(PKCS8_PRIV_KEY_INFO *, PEM_read_bio_PKCS8_PRIV_KEY_INFO, NULL,
    (BIO * bio, PKCS8_PRIV_KEY_INFO **to, pem_password_cb *ask, void *context), bio, to, ask, context);
CALL(EVP_PKEY *, EVP_PKCS82PKEY_ex, NULL, (const PKCS8_PRIV_KEY_INFO *pkcs8, OSSL_LIB_CTX *c, const char *query), pkcs8,
    c, query);
CALL(int, PEM_write_bio_PKCS8PrivateKey, 0,
    (BIO * bio, const EVP_PKEY *pkey, const EVP_CIPHER *cipher, const char *phrase, int n, pem_password_cb *ask,
	void *context),
    bio, pkey, cipher, phrase, n, ask, context);

EVP_PKEY *__real_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *c, const char *query, const char *type, ...);
EVP_PKEY *__wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *c, const char *query, const char *type, ...);

EVP_PKEY *
__wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *c, const char *query, const char *type, ...)
{
	EVP_PKEY *made = NULL;
	va_list args;

	va_start(args, type);
	if (failing_here("EVP_PKEY_Q_keygen"))
		made = NULL;
	else if (strcmp(type, "RSA") == 0)
		made = __real_EVP_PKEY_Q_keygen(c, query, type, va_arg(args, size_t));
	else if (strcmp(type, "EC") == 0)
		made = __real_EVP_PKEY_Q_keygen(c, query, type, va_arg(args, char *));
	else
		made = __real_EVP_PKEY_Q_keygen(c, query, type);
	va_end(args);
	return made;
}
