/* SPDX-License-Identifier: MIT */
/*
 * The refusal table by rjwt-verify: the verdicts of --lines, the walk that --explain and --json show, and that
 * nothing of a token reaches a terminal raw.
 */
#include "program.h"
#include "table.h"
#include "base/json.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <json-c/json.h>

#define FILES 4000

static struct table *t;
static char *files[FILES]; /* paths; one of each row's bad token */
static char key_file[160]; /* with SSH_KEY, as SSH_AUTH_INFO has it */

static void
write_key(void)
{
	static const char key[] = SSH_KEY " alice\n";
	int fd;

	snprintf(key_file, sizeof(key_file), "%.140s/key.pub", t->f->top);
	fd = open(key_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && write(fd, key, sizeof(key) - 1) == (ssize_t)sizeof(key) - 1);
	close(fd);
}

/* A line end belongs to no token, and one at a file's end is none of it. */
static void
write_token(size_t i)
{
	const struct buf *token = &t->rows[i].bad;
	int fd;

	assert_true(i < FILES && asprintf(&files[i], "%s/t%04zu", t->f->top, i) > 0);
	fd = open(files[i], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_true(write(fd, token->p, token->n) == (ssize_t)token->n && write(fd, "\n", 1) == 1);
	close(fd);
}

static int
setup(void **state)
{
	(void)state;
	t = table_new(clock_made_up);
	write_key();
	for (size_t i = 0; i < t->n; i++)
		write_token(i);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < t->n; i++)
		free(files[i]);
	table_free(t);
	return 0;
}

/* --- groups: rows of the same world, user and service are judged by one call ------------------ */

static bool
same_group(const struct refusal *a, const struct refusal *b)
{
	return a->world == b->world && strcmp(a->user, b->user) == 0 && strcmp(a->service, b->service) == 0 &&
	       strcmp(a->source, b->source) == 0;
}

/* The next group's rows, as indices; 0: there is none. */
static size_t
next_group(size_t *from, size_t members[static FILES])
{
	size_t n = 0;

	for (; *from < t->n && n == 0; ++*from) {
		bool seen = false;

		for (size_t i = 0; i < *from; i++)
			seen = seen || same_group(&t->rows[i], &t->rows[*from]);
		for (size_t i = *from; i < t->n && !seen; i++)
			if (same_group(&t->rows[i], &t->rows[*from]))
				members[n++] = i;
	}
	if (n > 0)
		table_world(t, t->rows[members[0]].world);
	return n;
}

static struct printed
verify_group(const struct refusal *r, const char *option, char *const paths[], size_t n, struct view input)
{
	static char *argv[FILES + 24];
	char at[24], set[] = "-j";
	char *const fixed[] = { (char[]){ "rjwt-verify" }, (char[]){ "-c" }, t->f->config, (char[]){ "--at" }, at,
		(char[]){ "--key" }, key_file, (char[]){ "--source" }, (char *)(uintptr_t)r->source, (char[]){ "-u" },
		(char *)(uintptr_t)r->user, (char[]){ "-s" }, (char *)(uintptr_t)r->service,
		(char *)(uintptr_t)option };
	size_t argc = ARRAY_LEN(fixed);

	snprintf(at, sizeof(at), "%lld", (long long)t->base_s);
	memcpy(argv, fixed, sizeof(fixed));
	if (r->world == SET) {
		argv[argc++] = set;
		argv[argc++] = t->set;
	}
	if (n > 0)
		memcpy(argv + argc, paths, n * sizeof(*paths));
	argv[argc + n] = NULL;
	return run_program(t->f, argv, input);
}

/* --- --lines ---------------------------------------------------------------------------------- */

static bool
is_line(const struct buf *token)
{
	return memchr(token->p, '\n', token->n) == NULL;
}

/* The line at *p, which moves on; ended by NUL. */
static char *
next_line(char **p)
{
	char *line = *p, *end = strchr(line, '\n');

	if (end == NULL)
		fail_msg("a line is missing behind: %s", line);
	*end = '\0';
	*p = end + 1;
	return line;
}

/* A JWK Set has no marks, and the verdict says what it is without; on the keyset everything was checked. */
static bool
says_accepted(const struct refusal *r, const char *line)
{
	static const char without[] = "accepted, without ";

	if (r->world != SET)
		return strcmp(line, "accepted") == 0;
	return strncmp(line, without, strlen(without)) == 0 && strstr(line, "revocation") != NULL;
}

