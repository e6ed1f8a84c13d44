/* SPDX-License-Identifier: MIT */
/* A keyset in which a file or a directory is missing, or is something else: the same holds as in test_corruption.c. */
#include "corruption_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

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
	const struct CMUnitTest tests[] = { T(test_every_file) };

	alarm(HANG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
