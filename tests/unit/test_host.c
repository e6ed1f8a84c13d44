/* SPDX-License-Identifier: MIT */
/* What the host tells about itself, whatever host the test runs on: open(2) gives a machine-id of ours. */
#include "unit.h"
#include "base/host.h"
#include "base/hash.h"
#include "rjwt.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

static const char *content; /* of /etc/machine-id; NULL: open fails with error */
static int error;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int
__wrap_open(const char *path, int flags, ...)
{
	int ends[2];

	if (strcmp(path, "/etc/machine-id") != 0)
		return __real_open(path, flags);
	if (content == NULL) {
		errno = error;
		return -1;
	}
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_true(write(ends[1], content, strlen(content)) == (ssize_t)strlen(content));
	close(ends[1]);
	return ends[0];
}

#define ID "0123456789abcdef0123456789abcdef"

/* A clone passes where there is no id: so an id that cannot be read must not look like none. */
static void
machine(void **state)
{
	static const struct {
		const char *content;
		int error;
		enum rjwt_err wanted;
		bool known;
	} rows[] = {
		{ ID "\n", 0, RJWT_OK, true },
		{ ID, 0, RJWT_OK, true },
		{ "", 0, RJWT_OK, false },
		{ "\n", 0, RJWT_OK, false },
		{ "uninitialized\n", 0, RJWT_OK, false }, /* machine-id(5): of an image that was not booted */
		{ "uninitialized", 0, RJWT_OK, false },
		{ "uninitializedx\n", 0, RJWT_OK, true },
		{ NULL, ENOENT, RJWT_OK, false },
		{ NULL, EMFILE, RJWT_IO, false },
		{ NULL, ENFILE, RJWT_IO, false },
		{ NULL, EACCES, RJWT_IO, false },
		{ NULL, EIO, RJWT_IO, false },
		{ NULL, ELOOP, RJWT_IO, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *label = rows[i].content == NULL ? strerror(rows[i].error) : rows[i].content;
		struct rjwt_diag diag = { .text = "" };
		char hex[DIGEST_HEX] = "kept";

		content = rows[i].content;
		error = rows[i].error;
		errno = ENOENT; /* left by somebody before */
		EXPECT(label, host_machine(hex, &diag), rows[i].wanted);
		CHECK(label, (strlen(hex) == DIGEST_HEX - 1) == rows[i].known);
		CHECK(label, strstr(hex, ID) == NULL); /* a hash: the id stays on the machine */
		CHECK(label, rows[i].wanted == RJWT_OK || strcmp(diag.path, "/etc/machine-id") == 0);
	}
}

/* The same of the same id, however its line ends, and of that id alone. */
static void
machine_tells_apart(void **state)
{
	static const char *const ids[] = { ID "\n", ID, ID " \n", "f123456789abcdef0123456789abcdef\n" };
	char hex[ARRAY_LEN(ids)][DIGEST_HEX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		content = ids[i];
		EXPECT(ids[i], host_machine(hex[i], NULL), RJWT_OK);
		CHECK(ids[i], (strcmp(hex[i], hex[0]) == 0) == (i < 3));
	}
}

static const char *called; /* what gethostname(2) gives; NULL: it fails */

int __wrap_gethostname(char *name, size_t size);

int
__wrap_gethostname(char *name, size_t size)
{
	if (called == NULL) {
		memset(name, 'x', size);
		return -1;
	}
	memcpy(name, called, strlen(called) + 1);
	return 0;
}

/* Issuer and audience of a new keyset: in small letters, and never a name that every host has. */
static void
host_names(void **state)
{
	static const struct {
		const char *called, *name; /* NULL: refused */
	} rows[] = { { "web1", "web1" }, { "Web1.EXAMPLE.org", "web1.example.org" }, { "AZaz@[", "azaz@[" },
		{ "localhost", NULL }, { "LocalHost", NULL }, { "localhost.localdomain", NULL }, { "(none)", NULL },
		{ "", NULL }, { NULL, NULL }, { "localhost1", "localhost1" }, { "localhos", "localhos" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *label = rows[i].called == NULL ? "no name" : rows[i].called;
		struct rjwt_diag diag = { .text = "" };
		char name[RJWT_NAME_MAX + 1];

		called = rows[i].called;
		EXPECT(label, host_name(name, &diag), rows[i].name == NULL ? RJWT_AUDIENCE : RJWT_OK);
		CHECK(label, rows[i].name == NULL || strcmp(name, rows[i].name) == 0);
		CHECK(label, rows[i].name != NULL || strstr(diag.text, "set issuer and audience") != NULL);
	}
}

static void
clock_of_ours(void *context, struct rjwt_time *now)
{
	*now = *(const struct rjwt_time *)context;
}

/* Those of the system, or those that the caller gives. The boot has a name, which is read once. */
static void
clocks(void **state)
{
	struct rjwt_time ours = { 1, 2, "three" }, now = { 0 }, again = { 0 };
	struct clock given = { .read = clock_of_ours, .context = &ours }, clock = { .read = NULL };
	struct timespec wall, boot;

	(void)state;
	clock_now(&given, &now);
	CHECK("given", now.wall_s == 1 && now.boot_s == 2 && strcmp(now.boot_id, "three") == 0);
	CHECK("given", given.boot_id[0] == '\0');
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &wall), 0);
	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &boot), 0);
	clock_now(&clock, &now);
	CHECK("wall", now.wall_s >= wall.tv_sec && now.wall_s <= wall.tv_sec + 60);
	CHECK("boot", now.boot_s >= boot.tv_sec && now.boot_s <= boot.tv_sec + 60);
	CHECK("its name", strlen(now.boot_id) == 36 && strcmp(now.boot_id, clock.boot_id) == 0);
	clock.boot_id[0] = 'X';
	clock_now(&clock, &again);
	CHECK("is read once", again.boot_id[0] == 'X' && strcmp(again.boot_id + 1, now.boot_id + 1) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machine),
		cmocka_unit_test(machine_tells_apart),
		cmocka_unit_test(host_names),
		cmocka_unit_test(clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
