/* SPDX-License-Identifier: MIT */
/* What rjwt_status() says of a fleet, of publishing and of a TPM: of made-up facts, each sentence, its code and its level. */
#include "fixture.h"
#include "base/datetime.h"
#include "config/config.h"
#include "fleet/publish.h"
#include "fleet/watch.h"
#include "jose/alg.h"
#include "jose/provider_tpm2.h"
#include "keyset/denials_write.h"
#include "status_private.h"

#include "../fault/wrapped.h"

#include <stdio.h>
#include <sys/stat.h>

static struct rjwt_status status;

/* What the parts that look at files say. */
static struct {
	bool joined, wanted, listed;
	enum rjwt_err watch, spool, last, tpm;
	struct rjwt_diag why;
	struct rjwt_following following;
	struct fleet fleet;
	struct record record;
	const struct alg *tried;
} facts;

WRAP(bool, fleet_is_joined, (const struct fleet_reader *reader))
{
	return reader != NULL && facts.joined;
}

WRAP(const struct fleet *, fleet_value, (const struct fleet_reader *reader))
{
	return reader != NULL && facts.joined && facts.watch == RJWT_OK ? &facts.fleet : NULL;
}

WRAP(enum rjwt_err, watch_installed,
    (struct fleet_reader * reader, int64_t max_age_s, struct rjwt_following *following, struct rjwt_diag *diag))
{
	(void)reader;
	(void)max_age_s;
	if (facts.watch == RJWT_OK)
		*following = facts.following;
	*diag = facts.why;
	return facts.watch;
}

WRAP(enum rjwt_err, watch_spool, (const struct fleet *fleet, struct rjwt_following *following))
{
	return fleet == &facts.fleet && following == &status.fleet ? facts.spool : RJWT_INTERNAL;
}

WRAP(bool, publish_wanted, (const char *state))
{
	return state != NULL && facts.wanted;
}

WRAP(enum rjwt_err, publish_last, (const char *state, struct record *record, struct rjwt_diag *diag))
{
	(void)state;
	*record = facts.record;
	*diag = facts.why;
	return facts.last;
}

WRAP(enum rjwt_err, fleet_read,
    (const struct dir *state, struct fleet *fleet, struct stat *found, struct rjwt_diag *diag))
{
	assert_true(state != NULL && found == NULL && diag == NULL);
	*fleet = facts.fleet;
	return facts.listed ? RJWT_OK : RJWT_KEYSET;
}

WRAP(const struct fleet_issuer *, roster_find, (const struct roster *roster, struct view base))
{
	(void)base;
	return facts.listed ? &roster->issuers[0] : NULL;
}

WRAP(enum rjwt_err, tpm2_try, (const struct alg *alg, struct rjwt_diag *diag))
{
	facts.tried = alg;
	*diag = facts.why;
	return facts.tpm;
}

/* What joining makes, and what denials are put into. */
static void
join(struct fixture *f)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(denials_close) struct denials denials = DENIALS_NONE;

	want("state", dir_open(f->state, &dir, NULL), RJWT_OK);
	want("denied", denials_open(&dir, &denials, NULL), RJWT_OK);
}

static int
setup(void **state)
{
	memset(&facts, 0, sizeof(facts));
	memset(&status, 0, sizeof(status));
	facts.joined = true;
	snprintf(facts.following.audience, sizeof(facts.following.audience), "host.example");
	snprintf(facts.following.url, sizeof(facts.following.url), "http://i.example/f");
	facts.following.roster = 1;
	*state = fixture_new("");
	join(*state);
	return 0;
}

static int
teardown(void **state)
{
	rjwt_status_clear(&status);
	return fixture_teardown(state);
}

static void
begin(void)
{
	rjwt_status_clear(&status);
	status.now_s = T0;
}

/* The only note; code NULL: there is none. */
static void
only(const char *label, const char *code, enum rjwt_note_level level, const char *text)
{
	if (status.nnotes != (code == NULL ? 0 : 1))
		fail_msg("%s: %zu notes, \"%s\"", label, status.nnotes,
		    status.nnotes > 0 ? status.notes[0].diag.text : "");
	if (code == NULL)
		return;
	if (strcmp(status.notes[0].code, code) != 0 || status.notes[0].level != level || status.level != level ||
	    strcmp(status.notes[0].diag.text, text) != 0)
		fail_msg("%s: %s %d \"%s\"", label, status.notes[0].code, status.notes[0].level,
		    status.notes[0].diag.text);
}

