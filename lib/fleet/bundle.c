/* SPDX-License-Identifier: MIT */
#include "fleet/bundle.h"
#include "base/datetime.h"
#include "base/json.h"
#include "base/json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_LENGTH (DIGEST_HEX - 1)

void
denial_list_clear(struct denial_list *list)
{
	free(list->list);
	*list = (struct denial_list){ 0 };
}

void
bundle_clear(struct bundle *bundle)
{
	for (size_t i = 0; i < bundle->nkeys; i++)
		jwk_clear(&bundle->keys[i].jwk);
	free(bundle->keys);
	denial_list_clear(&bundle->sub);
	denial_list_clear(&bundle->jti);
	*bundle = (struct bundle){ 0 };
}

static int
compare_versions(const void *a, const void *b)
{
	const struct bundle_key *x = a, *y = b;

	return (x->version > y->version) - (x->version < y->version);
}

const struct bundle_key *
bundle_key(const struct bundle *bundle, int64_t version)
{
	const struct bundle_key wanted = { .version = version };

	return bundle->nkeys == 0
		   ? NULL
		   : bsearch(&wanted, bundle->keys, bundle->nkeys, sizeof(*bundle->keys), compare_versions);
}

/* --- denials ---------------------------------------------------------------------------------- */

static int
compare_hashes(const void *a, const void *b)
{
	const struct denial *x = a, *y = b;

	return strcmp(x->hash, y->hash);
}

const struct denial *
denial_find(const struct denial_list *list, const char *hash)
{
	struct denial wanted;

	if (list->n == 0 || strlen(hash) != HASH_LENGTH)
		return NULL;
	memcpy(wanted.hash, hash, sizeof(wanted.hash));
	return bsearch(&wanted, list->list, list->n, sizeof(*list->list), compare_hashes);
}

enum rjwt_err
denial_add(struct denial_list *list, const char *hash, int64_t until_s)
{
	const struct denial *there = denial_find(list, hash);
	struct denial *grown;
	size_t at = list->n;

	if (strlen(hash) != HASH_LENGTH)
		return RJWT_INTERNAL;
	if (there != NULL) {
		grown = &list->list[there - list->list];
		grown->until_s = until_s > grown->until_s ? until_s : grown->until_s;
		return RJWT_OK;
	}
	grown = reallocarray(list->list, list->n + 1, sizeof(*grown));
	if (grown == NULL)
		return RJWT_MEMORY;
	list->list = grown;
	for (; at > 0 && strcmp(grown[at - 1].hash, hash) > 0; at--)
		grown[at] = grown[at - 1];
	memcpy(grown[at].hash, hash, sizeof(grown[at].hash));
	grown[at].until_s = until_s;
	list->n++;
	return RJWT_OK;
}

/* "HEX SECONDS" */
static bool
read_denial(struct view text, struct denial *denial)
{
	if (text.n < HASH_LENGTH + 2 || text.p[HASH_LENGTH] != ' ')
		return false;
	for (size_t i = 0; i < HASH_LENGTH; i++)
		if ((text.p[i] < '0' || text.p[i] > '9') && (text.p[i] < 'a' || text.p[i] > 'f'))
			return false;
	memcpy(denial->hash, text.p, HASH_LENGTH);
	denial->hash[HASH_LENGTH] = '\0';
	return number_parse((struct view){ text.p + HASH_LENGTH + 1, text.n - HASH_LENGTH - 1 }, JSON_INTEGER_MAX,
		   &denial->until_s) == RJWT_OK;
}

static enum rjwt_err
read_denials(struct json json, const char *name, struct denial_list *list, const char **why)
{
	size_t count;

	*why = "denied is not two lists of \"HEX SECONDS\"";
	if (json_array(json, name, &count) != JSON_GOOD)
		return RJWT_MALFORMED;
	if (count > BUNDLE_DENIALS_MAX) {
		*why = "more than 2000 denials";
		return RJWT_MALFORMED;
	}
	list->list = calloc(count + 1, sizeof(*list->list));
	if (list->list == NULL)
		return RJWT_MEMORY;
	for (; list->n < count; list->n++) {
		if (!read_denial(json_string_at(json, name, list->n), &list->list[list->n]))
			return RJWT_MALFORMED;
		if (list->n > 0 && strcmp(list->list[list->n - 1].hash, list->list[list->n].hash) >= 0) {
			*why = "denials are not sorted, or one is there twice";
			return RJWT_MALFORMED;
		}
	}
	*why = NULL;
	return RJWT_OK;
}

