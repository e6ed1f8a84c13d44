/* SPDX-License-Identifier: MIT */
/*
 * init.h - a keyset made, or adopted after a copy, a restore or a loss.
 */
#ifndef RJWT_INIT_H
#define RJWT_INIT_H

#include "base/err.h"
#include "base/host.h"
#include "jose/provider.h"
#include "keyset/keyset.h"
#include "rjwt.h"

/*
 * Make a keyset in a folder that has none; the folder is made where its parent is there. With adopt take
 * the folder over as it is: a new base, versions above all that stand there, and nothing from before
 * verifies. issuer, audience: NULL with adopt takes those that keyset.json recorded, if it can be read.
 * RJWT_EXISTS, RJWT_IO, RJWT_KEYSET (unsafe folder, or files of a keyset without keyset.json),
 * RJWT_CONFIG (adopt with the base that is there), RJWT_BUSY. provider takes; NULL: files.
 */
struct init_names {
	const char *issuer, *audience;
};
RJWT_MUST enum rjwt_err keyset_init(const char *dir, struct provider *provider, const struct rotation_policy *policy,
    const struct init_names *names, bool adopt, struct clock *clock, struct rjwt_change *change,
    struct rjwt_diag *diag);

#endif
