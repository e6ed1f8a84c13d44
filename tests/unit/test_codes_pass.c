/* SPDX-License-Identifier: MIT */
/* One pass over the codes: what it does, when the next one has to be, and what it says where a part of it fails. */
#include "fixture.h"
#include "base/file.h"
#include "base/file_write.h"
#include "config/config.h"
#include "keyset/codes.h"
#include "keyset/marks_write.h"
#include "keyset/parked.h"
#include "keyset/tickets.h"

#include "planned.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define HALF 1800 /* of max_lifetime, and of the life of a code's token */

static struct {
	struct fixture *f;
	struct store *store;
	struct config config;
	struct clock clock;
	struct rjwt_diag diag;
	struct event_list events;
	struct codes_found found;
	char warning[300];
	bool durable; /* how the last ticket was taken */
} now;

static struct {
	const char *name;
	unsigned turn;
} next; /* what fails in the next pass; NULL: nothing */

PLANNED(store_read_key, (struct store * store, int64_t version, struct jwk *jwk, struct rjwt_diag *diag), store,
    version, jwk, diag);
PLANNED(mark_spent_at,
    (struct marks * marks, int64_t version, const struct claims *claims, const char *scope, struct mark_uses *uses,
	struct rjwt_diag *diag),
    marks, version, claims, scope, uses, diag);
PLANNED(mark_replaced,
    (const struct dir *state, int64_t version, const struct claims *claims, const char *scope, struct rjwt_diag *diag),
    state, version, claims, scope, diag);
PLANNED(file_remove, (const struct dir *dir, const char *name, struct rjwt_diag *diag), dir, name, diag);
PLANNED(dir_sync, (const struct dir *dir, struct rjwt_diag *diag), dir, diag);
PLANNED(dir_open_at, (const struct dir *dir, const char *name, struct dir *sub, struct rjwt_diag *diag), dir, name, sub,
    diag);
PLANNED(dir_each,
    (const struct dir *dir, enum rjwt_err (*each)(void *context, const char *name), void *context,
	struct rjwt_diag *diag),
    dir, each, context, diag);
PLANNED(keyset_clock_check, (const struct rjwt_time *time, struct rjwt_diag *diag), time, diag);

WRAP(enum rjwt_err, tickets_take,
    (struct store * store, int64_t version, size_t n, bool durable, int64_t *number, struct rjwt_diag *diag))
{
	now.durable = durable;
	return fault_due(FAULT_ANY, "tickets_take") ? planned_error(diag)
						    : __real_tickets_take(store, version, n, durable, number, diag);
}

WRAP(enum rjwt_err, jws_sign, (struct signer * signer, struct view header, struct view payload, struct buf *token))
{
	return fault_due(FAULT_ANY, "jws_sign") ? planned.err : __real_jws_sign(signer, header, payload, token);
}

/* --- a keyset with codes ---------------------------------------------------------------------- */

static void
configure(const char *yaml)
{
	fixture_config(now.f, yaml);
	config_clear(&now.config);
	want("config", config_load(now.f->config, &now.config, &now.diag), RJWT_OK);
}

static void
begin(void)
{
	now.f = fixture_new("codes: [ssh]\n");
	now.clock = (struct clock){ .read = clock_made_up };
	configure("codes: [ssh]\n");
}

static void
end(void)
{
	store_close(now.store);
	config_clear(&now.config);
	fixture_free(now.f);
	memset(&now, 0, sizeof(now));
}

static void
anew(void)
{
	end();
	begin();
}

static int
setup(void **state)
{
	(void)state;
	planned_begin();
	begin();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	end();
	return 0;
}

/* Of a user, for so long; its file. */
static void
code(int64_t seconds, char name[static 100])
{
	static const char *const ssh[] = { "ssh", NULL };
	const struct rjwt_request request = { .user = "alice",
		.scope = ssh,
		.code_until_s = seconds == 0 ? 0 : clock_time.wall_s + seconds,
		.flags = RJWT_PARK };
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = { 0 };
	char plain[PARKED_CODE_SIZE], hex[DIGEST_HEX];

	want("code", rjwt_mint(now.f->h, &request, &token, &now.f->diag), RJWT_OK);
	assert_true(parked_code(view_of(token.code), plain));
	want("name", digest_hex(view_of(plain), hex), RJWT_OK);
	snprintf(name, 100, "private/parked/%s", hex);
}

