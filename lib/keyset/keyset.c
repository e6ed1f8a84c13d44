/* SPDX-License-Identifier: MIT */
#include "keyset/keyset.h"
#include "base/datetime.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- kids ------------------------------------------------------------------------------------- */

bool
keyset_base_check(struct view base)
{
	if (base.n == 0 || base.n > KEYSET_BASE_MAX)
		return false;
	for (size_t i = 0; i < base.n; i++) {
		char c = base.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
			c == '-'))
			return false;
	}
	return true;
}

enum rjwt_err
keyset_kid_split(struct view kid, struct view *base, int64_t *version)
{
	const char *dot = kid.n == 0 ? NULL : memchr(kid.p, '.', kid.n);
	struct view digits;
	int64_t number;

	if (dot == NULL)
		return RJWT_KID;
	*base = (struct view){ kid.p, (size_t)(dot - kid.p) };
	digits = (struct view){ dot + 1, kid.n - base->n - 1 };
	if (!keyset_base_check(*base) || number_parse(digits, KEYSET_VERSION_MAX, &number) != RJWT_OK || number < 1)
		return RJWT_KID;
	*version = number;
	return RJWT_OK;
}

enum rjwt_err
keyset_kid_parse(const struct keyset *keyset, struct view kid, int64_t *version)
{
	struct view base;
	int64_t number;

	RJWT_TRY(keyset_kid_split(kid, &base, &number));
	if (!view_is(base, keyset->base))
		return RJWT_KEY_UNKNOWN;
	*version = number;
	return RJWT_OK;
}

void
keyset_kid_format(const struct keyset *keyset, int64_t version, char kid[static RJWT_ID_SIZE])
{
	snprintf(kid, RJWT_ID_SIZE, "%s.%" PRId64, keyset->base, version);
}

enum rjwt_err
keyset_check_config(const struct keyset *keyset, const struct rotation_policy *policy, struct rjwt_diag *diag)
{
	if (!keyset->configured || policy->path != NULL)
		return RJWT_OK;
	return diag_fail(diag, RJWT_CONFIG, RJWT_CONFIG_FILE,
	    "is missing, but the keyset was used with it (put it back; for the defaults, create an empty file)");
}

bool
keyset_is_followed(const struct keyset *keyset)
{
	return keyset->followed.serial != 0;
}

bool
keyset_has(const struct keyset *keyset, int64_t version)
{
	return version >= keyset->floor && version <= keyset->next.version;
}

bool
keyset_active_or_next(const struct keyset *keyset, int64_t version)
{
	return version == keyset->active.version || version == keyset->next.version;
}

bool
keyset_mints_alike(const struct keyset *a, const struct keyset *b)
{
	return a->active.version == b->active.version && strcmp(a->base, b->base) == 0;
}

enum rjwt_err
keyset_check_key(const struct keyset *keyset, int64_t version, struct jwk *jwk)
{
	if (!keyset_has(keyset, version))
		return RJWT_KEY_UNKNOWN;
	if (keyset_active_or_next(keyset, version)) {
		/* A rotation that was never committed stamped it. */
		jwk->retired_s = jwk->until_s = jwk->revoked_s = 0;
		return RJWT_OK;
	}
	return jwk->until_s != 0 || jwk->revoked_s != 0 ? RJWT_OK : RJWT_KEYSET;
}

/* --- clocks ----------------------------------------------------------------------------------- */

/* Without /proc there is no boot id: then no two boots are equal. */
static bool
same_boot(const struct keyset *keyset, const struct rjwt_time *now)
{
	return now->boot_id[0] != '\0' && strcmp(keyset->clock.boot_id, now->boot_id) == 0;
}

/* How far the clocks have diverged since the reading in the keyset; 0 after a reboot, when this is unknown. */
static int64_t
step_s(const struct keyset *keyset, const struct rjwt_time *now)
{
	if (!same_boot(keyset, now))
		return 0;
	return (now->wall_s - keyset->clock.wall_s) - (now->boot_s - keyset->clock.boot_s);
}

/* Seconds are rounded twice, and events within one second may be dated differently: 1 s is not a step. */
int64_t
keyset_slack_s(const struct rotation_policy *policy)
{
	return policy->leeway_s > 1 ? policy->leeway_s : 1;
}

