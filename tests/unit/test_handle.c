/* SPDX-License-Identifier: MIT */
/* rjwt.h as a stranger's program would use it: handles, overrides, flags, status. */
#include "fixture.h"
#include "jose/alg.h"
#include "base/base64url.h"
#include "jose/provider.h"
#include "keyset/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char *const others[] = { "x", "host.example", NULL };
static const char *const elsewhere[] = { "other", NULL };

static unsigned failing; /* the failing-th calloc(3) from now; 0: none */

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *
__wrap_calloc(size_t n, size_t size)
{
	return failing > 0 && --failing == 0 ? NULL : __real_calloc(n, size);
}

static bool unready; /* libcrypto cannot be started */

enum rjwt_err __real_openssl_ready(struct rjwt_diag *diag);
enum rjwt_err __wrap_openssl_ready(struct rjwt_diag *diag);

enum rjwt_err
__wrap_openssl_ready(struct rjwt_diag *diag)
{
	return unready ? RJWT_MEMORY : __real_openssl_ready(diag);
}

/* Reason codes are words that stay, each with a sentence; verdicts stand before the rest. */
static void
test_codes(void **state)
{
	static const char *const words[] = { "ok", "empty", "too_long", "truncated", "malformed", "header", "alg",
		"kid", "key_unknown", "key_revoked", "key_retired", "signature", "typ", "claims", "user", "issuer",
		"audience", "expired", "not_yet_valid", "issued_in_future", "lifetime", "scope", "binding", "source",
		"revoked", "denied", "spent", "rule", "config", "keyset", "stale", "io", "busy", "exists", "memory",
		"usage", "internal" };

	(void)state;
	assert_int_equal(ARRAY_LEN(words), RJWT_INTERNAL + 1);
	for (int i = 0; i <= RJWT_INTERNAL; i++) {
		const char *text = rjwt_strerror((enum rjwt_err)i);

		assert_string_equal(rjwt_reason((enum rjwt_err)i), words[i]);
		assert_true(strlen(text) > 5 && text[strlen(text) - 1] != '.');
		for (int k = 0; k < i; k++)
			assert_string_not_equal(text, rjwt_strerror((enum rjwt_err)k));
		assert_true(rjwt_is_verdict((enum rjwt_err)i) == (i >= RJWT_EMPTY && i <= RJWT_RULE));
	}
}

/* What they are is said in test_alg.c. */
static void
test_supports(void **state)
{
	(void)state;
	assert_ptr_equal(rjwt_algorithms(), alg_labels());
	assert_non_null(rjwt_algorithms()[0]);
}

