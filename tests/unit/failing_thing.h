/* SPDX-License-Identifier: MIT */
/* failing_thing.h - something that is worked on, with every call of ours failing once. */
#ifndef RJWT_TEST_FAILING_THING_H
#define RJWT_TEST_FAILING_THING_H

#include "fixture.h"
#include "jose/alg.h"
#include "jose/key.h"

#include "failing.h"

/* Anything that is worked on: what it reads, made while nothing fails. */
struct thing {
	struct fixture *f;
	const struct alg *alg;
	char *token;
	int flags;
	bool traced;
	/*
	 * How many calls may fail: where keyset.json or a mark cannot be read it is
	 * opened again.
	 */
	unsigned harmless;
	bool writes; /* they need not tell why */
	bool prunes; /* and leave to people what they cannot read: those calls are counted as well */
	void (*prepare)(struct thing *, unsigned k);
	struct key *key;
	struct buf text, private, signature;
};

/* What can fail for nothing but want of memory, and is told as that. */
static inline bool
is_memory(const char *name)
{
	static const char *const names[] = { "malloc", "calloc", "reallocarray", "asprintf", "vasprintf", "BIO_new",
		"BIO_new_mem_buf", "ECDSA_SIG_new", "i2d_ECDSA_SIG", "json_object_new_object", "json_object_new_array",
		"json_object_new_boolean", "json_object_new_int64", "json_object_new_uint64",
		"json_object_new_double_s", "json_object_new_string_len", "json_object_object_add_ex",
		"json_object_array_add", "yaml_parser_initialize", "yaml_parser_parse" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Every k: an error, whatever fails. Without a failure: wanted. */
static inline void
every(const char *label, enum rjwt_err (*work)(struct thing *), struct thing *thing, enum rjwt_err wanted)
{
	unsigned harmless = 0;
	enum rjwt_err err;

	for (unsigned k = 1;; k++) {
		if (thing->prepare != NULL)
			thing->prepare(thing, k);
		failing_begin(k);
		err = work(thing);
		if (!failing_end())
			break;
		if (is_memory(failing_name) && !thing->writes && err != RJWT_OK)
			want(failing_name, err, RJWT_MEMORY);
		if (strstr(failing_name, "EVP_Q_digest") != NULL && err != RJWT_OK)
			want(failing_name, err, RJWT_INTERNAL); /* a file is not blamed for a sum that was not made */
		if (err == RJWT_SIGNATURE && wanted == RJWT_OK && strcmp(failing_name, "EVP_DigestVerify") != 0)
			fail_msg("%s: call %u, %s, failed, and the signature was blamed", label, k, failing_name);
		if (err == RJWT_OK &&
		    (thing->prunes || strstr(failing_name, "stat") != NULL || strcmp(failing_name, "asprintf") == 0))
			harmless++;
		else if (err == RJWT_OK)
			fail_msg("%s: call %u, %s, failed, and nobody minded", label, k, failing_name);
	}
	want(label, err, wanted);
	if (harmless != thing->harmless)
		fail_msg("%s: %u of the calls that failed did no harm", label, harmless);
}

static inline enum rjwt_err
name(struct thing *thing)
{
	const struct view parts[] = { buf_view(&thing->private), VIEW("b") };
	char hex[DIGEST_HEX];

	return digest_name(parts, 2, hex);
}

#endif
