/* SPDX-License-Identifier: MIT */
/* sets.h - JWK Sets with one key between two good ones, and what becomes of it. */
#ifndef RJWT_TEST_SETS_H
#define RJWT_TEST_SETS_H

#include "program.h"
#include "table.h"
#include "base/base64url.h"
#include "base/json_write.h"
#include "jose/alg.h"
#include "jose/jwk.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "unit.h"

static struct table *t;
static unsigned passed_over, taken;

static inline int
setup(void **state)
{
	(void)state;
	t = table_bare(clock_made_up);
	table_world(t, SET);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	printf("# %u keys passed over, %u taken\n", passed_over, taken);
	table_free(t);
	return 0;
}

#define JWK_MEMBERS 9

/* The members of a key of the table, each value as JSON in its own room. */
struct members {
	struct edit all[JWK_MEMBERS];
	char room[JWK_MEMBERS][1024];
};

static inline void
take_members(struct members *m, const char *name)
{
	static const char *const members[] = { "kty", "crv", "n", "e", "x", "y", "k", "alg" };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(buf_clear) struct buf secret = { 0 };
	RJWT_CLEAN(buf_clear) struct buf k = { 0 };
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	const struct jwk jwk = { .alg = key_alg(table_key(t, name)), .key = table_key(t, name) };
	size_t n = 0;

	json_open(&text, NULL);
	want(name, jwk_put(&text, &jwk), RJWT_OK);
	if (jwk.alg->kind == ALG_HMAC) {
		want(name, key_private_format(jwk.key, &secret), RJWT_OK);
		base64url_encode(&k, buf_view(&secret));
		json_put_string(&text, "k", buf_view(&k));
	}
	json_close(&text);
	want(name, json_parse(buf_view(&text), &json, NULL), RJWT_OK);
	m->all[n] = (struct edit){ 'j', "kid", "\"odd\"" };
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const char *value = unit_text(json, members[i]);

		if (value == NULL)
			continue;
		snprintf(m->room[++n], sizeof(m->room[0]), "\"%s\"", value);
		m->all[n] = (struct edit){ 'j', members[i], m->room[n] };
	}
	m->all[n + 1] = (struct edit){ 0, NULL, NULL };
}

/* A set of a good key, this one, and another good one. */
static inline void
put_set(struct buf *out, const char *odd)
{
	static const char *const good[] = { "ES256", "EdDSA" };

	buf_clear(out);
	buf_adds(out, "{\"keys\":[");
	for (size_t i = 0; i < 2; i++) {
		struct jwk jwk = { .alg = key_alg(table_key(t, good[i])), .key = table_key(t, good[i]) };

		snprintf(jwk.kid, sizeof(jwk.kid), "%s", good[i]);
		json_open_element(out);
		want(good[i], jwk_put(out, &jwk), RJWT_OK);
		json_close(out);
		if (i == 0)
			buf_addf(out, ",%s", odd);
	}
	buf_adds(out, "]}");
}

static inline void
write_to(const char *path, struct view text)
{
	RJWT_CLEAN(fd_clean) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_true(write(fd, text.p, text.n) == (ssize_t)text.n);
}

static inline struct printed
verify_with(const char *path, const char *option, struct view token)
{
	char at[24];
	char *const argv[] = { (char[]){ "rjwt-verify" }, (char[]){ "-c" }, t->f->config, (char[]){ "-j" },
		(char *)(uintptr_t)path, (char[]){ "--at" }, at, (char *)(uintptr_t)option, NULL };

	snprintf(at, sizeof(at), "%lld", (long long)t->base_s);
	return run_program(t->f, argv, token);
}

static inline enum rjwt_err
open_set(const char *path, struct rjwt **h, struct rjwt_diag *diag)
{
	struct rjwt_options options = fixture_options(t->f);

	options.jwks = path;
	return rjwt_open(&options, h, diag);
}

