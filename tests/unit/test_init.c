/* SPDX-License-Identifier: MIT */
/* What init and adopt take, make and refuse: directories, names, bases, versions. */
#include "fixture.h"
#include "base/file.h"
#include "base/host.h"
#include "keyset/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES "issuer: i.example\naudience: host.example\n"

static bool no_machine, whole_seconds;
static struct rjwt_change change;

enum rjwt_err __real_host_machine(char machine[static DIGEST_HEX], struct rjwt_diag *diag);
enum rjwt_err __wrap_host_machine(char machine[static DIGEST_HEX], struct rjwt_diag *diag);
enum rjwt_err
__wrap_host_machine(char machine[static DIGEST_HEX], struct rjwt_diag *diag)
{
	if (!no_machine)
		return __real_host_machine(machine, diag);
	machine[0] = '\0';
	return RJWT_OK;
}

/* A file system that keeps whole seconds. */
int __real_fstatat(int fd, const char *name, struct stat *status, int flags);
int __wrap_fstatat(int fd, const char *name, struct stat *status, int flags);
int
__wrap_fstatat(int fd, const char *name, struct stat *status, int flags)
{
	int ret = __real_fstatat(fd, name, status, flags);

	if (ret == 0 && whole_seconds)
		status->st_mtim.tv_nsec = 0;
	return ret;
}

static int
setup(void **state)
{
	no_machine = whole_seconds = false;
	*state = fixture_bare("base_kid: B\n" NAMES);
	return 0;
}

static enum rjwt_err
init(struct fixture *f, int flags)
{
	struct rjwt_options options = fixture_options(f);

	return rjwt_init(&options, flags, &change, &f->diag);
}

/* Another configuration, of a keyset that is there or not. */
static void
configure(struct fixture *f, const char *yaml)
{
	struct rjwt *h = NULL;

	if (fixture_try(f, yaml, &h) == RJWT_OK)
		rjwt_close(h);
}

static void
make_dir(const struct fixture *f, const char *name, unsigned mode)
{
	char path[300];

	snprintf(path, sizeof(path), "%s%s%s", f->state, name[0] == '\0' ? "" : "/", name);
	assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
	assert_int_equal(chmod(path, mode), 0);
}

static void
remove_state(struct fixture *f)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf '%s'", f->state);
	assert_int_equal(system(command), 0);
}

/* --- directories ------------------------------------------------------------------------------ */

static void
test_modes(void **state)
{
	static const struct {
		const char *name;
		unsigned mode;
	} rows[] = { { "", 0755 }, { "keys", 0755 }, { "private", 0700 }, { "revoked", 0711 }, { "revoked/jti", 0711 },
		{ "revoked/sub", 0711 }, { "spent", 0700 }, { "issued", 0700 }, { "keyset.json", 0644 },
		{ "private/1.key", 0600 }, { "private/2.key", 0600 }, { "keys/1.jwk", 0644 } };
	struct fixture *f = *state;

	umask(077);
	want("init", init(f, 0), RJWT_OK);
	umask(022);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (file_mode(f, rows[i].name) != rows[i].mode)
			fail_msg("%s: %04o", rows[i].name, file_mode(f, rows[i].name));
	assert_false(file_there(f, "init"));
}

/* One that is there keeps its mode; its name may end with slashes. */
static void
test_path(void **state)
{
	struct fixture *f = *state;
	struct rjwt_options options = fixture_options(f);
	char path[300], hint[400];

	make_dir(f, "", 0700);
	snprintf(path, sizeof(path), "%s///", f->state);
	options.state_dir = path;
	want("slashes", rjwt_init(&options, 0, &change, &f->diag), RJWT_OK);
	assert_int_equal(file_mode(f, ""), 0700);
	remove_state(f);
	want("slashes, and it is missing", rjwt_init(&options, 0, &change, &f->diag), RJWT_OK);
	assert_int_equal(file_mode(f, ""), 0755);
	snprintf(path, sizeof(path), "%s/missing/state/", f->top);
	want("no parent", rjwt_init(&options, 0, &change, &f->diag), RJWT_IO);
	snprintf(hint, sizeof(hint), "(create it first: mkdir -p %s/missing)", f->top);
	if (strstr(f->diag.text, hint) == NULL)
		fail_msg("%s", f->diag.text);
	snprintf(path, sizeof(path), "%s/state/keyset.json/state", f->top);
	assert_int_not_equal(rjwt_init(&options, 0, &change, &f->diag), RJWT_OK);
	assert_null(strstr(f->diag.text, "mkdir"));
}

