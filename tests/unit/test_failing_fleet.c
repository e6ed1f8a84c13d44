/* SPDX-License-Identifier: MIT */
/*
 * What a fleet does, with a call of ours failing: join, follow, publish, a new fleet, a new roster. What is told as success
 * has happened; after an error a host believes what it believed or what it was to believe, and the same, done again, ends as
 * if nothing had failed. One call in RJWT_SHARE (128) fails, others in each run; 1: every one.
 */
#include "fixture.h"

#include "failing.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A host, or an issuer: its state directory and its configuration. */
struct place {
	char state[200], config[200];
};

struct deed {
	struct fixture *f; /* an issuer */
	struct place host, other;
	char file[300], key_file[200], key[44];
	char *token, *entry;
	unsigned n, wrong;	     /* of places made; of things that were said to be wrong */
	enum rjwt_err before, after; /* the token at the host */
};

/* --- hosts and issuers ------------------------------------------------------------------------ */

static struct place
place(struct deed *d, const char *audience)
{
	struct place p;
	FILE *out;

	snprintf(p.state, sizeof(p.state), "%s/%u", d->f->top, ++d->n);
	snprintf(p.config, sizeof(p.config), "%s/%u.yaml", d->f->top, d->n);
	out = fopen(p.config, "we");
	assert_non_null(out);
	fprintf(out, "state_dir: %s\naudience: %s\nissuer: %s\n", p.state, audience, audience);
	assert_int_equal(fclose(out), 0);
	return p;
}

static struct rjwt_options
options(const struct deed *d, const struct place *p)
{
	return (struct rjwt_options){ .config = p->config, .now = d->f->now };
}

static void
say(void *context, bool wrong, const char *text)
{
	struct deed *d = context;

	if (strstr(text, "(null)") != NULL)
		fail_msg("said: %s", text);
	d->wrong += wrong;
}

static enum rjwt_err
do_join(struct deed *d)
{
	struct rjwt_options o = options(d, &d->host);
	struct rjwt_fleet fleet;

	return rjwt_join(&o, FLEET_URL, d->key, &fleet, &d->f->diag);
}

/* What is said to be wrong is a failure, which tells itself. */
static enum rjwt_err
do_follow(struct deed *d)
{
	const char *const files[] = { d->file, NULL };
	struct rjwt_options o = options(d, &d->host);
	enum rjwt_err err;

	d->wrong = 0;
	err = rjwt_follow(&o, files, say, d, &d->f->diag);
	return err == RJWT_OK && d->wrong > 0 ? RJWT_MEMORY : err;
}

/* Of the token of alice. RJWT_IO and RJWT_KEYSET: it has no verdict. */
static enum rjwt_err
by_handle(struct deed *d, struct rjwt *h)
{
	const struct rjwt_attempt attempt = { .token = d->token,
		.len = strlen(d->token),
		.user = "alice",
		.service = "sshd",
		.flags = RJWT_DRY_RUN };
	struct rjwt_verdict v = { 0 };
	enum rjwt_err err = rjwt_verify(h, &attempt, &v, &d->f->diag);

	rjwt_verdict_clear(&v);
	return err;
}

static enum rjwt_err
at_host(struct deed *d)
{
	struct rjwt_options o = options(d, &d->host);
	struct rjwt *h;
	enum rjwt_err err = rjwt_open(&o, &h, &d->f->diag);

	if (err != RJWT_OK)
		return err;
	err = by_handle(d, h);
	rjwt_close(h);
	return err;
}

/* --- what there is before, and what holds afterwards ------------------------------------------ */

/* Time for what was denied to pass, and a token. */
static void
prepare(struct deed *d)
{
	clock_run(180);
	want("reopen", fixture_reopen(d->f), RJWT_OK);
	(void)tick(d->f);
	free(d->token);
	d->token = minted(d->f, "alice");
	d->host = place(d, "host.example");
	d->before = RJWT_KEYSET;
	d->after = RJWT_OK;
}

static void
prepare_joined(struct deed *d)
{
	prepare(d);
	want("join", do_join(d), RJWT_OK);
	d->before = RJWT_KEY_UNKNOWN;
}

