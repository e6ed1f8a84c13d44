/* SPDX-License-Identifier: MIT */
/* Denials: what is written, what is left as it is, what is walked over; and each call of ours failing. */
#include "folder.h"
#include "keyset/denials.h"
#include "keyset/denials_write.h"

#include "failing.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static struct denials denials = { { -1, NULL }, { -1, NULL } };

static int
begin_denials(void **state)
{
	if (begin(state) != 0)
		return -1;
	EXPECT("open", denials_open(&folder, &denials, NULL), RJWT_OK);
	return 0;
}

static int
end_denials(void **state)
{
	denials_close(&denials);
	return end(state);
}

/* The text of a denial of a name; "": there is none. */
static const char *
text_of(const char *hash)
{
	static char text[80];
	FILE *file;
	size_t n;

	snprintf(text, sizeof(text), "denied/sub/%s", hash);
	file = fopen(at(text), "r");
	n = file == NULL ? 0 : fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	if (file != NULL)
		fclose(file);
	return text;
}

static void
put_denial(const char *hash, const char *text)
{
	char name[96];

	snprintf(name, sizeof(name), "denied/sub/%s", hash);
	put(name, text, 0644);
}

static ino_t
file_number(const char *hash)
{
	struct stat status;

	assert_int_equal(fstatat(denials.sub.fd, hash, &status, AT_SYMLINK_NOFOLLOW), 0);
	return status.st_ino;
}

static void
test_open(void **state)
{
	struct denials again = DENIALS_NONE;

	(void)state;
	assert_int_equal(mode_of("denied"), 0711);
	assert_int_equal(mode_of("denied/sub"), 0711);
	assert_int_equal(mode_of("denied/jti"), 0711);
	EXPECT("again", denials_open(&folder, &again, NULL), RJWT_OK);
	CHECK("sub", strstr(again.sub.path, "/denied/sub") != NULL);
	CHECK("jti", strstr(again.jti.path, "/denied/jti") != NULL);
	denials_close(&again);
	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "denied/sub" : "denied/jti";

		assert_int_equal(rmdir(at(name)), 0);
		put(name, "", 0644);
		EXPECT("a file", denials_open(&folder, &again, NULL), RJWT_KEYSET);
		assert_true(again.sub.fd < 0 && again.jti.fd < 0);
		assert_int_equal(unlink(at(name)), 0);
		EXPECT("a directory", denials_open(&folder, &again, NULL), RJWT_OK);
		denials_close(&again);
	}
}

static void
put_says(const char *label, int64_t until_s, bool later, bool expected, const char *text)
{
	bool written = false;

	EXPECT(label, denial_put(&denials.sub, HASH, until_s, later, &written, NULL), RJWT_OK);
	CHECK(label, written == expected);
	if (strcmp(text_of(HASH), text) != 0)
		fail_msg("%s: \"%s\"", label, text_of(HASH));
}

