/* SPDX-License-Identifier: MIT */
/*
 * The refusal table given to pam_rjwt.so by an application that speaks PAM: what the application is told, what is
 * logged, what is asked, and what is left for the module below. The module asks the system for the time, and is told
 * the one in which this program began: rows are made once, and a slow machine must not change what they are.
 */
#include "program.h"
#include "table.h"
#include "jose/alg.h"
#include "base/base64url.h"

#include "prompt.h"
#include "pam_driver.h"

#include <dlfcn.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The call that fills a struct timespec as the headers have it. */
#if defined SYS_clock_gettime64 && _TIME_BITS == 64
#define GETTIME SYS_clock_gettime64
#else
#define GETTIME SYS_clock_gettime
#endif

static struct table *t;
static struct timespec wall, boot; /* as they stood at the beginning */

/* In the place of libc's, for the module too: the program exports it. */
__attribute__((visibility("default"))) int
clock_gettime(clockid_t id, struct timespec *now)
{
	const struct timespec *stopped = id == CLOCK_REALTIME ? &wall : id == CLOCK_BOOTTIME ? &boot : NULL;

	if (stopped == NULL || stopped->tv_sec == 0)
		return (int)syscall(GETTIME, id, now);
	*now = *stopped;
	return 0;
}

/* It comes from elsewhere: a second may have begun. */
__attribute__((visibility("default"))) time_t
time(time_t *at)
{
	struct timespec now = wall;

	if (now.tv_sec == 0)
		(void)syscall(GETTIME, CLOCK_REALTIME, &now);
	if (at != NULL)
		*at = now.tv_sec;
	return now.tv_sec;
}

/* Two thousand logins load it and unload it; whether that leaves something is test_host_process's subject. */
static void
keep_loaded(const char *module)
{
	const char *build = getenv("RJWT_BUILD");
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", build == NULL ? "." : build, module);
	if (dlopen(path, RTLD_NOW | RTLD_LOCAL) == NULL)
		fail_msg("%s", dlerror());
}

static int
setup(void **state)
{
	struct timespec now[2];

	keep_loaded("pam_rjwt.so");
	keep_loaded("tests/unit/pam_probe.so");

	(void)state;
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &now[0]) | clock_gettime(CLOCK_BOOTTIME, &now[1]), 0);
	wall = now[0];
	boot = now[1];
	t = table_new(NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	table_free(t);
	return 0;
}

/* A reply is a string, and the module takes the blanks around a long one off: test_login.c has those. */
static bool
can_be_typed(const struct refusal *r)
{
	static const char blanks[] = " \t\r\n";
	const struct buf *reply = &r->bad;

	if (r->world == SET || memchr(reply->p, '\0', reply->n) != NULL)
		return false;
	return reply->n < REPLY_LONG ||
	       (strchr(blanks, reply->p[0]) == NULL && strchr(blanks, reply->p[reply->n - 1]) == NULL);
}

/* As the module tells a token from a password: what a prompt may have cut counts, too. */
static bool
looks_like_token(const struct buf *reply)
{
	const char *dot = strchr(reply->p, '.');

	return reply->n >= REPLY_LONG && strncmp(reply->p, "eyJ", 3) == 0 &&
	       ((dot != NULL && strchr(dot + 1, '.') != NULL) || rjwt_prompt_cuts(reply->n));
}

static unsigned
lines_in_log(void)
{
	unsigned n = 0;

	for (const char *p = driver_log.p; (p = strchr(p, '\n')) != NULL; p++)
		n++;
	return n;
}

static bool
told(const struct refusal *r)
{
	const struct rjwt_attempt attempt = { .token = r->bad.p,
		.len = r->bad.n,
		.user = r->user,
		.service = r->service,
		.auth_info = SSH_AUTH_INFO,
		.source = r->source,
		.flags = RJWT_DRY_RUN };
	struct rjwt_verdict v;
	bool tell;

	want(r->name, rjwt_verify(t->f->h, &attempt, &v, &t->f->diag), r->reason);
	tell = v.tell;
	rjwt_verdict_clear(&v);
	return tell;
}

