/* SPDX-License-Identifier: MIT */
/*
 * model [STEPS [SEED]] - random histories of one keyset, by a made-up clock, against an oracle of the rules.
 *
 * What happens: minting, verifying by a handle that stays open and by new ones, time, daemon and cron,
 * rotations, every revocation, compromise, adoption, clock steps, boots, other configurations, writers that
 * are killed at any call, and a thief who keeps a copy of every private key.
 *
 * The oracle knows what was promised (oracle.h). TAP on stdout; the seed of a failure makes it come again.
 */
#include "oracle.h"
#include "jose/alg.h"
#include "jose/jws.h"
#include "jose/key.h"

#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- killing writers -------------------------------------------------------------------------- */

static unsigned long die_at; /* 0: never */

static void
maybe_die(void)
{
	if (die_at > 0 && --die_at == 0)
		_exit(9);
}

#define WRAP(type, name, parameters, arguments) \
	type __real_##name parameters;          \
	type __wrap_##name parameters;          \
	type __wrap_##name parameters           \
	{                                       \
		maybe_die();                    \
		return __real_##name arguments; \
	}

WRAP(int, fsync, (int fd), (fd))
WRAP(int, renameat, (int from, const char *old, int to, const char *new), (from, old, to, new))
WRAP(int, unlinkat, (int dir, const char *name, int flags), (dir, name, flags))
WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(int, mkdirat, (int dir, const char *name, mode_t mode), (dir, name, mode))

/* --- what happens ----------------------------------------------------------------------------- */

static const char *const users[] = { "alice", "bob" };

static void
forget_token(size_t i)
{
	free(m.tokens[i].text);
	m.tokens[i] = m.tokens[--m.ntokens];
}

static void
do_mint(void)
{
	const int64_t lifetime_s = (int64_t)(1 + dice(MAX_LIFETIME));
	struct rjwt_request request = { .user = users[dice(2)], .lifetime_s = &lifetime_s, .reusable = dice(4) != 0 };
	struct rjwt_token made;
	struct token *t;
	enum rjwt_err err = rjwt_mint(m.f->h, &request, &made, &m.f->diag);

	if (err != RJWT_OK)
		broken("minting: %s: %s", rjwt_reason(err), m.f->diag.text);
	look_at_keyset(false);
	take_note();
	if (m.ntokens == TOKENS)
		forget_token((size_t)dice(TOKENS));
	t = &m.tokens[m.ntokens++];
	*t = (struct token){ .text = strdup(made.text),
		.version = m.keyset.active.version,
		.iat_s = made.iat_s,
		.exp_s = made.exp_s,
		.once = made.once };
	snprintf(t->user, sizeof(t->user), "%s", request.user);
	snprintf(t->jti, sizeof(t->jti), "%s", made.jti);
	snprintf(t->base, sizeof(t->base), "%.15s", m.keyset.base);
	m.minted++;
	if (m.limit > 0 && m.most_limit > 0 && m.minted > m.most_limit)
		broken("%lld tokens of one key, the limit was %lld", (long long)m.minted, (long long)m.most_limit);
	rjwt_token_clear(&made);
}

static enum rjwt_err
verify_as(struct rjwt *h, const struct token *t, int flags)
{
	struct rjwt_attempt attempt = { .token = t->text,
		.len = strlen(t->text),
		.user = t->user,
		.service = "sshd",
		.flags = flags };
	struct rjwt_verdict verdict;
	enum rjwt_err err = rjwt_verify(h, &attempt, &verdict, &m.f->diag);

	rjwt_verdict_clear(&verdict);
	return err;
}

