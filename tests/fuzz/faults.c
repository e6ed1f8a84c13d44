/* SPDX-License-Identifier: MIT */
#include "faults.h"

#include <json-c/json.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <yaml.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PLANS 3

struct fault_plan {
	unsigned kind, nth; /* the nth call of this kind, from 1 */
	bool stays;	    /* and all after it */
	int error;
};

static bool armed, wrote;
static struct fault_plan plans[PLANS];
static size_t nplans;
static unsigned calls[FAULT_KINDS], hits[FAULT_KINDS];
static int64_t pause_s; /* by which the monotonic clock went on */

struct rjwt_time faults_clock;
const char *faults_host = "Host.example";
const char *faults_machine = "00112233445566778899aabbccddeeff\n";

void
faults_now(void *context, struct rjwt_time *now)
{
	(void)context;
	*now = faults_clock;
}

void
faults_arm(struct rest *rest)
{
	static const int errors[] = { EIO, ENOSPC, EACCES, EMFILE, EINTR, EROFS, ENOMEM, EWOULDBLOCK, ELOOP, ENXIO,
		EPERM, EOPNOTSUPP };

	memset(calls, 0, sizeof(calls));
	memset(hits, 0, sizeof(hits));
	nplans = take_below(rest, PLANS + 1);
	for (size_t i = 0; i < nplans; i++) {
		unsigned how;

		plans[i].kind = take_below(rest, FAULT_KINDS);
		plans[i].nth = take_byte(rest) + 1;
		how = take_byte(rest);
		plans[i].stays = (how & 1) != 0;
		if ((how & 2) != 0)
			plans[i].nth += 256 * (how >> 6);
		plans[i].error = errors[(how >> 2) % (ARRAY_LEN(errors))];
	}
	armed = true;
}

unsigned
faults_disarm(void)
{
	armed = false;
	return hits[FAULT_ANY];
}

bool
faults_pause(void)
{
	bool before = armed;

	armed = false;
	return before;
}

void
faults_resume(bool before)
{
	armed = before;
}

bool
faults_wrote(void)
{
	bool did = wrote;

	wrote = false;
	return did;
}

static const struct fault_plan *
plan_due(enum fault_kind kind)
{
	for (size_t i = 0; i < nplans; i++) {
		const struct fault_plan *p = &plans[i];
		unsigned count = calls[p->kind];

		if (p->kind != FAULT_ANY && p->kind != kind)
			continue;
		/* What is interrupted for ever is tried again for ever. */
		if (count == p->nth || (p->stays && p->error != EINTR && count > p->nth))
			return p;
	}
	return NULL;
}

bool
fault_due(enum fault_kind kind)
{
	const struct fault_plan *p;

	if (!armed)
		return false;
	calls[FAULT_ANY]++;
	calls[kind]++;
	p = plan_due(kind);
	if (p == NULL)
		return false;
	hits[FAULT_ANY]++;
	hits[kind]++;
	errno = kind == FAULT_MEMORY ? ENOMEM : p->error;
	return true;
}

#define WRAP(type, name, parameters)   \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters
#define FAILS(kind, type, failed, name, parameters, arguments) \
	WRAP(type, name, parameters)                           \
	{                                                      \
		if (fault_due(kind))                           \
			return failed;                         \
		return __real_##name arguments;                \
	}
#define WRITES(kind, name, parameters, arguments) \
	WRAP(int, name, parameters)               \
	{                                         \
		if (fault_due(kind))              \
			return -1;                \
		wrote = wrote || armed;           \
		return __real_##name arguments;   \
	}

/* --- memory ----------------------------------------------------------------------------------- */

FAILS(FAULT_MEMORY, void *, NULL, malloc, (size_t n), (n))
FAILS(FAULT_MEMORY, void *, NULL, calloc, (size_t n, size_t size), (n, size))
FAILS(FAULT_MEMORY, void *, NULL, reallocarray, (void *p, size_t n, size_t size), (p, n, size))
FAILS(FAULT_MEMORY, char *, NULL, strdup, (const char *s), (s))
FAILS(FAULT_MEMORY, char *, NULL, strndup, (const char *s, size_t n), (s, n))
FAILS(FAULT_MEMORY, DIR *, NULL, fdopendir, (int fd), (fd))
FAILS(FAULT_MEMORY, char *, NULL, getcwd, (char *to, size_t n), (to, n))
FAILS(FAULT_MEMORY, int, -1, vasprintf, (char **to, const char *fmt, va_list args), (to, fmt, args))

