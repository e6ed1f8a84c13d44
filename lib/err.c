/* SPDX-License-Identifier: MIT */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No default in these two switches: the compiler finds a code without a name. */

const char *
rjwt_reason(enum rjwt_err err)
{
	switch (err) {
	case RJWT_OK:
		return "ok";
	case RJWT_EMPTY:
		return "empty";
	case RJWT_TOO_LONG:
		return "too_long";
	case RJWT_TRUNCATED:
		return "truncated";
	case RJWT_MALFORMED:
		return "malformed";
	case RJWT_HEADER:
		return "header";
	case RJWT_ALG:
		return "alg";
	case RJWT_KID:
		return "kid";
	case RJWT_KEY_UNKNOWN:
		return "key_unknown";
	case RJWT_KEY_REVOKED:
		return "key_revoked";
	case RJWT_KEY_RETIRED:
		return "key_retired";
	case RJWT_SIGNATURE:
		return "signature";
	case RJWT_TYP:
		return "typ";
	case RJWT_CLAIMS:
		return "claims";
	case RJWT_USER:
		return "user";
	case RJWT_ISSUER:
		return "issuer";
	case RJWT_AUDIENCE:
		return "audience";
	case RJWT_EXPIRED:
		return "expired";
	case RJWT_NOT_YET_VALID:
		return "not_yet_valid";
	case RJWT_ISSUED_IN_FUTURE:
		return "issued_in_future";
	case RJWT_LIFETIME:
		return "lifetime";
	case RJWT_SCOPE:
		return "scope";
	case RJWT_BINDING:
		return "binding";
	case RJWT_SOURCE:
		return "source";
	case RJWT_REVOKED:
		return "revoked";
	case RJWT_SPENT:
		return "spent";
	case RJWT_CONFIG:
		return "config";
	case RJWT_KEYSET:
		return "keyset";
	case RJWT_IO:
		return "io";
	case RJWT_BUSY:
		return "busy";
	case RJWT_EXISTS:
		return "exists";
	case RJWT_MEMORY:
		return "memory";
	case RJWT_USAGE:
		return "usage";
	case RJWT_INTERNAL:
		return "internal";
	}
	return "internal";
}

const char *
rjwt_strerror(enum rjwt_err err)
{
	switch (err) {
	case RJWT_OK:
		return "accepted";
	case RJWT_EMPTY:
		return "the token is empty";
	case RJWT_TOO_LONG:
		return "the token is longer than allowed";
	case RJWT_TRUNCATED:
		return "the token was cut off where a prompt ends";
	case RJWT_MALFORMED:
		return "not a token: three base64url parts with two dots between them are wanted";
	case RJWT_HEADER:
		return "the JOSE header is not acceptable";
	case RJWT_ALG:
		return "the algorithm is not the key's";
	case RJWT_KID:
		return "the key id is missing or malformed";
	case RJWT_KEY_UNKNOWN:
		return "no such key in this keyset";
	case RJWT_KEY_REVOKED:
		return "the key was revoked";
	case RJWT_KEY_RETIRED:
		return "the key had retired";
	case RJWT_SIGNATURE:
		return "the signature is not this key's";
	case RJWT_TYP:
		return "the token is of another type";
	case RJWT_CLAIMS:
		return "the claims are not acceptable";
	case RJWT_USER:
		return "the token is for another user";
	case RJWT_ISSUER:
		return "the token is from another issuer";
	case RJWT_AUDIENCE:
		return "the token is for another host";
	case RJWT_EXPIRED:
		return "the token has expired";
	case RJWT_NOT_YET_VALID:
		return "the token is not valid yet";
	case RJWT_ISSUED_IN_FUTURE:
		return "the token was issued in the future";
	case RJWT_LIFETIME:
		return "the lifetime is not allowed";
	case RJWT_SCOPE:
		return "the token does not open this service";
	case RJWT_BINDING:
		return "the token is bound to an ssh key that was not used";
	case RJWT_SOURCE:
		return "the token is for another source address";
	case RJWT_REVOKED:
		return "the token was revoked";
	case RJWT_SPENT:
		return "the token was used before";
	case RJWT_CONFIG:
		return "the configuration is not acceptable";
	case RJWT_KEYSET:
		return "the keyset is not usable";
	case RJWT_IO:
		return "input or output failed";
	case RJWT_BUSY:
		return "the keyset is locked";
	case RJWT_EXISTS:
		return "it exists already";
	case RJWT_MEMORY:
		return "out of memory";
	case RJWT_USAGE:
		return "wrong use";
	case RJWT_INTERNAL:
		return "internal error";
	}
	return "internal error";
}

bool
rjwt_is_verdict(enum rjwt_err err)
{
	return err > RJWT_OK && err < RJWT_CONFIG;
}

struct view
view_of(const char *s)
{
	return (struct view){ s, s == NULL ? 0 : strlen(s) };
}

bool
view_eq(struct view a, struct view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
view_is(struct view v, const char *s)
{
	return view_eq(v, view_of(s));
}

enum rjwt_err
diag_fail(struct rjwt_diag *diag, enum rjwt_err err, const char *path, const char *fmt, ...)
{
	int saved = errno;
	size_t length = path == NULL ? 0 : strlen(path), used;
	va_list args;
	int n;

	if (diag == NULL)
		return err;
	*diag = (struct rjwt_diag){ 0 };
	if (length >= sizeof(diag->path))
		snprintf(diag->path, sizeof(diag->path), "...%s",
		    path + length - (sizeof(diag->path) - 4));
	else if (path != NULL)
		memcpy(diag->path, path, length + 1);
	va_start(args, fmt);
	n = vsnprintf(diag->text, sizeof(diag->text), fmt, args);
	va_end(args);
	used = n < 0 ? 0 : (size_t)n;
	if (err == RJWT_IO && saved != 0 && used < sizeof(diag->text))
		snprintf(diag->text + used, sizeof(diag->text) - used, "%s%s", used > 0 ? ": " : "",
		    strerrordesc_np(saved));
	errno = saved;
	return err;
}

void
free_clean(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

void
fd_clean(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}