static void
do_verify(void)
{
	struct rjwt_options options = fixture_options(m.f);
	int flags = dice(3) == 0 ? 0 : RJWT_DRY_RUN;
	struct rjwt *fresh = NULL;
	struct token *t;
	enum rjwt_err err;

	if (m.ntokens == 0)
		return;
	t = &m.tokens[dice(m.ntokens)];
	if (dice(4) == 0 && rjwt_open(&options, &fresh, &m.f->diag) != RJWT_OK)
		broken("a new handle: %s", m.f->diag.text);
	err = verify_as(fresh == NULL ? m.f->h : fresh, t, flags);
	rjwt_close(fresh);
	if (err != RJWT_OK && !rjwt_is_verdict(err))
		broken("no verdict: %s: %s", rjwt_reason(err), m.f->diag.text);
	if (err == RJWT_OK && t->promise == NEVER)
		broken("a token of %s.%lld opens, and was revoked or spent", t->base, (long long)t->version);
	if (err == RJWT_OK && (clock_time.wall_s >= t->exp_s + LEEWAY || clock_time.wall_s < t->iat_s - LEEWAY))
		broken("a token opens out of its time");
	if (err != RJWT_OK && t->promise == OPENS && clock_time.wall_s >= t->iat_s && clock_time.wall_s < t->exp_s)
		broken("a token of %s.%lld is refused: %s", t->base, (long long)t->version, rjwt_reason(err));
	if (err == RJWT_OK && t->once && flags == 0)
		t->promise = NEVER;
}

static void
do_forge(void)
{
	size_t slot = (size_t)dice(3);
	RJWT_CLEAN(key_clean) struct key *key = NULL;
	RJWT_CLEAN(buf_clear) struct buf header = { 0 };
	RJWT_CLEAN(buf_clear) struct buf claims = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct signer *signer;
	struct token t = { .user = "alice" };
	const char *why;
	int64_t now_s = clock_time.wall_s;

	/* Before a retirement is a leeway old, and while nobody has seen the clock go back, it may open. */
	if (m.stolen_version[slot] == 0 || m.stolen_retired_s[slot] == 0 || !m.settled_back ||
	    now_s <= m.stolen_retired_s[slot] + LEEWAY)
		return;
	if (key_private_parse(alg_by_label(VIEW("ES256")), buf_view(&m.stolen[slot]), &key, &why) != RJWT_OK ||
	    signer_of_key(RJWT_STEAL(key), &signer) != RJWT_OK)
		broken("a stolen key cannot be read");
	buf_addf(&header, "{\"alg\":\"ES256\",\"kid\":\"%s.%lld\",\"typ\":\"login+jwt\"}", m.stolen_base[slot],
	    (long long)m.stolen_version[slot]);
	buf_addf(&claims,
	    "{\"iss\":\"iss.example\",\"sub\":\"alice\",\"aud\":\"host.example\",\"iat\":%lld,"
	    "\"exp\":%lld,\"jti\":\"forged\",\"scope\":\"ssh\"}",
	    (long long)now_s, (long long)now_s + 60);
	if (jws_sign(signer, buf_view(&header), buf_view(&claims), &text) != RJWT_OK)
		broken("signing failed");
	signer_clean(&signer);
	t.text = text.p;
	if (verify_as(m.f->h, &t, RJWT_DRY_RUN) == RJWT_OK)
		broken("key %lld retired %lld s ago, and what a thief signs with it opens",
		    (long long)m.stolen_version[slot], (long long)(now_s - m.stolen_retired_s[slot]));
}

/* A writer, with what it promises. */
enum writer { TICK, ROTATE, REVOKE_JTI, REVOKE_USER, REVOKE_KEY, REVOKE_ALL, COMPROMISED, ADOPT, WRITERS };

struct job {
	enum writer kind;
	char jti[23], kid[RJWT_ID_SIZE];
	const char *user[2];
	int64_t version;
};

