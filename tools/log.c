/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static const char *ident = "rjwt";

void
log_begin(const char *program)
{
	ident = program;
}

static int
connect_as(int type)
{
	const struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = LOG_SOCKET };
	const struct timeval wait = { .tv_sec = LOG_WAIT_S };
	RJWT_CLEAN(fd_clean) int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	int connected;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0 ||
	    connect(fd, (const struct sockaddr *)(const void *)&to, sizeof(to)) != 0)
		return -1;
	connected = fd;
	fd = -1;
	return connected;
}

/* Anew for each line: the daemon may have been started again since the last one. Some listen to a stream. */
static enum rjwt_err
open_socket(int *fd, int *type, struct rjwt_diag *diag)
{
	*type = SOCK_DGRAM;
	*fd = connect_as(SOCK_DGRAM);
	if (*fd < 0 && errno == EPROTOTYPE) {
		*type = SOCK_STREAM;
		*fd = connect_as(SOCK_STREAM);
	}
	return *fd >= 0 ? RJWT_OK : diag_fail(diag, RJWT_IO, LOG_SOCKET, "no syslog daemon is listening");
}

enum rjwt_err
log_probe(struct rjwt_diag *diag)
{
	RJWT_CLEAN(fd_clean) int fd = -1;
	struct pollfd room = { .events = POLLOUT };
	int type, n;

	RJWT_TRY(open_socket(&fd, &type, diag));
	room.fd = fd;
	do {
		n = poll(&room, 1, LOG_WAIT_S * 1000);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = EAGAIN;
	if (n > 0 && (room.revents & POLLOUT) != 0)
		return RJWT_OK;
	return diag_fail(diag, RJWT_IO, LOG_SOCKET, "the syslog daemon does not read");
}

/* As syslog(3) writes it (RFC 3164 s4.1), with the time of this host. */
static void
put_line(struct buf *out, int priority, const struct buf *line)
{
	time_t now = time(NULL);
	struct tm local;
	char at[32] = "";

	if (localtime_r(&now, &local) != NULL)
		(void)strftime(at, sizeof(at), "%b %e %T ", &local);
	buf_addf(out, "<%d>%s%s[%d]: ", LOG_AUTHPRIV | priority, at, ident, (int)getpid());
	buf_add_view(out, buf_view(line));
}

enum rjwt_err
log_send(int priority, const struct buf *line, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf whole = { 0 };
	RJWT_CLEAN(fd_clean) int fd = -1;
	int type;
	size_t n;
	ssize_t sent;

	RJWT_TRY(buf_done(line));
	put_line(&whole, priority, line);
	RJWT_TRY(buf_done(&whole));
	RJWT_TRY(open_socket(&fd, &type, diag));
	n = whole.n + (type == SOCK_STREAM); /* there the NUL is the end of a line */
	do {
		sent = send(fd, whole.p, n, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent >= 0 && (size_t)sent < n)
		errno = EAGAIN;
	return sent >= 0 && (size_t)sent == n
		   ? RJWT_OK
		   : diag_fail(diag, RJWT_IO, LOG_SOCKET, "the syslog daemon did not take a line");
}
