/* SPDX-License-Identifier: MIT */
/*
 * A keyset that was damaged: each byte flipped, each length cut off, each file and directory missing or something
 * else. What cannot be trusted is refused by name, nothing opens by it, no keyset is made in its place; and
 * once it is put back, all is as it was.
 */
#include "fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define HANG_S 600 /* a reader that waits for the other end of a fifo ends with the program */

static const char YAML[] = "leeway: 0s\n";
static char *retired, *active, *once; /* tokens of versions 1, 2 and 2 */

int __wrap_fsync(int fd);

/* Nothing here is about power cuts, and a disk takes its time. */
int
__wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

/* Version 1 is retired, 2 active, 3 next; a copy of the keyset is kept as good. */
static int
setup(void **state)
{
	const struct edit one_time[] = { { 'c', "once", "true" }, { 0, NULL, NULL } };
	struct fixture *f = fixture_new(YAML);

	*state = f;
	retired = token_with(f, NULL);
	rotate(f);
	f->version = 2;
	active = token_with(f, NULL);
	once = token_with(f, one_time);
	free(minted(f, "carol")); /* so that all files are there */
	return 0;
}

static int
teardown(void **state)
{
	free(retired);
	free(active);
	free(once);
	return fixture_teardown(state);
}

static struct buf listing;

static int
list_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)type;
	if (strcmp(path + ftw->base, "lock") != 0) /* which names its last holder */
		buf_addf(&listing, "%s %o %lld %lld.%ld\n", path, status->st_mode, (long long)status->st_size,
		    (long long)status->st_ctim.tv_sec, status->st_ctim.tv_nsec);
	return 0;
}

/* Names, modes, sizes and times of all below state: state_digest() would open a fifo. buf_clear() */
static struct buf
snapshot(const struct fixture *f)
{
	struct buf found;

	(void)nftw(f->state, list_one, 16, FTW_PHYS); /* nothing, where the keyset is missing */
	buf_adds(&listing, ".\n");
	want("snapshot", buf_done(&listing), RJWT_OK);
	found = listing;
	listing = (struct buf){ 0 };
	return found;
}

static void
want_same(const struct fixture *f, const char *what, const struct buf *before)
{
	RJWT_CLEAN(buf_clear) struct buf after = snapshot(f);

	if (!view_eq(buf_view(before), buf_view(&after)))
		fail_msg("%s: something was written:\n%s\n%s", what, before->p, after.p);
}

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

/* A refusal says which file it is about, whichever of the two fields it stands in. */
static void
want_named(const struct fixture *f, const char *what, const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash == NULL ? name : slash + 1;

	if (f->diag.text[0] == '\0' || (strstr(f->diag.path, last) == NULL && strstr(f->diag.text, last) == NULL))
		fail_msg("%s: \"%s: %s\" does not name %s", what, f->diag.path, f->diag.text, name);
}

static void
refused(struct fixture *f, const char *what, const char *name, enum rjwt_err err)
{
	want(what, err, RJWT_KEYSET);
	want_named(f, what, name);
}

/* What was minted is judged as other tokens of that key are. */
static enum rjwt_err
try_mint(struct fixture *f, enum rjwt_err verdict)
{
	struct rjwt_token token = { 0 };
	enum rjwt_err err =
	    rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice", .reusable = true }, &token, &f->diag);

	if (err == RJWT_OK)
		want("what was minted", judge(f, token.text, 0, NULL), verdict);
	rjwt_token_clear(&token);
	return err;
}