/* The current directory has no name of its own. */
static void
test_here(void **state)
{
	struct fixture *f = *state;
	struct dir dir = DIR_NONE;
	RJWT_CLEAN(fd_clean) int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	make_dir(f, "", 0755);
	assert_int_equal(chdir(f->state), 0);
	want(".", state_open_or_make(".", &dir, NULL), RJWT_OK);
	dir_close(&dir);
	want("a name", state_open_or_make("below", &dir, NULL), RJWT_OK);
	dir_close(&dir);
	want("no parent", state_open_or_make("a/b", &dir, &f->diag), RJWT_IO);
	assert_non_null(strstr(f->diag.text, "mkdir -p a)"));
	assert_int_equal(fchdir(before), 0);
	assert_int_equal(file_mode(f, "below"), 0755);
}

/* --- what lies there -------------------------------------------------------------------------- */

static void
test_entries(void **state)
{
	static const struct {
		const char *name; /* ends with a slash: a directory */
		bool fresh, begun;
	} rows[] = { { "lost+found/", true, true }, { "private/", true, true }, { "private/lock", true, true },
		{ "private/notes", false, true }, { "fleet/", true, true }, { "fleet.json", true, true },
		{ "denied/", true, true }, { "findings", true, true }, { ".new.init", true, true },
		{ "keys/", false, true }, { "revoked/", false, true }, { "spent/", false, true },
		{ "issued/", false, true }, { "lock", false, true }, { ".new.keyset.json", false, true },
		{ "notes", false, false }, { ".new.other", false, false }, { "keyset.json.old", false, false },
		{ "private.old/", false, false }, { "jwks.json", false, false } };
	struct fixture *f = *state;

	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		const char *name = rows[i / 2].name;
		bool begun = i % 2 == 1, good = begun ? rows[i / 2].begun : rows[i / 2].fresh;
		char plain[64];

		make_dir(f, "", 0755);
		make_dir(f, "private", 0700);
		if (begun)
			file_put(f, "init", VIEW(""));
		snprintf(plain, sizeof(plain), "%.*s",
		    (int)(name[strlen(name) - 1] == '/' ? strlen(name) - 1 : strlen(name)), name);
		if (name[strlen(name) - 1] == '/')
			make_dir(f, plain, strcmp(plain, "private") == 0 ? 0700 : 0755);
		else
			file_put(f, plain, VIEW(""));
		if ((init(f, 0) == RJWT_OK) != good)
			fail_msg("%s, %s: %s", name, begun ? "begun" : "fresh", f->diag.text);
		if (!good &&
		    (strstr(f->diag.text, "which no interrupted init left (init wants an empty directory)") == NULL ||
			strstr(f->diag.text, strrchr(plain, '/') == NULL ? plain : strrchr(plain, '/') + 1) == NULL))
			fail_msg("%s, %s: %s", name, begun ? "begun" : "fresh", f->diag.text);
		if (!good && file_there(f, "keys/1.jwk"))
			fail_msg("%s: a keyset was made", name);
		remove_state(f);
	}
}

/* A folder private/ that others may enter is not of an init. */
static void
test_private_mode(void **state)
{
	struct fixture *f = *state;

	make_dir(f, "", 0755);
	make_dir(f, "private", 0750);
	want("0750", init(f, 0), RJWT_KEYSET);
	assert_int_equal(file_mode(f, "private"), 0750);
	make_dir(f, "private", 0705);
	want("0705", init(f, 0), RJWT_KEYSET);
	file_put(f, "init", VIEW(""));
	want("begun", init(f, 0), RJWT_OK);
	assert_int_equal(file_mode(f, "private"), 0700);
}

