/* SPDX-License-Identifier: MIT */
/* status_world.h - what rjwt_status() looks at, with parts that can be made up. */
#ifndef RJWT_TEST_STATUS_WORLD_H
#define RJWT_TEST_STATUS_WORLD_H

#include "fixture.h"
#include "base/datetime.h"
#include "keyset/inspect.h"
#include "keyset/marks_write.h"
#include "keyset/store.h"

#include "planned.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static struct rjwt_status status;
static int probe_error; /* of dir_probe() of this name below the state directory; 0: none */
static const char *probed;
static bool no_inodes, no_machine;

WRAP(enum rjwt_err, dir_probe, (const struct dir *dir, size_t room, struct rjwt_diag *diag))
{
	const char *name = strrchr(dir->path, '/') + 1;

	if (probe_error == 0 || strcmp(name, probed) != 0)
		return __real_dir_probe(dir, room, diag);
	errno = probe_error;
	return diag_fail(diag, RJWT_IO, dir->path, "cannot write");
}

WRAP(int, fstatvfs, (int fd, struct statvfs *to))
{
	int ret = __real_fstatvfs(fd, to);

	to->f_files = 9;
	to->f_favail = no_inodes ? 0 : 1;
	return ret;
}

WRAP(enum rjwt_err, host_machine, (char machine[static DIGEST_HEX], struct rjwt_diag *diag))
{
	if (!no_machine)
		return __real_host_machine(machine, diag);
	machine[0] = '\0';
	return RJWT_OK;
}

WRAP(enum rjwt_err, store_can_sign, (struct store * store, int64_t version, struct rjwt_diag *diag))
{
	return fault_due(FAULT_ANY, "store_can_sign") ? diag_fail(diag, RJWT_IO, "/a/path", "planned")
						      : __real_store_can_sign(store, version, diag);
}

WRAP(enum rjwt_err, store_check_writable,
    (struct store * store, const struct rotation_policy *policy, struct rjwt_diag *diag))
{
	return fault_due(FAULT_ANY, "store_check_writable") ? RJWT_KEYSET
							    : __real_store_check_writable(store, policy, diag);
}

static inline int
setup(void **state)
{
	wrapped_plan = NULL;
	probe_error = 0;
	no_inodes = no_machine = false;
	memset(&status, 0, sizeof(status));
	*state = fixture_new("");
	return 0;
}

static inline int
teardown(void **state)
{
	rjwt_status_clear(&status);
	return fixture_teardown(state);
}

static inline void
look(struct fixture *f)
{
	struct rjwt_options options = fixture_options(f);

	rjwt_status_clear(&status);
	want("status", rjwt_status(&options, &status), RJWT_OK);
}

/* The note of that code; NULL: there is none. */
static inline const struct rjwt_note *
note_of(const char *code)
{
	for (size_t i = 0; i < status.nnotes; i++)
		if (strcmp(status.notes[i].code, code) == 0)
			return &status.notes[i];
	return NULL;
}

static inline void
move(const struct fixture *f, const char *from, const char *to)
{
	char a[300], b[300];

	snprintf(a, sizeof(a), "%s/%s", f->state, from);
	snprintf(b, sizeof(b), "%s/%s", f->state, to);
	assert_int_equal(rename(a, b), 0);
}

#endif