static bool
in_step(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now)
{
	int64_t step = step_s(keyset, now);

	return step <= keyset_slack_s(policy) && step >= -keyset_slack_s(policy);
}

/* How far the wall clock was set since the reading in the keyset; 0: not at all, or unknown. */
int64_t
keyset_moved_s(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now)
{
	int64_t seen = keyset->active.since_s > keyset->clock.wall_s ? keyset->active.since_s : keyset->clock.wall_s;

	if (!in_step(keyset, policy, now))
		return step_s(keyset, now);
	return now->wall_s < seen - keyset_slack_s(policy) ? now->wall_s - seen : 0;
}

bool
keyset_clock_suspect(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now,
    int64_t *by_s)
{
	int64_t by = keyset_moved_s(keyset, policy, now);

	if (by == 0 && !keyset_clock_settled(keyset, policy, now))
		by = keyset->moved_s;
	if (by_s != NULL)
		*by_s = by;
	return by != 0;
}

int64_t
keyset_in_step_s(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now)
{
	return keyset_clock_moved(keyset, policy, now) || now->boot_s < keyset->clock.boot_s
		   ? 0
		   : now->boot_s - keyset->clock.boot_s;
}

bool
keyset_clock_settled(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now)
{
	return same_boot(keyset, now) && in_step(keyset, policy, now) &&
	       now->boot_s - keyset->clock.boot_s >= policy->max_lifetime_s + policy->leeway_s;
}

static int64_t
needed_s(const struct rotation_policy *policy)
{
	return policy->max_lifetime_s + policy->leeway_s;
}

int64_t
keyset_ran_s(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now)
{
	int64_t since_s = now->boot_s - (same_boot(keyset, now) ? keyset->trial.boot_s : 0);

	/* Without a name of the boot, the same time would be counted at each reading. */
	if (now->boot_id[0] == '\0' || keyset_moved_s(keyset, policy, now) != 0)
		return 0;
	return keyset->trial.ran_s + (since_s > 0 ? since_s : 0);
}

int64_t
keyset_believed_s(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now)
{
	if (keyset_clock_settled(keyset, policy, now))
		return now->wall_s;
	if (keyset_ran_s(keyset, policy, now) < needed_s(policy))
		return 0;
	return keyset->trial.wall_s < now->wall_s ? keyset->trial.wall_s : now->wall_s;
}

int64_t
keyset_unsettled_s(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now)
{
	int64_t ran_s = keyset_ran_s(keyset, policy, now);

	if (!keyset_clock_moved(keyset, policy, now) && now->boot_s - keyset->clock.boot_s > ran_s)
		ran_s = now->boot_s - keyset->clock.boot_s;
	return ran_s < needed_s(policy) ? needed_s(policy) - ran_s : 0;
}

void
keyset_trial_at(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now,
    struct keyset *after)
{
	int64_t ran_s = keyset_ran_s(keyset, policy, now);
	bool anew = ran_s >= needed_s(policy) || now->boot_id[0] == '\0' || keyset_moved_s(keyset, policy, now) != 0;

	after->trial.wall_s = anew ? now->wall_s : keyset->trial.wall_s;
	after->trial.ran_s = anew ? 0 : ran_s;
	after->trial.boot_s = now->boot_s;
}

enum rjwt_err
keyset_clock_check(const struct rjwt_time *now, struct rjwt_diag *diag)
{
	/* Half of the exact range, so that times computed from it fit. */
	if (now->wall_s >= 0 && now->wall_s <= JSON_INTEGER_MAX / 2 && now->boot_s >= 0 &&
	    now->boot_s <= JSON_INTEGER_MAX / 2)
		return RJWT_OK;
	return diag_fail(diag, RJWT_INTERNAL, "", "the clock is before 1970 or too far in the future");
}

bool
keyset_overdue(const struct keyset *keyset, const struct rotation_policy *policy, int64_t now_s)
{
	return policy->rotate_every_s > 0 &&
	       now_s - keyset->active.since_s - policy->rotate_every_s > policy->rotate_every_s / 4 + 60;
}

/* The reading in the keyset must be replaced: after a reboot or a step. */
bool
keyset_clock_moved(const struct keyset *keyset, const struct rotation_policy *policy, const struct rjwt_time *now)
{
	return !same_boot(keyset, now) || !in_step(keyset, policy, now);
}
