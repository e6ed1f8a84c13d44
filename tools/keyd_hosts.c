/* SPDX-License-Identifier: MIT */
/* rjwt-keyd fleet LOG: what hosts say of themselves in the log of a web server. */
#include "hosts.h"
#include "colour.h"
#include "findings.h"
#include "input.h"
#include "lines.h"
#include "base/datetime.h"
#include "base/json_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME_WIDTH 40 /* a name that is longer makes its own row longer */

static int
fail_memory(const struct keyd *keyd)
{
	return tool_fail(&keyd->tool, RJWT_MEMORY, &(struct rjwt_diag){ 0 });
}

/* What is newest, as this host knows it. */
int
hosts_newest(const struct keyd *keyd, struct rjwt_following *following)
{
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = rjwt_following(&keyd->tool.options, following, &diag);

	if (err == RJWT_KEY_UNKNOWN)
		return tool_fail(&keyd->tool, RJWT_KEYSET,
		    &(struct rjwt_diag){ .text = "this host has joined no fleet (rjwt-keyd join URL KEY)" });
	return err == RJWT_OK ? EXIT_DONE : tool_fail(&keyd->tool, err, &diag);
}

/* --- reading ------------------------------------------------------------------------------------ */

int
hosts_fail(const struct keyd *keyd, const char *path, int error)
{
	if (error == 0)
		tool_say(&keyd->tool, "%s: not a regular file (- reads standard input)", path);
	else
		tool_say(&keyd->tool, "%s: %s", path, strerrordesc_np(error));
	return EXIT_REFUSED;
}

/* As far as it goes now. False: errno says why not. */
bool
hosts_read(struct lines *lines, struct fleet_log *log)
{
	enum lines_state state;
	struct view line;

	while ((state = lines_next(lines, &line)) == LINES_GOOD || state == LINES_LONG)
		if (state == LINES_GOOD)
			fleet_log_line(log, line);
	return state == LINES_END;
}

static int
read_log(const struct keyd *keyd, const char *path, struct fleet_log *log)
{
	bool input = strcmp(path, "-") == 0;
	RJWT_CLEAN(fd_clean) int opened = input ? -1 : input_open(path);
	RJWT_CLEAN(lines_clear) struct lines lines = { .fd = input ? STDIN_FILENO : opened, .max = FLEET_LOG_LINE_MAX };

	if (!input && opened < 0)
		return hosts_fail(keyd, path, errno);
	if (!hosts_read(&lines, log))
		return hosts_fail(keyd, input ? "standard input" : path, errno);
	return EXIT_DONE;
}

/* Of a log that was rotated today, the part before that too: hosts that are silent are there. */
static int
read_logs(const struct keyd *keyd, const char *const *paths, size_t n, struct fleet_log *log)
{
	int status = EXIT_DONE;

	if (n == 0 && access(FLEET_LOG_FILE, F_OK) != 0)
		return tool_wrong(&keyd->tool,
		    FLEET_LOG_FILE ": %s (type rjwt-keyd fleet LOG, with the access log of the web server; "
				   "other commands are fleet init, request, add, drop and roll)",
		    strerrordesc_np(errno));
	if (n == 0 && access(FLEET_LOG_FILE ".1", F_OK) == 0)
		status = read_log(keyd, FLEET_LOG_FILE ".1", log);
	if (n == 0 && status == EXIT_DONE)
		status = read_log(keyd, FLEET_LOG_FILE, log);
	for (size_t i = 0; i < n && status == EXIT_DONE; i++)
		status = read_log(keyd, paths[i], log);
	return status == EXIT_DONE && log->failed ? fail_memory(keyd) : status;
}

/* --- what they say, in numbers ------------------------------------------------------------------ */

struct summary {
	const struct fleet_log *log;
	size_t n[HOST_STATES];
	int64_t *delays; /* of every host and issuer where it is known, in order */
	size_t ndelays;
};

static void
add_host(const struct fleet_host *host, void *context)
{
	struct summary *s = context;

	s->n[fleet_host_state(s->log, host)]++;
	for (size_t i = 0; i < s->log->fleet->n; i++) {
		int64_t delay = fleet_host_delay(s->log, host, i);

		if (delay >= 0)
			s->delays[s->ndelays++] = delay;
	}
}