static enum rjwt_err
look_at_fleet(struct fixture *f, const char *own_base)
{
	struct config config = { 0 };
	enum rjwt_err err;

	begin();
	want("config", config_load(f->config, &config, NULL), RJWT_OK);
	err = status_fleet(&status, f->state, &config, own_base);
	config_clear(&config);
	return err;
}

static void
says(struct fixture *f, const char *label, const char *code, enum rjwt_note_level level, const char *text)
{
	want(label, look_at_fleet(f, NULL), RJWT_OK);
	only(label, code, level, text);
}

/* --- one issuer ------------------------------------------------------------------------------- */

static struct rjwt_followed
good_issuer(void)
{
	return (struct rjwt_followed){ .name = "web",
		.base = "W",
		.url = "http://m/",
		.kid = "W.1",
		.serial = 7,
		.issued_s = T0,
		.stale_s = T0 + 3600,
		.fetched = true,
		.offered = 7,
		.answered_s = T0 };
}

static void
test_issuer(void **state)
{
	static const struct {
		int64_t serial, issued_s, stale_s, offered, answered_s;
		bool fetched;
		const char *why, *code;
		enum rjwt_note_level level;
		const char *text;
	} rows[] = {
		{ 7, T0, T0 + 9, 7, T0, true, "", NULL, 0, NULL },
		{ 7, T0, T0 + 9, 7, T0, true, "torn", "fleet.keyset", RJWT_BROKEN, "web: torn" },
		{ 0, T0, T0 + 9, 7, T0, true, "", "fleet.missing", RJWT_BROKEN,
		    "web: nothing has come yet: its tokens are rejected" },
		{ 7, T0 - 7200, T0 - 1, 7, T0, true, "", "fleet.stale", RJWT_BROKEN,
		    "web: no news for 2h: its tokens get no verdict" },
		{ 7, T0 - 60, T0, 7, T0, true, "", NULL, 0, NULL },
		{ 7, T0 - 1800, T0 + 60, 7, T0, true, "", NULL, 0, NULL },
		{ 7, T0 - 1801, T0 + 60, 7, T0, true, "", "fleet.old", RJWT_ATTENTION,
		    "web: no news for 30m1s; its tokens stop in 1m" },
		{ 7, T0 + 300, T0 + 900, 7, T0, true, "", NULL, 0, NULL },
		{ 7, T0 + 301, T0 + 900, 7, T0, true, "", "fleet.ahead", RJWT_ATTENTION,
		    "web: what is installed is dated 5m1s ahead of this host's clock" },
		{ 7, T0, T0 + 9, 7, T0 - 600, true, "", NULL, 0, NULL },
		{ 7, T0, T0 + 9, 7, T0 - 601, true, "", "fleet.mirror", RJWT_ATTENTION,
		    "web: mirror http://m/ has not answered for 10m1s" },
		{ 7, T0, T0 + 9, 0, T0, true, "", "fleet.mirror", RJWT_ATTENTION,
		    "web: mirror http://m/ gives nothing that web signed" },
		{ 7, T0, T0 + 9, 0, T0, false, "", NULL, 0, NULL },
		{ 7, T0, T0 + 9, 6, T0, true, "", "fleet.rollback", RJWT_ATTENTION,
		    "web: mirror http://m/ offers serial 6, and this host has 7" },
		{ 7, T0, T0 + 9, 6, T0, false, "", NULL, 0, NULL }, { 7, T0, T0 + 9, 8, T0, true, "", NULL, 0, NULL },
		{ 7, T0, T0 + 9, 7, 0, true, "", NULL, 0, NULL }, /* another carrier */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rjwt_followed *f = &facts.following.issuers[0];
		char label[32];

		snprintf(label, sizeof(label), "row %zu", i);
		*f = good_issuer();
		f->serial = rows[i].serial;
		f->issued_s = rows[i].issued_s;
		f->stale_s = rows[i].stale_s;
		f->offered = rows[i].offered;
		f->answered_s = rows[i].answered_s;
		f->fetched = rows[i].fetched;
		snprintf(f->why.text, sizeof(f->why.text), "%s", rows[i].why);
		facts.following.n = 1;
		says(*state, label, rows[i].code, rows[i].level, rows[i].text);
		assert_true(status.joined);
		assert_string_equal(status.audience, "host.example");
	}
}

