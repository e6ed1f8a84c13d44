/* SPDX-License-Identifier: MIT */
/*
 * provider_write.h - private halves made and destroyed. Nothing that verifies a token includes this.
 */
#ifndef RJWT_PROVIDER_WRITE_H
#define RJWT_PROVIDER_WRITE_H

#include "jose/provider.h"

/*
 * Give a provider of files, which provider_file() made to read alone, its generate and destroy. A provider that
 * has its own keeps them. Whoever writes a keyset calls this first.
 */
void provider_make_writable(struct provider *provider);

#endif