static void
check_verdict(const struct refusal *r, const char *line)
{
	char begins[64];

	snprintf(begins, sizeof(begins), "rejected: %s: ", rjwt_reason(r->reason));
	if (strncmp(line, begins, strlen(begins)) != 0)
		fail_msg("%s: not \"%s\" but \"%s\"", r->name, begins, line);
}

static size_t
check_lines(const size_t *members, size_t n)
{
	RJWT_CLEAN(buf_clear) struct buf input = { 0 };
	RJWT_CLEAN(printed_clear) struct printed printed = { 0 };
	const struct refusal *first = &t->rows[members[0]];
	size_t judged = 0;
	char *p;

	for (size_t i = 0; i < n; i++) {
		const struct refusal *r = &t->rows[members[i]];

		if (!is_line(&r->bad))
			continue;
		buf_add_view(&input, buf_view(&r->bad));
		buf_adds(&input, "\n");
		buf_add_view(&input, buf_view(&r->twin));
		buf_adds(&input, "\n");
	}
	printed = verify_group(first, "--lines", NULL, 0, buf_view(&input));
	if (printed.status != 1 || printed.err.n != 0)
		fail_msg("rjwt-verify --lines: %d: %s", printed.status, printed.err.p);
	p = printed.out.p;
	for (size_t i = 0; i < n; i++) {
		const struct refusal *r = &t->rows[members[i]];
		const char *twin;

		if (!is_line(&r->bad))
			continue;
		check_verdict(r, next_line(&p));
		twin = next_line(&p);
		if (!says_accepted(r, twin))
			fail_msg("twin of %s: %s", r->name, twin);
		judged++;
	}
	assert_string_equal(p, "");
	return judged;
}

/* Twins alone: nothing was rejected, and the status says so. Their claims are shown, and may hold anything. */
static void
check_twins(const size_t *members, size_t n)
{
	RJWT_CLEAN(buf_clear) struct buf input = { 0 };
	RJWT_CLEAN(printed_clear) struct printed printed = { 0 };
	RJWT_CLEAN(printed_clear) struct printed shown = { 0 };
	char json[] = "--json", *const more[] = { json };
	size_t accepted = 0;
	char *p;

	for (size_t i = 0; i < n; i++) {
		buf_add_view(&input, buf_view(&t->rows[members[i]].twin));
		buf_adds(&input, "\n");
	}
	printed = verify_group(&t->rows[members[0]], "--lines", NULL, 0, buf_view(&input));
	if (printed.status != 0 || printed.err.n != 0)
		fail_msg("rjwt-verify --lines of twins: %d: %s%s", printed.status, printed.out.p, printed.err.p);
	p = printed.out.p;
	for (size_t i = 0; i < n; i++)
		if (!says_accepted(&t->rows[members[i]], next_line(&p)))
			fail_msg("rjwt-verify --lines of twins: %s: %s", t->rows[members[i]].name, printed.out.p);
	assert_string_equal(p, "");
	shown = verify_group(&t->rows[members[0]], "--lines", more, 1, buf_view(&input));
	for (p = shown.out.p; (p = strstr(p, "{\"verdict\":\"accepted\",\"reason\":\"ok\"")) != NULL; p++)
		accepted++;
	if (shown.status != 0 || accepted != n || unsafe_text(buf_view(&shown.out)) != NULL)
		fail_msg("rjwt-verify --json of twins: %d: %s", shown.status, shown.out.p);
}

static void
test_lines(void **state)
{
	static size_t members[FILES];
	size_t from = 0, n, judged = 0, groups = 0;

	(void)state;
	while ((n = next_group(&from, members)) > 0) {
		judged += check_lines(members, n);
		check_twins(members, n);
		groups++;
	}
	printf("# %zu tokens refused as lines of %zu streams\n", judged, groups);
	assert_true(judged > t->n - 50);
}

/* --- --explain and --json --------------------------------------------------------------------- */

static const char *
word_of(enum rjwt_outcome outcome)
{
	static const char *const words[] = { [RJWT_NOT_REACHED] = "not reached",
		[RJWT_PASSED] = "passed",
		[RJWT_FAILED] = "failed",
		[RJWT_NOT_CHECKED] = "not checked" };

	return words[outcome];
}

