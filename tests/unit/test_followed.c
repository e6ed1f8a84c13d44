/* SPDX-License-Identifier: MIT */
/* A login at a host of a fleet by a token of its issuer: what differs from a token of the host's own keyset. */
#include "fixture.h"
#include "base/file.h"
#include "base/file_write.h"
#include "fleet/fleet.h"

#include <stdio.h>

#define URL "http://i.example/fleet.jws"
#define LEEWAY 30

/* An issuer and a host that follows it, since T0. */
struct pair {
	struct fixture *issuer, *host;
	char key[64];		 /* the fleet's, as one joins with it */
	struct fixture followed; /* .state: the directory of the followed keyset, for keyset_get() and keyset_put() */
};

static void
say(void *context, bool wrong, const char *text)
{
	(void)context;
	if (wrong)
		fail_msg("%s", text);
}

static int
setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	struct rjwt_options o;
	struct rjwt_fleet fleet;
	char key_file[200], file[200];

	assert_non_null(p);
	p->issuer = fixture_new("");
	snprintf(key_file, sizeof(key_file), "%s/fleet.key", p->issuer->top);
	snprintf(file, sizeof(file), "%s/www/fleet.jws", p->issuer->state);
	o = fixture_options(p->issuer);
	want("init", rjwt_fleet_init(&o, URL, key_file, &fleet, &p->issuer->diag), RJWT_OK);
	snprintf(p->key, sizeof(p->key), "%s", fleet.key);
	p->host = fixture_bare("audience: host.example\n");
	o = fixture_options(p->host);
	want("join", rjwt_join(&o, URL, fleet.key, &fleet, &p->host->diag), RJWT_OK);
	want("follow", rjwt_follow(&o, (const char *const[]){ file, NULL }, say, NULL, &p->host->diag), RJWT_OK);
	want("open", fixture_reopen(p->host), RJWT_OK);
	snprintf(p->followed.state, sizeof(p->followed.state), "%.120s/fleet/B", p->host->state);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct pair *p = *state;

	fixture_free(p->issuer);
	fixture_free(p->host);
	free(p);
	return 0;
}

/* What a host calls the issuer. */
static const char *
name_of_issuer(const struct pair *p)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	static struct fleet fleet;

	want("dir", dir_open(p->host->state, &dir, NULL), RJWT_OK);
	want("read", fleet_read(&dir, &fleet, NULL, NULL), RJWT_OK);
	return fleet.roster.issuers[0].name;
}

static void
said(const struct rjwt_check *check, const char *name, const char *expected, const char *found)
{
	if (strcmp(check->name, name) != 0 || strcmp(check->expected, expected) != 0 ||
	    strcmp(check->found, found) != 0)
		fail_msg("%s: expected \"%s\", found \"%s\"", check->name, check->expected, check->found);
}

/* A token of the issuer that was minted then, one-time or reusable. */
static char *
token_of(struct pair *p, int64_t iat_s, bool once)
{
	static unsigned n;
	char jti[16];
	const struct edit edits[] = { edit_time('c', "iat", iat_s), edit_time('c', "exp", iat_s + 300),
		CLAIM("jti", jti), CLAIM("once", once ? "true" : NULL), END };

	snprintf(jti, sizeof(jti), "\"%u\"", ++n);
	return token_with(p->issuer, edits);
}

static enum rjwt_err
judge_of(struct pair *p, struct fixture *where, int64_t iat_s, bool once, struct rjwt_verdict *v)
{
	RJWT_CLEAN(free_clean) char *token = token_of(p, iat_s, once);

	return judge(where, token, TRACED, v);
}

/* fleet.json with other dates: a commit. */
static void
fleet_put(struct fixture *f, int64_t born_s, int64_t before_s, const char *audience)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	static long other = 400000000;
	struct fleet fleet;

	want("dir", dir_open(f->state, &dir, NULL), RJWT_OK);
	want("read", fleet_read(&dir, &fleet, NULL, NULL), RJWT_OK);
	fleet.born_s = born_s;
	fleet.before_s = before_s;
	if (audience != NULL)
		snprintf(fleet.audience, sizeof(fleet.audience), "%s", audience);
	want("format", fleet_format(&text, &fleet), RJWT_OK);
	want("write",
	    file_write(&dir, FLEET_FILE, 0644, buf_view(&text), &(struct timespec){ .tv_sec = T0, .tv_nsec = other++ },
		NULL),
	    RJWT_OK);
}

