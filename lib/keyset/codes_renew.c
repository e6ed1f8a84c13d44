/* SPDX-License-Identifier: MIT */
/* The tokens of codes, signed anew; see codes.h. */
#include "base/file.h"
#include "base/file_write.h"
#include "base/json_write.h"
#include "base/string_list.h"
#include "base/text.h"
#include "jose/jws.h"
#include "keyset/codes.h"
#include "keyset/marks.h"
#include "keyset/marks_write.h"
#include "keyset/parked.h"
#include "keyset/tickets.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define AGAIN_S 60 /* after a renewal that failed */

struct pass {
	struct store *store;
	const struct keyset_env *env;
	struct rjwt_time now;
	struct marks marks;
	struct dir parked;
	bool renew;	    /* tokens may be signed now */
	bool clock_suspect; /* no code ends by it */
	struct codes_found *found;
	enum rjwt_err err; /* the first */
};

/* --- the new token ---------------------------------------------------------------------------- */

/* A member with another value. */
struct replacement {
	const char *name;
	struct view value; /* JSON */
};

struct copy {
	struct view from;
	const struct replacement *replaced;
	size_t n;
	struct buf *to;
};

static enum rjwt_err
copy_member(void *context, struct view name)
{
	const struct copy *c = context;
	struct view value;

	for (size_t i = 0; i < c->n; i++)
		if (view_is(name, c->replaced[i].name)) {
			json_put_raw(c->to, c->replaced[i].name, c->replaced[i].value);
			return RJWT_OK;
		}
	if (!json_raw(c->from, name.p, &value))
		return RJWT_INTERNAL;
	json_put_raw(c->to, name.p, value);
	return RJWT_OK;
}

static enum rjwt_err
copy_object(struct json json, struct view from, const struct replacement *replaced, size_t n, struct buf *to)
{
	struct copy c = { from, replaced, n, to };

	json_open(to, NULL);
	RJWT_TRY(json_names(json, copy_member, &c));
	json_close(to);
	return buf_done(to);
}

static enum rjwt_err
put_header(const struct code *code, const struct signer *signer, const char *kid, struct buf *header)
{
	struct view typ;

	if (json_string(code->json, "typ", &typ) != JSON_GOOD)
		return RJWT_KEYSET;
	json_open(header, NULL);
	json_put_string(header, "alg", view_of(signer->alg->name));
	json_put_string(header, "kid", view_of(kid));
	json_put_string(header, "typ", typ);
	json_close(header);
	return buf_done(header);
}

/* The file as it is with a new token, which has the claims of the old one but for its times. */
static enum rjwt_err
compose(struct pass *p, const struct code *code, struct signer *signer, struct buf *text)
{
	RJWT_CLEAN(buf_clear) struct buf header = { 0 };
	RJWT_CLEAN(buf_clear) struct buf claims = { 0 };
	const struct keyset *keyset = store_keyset(p->store);
	int64_t exp_s = p->now.wall_s + p->env->policy->max_lifetime_s;
	char kid[RJWT_ID_SIZE], quoted[RJWT_ID_SIZE + 2], now[24], exp[24];
	struct view old;

	exp_s = exp_s < code->until_s ? exp_s : code->until_s;
	snprintf(now, sizeof(now), "%" PRId64, p->now.wall_s);
	snprintf(exp, sizeof(exp), "%" PRId64, exp_s);
	keyset_kid_format(keyset, keyset->active.version, kid);
	RJWT_TRY(put_header(code, signer, kid, &header));
	if (!json_raw(code->text, "claims", &old))
		return RJWT_INTERNAL;
	const struct replacement times[] = { { "iat", view_of(now) }, { "nbf", view_of(now) },
		{ "exp", view_of(exp) } };
	RJWT_TRY(copy_object(code->claims, old, times, ARRAY_LEN(times), &claims));
	snprintf(quoted, sizeof(quoted), "\"%s\"", kid);
	buf_addf(text, "%" PRId64 "\n", code->until_s);
	RJWT_TRY(signer_tell(signer, jws_sign(signer, buf_view(&header), buf_view(&claims), text), p->env->diag));
	buf_adds(text, "\n");
	const struct replacement record[] = { { "kid", view_of(quoted) }, { "iat", view_of(now) },
		{ "exp", view_of(exp) }, { "claims", buf_view(&claims) } };
	RJWT_TRY(copy_object(code->json, code->text, record, ARRAY_LEN(record), text));
	buf_adds(text, "\n");
	return buf_done(text);
}

/* --- one code --------------------------------------------------------------------------------- */

