/* SPDX-License-Identifier: MIT */
#include "fleet_days.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REAL 200    /* hosts with a directory of their own */
#define LEEWAY_S 30 /* the default */
#define LATE_S 900  /* who has heard nothing for so long has a copy */
#define MAX_AGE_S (7 * DAY_S)

/* A copy of `all`, as hosts have it that heard nothing after a publication. */
struct copy {
	struct machine machine;
	double until; /* its last token is used */
	struct copy *next;
};

/* A token that was minted and is not used yet. */
struct waiting {
	const struct token *token;
	char *text;
	int64_t iat_s;
	bool renewed; /* by the keyset that i1 has after --compromised */
};

struct revocation {
	uint32_t user;
	int64_t clock_s; /* the issuer's */
	size_t state;	 /* the publication that has it */
};

static struct machine all, real[REAL];
static struct copy *copies;
static struct waiting *queue;
static size_t nqueue;
static size_t joined;		  /* what had been published then */
static const struct token **late; /* tokens whose hosts have copies, by the time at which these heard something last */
static size_t nlate, next_late;
static struct revocation revoked[20 * DAYS];
static size_t nrevoked;
static double prune_at;

/* --- judging ------------------------------------------------------------------------------------ */

static enum rjwt_err
verify(struct machine *m, const struct waiting *w, int flags)
{
	struct rjwt_attempt attempt = { .token = w->text, .len = strlen(w->text), .service = "sshd", .flags = flags };
	struct rjwt_verdict verdict;
	struct rjwt *h = opened(m);
	char user[16];
	enum rjwt_err err;

	snprintf(user, sizeof(user), "u%u", w->token->user);
	attempt.user = user;
	err = rjwt_verify(h, &attempt, &verdict, &diag);
	rjwt_verdict_clear(&verdict);
	return err;
}

static void
follow_at(struct machine *m, size_t state, double at)
{
	double kept = now_s;

	now_s = at;
	follow(m, state);
	now_s = kept;
}

/*
 * A new base, whose used tokens a host remembers since it came: those with a directory of their own poll then, too, and one
 * that is away just then is left out from now on.
 */
static void
all_poll(size_t state)
{
	for (uint32_t h = 0; h < REAL; h++) {
		double at = days_heard(h, out[state].at + 120);

		if (real[h].state > state)
			continue;
		if (at >= out[state].at)
			follow_at(&real[h], state, at);
		else
			real[h].state = SIZE_MAX;
	}
}

/* A one-time token of the new base, minted before its host began to remember what was used of it. */
static bool
is_too_early(const struct waiting *w, enum rjwt_err err, int within_s)
{
	return err == RJWT_SPENT && w->token->issuer == 0 && w->renewed && renewed_in != SIZE_MAX &&
	       w->token->minted < out[renewed_in].at + within_s;
}

/* By the host's own directory, where it has one; its clock is the other's for as long. */
static void
compare(const struct waiting *w, size_t state, enum rjwt_err wanted)
{
	struct machine *m = &real[w->token->host];
	enum rjwt_err err;

	if (m->state < state)
		follow_at(m, state, w->token->heard);
	if (m->state != state)
		return;
	seen.compared++;
	err = verify(m, w, 0);
	if (err != wanted && !is_too_early(w, err, 180)) { /* it may have heard two minutes later: all_poll() */
		seen.differ++;
		printf("# day %.4f, host %u: %s, and the others that heard this: %s\n", now_s / DAY_S, w->token->host,
		    rjwt_reason(err), rjwt_reason(wanted));
	}
	if (err == RJWT_OK && !w->token->reusable && verify(m, w, 0) != RJWT_SPENT)
		seen.twice++;
}

/* What was revoked in the state: must not open, or may or may not. */
static void
look_up(const struct waiting *w, size_t state, bool *dead, bool *either)
{
	*dead = w->token->issuer == 0 && !w->renewed && state >= dropped_in;
	*either = *dead;
	for (size_t i = 0; i < nrevoked; i++) {
		const struct revocation *r = &revoked[i];

		if (r->user != w->token->user || r->state > state)
			continue;
		*dead = *dead || w->iat_s <= r->clock_s;
		*either = *either || w->iat_s <= r->clock_s + LEEWAY_S + 1;
	}
}

static void
judge(struct machine *m, const struct waiting *w, size_t state)
{
	const struct token *t = w->token;
	double kept = now_s;
	bool dead, either;
	enum rjwt_err err;

	now_s = t->used;
	m->offset = days_offset(1000 + t->host);
	look_up(w, state, &dead, &either);
	err = verify(m, w, RJWT_DRY_RUN);
	seen.judged[t->where]++;
	if (err == RJWT_OK)
		seen.accepted++;
	if (err == RJWT_OK && dead)
		seen.opened++;
	else if (err != RJWT_OK && dead)
		seen.right++;
	else if (err != RJWT_OK && either)
		seen.either++;
	else if (err != RJWT_OK && ((t->issuer == 0 && w->renewed && state < renewed_in) || is_too_early(w, err, 120)))
		seen.lost[t->where]++;
	else if (err == RJWT_STALE && t->used - out[state].at > MAX_AGE_S - 1200)
		seen.stale++;
	else if (err != RJWT_OK && seen.refused[t->where]++ < 5)
		printf("# day %.4f, host %u, %.0f s after it heard, issuer %u: %s\n", now_s / DAY_S, t->host,
		    t->used - t->heard, t->issuer, rjwt_reason(err));
	if (t->host < REAL)
		compare(w, state, err);
	now_s = kept;
}

