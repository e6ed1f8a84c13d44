/* SPDX-License-Identifier: MIT */
/*
 * fleet_days [TOKENS [SEED]] - 30 days of a fleet by made-up clocks: three issuers, 10,000 hosts, 1,500,000 tokens, 20 users a day
 * who are revoked, hosts off the network, all mirrors out for six hours, an issuer away for two days, one --compromised.
 *
 * The library does it all: mints, rotates when that is due, publishes, follows, judges. What a host has is what it heard last,
 * and all hosts hear the same lines, at times of their own: one state directory takes each publication, and is that of
 * all that have heard just that, and a token is judged there by the clock of its own host and time. What hosts had that
 * are away for long is a copy of it. The first 200 hosts have directories of their own, which follow only before a token
 * is used and pass over all that lies between: there the verdict must be the same, and one-time tokens are used, twice.
 */
#include "fleet_days.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DROP_S 300 /* until the admin has typed fleet add */
#define URL "http://i0.example/fleet.jws"

static size_t ntokens;
static struct token *tokens;
static bool compromised;
static double beat_at[ISSUERS], follow_at[ISSUERS];
static char key_file[120];

/* --- publishing, following ---------------------------------------------------------------------- */

static void
copy_file(const char *from, const char *to)
{
	char text[65536];
	FILE *in = fopen(from, "r"), *file = fopen(to, "w");
	size_t n = in == NULL || file == NULL ? 0 : fread(text, 1, sizeof(text), in);

	if (n == 0 || n == sizeof(text) || fwrite(text, 1, n, file) != n || fclose(file) != 0) {
		fprintf(stderr, "cannot copy %s\n", from);
		exit(2);
	}
	fclose(in);
}

/* What lies in its www now is out, if it is new and its own. The other issuers poll, too; every ten minutes what is not news. */
static void
collect(unsigned i, bool own, double later_s)
{
	static struct stat before[ISSUERS];
	char from[240], to[160];
	struct stat status;

	snprintf(from, sizeof(from), "%s/www/fleet.jws", issuers[i].dir);
	if (stat(from, &status) != 0 ||
	    (status.st_ino == before[i].st_ino && status.st_mtim.tv_sec == before[i].st_mtim.tv_sec))
		return;
	before[i] = status;
	if (!own)
		return;
	snprintf(to, sizeof(to), "%s/air/%zu.jws", top, nout);
	copy_file(from, to);
	if (nout > 0)
		memcpy(out[nout].last, out[nout - 1].last, sizeof(out[nout].last));
	out[nout].at = now_s + 0.4;
	out[nout].last[i] = nout;
	if (++nout == OUT)
		abort();
	for (unsigned k = 0; k < ISSUERS; k++)
		if (k != i && follow_at[k] > now_s + later_s)
			follow_at[k] = now_s + later_s;
}

/* What rjwt-keyd run does when something is due. */
static void
beat(unsigned i)
{
	struct rjwt_change change;

	must(rjwt_maintain(opened(&issuers[i]), 0, &change, &diag), "maintain");
	beat_at[i] = fmax(now_s + 1, (double)(change.next_event_s - START) - issuers[i].offset);
	collect(i, true, 600);
}

static void
add_issuer(unsigned i, unsigned by)
{
	struct rjwt_options o = as(&issuers[i]);
	struct rjwt_roster change = { .key_file = key_file };
	struct rjwt_fleet fleet;
	char url[64], *entry, *lines;

	snprintf(url, sizeof(url), "http://i%u.example/fleet.jws", i);
	must(rjwt_fleet_request(&o, url, issuers[i].name, &entry, &diag), "request");
	change.add = entry;
	o = as(&issuers[by]);
	must(rjwt_fleet_roster(&o, &change, &lines, &fleet, nothing, NULL, &diag), "fleet add");
	rjwt_free(entry);
	rjwt_free(lines);
	collect(by, true, 45);
}

