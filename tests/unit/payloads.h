/* SPDX-License-Identifier: MIT */
/* payloads.h - good payloads of a roster and a bundle, in which one place is replaced. */
#ifndef RJWT_TEST_PAYLOADS_H
#define RJWT_TEST_PAYLOADS_H

#include "unit.h"
#include "base/buf.h"

#define H1 "1111111111111111111111111111111111111111111111111111111111111111"
#define H63 "111111111111111111111111111111111111111111111111111111111111111"
#define H2 "2222222222222222222222222222222222222222222222222222222222222222"
/* The public keys of RFC 8032 s7.1, tests 1 to 3, and a point of small order. */
#define K1 "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define K2 "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"
#define K3 "_FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU"
#define SMALL "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

#define ISSUER(name, base, key)                                                                        \
	"{\"name\":\"" name "\",\"base\":\"" base "\",\"iss\":\"iss.example\",\"url\":\"http://i/f\"," \
	"\"key\":\"" key "\"}"
#define ROSTER "{\"n\":5,\"iat\":7,\"keys\":[\"" K1 "\"],\"issuers\":[" ISSUER("i1", "B", K2) "]}"

#define JWK(kid, more)                                                         \
	"{\"kid\":\"" kid "\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" K1 \
	"\",\"alg\":\"EdDSA\",\"use\":\"sig\"" more "}"
#define BUNDLE                                                                                                \
	"{\"base\":\"B\",\"serial\":9,\"iat\":8,\"roster\":5,\"max_lifetime\":3600,\"floor\":2,"              \
	"\"active\":{\"version\":3,\"since\":7},\"next\":{\"version\":4,\"published\":7},\"next_version\":5," \
	"\"keys\":[" JWK("B.3", ",\"iat\":6") "," JWK("B.4", ",\"iat\":7") "],"                               \
									   "\"denied\":{\"sub\":[\"" H1       \
									   " 10\"],\"jti\":[]}}"

/* Replace the first from by to in a text. */
static inline void
replace(struct buf *out, const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	buf_clear(out);
	CHECK(from, at != NULL);
	buf_add(out, text, (size_t)(at - text));
	buf_adds(out, to);
	buf_adds(out, at + strlen(from));
}

#endif
