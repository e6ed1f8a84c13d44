/* SPDX-License-Identifier: MIT */
/*
 * What a fleet keeps in files: fleet.json and published.json, as they are and with a sum that fits; and the entry of an
 * issuer, which is typed. What is accepted keeps its limits, and is written as it was read; what is not, changes nothing.
 */
#include "faults.h"
#include "base/text.h"
#include "fleet/fleet.h"
#include "fleet/record.h"
#include "jose/claims.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char fuzz_name[] = "fleet";
enum { TORN, FLEET, LISTED, ENTRY, RECORD, LEFT, REFUSED };
const char *const fuzz_sights[] = { "torn", "a fleet", "a fleet with issuers", "an entry", "a record",
	"a base that was left", "refused", NULL };

static void
check_text(const char *text)
{
	for (; *text != '\0'; text++)
		FUZZ_CHECK(*text >= ' ' && *text <= '~');
}

/* An error that tells what is wrong, in words of ours. */
static void
check_refused(enum rjwt_err err, enum rjwt_err wanted, const struct rjwt_diag *diag, bool sealed)
{
	FUZZ_SAW(sealed ? REFUSED : TORN);
	FUZZ_CHECK(err == wanted && diag->text[0] != '\0');
	check_text(diag->text);
}

static void
check_roster(const struct roster *roster)
{
	FUZZ_CHECK(roster->nkeys >= 1 && roster->nkeys <= FLEET_KEYS_MAX && roster->nissuers <= FLEET_ISSUERS_MAX);
	for (size_t i = 0; i < roster->nkeys; i++)
		FUZZ_CHECK(fleet_key_read(view_of(roster->keys[i].text), NULL));
	for (size_t i = 0; i < roster->nissuers; i++) {
		const struct fleet_issuer *issuer = &roster->issuers[i];

		FUZZ_SAW(LISTED);
		FUZZ_CHECK(label_check(view_of(issuer->name)) && fleet_url_check(view_of(issuer->url)) &&
			   keyset_base_check(view_of(issuer->base)) && claims_name_check(view_of(issuer->iss)) &&
			   fleet_key_read(view_of(issuer->key.text), NULL));
		FUZZ_CHECK(roster_find(roster, view_of(issuer->base)) == issuer &&
			   roster_named(roster, view_of(issuer->name)) == issuer &&
			   !roster_has_key(roster, &issuer->key));
	}
}

static void
read_fleet(struct view text, bool sealed)
{
	RJWT_CLEAN(buf_clear) struct buf written = { 0 };
	RJWT_CLEAN(buf_clear) struct buf again = { 0 };
	struct fleet fleet = { .generation = -1 }, other;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = fleet_parse(text, &fleet, &diag);

	if (err != RJWT_OK) {
		check_refused(err, RJWT_KEYSET, &diag, sealed);
		FUZZ_CHECK(fleet.generation == -1);
		return;
	}
	FUZZ_SAW(FLEET);
	check_roster(&fleet.roster);
	FUZZ_CHECK(fleet_url_check(view_of(fleet.url)) && claims_name_check(view_of(fleet.audience)) &&
		   fleet_key_read(view_of(fleet.pin.text), NULL));
	FUZZ_CHECK(fleet.roster.n > 0 || (fleet.roster.nkeys == 1 && fleet_key_eq(&fleet.roster.keys[0], &fleet.pin)));
	FUZZ_CHECK(
	    fleet.generation >= 0 && fleet.chain >= 0 && fleet.before_s >= 0 && fleet.born_s >= 0 && fleet.used_n >= 0);
	FUZZ_CHECK(fleet_format(&written, &fleet) == RJWT_OK);
	FUZZ_CHECK(fleet_parse(buf_view(&written), &other, &diag) == RJWT_OK);
	FUZZ_CHECK(fleet_format(&again, &other) == RJWT_OK && view_eq(buf_view(&written), buf_view(&again)));
}

