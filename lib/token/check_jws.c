/* SPDX-License-Identifier: MIT */
/* The checks up to the signature, and typ: nothing of the payload is parsed here. */
#include "token/check.h"
#include "base/datetime.h"
#include "jose/alg.h"
#include "jose/key_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum rjwt_err
check_empty(struct verification *w)
{
	bool good = w->token.n > 0;

	return check_judge(w, good, "at least one byte", view_of(good ? "some" : "none"));
}

enum rjwt_err
check_length(struct verification *w)
{
	size_t max = (size_t)w->verifier->config->max_token_bytes;
	bool good = w->token.n <= max;
	char expected[48], found[48];

	if (good && !w->trace)
		return RJWT_OK;
	snprintf(expected, sizeof(expected), "at most %zu bytes", max);
	snprintf(found, sizeof(found), "%zu bytes", w->token.n);
	return check_judge(w, good, expected, view_of(found));
}

static enum rjwt_err
truncated(struct verification *w)
{
	w->check.code = RJWT_TRUNCATED;
	return check_judge(w, false, "a whole token", VIEW("as many bytes as a prompt accepts"));
}

enum rjwt_err
check_form(struct verification *w)
{
	const char *why = "three parts";
	bool jws = (w->attempt->flags & RJWT_SIGNATURE_ONLY) != 0;
	enum rjwt_err err = jws_split(w->token, jws, &w->jws, &why);

	if (err != RJWT_OK && rjwt_prompt_cuts(w->token.n))
		return truncated(w);
	return check_judge(w, err == RJWT_OK, "three parts in canonical base64url",
	    view_of(err == RJWT_OK ? "three parts" : why));
}

enum rjwt_err
check_header(struct verification *w)
{
	struct rjwt_diag why = { 0 };
	enum rjwt_err err = jws_header(&w->jws, w->foreign, &why);

	if (err != RJWT_OK && err != RJWT_HEADER)
		return err;
	return check_judge(w, err == RJWT_OK,
	    w->foreign ? "strict JSON with alg, without crit, b64, zip, cty, jwk, jku, x5c, x5u"
		       : "strict JSON with alg, without crit, b64, zip, cty, jwk, jku, x5*",
	    view_of(err == RJWT_OK ? "such a header" : why.text));
}

enum rjwt_err
check_alg_known(struct verification *w)
{
	return check_judge(w, alg_known(w->jws.alg, w->foreign), "a supported algorithm", w->jws.alg);
}

/*
 * A keyset of another host: its time is never before its bundle was issued, so that a clock that was set back revives
 * nothing.
 */
static enum rjwt_err
select_followed(struct verification *w, struct view base, struct key_source *keys)
{
	struct followed *followed;

	RJWT_TRY(fleet_find(w->verifier->fleet, base, &followed, &w->issuer, w->diag));
	w->keyset = store_keyset(followed->store);
	w->marks = &followed->marks;
	*keys = store_keys(followed->store);
	if (w->keyset->followed.issued_s > w->now.wall_s)
		w->now.wall_s = w->verdict->now_s = w->keyset->followed.issued_s;
	return RJWT_OK;
}

/* The base of the kid selects the keyset, and with it keys, marks and issuer: the host's own first. */
static enum rjwt_err
select_keyset(struct verification *w, struct key_source *keys)
{
	const struct verifier *v = w->verifier;
	struct view base;
	int64_t version;

	w->keyset = v->keyset;
	w->marks = v->marks;
	w->issuer = NULL;
	*keys = v->keys;
	RJWT_TRY(keyset_kid_split(w->jws.kid, &base, &version));
	if (v->keyset != NULL && view_is(base, v->keyset->base))
		return RJWT_OK;
	return v->fleet == NULL ? RJWT_KEY_UNKNOWN : select_followed(w, base, keys);
}

static enum rjwt_err
find_key(struct verification *w, const struct jwk **found)
{
	const struct verifier *v = w->verifier;
	struct key_source keys;

	if (v->set != NULL)
		return jwk_set_find(v->set, w->jws.kid, w->jws.alg, found);
	RJWT_TRY(select_keyset(w, &keys));
	return keys.find(keys.context, w->jws.kid, found, w->diag);
}

/*
 * The kid's form and the key are two rows and one lookup: it distinguishes RJWT_KID from RJWT_KEY_UNKNOWN, and this
 * row keeps the key for the next one.
 */