/* What a host has that heard last then: at least what was published when it joined. */
static size_t
state_at(double at)
{
	size_t low = joined, high = nout;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (out[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static struct copy *
copy_of(size_t state)
{
	for (struct copy *c = copies; c != NULL; c = c->next)
		if (c->machine.state == state)
			return c;
	return NULL;
}

/* All whose token is used now, in the order in which they were minted, which need not be that of use. */
static void
judge_waiting(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < nqueue; i++) {
		struct waiting *w = &queue[i];
		size_t state = w->token->used > now_s ? SIZE_MAX : state_at(w->token->heard);
		struct copy *copy = state < all.state ? copy_of(state) : NULL;

		if (state == SIZE_MAX || state > all.state) {
			queue[kept++] = *w;
			continue;
		}
		if (state < all.state && copy == NULL)
			abort();
		judge(copy == NULL ? &all : &copy->machine, w, state);
		free(w->text);
	}
	nqueue = kept;
}

/* Before `all` takes what is new: what hosts have that will hear nothing for long. */
static void
keep_copy(void)
{
	double until = 0;
	struct copy *c;

	for (; next_late < nlate && late[next_late]->heard < out[all.state + 1].at; next_late++)
		until = fmax(until, late[next_late]->used);
	if (until == 0)
		return;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		abort();
	c->machine = all;
	c->machine.open = NULL;
	c->until = until;
	snprintf(c->machine.dir, sizeof(c->machine.dir), "%s/copy%zu", top, all.state);
	shell("cp -a", all.dir, c->machine.dir);
	c->next = copies;
	copies = c;
	seen.copies++;
}

static void
drop_copies(void)
{
	for (struct copy **c = &copies; *c != NULL;) {
		struct copy *old = *c;

		if (old->until >= now_s) {
			c = &old->next;
			continue;
		}
		*c = old->next;
		rjwt_close(old->machine.open);
		shell("rm -rf", old->machine.dir, "");
		free(old);
	}
}

void
hosts_live(void)
{
	while (all.state + 1 < nout && now_s >= out[all.state + 1].at + LATE_S) {
		double kept = now_s;

		judge_waiting();
		keep_copy();
		now_s = out[all.state + 1].at;
		all.offset = 0;
		follow(&all, all.state + 1);
		if (all.state == renewed_in)
			all_poll(all.state);
		if (now_s >= prune_at) {
			must(rjwt_maintain(opened(&all), 0, &(struct rjwt_change){ 0 }, &diag), "clean up");
			prune_at = now_s + 3600;
		}
		now_s = kept;
		drop_copies();
	}
}

static int
later_heard(const void *a, const void *b)
{
	double x = (*(const struct token *const *)a)->heard, y = (*(const struct token *const *)b)->heard;

	return (x > y) - (x < y);
}

void
hosts_expect(const struct token *tokens, size_t count)
{
	late = calloc(count, sizeof(const struct token *));
	queue = calloc(count, sizeof(*queue));
	if (late == NULL || queue == NULL)
		abort();
	for (size_t i = 0; i < count; i++)
		if (tokens[i].used - tokens[i].heard > LATE_S)
			late[nlate++] = &tokens[i];
	qsort(late, nlate, sizeof(const struct token *), later_heard);
}

void
hosts_join(const char *url, const char *key)
{
	machine_is(&all, "host", 900);
	for (unsigned h = 0; h <= REAL; h++) {
		struct machine *m = h == REAL ? &all : &real[h];
		struct rjwt_options o;

		if (h < REAL)
			machine_is(m, "host", 1000 + h);
		o = as(m);
		must(rjwt_join(&o, url, key, &(struct rjwt_fleet){ 0 }, &diag), "join");
		now_s += 1;
		joined = nout - 1;
		follow(m, joined);
	}
}

void
hosts_wait(const struct token *token, const struct rjwt_token *made, bool renewed)
{
	queue[nqueue++] = (struct waiting){ token, strdup(made->text), made->iat_s, renewed };
}

void
hosts_revoked(uint32_t user, int64_t clock_s)
{
	revoked[nrevoked++] = (struct revocation){ user, clock_s, nout - 1 };
	seen.revoked++;
}

bool
hosts_lately(uint32_t user)
{
	for (size_t i = 0; i < nrevoked; i++)
		if (revoked[i].user == user && clock_of(&all) < revoked[i].clock_s + 2 * LEEWAY_S)
			return true;
	return false;
}

size_t
hosts_end(void)
{
	hosts_live();
	judge_waiting();
	rjwt_close(all.open);
	for (unsigned h = 0; h < REAL; h++)
		rjwt_close(real[h].open);
	free(late);
	return nqueue;
}
