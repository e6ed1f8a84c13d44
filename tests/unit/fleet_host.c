/* SPDX-License-Identifier: MIT */
#include "fleet_host.h"
#include "keyset/denials_write.h"

#include <stdio.h>
#include <sys/stat.h>

#define URL "http://i0.example/fleet.jws"

static void
say(void *context, bool wrong, const char *text)
{
	struct host *h = context;

	for (const char *p = text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			fail_msg("not to be shown: \"%s\"", text);
	buf_addf(&h->said, "%s: %s\n", wrong ? "wrong" : "done", text);
}

int
host_setup(void **state)
{
	struct host *h = calloc(1, sizeof(*h));
	struct rjwt_options o;
	struct rjwt_fleet fleet;

	assert_non_null(h);
	h->f = fixture_bare("audience: host.example\n");
	o = fixture_options(h->f);
	want("join", rjwt_join(&o, URL, line_name(0)->text, &fleet, &h->f->diag), RJWT_OK);
	*state = h;
	return 0;
}

int
host_teardown(void **state)
{
	struct host *h = *state;

	buf_clear(&h->file);
	buf_clear(&h->said);
	fixture_free(h->f);
	free(h);
	return 0;
}

/* --- what it is given -------------------------------------------------------------------------- */

void
host_roster(struct host *h, unsigned by, int64_t n, unsigned keys, unsigned issuers)
{
	struct roster roster = line_roster(T0 + n, keys, issuers);

	line_put_roster(&h->file, by, &roster);
}

void
host_bundle(struct host *h, unsigned by, const struct bundle *bundle)
{
	line_put_bundle(&h->file, by, bundle);
}

void
host_serial(struct host *h, unsigned i, int64_t serial)
{
	RJWT_CLEAN(bundle_clear) struct bundle bundle = line_bundle(i, T0 + serial, 1);

	host_bundle(h, LINE_BUNDLE_KEY(i), &bundle);
}

void
host_follow_path(struct host *h, const char *path, enum rjwt_err err)
{
	const char *const files[] = { path, NULL };
	struct rjwt_options o = fixture_options(h->f);

	buf_clear(&h->said);
	buf_adds(&h->said, "");
	want(path, rjwt_follow(&o, files, say, h, &h->f->diag), err);
}

void
host_follows(struct host *h, const char *label, const char *said)
{
	RJWT_CLEAN(buf_clear) struct buf wanted = { 0 };
	char path[200];

	file_put(h->f, "../fleet.jws", buf_view(&h->file));
	buf_clear(&h->file);
	snprintf(path, sizeof(path), "%s/fleet.jws", h->f->top);
	host_follow_path(h, path, RJWT_OK);
	for (const char *p = said; *p != '\0'; p++) { /* #5: T0 + 5 */
		char *end = NULL;

		if (*p != '#') {
			buf_add(&wanted, p, 1);
			continue;
		}
		buf_addf(&wanted, "%lld", (long long)(T0 + strtoll(p + 1, &end, 10)));
		p = end - 1;
	}
	if (!view_eq(buf_view(&h->said), buf_view(&wanted)))
		fail_msg("%s: said \"%.*s\", not \"%.*s\"", label, (int)h->said.n, h->said.n == 0 ? "" : h->said.p,
		    (int)wanted.n, wanted.n == 0 ? "" : wanted.p);
}

/* Of what a login reads. */
static void
digest(const struct host *h, char digests[static 3 * DIGEST_HEX])
{
	static const char *const parts[] = { "fleet", "denied" };
	RJWT_CLEAN(buf_clear) struct buf text = file_get(h->f, FLEET_FILE);
	struct fixture part = *h->f;

	want(FLEET_FILE, digest_hex(buf_view(&text), digests), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		snprintf(part.state, sizeof(part.state), "%.150s/%s", h->f->state, parts[i]);
		state_digest(&part, digests + (i + 1) * DIGEST_HEX);
	}
}

void
host_unchanged(struct host *h, const char *label, const char *said)
{
	char before[3 * DIGEST_HEX], after[3 * DIGEST_HEX];

	digest(h, before);
	host_follows(h, label, said);
	digest(h, after);
	if (memcmp(before, after, sizeof(before)) != 0)
		fail_msg("%s: something was written", label);
}

void
host_begin(struct host *h, unsigned issuers)
{
	RJWT_CLEAN(buf_clear) struct buf wanted = { 0 };
	unsigned n = 0;

	host_roster(h, 0, 0, 1, issuers);
	for (unsigned i = 0; i < 8; i++)
		n += issuers >> i & 1;
	buf_addf(&wanted, "done: took roster #0, with %u issuer%s\n", n, n == 1 ? "" : "s");
	for (unsigned i = 0; i < 8; i++)
		if ((issuers >> i & 1) != 0) {
			host_serial(h, i, 0);
			buf_addf(&wanted, "done: i%u: installed serial #0\n", i);
		}
	host_follows(h, "begin", wanted.p);
}

/* --- what it has ------------------------------------------------------------------------------- */

enum rjwt_err
host_judges_token(struct host *h, const char *token)
{
	enum rjwt_err err = fixture_reopen(h->f);

	return err == RJWT_OK ? judge(h->f, token, 0, NULL) : err;
}

enum rjwt_err
host_judges(struct host *h, unsigned i, int64_t version, int64_t iat_s)
{
	RJWT_CLEAN(free_clean) char *token = NULL;
	char iss[32];

	snprintf(iss, sizeof(iss), "i%u.example", i);
	token = line_token(i, version, iss, "a1", iat_s);
	return host_judges_token(h, token);
}

struct keyset
host_keyset(struct host *h, unsigned i)
{
	struct keyset keyset = { .active = { .version = -1 } };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char name[64];

	snprintf(name, sizeof(name), "fleet/I%u/keyset.json", i);
	if (!file_there(h->f, name))
		return keyset;
	text = file_get(h->f, name);
	want(name, keyset_parse(buf_view(&text), &keyset, NULL), RJWT_OK);
	return keyset;
}

void
host_keyset_put(struct host *h, unsigned i, const struct keyset *keyset)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char name[64];

	snprintf(name, sizeof(name), "fleet/I%u/keyset.json", i);
	want(name, keyset_format(&text, keyset), RJWT_OK);
	file_put(h->f, name, buf_view(&text));
}

