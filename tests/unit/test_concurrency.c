/* SPDX-License-Identifier: MIT */
/* Many processes at once: one rotation, exact limits, a lock for writers alone, uses of a token. */
#include "fixture.h"
#include "jose/alg.h"
#include "base/host.h"
#include "keyset/change.h"
#include "keyset/store.h"
#include "keyset/plan.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static int
rotate_once(struct fixture *f, int i)
{
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	struct rotation_policy policy = { .alg = alg_by_label(VIEW("ES256")),
		.rotate_every_s = 86400,
		.previous_key_ttl_s = 86400,
		.max_lifetime_s = 3600,
		.leeway_s = 30 };
	struct clock clock = { .read = clock_made_up };
	const struct change_request request = { .why = i % 2 == 0 ? WHY_MANUAL : WHY_TOKEN_LIMIT, .version = 1 };
	struct rjwt_change change = { 0 };

	if (store_open(f->state, NULL, &store, NULL) != RJWT_OK ||
	    keyset_change(store, &(struct keyset_env){ &policy, &clock, NULL, NULL }, &request, 0, &change) != RJWT_OK)
		return 3;
	return change.rotated ? 1 : strcmp(change.kid, "B.2") == 0 ? 0 : 2;
}

/* 20 at the due moment rotated 20 times in the reference. */
static void
test_crowd_rotates_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(crowd(f, 64, rotate_once, 1), 1);
	assert_int_equal(keyset_get(f).active.version, 2);
}

static int
mint_due(struct fixture *f, int i)
{
	struct rjwt_options options = fixture_options(f);
	struct rjwt_token token = { 0 };

	(void)i;
	if (rjwt_open(&options, &f->h, NULL) != RJWT_OK ||
	    rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice" }, &token, NULL) != RJWT_OK)
		return 3;
	return strcmp(token.kid, "B.2") == 0 ? token.change.rotated : 2;
}

static void
test_crowd_mints_when_due(void **state)
{
	struct fixture *f = *state;

	clock_run(86400);
	assert_int_equal(crowd(f, 64, mint_due, 1), 1);
	assert_int_equal(keyset_get(f).active.version, 2);
}

/* A process waits 30 s for the lock: with a sanitizer, on a machine with much to do, not long enough behind 63 others. */
#ifdef __SANITIZE_ADDRESS__
#define CROWD 16
#else
#define CROWD 64
#endif
#define TOKENS_MAX 10000
#define KEYS 100 /* at least: as many as the limit asks for */

/* ./check sets RJWT_CROWD_TOKENS=10000; make check does with fewer. */
static int
crowd_tokens(void)
{
	const char *text = getenv("RJWT_CROWD_TOKENS");
	int n = text == NULL ? 2000 : atoi(text);

	assert_true(n >= KEYS && n <= TOKENS_MAX && n % KEYS == 0);
	return n;
}

static void
crowd_config(struct fixture *f)
{
	char yaml[64];

	snprintf(yaml, sizeof(yaml), "max_tokens_per_key: %d\n", crowd_tokens() / KEYS);
	fixture_config(f, yaml);
}

static int tell_token = -1; /* where a byte is written for each token; -1: nowhere */

/* One process's share. A line for each token, in one write: top/list. */
static int
mint_share(struct fixture *f, int i)
{
	struct rjwt_options options = fixture_options(f);
	int share = crowd_tokens() / CROWD + (i < crowd_tokens() % CROWD);
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/list", f->top);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || rjwt_open(&options, &f->h, NULL) != RJWT_OK)
		return 3;
	for (int n = 0; n < share; n++) {
		struct rjwt_token token;
		char line[1024];
		int length;

		if (rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice", .reusable = true }, &token, NULL) !=
		    RJWT_OK)
			return 2;
		length = snprintf(line, sizeof(line), "%s %s\n", token.kid, token.text);
		if (write(fd, line, (size_t)length) != length)
			return 4;
		if (tell_token >= 0 && write(tell_token, ".", 1) != 1)
			return 5;
		rjwt_token_clear(&token);
	}
	return 0;
}

/* The tokens of the list, which all verify; none of a key has more than its limit. */
static int
check_list(struct fixture *f)
{
	static int count[2 * TOKENS_MAX];
	int total = 0, version, most = crowd_tokens() / KEYS;
	char line[1024], token[1000], path[200];
	FILE *list;

	memset(count, 0, sizeof(count));
	snprintf(path, sizeof(path), "%s/list", f->top);
	list = fopen(path, "re");
	assert_non_null(list);
	while (fgets(line, sizeof(line), list) != NULL) {
		assert_int_equal(sscanf(line, "B.%d %999s", &version, token), 2);
		assert_in_range(version, 1, 2 * TOKENS_MAX - 1);
		total++;
		if (++count[version] > most)
			fail_msg("B.%d signed more than %d tokens", version, most);
		want(line, judge(f, token, 0, NULL), RJWT_OK);
	}
	fclose(list);
	return total;
}

/* max_tokens_per_key is exact across processes: 5 meant 50 in the reference. */
static void
test_limit_is_exact(void **state)
{
	struct fixture *f = *state;

	crowd_config(f);
	assert_int_equal(crowd(f, CROWD, mint_share, 0), CROWD);
	assert_int_equal(check_list(f), crowd_tokens());
	assert_true(keyset_get(f).active.version >= KEYS);
}

/*
 * Of those who mint three of four are killed, anywhere: a ticket that was taken for nothing is lost, and none is
 * given out twice. How many tokens have passed tells when; the seed tells whom.
 */
static void
test_limit_with_kills(void **state)
{
	struct fixture *f = *state;
	unsigned seed = (unsigned)getpid();
	int ends[2], told = 0, killed = 0, ended = 0, status;
	pid_t pids[CROWD];
	char c;

	print_message("# seed %u\n", seed);
	srand(seed);
	crowd_config(f);
	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < CROWD; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			close(ends[0]);
			tell_token = ends[1];
			_exit(mint_share(f, i));
		}
	}
	close(ends[1]);
	while (read(ends[0], &c, 1) == 1) { /* until the last of them has ended */
		int i = rand() % CROWD;

		told++;
		if (rand() % (crowd_tokens() / CROWD) == 0 && killed < CROWD * 3 / 4 && pids[i] > 0) {
			assert_int_equal(kill(pids[i], SIGKILL), 0);
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0); /* just before */
			killed += WIFSIGNALED(status);
			pids[i] = 0;
		}
	}
	close(ends[0]);
	for (int i = 0; i < CROWD; i++) {
		if (pids[i] == 0)
			continue;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		ended++;
	}
	assert_true(killed > 0 && ended > 0);
	assert_in_range(check_list(f), told, crowd_tokens());
	/* What they leave prevents nobody. */
	free(minted(f, "alice"));
	rotate(f);
	free(minted(f, "alice"));
}

