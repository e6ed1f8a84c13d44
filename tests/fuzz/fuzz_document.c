/* SPDX-License-Identifier: MIT */
/*
 * Lines of fleet.jws: the input as a file of lines that nobody signed, and as a payload that the harness signs. What is
 * accepted is within its limits, and is read again from what rjwt writes of it.
 */
#include "faults.h"
#include "fleet/bundle.h"
#include "fleet/document.h"
#include "fleet/roster.h"
#include "jose/alg.h"

#include <string.h>

const char fuzz_name[] = "document";
enum { FOREIGN, ROSTER, BUNDLE, DENIED, REFUSED };
const char *const fuzz_sights[] = { "a line of another key", "a roster", "a bundle", "a denial", "a payload refused",
	NULL };

static struct key *key;
static struct fleet_key name;

static void
read_roster(struct view payload)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(buf_clear) struct buf again = { 0 };
	struct rjwt_diag diag = { 0 };
	struct roster roster, other;

	if (roster_parse(payload, &roster, &diag) != RJWT_OK) {
		FUZZ_SAW(REFUSED);
		FUZZ_CHECK(diag.text[0] != '\0');
		return;
	}
	FUZZ_SAW(ROSTER);
	FUZZ_CHECK(roster.n > 0 && roster.nkeys >= 1 && roster.nkeys <= FLEET_KEYS_MAX &&
		   roster.nissuers <= FLEET_ISSUERS_MAX);
	for (size_t i = 0; i < roster.nissuers; i++) {
		const struct fleet_issuer *issuer = &roster.issuers[i];

		FUZZ_CHECK(label_check(view_of(issuer->name)) && fleet_url_check(view_of(issuer->url)) &&
			   keyset_base_check(view_of(issuer->base)) && strchr(issuer->base, '/') == NULL);
		FUZZ_CHECK(roster_find(&roster, view_of(issuer->base)) == issuer &&
			   roster_named(&roster, view_of(issuer->name)) == issuer);
	}
	FUZZ_CHECK(roster_format(&text, &roster) == RJWT_OK);
	FUZZ_CHECK(roster_parse(buf_view(&text), &other, &diag) == RJWT_OK && roster_same_keys(&roster, &other));
	FUZZ_CHECK(roster_format(&again, &other) == RJWT_OK && view_eq(buf_view(&text), buf_view(&again)));
}

static void
check_denials(const struct denial_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		FUZZ_SAW(DENIED);
		FUZZ_CHECK(strspn(list->list[i].hash, "0123456789abcdef") == DIGEST_HEX - 1 &&
			   denial_find(list, list->list[i].hash) == &list->list[i]);
	}
}

static void
read_bundle(struct view payload)
{
	RJWT_CLEAN(bundle_clear) struct bundle bundle = { 0 };
	RJWT_CLEAN(bundle_clear) struct bundle other = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(buf_clear) struct buf again = { 0 };
	struct rjwt_diag diag = { 0 };

	if (bundle_parse(payload, &bundle, &diag) != RJWT_OK) {
		FUZZ_SAW(REFUSED);
		FUZZ_CHECK(diag.text[0] != '\0' && bundle.keys == NULL);
		return;
	}
	FUZZ_SAW(BUNDLE);
	FUZZ_CHECK(bundle.floor >= 1 && bundle.floor <= bundle.active.version &&
		   bundle.active.version < bundle.next.version && bundle.next.version < bundle.next_version);
	FUZZ_CHECK(
	    bundle_key(&bundle, bundle.active.version) != NULL && bundle_key(&bundle, bundle.next.version) != NULL);
	for (size_t i = 0; i < bundle.nkeys; i++)
		FUZZ_CHECK(bundle.keys[i].jwk.key != NULL && bundle.keys[i].jwk.alg->kind != ALG_HMAC &&
			   bundle.keys[i].version >= bundle.floor && bundle.keys[i].version <= bundle.next.version);
	FUZZ_CHECK(bundle.sub.n + bundle.jti.n <= BUNDLE_DENIALS_MAX);
	check_denials(&bundle.sub);
	check_denials(&bundle.jti);
	FUZZ_CHECK(bundle_format(&text, &bundle) == RJWT_OK);
	FUZZ_CHECK(bundle_parse(buf_view(&text), &other, &diag) == RJWT_OK);
	FUZZ_CHECK(bundle_format(&again, &other) == RJWT_OK && view_eq(buf_view(&text), buf_view(&again)));
}

/* Nobody signed these. */
static void
read_lines(struct view file)
{
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
	enum document_type type;
	struct view line;

	while (document_next(&file, &line)) {
		FUZZ_CHECK(line.n > 0 && memchr(line.p, '\n', line.n) == NULL);
		if (!document_type(line, &type))
			continue;
		FUZZ_SAW(FOREIGN);
		FUZZ_CHECK(document_open(line, type, &name, &payload) != RJWT_OK && payload.n == 0);
	}
}

static void
sign_and_read(struct view text, enum document_type type)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
	enum document_type found;

	FUZZ_CHECK(document_make(key, type, text, &line) == RJWT_OK);
	FUZZ_CHECK(document_type(buf_view(&line), &found) && found == type);
	if (document_open(buf_view(&line), type, &name, &payload) != RJWT_OK) {
		FUZZ_CHECK(text.n == 0); /* a line has three parts that are not empty */
		return;
	}
	FUZZ_CHECK(view_eq(buf_view(&payload), text));
	(type == DOCUMENT_ROSTER ? read_roster : read_bundle)(buf_view(&payload));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rest rest = { data, size };
	unsigned mode = take_below(&rest, 3);
	struct view text = { (const char *)rest.p, rest.n };

	if (key == NULL)
		FUZZ_CHECK(key_generate(alg_by_label(VIEW("EdDSA")), 0, &key) == RJWT_OK &&
			   fleet_key_of(key, &name) == RJWT_OK);
	if (mode == 0)
		read_lines(text);
	else
		sign_and_read(text, mode == 1 ? DOCUMENT_ROSTER : DOCUMENT_BUNDLE);
	return 0;
}
