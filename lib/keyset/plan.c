/* SPDX-License-Identifier: MIT */
#include "keyset/plan.h"
#include "base/datetime.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COUNT_S 600

bool
keyset_due(const struct keyset *keyset, const struct rotation_policy *policy, int64_t minted, int64_t now_s)
{
	return now_s < keyset->active.since_s ||
	       (policy->rotate_every_s > 0 && now_s - keyset->active.since_s >= policy->rotate_every_s) ||
	       (policy->max_tokens > 0 && minted >= policy->max_tokens);
}

/* Whether the oldest keys can be removed: their exp has passed, and the clock is trusted. */
static bool
floor_may_rise(const struct keyset *keyset, const struct rotation_policy *policy, const struct keyset_seen *seen,
    const struct rjwt_time *now)
{
	return seen->first_alive > keyset->floor && keyset_believed_s(keyset, policy, now) > 0;
}

/* Whether an expired key is kept only because the clock is not believed yet. */
static bool
waits_for_clock(const struct keyset *keyset, const struct rotation_policy *policy, const struct keyset_seen *seen,
    const struct rjwt_time *now)
{
	bool expired =
	    seen->first_alive > keyset->floor || (seen->first_until_s != 0 && seen->first_until_s < now->wall_s);

	return expired && !keyset_clock_settled(keyset, policy, now);
}

/*
 * Whether to record how long the machine has run: while a key waits for that, and it may be switched off at any time.
 * Often enough for boots that last less than an hour, and no more often, for it is a commit.
 */
static bool
must_count(const struct keyset *keyset, const struct rotation_policy *policy, const struct keyset_seen *seen,
    const struct rjwt_time *now)
{
	return waits_for_clock(keyset, policy, seen, now) &&
	       (now->boot_s - keyset->trial.boot_s >= COUNT_S || keyset_unsettled_s(keyset, policy, now) == 0);
}

int64_t
keyset_wake_s(const struct keyset *keyset, const struct rotation_policy *policy, const struct keyset_seen *seen,
    const struct rjwt_time *now, int64_t event_s)
{
	int64_t count_s = now->wall_s + COUNT_S;

	return waits_for_clock(keyset, policy, seen, now) && (event_s == 0 || count_s < event_s) ? count_s : event_s;
}

/* How long until hosts that follow know the next key; 0: they do, or none follow. */
static int64_t
unknown_s(const struct keyset *keyset, const struct rotation_policy *policy, int64_t now_s)
{
	int64_t out_s = now_s - policy->out_s;

	if (!policy->published)
		return 0;
	if (policy->out != keyset->next.version || out_s < 0)
		return KEYSET_OUT_S;
	return out_s < KEYSET_OUT_S ? KEYSET_OUT_S - out_s : 0;
}

int64_t
keyset_next_event(const struct keyset *keyset, const struct rotation_policy *policy, const struct keyset_seen *seen,
    const struct rjwt_time *now, const char **what)
{
	int64_t unknown = unknown_s(keyset, policy, now->wall_s), event = 0, clean = 0, settled;

	*what = "nothing";
	if (policy->rotate_every_s > 0) {
		event = keyset->active.since_s + policy->rotate_every_s;
		*what = "rotation";
		if (unknown > 0 && event < now->wall_s + unknown)
			event = now->wall_s + unknown;
	}
	/* When the oldest remaining key can be removed. */
	if (seen->first_alive > keyset->floor)
		clean = now->wall_s;
	else if (seen->first_until_s != 0)
		clean = seen->first_until_s + 1;
	if (clean != 0) {
		settled = now->wall_s + keyset_unsettled_s(keyset, policy, now);
		clean = clean < settled ? settled : clean;
		if (event == 0 || clean < event) {
			event = clean;
			*what = "clean-up";
		}
	}
	return event;
}

void
keyset_begin(struct keyset *keyset, int64_t first_version, const struct rjwt_time *now)
{
	keyset->floor = first_version;
	keyset->active.version = first_version;
	keyset->active.since_s = now->wall_s;
	keyset->next.version = first_version + 1;
	keyset->next.published_s = now->wall_s;
	keyset->next_version = first_version + 2;
	keyset->clock = *now;
	keyset->moved_s = 0;
	keyset->trial.wall_s = now->wall_s;
	keyset->trial.ran_s = 0;
	keyset->trial.boot_s = now->boot_s;
	keyset->revoked = 0;
}

/* The next key becomes active, and a new one becomes next. */
static void
promote(const struct keyset *before, struct plan *plan)
{
	plan->make = 1;
	plan->retire = before->active.version;
	plan->after.active.version = before->next.version;
	plan->after.next.version = before->next_version;
}

/* Two new keys; all earlier ones are below floor. */
static void
replace_all(const struct keyset *before, struct plan *plan)
{
	plan->make = 2;
	plan->after.active.version = before->next_version;
	plan->after.next.version = before->next_version + 1;
	plan->after.floor = plan->after.active.version;
}