/* A keyset that has private halves is not one that is followed, nor the other way round, and the message says which it is. */
static void
test_swapped(void **state)
{
	struct pair *p = *state;
	struct keyset own = keyset_get(p->issuer), followed = keyset_get(&p->followed);
	RJWT_CLEAN(free_clean) char *token = token_of(p, T0, false);

	want("as it was", judge(p->host, token, 0, NULL), RJWT_OK);
	keyset_put(&p->followed, &own);
	want("its own", judge(p->host, token, 0, NULL), RJWT_KEYSET);
	assert_string_equal(p->host->diag.text, "is this host's own keyset, and not one that it follows");
	keyset_put(&p->followed, &followed);
	want("as it was", judge(p->host, token, 0, NULL), RJWT_OK);
	want("at home", judge(p->issuer, token, 0, NULL), RJWT_OK);
	keyset_put(p->issuer, &followed);
	want("another's", judge(p->issuer, token, 0, NULL), RJWT_KEYSET);
	assert_string_equal(p->issuer->diag.text,
	    "is a keyset that another host follows, and cannot be this host's own");
	keyset_put(p->issuer, &own);
	want("as it was", judge(p->issuer, token, 0, NULL), RJWT_OK);
}

/* The later of two dates counts: since when the host is there, and since when it follows this keyset. */
static void
test_remembered(void **state)
{
	struct pair *p = *state;
	struct fixture *host = p->host;
	struct keyset keyset = keyset_get(&p->followed);
	RJWT_CLEAN(free_clean) char *once = NULL;
	struct rjwt_verdict v;

	assert_int_equal(keyset.followed.born_s, T0);
	clock_run(280);
	want("of before, reusable", judge_of(p, host, T0, false, NULL), RJWT_OK);
	want("of before", judge_of(p, host, T0 + LEEWAY, true, &v), RJWT_SPENT);
	said(&v.failed, "spent", "issued after this host began to remember used tokens, 2027-01-15T08:00:30Z",
	    "2027-01-15T08:00:30Z");
	assert_true(v.tell);
	rjwt_verdict_clear(&v);
	once = token_of(p, T0 + LEEWAY + 1, true);
	want("one-time", judge(host, once, 0, NULL), RJWT_OK);
	want("used", judge(host, once, 0, NULL), RJWT_SPENT);
	keyset.followed.born_s = T0 + 100;
	keyset_put(&p->followed, &keyset);
	want("of before it followed", judge_of(p, host, T0 + 130, true, NULL), RJWT_SPENT);
	want("one-time", judge_of(p, host, T0 + 131, true, NULL), RJWT_OK);
	fleet_put(host, T0 + 100, 0, NULL);
	want("the same", judge_of(p, host, T0 + 130, true, NULL), RJWT_SPENT);
	fleet_put(host, T0 + 200, 0, NULL);
	want("of before it was there", judge_of(p, host, T0 + 230, true, NULL), RJWT_SPENT);
	want("one-time", judge_of(p, host, T0 + 231, true, NULL), RJWT_OK);
	want("reusable", judge_of(p, host, T0 + 130, false, NULL), RJWT_OK);
	/* The issuer itself remembers from its first day. */
	want("there", judge_of(p, p->issuer, T0 + 1, true, NULL), RJWT_OK);
}

/* What was denied up to a date is not named any more. Of a followed keyset that date is its own. */
static void
test_before(void **state)
{
	struct pair *p = *state;
	struct keyset keyset = keyset_get(&p->followed);
	struct rjwt_verdict v;

	clock_run(60);
	want("no date", judge_of(p, p->host, T0, false, &v), RJWT_OK);
	said(&judge_trace[26], "denied", "no denial", "none");
	rjwt_verdict_clear(&v);
	fleet_put(p->host, T0, T0 + 50, NULL); /* for a keyset of the host's own */
	want("not its date", judge_of(p, p->host, T0, false, NULL), RJWT_OK);
	keyset.followed.before_s = T0 + 10;
	keyset_put(&p->followed, &keyset);
	want("at that date", judge_of(p, p->host, T0 + 10, false, &v), RJWT_DENIED);
	said(&v.failed, "denied", "issued after 2027-01-15T08:00:10Z", "2027-01-15T08:00:10Z");
	rjwt_verdict_clear(&v);
	want("later", judge_of(p, p->host, T0 + 11, false, NULL), RJWT_OK);
	want("no date, own", judge_of(p, p->issuer, T0, false, NULL), RJWT_OK);
	fleet_put(p->issuer, T0, T0 + 20, NULL);
	want("at that date, own", judge_of(p, p->issuer, T0 + 20, false, NULL), RJWT_DENIED);
	want("later, own", judge_of(p, p->issuer, T0 + 21, false, NULL), RJWT_OK);
}

