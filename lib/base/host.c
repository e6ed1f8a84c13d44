/* SPDX-License-Identifier: MIT */
#include "base/host.h"
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One short line of a system file. Not file_read(): files in /proc have no size. */
static enum rjwt_err
read_system_file(const char *path, struct buf *text)
{
	RJWT_CLEAN(fd_clean) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char line[128];
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line));

	if (n < 0)
		return RJWT_IO;
	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == ' '))
		n--;
	buf_add(text, line, (size_t)n);
	return buf_done(text);
}

void
clock_now(struct clock *clock, struct rjwt_time *now)
{
	RJWT_CLEAN(buf_clear) struct buf id = { 0 };
	struct timespec wall, boot;

	if (clock->read != NULL) {
		clock->read(clock->context, now);
		return;
	}
	if (clock->boot_id[0] == '\0' && read_system_file("/proc/sys/kernel/random/boot_id", &id) == RJWT_OK &&
	    id.n < sizeof(clock->boot_id))
		memcpy(clock->boot_id, id.p, id.n + 1);
	(void)clock_gettime(CLOCK_REALTIME, &wall);
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	now->wall_s = wall.tv_sec;
	now->boot_s = boot.tv_sec;
	memcpy(now->boot_id, clock->boot_id, sizeof(now->boot_id));
}

enum rjwt_err
host_machine(char hex[static DIGEST_HEX], struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf id = { 0 };
	enum rjwt_err err;

	hex[0] = '\0';
	errno = 0;
	err = read_system_file("/etc/machine-id", &id);
	/* Only a missing file means that there is no id: a clone must not pass because opening failed. */
	if (err != RJWT_OK && (err != RJWT_IO || errno != ENOENT))
		return diag_fail(diag, err, "/etc/machine-id", "cannot read");
	if (id.n == 0 || view_is(buf_view(&id), "uninitialized"))
		return RJWT_OK;
	/* Not the id itself: machine-id(5) asks not to expose it. */
	return digest_name((struct view[]){ VIEW("rjwt"), buf_view(&id) }, 2, hex);
}

enum rjwt_err
host_name(char name[static RJWT_NAME_MAX + 1], struct rjwt_diag *diag)
{
	if (gethostname(name, RJWT_NAME_MAX) != 0)
		name[0] = '\0';
	name[RJWT_NAME_MAX] = '\0';
	for (char *p = name; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	if (name[0] != '\0' && strcmp(name, "localhost") != 0 && strcmp(name, "(none)") != 0 &&
	    strncmp(name, "localhost.", 10) != 0)
		return RJWT_OK;
	return diag_fail(diag, RJWT_AUDIENCE, "",
	    "the host has no name of its own: set issuer and audience in the configuration");
}
