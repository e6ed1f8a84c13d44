/* SPDX-License-Identifier: MIT */
/* Many processes at once: one rotation, exact limits, a lock for writers alone. */
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

static int
setup(void **state)
{
	*state = fixture_new("");
	return 0;
}

static int
rotate_once(struct fixture *f, int i)
{
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	struct rotation_policy policy = { .alg = alg_by_label(VIEW("ES256")), .rotate_every_s = 86400,
		.previous_key_ttl_s = 86400, .max_lifetime_s = 3600, .leeway_s = 30 };
	struct clock clock = { .read = clock_made_up };
	const struct keeper_order order = { .why = i % 2 == 0 ? WHY_HAND : WHY_COUNT, .version = 1 };
	struct rjwt_change change = { 0 };

	if (store_open(f->state, NULL, &store, NULL) != RJWT_OK ||
	    keeper_change(store, &policy, &order, &clock, 0, &change, NULL) != RJWT_OK)
		return 3;
	return change.rotated ? 1 : strcmp(change.kid, "B.2") == 0 ? 0 : 2;
}

/* 20 at the due moment rotated 20 times in the reference. */
static void
test_crowd_rotates_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(crowd(f, 64, rotate_once, 1), 1);
	assert_int_equal(keyset_get(f).active.version, 2);
}

static int
mint_due(struct fixture *f, int i)
{
	struct rjwt_options options = fixture_options(f);
	struct rjwt_token token = { 0 };

	(void)i;
	if (rjwt_open(&options, &f->h, NULL) != RJWT_OK ||
	    rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice" }, &token, NULL) != RJWT_OK)
		return 3;
	return strcmp(token.kid, "B.2") == 0 ? token.change.rotated : 2;
}

static void
test_crowd_mints_when_due(void **state)
{
	struct fixture *f = *state;

	clock_run(86400);
	assert_int_equal(crowd(f, 64, mint_due, 1), 1);
	assert_int_equal(keyset_get(f).active.version, 2);
}

static int
mint_many(struct fixture *f, int i)
{
	struct rjwt_options options = fixture_options(f);
	char path[200];
	int fd;

	(void)i;
	snprintf(path, sizeof(path), "%s/list", f->top);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || rjwt_open(&options, &f->h, NULL) != RJWT_OK)
		return 3;
	for (int n = 0; n < 25; n++) {
		struct rjwt_token token;
		char line[64];
		int length;

		if (rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice" }, &token, NULL) != RJWT_OK)
			return 2;
		length = snprintf(line, sizeof(line), "%s\n", token.kid);
		if (write(fd, line, (size_t)length) != length)
			return 4;
		rjwt_token_clear(&token);
	}
	return 0;
}

/* max_tokens_per_key is exact across processes: 5 meant 50 in the reference. */
static void
test_limit_is_exact(void **state)
{
	struct fixture *f = *state;
	int count[256] = { 0 }, total = 0, version;
	char line[128], path[200];
	FILE *list;

	fixture_config(f, "max_tokens_per_key: 20\n");
	assert_int_equal(crowd(f, 8, mint_many, 0), 8);
	snprintf(path, sizeof(path), "%s/list", f->top);
	list = fopen(path, "re");
	assert_non_null(list);
	while (fgets(line, sizeof(line), list) != NULL)
		if (sscanf(line, "B.%d", &version) == 1 && version < 256) {
			total++;
			count[version]++;
		}
	fclose(list);
	assert_int_equal(total, 200);
	for (int i = 0; i < 256; i++)
		if (count[i] > 20)
			fail_msg("B.%d signed %d tokens", i, count[i]);
}

static void
test_limit_one_process(void **state)
{
	static const char *const kids[] = { "B.1", "B.1", "B.1", "B.2", "B.2", "B.2", "B.3" };
	struct fixture *f = *state;
	struct rjwt_token token;

	fixture_config(f, "max_tokens_per_key: 3\nrotate_every: 0\n");
	for (size_t i = 0; i < sizeof(kids) / sizeof(kids[0]); i++) {
		want("mint", rjwt_mint(f->h, &(struct rjwt_request){ .user = "a" }, &token, &f->diag), RJWT_OK);
		assert_string_equal(token.kid, kids[i]);
		rjwt_token_clear(&token);
	}
	/* A count that is lost is used up, and never begun again. */
	file_gone(f, "private/3.minted");
	want("no count", rjwt_mint(f->h, &(struct rjwt_request){ .user = "a" }, &token, &f->diag), RJWT_OK);
	assert_string_equal(token.kid, "B.4");
	rjwt_token_clear(&token);
}

static int
hold_lock(struct fixture *f, int i)
{
	char path[256];
	int fd;

	(void)i;
	snprintf(path, sizeof(path), "%s/lock", f->state);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		return 3;
	usleep(30000);
	return keyset_get(f).active.version == 1 ? 0 : 2;
}

/* A reader takes no lock, a writer waits for it. */
static void
test_lock(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(crowd(f, 3, hold_lock, 0), 3);
	rotate(f);
	assert_true(file_has(f, "lock", "(test_crowd)") || file_has(f, "lock", "(lt-test_crowd)"));
}

/* After a restart the reference signed with version 1 again, count and schedule lost. */
static void
test_restart_goes_on(void **state)
{
	struct fixture *f = *state;
	struct rjwt_token token;

	clock_run(100);
	rotate(f);
	for (int i = 0; i < 3; i++) {
		fixture_config(f, "base_kid: B\nmax_tokens_per_key: 2\n");
		want("mint", rjwt_mint(f->h, &(struct rjwt_request){ .user = "a" }, &token, &f->diag), RJWT_OK);
		assert_string_equal(token.kid, i < 2 ? "B.2" : "B.3");
		rjwt_token_clear(&token);
	}
	assert_true(keyset_get(f).active.since_s == T0 + 100);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_crowd_rotates_once), T(test_crowd_mints_when_due),
		T(test_limit_is_exact), T(test_limit_one_process), T(test_lock), T(test_restart_goes_on) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