WRAP(int, asprintf, (char **to, const char *fmt, ...))
{
	va_list args;
	int n;

	if (fault_due(FAULT_MEMORY))
		return -1;
	va_start(args, fmt);
	n = __real_vasprintf(to, fmt, args);
	va_end(args);
	return n;
}

/* What these are called with _FORTIFY_SOURCE. */
FAILS(FAULT_MEMORY, int, -1, __vasprintf_chk, (char **to, int flag, const char *fmt, va_list args),
    (to, flag, fmt, args))

WRAP(int, __asprintf_chk, (char **to, int flag, const char *fmt, ...))
{
	va_list args;
	int n;

	(void)flag;
	if (fault_due(FAULT_MEMORY))
		return -1;
	va_start(args, fmt);
	n = __real_vasprintf(to, fmt, args);
	va_end(args);
	return n;
}

/* --- files ------------------------------------------------------------------------------------ */

/* ENOSPC: half of it is done, as a full disk does, or a file that another cuts off. */
WRAP(ssize_t, read, (int fd, void *to, size_t n))
{
	if (fault_due(FAULT_READ)) {
		if (errno != ENOSPC)
			return -1;
		n /= 2;
	}
	return __real_read(fd, to, n);
}

WRAP(ssize_t, write, (int fd, const void *p, size_t n))
{
	if (fault_due(FAULT_WRITE)) {
		if (errno != ENOSPC)
			return -1;
		n /= 2;
	}
	wrote = wrote || armed;
	return __real_write(fd, p, n);
}

FAILS(FAULT_READ, ssize_t, -1, pread, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
FAILS(FAULT_WRITE, ssize_t, -1, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...);

/* A file that is made up, as a pipe. */
static int
open_text(const char *text)
{
	int ends[2];

	if (text == NULL) {
		errno = ENOENT;
		return -1;
	}
	if (pipe2(ends, O_CLOEXEC) != 0 || __real_write(ends[1], text, strlen(text)) < 0)
		fuzz_broken("no pipe");
	close(ends[1]);
	return ends[0];
}

int
__wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if ((flags & O_CREAT) != 0) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	if (fault_due(FAULT_OPEN))
		return -1;
	if (armed && strcmp(path, "/etc/machine-id") == 0)
		return open_text(faults_machine);
	if (armed && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0)
		return open_text(faults_clock.boot_id);
	return __real_open(path, flags, mode);
}

