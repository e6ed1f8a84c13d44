/* SPDX-License-Identifier: MIT */
/*
 * A keyset's life by a script: init, mint, verify, rotate, tick, revoke, adopt, status, by clocks that run and jump,
 * with damaged files, and any call may fail.
 *
 * No success that lies: what was minted opens until it expires, whatever failed since; what was revoked never does
 * again, and a one-time token once; a limit of tokens holds; versions never go back.
 */
#include "change_world.h"

#include "token/mint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char fuzz_name[] = "change";
const char *const fuzz_sights[] = { "minted", "opened", "revoked", "rotated", "adopted", "failed",
	"minted with a warning", "a status of a broken keyset", NULL };

static const char *const hosts[] = { "Host.example", "localhost", "", "localhost.localdomain" };

/* A request: mostly a plain one. true: it is. */
static bool
choose_request(struct rjwt_request *r, char *texts[static 2])
{
	static const char *const scope[] = { "ssh", "sudo", NULL }, *const odd[] = { "no scope", NULL };
	static const char *const audience[] = { "host.example", "b", NULL };
	static int64_t lifetime_s;
	unsigned how = take_byte(w.rest), what = take_byte(w.rest);

	*r = (struct rjwt_request){ .user = change_users[how & 1], .reusable = (how & 2) != 0 };
	if ((how & 4) != 0) {
		lifetime_s = take_word(w.rest) - 1;
		r->lifetime_s = &lifetime_s;
	}
	if ((how & 8) != 0)
		r->scope = scope;
	if ((how & 128) == 0)
		return true;
	r->flags = (what & 1) != 0 ? RJWT_FORCE : 0;
	if ((what & 2) != 0)
		r->claims = texts[0] = take_string(w.rest, 1500);
	if ((what & 4) != 0)
		r->header = texts[1] = take_string(w.rest, 300);
	if ((what & 8) != 0)
		r->audience = audience;
	if ((what & 16) != 0)
		r->not_before_s = faults_clock.wall_s + take_word(w.rest) - 100;
	if ((what & 32) != 0)
		r->kid = "B.2";
	if ((what & 64) != 0)
		r->key_version = take_byte(w.rest);
	if ((what & 128) != 0) {
		r->alg = (how & 16) != 0 ? "ES256" : "none";
		r->issuer = (how & 32) != 0 ? "iss.example" : NULL;
		r->scope = (how & 64) != 0 ? odd : r->scope;
		r->user = (how & 16) != 0 ? "a\nb" : r->user;
	}
	return false;
}

static void
do_mint(void)
{
	char *texts[2] = { NULL, NULL };
	struct rjwt_request request;
	struct rjwt_token token;
	struct rjwt_diag diag;
	bool plain = choose_request(&request, texts);
	enum rjwt_err err;

	TRY(err, rjwt_mint(w.h, &request, &token, &diag));
	if (err == RJWT_OK) {
		change_keep(&token, request.user, plain);
		rjwt_token_clear(&token);
	} else if (change_failed == 0) {
		FUZZ_CHECK(!plain || !w.orderly || err == RJWT_LIFETIME || err == RJWT_TOO_LONG);
	}
	free(texts[0]);
	free(texts[1]);
	change_look(false);
}

static void
do_batch(void)
{
	char *texts[BATCH][2] = { { NULL, NULL } };
	struct rjwt_request requests[BATCH];
	struct rjwt_minted minted[BATCH];
	bool plain[BATCH];
	enum rjwt_err err;

	memset(minted, 0, sizeof(minted));
	for (size_t i = 0; i < BATCH; i++)
		plain[i] = choose_request(&requests[i], texts[i]);
	for (size_t i = 0; i < BATCH; i++) /* one static for all */
		requests[i].lifetime_s = NULL;
	TRY(err, rjwt_mint_batch(w.h, requests, BATCH, minted));
	for (size_t i = 0; i < BATCH; i++) {
		FUZZ_CHECK(err != RJWT_OK || minted[i].err == RJWT_OK);
		if (minted[i].err == RJWT_OK && minted[i].token.text != NULL)
			change_keep(&minted[i].token, requests[i].user, plain[i]);
		rjwt_token_clear(&minted[i].token);
		free(texts[i][0]);
		free(texts[i][1]);
	}
	change_look(false);
}