/* Nothing of it in the log, no word for the user unless it is genuine and theirs, and not left as a password. */
static void
check_token(const struct refusal *r, const struct talk *talk, const char *authtok)
{
	char begins[80];

	snprintf(begins, sizeof(begins), "rejected reason=%s user=%s ", rjwt_reason(r->reason), r->user);
	if (lines_in_log() != 1 || strstr(driver_log.p, begins) == NULL)
		fail_msg("%s: no \"%s\" in: %s", r->name, begins, driver_log.p);
	if (strstr(driver_log.p, r->bad.p) != NULL || strstr(driver_log.p, strrchr(r->bad.p, '.')) != NULL)
		fail_msg("%s: the token is logged: %s", r->name, driver_log.p);
	if (unsafe_text(buf_view(&driver_log)) != NULL)
		fail_msg("%s: %s in: %s", r->name, unsafe_text(buf_view(&driver_log)), driver_log.p);
	if (talk->asked != (told(r) ? 2 : 1))
		fail_msg("%s: asked %d times, at last: %s", r->name, talk->asked, talk->prompts[1]);
	if (strcmp(authtok, "-") != 0)
		fail_msg("%s: stays as a password", r->name);
}

/* A reply that is not a token may be a password: it is passed on and not logged, unless it is long. */
static void
check_password(const struct refusal *r, const struct talk *talk, const char *authtok)
{
	const char *log = r->reason == RJWT_EMPTY  ? "rejected reason=empty"
			  : r->bad.n >= REPLY_LONG ? "rejected reason=malformed"
						   : "";

	if (strstr(driver_log.p, log) == NULL || lines_in_log() != (log[0] == '\0' ? 0 : 1) || talk->asked != 1)
		fail_msg("%s: asked %d times, logged: %s", r->name, talk->asked, driver_log.p);
	if (r->bad.n > 0 && strcmp(authtok, r->bad.n < REPLY_LONG ? r->bad.p : "-") != 0)
		fail_msg("%s: %zu bytes, and passed on is %s", r->name, r->bad.n, authtok);
}

static void
connection_of(const struct refusal *r, char connection[static 80])
{
	snprintf(connection, 80, "SSH_CONNECTION=%s 4022 192.0.2.1 22", r->source);
}

static void
check_refused(const struct refusal *r)
{
	/* As sshd's password method: the same answer to every prompt. */
	char connection[80];
	const char *const environment[] = { "SSH_AUTH_INFO_0=" SSH_AUTH_INFO, connection, NULL };
	struct talk talk = { .replies = { r->bad.p, r->bad.p }, .environment = environment };
	char authtok[4096];
	int ret;

	connection_of(r, connection);
	ret = driver_login(t->f, RJWT_ALONE, r->service, r->user, &talk, authtok);
	if (ret != PAM_AUTH_ERR)
		fail_msg("%s: the module says %d", r->name, ret);
	if (looks_like_token(&r->bad))
		check_token(r, &talk, authtok);
	else
		check_password(r, &talk, authtok);
}

/* A header that begins with a blank is good, and no token to the module: nobody mints such. */
static void
check_accepted(const struct refusal *r)
{
	char connection[80];
	const char *const environment[] = { "SSH_AUTH_INFO_0=" SSH_AUTH_INFO, connection, NULL };
	struct talk talk = { .replies = { r->twin.p }, .environment = environment };
	char authtok[4096], begins[80];
	int ret;

	connection_of(r, connection);
	ret = driver_login(t->f, RJWT_ALONE, r->service, r->user, &talk, authtok);

	if (!looks_like_token(&r->twin)) {
		if (ret != PAM_AUTH_ERR || strcmp(authtok, "-") != 0 || lines_in_log() != 1 ||
		    strstr(driver_log.p, "rejected reason=malformed") == NULL)
			fail_msg("twin of %s: the module says %d: %s", r->name, ret, driver_log.p);
		return;
	}
	snprintf(begins, sizeof(begins), "accepted user=%s service=%s ", r->user, r->service);
	if (ret != PAM_SUCCESS || strstr(driver_log.p, begins) == NULL || lines_in_log() != 1 || talk.asked != 1 ||
	    strcmp(authtok, "-") != 0 || strstr(driver_log.p, r->twin.p) != NULL)
		fail_msg("twin of %s: the module says %d: %s", r->name, ret, driver_log.p);
}

