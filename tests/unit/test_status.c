/* SPDX-License-Identifier: MIT */
/* What rjwt_status() says of a host's own keyset: each finding by what there is, with its code and level, and its twin. */
#include "status_world.h"

/* The only note, and it decides the level; code NULL: there is none. text NULL: any. */
static void
only(struct fixture *f, const char *label, const char *code, enum rjwt_note_level level, const char *text)
{
	look(f);
	if (status.nnotes != (code == NULL ? 0 : 1))
		fail_msg("%s: %zu notes, %s \"%s\"", label, status.nnotes,
		    status.nnotes > 0 ? status.notes[0].code : "", status.nnotes > 0 ? status.notes[0].diag.text : "");
	assert_int_equal(status.level, code == NULL ? RJWT_NOTE : level);
	if (code == NULL)
		return;
	if (strcmp(status.notes[0].code, code) != 0 || status.notes[0].level != level ||
	    (text != NULL && strcmp(status.notes[0].diag.text, text) != 0))
		fail_msg("%s: %s %d \"%s\"", label, status.notes[0].code, status.notes[0].level,
		    status.notes[0].diag.text);
}

/* --- files ------------------------------------------------------------------------------------ */

static void
set_mode(const struct fixture *f, const char *name, unsigned mode)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", f->state, name);
	assert_int_equal(chmod(path, mode), 0);
}

/* What its owner alone may see: by the group, or by others. */
static void
test_modes(void **state)
{
	static const struct {
		const char *name;
		unsigned bad, good;
		const char *says;
	} rows[] = { { "spent", 0710, 0700, "accessible to its group or to others (chmod go-rwx)" },
		{ "issued", 0701, 0700, "accessible to its group or to others (chmod go-rwx)" },
		{ "private/1.key", 0640, 0600,
		    "accessible to its group or to others (chmod go-rwx; if somebody may have read it, run rjwt-keyd "
		    "rotate --compromised)" },
		{ "private/2.key", 0604, 0600,
		    "accessible to its group or to others (chmod go-rwx; if somebody may have read it, run rjwt-keyd "
		    "rotate --compromised)" } };
	struct fixture *f = *state;
	char path[300];

	only(f, "twin", NULL, 0, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		set_mode(f, rows[i].name, rows[i].bad);
		look(f);
		if (note_of("keyset.mode") == NULL || strcmp(note_of("keyset.mode")->diag.text, rows[i].says) != 0)
			fail_msg("%s", rows[i].name);
		snprintf(path, sizeof(path), "%s/%s", f->state, rows[i].name);
		assert_string_equal(note_of("keyset.mode")->diag.path, path);
		assert_int_equal(status.level, RJWT_BROKEN);
		set_mode(f, rows[i].name, rows[i].good);
		only(f, rows[i].name, NULL, 0, NULL);
	}
	set_mode(f, "private/1.minted", 0644); /* no secret */
	only(f, "no key", NULL, 0, NULL);
}

static void
test_folders(void **state)
{
	static const char *const names[] = { "spent", "revoked/jti", "revoked/sub" };
	struct fixture *f = *state;
	char text[128];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		move(f, names[i], "away");
		snprintf(text, sizeof(text), "%s is missing: its marks are lost (run rjwt-keyd init --adopt)",
		    names[i]);
		only(f, names[i], "keyset.marks", RJWT_BROKEN, text);
		move(f, "away", names[i]);
		only(f, names[i], NULL, 0, NULL);
	}
}

/* What cannot be written, and what fails by it. */
static void
test_writing(void **state)
{
	static const struct {
		const char *name;
		int error;
		bool no_inodes;
		const char *code, *says;
	} rows[] = { { "state", EROFS, false, "disk.readonly", "no rotation and no revocation" },
		{ "keys", ENOSPC, false, "disk.full", "no rotation" },
		{ "private", ENOSPC, true, "disk.inodes", "no rotation" },
		{ "jti", EDQUOT, true, "disk.full", "no token can be revoked" },
		{ "sub", EDQUOT, false, "disk.full", "no user's tokens can be revoked" },
		{ "spent", EIO, true, "disk.failed", "no login with a one-time token" },
		{ "issued", EIO, false, "disk.failed", "no record of minted tokens" } };
	struct fixture *f = *state;
	char text[200];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		probed = rows[i].name;
		probe_error = rows[i].error;
		no_inodes = rows[i].no_inodes;
		snprintf(text, sizeof(text), "cannot write: %s: %s", strerrordesc_np(rows[i].error), rows[i].says);
		only(f, rows[i].name, rows[i].code, RJWT_BROKEN, text);
	}
	probed = "keys";
	probe_error = EACCES;
	only(f, "who may not", geteuid() == 0 ? "disk.failed" : NULL, RJWT_BROKEN, NULL);
	probe_error = 0;
	only(f, "twin", NULL, 0, NULL);
}