static void
do_verify(void)
{
	struct held *held = w.n == 0 ? NULL : &w.tokens[take_byte(w.rest) % w.n];
	unsigned how = take_byte(w.rest);
	struct rjwt_attempt attempt = { .service = "sshd", .flags = (how & 1) != 0 ? RJWT_DRY_RUN : 0 };
	struct rjwt_verdict verdict;
	struct rjwt_diag diag;
	enum rjwt_err err;
	bool in_time;

	if (held == NULL)
		return;
	attempt.token = held->text;
	attempt.len = held->len;
	attempt.user = held->user;
	TRY(err, rjwt_verify(w.h, &attempt, &verdict, &diag));
	rjwt_verdict_clear(&verdict);
	in_time = faults_clock.wall_s >= held->nbf_s && faults_clock.wall_s < held->exp_s;
	FUZZ_CHECK(err != RJWT_OK || held->promise != NEVER);
	if (err != RJWT_OK && change_failed == 0 && held->promise == OPENS && in_time)
		fuzz_broken("%s of %s: %s %s %s", held->jti, held->kid, rjwt_reason(err), diag.path, diag.text);
	if (err == RJWT_OK)
		FUZZ_SAW(OPENED);
	if (held->once && attempt.flags == 0 && (err == RJWT_OK || change_failed > 0))
		change_worsen((size_t)(held - w.tokens), err);
}

static void
check_change(enum rjwt_err err, const struct rjwt_change *change)
{
	if (err != RJWT_OK)
		return;
	FUZZ_CHECK(memchr(change->text, '\0', sizeof(change->text)) != NULL && change->text[0] != '\0');
	if (change->rotated)
		FUZZ_SAW(ROTATED);
	FUZZ_CHECK(!change->rotated || change->any);
}

static void
do_rotate(void)
{
	unsigned how = take_byte(w.rest);
	int flags = ((how & 1) != 0 ? RJWT_DRY_RUN : 0) | ((how & 6) == 6 ? RJWT_COMPROMISED : 0);
	struct rjwt_change change = { .any = false };
	struct rjwt_diag diag;
	enum rjwt_err err;

	if ((how & 8) != 0)
		TRY(err, rjwt_maintain(w.h, flags & RJWT_DRY_RUN, &change, &diag));
	else
		TRY(err, rjwt_rotate(w.h, flags, &change, &diag));
	FUZZ_CHECK(err == RJWT_OK || change_failed > 0 || !w.orderly);
	check_change(err, &change);
	if ((how & 8) == 0 && flags == RJWT_COMPROMISED)
		change_worsen_all(err);
	change_look(false);
}

/* What no revocation is: refused, and nothing done. */
static void
revoke_oddly(void)
{
	unsigned how = take_byte(w.rest);
	char *text = take_string(w.rest, 300);
	const char *const names[] = { "alice", text, NULL };
	struct rjwt_revocation r = { .jti = (how & 1) != 0 ? text : NULL,
		.kid = (how & 2) != 0 ? text : NULL,
		.users = (how & 4) != 0 ? names + (how >> 4) % 3 : NULL,
		.all = (how & 8) != 0 };
	struct rjwt_change change = { .any = false };
	struct rjwt_diag diag;
	enum rjwt_err err;

	TRY(err, rjwt_revoke(w.h, &r, RJWT_DRY_RUN, &change, &diag));
	check_change(err, &change);
	FUZZ_CHECK(err != RJWT_OK || ((how & 1) != 0) + ((how & 2) != 0) + ((how & 4) != 0) + ((how & 8) != 0) == 1);
	free(text);
	change_look(false);
}

static void
do_revoke(void)
{
	unsigned how = take_byte(w.rest), kind = how >> 1 & 3;
	int flags = (how & 1) != 0 ? RJWT_DRY_RUN : 0;
	size_t i = w.n == 0 ? 0 : take_byte(w.rest) % w.n;
	const char *const names[] = { change_users[how >> 3 & 1], NULL };
	struct rjwt_revocation r = { .all = kind == 3 };
	struct held held = { .text = NULL };
	struct rjwt_change change = { .any = false };
	struct rjwt_diag diag;
	enum rjwt_err err;

	if (w.n == 0 && kind != 3)
		return;
	if (w.n > 0)
		held = w.tokens[i];
	r.jti = kind == 0 ? held.jti : NULL;
	r.users = kind == 1 ? names : NULL;
	r.kid = kind == 2 ? held.kid : NULL;
	TRY(err, rjwt_revoke(w.h, &r, flags, &change, &diag));
	check_change(err, &change);
	change_look(false);
	if (flags != 0)
		return;
	if (err == RJWT_OK)
		FUZZ_SAW(REVOKED);
	/* Of a key that verifies nothing any more, as of one that is unknown, there is nothing to revoke. */
	if (err == RJWT_KEY_UNKNOWN && change_failed == 0)
		return;
	for (i = 0; i < w.n; i++)
		if (kind == 3 || (kind == 0 && strcmp(w.tokens[i].jti, held.jti) == 0) ||
		    (kind == 1 && strcmp(w.tokens[i].user, names[0]) == 0) ||
		    (kind == 2 && strcmp(w.tokens[i].kid, held.kid) == 0))
			change_worsen(i, err);
}

