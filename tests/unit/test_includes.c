/* SPDX-License-Identifier: MIT */
/*
 * Which directory of the sources may include which, as a table; and what a login reaches: pam_rjwt.so reads a
 * keyset and spends tokens, so nothing that verifies includes what locks, commits or changes a keyset.
 */
#include "fixture.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>

/* The face is lib/ itself: rjwt.h, which all may include, and what implements it. */
static const struct edges {
	const char *from, *to[28];
} allowed[] = {
	{ "lib/base", { "base" } },
	{ "lib/jose", { "jose", "base" } },
	{ "lib/keyset", { "keyset", "jose", "base" } },
	{ "lib/config", { "config", "keyset/keyset.h", "jose", "base" } }, /* values of keyset/ alone */
	{ "lib/fleet", { "fleet", "keyset", "jose", "base" } },
	{ "lib/token", { "token", "config", "fleet/fleet.h", "keyset", "jose", "base" } },
	{ "lib/stack", { "stack", "base" } },
	{ "lib", { "handle.h", "status_private.h", "token", "config", "fleet", "keyset", "jose", "base" } },
	{ "pam", { "base", "args.h", "log.h", "prompt.h", "login.h", "phases.h", "tell.h", "origin.h" } },
	{ "tools", { "base", "stack", "tool.h", "options.h", "askpass.h", "caller.h", "audit.h", "issue.h",
		       "issue_request.h", "grant.h", "keyd.h", "verify.h", "lines.h", "log.h", "check.h", "findings.h",
		       "findings.def", "try.h", "public_key.h", "input.h", "sshd_config.h", "sudoers.h", "colour.h",
		       "fixes.def", "status.h", "fleet_log.h", "hosts.h" } },
};

/* What only those include who mint, change or report. */
static const char *const of_writers[] = { "keyset/plan.h", "keyset/inspect.h", "keyset/tickets.h", "keyset/issued.h",
	"keyset/jwks.h", "keyset/marks_write.h", "keyset/lock.h", "keyset/lock_end.h", "keyset/commit.h",
	"keyset/change.h", "keyset/parked_write.h", "keyset/codes.h", "keyset/recover.h", "keyset/init.h",
	"token/mint.h", "token/mint_request.h", "token/mint_origin.h", "token/rules.h", "jose/provider_write.h",
	"jose/provider_tpm2.h", "base/file_write.h", "fleet/bundle.h", "fleet/offer.h", "fleet/follow.h",
	"fleet/install.h", "fleet/publish.h", "fleet/publish_private.h", "fleet/prune.h", "fleet/spool.h",
	"fleet/watch.h", "fleet/merge.h", "fleet/own.h", "fleet/record.h", "fleet/www.h", "fleet/conflict.h",
	"keyset/denials_write.h" };

static FILE *
source(const char *path)
{
	const char *root = getenv("RJWT_SOURCE");
	char whole[4096];
	FILE *in;

	snprintf(whole, sizeof(whole), "%s/%s", root == NULL ? "." : root, path);
	in = fopen(whole, "re");
	if (in == NULL)
		fail_msg("%s cannot be read: is RJWT_SOURCE set?", whole);
	return in;
}

static bool
ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && strcmp(name + n - m, suffix) == 0;
}

/* Call each for every #include "..." of a file; the number of lines that include. */
static int
each_include(const char *path, void (*each)(const char *path, const char *included))
{
	FILE *in = source(path);
	char line[1024], name[64];
	int n = 0;

	while (fgets(line, sizeof(line), in) != NULL)
		if (sscanf(line, " # include \"%63[^\"]\"", name) == 1) {
			each(path, name);
			n++;
		}
	fclose(in);
	return n;
}

/* Call check for all C of a directory of the sources, the directories in it not included. */
static int
each_source(const char *directory, void (*check)(const char *path, const char *name))
{
	const char *root = getenv("RJWT_SOURCE");
	char path[4096];
	struct dirent *entry;
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "%s/%s", root == NULL ? "." : root, directory);
	dir = opendir(path);
	if (dir == NULL)
		fail_msg("%s cannot be read: is RJWT_SOURCE set?", path);
	while ((entry = readdir(dir)) != NULL)
		if (ends_with(entry->d_name, ".c") || ends_with(entry->d_name, ".h")) {
			snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
			check(path, entry->d_name);
			n++;
		}
	closedir(dir);
	return n;
}

