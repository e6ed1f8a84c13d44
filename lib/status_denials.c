/* SPDX-License-Identifier: MIT */
/* What rjwt_status() says of dates that lie ahead: of denials, and of `before`, which removed ones leave behind. */
#include "base/datetime.h"
#include "keyset/denials.h"
#include "keyset/denials_write.h"
#include "status_private.h"

#include <errno.h>
#include <unistd.h>

#define DENIED_AHEAD_S 1200 /* a denial is dated at most leeway (5 min) after the newest token that its issuer minted */

struct ahead {
	int64_t limit_s;
	int64_t last_s; /* of those that are later */
	size_t n;
	struct rjwt_diag why;
};

/* A damaged one has no date. */
static enum rjwt_err
count_one(void *context, const char *hash, int64_t until_s)
{
	struct ahead *a = context;

	(void)hash;
	if (until_s == DENIAL_DAMAGED_S || until_s <= a->limit_s)
		return RJWT_OK;
	a->n++;
	if (until_s > a->last_s)
		a->last_s = until_s;
	return RJWT_OK;
}

static enum rjwt_err
count_kind(void *context, const struct dir *kind)
{
	struct ahead *a = context;

	return denials_each(kind, count_one, a, &a->why);
}

static enum rjwt_err
judge_denials(struct rjwt_status *s, const struct dir *dir, const char *who)
{
	static const struct denial_question anybody = { .sub = "-", .jti = "-" };
	struct ahead a = { .limit_s = s->now_s + DENIED_AHEAD_S };
	enum rjwt_err err = denials_find(dir, &anybody, &a.why);
	char last[32];

	/* As a login asks: where that fails it gets no verdict. */
	if (err == RJWT_OK)
		err = denials_each_kind(dir, count_kind, &a, &a.why);
	if (err == RJWT_MEMORY)
		return err;
	if (err != RJWT_OK && a.why.errnum == EACCES && geteuid() != 0)
		return RJWT_OK; /* names of denials are for root */
	if (err != RJWT_OK)
		return status_note(s, RJWT_BROKEN, "fleet.keyset", a.why.path, "%s: denials cannot be read: %s", who,
		    a.why.text);
	if (a.n == 0)
		return RJWT_OK;
	time_format(last, a.last_s);
	return status_note(s, RJWT_ATTENTION, "fleet.denials", "",
	    "%s: %zu denial%s dated more than 20m ahead of this host's clock, the last %s", who, a.n,
	    a.n == 1 ? " is" : "s are", last);
}

static enum rjwt_err
judge_before(struct rjwt_status *s, int64_t before_s, const char *who)
{
	char until[32];

	if (before_s <= s->now_s)
		return RJWT_OK;
	time_format(until, before_s);
	return status_note(s, RJWT_BROKEN, "fleet.before", "",
	    "%s: tokens issued until %s are rejected, because their denials were removed", who, until);
}

static enum rjwt_err
judge_issuer(struct rjwt_status *s, struct fleet_reader *reader, const char *base)
{
	const struct fleet_issuer *issuer;
	struct followed *followed;
	struct rjwt_diag why = { 0 };
	enum rjwt_err err = fleet_find(reader, view_of(base), &followed, &issuer, &why);

	if (err != RJWT_OK)
		return err == RJWT_MEMORY ? err : RJWT_OK; /* reported by who looks at what is installed */
	RJWT_TRY(judge_before(s, store_keyset(followed->store)->followed.before_s, issuer->name));
	return judge_denials(s, store_dir(followed->store), issuer->name);
}

enum rjwt_err
status_denials(struct rjwt_status *s, struct fleet_reader *reader, const char *state_dir)
{
	RJWT_CLEAN(dir_close) struct dir state = DIR_NONE;
	const struct fleet *fleet = fleet_value(reader);
	enum rjwt_err err;

	if (fleet == NULL)
		return RJWT_OK;
	err = dir_open(state_dir, &state, NULL);
	if (err != RJWT_OK)
		return err == RJWT_MEMORY ? err : RJWT_OK; /* reported with fleet.json, which is in it */
	if (!store_is_missing(state_dir))		   /* it is for the host's own keyset */
		RJWT_TRY(judge_before(s, fleet->before_s, "this host"));
	RJWT_TRY(judge_denials(s, &state, "this host"));
	for (size_t i = 0; i < fleet->roster.nissuers; i++)
		RJWT_TRY(judge_issuer(s, reader, fleet->roster.issuers[i].base));
	return RJWT_OK;
}
