/* SPDX-License-Identifier: MIT */
/* keyset.json: what is written is read, and nothing else is. */
#include "fixture.h"

#include <stdio.h>

static void
text_of(struct buf *text)
{
	struct keyset k = { .generation = 7,
		.base = "B",
		.issuer = "i\"\\\xc3\xa9",
		.audience = "a",
		.machine = "0123",
		.floor = 2,
		.active = { 3, T0 },
		.next = { 5, T0 + 1 },
		.next_version = 9,
		.clock = { T0 + 2, 77, "11111111-1111-1111-1111-111111111111" },
		.configured = true };

	want("format", keyset_format(text, &k), RJWT_OK);
}

static void
test_round_trip(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(buf_clear) struct buf again = { 0 };
	struct keyset k;

	(void)state;
	text_of(&text);
	want("parse", keyset_parse(buf_view(&text), &k, NULL), RJWT_OK);
	assert_true(k.generation == 7 && k.floor == 2 && k.active.version == 3 && k.active.since_s == T0);
	assert_true(k.next.version == 5 && k.next.published_s == T0 + 1 && k.next_version == 9);
	assert_true(k.clock.wall_s == T0 + 2 && k.clock.boot_s == 77 && k.configured);
	assert_string_equal(k.issuer, "i\"\\\xc3\xa9");
	want("format", keyset_format(&again, &k), RJWT_OK);
	assert_string_equal(text.p, again.p);
	assert_true(text.n < KEYSET_FILE_MAX);
	for (int64_t moved_s = -5; moved_s <= 5; moved_s += 5) { /* by how much the clock was set */
		RJWT_CLEAN(buf_clear) struct buf set = { 0 };
		struct keyset back;

		k.moved_s = moved_s;
		want("format", keyset_format(&set, &k), RJWT_OK);
		want("parse", keyset_parse(buf_view(&set), &back, NULL), RJWT_OK);
		assert_int_equal(back.moved_s, moved_s);
	}
}

/* A torn, truncated or altered file refuses, and never means a new key. */
static void
test_every_byte_and_length(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct keyset k = { .generation = 42 };

	(void)state;
	text_of(&text);
	for (size_t i = 0; i < text.n; i++)
		for (int bit = 1; bit < 256; bit <<= 1) {
			text.p[i] = (char)(text.p[i] ^ bit);
			if (keyset_parse(buf_view(&text), &k, NULL) != RJWT_KEYSET)
				fail_msg("byte %zu", i);
			text.p[i] = (char)(text.p[i] ^ bit);
		}
	for (size_t n = 0; n < text.n; n++)
		if (keyset_parse((struct view){ text.p, n }, &k, NULL) != RJWT_KEYSET)
			fail_msg("length %zu", n);
	assert_true(k.generation == 42);
	buf_adds(&text, "\n");
	want("a byte more", keyset_parse(buf_view(&text), &k, NULL), RJWT_KEYSET);
}

/* What is followed has a serial, from 1 on. */
static void
test_followed(void **state)
{
	struct keyset k = { .generation = 1,
		.base = "B",
		.issuer = "i",
		.audience = "a",
		.floor = 1,
		.active = { 1, T0 },
		.next = { 2, T0 },
		.next_version = 3,
		.clock = { T0, 77, "11111111-1111-1111-1111-111111111111" },
		.followed = { .serial = 1, .issued_s = T0, .born_s = T0 } };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char *at;

	(void)state;
	memset(k.followed.key, 'A', sizeof(k.followed.key) - 1);
	want("format", keyset_format(&text, &k), RJWT_OK);
	*strstr(text.p, ",\"sum\":") = '\0';
	at = strstr(text.p, "\"serial\":1");
	assert_non_null(at);
	for (char serial = '0'; serial < '3'; serial++) {
		RJWT_CLEAN(buf_clear) struct buf other = { 0 };
		struct keyset back;

		at[9] = serial;
		buf_adds(&other, text.p);
		want("seal", seal_add(&other), RJWT_OK);
		want("parse", keyset_parse(buf_view(&other), &back, NULL), serial == '0' ? RJWT_KEYSET : RJWT_OK);
		assert_true(serial == '0' || (keyset_is_followed(&back) && back.followed.serial == serial - '0'));
	}
}