enum rjwt_err
check_kid(struct verification *w)
{
	const struct jwk *found = NULL;
	bool keyset = w->verifier->set == NULL;
	enum rjwt_err err;

	/* Only RJWT_SIGNATURE_ONLY allows a missing kid: then the key is the only one in its set. */
	if (w->jws.kid.n == 0 && (w->jws.kid.p != NULL || keyset || (w->attempt->flags & RJWT_SIGNATURE_ONLY) == 0))
		return check_judge(w, false, "a key id", VIEW("none"));
	err = find_key(w, &found);
	if (err != RJWT_OK && err != RJWT_KID && err != RJWT_KEY_UNKNOWN)
		return err;
	w->jwk = found;
	if (err != RJWT_KID && w->jws.kid.n < sizeof(w->verdict->kid))
		memcpy(w->verdict->kid, w->jws.kid.n == 0 ? "" : w->jws.kid.p, w->jws.kid.n);
	return check_judge(w, err != RJWT_KID, keyset ? "base.version" : "1 to 128 bytes", w->jws.kid);
}

/* No key of a JWK Set: is there one that is passed over? */
static enum rjwt_err
key_missing_in_set(struct verification *w)
{
	const char *why = jwk_set_why_not(w->verifier->set, w->jws.kid);
	char found[160];

	if (why == NULL)
		return check_judge(w, false, "a key of this JWK Set", w->jws.kid);
	snprintf(found, sizeof(found), "%.*s, which is in the set but passed over: %s",
	    (int)(w->jws.kid.n < 60 ? w->jws.kid.n : 60), w->jws.kid.p, why);
	return check_judge(w, false, "a key of this JWK Set that can verify", view_of(found));
}

enum rjwt_err
check_key(struct verification *w)
{
	const struct jwk *jwk = w->jwk;
	int64_t now_s = w->now.wall_s, leeway_s = w->verifier->config->rotation.leeway_s;

	/* The nbf of a key in a JWK Set; in a keyset it is in the past, unless the clock was set back. */
	if (jwk != NULL && w->verifier->set != NULL && jwk->since_s - now_s > leeway_s)
		return check_judge_time(w, false, "a key that is valid from", jwk->since_s, now_s);
	if (jwk == NULL && w->verifier->set != NULL)
		return key_missing_in_set(w);
	return check_judge(w, jwk != NULL, w->verifier->set != NULL ? "a key of this JWK Set" : "a key of this keyset",
	    w->jws.kid);
}

enum rjwt_err
check_alg(struct verification *w)
{
	return check_judge(w, alg_has_name(w->jwk->alg, w->jws.alg, w->foreign), w->jwk->alg->name, w->jws.alg);
}

enum rjwt_err
check_key_revoked(struct verification *w)
{
	int64_t revoked_s = w->jwk->revoked_s;
	char found[64] = "such a key", at[32];

	if (revoked_s != 0) {
		time_format(at, revoked_s);
		snprintf(found, sizeof(found), "revoked at %s", at);
	}
	return check_judge(w, revoked_s == 0, "a key that was not revoked", view_of(found));
}

enum rjwt_err
check_key_until(struct verification *w)
{
	int64_t until_s = w->jwk->until_s;

	if (until_s == 0)
		return check_judge(w, true, "a key that verifies", VIEW("such a key"));
	return check_judge_time(w, w->now.wall_s <= until_s, "a key that verifies, until", until_s, w->now.wall_s);
}

/* Release the payload after a valid signature: nothing of it is read or shown before. */
static enum rjwt_err
release(struct verification *w)
{
	struct rjwt_verdict *v = w->verdict;
	char *copy = malloc(w->payload.n + 1);

	if (copy == NULL)
		return RJWT_MEMORY;
	memcpy(copy, w->payload.n == 0 ? "" : w->payload.p, w->payload.n);
	copy[w->payload.n] = '\0';
	v->claims = copy;
	v->claims_len = w->payload.n;
	return RJWT_OK;
}

enum rjwt_err
check_signature(struct verification *w)
{
	size_t short_by = 0;
	enum rjwt_err err = jws_verify(&w->jws, w->jwk->key, &w->payload, &short_by);

	if (err != RJWT_OK && err != RJWT_SIGNATURE)
		return err;
	if (short_by > 0 && rjwt_prompt_cuts(w->token.n)) /* cut off, so not a signature at all */
		return truncated(w);
	if (err == RJWT_OK)
		RJWT_TRY(release(w));
	return check_judge(w, err == RJWT_OK, "a signature of this key",
	    view_of(err == RJWT_OK ? "one"
		    : short_by > 0 ? "one that is too short"
				   : "none"));
}

/* Media types are case-insensitive. */
enum rjwt_err
check_typ(struct verification *w)
{
	const char *configured = w->verifier->config->token_type;
	struct view typ = w->jws.typ, found = jws_media_type(typ), wanted = jws_media_type(view_of(configured));

	if (typ.p == NULL)
		return check_judge(w, wanted.n == 3 && strncasecmp(wanted.p, "JWT", 3) == 0, configured, VIEW("none"));
	return check_judge(w, found.n == wanted.n && strncasecmp(found.p, wanted.p, wanted.n) == 0, configured, typ);
}
