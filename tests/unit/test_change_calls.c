/* SPDX-License-Identifier: MIT */
/*
 * change.c where a part that it calls fails, or another directory takes the place of the one that is locked: what it says,
 * and what it does not go on with.
 */
#include "change_world.h"

static const char *const alice[] = { "alice", NULL };
static const struct change_request by_hand = { .why = WHY_MANUAL, .version = 1 }, due = { .why = WHY_DUE };
static const struct change_request of_user = { .why = WHY_REVOKE_USER, .users = alice },
				   all = { .why = WHY_REVOKE_ALL };
static const struct change_request of_key = { .why = WHY_REVOKE_KEY, .version = 1 };
static const struct change_request of_token = { .why = WHY_BUMP, .jti = "a1" };

/* --- the lock --------------------------------------------------------------------------------- */

/* A revocation by root ends who holds the lock too long; nobody else does, and nothing else. */
static void
urgent(uid_t uid)
{
	static const struct {
		struct change_request request;
		bool urgent;
	} rows[] = { { { .why = WHY_DUE }, false }, { { .why = WHY_MANUAL, .version = 1 }, false },
		{ { .why = WHY_TOKEN_LIMIT, .version = 2 }, false }, { { .why = WHY_REVOKE_KEY, .version = 1 }, true },
		{ { .why = WHY_REVOKE_USER, .users = alice }, true }, { { .why = WHY_REVOKE_ALL }, true },
		{ { .why = WHY_COMPROMISED }, true }, { { .why = WHY_BUMP, .jti = "a1" }, true } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char label[32];

		snprintf(label, sizeof(label), "row %zu", i);
		now.flags = -1;
		want(label, change(&rows[i].request, 0), RJWT_OK);
		assert_int_equal(now.flags, rows[i].urgent && uid == 0 ? LOCK_END : 0);
		assert_true(now.taken > 0 && now.given == now.taken && now.drops > 0);
		assert_string_equal(now.change.warning, "");
	}
}

static void
test_urgent(void **state)
{
	(void)state;
	urgent(geteuid());
	if (geteuid() != 0)
		return;
	(void)teardown(state);
	assert_int_equal(seteuid(65534), 0);
	(void)setup(state);
	urgent(65534);
	(void)teardown(state);
	assert_int_equal(seteuid(0), 0);
	(void)setup(state);
}

static void
test_ended(void **state)
{
	(void)state;
	now.ended = "process 7 (sleeper)";
	want("revoke", change(&all, 0), RJWT_OK);
	assert_string_equal(now.change.warning, "ended process 7 (sleeper), which held the lock for more than 20s");
}

/* What is built on is made durable first. */
static void
test_synced(void **state)
{
	char keys[300], private[300];

	(void)state;
	snprintf(keys, sizeof(keys), "%s/keys", now.f->state);
	snprintf(private, sizeof(private), "%s/private", now.f->state);
	want("rotate", change(&by_hand, 0), RJWT_OK);
	assert_string_equal(now.synced[0], now.f->state);
	assert_string_equal(now.synced[1], keys);
	assert_string_equal(now.synced[2], private);
	assert_true(now.dropped_before && now.dropped);
	assert_int_equal(now.taken, 1); /* what it takes was made before */
}

/* --- another directory ------------------------------------------------------------------------ */

static unsigned copies;
static const char *again; /* the call before which it happens once more */

/* A copy of the directory takes its place. */
static void
replace(void)
{
	char command[800];

	snprintf(command, sizeof(command), "mv '%s' '%s.%u' && cp -a '%s.%u' '%s'", now.f->state, now.f->state, copies,
	    now.f->state, copies, now.f->state);
	assert_int_equal(system(command), 0);
	copies++;
	if (again != NULL)
		plan = (typeof(plan)){ .name = again, .turn = 1, .instead = replace };
}

static void
test_replaced_once(void **state)
{
	struct keyset old;
	char path[300];

	(void)state;
	copies = 0;
	again = NULL;
	fails("lock_take", 1, 0);
	plan.instead = replace;
	want("rotate", change(&by_hand, 0), RJWT_OK);
	assert_true(failed());
	assert_int_equal(now.taken, 2);
	assert_int_equal(now.given, 2);
	assert_int_equal(keyset_get(now.f).active.version, 2);
	snprintf(path, sizeof(path), "%s.0", now.f->state);
	snprintf(now.f->state, sizeof(now.f->state), "%.150s", path);
	old = keyset_get(now.f);
	now.f->state[strlen(now.f->state) - 2] = '\0';
	assert_int_equal(old.active.version, 1);
}

