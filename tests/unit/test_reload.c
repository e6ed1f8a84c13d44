/* SPDX-License-Identifier: MIT */
/*
 * What stands on disk, as an open handle sees it: the mtime of keyset.json, (now, generation) to the nanosecond, by which
 * it sees a commit; and files of keys that are not what their names say.
 */
#include "fixture.h"
#include "base/file.h"
#include "jose/jwk.h"
#include "jose/key.h"
#include "jose/provider.h"
#include "keyset/store.h"
#include "keyset/inspect.h"
#include "keyset/jwks.h"
#include "keyset/plan.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

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

static bool file_moved, folder_moved; /* to another file system, under the same number there */

int __real_fstatat(int fd, const char *path, struct stat *status, int flags);
int __wrap_fstatat(int fd, const char *path, struct stat *status, int flags);
int __real_stat(const char *path, struct stat *status);
int __wrap_stat(const char *path, struct stat *status);

int
__wrap_fstatat(int fd, const char *path, struct stat *status, int flags)
{
	int ret = __real_fstatat(fd, path, status, flags);

	status->st_dev += file_moved;
	return ret;
}

int
__wrap_stat(const char *path, struct stat *status)
{
	int ret = __real_stat(path, status);

	status->st_dev += folder_moved;
	return ret;
}

/* The number of a file tells nothing without the file system that it is of. */
static void
test_other_file_system(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(store_clean) struct store *store = NULL;

	want("open", store_open(f->state, NULL, &store, NULL), RJWT_OK);
	want("as it was", store_load(store, NULL), RJWT_OK);
	assert_true(store_loaded(store) == 1 && store_replaced(store) == 0);
	file_moved = true;
	want("the file", store_load(store, NULL), RJWT_OK);
	assert_true(store_loaded(store) == 2 && store_replaced(store) == 0);
	folder_moved = true;
	want("the folder", store_load(store, NULL), RJWT_OK);
	assert_true(store_loaded(store) == 3 && store_replaced(store) == 1);
	file_moved = folder_moved = false;
}

static struct fixture *rotating; /* while a directory is listed; NULL: nothing happens */

enum rjwt_err __real_dir_each(const struct dir *dir, enum rjwt_err (*each)(void *context, const char *name),
    void *context, struct rjwt_diag *diag);
enum rjwt_err __wrap_dir_each(const struct dir *dir, enum rjwt_err (*each)(void *context, const char *name),
    void *context, struct rjwt_diag *diag);

enum rjwt_err
__wrap_dir_each(const struct dir *dir, enum rjwt_err (*each)(void *context, const char *name), void *context,
    struct rjwt_diag *diag)
{
	struct fixture *f = rotating;

	rotating = NULL;
	if (f != NULL)
		rotate(f);
	return __real_dir_each(dir, each, context, diag);
}

/* A key that a rotation has made since keyset.json was read is no sign of an old keyset.json. */
static void
test_rotation_beside(void **state)
{
	struct fixture *f = *state;
	const struct rotation_policy policy = { .leeway_s = 30 };
	RJWT_CLEAN(store_clean) struct store *store = NULL;

	want("open", store_open(f->state, NULL, &store, NULL), RJWT_OK);
	rotating = f;
	want("a rotation meanwhile", store_check_writable(store, &policy, NULL), RJWT_OK);
	assert_true(rotating == NULL && store_keyset(store)->active.version == 2);
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
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		whole_seconds = rows[i].whole_seconds;
		want("init", rjwt_init(&options, 0, &change, &f->diag), rows[i].err);
		assert_true(file_there(f, "keyset.json") == (rows[i].err == RJWT_OK));
		assert_true((strstr(f->diag.text, "to the nanosecond") != NULL) == (rows[i].err != RJWT_OK));
	}
}

/* Any difference is another keyset.json, also in the same place. */
static void
test_each_difference(void **state)
{
	static const struct {
		int64_t s;
		long ns;
		off_t at; /* -1: one byte more */
	} rows[] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, -1 } };
	struct fixture *f = *state;
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	struct stat was;
	char path[256], too_long[512] = "/", first;
	int fd;

	memset(too_long + 1, 'a', sizeof(too_long) - 2);
	snprintf(path, sizeof(path), "%s/keyset.json", f->state);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(fstat(fd, &was), 0);
	assert_int_equal(pread(fd, &first, 1, 0), 1);
	want("open", store_open(f->state, NULL, &store, NULL), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct timespec times[2] = { was.st_atim, was.st_mtim };

		want("as it was", store_load(store, NULL), RJWT_OK);
		times[1].tv_sec += rows[i].s;
		times[1].tv_nsec += rows[i].ns;
		assert_int_equal(pwrite(fd, "x", 1, rows[i].at < 0 ? was.st_size : rows[i].at), 1);
		assert_int_equal(futimens(fd, times), 0);
		want("another", store_load(store, NULL), RJWT_KEYSET);
		assert_int_equal(pwrite(fd, &first, 1, 0), 1);
		assert_int_equal(ftruncate(fd, was.st_size), 0);
		times[1] = was.st_mtim;
		assert_int_equal(futimens(fd, times), 0);
	}
	close(fd);
	store_close(store);
	store = NULL;
	want("no such name", store_open(too_long, NULL, &store, NULL), RJWT_IO);
	want("nothing there", store_open("/nonexistent", NULL, &store, NULL), RJWT_KEYSET);
}