/* How long an issuer may not have been heard of. It is no rejection, and told to the user alone whose token it is. */
static void
test_stale(void **state)
{
	struct pair *p = *state;
	struct rjwt_verdict v;
	RJWT_CLEAN(free_clean) char *token = NULL;
	RJWT_CLEAN(free_clean) char *elsewhere = token_with(p->issuer, (struct edit[]){ CLAIM("aud", "\"x\""), END });
	char found[200], text[300];

	snprintf(found, sizeof(found), "not heard from issuer %s for 1m", name_of_issuer(p));
	snprintf(text, sizeof(text), "this host has %s1s (is rjwt-keyd follow running?)", found);
	fixture_config(p->host, "audience: host.example\nfleet_max_age: 1m\n");
	clock_run(60);
	want("as old as it may be", judge_of(p, p->host, T0 + 1, false, &v), RJWT_OK);
	said(&judge_trace[15], "stale", "heard from within 1m", found);
	rjwt_verdict_clear(&v);
	want("refused for something else", judge(p->host, elsewhere, 0, NULL), RJWT_AUDIENCE);
	assert_string_equal(p->host->diag.text, "");
	clock_run(1);
	p->host->diag = (struct rjwt_diag){ 0 };
	token = token_of(p, T0 + 1, false);
	want("older", judge(p->host, token, 0, &v), RJWT_STALE);
	strcat(found, "1s");
	said(&v.failed, "stale", "heard from within 1m", found);
	assert_string_equal(p->host->diag.text, text);
	assert_true(v.tell);
	rjwt_verdict_clear(&v);
	want("another's", judge_as(p->host, token, "bob", "sshd", 0, &v), RJWT_USER);
	assert_false(v.tell);
	rjwt_verdict_clear(&v);
	want("for anybody", judge_as(p->host, token, NULL, "sshd", RJWT_ANY_USER, &v), RJWT_STALE);
	assert_false(v.tell);
	rjwt_verdict_clear(&v);
	want("the issuer hears itself", judge_of(p, p->issuer, T0 + 1, false, NULL), RJWT_OK);
}

/* A clock that was set back revives nothing: it is at least as late as when the bundle was issued. */
static void
test_clock(void **state)
{
	struct pair *p = *state;
	struct rjwt_verdict v;

	clock_step(-1000);
	want("of today", judge_of(p, p->host, T0, false, &v), RJWT_OK);
	assert_int_equal(v.now_s, T0);
	rjwt_verdict_clear(&v);
	want("expired", judge_of(p, p->host, T0 - 300 - LEEWAY, false, NULL), RJWT_EXPIRED);
	want("of a day before", judge_of(p, p->issuer, T0, false, &v), RJWT_ISSUED_IN_FUTURE);
	assert_int_equal(v.now_s, T0 - 1000);
	rjwt_verdict_clear(&v);
	clock_step(1001);
	want("later", judge_of(p, p->host, T0, false, &v), RJWT_OK);
	assert_int_equal(v.now_s, T0 + 1);
	rjwt_verdict_clear(&v);
}

/* The base says whose key it is, and an issuer that others follow rotates at another pace. */
static void
test_whose(void **state)
{
	struct pair *p = *state;
	struct fixture *alone = fixture_new("");
	RJWT_CLEAN(free_clean) char *other = token_with(alone, NULL);
	RJWT_CLEAN(free_clean) char *unknown = token_with(p->issuer, (struct edit[]){ HEADER("kid", "\"X.1\""), END });
	struct rjwt_verdict v;

	want("of no issuer", judge(p->host, unknown, 0, NULL), RJWT_KEY_UNKNOWN);
	want("of the same base", judge(p->host, other, 0, NULL), RJWT_SIGNATURE);
	want("at home", judge(alone, other, 0, NULL), RJWT_OK);
	clock_run(2 * 86400);
	want("late", judge(alone, other, 0, &v), RJWT_EXPIRED);
	assert_int_equal(v.overdue_since_s, T0 + 86400);
	rjwt_verdict_clear(&v);
	want("not late", judge_of(p, p->issuer, clock_time.wall_s, false, &v), RJWT_OK);
	assert_int_equal(v.overdue_since_s, 0);
	rjwt_verdict_clear(&v);
	fixture_free(alone);
}

