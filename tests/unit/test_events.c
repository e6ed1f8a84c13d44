/* SPDX-License-Identifier: MIT */
/* What happened to the keyset, as it is told: each change in its order, after the lock, also when the call fails. */
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static struct told {
	struct fixture *f;
	struct buf text;
} told;

static const char *const words[] = { [RJWT_EVENT_PUBLISHED] = "published",
	[RJWT_EVENT_PROMOTED] = "promoted",
	[RJWT_EVENT_RETIRED] = "retired",
	[RJWT_EVENT_ERASED] = "erased",
	[RJWT_EVENT_REMOVED] = "removed",
	[RJWT_EVENT_CLOCK] = "clock",
	[RJWT_EVENT_WARNING] = "warning" };

/* Whoever is told may wait: the lock must be free by then. */
static void
check_unlocked(const struct fixture *f)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/private/lock", f->state);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
}

static void
tell(void *context, const struct rjwt_event *event)
{
	struct told *t = context;

	check_unlocked(t->f);
	buf_addf(&t->text, "%s", words[event->kind]);
	if (event->kid[0] != '\0')
		buf_addf(&t->text, " %s", event->kid);
	if (event->alg != NULL)
		buf_addf(&t->text, " %s", event->alg);
	if (event->cause != NULL)
		buf_addf(&t->text, " %s", event->cause);
	if (event->until_s != 0)
		buf_addf(&t->text, " T0+%lld", (long long)(event->until_s - T0));
	if (event->by_s != 0)
		buf_addf(&t->text, " by %lld", (long long)event->by_s);
	if (event->text[0] != '\0')
		buf_addf(&t->text, " %s", event->text);
	buf_adds(&t->text, "; ");
}

static void
said(const char *expected)
{
	assert_string_equal(told.text.p == NULL ? "" : told.text.p, expected);
	buf_clear(&told.text);
}

static struct rjwt_options
options_told(struct fixture *f)
{
	struct rjwt_options options = fixture_options(f);

	told.f = f;
	options.event = tell;
	options.event_context = &told;
	return options;
}

static void
reopen(struct fixture *f)
{
	const struct rjwt_options options = options_told(f);

	rjwt_close(f->h);
	f->h = NULL;
	want("open", rjwt_open(&options, &f->h, &f->diag), RJWT_OK);
}

static struct rjwt_change
revoked(struct fixture *f, struct rjwt_revocation what)
{
	struct rjwt_change change;

	want("revoke", rjwt_revoke(f->h, &what, 0, &change, &f->diag), RJWT_OK);
	return change;
}

static void
test_rotations(void **state)
{
	struct fixture *f = *state;
	struct rjwt_change change;

	reopen(f);
	want("not due", rjwt_maintain(f->h, 0, &change, &f->diag), RJWT_OK);
	said("");
	want("dry run", rjwt_rotate(f->h, RJWT_DRY_RUN, &change, &f->diag), RJWT_OK);
	said("");
	(void)rotate(f);
	said("published B.3 ES256; promoted B.2 manual; retired B.1 T0+86400; erased B.1; ");
	clock_run(DAY);
	(void)tick(f);
	said("published B.4 ES256; promoted B.3 time; retired B.2 T0+172800; erased B.2; ");
	clock_run(DAY);
	(void)tick(f);
	said("published B.5 ES256; promoted B.4 time; retired B.3 T0+259200; erased B.3; removed B.1; ");
}