static void
put_denials(struct buf *out, const char *name, const struct denial_list *list)
{
	json_open_array(out, name);
	for (size_t i = 0; i < list->n; i++) {
		char text[DIGEST_HEX + 24];
		int n = snprintf(text, sizeof(text), "%s %" PRId64, list->list[i].hash, list->list[i].until_s);

		json_put_string(out, NULL, (struct view){ text, (size_t)n });
	}
	json_close_array(out);
}

/* --- keys ------------------------------------------------------------------------------------- */

/* As keyset_kid_parse(): base "." version, in its one spelling. */
static bool
read_version(const struct bundle *bundle, const char *kid, int64_t *version)
{
	struct keyset named = { 0 };

	memcpy(named.base, bundle->base, sizeof(named.base));
	return keyset_kid_parse(&named, view_of(kid), version) == RJWT_OK;
}

static enum rjwt_err
read_key(struct json json, const struct bundle *bundle, struct bundle_key *key, const char **why)
{
	enum rjwt_err err;

	*why = "a key is not a public key that rjwt can use";
	if (json.object == NULL)
		return RJWT_MALFORMED;
	err = jwk_parse(json, &key->jwk, NULL);
	if (err == RJWT_MEMORY || err == RJWT_INTERNAL)
		return err;
	if (err != RJWT_OK || key->jwk.alg->kind == ALG_HMAC || key->jwk.key == NULL)
		return RJWT_MALFORMED;
	*why = "a key id is not BASE.VERSION of this bundle, from floor to next";
	if (!read_version(bundle, key->jwk.kid, &key->version) || key->version < bundle->floor ||
	    key->version > bundle->next.version)
		return RJWT_MALFORMED;
	*why = "a retired key has neither exp nor revoked";
	if (key->version != bundle->active.version && key->version != bundle->next.version && key->jwk.until_s == 0 &&
	    key->jwk.revoked_s == 0)
		return RJWT_MALFORMED;
	*why = NULL;
	return RJWT_OK;
}

static enum rjwt_err
check_keys(struct bundle *bundle, const char **why)
{
	qsort(bundle->keys, bundle->nkeys, sizeof(*bundle->keys), compare_versions);
	*why = "a key is there twice";
	for (size_t i = 1; i < bundle->nkeys; i++)
		if (bundle->keys[i - 1].version == bundle->keys[i].version)
			return RJWT_MALFORMED;
	*why = "the active or the next key is missing";
	if (bundle_key(bundle, bundle->active.version) == NULL || bundle_key(bundle, bundle->next.version) == NULL)
		return RJWT_MALFORMED;
	*why = NULL;
	return RJWT_OK;
}

static enum rjwt_err
read_keys(struct json json, struct bundle *bundle, const char **why)
{
	size_t count;

	*why = "keys is not a list of 2 to 256 keys";
	if (json_array(json, "keys", &count) != JSON_GOOD || count < 2 || count > BUNDLE_KEYS_MAX)
		return RJWT_MALFORMED;
	bundle->keys = calloc(count, sizeof(*bundle->keys));
	if (bundle->keys == NULL)
		return RJWT_MEMORY;
	for (size_t i = 0; i < count; i++) /* counted first: what was read of a key that is refused is cleared */
		RJWT_TRY(read_key(json_element(json, "keys", i), bundle, &bundle->keys[bundle->nkeys++], why));
	return check_keys(bundle, why);
}

/* --- the whole -------------------------------------------------------------------------------- */

