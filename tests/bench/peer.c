/* SPDX-License-Identifier: MIT */
/*
 * libjwt 1.x, loaded at run time, so that nothing here needs it to build. It takes the key as PEM with each
 * token.
 */
#include "bench.h"

#include <dlfcn.h>
#include <string.h>
#include <time.h>

/* jwt.h of libjwt 1.10 */
static int (*decode)(void **jwt, const char *token, const unsigned char *key, int size);
static const char *(*get)(void *jwt, const char *claim);
static long (*get_int)(void *jwt, const char *claim);
static void (*release)(void *jwt);

/* ISO C knows no way from an object's pointer to a function's. */
static bool
find(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	memcpy(function, &found, sizeof(found));
	return found != NULL;
}

bool
peer_load(void)
{
	void *library = dlopen("libjwt.so.0", RTLD_NOW);

	return library != NULL && find(library, "jwt_decode", &decode) && find(library, "jwt_get_grant", &get) &&
	       find(library, "jwt_get_grant_int", &get_int) && find(library, "jwt_free", &release);
}

static bool
is(void *jwt, const char *claim, const char *wanted)
{
	const char *value = get(jwt, claim);

	return value != NULL && strcmp(value, wanted) == 0;
}

bool
peer_verify(const struct subject *s)
{
	void *jwt = NULL;
	time_t now = time(NULL);
	bool good;

	if (decode(&jwt, s->token.text, (const unsigned char *)s->peers_key.p, (int)s->peers_key.n) != 0)
		return false;
	good = is(jwt, "iss", ISSUER) && is(jwt, "aud", AUDIENCE) && is(jwt, "sub", USER) && is(jwt, "scope", "ssh") &&
	       get_int(jwt, "exp") > now && get_int(jwt, "nbf") <= now && get_int(jwt, "iat") <= now;
	release(jwt);
	return good;
}
