/* SPDX-License-Identifier: MIT */
#include "keyset/commit.h"
#include "base/buf.h"
#include "base/file_write.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "keyset/store.h"
#include "rjwt.h"

#include <fcntl.h>
#include <string.h>

enum rjwt_err
commit_stage(const struct commit_ctx *s, const struct keyset *before, struct keyset *keyset)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_time now;
	struct timespec mtime;

	clock_now(s->env->clock, &now);
	keyset->generation = before->generation + 1;
	mtime = (struct timespec){ .tv_sec = now.wall_s, .tv_nsec = (long)(keyset->generation % 1000000000) };
	RJWT_TRY(keyset_format(&text, keyset));
	return file_stage(s->dir, "keyset.json", 0644, buf_view(&text), &mtime, s->env->diag);
}

enum rjwt_err
commit_publish(const struct commit_ctx *s)
{
	return file_publish(s->dir, "keyset.json", s->env->diag);
}

enum rjwt_err
commit_key(const struct commit_ctx *s, int64_t version, const struct jwk *jwk)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char name[STORE_NAME_SIZE];

	store_name(name, version, "jwk");
	json_open(&text, NULL);
	RJWT_TRY(jwk_put(&text, jwk));
	RJWT_TRY(seal_add(&text));
	return file_write(s->keys, name, 0644, buf_view(&text), NULL, s->env->diag);
}

enum rjwt_err
commit_make_keys(struct fresh_keys *fresh, unsigned n, const struct rotation_policy *policy, struct rjwt_diag *diag)
{
	enum rjwt_err err;

	if (n > COMMIT_KEYS_MAX)
		return RJWT_INTERNAL;
	for (; fresh->n < n; fresh->n++) {
		err = key_generate(policy->alg, policy->rsa_bits, &fresh->keys[fresh->n]);
		if (err != RJWT_OK)
			return diag_fail(diag, err, "", "cannot create a %s key", policy->alg->label);
	}
	return RJWT_OK;
}

void
commit_drop_keys(struct fresh_keys *fresh)
{
	while (fresh->n > 0)
		key_clean(&fresh->keys[--fresh->n]);
}

enum rjwt_err
commit_new_key(const struct commit_ctx *s, const struct keyset *keyset, int64_t version, struct fresh_keys *fresh)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { .alg = s->env->policy->alg };
	struct rjwt_time now;
	char name[STORE_NAME_SIZE];

	if (fresh->n == 0)
		return RJWT_INTERNAL;
	fresh->n--;
	jwk.key = RJWT_STEAL(fresh->keys[fresh->n]);
	RJWT_TRY(s->provider->generate(s->provider, version, s->env->policy->alg, s->env->policy->rsa_bits, &jwk.key,
	    s->env->diag));
	store_name(name, version, "minted");
	RJWT_TRY(file_create(s->private, name, 0600, (struct view){ "", 0 }, s->env->diag));
	clock_now(s->env->clock, &now);
	keyset_kid_format(keyset, version, jwk.kid);
	jwk.published_s = now.wall_s;
	return commit_key(s, version, &jwk);
}

int64_t
commit_version(const char *name)
{
	int64_t version = store_version(name, "jwk");

	if (version == 0)
		version = store_version(name, "key");
	return version == 0 ? store_version(name, "minted") : version;
}

bool
commit_is_temporary(const char *name)
{
	return strncmp(name, FILE_TEMPORARY, sizeof(FILE_TEMPORARY) - 1) == 0;
}
