/* SPDX-License-Identifier: MIT */
#include "jose/jws.h"
#include "base/base64url.h"

#include <string.h>
#include <strings.h>

/*
 * The header members that a request must not bring: those that rjwt writes, and those that change what a signature
 * means or bring a key along, which nothing here honours and every token with one is rejected for.
 */
static const struct reserved {
	const char *name;
	enum { READ, REJECTED, REJECTED_OF_OURS } use; /* of ours: ignored in tokens of others */
} reserved[] = { { "alg", READ }, { "kid", READ }, { "typ", READ }, { "crit", REJECTED }, { "b64", REJECTED },
	{ "zip", REJECTED }, { "cty", REJECTED }, { "jwk", REJECTED }, { "jku", REJECTED }, { "x5c", REJECTED },
	{ "x5u", REJECTED }, { "x5t", REJECTED_OF_OURS }, { "x5t#S256", REJECTED_OF_OURS } };

static const struct reserved *
find_reserved(struct view name)
{
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if (view_is(name, reserved[i].name))
			return &reserved[i];
	return NULL;
}

enum rjwt_err
jws_split(struct view token, bool empty_payload, struct jws *jws, const char **why)
{
	const char *first = token.n == 0 ? NULL : memchr(token.p, '.', token.n);
	const char *second = NULL, *end = token.p + token.n;

	*jws = (struct jws){ 0 };
	*why = "fewer or more parts";
	if (first != NULL)
		second = memchr(first + 1, '.', (size_t)(end - first - 1));
	if (second == NULL || memchr(second + 1, '.', (size_t)(end - second - 1)) != NULL)
		return RJWT_MALFORMED;
	jws->header = (struct view){ token.p, (size_t)(first - token.p) };
	jws->payload = (struct view){ first + 1, (size_t)(second - first - 1) };
	jws->signature = (struct view){ second + 1, (size_t)(end - second - 1) };
	jws->input = (struct view){ token.p, (size_t)(second - token.p) };
	if (jws->header.n == 0 || (jws->payload.n == 0 && !empty_payload) || jws->signature.n == 0) {
		*why = "a part is empty";
		return RJWT_MALFORMED;
	}
	if ((*why = base64url_check(jws->header)) != NULL || (*why = base64url_check(jws->payload)) != NULL ||
	    (*why = base64url_check(jws->signature)) != NULL)
		return RJWT_MALFORMED;
	return RJWT_OK;
}

/* A string that may be absent (.p NULL). */
static enum rjwt_err
optional(struct json json, const char *name, struct view *value, struct rjwt_diag *diag)
{
	if (json_string(json, name, value) == JSON_WRONG)
		return diag_fail(diag, RJWT_HEADER, "", "%s is not a string", name);
	return RJWT_OK;
}

static enum rjwt_err
check_foreign_name(void *diag, struct view name)
{
	const struct reserved *r = find_reserved(name);

	if (r == NULL || r->use != REJECTED)
		return RJWT_OK;
	return diag_fail(diag, RJWT_HEADER, "", "%.*s is not accepted", (int)name.n, name.p);
}

static enum rjwt_err
check_name(void *diag, struct view name)
{
	const struct reserved *r = find_reserved(name);

	if (r == NULL || r->use == READ)
		return RJWT_OK;
	return diag_fail(diag, RJWT_HEADER, "", "%.*s is not accepted", (int)name.n, name.p);
}

enum rjwt_err
jws_header(struct jws *jws, bool foreign, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	enum rjwt_err err = base64url_decode(jws->header, &text);

	RJWT_TRY(err);
	err = json_parse(buf_view(&text), &jws->json, diag);
	if (err != RJWT_OK)
		return err == RJWT_MALFORMED ? RJWT_HEADER : err;
	RJWT_TRY(json_names(jws->json, foreign ? check_foreign_name : check_name, diag));
	if (json_string(jws->json, "alg", &jws->alg) != JSON_GOOD)
		return diag_fail(diag, RJWT_HEADER, "", "alg is missing or not a string");
	RJWT_TRY(optional(jws->json, "kid", &jws->kid, diag));
	return optional(jws->json, "typ", &jws->typ, diag);
}

enum rjwt_err
jws_verify(const struct jws *jws, struct key *key, struct buf *payload, size_t *short_by)
{
	RJWT_CLEAN(buf_clear) struct buf signature = { 0 };
	enum rjwt_err err = base64url_decode(jws->signature, &signature);
	size_t wanted = key_signature_size(key), have = jws->signature.n / 4 * 3;

	have += jws->signature.n % 4 == 0 ? 0 : jws->signature.n % 4 - 1;
	if (short_by != NULL)
		*short_by = have < wanted ? wanted - have : 0;
	if (err == RJWT_OK)
		err = key_verify(key, jws->input, buf_view(&signature));
	if (err == RJWT_OK)
		err = base64url_decode(jws->payload, payload);
	return err == RJWT_MALFORMED ? RJWT_SIGNATURE : err;
}

enum rjwt_err
jws_sign(struct signer *signer, struct view header, struct view payload, struct buf *token)
{
	RJWT_CLEAN(buf_clear) struct buf signature = { 0 };
	size_t start = token->n;

	base64url_encode(token, header);
	buf_adds(token, ".");
	base64url_encode(token, payload);
	RJWT_TRY(buf_done(token));
	RJWT_TRY(signer->sign(signer, (struct view){ token->p + start, token->n - start }, &signature));
	buf_adds(token, ".");
	base64url_encode(token, buf_view(&signature));
	return buf_done(token);
}

struct view
jws_media_type(struct view typ)
{
	static const struct view prefix = { "application/", 12 };

	if (typ.n > prefix.n && strncasecmp(typ.p, prefix.p, prefix.n) == 0)
		return (struct view){ typ.p + prefix.n, typ.n - prefix.n };
	return typ;
}

bool
jws_typ_is_document(struct view typ)
{
	struct view bare = jws_media_type(typ), roster = VIEW(JWS_TYP_ROSTER), bundle = VIEW(JWS_TYP_BUNDLE);

	return (bare.n == roster.n && strncasecmp(bare.p, roster.p, roster.n) == 0) ||
	       (bare.n == bundle.n && strncasecmp(bare.p, bundle.p, bundle.n) == 0);
}

bool
jws_is_reserved(struct view name)
{
	return find_reserved(name) != NULL;
}

void
jws_clear(struct jws *jws)
{
	json_clear(&jws->json);
	*jws = (struct jws){ 0 };
}
