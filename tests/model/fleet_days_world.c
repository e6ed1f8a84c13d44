/* SPDX-License-Identifier: MIT */
#include "fleet_days.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define POLL_S 45     /* 30 to 60 */
#define FAILS 0.02    /* of a poll */
#define LONG_HOSTS 50 /* are away for two to six days for certain */
#define REVOCATIONS (20 * DAYS)

struct away {
	double from, until;
};
static struct {
	struct away *list; /* in order */
	size_t n;
} away[HOSTS];
static uint64_t state;

/* --- chance --------------------------------------------------------------------------------------- */

/* splitmix64 */
static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static double
part_of(uint64_t x)
{
	return (double)(mix(x) >> 11) / 9007199254740992.0;
}

double
days_random(void)
{
	return part_of(state++);
}

static double
between(double least, double most)
{
	return least + (most - least) * days_random();
}

double
days_offset(uint32_t machine)
{
	return 20 * part_of(UINT64_C(1) << 40 | machine) - 10;
}

/* --- who is away ---------------------------------------------------------------------------------- */

bool
days_outage(double at)
{
	return (at >= 8 * DAY_S && at < 8.25 * DAY_S) || (at >= 17 * DAY_S && at < 17 * DAY_S + 180);
}

static int
earlier(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
add_away(uint32_t host, double from, double length)
{
	away[host].list = reallocarray(away[host].list, away[host].n + 1, sizeof(struct away));
	if (away[host].list == NULL)
		abort();
	away[host].list[away[host].n++] = (struct away){ from, from + length };
	qsort(away[host].list, away[host].n, sizeof(struct away), earlier);
}

/* One host in a hundred a day, for 10 minutes to 5 days. */
static void
make_away(void)
{
	for (int i = 0; i < HOSTS * DAYS / 100; i++)
		add_away((uint32_t)(days_random() * HOSTS), between(0, DAYS * DAY_S),
		    exp(between(log(600), log(5 * DAY_S))));
	for (uint32_t host = 0; host < LONG_HOSTS; host++)
		add_away(host, between(5 * DAY_S, 20 * DAY_S), between(2 * DAY_S, 6 * DAY_S));
}

static const struct away *
is_away(uint32_t host, double at)
{
	for (size_t i = 0; i < away[host].n; i++)
		if (at >= away[host].list[i].from && at < away[host].list[i].until)
			return &away[host].list[i];
	return NULL;
}

/* --- polls ---------------------------------------------------------------------------------------- */

/* The time of the poll of number j that came through: itself, or when it is tried again after 5 to 10 s; else -1. */
static double
poll_of(uint32_t host, int64_t j)
{
	uint64_t x = (uint64_t)host << 32 | (uint64_t)j << 2;
	double at = POLL_S * ((double)j + (part_of(x) - 0.5) / 3);

	if (part_of(x | 1) >= FAILS)
		return at;
	return part_of(x | 2) >= FAILS ? at + 5 + 5 * part_of(x | 3) : -1;
}

double
days_heard(uint32_t host, double until)
{
	for (int64_t j = (int64_t)(until / POLL_S) + 1; j > 0; j--) {
		double at = poll_of(host, j);
		const struct away *gone;

		if (at < 0 || at > until || days_outage(at))
			continue;
		gone = is_away(host, at);
		if (gone == NULL)
			return at;
		if ((int64_t)(gone->from / POLL_S) + 2 < j)
			j = (int64_t)(gone->from / POLL_S) + 2;
	}
	return 0;
}

/* --- tokens --------------------------------------------------------------------------------------- */

/* One of the times at which a host is away, the long ones more often. */
static bool
while_away(struct token *t)
{
	const struct away *gone;

	t->host = (uint32_t)(days_random() * HOSTS);
	if (away[t->host].n == 0)
		return false;
	gone = &away[t->host].list[(size_t)(days_random() * (double)away[t->host].n)];
	if (between(0, 6 * DAY_S) > gone->until - gone->from)
		return false;
	t->minted = between(gone->from, gone->until);
	return t->minted > DAY_S && t->minted < DAYS * DAY_S - 600;
}

struct token *
days_tokens(size_t count, uint64_t seed)
{
	struct token *tokens = calloc(count, sizeof(*tokens));

	if (tokens == NULL)
		abort();
	state = mix(seed);
	make_away();
	for (size_t i = 0; i < count; i++) {
		struct token *t = &tokens[i];

		t->minted = between(DAY_S / 2, DAYS * DAY_S - 600);
		t->host = (uint32_t)(days_random() * HOSTS);
		while (i % 100 < 3 && !while_away(t))
			;
		t->used = t->minted + 5 + fmin(295, -60 * log(1 - days_random()));
		t->user = (uint32_t)(days_random() * USERS);
		t->issuer = (uint8_t)(days_random() * ISSUERS);
		t->reusable = days_random() < 0.25;
		t->heard = days_heard(t->host, t->used);
		t->where = is_away(t->host, t->used) != NULL ? OFF : days_outage(t->used) ? OUTAGE : ONLINE;
	}
	qsort(tokens, count, sizeof(*tokens), earlier);
	return tokens;
}

/* Five a day at each issuer, and five at i1 in a row, as when somebody leaves every morning. */
struct days_revocation *
days_revocations(size_t *count)
{
	struct days_revocation *list = calloc(REVOCATIONS, sizeof(*list));
	size_t n = 0;

	if (list == NULL)
		abort();
	for (int day = 0; day < DAYS; day++)
		for (unsigned i = 0; i < 20; i++)
			list[n++] = i < 15 ? (struct days_revocation){ between(day * DAY_S + 60, (day + 1) * DAY_S),
				i % ISSUERS }
					   : (struct days_revocation){ (day + 0.375) * DAY_S + i, 0 };
	qsort(list, n, sizeof(*list), earlier);
	*count = n;
	return list;
}