static enum rjwt_err
check_known(const struct plan_facts *f, struct rjwt_diag *diag)
{
	int64_t left_s = unknown_s(f->keyset, f->policy, f->now->wall_s);

	if (left_s == 0)
		return RJWT_OK;
	return diag_fail(diag, RJWT_BUSY, "",
	    "hosts that follow may not know the next key yet: wait %" PRId64 "s, or rotate --compromised", left_s);
}

static bool
is_used_up(const struct plan_facts *f)
{
	return f->policy->max_tokens > 0 && f->seen->minted >= f->policy->max_tokens;
}

/* The count is the stronger promise: it does not wait for hosts that follow. */
static void
promote_by_count(const struct plan_facts *f, struct plan *plan)
{
	plan->early_s = unknown_s(f->keyset, f->policy, f->now->wall_s);
	promote(f->keyset, plan);
}

static void
plan_due(const struct plan_facts *f, struct plan *plan)
{
	struct keyset dated = *f->keyset;

	/* If the clock was set back, now counts as the time of the last rotation: at most rotate_every late. */
	if (f->now->wall_s < dated.active.since_s)
		dated.active.since_s = f->now->wall_s;
	plan->by_count = !keyset_due(&dated, f->policy, 0, f->now->wall_s);
	if (is_used_up(f))
		promote_by_count(f, plan);
	else if (!plan->by_count && unknown_s(f->keyset, f->policy, f->now->wall_s) == 0)
		promote(f->keyset, plan);
}

static enum rjwt_err
plan_revoke_key(const struct plan_facts *f, int64_t version, struct plan *plan, struct rjwt_diag *diag)
{
	const struct keyset *before = f->keyset;

	if (!keyset_has(before, version))
		return diag_fail(diag, RJWT_KEY_UNKNOWN, "",
		    "version %" PRId64 " is not a key of this keyset that still verifies", version);
	plan->revoke = version;
	if (version == before->active.version) {
		RJWT_TRY(check_known(f, diag));
		promote(before, plan);
	} else if (version == before->next.version) {
		plan->make = 1;
		plan->after.next.version = before->next_version;
	}
	return RJWT_OK;
}

/* What changes, except for dates. */
static enum rjwt_err
plan_versions(const struct plan_facts *f, int64_t version, struct plan *plan, struct rjwt_diag *diag)
{
	const struct keyset *before = f->keyset;

	switch (plan->why) {
	case WHY_DUE:
		plan_due(f, plan);
		return RJWT_OK;
	case WHY_MANUAL:
	case WHY_TOKEN_LIMIT:
		plan->raced = before->active.version != version;
		if (plan->raced)
			return RJWT_OK;
		if (plan->why == WHY_MANUAL)
			RJWT_TRY(check_known(f, diag));
		promote_by_count(f, plan);
		return RJWT_OK;
	case WHY_REVOKE_KEY:
		return plan_revoke_key(f, version, plan, diag);
	case WHY_REVOKE_USER:
		promote(before, plan);
		return RJWT_OK;
	case WHY_REVOKE_ALL:
		RJWT_TRY(check_known(f, diag));
		promote(before, plan);
		plan->after.floor = plan->after.active.version;
		return RJWT_OK;
	case WHY_COMPROMISED:
		replace_all(before, plan);
		return RJWT_OK;
	case WHY_BUMP:
		return RJWT_OK;
	}
	return RJWT_INTERNAL;
}

enum rjwt_err
keyset_plan(const struct plan_facts *f, enum keyset_why why, int64_t version, struct plan *plan, struct rjwt_diag *diag)
{
	const struct keyset *keyset = f->keyset;
	const struct rjwt_time *now = f->now;

	*plan = (struct plan){ .why = why, .after = *keyset };
	RJWT_TRY(keyset_clock_check(now, diag));
	if (floor_may_rise(keyset, f->policy, f->seen, now))
		plan->after.floor = f->seen->first_alive;
	RJWT_TRY(plan_versions(f, version, plan, diag));
	if (keyset->machine[0] == '\0')
		memcpy(plan->after.machine, f->seen->machine, sizeof(plan->after.machine));
	plan->after.configured = keyset->configured || f->policy->configured;
	plan->after.next_version = keyset->next_version + plan->make;
	if (plan->after.next_version > KEYSET_VERSION_MAX + 1)
		return diag_fail(diag, RJWT_KEYSET, "", "all key versions are used up");
	plan->any = plan->make > 0 || plan->revoke != 0 || why == WHY_BUMP || now->wall_s < keyset->active.since_s ||
		    plan->after.floor != keyset->floor || keyset_clock_moved(keyset, f->policy, now) ||
		    strcmp(plan->after.machine, keyset->machine) != 0 || plan->after.configured != keyset->configured;
	plan->counts = !plan->any && must_count(keyset, f->policy, f->seen, now);
	keyset_plan_at(plan, keyset, f->policy, now);
	return RJWT_OK;
}

