/* SPDX-License-Identifier: MIT */
/*
 * conflict.h - a version has one public key for life.
 */
#ifndef RJWT_CONFLICT_H
#define RJWT_CONFLICT_H

#include "base/file.h"
#include "fleet/bundle.h"
#include "keyset/keyset.h"

/* Whether a bundle has another public key for a version that a keyset has in keys. A damaged file has none. RJWT_MEMORY. */
RJWT_MUST enum rjwt_err
bundle_conflicts(const struct bundle *bundle, const struct keyset *keyset, const struct dir *keys, bool *conflicts);

#endif
