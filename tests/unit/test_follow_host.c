/* SPDX-License-Identifier: MIT */
/* What follow makes of a host itself: an image, a memory that is lost, what is damaged; and of files that are none. */
#include "fleet_host.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what a host is ------------------------------------------------------------------------------ */

/* An image of a joined host: nothing followed verifies before it has followed as itself, and nothing from before then. */
static void
test_image(void **state)
{
	struct host *h = *state;
	struct fleet fleet;

	host_begin(h, 1);
	fleet = host_fleet(h);
	memset(fleet.machine, 'a', DIGEST_HEX - 1);
	fleet.machine[DIGEST_HEX - 1] = '\0';
	snprintf(fleet.audience, sizeof(fleet.audience), "other.example");
	host_fleet_put(h, &fleet);
	clock_run(100);
	want("another machine", host_judges(h, 0, 1, T0 + 100), RJWT_KEYSET);
	host_follows(h, "it follows", "done: this host is host.example; used tokens are remembered from now on\n");
	fleet = host_fleet(h);
	assert_true(fleet.born_s == T0 + 100 && fleet.roster.n == T0);
	assert_string_equal(fleet.audience, "host.example");
	want("itself", host_judges(h, 0, 1, T0 + 100), RJWT_OK);
	host_unchanged(h, "again", "");
	/* born ahead of the clock: written anew; within the leeway it stays. */
	fleet.born_s = T0 + 131;
	host_fleet_put(h, &fleet);
	host_follows(h, "ahead", "done: this host is host.example; used tokens are remembered from now on\n");
	assert_int_equal(host_fleet(h).born_s, T0 + 100);
	fleet = host_fleet(h);
	fleet.born_s = T0 + 130;
	host_fleet_put(h, &fleet);
	host_unchanged(h, "within the leeway", "");
}

/* Without spent/ it is not known what was used: from then on it is; and a date ahead of the clock is written anew. */
static void
test_reborn(void **state)
{
	struct host *h = *state;
	struct keyset k;
	char path[300];
	static const char *const said = "done: i0: used tokens are remembered from now on\n";

	host_begin(h, 1);
	clock_run(100);
	snprintf(path, sizeof(path), "%s/fleet/I0/spent", h->f->state);
	assert_int_equal(rmdir(path), 0);
	host_follows(h, "it is missing, and nobody offers anything", said);
	assert_true(host_has(h, "fleet/I0/spent") && host_keyset(h, 0).followed.born_s == T0 + 100);
	k = host_keyset(h, 0);
	k.followed.born_s = T0 + 130;
	host_keyset_put(h, 0, &k);
	host_serial(h, 0, 0);
	host_unchanged(h, "within the leeway", "");
	k.followed.born_s = T0 + 131;
	host_keyset_put(h, 0, &k);
	host_serial(h, 0, 0);
	host_follows(h, "ahead", said);
	assert_int_equal(host_keyset(h, 0).followed.born_s, T0 + 100);
	assert_int_equal(rmdir(path), 0);
	host_serial(h, 0, 1);
	host_follows(h, "with the next bundle", I0("1"));
	assert_true(host_has(h, "fleet/I0/spent") && host_keyset(h, 0).followed.born_s == T0 + 100);
}

/* What is damaged closes itself alone, and stops no other; what has no keyset yet is made. */
static void
test_damaged(void **state)
{
	struct host *h = *state;
	RJWT_CLEAN(buf_clear) struct buf good = { 0 };
	char said[400];

	host_begin(h, 3);
	good = file_get(h->f, "fleet/I0/keyset.json");
	file_put(h->f, "fleet/I0/keyset.json", VIEW("{\x1b"));
	host_serial(h, 0, 1);
	host_serial(h, 1, 1);
	snprintf(said, sizeof(said),
	    I1("1") "wrong: i0: %s/fleet/I0/keyset.json: is damaged or was altered: its sum does not match (restore a "
		    "good "
		    "copy, or: rjwt-keyd init --adopt)\n",
	    h->f->state);
	host_follows(h, "one is damaged", said);
	want("the damaged one", host_judges(h, 0, 1, T0), RJWT_KEYSET);
	want("the other", host_judges(h, 1, 1, T0), RJWT_OK);
	file_gone(h->f, "fleet/I0/keyset.json");
	host_serial(h, 0, 1);
	host_follows(h, "it is gone", I0("1"));
	want("it is made anew", host_judges(h, 0, 1, T0), RJWT_OK);
	file_gone(h->f, "fleet/I0/keys/1.jwk");
	host_serial(h, 0, 1);
	host_follows(h, "the active key is gone: the same bundle brings it back", I0("1"));
	want("it is back", host_judges(h, 0, 1, T0), RJWT_OK);
}

/* --- files ---------------------------------------------------------------------------------------- */

static void
refuses(struct host *h, const char *path, const char *why)
{
	char said[300];

	snprintf(said, sizeof(said), "wrong: %s: %s\n", path, why);
	host_follow_path(h, path, RJWT_OK);
	if (!view_is(buf_view(&h->said), said))
		fail_msg("said \"%s\", not \"%s\"", h->said.p, said);
}

/* What lies in the spool may be anything; beside each the plain file that is read. */
static void
test_files(void **state)
{
	struct host *h = *state;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char good[200], odd[200];
	char *room;

	host_roster(h, 0, 0, 1, 1);
	host_serial(h, 0, 0);
	snprintf(good, sizeof(good), "%s/good.jws", h->f->top);
	snprintf(odd, sizeof(odd), "%s/odd.jws", h->f->top);
	file_put(h->f, "../good.jws", buf_view(&h->file));
	assert_int_equal(symlink(good, odd), 0);
	refuses(h, odd, "not a regular file");
	assert_int_equal(unlink(odd), 0);
	assert_int_equal(link(good, odd), 0);
	refuses(h, odd, "has more than one name (hard links are not read)");
	assert_int_equal(unlink(odd), 0);
	assert_int_equal(mkfifo(odd, 0666), 0);
	refuses(h, odd, "not a regular file");
	assert_int_equal(unlink(odd), 0);
	refuses(h, odd, "cannot read: No such file or directory");
	room = buf_room(&text, DOCUMENT_FILE_MAX + 1);
	assert_non_null(room);
	memset(room, 'A', DOCUMENT_FILE_MAX + 1);
	file_put(h->f, "../odd.jws", buf_view(&text));
	refuses(h, odd, "too large");
	memcpy(text.p + 1, "\n", 1);
	memcpy(text.p + DOCUMENT_FILE_MAX - h->file.n, h->file.p, h->file.n);
	text.p[DOCUMENT_FILE_MAX - h->file.n - 1] = '\n';
	text.n = DOCUMENT_FILE_MAX;
	buf_clear(&h->file);
	buf_add_view(&h->file, buf_view(&text));
	host_follows(h, "4 MiB, of which the end is ours", R1 I0("0") SKIPPED("2 lines"));
	if (geteuid() != 0)
		return;
	host_serial(h, 0, 1);
	file_put(h->f, "../odd.jws", buf_view(&h->file));
	buf_clear(&h->file);
	assert_int_equal(chown(odd, 12345, 12345), 0);
	assert_int_equal(chmod(odd, 0666), 0);
	host_follow_path(h, odd, RJWT_OK); /* a foreign owner: any may be */
	assert_int_equal(host_keyset(h, 0).followed.serial, T0 + 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, host_setup, host_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_image), T(test_reborn), T(test_damaged), T(test_files) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
