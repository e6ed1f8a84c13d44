/* SPDX-License-Identifier: MIT */
#include "token/mint_origin.h"
#include "base/address.h"
#include "base/json_write.h"
#include "base/ssh_key.h"
#include "jose/claims.h"

#include <string.h>

static bool
has_ranges(const struct rjwt_request *r)
{
	return r->from != NULL && r->from[0] != NULL;
}

static enum rjwt_err
check_ranges(const struct rjwt_request *r, struct rjwt_diag *diag)
{
	for (size_t i = 0; r->from[i] != NULL; i++) {
		struct address_range range;
		const char *why = address_range_parse(view_of(r->from[i]), &range);

		if (why != NULL)
			return diag_fail(diag, RJWT_SOURCE, "", "%.100s: %s", r->from[i], why);
		if (i == CLAIMS_RANGES_MAX)
			return diag_fail(diag, RJWT_SOURCE, "", "too many address ranges (expected at most %d)",
			    CLAIMS_RANGES_MAX);
	}
	return RJWT_OK;
}

enum rjwt_err
mint_origin_check(const struct rjwt_request *r, struct rjwt_diag *diag)
{
	if (r->bind_key != NULL && !ssh_fingerprint_check(view_of(r->bind_key)))
		return diag_fail(diag, RJWT_BINDING, "", "not the SHA256 fingerprint of an ssh key");
	if (has_ranges(r))
		RJWT_TRY(check_ranges(r, diag));
	if ((r->bind_key == NULL && !has_ranges(r)) || (strcmp(r->scope[0], "ssh") == 0 && r->scope[1] == NULL))
		return RJWT_OK;
	return diag_fail(diag, RJWT_SCOPE, "",
	    "a token that is bound to an ssh key or an address is for ssh alone (expected the scope ssh)");
}

void
mint_origin_put(const struct rjwt_request *r, struct buf *claims)
{
	if (r->bind_key != NULL) {
		json_open(claims, "cnf");
		json_put_string(claims, "kid", view_of(r->bind_key));
		json_close(claims);
	}
	if (!has_ranges(r))
		return;
	json_open_array(claims, "src");
	for (size_t i = 0; r->from[i] != NULL; i++) {
		struct address_range range;
		char text[ADDRESS_RANGE_SIZE] = "";

		if (address_range_parse(view_of(r->from[i]), &range) == NULL)
			address_range_format(&range, text);
		json_put_string(claims, NULL, view_of(text));
	}
	json_close_array(claims);
}
