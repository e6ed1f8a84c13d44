/* SPDX-License-Identifier: MIT */
/*
 * Denials: what revoke does in a fleet, with tokens of a name or an id, whoever minted them. pam_rjwt.so does not contain
 * this file.
 */
#include "base/hash.h"
#include "fleet/fleet.h"
#include "handle.h"
#include "keyset/denials_write.h"
#include "keyset/inspect.h"
#include "keyset/issued.h"
#include "keyset/lock.h"

#include <string.h>

enum rjwt_err
handle_is_in_fleet(const struct rjwt *h, bool *in)
{
	*in = false;
	if (h->fleet == NULL)
		return RJWT_OK;
	RJWT_TRY(fleet_refresh(h->fleet));
	*in = fleet_is_joined(h->fleet);
	return RJWT_OK;
}

static enum rjwt_err
find_newest(void *context, const struct issued_token *token)
{
	int64_t *newest_s = context;

	*newest_s = token->iat_s > *newest_s ? token->iat_s : *newest_s;
	return RJWT_OK;
}

/* The newest token that was minted here: by a clock that was wrong it may be ahead. */
static enum rjwt_err
newest_minted(struct rjwt *h, const struct rjwt_time *now, int64_t *newest_s, struct rjwt_diag *diag)
{
	if (keyset_clock_suspect(store_keyset(h->store), &h->config.rotation, now, NULL))
		return diag_fail(diag, RJWT_KEYSET, store_dir(h->store)->path,
		    "the clock was set, so no date can be given to a denial (rjwt-keyd revoke --all rejects all "
		    "tokens)");
	return issued_each(store_dir(h->store), now->wall_s - h->config.rotation.leeway_s, find_newest, newest_s, diag);
}

/* A host that only follows knows of the newest publication: where its clock is behind, issuers mint later than it says. */
static enum rjwt_err
newest_news(struct rjwt *h, int64_t *newest_s)
{
	const struct fleet *fleet = fleet_value(h->fleet);

	for (size_t i = 0; fleet != NULL && i < fleet->roster.nissuers; i++) {
		struct view base = view_of(fleet->roster.issuers[i].base);
		const struct fleet_issuer *issuer;
		struct followed *followed;
		enum rjwt_err err = fleet_find(h->fleet, base, &followed, &issuer, NULL);

		if (err == RJWT_MEMORY)
			return err;
		if (err == RJWT_OK && store_keyset(followed->store)->followed.issued_s > *newest_s)
			*newest_s = store_keyset(followed->store)->followed.issued_s;
	}
	return RJWT_OK;
}

/* Later than every token that was minted until now, with the leeway for what another host mints in this moment. */
static enum rjwt_err
date_denial(struct rjwt *h, int64_t *until_s, struct rjwt_diag *diag)
{
	struct rjwt_time now;

	clock_now(&h->clock, &now);
	RJWT_TRY(keyset_clock_check(&now, diag));
	*until_s = now.wall_s;
	RJWT_TRY(h->store != NULL ? newest_minted(h, &now, until_s, diag) : newest_news(h, until_s));
	*until_s += h->config.rotation.leeway_s;
	return RJWT_OK;
}

static enum rjwt_err
put(const struct dir *kind, const char *name, int64_t until_s, struct rjwt_diag *diag)
{
	const struct view text = view_of(name);
	char hash[DIGEST_HEX];
	bool written = false;

	RJWT_TRY(digest_name(&text, 1, hash));
	RJWT_TRY(denial_put(kind, hash, until_s, false, &written, diag));
	return dir_sync(kind, diag); /* its writer may have crashed before the sync */
}

static enum rjwt_err
put_all(const struct dir *state, const struct rjwt_revocation *r, int64_t until_s, struct rjwt_diag *diag)
{
	RJWT_CLEAN(denials_close) struct denials denials = DENIALS_NONE;

	RJWT_TRY(denials_open(state, &denials, diag));
	if (r->jti != NULL)
		return put(&denials.jti, r->jti, until_s, diag);
	for (size_t i = 0; r->users[i] != NULL; i++)
		RJWT_TRY(put(&denials.sub, r->users[i], until_s, diag));
	return RJWT_OK;
}

enum rjwt_err
handle_deny(struct rjwt *h, const struct rjwt_revocation *r, int64_t *until_s, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir followed = DIR_NONE;
	RJWT_CLEAN(lock_release) struct lock lock = LOCK_NONE;
	const struct dir *state = h->store == NULL ? &followed : store_dir(h->store);

	if (h->store == NULL)
		RJWT_TRY(dir_open(h->config.state_dir, &followed, diag));
	RJWT_TRY(lock_take(&lock, state, 0, diag));
	if (h->store != NULL) {
		RJWT_TRY(store_load(h->store, diag));
		RJWT_TRY(store_check_writable(h->store, &h->config.rotation, diag));
	}
	RJWT_TRY(date_denial(h, until_s, diag));
	return put_all(state, r, *until_s, diag);
}