/* Of two, one whose mirror never answered: it is said where the carrier is ours, that is, where the other one's did. */
static void
test_never_answered(void **state)
{
	facts.following.issuers[0] = good_issuer();
	facts.following.issuers[1] = good_issuer();
	facts.following.issuers[0].answered_s = 0;
	snprintf(facts.following.issuers[1].name, sizeof(facts.following.issuers[1].name), "db");
	facts.following.n = 2;
	says(*state, "two", "fleet.mirror", RJWT_ATTENTION, "web: mirror http://m/ has never answered");
	facts.following.issuers[1].answered_s = 0;
	says(*state, "none", NULL, 0, NULL);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void
test_roster(void **state)
{
	facts.following.issuers[0] = good_issuer();
	facts.following.n = 1;
	facts.following.roster = 0;
	says(*state, "none", "fleet.roster", RJWT_BROKEN, "no roster has come yet from http://i.example/f");
	facts.following.roster = 3;
	facts.following.newer = 3;
	says(*state, "the same", NULL, 0, NULL);
	facts.following.newer = 4;
	snprintf(facts.following.newer_by, sizeof(facts.following.newer_by), "web");
	says(*state, "behind", "fleet.behind", RJWT_ATTENTION, "web has roster 4, and this host has 3");
	facts.following.newer = 0;
	facts.following.forked = 2;
	facts.following.forked_s[0] = 1800000000;
	facts.following.forked_s[1] = 1800000300;
	says(*state, "fork", "fleet.fork", RJWT_BROKEN,
	    "two rosters have the number 2 and differ: one of 2027-01-15T08:00:00Z and one of 2027-01-15T08:05:00Z");
}

/* An issuer does not follow itself; alone it has nothing to look at. */
static void
test_own(void **state)
{
	facts.following.issuers[0] = facts.following.issuers[1] = good_issuer();
	snprintf(facts.following.issuers[0].base, sizeof(facts.following.issuers[0].base), "B");
	facts.following.issuers[0].serial = 0;
	facts.following.n = 2;
	want("with another", look_at_fleet(*state, "B"), RJWT_OK);
	only("with another", NULL, 0, NULL);
	assert_int_equal(status.fleet.n, 1);
	assert_string_equal(status.fleet.issuers[0].base, "W");
	facts.following.n = 1;
	facts.following.roster = 0;
	want("alone", look_at_fleet(*state, "B"), RJWT_OK);
	only("alone", NULL, 0, NULL);
	want("a host", look_at_fleet(*state, NULL), RJWT_OK);
	assert_int_equal(status.nnotes, 2);
	assert_int_equal(status.fleet.n, 1);
}

static void
test_unusable(void **state)
{
	facts.watch = RJWT_KEYSET;
	snprintf(facts.why.text, sizeof(facts.why.text), "damaged");
	says(*state, "damaged", "fleet.unusable", RJWT_BROKEN, "damaged");
	facts.why.text[0] = '\0';
	says(*state, "no text", "fleet.unusable", RJWT_BROKEN, rjwt_strerror(RJWT_KEYSET));
	facts.joined = false;
	says(*state, "not joined", NULL, 0, NULL);
	facts.joined = true;
	facts.watch = RJWT_MEMORY;
	want("memory", look_at_fleet(*state, NULL), RJWT_MEMORY);
	facts.joined = false;
	want("nobody's memory", look_at_fleet(*state, NULL), RJWT_OK);
	facts.joined = true;
	facts.watch = RJWT_OK;
	facts.spool = RJWT_MEMORY;
	want("spool", look_at_fleet(*state, NULL), RJWT_MEMORY);
}

/* --- denials ---------------------------------------------------------------------------------- */

static void
deny(struct fixture *f, char letter, int64_t until_s)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(denials_close) struct denials denials = DENIALS_NONE;
	char hash[DIGEST_HEX];
	bool written;

	memset(hash, letter, DIGEST_HEX - 1);
	hash[DIGEST_HEX - 1] = '\0';
	want("state", dir_open(f->state, &dir, NULL), RJWT_OK);
	want("denied", denials_open(&dir, &denials, NULL), RJWT_OK);
	want("denial", denial_put(&denials.sub, hash, until_s, false, &written, NULL), RJWT_OK);
}

