/* SPDX-License-Identifier: MIT */
#include "jose/claims.h"
#include "base/address.h"
#include "base/ssh_key.h"
#include "base/text.h"
#include "jose/numeric_date.h"
#include "rjwt.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 32
#define JTI_MAX 128

bool
claims_name_check(struct view name)
{
	size_t i = 0;

	if (name.n == 0 || name.n > RJWT_NAME_MAX)
		return false;
	while (i < name.n) {
		unsigned char c = (unsigned char)name.p[i];
		size_t length = utf8_length(name.p + i, name.n - i);

		/* C0, DEL and C1 */
		if (length == 0 || c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)name.p[i + 1] < 0xa0))
			return false;
		i += length;
	}
	return true;
}

bool
claims_jti_check(struct view jti)
{
	return jti.n <= JTI_MAX && claims_name_check(jti);
}

bool
claims_word_check(struct view word)
{
	if (word.n == 0 || word.n > WORD_MAX)
		return false;
	for (size_t i = 0; i < word.n; i++) {
		char c = word.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			(c != '\0' && strchr("._:/-", c) != NULL)))
			return false;
	}
	return true;
}

bool
claims_uses_check(int64_t uses)
{
	return uses >= 2 && uses <= RJWT_USES_MAX;
}

bool
claims_is_reserved(struct view name, const char *user_claim)
{
	static const char *const own[] = { "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "once", "uses",
		"cnf", "src", "act" };

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (view_is(name, own[i]))
			return true;
	return view_is(name, user_claim);
}

/* Words are separated by exactly one space. */
bool
claims_next_word(struct view *rest, struct view *word)
{
	const char *space;

	if (rest->p == NULL)
		return false;
	space = memchr(rest->p, ' ', rest->n);
	*word = (struct view){ rest->p, space == NULL ? rest->n : (size_t)(space - rest->p) };
	if (space == NULL)
		*rest = (struct view){ NULL, 0 };
	else
		*rest = (struct view){ space + 1, rest->n - word->n - 1 };
	return true;
}

static bool
scope_check(struct view scope)
{
	struct view word;

	while (claims_next_word(&scope, &word))
		if (!claims_word_check(word))
			return false;
	return true;
}

bool
claims_scope_has(const struct claims *claims, const char *wanted)
{
	struct view rest = claims->scope, word;

	while (claims_next_word(&rest, &word))
		if (view_is(word, wanted))
			return true;
	return false;
}

bool
claims_audience_has(const struct claims *claims, const char *name)
{
	size_t count = 0;

	(void)json_strings(claims->json, "aud", &count); /* claims_parse() has checked all of them */
	for (size_t i = 0; i < count; i++)
		if (view_is(json_string_at(claims->json, "aud", i), name))
			return true;
	return false;
}

bool
claims_each_range(const struct claims *claims, bool (*each)(void *context, struct view range), void *context)
{
	size_t count = 0;
	bool good = json_array(claims->json, "src", &count) == JSON_GOOD &&
		    json_strings(claims->json, "src", &count) == JSON_GOOD;

	for (size_t i = 0; good && i < count; i++)
		good = each(context, json_string_at(claims->json, "src", i));
	return good;
}

static enum rjwt_err
wrong(struct rjwt_diag *diag, const char *name, const char *what)
{
	return diag_fail(diag, RJWT_CLAIMS, "", "%s %s", name, what);
}

static enum rjwt_err
required_integer(struct json json, const char *name, int64_t *value, struct rjwt_diag *diag)
{
	switch (json_integer(json, name, value)) {
	case JSON_ABSENT:
		return wrong(diag, name, "is missing");
	case JSON_WRONG:
		return wrong(diag, name, "is not an integer from 0 to 2^53");
	case JSON_GOOD:
		break;
	}
	return RJWT_OK;
}

/* A name. required: it must be present. */
static enum rjwt_err
read_name(struct json json, const char *name, bool required, struct view *value, struct rjwt_diag *diag)
{
	switch (json_string(json, name, value)) {
	case JSON_ABSENT:
		return required ? wrong(diag, name, "is missing") : RJWT_OK;
	case JSON_WRONG:
		return wrong(diag, name, "is not a string");
	case JSON_GOOD:
		break;
	}
	if (!claims_name_check(*value))
		return wrong(diag, name, "must be 1 to 255 bytes without control characters");
	return RJWT_OK;
}