/* --- keys ------------------------------------------------------------------------------------- */

static void
test_keys(void **state)
{
	struct fixture *f = *state;

	(void)rotate(f);
	file_gone(f, "keys/1.jwk"); /* it verifies nothing, and that is all */
	look(f);
	assert_int_equal(status.nkeys, 2);
	assert_int_equal(status.nnotes, 0);
	file_put(f, "keys/1.jwk", VIEW("torn"));
	only(f, "torn", "keyset.key", RJWT_BROKEN, NULL);
	file_gone(f, "keys/1.jwk");
	file_gone(f, "keys/3.jwk");
	look(f);
	assert_non_null(note_of("keyset.key"));
	assert_int_equal(status.level, RJWT_BROKEN);
	assert_int_equal(status.nkeys, 1);
	assert_string_equal(status.keys[0].state, "active");
}

static void
test_states(void **state)
{
	struct fixture *f = *state;

	clock_run(10);
	(void)rotate(f);
	key_stamp(f, 1, T0 + 10, T0 + 100, 0);
	clock_run(90);
	look(f);
	assert_string_equal(status.keys[0].state, "retired");
	assert_int_equal(status.keys[1].active_since_s, T0 + 10);
	assert_true(status.keys[0].minted == -1 && status.keys[1].minted == 0);
	clock_run(1);
	look(f);
	assert_string_equal(status.keys[0].state, "expired");
	key_stamp(f, 1, T0 + 10, T0 + 100, T0 + 50);
	look(f);
	assert_string_equal(status.keys[0].state, "revoked");
	assert_int_equal(status.keys[0].revoked_s, T0 + 50);
	file_gone(f, "private/2.minted");
	look(f);
	assert_int_equal(status.keys[1].minted, -1);
}

/* Keys that have expired and are still there; and when they can go. */
static void
test_waiting(void **state)
{
	struct fixture *f = *state;
	char text[200], since[32];

	fixture_config(f, "rotate_every: 1h\n");
	(void)rotate(f);
	(void)rotate(f);
	key_stamp(f, 1, T0, T0 + 50, 0);
	key_stamp(f, 2, T0, T0 + 20, 0);
	clock_run(50);
	time_format(since, T0 + 20);
	snprintf(text, sizeof(text),
	    "1 expired key waits to be removed, the first since %s: the clock has to run for another 59m40s first, "
	    "without being set",
	    since);
	only(f, "one", "keyset.waiting", RJWT_NOTE, text);
	clock_run(1);
	snprintf(text, sizeof(text),
	    "2 expired keys wait to be removed, the first since %s: the clock has to run for another 59m39s first, "
	    "without being set",
	    since);
	only(f, "two", "keyset.waiting", RJWT_NOTE, text);
	clock_run(3629 - 51);
	look(f);
	assert_non_null(strstr(note_of("keyset.waiting")->diag.text, " for another 1s first"));
	clock_run(1);
	snprintf(text, sizeof(text), "2 expired keys wait to be removed, the first since %s", since);
	look(f);
	assert_string_equal(note_of("keyset.waiting")->diag.text, text);
}

static void
test_private(void **state)
{
	struct fixture *f = *state;

	file_put(f, "private/2.key", VIEW("torn"));
	look(f);
	assert_non_null(note_of("keyset.private"));
	assert_int_equal(status.level, RJWT_BROKEN);
	fails("store_can_sign", 1, 0); /* by something that is no file: a TPM */
	look(f);
	assert_true(failed());
	assert_string_equal(note_of("keyset.tpm")->diag.text, "planned");
	fails("store_can_sign", 1, EIO);
	look(f);
	assert_true(failed());
	assert_null(note_of("keyset.tpm"));
	fails("store_can_sign", 1, EACCES); /* to others it is closed, as it should be */
	look(f);
	assert_true(failed());
	assert_null(note_of("keyset.private"));
}

static void
test_shared_secret(void **state)
{
	struct fixture *f = *state;

	only(f, "HS256", "keyset.shared_secret", RJWT_NOTE,
	    "the active key is a shared secret (HS*): only root can verify, and whoever can read private/ can mint");
	fixture_config(f, "alg: ES256\n");
	want("replace", rjwt_rotate(f->h, RJWT_COMPROMISED, &(struct rjwt_change){ 0 }, &f->diag), RJWT_OK);
	only(f, "ES256", NULL, 0, NULL);
}

