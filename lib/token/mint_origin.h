/* SPDX-License-Identifier: MIT */
/*
 * mint_origin.h - used by mint_request.c: the claims cnf and src, which bind a token to an ssh key and to addresses.
 */
#ifndef RJWT_MINT_ORIGIN_H
#define RJWT_MINT_ORIGIN_H

#include "base/buf.h"
#include "base/err.h"
#include "rjwt.h"

/*
 * A request with its defaults filled in. RJWT_BINDING, RJWT_SOURCE: not a fingerprint, not a range, or too many of them;
 * RJWT_SCOPE: bound, and for something else than ssh, which alone can check it.
 */
RJWT_MUST enum rjwt_err mint_origin_check(const struct rjwt_request *request, struct rjwt_diag *diag);

/* Add the claims of a request that was checked. */
void mint_origin_put(const struct rjwt_request *request, struct buf *claims);

#endif