static void RJWT_PRINTF(2, 3) add(struct rjwt_change *change, const char *fmt, ...)
{
	char part[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(part, sizeof(part), fmt, args);
	va_end(args);
	text_append(change->text, sizeof(change->text), ", ", "%s", part);
}

/* Why something was done, or why nothing was. */
static void
describe_reason(struct plan *plan, const struct keyset *before)
{
	char kid[RJWT_ID_SIZE];

	if (plan->raced)
		add(&plan->change, "another rotation came first");
	else if (plan->why == WHY_REVOKE_ALL)
		add(&plan->change, "earlier tokens no longer verify");
	else if (plan->why == WHY_COMPROMISED)
		add(&plan->change, "all keys are replaced, earlier tokens no longer verify");
	else if (plan->revoke != 0) {
		keyset_kid_format(before, plan->revoke, kid);
		add(&plan->change, "%.42s is revoked", kid);
	} else if (plan->make == 0 && plan->after.floor != before->floor)
		add(&plan->change, "keys below version %" PRId64 " are removed", plan->after.floor);
	else if (plan->make == 0 && strcmp(plan->after.machine, before->machine) != 0)
		add(&plan->change, "recorded the machine id");
	else if (plan->make == 0 && plan->after.configured != before->configured)
		add(&plan->change, "recorded that a configuration file is used");
	else if (plan->why == WHY_DUE && plan->make == 0)
		add(&plan->change, plan->any ? "recorded the clock change" : "nothing was due");
}

static void
describe_plan(struct plan *plan, const struct keyset *before, const struct rotation_policy *policy)
{
	struct rjwt_change *change = &plan->change;
	char kid[RJWT_ID_SIZE], until[32];

	*change = (struct rjwt_change){ .any = plan->any,
		.retired_version = plan->retire,
		.rotated = plan->after.active.version != before->active.version,
		.made_version = plan->make > 0 ? plan->after.next.version : 0 };
	keyset_kid_format(&plan->after, plan->after.active.version, change->kid);
	describe_reason(plan, before);
	add(change, "%.42s %s", change->kid, change->rotated ? "signs now" : plan->raced ? "signs" : "still signs");
	if (plan->retire != 0 && plan->retire != plan->revoke && plan->retire >= plan->after.floor) {
		keyset_kid_format(before, plan->retire, kid);
		time_format(until, plan->stamp.until_s);
		add(change, "%.42s verifies until %s", kid, until);
	}
	if (plan->make > 0) {
		keyset_kid_format(&plan->after, plan->after.next.version, kid);
		add(change, "%.42s (%s) is next", kid, policy->alg->label);
	}
}

void
keyset_plan_at(struct plan *plan, const struct keyset *before, const struct rotation_policy *policy,
    const struct rjwt_time *now)
{
	int64_t by_s = keyset_moved_s(before, policy, now);
	bool rotates = plan->after.active.version != before->active.version;
	char amount[32];

	/* Also if the clock was set back only while a key was created. */
	plan->restamp = plan->restamp || now->wall_s < before->active.since_s;
	plan->after.active.since_s =
	    rotates || now->wall_s < before->active.since_s ? now->wall_s : before->active.since_s;
	plan->after.next.published_s = plan->make > 0 ? now->wall_s : before->next.published_s;
	if (plan->retire != 0) {
		plan->stamp.retired_s = now->wall_s;
		plan->stamp.until_s = now->wall_s + policy->previous_key_ttl_s;
	}
	plan->revoked_s = now->wall_s > 0 ? now->wall_s : 1; /* 0 would mean: not revoked */
	plan->after.clock = keyset_clock_moved(before, policy, now) ? *now : before->clock;
	plan->after.moved_s = keyset_clock_moved(before, policy, now) ? by_s : before->moved_s;
	keyset_trial_at(before, policy, now, &plan->after);
	describe_plan(plan, before, policy);
	plan->clock_by_s = by_s;
	if (plan->early_s > 0)
		text_append(plan->change.warning, sizeof(plan->change.warning), "; ",
		    "the keys rotate faster than hosts follow: a host that does not know this key yet rejects "
		    "new tokens, for up to %" PRId64 "s",
		    plan->early_s);
	if (by_s == 0)
		return;
	duration_format(amount, by_s);
	text_append(plan->change.warning, sizeof(plan->change.warning), "; ", "clock suspect: it went %s by %s",
	    by_s < 0 ? "back" : "forward", amount);
}

void
keyset_name_users(const char *const *users, char names[static KEYSET_NAMES_SIZE])
{
	names[0] = '\0';
	for (size_t i = 0; users != NULL && users[i] != NULL && i < 4; i++)
		text_append(names, KEYSET_NAMES_SIZE, i == 3 || users[i + 1] == NULL ? " and " : ", ", "%.32s",
		    i == 3 ? "others" : users[i]);
}