static struct rjwt_check trace[RJWT_CHECKS_MAX]; /* of the last verdict of the library */

static void
library_verdict(const struct refusal *r, struct rjwt_verdict *v)
{
	const struct rjwt_attempt attempt = { .token = r->bad.p,
		.len = r->bad.n,
		.user = r->user,
		.service = r->service,
		.auth_info = SSH_AUTH_INFO,
		.source = r->source,
		.flags = RJWT_DRY_RUN,
		.trace = trace,
		.trace_max = RJWT_CHECKS_MAX };

	want(r->name, rjwt_verify(t->f->h, &attempt, v, &t->f->diag), r->reason);
}

/* Behind "FILE: ", where there are several. */
static char *
behind_name(size_t i, size_t n, char *line)
{
	size_t length = strlen(files[i]);

	if (n == 1)
		return line;
	if (strncmp(line, files[i], length) != 0 || strncmp(line + length, ": ", 2) != 0)
		fail_msg("not of %s: %s", files[i], line);
	return line + length + 2;
}

/* A line of a group that is not the one that failed: none of its checks failed. */
static void
check_other_group(const struct refusal *r, const struct rjwt_verdict *v, const char *line)
{
	char group[8] = "";
	unsigned reached = 0;

	if (sscanf(line, " %*s %7s", group) != 1)
		fail_msg("%s: no group in: %s", r->name, line);
	for (size_t i = 0; i < v->nchecks; i++) {
		if (strcmp(trace[i].group, group) != 0)
			continue;
		reached += trace[i].outcome != RJWT_NOT_REACHED;
		if (trace[i].outcome == RJWT_FAILED)
			fail_msg("%s: %s failed, and is shown as: %s", r->name, trace[i].name, line);
	}
	if (reached == 0)
		fail_msg("%s: nothing was looked at for: %s", r->name, line);
}

static void
check_failed_group(const struct refusal *r, const struct rjwt_check *failed, const char *line)
{
	char begins[80];

	snprintf(begins, sizeof(begins), "  FAIL  %-7s %s: ", failed->group, rjwt_reason(r->reason));
	if (strncmp(line, begins, strlen(begins)) != 0)
		fail_msg("%s: not \"%s\" but \"%s\"", r->name, begins, line);
	if (failed->expected[0] != '\0' && strstr(line, ": expected ") == NULL)
		fail_msg("%s: does not say what was expected: %s", r->name, line);
}

/* The rest of its group by their codes, and the groups behind it. */
static void
check_not_reached(const struct refusal *r, const struct rjwt_verdict *v, const struct rjwt_check *failed,
    const char *line)
{
	char word[40], padded[512];

	snprintf(padded, sizeof(padded), "%s ", line);
	for (size_t i = 0; i < v->nchecks; i++) {
		if (trace[i].outcome != RJWT_NOT_REACHED)
			continue;
		snprintf(word, sizeof(word), " %s ",
		    strcmp(trace[i].group, failed->group) == 0 ? rjwt_reason(trace[i].code) : trace[i].group);
		if (strstr(padded, word) == NULL)
			fail_msg("%s: no%sin: %s", r->name, word, line);
	}
}

/* Groups that are good, the one that failed with what to do, and what was not reached; longer lines go on below. */
static void
check_explained(const struct refusal *r, const struct rjwt_verdict *v, char **p)
{
	const struct rjwt_check *failed = NULL;
	unsigned fails = 0, fixes = 0;

	for (size_t i = 0; i < v->nchecks; i++)
		if (trace[i].outcome == RJWT_FAILED)
			failed = &trace[i];
	assert_non_null(failed);
	while (strncmp(*p, "  ", 2) == 0) {
		const char *line = next_line(p);

		if (strncmp(line, "  FAIL  ", 8) == 0) {
			check_failed_group(r, failed, line);
			fails++;
		} else if (strncmp(line, "  -     not reached: ", 21) == 0) {
			check_not_reached(r, v, failed, line);
		} else if (strncmp(line, "        fix: ", 13) == 0) {
			fixes++;
		} else if (line[2] != ' ') {
			check_other_group(r, v, line);
		}
	}
	if (fails != 1 || fixes != 1)
		fail_msg("%s: %u groups failed, %u fixes", r->name, fails, fixes);
}