static void
test_denials(void **state)
{
	struct fixture *f = *state;
	char text[200], last[32], path[300];

	says(f, "none", NULL, 0, NULL);
	deny(f, 'a', T0 + 1200);
	says(f, "20 minutes", NULL, 0, NULL);
	deny(f, 'b', T0 + 1201);
	time_format(last, T0 + 1201);
	snprintf(text, sizeof(text),
	    "this host: 1 denial is dated more than 20m ahead of this host's clock, the last %s", last);
	says(f, "one", "fleet.denials", RJWT_ATTENTION, text);
	deny(f, 'c', T0 + 5000);
	deny(f, 'd', T0 + 4000);
	time_format(last, T0 + 5000);
	snprintf(text, sizeof(text),
	    "this host: 3 denials are dated more than 20m ahead of this host's clock, the last %s", last);
	says(f, "three", "fleet.denials", RJWT_ATTENTION, text);
	snprintf(path, sizeof(path), "%s/denied", f->state);
	assert_int_equal(chmod(path, 0777), 0);
	want("unsafe", look_at_fleet(f, NULL), RJWT_OK);
	assert_int_equal(status.nnotes, 1);
	assert_string_equal(status.notes[0].code, "fleet.keyset");
	assert_int_equal(status.level, RJWT_BROKEN);
	assert_int_equal(strncmp(status.notes[0].diag.text, "this host: denials cannot be read: ", 35), 0);
}

static void
test_before(void **state)
{
	struct fixture *f = *state;
	char text[200], until[32];

	facts.fleet.before_s = T0;
	says(f, "now", NULL, 0, NULL);
	facts.fleet.before_s = T0 + 1;
	time_format(until, T0 + 1);
	snprintf(text, sizeof(text),
	    "this host: tokens issued until %s are rejected, because their denials were removed", until);
	says(f, "ahead", "fleet.before", RJWT_BROKEN, text);
	file_gone(f, "keyset.json"); /* it is for the host's own keyset */
	says(f, "no keyset", NULL, 0, NULL);
}

/* --- publishing ------------------------------------------------------------------------------- */

static enum rjwt_err
look_at_publishing(struct fixture *f, int64_t *rotate_every_s)
{
	struct config config = { 0 };
	enum rjwt_err err;

	begin();
	want("config", config_load(f->config, &config, NULL), RJWT_OK);
	err = status_issuer(&status, f->state, &config, "B");
	*rotate_every_s = config.rotation.rotate_every_s;
	config_clear(&config);
	return err;
}