static enum rjwt_err
work(const struct job *job, struct rjwt_change *change)
{
	const struct rjwt_revocation revocations[WRITERS] = { [REVOKE_JTI] = { .jti = job->jti },
		[REVOKE_USER] = { .users = job->user },
		[REVOKE_KEY] = { .kid = job->kid },
		[REVOKE_ALL] = { .all = true } };
	struct rjwt_options options = fixture_options(m.f);

	switch (job->kind) {
	case TICK:
		return rjwt_maintain(m.f->h, 0, change, &m.f->diag);
	case ROTATE:
		return rjwt_rotate(m.f->h, 0, change, &m.f->diag);
	case COMPROMISED:
		return rjwt_rotate(m.f->h, RJWT_COMPROMISED, change, &m.f->diag);
	case ADOPT:
		return rjwt_init(&options, RJWT_ADOPT, change, &m.f->diag);
	default:
		return rjwt_revoke(m.f->h, &revocations[job->kind], 0, change, &m.f->diag);
	}
}

static void
promise(const struct job *job, bool done)
{
	switch (job->kind) {
	case REVOKE_JTI:
		revoke_where(covers_jti, job->jti, 0, done);
		return;
	case REVOKE_USER:
		revoke_where(covers_user, job->user[0], 0, done);
		return;
	case REVOKE_KEY:
		revoke_where(covers_key, m.keyset.base, job->version, done);
		return;
	case REVOKE_ALL:
	case COMPROMISED:
	case ADOPT:
		revoke_where(covers_all, NULL, 0, done);
		return;
	default:
		return;
	}
}

static struct job
choose(void)
{
	static const unsigned char weights[WRITERS] = { 60, 20, 6, 6, 4, 2, 1, 1 };
	struct job job = { .kind = TICK, .user = { users[dice(2)], NULL } };
	uint64_t n = dice(100);

	while (n >= weights[job.kind])
		n -= weights[job.kind++];
	if (job.kind == REVOKE_JTI && m.ntokens == 0)
		job.kind = TICK;
	if (job.kind == REVOKE_JTI)
		memcpy(job.jti, m.tokens[dice(m.ntokens)].jti, sizeof(job.jti));
	job.version = m.keyset.floor + (int64_t)dice((uint64_t)(m.keyset.next.version - m.keyset.floor + 1));
	snprintf(job.kid, sizeof(job.kid), "%s.%lld", m.keyset.base, (long long)job.version);
	return job;
}

static void
do_write(void)
{
	struct job job = choose();
	struct rjwt_change change, again;
	int64_t active = m.keyset.active.version;
	enum rjwt_err err = work(&job, &change);

	if (err == RJWT_KEY_UNKNOWN && job.kind == REVOKE_KEY)
		return; /* the floor rose meanwhile: it does not here, but by a killed writer it may */
	if (err != RJWT_OK)
		broken("writer %d: %s: %s", (int)job.kind, rjwt_reason(err), m.f->diag.text);
	if (change.warning[0] != '\0' && strstr(change.warning, "clean-up") != NULL)
		broken("writer %d: %s", (int)job.kind, change.warning);
	promise(&job, true);
	look_at_keyset(job.kind == ADOPT || job.kind == COMPROMISED);
	look_at_private();
	take_note();
	/* Cron, at the same moment as the daemon: one rotation, not two. */
	if (job.kind == TICK) {
		if (rjwt_maintain(m.f->h, 0, &again, &m.f->diag) != RJWT_OK || again.rotated)
			broken("a second rotation at the same moment, from %lld", (long long)active);
		look_at_keyset(false);
	}
}

/* The same, in a process that is killed on the way, or comes to its end. */
static void
do_killed_write(void)
{
	struct job job = choose();
	struct rjwt_change change;
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		broken("no process");
	if (pid == 0) {
		die_at = 1 + (unsigned long)dice(60);
		_exit(work(&job, &change) == RJWT_OK ? 0 : 1);
	}
	if (waitpid(pid, &status, 0) != pid)
		broken("no child");
	(void)dice(60);
	promise(&job, WIFEXITED(status) && WEXITSTATUS(status) == 0);
	/* An adoption that was killed has used up versions: the directory says so until it is done again. */
	if (job.kind == ADOPT && work(&job, &change) != RJWT_OK)
		broken("adopting again: %s", m.f->diag.text);
	if (job.kind == ADOPT)
		promise(&job, true);
	look_at_keyset(job.kind == ADOPT || job.kind == COMPROMISED);
}

