/* SPDX-License-Identifier: MIT */
/* What a login sees of a fleet (fleet.h), which files of a directory are read (spool.h), and what people are told (watch.h). */
#include "fleet_host.h"
#include "base/file_write.h"
#include "fleet/follow.h"
#include "fleet/spool.h"
#include "fleet/watch.h"

#include <fcntl.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void
begin(struct host *h)
{
	RJWT_CLEAN(bundle_clear) struct bundle b = line_bundle(1, T0, 1);

	line_deny(&b, "bob", NULL, T0 + 7);
	line_deny(&b, NULL, "j1", T0 + 9);
	host_roster(h, 0, 0, 1, 7); /* of the third nothing has come */
	host_serial(h, 0, 0);
	host_bundle(h, LINE_BUNDLE_KEY(1), &b);
	host_follows(h, "begin",
	    "done: took roster #0, with 3 issuers\ndone: i0: installed serial #0\ndone: i1: installed serial #0\n");
}

static struct fleet_reader *
reader_of(struct host *h)
{
	struct fleet_reader *r = NULL;

	want("open", fleet_open(h->f->state, &r), RJWT_OK);
	want("refresh", fleet_refresh(r), RJWT_OK);
	return r;
}

static enum rjwt_err
find(struct fleet_reader *r, const char *base, struct rjwt_diag *diag)
{
	const struct fleet_issuer *issuer = NULL;
	struct followed *followed = NULL;
	enum rjwt_err err = fleet_find(r, view_of(base), &followed, &issuer, diag);

	if (err == RJWT_OK && (strcmp(issuer->base, base) != 0 || strcmp(followed->base, base) != 0))
		fail_msg("found another one for %s", base);
	return err;
}

/* --- a login --------------------------------------------------------------------------------------- */

static void
test_find(void **state)
{
	struct host *h = *state;
	struct fleet_reader *r = reader_of(h);
	struct rjwt_diag diag = { .text = "" };
	struct fleet fleet;

	assert_true(fleet_is_joined(r) && fleet_value(r) != NULL);
	want("no roster", find(r, "I0", &diag), RJWT_KEY_UNKNOWN);
	want("nobody", fleet_can_judge(r, &diag), RJWT_KEYSET);
	assert_string_equal(diag.text, "no issuer has been heard from yet (rjwt-keyd follow)");
	begin(h);
	want("not refreshed", find(r, "I0", &diag), RJWT_KEY_UNKNOWN);
	want("refresh", fleet_refresh(r), RJWT_OK);
	want("listed", find(r, "I0", &diag), RJWT_OK);
	want("once more", find(r, "I0", &diag), RJWT_OK);
	want("the other", find(r, "I1", &diag), RJWT_OK);
	want("nothing came", find(r, "I2", &diag), RJWT_KEY_UNKNOWN);
	want("not listed", find(r, "I3", &diag), RJWT_KEY_UNKNOWN);
	want("not a base", find(r, "..", &diag), RJWT_KEY_UNKNOWN);
	want("some", fleet_can_judge(r, &diag), RJWT_OK);
	file_put(h->f, "fleet/I0/keyset.json", VIEW("torn"));
	file_put(h->f, "fleet/I1/keyset.json", VIEW("torn"));
	want("damaged", find(r, "I0", &diag), RJWT_KEYSET);
	want("all are damaged", fleet_can_judge(r, &diag), RJWT_KEYSET);
	assert_non_null(strstr(diag.path, "/fleet/I1")); /* the last that was looked at */
	fleet = host_fleet(h);
	memset(fleet.machine, 'a', 64);
	fleet.machine[64] = '\0';
	host_fleet_put(h, &fleet);
	want("refresh", fleet_refresh(r), RJWT_OK);
	want("another machine", find(r, "I0", &diag), RJWT_KEYSET);
	assert_non_null(strstr(diag.text, "belongs to another machine"));
	assert_true(fleet_is_joined(r) && fleet_value(r) == NULL);
	fleet.machine[0] = '\0'; /* a machine without an id is any */
	host_fleet_put(h, &fleet);
	want("refresh", fleet_refresh(r), RJWT_OK);
	assert_non_null(fleet_value(r));
	file_put(h->f, FLEET_FILE, VIEW("torn"));
	want("refresh", fleet_refresh(r), RJWT_OK);
	want("torn", find(r, "I0", &diag), RJWT_KEYSET);
	want("torn", fleet_can_judge(r, &diag), RJWT_KEYSET);
	assert_true(fleet_is_joined(r) && fleet_value(r) == NULL && diag.text[0] != '\0');
	file_gone(h->f, FLEET_FILE);
	want("refresh", fleet_refresh(r), RJWT_OK);
	want("gone", find(r, "I0", &diag), RJWT_KEY_UNKNOWN);
	assert_true(!fleet_is_joined(r) && fleet_value(r) == NULL);
	fleet_close(r);
	fleet_close(NULL);
}

