/* SPDX-License-Identifier: MIT */
/*
 * provider_write.h - creates and destroys private halves, and signs with all kinds of them. Nothing that verifies tokens includes this.
 */
#ifndef RJWT_PROVIDER_WRITE_H
#define RJWT_PROVIDER_WRITE_H

#include "jose/provider.h"

/*
 * Add generate, destroy and unwrap to a provider from provider_file(), which can only read. A provider that has its
 * own functions keeps them. Whoever mints, or writes to a keyset, calls this first.
 */
void provider_make_writable(struct provider *provider);

#endif
