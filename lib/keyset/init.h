/* SPDX-License-Identifier: MIT */
/*
 * init.h - creates a keyset, or adopts one after a copy, a restore or a loss.
 */
#ifndef RJWT_INIT_H
#define RJWT_INIT_H

#include "base/err.h"
#include "base/file.h"
#include "jose/provider.h"
#include "keyset/env.h"
#include "rjwt.h"

/* Open a state directory, which is created if its parent exists. dir gives; dir_close(). */
RJWT_MUST enum rjwt_err state_open_or_make(const char *path, struct dir *dir, struct rjwt_diag *diag);

/*
 * Create a keyset in a directory that has none; the directory is created if its parent exists. With adopt, take
 * over the directory as it is: a new base, versions above all existing ones, and earlier tokens no longer
 * verify. issuer, audience: NULL with adopt keeps those in keyset.json, if it is readable.
 * RJWT_EXISTS, RJWT_IO, RJWT_KEYSET (unsafe directory, or files of a keyset without keyset.json),
 * RJWT_CONFIG (adopt with the existing base), RJWT_BUSY. provider takes; NULL: files.
 */
struct init_names {
	const char *issuer, *audience;
};
RJWT_MUST enum rjwt_err keyset_init(const char *dir, struct provider *provider, const struct keyset_env *env,
    const struct init_names *names, bool adopt, struct rjwt_change *change);

#endif