/* What is installed must be by the key, and of the base, that the roster lists. */
static void
test_entry(void **state)
{
	struct host *h = *state;
	struct rjwt_diag diag = { .text = "" };
	struct fleet_reader *r;
	struct keyset k;

	begin(h);
	r = reader_of(h);
	want("its own", find(r, "I0", &diag), RJWT_OK);
	k = host_keyset(h, 0);
	memcpy(k.followed.key, line_name(3)->text, FLEET_KEY_LENGTH + 1);
	host_keyset_put(h, 0, &k);
	want("another key", find(r, "I0", &diag), RJWT_KEY_UNKNOWN);
	memcpy(k.followed.key, line_name(LINE_BUNDLE_KEY(0))->text, FLEET_KEY_LENGTH + 1);
	k.generation++;
	host_keyset_put(h, 0, &k);
	want("its own", find(r, "I0", &diag), RJWT_OK);
	snprintf(k.base, sizeof(k.base), "I9");
	k.generation++;
	host_keyset_put(h, 0, &k);
	want("another base", find(r, "I0", &diag), RJWT_KEY_UNKNOWN);
	fleet_close(r);
}

/* By the host, or by any issuer of the roster; and until when. */
static void
test_denied(void **state)
{
	struct host *h = *state;
	struct rjwt_diag diag = { .text = "" };
	struct dir dir = DIR_NONE;
	struct fleet_reader *r;
	struct fleet fleet;
	int64_t until_s = 0;

	begin(h);
	r = reader_of(h);
	want("open", dir_open(h->f->state, &dir, NULL), RJWT_OK);
	want("denied", fleet_denied(r, VIEW("bob"), VIEW("x"), T0 + 7, &diag), RJWT_DENIED);
	want("later", fleet_denied(r, VIEW("bob"), VIEW("x"), T0 + 8, &diag), RJWT_OK);
	want("another", fleet_denied(r, VIEW("alice"), VIEW("x"), T0 + 7, &diag), RJWT_OK);
	want("a token", fleet_denied(r, VIEW("alice"), VIEW("j1"), T0 + 99, &diag), RJWT_DENIED);
	want("until", fleet_denied_until(r, &dir, VIEW("bob"), &until_s, &diag), RJWT_DENIED);
	assert_int_equal(until_s, T0 + 7);
	want("nobody", fleet_denied_until(r, &dir, VIEW("alice"), &until_s, &diag), RJWT_OK);
	want("the host alone", fleet_denied_until(NULL, &dir, VIEW("bob"), &until_s, &diag), RJWT_OK);
	/* Of a base that the roster has no more they do not count. */
	fleet = host_fleet(h);
	fleet.roster = line_roster(T0 + 1, 1, 1);
	host_fleet_put(h, &fleet);
	want("refresh", fleet_refresh(r), RJWT_OK);
	want("dropped", fleet_denied(r, VIEW("bob"), VIEW("x"), T0 + 7, &diag), RJWT_OK);
	fleet.roster = line_roster(T0 + 2, 1, 3);
	host_fleet_put(h, &fleet);
	want("refresh", fleet_refresh(r), RJWT_OK);
	want("listed", fleet_denied(r, VIEW("bob"), VIEW("x"), T0 + 7, &diag), RJWT_DENIED);
	/* Who has joined and cannot look gives no verdict; nor who has denied/ without a fleet. */
	{
		char from[200], to[200];

		snprintf(from, sizeof(from), "%s/denied", h->f->state);
		snprintf(to, sizeof(to), "%s/moved", h->f->state);
		assert_int_equal(rename(from, to), 0);
		want("no denied/", fleet_denied(r, VIEW("bob"), VIEW("x"), T0 + 8, &diag), RJWT_IO);
		assert_int_equal(rename(to, from), 0);
		snprintf(from, sizeof(from), "%s/fleet", h->f->state);
		assert_int_equal(rename(from, to), 0);
		want("no fleet/", fleet_denied(r, VIEW("bob"), VIEW("x"), T0 + 8, &diag), RJWT_IO);
		assert_int_equal(rename(to, from), 0);
	}
	file_put(h->f, FLEET_FILE, VIEW("torn"));
	want("refresh", fleet_refresh(r), RJWT_OK);
	want("torn: what was denied stays so", fleet_denied(r, VIEW("bob"), VIEW("x"), T0 + 7, &diag), RJWT_DENIED);
	want("torn: later", fleet_denied(r, VIEW("bob"), VIEW("x"), T0 + 8, &diag), RJWT_OK);
	want("torn: another", fleet_denied(r, VIEW("alice"), VIEW("x"), T0 + 7, &diag), RJWT_OK);
	want("torn", fleet_denied_until(r, &dir, VIEW("bob"), &until_s, &diag), RJWT_DENIED);
	assert_int_equal(until_s, T0 + 7);
	{ /* what is missing then closes nothing */
		char from[200], to[200];

		snprintf(to, sizeof(to), "%s/moved", h->f->state);
		for (int i = 0; i < 2; i++) {
			snprintf(from, sizeof(from), "%s/fleet/I%d/denied", h->f->state, i);
			if (rename(from, to) == 0)
				want("torn, no denied/", fleet_denied(r, VIEW("carol"), VIEW("x"), T0, &diag), RJWT_OK);
			assert_true(rename(to, from) == 0 || errno == ENOENT);
		}
		snprintf(from, sizeof(from), "%s/fleet", h->f->state);
		assert_int_equal(rename(from, to), 0);
		want("torn, no fleet/", fleet_denied(r, VIEW("bob"), VIEW("x"), T0 + 7, &diag), RJWT_OK);
		assert_int_equal(rename(to, from), 0);
	}
	fleet_close(r);
	dir_close(&dir);
}

