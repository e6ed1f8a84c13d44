/* SPDX-License-Identifier: MIT */
/* Calls to the system and to libcrypto that fail when exhaust.c asks for it; fault.h says how. */
#undef _FORTIFY_SOURCE /* it would have open and read twice */
#include "fault.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#pragma GCC visibility push(default)

#ifdef __USE_TIME_BITS64
/* 32 bits: the functions here have the names that glibc's headers give them, and so have those behind them. */
static void *
real(const char *name)
{
	static const char *const others[][2] = { { "pread", "pread64" }, { "pwrite", "pwrite64" },
		{ "fstat", "__fstat64_time64" }, { "fstatat", "__fstatat64_time64" } };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(name, others[i][0]) == 0)
			name = others[i][1];
	return dlsym(RTLD_NEXT, name);
}
#define REAL(name) ((__typeof__(&name))real(#name))
#else
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#endif

/* A call of this type fails with value and an errno. */
#define CALL(hit, number, type, value, name, params, args) \
	type name params                                   \
	{                                                  \
		if (!(hit))                                \
			return REAL(name) args;            \
		errno = number;                            \
		return value;                              \
	}                                                  \
	struct name##_needs_a_semicolon

/* --- files and random numbers ----------------------------------------------------------------- */

#define FILES(number, type, value, name, params, args) \
	CALL(fault_hit(FAULT_FILES), number, type, value, name, params, args)

/* One more argument where the flags ask for it; passing one on that was not given does no harm. */
#define OPENS(name, params, args, last)                                  \
	int name params                                                  \
	{                                                                \
		va_list more;                                            \
		mode_t mode;                                             \
                                                                         \
		va_start(more, last);                                    \
		mode = (last & O_CREAT) != 0 ? va_arg(more, mode_t) : 0; \
		va_end(more);                                            \
		if (!fault_hit(FAULT_FILES))                             \
			return REAL(name) args;                          \
		errno = EMFILE;                                          \
		return -1;                                               \
	}                                                                \
	struct name##_needs_a_semicolon

int __open_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);

OPENS(open, (const char *path, int flags, ...), (path, flags, mode), flags);
OPENS(openat, (int dir, const char *path, int flags, ...), (dir, path, flags, mode), flags);
FILES(EMFILE, int, -1, __open_2, (const char *path, int flags), (path, flags));
FILES(EMFILE, int, -1, __openat_2, (int dir, const char *path, int flags), (dir, path, flags));
FILES(EMFILE, FILE *, NULL, fopen, (const char *path, const char *mode), (path, mode));
#ifndef __USE_FILE_OFFSET64 /* then fopen has that name */
FILES(EMFILE, FILE *, NULL, fopen64, (const char *path, const char *mode), (path, mode));
#endif
FILES(ENOMEM, DIR *, NULL, fdopendir, (int fd), (fd));
FILES(EIO, ssize_t, -1, read, (int fd, void *p, size_t n), (fd, p, n));
FILES(EIO, ssize_t, -1, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at));
FILES(ENOSPC, ssize_t, -1, write, (int fd, const void *p, size_t n), (fd, p, n));
FILES(ENOSPC, ssize_t, -1, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at));
FILES(EIO, int, -1, fsync, (int fd), (fd));
FILES(EIO, int, -1, fstat, (int fd, struct stat *status), (fd, status));
FILES(EIO, int, -1, fstatat, (int dir, const char *path, struct stat *status, int flags), (dir, path, status, flags));
FILES(EPERM, int, -1, fchmod, (int fd, mode_t mode), (fd, mode));
FILES(EPERM, int, -1, fchmodat, (int dir, const char *path, mode_t mode, int flags), (dir, path, mode, flags));
FILES(ENOSPC, int, -1, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode));
FILES(EIO, int, -1, renameat, (int from, const char *old, int to, const char *new), (from, old, to, new));
FILES(EIO, int, -1, linkat, (int from, const char *old, int to, const char *new, int flags),
    (from, old, to, new, flags));
FILES(EIO, int, -1, unlinkat, (int dir, const char *path, int flags), (dir, path, flags));
FILES(ENOSYS, ssize_t, -1, getrandom, (void *p, size_t n, unsigned flags), (p, n, flags));
FILES(ENOSYS, int, -1, getentropy, (void *p, size_t n), (p, n));