/* --- the rest --------------------------------------------------------------------------------- */

static void
test_machine(void **state)
{
	struct fixture *f = *state;
	struct keyset keyset = keyset_get(f);

	memset(keyset.machine, 0, sizeof(keyset.machine));
	keyset_put(f, &keyset);
	only(f, "not recorded", "keyset.machine", RJWT_NOTE,
	    "no machine id is recorded, so a clone of this host is not detected (the next writer records it: rjwt-keyd "
	    "once)");
	no_machine = true;
	only(f, "none", "keyset.machine", RJWT_NOTE,
	    "this host has no machine id (/etc/machine-id), so a clone of it is not detected");
}

static void
test_marks(void **state)
{
	struct fixture *f = *state;
	struct keyset keyset = keyset_get(f);

	keyset.revoked = 0;
	keyset_put(f, &keyset);
	only(f, "none", NULL, 0, NULL);
	keyset.revoked = 1;
	keyset_put(f, &keyset);
	only(f, "one of one", "keyset.marks", RJWT_BROKEN,
	    "revoked/ has 0 marks of 1: others were removed, and what they revoked may be accepted (run rjwt-keyd "
	    "revoke --all, and keep cleaning jobs out)");
	want("revoke",
	    rjwt_revoke(f->h, &(struct rjwt_revocation){ .jti = "a1" }, 0, &(struct rjwt_change){ 0 }, &f->diag),
	    RJWT_OK);
	keyset = keyset_get(f);
	keyset.revoked = 1;
	keyset_put(f, &keyset);
	only(f, "it is there", NULL, 0, NULL);
}

static void
test_time(void **state)
{
	struct fixture *f = *state;

	clock_step(-7200);
	only(f, "back", "clock.suspect", RJWT_ATTENTION, "clock suspect: it went back by 2h");
	clock_step(7200 + 10800);
	only(f, "forward", "clock.suspect", RJWT_ATTENTION, "clock suspect: it went forward by 3h");
	clock_step(-10800);
	only(f, "right", NULL, 0, NULL);
	clock_run(2 * DAY);
	only(f, "overdue", "rotation.overdue", RJWT_ATTENTION,
	    "rotation is overdue: is rjwt-keyd run (or rjwt-keyd once from cron) running?");
	assert_string_equal(status.next_event, "rotation");
	assert_int_equal(status.in_step_s, 2 * DAY);
	fixture_config(f, "rotate_every: 0\n");
	only(f, "never", "rotation.never", RJWT_NOTE,
	    "rotate_every is 0: marks of spent and revoked tokens are kept forever");
	assert_string_equal(status.notes[0].diag.path, f->config);
	assert_int_equal(status.rotate_every_s, 0);
}

static void
test_unusable(void **state)
{
	struct fixture *f = *state;
	struct rjwt_options options = fixture_options(f);
	char gone[300];

	fails("store_check_writable", 1, 0); /* without a text of its own */
	only(f, "writable", "keyset.writable", RJWT_BROKEN, rjwt_strerror(RJWT_KEYSET));
	assert_true(failed());
	move(f, "keyset.json", "away");
	only(f, "missing", "keyset.missing", RJWT_BROKEN, NULL);
	move(f, "away", "keyset.json");
	file_put(f, "keyset.json", VIEW("torn"));
	only(f, "torn", "keyset.unusable", RJWT_BROKEN, NULL);
	snprintf(gone, sizeof(gone), "%s/none", f->top);
	options.state_dir = gone;
	rjwt_status_clear(&status);
	want("no directory", rjwt_status(&options, &status), RJWT_OK);
	assert_string_equal(status.notes[0].code, "keyset.missing");
	assert_string_equal(status.dir, gone);
}

/* A configuration that needs codes says so; names are the configured ones, or those of the keyset. */
static void
test_names(void **state)
{
	struct fixture *f = *state;

	look(f);
	assert_false(status.codes);
	assert_string_equal(status.config, f->config);
	assert_string_equal(status.issuer, "iss.example");
	fixture_config(f, "codes: [ssh]\nissuer: other.example\naudience: [a.example, b.example]\n");
	look(f);
	assert_true(status.codes);
	assert_string_equal(status.issuer, "other.example");
	assert_string_equal(status.audience, "a.example");
	assert_true(status.generation > 0);
}

#define S(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { S(test_modes), S(test_folders), S(test_writing), S(test_keys),
		S(test_states), S(test_waiting), S(test_private),
		cmocka_unit_test_setup_teardown(test_shared_secret, fixture_setup_hs256, teardown), S(test_machine),
		S(test_marks), S(test_time), S(test_unusable), S(test_names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