static void
test_revocations(void **state)
{
	struct fixture *f = *state;

	reopen(f);
	(void)revoked(f, (struct rjwt_revocation){ .kid = "B.2" });
	said("published B.3 ES256; erased B.2; ");
	(void)revoked(f, (struct rjwt_revocation){ .kid = "B.1" });
	said("published B.4 ES256; promoted B.3 revoke; erased B.1; ");
	(void)revoked(f, (struct rjwt_revocation){ .users = (const char *const[]){ "alice", NULL } });
	said("published B.5 ES256; promoted B.4 revoke; retired B.3 T0+86400; erased B.3; ");
	(void)revoked(f, (struct rjwt_revocation){ .jti = "abc" });
	said("");
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What is swept out of a directory comes in the order of the directory. */
static void
said_of_all(const char *first, const char *const *rest, size_t n)
{
	char *parts[16], *p = told.text.p;
	size_t found = 0;

	assert_non_null(p);
	assert_true(strncmp(p, first, strlen(first)) == 0);
	for (p = strtok(p + strlen(first), ";"); p != NULL && strcmp(p, " ") != 0 && found < 16; p = strtok(NULL, ";"))
		parts[found++] = p + (*p == ' ');
	qsort(parts, found, sizeof(parts[0]), by_name);
	assert_int_equal(found, n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(parts[i], rest[i]);
	buf_clear(&told.text);
}

static void
test_all_keys(void **state)
{
	static const char *const compromised[] = { "erased B.1", "erased B.2", "removed B.1", "removed B.2" };
	struct fixture *f = *state;
	struct rjwt_change change;

	reopen(f);
	want("compromised", rjwt_rotate(f->h, RJWT_COMPROMISED, &change, &f->diag), RJWT_OK);
	said_of_all("published B.3 ES256; published B.4 ES256; promoted B.3 revoke; ", compromised, 4);
	(void)revoked(f, (struct rjwt_revocation){ .all = true });
	said("published B.5 ES256; promoted B.4 revoke; erased B.3; removed B.3; ");
}

/* By the last ticket, and by what the one who mints finds due. */
static void
test_mint(void **state)
{
	struct fixture *f = *state;

	fixture_config(f, "max_tokens_per_key: 1\n");
	reopen(f);
	free(minted(f, "alice"));
	said("");
	free(minted(f, "alice"));
	said("published B.3 ES256; promoted B.2 count; retired B.1 T0+86400; erased B.1; ");
	(void)tick(f);
	said("published B.4 ES256; promoted B.3 count; retired B.2 T0+86400; erased B.2; ");
	clock_run(DAY);
	free(minted(f, "alice"));
	said("published B.5 ES256; promoted B.4 time; retired B.3 T0+172800; erased B.3; ");
}

static void
test_clock(void **state)
{
	struct fixture *f = *state;

	reopen(f);
	clock_step(-3600);
	(void)tick(f);
	said("clock back by -3600; ");
	(void)tick(f);
	said("");
	clock_step(600);
	(void)tick(f);
	said("clock forward by 600; ");
}

/* What was done is told also where the call fails in the end. */
static void
test_trouble(void **state)
{
	struct fixture *f = *state;
	const struct rjwt_revocation alice = { .users = (const char *const[]){ "alice", NULL } };
	struct rjwt_change change;
	char path[200];

	reopen(f);
	snprintf(path, sizeof(path), "%s/revoked/sub", f->state);
	assert_int_equal(rmdir(path), 0);
	file_put(f, "revoked/sub", (struct view){ "", 0 });
	/* Marks of users are written after the commit. */
	assert_int_not_equal(rjwt_revoke(f->h, &alice, 0, &change, &f->diag), RJWT_OK);
	said("published B.3 ES256; promoted B.2 revoke; retired B.1 T0+86400; ");
}

/* What did not prevent a change. */
static void
test_warning(void **state)
{
	struct fixture *f = *state;
	char path[200];

	reopen(f);
	snprintf(path, sizeof(path), "%s/issued", f->state);
	assert_int_equal(rmdir(path), 0);
	file_put(f, "issued", (struct view){ "", 0 });
	(void)rotate(f);
	assert_non_null(told.text.p);
	assert_non_null(strstr(told.text.p, "erased B.1; warning cannot remove old records: "));
	buf_clear(&told.text);
}

static void
test_init(void **state)
{
	struct fixture *f = fixture_bare("base_kid: N\nissuer: i\naudience: a\n");
	struct rjwt_options options = options_told(f);
	struct rjwt_change change;

	(void)state;
	want("init", rjwt_init(&options, 0, &change, &f->diag), RJWT_OK);
	said("published N.1 ES256; published N.2 ES256; promoted N.1 init; ");
	want("again", rjwt_init(&options, 0, &change, &f->diag), RJWT_EXISTS);
	said("");
	fixture_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rotations, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_revocations, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_all_keys, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_mint, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_clock, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_trouble, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_warning, fixture_setup, fixture_teardown),
		cmocka_unit_test(test_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