static void
prepare_denied(struct deed *d)
{
	struct rjwt_change change;
	const struct rjwt_revocation all = { .users = (const char *const[]){ "alice", NULL } };

	prepare_joined(d);
	want("follow", do_follow(d), RJWT_OK);
	want("deny", rjwt_revoke(d->f->h, &all, 0, &change, &d->f->diag), RJWT_OK);
	d->before = RJWT_OK;
	d->after = RJWT_DENIED;
}

/* Another entry each time. */
static void
prepare_entry(struct deed *d)
{
	struct rjwt_options o = options(d, &d->other);
	char url[64];

	prepare_joined(d);
	snprintf(url, sizeof(url), "http://j.example/%u", d->n);
	rjwt_free(d->entry);
	want("request", rjwt_fleet_request(&o, url, "j", &d->entry, &d->f->diag), RJWT_OK);
}

static void
prepare_issuer(struct deed *d)
{
	prepare(d);
	d->host = place(d, "new.example");
}

/* The host has all that there is, and judges by it. */
static void
holds_at_host(struct deed *d, const char *label)
{
	want(label, do_follow(d), RJWT_OK);
	want(label, at_host(d), d->after);
}

static void
holds_joined(struct deed *d, const char *label)
{
	struct rjwt_options o = options(d, &d->host);
	struct rjwt_fleet fleet;

	want(label, rjwt_joined(&o, FLEET_URL, d->key, &fleet, &d->f->diag), RJWT_OK);
	holds_at_host(d, label);
}

/* A host hears of the last entry. */
static void
holds_listed(struct deed *d, const char *label)
{
	struct rjwt_options o = options(d, &d->host);
	struct rjwt_following following;
	char url[64];
	bool found = false;

	holds_at_host(d, label);
	want(label, rjwt_following(&o, &following, &d->f->diag), RJWT_OK);
	snprintf(url, sizeof(url), "http://j.example/%u", d->n);
	for (size_t i = 0; i < following.n; i++)
		found = found || strcmp(following.issuers[i].url, url) == 0;
	if (!found)
		fail_msg("%s: the roster does not list %s", label, url);
}

/* --- the deeds -------------------------------------------------------------------------------- */

static enum rjwt_err
do_publish(struct deed *d)
{
	struct rjwt_fleet fleet;

	return rjwt_publish(d->f->h, &fleet, &d->f->diag);
}

static enum rjwt_err
do_add(struct deed *d)
{
	const struct rjwt_roster roster = { .add = d->entry, .key_file = d->key_file };
	struct rjwt_options o = fixture_options(d->f);
	struct rjwt_fleet fleet;
	char *lines = NULL;
	enum rjwt_err err;

	d->wrong = 0;
	err = rjwt_fleet_roster(&o, &roster, &lines, &fleet, say, d, &d->f->diag);
	rjwt_free(err == RJWT_OK ? lines : NULL);
	return err == RJWT_OK && d->wrong > 0 ? RJWT_MEMORY : err;
}

static enum rjwt_err
do_init(struct deed *d)
{
	struct rjwt_options o = options(d, &d->host);
	struct rjwt_fleet fleet;
	char key_file[300];

	snprintf(key_file, sizeof(key_file), "%s.key", d->host.config);
	return rjwt_fleet_init(&o, FLEET_URL, key_file, &fleet, &d->f->diag);
}

/* Once more it changes no key, and what it publishes is believed. */
static void
holds_issuer(struct deed *d, const char *label)
{
	struct place issuer = d->host;
	struct rjwt_options o = options(d, &issuer);
	struct rjwt_fleet fleet;
	char key_file[300], file[300], key[44];

	snprintf(key_file, sizeof(key_file), "%s.key", issuer.config);
	want(label, rjwt_fleet_init(&o, FLEET_URL, key_file, &fleet, &d->f->diag), RJWT_OK);
	assert_false(fleet.made_keys);
	memcpy(file, d->file, sizeof(file));
	memcpy(key, d->key, sizeof(key));
	snprintf(d->file, sizeof(d->file), "%s/www/fleet.jws", issuer.state);
	memcpy(d->key, fleet.key, sizeof(d->key));
	d->host = place(d, "host.example");
	want(label, do_join(d), RJWT_OK);
	want(label, do_follow(d), RJWT_OK);
	want(label, at_host(d), RJWT_KEY_UNKNOWN); /* of the other fleet */
	memcpy(d->file, file, sizeof(file));
	memcpy(d->key, key, sizeof(key));
	d->host = issuer;
}

