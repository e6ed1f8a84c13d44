/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into what is measured, so that it needs no root and touches nothing of the host: PAM services come
 * from the directory $BENCH_PAM; every user has the password hash $BENCH_HASH, for pam_unix; and what is logged
 * goes to the datagram socket $BENCH_LOG, as syslog(3) would write it to /dev/log.
 */
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <security/pam_appl.h>

#undef syslog /* fortified, it may be a macro */

#pragma GCC visibility push(default)

int
pam_start(const char *service, const char *user, const struct pam_conv *conv, pam_handle_t **pamh)
{
	return pam_start_confdir(service, user, conv, getenv("BENCH_PAM"), pamh);
}

int
getpwnam_r(const char *name, struct passwd *entry, char *room, size_t size, struct passwd **found)
{
	static char empty[] = "", home[] = "/";

	(void)room;
	(void)size;
	*entry = (struct passwd){ .pw_name = (char *)(size_t)name,
		.pw_passwd = getenv("BENCH_HASH"),
		.pw_uid = 1000,
		.pw_gid = 1000,
		.pw_gecos = empty,
		.pw_dir = home,
		.pw_shell = empty };
	*found = entry->pw_passwd == NULL ? NULL : entry;
	return 0;
}

static int
log_socket(void)
{
	static int fd = -1;
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("BENCH_LOG");

	if (fd >= 0 || path == NULL)
		return fd;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)(void *)&to, sizeof(to)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void __attribute__((format(printf, 2, 0))) write_log(int priority, const char *format, va_list args)
{
	char line[2048];
	time_t now = time(NULL);
	struct tm parts;
	size_t n = (size_t)snprintf(line, sizeof(line), "<%d>", priority);
	int fd = log_socket(), more;

	n += strftime(line + n, sizeof(line) - n, "%b %e %T ", localtime_r(&now, &parts));
	n += (size_t)snprintf(line + n, sizeof(line) - n, "%s: ", program_invocation_short_name);
	more = vsnprintf(line + n, sizeof(line) - n, format, args);
	n = more < 0 || (size_t)more >= sizeof(line) - n ? sizeof(line) - 1 : n + (size_t)more;
	if (fd >= 0)
		(void)send(fd, line, n, MSG_NOSIGNAL);
}

void
vsyslog(int priority, const char *format, va_list args)
{
	write_log(priority, format, args);
}

void
syslog(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_log(priority, format, args);
	va_end(args);
}

/* What fortified callers call. */
void __vsyslog_chk(int priority, int flag, const char *format, va_list args) __attribute__((format(printf, 3, 0)));
void __syslog_chk(int priority, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));

void
__vsyslog_chk(int priority, int flag, const char *format, va_list args)
{
	(void)flag;
	write_log(priority, format, args);
}

void
__syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list args;

	(void)flag;
	va_start(args, format);
	write_log(priority, format, args);
	va_end(args);
}