static void
issuer_follows(unsigned i)
{
	follow_at[i] = INFINITY;
	follow(&issuers[i], nout - 1);
	collect(i, false, 0); /* the lines of others, that theirs have, too */
	beat(i);
	if (i == 0 && dropped_in != SIZE_MAX && renewed_in == SIZE_MAX && out[nout - 1].last[0] > dropped_in)
		renewed_in = out[nout - 1].last[0];
}

static void
revoke_user(const struct days_revocation *r, uint32_t user)
{
	char name[16];
	const char *const users[] = { name, NULL };
	const struct rjwt_revocation what = { .users = users };
	struct rjwt_change change;

	snprintf(name, sizeof(name), "u%u", user);
	must(rjwt_revoke(opened(&issuers[r->issuer]), &what, 0, &change, &diag), "revoke --sub");
	collect(r->issuer, true, 45);
	hosts_revoked(user, clock_of(&issuers[r->issuer]));
}

static void
compromise(void)
{
	struct rjwt_change change;

	must(rjwt_rotate(opened(&issuers[0]), RJWT_COMPROMISED, &change, &diag), "rotate --compromised");
	collect(0, true, 45); /* the last line of the old base: none of its tokens verifies any more */
	dropped_in = nout - 1;
	compromised = true;
}

/* --- the days ------------------------------------------------------------------------------------ */

static void
mint(const struct token *t)
{
	static const char *const audience[] = { "host", NULL };
	char user[16];
	const struct rjwt_request request = { .user = user, .audience = audience, .reusable = t->reusable };
	struct rjwt_token made;
	enum rjwt_err err;

	if (t->issuer == AWAY_ISSUER && now_s >= AWAY_FROM && now_s < AWAY_UNTIL)
		return;
	snprintf(user, sizeof(user), "u%u", t->user);
	err = rjwt_mint(opened(&issuers[t->issuer]), &request, &made, &diag);
	if (err != RJWT_OK) { /* who was just revoked gets none for 30 s */
		if (!hosts_lately(t->user))
			must(err, "mint");
		seen.not_minted++;
		return;
	}
	seen.minted++;
	hosts_wait(t, &made, t->issuer == 0 && compromised);
	rjwt_token_clear(&made);
	collect(t->issuer, true, 45);
}

/* All that issuers do until then, in order. */
static void
issuers_live(double until, uint32_t last_user)
{
	static struct days_revocation *list;
	static size_t nlist, next;
	static int steps;

	if (list == NULL)
		list = days_revocations(&nlist);
	for (;;) {
		double step_at = steps == 0 ? COMPROMISED : steps == 1 ? COMPROMISED + DROP_S : INFINITY;
		double revoke_at = next < nlist ? list[next].at : INFINITY, least = fmin(step_at, revoke_at);
		unsigned who = 0;

		for (unsigned i = 0; i < ISSUERS; i++) {
			if (i == AWAY_ISSUER && fmin(beat_at[i], follow_at[i]) >= AWAY_FROM &&
			    fmin(beat_at[i], follow_at[i]) < AWAY_UNTIL)
				beat_at[i] = follow_at[i] = AWAY_UNTIL;
			if (fmin(beat_at[i], follow_at[i]) < least) {
				least = fmin(beat_at[i], follow_at[i]);
				who = i;
			}
		}
		if (least > until)
			break;
		now_s = least;
		if (least == step_at && steps++ == 0) {
			compromise();
		} else if (least == step_at) {
			add_issuer(0, 2);
		} else if (least == revoke_at) {
			unsigned i = list[next].issuer;

			if (!(i == AWAY_ISSUER && least >= AWAY_FROM && least < AWAY_UNTIL))
				revoke_user(&list[next], last_user);
			next++;
		} else if (least == follow_at[who]) {
			issuer_follows(who);
		} else {
			beat(who);
		}
	}
	now_s = until;
}