static void
test_limit_one_process(void **state)
{
	static const char *const kids[] = { "B.1", "B.1", "B.1", "B.2", "B.2", "B.2", "B.3" };
	struct fixture *f = *state;
	struct rjwt_token token;

	fixture_config(f, "max_tokens_per_key: 3\nrotate_every: 0\n");
	for (size_t i = 0; i < ARRAY_LEN(kids); i++) {
		want("mint", rjwt_mint(f->h, &(struct rjwt_request){ .user = "a" }, &token, &f->diag), RJWT_OK);
		assert_string_equal(token.kid, kids[i]);
		rjwt_token_clear(&token);
	}
	/* A count that is lost is used up, and never begun again. */
	file_gone(f, "private/3.minted");
	want("no count", rjwt_mint(f->h, &(struct rjwt_request){ .user = "a" }, &token, &f->diag), RJWT_OK);
	assert_string_equal(token.kid, "B.4");
	rjwt_token_clear(&token);
}

static int told = -1; /* where a child tells what flock(2) said: g got it, w must wait */

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);

int
__wrap_flock(int fd, int operation)
{
	int ret = __real_flock(fd, operation);

	if (told >= 0 && write(told, ret == 0 ? "g" : "w", 1) != 1)
		_exit(4);
	return ret;
}

/* The next of a child's words that is another than last. */
static char
next_word(int from, char last)
{
	struct pollfd poll_from = { .fd = from, .events = POLLIN };
	char word = last;

	while (word == last) {
		assert_int_equal(poll(&poll_from, 1, 20000), 1);
		assert_true(read(from, &word, 1) == 1);
	}
	return word;
}

/* A reader takes no lock, a writer waits for it. */
static void
test_lock(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	RJWT_CLEAN(free_clean) char *other = NULL;
	RJWT_CLEAN(free_clean) char *jwks = NULL;
	int ends[2], lock, status;
	char path[256];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/private/lock", f->state);
	lock = open(path, O_RDWR | O_CLOEXEC);
	assert_true(lock >= 0);
	assert_int_equal(flock(lock, LOCK_EX), 0);
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(lock);
		told = ends[1];
		status = rjwt_rotate(f->h, 0, &(struct rjwt_change){ 0 }, NULL) == RJWT_OK ? 0 : 2;
		_exit(write(told, "d", 1) == 1 ? status : 3);
	}
	assert_int_equal(next_word(ends[0], 0), 'w');
	want("verify", judge(f, token, 0, NULL), RJWT_OK);
	other = minted(f, NULL);
	want("of now", judge(f, other, 0, NULL), RJWT_OK);
	want("jwks", rjwt_jwks(f->h, &jwks, NULL, NULL), RJWT_OK);
	assert_int_equal(keyset_get(f).active.version, 1);
	assert_int_equal(close(lock), 0);
	assert_int_equal(next_word(ends[0], 'w'), 'g');
	assert_int_equal(next_word(ends[0], 'g'), 'd');
	assert_true(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(keyset_get(f).active.version, 2);
	assert_true(
	    file_has(f, "private/lock", "(test_concurrency)") || file_has(f, "private/lock", "(lt-test_concurrency)"));
	close(ends[0]);
	close(ends[1]);
}