struct fleet
host_fleet(struct host *h)
{
	RJWT_CLEAN(buf_clear) struct buf text = file_get(h->f, FLEET_FILE);
	struct fleet fleet;

	want(FLEET_FILE, fleet_parse(buf_view(&text), &fleet, NULL), RJWT_OK);
	return fleet;
}

void
host_fleet_put(struct host *h, struct fleet *fleet)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	fleet->generation++;
	want(FLEET_FILE, fleet_format(&text, fleet), RJWT_OK);
	file_put(h->f, FLEET_FILE, buf_view(&text));
}

int64_t
host_denial(struct host *h, int i, const char *user, const char *jti)
{
	const struct view name = view_of(user != NULL ? user : jti);
	char hash[DIGEST_HEX], path[300], where[32] = "";
	struct dir dir = DIR_NONE;
	int64_t until_s = -1;

	want("hash", digest_name(&name, 1, hash), RJWT_OK);
	if (i >= 0)
		snprintf(where, sizeof(where), "fleet/I%d/", i);
	snprintf(path, sizeof(path), "%s/%sdenied/%s", h->f->state, where, user != NULL ? "sub" : "jti");
	if (dir_open(path, &dir, NULL) == RJWT_OK && denial_read(&dir, hash, &until_s, NULL) != RJWT_DENIED)
		until_s = -1;
	dir_close(&dir);
	return until_s;
}

void
host_deny(struct host *h, const char *user, int64_t until)
{
	const struct view name = view_of(user);
	struct denials denials = DENIALS_NONE;
	struct dir state = DIR_NONE;
	char hash[DIGEST_HEX];
	bool written = false;

	want("open", dir_open(h->f->state, &state, NULL), RJWT_OK);
	want("open", denials_open(&state, &denials, NULL), RJWT_OK);
	want("hash", digest_name(&name, 1, hash), RJWT_OK);
	want("deny", denial_put(&denials.sub, hash, T0 + until, false, &written, NULL), RJWT_OK);
	denials_close(&denials);
	dir_close(&state);
}