static int
by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static bool
summarize(struct summary *s)
{
	s->delays = calloc(s->log->nhosts * RJWT_ISSUERS_MAX + 1, sizeof(*s->delays));
	if (s->delays == NULL)
		return false;
	fleet_log_each(s->log, add_host, s);
	qsort(s->delays, s->ndelays, sizeof(*s->delays), by_number);
	return true;
}

/* The least delay that so many of a hundred do not exceed. */
static int64_t
percentile(const struct summary *s, size_t percent)
{
	return s->delays[(s->ndelays * percent + 99) / 100 - 1];
}

static enum level
level_of(const struct summary *s)
{
	bool well = s->n[HOST_BEHIND] == 0 && s->n[HOST_SILENT] == 0 && s->log->nhosts > 0 && s->log->left_out == 0;

	return well ? LEVEL_OK : LEVEL_WARN;
}

/* --- for people --------------------------------------------------------------------------------- */

static const struct {
	const char *word, *verb, *advice;
} states[HOST_STATES] = {
	{ "ok", "well", "" },
	{ "coming", "about to hear", "" },
	{ "behind", "behind", "behind; on that host: journalctl -u rjwt-follow" },
	{ "silent", "silent", "silent; on that host: systemctl status rjwt-follow.timer" },
};

static int
most(int a, int b)
{
	return a > b ? a : b;
}

static void
widen(const struct fleet_host *host, void *context)
{
	struct hosts_table *t = context;
	int n = (int)strlen(host->name);

	t->width = n <= NAME_WIDTH ? most(t->width, n) : t->width;
	for (size_t i = 0; i < t->log->fleet->n; i++)
		t->serial_width[i] = most(t->serial_width[i], snprintf(NULL, 0, "%" PRId64, host->serial[i]));
}

static void
put_host(const struct fleet_host *host, void *context)
{
	const struct hosts_table *t = context;
	const char *advice = states[fleet_host_state(t->log, host)].advice;
	char amount[32], serial[32];

	if (t->wanted != NULL && !t->wanted(t->log, host))
		return;
	tool_put(host->name);
	printf("%*s  %10" PRId64, most(t->width - (int)strlen(host->name), 0), "", host->roster);
	for (size_t i = 0; i < t->log->fleet->n; i++) {
		snprintf(serial, sizeof(serial), "%" PRId64, host->serial[i]);
		printf("  %*s", t->serial_width[i], host->serial[i] < 0 ? "-" : serial);
	}
	duration_format(amount, t->log->now_s > host->polled_s ? t->log->now_s - host->polled_s : 0);
	printf(advice[0] == '\0' ? "  %s ago\n" : "  %-9s ago  %s\n", amount, advice);
}

void
hosts_put(struct hosts_table *t)
{
	t->width = 4;
	for (size_t i = 0; i < t->log->fleet->n; i++)
		t->serial_width[i] = (int)strlen(t->log->fleet->issuers[i].name);
	fleet_log_each(t->log, widen, t);
	printf("%-*s  %10s", t->width, "HOST", "ROSTER");
	for (size_t i = 0; i < t->log->fleet->n; i++)
		printf("  %*s", t->serial_width[i], t->log->fleet->issuers[i].name);
	puts("  LAST POLL");
	fleet_log_each(t->log, put_host, t);
}

static void
put_verdict(const struct summary *s)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	char half[32], nearly[32];
	size_t n = s->log->nhosts;

	level_put(&line, level_of(s), colour_wanted());
	buf_addf(&line, "%s%zu host%s", level_of(s) == LEVEL_OK ? "    " : "  ", n, n == 1 ? "" : "s");
	for (int i = 0; i < HOST_STATES; i++)
		if (s->n[i] > 0 && s->n[i] == n && i == HOST_GOOD)
			buf_addf(&line, " %s all that is newest here", n == 1 ? "has" : "have");
		else if (s->n[i] > 0)
			buf_addf(&line, ", %zu %s", s->n[i], states[i].verb);
	if (n == 0)
		buf_adds(&line, ": no host has asked");
	if (s->ndelays > 0) {
		duration_format(half, percentile(s, 50));
		duration_format(nearly, percentile(s, 99));
		buf_addf(&line, "; p50 %s, p99 %s", half, nearly);
	}
	puts(buf_done(&line) == RJWT_OK ? line.p : "");
}