static enum rjwt_err
try_tick(struct fixture *f)
{
	return rjwt_maintain(f->h, 0, &(struct rjwt_change){ 0 }, &f->diag);
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

/* --- every file, as something else ------------------------------------------------------------ */

/* What is done with a keyset. */
enum op { VERIFY_RETIRED, VERIFY_ACTIVE, SPEND, MINT, MINT_LIMITED, TICK, TICK_DUE, REVOKE, NOPS };
static const char *const op_names[] = { "verify by a retired key", "verify by the active key", "spend", "mint",
	"mint with a limit", "tick", "tick when a rotation is due", "revoke" };

/* What stands in the place of a file; OTHER: a directory where there was a file, a file where there was a directory. */
enum kind { MISSING, OTHER, LINK, FIFO, SOCKET, NKINDS };
static const char *const kind_names[] = { "missing", "something else", "a link", "a fifo", "a socket" };

static const struct {
	const char *name;
	const char *codes[NKINDS]; /* of each op: '.' done, K keyset, I io, U key_unknown */
} rows[] = {
	{ "", { "KKKKKKKK", "KKKKKKKK", "KKKKKKKK", "KKKKKKKK", "KKKKKKKK" } },
	{ "keyset.json", { "KKKKKKKK", "KKKKKKKK", "KKKKKKKK", "KKKKKKKK", "KKKKKKKK" } },
	{ "jwks.json", { "........", ".....III", "........", "........", "........" } },
	{ "private/lock", { "........", ".....III", ".....III", "........", ".....III" } },
	{ "keys", { "KKKKKKKK", "KKKKKKKK", "KKKKKKKK", "KKKKKKKK", "KKKKKKKK" } },
	{ "keys/1.jwk", { "U.......", "K.......", "K.......", "K.......", "K......." } },
	{ "keys/2.jwk", { ".UUKKKK.", ".KKKKKK.", ".KKKKKK.", ".KKKKKK.", ".KKKKKK." } },
	{ "keys/3.jwk", { ".....KK.", ".....KK.", ".....KK.", ".....KK.", ".....KK." } },
	{ "private", { "...IIIII", "...KKKKK", "...KKKKK", "...KKKKK", "...KKKKK" } },
	{ "private/2.key", { "...II...", "...KK...", "...KK...", "...KK...", "...KK..." } },
	{ "private/2.minted", { "........", "....I...", "....I...", "....I...", "....I..." } },
	{ "private/3.key", { "......I.", "......K.", "......K.", "......K.", "......K." } },
	{ "private/3.minted", { "......K.", "......K.", "......K.", "......K.", "......K." } },
	{ "spent", { "..I.....", "..I.....", "..I.....", "..I.....", "..I....." } },
	{ "revoked", { "III....I", "KKK....K", "KKK....K", "KKK....K", "KKK....K" } },
	{ "revoked/jti", { "III....I", "KKK....K", "KKK....K", "KKK....K", "KKK....K" } },
	{ "revoked/sub", { "III.....", "KKK.....", "KKK.....", "KKK.....", "KKK....." } },
	{ "issued", { "........", "........", "........", "........", "........" } },
};

static void
run(struct fixture *f, const char *command)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	buf_addf(&text, "cd %s && %s", f->top, command);
	assert_int_equal(system(text.p), 0);
}

