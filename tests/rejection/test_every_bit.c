/* SPDX-License-Identifier: MIT */
/*
 * A token of each algorithm: every bit of it flipped, one at a time, every length that it can be cut to, and bytes
 * put in between. All are refused.
 *
 *	tests/rejection/test_every_bit		all bits, all lengths; all bytes for HS256, ES256, EdDSA, a sample for
 *						the others, from RJWT_SEED, which is printed
 *	tests/rejection/test_every_bit --all	every byte, at every place, for all
 */
#include "table.h"
#include "jose/alg.h"
#include "base/base64url.h"

#include <stdio.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#define SAMPLE 64 /* one of so many, of the insertions */

static struct table *t;
static bool all;
static uint64_t seed;
static unsigned long refused;

static int
setup(void **state)
{
	const char *text = getenv("RJWT_SEED");

	(void)state;
	t = table_bare(clock_made_up);
	table_world(t, SET);
	seed = text == NULL ? (uint64_t)time(NULL) : strtoull(text, NULL, 10);
	printf("# RJWT_SEED=%llu\n", (unsigned long long)seed);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	printf("# %lu tokens refused\n", refused);
	table_free(t);
	return 0;
}

static unsigned
draw(unsigned below)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(seed >> 33) % below;
}

static enum rjwt_err
verdict_of(const struct buf *token, struct rjwt_verdict *v)
{
	const struct rjwt_attempt attempt = { .token = token->p,
		.len = token->n,
		.user = "alice",
		.service = "sshd",
		.flags = RJWT_DRY_RUN };

	return rjwt_verify(t->f->h, &attempt, v, &t->f->diag);
}

/* No change leaves the signature good: nothing may be let out, whatever the reason is. */
static void
want_refused(const char *label, const struct buf *token, const char *how, size_t at, unsigned which)
{
	struct rjwt_verdict v;
	enum rjwt_err err = verdict_of(token, &v);

	if (!rjwt_is_verdict(err) || err > RJWT_SIGNATURE || v.claims != NULL || v.tell)
		fail_msg("%s: %s %u at %zu: %s: %s", label, how, which, at, rjwt_reason(err), token->p);
	rjwt_verdict_clear(&v);
	refused++;
}

static void
want_accepted(const char *label, const struct buf *token)
{
	struct rjwt_verdict v;

	want(label, verdict_of(token, &v), RJWT_OK);
	rjwt_verdict_clear(&v);
}

/* As short as a good one can be. */
static void
make_token(const char *label, struct buf *token)
{
	const struct edit edits[] = { KEY(label), CLAIM("jti", NULL), { 0, NULL, NULL } };

	table_token(t, SET, edits, token);
	want_accepted(label, token);
}

static void
test_bits(void **state)
{
	(void)state;
	for (const char *const *label = alg_labels(); *label != NULL; label++) {
		RJWT_CLEAN(buf_clear) struct buf token = { 0 };

		make_token(*label, &token);
		for (size_t i = 0; i < token.n; i++)
			for (unsigned bit = 0; bit < 8; bit++) {
				token.p[i] = (char)(token.p[i] ^ (1 << bit));
				want_refused(*label, &token, "bit", i, bit);
				token.p[i] = (char)(token.p[i] ^ (1 << bit));
			}
		want_accepted(*label, &token);
	}
}

static void
test_lengths(void **state)
{
	(void)state;
	for (const char *const *label = alg_labels(); *label != NULL; label++) {
		RJWT_CLEAN(buf_clear) struct buf token = { 0 };
		size_t whole;

		make_token(*label, &token);
		whole = token.n;
		for (token.n = 0; token.n < whole; token.n++)
			want_refused(*label, &token, "cut", token.n, 0);
		want_accepted(*label, &token);
	}
}

/* One of 256 bytes, at one place, in front of what stands there. */
static void
insert(const char *label, const struct buf *token, size_t at, unsigned byte)
{
	static struct buf longer;
	char c = (char)byte;

	longer.n = 0;
	buf_add(&longer, token->p, at);
	buf_add(&longer, &c, 1);
	buf_add(&longer, token->p + at, token->n - at);
	want_refused(label, &longer, "byte", at, byte);
}

