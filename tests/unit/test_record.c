/* SPDX-License-Identifier: MIT */
/* What a fleet keeps in files of its own: published.json and fleet.json. Each refused text beside one that is accepted. */
#include "unit.h"
#include "fleet/fleet.h"
#include "fleet/record.h"

#define K1 "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define K2 "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"

/* A text with one part in the place of another, and with a sum that fits. */
static struct buf
sealed(const char *text, const char *from, const char *to)
{
	struct buf out = { 0 };
	const char *at = strstr(text, from);

	CHECK(from, at != NULL);
	buf_add(&out, text, (size_t)(at - text));
	buf_adds(&out, to);
	buf_adds(&out, at + strlen(from));
	out.n--; /* the brace, which the seal brings */
	EXPECT(to, seal_add(&out), RJWT_OK);
	return out;
}

static void
put(const struct dir *dir, const char *name, struct view text)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir->path, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(text.p, 1, text.n, file), text.n);
	assert_int_equal(fclose(file), 0);
}

/* --- published.json ----------------------------------------------------------------------------- */

#define RECORD                                                                                              \
	"{\"format\":1,\"base\":\"B\",\"serial\":9,\"iat\":8,\"next\":2,\"next_since\":7,\"digest\":\"d\"," \
	"\"stopped\":\"why\",\"left\":[\"L0\",\"L1\"]}"

static const struct {
	const char *from, *good, *bad;
} record_rows[] = {
	{ "\"base\":\"B\"", "\"base\":\"b-_9\"", "\"base\":\"..\"" },
	{ "\"base\":\"B\",", "\"base\":\"C\",", "" },
	{ "\"base\":\"B\"", "\"base\":\"C\"", "\"base\":5" },
	{ "\"serial\":9", "\"serial\":0", "\"serial\":-1" },
	{ "\"serial\":9", "\"serial\":9007199254740992", "\"serial\":9007199254740993" },
	{ "\"serial\":9,", "\"serial\":9,\"more\":5,", "" },
	{ "\"digest\":\"d\",", "\"digest\":\"\",", "" },
	{ "\"digest\":\"d\"", "\"digest\":\"1234567890123456789012345678901234567890123456789012345678901234\"",
	    "\"digest\":\"12345678901234567890123456789012345678901234567890123456789012345\"" },
	{ "\"iat\":8,", "", "\"iat\":\"8\"," },
	{ "\"next\":2,", "", "\"next\":\"2\"," },
	{ "\"next_since\":7,", "", "\"next_since\":[]," },
	{ "\"stopped\":\"why\",", "", "\"stopped\":5," },
	{ ",\"left\":[\"L0\",\"L1\"]", "", ",\"left\":\"L0\"" },
	{ "[\"L0\",\"L1\"]", "[]", "[\"L0\",\"a/b\"]" },
	{ "[\"L0\",\"L1\"]", "[\"L0\"]", "[\"L0\",5]" },
	{ "[\"L0\",\"L1\"]",
	    "[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]",
	    "[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]" },
};