/* Its token was used, and its file is there all the same, as after a crash. */
static void
use(const char *name)
{
	RJWT_CLEAN(buf_clear) struct buf text = file_get(now.f, name);
	const char *token = strchr(text.p, '\n') + 1;
	RJWT_CLEAN(free_clean) char *copy = strndup(token, strcspn(token, "\n"));

	want("login", judge(now.f, copy, 0, NULL), RJWT_OK);
	file_put(now.f, name, buf_view(&text));
}

static const struct keyset_env *
fresh_env(void)
{
	static struct keyset_env env;

	now.diag = (struct rjwt_diag){ 0 };
	env = (struct keyset_env){ &now.config.rotation, &now.clock, &now.diag, &now.events };
	store_close(now.store);
	now.store = NULL;
	want("store", store_open(now.f->state, NULL, &now.store, NULL), RJWT_OK);
	want("load", store_load(now.store, NULL), RJWT_OK);
	now.warning[0] = '\0';
	if (next.name != NULL)
		fails(next.name, next.turn, EIO);
	next.name = NULL;
	return &env;
}

/* Before a change of this kind: what was found. */
static void
before(const char *label, enum keyset_why why, size_t renewed, size_t removed, int64_t lowest, int64_t due_s)
{
	const struct codes_found *n = &now.found;
	const struct keyset_env *env = fresh_env(); /* a new now.store */

	codes_begin(now.store, env, why, &now.found, now.warning, sizeof(now.warning));
	if (n->renewed != renewed || n->removed != removed || n->lowest != lowest || n->due_s != due_s)
		fail_msg("%s: %zu renewed, %zu removed, lowest %lld, due %lld s after T0", label, n->renewed,
		    n->removed, (long long)n->lowest, (long long)(n->due_s == 0 ? 0 : n->due_s - T0));
}

/* After a revocation: the error. */
static enum rjwt_err
after(enum keyset_why why)
{
	const struct keyset_env *env = fresh_env(); /* a new now.store */

	return codes_end(now.store, env, why, &now.found);
}

static void
hear(void *context, const struct rjwt_event *event)
{
	(void)event;
	++*(size_t *)context;
}

/* --- what is found ---------------------------------------------------------------------------- */

static void
test_due(void **state)
{
	char name[100], other[100];
	size_t told = 0;

	(void)state;
	now.events = (struct event_list){ .tell = hear, .context = &told };
	before("none", WHY_DUE, 0, 0, 0, 0);
	code(100 * DAY, name);
	clock_run(10);
	before("in the middle", WHY_DUE, 0, 0, 1, T0 + HALF);
	configure("");
	before("its scope is not named", WHY_DUE, 0, 0, 0, 0);
	configure("codes: [ssh]\n");
	file_put(now.f, "fleet.json", VIEW("{}"));
	before("in a fleet", WHY_DUE, 0, 0, 0, 0);
	clock_run(HALF);
	before("in a fleet, late", WHY_DUE, 0, 0, 0, 0);
	file_gone(now.f, "fleet.json");
	assert_int_equal(now.events.n, 0);
	before("renewed", WHY_DUE, 1, 0, 1, T0 + 10 + HALF + HALF);
	events_give(&now.events);
	assert_int_equal(told, 1);
	now.events = (struct event_list){ 0 };
	assert_string_equal(now.warning, "");
	assert_false(now.durable);
	code(0, other);
	clock_run(3 * HALF);
	before("one that is not to be renewed", WHY_DUE, 1, 0, 1, T0 + 10 + 5 * HALF);
	assert_true(file_there(now.f, other));
	use(name);
	before("used", WHY_DUE, 0, 1, 0, 0);
	assert_true(!file_there(now.f, name) && file_there(now.f, other));
	code(100 * DAY, name);
	rotate(now.f);
	before("revoked", WHY_DUE, 0, 0, 1, T0 + 10 + 5 * HALF);
	file_gone(now.f, "keys/1.jwk");
	before("its key is gone", WHY_DUE, 0, 1, 0, 0);
}

/* Of two codes what is first counts, whichever file is read first. */
static void
test_two(void **state)
{
	for (int turn = 0; turn < 12; turn++) {
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };
		char name[100];

		code(100 * DAY, name);
		rotate(now.f);
		clock_run(100);
		code(100 * DAY, (char[100]){ 0 });
		text = file_get(now.f, name);
		if (turn % 2 == 0) { /* a new file is the first, or the last one, of some file systems */
			file_gone(now.f, name);
			file_put(now.f, name, buf_view(&text));
		}
		before("two", WHY_DUE, 0, 0, 1, T0 + HALF);
		anew();
	}
	(void)state;
}

