/* SPDX-License-Identifier: MIT */
/* The private keys of a fleet, in their files: PEM after PEM. */
#include "base/file_write.h"
#include "fleet/publish_private.h"
#include "jose/alg.h"

#include <string.h>

static const struct alg *
ed25519(void)
{
	return alg_by_label(VIEW("EdDSA"));
}

/* Public halves are typed as arguments: one that begins as an option does, one in 64, is not taken. */
static enum rjwt_err
new_key(struct key **key, struct buf *text)
{
	struct fleet_key public = { "" };

	do {
		key_clean(key);
		*key = NULL;
		RJWT_TRY(key_generate(ed25519(), 0, key));
		RJWT_TRY(fleet_key_of(*key, &public));
	} while (public.text[0] == '-');
	return key_private_format(*key, text);
}

enum rjwt_err
bundle_key_read(const struct dir *state, struct key **key, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	const char *why = "";
	enum rjwt_err err;

	RJWT_TRY(dir_open_at(state, "private", &private, diag));
	RJWT_TRY(file_read(&private, BUNDLE_KEY, FLEET_PRIVATE_MAX, &text, NULL, diag));
	err = key_private_parse(ed25519(), buf_view(&text), key, &why);
	return err == RJWT_KEYSET ? diag_fail(diag, err, private.path, BUNDLE_KEY ": %s", why) : err;
}

/* A key that was made, and has no record yet, has signed nothing. */
static enum rjwt_err
bundle_key_make(const struct dir *private, struct key **key, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(key_clean) struct key *made = NULL;

	RJWT_TRY(new_key(&made, &text));
	RJWT_TRY(file_write(private, BUNDLE_KEY, 0600, buf_view(&text), NULL, diag));
	*key = RJWT_STEAL(made);
	return RJWT_OK;
}

/* The key first, then its record: broken off between them, the next run makes another key. */
static enum rjwt_err
begin_key(const struct dir *private, const char *base, struct record *record, struct key **key, struct rjwt_diag *diag)
{
	RJWT_TRY(bundle_key_make(private, key, diag));
	record_begin(record, base);
	return record_write(private, record, diag);
}

enum rjwt_err
bundle_key_for(const struct dir *state, const char *base, struct key **key, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;
	RJWT_CLEAN(key_clean) struct key *found = NULL;
	struct record record;
	enum rjwt_err err;

	RJWT_TRY(dir_open_at(state, "private", &private, diag));
	RJWT_TRY(record_read(&private, &record, diag));
	err = bundle_key_read(state, &found, diag);
	if (err != RJWT_OK && !err_is_missing(err))
		return err;
	if (err != RJWT_OK && record.serial > 0 && strcmp(record.base, base) == 0)
		return diag_fail(diag, RJWT_KEYSET, private.path,
		    BUNDLE_KEY
		    " is lost, and this base cannot have a second one (make a new base: rjwt-keyd init --adopt)");
	if (err != RJWT_OK || (record.base[0] != '\0' && strcmp(record.base, base) != 0))
		return begin_key(&private, base, &record, key, diag);
	if (record.base[0] == '\0') {
		record_begin(&record, base);
		RJWT_TRY(record_write(&private, &record, diag));
	}
	*key = RJWT_STEAL(found);
	return RJWT_OK;
}

/* What was copied, or is damaged, is replaced; the base of a key whose record is lost is the one that the roster has. */
enum rjwt_err
bundle_key_renew(const struct dir *state, const char *base, const struct fleet *fleet, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;
	RJWT_CLEAN(key_clean) struct key *old = NULL;
	RJWT_CLEAN(key_clean) struct key *key = NULL;
	struct fleet_key name = { "" };
	struct record record;

	RJWT_TRY(dir_open_at(state, "private", &private, diag));
	if (record_read(&private, &record, NULL) != RJWT_OK)
		record = (struct record){ 0 };
	if (record.base[0] == '\0' && bundle_key_read(state, &old, NULL) == RJWT_OK)
		RJWT_TRY(fleet_key_of(old, &name));
	for (size_t i = 0; record.base[0] == '\0' && i < fleet->roster.nissuers; i++)
		if (fleet_key_eq(&fleet->roster.issuers[i].key, &name))
			memcpy(record.base, fleet->roster.issuers[i].base, sizeof(record.base));
	return begin_key(&private, base, &record, &key, diag);
}

void
fleet_keys_clear(struct fleet_keys *k)
{
	for (size_t i = 0; i < FLEET_KEYS; i++)
		key_clean(&k->keys[i]);
}

static enum rjwt_err
parse_keys(struct view text, struct fleet_keys *k, const char *path, struct rjwt_diag *diag)
{
	static const char end[] = "-----END PRIVATE KEY-----\n";

	for (size_t i = 0; i < FLEET_KEYS; i++) {
		const char *at = text.n == 0 ? NULL : memmem(text.p, text.n, end, sizeof(end) - 1), *why = "";
		size_t n = at == NULL ? 0 : (size_t)(at - text.p) + sizeof(end) - 1;
		enum rjwt_err err = at == NULL
					? RJWT_KEYSET
					: key_private_parse(ed25519(), (struct view){ text.p, n }, &k->keys[i], &why);

		if (err == RJWT_KEYSET)
			return diag_fail(diag, err, path, "does not have two private Ed25519 keys");
		RJWT_TRY(err);
		text = (struct view){ text.p + n, text.n - n };
	}
	return RJWT_OK;
}

enum rjwt_err
fleet_keys_read(const char *path, struct fleet_keys *k, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	const char *name;

	RJWT_TRY(dir_of(path, &dir, &name, diag));
	RJWT_TRY(file_read(&dir, name, FLEET_PRIVATE_MAX, &text, NULL, diag));
	return parse_keys(buf_view(&text), k, path, diag);
}

enum rjwt_err
fleet_keys_make(const char *path, struct fleet_keys *k, bool *made, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	const char *name;
	enum rjwt_err err = fleet_keys_read(path, k, diag);

	if (!err_is_missing(err))
		return err;
	RJWT_TRY(dir_of(path, &dir, &name, diag));
	for (size_t i = 0; i < FLEET_KEYS; i++)
		RJWT_TRY(new_key(&k->keys[i], &text));
	RJWT_TRY(file_create(&dir, name, 0600, buf_view(&text), diag));
	*made = true;
	return RJWT_OK;
}