static void
want_refusal(struct fixture *f, struct keyset *k, const char *token, enum rjwt_err err, const char *why)
{
	f->diag = (struct rjwt_diag){ .text = "" };
	keyset_put(f, k); /* the handle reads all of it again */
	want(why, judge(f, token, 0, NULL), err);
	if (strstr(f->diag.text, why) == NULL)
		fail_msg("%s instead of %s", f->diag.text, why);
}

static void
test_key_files(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *first = token_with(f, NULL);
	RJWT_CLEAN(free_clean) char *fourth = token_with(f, (struct edit[]){ { 'h', "kid", "\"B.4\"" }, { 0 } });
	RJWT_CLEAN(buf_clear) struct buf young = file_get(f, "keys/1.jwk");
	RJWT_CLEAN(buf_clear) struct buf second = { 0 };
	RJWT_CLEAN(buf_clear) struct buf sealed = { 0 };
	struct keyset k;
	char path[256];

	rotate(f);
	k = keyset_get(f);
	second = file_get(f, "keys/2.jwk");
	want_refusal(f, &k, first, RJWT_OK, "");
	snprintf(path, sizeof(path), "%s/keys/1.jwk", f->state);
	assert_int_equal(unlink(path), 0);
	want("it is kept", judge(f, first, 0, NULL), RJWT_OK);
	want_refusal(f, &k, first, RJWT_KEY_UNKNOWN, "");
	file_put(f, "keys/1.jwk", buf_view(&second));
	want_refusal(f, &k, first, RJWT_KEYSET, "1.jwk: has key B.2 of another keyset");
	file_put(f, "keys/1.jwk", buf_view(&young));
	want_refusal(f, &k, first, RJWT_KEYSET, "1.jwk: a retired key without exp");
	file_put(f, "keys/1.jwk", VIEW("{}"));
	want_refusal(f, &k, first, RJWT_KEYSET, KEYSET_DAMAGED);
	buf_adds(&sealed, "{\"kid\":\"B.1\",\"kty\":1");
	want("seal", seal_add(&sealed), RJWT_OK);
	file_put(f, "keys/1.jwk", buf_view(&sealed));
	want_refusal(f, &k, first, RJWT_KEYSET, "kty is missing or not a string");
	/* What the keyset does not speak of is not even read. */
	k.floor = 2;
	want_refusal(f, &k, first, RJWT_KEY_UNKNOWN, "");
	file_put(f, "keys/4.jwk", VIEW("{}"));
	want_refusal(f, &k, fourth, RJWT_KEY_UNKNOWN, "");
}

static bool
exported(struct store *store, int64_t now_s)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };

	want("jwks", store_jwks(store, now_s, &out, NULL), RJWT_OK);
	assert_true(out.n > 2 && strcmp(out.p + out.n - 2, "}\n") == 0);
	assert_non_null(strstr(out.p, "\"B.3\""));
	return strstr(out.p, "\"B.1\"") != NULL;
}

/* Whether it is that version's own signer. */
static bool
signs_as(struct store *store, struct signer *signer, int64_t version)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
	RJWT_CLEAN(buf_clear) struct buf signature = { 0 };

	want("key", store_read_key(store, version, &jwk, NULL), RJWT_OK);
	want("sign", signer->sign(signer, VIEW("text"), &signature), RJWT_OK);
	return key_verify(jwk.key, VIEW("text"), buf_view(&signature)) == RJWT_OK;
}

/* What writers see of a retired key: as long as it verifies, and none where its file is gone. */
static void
test_retired_key(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	RJWT_CLEAN(buf_clear) struct buf young = file_get(f, "keys/1.jwk");
	const struct rotation_policy policy = { .rotate_every_s = 86400, .max_lifetime_s = 3600, .leeway_s = 30 };
	struct keyset_seen seen;
	struct signer *signer;
	char path[256];

	rotate(f);
	key_stamp(f, 1, T0, T0 + 100, 0);
	want("open", store_open(f->state, NULL, &store, NULL), RJWT_OK);
	assert_true(exported(store, T0 + 100));
	assert_false(exported(store, T0 + 101));
	file_put(f, "keys/1.jwk", buf_view(&young));
	assert_false(exported(store, T0)); /* nobody vouches for it */
	snprintf(path, sizeof(path), "%s/keys/1.jwk", f->state);
	assert_int_equal(unlink(path), 0);
	want("see", store_usage(store, &policy, &clock_time, &seen, NULL), RJWT_OK);
	assert_int_equal(seen.first_alive, 2);
	want("the next one's", store_signer(store, 3, &signer, NULL), RJWT_OK);
	assert_true(signs_as(store, signer, 3));
	want("the active one's", store_signer(store, 2, &signer, NULL), RJWT_OK);
	assert_true(signs_as(store, signer, 2));
	snprintf(path, sizeof(path), "%s/keys/3.jwk", f->state);
	assert_int_equal(unlink(path), 0);
	want("another's", store_signer(store, 3, &signer, NULL), RJWT_KEYSET);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_other_file_system, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_rotation_beside, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_each_commit, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_whole_seconds, setup_bare, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_each_difference, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_key_files, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_retired_key, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