static void
test_records(void **state)
{
	struct dir dir = unit_folder();
	struct rjwt_diag diag;
	struct record record = { .serial = 5 };

	(void)state;
	EXPECT("none", record_read(&dir, &record, &diag), RJWT_OK);
	assert_true(record.serial == 0 && record.base[0] == '\0' && record.nleft == 0);
	for (size_t i = 0; i < ARRAY_LEN(record_rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf bad = sealed(RECORD, record_rows[i].from, record_rows[i].bad);
		RJWT_CLEAN(buf_clear) struct buf good = sealed(RECORD, record_rows[i].from, record_rows[i].good);

		put(&dir, "published.json", buf_view(&bad));
		record.serial = 5;
		EXPECT(bad.p, record_read(&dir, &record, &diag), RJWT_KEYSET);
		CHECK(bad.p, record.serial == 0 && record.base[0] == '\0');
		assert_non_null(
		    strstr(diag.text, "published.json is damaged: without it a serial could be used twice"));
		put(&dir, "published.json", buf_view(&good));
		EXPECT(good.p, record_read(&dir, &record, &diag), RJWT_OK);
		good.p[good.n / 2] ^= 1; /* its sum does not fit */
		put(&dir, "published.json", buf_view(&good));
		EXPECT("altered", record_read(&dir, &record, &diag), RJWT_KEYSET);
	}
	unit_folder_remove(&dir);
}

static void
test_record_round_trip(void **state)
{
	struct dir dir = unit_folder();
	RJWT_CLEAN(buf_clear) struct buf text = sealed(RECORD, "\"base\"", "\"base\"");
	RJWT_CLEAN(buf_clear) struct buf again = { 0 };
	struct rjwt_diag diag;
	struct record record, other;

	(void)state;
	put(&dir, "published.json", buf_view(&text));
	EXPECT("read", record_read(&dir, &record, &diag), RJWT_OK);
	assert_true(record.serial == 9 && record.iat_s == 8 && record.next == 2 && record.next_s == 7 &&
		    record.nleft == 2 && record_has_left(&record, "L1") && !record_has_left(&record, "B"));
	EXPECT("write", record_write(&dir, &record, &diag), RJWT_OK);
	EXPECT("text", file_read(&dir, "published.json", 9999, &again, NULL, &diag), RJWT_OK);
	CHECK(again.p, view_eq(buf_view(&text), buf_view(&again)));
	other = record;
	record_begin(&other, "N");
	assert_true(other.serial == 0 && other.iat_s == 0 && other.next == 0 && other.next_s == 0 &&
		    other.digest[0] == '\0' && other.stopped[0] == '\0' && other.nleft == 3);
	assert_string_equal(other.base, "N");
	assert_string_equal(other.left[0], "L0");
	assert_string_equal(other.left[2], "B");
	EXPECT("write", record_write(&dir, &other, &diag), RJWT_OK);
	EXPECT("read", record_read(&dir, &record, &diag), RJWT_OK);
	assert_true(record.serial == 0 && record.stopped[0] == '\0' && record.nleft == 3);
	other = (struct record){ 0 };
	record_begin(&other, "N0"); /* the first one left nothing */
	assert_int_equal(other.nleft, 0);
	for (int i = 1; i <= RECORD_LEFT_MAX + 1; i++) { /* the earliest goes */
		char base[8];

		snprintf(base, sizeof(base), "N%d", i);
		record_begin(&other, base);
	}
	assert_int_equal(other.nleft, RECORD_LEFT_MAX);
	assert_string_equal(other.left[0], "N1");
	assert_string_equal(other.left[RECORD_LEFT_MAX - 1], "N16");
	unit_folder_remove(&dir);
}

/* --- fleet.json ---------------------------------------------------------------------------------- */

#define LISTED "[{\"name\":\"i1\",\"base\":\"B\",\"iss\":\"i\",\"url\":\"http://i\",\"key\":\"" K2 "\"}]"
#define FLEET                                                                                         \
	"{\"format\":1,\"generation\":3,\"chain\":2,\"pin\":\"" K1 "\",\"url\":\"http://i/f\","       \
	"\"audience\":\"h.example\",\"machine\":\"m\",\"before\":4,\"born\":5,\"used\":6,\"roster\":" \
	"{\"n\":7,\"iat\":8,\"keys\":[\"" K1 "\"],\"issuers\":" LISTED "},\"digest\":\"d\"}"

static const struct {
	const char *from, *good, *bad;
} fleet_rows[] = {
	{ "\"format\":1", "\"format\":1,\"more\":1", "\"format\":2" },
	{ "\"format\":1", "\"format\":1", "\"format\":0" },
	{ "\"format\":1,", "\"format\":1,", "" },
	{ "\"generation\":3", "\"generation\":0", "\"generation\":-1" },
	{ "\"chain\":2", "\"chain\":0", "\"chain\":\"2\"" },
	{ "\"pin\":\"" K1 "\"", "\"pin\":\"" K2 "\"", "\"pin\":\"K\"" },
	{ "\"pin\":\"" K1 "\"", "\"pin\":\"" K2 "\"", "\"pin\":5" },
	{ "http://i/f", "https://i", "ftp://i" },
	{ "\"url\":\"http://i/f\",", "\"url\":\"http://i\",", "" },
	{ "h.example", "@web", "h\\u0007" },
	{ "\"audience\":\"h.example\"", "\"audience\":\"h\"", "\"audience\":\"\"" },
	{ "\"machine\":\"m\"", "\"machine\":\"\"", "\"machine\":5" },
	{ "\"before\":4", "\"before\":0", "\"before\":-4" },
	{ "\"born\":5", "\"born\":0", "\"born\":1.5" },
	{ "\"used\":6,", "", "\"used\":-6," },
	{ "\"n\":7", "\"n\":1", "\"n\":0" },
	{ "\"issuers\":" LISTED, "\"issuers\":[]", "\"issuers\":5" },
	{ "\"keys\":[\"" K1 "\"]", "\"keys\":[\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"]", "\"keys\":[\"K\"]" },
	{ ",\"digest\":\"d\"", ",\"digest\":\"\"", "" },
	{ "\"roster\":{", "\"roster\":{", "\"roster\":5,\"x\":{" },
	{ "\"roster\":{", "\"x\":{", "\"roster\":[],\"x\":{" },
};