static const char *
string_of(struct json_object *object, const char *name)
{
	struct json_object *member = NULL;

	if (!json_object_object_get_ex(object, name, &member) || !json_object_is_type(member, json_type_string))
		fail_msg("no string %s in %s", name, json_object_to_json_string(object));
	return json_object_get_string(member);
}

static void
check_member(const struct refusal *r, struct json_object *object, const char *name, const char *wanted)
{
	if (strcmp(string_of(object, name), wanted) != 0)
		fail_msg("%s: %s is %s, not %s", r->name, name, string_of(object, name), wanted);
}

/* The payload's value, where it was let out and is JSON; nothing, where it was not. */
static void
check_claims(const struct refusal *r, const struct rjwt_verdict *v, struct json_object *claims)
{
	struct json_object *wanted = NULL;
	bool minus_zero;

	if (v->claims != NULL && json_scan((struct view){ v->claims, v->claims_len }, &minus_zero, NULL) == RJWT_OK)
		wanted = json_tokener_parse(v->claims);
	else
		wanted = json_object_new_object();
	if (json_object_equal(claims, wanted) == 0)
		fail_msg("%s: claims are %s", r->name, json_object_to_json_string(claims));
	json_object_put(wanted);
}

static void
check_json(const struct refusal *r, const struct rjwt_verdict *v, const char *text)
{
	struct json_object *object = json_tokener_parse(text), *checks = NULL, *claims = NULL;

	if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, "checks", &checks) ||
	    !json_object_object_get_ex(object, "claims", &claims) || !json_object_is_type(checks, json_type_array))
		fail_msg("%s: no such JSON: %s", r->name, text);
	check_member(r, object, "verdict", "rejected");
	check_member(r, object, "reason", rjwt_reason(r->reason));
	assert_int_equal(json_object_array_length(checks), v->nchecks);
	for (size_t i = 0; i < v->nchecks; i++) {
		struct json_object *check = json_object_array_get_idx(checks, i);

		check_member(r, check, "check", trace[i].name);
		check_member(r, check, "outcome", word_of(trace[i].outcome));
		check_member(r, check, "code", rjwt_reason(trace[i].code));
		if (trace[i].outcome == RJWT_NOT_REACHED) {
			check_member(r, check, "expected", "");
			check_member(r, check, "found", "");
		}
	}
	check_claims(r, v, claims);
	json_object_put(object);
}

/* One call for all of a group, each token in a file of its own: so it may hold anything. */
static void
check_group(const size_t *members, size_t n, bool json)
{
	static char *paths[FILES];
	RJWT_CLEAN(printed_clear) struct printed printed = { 0 };
	const char *unsafe;
	char *p;

	for (size_t i = 0; i < n; i++)
		paths[i] = files[members[i]];
	printed = verify_group(&t->rows[members[0]], json ? "--json" : "--explain", paths, n, (struct view){ "", 0 });
	if (printed.status != 1 || printed.err.n != 0 || strlen(printed.out.p) != printed.out.n)
		fail_msg("rjwt-verify: %d: %s", printed.status, printed.err.p);
	unsafe = unsafe_text(buf_view(&printed.out));
	if (unsafe != NULL)
		fail_msg("%s in: %s", unsafe, printed.out.p);
	p = printed.out.p;
	for (size_t i = 0; i < n; i++) {
		const struct refusal *r = &t->rows[members[i]];
		char *line = behind_name(members[i], n, next_line(&p));
		struct rjwt_verdict v;

		library_verdict(r, &v);
		if (json) {
			check_json(r, &v, line);
		} else {
			check_verdict(r, line);
			check_explained(r, &v, &p);
		}
		rjwt_verdict_clear(&v);
	}
	assert_string_equal(p, "");
}

static void
check_groups(bool json)
{
	static size_t members[FILES];
	size_t from = 0, n, judged = 0;

	while ((n = next_group(&from, members)) > 0) {
		check_group(members, n, json);
		judged += n;
	}
	assert_int_equal(judged, t->n);
}

static void
test_explain(void **state)
{
	(void)state;
	check_groups(false);
}

static void
test_json(void **state)
{
	(void)state;
	check_groups(true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines), cmocka_unit_test(test_explain),
		cmocka_unit_test(test_json) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