static void
say_not_counted(const struct keyd *keyd, const struct fleet_log *log)
{
	static const char *const ends[] = { "s", "" };

	if (log->skipped > 0)
		tool_say(&keyd->tool, "%" PRIu64 " line%s skipped: not what rjwt-keyd mirrors --agent prints",
		    log->skipped, ends[log->skipped == 1]);
	if (log->refused > 0)
		tool_say(&keyd->tool, "%" PRIu64 " poll%s not counted: the web server answered with an error",
		    log->refused, ends[log->refused == 1]);
	if (log->left_out > 0)
		tool_say(&keyd->tool, "%" PRIu64 " poll%s not counted: more than %d names", log->left_out,
		    ends[log->left_out == 1], FLEET_LOG_HOSTS_MAX);
}

/* --- for programs ------------------------------------------------------------------------------- */

struct json_hosts {
	const struct fleet_log *log;
	struct buf *out;
};

static void
json_host(const struct fleet_host *host, void *context)
{
	const struct json_hosts *j = context;

	json_open_element(j->out);
	json_put_text(j->out, "host", view_of(host->name));
	json_put_string(j->out, "state", view_of(states[fleet_host_state(j->log, host)].word));
	json_put_integer(j->out, "polled", host->polled_s);
	json_put_integer(j->out, "roster", host->roster);
	json_open(j->out, "serials");
	for (size_t i = 0; i < j->log->fleet->n; i++)
		if (host->serial[i] >= 0)
			json_put_integer(j->out, j->log->fleet->issuers[i].name, host->serial[i]);
	json_close(j->out);
	json_close(j->out);
}

static void
json_newest(const struct rjwt_following *fleet, struct buf *out)
{
	json_put_integer(out, "roster", fleet->roster);
	json_open_array(out, "issuers");
	for (size_t i = 0; i < fleet->n; i++) {
		json_open_element(out);
		json_put_string(out, "issuer", view_of(fleet->issuers[i].name));
		json_put_integer(out, "serial", fleet->issuers[i].serial);
		json_put_integer(out, "issued", fleet->issuers[i].issued_s);
		json_close(out);
	}
	json_close_array(out);
}

static void
put_json(const struct summary *s, bool quiet, struct buf *out)
{
	struct json_hosts hosts = { s->log, out };

	json_open(out, NULL);
	json_put_integer(out, "schema", 1);
	json_put_string(out, "level", view_of(level_word(level_of(s))));
	json_put_integer(out, "now", s->log->now_s);
	json_newest(s->log->fleet, out);
	for (int i = 0; i < HOST_STATES; i++)
		json_put_integer(out, states[i].word, (int64_t)s->n[i]);
	if (s->ndelays > 0) {
		json_put_integer(out, "p50", percentile(s, 50));
		json_put_integer(out, "p99", percentile(s, 99));
	}
	json_put_integer(out, "skipped", (int64_t)s->log->skipped);
	json_put_integer(out, "refused", (int64_t)s->log->refused);
	json_put_integer(out, "left_out", (int64_t)s->log->left_out);
	if (!quiet) {
		json_open_array(out, "hosts");
		fleet_log_each(s->log, json_host, &hosts);
		json_close_array(out);
	}
	json_close(out);
}

/* --- the command -------------------------------------------------------------------------------- */

static int
report(const struct keyd *keyd, const struct fleet_log *log)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	struct hosts_table table = { .log = log };
	struct summary s = { .log = log };

	if (!summarize(&s))
		return fail_memory(keyd);
	if (keyd->json) {
		put_json(&s, keyd->quiet, &out);
		puts(buf_done(&out) == RJWT_OK ? out.p : "");
	} else {
		if (!keyd->quiet && log->nhosts > 0)
			hosts_put(&table);
		put_verdict(&s);
		if (!keyd->quiet)
			puts("from agent strings, which prove nothing");
		say_not_counted(keyd, log);
	}
	free(s.delays);
	if (buf_done(&out) != RJWT_OK)
		return fail_memory(keyd);
	return level_of(&s) == LEVEL_OK ? EXIT_DONE : EXIT_REFUSED;
}

int
keyd_hosts(struct keyd *keyd, const char *const *logs, size_t n)
{
	struct rjwt_following following = { 0 };
	RJWT_CLEAN(fleet_log_clear) struct fleet_log log = { .fleet = &following, .now_s = time(NULL) };
	int status = hosts_newest(keyd, &following);

	if (status == EXIT_DONE)
		status = read_logs(keyd, logs, n, &log);
	return status == EXIT_DONE ? report(keyd, &log) : status;
}
