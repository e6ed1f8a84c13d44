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
#define CALL(kind, type, name, failure, parameters, arguments)                       \
	WRAP(type, name, parameters)                                                 \
	{                                                                            \
		return fault_due(kind, #name) ? (failure) : __real_##name arguments; \
	}                                                                            \
	struct name##_needs_a_semicolon

/* One that changes files. */
#define WRITES(kind, name, parameters, arguments) \
	WRAP(int, name, parameters)               \
	{                                         \
		if (fault_due(kind, #name))       \
			return -1;                \
		write_begins();                   \
		return __real_##name arguments;   \
	}                                         \
	struct name##_needs_a_semicolon

/* One that fills memory: it may fail, or write a byte too little, which we do not believe either. */
#define SIZED(name, parameters, arguments)                     \
	WRAP(int, name, parameters)                            \
	{                                                      \
		int good;                                      \
                                                               \
		if (fault_due(FAULT_CRYPTO, #name))            \
			return 0;                              \
		good = __real_##name arguments;                \
		if (fault_due(FAULT_CRYPTO, "a short " #name)) \
			--*size;                               \
		return good;                                   \
	}                                                      \
	struct name##_needs_a_semicolon

/* Those of calls.def. */
#define LOOKS(kind, number, type, failure, name, parameters, arguments) \
	CALL(kind, type, name, failure, parameters, arguments)
#define CHANGES(kind, number, name, parameters, arguments) WRITES(kind, name, parameters, arguments)
#define MAKES(type, name, parameters, arguments) CALL(FAULT_CRYPTO, type, name, NULL, parameters, arguments)
#define CRYPTO(failure, name, parameters, arguments) CALL(FAULT_CRYPTO, int, name, failure, parameters, arguments)
#define BELOW(name, parameters, arguments) CRYPTO(-1, name, parameters, arguments)
#include "calls.def"

/* --- memory ----------------------------------------------------------------------------------- */

CALL(FAULT_MEMORY, void *, malloc, NULL, (size_t n), (n));
CALL(FAULT_MEMORY, void *, calloc, NULL, (size_t n, size_t size), (n, size));
CALL(FAULT_MEMORY, void *, reallocarray, NULL, (void *p, size_t n, size_t size), (p, n, size));
CALL(FAULT_MEMORY, char *, strdup, NULL, (const char *s), (s));
CALL(FAULT_MEMORY, char *, strndup, NULL, (const char *s, size_t n), (s, n));
CALL(FAULT_MEMORY, char *, getcwd, NULL, (char *to, size_t n), (to, n));
CALL(FAULT_MEMORY, int, vasprintf, -1, (char **to, const char *fmt, va_list args), (to, fmt, args));

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

CALL(FAULT_LOOK, int, stat, -1, (const char *path, struct stat *to), (path, to));
CALL(FAULT_LOOK, off_t, lseek, -1, (int fd, off_t by, int from), (fd, by, from));
CALL(FAULT_LOOK, int, flock, -1, (int fd, int how), (fd, how));
CALL(FAULT_LOOK, struct dirent *, readdir, NULL, (DIR * stream), (stream));
CALL(FAULT_LOOK, int, pthread_sigmask, EINVAL, (int how, const sigset_t *set, sigset_t *old), (how, set, old));
WRITES(FAULT_WRITE, ftruncate, (int fd, off_t n), (fd, n));
WRITES(FAULT_WRITE, fallocate, (int fd, int mode, off_t at, off_t n), (fd, mode, at, n));
WRITES(FAULT_NAME, futimens, (int fd, const struct timespec times[2]), (fd, times));

/* --- json-c, libyaml -------------------------------------------------------------------------- */

CALL(FAULT_PARSE, json_object *, json_object_new_object, NULL, (void), ());
CALL(FAULT_PARSE, json_object *, json_object_new_array, NULL, (void), ());
CALL(FAULT_PARSE, json_object *, json_object_new_boolean, NULL, (json_bool value), (value));
CALL(FAULT_PARSE, json_object *, json_object_new_int64, NULL, (int64_t value), (value));
CALL(FAULT_PARSE, json_object *, json_object_new_uint64, NULL, (uint64_t value), (value));
CALL(FAULT_PARSE, json_object *, json_object_new_double_s, NULL, (double value, const char *text), (value, text));
CALL(FAULT_PARSE, json_object *, json_object_new_string_len, NULL, (const char *text, int n), (text, n));
CALL(FAULT_PARSE, int, json_object_object_add_ex, -1,
    (json_object * object, const char *name, json_object *value, unsigned flags), (object, name, value, flags));
CALL(FAULT_PARSE, int, json_object_array_add, -1, (json_object * array, json_object *value), (array, value));
CALL(FAULT_PARSE, int, yaml_parser_initialize, 0, (yaml_parser_t * parser), (parser));

WRAP(int, yaml_parser_parse, (yaml_parser_t * parser, yaml_event_t *event))
{
	if (!fault_due(FAULT_PARSE, "yaml_parser_parse"))
		return __real_yaml_parser_parse(parser, event);
	parser->error = YAML_MEMORY_ERROR;
	return 0;
}

/* --- OpenSSL ---------------------------------------------------------------------------------- */

CRYPTO(0, OPENSSL_init_crypto, (uint64_t what, const OPENSSL_INIT_SETTINGS *how), (what, how));
SIZED(EVP_Q_digest,
    (OSSL_LIB_CTX * c, const char *name, const char *query, const void *p, size_t n, unsigned char *sum, size_t *size),
    (c, name, query, p, n, sum, size));
CALL(FAULT_CRYPTO, long, BIO_ctrl, 0, (BIO * bio, int what, long n, void *p), (bio, what, n, p));
CRYPTO(0, PEM_write_bio_PKCS8PrivateKey,
    (BIO * bio, const EVP_PKEY *pkey, const EVP_CIPHER *cipher, const char *phrase, int n, pem_password_cb *ask,
	void *context),
    (bio, pkey, cipher, phrase, n, ask, context));

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