static void
do_init(int flags)
{
	struct rjwt_options o = change_options();
	struct rjwt_change change = { .any = false };
	struct rjwt_diag diag;
	enum rjwt_err err;

	TRY(err, rjwt_init(&o, flags, &change, &diag));
	check_change(err, &change);
	if (flags == 0) {
		FUZZ_CHECK(!w.orderly || err != RJWT_OK);
		return;
	}
	change_worsen_all(err);
	change_look(true); /* it may have failed behind the commit */
	if (err == RJWT_OK)
		FUZZ_SAW(ADOPTED);
}

/* A handle with overrides, on jwks.json: it verifies, and does no more. */
static void
look_from_outside(void)
{
	const int64_t leeway_s = take_word(w.rest), lifetime_s = (int64_t)take_word(w.rest) - 1;
	const struct rjwt_request request = { .user = "alice" };
	struct rjwt_options o = change_options();
	struct rjwt_minted minted = { .err = RJWT_OK };
	struct rjwt_change change;
	struct rjwt_token token;
	char path[400], kid[RJWT_ID_SIZE];
	struct rjwt_diag diag;
	struct rjwt *h = NULL;
	const char *alg;
	enum rjwt_err err;

	snprintf(path, sizeof(path), "%s/jwks.json", w.state);
	o.jwks = path;
	o.typ = "JWT";
	o.state_dir = "/nowhere";
	o.leeway_s = &leeway_s;
	o.max_lifetime_s = &lifetime_s;
	TRY(err, rjwt_open(&o, &h, &diag));
	FUZZ_CHECK(err != RJWT_OK || (leeway_s <= RJWT_LEEWAY_MAX && lifetime_s > 0));
	if (err != RJWT_OK)
		return;
	FUZZ_CHECK(rjwt_mint(h, &request, &token, &diag) == RJWT_USAGE);
	FUZZ_CHECK(rjwt_mint_batch(h, &request, 1, &minted) == RJWT_USAGE);
	FUZZ_CHECK(
	    rjwt_rotate(h, 0, &change, &diag) == RJWT_USAGE && rjwt_maintain(h, 0, &change, &diag) == RJWT_USAGE);
	FUZZ_CHECK(rjwt_current_key(h, kid, &alg, &diag) == RJWT_USAGE);
	FUZZ_CHECK(rjwt_algorithms()[0] != NULL);
	rjwt_close(h);
}

static void
do_look(void)
{
	struct rjwt_options o = change_options();
	struct rjwt_status status = { .dir = "" };
	char kid[RJWT_ID_SIZE], *json = NULL;
	struct rjwt_diag diag;
	const char *alg = NULL;
	size_t len = 0;
	enum rjwt_err err;

	switch (take_below(w.rest, 4)) {
	case 0:
		TRY(err, rjwt_status(&o, &status));
		FUZZ_CHECK(err == RJWT_OK || change_failed > 0);
		if (err == RJWT_OK && status.level == RJWT_BROKEN)
			FUZZ_SAW(BROKEN_KEYSET);
		FUZZ_CHECK(err != RJWT_OK || status.level != RJWT_BROKEN || change_failed > 0 || !w.orderly);
		rjwt_status_clear(&status);
		break;
	case 1:
		TRY(err, rjwt_jwks(w.h, &json, &len, &diag));
		FUZZ_CHECK(err != RJWT_OK || strlen(json) == len);
		rjwt_free(json);
		break;
	case 2:
		TRY(err, rjwt_current_key(w.h, kid, &alg, &diag));
		FUZZ_CHECK(err != RJWT_OK || alg != NULL);
		break;
	default:
		look_from_outside();
		return;
	}
	FUZZ_CHECK(err == RJWT_OK || change_failed > 0 || !w.orderly);
}

static void
do_clock(void)
{
	unsigned how = take_byte(w.rest);
	int64_t seconds = (int64_t)take_word(w.rest) * ((how & 4) != 0 ? 60 : 1);

	switch (how & 3) {
	case 0:
	case 1: /* it runs */
		faults_clock.wall_s += seconds;
		faults_clock.boot_s += seconds;
		return;
	case 2: /* it is set */
		faults_clock.wall_s += (how & 8) != 0 ? seconds : -seconds;
		break;
	default: /* the machine was off */
		faults_clock.wall_s += seconds;
		faults_clock.boot_s = 5;
		faults_clock.boot_id[0] ^= 1;
	}
	for (size_t i = 0; i < w.n; i++)
		if (w.tokens[i].promise == OPENS)
			w.tokens[i].promise = MAY_OPEN;
	w.orderly = false; /* what signs may be dated by another clock: only what never opens can be told */
}

