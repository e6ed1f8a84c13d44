/* SPDX-License-Identifier: MIT */
/* The mtime of keyset.json, by which an open handle sees a commit: (now, generation), to the nanosecond. */
#include "fixture.h"

#include <stdio.h>
#include <sys/stat.h>

static bool whole_seconds; /* what the file system keeps */

int __real_futimens(int fd, const struct timespec times[2]);
int __wrap_futimens(int fd, const struct timespec times[2]);

int
__wrap_futimens(int fd, const struct timespec times[2])
{
	struct timespec cut[2] = { times[0], times[1] };

	if (whole_seconds && cut[1].tv_nsec < 1000000000)
		cut[1].tv_nsec = 0;
	return __real_futimens(fd, cut);
}

static int
setup_bare(void **state)
{
	*state = fixture_bare("");
	return 0;
}

static void
want_mtime(const struct fixture *f, int64_t at_s, int64_t generation)
{
	struct stat status;
	char path[256];

	snprintf(path, sizeof(path), "%s/keyset.json", f->state);
	assert_int_equal(lstat(path, &status), 0);
	assert_true(keyset_get(f).generation == generation);
	assert_true(status.st_mtim.tv_sec == at_s && status.st_mtim.tv_nsec == generation);
}

static void
test_each_commit(void **state)
{
	struct fixture *f = *state;
	int64_t generation = keyset_get(f).generation;

	assert_true(generation > 0);
	want_mtime(f, T0, generation);
	for (int i = 1; i <= 3; i++) {
		clock_run(7);
		rotate(f);
		assert_true(keyset_get(f).generation > generation);
		generation = keyset_get(f).generation;
		want_mtime(f, T0 + i * 7, generation);
	}
	clock_step(-21); /* the mtime goes back too, and differs all the same */
	rotate(f);
	assert_true(keyset_get(f).generation > generation);
	want_mtime(f, T0, keyset_get(f).generation);
}

/* Two commits in a second would look the same there. */
static void
test_whole_seconds(void **state)
{
	static const char *const audience[] = { "host.example", NULL };
	static const struct {
		bool whole_seconds;
		enum rjwt_err err;
	} rows[] = { { true, RJWT_KEYSET }, { false, RJWT_OK } };
	struct fixture *f = *state;
	struct rjwt_options options = fixture_options(f);
	struct rjwt_change change;

	options.issuer = "iss.example";
	options.audience = audience;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		whole_seconds = rows[i].whole_seconds;
		want("init", rjwt_init(&options, 0, &change, &f->diag), rows[i].err);
		assert_true(file_there(f, "keyset.json") == (rows[i].err == RJWT_OK));
		assert_true((strstr(f->diag.text, "to the nanosecond") != NULL) == (rows[i].err != RJWT_OK));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_commit, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_whole_seconds, setup_bare, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
