/* SPDX-License-Identifier: MIT */
/* What a change says of itself: whole sentences, next to the facts that they tell. plan.c's are in test_plan.c. */
#include "fixture.h"
#include "base/datetime.h"

#include <stdio.h>

static void
says(const char *label, const struct rjwt_change *change, const char *text)
{
	if (strcmp(change->text, text) != 0)
		fail_msg("%s: \"%s\"", label, change->text);
	if (change->warning[0] != '\0')
		fail_msg("%s: warns \"%s\"", label, change->warning);
}

static struct rjwt_change
revoked(struct fixture *f, const struct rjwt_revocation *what)
{
	struct rjwt_change change;

	want("revoke", rjwt_revoke(f->h, what, 0, &change, &f->diag), RJWT_OK);
	return change;
}

static void
test_jti(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	struct rjwt_change change = revoked(f, &(struct rjwt_revocation){ .jti = "a1" });

	says("jti", &change, "the token a1 is revoked, B.1 still signs");
	assert_true(change.any && !change.rotated && change.made_version == 0 && change.retired_version == 0);
	assert_string_equal(change.kid, "B.1");
	assert_int_equal(keyset_get(f).active.version, 1);
	assert_int_equal(keyset_get(f).revoked, 1);
	want("revoked", judge(f, token, 0, NULL), RJWT_REVOKED);
}

/* Up to three are named; all are revoked. */
static void
test_users(void **state)
{
	static const struct {
		const char *users[6], *names;
	} rows[] = { { { "alice" }, "alice" }, { { "alice", "bob" }, "alice and bob" },
		{ { "alice", "bob", "carol" }, "alice, bob and carol" },
		{ { "alice", "bob", "carol", "dave" }, "alice, bob, carol and others" },
		{ { "dave", "carol", "bob", "eve", "alice" }, "dave, carol, bob and others" } };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t version = keyset_get(f).active.version;
		RJWT_CLEAN(free_clean) char *token = minted(f, "alice");
		struct rjwt_change change = revoked(f, &(struct rjwt_revocation){ .users = rows[i].users });
		char text[512], until[32];

		time_format(until, T0 + DAY);
		snprintf(text, sizeof(text),
		    "all earlier tokens of %s are revoked, B.%d signs now, B.%d verifies until %s, B.%d (ES256) is "
		    "next",
		    rows[i].names, (int)version + 1, (int)version, until, (int)version + 2);
		says(rows[i].names, &change, text);
		assert_true(change.any && change.rotated);
		assert_int_equal(change.retired_version, version);
		assert_int_equal(change.made_version, version + 2);
		assert_int_equal(keyset_get(f).active.version, version + 1);
		want(rows[i].names, judge(f, token, 0, NULL), RJWT_REVOKED);
	}
}

/* What is done because something was left is told; where there is nothing, that is. */
static void
test_left(void **state)
{
	struct fixture *f = *state;
	struct rjwt_change change = tick(f);

	says("nothing", &change, "nothing was due, B.1 still signs");
	assert_false(change.any);
	file_put(f, "keys/.new.7.jwk", VIEW("torn"));
	change = tick(f);
	says("left", &change, "removed what a crash had left, B.1 still signs");
	assert_true(change.any && !change.rotated);
	file_put(f, "keys/.new.7.jwk", VIEW("torn"));
	change = rotate(f);
	assert_non_null(strstr(change.text, "B.2 signs now, B.1 verifies until "));
	assert_null(strstr(change.text, "crash"));
}

static struct rjwt_token
code_for(struct fixture *f)
{
	static const char *const ssh[] = { "ssh", NULL };
	struct rjwt_token token;

	want("code",
	    rjwt_mint(f->h,
		&(struct rjwt_request){ .user = "alice",
		    .scope = ssh,
		    .by = "root",
		    .code_until_s = clock_time.wall_s + 30 * DAY,
		    .flags = RJWT_PARK },
		&token, &f->diag),
	    RJWT_OK);
	return token;
}

/* The next event is the earlier of two: a code that has to be renewed, or a key. */
static void
test_codes(void **state)
{
	struct fixture *f = fixture_new("codes: [ssh]\n");
	struct rjwt_token tokens[2] = { code_for(f), code_for(f) };
	struct rjwt_change change = tick(f);
	int64_t due_s = change.next_event_s;

	(void)state;
	says("nothing", &change, "nothing was due, B.1 still signs");
	assert_true(due_s > clock_time.wall_s && due_s < tokens[0].exp_s);
	fixture_config(f, "codes: [ssh]\nrotate_every: 0\n");
	assert_int_equal(tick(f).next_event_s, due_s);
	fixture_config(f, "codes: [ssh]\nrotate_every: 10m\n");
	assert_int_equal(tick(f).next_event_s, T0 + 600);
	fixture_config(f, "codes: [ssh]\n");
	clock_run(due_s - clock_time.wall_s);
	change = tick(f);
	says("two", &change, "renewed 2 codes, removed 0, B.1 still signs");
	assert_true(change.any && !change.rotated && change.next_event_s > due_s);
	clock_run(change.next_event_s - clock_time.wall_s);
	change = rotate(f);
	assert_null(strstr(change.text, "code"));
	assert_non_null(strstr(change.text, "B.2 signs now"));
	rjwt_token_clear(&tokens[0]);
	rjwt_token_clear(&tokens[1]);
	fixture_free(f);
}