static void
do_time(void)
{
	clock_run((int64_t)(dice(20) == 0 ? dice(100000) : dice(900)));
}

/*
 * The wall clock is set. Whoever minted in what is the future by now was promised too much; and what had
 * expired already need not open a second time.
 */
static void
do_step(void)
{
	static const int64_t steps[] = { -1, -3600, -30 * 86400, 3600, 30 * 86400 };
	int64_t by_s = steps[dice(5)];

	if (clock_time.wall_s + by_s < T0 / 2)
		return;
	if (dice(6) == 0)
		clock_boot(by_s);
	else
		clock_step(by_s);
	if (by_s > 0)
		return;
	m.settled_back = false;
	for (size_t i = 0; i < m.ntokens; i++)
		if (m.tokens[i].iat_s > clock_time.wall_s || m.tokens[i].exp_s <= clock_time.wall_s - by_s)
			m.tokens[i].promise = worse(m.tokens[i].promise, MAY_OPEN);
	for (size_t i = 0; i < 3; i++)
		if (m.stolen_retired_s[i] > clock_time.wall_s)
			m.stolen_retired_s[i] = clock_time.wall_s;
}

static void
do_configure(void)
{
	static const int64_t every[] = { 0, 3600, 86400 }, limits[] = { 0, 0, 3, 10 };
	char yaml[200];

	m.limit = limits[dice(4)];
	m.most_limit = m.limit == 0 || m.most_limit == 0 ? 0 : m.limit > m.most_limit ? m.limit : m.most_limit;
	snprintf(yaml, sizeof(yaml),
	    "issuer: iss.example\naudience: host.example\nrotate_every: %llds\n"
	    "max_tokens_per_key: %lld\nprevious_key_ttl: %llds\n",
	    (long long)every[dice(3)], (long long)m.limit,
	    (long long)(MAX_LIFETIME + 2 * LEEWAY + (int64_t)dice(3) * 40000));
	fixture_config(m.f, yaml);
}

static const struct {
	const char *name;
	unsigned weight;
	void (*what)(void);
} deeds[] = { { "verify", 440, do_verify }, { "mint", 200, do_mint }, { "time", 170, do_time },
	{ "write", 80, do_write }, { "forge", 60, do_forge }, { "killed", 30, do_killed_write },
	{ "step", 10, do_step }, { "configure", 10, do_configure } };

#define DEEDS (ARRAY_LEN(deeds))

static void
run(unsigned long steps)
{
	for (m.step = 1; m.step <= steps; m.step++) {
		uint64_t n = dice(1000);
		size_t i = 0;

		while (n >= deeds[i].weight)
			n -= deeds[i++].weight;
		m.counts[i]++;
		deeds[i].what();
		steal();
	}
}

static void
say(void)
{
	printf("ok 1 - model: %lu steps, seed %lu:", m.step - 1, m.seed);
	for (size_t i = 0; i < DEEDS; i++)
		printf(" %s %lu%s", deeds[i].name, m.counts[i], i + 1 < DEEDS ? "," : "");
	printf("; %lld keys\n", (long long)m.keyset.next.version);
}

int
main(int argc, char **argv)
{
	unsigned long steps = argc > 1 ? strtoul(argv[1], NULL, 10) : 50000;

	m.seed = argc > 2 ? strtoul(argv[2], NULL, 10) : (unsigned long)time(NULL) ^ ((unsigned long)getpid() << 20);
	m.random = m.seed * 0x9e3779b97f4a7c15 + 1;
	printf("1..1\n# seed %lu\n", m.seed);
	fflush(stdout);
	m.f = fixture_new("issuer: iss.example\naudience: host.example\n");
	m.settled_back = true;
	m.keyset = keyset_get(m.f);
	steal();
	run(steps);
	say();
	fixture_free(m.f);
	return 0;
}