/* The latest date counts, of whomever: the host, the first issuer, the second. */
static void
test_latest(void **state)
{
	static const struct {
		int64_t own, first, second, until; /* -1: does not deny */
	} rows[] = { { -1, -1, -1, -1 }, { 5, -1, -1, 5 }, { -1, 6, -1, 6 }, { -1, -1, 7, 7 }, { 5, 6, 7, 7 },
		{ 9, 6, 7, 9 }, { 5, 8, 7, 8 }, { 5, 5, 5, 5 }, { 0, -1, -1, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dir dir = DIR_NONE;
		struct fleet_reader *r;
		struct host *h;
		void *made;
		int64_t until_s = 99;

		assert_int_equal(host_setup(&made), 0);
		h = made;
		host_roster(h, 0, 0, 1, 7);
		for (unsigned k = 0; k < 2; k++) {
			RJWT_CLEAN(bundle_clear) struct bundle b = line_bundle(k, T0, 1);
			int64_t date = k == 0 ? rows[i].first : rows[i].second;

			if (date >= 0)
				line_deny(&b, "bob", NULL, T0 + date);
			host_bundle(h, LINE_BUNDLE_KEY(k), &b);
		}
		host_follows(h, "three",
		    "done: took roster #0, with 3 issuers\ndone: i0: installed serial #0\ndone: i1: installed serial "
		    "#0\n");
		if (rows[i].own >= 0)
			host_deny(h, "bob", rows[i].own);
		r = reader_of(h);
		want("open", dir_open(h->f->state, &dir, NULL), RJWT_OK);
		want("until", fleet_denied_until(r, &dir, VIEW("bob"), &until_s, NULL),
		    rows[i].until < 0 ? RJWT_OK : RJWT_DENIED);
		if (until_s != (rows[i].until < 0 ? -1 : T0 + rows[i].until))
			fail_msg("row %zu: until %lld", i, (long long)until_s);
		fleet_close(r);
		dir_close(&dir);
		host_teardown(&made);
	}
}

/* Eight issuers are looked at one after the other, and again. */
static void
test_eight(void **state)
{
	struct host *h = *state;
	struct fleet_reader *r;

	host_roster(h, 0, 0, 1, 255);
	for (unsigned i = 0; i < 8; i++)
		host_serial(h, i, 0);
	host_follow_path(h, "nothing.jws", RJWT_OK);
	{
		char path[200];

		snprintf(path, sizeof(path), "%s/eight.jws", h->f->top);
		file_put(h->f, "../eight.jws", buf_view(&h->file));
		host_follow_path(h, path, RJWT_OK);
	}
	r = reader_of(h);
	for (int k = 0; k < 2; k++)
		for (char i = '0'; i < '8'; i++)
			want("one of eight", find(r, (const char[]){ 'I', i, '\0' }, NULL), RJWT_OK);
	fleet_close(r);
}

/* --- files of a directory ---------------------------------------------------------------------------- */

static void
test_spool(void **state)
{
	static const struct {
		const char *name;
		bool read;
	} rows[] = { { "a.jws", true }, { "A-b_9.jws", true }, { "a.b.jws", true }, { ".jws", false },
		{ ".a.jws", false }, { "a.jwss", false }, { "a.jw", false }, { "a b.jws", false },
		{ "a\x1b.jws", false }, { "ajws", false }, { "a.JWS", false } };
	struct host *h = *state;
	char path[200], name[300];
	const char *const paths[] = { path, NULL };
	RJWT_CLEAN(string_list_clear) struct string_list files = { 0 };
	struct rjwt_diag diag;

	snprintf(path, sizeof(path), "%s/spool", h->f->top);
	want("a name that is not there is a file's", spool_files(paths, &files, &diag), RJWT_OK);
	assert_true(files.n == 1 && strcmp(files.list[0], path) == 0);
	assert_int_equal(mkdir(path, 0755), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(name, sizeof(name), "../spool/%s", rows[i].name);
		file_put(h->f, name, VIEW("x"));
		string_list_clear(&files);
		want("list", spool_files(paths, &files, &diag), RJWT_OK);
		snprintf(name, sizeof(name), "%s/%s", path, rows[i].name);
		if (files.n != (rows[i].read ? 1 : 0) || (files.n == 1 && strcmp(files.list[0], name) != 0))
			fail_msg("%s: %zu files", rows[i].name, files.n);
		assert_int_equal(unlink(name), 0);
	}
	for (int i = 0; i < FOLLOW_FILES_MAX + 5; i++) { /* one more than are read, so that it is said */
		snprintf(name, sizeof(name), "../spool/%d.jws", i);
		file_put(h->f, name, VIEW("x"));
	}
	string_list_clear(&files);
	want("list", spool_files(paths, &files, &diag), RJWT_OK);
	assert_int_equal(files.n, FOLLOW_FILES_MAX + 1);
	host_follow_path(h, path, RJWT_OK);
	assert_non_null(strstr(h->said.p, "not read: more than 16 files"));
	snprintf(name, sizeof(name), "%s/link", h->f->top); /* a link to a directory is no directory */
	assert_int_equal(symlink(path, name), 0);
	string_list_clear(&files);
	want("a link", spool_files((const char *const[]){ name, NULL }, &files, &diag), RJWT_OK);
	assert_true(files.n == 1 && strcmp(files.list[0], name) == 0);
}

/* What is wrong with fleet.json is reported with its path; nothing is where it is good. */
static void
test_damaged(void **state)
{
	struct host *h = *state;
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf good = { 0 };
	struct rjwt_diag diag = { .text = "" };
	char path[200];
	struct fleet *fleet = calloc(1, sizeof(*fleet));

	assert_non_null(fleet);
	host_begin(h, 1);
	good = file_get(h->f, "fleet.json");
	snprintf(path, sizeof(path), "%s/fleet.json", h->f->state);
	want("state", dir_open(h->f->state, &dir, NULL), RJWT_OK);
	want("good", fleet_read(&dir, fleet, NULL, &diag), RJWT_OK);
	assert_string_equal(diag.path, "");
	file_put(h->f, "fleet.json", VIEW("{}"));
	assert_true(fleet_read(&dir, fleet, NULL, &diag) != RJWT_OK);
	assert_string_equal(diag.path, path);
	assert_true(diag.text[0] != '\0');
	assert_true(fleet_read(&dir, fleet, NULL, NULL) != RJWT_OK);
	file_put(h->f, "fleet.json", buf_view(&good));
	want("good", fleet_read(&dir, fleet, NULL, NULL), RJWT_OK);
	free(fleet);
}

/* --- for people ---------------------------------------------------------------------------------------- */

static void
test_watch(void **state)
{
	struct host *h = *state;
	struct rjwt_following f = { .n = 0 };
	struct fleet_reader *r;
	struct rjwt_diag diag = { .text = "" };

	begin(h);
	r = reader_of(h);
	want("watch", watch_installed(r, 1000, &f, &diag), RJWT_OK);
	assert_true(f.n == 3 && f.roster == T0);
	assert_string_equal(f.audience, "host.example");
	assert_string_equal(f.url, "http://i0.example/fleet.jws");
	assert_true(f.issuers[0].serial == T0 && f.issuers[0].issued_s == T0 && f.issuers[0].stale_s == T0 + 1000 &&
		    strcmp(f.issuers[0].kid, "I0.1") == 0 && f.issuers[0].why.text[0] == '\0');
	assert_true(f.issuers[2].serial == 0 && f.issuers[2].kid[0] == '\0' && f.issuers[2].why.text[0] == '\0');
	assert_string_equal(f.issuers[2].name, "i2");
	assert_string_equal(f.issuers[2].base, "I2");
	assert_string_equal(f.issuers[2].url, "http://i2.example/fleet.jws");
	file_put(h->f, "fleet/I1/keyset.json", VIEW("torn"));
	f = (struct rjwt_following){ .n = 0 };
	want("damaged", watch_installed(r, 1000, &f, &diag), RJWT_OK);
	assert_true(
	    f.n == 3 && f.issuers[1].serial == 0 && f.issuers[1].why.text[0] != '\0' && f.issuers[0].serial == T0);
	want("own", watch_own(h->f->state, 1000, &f), RJWT_OK); /* it has none */
	assert_true(!f.issuers[0].own && !f.issuers[1].own);
	file_put(h->f, FLEET_FILE, VIEW("torn"));
	f = (struct rjwt_following){ .n = 0 };
	want("torn", watch_installed(r, 1000, &f, &diag), RJWT_KEYSET);
	file_gone(h->f, FLEET_FILE);
	want("not joined", watch_installed(r, 1000, &f, &diag), RJWT_KEY_UNKNOWN);
	fleet_close(r);
}

#define T(test) cmocka_unit_test_setup_teardown(test, host_setup, host_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_find), T(test_entry), T(test_denied), cmocka_unit_test(test_latest),
		T(test_eight), T(test_spool), T(test_damaged), T(test_watch) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