/* A host that has a keyset of its own, and follows an issuer as well: the base of the key id says which. */
static void
test_both(void **state)
{
	struct pair *p = *state;
	struct fixture *both = fixture_bare("base_kid: C\nissuer: own.example\naudience: host.example\n");
	struct rjwt_options o = fixture_options(both);
	RJWT_CLEAN(free_clean) char *own = NULL;
	struct rjwt_change change;
	struct rjwt_fleet fleet;
	char file[200];

	want("init", rjwt_init(&o, 0, &change, &both->diag), RJWT_OK);
	snprintf(file, sizeof(file), "%s/www/fleet.jws", p->issuer->state);
	want("join", rjwt_join(&o, URL, p->key, &fleet, &both->diag), RJWT_OK);
	want("follow", rjwt_follow(&o, (const char *const[]){ file, NULL }, say, NULL, &both->diag), RJWT_OK);
	want("open", fixture_reopen(both), RJWT_OK);
	own = minted(both, "alice");
	want("its own", judge(both, own, 0, NULL), RJWT_OK);
	want("the issuer's", judge_of(p, both, clock_time.wall_s, false, NULL), RJWT_OK);
	want("elsewhere", judge(p->host, own, 0, NULL), RJWT_KEY_UNKNOWN);
	fixture_free(both);
}

/* Without a configured name it is the one by which the host joined. */
static void
test_recorded(void **state)
{
	struct pair *p = *state;
	struct fixture *host = fixture_bare("");
	struct rjwt_options o = fixture_options(host);
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(free_clean) char *here = NULL;
	RJWT_CLEAN(free_clean) char *there = token_with(p->issuer, NULL);
	static struct fleet joined;
	struct rjwt_fleet fleet;
	char file[200], name[300];

	snprintf(file, sizeof(file), "%s/www/fleet.jws", p->issuer->state);
	want("join", rjwt_join(&o, URL, p->key, &fleet, &host->diag), RJWT_OK);
	want("follow", rjwt_follow(&o, (const char *const[]){ file, NULL }, say, NULL, &host->diag), RJWT_OK);
	want("open", fixture_reopen(host), RJWT_OK);
	want("dir", dir_open(host->state, &dir, NULL), RJWT_OK);
	want("read", fleet_read(&dir, &joined, NULL, NULL), RJWT_OK);
	assert_string_not_equal(joined.audience, "host.example");
	snprintf(name, sizeof(name), "\"%s\"", joined.audience);
	here = token_with(p->issuer, (struct edit[]){ CLAIM("aud", name), END });
	want("its name", judge(host, here, 0, NULL), RJWT_OK);
	want("the issuer's", judge(host, there, 0, NULL), RJWT_AUDIENCE);
	fleet_put(host, joined.born_s, 0, "host.example"); /* renamed, and not followed since */
	want("its earlier name", judge(host, here, 0, NULL), RJWT_AUDIENCE);
	want("its name", judge(host, there, 0, NULL), RJWT_OK);
	fixture_free(host);
}

static void
test_denied(void **state)
{
	struct pair *p = *state;
	const struct rjwt_revocation alice = { .users = (const char *const[]){ "alice", NULL } };
	struct rjwt_change change;
	struct rjwt_verdict v;

	want("deny", rjwt_revoke(p->host->h, &alice, 0, &change, &p->host->diag), RJWT_OK);
	want("here", judge_of(p, p->host, T0, false, &v), RJWT_DENIED);
	said(&v.failed, "denied", "no denial", "one");
	rjwt_verdict_clear(&v);
	want("not there", judge_of(p, p->issuer, T0, false, NULL), RJWT_OK);
}

static enum rjwt_err
nobody(void *context, const char *user, int64_t *uid, struct rjwt_diag *diag)
{
	(void)context, (void)user, (void)uid, (void)diag;
	return RJWT_OK;
}

/* A host without a keyset of its own mints for nobody. */
static void
test_grant(void **state)
{
	struct pair *p = *state;
	const struct rjwt_accounts accounts = { .uid = nobody };
	const struct rjwt_caller caller = { "bob", &accounts };
	const struct rjwt_request request = { .user = "carol" };
	struct rjwt_decision decision;
	struct rjwt_token token;

	fixture_config(p->host,
	    "audience: host.example\nissue: [{who: bob, users: carol, scopes: ssh, max_lifetime: 10m}]\n");
	want("host", rjwt_grant(p->host->h, &caller, &request, &decision, &token, &p->host->diag), RJWT_KEYSET);
	assert_int_equal(decision.rule, 0);
	fixture_config(p->issuer, "issue: [{who: bob, users: carol, scopes: ssh, max_lifetime: 10m}]\n");
	want("issuer", rjwt_grant(p->issuer->h, &caller, &request, &decision, &token, &p->issuer->diag), RJWT_OK);
	assert_int_equal(decision.rule, 1);
	rjwt_decision_clear(&decision);
	rjwt_token_clear(&token);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = { T(test_swapped), T(test_remembered), T(test_before), T(test_stale),
		T(test_clock), T(test_whose), T(test_both), T(test_recorded), T(test_denied), T(test_grant) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