static void
test_publishing(void **state)
{
	static const struct {
		bool wanted, listed;
		enum rjwt_err last;
		int64_t iat_s;
		const char *base, *stopped, *code;
		enum rjwt_note_level level;
		const char *text;
	} rows[] = { { false, false, RJWT_OK, 0, "", "", NULL, 0, NULL },
		{ true, true, RJWT_OK, T0 - 1800, "B", "", NULL, 0, NULL },
		{ true, true, RJWT_OK, T0 - 1801, "B", "", "fleet.unpublished", RJWT_ATTENTION,
		    "nothing was published for 30m1s" },
		{ true, true, RJWT_OK, 0, "B", "", "fleet.unpublished", RJWT_ATTENTION, "nothing was published yet" },
		{ true, true, RJWT_OK, T0, "", "", NULL, 0, NULL },
		{ true, true, RJWT_OK, T0, "C", "", "fleet.stopped", RJWT_BROKEN,
		    "nothing is published: the bundle key is of another base" },
		{ true, true, RJWT_OK, T0, "B", "a clone", "fleet.stopped", RJWT_BROKEN,
		    "nothing is published: a clone" },
		{ true, false, RJWT_OK, 0, "B", "", "fleet.unlisted", RJWT_ATTENTION,
		    "the roster does not list this keyset: nothing is published" },
		{ true, true, RJWT_KEYSET, T0, "B", "", "fleet.stopped", RJWT_BROKEN,
		    "nothing is published: damaged" } };
	int64_t every_s;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char label[32];

		snprintf(label, sizeof(label), "row %zu", i);
		memset(&facts.record, 0, sizeof(facts.record));
		facts.wanted = rows[i].wanted;
		facts.listed = rows[i].listed;
		facts.last = rows[i].last;
		facts.record.iat_s = rows[i].iat_s;
		snprintf(facts.record.base, sizeof(facts.record.base), "%s", rows[i].base);
		snprintf(facts.record.stopped, sizeof(facts.record.stopped), "%s", rows[i].stopped);
		snprintf(facts.why.text, sizeof(facts.why.text), "damaged");
		want(label, look_at_publishing(*state, &every_s), RJWT_OK);
		only(label, rows[i].code, rows[i].level, rows[i].text);
		assert_int_equal(every_s, rows[i].listed ? 7 * DAY : DAY);
	}
	facts.last = RJWT_MEMORY;
	want("memory", look_at_publishing(*state, &every_s), RJWT_MEMORY);
	facts.last = RJWT_OK;
	facts.listed = false;
	snprintf(facts.record.stopped, sizeof(facts.record.stopped), "a clone");
	want("both", look_at_publishing(*state, &every_s), RJWT_OK);
	assert_int_equal(status.nnotes, 2);
}

/* --- a TPM ------------------------------------------------------------------------------------ */

static enum rjwt_err
look_at_tpm(struct fixture *f, bool tpm2, const char *alg)
{
	struct config config = { .rotation = { .tpm2 = tpm2, .alg = alg_by_label(view_of(alg)) } };

	begin();
	facts.tried = NULL;
	return status_tpm(&status, f->state, &config, 2);
}

static void
test_tpm(void **state)
{
	struct fixture *f = *state;

	want("not asked for", look_at_tpm(f, false, "ES256"), RJWT_OK);
	assert_null(facts.tried);
	want("new", look_at_tpm(f, true, "ES384"), RJWT_OK);
	only("new", NULL, 0, NULL);
	assert_string_equal(facts.tried->label, "ES384");
	want("RSA takes minutes", look_at_tpm(f, true, "RS256"), RJWT_OK);
	assert_string_equal(facts.tried->label, "ES256");
	facts.tpm = RJWT_IO;
	snprintf(facts.why.text, sizeof(facts.why.text), "gone");
	want("gone", look_at_tpm(f, true, "ES256"), RJWT_OK);
	only("gone", "keyset.tpm", RJWT_BROKEN, "gone: the next rotation will fail");
	facts.tpm = RJWT_MEMORY;
	want("memory", look_at_tpm(f, true, "ES256"), RJWT_MEMORY);
	file_put(f, "private/2.key", VIEW("-----BEGIN TSS2 PRIVATE KEY-----\nAAAA\n-----END TSS2 PRIVATE KEY-----\n"));
	want("wrapped", look_at_tpm(f, true, "ES256"), RJWT_OK);
	assert_null(facts.tried);
	file_gone(f, "private/2.key");
	want("nobody can say", look_at_tpm(f, true, "ES256"), RJWT_OK);
	assert_null(facts.tried);
	only("nobody can say", NULL, 0, NULL);
	facts.wanted = true;
	want("an issuer", look_at_tpm(f, true, "ES256"), RJWT_OK);
	only("an issuer", "fleet.bundle_key", RJWT_NOTE,
	    "bundle.key is a file, also where private_keys is tpm2: TPMs have no Ed25519 keys. Whoever copies it can "
	    "publish in the name of this issuer");
}

#define C(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { C(test_issuer), C(test_never_answered), C(test_roster), C(test_own),
		C(test_unusable), C(test_denials), C(test_before), C(test_publishing), C(test_tpm) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
