/* SPDX-License-Identifier: MIT */
#include "fleet/roster.h"
#include "base/json_write.h"
#include "jose/claims.h"

#include <string.h>

static bool
begins_with(struct view text, const char *prefix)
{
	size_t n = strlen(prefix);

	return text.n > n && memcmp(text.p, prefix, n) == 0;
}

/* It becomes an argument of curl, a line of a file and a part of messages. */
bool
fleet_url_check(struct view url)
{
	if (url.n > FLEET_URL_MAX || !(begins_with(url, "http://") || begins_with(url, "https://")))
		return false;
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] > '~' || strchr("\"'\\`<>{}|^[]", url.p[i]) != NULL)
			return false;
	return true;
}

const struct fleet_issuer *
roster_find(const struct roster *roster, struct view base)
{
	for (size_t i = 0; i < roster->nissuers; i++)
		if (view_is(base, roster->issuers[i].base))
			return &roster->issuers[i];
	return NULL;
}

const struct fleet_issuer *
roster_named(const struct roster *roster, struct view name)
{
	for (size_t i = 0; i < roster->nissuers; i++)
		if (view_is(name, roster->issuers[i].name))
			return &roster->issuers[i];
	return NULL;
}

bool
roster_has_key(const struct roster *roster, const struct fleet_key *key)
{
	for (size_t i = 0; i < roster->nkeys; i++)
		if (fleet_key_eq(&roster->keys[i], key))
			return true;
	return false;
}

bool
roster_same_keys(const struct roster *a, const struct roster *b)
{
	for (size_t i = 0; i < a->nkeys; i++)
		if (!roster_has_key(b, &a->keys[i]))
			return false;
	return a->nkeys == b->nkeys; /* none is there twice */
}

/* --- JSON ------------------------------------------------------------------------------------- */

static bool
read_text(struct json json, const char *name, bool (*check)(struct view), char *to, size_t size)
{
	struct view text;

	if (json_string(json, name, &text) != JSON_GOOD || !check(text) || text.n >= size)
		return false;
	memcpy(to, text.p, text.n);
	to[text.n] = '\0';
	return true;
}

static bool
bundle_key_is_listed(const struct roster *roster, const struct fleet_key *key)
{
	for (size_t i = 0; i < roster->nissuers; i++)
		if (fleet_key_eq(&roster->issuers[i].key, key))
			return true;
	return roster_has_key(roster, key);
}

/* The payload is not a roster: why. */
static enum rjwt_err
refuse(const char **why, const char *text)
{
	*why = text;
	return RJWT_MALFORMED;
}

/* RJWT_KEYSET: not a key; another error is this host's. */
static enum rjwt_err
read_key(struct view text, bool ours, struct fleet_key *key)
{
	if (ours)
		return fleet_key_read(text, key) ? RJWT_OK : RJWT_KEYSET;
	return fleet_key_parse(text, key);
}

static enum rjwt_err
read_keys(struct json json, bool ours, struct roster *roster, const char **why)
{
	size_t count;

	if (json_array(json, "keys", &count) != JSON_GOOD || count == 0 || count > FLEET_KEYS_MAX)
		return refuse(why, "keys is not a list of 1 to 8 fleet keys");
	for (size_t i = 0; i < count; i++) {
		struct fleet_key key;
		enum rjwt_err err = read_key(json_string_at(json, "keys", i), ours, &key);

		if (err == RJWT_KEYSET)
			return refuse(why, "a fleet key is not a public Ed25519 key");
		RJWT_TRY(err);
		if (roster_has_key(roster, &key))
			return refuse(why, "a key is listed twice");
		roster->keys[roster->nkeys++] = key;
	}
	return RJWT_OK;
}