/* Keys without keyset.json: of a keyset that lost it, or of an init that was interrupted. */
static void
test_keys_left(void **state)
{
	struct fixture *f = *state;

	make_dir(f, "", 0755);
	make_dir(f, "keys", 0755);
	file_put(f, "keys/4.jwk", VIEW("x"));
	want("keys", init(f, 0), RJWT_KEYSET);
	assert_string_equal(f->diag.text, "has keys but no keyset.json (restore it, or run rjwt-keyd init --adopt)");
	file_put(f, "init", VIEW(""));
	make_dir(f, "private", 0700);
	file_put(f, "private/4.key", VIEW("x"));
	file_put(f, "private/.new.5.key", VIEW("x"));
	file_put(f, "keys/README", VIEW("x"));
	want("begun", init(f, 0), RJWT_OK);
	assert_int_equal(keyset_get(f).active.version, 1);
	assert_false(
	    file_there(f, "keys/4.jwk") || file_there(f, "private/4.key") || file_there(f, "private/.new.5.key"));
	assert_true(file_there(f, "keys/README"));
	remove_state(f);
	make_dir(f, "", 0755);
	make_dir(f, "private", 0700);
	file_put(f, "private/4.key", VIEW("x"));
	want("private keys", init(f, 0), RJWT_KEYSET);
	assert_non_null(strstr(f->diag.text, "has keys but no keyset.json"));
}

static void
test_times(void **state)
{
	struct fixture *f = *state;

	whole_seconds = true;
	want("whole seconds", init(f, 0), RJWT_KEYSET);
	assert_string_equal(f->diag.text, "the file system does not keep times to the nanosecond");
	assert_false(file_there(f, "init"));
	whole_seconds = false;
	want("nanoseconds", init(f, 0), RJWT_OK);
}

/* --- names ------------------------------------------------------------------------------------ */

static void
test_names(void **state)
{
	struct fixture *f = *state;
	char host[RJWT_NAME_MAX + 1];
	struct keyset keyset;

	want("host", host_name(host, NULL), RJWT_OK);
	configure(f, "base_kid: B\n");
	want("of the host", init(f, 0), RJWT_OK);
	keyset = keyset_get(f);
	assert_string_equal(keyset.issuer, host);
	assert_string_equal(keyset.audience, host);
	configure(f, "base_kid: C\n" NAMES);
	want("configured", init(f, RJWT_ADOPT), RJWT_OK);
	keyset = keyset_get(f);
	assert_string_equal(keyset.issuer, "i.example");
	assert_string_equal(keyset.audience, "host.example");
	configure(f, "base_kid: D\n");
	want("recorded", init(f, RJWT_ADOPT), RJWT_OK);
	keyset = keyset_get(f);
	assert_string_equal(keyset.issuer, "i.example");
	assert_string_equal(keyset.audience, "host.example");
	remove_state(f);
	configure(f, "base_kid: B\nissuer: i.example\n");
	want("one of them", init(f, 0), RJWT_OK);
	keyset = keyset_get(f);
	assert_string_equal(keyset.issuer, "i.example");
	assert_string_equal(keyset.audience, host);
	remove_state(f);
	configure(f, "base_kid: B\naudience: host.example\n");
	want("the other", init(f, 0), RJWT_OK);
	keyset = keyset_get(f);
	assert_string_equal(keyset.issuer, host);
	assert_string_equal(keyset.audience, "host.example");
}

/* Without base_kid: 6 random bytes, and no dash in front. */
static void
test_base(void **state)
{
	struct fixture *f = *state;
	char first[KEYSET_BASE_MAX + 1] = "";

	configure(f, NAMES);
	for (int i = 0; i < 3; i++) {
		struct keyset keyset;

		want("init", i == 0 ? init(f, 0) : init(f, RJWT_ADOPT), RJWT_OK);
		keyset = keyset_get(f);
		assert_int_equal(strlen(keyset.base), 8);
		assert_int_not_equal(keyset.base[0], '-');
		assert_string_not_equal(keyset.base, first);
		snprintf(first, sizeof(first), "%s", keyset.base);
	}
}

static void
test_machine(void **state)
{
	struct fixture *f = *state;

	want("with an id", init(f, 0), RJWT_OK);
	assert_string_equal(change.warning, "");
	assert_int_equal(strlen(keyset_get(f).machine), DIGEST_HEX - 1);
	remove_state(f);
	no_machine = true;
	want("without", init(f, 0), RJWT_OK);
	assert_string_equal(change.warning,
	    "this host has no machine id (/etc/machine-id): if it is cloned, the clone will "
	    "accept and mint tokens of this keyset until both have recorded one");
	assert_string_equal(keyset_get(f).machine, "");
}

/* --- adopt ------------------------------------------------------------------------------------ */

