/* SPDX-License-Identifier: MIT */
/* The keyset, the JWK Set and the configurations that the table's rows are judged in. */
#include "table.h"
#include "jose/alg.h"
#include "base/base64url.h"
#include "jose/jwk.h"
#include "keyset/marks.h"
#include "base/json_write.h"
#include "keyset/marks_write.h"

#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

const char *const world_yaml[WORLDS] = {
	[PLAIN] = "",
	[TYPE_JWT] = "token_type: JWT\n",
	[SUFFIX] = "user_suffix: \"@x\"\n",
	[OTHER_CLAIM] = "user_claim: upn\n",
	[ALWAYS_ONCE] = "one_time: always\n",
	[SHORT] = "max_token_bytes: 600\n",
	[SERVICES] = "services: {su: \"\", cockpit: web}\n",
	[STRICT] = ("leeway: 0s\nmax_lifetime: 5m\nissuer: [new.example, iss.example]\n"
		    "audience: [other.example, host.example]\n"),
	[SET] = "issuer: iss.example\naudience: host.example\n",
};

_Static_assert(SHORT_BYTES == 600, "as the configuration has it");

/* --- keys ------------------------------------------------------------------------------------- */

/* takes key. */
static void
keep(struct table *t, const char *name, const char *more, struct key *key)
{
	struct signing *s = &t->keys[t->nkeys++];

	assert_true(t->nkeys <= ARRAY_LEN(t->keys));
	snprintf(s->name, sizeof(s->name), "%s%s", name, more);
	s->key = key;
}

struct key *
table_key(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->nkeys; i++)
		if (strcmp(t->keys[i].name, name) == 0)
			return t->keys[i].key;
	fail_msg("no key %s", name);
	return NULL;
}

/* While it is there: rotation destroys what has retired. */
static void
keep_version(struct table *t, int64_t version)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct key *key = NULL;
	const char *why = "";
	char file[48], name[16];

	snprintf(file, sizeof(file), "private/%lld.key", (long long)version);
	snprintf(name, sizeof(name), "%lld", (long long)version);
	text = file_get(t->f, file);
	want(why, key_private_parse(alg_by_label(VIEW("ES256")), buf_view(&text), &key, &why), RJWT_OK);
	keep(t, name, "", key);
}

/* RSA takes long to make: these two are of the RFCs' examples. */
static struct key *
rsa_of_rfc(const struct alg *alg, const char *example)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	size_t count = unit_vectors("jws.json", &json);
	struct key *key = NULL;
	const char *why = "";

	for (size_t i = 0; i < count && key == NULL; i++) {
		struct json row = json_element(json, "cases", i);

		if (strcmp(unit_text(row, "name"), example) == 0)
			want(example, key_private_parse(alg, view_of(unit_text(row, "private")), &key, &why), RJWT_OK);
	}
	assert_non_null(key);
	return key;
}

/* A key of each algorithm, and another of its type that stands nowhere. */
static void
keep_set(struct table *t)
{
	for (const char *const *label = alg_labels(); *label != NULL; label++) {
		const struct alg *alg = alg_by_label(view_of(*label));
		struct key *key = NULL, *other = NULL;

		if (strcmp(alg->kty, "RSA") == 0) {
			key = rsa_of_rfc(alg, "RFC 7515 A.2");
			other = rsa_of_rfc(alg, "RFC 7520 4.1");
		} else {
			want(*label, key_generate(alg, 0, &key), RJWT_OK);
			want(*label, key_generate(alg, 0, &other), RJWT_OK);
		}
		keep(t, *label, "", key);
		keep(t, *label, "'", other);
	}
}

/* --- the JWK Set ------------------------------------------------------------------------------ */

static void
put_key(struct buf *out, struct jwk jwk, const char *kid)
{
	RJWT_CLEAN(buf_clear) struct buf secret = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	snprintf(jwk.kid, sizeof(jwk.kid), "%s", kid);
	json_open_element(out);
	want(kid, jwk_put(out, &jwk), RJWT_OK);
	if (jwk.alg->kind == ALG_HMAC) {
		want(kid, key_private_format(jwk.key, &secret), RJWT_OK);
		base64url_encode(&text, buf_view(&secret));
		json_put_string(out, "k", buf_view(&text));
	}
	json_close(out);
}

