/* SPDX-License-Identifier: MIT */
/* The keyset on disk: what is not vouched for, torn or unsafe; tickets; shared secrets. */
#include "fixture.h"
#include "jose/alg.h"
#include "base/base64url.h"
#include "base/json.h"
#include "jose/jwk.h"
#include "jose/jws.h"
#include "jose/key.h"
#include "keyset/store.h"
#include "base/json_write.h"
#include "keyset/tickets.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void
path_of(const struct fixture *f, const char *name, char path[static 256])
{
	snprintf(path, 256, "%s/%s", f->state, name);
}

static void
test_names(void **state)
{
	static const struct {
		const char *name, *suffix;
		int64_t version;
	} rows[] = { { "1.jwk", "jwk", 1 }, { "2147483647.key", "key", 2147483647 }, { "2147483648.key", "key", 0 },
		{ "01.jwk", "jwk", 0 }, { "0.jwk", "jwk", 0 }, { "1.jwk", "key", 0 }, { "1.jwk.jwk", "jwk", 0 },
		{ "1", "jwk", 0 }, { ".jwk", "jwk", 0 }, { "-1.jwk", "jwk", 0 }, { ".new.1.jwk", "jwk", 0 },
		{ "", "jwk", 0 } };
	char name[STORE_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (store_version(rows[i].name, rows[i].suffix) != rows[i].version)
			fail_msg("%s", rows[i].name);
	store_name(name, KEYSET_VERSION_MAX, "minted");
	assert_string_equal(name, "2147483647.minted");
}

static void
test_tickets(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	int64_t number = 0;

	want("open", store_open(f->state, NULL, &store, NULL), RJWT_OK);
	for (int64_t i = 1; i <= 5; i++) {
		want("ticket", tickets_take(store, 1, 1, i % 2 == 0, &number, NULL), RJWT_OK);
		assert_true(number == i);
	}
	want("count", tickets_count(store, 1, &number, NULL), RJWT_OK);
	assert_true(number == 5);
	want("another's", tickets_count(store, 2, &number, NULL), RJWT_OK);
	assert_true(number == 0);
	want("none", tickets_take(store, 9, 1, false, &number, NULL), RJWT_IO);
	assert_false(file_there(f, "private/9.minted"));
	want("lost", tickets_count(store, 9, &number, NULL), RJWT_OK);
	assert_true(number == INT64_MAX);
}

/* --- what keyset.json does not vouch for ------------------------------------------------------ */

/* A key of somebody else's under a version of ours; it signs token. */
static char *
foreign_key(struct fixture *f, int64_t version)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };
	RJWT_CLEAN(signer_clean) struct signer *signer = NULL;
	RJWT_CLEAN(free_clean) char *ours = token_with(f, NULL);
	RJWT_CLEAN(buf_clear) struct buf claims = { 0 };
	struct jwk jwk = { .alg = alg_by_label(VIEW("ES256")),
		.published_s = T0,
		.retired_s = T0,
		.until_s = T0 + 86400 };
	char name[64], header[256], *out = NULL;
	const char *dot = strchr(ours, '.');

	want("key", key_generate(jwk.alg, 0, &jwk.key), RJWT_OK);
	snprintf(jwk.kid, sizeof(jwk.kid), "B.%lld", (long long)version);
	json_open(&text, NULL);
	want("jwk", jwk_put(&text, &jwk), RJWT_OK);
	want("seal", seal_add(&text), RJWT_OK);
	snprintf(name, sizeof(name), "keys/%lld.jwk", (long long)version);
	file_put(f, name, buf_view(&text));
	want("signer", signer_of_key(jwk.key, &signer), RJWT_OK);
	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"login+jwt\"}", jwk.kid);
	want("claims", base64url_decode((struct view){ dot + 1, strcspn(dot + 1, ".") }, &claims), RJWT_OK);
	want("sign", jws_sign(signer, view_of(header), buf_view(&claims), &token), RJWT_OK);
	want("give", buf_give(&token, &out, NULL), RJWT_OK);
	return out;
}

