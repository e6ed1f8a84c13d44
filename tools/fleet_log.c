/* SPDX-License-Identifier: MIT */
#include "fleet_log.h"
#include "base/datetime.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX INT64_C(9007199254740991) /* of a serial, as in JSON */
#define TIME_LENGTH 29			     /* "[29/Nov/2026:12:34:56 +0000] " */

struct poll {
	struct view host;
	int64_t at_s, roster, serial[RJWT_ISSUERS_MAX];
};

/* --- a line ------------------------------------------------------------------------------------- */

/* What is between two quotes, the first of which is next; web servers write another one as \x22 or \". */
static bool
take_quoted(struct view *rest, struct view *text)
{
	size_t n = 1;

	if (rest->n == 0 || rest->p[0] != '"')
		return false;
	while (n < rest->n && rest->p[n] != '"')
		n += rest->p[n] == '\\' ? 2 : 1;
	if (n >= rest->n)
		return false;
	*text = (struct view){ rest->p + 1, n - 1 };
	*rest = (struct view){ rest->p + n + 1, rest->n - n - 1 };
	return true;
}

/* The next word, and the blank behind it. */
static struct view
take_word(struct view *rest)
{
	const char *end = rest->n == 0 ? NULL : memchr(rest->p, ' ', rest->n);
	struct view word = { rest->p, end == NULL ? rest->n : (size_t)(end - rest->p) };
	size_t n = word.n + (end != NULL);

	*rest = (struct view){ rest->p + n, rest->n - n };
	return word;
}

/* The time in front of the request, "[29/Nov/2026:12:34:56 +0000] ". */
static bool
read_time(const char *p, int64_t *seconds)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *found = memmem(months, sizeof(months) - 1, p + 4, 3);
	char text[40];

	if (p[0] != '[' || p[3] != '/' || p[7] != '/' || p[12] != ':' || p[21] != ' ' || p[27] != ']' || p[28] != ' ')
		return false;
	if (found == NULL || (found - months) % 3 != 0)
		return false;
	snprintf(text, sizeof(text), "%.4s-%02d-%.2sT%.8s%.3s:%.2s", p + 8, (int)(found - months) / 3 + 1, p + 1,
	    p + 13, p + 22, p + 25);
	return time_parse(text, 0, seconds) == RJWT_OK;
}

static bool
is_made_of(struct view word, size_t most, const char *letters)
{
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] == '\0' || strchr(letters, word.p[i]) == NULL)
			return false;
	return word.n > 0 && word.n <= most;
}

/* "NAME=NUMBER". */
static bool
read_pair(struct view word, struct view *name, int64_t *number)
{
	const char *sign = word.n == 0 ? NULL : memchr(word.p, '=', word.n);
	size_t n;

	if (sign == NULL)
		return false;
	n = (size_t)(sign - word.p);
	*name = (struct view){ word.p, n };
	return is_made_of(*name, 32, "abcdefghijklmnopqrstuvwxyz0123456789-") &&
	       number_parse((struct view){ sign + 1, word.n - n - 1 }, NUMBER_MAX, number) == RJWT_OK;
}

