/* SPDX-License-Identifier: MIT */
/*
 * replay [FILE...] - a harness without libFuzzer: runs the inputs that the files are, or without any those of its
 * corpus. TAP. A corpus is a file of inputs, each after its length in four bytes; corpus.py packs and unpacks it.
 */
#include "fuzz.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t input;

static void
tell_input(int number)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "not ok 1 - %s: input %d\n", fuzz_name, (int)input);

	if (n > 0 && write(STDOUT_FILENO, text, (size_t)n) == n)
		signal(number, SIG_DFL);
	else
		_exit(99);
	raise(number);
}

/* A copy of exactly its size: what reads beyond it is seen by valgrind and ASan. */
static void
run(const unsigned char *p, size_t n)
{
	uint8_t *copy = malloc(n == 0 ? 1 : n);

	if (copy == NULL)
		fuzz_broken("no memory");
	if (n > 0)
		memcpy(copy, p, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
	input++;
}

static unsigned char *
read_all(const char *path, size_t *size)
{
	FILE *file = fopen(path, "re");
	unsigned char *all = NULL;
	size_t n = 0, cap = 0;

	if (file == NULL)
		fuzz_broken("%s cannot be read", path);
	do {
		if (n == cap)
			all = realloc(all, cap = 2 * cap + 4096);
		if (all == NULL)
			fuzz_broken("no memory");
		n += fread(all + n, 1, cap - n, file);
	} while (!feof(file) && !ferror(file));
	fclose(file);
	*size = n;
	return all;
}

static void
run_corpus(void)
{
	const char *source = getenv("RJWT_SOURCE");
	char path[4096];
	unsigned char *all;
	size_t size, at = 0;

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", source == NULL ? "." : source, fuzz_name);
	all = read_all(path, &size);
	while (size - at >= 4) {
		const unsigned char *p = all + at;
		size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];

		if (n > size - at - 4)
			fuzz_broken("%s is torn", path);
		run(p + 4, n);
		at += 4 + n;
	}
	free(all);
	if (at != size || size == 0)
		fuzz_broken("%s is torn, or empty", path);
}

int
main(int argc, char **argv)
{
	const char *missed = NULL;

	signal(SIGABRT, tell_input);
	signal(SIGSEGV, tell_input);
	printf("1..1\n");
	fflush(stdout);
	for (int i = 1; i < argc; i++) {
		size_t size;
		unsigned char *all = read_all(argv[i], &size);

		run(all, size);
		free(all);
	}
	if (argc < 2)
		run_corpus();
	for (size_t i = 0; fuzz_sights[i] != NULL; i++) {
		printf("# %s: %lu\n", fuzz_sights[i], fuzz_seen[i]);
		if (argc < 2 && fuzz_seen[i] == 0)
			missed = fuzz_sights[i];
	}
	if (missed != NULL)
		printf("not ok 1 - %s: the corpus never reaches: %s\n", fuzz_name, missed);
	else
		printf("ok 1 - %s: %d inputs\n", fuzz_name, (int)input);
	return missed != NULL;
}