/* Whoever is promoted without a place to count in could not mint where there is a limit. */
static void
test_no_file_to_count_in(void **state)
{
	struct fixture *f = *state;
	char path[256];

	path_of(f, "private/2.minted", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	want("rotate", rjwt_rotate(f->h, 0, &(struct rjwt_change){ 0 }, &f->diag), RJWT_KEYSET);
	assert_non_null(strstr(f->diag.text, "private/2.minted is missing or not a file"));
	assert_int_equal(keyset_get(f).active.version, 1);
	assert_int_equal(unlink(path), 0);
	file_put(f, "private/2.minted", VIEW(""));
	rotate(f);
	assert_int_equal(keyset_get(f).active.version, 2);
}

static void
test_not_vouched_for(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *above = NULL;
	RJWT_CLEAN(free_clean) char *below = NULL;
	struct keyset k;

	rotate(f);
	k = keyset_get(f);
	k.next_version = 9;
	keyset_put(f, &k);
	f->version = 2;
	above = foreign_key(f, 4);
	want("above next", judge(f, above, 0, NULL), RJWT_KEY_UNKNOWN);
	rotate(f); /* sweeps it, and makes 9 */
	assert_false(file_there(f, "keys/4.jwk"));
	k = keyset_get(f);
	k.floor = 2;
	f->version = 3;
	keyset_put(f, &k);
	below = foreign_key(f, 1);
	want("below floor", judge(f, below, 0, NULL), RJWT_KEY_UNKNOWN);
	k.floor = 1;
	keyset_put(f, &k);
	want("the same file, vouched for", judge(f, below, 0, NULL), RJWT_OK);
}

/* What a crash or an admin left goes with the next writer, also when nothing was due. */
static void
test_garbage_is_swept(void **state)
{
	static const char *const garbage[] = { "keys/4.jwk", "keys/99.jwk", "keys/.new.2.jwk", "private/4.key",
		"private/1.key", "private/1.minted", "private/99.minted", "private/.new.x" };
	static const char *const kept[] = { "keys/README", "private/note", "private/2.key", "private/2.minted",
		"private/3.key", "keys/1.jwk", "keys/2.jwk", "keys/3.jwk" };
	struct fixture *f = *state;
	RJWT_CLEAN(buf_clear) struct buf export = { 0 };
	RJWT_CLEAN(buf_clear) struct buf again = { 0 };
	struct keyset k;

	rotate(f);
	k = keyset_get(f);
	k.next_version = 100; /* claimed by rotations that crashed */
	keyset_put(f, &k);
	for (size_t i = 0; i < ARRAY_LEN(garbage); i++)
		file_put(f, garbage[i], VIEW("garbage"));
	file_put(f, "keys/README", VIEW("kept"));
	file_put(f, "private/note", VIEW("kept"));
	export = file_get(f, "jwks.json");
	file_put(f, "jwks.json", VIEW("{}"));
	want("tick", rjwt_maintain(f->h, 0, &(struct rjwt_change){ 0 }, &f->diag), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(garbage); i++)
		if (file_there(f, garbage[i]))
			fail_msg("%s is still there", garbage[i]);
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (!file_there(f, kept[i]))
			fail_msg("%s is gone", kept[i]);
	again = file_get(f, "jwks.json");
	assert_string_equal(export.p, again.p);
	rotate(f);
	assert_int_equal(keyset_get(f).next.version, 100); /* never used twice */
}

/* --- torn, unsafe ----------------------------------------------------------------------------- */

static void
test_torn(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	RJWT_CLEAN(buf_clear) struct buf good = file_get(f, "keyset.json");
	RJWT_CLEAN(buf_clear) struct buf key = file_get(f, "keys/1.jwk");
	char path[256];

	file_put(f, "keyset.json", (struct view){ good.p, good.n / 2 });
	want("torn", judge(f, token, 0, NULL), RJWT_KEYSET);
	assert_non_null(strstr(f->diag.path, "state/keyset.json"));
	want("rotate", rjwt_rotate(f->h, 0, &(struct rjwt_change){ 0 }, &f->diag), RJWT_KEYSET);
	want("mint", rjwt_mint(f->h, &(struct rjwt_request){ .user = "a" }, &(struct rjwt_token){ 0 }, &f->diag),
	    RJWT_KEYSET);
	want("open", fixture_reopen(f), RJWT_KEYSET);
	path_of(f, "keyset.json", path);
	unlink(path);
	want("gone", fixture_reopen(f), RJWT_KEYSET);
	assert_non_null(strstr(f->diag.text, "rjwt-keyd init"));
	file_put(f, "keyset.json", buf_view(&good));
	want("put back", fixture_reopen(f), RJWT_OK);
	want("put back", judge(f, token, 0, NULL), RJWT_OK);
	for (size_t n = 0; n < key.n; n += 7) {
		file_put(f, "keys/1.jwk", (struct view){ key.p, n });
		want("open", fixture_reopen(f), RJWT_OK);
		want("a torn key", judge(f, token, 0, NULL), RJWT_KEYSET);
	}
	key.p[key.n / 3] ^= 1;
	file_put(f, "keys/1.jwk", buf_view(&key));
	want("open", fixture_reopen(f), RJWT_OK);
	want("an altered key", judge(f, token, 0, NULL), RJWT_KEYSET);
	path_of(f, "keys/1.jwk", path);
	unlink(path);
	want("a key that is gone", judge(f, token, 0, NULL), RJWT_KEY_UNKNOWN);
	want("mint", rjwt_mint(f->h, &(struct rjwt_request){ .user = "a" }, &(struct rjwt_token){ 0 }, &f->diag),
	    RJWT_KEYSET);
	assert_non_null(strstr(f->diag.text, "1.jwk is missing"));
}

static void
want_exported(struct fixture *f, const char *kid, bool wanted)
{
	RJWT_CLEAN(free_clean) char *jwks = NULL;
	char quoted[32];

	snprintf(quoted, sizeof(quoted), "\"%s\"", kid);
	want("jwks", rjwt_jwks(f->h, &jwks, NULL, &f->diag), RJWT_OK);
	if ((strstr(jwks, quoted) != NULL) != wanted || file_has(f, "jwks.json", quoted) != wanted)
		fail_msg("%s is exported, or is not: %s", kid, jwks);
}

/* OpenSSL compares public halves: with one bit of the other half wrong, it signs what nobody verifies. */
static void
test_torn_private_half(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(buf_clear) struct buf good = file_get(f, "private/1.key");
	RJWT_CLEAN(buf_clear) struct buf torn = { 0 };
	size_t at = strlen("-----BEGIN PRIVATE KEY-----\n") + 45 * 4 / 3; /* the scalar is bytes 36 to 67 of the DER */
	char *token;

	buf_add_view(&torn, buf_view(&good));
	torn.p[at] = torn.p[at] == 'A' ? 'B' : 'A';
	file_put(f, "private/1.key", buf_view(&torn));
	want("open", fixture_reopen(f), RJWT_OK);
	want("mint", rjwt_mint(f->h, &(struct rjwt_request){ .user = "a" }, &(struct rjwt_token){ 0 }, &f->diag),
	    RJWT_KEYSET);
	assert_non_null(strstr(f->diag.text, "private/1.key is not the key of keys/1.jwk"));
	file_put(f, "private/1.key", buf_view(&good));
	token = minted(f, NULL);
	want("put back", judge(f, token, 0, NULL), RJWT_OK);
	free(token);
}

/* One torn version emptied the key set of the reference: here it is that version's loss alone. */
static void
test_torn_version(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *old = token_with(f, NULL);
	RJWT_CLEAN(free_clean) char *new = NULL;
	RJWT_CLEAN(free_clean) char *newest = NULL;

	rotate(f);
	f->version = 2;
	new = token_with(f, NULL);
	want("whole", judge(f, old, 0, NULL), RJWT_OK);
	want_exported(f, "B.1", true);
	file_put(f, "keys/1.jwk", VIEW("{\"kty\":\"EC\""));
	want("open", fixture_reopen(f), RJWT_OK);
	want("of the torn one", judge(f, old, 0, NULL), RJWT_KEYSET);
	want("of another", judge(f, new, 0, NULL), RJWT_OK);
	newest = minted(f, NULL);
	want("minted", judge(f, newest, 0, NULL), RJWT_OK);
	tick(f);
	want_exported(f, "B.1", false);
	want_exported(f, "B.2", true);
	want_exported(f, "B.3", true);
	rotate(f);
	clock_step(-10); /* each retired key is dated anew, but for this one */
	rotate(f);
	want("two rotations later", judge(f, new, 0, NULL), RJWT_OK);
	want("of the torn one", judge(f, old, 0, NULL), RJWT_KEYSET);
	clock_run(86411); /* 2 and 3 are over, 4 is due */
	tick(f);
	want_exported(f, "B.1", false);
	want_exported(f, "B.5", true);
	want_exported(f, "B.6", true);
}

/* Who else could have written it? Then it is not read. */
static void
test_unsafe(void **state)
{
	static const struct {
		const char *name;
		mode_t bad, good;
	} rows[] = { { "keyset.json", 0664, 0644 }, { "keyset.json", 0646, 0444 }, { "keys/1.jwk", 0664, 0600 },
		{ "keys", 0775, 0755 }, { ".", 0757, 0755 }, { ".", 01777, 0755 }, { "..", 0720, 0700 } };
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	char path[256], other[256];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum rjwt_err err;

		path_of(f, rows[i].name, path);
		assert_int_equal(chmod(path, rows[i].bad), 0);
		err = fixture_reopen(f);
		if (err == RJWT_OK)
			err = judge(f, token, 0, NULL);
		want(rows[i].name, err == RJWT_CONFIG ? RJWT_KEYSET : err, RJWT_KEYSET);
		if (strstr(f->diag.text, "writable by its group or by others") == NULL)
			fail_msg("%s: %s", rows[i].name, f->diag.text);
		assert_int_equal(chmod(path, rows[i].good), 0);
		want(rows[i].name, fixture_reopen(f), RJWT_OK);
		want(rows[i].name, judge(f, token, 0, NULL), RJWT_OK);
	}
	path_of(f, "keyset.json", path);
	path_of(f, "moved", other);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink("moved", path), 0);
	want("a link", fixture_reopen(f), RJWT_KEYSET);
	unlink(path);
	assert_int_equal(mkfifo(path, 0644), 0);
	want("a fifo", fixture_reopen(f), RJWT_KEYSET);
	unlink(path);
	assert_int_equal(mkdir(path, 0755), 0);
	want("a folder", fixture_reopen(f), RJWT_KEYSET);
	rmdir(path);
	assert_int_equal(rename(other, path), 0);
	want("the file", fixture_reopen(f), RJWT_OK);
}