static void
write_set(struct table *t)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	struct jwk jwk = { 0 };
	int fd;

	json_open(&out, NULL);
	json_open_array(&out, "keys");
	for (const char *const *label = alg_labels(); *label != NULL; label++) {
		jwk = (struct jwk){ .alg = alg_by_label(view_of(*label)), .key = table_key(t, *label) };
		put_key(&out, jwk, *label);
	}
	jwk = (struct jwk){ .alg = alg_by_label(VIEW("ES256")), .key = table_key(t, "ES256") };
	jwk.since_s = t->base_s + 1000;
	put_key(&out, jwk, "early");
	jwk.since_s = 0;
	jwk.until_s = t->base_s - 1000;
	put_key(&out, jwk, "late");
	jwk.until_s = 0;
	jwk.revoked_s = t->base_s - 1000;
	put_key(&out, jwk, "revoked");
	json_close_array(&out);
	json_close(&out);
	snprintf(t->set, sizeof(t->set), "%.140s/set.json", t->f->top);
	fd = open(t->set, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_true(write(fd, out.p, out.n) == (ssize_t)out.n);
	close(fd);
}

/* --- the keyset ------------------------------------------------------------------------------- */

/* A file of a key whose making did not come to its commit. */
static void
leave_behind(struct table *t)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct jwk jwk = { .kid = "B.7", .alg = alg_by_label(VIEW("ES256")), .published_s = t->base_s };

	want("key", key_generate(jwk.alg, 0, &jwk.key), RJWT_OK);
	json_open(&text, NULL);
	want("key", jwk_put(&text, &jwk), RJWT_OK);
	want("key", seal_add(&text), RJWT_OK);
	file_put(t->f, "keys/7.jwk", buf_view(&text));
	keep(t, "7", "", jwk.key);
}

static void
put_marks(struct table *t)
{
	static const struct edit used[] = { CLAIM("once", "true"), CLAIM("jti", "\"used\""), { 0, NULL, NULL } };
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };

	want("state", dir_open(t->f->state, &dir, NULL), RJWT_OK);
	want("gone", mark_revoke_jti(&dir, "gone", 7, &(int64_t){ 0 }, NULL), RJWT_OK);
	want("eve", mark_revoke_user(&dir, "eve", 5, &(int64_t){ 0 }, NULL), RJWT_OK);
	table_token(t, PLAIN, used, &token);
	want("spend", judge(t->f, token.p, 0, NULL), RJWT_OK);
}

static void
make_keyset(struct table *t)
{
	struct keyset keyset;

	for (int64_t version = 1; version <= 6; version++) {
		if (version > 2)
			rotate(t->f);
		keep_version(t, version);
	}
	key_stamp(t->f, 2, t->base_s - 500, t->base_s + 80000, t->base_s - 400);
	key_stamp(t->f, 3, t->base_s - 90000, t->base_s - 1, 0);
	key_stamp(t->f, 4, t->base_s - 100, t->base_s + 80000, 0);
	keyset = keyset_get(t->f);
	assert_int_equal(keyset.active.version, 5);
	keyset.floor = 2;
	keyset_put(t->f, &keyset);
	leave_behind(t);
}

/* --- the worlds ------------------------------------------------------------------------------- */

void
table_world(struct table *t, enum world world)
{
	struct fixture *f = t->f;
	struct rjwt_options options = fixture_options(f);

	fixture_config(f, world_yaml[world]);
	if (world != SET)
		return;
	rjwt_close(f->h);
	f->h = NULL;
	options.jwks = t->set;
	want("set", rjwt_open(&options, &f->h, &f->diag), RJWT_OK);
}

struct table *
table_bare(void (*now)(void *context, struct rjwt_time *now))
{
	struct table *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->f = now == NULL ? fixture_new_real("") : fixture_new("");
	t->base_s = now == NULL ? time(NULL) : T0;
	make_keyset(t);
	keep_set(t);
	write_set(t);
	put_marks(t);
	for (int world = 0; world < WORLDS; world++)
		table_token(t, (enum world)world, NULL, &t->plain[world]);
	return t;
}

struct table *
table_new(void (*now)(void *context, struct rjwt_time *now))
{
	struct table *t = table_bare(now);

	table_text(t);
	table_header(t);
	table_json(t);
	table_signatures(t);
	table_rsa(t);
	table_claims(t);
	table_names(t);
	table_keys(t);
	table_origin(t);
	return t;
}

void
table_free(struct table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		buf_clear(&t->rows[i].bad);
		buf_clear(&t->rows[i].twin);
	}
	for (size_t i = 0; i < t->nkeys; i++)
		key_free(t->keys[i].key);
	for (int world = 0; world < WORLDS; world++)
		buf_clear(&t->plain[world]);
	free(t->rows);
	fixture_free(t->f);
	free(t);
}