/* Move it out of the keyset, as top/moved. */
static void
spoil(struct fixture *f, const char *path, const char *moved, enum kind kind)
{
	struct stat status;

	assert_int_equal(lstat(path, &status), 0);
	assert_int_equal(rename(path, moved), 0);
	if (kind == OTHER && S_ISDIR(status.st_mode))
		close(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	else if (kind == OTHER)
		assert_int_equal(mkdir(path, 0700), 0);
	else if (kind == LINK)
		assert_int_equal(symlink(moved, path), 0);
	else if (kind == FIFO)
		assert_int_equal(mkfifo(path, 0600), 0);
	else if (kind == SOCKET)
		assert_int_equal(mknod(path, S_IFSOCK | 0600, 0), 0);
	f->diag = (struct rjwt_diag){ 0 };
}

/* Whatever stands in its place by now goes. */
static void
put_back(struct fixture *f, const char *path, const char *moved)
{
	RJWT_CLEAN(buf_clear) struct buf command = { 0 };

	if (remove(path) != 0 && access(path, F_OK) == 0) {
		buf_addf(&command, "rm -r %s", path);
		run(f, command.p);
	}
	assert_int_equal(rename(moved, path), 0);
}

static enum rjwt_err
operate(struct fixture *f, enum op op, enum rjwt_err verdict)
{
	const struct rjwt_revocation revocation = { .jti = "a1" };
	enum rjwt_err err = fixture_reopen(f);

	if (err != RJWT_OK)
		return err;
	switch (op) {
	case VERIFY_RETIRED:
		return judge(f, retired, 0, NULL);
	case VERIFY_ACTIVE:
		return judge(f, active, 0, NULL);
	case SPEND:
		return judge(f, once, 0, NULL);
	case MINT:
	case MINT_LIMITED:
		return try_mint(f, verdict);
	case TICK:
	case TICK_DUE:
		return try_tick(f);
	case REVOKE:
		return rjwt_revoke(f->h, &revocation, 0, &(struct rjwt_change){ 0 }, &f->diag);
	case NOPS:
		break;
	}
	return RJWT_INTERNAL;
}

static enum rjwt_err
code_of(char letter)
{
	return letter == '.' ? RJWT_OK : letter == 'K' ? RJWT_KEYSET : letter == 'I' ? RJWT_IO : RJWT_KEY_UNKNOWN;
}

/* The same keyset, with the same key, unless a writer did what it was asked for; and all opens again. */
static void
check_put_back(struct fixture *f, const char *what, enum op op, bool done)
{
	struct keyset keyset = keyset_get(f);
	bool revoked = op == REVOKE && done;
	bool forgotten = keyset.floor > 1; /* a rotation that finds no file of a retired key looks no further */

	assert_true(!forgotten || (op == TICK_DUE && done));
	clock_reset();
	assert_string_equal(keyset.base, "B");
	if (!done && keyset.active.version != 2)
		fail_msg("%s: failed, and version %lld is active", what, (long long)keyset.active.version);
	fixture_config(f, YAML);
	want(what, judge(f, retired, 0, NULL), forgotten ? RJWT_KEY_UNKNOWN : revoked ? RJWT_REVOKED : RJWT_OK);
	want(what, judge(f, active, 0, NULL), revoked ? RJWT_REVOKED : RJWT_OK);
	want(what, judge(f, once, RJWT_DRY_RUN, NULL),
	    revoked		  ? RJWT_REVOKED
	    : op == SPEND && done ? RJWT_SPENT
				  : RJWT_OK);
	want(what, try_mint(f, RJWT_OK), RJWT_OK);
	want(what, try_tick(f), RJWT_OK);
}

static void
try_row(struct fixture *f, size_t row, enum kind kind, enum op op)
{
	RJWT_CLEAN(buf_clear) struct buf before = { 0 };
	const char *name = rows[row].name, *codes = rows[row].codes[kind];
	char what[128], path[256], moved[160];
	enum rjwt_err err;

	snprintf(what, sizeof(what), "state/%s is %s, %s", name, kind_names[kind], op_names[op]);
	snprintf(path, sizeof(path), "%.159s%s%s", f->state, name[0] == '\0' ? "" : "/", name);
	snprintf(moved, sizeof(moved), "%.127s/moved", f->top);
	fixture_config(f, op == MINT_LIMITED ? "leeway: 0s\nmax_tokens_per_key: 9999\n" : YAML);
	spoil(f, path, moved, kind);
	before = snapshot(f);
	clock_run(op == TICK_DUE ? 86400 : 0);
	err = operate(f, op, code_of(codes[VERIFY_ACTIVE]));
	if (op == VERIFY_RETIRED || op == VERIFY_ACTIVE)
		want_same(f, what, &before);
	want(what, err, code_of(codes[op]));
	if (err != RJWT_OK)
		want_named(f, what, name[0] == '\0' ? "state" : name);
	put_back(f, path, moved);
	check_put_back(f, what, op, err == RJWT_OK);
	if (err == RJWT_OK && (op == SPEND || op >= TICK_DUE || keyset_get(f).active.version != 2))
		run(f, "rm -r state && cp -a good state");
}

static void
test_every_file(void **state)
{
	struct fixture *f = *state;

	run(f, "cp -a state good");
	for (size_t row = 0; row < ARRAY_LEN(rows); row++)
		for (enum kind kind = 0; kind < NKINDS; kind++)
			for (enum op op = 0; op < NOPS; op++)
				try_row(f, row, kind, op);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = { T(test_keyset_json), T(test_retired_key), T(test_active_key),
		T(test_next_key), T(test_private_key), T(test_private_next), T(test_every_file) };

	alarm(HANG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