static void
test_replaced_each_time(void **state)
{
	(void)state;
	copies = 0;
	again = "lock_take";
	fails("lock_take", 1, 0);
	plan.instead = replace;
	want("rotate", change(&by_hand, 0), RJWT_BUSY);
	(void)failed();
	assert_string_equal(now.diag.text, "keeps being replaced");
	assert_string_equal(now.diag.path, now.f->state);
	assert_int_equal(now.taken, 10);
	assert_int_equal(now.given, 10);
	assert_int_equal(keyset_get(now.f).active.version, 1);
}

/* After the lock was taken: what is written would not be under it. */
static void
test_replaced_meanwhile(void **state)
{
	(void)state;
	copies = 0;
	again = NULL;
	fails("commit_publish", 2, 0); /* the first reserves versions */
	plan.instead = replace;
	want("rotate", change(&by_hand, 0), RJWT_BUSY);
	assert_true(failed());
	assert_string_equal(now.diag.text, "was replaced meanwhile; run the command again");
	assert_string_equal(now.diag.path, now.f->state);
	assert_int_equal(keyset_get(now.f).active.version, 1);
	want("again", change(&by_hand, 0), RJWT_OK);
	assert_int_equal(keyset_get(now.f).active.version, 2);
}

static void
replace_and_look(void)
{
	replace();
	want("look", store_load(now.store, NULL), RJWT_OK);
}

/* Before anything was written: by what looks whether it may be. */
static void
test_replaced_before(void **state)
{
	(void)state;
	copies = 0;
	again = NULL;
	fails("store_check_writable", 1, 0);
	plan.instead = replace_and_look;
	want("rotate", change(&by_hand, 0), RJWT_BUSY);
	assert_true(failed());
	assert_string_equal(now.diag.text, "was replaced meanwhile; run the command again");
	assert_int_equal(keyset_get(now.f).next_version, 3); /* none was reserved */
}

/* --- parts that fail -------------------------------------------------------------------------- */

#define INCOMPLETE ". The revocation is recorded but incomplete; run it again"

static void
test_parts(void **state)
{
	static const struct {
		const struct change_request *request;
		const char *call;
		unsigned turn;
		enum rjwt_err wanted;
		const char *where, *what, *says; /* says: of a success, the warning */
		bool rotated;
	} rows[] = { { &by_hand, "store_load", 1, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "store_load", 2, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "store_load", 3, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "store_load", 4, RJWT_KEYSET, "/a", "planned", "planned", true },
		{ &of_user, "store_load", 5, RJWT_KEYSET, "/a", "planned", "planned", true },
		{ &by_hand, "lock_take", 1, RJWT_BUSY, "/a", "planned", "planned", false },
		{ &by_hand, "commit_make_keys", 1, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "dir_open_at", 1, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "dir_sync", 1, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "dir_sync", 2, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "dir_sync", 3, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "store_check_writable", 1, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "recover", 1, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "keyset_clock_check", 1, RJWT_OK, "/a", "planned", "", true },
		{ &by_hand, "keyset_clock_check", 3, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "keyset_clock_check", 4, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "commit_stage", 1, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "commit_publish", 1, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "commit_stage", 2, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "commit_publish", 2, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &of_user, "commit_stage", 3, RJWT_KEYSET, "/a", "planned", "planned", true },
		{ &of_user, "commit_publish", 3, RJWT_KEYSET, "/a", "planned", "planned", true },
		{ &of_user, "mark_revoke_user", 1, RJWT_KEYSET, "/a", "planned", "planned", true },
		{ &of_token, "mark_revoke_jti", 1, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "store_can_sign", 1, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "store_usage", 1, RJWT_OK, "/a", "planned", "", true }, /* looks ahead, without the lock */
		{ &by_hand, "store_usage", 2, RJWT_KEYSET, "/a", "planned", "planned", false },
		{ &by_hand, "store_usage", 3, RJWT_OK, "/a", "planned", "", true }, /* what is next is told by less */
		{ &by_hand, "marks_hide", 1, RJWT_OK, "/a", "planned", "cannot remove old marks: /a: planned", true },
		{ &by_hand, "marks_prune", 1, RJWT_OK, "/a", "planned", "cannot remove old marks: /a: planned", true },
		{ &by_hand, "marks_prune", 2, RJWT_OK, "", "planned", "cannot remove old marks: planned", true },
		{ &by_hand, "issued_prune", 1, RJWT_OK, "/a", "planned", "cannot remove old records: /a: planned",
		    true },
		{ &by_hand, "parked_prune", 1, RJWT_OK, "/a", "planned", "cannot remove old parked tokens: /a: planned",
		    true },
		{ &by_hand, "recover", 2, RJWT_OK, "/a", "planned", "clean-up failed: /a: planned", true },
		{ &by_hand, "recover", 2, RJWT_OK, "", "planned", "clean-up failed: planned", true },
		{ &by_hand, "recover", 2, RJWT_OK, "/a", "", "clean-up failed: /a: the keyset is not usable", true },
		{ &all, "recover", 2, RJWT_KEYSET, "/a", "planned", "planned" INCOMPLETE, true },
		{ &all, "recover", 2, RJWT_KEYSET, "/a", "", "the keyset is not usable" INCOMPLETE, true },
		{ &by_hand, "codes_end", 1, RJWT_OK, "/a", "planned", "clean-up failed: /a: planned", true },
		{ &all, "codes_end", 1, RJWT_KEYSET, "/a", "planned", "planned" INCOMPLETE, true },
		{ &of_key, "recover", 2, RJWT_KEYSET, "/a", "planned", "planned" INCOMPLETE, true },
		{ &of_token, "recover", 2, RJWT_KEYSET, "/a", "planned", "planned" INCOMPLETE, false } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char label[64];
		enum rjwt_err err;

		(void)teardown(state);
		(void)setup(state);
		planned.path = rows[i].where;
		planned.text = rows[i].what;
		snprintf(label, sizeof(label), "row %zu: %s %u", i, rows[i].call, rows[i].turn);
		fails(rows[i].call, rows[i].turn, 0);
		err = change(rows[i].request, 0);
		if (!failed())
			fail_msg("%s did not fail", label);
		want(label, err, rows[i].wanted);
		if (strcmp(err == RJWT_OK ? now.change.warning : now.diag.text, rows[i].says) != 0)
			fail_msg("%s: \"%s\"", label, err == RJWT_OK ? now.change.warning : now.diag.text);
		if ((keyset_get(now.f).active.version == 2) != rows[i].rotated)
			fail_msg("%s: the key that signs", label);
		assert_int_equal(now.given, now.taken);
		assert_true(now.drops > 0);
		open_store();
		want(label, change(&due, 0), RJWT_OK);
	}
}

