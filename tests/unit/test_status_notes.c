/* SPDX-License-Identifier: MIT */
/* The notes of rjwt_status(): each once, and none is missing where memory is short. */
#include "status_world.h"

static void
set_modes(const struct fixture *f, unsigned mode)
{
	static const char *const names[] = { "spent", "issued" };
	char path[300];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->state, names[i]);
		assert_int_equal(chmod(path, mode), 0);
	}
}

/* Several about one directory are told, and what several calls come upon is told once. */
static void
test_once(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;

	move(f, "spent", "away");
	move(f, "revoked/jti", "away2");
	look(f);
	assert_int_equal(status.nnotes, 2);
	move(f, "away", "spent");
	move(f, "away2", "revoked/jti");
	set_modes(f, 0710); /* the same of two */
	look(f);
	assert_int_equal(status.nnotes, 2);
	set_modes(f, 0700);
	file_put(f, "keys/1.jwk", VIEW("torn"));
	file_put(f, "keys/2.jwk", VIEW("torn"));
	look(f);
	assert_true(status.nnotes > 0);
	for (size_t i = 0; i < status.nnotes; i++)
		for (size_t k = 0; k < i; k++)
			n += strcmp(status.notes[i].diag.path, status.notes[k].diag.path) == 0 &&
			     strcmp(status.notes[i].diag.text, status.notes[k].diag.text) == 0;
	assert_int_equal(n, 0);
	assert_int_equal(status.level, RJWT_BROKEN);
}

/* With as many findings as there can be: where memory is short nothing is told as being all. */
static void
no_memory(struct fixture *f, const char *call, bool each)
{
	struct rjwt_options options = fixture_options(f);
	unsigned turn = 1;

	for (;; turn++) {
		enum rjwt_err err;

		rjwt_status_clear(&status);
		fails(call, turn, ENOMEM);
		err = rjwt_status(&options, &status);
		if (!failed())
			break;
		if (err != RJWT_MEMORY && (each || err != RJWT_OK))
			fail_msg("%s %u: %s", call, turn, rjwt_reason(err));
	}
	assert_true(turn > 1);
	look(f);
}

static void
test_no_memory(void **state)
{
	struct fixture *f = *state;
	struct keyset keyset;
	char path[300];

	fixture_config(f, "rotate_every: 0\n");
	(void)rotate(f);
	key_stamp(f, 1, T0, T0 + 1, 0);
	keyset = keyset_get(f);
	memset(keyset.machine, 0, sizeof(keyset.machine));
	keyset.revoked = 9;
	keyset_put(f, &keyset);
	file_put(f, "keys/3.jwk", VIEW("torn"));
	snprintf(path, sizeof(path), "%s/issued", f->state);
	assert_int_equal(chmod(path, 0750), 0);
	snprintf(path, sizeof(path), "%s/private/2.key", f->state);
	assert_int_equal(chmod(path, 0640), 0);
	move(f, "spent", "away");
	probed = "keys";
	probe_error = EIO;
	clock_step(-7200);
	no_memory(f, "calloc", false); /* some are of what can be told without */
	no_memory(f, "reallocarray", true);
	assert_true(note_of("keyset.key") != NULL && note_of("keyset.mode") != NULL &&
		    note_of("keyset.marks") != NULL && note_of("keyset.machine") != NULL &&
		    note_of("disk.failed") != NULL && note_of("clock.suspect") != NULL &&
		    note_of("rotation.never") != NULL);
}

#define S(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { S(test_once), S(test_no_memory) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