/* The last token of a code ends with it, and has no half of its life. */
static void
test_last(void **state)
{
	char name[100], record[64];

	(void)state;
	code(3000, name);
	clock_run(HALF + 100);
	before("the last token", WHY_DUE, 0, 0, 1, T0 + 3000);
	clock_run(2900 - HALF);
	before("its end", WHY_DUE, 0, 1, 0, 0);
	code(4000, name);
	clock_run(HALF);
	before("one more", WHY_DUE, 1, 0, 1, clock_time.wall_s + HALF);
	snprintf(record, sizeof(record), "\"exp\":%lld,", (long long)(T0 + 3000 + 4000));
	assert_true(file_has(now.f, name, record));
	before("the last one", WHY_DUE, 0, 0, 1, T0 + 3000 + 4000);
}

/* While the clock is suspect nothing ends by it; when it has ended, the next look is not at once. */
static void
test_suspect(void **state)
{
	char name[100];

	(void)state;
	configure("codes: [ssh]\nmax_lifetime: 4h\n");
	code(3000, name);
	clock_step(2000);
	before("not yet", WHY_DUE, 0, 0, 1, T0 + 3000);
	clock_step(1000);
	before("ended", WHY_DUE, 0, 0, 1, T0 + 3060);
	assert_true(file_there(now.f, name));
}

/* Before which changes tokens are signed: not by a key that is being revoked. */
static void
test_why(void **state)
{
	static const struct {
		enum keyset_why why;
		size_t renewed;
	} rows[] = { { WHY_DUE, 1 }, { WHY_MANUAL, 1 }, { WHY_TOKEN_LIMIT, 1 }, { WHY_REVOKE_KEY, 0 },
		{ WHY_REVOKE_USER, 1 }, { WHY_REVOKE_ALL, 0 }, { WHY_COMPROMISED, 0 }, { WHY_BUMP, 1 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char name[100];
		int64_t at_s = T0 + HALF + 100;

		code(100 * DAY, name);
		clock_run(HALF + 100);
		before("why", rows[i].why, rows[i].renewed, 0, 1, rows[i].renewed ? at_s + HALF : at_s + 60);
		anew();
	}
	code(100 * DAY, (char[100]){ 0 });
	clock_run(HALF + 100);
	want("after a rotation", after(WHY_MANUAL), RJWT_OK);
	assert_int_equal(now.found.due_s, 0);
	want("after a revocation", after(WHY_REVOKE_KEY), RJWT_OK);
	assert_true(now.found.renewed == 0 && now.found.due_s == T0 + HALF + 160);
	(void)state;
}

/* --- what fails ------------------------------------------------------------------------------- */

/* The file is what it was, it is told why, and the next pass is soon. */
static void
fails_alone(const char *call, unsigned turn)
{
	char name[100], label[64];
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	snprintf(label, sizeof(label), "%s %u", call, turn);
	code(100 * DAY, name);
	text = file_get(now.f, name);
	rotate(now.f);
	clock_run(HALF + 100);
	next = (typeof(next)){ call, turn };
	before(label, WHY_DUE, 0, 0, 1, T0 + HALF + 160);
	assert_true(failed() && file_has(now.f, name, text.p));
	assert_string_equal(now.warning, "cannot renew codes: /a/path: planned");
	before(label, WHY_DUE, 1, 0, 2, T0 + HALF + 100 + HALF);
	assert_string_equal(now.warning, "");
	anew();
}

static void
test_fails(void **state)
{
	(void)state;
	fails_alone("store_read_key", 1);
	fails_alone("mark_spent_at", 1);
	fails_alone("mark_replaced", 1);
	fails_alone("dir_open_at", 1); /* private */
	fails_alone("dir_open_at", 2); /* parked */
	fails_alone("dir_each", 1);    /* what a crash left */
	fails_alone("dir_each", 2);    /* the codes */
	planned.path = "";
	code(100 * DAY, (char[100]){ 0 });
	clock_run(10);
	next = (typeof(next)){ "store_read_key", 1 };
	before("without a path, and not due", WHY_DUE, 0, 0, 1, T0 + 70);
	assert_true(failed());
	assert_string_equal(now.warning, "cannot renew codes: planned");
	next = (typeof(next)){ "keyset_clock_check", 1 };
	want("clock", after(WHY_REVOKE_USER), RJWT_KEYSET);
	assert_true(failed());
}

/* A signature, and a ticket where the count is exact; where it is not, a ticket is no condition. */
static void
test_sign_fails(void **state)
{
	char name[100];

	(void)state;
	code(100 * DAY, (char[100]){ 0 });
	clock_run(HALF);
	next = (typeof(next)){ "jws_sign", 1 };
	before("signature", WHY_DUE, 0, 0, 1, T0 + HALF + 60);
	assert_true(failed() && now.warning[0] != '\0');
	configure("codes: [ssh]\nmax_tokens_per_key: 3\n");
	next = (typeof(next)){ "tickets_take", 1 };
	before("ticket", WHY_DUE, 0, 0, 1, T0 + HALF + 60);
	assert_true(failed() && now.durable);
	assert_string_equal(now.warning, "cannot renew codes: /a/path: planned");
	before("the last ticket", WHY_DUE, 1, 0, 1, T0 + HALF + HALF);
	clock_run(HALF);
	before("none is left", WHY_DUE, 0, 0, 1, T0 + HALF + HALF + 60);
	assert_string_equal(now.warning, ""); /* the next key will sign it */
	configure("codes: [ssh]\n");
	next = (typeof(next)){ "tickets_take", 1 };
	before("not counted", WHY_DUE, 1, 0, 1, T0 + 3 * HALF);
	assert_true(failed());
	assert_string_equal(now.warning, "");
	anew();
	code(100 * DAY, name);
	rotate(now.f);
	clock_run(HALF);
	planned.err = RJWT_SPENT; /* a login was first */
	next = (typeof(next)){ "mark_replaced", 1 };
	before("used", WHY_DUE, 0, 1, 0, 0);
	assert_true(failed() && !file_there(now.f, name) && now.warning[0] == '\0');
}

/* What is not removed, or may come back, is not counted as removed. */
static void
test_remove_fails(void **state)
{
	static const char *const calls[] = { "file_remove", "dir_sync" };
	struct keyset keyset;

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		char name[100];

		code(100 * DAY, name);
		use(name);
		next = (typeof(next)){ calls[i], 1 };
		want(calls[i], after(WHY_REVOKE_USER), RJWT_KEYSET);
		assert_true(failed());
		assert_string_equal(now.diag.path, "/a/path");
		assert_true(now.found.removed == 0 && now.found.lowest == 1 && now.found.due_s == T0 + 60);
		want(calls[i], after(WHY_REVOKE_USER), RJWT_OK);
		assert_int_equal(now.found.removed, i == 0);
		assert_false(file_there(now.f, name));
		anew();
	}
	/* below floor: no version is to be kept for it */
	code(100 * DAY, (char[100]){ 0 });
	rotate(now.f);
	keyset = keyset_get(now.f);
	keyset.floor = 2;
	keyset_put(now.f, &keyset);
	next = (typeof(next)){ "file_remove", 1 };
	want("below", after(WHY_REVOKE_USER), RJWT_KEYSET);
	assert_true(failed() && now.found.lowest == 0 && now.found.due_s == T0 + 60);
	want("again", after(WHY_REVOKE_USER), RJWT_OK);
	assert_int_equal(now.found.removed, 1);
	(void)state;
}