/* After a restart the reference signed with version 1 again, count and schedule lost. */
static void
test_restart_goes_on(void **state)
{
	struct fixture *f = *state;
	struct rjwt_token token;

	clock_run(100);
	rotate(f);
	for (int i = 0; i < 3; i++) {
		fixture_config(f, "base_kid: B\nmax_tokens_per_key: 2\n");
		want("mint", rjwt_mint(f->h, &(struct rjwt_request){ .user = "a" }, &token, &f->diag), RJWT_OK);
		assert_string_equal(token.kid, i < 2 ? "B.2" : "B.3");
		rjwt_token_clear(&token);
	}
	assert_true(keyset_get(f).active.since_s == T0 + 100);
}

#define USES 40

/* A login by a token with uses, once wait is closed; the number of the use is told in one byte. */
static void
log_in(struct fixture *f, int wait, int tell)
{
	struct rjwt_options options = fixture_options(f);
	char uses[8];
	struct rjwt_verdict v;
	unsigned char number;
	char *token;

	snprintf(uses, sizeof(uses), "%d", USES);
	token = token_with(f, (const struct edit[]){ CLAIM("uses", uses), END });
	if (rjwt_open(&options, &f->h, NULL) != RJWT_OK || read(wait, &number, 1) != 0)
		_exit(3);
	if (judge(f, token, 0, &v) != RJWT_OK)
		_exit(v.reason == RJWT_SPENT ? 0 : 2);
	number = (unsigned char)v.used;
	_exit(write(tell, &number, 1) == 1 ? 0 : 4);
}

/* One more use that somebody was told; none is told twice. */
static void
count_use(bool used[static USES + 1], int number)
{
	assert_in_range(number, 1, USES);
	if (used[number])
		fail_msg("use %d was given to two", number);
	used[number] = true;
}

/* 64 logins at once, of which up to 48 are killed, while the others are told their uses; how many were. */
static int
log_in_with_kills(struct fixture *f, bool used[static USES + 1])
{
	int start[2], ends[2], killed = 0, status;
	pid_t pids[64];
	unsigned char number;

	assert_int_equal(pipe(start), 0);
	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < 64; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			close(start[1]);
			log_in(f, start[0], ends[1]);
		}
	}
	close(ends[1]);
	close(start[1]);
	for (int i = 0; i < 48; i++) {
		assert_int_equal(kill(pids[i], SIGKILL), 0);
		if (i % 3 == 2 && read(ends[0], &number, 1) == 1)
			count_use(used, number);
		usleep((useconds_t)(rand() % 300));
	}
	while (read(ends[0], &number, 1) == 1)
		count_use(used, number);
	close(ends[0]);
	close(start[0]);
	for (int i = 0; i < 64; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFSIGNALED(status) ? i < 48 : WEXITSTATUS(status) == 0);
		killed += WIFSIGNALED(status);
	}
	return killed;
}

/* A killed login may have used what nobody was told; no use is given twice, and no other is lost. */
static void
test_uses_with_kills(void **state)
{
	struct fixture *f = *state;
	unsigned seed = (unsigned)getpid();
	char uses[8];
	bool used[USES + 1] = { false };
	int killed, n = 0, more = 0;
	RJWT_CLEAN(free_clean) char *token = NULL;
	struct rjwt_verdict v;

	print_message("# seed %u\n", seed);
	srand(seed);
	killed = log_in_with_kills(f, used);
	assert_true(killed > 0);
	snprintf(uses, sizeof(uses), "%d", USES);
	token = token_with(f, (const struct edit[]){ CLAIM("uses", uses), END });
	while (judge(f, token, 0, &v) == RJWT_OK) {
		count_use(used, (int)v.used);
		rjwt_verdict_clear(&v);
		more++;
	}
	want("then", v.reason, RJWT_SPENT);
	rjwt_verdict_clear(&v);
	for (int i = 1; i <= USES; i++)
		n += used[i];
	print_message("# %d killed, %d told, %d of them afterwards\n", killed, n, more);
	assert_true(n + killed >= USES && n <= USES); /* more may be killed than there are uses */
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_crowd_rotates_once), T(test_crowd_mints_when_due),
		T(test_limit_is_exact), T(test_limit_with_kills), T(test_limit_one_process), T(test_uses_with_kills),
		T(test_lock), T(test_restart_goes_on) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