static enum rjwt_err
read_issuer(struct json json, bool ours, struct roster *roster, const char **why)
{
	struct fleet_issuer *issuer = &roster->issuers[roster->nissuers];
	struct view key;
	enum rjwt_err err;

	if (json.object == NULL || !read_text(json, "name", label_check, issuer->name, sizeof(issuer->name)) ||
	    !read_text(json, "base", keyset_base_check, issuer->base, sizeof(issuer->base)) ||
	    !read_text(json, "iss", claims_name_check, issuer->iss, sizeof(issuer->iss)) ||
	    !read_text(json, "url", fleet_url_check, issuer->url, sizeof(issuer->url)))
		return refuse(why, "name, base, iss or url of an issuer is missing or malformed");
	err = json_string(json, "key", &key) == JSON_GOOD ? read_key(key, ours, &issuer->key) : RJWT_KEYSET;
	if (err == RJWT_KEYSET)
		return refuse(why, "the key of an issuer is not a public Ed25519 key");
	RJWT_TRY(err);
	if (roster_named(roster, view_of(issuer->name)) != NULL || roster_find(roster, view_of(issuer->base)) != NULL ||
	    bundle_key_is_listed(roster, &issuer->key))
		return refuse(why, "a name, a base or a key is listed twice");
	roster->nissuers++;
	return RJWT_OK;
}

enum rjwt_err
roster_read(struct json json, bool ours, struct roster *roster, const char **why)
{
	size_t count;

	*roster = (struct roster){ 0 };
	if (json_integer(json, "n", &roster->n) != JSON_GOOD || roster->n == 0 ||
	    json_integer(json, "iat", &roster->iat_s) != JSON_GOOD)
		return refuse(why, "n or iat is missing or not a number");
	RJWT_TRY(read_keys(json, ours, roster, why));
	if (json_array(json, "issuers", &count) != JSON_GOOD || count > FLEET_ISSUERS_MAX)
		return refuse(why, "issuers is not a list of at most 8 issuers");
	for (size_t i = 0; i < count; i++)
		RJWT_TRY(read_issuer(json_element(json, "issuers", i), ours, roster, why));
	return RJWT_OK;
}

enum rjwt_err
roster_parse(struct view payload, struct roster *roster, struct rjwt_diag *diag)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	struct roster found;
	const char *why = NULL;
	enum rjwt_err err;

	RJWT_TRY(json_parse(payload, &json, diag));
	err = roster_read(json, false, &found, &why);
	if (err == RJWT_MALFORMED)
		return diag_fail(diag, err, "", "%s", why);
	RJWT_TRY(err);
	*roster = found;
	return RJWT_OK;
}

enum rjwt_err
roster_entry_parse(struct view text, struct fleet_issuer *entry, struct rjwt_diag *diag)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	struct roster alone = { 0 };
	const char *why = NULL;
	enum rjwt_err err;

	RJWT_TRY(json_parse(text, &json, diag));
	err = read_issuer(json, false, &alone, &why);
	if (err == RJWT_MALFORMED)
		return diag_fail(diag, err, "", "%s", why);
	RJWT_TRY(err);
	*entry = alone.issuers[0];
	return RJWT_OK;
}

static void
put_entry(struct buf *out, const struct fleet_issuer *entry)
{
	json_put_string(out, "name", view_of(entry->name));
	json_put_string(out, "base", view_of(entry->base));
	json_put_string(out, "iss", view_of(entry->iss));
	json_put_string(out, "url", view_of(entry->url));
	json_put_string(out, "key", view_of(entry->key.text));
}

enum rjwt_err
roster_entry_format(struct buf *out, const struct fleet_issuer *entry)
{
	json_open(out, NULL);
	put_entry(out, entry);
	json_close(out);
	return buf_done(out);
}

void
roster_put(struct buf *out, const struct roster *roster)
{
	json_put_integer(out, "n", roster->n);
	json_put_integer(out, "iat", roster->iat_s);
	json_open_array(out, "keys");
	for (size_t i = 0; i < roster->nkeys; i++)
		json_put_string(out, NULL, view_of(roster->keys[i].text));
	json_close_array(out);
	json_open_array(out, "issuers");
	for (size_t i = 0; i < roster->nissuers; i++) {
		json_open_element(out);
		put_entry(out, &roster->issuers[i]);
		json_close(out);
	}
	json_close_array(out);
}

enum rjwt_err
roster_format(struct buf *out, const struct roster *roster)
{
	json_open(out, NULL);
	roster_put(out, roster);
	json_close(out);
	return buf_done(out);
}