/* One file of the keyset, by its name. */
static void
do_damage(void)
{
	static const char *const names[] = { "keyset.json", "jwks.json", "keys/1.jwk", "keys/2.jwk", "keys/3.jwk",
		"private/1.key", "private/2.key", "private/3.key", "private/1.minted", "private/2.minted",
		"private/9.key", "keys/9.jwk", "private/lock", "keys", "private", "revoked", "revoked/jti", "spent",
		"issued", ".new.keyset.json", "keys/.new.2.jwk", "private/.new.2.key", "revoked/sub/.new.x", "init" };
	struct stage_file file = { .mode = S_IFREG };
	unsigned number = take_below(w.rest, COUNT(names));
	struct stat status;

	change_promise_nothing();
	snprintf(file.path, sizeof(file.path), "%s/%s", w.state, names[number]);
	if (lstat(file.path, &status) == 0) {
		file.mode = status.st_mode;
		if (S_ISREG(status.st_mode))
			file.text = stage_read(file.path);
	}
	/* Where nothing is, a file is made: as a crash leaves one, or a hand. */
	if (S_ISREG(file.mode) || S_ISDIR(file.mode))
		(void)damage_file(w.rest, &file);
	buf_clear(&file.text);
}

static void
step(void)
{
	switch (take_below(w.rest, 16)) {
	default:
	case 0:
	case 1:
		do_mint();
		break;
	case 2:
	case 3:
	case 4:
		do_verify();
		break;
	case 5:
	case 6:
		do_rotate();
		break;
	case 7:
	case 8:
		do_revoke();
		break;
	case 9:
	case 10:
		do_clock();
		break;
	case 11:
		do_look();
		break;
	case 12:
		do_batch();
		break;
	case 13:
		do_damage();
		break;
	case 14:
		do_init(take_below(w.rest, 4) == 0 ? 0 : RJWT_ADOPT);
		break;
	case 15:
		switch (take_below(w.rest, 4)) {
		case 0:
			revoke_oddly();
			return;
		case 1: /* a clone, or the machine has no id */
			faults_machine = take_below(w.rest, 2) == 0 ? NULL : "ffffffffffffffffffffffffffffffff\n";
			change_promise_nothing();
			return;
		default:
			break;
		}
		if (take_below(w.rest, 2) == 0)
			change_promise_nothing(); /* another configuration may be narrower */
		change_configure(w.orderly ? w.setting : take_byte(w.rest));
		(void)change_reopen();
	}
}

static bool
begin(void)
{
	struct rjwt_options o;
	struct rjwt_change change;
	struct rjwt_diag diag;
	enum rjwt_err err;

	if (w.top[0] == '\0') {
		snprintf(w.top, sizeof(w.top), "%s/change", fuzz_folder());
		snprintf(w.state, sizeof(w.state), "%s/change/state", fuzz_folder());
		snprintf(w.config, sizeof(w.config), "%s/change/rjwt.yaml", fuzz_folder());
		FUZZ_CHECK(mkdir(w.top, 0700) == 0);
	}
	w.orderly = true;
	w.before = (struct keyset){ 0 };
	faults_clock = (struct rjwt_time){ STAGE_T0, 100000, "11111111-1111-1111-1111-111111111111" };
	faults_machine = "00112233445566778899aabbccddeeff\n";
	faults_host = hosts[0];
	change_configure(take_byte(w.rest));
	if (w.setting == 9)
		faults_host = hosts[take_below(w.rest, COUNT(hosts))];
	o = change_options();
	TRY(err, rjwt_init(&o, 0, &change, &diag));
	if (err == RJWT_AUDIENCE && change_failed == 0)
		return false; /* a host without a name */
	if (err != RJWT_OK) { /* what is left of it must not hinder who takes it over, or begins anew */
		FUZZ_CHECK(change_failed > 0);
		faults_arm(&(struct rest){ NULL, 0 });
		err = rjwt_init(&o, take_below(w.rest, 2) == 0 ? 0 : RJWT_ADOPT, &change, &diag);
		(void)faults_disarm();
	}
	return err == RJWT_OK && change_reopen();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rest rest = { data, size };
	int lowest = fuzz_lowest();

	w.rest = &rest;
	if (begin()) {
		change_look(true);
		for (int i = 0; i < OPS && rest.n > 0 && w.h != NULL; i++)
			step();
	}
	rjwt_close(w.h);
	w.h = NULL;
	FUZZ_CHECK(fuzz_lowest() == lowest || w.top[0] == '\0');
	for (size_t i = 0; i < w.n; i++)
		free(w.tokens[i].text);
	w.n = 0;
	fuzz_remove(w.state);
	return 0;
}