/* The later date holds; one that cannot be read is none. */
static void
test_put(void **state)
{
	static const char *const damaged[] = { "", "\n", "200", "x\n", "9007199254740993\n" };
	struct stat status;
	bool written = false;

	(void)state;
	put_says("of no time", 0, false, true, "0\n");
	put_says("the first", 100, false, true, "100\n");
	assert_int_equal(fstatat(denials.sub.fd, HASH, &status, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
	assert_int_equal(status.st_mtim.tv_sec, 0);
	assert_int_equal(status.st_mtim.tv_nsec, 0);
	put_says("the same", 100, false, false, "100\n");
	put_says("an earlier one", 99, false, false, "100\n");
	put_says("a later one", 101, false, true, "101\n");
	put_says("a later one, of many", 102, true, true, "102\n");
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		put_denial(HASH, damaged[i]);
		put_says("damaged", 100, i % 2 == 0, true, "100\n");
	}
	assert_int_equal(mkdirat(denials.sub.fd, OTHER, 0755), 0);
	EXPECT("a directory", denial_put(&denials.sub, OTHER, 1, false, &written, NULL), RJWT_KEYSET);
	assert_false(written);
}

/* One that becomes durable with others waits for no disk. */
static void
test_durable(void **state)
{
	bool written;

	(void)state;
	for (int later = 0; later < 2; later++) {
		unsigned syncs = 0;

		for (unsigned k = 1;; k++) {
			bool failed;

			(void)unlinkat(denials.sub.fd, HASH, 0);
			failing_begin(k);
			written = denial_put(&denials.sub, HASH, 5, later == 1, &written, NULL) == RJWT_OK;
			failed = failing_end();
			syncs += failed && strcmp(failing_name, "fsync") == 0;
			if (!failed)
				break;
			CHECK(failing_name, !written || strstr(failing_name, "stat") != NULL);
		}
		assert_true(written);
		assert_int_equal(syncs, later == 1 ? 0 : 2); /* the file and its directory */
	}
}

/* --- walks ------------------------------------------------------------------------------------ */

struct found {
	unsigned n, damaged, ends_at;
	int64_t sum_s;
};

static enum rjwt_err
count(void *context, const char *hash, int64_t until_s)
{
	struct found *found = context;

	CHECK(hash, strlen(hash) == 64);
	found->n++;
	if (until_s == DENIAL_DAMAGED_S)
		found->damaged++;
	else
		found->sum_s += until_s;
	return found->n == found->ends_at ? RJWT_BUSY : RJWT_OK;
}

static void
put_some(void)
{
	put_denial(HASH, "100\n");
	put_denial(OTHER, "20\n");
	put_denial("00000000000000000000000000000000000000000000000000000000000000ff", "3");
}

static void
test_each(void **state)
{
	static const char *const others[] = { HASH "0", HASH ".old", (".new." HASH),
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
		"0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg" };
	struct found found = { 0 };

	(void)state;
	EXPECT("none", denials_each(&denials.sub, count, &found, NULL), RJWT_OK);
	assert_int_equal(found.n, 0);
	put_some();
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		put_denial(others[i], "4000\n");
	EXPECT("three", denials_each(&denials.sub, count, &found, NULL), RJWT_OK);
	assert_int_equal(found.n, 3);
	assert_int_equal(found.damaged, 1);
	assert_int_equal(found.sum_s, 120);
	found = (struct found){ .ends_at = 2 };
	EXPECT("the second ends it", denials_each(&denials.sub, count, &found, NULL), RJWT_BUSY);
	assert_int_equal(found.n, 2);
	assert_int_equal(unlinkat(denials.sub.fd, OTHER, 0), 0);
	assert_int_equal(symlinkat(HASH, denials.sub.fd, OTHER), 0);
	EXPECT("a link", denials_each(&denials.sub, count, &found, NULL), RJWT_KEYSET);
}

static void
test_date_back(void **state)
{
	ino_t early;

	(void)state;
	put_some();
	early = file_number(OTHER);
	EXPECT("to 20", denials_date_back(&denials.sub, 20, NULL), RJWT_OK);
	assert_string_equal(text_of(HASH), "20\n");
	assert_string_equal(text_of(OTHER), "20\n");
	assert_true(file_number(OTHER) == early); /* nothing is written that is right */
	assert_string_equal(text_of("00000000000000000000000000000000000000000000000000000000000000ff"), "3");
}

static enum rjwt_err
note_kind(void *context, const struct dir *kind)
{
	char *seen = context;

	strcat(seen, strrchr(kind->path, '/'));
	return strlen(seen) > 20 ? RJWT_BUSY : RJWT_OK;
}

static void
test_each_kind(void **state)
{
	char seen[64] = "";

	(void)state;
	EXPECT("both", denials_each_kind(&folder, note_kind, seen, NULL), RJWT_OK);
	assert_string_equal(seen, "/sub/jti");
	strcpy(seen, "a text of 18 bytes");
	EXPECT("an error at the first", denials_each_kind(&folder, note_kind, seen, NULL), RJWT_BUSY);
	assert_string_equal(seen, "a text of 18 bytes/sub");
	seen[0] = '\0';
	assert_int_equal(rmdir(at("denied/jti")), 0);
	EXPECT("one", denials_each_kind(&folder, note_kind, seen, NULL), RJWT_OK);
	assert_string_equal(seen, "/sub");
	assert_int_equal(rmdir(at("denied/sub")), 0);
	assert_int_equal(rmdir(at("denied")), 0);
	EXPECT("none", denials_each_kind(&folder, note_kind, seen, NULL), RJWT_OK);
	put("denied", "", 0644);
	EXPECT("a file", denials_each_kind(&folder, note_kind, seen, NULL), RJWT_KEYSET);
	assert_string_equal(seen, "/sub");
}

/* --- every call ------------------------------------------------------------------------------- */

static enum rjwt_err
open_all(void)
{
	struct denials made = DENIALS_NONE;
	enum rjwt_err err = denials_open(&folder, &made, NULL);

	assert_true((err == RJWT_OK) == (made.sub.fd >= 0) && (err == RJWT_OK) == (made.jti.fd >= 0));
	denials_close(&made);
	return err;
}

static enum rjwt_err
walk(void)
{
	struct found found = { 0 };

	return denials_each(&denials.sub, count, &found, NULL);
}

static enum rjwt_err
walk_kinds(void)
{
	char seen[64] = "";

	return denials_each_kind(&folder, note_kind, seen, NULL);
}

static enum rjwt_err
date_back(void)
{
	put_denial(HASH, "100\n");
	return denials_date_back(&denials.sub, 20, NULL);
}

/* It only looked whether there is a file, which is opened then. */
static bool
only_looked(unsigned k, enum rjwt_err err)
{
	(void)k;
	(void)err;
	return strcmp(failing_name, "fstatat") == 0;
}

static void
test_failing(void **state)
{
	(void)state;
	put_some();
	failing_every("open", open_all, only_looked);
	failing_every("each", walk, only_looked);
	failing_every("each kind", walk_kinds, only_looked);
	failing_every("date back", date_back, only_looked);
}

#define D(test) cmocka_unit_test_setup_teardown(test, begin_denials, end_denials)

int
main(void)
{
	const struct CMUnitTest tests[] = { D(test_open), D(test_put), D(test_durable), D(test_each), D(test_date_back),
		D(test_each_kind), D(test_failing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