static void
test_adopt_nothing(void **state)
{
	struct fixture *f = *state;

	want("missing", init(f, RJWT_ADOPT), RJWT_KEYSET);
	assert_string_equal(f->diag.text, "does not exist (rjwt-keyd init creates a keyset)");
	make_dir(f, "", 0755);
	want("empty", init(f, RJWT_ADOPT), RJWT_KEYSET);
	assert_string_equal(f->diag.text, "nothing to adopt (rjwt-keyd init creates a keyset)");
	assert_false(file_there(f, "private"));
	file_put(f, "keyset.json", VIEW("{}"));
	want("no version", init(f, RJWT_ADOPT), RJWT_KEYSET);
	assert_string_equal(f->diag.text, "nothing to adopt (rjwt-keyd init creates a keyset)");
}

static void
test_adopt_base(void **state)
{
	struct fixture *f = *state;

	want("init", init(f, 0), RJWT_OK);
	want("the same", init(f, RJWT_ADOPT), RJWT_CONFIG);
	assert_string_equal(f->diag.text, "already has the base B (change base_kid or leave it out)");
	configure(f, "base_kid: C\n" NAMES);
	want("another", init(f, RJWT_ADOPT), RJWT_OK);
	assert_string_equal(keyset_get(f).base, "C");
	file_put(f, "keyset.json", VIEW("damaged"));
	want("one that is not known", init(f, RJWT_ADOPT),
	    RJWT_OK); /* with the same base_kid: nothing says what it was */
	assert_string_equal(keyset_get(f).base, "C");
}

/* After the highest version that anything has, so that none comes again. */
static void
test_adopt_versions(void **state)
{
	struct fixture *f = *state;
	struct keyset keyset;

	want("init", init(f, 0), RJWT_OK);
	keyset = keyset_get(f);
	keyset.next_version = 9;
	keyset_put(f, &keyset);
	configure(f, "base_kid: C\n" NAMES);
	want("by keyset.json", init(f, RJWT_ADOPT), RJWT_OK);
	assert_int_equal(keyset_get(f).active.version, 9);
	file_put(f, "keys/20.jwk", VIEW("x"));
	configure(f, "base_kid: D\n" NAMES);
	want("by keys/", init(f, RJWT_ADOPT), RJWT_OK);
	assert_int_equal(keyset_get(f).active.version, 21);
	file_put(f, "private/30.minted", VIEW(""));
	configure(f, "base_kid: E\n" NAMES);
	want("by private/", init(f, RJWT_ADOPT), RJWT_OK);
	assert_int_equal(keyset_get(f).active.version, 31);
	assert_false(file_there(f, "keys/20.jwk") || file_there(f, "private/30.minted"));
	file_put(f, "keys/2147483646.jwk", VIEW("x"));
	configure(f, "base_kid: F\n" NAMES);
	want("none is left", init(f, RJWT_ADOPT), RJWT_KEYSET);
	assert_string_equal(f->diag.text, "all key versions are used up");
	file_gone(f, "keys/2147483646.jwk");
	file_put(f, "keys/2147483645.jwk", VIEW("x"));
	want("two are left", init(f, RJWT_ADOPT), RJWT_OK);
	assert_int_equal(keyset_get(f).next.version, KEYSET_VERSION_MAX);
}

/* --- whose ------------------------------------------------------------------------------------ */

static void
test_exists(void **state)
{
	struct fixture *f = *state;
	struct keyset keyset;
	char before[DIGEST_HEX], after[DIGEST_HEX];

	want("init", init(f, 0), RJWT_OK);
	state_digest(f, before);
	want("again", init(f, 0), RJWT_EXISTS);
	state_digest(f, after);
	assert_string_equal(before, after);
	keyset = keyset_get(f);
	memset(keyset.machine, 'a', DIGEST_HEX - 1);
	keyset_put(f, &keyset);
	want("another machine's", init(f, 0), RJWT_KEYSET);
	file_put(f, "keyset.json", VIEW("damaged"));
	want("damaged", init(f, 0), RJWT_KEYSET);
}

#define I(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { I(test_modes), I(test_path), I(test_here), I(test_entries),
		I(test_private_mode), I(test_keys_left), I(test_times), I(test_names), I(test_base), I(test_machine),
		I(test_adopt_nothing), I(test_adopt_base), I(test_adopt_versions), I(test_exists) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