struct row {
	const char *name;
	void (*prepare)(struct deed *d);
	enum rjwt_err (*work)(struct deed *d);
	void (*holds)(struct deed *d, const char *label);
	bool judged; /* in between the host has the one verdict or the other */
};

/* What answers as it would to a line that somebody else signed, or to a point that is not on its curve. */
static bool
seems_foreign(const char *name)
{
	return strcmp(name, "EVP_DigestVerify") == 0 || strcmp(name, "EVP_PKEY_fromdata") == 0;
}

static unsigned
share(void)
{
	const char *given = getenv("RJWT_SHARE");
	int n = given == NULL ? 128 : atoi(given);

	return n < 1 ? 1 : (unsigned)n;
}

/* With call k failing; false: there is no such call. */
static bool
once(struct deed *d, const struct row *row, unsigned k)
{
	struct rjwt_diag *diag = &d->f->diag;
	enum rjwt_err err, verdict;
	RJWT_CLEAN(buf_clear) struct buf www = { 0 };
	char label[200];

	row->prepare(d);
	www = file_get(d->f, "www/fleet.jws");
	*diag = (struct rjwt_diag){ 0 };
	d->wrong = 0;
	failing_begin(k);
	err = row->work(d);
	if (!failing_end()) {
		want(row->name, err, RJWT_OK);
		row->holds(d, row->name);
		return false;
	}
	snprintf(label, sizeof(label), "%s, and call %u, %s, failed", row->name, k, failing_name);
	if (strstr(diag->text, "(null)") != NULL ||
	    (err != RJWT_OK && d->wrong == 0 && diag->text[0] == '\0' && err != RJWT_MEMORY && err != RJWT_INTERNAL))
		fail_msg("%s: told as %s: \"%s\"", label, rjwt_reason(err), diag->text);
	if (seems_foreign(failing_name)) { /* a line that is not believed is not published any more */
		file_put(d->f, "www/fleet.jws", buf_view(&www));
		return true;
	}
	verdict = row->judged ? at_host(d) : d->after;
	if (verdict == RJWT_KEYSET && d->before == RJWT_KEY_UNKNOWN)
		verdict = d->before; /* nothing of any issuer yet */
	if (verdict != d->after && (verdict != d->before || err == RJWT_OK))
		fail_msg("%s: %s, and the token is %s", label, rjwt_reason(err), rjwt_reason(verdict));
	if (err != RJWT_OK && (err = row->work(d)) != RJWT_OK)
		fail_msg("%s: again: %s: %s: %s", label, rjwt_reason(err), diag->path, diag->text);
	row->holds(d, label);
	return true;
}

static void
every(void **state, const struct row *row)
{
	struct deed *d = *state;
	unsigned n = share(), k = 1 + (unsigned)getpid() % n;

	for (; once(d, row, k); k += n)
		;
	printf("# %s: one in %u of %u calls\n", row->name, n, failing_calls);
}

