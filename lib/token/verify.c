/* SPDX-License-Identifier: MIT */
#include "token/check.h"
#include "base/host.h"
#include "keyset/keyset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the walk --------------------------------------------------------------------------------- */

/* The checks in their order; this is the only list. No check before `signature` reads the payload. */
static const struct row {
	enum rjwt_err code;
	bool again; /* checked again after a mark was written, which may have taken long */
	const char *group, *name;
	enum rjwt_err (*check)(struct verification *w);
} rows[] = {
	{ RJWT_EMPTY, false, "form", "empty", check_empty }, { RJWT_TOO_LONG, false, "form", "too_long", check_length },
	{ RJWT_MALFORMED, false, "form", "malformed", check_form }, /* or truncated */
	{ RJWT_HEADER, false, "form", "header", check_header }, { RJWT_ALG, false, "form", "alg", check_alg_known },
	{ RJWT_KID, true, "form", "kid", check_kid }, { RJWT_KEY_UNKNOWN, true, "key", "key_unknown", check_key },
	{ RJWT_ALG, false, "key", "alg of key", check_alg },
	{ RJWT_KEY_REVOKED, true, "key", "key_revoked", check_key_revoked },
	{ RJWT_KEY_RETIRED, true, "key", "key_retired", check_key_until },
	{ RJWT_SIGNATURE, false, "key", "signature", check_signature }, /* or truncated */
	{ RJWT_TYP, false, "type", "typ", check_typ }, { RJWT_CLAIMS, false, "type", "claims", check_claims },
	{ RJWT_USER, false, "who", "user", check_user }, { RJWT_ISSUER, false, "who", "issuer", check_issuer },
	{ RJWT_STALE, true, "who", "stale", check_stale }, { RJWT_AUDIENCE, false, "who", "audience", check_audience },
	{ RJWT_EXPIRED, true, "time", "expired", check_expired },
	{ RJWT_NOT_YET_VALID, false, "time", "not_yet_valid", check_not_before },
	{ RJWT_ISSUED_IN_FUTURE, false, "time", "issued_in_future", check_issued },
	{ RJWT_LIFETIME, false, "time", "lifetime", check_lifetime },
	{ RJWT_KEY_RETIRED, true, "time", "issued after retirement", check_retirement },
	{ RJWT_SCOPE, false, "use", "scope", check_scope }, { RJWT_BINDING, false, "use", "binding", check_binding },
	{ RJWT_SOURCE, false, "use", "source", check_source }, { RJWT_REVOKED, true, "use", "revoked", check_revoked },
	{ RJWT_DENIED, true, "use", "denied", check_denied },
	{ RJWT_SPENT, false, "use", "spent", check_spent }, /* the last one: see spend() */
};

#define ROWS (ARRAY_LEN(rows))

_Static_assert(ROWS <= RJWT_CHECKS_MAX, "a trace of RJWT_CHECKS_MAX holds every row");

/* Read the clocks, and keyset.json and fleet.json if they have changed. */
static enum rjwt_err
refresh(struct verification *w)
{
	const struct key_source *keys = &w->verifier->keys;

	clock_now(w->verifier->clock, &w->now);
	w->verdict->now_s = w->now.wall_s;
	if (w->verifier->fleet != NULL)
		RJWT_TRY(fleet_refresh(w->verifier->fleet));
	return keys->refresh == NULL ? RJWT_OK : keys->refresh(keys->context, w->diag);
}

static enum rjwt_err
judge_row(struct verification *w, const struct row *row, enum rjwt_err (*check)(struct verification *))
{
	enum rjwt_err err;

	w->check.code = row->code;
	w->check.name = row->name;
	w->check.group = row->group;
	w->check.outcome = RJWT_NOT_REACHED;
	w->check.expected[0] = w->check.found[0] = '\0';
	err = check(w);
	if (w->check.outcome == RJWT_NOT_REACHED)
		w->check.outcome = err == RJWT_OK ? RJWT_PASSED : RJWT_FAILED;
	return err;
}

/* Check one row and store its outcome. */
static enum rjwt_err
walk_row(struct verification *w, size_t i, enum rjwt_err (*check)(struct verification *))
{
	enum rjwt_err err = judge_row(w, &rows[i], check);

	if (i < w->verdict->nchecks)
		w->attempt->trace[i] = w->check;
	if (err != RJWT_OK) {
		w->verdict->failed = w->check;
		w->verdict->tell = w->past_user && (rjwt_is_verdict(err) || err == RJWT_STALE);
	}
	return err;
}

