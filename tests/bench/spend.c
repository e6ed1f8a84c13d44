/* SPDX-License-Identifier: MIT */
/*
 * Logins with one-time tokens by several processes at once, each with a warm handle: every token is judged,
 * and its mark is durable when it is accepted. Beside it the least that could do so: a bare EVP verify, and a
 * new file that is synced with its directory. Both wait for the disk, so this is in time of the clock.
 */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 21 /* a disk that others use too is slow for some of them */

struct spender {
	const struct subject *s;
	char **tokens;
	int n;
};

static bool
login(const struct spender *p, struct rjwt *handle)
{
	for (int i = 0; i < p->n; i++)
		if (!verify_token_with(handle, view_of(p->tokens[i])))
			return false;
	return true;
}

static bool
bare_login(const struct spender *p, int folder)
{
	struct signed_bytes token;
	char name[64];

	for (int i = 0; i < p->n; i++) {
		int fd;

		take_apart(p->s, view_of(p->tokens[i]), &token);
		snprintf(name, sizeof(name), "%d-%d", (int)getpid(), i);
		fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (!bare_verify(p->s, &token) || fd < 0 || fsync(fd) != 0 || close(fd) != 0 || fsync(folder) != 0)
			return false;
	}
	return true;
}

/*
 * A process of its own. It says that it is ready, waits until the other end of go is closed, and exits with 0
 * if all went well.
 */
static void
start(const struct spender *p, int folder, const int ready[2], const int go[2])
{
	struct rjwt *handle;
	char c;

	close(go[1]);
	handle = subject_handle(p->s);
	/* Warm: the key is read and parsed. */
	if (!verify_token_with(handle, (struct view){ p->s->token.text, p->s->token.len }))
		_exit(1);
	if (write(ready[1], "", 1) != 1 || read(go[0], &c, 1) != 0)
		_exit(1);
	_exit((folder < 0 ? login(p, handle) : bare_login(p, folder)) ? 0 : 1);
}

/* Logins a second. */
static double
run(const struct spender *spenders, int processes, int folder)
{
	int ready[2], go[2], status, count = 0;
	struct timespec begin, end;
	bool good = true;
	char c;

	if (pipe2(ready, O_CLOEXEC) != 0 || pipe2(go, O_CLOEXEC) != 0)
		die("no pipe");
	for (int i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid == 0)
			start(&spenders[i], folder, ready, go);
		good = good && pid > 0;
		count += spenders[i].n;
	}
	close(ready[1]);
	for (int i = 0; good && i < processes; i++)
		good = read(ready[0], &c, 1) == 1;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	close(go[1]);
	while (wait(&status) > 0)
		good = good && status == 0;
	clock_gettime(CLOCK_MONOTONIC, &end);
	close(ready[0]);
	close(go[0]);
	if (!good)
		die("a process could not log in");
	return count / ((double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
}

static void
mint_all(const struct subject *s, struct spender *spenders, int processes, int tokens)
{
	for (int i = 0; i < processes; i++) {
		spenders[i] = (struct spender){ s, calloc((size_t)tokens, sizeof(char *)), tokens };
		if (spenders[i].tokens == NULL)
			die("out of memory");
		for (int k = 0; k < tokens; k++) {
			struct rjwt_token token;

			if (!mint_with(s, false, &token) || (spenders[i].tokens[k] = strdup(token.text)) == NULL)
				die("no token");
			rjwt_token_clear(&token);
		}
	}
}

void
spend(const struct subject *s, int processes, int tokens)
{
	struct spender *spenders = calloc((size_t)processes, sizeof(*spenders));
	double ours[ROUNDS], bare[ROUNDS];
	char folder[600];
	int fd;

	snprintf(folder, sizeof(folder), "%s/bare", s->folder);
	if (spenders == NULL || mkdir(folder, 0700) != 0 || (fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		die("%s cannot be made", folder);
	for (int round = 0; round < ROUNDS; round++) {
		mint_all(s, spenders, processes, tokens);
		/* The first of two finds the other's work in the disk's queue: they take turns in that too. */
		if (round % 2 == 0)
			bare[round] = run(spenders, processes, fd);
		ours[round] = run(spenders, processes, -1);
		if (round % 2 == 1)
			bare[round] = run(spenders, processes, fd);
		for (int i = 0; i < processes; i++) {
			for (int k = 0; k < tokens; k++)
				free(spenders[i].tokens[k]);
			free(spenders[i].tokens);
		}
	}
	close(fd);
	free(spenders);
	for (int round = 0; round < ROUNDS; round++)
		printf("{\"spend\":%.1f,\"bare\":%.1f}\n", ours[round], bare[round]);
}
