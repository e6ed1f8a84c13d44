/* SPDX-License-Identifier: MIT */
/* How rjwt-keyd check shows what it found. */
#include "unit.h"
#include "findings.h"

static struct findings found;
static struct buf out;

static void
clear(void)
{
	findings_clear(&found);
	buf_clear(&out);
}

/* Areas in their order, lines of at most 80 columns, and a line that is well only where nothing else is. */
static void
text(void **state)
{
	(void)state;
	finding_ok(&found, "pam", "well, so that nobody sees this");
	finding_add(&found, "pam.prompt",
	    "prompt \"Token: \" with a password below: sshpass, ansible and lftp hang (they wait for \"assword:\")");
	finding_at(&found, "/etc/pam.d/common-auth", 17);
	finding_by(&found, "/etc/pam.d/sshd", 4);
	finding_fix(&found, "write %s", "this");
	finding_ok(&found, "way_in", "login");
	finding_add(&found, "keyset.mode", "odd \033[0m \n bytes");
	finding_add(&found, "keyset.waiting", "one");
	findings_text(&found, false, false, &out);
	assert_string_equal(out.p, "FAIL  keyset   odd \\x1b[0m \\x0a bytes\n"
				   "OK    keyset   one\n"
				   "WARN  pam      /etc/pam.d/common-auth:17 (by /etc/pam.d/sshd:4): prompt \"Token:\n"
				   "               \" with a password below: sshpass, ansible and lftp hang (they\n"
				   "               wait for \"assword:\")\n"
				   "          fix: write this\n"
				   "OK    way in   login\n"
				   "check: FAIL: 1 FAIL, 1 WARN, 2 OK\n");
	buf_clear(&out);
	findings_text(&found, true, true, &out);
	assert_string_equal(out.p, "check: \033[31mFAIL\033[0m: 1 FAIL, 1 WARN, 2 OK\n");
	clear();
}

/* JSON has the same, and each code of the table has an area that is shown. */
static void
json(void **state)
{
	struct json all = { 0 };
	struct rjwt_diag diag;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < finding_kinds_n; i++) {
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(finding_kinds[i].code, finding_kinds[k].code);
		finding_add(&found, finding_kinds[i].code, "x");
	}
	findings_json(&found, &out);
	assert_true(out.n > 0 && out.p[out.n - 1] == '\n');
	EXPECT("json", json_parse((struct view){ out.p, out.n - 1 }, &all, &diag), RJWT_OK);
	assert_int_equal(json_array(all, "findings", &n), JSON_GOOD);
	assert_int_equal(n, finding_kinds_n);
	json_clear(&all);
	assert_false(found.failed);
	clear();
	finding_add(&found, "no.such", "x");
	assert_int_equal(findings_level(&found), LEVEL_FAIL);
	clear();
	assert_int_equal(findings_level(&found), LEVEL_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(text), cmocka_unit_test(json) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