/* Check the rows up to the first that fails. only_again: only rows that time or a commit may have changed. */
static enum rjwt_err
walk_rows(struct verification *w, bool only_again)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (only_again && !rows[i].again)
			continue;
		RJWT_TRY(walk_row(w, i, rows[i].check));
		if (rows[i].code == RJWT_SIGNATURE && (w->attempt->flags & RJWT_SIGNATURE_ONLY) != 0)
			return RJWT_OK;
		w->past_user = w->past_user || (rows[i].code == RJWT_USER && w->check.outcome == RJWT_PASSED);
	}
	return RJWT_OK;
}

/* Instead of check_spent(): the result of our own attempt to spend. */
static enum rjwt_err
check_and_spend(struct verification *w)
{
	return check_first_use(w, mark_spend(w->marks, w->version, &w->claims, w->scope, &w->uses, w->diag));
}

/*
 * Spend a token that passed all checks, unless asked not to. Then repeat the rows that may have changed: the
 * caller of su may have stopped us in between, until the key or the token expired.
 */
static enum rjwt_err
spend(struct verification *w)
{
	if (w->uses.most == 0 || w->scope == NULL || w->marks == NULL ||
	    (w->attempt->flags & (RJWT_DRY_RUN | RJWT_SIGNATURE_ONLY)) != 0)
		return RJWT_OK;
	RJWT_TRY(walk_row(w, ROWS - 1, check_and_spend));
	RJWT_TRY(refresh(w));
	return walk_rows(w, true);
}

/* What the log has in addition to the verdict. */
static void
note_state(struct verification *w)
{
	struct rotation_policy policy = w->verifier->config->rotation;
	const struct keyset *keyset = w->verifier->keyset;
	const struct fleet *fleet = w->verifier->fleet == NULL ? NULL : fleet_value(w->verifier->fleet);

	if (keyset == NULL)
		return;
	(void)keyset_clock_suspect(keyset, &policy, &w->now, &w->verdict->clock_moved_s);
	if (fleet != NULL)
		policy.rotate_every_s = config_rotate_every_s(w->verifier->config,
		    roster_find(&fleet->roster, view_of(keyset->base)) != NULL);
	if (keyset_overdue(keyset, &policy, w->now.wall_s))
		w->verdict->overdue_since_s = keyset->active.since_s + policy.rotate_every_s;
}

void
verdict_begin(struct rjwt_verdict *verdict, enum rjwt_err reason)
{
	*verdict = (struct rjwt_verdict){ .reason = reason };
}

enum rjwt_err
verify_token(const struct verifier *verifier, const struct rjwt_attempt *attempt, struct rjwt_verdict *verdict,
    struct rjwt_diag *diag)
{
	struct verification w = { .verifier = verifier,
		.attempt = attempt,
		.verdict = verdict,
		.diag = diag,
		.trace = attempt->trace != NULL,
		.keyset = verifier->keyset,
		.marks = verifier->marks,
		.foreign = verifier->set != NULL || (attempt->flags & RJWT_SIGNATURE_ONLY) != 0,
		.token = { attempt->token, attempt->token == NULL ? 0 : attempt->len } };

	verdict_begin(verdict, RJWT_INTERNAL);
	if (w.trace)
		verdict->nchecks = attempt->trace_max < ROWS ? attempt->trace_max : ROWS;
	for (size_t i = 0; i < verdict->nchecks; i++)
		attempt->trace[i] =
		    (struct rjwt_check){ .code = rows[i].code, .name = rows[i].name, .group = rows[i].group };
	verdict->reason = refresh(&w);
	if (verdict->reason == RJWT_OK) {
		note_state(&w);
		verdict->reason = walk_rows(&w, false);
		if (verdict->reason == RJWT_OK)
			verdict->reason = spend(&w);
	}
	claims_clear(&w.claims);
	buf_clear(&w.payload);
	jws_clear(&w.jws);
	return verdict->reason;
}

void
rjwt_verdict_clear(struct rjwt_verdict *verdict)
{
	secret_wipe(verdict->claims, verdict->claims_len);
	free(verdict->claims);
	verdict_begin(verdict, RJWT_OK);
}