/* An issuer that the roster here does not have is passed over. */
static bool
read_agent(struct view agent, const struct rjwt_following *fleet, struct poll *poll)
{
	struct view name;
	int64_t number;
	size_t n = 0;

	if (!view_is(take_word(&agent), "rjwt/1"))
		return false;
	poll->host = take_word(&agent);
	if (!is_made_of(poll->host, RJWT_NAME_MAX,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-") ||
	    !read_pair(take_word(&agent), &name, &poll->roster) || !view_is(name, "n"))
		return false;
	for (size_t i = 0; i < RJWT_ISSUERS_MAX; i++)
		poll->serial[i] = -1;
	for (; agent.n > 0; n++) {
		if (n == RJWT_ISSUERS_MAX || !read_pair(take_word(&agent), &name, &number))
			return false;
		for (size_t i = 0; i < fleet->n; i++)
			if (view_is(name, fleet->issuers[i].name))
				poll->serial[i] = number;
	}
	return true;
}

enum line { LINE_FOREIGN, LINE_WRONG, LINE_REFUSED, LINE_POLL };

/* ADDRESS - USER [TIME] "REQUEST" STATUS BYTES "REFERRER" "AGENT"; the first quote opens the request. */
static enum line
read_line(struct view line, const struct rjwt_following *fleet, struct poll *poll)
{
	const char *quote = line.n == 0 ? NULL : memchr(line.p, '"', line.n);
	struct view rest, text, status, blank;
	enum line kind;

	if (quote == NULL || quote - line.p < TIME_LENGTH || memmem(line.p, line.n, "\"rjwt/", 6) == NULL)
		return LINE_FOREIGN;
	rest = (struct view){ quote, line.n - (size_t)(quote - line.p) };
	if (!take_quoted(&rest, &text))
		return LINE_FOREIGN;
	blank = take_word(&rest);
	status = take_word(&rest);
	(void)take_word(&rest);
	if (blank.n != 0 || !take_quoted(&rest, &text) || take_word(&rest).n != 0 || !take_quoted(&rest, &text) ||
	    text.n < 5 || memcmp(text.p, "rjwt/", 5) != 0)
		return LINE_FOREIGN;
	kind = view_is(status, "200") || view_is(status, "304") ? LINE_POLL : LINE_REFUSED;
	return read_time(quote - TIME_LENGTH, &poll->at_s) && read_agent(text, fleet, poll) ? kind : LINE_WRONG;
}

/* --- the hosts ---------------------------------------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct fleet_host *)a)->name, ((const struct fleet_host *)b)->name);
}

static struct fleet_host *
add_host(struct fleet_log *log, const char *name)
{
	struct fleet_host *host = calloc(1, sizeof(*host));

	if (host != NULL && (host->name = strdup(name)) != NULL && tsearch(host, &log->hosts, by_name) != NULL) {
		log->nhosts++;
		return host;
	}
	log->failed = true;
	if (host != NULL)
		free(host->name);
	free(host);
	return NULL;
}

static struct fleet_host *
find_host(struct fleet_log *log, struct view word)
{
	char name[RJWT_NAME_MAX + 1];
	const struct fleet_host key = { .name = name };
	struct fleet_host **found;

	snprintf(name, sizeof(name), "%.*s", (int)word.n, word.p);
	found = tfind(&key, &log->hosts, by_name);
	if (found != NULL)
		return *found;
	if (log->nhosts < FLEET_LOG_HOSTS_MAX)
		return add_host(log, name);
	log->left_out++;
	return NULL;
}

/* An issuer does not name itself. */
static bool
is_older(const struct fleet_log *log, const int64_t serial[], size_t issuer)
{
	return serial[issuer] >= 0 && serial[issuer] < log->fleet->issuers[issuer].serial;
}

/* Lines are nearly in the order of their times; files need not be. */
static void
note_poll(const struct fleet_log *log, struct fleet_host *host, const struct poll *poll)
{
	for (size_t i = 0; i < log->fleet->n; i++) {
		if (is_older(log, poll->serial, i) && poll->at_s > host->old_s[i])
			host->old_s[i] = poll->at_s;
		if (poll->serial[i] >= log->fleet->issuers[i].serial &&
		    (host->new_s[i] == 0 || poll->at_s < host->new_s[i]))
			host->new_s[i] = poll->at_s;
	}
	if (poll->at_s < host->polled_s)
		return;
	host->polled_s = poll->at_s;
	host->roster = poll->roster;
	memcpy(host->serial, poll->serial, sizeof(host->serial));
}

void
fleet_log_line(struct fleet_log *log, struct view line)
{
	struct poll poll = { 0 };
	struct fleet_host *host;

	switch (read_line(line, log->fleet, &poll)) {
	case LINE_FOREIGN:
		return;
	case LINE_WRONG:
		log->skipped++;
		return;
	case LINE_REFUSED:
		log->refused++;
		return;
	case LINE_POLL:
		host = find_host(log, poll.host);
		if (host != NULL)
			note_poll(log, host, &poll);
	}
}

struct walk {
	void (*each)(const struct fleet_host *host, void *context);
	void *context;
};

static void
visit(const void *node, VISIT which, void *closure)
{
	const struct walk *walk = closure;

	if (which == postorder || which == leaf) /* tsearch's words for: between the two sides */
		walk->each(*(struct fleet_host *const *)node, walk->context);
}

void
fleet_log_each(const struct fleet_log *log, void (*each)(const struct fleet_host *host, void *context), void *context)
{
	struct walk walk = { each, context };

	twalk_r(log->hosts, visit, &walk);
}

static void
free_host(void *node)
{
	struct fleet_host *host = node;

	free(host->name);
	free(host);
}

void
fleet_log_clear(struct fleet_log *log)
{
	tdestroy(log->hosts, free_host);
	*log = (struct fleet_log){ 0 };
}

/* --- what they say ------------------------------------------------------------------------------ */

/* The number of a roster is the second in which it was made, unless two were made in one. */
enum host_state
fleet_host_state(const struct fleet_log *log, const struct fleet_host *host)
{
	bool older = host->roster < log->fleet->roster;
	bool late = older && host->polled_s > log->fleet->roster + FLEET_LATE_S;

	for (size_t i = 0; i < log->fleet->n; i++) {
		const struct rjwt_followed *f = &log->fleet->issuers[i];

		older = older || is_older(log, host->serial, i);
		late = late || (is_older(log, host->serial, i) && host->polled_s > f->issued_s + FLEET_LATE_S);
	}
	if (log->now_s > host->polled_s + FLEET_SILENT_S)
		return HOST_SILENT;
	if (late)
		return HOST_BEHIND;
	return older ? HOST_COMING : HOST_GOOD;
}

/* It fetched when it asked without it for the last time; or by another mirror, at the latest when it asked with it. */
int64_t
fleet_host_delay(const struct fleet_log *log, const struct fleet_host *host, size_t issuer)
{
	const struct rjwt_followed *f = &log->fleet->issuers[issuer];
	int64_t old_s = host->old_s[issuer], new_s = host->new_s[issuer];

	if (f->serial == 0 || host->serial[issuer] < f->serial || old_s == 0)
		return -1;
	if (old_s >= f->issued_s)
		return old_s - f->issued_s;
	return new_s > f->issued_s ? new_s - f->issued_s : 0;
}
