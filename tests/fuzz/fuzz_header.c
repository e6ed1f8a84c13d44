/* SPDX-License-Identifier: MIT */
/*
 * jws_split() and jws_header(), on the input as a token, and on a token whose header is the input; and, because they
 * too are behind a good signature alone, the claims.
 */
#include "jose/claims.h"
#include "fuzz.h"
#include "base/base64url.h"
#include "base/buf.h"
#include "base/json.h"
#include "jose/jws.h"

#include <stdio.h>
#include <string.h>

const char fuzz_name[] = "header";
enum { SPLIT, HEADER, CLAIMS };
const char *const fuzz_sights[] = { "three parts", "a header that is accepted", "claims that are accepted", NULL };

/* foreign: of somebody else, who may send the last two. */
static void
read_header(struct view token, bool foreign)
{
	static const char *const never[] = { "crit", "b64", "zip", "cty", "jwk", "jku", "x5c", "x5u", "x5t",
		"x5t#S256" };
	struct rjwt_diag diag = { 0 };
	struct jws jws = { .json = { 0 } };
	struct view ignored;
	const char *why = NULL;
	enum rjwt_err err = jws_split(token, foreign, &jws, &why);

	FUZZ_CHECK((err == RJWT_OK) == (why == NULL));
	if (err != RJWT_OK) {
		FUZZ_CHECK(err == RJWT_MALFORMED);
		return;
	}
	FUZZ_SAW(SPLIT);
	FUZZ_CHECK(jws.header.n > 0 && (foreign || jws.payload.n > 0) && jws.signature.n > 0 &&
		   jws.header.n + jws.payload.n + jws.signature.n + 2 == token.n &&
		   jws.input.n == jws.header.n + 1 + jws.payload.n && jws.input.p == token.p);
	err = jws_header(&jws, foreign, &diag);
	if (err == RJWT_OK) {
		FUZZ_SAW(HEADER);
		FUZZ_CHECK(jws.alg.p != NULL && strlen(jws.alg.p) == jws.alg.n);
		for (size_t i = 0; i < ARRAY_LEN(never) - (foreign ? 2 : 0); i++)
			FUZZ_CHECK(json_string(jws.json, never[i], &ignored) == JSON_ABSENT);
	} else {
		FUZZ_CHECK(err == RJWT_HEADER && diag.text[0] != '\0');
	}
	jws_clear(&jws);
}

static void
read_claims(struct view text, const char *user_claim, bool foreign)
{
	struct claims claims = { .iat_s = -1 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = (foreign ? claims_parse_foreign : claims_parse)(text, user_claim, &claims, &diag);

	if (err != RJWT_OK) {
		FUZZ_CHECK(err == RJWT_CLAIMS && diag.text[0] != '\0' && claims.json.object == NULL);
		return;
	}
	FUZZ_SAW(CLAIMS);
	FUZZ_CHECK(claims_name_check(claims.iss) && claims_name_check(claims.user) && claims.exp_s >= 0 &&
		   claims.exp_s <= JSON_INTEGER_MAX && claims.iat_s >= 0 && claims.iat_s <= JSON_INTEGER_MAX &&
		   claims.nbf_s >= 0 && claims.nbf_s <= JSON_INTEGER_MAX);
	FUZZ_CHECK(!claims.once || claims_jti_check(claims.jti));
	(void)claims_audience_has(&claims, "host.example");
	FUZZ_CHECK(!claims_scope_has(&claims, ""));
	claims_clear(&claims);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct view text = { (const char *)data, size };
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };

	read_header(text, false);
	read_header(text, true);
	base64url_encode(&token, text);
	buf_adds(&token, ".e30.AA");
	read_header(buf_view(&token), false);
	read_header(buf_view(&token), true);
	read_claims(text, "sub", false);
	read_claims(text, "name", false);
	read_claims(text, "sub", true);
	(void)jws_is_reserved(text);
	(void)claims_is_reserved(text, "name");
	return 0;
}