static void
read_entry(struct view text)
{
	RJWT_CLEAN(buf_clear) struct buf written = { 0 };
	RJWT_CLEAN(buf_clear) struct buf again = { 0 };
	struct fleet_issuer entry = { .name = "x" }, other;
	struct roster alone = { .nkeys = 1, .nissuers = 1 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = roster_entry_parse(text, &entry, &diag);

	if (err != RJWT_OK) {
		check_refused(err, RJWT_MALFORMED, &diag, true);
		FUZZ_CHECK(strcmp(entry.name, "x") == 0);
		return;
	}
	FUZZ_SAW(ENTRY);
	alone.issuers[0] = entry;
	memset(alone.keys[0].text, 'A', FLEET_KEY_LENGTH);
	check_roster(&alone);
	FUZZ_CHECK(roster_entry_format(&written, &entry) == RJWT_OK);
	FUZZ_CHECK(roster_entry_parse(buf_view(&written), &other, &diag) == RJWT_OK);
	FUZZ_CHECK(roster_entry_format(&again, &other) == RJWT_OK && view_eq(buf_view(&written), buf_view(&again)));
}

static bool
same_record(const struct record *a, const struct record *b)
{
	for (size_t i = 0; i < a->nleft && i < b->nleft; i++)
		if (strcmp(a->left[i], b->left[i]) != 0)
			return false;
	return a->nleft == b->nleft && strcmp(a->base, b->base) == 0 && strcmp(a->digest, b->digest) == 0 &&
	       strcmp(a->stopped, b->stopped) == 0 && a->serial == b->serial && a->iat_s == b->iat_s &&
	       a->next == b->next && a->next_s == b->next_s;
}

/* It is in a directory, which is where its errors are. */
static void
read_record(struct view text, bool sealed)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	struct record record = { .serial = -1 }, other;
	struct rjwt_diag diag = { 0 };
	char path[400];
	enum rjwt_err err;

	snprintf(path, sizeof(path), "%s/published.json", fuzz_folder());
	fuzz_put(path, text);
	FUZZ_CHECK(chmod(fuzz_folder(), 0700) == 0 && dir_open(fuzz_folder(), &dir, &diag) == RJWT_OK);
	err = record_read(&dir, &record, &diag);
	if (err != RJWT_OK) {
		check_refused(err, RJWT_KEYSET, &diag, sealed);
		FUZZ_CHECK(record.serial == 0 && record.base[0] == '\0');
		return;
	}
	FUZZ_SAW(RECORD);
	FUZZ_CHECK(keyset_base_check(view_of(record.base)) && record.serial >= 0 && record.nleft <= RECORD_LEFT_MAX);
	for (size_t i = 0; i < record.nleft; i++) {
		FUZZ_SAW(LEFT);
		FUZZ_CHECK(keyset_base_check(view_of(record.left[i])) && record_has_left(&record, record.left[i]));
	}
	FUZZ_CHECK(record_write(&dir, &record, &diag) == RJWT_OK && record_read(&dir, &other, &diag) == RJWT_OK);
	FUZZ_CHECK(same_record(&record, &other));
	other = record;
	record_begin(&other, "next");
	FUZZ_CHECK(strcmp(other.base, "next") == 0 && other.serial == 0 && other.stopped[0] == '\0' &&
		   other.nleft <= RECORD_LEFT_MAX && record_has_left(&other, record.base) &&
		   other.nleft == (record.nleft < RECORD_LEFT_MAX ? record.nleft + 1 : RECORD_LEFT_MAX));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rest rest = { data, size };
	unsigned mode = take_below(&rest, 3);
	struct view text = { (const char *)rest.p, rest.n };
	RJWT_CLEAN(buf_clear) struct buf sealed = { 0 };
	void (*const read[])(struct view text, bool sealed) = { read_fleet, read_record };

	if (mode == 2) {
		read_entry(text);
		return 0;
	}
	read[mode](text, false);
	/* Without its closing brace, where it has one: the seal brings its own. */
	buf_add_view(&sealed, text);
	if (sealed.n > 0 && sealed.p[sealed.n - 1] == '}')
		sealed.n--;
	FUZZ_CHECK(seal_add(&sealed) == RJWT_OK);
	read[mode](buf_view(&sealed), true);
	return 0;
}