/* Another text with a sum that fits: what it says must still be possible. */
static void
test_contradictions(void **state)
{
	static const struct {
		const char *from, *to;
		enum rjwt_err err;
	} rows[] = {
		{ "\"format\":1", "\"format\":1", RJWT_OK },
		{ "\"format\":1", "\"format\":2", RJWT_KEYSET },
		{ "\"format\":1", "\"format\":\"1\"", RJWT_KEYSET },
		{ "\"generation\":7", "\"generation\":-7", RJWT_KEYSET },
		{ "\"generation\":7", "\"generation\":7.0", RJWT_KEYSET },
		{ "\"generation\":7", "\"generation\":7,\"generation\":8", RJWT_KEYSET },
		{ "\"base\":\"B\"", "\"base\":\"\"", RJWT_KEYSET },
		{ "\"base\":\"B\"", "\"base\":\"a/b\"", RJWT_KEYSET },
		{ "\"base\":\"B\"", "\"base\":\"abcdefghijklmnopqrstuvwxyz123456\"", RJWT_OK },
		{ "\"base\":\"B\"", "\"base\":\"abcdefghijklmnopqrstuvwxyz1234567\"", RJWT_KEYSET },
		{ "\"audience\":\"a\"", "\"audience\":\"\"", RJWT_KEYSET },
		{ "\"audience\":\"a\"", "\"audience\":\"a\\n\"", RJWT_KEYSET },
		{ "\"audience\":\"a\",", "", RJWT_KEYSET },
		{ "\"issuer\":\"i", "\"issuer\":\"\\u0007i", RJWT_KEYSET },
		{ "\"floor\":2", "\"floor\":3", RJWT_OK },
		{ "\"floor\":2", "\"floor\":4", RJWT_KEYSET },
		{ "\"floor\":2", "\"floor\":0", RJWT_KEYSET },
		{ "\"active\":{\"version\":3", "\"active\":{\"version\":4", RJWT_OK },
		{ "\"active\":{\"version\":3", "\"active\":{\"version\":5", RJWT_KEYSET },
		{ "\"active\":{\"version\":3", "\"active\":{\"version\":1", RJWT_KEYSET },
		{ "\"active\":{\"version\":3", "\"active\":{\"version\":null", RJWT_KEYSET },
		{ "\"next\":{\"version\":5", "\"next\":{\"version\":8", RJWT_OK },
		{ "\"next\":{\"version\":5", "\"next\":{\"version\":9", RJWT_KEYSET },
		{ "\"next_version\":9", "\"next_version\":2147483648", RJWT_OK },
		{ "\"next_version\":9", "\"next_version\":2147483649", RJWT_KEYSET },
		{ "\"boottime\":77", "\"boottime\":\"77\"", RJWT_KEYSET },
		{ "\"boot_id\":\"1", "\"boot_id\":\"11", RJWT_KEYSET },
		{ "\"configured\":true", "\"configured\":false", RJWT_OK },
		{ "\"configured\":true", "\"configured\":1", RJWT_KEYSET },
		{ "\"configured\":true", "\"configured\":null", RJWT_KEYSET },
		{ "\"machine\":\"0123\"", "\"machine\":\"\"", RJWT_OK },
		{ "\"machine\":\"0123\"", "\"machine\":\"\\u0000\"", RJWT_KEYSET },
	};
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char *end;

	(void)state;
	text_of(&text);
	end = strstr(text.p, ",\"sum\":");
	assert_non_null(end);
	*end = '\0';
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf other = { 0 };
		const char *at = strstr(text.p, rows[i].from);
		struct rjwt_diag diag = { 0 };
		struct keyset k;

		assert_non_null(at);
		buf_add(&other, text.p, (size_t)(at - text.p));
		buf_addf(&other, "%s%s", rows[i].to, at + strlen(rows[i].from));
		want("seal", seal_add(&other), RJWT_OK);
		want(rows[i].to, keyset_parse(buf_view(&other), &k, &diag), rows[i].err);
		assert_true((diag.text[0] != '\0') == (rows[i].err != RJWT_OK));
		assert_true(
		    (strcmp(rows[i].to, "\"format\":2") == 0) == (strstr(diag.text, "has an unknown format") != NULL) ||
		    strcmp(rows[i].to, "\"format\":\"1\"") == 0);
	}
}

/* Each member must be there: one has another name. */
static void
test_members(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	int n = 0;

	(void)state;
	text_of(&text);
	*strstr(text.p, ",\"sum\":") = '\0';
	for (char *end = text.p; (end = strstr(end, "\":")) != NULL; end++, n++) {
		RJWT_CLEAN(buf_clear) struct buf other = { 0 };
		char *name = memrchr(text.p, '"', (size_t)(end - text.p)), first = name[1];
		struct keyset k;

		name[1] = 'X';
		buf_adds(&other, text.p);
		want("seal", seal_add(&other), RJWT_OK);
		/* Version 0.1.0 knows none of three: without two of them the counts begin anew. */
		if (first == 't' || strncmp(name + 2, "evoked\"", 7) == 0 || strncmp(name + 2, "onfigured\"", 10) == 0)
			want(name, keyset_parse(buf_view(&other), &k, NULL), RJWT_OK);
		else
			want(name, keyset_parse(buf_view(&other), &k, NULL), RJWT_KEYSET);
		if (first == 't')
			assert_true(k.trial.wall_s == k.clock.wall_s && k.trial.ran_s == 0);
		if (strncmp(name + 2, "evoked\"", 7) == 0)
			assert_int_equal(k.revoked, -1);
		if (strncmp(name + 2, "onfigured\"", 10) == 0)
			assert_false(k.configured);
		name[1] = first;
	}
	assert_int_equal(n, 26);
}

/* The sum is of the bytes before it, and stands last. */
static void
test_sum_stands_last(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(buf_clear) struct buf other = { 0 };
	struct keyset k;

	(void)state;
	text_of(&text);
	buf_add(&other, text.p, text.n - 2); /* without "}\n" */
	buf_adds(&other, ",\"x\":1}\n");
	want("behind the sum", keyset_parse(buf_view(&other), &k, NULL), RJWT_KEYSET);
	want("empty", keyset_parse((struct view){ "", 0 }, &k, NULL), RJWT_KEYSET);
	want("no sum", keyset_parse(VIEW("{\"format\":1}\n"), &k, NULL), RJWT_KEYSET);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_byte_and_length), cmocka_unit_test(test_followed),
		cmocka_unit_test(test_contradictions), cmocka_unit_test(test_members),
		cmocka_unit_test(test_sum_stands_last) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