/* One code of which the token was used is removed, and the other renewed. */
static void
test_one_code(void **state)
{
	struct fixture *f = fixture_new("codes: [ssh]\n");
	struct rjwt_token used = code_for(f), other = code_for(f);
	RJWT_CLEAN(free_clean) char *token = NULL;
	struct rjwt_change change;

	(void)state;
	want("look up", rjwt_parked(f->h, used.code, strlen(used.code), &token, &f->diag), RJWT_OK);
	want("used", judge(f, token, 0, NULL), RJWT_OK);
	clock_run(tick(f).next_event_s - clock_time.wall_s);
	change = tick(f);
	says("one", &change, "renewed 1 code, removed 0, B.1 still signs");
	rjwt_token_clear(&used);
	rjwt_token_clear(&other);
	fixture_free(f);
}

static void
test_init(void **state)
{
	struct fixture *f = fixture_bare("base_kid: B\nissuer: i.example\naudience: host.example\nrotate_every: 1h\n");
	struct rjwt_options options = fixture_options(f);
	struct rjwt_change change;
	char text[512];

	(void)state;
	want("init", rjwt_init(&options, 0, &change, &f->diag), RJWT_OK);
	snprintf(text, sizeof(text), "created a keyset for host.example in %.64s: B.1 signs now", f->state);
	assert_string_equal(change.text, text);
	assert_true(change.any && !change.rotated);
	assert_int_equal(change.made_version, 2);
	assert_string_equal(change.kid, "B.1");
	assert_int_equal(change.next_event_s, clock_time.wall_s + 3600);
	want("again", rjwt_init(&options, 0, &change, &f->diag), RJWT_EXISTS);
	assert_string_equal(f->diag.text, "already has a keyset");
	want("another base", fixture_try(f, "base_kid: C\nrotate_every: 0s\n", &f->h), RJWT_OK);
	want("adopt", rjwt_init(&options, RJWT_ADOPT, &change, &f->diag), RJWT_OK);
	snprintf(text, sizeof(text),
	    "adopted the keyset for host.example in %.64s: C.3 signs now, earlier tokens no longer verify", f->state);
	assert_string_equal(change.text, text);
	assert_true(change.any && change.rotated);
	assert_int_equal(change.made_version, 4);
	assert_int_equal(change.next_event_s, 0);
	fixture_free(f);
}

/* A dry run says the same, and does nothing. */
static void
test_dry(void **state)
{
	struct fixture *f = *state;
	struct rjwt_change dry, done;
	char before[DIGEST_HEX], after[DIGEST_HEX];

	state_digest(f, before);
	want("dry", rjwt_rotate(f->h, RJWT_DRY_RUN, &dry, &f->diag), RJWT_OK);
	state_digest(f, after);
	assert_string_equal(before, after);
	done = rotate(f);
	assert_string_equal(dry.text, done.text);
	assert_string_equal(dry.kid, done.kid);
	assert_true(dry.any && dry.rotated && dry.made_version == done.made_version);
}

/* --- a fleet ---------------------------------------------------------------------------------- */

/* There a name is denied until a time, and the key stays. */
static void
test_denied(void **state)
{
	static const char *const users[] = { "alice", "bob", "carol", "dave", NULL };
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	struct rjwt_change change;
	struct rjwt_fleet fleet;
	char text[512], until[32];

	fleet = fixture_issuer(f);
	assert_true(fleet.changed && fleet.made_keys && fleet.serial > 0);
	change = revoked(f, &(struct rjwt_revocation){ .jti = "a9" });
	says("jti", &change, "the token a9 is denied in this fleet");
	want("another", judge(f, token, 0, NULL), RJWT_OK);
	want("dry", rjwt_revoke(f->h, &(struct rjwt_revocation){ .users = users }, RJWT_DRY_RUN, &change, &f->diag),
	    RJWT_OK);
	says("dry", &change, "tokens of alice, bob, carol and others minted until now are denied in this fleet");
	want("dry", judge(f, token, 0, NULL), RJWT_OK);
	change = revoked(f, &(struct rjwt_revocation){ .users = users });
	time_format(until, T0 + 30); /* the leeway */
	snprintf(text, sizeof(text), "tokens of alice, bob, carol and others minted until %s are denied in this fleet",
	    until);
	says("users", &change, text);
	assert_int_equal(keyset_get(f).active.version, 1);
	want("denied", judge(f, token, 0, NULL), RJWT_DENIED);
}

#define F(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { F(test_jti), F(test_users), F(test_left), cmocka_unit_test(test_codes),
		cmocka_unit_test(test_one_code), cmocka_unit_test(test_init), F(test_dry), F(test_denied) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