static int
each_of_lib(void (*check)(const char *path, const char *name))
{
	int n = 0;

	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		if (strncmp(allowed[i].from, "lib", 3) == 0)
			n += each_source(allowed[i].from, check);
	return n;
}

/* Whether an include is one of a row's: a header, or any header of a directory. */
static bool
may_include(const struct edges *row, const char *included)
{
	for (size_t i = 0; i < ARRAY_LEN(row->to) && row->to[i] != NULL; i++) {
		size_t n = strlen(row->to[i]);

		if (strncmp(included, row->to[i], n) == 0 && (included[n] == '/' || included[n] == '\0'))
			return true;
	}
	return strcmp(included, "rjwt.h") == 0;
}

static const struct edges *row_now;

static void
check_edge(const char *path, const char *included)
{
	if (!may_include(row_now, included))
		fail_msg("%s includes %s, which %s/ may not", path, included, row_now->from);
}

/* rjwt.h and the parts that it is made of. */
static bool
is_public(const char *path)
{
	return strcmp(path, "lib/rjwt.h") == 0 || strncmp(path, "lib/rjwt_", 9) == 0;
}

static void
check_edges(const char *path, const char *name)
{
	(void)name;
	if (!is_public(path)) /* see test_public_header() */
		each_include(path, check_edge);
}

static void
test_edges(void **state)
{
	int n = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
		row_now = &allowed[i];
		n += each_source(allowed[i].from, check_edges);
	}
	assert_true(n > 80);
	assert_true(may_include(&allowed[0], "base/err.h") && !may_include(&allowed[0], "jose/alg.h"));
	assert_true(may_include(&allowed[3], "keyset/keyset.h") && !may_include(&allowed[3], "keyset/lock.h"));
}

/* A header without its guard's twin, or one that needs another first, would not compile alone. */
static void
test_headers_compile_alone(void **state)
{
	const char *root = getenv("RJWT_SOURCE");
	char command[8192];

	(void)state;
	snprintf(command, sizeof(command),
	    "cd '%s' && for header in lib/*.h lib/*/*.h; do "
	    "printf '#include \"%%s\"\n' \"${header#lib/}\" | "
	    "cc -fsyntax-only -D_GNU_SOURCE -Werror -Ilib -x c - || exit; done",
	    root == NULL ? "." : root);
	assert_int_equal(system(command), 0);
}

/* --- what a login reaches --------------------------------------------------------------------- */

#define REACHED_MAX 128
static char reached[REACHED_MAX][64];
static size_t nreached;

static void reach(const char *path, const char *included);

static void
reach_file(const char *name)
{
	char path[128];

	for (size_t i = 0; i < nreached; i++)
		if (strcmp(reached[i], name) == 0)
			return;
	assert_true(nreached < REACHED_MAX);
	snprintf(reached[nreached++], sizeof(reached[0]), "%.63s", name);
	snprintf(path, sizeof(path), "lib/%s", name);
	each_include(path, reach);
}

static void
reach(const char *path, const char *included)
{
	for (size_t i = 0; i < ARRAY_LEN(of_writers); i++)
		if (strcmp(included, of_writers[i]) == 0)
			fail_msg("%s includes %s: a login only reads and spends", path, included);
	if (strchr(included, '/') != NULL && !ends_with(included, ".def"))
		reach_file(included);
}

/* From the sources of librjwt_login.a, and all that they include. */
static void
test_login_only_reads_and_spends(void **state)
{
	FILE *in = source("Makefile.am");
	bool inside = false;
	char line[1024];
	int n = 0;

	(void)state;
	nreached = 0;
	while (fgets(line, sizeof(line), in) != NULL && strncmp(line, "LOGIN_LIBS = ", 13) != 0) {
		char *save = NULL;

		inside = inside || strncmp(line, "librjwt_login_a_SOURCES", 23) == 0;
		for (char *word = strtok_r(line, " \t\n", &save); inside && word != NULL;
		     word = strtok_r(NULL, " \t\n", &save))
			if (strncmp(word, "lib/", 4) == 0 && ends_with(word, ".c")) {
				each_include(word, reach);
				n++;
			}
	}
	fclose(in);
	assert_true(n > 30);
	assert_true(nreached > 20);
	for (size_t i = 0; i < ARRAY_LEN(of_writers); i++) { /* none of the table has gone */
		char path[128];

		snprintf(path, sizeof(path), "lib/%s", of_writers[i]);
		fclose(source(path));
	}
}

