/* SPDX-License-Identifier: MIT */
/* Names in a configuration: of services, and whom this host is. */
#include "config_world.h"
#include "base/string_list.h"
#include "config/config_names.h"

#define TEN "abcdefghij"
#define FIFTY TEN TEN TEN TEN TEN
#define LONGEST FIFTY FIFTY FIFTY FIFTY FIFTY "abcde"

static void
test_services(void **state)
{
	static const struct {
		struct view name;
		bool good;
	} rows[] = { { VIEW("sshd"), true }, { VIEW("a"), true }, { VIEW("a.b_c-d@e:0+9"), true }, { VIEW("-"), true },
		{ VIEW(LONGEST), true }, { VIEW(LONGEST "f"), false }, { VIEW(""), false }, { VIEW(".a"), false },
		{ VIEW("a."), true }, { VIEW("a/b"), false }, { VIEW("A"), false }, { VIEW("a b"), false },
		{ VIEW("a\0"), false }, { VIEW("\0"), false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (service_name_check(rows[i].name) != rows[i].good)
			fail_msg("%.*s", (int)rows[i].name.n, rows[i].name.p);
}

/* The first that is no group, else what was recorded; of names that the caller gave, a group for want of another. */
static void
test_audience(void **state)
{
	static const struct {
		const char *yaml, *recorded, *own;
		bool given;
	} rows[] = { { "", "host", "host", false }, { "", NULL, NULL, false }, { "audience: a", "host", "a", false },
		{ "audience: ['@g', a, b]", "host", "a", false }, { "audience: ['@g', a]", NULL, "a", true },
		{ "audience: ['@g', '@h']", "host", "host", false }, { "audience: ['@g', '@h']", "host", "@g", true },
		{ "audience: ['@g']", NULL, "@g", true } };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(config_clear) struct config config = { 0 };
		const char *own;

		want(rows[i].yaml, load(f, view_of(rows[i].yaml), &config), RJWT_OK);
		config.audience_given = rows[i].given;
		own = config_audience(&config, rows[i].recorded);
		assert_true((own == NULL) == (rows[i].own == NULL));
		if (own != NULL)
			assert_string_equal(own, rows[i].own);
		assert_false(config_has_audience(&config, rows[i].recorded, VIEW("c")));
		for (size_t k = 0; k < config.audience.n; k++)
			assert_true(config_has_audience(&config, rows[i].recorded, view_of(config.audience.list[k])));
		assert_int_equal(config_has_audience(&config, rows[i].recorded, VIEW("host")),
		    own != NULL && strcmp(own, "host") == 0);
	}
}

/* What is right is not said to be wrong anywhere. */
static void
test_nothing_told(void **state)
{
	static const char *const good[] = { "", "max_lifetime: 5m", "user_claim: upn", "alg: RS256\nrsa_bits: 4096",
		"private_keys: tpm2\nalg: RS256\nrsa_bits: 3072", "private_keys: tpm2\nalg: ES256\nrsa_bits: 4096" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		want(good[i], load_text(f, good[i]), RJWT_OK);
		assert_string_equal(f->diag.text, "");
		assert_true(f->diag.line == 0 && f->diag.column == 0);
	}
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_services), T(test_audience), T(test_nothing_told) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
