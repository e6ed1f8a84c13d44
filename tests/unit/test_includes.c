/* SPDX-License-Identifier: MIT */
/*
 * Includes run one way. librjwt_core's sources in Makefile.am are the order: a file of lib/ includes only
 * headers that stand before it, or its own family's (key_weak.h is key's). pam/ and tools/ reach tokens,
 * keys, keyset and configuration through rjwt.h alone; the bytes (err to json) are theirs too.
 */
#include "fixture.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>

#define FILES_MAX 128

static char names[FILES_MAX][48]; /* of lib/, in order */
static int nnames;

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

static int
position(const char *name)
{
	for (int i = 0; i < nnames; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* lib/... of librjwt_core_la_SOURCES */
static int
read_order(void **state)
{
	FILE *in = source("Makefile.am");
	bool inside = false;
	char line[1024];

	(void)state;
	while (fgets(line, sizeof(line), in) != NULL) {
		char *save = NULL;

		inside = inside || strncmp(line, "librjwt_core_la_SOURCES", 23) == 0;
		for (char *word = strtok_r(line, " \t\n", &save); inside && word != NULL;
		     word = strtok_r(NULL, " \t\n", &save))
			if (strncmp(word, "lib/", 4) == 0 && nnames < FILES_MAX)
				snprintf(names[nnames++], sizeof(names[0]), "%.47s", word + 4);
		if (inside && strstr(line, "lib/") == NULL && nnames > 0 && position("rjwt.c") >= 0)
			break;
	}
	fclose(in);
	return nnames > 40 ? 0 : -1;
}

/* The modules of the design, in its order, stand in the same order there. */
static void
test_order(void **state)
{
	static const char *const modules[] = { "rjwt.h", "err.c", "buf.c", "text.c", "file.c", "base64url.c",
		"digest.c", "json.c", "alg.c", "key.c", "jwk.c", "provider.c", "jws.c", "claims.c", "keyset.c",
		"store.c", "marks.c", "config.c", "keeper.c", "verify.c", "mint.c", "status.c", "rjwt.c" };
	int last = -1;

	(void)state;
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		int at = position(modules[i]);

		if (at <= last)
			fail_msg("%s stands at the wrong place, or not at all", modules[i]);
		last = at;
	}
}

static bool
same_family(const char *a, const char *b)
{
	size_t n = strcspn(a, "_."), m = strcspn(b, "_.");

	return n == m && strncmp(a, b, n) == 0;
}

/* Call each for every #include "..." of a file; the number of lines that include. */
static int
each_include(const char *path, void (*each)(const char *file, const char *included))
{
	const char *slash = strrchr(path, '/');
	FILE *in = source(path);
	char line[1024], name[64];
	int n = 0;

	while (fgets(line, sizeof(line), in) != NULL)
		if (sscanf(line, " # include \"%63[^\"]\"", name) == 1) {
			each(slash + 1, name);
			n++;
		}
	fclose(in);
	return n;
}

static void
must_stand_before(const char *file, const char *included)
{
	if (position(included) < 0)
		fail_msg("lib/%s includes %s, which is no header of lib/", file, included);
	if (position(included) >= position(file) && !same_family(file, included))
		fail_msg("lib/%s includes %s, which stands behind it", file, included);
}

static bool
ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && strcmp(name + n - m, suffix) == 0;
}

/* Call check for all C of a folder of the sources. */
static int
each_source(const char *folder, void (*check)(const char *path, const char *name))
{
	const char *root = getenv("RJWT_SOURCE");
	char path[4096];
	struct dirent *entry;
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "%s/%s", root == NULL ? "." : root, folder);
	dir = opendir(path);
	if (dir == NULL)
		fail_msg("%s cannot be read: is RJWT_SOURCE set?", path);
	while ((entry = readdir(dir)) != NULL)
		if (ends_with(entry->d_name, ".c") || ends_with(entry->d_name, ".h")) {
			snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
			check(path, entry->d_name);
			n++;
		}
	closedir(dir);
	return n;
}

static void
check_lib(const char *path, const char *name)
{
	if (position(name) < 0)
		fail_msg("lib/%s is not in Makefile.am's librjwt_core_la_SOURCES", name);
	each_include(path, must_stand_before);
}

static void
test_lib(void **state)
{
	(void)state;
	assert_true(each_source("lib", check_lib) > 40);
}

static void
must_be_public(const char *file, const char *included)
{
	static const char *const bytes[] = { "rjwt.h", "err.h", "buf.h", "text.h", "file.h", "base64url.h",
		"digest.h", "host.h", "json.h" };

	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		if (strcmp(included, bytes[i]) == 0)
			return;
	if (position(included) >= 0)
		fail_msg("%s includes %s: only rjwt.h and the bytes are for it", file, included);
}

static void
check_outside(const char *path, const char *name)
{
	(void)name;
	each_include(path, must_be_public);
}

static void
test_pam_and_tools(void **state)
{
	(void)state;
	assert_true(each_source("pam", check_outside) >= 5);
	assert_true(each_source("tools", check_outside) >= 4);
}

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
	static const char *const loud[] = { "printf", "vprintf", "dprintf", "vdprintf", "fprintf", "vfprintf",
		"puts", "putchar", "putc", "fputs", "fputc", "fwrite", "perror", "syslog", "vsyslog", "warn", "warnx",
		"errx", "exit", "_exit", "_Exit", "quick_exit", "abort", "assert", "raise", "kill" };

	for (size_t i = 0; ends_with(name, ".c") && i < sizeof(loud) / sizeof(loud[0]); i++) {
		int n = line_that_calls(path, loud[i]); /* rjwt.h shows a caller's own */

		if (n != 0)
			fail_msg("%s:%d calls %s", path, n, loud[i]);
	}
}

static void
test_lib_is_silent(void **state)
{
	(void)state;
	assert_true(each_source("lib", check_silent) > 40);
}

/* Who may call what decides about a signature, each the one below it; provider.c looks whether two halves are a pair. */
static const struct {
	const char *function, *files[4];
} path_of[] = { { "EVP_DigestVerify", { "key_sign.c" } }, { "CRYPTO_memcmp", { "key_sign.c" } },
	{ "key_verify", { "key_sign.c", "jws.c", "provider.c" } }, { "jws_verify", { "jws.c", "check_token.c" } },
	{ "verify_token", { "verify.c", "rjwt.c" } }, { "rjwt_verify", { "rjwt.c", "login.c", "rjwt-verify.c" } } };

static unsigned calls;

static void
check_one_path(const char *path, const char *name)
{
	for (size_t i = 0; ends_with(name, ".c") && i < sizeof(path_of) / sizeof(path_of[0]); i++) {
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
	each_source("lib", check_one_path);
	each_source("pam", check_one_path);
	each_source("tools", check_one_path);
	assert_int_equal(calls, 12); /* each of path_of was there */
}

/* The one public header stands alone. */
static void
none(const char *file, const char *included)
{
	fail_msg("%s includes %s", file, included);
}

static void
test_public_header(void **state)
{
	(void)state;
	assert_int_equal(each_include("lib/rjwt.h", none), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_order), cmocka_unit_test(test_lib),
		cmocka_unit_test(test_pam_and_tools), cmocka_unit_test(test_lib_is_silent),
		cmocka_unit_test(test_one_path), cmocka_unit_test(test_public_header) };

	return cmocka_run_group_tests(tests, read_order, NULL);
}