static enum rjwt_err
remove_code(struct pass *p, const char *name)
{
	RJWT_TRY(file_remove(&p->parked, name, p->env->diag));
	RJWT_TRY(dir_sync(&p->parked, p->env->diag));
	p->found->removed++;
	return RJWT_OK;
}

/* A count that is exact includes these tokens. False: the key is used up, and the next one will sign. */
static enum rjwt_err
take_ticket(struct pass *p, int64_t version, bool *got)
{
	int64_t limit = p->env->policy->max_tokens, number = 0;
	enum rjwt_err err = tickets_take(p->store, version, 1, limit > 0, &number, p->env->diag);

	*got = limit == 0 || (err == RJWT_OK && number <= limit);
	return limit == 0 ? RJWT_OK : err;
}

static enum rjwt_err
renew(struct pass *p, const char *name, const struct code *code, int64_t version)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	const struct claims named = { .iss = code->iss, .jti = code->jti };
	int64_t active = store_keyset(p->store)->active.version;
	struct signer *signer;
	enum rjwt_err err = RJWT_OK;
	bool got;

	RJWT_TRY(take_ticket(p, active, &got));
	if (!got)
		return RJWT_BUSY;
	RJWT_TRY(store_signer(p->store, active, &signer, p->env->diag));
	RJWT_TRY(compose(p, code, signer, &text));
	/* From here on no login can use the old token: either this mark is first, or that of a login. */
	if (version != active)
		err = mark_replaced(store_dir(p->store), version, &named, code->scope.p, p->env->diag);
	if (err == RJWT_SPENT)
		return remove_code(p, name);
	RJWT_TRY(err);
	RJWT_TRY(file_write(&p->parked, name, 0600, buf_view(&text), NULL, p->env->diag));
	p->found->renewed++;
	return RJWT_OK;
}

enum fate { FATE_KEEP, FATE_RENEW, FATE_REMOVE };

/* Whether what was asked for is still allowed: a host of a fleet has denials, which reject by date, and no codes. */
static bool
is_renewable(const struct pass *p, const struct code *code)
{
	const struct string_list *codes = &p->env->policy->codes;
	struct stat status;

	if (fstatat(store_dir(p->store)->fd, "fleet.json", &status, AT_SYMLINK_NOFOLLOW) == 0)
		return false;
	for (size_t i = 0; i < codes->n; i++)
		if (view_is(code->scope, codes->list[i]))
			return true;
	return false;
}

/* When a code is to be looked at: in the middle of its token's life, or, if that is the last one, at its end. */
static int64_t
look_s(const struct pass *p, const struct code *code)
{
	if (code->exp_s - code->iat_s > p->env->policy->max_lifetime_s)
		return 0; /* it was made smaller */
	if (code->exp_s >= code->until_s)
		return code->until_s;
	return code->iat_s + (code->exp_s - code->iat_s) / 2;
}

static bool
is_due(const struct pass *p, const struct code *code)
{
	return p->now.wall_s >= look_s(p, code);
}

/* Whether it is revoked, by the marks that a login looks at. RJWT_REVOKED, RJWT_OK. */
static enum rjwt_err
find_revoked(struct pass *p, const struct code *code, int64_t version)
{
	const struct claims named = { .iss = code->iss, .jti = code->jti, .user = code->user };
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
	enum rjwt_err err = store_read_key(p->store, version, &jwk, p->env->diag);

	if (err == RJWT_KEY_UNKNOWN) /* its file is gone: what it signed verifies nothing */
		return RJWT_REVOKED;
	RJWT_TRY(err);
	return jwk.revoked_s != 0 ? RJWT_REVOKED : mark_revoked(&p->marks, version, &named, p->env->diag);
}

/* version: whose marks say whether it was used. Those of keys below floor are gone, so nobody knows. */
static enum rjwt_err
judge(struct pass *p, const struct code *code, int64_t *version, enum fate *fate)
{
	const struct claims named = { .iss = code->iss, .jti = code->jti };
	const struct keyset *keyset = store_keyset(p->store);
	struct mark_uses uses = { .most = 1 };
	enum rjwt_err err = keyset_kid_parse(keyset, code->kid, version);

	*fate = FATE_REMOVE;
	if (err != RJWT_OK || *version < keyset->floor || (!p->clock_suspect && p->now.wall_s >= code->until_s))
		return RJWT_OK;
	err = find_revoked(p, code, *version);
	if (err == RJWT_REVOKED)
		return RJWT_OK;
	RJWT_TRY(err);
	err = mark_spent_at(&p->marks, *version, &named, code->scope.p, &uses, p->env->diag);
	if (err != RJWT_SPENT)
		RJWT_TRY(err);
	if (err == RJWT_SPENT && !mark_is_replaced(store_dir(p->store), *version, &named, code->scope.p))
		return RJWT_OK;
	*fate = p->renew && is_renewable(p, code) && (err == RJWT_SPENT || is_due(p, code)) ? FATE_RENEW : FATE_KEEP;
	return RJWT_OK;
}

