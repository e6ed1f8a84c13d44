/* SPDX-License-Identifier: MIT */
/*
 * provider_memory.h - private halves that never touch a disk, and fail when a test wants it. The keys
 * outlive the provider: keyset_init() frees the one that it was given.
 */
#ifndef RJWT_TEST_PROVIDER_MEMORY_H
#define RJWT_TEST_PROVIDER_MEMORY_H

#include "jose/provider.h"
#include "base/buf.h"
#include "rjwt.h"

#define MEMORY_KEYS 16

struct memory_keys {
	struct {
		int64_t version; /* 0: none */
		struct buf text; /* as key_private_format() has it */
	} keys[MEMORY_KEYS];
	int generated, destroyed, freed;
	enum rjwt_err generate, load, destroy; /* what these answer; RJWT_OK: their work */
};

/* provider gives; its free(). keys is borrowed as long as it lives. */
struct provider *provider_memory(struct memory_keys *keys);
bool memory_has(const struct memory_keys *keys, int64_t version);
void memory_clear(struct memory_keys *keys);

#endif