static void
pass_a_day(void)
{
	clock_run(DAY);
}

/* What was not due before the lock was won, and is now: the lock is given back while a key is made. */
static void
test_due_meanwhile(void **state)
{
	(void)state;
	fails("lock_take", 1, 0);
	plan.instead = pass_a_day;
	want("maintain", change(&due, 0), RJWT_OK);
	assert_true(failed());
	assert_int_equal(now.taken, 2);
	assert_int_equal(now.given, 2);
	assert_int_equal(keyset_get(now.f).active.version, 2);
}

/* What is next is told by what is there after the change; of that which cannot be looked at, nothing. */
static void
test_next_event(void **state)
{
	enum rjwt_err err;

	(void)state;
	now.policy.rotate_every_s = 0;
	want("rotate", change(&by_hand, 0), RJWT_OK);
	assert_true(now.change.next_event_s > clock_time.wall_s);
	fails("store_usage", 3, 0);
	err = change(&(struct change_request){ .why = WHY_MANUAL, .version = 2 }, 0);
	assert_true(failed());
	want("rotate", err, RJWT_OK);
	assert_int_equal(now.change.next_event_s, 0);
}

/* Warnings of the plan, and of what failed, one after the other. */
static void
test_warnings(void **state)
{
	(void)state;
	clock_step(-7200);
	want("back", change(&due, 0), RJWT_OK);
	assert_string_equal(now.change.warning, "clock suspect: it went back by 2h");
	clock_step(-7200);
	fails("issued_prune", 1, 0);
	want("back again", change(&due, 0), RJWT_OK);
	assert_true(failed());
	assert_string_equal(now.change.warning,
	    "clock suspect: it went back by 2h; cannot remove old records: /a/path: planned");
}

/* Looking ahead refuses what the change would. */
static void
test_dry(void **state)
{
	static const char *const calls[] = { "store_load", "store_check_writable", "store_usage", "store_can_sign" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		enum rjwt_err err;

		fails(calls[i], 1, 0);
		err = change(&by_hand, RJWT_DRY_RUN);
		assert_true(failed());
		want(calls[i], err, RJWT_KEYSET);
	}
	want("twin", change(&by_hand, RJWT_DRY_RUN), RJWT_OK);
	assert_true(now.taken == 0 && keyset_get(now.f).active.version == 1);
}

#define C(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { C(test_urgent), C(test_ended), C(test_synced), C(test_replaced_once),
		C(test_replaced_each_time), C(test_replaced_meanwhile), C(test_replaced_before), C(test_parts),
		C(test_due_meanwhile), C(test_next_event), C(test_warnings), C(test_dry) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