/* Overrides of one handle, each in its range. */
static void
test_overrides(void **state)
{
	static const int64_t zero = 0, one = 1, top = 300, above = 301, minus = -1, year = 31536000, years = 31536001,
			     day = 86400;
	static const char *const nobody_named[] = { NULL };
	static const char *const one_empty[] = { "host.example", "", NULL };
	static const char *const no_text[] = { "\xff", NULL };
	static const char *const both[] = { "other", "host.example", NULL };
	static const struct {
		struct rjwt_options options;
		enum rjwt_err open, judge;
	} rows[] = {
		{ { .issuer = NULL }, RJWT_OK, RJWT_OK },
		{ { .issuer = "iss.example" }, RJWT_OK, RJWT_OK },
		{ { .issuer = "x" }, RJWT_OK, RJWT_ISSUER },
		{ { .audience = others }, RJWT_OK, RJWT_OK },
		{ { .audience = elsewhere }, RJWT_OK, RJWT_AUDIENCE },
		{ { .typ = "login+jwt" }, RJWT_OK, RJWT_OK },
		{ { .typ = "JWT" }, RJWT_OK, RJWT_TYP },
		{ { .leeway_s = &zero }, RJWT_OK, RJWT_OK },
		{ { .leeway_s = &top }, RJWT_OK, RJWT_OK },
		{ { .leeway_s = &above }, RJWT_USAGE, RJWT_OK },
		{ { .leeway_s = &minus }, RJWT_USAGE, RJWT_OK },
		{ { .max_lifetime_s = &top }, RJWT_OK, RJWT_OK },
		{ { .max_lifetime_s = &one }, RJWT_OK, RJWT_LIFETIME },
		{ { .max_lifetime_s = &zero }, RJWT_USAGE, RJWT_OK },
		{ { .max_lifetime_s = &years }, RJWT_USAGE, RJWT_OK },
		{ { .max_lifetime_s = &year }, RJWT_OK, RJWT_OK },
		{ { .max_lifetime_s = &day }, RJWT_OK, RJWT_OK },
		{ { .state_dir = "/nonexistent" }, RJWT_KEYSET, RJWT_OK },
		{ { .typ = "" }, RJWT_USAGE, RJWT_OK },
		{ { .typ = "login+jwt\n" }, RJWT_USAGE, RJWT_OK },
		{ { .typ = "application/login+jwt" }, RJWT_OK, RJWT_OK },
		{ { .typ = "0123456789012345678901234567890123456789012345678901234567890123" }, RJWT_OK, RJWT_TYP },
		{ { .typ = "01234567890123456789012345678901234567890123456789012345678901234" }, RJWT_USAGE, RJWT_OK },
		{ { .issuer = "" }, RJWT_USAGE, RJWT_OK },
		{ { .issuer = "iss.example\n" }, RJWT_USAGE, RJWT_OK },
		{ { .issuer = "iss.example" }, RJWT_OK, RJWT_OK },
		{ { .audience = nobody_named }, RJWT_USAGE, RJWT_OK },
		{ { .audience = one_empty }, RJWT_USAGE, RJWT_OK },
		{ { .audience = no_text }, RJWT_USAGE, RJWT_OK },
		{ { .audience = both }, RJWT_OK, RJWT_OK },
	};
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rjwt_options options = rows[i].options;
		char name[16];

		snprintf(name, sizeof(name), "row %zu", i);
		options.config = f->config;
		options.now = clock_made_up;
		rjwt_close(f->h);
		f->h = NULL;
		want(name, rjwt_open(&options, &f->h, &f->diag), rows[i].open);
		if (rows[i].open == RJWT_OK)
			want(name, judge(f, token, 0, NULL), rows[i].judge);
		else
			assert_null(f->h);
	}
	rjwt_close(NULL);
}

/* Without memory there is no handle, wherever it runs out. */
static void
test_no_memory(void **state)
{
	struct fixture *f = *state;
	const struct rjwt_options options = fixture_options(f);
	unsigned k = 1, left;

	for (;; k++) {
		struct rjwt *h = NULL;
		enum rjwt_err err;

		failing = k;
		err = rjwt_open(&options, &h, &f->diag);
		left = failing;
		failing = 0;
		want("open", err, left == 0 ? RJWT_MEMORY : RJWT_OK);
		assert_true((h != NULL) == (left > 0));
		rjwt_close(h);
		if (left > 0)
			break;
	}
	assert_true(k > 1);
}

/* --- flags ------------------------------------------------------------------------------------ */

static enum rjwt_err
verify_with(struct fixture *f, int flags)
{
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);

	const struct rjwt_attempt attempt = { .token = token,
		.len = strlen(token),
		.user = "alice",
		.service = "sshd",
		.flags = flags };
	struct rjwt_verdict v;
	enum rjwt_err err = rjwt_verify(f->h, &attempt, &v, &f->diag);

	assert_true(v.reason == err);
	rjwt_verdict_clear(&v);
	return err;
}

static enum rjwt_err
mint_with(struct fixture *f, int flags)
{
	struct rjwt_token token;
	enum rjwt_err err =
	    rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice", .flags = flags }, &token, &f->diag);

	if (err == RJWT_OK)
		rjwt_token_clear(&token);
	return err;
}

static enum rjwt_err
mint_batch_with(struct fixture *f, int flags)
{
	const struct rjwt_request requests[] = { { .user = "alice" }, { .user = "alice", .flags = flags } };
	struct rjwt_minted minted[2];
	enum rjwt_err err = rjwt_mint_batch(f->h, requests, 2, minted);

	want("the other request", minted[0].err, RJWT_OK);
	want("this request", minted[1].err, err);
	rjwt_token_clear(&minted[0].token);
	rjwt_token_clear(&minted[1].token);
	return err;
}

static enum rjwt_err
rotate_with(struct fixture *f, int flags)
{
	return rjwt_rotate(f->h, flags, &(struct rjwt_change){ 0 }, &f->diag);
}

static enum rjwt_err
maintain_with(struct fixture *f, int flags)
{
	return rjwt_maintain(f->h, flags, &(struct rjwt_change){ 0 }, &f->diag);
}