static enum rjwt_err
read_times(struct claims *claims, struct rjwt_diag *diag)
{
	RJWT_TRY(required_integer(claims->json, "exp", &claims->exp_s, diag));
	RJWT_TRY(required_integer(claims->json, "iat", &claims->iat_s, diag));
	if (json_integer(claims->json, "nbf", &claims->nbf_s) == JSON_WRONG)
		return wrong(diag, "nbf", "is not an integer from 0 to 2^53");
	claims->lifetime_s = claims->exp_s - claims->iat_s;
	return RJWT_OK;
}

/* A time, which may have a fraction. RJWT_CLAIMS: the member has another type, or is out of range. */
static enum rjwt_err
read_date(struct view payload, const char *name, bool required, struct numeric_date *date, struct rjwt_diag *diag)
{
	struct view literal;

	*date = (struct numeric_date){ 0 };
	if (!json_raw(payload, name, &literal))
		return required ? wrong(diag, name, "is missing") : RJWT_OK;
	if (!numeric_date_parse(literal, date))
		return wrong(diag, name, "is not a number from 0 to 2^53");
	return RJWT_OK;
}

static enum rjwt_err
read_dates(struct claims *claims, struct view payload, struct rjwt_diag *diag)
{
	struct numeric_date exp, iat, nbf;

	RJWT_TRY(read_date(payload, "exp", true, &exp, diag));
	RJWT_TRY(read_date(payload, "iat", true, &iat, diag));
	RJWT_TRY(read_date(payload, "nbf", false, &nbf, diag));
	claims->exp_s = exp.whole_s;
	claims->iat_s = numeric_date_up(&iat);
	claims->nbf_s = numeric_date_up(&nbf);
	claims->lifetime_s = numeric_date_between(&iat, &exp);
	return RJWT_OK;
}

/* What nearly all tokens of others have, too. */
static bool
times_are_integers(struct json json)
{
	int64_t ignored_s;

	return json_integer(json, "exp", &ignored_s) == JSON_GOOD &&
	       json_integer(json, "iat", &ignored_s) == JSON_GOOD &&
	       json_integer(json, "nbf", &ignored_s) != JSON_WRONG;
}

/* A scope that is absent has no words. */
static enum rjwt_err
read_scope(struct claims *claims, bool foreign, struct rjwt_diag *diag)
{
	enum json_has has = json_string(claims->json, "scope", &claims->scope);
	size_t count;

	if (has != JSON_WRONG && scope_check(claims->scope))
		return RJWT_OK;
	claims->scope = (struct view){ NULL, 0 };
	claims->other_scope = true;
	if (foreign && (has == JSON_GOOD || json_array(claims->json, "scope", &count) == JSON_GOOD))
		return RJWT_OK;
	return wrong(diag, "scope", "is not a list of words with one space between them");
}

/* A number of uses says alone how often the token works: what else said so, even once: false, might contradict it. */
static enum rjwt_err
read_uses(struct claims *claims, struct rjwt_diag *diag)
{
	bool ignored;
	enum json_has has = json_integer(claims->json, "uses", &claims->uses);

	if (has == JSON_ABSENT)
		return RJWT_OK;
	if (has == JSON_WRONG || !claims_uses_check(claims->uses))
		return wrong(diag, "uses", "is not an integer from 2 to 100");
	if (json_boolean(claims->json, "once", &ignored) != JSON_ABSENT)
		return wrong(diag, "uses", "is not accepted together with once");
	if (claims->jti.p == NULL)
		return wrong(diag, "jti", "is missing (a token with uses needs it)");
	return RJWT_OK;
}

static enum rjwt_err
check_name_alone(void *context, struct view name)
{
	return view_is(name, context) ? RJWT_OK : RJWT_CLAIMS;
}

/* {"MEMBER":"TEXT"} and nothing else. */
static bool
read_single(struct json json, const char *name, const char *member, struct view *text)
{
	char only[8];
	struct json object;

	snprintf(only, sizeof(only), "%s", member);
	return json_member(json, name, &object) == JSON_GOOD && json_string(object, member, text) == JSON_GOOD &&
	       json_names(object, check_name_alone, only) == RJWT_OK;
}

/* RFC 7800, of which kid alone is known. Another member, known or not, could say that the holder proves something else. */
static bool
read_confirmation(struct claims *claims)
{
	struct view kid;

	if (!read_single(claims->json, "cnf", "kid", &kid) || !ssh_fingerprint_check(kid))
		return false;
	claims->cnf_kid = kid;
	return true;
}

static bool
check_range(void *context, struct view range)
{
	size_t *count = context;

	return ++*count <= CLAIMS_RANGES_MAX && address_range_check(range);
}

