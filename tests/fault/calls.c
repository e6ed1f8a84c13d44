/* SPDX-License-Identifier: MIT */
/* Calls to the system and to libcrypto that fail when exhaust.c asks for it; fault.h says how. */
#undef _FORTIFY_SOURCE /* it would have open and read twice */
#undef _FORTIFY_SOURCE /* with clang its functions are overloaded, and have no address */
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
FILES(EIO, ssize_t, -1, read, (int fd, void *p, size_t n), (fd, p, n));
FILES(ENOSPC, ssize_t, -1, write, (int fd, const void *p, size_t n), (fd, p, n));
FILES(EIO, int, -1, linkat, (int from, const char *old, int to, const char *new, int flags),
    (from, old, to, new, flags));
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
#define CRYPTO(failure, name, params, args) CALL(HIT, errno, int, fault.on ? -1 : 0, name, params, args)
/* Those whose 0 is no failure. */
#define BELOW(name, params, args) CALL(HIT, errno, int, -1, name, params, args)
#define MAKES(type, name, params, args) CALL(HIT, errno, type, NULL, name, params, args)
#define SIZED(name, params, args) CRYPTO(0, name, params, args)
#define LOOKS(kind, number, type, failure, name, params, args) FILES(number, type, failure, name, params, args)
#define CHANGES(kind, number, name, params, args) FILES(number, int, -1, name, params, args)
#include "calls.def"

CALL(HIT, errno, int, 0, OPENSSL_init_crypto, (uint64_t what, const OPENSSL_INIT_SETTINGS *how), (what, how));

CRYPTO(0, EVP_PKEY_is_a, (const EVP_PKEY *key, const char *name), (key, name));

#pragma GCC visibility pop
