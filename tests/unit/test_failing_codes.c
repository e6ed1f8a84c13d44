/* SPDX-License-Identifier: MIT */
/*
 * The tokens of codes are signed anew, with a call of ours failing: a code is good at any time but between its mark and its
 * file, and once; what is not done is told, and done the next time. One call in RJWT_SHARE (64) fails, others in each run;
 * 1: every one.
 */
#include "fixture.h"
#include "keyset/parked.h"

#include "failing.h"

#include <stdio.h>
#include <unistd.h>

struct deed {
	struct fixture *f;
	struct rjwt_token code, used; /* of one a login was made */
	char name[128];		      /* the file of code */
	struct buf before;	      /* what it had */
};

static struct rjwt_token
code_for(struct fixture *f)
{
	static const char *const ssh[] = { "ssh", NULL };
	const struct rjwt_request request = { .user = "alice",
		.scope = ssh,
		.code_until_s = clock_time.wall_s + 100 * DAY,
		.flags = RJWT_PARK };
	struct rjwt_token token;

	want("code", rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
	return token;
}

/* RJWT_EMPTY: there is none of it. */
static enum rjwt_err
type(struct fixture *f, const struct rjwt_token *code)
{
	RJWT_CLEAN(free_clean) char *token = NULL;

	want("look up", rjwt_parked(f->h, code->code, strlen(code->code), &token, &f->diag), RJWT_OK);
	return token == NULL ? RJWT_EMPTY : judge(f, token, 0, NULL);
}

/* Another key signs, and so much time has passed since both were made. */
static void
prepare(struct deed *d, int64_t age_s)
{
	char plain[PARKED_CODE_SIZE], hex[DIGEST_HEX];

	d->f = fixture_new("codes: [ssh]\n");
	d->code = code_for(d->f);
	d->used = code_for(d->f);
	want("login", type(d->f, &d->used), RJWT_OK);
	assert_true(parked_code(view_of(d->code.code), plain));
	want("name", digest_hex(view_of(plain), hex), RJWT_OK);
	snprintf(d->name, sizeof(d->name), "private/parked/%s", hex);
	clock_run(1700);
	rotate(d->f);
	clock_run(age_s - 1700);
	d->before = file_get(d->f, d->name);
}

static void
clear(struct deed *d)
{
	buf_clear(&d->before);
	rjwt_token_clear(&d->code);
	rjwt_token_clear(&d->used);
	fixture_free(d->f);
}

static bool
is_renewed(const struct deed *d)
{
	RJWT_CLEAN(buf_clear) struct buf now = file_get(d->f, d->name);

	return !view_eq(buf_view(&now), buf_view(&d->before));
}

/* Both codes are what they were to be, whatever failed before. */
static void
holds(struct deed *d, const char *label)
{
	want(label, fixture_reopen(d->f), RJWT_OK);
	(void)tick(d->f);
	if (!is_renewed(d))
		fail_msg("%s: not renewed the next time", label);
	want(label, type(d->f, &d->code), RJWT_OK);
	want(label, type(d->f, &d->code), RJWT_SPENT);
	want(label, type(d->f, &d->used), RJWT_EMPTY);
}

/* With call k failing; false: there is no such call. */
static bool
once(int64_t age_s, unsigned k)
{
	struct deed d = { 0 };
	struct rjwt_change change = { 0 };
	char label[200];
	enum rjwt_err err;
	bool failed;

	prepare(&d, age_s);
	failing_begin(k);
	err = rjwt_maintain(d.f->h, 0, &change, &d.f->diag);
	failed = failing_end();
	snprintf(label, sizeof(label), "call %u, %s, failed", k, failed ? failing_name : "none");
	if (err == RJWT_OK && change.warning[0] == '\0' && !is_renewed(&d))
		fail_msg("%s: not renewed, and nothing is said", label);
	holds(&d, label);
	clear(&d);
	return failed;
}

static void
every(int64_t age_s)
{
	const char *given = getenv("RJWT_SHARE");
	int n = given == NULL ? 64 : atoi(given);
	unsigned step = n < 1 ? 1 : (unsigned)n, k = 1 + (unsigned)getpid() % step;

	while (once(age_s, k))
		k += step;
	print_message("# one in %u of %u calls\n", step, failing_calls);
	assert_true(failing_calls > 100);
}

/* Half of the life of the tokens is over. */
static void
test_renewal(void **state)
{
	(void)state;
	every(1900);
}

/* The host was off. The key of the tokens is about to go, and with it what is known of them. */
static void
test_late(void **state)
{
	(void)state;
	every(3 * DAY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_renewal), cmocka_unit_test(test_late) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