/* cnf and src. */
static enum rjwt_err
read_origin(struct claims *claims, bool foreign, struct rjwt_diag *diag)
{
	size_t count = 0;
	struct json ignored;

	claims->has_cnf = json_member(claims->json, "cnf", &ignored) != JSON_ABSENT;
	claims->has_src = json_member(claims->json, "src", &ignored) != JSON_ABSENT;
	if (claims->has_cnf && !read_confirmation(claims) && !foreign)
		return wrong(diag, "cnf", "is not {\"kid\":\"SHA256:...\"} with the fingerprint of an ssh key");
	if (claims->has_src && !foreign && !claims_each_range(claims, check_range, &count))
		return wrong(diag, "src", "is not an array of 1 to 16 address ranges such as 192.0.2.0/24");
	return RJWT_OK;
}

/* RFC 8693 s4.1. Another member, such as iss, could make it somebody else of this name. */
static enum rjwt_err
read_actor(struct claims *claims, bool foreign, struct rjwt_diag *diag)
{
	struct json ignored;
	struct view actor;

	if (json_member(claims->json, "act", &ignored) == JSON_ABSENT)
		return RJWT_OK;
	if (read_single(claims->json, "act", "sub", &actor) && claims_name_check(actor))
		claims->actor = actor;
	else if (!foreign)
		return wrong(diag, "act", "is not {\"sub\":\"NAME\"} with 1 to 255 bytes without control characters");
	return RJWT_OK;
}

/* jti, scope, once, uses, act, cnf and src. */
static enum rjwt_err
read_own(struct claims *claims, bool foreign, struct rjwt_diag *diag)
{
	enum json_has has = json_string(claims->json, "jti", &claims->jti);

	if (has == JSON_WRONG || (has == JSON_GOOD && !claims_jti_check(claims->jti)))
		return wrong(diag, "jti", "is not a string of 1 to 128 bytes without control characters");
	RJWT_TRY(read_scope(claims, foreign, diag));
	if (json_boolean(claims->json, "once", &claims->once) == JSON_WRONG)
		return wrong(diag, "once", "is neither true nor false");
	if (claims->once && claims->jti.p == NULL)
		return wrong(diag, "jti", "is missing (a one-time token needs it)");
	RJWT_TRY(read_uses(claims, diag));
	RJWT_TRY(read_actor(claims, foreign, diag));
	return read_origin(claims, foreign, diag);
}

/* foreign: the payload of a token of somebody else; .p NULL: of ours. */
static enum rjwt_err
read_all(struct claims *claims, const char *user_claim, struct view foreign, struct rjwt_diag *diag)
{
	RJWT_TRY(read_name(claims->json, "iss", true, &claims->iss, diag));
	switch (json_strings(claims->json, "aud", NULL)) {
	case JSON_ABSENT:
		return wrong(diag, "aud", "is missing");
	case JSON_WRONG:
		return wrong(diag, "aud", "is neither a string nor an array of strings");
	case JSON_GOOD:
		break;
	}
	if (foreign.p != NULL && !times_are_integers(claims->json))
		RJWT_TRY(read_dates(claims, foreign, diag));
	else
		RJWT_TRY(read_times(claims, diag));
	RJWT_TRY(read_name(claims->json, "sub", false, &claims->sub, diag));
	RJWT_TRY(read_name(claims->json, user_claim, true, &claims->user, diag));
	return read_own(claims, foreign.p != NULL, diag);
}

static enum rjwt_err
parse(struct view payload, const char *user_claim, bool foreign, struct claims *claims, struct rjwt_diag *diag)
{
	RJWT_CLEAN(claims_clear) struct claims found = { 0 };
	enum rjwt_err err = json_parse(payload, &found.json, diag);

	if (err != RJWT_OK)
		return err == RJWT_MALFORMED ? RJWT_CLAIMS : err;
	RJWT_TRY(read_all(&found, user_claim, foreign ? payload : (struct view){ NULL, 0 }, diag));
	*claims = RJWT_STEAL(found);
	return RJWT_OK;
}

enum rjwt_err
claims_parse(struct view payload, const char *user_claim, struct claims *claims, struct rjwt_diag *diag)
{
	return parse(payload, user_claim, false, claims, diag);
}

enum rjwt_err
claims_parse_foreign(struct view payload, const char *user_claim, struct claims *claims, struct rjwt_diag *diag)
{
	return parse(payload, user_claim, true, claims, diag);
}

void
claims_clear(struct claims *claims)
{
	json_clear(&claims->json);
	*claims = (struct claims){ 0 };
}