/* What is still to be done for a code. */
static void
note(struct pass *p, int64_t version, int64_t due_s)
{
	struct codes_found *f = p->found;

	if (version >= store_keyset(p->store)->floor && (f->lowest == 0 || version < f->lowest))
		f->lowest = version;
	if (f->due_s == 0 || due_s < f->due_s)
		f->due_s = due_s;
}

static enum rjwt_err
look_at(void *context, const char *name, const struct code *code)
{
	struct pass *p = context;
	int64_t version = 0, again_s = p->now.wall_s + AGAIN_S;
	size_t renewed = p->found->renewed;
	enum fate fate;
	enum rjwt_err err;

	if (!code->renewed)
		return RJWT_OK;
	err = judge(p, code, &version, &fate);
	if (err == RJWT_OK && fate == FATE_REMOVE)
		err = remove_code(p, name);
	else if (err == RJWT_OK && fate == FATE_RENEW)
		err = renew(p, name, code, version);
	if (err == RJWT_OK && p->found->renewed > renewed)
		note(p, store_keyset(p->store)->active.version, p->now.wall_s + p->env->policy->max_lifetime_s / 2);
	else if ((err != RJWT_OK || fate == FATE_KEEP) && is_renewable(p, code))
		note(p, version, err != RJWT_OK || is_due(p, code) ? again_s : look_s(p, code));
	if (p->err == RJWT_OK && err != RJWT_BUSY)
		p->err = err;
	return err == RJWT_MEMORY ? err : RJWT_OK;
}

/* The lock is held: what has a temporary name was left by a crash. */
static enum rjwt_err
sweep(void *context, const char *name)
{
	const struct pass *p = context;

	if (strncmp(name, FILE_TEMPORARY, sizeof(FILE_TEMPORARY) - 1) != 0)
		return RJWT_OK;
	return file_remove(&p->parked, name, p->env->diag);
}

static enum rjwt_err
walk(struct pass *p)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;
	enum rjwt_err err;

	RJWT_TRY(dir_open_at(store_dir(p->store), "private", &private, p->env->diag));
	err = dir_open_at(&private, PARKED, &p->parked, p->env->diag);
	if (err_is_missing(err))
		return RJWT_OK;
	RJWT_TRY(err);
	RJWT_TRY(dir_each(&p->parked, sweep, p, p->env->diag));
	return codes_each(store_dir(p->store), look_at, p, p->env->diag);
}

static enum rjwt_err
do_pass(struct store *store, const struct keyset_env *env, bool renew, struct codes_found *found)
{
	struct pass p = { .store = store, .env = env, .marks = MARKS_OF(store), .parked = DIR_NONE, .found = found };
	enum rjwt_err err;

	*found = (struct codes_found){ 0 };
	clock_now(env->clock, &p.now);
	RJWT_TRY(keyset_clock_check(&p.now, env->diag));
	p.clock_suspect = keyset_clock_suspect(store_keyset(store), env->policy, &p.now, NULL);
	p.renew = renew && !p.clock_suspect;
	err = walk(&p);
	if (err != RJWT_OK) /* a code that was not seen may be the oldest, and due */
		note(&p, store_keyset(store)->floor, p.now.wall_s + AGAIN_S);
	else
		err = p.err;
	marks_close(&p.marks);
	dir_close(&p.parked);
	events_add_codes(env->events, found->renewed, found->removed);
	return err;
}

void
codes_begin(struct store *store, const struct keyset_env *env, enum keyset_why why, struct codes_found *found,
    char *warning, size_t size)
{
	struct rjwt_diag failed = { 0 };
	const struct keyset_env quiet = { env->policy, env->clock, &failed, env->events };
	bool renew = why < WHY_REVOKE_KEY || why == WHY_REVOKE_USER || why == WHY_BUMP;

	if (do_pass(store, &quiet, renew, found) != RJWT_OK)
		text_append(warning, size, "; ", "cannot renew codes: %.80s%s%.100s", failed.path,
		    failed.path[0] == '\0' ? "" : ": ", failed.text);
}

enum rjwt_err
codes_end(struct store *store, const struct keyset_env *env, enum keyset_why why, struct codes_found *found)
{
	return why < WHY_REVOKE_KEY ? RJWT_OK : do_pass(store, env, false, found);
}