/* --- shared secrets --------------------------------------------------------------------------- */

/* jwks() published the secret in the reference. */
static void
test_hs256(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = minted(f, NULL);
	RJWT_CLEAN(buf_clear) struct buf key = file_get(f, "keys/1.jwk");
	RJWT_CLEAN(buf_clear) struct buf export = file_get(f, "jwks.json");

	assert_null(strstr(key.p, "\"k\""));
	assert_null(strstr(export.p, "kid"));
	assert_int_equal(file_mode(f, "private/1.key"), 0600);
	want("active", judge(f, token, 0, NULL), RJWT_OK);
	rotate(f);
	assert_true(file_there(f, "private/1.key")); /* it is what verifies */
	want("retired", judge(f, token, 0, NULL), RJWT_OK);
	forge(token);
	want("forged", judge(f, token, 0, NULL), RJWT_SIGNATURE);
	clock_run(86400);
	want("tick", rjwt_maintain(f->h, 0, &(struct rjwt_change){ 0 }, &f->diag), RJWT_OK);
	assert_true(file_there(f, "private/1.key"));
	clock_run(1);
	want("tick", rjwt_maintain(f->h, 0, &(struct rjwt_change){ 0 }, &f->diag), RJWT_OK);
	assert_false(file_there(f, "private/1.key") || file_there(f, "keys/1.jwk"));
}

/* A key that changes its algorithm with the configuration: the second rotation from now signs with it. */
static void
test_alg_changes(void **state)
{
	static const char *const algs[] = { "ES256", "ES256", "Ed448", "Ed448" };
	struct fixture *f = *state;
	char kid[RJWT_ID_SIZE];
	const char *alg;

	fixture_config(f, "alg: Ed448\n");
	for (size_t i = 0; i < 4; i++) {
		RJWT_CLEAN(free_clean) char *token = minted(f, NULL);

		want("current", rjwt_current_key(f->h, kid, &alg, &f->diag), RJWT_OK);
		assert_string_equal(alg, algs[i]);
		want(alg, judge(f, token, 0, NULL), RJWT_OK);
		rotate(f);
		want(alg, judge(f, token, 0, NULL), RJWT_OK);
	}
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_names), T(test_tickets), T(test_no_file_to_count_in),
		T(test_not_vouched_for), T(test_garbage_is_swept), T(test_torn), T(test_torn_private_half),
		T(test_torn_version), T(test_unsafe),
		cmocka_unit_test_setup_teardown(test_hs256, fixture_setup_hs256, fixture_teardown),
		T(test_alg_changes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