static void
test_bytes(void **state)
{
	(void)state;
	for (const char *const *label = alg_labels(); *label != NULL; label++) {
		RJWT_CLEAN(buf_clear) struct buf token = { 0 };
		bool whole =
		    all || strcmp(*label, "HS256") == 0 || strcmp(*label, "ES256") == 0 || strcmp(*label, "EdDSA") == 0;

		make_token(*label, &token);
		for (size_t at = 0; at <= token.n; at++)
			for (unsigned byte = 0; byte < 256; byte++)
				if (whole || draw(SAMPLE) == 0)
					insert(*label, &token, at, byte);
	}
}

/* --- a signature that nobody made, and that is good ------------------------------------------- */

/* (R, S) and (R, n - S) sign the same: whoever sees a token can write it in another way, but not another token. */
static void
turn_over(const struct buf *token, const struct alg *alg, struct buf *other)
{
	RJWT_CLEAN(buf_clear) struct buf signature = { 0 };
	const char *last = memrchr(token->p, '.', token->n);
	int n = (int)alg->coordinate_size;
	EC_GROUP *group = EC_GROUP_new_by_curve_name(EC_curve_nist2nid(alg->group));
	BIGNUM *order = BN_new(), *s;
	unsigned char *bytes;

	want("signature", base64url_decode(view_of(last + 1), &signature), RJWT_OK);
	bytes = (unsigned char *)signature.p + n;
	s = BN_bin2bn(bytes, n, NULL);
	assert_int_equal(EC_GROUP_get_order(group, order, NULL), 1);
	assert_int_equal(BN_sub(s, order, s), 1);
	assert_int_equal(BN_bn2binpad(s, bytes, n), n);
	buf_add(other, token->p, (size_t)(last + 1 - token->p));
	base64url_encode(other, buf_view(&signature));
	assert_true(!view_eq(buf_view(token), buf_view(other)));
	BN_free(order);
	BN_free(s);
	EC_GROUP_free(group);
}

static void
test_turned_over(void **state)
{
	static const char *const labels[] = { "ES256", "ES384", "ES512" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		RJWT_CLEAN(buf_clear) struct buf token = { 0 };
		RJWT_CLEAN(buf_clear) struct buf other = { 0 };

		make_token(labels[i], &token);
		turn_over(&token, key_alg(table_key(t, labels[i])), &other);
		want_accepted(labels[i], &other);
	}
}

/* A mark is keyed on claims, and not on bytes: turned over, or signed once more, a one-time token is the same. */
static void
test_spent_whatever_its_bytes(void **state)
{
	static const struct edit once[] = { CLAIM("once", "true"), CLAIM("jti", "\"one\""), { 0, NULL, NULL } },
				 second[] = { CLAIM("once", "true"), CLAIM("jti", "\"two\""), { 0, NULL, NULL } };
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };
	RJWT_CLEAN(buf_clear) struct buf other = { 0 };
	RJWT_CLEAN(buf_clear) struct buf again = { 0 };
	RJWT_CLEAN(buf_clear) struct buf twin = { 0 };
	const struct alg *alg = key_alg(table_key(t, "5"));

	(void)state;
	table_world(t, PLAIN);
	table_token(t, PLAIN, once, &token);
	table_token(t, PLAIN, once, &again);
	turn_over(&token, alg, &other);
	want("turned over, before", judge(t->f, other.p, RJWT_DRY_RUN, NULL), RJWT_OK);
	want("first", judge(t->f, token.p, 0, NULL), RJWT_OK);
	want("turned over", judge(t->f, other.p, 0, NULL), RJWT_SPENT);
	want("signed again", judge(t->f, again.p, 0, NULL), RJWT_SPENT);
	want("itself", judge(t->f, token.p, 0, NULL), RJWT_SPENT);
	buf_clear(&token);
	table_token(t, PLAIN, second, &token);
	turn_over(&token, alg, &twin);
	want("another, turned over first", judge(t->f, twin.p, 0, NULL), RJWT_OK);
	want("and then as it was", judge(t->f, token.p, 0, NULL), RJWT_SPENT);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_bits), cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_bytes), cmocka_unit_test(test_turned_over),
		cmocka_unit_test(test_spent_whatever_its_bytes) };

	all = argc == 2 && strcmp(argv[1], "--all") == 0;
	return cmocka_run_group_tests(tests, setup, teardown);
}