static void
test_module(void **state)
{
	unsigned refused[RULES + 1] = { 0 };
	unsigned total = 0, accepted = 0;

	(void)state;
	for (int world = 0; world < SET; world++) {
		table_world(t, (enum world)world);
		for (size_t i = 0; i < t->n; i++) {
			const struct refusal *r = &t->rows[i];

			if ((int)r->world != world || !can_be_typed(r))
				continue;
			check_refused(r);
			check_accepted(r);
			refused[r->rule]++;
			total++;
			accepted += looks_like_token(&r->twin);
		}
	}
	for (int rule = 1; rule <= RULES; rule++)
		if (refused[rule] > 0)
			printf("# rule %d: %u refused by pam_rjwt.so\n", rule, refused[rule]);
	printf("# %u tokens refused by pam_rjwt.so, and %u twins accepted\n", total, accepted);
	assert_true(total - accepted < 8);
	/* Rules 11 and 13 are of algorithms that this keyset does not have: test_algorithms. */
	for (int rule = 1; rule <= RULES; rule++)
		for (size_t i = 0; i < t->n; i++)
			if (t->rows[i].rule == rule && t->rows[i].world != SET && refused[rule] == 0)
				fail_msg("rule %d: no row was given to the module", rule);
}

/* --- keysets of other algorithms -------------------------------------------------------------- */

/* A token whose signature is of this text, by another label's way with the same key, and cut to so many bytes. */
struct way {
	const char *what, *label, *text; /* text NULL: the token's own */
	size_t less;
};

static void
make_bad(struct fixture *f, const char *label, const struct way *way, struct view input, struct buf *bad)
{
	RJWT_CLEAN(buf_clear) struct buf text = file_get(f, "private/1.key");
	RJWT_CLEAN(buf_clear) struct buf signature = { 0 };
	RJWT_CLEAN(key_clean) struct key *key = NULL;
	const char *why = "", *other = way->label == NULL ? label : way->label;

	want(why, key_private_parse(alg_by_label(view_of(other)), buf_view(&text), &key, &why), RJWT_OK);
	want(other, key_sign(key, way->text == NULL ? input : view_of(way->text), &signature), RJWT_OK);
	buf_clear(bad);
	buf_add_view(bad, input);
	buf_adds(bad, ".");
	base64url_encode(bad, (struct view){ signature.p, signature.n - way->less });
}

static void
check_algorithm(const char *label, const char *alg, const struct way *ways, size_t n)
{
	struct fixture *keep = t->f;
	struct refusal r = { .reason = RJWT_SIGNATURE, .user = "alice", .service = "sshd" };
	const struct edit edits[] = { HEADER("alg", alg), edit_time('c', "iat", t->base_s),
		edit_time('c', "exp", t->base_s + 300), { 0, NULL, NULL } };
	RJWT_CLEAN(free_clean) char *good = NULL;
	char yaml[64];

	snprintf(yaml, sizeof(yaml), "alg: %s\nrsa_bits: 2048\n", label);
	t->f = fixture_new_real(yaml);
	good = token_with(t->f, edits);
	buf_adds(&r.twin, good);
	check_accepted(&r);
	for (size_t i = 0; i < n; i++) {
		snprintf(r.name, sizeof(r.name), "%s: %s", label, ways[i].what);
		make_bad(t->f, label, &ways[i], (struct view){ good, (size_t)(strrchr(good, '.') - good) }, &r.bad);
		check_refused(&r);
	}
	buf_clear(&r.bad);
	buf_clear(&r.twin);
	fixture_free(t->f);
	t->f = keep;
}

static void
test_algorithms(void **state)
{
	static const struct way common[] = { { "of another text", NULL, "x.y", 0 }, { "a byte short", NULL, NULL, 1 },
		{ "half", NULL, NULL, 16 } },
				pss[] = { { "v1.5", "RS256", NULL, 0 }, { "another hash", "PS384", NULL, 0 },
					{ "another hash, v1.5", "RS512", NULL, 0 },
					{ "of another text", NULL, "x.y", 0 }, { "a byte short", NULL, NULL, 1 } };

	(void)state;
	check_algorithm("HS256", "\"HS256\"", common, ARRAY_LEN(common));
	check_algorithm("EdDSA", "\"EdDSA\"", common, ARRAY_LEN(common));
	check_algorithm("PS256", "\"PS256\"", pss, ARRAY_LEN(pss));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_module), cmocka_unit_test(test_algorithms) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
