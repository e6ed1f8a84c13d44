/* SPDX-License-Identifier: MIT */
#include "change_world.h"

#include <stdio.h>
#include <string.h>

struct world w;
unsigned change_failed;

const char *const change_users[] = { "alice", "bob" };
static const char *const settings[] = { "", "alg: HS256\n", "alg: EdDSA\nrotate_every: 0\n", "max_tokens_per_key: 2\n",
	"alg: ES384\nmax_tokens_per_key: 1\nrotate_every: 1h\n", "rotate_every: 1h\nprevious_key_ttl: 62m\nleeway: 0\n",
	"issuer: [i, j]\naudience: [a, b]\n",
	"one_time: always\nuser_claim: name\nuser_suffix: \"@x\"\nmax_token_bytes: 600\n", "base_kid: B\nalg: EdDSA\n",
	"leeway: 5m\n" };

void
change_configure(unsigned number)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	w.setting = number % COUNT(settings);
	buf_addf(&text, "state_dir: %s\n%s", w.state, settings[w.setting]);
	fuzz_put(w.config, buf_view(&text));
	w.limit = w.setting == 3 ? 2 : w.setting == 4 ? 1 : 0;
}

struct rjwt_options
change_options(void)
{
	static const char *const audience[] = { "host.example", NULL };
	struct rjwt_options o = { .config = w.config, .now = faults_now, .issuer = "iss.example" };

	o.audience = audience;
	if (w.setting == 6 || w.setting == 9) { /* the configuration's, or the host's own */
		o.issuer = NULL;
		o.audience = NULL;
	}
	if (w.setting == 9)
		o.now = NULL; /* the system's, which is made up too */
	return o;
}

bool
change_reopen(void)
{
	struct rjwt_options o = change_options();
	struct rjwt_diag diag;
	enum rjwt_err err;

	rjwt_close(w.h);
	w.h = NULL;
	TRY(err, rjwt_open(&o, &w.h, &diag));
	if (err == RJWT_OK || change_failed == 0)
		return err == RJWT_OK;
	err = rjwt_open(&o, &w.h, &diag);
	FUZZ_CHECK(err == RJWT_OK || !w.orderly);
	return err == RJWT_OK;
}

void
change_worsen(size_t i, enum rjwt_err err)
{
	enum promise promise = err == RJWT_OK ? NEVER : MAY_OPEN;

	if (w.tokens[i].promise < promise)
		w.tokens[i].promise = promise;
}

void
change_worsen_all(enum rjwt_err err)
{
	for (size_t i = 0; i < w.n; i++)
		change_worsen(i, err);
}

void
change_promise_nothing(void)
{
	w.orderly = false;
	for (size_t i = 0; i < w.n; i++)
		w.tokens[i].promise = MAY_OPEN;
}

void
change_look(bool replaced)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct keyset now = { 0 };
	char path[400];

	if (!w.orderly)
		return;
	snprintf(path, sizeof(path), "%s/keyset.json", w.state);
	text = stage_read(path);
	FUZZ_CHECK(keyset_parse(buf_view(&text), &now, NULL) == RJWT_OK);
	if (!replaced && w.before.next_version > 0) {
		FUZZ_CHECK(strcmp(now.base, w.before.base) == 0 && now.generation >= w.before.generation);
		FUZZ_CHECK(now.floor >= w.before.floor && now.active.version >= w.before.active.version &&
			   now.next_version >= w.before.next_version);
	}
	w.before = now;
}

void
change_keep(const struct rjwt_token *token, const char *user, bool plain)
{
	struct held *held;
	int64_t same = 1;

	FUZZ_SAW(token->warning[0] == '\0' ? MINTED : WARNED);
	FUZZ_CHECK(token->len == strlen(token->text) && token->exp_s > token->iat_s);
	for (size_t i = 0; i < w.n; i++)
		same += strcmp(w.tokens[i].kid, token->kid) == 0;
	FUZZ_CHECK(w.limit == 0 || same <= w.limit || !w.orderly);
	if (w.n == TOKENS)
		return;
	held = &w.tokens[w.n++];
	*held = (struct held){ .text = strdup(token->text),
		.len = token->len,
		.user = user,
		.nbf_s = token->nbf_s,
		.exp_s = token->exp_s,
		.once = token->once || w.setting == 7,
		.promise = plain && w.orderly ? OPENS : MAY_OPEN };
	FUZZ_CHECK(held->text != NULL);
	memcpy(held->jti, token->jti, sizeof(held->jti));
	memcpy(held->kid, token->kid, sizeof(held->kid));
}