/* --- what may be called where ----------------------------------------------------------------- */

/* The first line of a file that calls a function, or defines it; 0: none. */
static int
line_that_calls(const char *path, const char *function)
{
	size_t length = strlen(function);
	int n = 0, found = 0;
	char line[1024];
	FILE *in = source(path);

	while (found == 0 && fgets(line, sizeof(line), in) != NULL) {
		n++;
		for (char *at = line; (at = strstr(at, function)) != NULL; at += length)
			if (at[length] == '(' && (at == line || (!isalnum((unsigned char)at[-1]) && at[-1] != '_')))
				found = n;
	}
	fclose(in);
	return found;
}

/* A library is a guest: what it has to say it returns. */
static void
check_silent(const char *path, const char *name)
{
	static const char *const loud[] = { "printf", "vprintf", "dprintf", "vdprintf", "fprintf", "vfprintf", "puts",
		"putchar", "putc", "fputs", "fputc", "fwrite", "perror", "syslog", "vsyslog", "warn", "warnx", "errx",
		"exit", "_exit", "_Exit", "quick_exit", "abort", "assert", "raise", "kill" };

	for (size_t i = 0; ends_with(name, ".c") && i < ARRAY_LEN(loud); i++) {
		int n = line_that_calls(path, loud[i]); /* rjwt.h shows a caller's own */

		if (n != 0)
			fail_msg("%s:%d calls %s", path, n, loud[i]);
	}
}

static void
test_lib_is_silent(void **state)
{
	(void)state;
	assert_true(each_of_lib(check_silent) > 70);
}

/*
 * Who may call what decides about a signature, each the one below it; provider.c looks whether two halves are a pair,
 * document.c opens what is no token.
 */
static const struct {
	const char *function, *files[4];
} path_of[] = { { "EVP_DigestVerify", { "key_sign.c" } }, { "CRYPTO_memcmp", { "key_sign.c" } },
	{ "key_verify", { "key_sign.c", "jws.c", "provider.c" } },
	{ "jws_verify", { "jws.c", "check_jws.c", "document.c" } }, { "verify_token", { "verify.c", "handle.c" } },
	{ "rjwt_verify", { "handle.c", "login.c", "rjwt-verify.c" } } };

static unsigned calls;

static void
check_one_path(const char *path, const char *name)
{
	for (size_t i = 0; ends_with(name, ".c") && i < ARRAY_LEN(path_of); i++) {
		bool may = false;

		for (size_t k = 0; k < 4 && path_of[i].files[k] != NULL; k++)
			may = may || strcmp(path_of[i].files[k], name) == 0;
		if (may)
			calls += line_that_calls(path, path_of[i].function) != 0;
		else if (line_that_calls(path, path_of[i].function) != 0)
			fail_msg("%s calls %s: there is one way to verify a token", path, path_of[i].function);
	}
}

static void
test_one_path(void **state)
{
	(void)state;
	calls = 0;
	each_of_lib(check_one_path);
	each_source("pam", check_one_path);
	each_source("tools", check_one_path);
	assert_int_equal(calls, 13); /* each of path_of was there */
}

/* The public header includes its parts, each of them the header, and neither anything else of ours. */
static void
check_part(const char *path, const char *included)
{
	char part[128];

	if (is_public(path) && strcmp(path, "lib/rjwt.h") != 0) {
		assert_string_equal(included, "rjwt.h");
		return;
	}
	snprintf(part, sizeof(part), "lib/%s", included);
	if (is_public(part))
		assert_int_equal(each_include(part, check_part), 1);
	else
		fail_msg("%s includes %s", path, included);
}

static void
test_public_header(void **state)
{
	(void)state;
	assert_int_equal(each_include("lib/rjwt.h", check_part), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_edges), cmocka_unit_test(test_headers_compile_alone),
		cmocka_unit_test(test_login_only_reads_and_spends), cmocka_unit_test(test_lib_is_silent),
		cmocka_unit_test(test_one_path), cmocka_unit_test(test_public_header) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
