/* SPDX-License-Identifier: MIT */
/*
 * keyset.json: the input as it is, and with a sum that fits it. What is accepted is consistent, is written as it
 * was read, and every plan for it keeps the invariants of keyset.h.
 */
#include "faults.h"
#include "keyset/keyset.h"
#include "jose/alg.h"
#include "base/buf.h"
#include "jose/claims.h"
#include "base/hash.h"
#include "keyset/plan.h"

#include <stdio.h>
#include <string.h>

const char fuzz_name[] = "keyset";
enum { ACCEPTED, REFUSED, TORN, PLANNED };
const char *const fuzz_sights[] = { "accepted", "refused", "torn", "a change planned", NULL };

static void
check_keyset(const struct keyset *k)
{
	FUZZ_CHECK(k->floor >= 1 && k->floor <= k->active.version && k->active.version < k->next.version &&
		   k->next.version < k->next_version && k->next_version <= KEYSET_VERSION_MAX + 1);
	FUZZ_CHECK(keyset_base_check(view_of(k->base)) && claims_name_check(view_of(k->issuer)) &&
		   claims_name_check(view_of(k->audience)));
}

static void
check_kids(const struct keyset *k, struct view text)
{
	const int64_t versions[] = { k->floor, k->active.version, k->next.version };
	char kid[RJWT_ID_SIZE];
	int64_t version = 0;

	for (size_t i = 0; i < 3; i++) {
		keyset_kid_format(k, versions[i], kid);
		FUZZ_CHECK(keyset_kid_parse(k, view_of(kid), &version) == RJWT_OK && version == versions[i]);
	}
	/* One spelling for each. */
	if (keyset_kid_parse(k, text, &version) == RJWT_OK) {
		keyset_kid_format(k, version, kid);
		FUZZ_CHECK(view_is(text, kid));
	}
}

static void
plan_changes(const struct keyset *k, struct rest *rest)
{
	struct rotation_policy policy = { .alg = alg_by_label(VIEW("ES256")),
		.rotate_every_s = take_word(rest) * 60,
		.max_tokens = take_byte(rest),
		.previous_key_ttl_s = 86400,
		.max_lifetime_s = 3600,
		.leeway_s = take_below(rest, 2) * 30 };
	struct keyset_seen seen = { .minted = take_byte(rest),
		.first_alive = k->floor,
		.first_until_s = take_byte(rest) % 2 == 0 ? 0 : k->active.since_s + take_word(rest) };
	struct rjwt_time now = { .wall_s = k->clock.wall_s + (int64_t)take_word(rest) * 64 - 1000000,
		.boot_s = k->clock.boot_s + take_word(rest) };
	struct rjwt_diag diag = { 0 };
	const char *what = NULL;

	if (take_byte(rest) % 2 == 0)
		memcpy(now.boot_id, k->clock.boot_id, sizeof(now.boot_id));
	if (keyset_clock_check(&now, &diag) != RJWT_OK)
		return;
	for (int why = WHY_DUE; why <= WHY_BUMP; why++) {
		int64_t version = why == WHY_REVOKE_KEY ? k->floor + take_byte(rest) : k->active.version;
		struct plan plan;
		enum rjwt_err err = keyset_plan(&(struct plan_facts){ k, &policy, &seen, &now }, (enum keyset_why)why,
		    version, &plan, &diag);

		if (err != RJWT_OK) {
			FUZZ_CHECK(err == RJWT_KEYSET || err == RJWT_KEY_UNKNOWN);
			continue;
		}
		FUZZ_SAW(PLANNED);
		keyset_plan_at(&plan, k, &policy, &now);
		check_keyset(&plan.after);
		FUZZ_CHECK(plan.after.floor >= k->floor && plan.after.active.version >= k->active.version &&
			   plan.after.next_version >= k->next_version);
		/* What signs was published before, but for a compromise. */
		FUZZ_CHECK(why == WHY_COMPROMISED || plan.after.active.version == k->active.version ||
			   plan.after.active.version == k->next.version);
		FUZZ_CHECK(plan.after.active.version == k->active.version || plan.after.floor > k->active.version ||
			   plan.retire == k->active.version || plan.revoke == k->active.version);
	}
	(void)keyset_next_event(k, &policy, &seen, &now, &what);
	(void)keyset_due(k, &policy, seen.minted, now.wall_s);
	(void)keyset_overdue(k, &policy, now.wall_s);
	(void)keyset_clock_suspect(k, &policy, &now, NULL);
	(void)keyset_clock_settled(k, &policy, &now);
}

static void
read_keyset(struct view text, struct view kid, struct rest rest, bool sealed)
{
	struct keyset keyset = { .generation = -1 }, again = { 0 };
	struct rjwt_diag diag = { 0 };
	RJWT_CLEAN(buf_clear) struct buf written = { 0 };
	enum rjwt_err err = keyset_parse(text, &keyset, &diag);

	if (err != RJWT_OK) {
		FUZZ_SAW(sealed ? REFUSED : TORN);
		FUZZ_CHECK(err == RJWT_KEYSET && diag.text[0] != '\0' && keyset.generation == -1);
		return;
	}
	FUZZ_SAW(ACCEPTED);
	check_keyset(&keyset);
	FUZZ_CHECK(keyset_format(&written, &keyset) == RJWT_OK);
	FUZZ_CHECK(keyset_parse(buf_view(&written), &again, &diag) == RJWT_OK);
	FUZZ_CHECK(again.generation == keyset.generation && again.floor == keyset.floor &&
		   again.moved_s == keyset.moved_s && strcmp(again.issuer, keyset.issuer) == 0 &&
		   strcmp(again.audience, keyset.audience) == 0 && strcmp(again.machine, keyset.machine) == 0 &&
		   memcmp(&again.clock, &keyset.clock, sizeof(again.clock)) == 0);
	check_kids(&keyset, kid);
	plan_changes(&keyset, &rest);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rest rest = { data, size };
	RJWT_CLEAN(buf_clear) struct buf sealed = { 0 };
	struct view kid = take_bytes(&rest, 40), text = take_bytes(&rest, 8000);

	read_keyset(text, kid, rest, false);
	/* Without its closing brace, where it has one: the seal brings its own. */
	buf_add_view(&sealed, text);
	if (sealed.n > 0 && sealed.p[sealed.n - 1] == '}')
		sealed.n--;
	FUZZ_CHECK(seal_add(&sealed) == RJWT_OK && seal_check(buf_view(&sealed)) == RJWT_OK);
	read_keyset(buf_view(&sealed), kid, rest, true);
	return 0;
}