static const char *
read_numbers(struct json json, struct bundle *b)
{
	struct json active, next;
	struct view base;

	if (json_string(json, "base", &base) != JSON_GOOD || !keyset_base_check(base))
		return "base is missing or malformed";
	memcpy(b->base, base.p, base.n);
	if (json_integer(json, "serial", &b->serial) != JSON_GOOD || b->serial == 0 ||
	    json_integer(json, "iat", &b->iat_s) != JSON_GOOD ||
	    json_integer(json, "roster", &b->roster) != JSON_GOOD ||
	    json_integer(json, "max_lifetime", &b->max_lifetime_s) != JSON_GOOD ||
	    json_integer(json, "floor", &b->floor) != JSON_GOOD ||
	    json_integer(json, "next_version", &b->next_version) != JSON_GOOD ||
	    json_member(json, "active", &active) != JSON_GOOD || json_member(json, "next", &next) != JSON_GOOD ||
	    json_integer(active, "version", &b->active.version) != JSON_GOOD ||
	    json_integer(active, "since", &b->active.since_s) != JSON_GOOD ||
	    json_integer(next, "version", &b->next.version) != JSON_GOOD ||
	    json_integer(next, "published", &b->next.published_s) != JSON_GOOD)
		return "a member is missing or not a number";
	if (b->max_lifetime_s < 1 || b->max_lifetime_s > RJWT_LIFETIME_MAX)
		return "max_lifetime is out of range";
	if (b->floor < 1 || b->floor > b->active.version || b->active.version >= b->next.version ||
	    b->next.version >= b->next_version || b->next_version > KEYSET_VERSION_MAX + 1)
		return "floor, active, next and next_version contradict each other";
	return NULL;
}

static enum rjwt_err
read_bundle(struct json json, struct bundle *bundle, const char **why)
{
	struct json denied;

	*why = read_numbers(json, bundle);
	if (*why != NULL)
		return RJWT_MALFORMED;
	RJWT_TRY(read_keys(json, bundle, why));
	*why = "denied is missing or not an object";
	if (json_member(json, "denied", &denied) != JSON_GOOD)
		return RJWT_MALFORMED;
	RJWT_TRY(read_denials(denied, "sub", &bundle->sub, why));
	RJWT_TRY(read_denials(denied, "jti", &bundle->jti, why));
	*why = "more than 2000 denials";
	return bundle->sub.n + bundle->jti.n <= BUNDLE_DENIALS_MAX ? RJWT_OK : RJWT_MALFORMED;
}

enum rjwt_err
bundle_parse(struct view payload, struct bundle *bundle, struct rjwt_diag *diag)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	RJWT_CLEAN(bundle_clear) struct bundle found = { 0 };
	const char *why = NULL;
	enum rjwt_err err;

	RJWT_TRY(json_parse(payload, &json, diag));
	err = read_bundle(json, &found, &why);
	if (err == RJWT_MALFORMED)
		return diag_fail(diag, err, "", "%s", why);
	RJWT_TRY(err);
	*bundle = RJWT_STEAL(found);
	return RJWT_OK;
}

static enum rjwt_err
put_keys(struct buf *out, const struct bundle *b)
{
	json_open_array(out, "keys");
	for (size_t i = 0; i < b->nkeys; i++) {
		json_open_element(out);
		RJWT_TRY(jwk_put(out, &b->keys[i].jwk));
		json_close(out);
	}
	json_close_array(out);
	return RJWT_OK;
}

enum rjwt_err
bundle_format(struct buf *out, const struct bundle *b)
{
	json_open(out, NULL);
	json_put_string(out, "base", view_of(b->base));
	json_put_integer(out, "serial", b->serial);
	json_put_integer(out, "iat", b->iat_s);
	json_put_integer(out, "roster", b->roster);
	json_put_integer(out, "max_lifetime", b->max_lifetime_s);
	json_put_integer(out, "floor", b->floor);
	json_open(out, "active");
	json_put_integer(out, "version", b->active.version);
	json_put_integer(out, "since", b->active.since_s);
	json_close(out);
	json_open(out, "next");
	json_put_integer(out, "version", b->next.version);
	json_put_integer(out, "published", b->next.published_s);
	json_close(out);
	json_put_integer(out, "next_version", b->next_version);
	RJWT_TRY(put_keys(out, b));
	json_open(out, "denied");
	put_denials(out, "sub", &b->sub);
	put_denials(out, "jti", &b->jti);
	json_close(out);
	json_close(out);
	return buf_done(out);
}