/* libcrypto asks the kernel for random numbers past libc. */
long
syscall(long number, ...)
{
	va_list more;
	long a[6];

	va_start(more, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(more, long);
	va_end(more);
	if (number != SYS_getrandom || !fault_hit(FAULT_FILES))
		return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	errno = ENOSYS;
	return -1;
}

/* --- what the module imports of libcrypto, clean-up aside ------------------------------------- */

/* libcrypto calls itself by the same names, and is not to be told what it never tells. */
static bool
hit(const void *caller)
{
	static uintptr_t from, to;
	Dl_info info;

	if (!fault.armed || fault.kind != FAULT_CRYPTO)
		return false;
	if (to == 0 && dladdr(dlsym(RTLD_NEXT, "OPENSSL_init_crypto"), &info) != 0) {
		const ElfW(Ehdr) *head = info.dli_fbase;
		const ElfW(Phdr) *part = (const void *)((const char *)info.dli_fbase + head->e_phoff);

		from = (uintptr_t)info.dli_fbase;
		for (int i = 0; i < head->e_phnum; i++)
			if (part[i].p_type == PT_LOAD)
				to = from + part[i].p_vaddr + part[i].p_memsz;
	}
	return ((uintptr_t)caller < from || (uintptr_t)caller >= to) && fault_hit(FAULT_CRYPTO);
}

#define HIT hit(__builtin_return_address(0))

/* Those that return a number fail with 0 the one time and with -1, which is true, when all of them do. */
#define CRYPTO(name, params, args) CALL(HIT, errno, int, fault.on ? -1 : 0, name, params, args)
/* Those whose 0 is no failure. */
#define BELOW(name, params, args) CALL(HIT, errno, int, -1, name, params, args)
#define MAKES(type, name, params, args) CALL(HIT, errno, type, NULL, name, params, args)

CALL(HIT, errno, int, 0, OPENSSL_init_crypto, (uint64_t what, const OPENSSL_INIT_SETTINGS *how), (what, how));
MAKES(OSSL_LIB_CTX *, OSSL_LIB_CTX_get0_global_default, (void), ());
CRYPTO(RAND_bytes_ex, (OSSL_LIB_CTX * ctx, unsigned char *p, size_t n, unsigned bits), (ctx, p, n, bits));
MAKES(EVP_MD *, EVP_MD_fetch, (OSSL_LIB_CTX * lib, const char *name, const char *query), (lib, name, query));
CRYPTO(EVP_DigestInit_ex2, (EVP_MD_CTX * ctx, const EVP_MD *md, const OSSL_PARAM *params), (ctx, md, params));
CRYPTO(EVP_DigestUpdate, (EVP_MD_CTX * ctx, const void *p, size_t n), (ctx, p, n));
CRYPTO(EVP_DigestFinal_ex, (EVP_MD_CTX * ctx, unsigned char *sum, unsigned *n), (ctx, sum, n));
CRYPTO(EVP_MD_CTX_copy_ex, (EVP_MD_CTX * to, const EVP_MD_CTX *from), (to, from));
MAKES(EVP_MAC *, EVP_MAC_fetch, (OSSL_LIB_CTX * lib, const char *name, const char *query), (lib, name, query));
MAKES(EVP_MAC_CTX *, EVP_MAC_CTX_new, (EVP_MAC * mac), (mac));
MAKES(EVP_MAC_CTX *, EVP_MAC_CTX_dup, (const EVP_MAC_CTX *ctx), (ctx));
CRYPTO(EVP_MAC_init, (EVP_MAC_CTX * ctx, const unsigned char *key, size_t n, const OSSL_PARAM *params),
    (ctx, key, n, params));
CRYPTO(EVP_MAC_update, (EVP_MAC_CTX * ctx, const unsigned char *p, size_t n), (ctx, p, n));
CRYPTO(EVP_MAC_final, (EVP_MAC_CTX * ctx, unsigned char *mac, size_t *n, size_t size), (ctx, mac, n, size));

MAKES(EVP_MD_CTX *, EVP_MD_CTX_new, (void), ());
CRYPTO(EVP_DigestVerifyInit_ex,
    (EVP_MD_CTX * ctx, EVP_PKEY_CTX **pctx, const char *name, OSSL_LIB_CTX *lib, const char *query, EVP_PKEY *key,
	const OSSL_PARAM *params),
    (ctx, pctx, name, lib, query, key, params));
CRYPTO(EVP_DigestVerify, (EVP_MD_CTX * ctx, const unsigned char *sig, size_t nsig, const unsigned char *p, size_t n),
    (ctx, sig, nsig, p, n));
CRYPTO(EVP_DigestSignInit_ex,
    (EVP_MD_CTX * ctx, EVP_PKEY_CTX **pctx, const char *name, OSSL_LIB_CTX *lib, const char *query, EVP_PKEY *key,
	const OSSL_PARAM *params),
    (ctx, pctx, name, lib, query, key, params));
CRYPTO(EVP_DigestSign, (EVP_MD_CTX * ctx, unsigned char *sig, size_t *nsig, const unsigned char *p, size_t n),
    (ctx, sig, nsig, p, n));
CRYPTO(EVP_PKEY_CTX_set_rsa_padding, (EVP_PKEY_CTX * ctx, int padding), (ctx, padding));
CRYPTO(EVP_PKEY_CTX_set_rsa_pss_saltlen, (EVP_PKEY_CTX * ctx, int n), (ctx, n));
CRYPTO(EVP_PKEY_CTX_set_rsa_mgf1_md_name, (EVP_PKEY_CTX * ctx, const char *name, const char *query),
    (ctx, name, query));

MAKES(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_name, (OSSL_LIB_CTX * lib, const char *name, const char *query),
    (lib, name, query));
CRYPTO(EVP_PKEY_fromdata_init, (EVP_PKEY_CTX * ctx), (ctx));
CRYPTO(EVP_PKEY_fromdata, (EVP_PKEY_CTX * ctx, EVP_PKEY **key, int what, OSSL_PARAM *params), (ctx, key, what, params));
MAKES(EVP_PKEY *, EVP_PKEY_new_raw_public_key_ex,
    (OSSL_LIB_CTX * lib, const char *type, const char *query, const unsigned char *p, size_t n),
    (lib, type, query, p, n));
MAKES(EVP_PKEY *, EVP_PKCS82PKEY_ex, (const PKCS8_PRIV_KEY_INFO *info, OSSL_LIB_CTX *lib, const char *query),
    (info, lib, query));
CRYPTO(EVP_PKEY_eq, (const EVP_PKEY *a, const EVP_PKEY *b), (a, b));
CRYPTO(EVP_PKEY_is_a, (const EVP_PKEY *key, const char *name), (key, name));
CRYPTO(EVP_PKEY_get_group_name, (const EVP_PKEY *key, char *name, size_t size, size_t *n), (key, name, size, n));
CRYPTO(EVP_PKEY_get_bn_param, (const EVP_PKEY *key, const char *name, BIGNUM **n), (key, name, n));
CRYPTO(EVP_PKEY_get_octet_string_param,
    (const EVP_PKEY *key, const char *name, unsigned char *p, size_t size, size_t *n), (key, name, p, size, n));
CRYPTO(EVP_PKEY_get_raw_public_key, (const EVP_PKEY *key, unsigned char *p, size_t *n), (key, p, n));

MAKES(OSSL_PARAM_BLD *, OSSL_PARAM_BLD_new, (void), ());
MAKES(OSSL_PARAM *, OSSL_PARAM_BLD_to_param, (OSSL_PARAM_BLD * build), (build));
CRYPTO(OSSL_PARAM_BLD_push_BN, (OSSL_PARAM_BLD * build, const char *name, const BIGNUM *n), (build, name, n));
CRYPTO(OSSL_PARAM_BLD_push_utf8_string, (OSSL_PARAM_BLD * build, const char *name, const char *p, size_t n),
    (build, name, p, n));
CRYPTO(OSSL_PARAM_BLD_push_octet_string, (OSSL_PARAM_BLD * build, const char *name, const void *p, size_t n),
    (build, name, p, n));

MAKES(BIGNUM *, BN_bin2bn, (const unsigned char *p, int n, BIGNUM *to), (p, n, to));
BELOW(BN_bn2binpad, (const BIGNUM *n, unsigned char *to, int size), (n, to, size));
MAKES(ECDSA_SIG *, ECDSA_SIG_new, (void), ());
CRYPTO(ECDSA_SIG_set0, (ECDSA_SIG * sig, BIGNUM *r, BIGNUM *s), (sig, r, s));
MAKES(ECDSA_SIG *, d2i_ECDSA_SIG, (ECDSA_SIG * *sig, const unsigned char **p, long n), (sig, p, n));
BELOW(i2d_ECDSA_SIG, (const ECDSA_SIG *sig, unsigned char **p), (sig, p));
MAKES(BIO *, BIO_new, (const BIO_METHOD *method), (method));
MAKES(BIO *, BIO_new_mem_buf, (const void *p, int n), (p, n));
MAKES(PKCS8_PRIV_KEY_INFO *, PEM_read_bio_PKCS8_PRIV_KEY_INFO,
    (BIO * bio, PKCS8_PRIV_KEY_INFO **to, pem_password_cb *ask, void *context), (bio, to, ask, context));

#pragma GCC visibility pop