/* One that fails hinders no other, but where memory is short; the first error is the one that is returned. */
static void
test_others(void **state)
{
	static const struct {
		enum rjwt_err which;
		size_t removed;
	} rows[] = { { RJWT_IO, 1 }, { RJWT_MEMORY, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char one[100], other[100];

		code(100 * DAY, one);
		code(100 * DAY, other);
		use(one);
		use(other);
		planned.err = rows[i].which;
		next = (typeof(next)){ "store_read_key", 1 };
		want("first", after(WHY_REVOKE_USER), rows[i].which);
		assert_true(failed());
		assert_int_equal(now.found.removed, rows[i].removed);
		want("again", after(WHY_REVOKE_USER), RJWT_OK);
		assert_int_equal(now.found.removed, 2 - rows[i].removed);
		anew();
	}
	(void)state;
}

/* No descriptor is left open. */
static void
test_descriptors(void **state)
{
	int first, then;

	(void)state;
	code(100 * DAY, (char[100]){ 0 });
	(void)fresh_env();
	first = open("/dev/null", O_RDONLY | O_CLOEXEC);
	codes_begin(now.store, &(struct keyset_env){ &now.config.rotation, &now.clock, &now.diag, NULL }, WHY_DUE,
	    &now.found, now.warning, sizeof(now.warning));
	then = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(first >= 0 && then == first + 1);
	(void)close(first);
	(void)close(then);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = { T(test_due), T(test_two), T(test_last), T(test_suspect), T(test_why),
		T(test_fails), T(test_sign_fails), T(test_remove_fails), T(test_others), T(test_descriptors) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
