/* SPDX-License-Identifier: MIT */
/* The refusal table by the library: reasons, traces, and what a verdict lets out. */
#include "table.h"

#include <stdio.h>

#define SIGNATURE_ROW 10 /* places in the walk, which test_trace of test_verdict.c fixes */
#define USER_ROW 13

static struct table *t;
static struct rjwt_check trace[RJWT_CHECKS_MAX];

static int
setup(void **state)
{
	(void)state;
	t = table_new(clock_made_up);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	table_free(t);
	return 0;
}

static enum rjwt_err
verdict_of(const struct refusal *r, const struct buf *token, int flags, struct rjwt_verdict *v)
{
	const struct rjwt_attempt attempt = { .token = token->p,
		.len = token->n,
		.user = r->user,
		.service = r->service,
		.auth_info = SSH_AUTH_INFO,
		.source = r->source,
		.flags = flags & ~TRACED,
		.trace = (flags & TRACED) != 0 ? trace : NULL,
		.trace_max = RJWT_CHECKS_MAX };
	enum rjwt_err err = rjwt_verify(t->f->h, &attempt, v, &t->f->diag);

	if (v->reason != err)
		fail_msg("%s: returned %s, verdict.reason is %s", r->name, rjwt_reason(err), rjwt_reason(v->reason));
	return err;
}

/* The walk: all before the failure passed, nothing behind it was looked at. Gives the row that failed. */
static size_t
check_walk(const struct refusal *r, const struct rjwt_verdict *v)
{
	size_t failed = v->nchecks, i;

	for (i = 0; i < v->nchecks; i++) {
		if (trace[i].outcome == RJWT_FAILED && failed == v->nchecks)
			failed = i;
		else if (trace[i].outcome != (i < failed ? RJWT_PASSED : RJWT_NOT_REACHED))
			fail_msg("%s: %s is %d", r->name, trace[i].name, trace[i].outcome);
	}
	if (failed == v->nchecks || trace[failed].code != r->reason || v->failed.code != r->reason ||
	    strcmp(v->failed.name, trace[failed].name) != 0)
		fail_msg("%s: failed at %zu, %s", r->name, failed, v->failed.name);
	return failed;
}

/* Nothing of the payload is released unless the signature is good, nothing of the claims unless they are. */
static void
check_released(const struct refusal *r, const struct rjwt_verdict *v, size_t failed)
{
	bool read = failed > SIGNATURE_ROW + 2;

	if ((v->claims != NULL) != (failed > SIGNATURE_ROW) || (v->claims == NULL) != (v->claims_len == 0))
		fail_msg("%s: the payload is let out at the wrong check", r->name);
	if (!read && (v->jti[0] != '\0' || v->sub[0] != '\0' || v->user[0] != '\0' || v->iat_s != 0 || v->nbf_s != 0 ||
			 v->exp_s != 0 || v->accepted_until_s != 0 || v->once))
		fail_msg("%s: claims are let out at the wrong check", r->name);
	if (v->tell != (failed > USER_ROW))
		fail_msg("%s: tell is %d", r->name, v->tell);
}

static void
check_refused(const struct refusal *r)
{
	struct rjwt_verdict v;
	size_t failed;

	want(r->name, verdict_of(r, &r->bad, TRACED, &v), r->reason);
	failed = check_walk(r, &v);
	check_released(r, &v, failed);
	rjwt_verdict_clear(&v);
	/* The trace is a copy of the walk, and decides nothing. */
	want(r->name, verdict_of(r, &r->bad, 0, &v), r->reason);
	if (v.nchecks != 0 || v.failed.code != r->reason || v.failed.outcome != RJWT_FAILED)
		fail_msg("%s: without a trace verdict.failed says %s", r->name, rjwt_reason(v.failed.code));
	check_released(r, &v, failed);
	rjwt_verdict_clear(&v);
	want(r->name, verdict_of(r, &r->bad, RJWT_DRY_RUN, &v), r->reason);
	rjwt_verdict_clear(&v);
}

static void
check_accepted(const struct refusal *r)
{
	bool set = r->world == SET;
	struct rjwt_verdict v;
	char name[140];

	snprintf(name, sizeof(name), "twin of %s", r->name);
	want(name, verdict_of(r, &r->twin, TRACED | RJWT_DRY_RUN, &v), RJWT_OK);
	for (size_t i = 0; i < v.nchecks; i++) {
		bool skipped = set && (trace[i].code == RJWT_REVOKED || trace[i].code == RJWT_DENIED);

		if (trace[i].outcome != (skipped ? RJWT_NOT_CHECKED : RJWT_PASSED))
			fail_msg("%s: %s is %d", name, trace[i].name, trace[i].outcome);
	}
	if (v.claims == NULL || v.tell || strcmp(v.user, r->user) != 0)
		fail_msg("%s: the verdict is not one of an accepted token", name);
	rjwt_verdict_clear(&v);
}

static void
test_table(void **state)
{
	unsigned refused[RULES + 1] = { 0 };
	unsigned accepted[RULES + 1] = { 0 };
	char before[DIGEST_HEX], after[DIGEST_HEX];

	(void)state;
	state_digest(t->f, before);
	for (int world = 0; world < WORLDS; world++) {
		table_world(t, (enum world)world);
		for (size_t i = 0; i < t->n; i++) {
			const struct refusal *r = &t->rows[i];

			if ((int)r->world != world)
				continue;
			check_refused(r);
			refused[r->rule]++;
			check_accepted(r);
			accepted[r->rule]++;
		}
	}
	state_digest(t->f, after);
	assert_string_equal(before, after); /* nothing was marked */
	for (int rule = 1; rule <= RULES; rule++)
		if (refused[rule] > 0)
			printf("# rule %d: %u refused, %u accepted\n", rule, refused[rule], accepted[rule]);
	printf("# %zu tokens refused, each beside one that is accepted\n", t->n);
	assert_true(t->n >= 400);
}

/* No row says what another says, and each rule about tokens has some. */
static void
test_rows_differ(void **state)
{
	static const int rules[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19, 30, 31, 35 };

	unsigned twice = 0;

	(void)state;
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = i + 1; k < t->n; k++) {
			const struct refusal *a = &t->rows[i], *b = &t->rows[k];

			if (a->world == b->world && strcmp(a->user, b->user) == 0 &&
			    strcmp(a->service, b->service) == 0 && strcmp(a->source, b->source) == 0 &&
			    (strcmp(a->name, b->name) == 0 || view_eq(buf_view(&a->bad), buf_view(&b->bad))))
				print_error("twice, %u: %s, %s\n", ++twice, a->name, b->name);
		}
	assert_int_equal(twice, 0);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		unsigned n = 0;

		for (size_t k = 0; k < t->n; k++)
			n += t->rows[k].rule == rules[i];
		if (n == 0)
			fail_msg("rule %d has no row", rules[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows_differ), cmocka_unit_test(test_table) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