#define ROW(name, ...)                                             \
	static void test_##name(void **state)                      \
	{                                                          \
		every(state, &(struct row){ #name, __VA_ARGS__ }); \
	}
ROW(join, prepare, do_join, holds_joined, false)
ROW(follow, prepare_joined, do_follow, holds_at_host, true)
ROW(denial, prepare_denied, do_follow, holds_at_host, true)
ROW(publish, prepare_joined, do_publish, holds_at_host, false)
ROW(add, prepare_entry, do_add, holds_listed, false)
ROW(init, prepare_issuer, do_init, holds_issuer, false)

/* A login by a followed keyset: with whatever failing, what is denied is not accepted, and what is good not blamed. */
static void
test_login(void **state)
{
	struct deed *d = *state;
	enum rjwt_err err;

	for (int denied = 0; denied < 2; denied++) {
		unsigned k = 1;

		prepare_denied(d);
		if (denied)
			want("follow", do_follow(d), RJWT_OK);
		for (;; k++) {
			failing_begin(k);
			err = at_host(d);
			if (!failing_end())
				break;
			if (denied ? err == RJWT_OK
				   : err != RJWT_OK && rjwt_is_verdict(err) && err != RJWT_KEY_UNKNOWN &&
					 !seems_foreign(failing_name))
				fail_msg("call %u, %s, failed: %s", k, failing_name, rjwt_reason(err));
		}
		want("login", err, denied ? RJWT_DENIED : RJWT_OK);
		assert_true(k > 100);
	}
}

/* A login by a handle that is open, when fleet.json has changed, with call k failing; false: there is no such call. */
static bool
reread(struct deed *d, unsigned k, enum rjwt_err *err)
{
	struct rjwt_options o = options(d, &d->host);
	char path[300];
	struct rjwt *h;

	snprintf(path, sizeof(path), "%s/fleet.json", d->host.state);
	want("open", rjwt_open(&o, &h, &d->f->diag), RJWT_OK);
	assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0);
	failing_begin(k);
	*err = by_handle(d, h);
	rjwt_close(h);
	return failing_end();
}

/* Whether fleet.json can be read again is no reason to refuse a token. */
static void
test_reread(void **state)
{
	struct deed *d = *state;
	unsigned short_of_memory = 0, k = 1;
	enum rjwt_err err;

	prepare_denied(d);
	for (; reread(d, k, &err); k++) {
		short_of_memory += err == RJWT_MEMORY;
		if (err != RJWT_OK && rjwt_is_verdict(err) && err != RJWT_KEY_UNKNOWN && !seems_foreign(failing_name))
			fail_msg("call %u, %s, failed: %s", k, failing_name, rjwt_reason(err));
	}
	want("login", err, RJWT_OK);
	assert_true(k > 100 && short_of_memory > 10);
}

/* A token of the host's own keyset, which another issuer denied: a fleet.json that cannot be read again does not let it in. */
static void
test_own_denied(void **state)
{
	struct deed *d = *state;
	struct rjwt_diag *diag = &d->f->diag;
	const struct rjwt_request request = { .user = "alice", .reusable = true };
	const struct rjwt_revocation alice = { .users = (const char *const[]){ "alice", NULL } };
	struct rjwt_change change;
	struct rjwt_token token;
	struct rjwt_options o;
	enum rjwt_err err;
	struct rjwt *h;

	d->host = place(d, "own.example");
	o = options(d, &d->host);
	want("init", rjwt_init(&o, 0, &change, diag), RJWT_OK);
	want("join", do_join(d), RJWT_OK);
	want("open", rjwt_open(&o, &h, diag), RJWT_OK);
	want("mint", rjwt_mint(h, &request, &token, diag), RJWT_OK);
	rjwt_close(h);
	free(d->token);
	d->token = strdup(token.text);
	rjwt_token_clear(&token);
	want("follow", do_follow(d), RJWT_OK);
	want("not denied yet", at_host(d), RJWT_OK);
	clock_run(1);
	want("deny", rjwt_revoke(d->f->h, &alice, 0, &change, diag), RJWT_OK);
	want("follow", do_follow(d), RJWT_OK);
	for (unsigned k = 1; reread(d, k, &err); k++)
		if (err == RJWT_OK)
			fail_msg("call %u, %s, failed, and the token is accepted", k, failing_name);
	want("denied", err, RJWT_DENIED);
}

static int
setup(void **state)
{
	struct deed *d = calloc(1, sizeof(*d));
	struct rjwt_fleet fleet;

	assert_non_null(d);
	d->f = fixture_new("");
	snprintf(d->key_file, sizeof(d->key_file), "%s/fleet.key", d->f->top);
	snprintf(d->file, sizeof(d->file), "%s/www/fleet.jws", d->f->state);
	fleet = fixture_issuer(d->f);
	memcpy(d->key, fleet.key, sizeof(d->key));
	d->other = place(d, "j.example");
	*state = d;
	return 0;
}

static int
teardown(void **state)
{
	struct deed *d = *state;

	free(d->token);
	rjwt_free(d->entry);
	fixture_free(d->f);
	free(d);
	return 0;
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_join), T(test_follow), T(test_denial), T(test_publish), T(test_add),
		T(test_init), T(test_login), T(test_reread), T(test_own_denied) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