int
__wrap_openat(int dir, const char *name, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if ((flags & O_CREAT) != 0) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	if (fault_due(FAULT_OPEN))
		return -1;
	if (armed && strcmp(name, "rjwt") == 0) { /* of the host's /etc and /var/lib */
		errno = ENOENT;
		return -1;
	}
	wrote = wrote || (armed && (flags & O_CREAT) != 0);
	return __real_openat(dir, name, flags, mode);
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

FAILS(FAULT_LOOK, int, -1, fstat, (int fd, struct stat *to), (fd, to))
FAILS(FAULT_LOOK, int, -1, stat, (const char *path, struct stat *to), (path, to))
FAILS(FAULT_LOOK, int, -1, fstatat, (int dir, const char *name, struct stat *to, int flags), (dir, name, to, flags))
FAILS(FAULT_LOOK, off_t, -1, lseek, (int fd, off_t by, int from), (fd, by, from))
FAILS(FAULT_LOOK, int, -1, flock, (int fd, int how), (fd, how))
FAILS(FAULT_LOOK, struct dirent *, NULL, readdir, (DIR * stream), (stream))

WRAP(int, gethostname, (char *to, size_t n))
{
	if (fault_due(FAULT_LOOK))
		return -1;
	if (!armed)
		return __real_gethostname(to, n);
	snprintf(to, n, "%s", faults_host);
	return 0;
}

FAILS(FAULT_LOOK, int, EINVAL, pthread_sigmask, (int how, const sigset_t *set, sigset_t *old), (how, set, old))
FAILS(FAULT_SYNC, int, -1, fsync, (int fd), (fd))
WRITES(FAULT_WRITE, ftruncate, (int fd, off_t n), (fd, n))
WRITES(FAULT_WRITE, fallocate, (int fd, int mode, off_t at, off_t n), (fd, mode, at, n))
WRITES(FAULT_NAME, fchmod, (int fd, mode_t mode), (fd, mode))
WRITES(FAULT_NAME, fchmodat, (int dir, const char *name, mode_t mode, int flags), (dir, name, mode, flags))
WRITES(FAULT_NAME, futimens, (int fd, const struct timespec times[2]), (fd, times))
WRITES(FAULT_NAME, unlinkat, (int dir, const char *name, int flags), (dir, name, flags))
WRITES(FAULT_NAME, renameat, (int from, const char *old, int to, const char *name), (from, old, to, name))
WRITES(FAULT_NAME, mkdirat, (int dir, const char *name, mode_t mode), (dir, name, mode))

/* --- clocks ----------------------------------------------------------------------------------- */

WRAP(int, clock_gettime, (clockid_t id, struct timespec *to))
{
	if (!armed)
		return __real_clock_gettime(id, to);
	*to = (struct timespec){ .tv_sec = id == CLOCK_REALTIME	  ? faults_clock.wall_s
					   : id == CLOCK_BOOTTIME ? faults_clock.boot_s
								  : pause_s };
	return 0;
}

WRAP(time_t, time, (time_t * to))
{
	return armed && to == NULL ? (time_t)faults_clock.wall_s : __real_time(to);
}

WRAP(int, nanosleep, (const struct timespec *wanted, struct timespec *left))
{
	if (!armed)
		return __real_nanosleep(wanted, left);
	pause_s += 7; /* a lock is waited for by many short ones */
	return 0;
}

/* --- libraries -------------------------------------------------------------------------------- */

FAILS(FAULT_CRYPTO, int, 0, OPENSSL_init_crypto, (uint64_t what, const OPENSSL_INIT_SETTINGS *how), (what, how))
FAILS(FAULT_CRYPTO, OSSL_LIB_CTX *, NULL, OSSL_LIB_CTX_get0_global_default, (void), ())
FAILS(FAULT_CRYPTO, int, 0, EVP_Q_digest,
    (OSSL_LIB_CTX * lib, const char *name, const char *query, const void *p, size_t n, unsigned char *to, size_t *size),
    (lib, name, query, p, n, to, size))
FAILS(FAULT_CRYPTO, EVP_MAC *, NULL, EVP_MAC_fetch, (OSSL_LIB_CTX * lib, const char *name, const char *query),
    (lib, name, query))
FAILS(FAULT_CRYPTO, EVP_MAC_CTX *, NULL, EVP_MAC_CTX_new, (EVP_MAC * mac), (mac))
FAILS(FAULT_CRYPTO, EVP_MAC_CTX *, NULL, EVP_MAC_CTX_dup, (const EVP_MAC_CTX *ctx), (ctx))
FAILS(FAULT_CRYPTO, int, 0, EVP_MAC_init,
    (EVP_MAC_CTX * ctx, const unsigned char *key, size_t n, const OSSL_PARAM *params), (ctx, key, n, params))
FAILS(FAULT_CRYPTO, int, 0, EVP_MAC_update, (EVP_MAC_CTX * ctx, const unsigned char *p, size_t n), (ctx, p, n))
FAILS(FAULT_CRYPTO, int, 0, EVP_MAC_final, (EVP_MAC_CTX * ctx, unsigned char *to, size_t *n, size_t most),
    (ctx, to, n, most))
FAILS(FAULT_CRYPTO, int, 0, EVP_MD_CTX_copy_ex, (EVP_MD_CTX * to, const EVP_MD_CTX *from), (to, from))
FAILS(FAULT_CRYPTO, EVP_MD *, NULL, EVP_MD_fetch, (OSSL_LIB_CTX * lib, const char *name, const char *query),
    (lib, name, query))
FAILS(FAULT_CRYPTO, int, 0, EVP_DigestInit_ex2, (EVP_MD_CTX * ctx, const EVP_MD *md, const OSSL_PARAM *params),
    (ctx, md, params))
FAILS(FAULT_CRYPTO, int, 0, EVP_DigestUpdate, (EVP_MD_CTX * ctx, const void *p, size_t n), (ctx, p, n))
FAILS(FAULT_CRYPTO, int, 0, EVP_DigestFinal_ex, (EVP_MD_CTX * ctx, unsigned char *to, unsigned *n), (ctx, to, n))
FAILS(FAULT_CRYPTO, int, 0, RAND_bytes_ex, (OSSL_LIB_CTX * lib, unsigned char *to, size_t n, unsigned bits),
    (lib, to, n, bits))
FAILS(FAULT_CRYPTO, BIO *, NULL, BIO_new, (const BIO_METHOD *kind), (kind))
FAILS(FAULT_CRYPTO, BIO *, NULL, BIO_new_mem_buf, (const void *p, int n), (p, n))
FAILS(FAULT_CRYPTO, PKCS8_PRIV_KEY_INFO *, NULL, PEM_read_bio_PKCS8_PRIV_KEY_INFO,
    (BIO * bio, PKCS8_PRIV_KEY_INFO **to, pem_password_cb *ask, void *context), (bio, to, ask, context))
FAILS(FAULT_CRYPTO, int, 0, PEM_write_bio_PKCS8PrivateKey,
    (BIO * bio, const EVP_PKEY *key, const EVP_CIPHER *cipher, const char *pass, int n, pem_password_cb *ask,
	void *context),
    (bio, key, cipher, pass, n, ask, context))
FAILS(FAULT_CRYPTO, EVP_PKEY *, NULL, EVP_PKCS82PKEY_ex,
    (const PKCS8_PRIV_KEY_INFO *info, OSSL_LIB_CTX *lib, const char *query), (info, lib, query))
FAILS(FAULT_CRYPTO, EVP_PKEY_CTX *, NULL, EVP_PKEY_CTX_new_from_name,
    (OSSL_LIB_CTX * lib, const char *name, const char *query), (lib, name, query))
FAILS(FAULT_CRYPTO, int, -2, EVP_PKEY_fromdata_init, (EVP_PKEY_CTX * ctx), (ctx))
FAILS(FAULT_CRYPTO, int, 0, EVP_PKEY_fromdata, (EVP_PKEY_CTX * ctx, EVP_PKEY **to, int what, OSSL_PARAM *params),
    (ctx, to, what, params))
FAILS(FAULT_CRYPTO, int, 0, EVP_PKEY_get_bn_param, (const EVP_PKEY *key, const char *name, BIGNUM **to),
    (key, name, to))
FAILS(FAULT_CRYPTO, int, 0, EVP_PKEY_get_octet_string_param,
    (const EVP_PKEY *key, const char *name, unsigned char *to, size_t most, size_t *n), (key, name, to, most, n))
FAILS(FAULT_CRYPTO, int, 0, EVP_PKEY_get_raw_public_key, (const EVP_PKEY *key, unsigned char *to, size_t *n),
    (key, to, n))
FAILS(FAULT_CRYPTO, EVP_PKEY *, NULL, EVP_PKEY_new_raw_public_key_ex,
    (OSSL_LIB_CTX * lib, const char *type, const char *query, const unsigned char *p, size_t n),
    (lib, type, query, p, n))
FAILS(FAULT_CRYPTO, int, 0, EVP_PKEY_get_group_name, (const EVP_PKEY *key, char *to, size_t most, size_t *n),
    (key, to, most, n))
FAILS(FAULT_CRYPTO, int, -1, EVP_PKEY_eq, (const EVP_PKEY *a, const EVP_PKEY *b), (a, b))
FAILS(FAULT_CRYPTO, EVP_MD_CTX *, NULL, EVP_MD_CTX_new, (void), ())
FAILS(FAULT_CRYPTO, int, 0, EVP_DigestSignInit_ex,
    (EVP_MD_CTX * md, EVP_PKEY_CTX **to, const char *name, OSSL_LIB_CTX *lib, const char *query, EVP_PKEY *key,
	const OSSL_PARAM *params),
    (md, to, name, lib, query, key, params))
FAILS(FAULT_CRYPTO, int, 0, EVP_DigestSign,
    (EVP_MD_CTX * md, unsigned char *to, size_t *n, const unsigned char *p, size_t size), (md, to, n, p, size))
FAILS(FAULT_CRYPTO, int, 0, EVP_DigestVerifyInit_ex,
    (EVP_MD_CTX * md, EVP_PKEY_CTX **to, const char *name, OSSL_LIB_CTX *lib, const char *query, EVP_PKEY *key,
	const OSSL_PARAM *params),
    (md, to, name, lib, query, key, params))
/* -1 and -2 are what it says when something went wrong inside. */
FAILS(FAULT_CRYPTO, int,
    errno == EIO      ? 0
    : errno == ENOSPC ? -2
		      : -1,
    EVP_DigestVerify, (EVP_MD_CTX * md, const unsigned char *sig, size_t nsig, const unsigned char *p, size_t n),
    (md, sig, nsig, p, n))
FAILS(FAULT_CRYPTO, int, 0, EVP_PKEY_CTX_set_rsa_padding, (EVP_PKEY_CTX * ctx, int padding), (ctx, padding))
FAILS(FAULT_CRYPTO, int, -2, EVP_PKEY_CTX_set_rsa_pss_saltlen, (EVP_PKEY_CTX * ctx, int n), (ctx, n))
FAILS(FAULT_CRYPTO, int, 0, EVP_PKEY_CTX_set_rsa_mgf1_md_name,
    (EVP_PKEY_CTX * ctx, const char *name, const char *query), (ctx, name, query))
FAILS(FAULT_CRYPTO, OSSL_PARAM_BLD *, NULL, OSSL_PARAM_BLD_new, (void), ())
FAILS(FAULT_CRYPTO, OSSL_PARAM *, NULL, OSSL_PARAM_BLD_to_param, (OSSL_PARAM_BLD * build), (build))
FAILS(FAULT_CRYPTO, int, 0, OSSL_PARAM_BLD_push_BN, (OSSL_PARAM_BLD * build, const char *name, const BIGNUM *n),
    (build, name, n))
FAILS(FAULT_CRYPTO, int, 0, OSSL_PARAM_BLD_push_utf8_string,
    (OSSL_PARAM_BLD * build, const char *name, const char *text, size_t n), (build, name, text, n))
FAILS(FAULT_CRYPTO, int, 0, OSSL_PARAM_BLD_push_octet_string,
    (OSSL_PARAM_BLD * build, const char *name, const void *p, size_t n), (build, name, p, n))
FAILS(FAULT_CRYPTO, BIGNUM *, NULL, BN_bin2bn, (const unsigned char *p, int n, BIGNUM *to), (p, n, to))
FAILS(FAULT_CRYPTO, int, -1, BN_bn2binpad, (const BIGNUM *n, unsigned char *to, int size), (n, to, size))
FAILS(FAULT_CRYPTO, ECDSA_SIG *, NULL, ECDSA_SIG_new, (void), ())
FAILS(FAULT_CRYPTO, int, 0, ECDSA_SIG_set0, (ECDSA_SIG * sig, BIGNUM *r, BIGNUM *s), (sig, r, s))
FAILS(FAULT_CRYPTO, int, -1, i2d_ECDSA_SIG, (const ECDSA_SIG *sig, unsigned char **to), (sig, to))
FAILS(FAULT_CRYPTO, ECDSA_SIG *, NULL, d2i_ECDSA_SIG, (ECDSA_SIG * *to, const unsigned char **p, long n), (to, p, n))
FAILS(FAULT_PARSE, struct json_object *, NULL, json_object_new_object, (void), ())
FAILS(FAULT_PARSE, struct json_object *, NULL, json_object_new_array, (void), ())
FAILS(FAULT_PARSE, struct json_object *, NULL, json_object_new_boolean, (json_bool b), (b))
FAILS(FAULT_PARSE, struct json_object *, NULL, json_object_new_int64, (int64_t n), (n))
FAILS(FAULT_PARSE, struct json_object *, NULL, json_object_new_uint64, (uint64_t n), (n))
FAILS(FAULT_PARSE, struct json_object *, NULL, json_object_new_double_s, (double d, const char *text), (d, text))
FAILS(FAULT_PARSE, struct json_object *, NULL, json_object_new_string_len, (const char *p, const int n), (p, n))
FAILS(FAULT_PARSE, int, -1, json_object_array_add, (struct json_object * to, struct json_object *value), (to, value))
FAILS(FAULT_PARSE, int, -1, json_object_object_add_ex,
    (struct json_object * to, const char *const name, struct json_object *const value, const unsigned how),
    (to, name, value, how))
FAILS(FAULT_PARSE, int, 0, yaml_parser_initialize, (yaml_parser_t * parser), (parser))

WRAP(int, yaml_parser_parse, (yaml_parser_t * parser, yaml_event_t *event))
{
	if (!fault_due(FAULT_PARSE))
		return __real_yaml_parser_parse(parser, event);
	parser->error = YAML_MEMORY_ERROR;
	return 0;
}

EVP_PKEY *__real_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *lib, const char *query, const char *type, ...);
EVP_PKEY *__wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *lib, const char *query, const char *type, ...);

EVP_PKEY *
__wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *lib, const char *query, const char *type, ...)
{
	EVP_PKEY *key;
	va_list args;

	if (fault_due(FAULT_CRYPTO))
		return NULL;
	va_start(args, type);
	if (strcmp(type, "RSA") == 0)
		key = __real_EVP_PKEY_Q_keygen(lib, query, type, va_arg(args, size_t));
	else
		key = __real_EVP_PKEY_Q_keygen(lib, query, type, va_arg(args, const char *));
	va_end(args);
	return key;
}