/* The set opens, and the library names this key and this reason. */
static inline void
check_named(const char *what, const char *path, const char *kid, const char *why)
{
	const char *named, *reason;
	struct rjwt_diag diag = { 0 };
	struct rjwt *h = NULL;

	want(what, open_set(path, &h, &diag), RJWT_OK);
	if (!rjwt_passed_over(h, 0, &named, &reason))
		fail_msg("%s: no key is passed over", what);
	if (strcmp(named, kid) != 0 || strstr(reason, why) == NULL)
		fail_msg("%s: \"%s: %s\" does not say \"%s: %s\"", what, named, reason, kid, why);
	assert_false(rjwt_passed_over(h, 1, &named, &reason));
	rjwt_close(h);
}

/* rjwt-verify accepts this token, and --explain has this line in addition. */
static inline void
check_explained(const char *what, const char *path, struct view token, const char *line)
{
	RJWT_CLEAN(printed_clear) struct printed printed = verify_with(path, "--explain", token);

	if (printed.status != 0 || strncmp(printed.out.p, "accepted", 8) != 0 || strstr(printed.out.p, line) == NULL)
		fail_msg("%s: rjwt-verify ends with %d, without \"%s\": %s%s", what, printed.status, line,
		    printed.out.p, printed.err.p);
	if (unsafe_text(buf_view(&printed.out)) != NULL)
		fail_msg("%s: %s", what, unsafe_text(buf_view(&printed.out)));
}

/* The good keys verify; the odd one does as the reason says. */
static inline void
check_opened(const char *what, const char *odd, struct view token, enum rjwt_err reason)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(printed_clear) struct printed printed = { 0 };
	struct rjwt_attempt attempt = { .user = "alice", .service = "sshd", .flags = RJWT_DRY_RUN };
	struct rjwt_diag diag = { 0 };
	struct rjwt_verdict v;
	struct rjwt *h = NULL;
	char path[160];

	snprintf(path, sizeof(path), "%.140s/odd.json", t->f->top);
	put_set(&text, odd);
	write_to(path, buf_view(&text));
	if (open_set(path, &h, &diag) != RJWT_OK)
		fail_msg("%s: %s", what, diag.text);
	attempt.token = t->plain[SET].p;
	attempt.len = t->plain[SET].n;
	want(what, rjwt_verify(h, &attempt, &v, &diag), RJWT_OK);
	rjwt_verdict_clear(&v);
	attempt.token = token.p;
	attempt.len = token.n;
	want(what, rjwt_verify(h, &attempt, &v, &diag), reason);
	rjwt_verdict_clear(&v);
	rjwt_close(h);
	printed = verify_with(path, "-ualice", buf_view(&t->plain[SET]));
	if (printed.status != 0 || strcmp(printed.out.p, "accepted, without service and revocation\n") != 0 ||
	    printed.err.n != 0)
		fail_msg("%s: rjwt-verify ends with %d: %s%s", what, printed.status, printed.out.p, printed.err.p);
	*(reason == RJWT_OK ? &taken : &passed_over) += 1;
}

/* Passed over, and named: kid "" is a key without one. */
static inline void
check_passed_over(const char *what, const char *odd, struct view token, const char *kid, const char *why)
{
	char path[160], line[80];

	check_opened(what, odd, token, RJWT_KEY_UNKNOWN); /* writes the set */
	snprintf(path, sizeof(path), "%.140s/odd.json", t->f->top);
	snprintf(line, sizeof(line), "\n  passed over  key %s: ", kid[0] == '\0' ? "without kid" : kid);
	check_named(what, path, kid, why);
	check_explained(what, path, buf_view(&t->plain[SET]), line);
	check_explained(what, path, buf_view(&t->plain[SET]), why);
}

/* A token of the odd key, signed by a key of the table. */
static inline void
odd_token(const char *key, struct buf *token)
{
	const struct edit edits[] = { KEY(key), HEADER("kid", "\"odd\""), { 0, NULL, NULL } };

	table_token(t, SET, edits, token);
}

#define MEMBER(name, value)      \
	{                        \
		'j', name, value \
	}
#define UNKNOWN "unsupported kty, crv or alg"
#define NOT_FOR_US "not for verifying signatures"
#define ED25519(x)                       \
	"EdDSA'",                        \
	{                                \
		MEMBER("x", "\"" x "\"") \
	}
#define ED448(x)                         \
	"Ed448'",                        \
	{                                \
		MEMBER("x", "\"" x "\"") \
	}
#define AA54 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

#endif
