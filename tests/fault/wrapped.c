/* SPDX-License-Identifier: MIT */
#include "wrapped.h"

#include <dirent.h>
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
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

bool (*wrapped_plan)(enum fault_kind kind, const char *name);
bool wrapped_wrote;
int (*wrapped_open)(const char *name);

bool
fault_due(enum fault_kind kind, const char *name)
{
	return wrapped_plan != NULL && wrapped_plan(kind, name);
}

static void
write_begins(void)
{
	wrapped_wrote = wrapped_wrote || wrapped_plan != NULL;
}

/* One that fails by what it returns, and leaves everything else as it was. */
#define CALL(kind, type, name, failure, parameters, ...)                                \
	WRAP(type, name, parameters)                                                    \
	{                                                                               \
		return fault_due(kind, #name) ? (failure) : __real_##name(__VA_ARGS__); \
	}                                                                               \
	struct name##_needs_a_semicolon

/* One that changes files. */
#define WRITES(kind, name, parameters, ...)        \
	WRAP(int, name, parameters)                \
	{                                          \
		if (fault_due(kind, #name))        \
			return -1;                 \
		write_begins();                    \
		return __real_##name(__VA_ARGS__); \
	}                                          \
	struct name##_needs_a_semicolon

/* One that fills memory: it may fail, or write a byte too little, which we do not believe either. */
#define SIZED(type, name, failure, parameters, ...)            \
	WRAP(type, name, parameters)                           \
	{                                                      \
		type good;                                     \
                                                               \
		if (fault_due(FAULT_CRYPTO, #name))            \
			return failure;                        \
		good = __real_##name(__VA_ARGS__);             \
		if (fault_due(FAULT_CRYPTO, "a short " #name)) \
			--*size;                               \
		return good;                                   \
	}                                                      \
	struct name##_needs_a_semicolon

/* --- memory ----------------------------------------------------------------------------------- */

CALL(FAULT_MEMORY, void *, malloc, NULL, (size_t n), n);
CALL(FAULT_MEMORY, void *, calloc, NULL, (size_t n, size_t size), n, size);
CALL(FAULT_MEMORY, void *, reallocarray, NULL, (void *p, size_t n, size_t size), p, n, size);
CALL(FAULT_MEMORY, char *, strdup, NULL, (const char *s), s);
CALL(FAULT_MEMORY, char *, strndup, NULL, (const char *s, size_t n), s, n);
CALL(FAULT_MEMORY, DIR *, fdopendir, NULL, (int fd), fd);
CALL(FAULT_MEMORY, char *, getcwd, NULL, (char *to, size_t n), to, n);
CALL(FAULT_MEMORY, int, vasprintf, -1, (char **to, const char *fmt, va_list args), to, fmt, args);

WRAP(int, asprintf, (char **to, const char *fmt, ...))
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = fault_due(FAULT_MEMORY, "asprintf") ? -1 : __real_vasprintf(to, fmt, args);
	va_end(args);
	return n;
}

/* What these are called with _FORTIFY_SOURCE. */
int __wrap___vasprintf_chk(char **to, int flag, const char *fmt, va_list args);
int __wrap___asprintf_chk(char **to, int flag, const char *fmt, ...);

int
__wrap___vasprintf_chk(char **to, int flag, const char *fmt, va_list args)
{
	(void)flag;
	return __wrap_vasprintf(to, fmt, args);
}

int
__wrap___asprintf_chk(char **to, int flag, const char *fmt, ...)
{
	va_list args;
	int n;

	(void)flag;
	va_start(args, fmt);
	n = fault_due(FAULT_MEMORY, "asprintf") ? -1 : __real_vasprintf(to, fmt, args);
	va_end(args);
	return n;
}

/* --- files ------------------------------------------------------------------------------------ */

/* ENOSPC: half of it is done, as a full disk does, or a file that another cuts off. */
WRAP(ssize_t, read, (int fd, void *to, size_t n))
{
	if (!fault_due(FAULT_READ, "read"))
		return __real_read(fd, to, n);
	return errno == ENOSPC ? __real_read(fd, to, n / 2) : -1;
}

WRAP(ssize_t, write, (int fd, const void *p, size_t n))
{
	if (fault_due(FAULT_WRITE, "write")) {
		if (errno != ENOSPC)
			return -1;
		n /= 2;
	}
	write_begins();
	return __real_write(fd, p, n);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...);

/* A file that is made has a mode. */
#define TAKE_MODE(flags, mode)                                            \
	do {                                                              \
		va_list args;                                             \
		va_start(args, flags);                                    \
		mode = ((flags)&O_CREAT) != 0 ? va_arg(args, mode_t) : 0; \
		va_end(args);                                             \
	} while (0)

/* What comes before either: what to return, or WRAPPED_REAL. */
static int
begin_open(const char *call, const char *name, int flags)
{
	if (fault_due(FAULT_OPEN, call))
		return -1;
	if ((flags & O_CREAT) != 0)
		write_begins();
	return wrapped_plan != NULL && wrapped_open != NULL ? wrapped_open(name) : WRAPPED_REAL;
}

int
__wrap_open(const char *path, int flags, ...)
{
	mode_t mode;
	int fd = begin_open("open", path, flags);

	TAKE_MODE(flags, mode);
	return fd == WRAPPED_REAL ? __real_open(path, flags, mode) : fd;
}

int
__wrap_openat(int dir, const char *name, int flags, ...)
{
	mode_t mode;
	int fd = begin_open("openat", name, flags);

	TAKE_MODE(flags, mode);
	return fd == WRAPPED_REAL ? __real_openat(dir, name, flags, mode) : fd;
}

/* With _FORTIFY_SOURCE, without a mode. */
int __wrap___open_2(const char *path, int flags);
int __wrap___openat_2(int dir, const char *name, int flags);

int
__wrap___open_2(const char *path, int flags)
{
	return __wrap_open(path, flags);
}

int
__wrap___openat_2(int dir, const char *name, int flags)
{
	return __wrap_openat(dir, name, flags);
}

CALL(FAULT_READ, ssize_t, pread, -1, (int fd, void *to, size_t n, off_t at), fd, to, n, at);
CALL(FAULT_WRITE, ssize_t, pwrite, -1, (int fd, const void *p, size_t n, off_t at), fd, p, n, at);
CALL(FAULT_LOOK, int, fstat, -1, (int fd, struct stat *to), fd, to);
CALL(FAULT_LOOK, int, stat, -1, (const char *path, struct stat *to), path, to);
CALL(FAULT_LOOK, int, fstatat, -1, (int dir, const char *name, struct stat *to, int flags), dir, name, to, flags);
CALL(FAULT_LOOK, off_t, lseek, -1, (int fd, off_t by, int from), fd, by, from);
CALL(FAULT_LOOK, int, flock, -1, (int fd, int how), fd, how);
CALL(FAULT_LOOK, struct dirent *, readdir, NULL, (DIR * stream), stream);
CALL(FAULT_LOOK, int, pthread_sigmask, EINVAL, (int how, const sigset_t *set, sigset_t *old), how, set, old);
CALL(FAULT_SYNC, int, fsync, -1, (int fd), fd);
WRITES(FAULT_WRITE, ftruncate, (int fd, off_t n), fd, n);
WRITES(FAULT_WRITE, fallocate, (int fd, int mode, off_t at, off_t n), fd, mode, at, n);
WRITES(FAULT_NAME, fchmod, (int fd, mode_t mode), fd, mode);
WRITES(FAULT_NAME, fchmodat, (int dir, const char *name, mode_t mode, int flags), dir, name, mode, flags);
WRITES(FAULT_NAME, futimens, (int fd, const struct timespec times[2]), fd, times);
WRITES(FAULT_NAME, unlinkat, (int dir, const char *name, int flags), dir, name, flags);
WRITES(FAULT_NAME, renameat, (int from, const char *old, int to, const char *name), from, old, to, name);
WRITES(FAULT_NAME, mkdirat, (int dir, const char *name, mode_t mode), dir, name, mode);

/* --- json-c, libyaml -------------------------------------------------------------------------- */

CALL(FAULT_PARSE, json_object *, json_object_new_object, NULL, (void));
CALL(FAULT_PARSE, json_object *, json_object_new_array, NULL, (void));
CALL(FAULT_PARSE, json_object *, json_object_new_boolean, NULL, (json_bool value), value);
CALL(FAULT_PARSE, json_object *, json_object_new_int64, NULL, (int64_t value), value);
CALL(FAULT_PARSE, json_object *, json_object_new_uint64, NULL, (uint64_t value), value);
CALL(FAULT_PARSE, json_object *, json_object_new_double_s, NULL, (double value, const char *text), value, text);
CALL(FAULT_PARSE, json_object *, json_object_new_string_len, NULL, (const char *text, int n), text, n);
CALL(FAULT_PARSE, int, json_object_object_add_ex, -1,
    (json_object * object, const char *name, json_object *value, unsigned flags), object, name, value, flags);
CALL(FAULT_PARSE, int, json_object_array_add, -1, (json_object * array, json_object *value), array, value);
CALL(FAULT_PARSE, int, yaml_parser_initialize, 0, (yaml_parser_t * parser), parser);

WRAP(int, yaml_parser_parse, (yaml_parser_t * parser, yaml_event_t *event))
{
	if (!fault_due(FAULT_PARSE, "yaml_parser_parse"))
		return __real_yaml_parser_parse(parser, event);
	parser->error = YAML_MEMORY_ERROR;
	return 0;
}

/* --- OpenSSL ---------------------------------------------------------------------------------- */

CALL(FAULT_CRYPTO, int, OPENSSL_init_crypto, 0, (uint64_t what, const OPENSSL_INIT_SETTINGS *how), what, how);
CALL(FAULT_CRYPTO, OSSL_LIB_CTX *, OSSL_LIB_CTX_get0_global_default, NULL, (void));
CALL(FAULT_CRYPTO, int, RAND_bytes_ex, 0, (OSSL_LIB_CTX * c, unsigned char *p, size_t n, unsigned s), c, p, n, s);
SIZED(int, EVP_Q_digest, 0,
    (OSSL_LIB_CTX * c, const char *name, const char *query, const void *p, size_t n, unsigned char *sum, size_t *size),
    c, name, query, p, n, sum, size);
CALL(FAULT_CRYPTO, EVP_MAC *, EVP_MAC_fetch, NULL, (OSSL_LIB_CTX * c, const char *name, const char *query), c, name,
    query);
CALL(FAULT_CRYPTO, EVP_MAC_CTX *, EVP_MAC_CTX_new, NULL, (EVP_MAC * mac), mac);
CALL(FAULT_CRYPTO, int, EVP_MAC_init, 0,
    (EVP_MAC_CTX * mac, const unsigned char *key, size_t n, const OSSL_PARAM *params), mac, key, n, params);
CALL(FAULT_CRYPTO, EVP_MAC_CTX *, EVP_MAC_CTX_dup, NULL, (const EVP_MAC_CTX *mac), mac);
CALL(FAULT_CRYPTO, int, EVP_MAC_update, 0, (EVP_MAC_CTX * mac, const unsigned char *p, size_t n), mac, p, n);
SIZED(int, EVP_MAC_final, 0, (EVP_MAC_CTX * mac, unsigned char *out, size_t *size, size_t room), mac, out, size, room);
CALL(FAULT_CRYPTO, EVP_MD *, EVP_MD_fetch, NULL, (OSSL_LIB_CTX * c, const char *name, const char *query), c, name,
    query);
CALL(FAULT_CRYPTO, int, EVP_DigestInit_ex2, 0, (EVP_MD_CTX * md, const EVP_MD *type, const OSSL_PARAM *params), md,
    type, params);
CALL(FAULT_CRYPTO, int, EVP_DigestUpdate, 0, (EVP_MD_CTX * md, const void *p, size_t n), md, p, n);
SIZED(int, EVP_DigestFinal_ex, 0, (EVP_MD_CTX * md, unsigned char *sum, unsigned *size), md, sum, size);
CALL(FAULT_CRYPTO, int, EVP_MD_CTX_copy_ex, 0, (EVP_MD_CTX * to, const EVP_MD_CTX *from), to, from);
CALL(FAULT_CRYPTO, EVP_MD_CTX *, EVP_MD_CTX_new, NULL, (void));
CALL(FAULT_CRYPTO, int, EVP_DigestSignInit_ex, 0,
    (EVP_MD_CTX * md, EVP_PKEY_CTX **ctx, const char *digest, OSSL_LIB_CTX *c, const char *query, EVP_PKEY *pkey,
	const OSSL_PARAM *params),
    md, ctx, digest, c, query, pkey, params);
CALL(FAULT_CRYPTO, int, EVP_DigestSign, 0,
    (EVP_MD_CTX * md, unsigned char *out, size_t *size, const unsigned char *p, size_t n), md, out, size, p, n);
CALL(FAULT_CRYPTO, int, EVP_DigestVerifyInit_ex, 0,
    (EVP_MD_CTX * md, EVP_PKEY_CTX **ctx, const char *digest, OSSL_LIB_CTX *c, const char *query, EVP_PKEY *pkey,
	const OSSL_PARAM *params),
    md, ctx, digest, c, query, pkey, params);
/* -1 and -2 are what it says when something went wrong inside. */
CALL(FAULT_CRYPTO, int, EVP_DigestVerify, errno == EIO ? 0 : (errno == ENOSPC ? -2 : -1),
    (EVP_MD_CTX * md, const unsigned char *sig, size_t nsig, const unsigned char *p, size_t n), md, sig, nsig, p, n);
CALL(FAULT_CRYPTO, int, EVP_PKEY_CTX_set_rsa_padding, -2, (EVP_PKEY_CTX * ctx, int mode), ctx, mode);
CALL(FAULT_CRYPTO, int, EVP_PKEY_CTX_set_rsa_pss_saltlen, -2, (EVP_PKEY_CTX * ctx, int n), ctx, n);
CALL(FAULT_CRYPTO, int, EVP_PKEY_CTX_set_rsa_mgf1_md_name, -2,
    (EVP_PKEY_CTX * ctx, const char *name, const char *query), ctx, name, query);
CALL(FAULT_CRYPTO, int, EVP_PKEY_eq, -1, (const EVP_PKEY *a, const EVP_PKEY *b), a, b);
CALL(FAULT_CRYPTO, ECDSA_SIG *, ECDSA_SIG_new, NULL, (void));
CALL(FAULT_CRYPTO, int, ECDSA_SIG_set0, 0, (ECDSA_SIG * sig, BIGNUM *r, BIGNUM *s), sig, r, s);
CALL(FAULT_CRYPTO, ECDSA_SIG *, d2i_ECDSA_SIG, NULL, (ECDSA_SIG * *sig, const unsigned char **p, long n), sig, p, n);
CALL(FAULT_CRYPTO, int, i2d_ECDSA_SIG, -1, (const ECDSA_SIG *sig, unsigned char **p), sig, p);
CALL(FAULT_CRYPTO, BIGNUM *, BN_bin2bn, NULL, (const unsigned char *p, int n, BIGNUM *to), p, n, to);
CALL(FAULT_CRYPTO, int, BN_bn2binpad, -1, (const BIGNUM *n, unsigned char *to, int size), n, to, size);
CALL(FAULT_CRYPTO, OSSL_PARAM_BLD *, OSSL_PARAM_BLD_new, NULL, (void));
CALL(FAULT_CRYPTO, OSSL_PARAM *, OSSL_PARAM_BLD_to_param, NULL, (OSSL_PARAM_BLD * build), build);
CALL(FAULT_CRYPTO, int, OSSL_PARAM_BLD_push_BN, 0, (OSSL_PARAM_BLD * build, const char *name, const BIGNUM *n), build,
    name, n);
CALL(FAULT_CRYPTO, int, OSSL_PARAM_BLD_push_utf8_string, 0,
    (OSSL_PARAM_BLD * build, const char *name, const char *p, size_t n), build, name, p, n);
CALL(FAULT_CRYPTO, int, OSSL_PARAM_BLD_push_octet_string, 0,
    (OSSL_PARAM_BLD * build, const char *name, const void *p, size_t n), build, name, p, n);
CALL(FAULT_CRYPTO, EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_name, NULL,
    (OSSL_LIB_CTX * c, const char *name, const char *query), c, name, query);
CALL(FAULT_CRYPTO, int, EVP_PKEY_fromdata_init, -2, (EVP_PKEY_CTX * ctx), ctx);
CALL(FAULT_CRYPTO, int, EVP_PKEY_fromdata, 0, (EVP_PKEY_CTX * ctx, EVP_PKEY **pkey, int selection, OSSL_PARAM *params),
    ctx, pkey, selection, params);
CALL(FAULT_CRYPTO, EVP_PKEY *, EVP_PKEY_new_raw_public_key_ex, NULL,
    (OSSL_LIB_CTX * c, const char *name, const char *query, const unsigned char *p, size_t n), c, name, query, p, n);
CALL(FAULT_CRYPTO, int, EVP_PKEY_get_bn_param, 0, (const EVP_PKEY *pkey, const char *name, BIGNUM **n), pkey, name, n);
SIZED(int, EVP_PKEY_get_octet_string_param, 0,
    (const EVP_PKEY *pkey, const char *name, unsigned char *p, size_t room, size_t *size), pkey, name, p, room, size);
SIZED(int, EVP_PKEY_get_raw_public_key, 0, (const EVP_PKEY *pkey, unsigned char *p, size_t *size), pkey, p, size);
CALL(FAULT_CRYPTO, int, EVP_PKEY_get_group_name, 0, (const EVP_PKEY *pkey, char *name, size_t room, size_t *size), pkey,
    name, room, size);
CALL(FAULT_CRYPTO, BIO *, BIO_new_mem_buf, NULL, (const void *p, int n), p, n);
CALL(FAULT_CRYPTO, long, BIO_ctrl, 0, (BIO * bio, int what, long n, void *p), bio, what, n, p);
CALL(FAULT_CRYPTO, BIO *, BIO_new, NULL, (const BIO_METHOD *method), method);
CALL(FAULT_CRYPTO, PKCS8_PRIV_KEY_INFO *, PEM_read_bio_PKCS8_PRIV_KEY_INFO, NULL,
    (BIO * bio, PKCS8_PRIV_KEY_INFO **to, pem_password_cb *ask, void *context), bio, to, ask, context);
CALL(FAULT_CRYPTO, EVP_PKEY *, EVP_PKCS82PKEY_ex, NULL,
    (const PKCS8_PRIV_KEY_INFO *pkcs8, OSSL_LIB_CTX *c, const char *query), pkcs8, c, query);
CALL(FAULT_CRYPTO, int, PEM_write_bio_PKCS8PrivateKey, 0,
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
	if (fault_due(FAULT_CRYPTO, "EVP_PKEY_Q_keygen"))
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
