/* SPDX-License-Identifier: MIT */
/*
 * bench FOLDER OP... - what each of these takes, in rounds that take turns: a line of JSON for each,
 *	with microseconds of processor time of every round. $BENCH_ROUNDS: 15.
 * bench FOLDER -n N OP - do it N times, for those who count instructions.
 * bench FOLDER -s PROCESSES TOKENS - logins with one-time tokens, by several at once.
 *
 * FOLDER has a keyset of one algorithm, as measure.py makes it: rjwt.yaml, state/, and set.json, the
 * active key as a JWK Set; and perhaps token, what is verified. Otherwise that is a new one, reusable, of
 * eight claims.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUND_NS 20000000 /* what one round of one operation is to take */

static struct signed_bytes token_apart;

static struct view
token_of(const struct subject *s)
{
	return (struct view){ s->token.text, s->token.len };
}

static bool
verify(const struct subject *s)
{
	return verify_token_with(s->keyset, token_of(s));
}

static bool
verify_set(const struct subject *s)
{
	return verify_token_with(s->set, token_of(s));
}

static bool
verify_bare(const struct subject *s)
{
	return bare_verify(s, &token_apart);
}

static bool
mint(const struct subject *s)
{
	struct rjwt_token token;

	if (!mint_with(s, true, &token))
		return false;
	rjwt_token_clear(&token);
	return true;
}

static bool
mint_bare(const struct subject *s)
{
	return bare_sign(s, token_apart.input);
}

static const struct op {
	const char *name;
	bool (*once)(const struct subject *s);
} ops[] = {
	{ "verify", verify },
	{ "verify-set", verify_set },
	{ "verify-bare", verify_bare },
	{ "verify-libjwt", peer_verify },
	{ "mint", mint },
	{ "mint-bare", mint_bare },
};

static const struct op *
op_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (strcmp(ops[i].name, name) == 0)
			return &ops[i];
	die("%s: no such operation", name);
}

static void
do_times(const struct subject *s, const struct op *op, long n)
{
	for (long i = 0; i < n; i++)
		if (!op->once(s))
			die("%s: %s failed", s->folder, op->name);
}

/* The processor's time, kernel included: what else runs on the machine does not count. */
static double
took_ns(const struct subject *s, const struct op *op, long n)
{
	struct timespec begin, end;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	do_times(s, op, n);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	return (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
}

/* How often in a round. */
static long
calibrate(const struct subject *s, const struct op *op)
{
	double took = 0;
	long n = 1;

	do_times(s, op, 3);
	while ((took = took_ns(s, op, n)) < ROUND_NS / 8.0)
		n *= 2;
	n = (long)((double)n * ROUND_NS / took);
	return n < 1 ? 1 : n;
}

static void
measure(const struct subject *s, char **names, int n, int rounds)
{
	double *us = calloc((size_t)(n * rounds), sizeof(*us));
	long *times = calloc((size_t)n, sizeof(*times));

	if (us == NULL || times == NULL)
		die("out of memory");
	for (int i = 0; i < n; i++)
		times[i] = calibrate(s, op_by_name(names[i]));
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < n; i++)
			us[i * rounds + round] = took_ns(s, op_by_name(names[i]), times[i]) / 1e3 / (double)times[i];
	for (int i = 0; i < n; i++) {
		printf("{\"op\":\"%s\",\"us\":[", names[i]);
		for (int round = 0; round < rounds; round++)
			printf("%s%.4f", round == 0 ? "" : ",", us[i * rounds + round]);
		puts("]}");
	}
	free(us);
	free(times);
}

int
main(int argc, char **argv)
{
	const char *rounds = getenv("BENCH_ROUNDS"), *mode = argc < 3 ? "" : argv[2];
	struct subject *s;

	if (argc < 3)
		die("usage: bench FOLDER { OP... | -n N OP | -s PROCESSES TOKENS }");
	s = subject_open(argv[1]);
	take_apart(s, token_of(s), &token_apart);
	if (strcmp(argv[argc - 1], "verify-libjwt") == 0 && !peer_load())
		die("libjwt.so.0 is missing");
	if (strcmp(mode, "-n") == 0 && argc == 5)
		do_times(s, op_by_name(argv[4]), strtol(argv[3], NULL, 10));
	else if (strcmp(mode, "-s") == 0 && argc == 5)
		spend(s, atoi(argv[3]), atoi(argv[4]));
	else
		measure(s, argv + 2, argc - 2, rounds == NULL ? 15 : atoi(rounds));
	subject_close(s);
	return 0;
}
