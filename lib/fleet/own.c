/* SPDX-License-Identifier: MIT */
#include "fleet/own.h"
#include "fleet/conflict.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Who may not look into private/, or has a file in its place, changes no keyset either. */
enum rjwt_err
own_look(const struct dir *state, bool *issues, struct rjwt_diag *diag)
{
	static const char *const files[] = { "private/bundle.key", "private/published.json" };
	struct stat status;

	*issues = false;
	for (size_t i = 0; i < ARRAY_LEN(files) && !*issues; i++) {
		*issues = fstatat(state->fd, files[i], &status, AT_SYMLINK_NOFOLLOW) == 0;
		if (!*issues && errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			return diag_fail(diag, RJWT_IO, state->path, "%s cannot be read", files[i]);
	}
	return RJWT_OK;
}

/* A host whose own keyset is damaged still follows others. */
static enum rjwt_err
read_keyset(const struct dir *state, struct keyset *keyset)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	enum rjwt_err err = file_read(state, "keyset.json", KEYSET_FILE_MAX, &text, NULL, NULL);

	if (err == RJWT_OK)
		err = keyset_parse(buf_view(&text), keyset, NULL);
	if (err_is_shortage(err))
		return err;
	if (err != RJWT_OK || keyset_is_followed(keyset))
		*keyset = (struct keyset){ 0 };
	return RJWT_OK;
}

enum rjwt_err
own_read(const struct dir *state, struct own *own, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;

	*own = (struct own){ 0 };
	RJWT_TRY(read_keyset(state, &own->keyset));
	RJWT_TRY(own_look(state, &own->issues, diag));
	if (!own->issues)
		return RJWT_OK;
	RJWT_TRY(dir_open_at(state, "private", &private, diag));
	return record_read(&private, &own->record, diag);
}

bool
own_is(const struct own *own, const struct fleet_issuer *issuer)
{
	return strcmp(own->keyset.base, issuer->base) == 0 || strcmp(own->record.base, issuer->base) == 0;
}

bool
own_was(const struct own *own, const struct fleet_issuer *issuer)
{
	return record_has_left(&own->record, issuer->base);
}

/* --- lines that are not ours ------------------------------------------------------------------- */

static enum rjwt_err
is_ours(const struct record *record, const struct bundle *bundle, bool *ours)
{
	char digest[DIGEST_HEX];

	*ours = bundle->serial < record->serial;
	if (bundle->serial != record->serial)
		return RJWT_OK;
	RJWT_TRY(digest_hex(bundle->line, digest));
	*ours = strcmp(digest, record->digest) == 0;
	return RJWT_OK;
}

/* An earlier line of ours has nothing that this keyset has not come to. What cannot be told stops nobody. */
static enum rjwt_err
is_foreign(const struct own *own, const struct dir *keys, const struct bundle *bundle, bool *foreign)
{
	const struct keyset *k = &own->keyset;
	bool ours;

	RJWT_TRY(is_ours(&own->record, bundle, &ours));
	*foreign = !ours;
	if (!ours || strcmp(k->base, bundle->base) != 0)
		return RJWT_OK;
	*foreign = bundle->floor > k->floor || bundle->active.version > k->active.version ||
		   bundle->next.version > k->next.version;
	return *foreign ? RJWT_OK : bundle_conflicts(bundle, k, keys, foreign);
}

static enum rjwt_err
stop(const struct dir *state, struct own *own, const struct fleet_issuer *issuer, int64_t serial,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;

	snprintf(own->record.stopped, sizeof(own->record.stopped),
	    "serial %" PRId64
	    " is not of this host: another host publishes as %s, or this host was restored from a backup",
	    serial, issuer->name);
	RJWT_TRY(dir_open_at(state, "private", &private, diag));
	return record_write(&private, &own->record, diag);
}

enum rjwt_err
own_check(const struct dir *state, struct own *own, const struct fleet_issuer *issuer, const struct offer *offer,
    bool *stopped, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir keys = DIR_NONE;

	*stopped = false;
	if (!own->issues || own->record.stopped[0] != '\0' || strcmp(own->record.base, issuer->base) != 0)
		return RJWT_OK;
	RJWT_TRY(dir_open_at(state, "keys", &keys, diag));
	for (size_t i = 0; i < offer->nbundles && !*stopped; i++) {
		const struct bundle *bundle = &offer->bundles[i];

		if (strcmp(bundle->base, issuer->base) != 0)
			continue;
		RJWT_TRY(is_foreign(own, &keys, bundle, stopped));
		if (*stopped)
			RJWT_TRY(stop(state, own, issuer, bundle->serial, diag));
	}
	return RJWT_OK;
}
