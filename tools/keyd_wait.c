/* SPDX-License-Identifier: MIT */
/* rjwt-keyd revoke --wait: until hosts say that they have what was published. */
#include "hosts.h"
#include "input.h"
#include "options.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MAX_S 86400

static const struct rjwt_followed *
find_own(const struct rjwt_following *following)
{
	for (size_t i = 0; i < following->n; i++)
		if (following->issuers[i].own)
			return &following->issuers[i];
	return NULL;
}

int
keyd_wait_begin(struct keyd *keyd, int64_t *serial, int64_t *wait_s)
{
	const char *path = keyd->log_file == NULL ? FLEET_LOG_FILE : keyd->log_file;
	struct rjwt_following following = { 0 };
	const struct rjwt_followed *own;
	int status = option_duration(&keyd->tool, "--wait", keyd->wait, 1, WAIT_MAX_S, wait_s);
	RJWT_CLEAN(fd_clean) int fd = -1;

	if (status == EXIT_DONE)
		status = hosts_newest(keyd, &following);
	if (status != EXIT_DONE)
		return status;
	own = find_own(&following);
	if (own == NULL)
		return tool_wrong(&keyd->tool, "--wait: this host is not an issuer of the fleet");
	fd = input_open(path);
	if (fd < 0 && errno == ENOENT && keyd->log_file == NULL)
		return tool_wrong(&keyd->tool,
		    "--wait: " FLEET_LOG_FILE ": %s: name the web server's access log with --log",
		    strerrordesc_np(ENOENT));
	if (fd < 0)
		return hosts_fail(keyd, path, errno);
	*serial = own->serial;
	return EXIT_DONE;
}

/* Who asked within the last hour and did not say that he has what was published last. */
static bool
is_awaited(const struct fleet_log *log, const struct fleet_host *host)
{
	size_t own = (size_t)(find_own(log->fleet) - log->fleet->issuers);

	if (log->now_s > host->polled_s + FLEET_SILENT_S)
		return false;
	if (host->serial[own] <
	    0) /* an issuer does not name itself; a host that does not know it has an older roster */
		return host->roster < log->fleet->roster;
	return host->serial[own] < log->fleet->issuers[own].serial;
}

struct awaited {
	const struct fleet_log *log;
	size_t here, n;
};

static void
count_awaited(const struct fleet_host *host, void *context)
{
	struct awaited *a = context;

	a->here += a->log->now_s <= host->polled_s + FLEET_SILENT_S;
	a->n += is_awaited(a->log, host);
}

/* A log that grows, and that may be rotated meanwhile. */
struct tail {
	const char *path;
	struct lines lines;
};

static bool
tail_read(struct tail *tail, struct fleet_log *log)
{
	struct stat ours, named;

	lines_again(&tail->lines);
	if (!hosts_read(&tail->lines, log))
		return false;
	if (fstat(tail->lines.fd, &ours) != 0 || stat(tail->path, &named) != 0 ||
	    (ours.st_ino == named.st_ino && ours.st_dev == named.st_dev &&
		ours.st_size >= lseek(tail->lines.fd, 0, SEEK_CUR)))
		return true;
	fd_clean(&tail->lines.fd);
	lines_clear(&tail->lines);
	tail->lines = (struct lines){ .fd = input_open(tail->path), .max = FLEET_LOG_LINE_MAX };
	return tail->lines.fd >= 0 && hosts_read(&tail->lines, log);
}

static int64_t
seconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static int
end_wait(const struct keyd *keyd, const struct fleet_log *log, const struct awaited *a)
{
	struct hosts_table table = { .log = log, .wanted = is_awaited };

	if (a->here == 0) {
		tool_say(&keyd->tool,
		    "no host has asked within the last hour, so nobody can say which of them have it");
		return EXIT_REFUSED;
	}
	if (a->n == 0) {
		tool_say(&keyd->tool,
		    "%zu host%s that asked within the last hour say%s that %s it (this proves nothing)", a->here,
		    a->here == 1 ? "" : "s", a->here == 1 ? "s" : "", a->here == 1 ? "it has" : "they have");
		return EXIT_DONE;
	}
	hosts_put(&table);
	tool_say(&keyd->tool, "%zu of %zu hosts have not said that they have it", a->n, a->here);
	return EXIT_REFUSED;
}

static int
wait_for_all(struct keyd *keyd, struct tail *tail, struct fleet_log *log, int64_t wait_s)
{
	int64_t until_s = seconds_now() + wait_s;
	struct awaited a;

	for (;;) {
		if (!tail_read(tail, log))
			return hosts_fail(keyd, tail->path, errno);
		log->now_s = time(NULL);
		a = (struct awaited){ .log = log };
		fleet_log_each(log, count_awaited, &a);
		if (log->failed)
			return tool_fail(&keyd->tool, RJWT_MEMORY, &(struct rjwt_diag){ 0 });
		if (a.here == 0 || a.n == 0 || seconds_now() >= until_s)
			return end_wait(keyd, log, &a);
		tool_progress(&keyd->tool, "waiting for %zu of %zu hosts", a.n, a.here);
		(void)sleep(1);
	}
}

int
keyd_wait(struct keyd *keyd, int64_t serial, int64_t wait_s)
{
	struct rjwt_following following = { 0 };
	RJWT_CLEAN(fleet_log_clear) struct fleet_log log = { .fleet = &following };
	struct tail tail = { .path = keyd->log_file == NULL ? FLEET_LOG_FILE : keyd->log_file };
	const struct rjwt_followed *own;
	int status = hosts_newest(keyd, &following);

	if (status != EXIT_DONE)
		return status;
	own = find_own(&following);
	if (own == NULL || own->serial <= serial) {
		tool_say(&keyd->tool, "nothing was published: other hosts do not hear of it");
		return EXIT_REFUSED;
	}
	tail.lines = (struct lines){ .fd = input_open(tail.path), .max = FLEET_LOG_LINE_MAX };
	status = tail.lines.fd < 0 ? hosts_fail(keyd, tail.path, errno) : wait_for_all(keyd, &tail, &log, wait_s);
	fd_clean(&tail.lines.fd);
	lines_clear(&tail.lines);
	return status;
}