static enum rjwt_err
revoke_with(struct fixture *f, int flags)
{
	const struct rjwt_revocation r = { .jti = "a2" };

	return rjwt_revoke(f->h, &r, flags, &(struct rjwt_change){ 0 }, &f->diag);
}

static enum rjwt_err
init_with(struct fixture *f, int flags)
{
	static const char *const audience[] = { "host.example", NULL };
	struct rjwt_options options = fixture_options(f);
	char new_dir[200];
	static int n;

	snprintf(new_dir, sizeof(new_dir), "%s/other%d", f->top, n++);
	options.state_dir = new_dir;
	options.issuer = "iss.example";
	options.audience = audience;
	if ((flags & RJWT_ADOPT) != 0)
		want("a keyset to adopt", rjwt_init(&options, 0, &(struct rjwt_change){ 0 }, &f->diag), RJWT_OK);
	return rjwt_init(&options, flags, &(struct rjwt_change){ 0 }, &f->diag);
}

/* Each function accepts the flags of its enum, one by one, and refuses every other bit. */
static void
test_flags(void **state)
{
	static const struct {
		const char *name;
		enum rjwt_err (*call)(struct fixture *f, int flags);
		int known;
	} rows[] = {
		{ "verify", verify_with, RJWT_VERIFY_FLAGS },
		{ "mint", mint_with, RJWT_MINT_FLAGS },
		{ "mint_batch", mint_batch_with, RJWT_MINT_FLAGS & ~RJWT_PARK }, /* a batch parks no tokens */
		{ "maintain", maintain_with, RJWT_MAINTAIN_FLAGS },
		{ "revoke", revoke_with, RJWT_REVOKE_FLAGS },
		{ "rotate", rotate_with, RJWT_ROTATE_FLAGS },
		{ "init", init_with, RJWT_INIT_FLAGS },
	};
	struct fixture *f = *state;
	char name[64], before[DIGEST_HEX], after[DIGEST_HEX];

	fixture_config(f, "");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool writes_anyway = rows[i].call == mint_batch_with;

		state_digest(f, before);
		for (unsigned bit = 0; bit < 32; bit++) {
			int flag = (int)(1U << bit);

			if ((rows[i].known & flag) != 0)
				continue;
			snprintf(name, sizeof(name), "%s with flag %u", rows[i].name, 1U << bit);
			want(name, rows[i].call(f, flag), RJWT_USAGE);
			want(name, rows[i].call(f, flag | rows[i].known), RJWT_USAGE);
		}
		state_digest(f, after);
		if (!writes_anyway && strcmp(before, after) != 0)
			fail_msg("%s: an unknown flag was refused, but something was written", rows[i].name);
		want(rows[i].name, rows[i].call(f, 0), RJWT_OK);
		for (unsigned bit = 0; bit < 31; bit++)
			if ((rows[i].known & 1 << bit) != 0)
				want(rows[i].name, rows[i].call(f, 1 << bit), RJWT_OK);
	}
}

/* The scope that a service requires: of the configuration, its own name, none where it is closed. */
static void
test_scope(void **state)
{
	struct fixture *f = *state;

	fixture_config(f, "services:\n  my-shell: ssh\n  sudo: \"\"\n");
	assert_string_equal(rjwt_scope(f->h, "sshd"), "ssh");
	assert_string_equal(rjwt_scope(f->h, "my-shell"), "ssh");
	assert_string_equal(rjwt_scope(f->h, "other"), "other");
	assert_null(rjwt_scope(f->h, "sudo"));
}

/* --- status ----------------------------------------------------------------------------------- */

