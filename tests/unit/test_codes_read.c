/* SPDX-License-Identifier: MIT */
/* Reading all codes where some of their files cannot be read, or are gone by then: the others are read, and the first error is told. */
#include "fixture.h"
#include "base/file.h"
#include "keyset/codes.h"

#include "../fault/wrapped.h"

#include <errno.h>
#include <stdio.h>

/* What happens to the files of codes, one after the other; after the last one they are read. */
static const struct {
	enum rjwt_err err;
	int error;
	const char *path;
} * faults;
static size_t nfaults;

WRAP(enum rjwt_err, file_read,
    (const struct dir *dir, const char *name, size_t max, struct buf *text, struct stat *status,
	struct rjwt_diag *diag))
{
	enum rjwt_err err;

	if (nfaults == 0 || strlen(name) != DIGEST_HEX - 1)
		return __real_file_read(dir, name, max, text, status, diag);
	nfaults--;
	err = diag_fail(diag, faults->err, faults->path, "planned");
	errno = faults->error;
	faults++;
	return err;
}

static enum rjwt_err
count(void *context, const char *name, const struct code *code)
{
	(void)name;
	*(unsigned *)context += code->renewed;
	return RJWT_OK;
}

/* Of three codes. */
static enum rjwt_err
read_all(struct fixture *f, unsigned *n)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;

	*n = 0;
	f->diag = (struct rjwt_diag){ 0 };
	want("state", dir_open(f->state, &dir, NULL), RJWT_OK);
	return codes_each(&dir, count, n, &f->diag);
}

static void
test_read(void **state)
{
	static const char *const ssh[] = { "ssh", NULL };
	static const typeof(*faults) gone[] = { { RJWT_IO, ENOENT, "/gone" }, { RJWT_IO, ENOENT, "/gone" } },
				     damaged[] = { { RJWT_KEYSET, 0, "/odd" } },
				     shut[] = { { RJWT_IO, EIO, "/first" }, { RJWT_BUSY, 0, "/second" } };
	struct fixture *f = *state;
	const struct rjwt_request request = { .user = "alice",
		.scope = ssh,
		.code_until_s = T0 + 30 * DAY,
		.flags = RJWT_PARK };
	unsigned n;

	fixture_config(f, "codes: [ssh]\n");
	for (int i = 0; i < 3; i++) {
		RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = { 0 };

		want("code", rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
	}
	want("all", read_all(f, &n), RJWT_OK);
	assert_int_equal(n, 3);
	faults = gone;
	nfaults = ARRAY_LEN(gone);
	want("gone", read_all(f, &n), RJWT_OK);
	assert_int_equal(n, 1);
	faults = damaged;
	nfaults = ARRAY_LEN(damaged);
	want("damaged", read_all(f, &n), RJWT_OK);
	assert_int_equal(n, 2);
	faults = shut;
	nfaults = ARRAY_LEN(shut);
	want("shut", read_all(f, &n), RJWT_IO);
	assert_int_equal(n, 1);
	assert_string_equal(f->diag.path, "/first");
	want("open again", read_all(f, &n), RJWT_OK);
	assert_int_equal(n, 3);
	assert_string_equal(f->diag.path, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_read, fixture_setup,
	    fixture_teardown) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
