/* SPDX-License-Identifier: MIT */
/* claims_rows.h - payloads that differ from a good one in one claim. */
#ifndef RJWT_TEST_CLAIMS_ROWS_H
#define RJWT_TEST_CLAIMS_ROWS_H

#include "unit.h"
#include "jose/claims.h"

/* What every token needs but the one that a row is about. */
#define ISS "\"iss\":\"host\","
#define AUD "\"aud\":\"host\","
#define EXP "\"exp\":1300,"
#define IAT "\"iat\":1000,"
#define SUB "\"sub\":\"alice\""
#define ALL ISS AUD EXP IAT SUB

struct row {
	struct view text;
	bool good;
};

/* A refusal names what is wrong. */
static inline void
judge(const struct row *rows, size_t n, const char *user_claim, const char *about)
{
	for (size_t i = 0; i < n; i++) {
		RJWT_CLEAN(claims_clear) struct claims claims = { 0 };
		struct rjwt_diag diag = { .text = "" };
		const char *label = rows[i].text.p == NULL ? "NULL" : rows[i].text.p;

		EXPECT(label, claims_parse(rows[i].text, user_claim, &claims, &diag),
		    rows[i].good ? RJWT_OK : RJWT_CLAIMS);
		CHECK(label, (claims.json.object != NULL) == rows[i].good);
		CHECK(diag.text, rows[i].good ? diag.text[0] == '\0' : strstr(diag.text, about) != NULL);
	}
}

#endif
