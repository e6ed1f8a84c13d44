/* SPDX-License-Identifier: MIT */
/* rules.txt: each rule once and in order, none without a test, and each test that it names is there and runs. */
#include "table.h"

#include <ctype.h>
#include <stdio.h>

#include "unit.h"

static struct table *t;

static int
setup(void **state)
{
	(void)state;
	t = table_new(clock_made_up);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	table_free(t);
	return 0;
}

static struct buf
source(const char *name)
{
	const char *root = getenv("RJWT_SOURCE");
	struct buf path = { 0 }, text = { 0 };
	char some[4096];
	size_t n;
	FILE *in;

	buf_addf(&path, "%s/%s", root == NULL ? "." : root, name);
	in = fopen(path.p, "re");
	if (in == NULL)
		fail_msg("%s cannot be read", path.p);
	while ((n = fread(some, 1, sizeof(some), in)) > 0)
		buf_add(&text, some, n);
	fclose(in);
	buf_clear(&path);
	return text;
}

static bool
has_rows(int rule)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].rule == rule)
			return true;
	return false;
}

/* A test's name in C is followed by its argument where it is defined, and in main()'s list stands in parentheses. */
static bool
is_c_test(const char *text, const char *name)
{
	RJWT_CLEAN(buf_clear) struct buf defined = { 0 };
	RJWT_CLEAN(buf_clear) struct buf listed = { 0 };
	const char *p;

	buf_addf(&defined, "\n%s(void **state)\n", name);
	buf_addf(&listed, "(%s", name);
	p = strstr(text, defined.p);
	while (p != NULL && (p = strstr(p + 1, listed.p)) != NULL)
		if (strchr("),", p[listed.n]) != NULL)
			return true;
	return false;
}

static bool
is_bats_test(const char *text, const char *name)
{
	RJWT_CLEAN(buf_clear) struct buf title = { 0 };

	buf_addf(&title, "\n@test \"%s", name);
	return strstr(text, title.p) != NULL;
}

/* "PATH NAME", or "table". */
static void
check_test(int rule, const char *line)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	const char *space = strchr(line, ' '), *name;
	char path[128];

	if (strcmp(line, "table") == 0) {
		if (!has_rows(rule))
			fail_msg("rule %d has no row in the table", rule);
		return;
	}
	if (space == NULL)
		fail_msg("rule %d: %s names no test", rule, line);
	snprintf(path, sizeof(path), "%.*s", (int)(space - line), line);
	name = space + 1;
	text = source(path);
	if (!(strstr(path, ".bats") != NULL ? is_bats_test(text.p, name) : is_c_test(text.p, name)))
		fail_msg("rule %d: %s has no test %s", rule, path, name);
}

static void
test_rules(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = source("tests/rejection/rules.txt");
	unsigned tests = 0, all = 0;
	bool table = false;
	char *save = NULL;
	int rule = 0;

	(void)state;
	for (char *line = strtok_r(text.p, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '\t') {
			table = table || strcmp(line + 1, "table") == 0;
			check_test(rule, line + 1);
			tests++;
			all++;
		} else if (isdigit((unsigned char)line[0])) {
			if (rule > 0 && (tests == 0 || table != has_rows(rule)))
				fail_msg("rule %d: %u tests, table: %d", rule, tests, table);
			if (strtol(line, NULL, 10) != ++rule)
				fail_msg("not rule %d: %s", rule, line);
			tests = 0;
			table = false;
		}
	}
	assert_int_equal(rule, RULES);
	assert_true(tests > 0);
	printf("# %d rules, %u tests named\n", rule, all);
}

/* What would find nothing proves nothing. */
static void
test_the_test(void **state)
{
	static const char c[] = "static void\ntest_a(void **state)\n{\n}\n\nT(test_a), cmocka_unit_test(test_b)\n",
			  bats[] = "x\n@test \"one thing\" {\n";

	(void)state;
	assert_true(is_c_test(c, "test_a"));
	assert_false(is_c_test(c, "test_b")); /* listed, and not there */
	assert_false(is_c_test(c, "test_"));
	assert_false(is_c_test("\ntest_a(void **state)\n{\n}\n", "test_a")); /* there, and not listed */
	assert_true(is_bats_test(bats, "one thing"));
	assert_false(is_bats_test(bats, "thing"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rules), cmocka_unit_test(test_the_test) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
