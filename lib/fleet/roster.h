/* SPDX-License-Identifier: MIT */
/*
 * roster.h - the roster as a value: who may sign the next one, and whose bundles count. Pure.
 */
#ifndef RJWT_ROSTER_H
#define RJWT_ROSTER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/text.h"
#include "fleet/document.h"
#include "keyset/keyset.h"

#define FLEET_ISSUERS_MAX 8
#define FLEET_KEYS_MAX 8
#define FLEET_URL_MAX 255

struct fleet_issuer {
	char name[LABEL_MAX + 1];
	char base[KEYSET_BASE_MAX + 1];
	char iss[RJWT_NAME_MAX + 1]; /* the only claim iss that its tokens may have */
	char url[FLEET_URL_MAX + 1];
	struct fleet_key key; /* signs its bundles */
};

struct roster {
	int64_t n, iat_s;
	struct fleet_key keys[FLEET_KEYS_MAX]; /* may sign the next roster */
	size_t nkeys;
	struct fleet_issuer issuers[FLEET_ISSUERS_MAX];
	size_t nissuers;
};

/* The payload of a roster line. RJWT_MALFORMED with the reason in diag: the line does not count. */
RJWT_MUST enum rjwt_err roster_parse(struct view payload, struct roster *roster, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err roster_format(struct buf *out, const struct roster *roster);

/*
 * The same members of an object that has more: n, iat, keys, issuers. RJWT_MALFORMED: they are no roster, and why says so,
 * static. ours: it was parsed before, so that the form of its keys is enough.
 */
RJWT_MUST enum rjwt_err roster_read(struct json json, bool ours, struct roster *roster, const char **why);
void roster_put(struct buf *out, const struct roster *roster);

/* One entry alone, as an object: what an issuer asks for. */
RJWT_MUST enum rjwt_err roster_entry_parse(struct view text, struct fleet_issuer *entry, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err roster_entry_format(struct buf *out, const struct fleet_issuer *entry);

/* The entry for a base, or of a name; NULL: none. */
const struct fleet_issuer *roster_find(const struct roster *roster, struct view base);
const struct fleet_issuer *roster_named(const struct roster *roster, struct view name);
bool roster_has_key(const struct roster *roster, const struct fleet_key *key);
bool roster_same_keys(const struct roster *a, const struct roster *b);

bool fleet_url_check(struct view url); /* http:// or https://, printable ASCII, no blank */

#endif