static void
begin(void)
{
	struct rjwt_options o;
	struct rjwt_fleet fleet;

	for (unsigned i = 0; i < ISSUERS; i++) {
		machine_is(&issuers[i], "i", i);
		issuers[i].offset /= 2;
		follow_at[i] = INFINITY;
	}
	o = as(&issuers[0]);
	must(rjwt_fleet_init(&o, URL, key_file, &fleet, &diag), "fleet init");
	collect(0, true, 45);
	for (unsigned i = 1; i < ISSUERS; i++) {
		o = as(&issuers[i]);
		must(rjwt_init(&o, 0, &(struct rjwt_change){ 0 }, &diag), "init");
		must(rjwt_join(&o, URL, fleet.key, &(struct rjwt_fleet){ 0 }, &diag), "join");
		now_s += 5;
		add_issuer(i, 0);
	}
	for (unsigned i = 1; i < ISSUERS; i++) {
		now_s += 5;
		follow(&issuers[i], nout - 1);
		must(rjwt_publish(opened(&issuers[i]), &(struct rjwt_fleet){ 0 }, &diag), "publish");
		collect(i, true, 45);
	}
	hosts_join(URL, fleet.key);
}

/* How many tokens were not judged. */
static size_t
play(void)
{
	hosts_expect(tokens, ntokens);
	begin();
	for (size_t i = 0; i < ntokens; i++) {
		issuers_live(tokens[i].minted, i == 0 ? 0 : tokens[i - 1].user);
		mint(&tokens[i]);
		hosts_live();
	}
	issuers_live(DAYS * DAY_S + 1800, 0);
	return hosts_end();
}

static int
tell(uint64_t seed, size_t missed)
{
	static const char *const where[] = { "online", "off the network", "while no mirror is there" };

	printf("seed %" PRIu64
	       ": %d days, %d issuers, %d hosts, %zu tokens minted (%zu users had just been revoked), %zu users "
	       "revoked, %zu publications\n",
	    seed, DAYS, ISSUERS, HOSTS, seen.minted, seen.not_minted, seen.revoked, nout);
	for (int i = 0; i < 3; i++)
		printf("%-25s %8zu tokens used, %zu refused that the rules promise, %zu by what --compromised costs\n",
		    where[i], seen.judged[i], seen.refused[i], seen.lost[i]);
	printf("accepted %zu; refused as revoked %zu, within the leeway of a revocation %zu, stale %zu; revoked and "
	       "accepted: %zu\n",
	    seen.accepted, seen.right, seen.either, seen.stale, seen.opened);
	printf("%zu follows, %zu copies; 200 hosts with directories of their own: %zu verdicts compared, %zu differ, "
	       "%zu one-time "
	       "tokens used twice\n",
	    seen.follows, seen.copies, seen.compared, seen.differ, seen.twice);
	return missed + seen.refused[0] + seen.refused[1] + seen.refused[2] + seen.opened + seen.differ + seen.twice +
		       seen.lost[OUTAGE] >
		   0 ||
	       seen.right == 0 || seen.judged[OFF] == 0;
}

int
main(int argc, char **argv)
{
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	const char *memory = getenv("TMPDIR");
	char air[120];
	size_t missed;
	FILE *file;
	int status;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ntokens = argc > 1 ? strtoul(argv[1], NULL, 10) : 1500000;
	snprintf(top, sizeof(top), "%.60s/rjwt-days-XXXXXX", memory == NULL ? "/dev/shm" : memory);
	if (mkdtemp(top) == NULL || chmod(top, 0755) != 0) {
		perror(top);
		return 2;
	}
	snprintf(config, sizeof(config), "%s/rjwt.yaml", top);
	snprintf(key_file, sizeof(key_file), "%s/fleet.key", top);

	snprintf(air, sizeof(air), "%s/air", top);
	file = fopen(config, "w");
	if (file == NULL || fclose(file) != 0 || mkdir(air, 0755) != 0)
		return 2;
	tokens = days_tokens(ntokens, seed);
	missed = play();
	status = tell(seed, missed);
	shell("rm -rf", top, "");
	free(tokens);
	return status;
}
