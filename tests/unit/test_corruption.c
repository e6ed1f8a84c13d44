/* SPDX-License-Identifier: MIT */
/*
 * A keyset that was damaged: each byte flipped, each length cut off. What cannot be trusted is refused by name, nothing
 * opens by it, no keyset is made in its place; and once it is put back, all is as it was.
 */
#include "corruption_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two texts of one size within a tick of the clock: as in a commit, the mtime tells them apart. */
static void
put(const struct fixture *f, const char *name, struct view text)
{
	static long other = 100000000;
	const struct timespec times[2] = { { .tv_sec = T0 }, { .tv_sec = T0, .tv_nsec = other++ } };
	char path[256];

	file_put(f, name, text);
	snprintf(path, sizeof(path), "%s/%s", f->state, name);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void
refused(struct fixture *f, const char *what, const char *name, enum rjwt_err err)
{
	want(what, err, RJWT_KEYSET);
	want_named(f, what, name);
}

/* --- every byte ------------------------------------------------------------------------------- */

/* How a damaged file is dealt with; sample: one in 16, for what takes longer. */
struct damage {
	struct fixture *f;
	const char *name, *what;
	bool sample;
};

static void
damaged(struct damage *d, struct view text, void (*check)(const struct damage *d), unsigned *n)
{
	put(d->f, d->name, text);
	d->sample = (*n)++ % 16 == 0;
	check(d);
}

/* Call check with each damaged text in the file's place: bits flipped, the end cut off, a byte too many. */
static void
every_byte(struct fixture *f, const char *name, void (*check)(const struct damage *d))
{
	static const char more[] = "\n }x\xff"; /* and NUL */
	RJWT_CLEAN(buf_clear) struct buf good = file_get(f, name);
	char what[64];
	struct damage d = { f, name, what, false };
	unsigned n = 0;
	size_t size = good.n;

	for (size_t i = 0; i < 8 * size; i++) {
		if (i % 8 != i / 8 % 8 && i / 8 % 16 != 0) /* one bit of each byte, all of one in 16 */
			continue;
		snprintf(what, sizeof(what), "byte %zu, bit %zu of %s", i / 8, i % 8, name);
		good.p[i / 8] = (char)(good.p[i / 8] ^ (1 << i % 8));
		damaged(&d, buf_view(&good), check, &n);
		good.p[i / 8] = (char)(good.p[i / 8] ^ (1 << i % 8));
	}
	for (size_t i = 0; i < size; i++) {
		snprintf(what, sizeof(what), "%zu bytes of %s", i, name);
		damaged(&d, (struct view){ good.p, i }, check, &n);
	}
	for (size_t i = 0; i < sizeof(more); i++) {
		snprintf(what, sizeof(what), "%s and a byte %d", name, more[i]);
		good.n = size;
		buf_add(&good, &more[i], 1);
		damaged(&d, buf_view(&good), check, &n);
	}
	good.n = size;
	put(f, name, buf_view(&good));
	want(name, fixture_reopen(f), RJWT_OK);
	want(name, judge(f, retired, 0, NULL), RJWT_OK);
	want(name, judge(f, active, 0, NULL), RJWT_OK);
	want(name, try_mint(f, RJWT_OK), RJWT_OK);
	want(name, try_tick(f), RJWT_OK);
	assert_true(n > 2 * size);
}

/* By the handle that was open before, and by a new one; nobody writes anything, or makes another keyset. */
static void
check_keyset(const struct damage *d)
{
	struct fixture *f = d->f;
	struct rjwt_options options = fixture_options(f);
	RJWT_CLEAN(buf_clear) struct buf before = snapshot(f);
	struct rjwt *h = NULL;

	refused(f, d->what, d->name, judge(f, retired, 0, NULL));
	refused(f, d->what, d->name, judge(f, active, 0, NULL));
	refused(f, d->what, d->name, rjwt_open(&options, &h, &f->diag));
	refused(f, d->what, d->name, try_mint(f, RJWT_OK));
	refused(f, d->what, d->name, try_tick(f));
	want_same(f, d->what, &before);
}

static void
test_keyset_json(void **state)
{
	every_byte(*state, "keyset.json", check_keyset);
}

/* What it verified is lost, and that alone: its successors go on. */
static void
check_retired(const struct damage *d)
{
	struct fixture *f = d->f;
	RJWT_CLEAN(buf_clear) struct buf before = snapshot(f);

	want(d->what, fixture_reopen(f), RJWT_OK);
	refused(f, d->what, d->name, judge(f, retired, 0, NULL));
	want_same(f, d->what, &before);
	want(d->what, judge(f, active, 0, NULL), RJWT_OK);
	if (!d->sample)
		return;
	want(d->what, try_mint(f, RJWT_OK), RJWT_OK);
	want(d->what, try_tick(f), RJWT_OK);
	refused(f, d->what, d->name, judge(f, retired, 0, NULL));
	assert_string_equal(keyset_get(f).base, "B");
}

static void
test_retired_key(void **state)
{
	every_byte(*state, "keys/1.jwk", check_retired);
}

/* Nobody mints with what would be refused, and nothing is built on it. */
static void
check_active(const struct damage *d)
{
	struct fixture *f = d->f;
	RJWT_CLEAN(buf_clear) struct buf before = snapshot(f);

	want(d->what, fixture_reopen(f), RJWT_OK);
	refused(f, d->what, d->name, judge(f, active, 0, NULL));
	want(d->what, judge(f, retired, 0, NULL), RJWT_OK);
	refused(f, d->what, d->name, try_mint(f, RJWT_OK));
	refused(f, d->what, d->name, try_tick(f));
	want_same(f, d->what, &before);
}

static void
test_active_key(void **state)
{
	every_byte(*state, "keys/2.jwk", check_active);
}

/* It signs nothing yet: minting continues, but nothing is built on it. */
static void
check_next(const struct damage *d)
{
	struct fixture *f = d->f;
	RJWT_CLEAN(buf_clear) struct buf before = snapshot(f);

	want(d->what, fixture_reopen(f), RJWT_OK);
	want(d->what, judge(f, active, 0, NULL), RJWT_OK);
	refused(f, d->what, d->name, try_tick(f));
	want_same(f, d->what, &before);
	if (d->sample)
		want(d->what, try_mint(f, RJWT_OK), RJWT_OK);
}

static void
test_next_key(void **state)
{
	every_byte(*state, "keys/3.jwk", check_next);
}

/* PEM has bytes that mean nothing: what signs is the other half of keys/2.jwk, or nothing does. */
static void
check_private(const struct damage *d)
{
	struct fixture *f = d->f;
	enum rjwt_err err;

	want(d->what, fixture_reopen(f), RJWT_OK);
	err = try_mint(f, RJWT_OK);
	if (err != RJWT_OK)
		refused(f, d->what, d->name, err);
	want(d->what, judge(f, active, 0, NULL), RJWT_OK);
	assert_string_equal(keyset_get(f).base, "B");
}

static void
test_private_key(void **state)
{
	every_byte(*state, "private/2.key", check_private);
}

/* Promoted, it would leave nobody who can mint. */
static void
check_private_next(const struct damage *d)
{
	struct fixture *f = d->f;
	RJWT_CLEAN(buf_clear) struct buf before = snapshot(f);
	enum rjwt_err err;

	want(d->what, fixture_reopen(f), RJWT_OK);
	err = rjwt_rotate(f->h, RJWT_DRY_RUN, &(struct rjwt_change){ 0 }, &f->diag);
	if (err == RJWT_OK)
		return; /* its bytes mean what they meant */
	refused(f, d->what, d->name, err);
	refused(f, d->what, d->name, rjwt_rotate(f->h, 0, &(struct rjwt_change){ 0 }, &f->diag));
	want_same(f, d->what, &before);
}

static void
test_private_next(void **state)
{
	struct fixture *f = *state;

	every_byte(f, "private/3.key", check_private_next);
	rotate(f);
	want("with the third key", try_mint(f, RJWT_OK), RJWT_OK);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = { T(test_keyset_json), T(test_retired_key), T(test_active_key),
		T(test_next_key), T(test_private_key), T(test_private_next) };

	alarm(HANG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