static void
test_fleets(void **state)
{
	struct rjwt_diag diag;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fleet_rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf bad = sealed(FLEET, fleet_rows[i].from, fleet_rows[i].bad);
		RJWT_CLEAN(buf_clear) struct buf good = sealed(FLEET, fleet_rows[i].from, fleet_rows[i].good);
		struct fleet fleet = { .generation = 99 };

		EXPECT(bad.p, fleet_parse(buf_view(&bad), &fleet, &diag), RJWT_KEYSET);
		CHECK(bad.p, fleet.generation == 99 && diag.text[0] != '\0');
		EXPECT(good.p, fleet_parse(buf_view(&good), &fleet, &diag), RJWT_OK);
		good.p[good.n / 2] ^= 1;
		EXPECT("altered", fleet_parse(buf_view(&good), &fleet, &diag), RJWT_KEYSET);
		assert_non_null(strstr(diag.text, "its sum does not match"));
	}
}

static void
test_fleet_round_trip(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = sealed(FLEET, "\"format\"", "\"format\"");
	RJWT_CLEAN(buf_clear) struct buf again = { 0 };
	RJWT_CLEAN(buf_clear) struct buf first = { 0 };
	struct fleet fleet, other;

	(void)state;
	EXPECT("parse", fleet_parse(buf_view(&text), &fleet, NULL), RJWT_OK);
	assert_true(fleet.generation == 3 && fleet.chain == 2 && fleet.before_s == 4 && fleet.born_s == 5 &&
		    fleet.used_n == 6 && fleet.roster.n == 7 && fleet.roster.iat_s == 8 && fleet.roster.nissuers == 1);
	assert_string_equal(fleet.digest, "d");
	EXPECT("format", fleet_format(&again, &fleet), RJWT_OK);
	CHECK(again.p, view_eq(buf_view(&text), buf_view(&again)));
	fleet.roster = (struct roster){ .n = 0 }; /* before the first roster the pin may sign */
	fleet.used_n = 0;
	EXPECT("format", fleet_format(&first, &fleet), RJWT_OK);
	assert_null(strstr(first.p, "roster"));
	assert_null(strstr(first.p, "used"));
	EXPECT("parse", fleet_parse(buf_view(&first), &other, NULL), RJWT_OK);
	assert_true(other.roster.n == 0 && other.roster.nkeys == 1 && fleet_key_eq(&other.roster.keys[0], &other.pin));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_records), cmocka_unit_test(test_record_round_trip),
		cmocka_unit_test(test_fleets), cmocka_unit_test(test_fleet_round_trip) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