static void
test_status(void **state)
{
	struct fixture *f = *state;
	struct rjwt_options options = fixture_options(f);
	char before[DIGEST_HEX], after[DIGEST_HEX];
	struct rjwt_status s;

	free(minted(f, NULL));
	clock_run(100);
	want("rotate", rjwt_rotate(f->h, 0, &(struct rjwt_change){ 0 }, &f->diag), RJWT_OK);
	free(minted(f, NULL));
	free(minted(f, NULL));
	state_digest(f, before);
	want("status", rjwt_status(&options, &s), RJWT_OK);
	state_digest(f, after);
	assert_string_equal(before, after);
	assert_int_equal(s.level, RJWT_NOTE);
	assert_int_equal(s.nkeys, 3);
	assert_string_equal(s.dir, f->state);
	assert_string_equal(s.issuer, "iss.example");
	assert_string_equal(s.audience, "host.example");
	assert_string_equal(s.keys[0].kid, "B.1");
	assert_string_equal(s.keys[0].state, "retired");
	assert_true(s.keys[0].retired_s == T0 + 100 && s.keys[0].verifies_until_s == T0 + 86500);
	assert_string_equal(s.keys[1].state, "active");
	assert_true(s.keys[1].active_since_s == T0 + 100 && s.keys[1].minted == 2);
	assert_string_equal(s.keys[2].state, "next");
	assert_true(s.keys[0].minted == -1 && s.keys[2].minted == 0);
	assert_string_equal(s.keys[2].alg, "ES256");
	assert_string_equal(s.next_event, "rotation");
	assert_true(s.next_event_s == T0 + 100 + 86400 && s.now_s == T0 + 100);
	assert_true(s.rotate_every_s == 86400 && s.previous_key_ttl_s == 86400);
	rjwt_status_clear(&s);
	clock_run(2 * 86400);
	want("status", rjwt_status(&options, &s), RJWT_OK);
	assert_int_equal(s.level, RJWT_ATTENTION); /* overdue */
	assert_string_equal(s.keys[0].state, "expired");
	rjwt_status_clear(&s);
	rjwt_status_clear(&s);
}

/* What is broken is a note, not an error. */
static void
test_status_broken(void **state)
{
	struct fixture *f = *state;
	struct rjwt_options options = fixture_options(f);
	char path[256];
	struct rjwt_status s;

	clock_step(-86400);
	want("clock", rjwt_status(&options, &s), RJWT_OK);
	assert_int_equal(s.level, RJWT_ATTENTION);
	rjwt_status_clear(&s);
	clock_reset();
	snprintf(path, sizeof(path), "%s/keys/2.jwk", f->state);
	assert_int_equal(unlink(path), 0);
	want("no next", rjwt_status(&options, &s), RJWT_OK);
	assert_int_equal(s.level, RJWT_BROKEN);
	rjwt_status_clear(&s);
	file_put(f, "keyset.json", VIEW("torn"));
	want("torn", rjwt_status(&options, &s), RJWT_OK);
	assert_int_equal(s.level, RJWT_BROKEN);
	assert_non_null(strstr(s.notes[0].diag.path, "keyset.json"));
	rjwt_status_clear(&s);
	want("open", fixture_try(f, "nonsense: 1\n", &(struct rjwt *){ NULL }), RJWT_CONFIG);
	want("config", rjwt_status(&options, &s), RJWT_OK);
	assert_int_equal(s.level, RJWT_BROKEN);
	assert_int_equal(s.notes[0].diag.line, 2);
	rjwt_status_clear(&s);
}

/* A handle that was not opened has opened nothing, so it closes nothing: zeros are the host's descriptor 0. */
static void
test_not_ready(void **state)
{
	struct fixture *f = *state;
	const struct rjwt_options options = fixture_options(f);
	struct rjwt *h;

	if (fcntl(0, F_GETFD) < 0)
		assert_int_equal(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
	unready = true;
	want("not ready", rjwt_open(&options, &h, &f->diag), RJWT_MEMORY);
	unready = false;
	assert_true(fcntl(0, F_GETFD) >= 0);
}

static bool provider_freed;

static void
free_provider(struct provider *provider)
{
	(void)provider;
	provider_freed = true;
}

/* Whoever gives a provider away has given it away also where memory ends. */
static void
test_provider_is_taken(void **state)
{
	struct fixture *f = *state;
	struct provider provider = { .free = free_provider };
	struct store *store;

	failing = 1;
	want("none given", store_open(f->state, NULL, &store, NULL), RJWT_MEMORY);
	failing = 1;
	want("given", store_open(f->state, &provider, &store, NULL), RJWT_MEMORY);
	failing = 0;
	assert_true(provider_freed);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_codes), cmocka_unit_test(test_supports),
		T(test_overrides), T(test_no_memory), T(test_not_ready),
		cmocka_unit_test_setup_teardown(test_flags, fixture_setup, fixture_teardown), T(test_scope),
		T(test_status), T(test_status_broken), T(test_provider_is_taken) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
