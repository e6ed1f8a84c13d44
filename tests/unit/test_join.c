/* SPDX-License-Identifier: MIT */
/* A host joins, an issuer begins: what is written, what is not written twice, and what is typed wrongly. */
#include "fleet_host.h"
#include "jose/alg.h"

#include <stdio.h>
#include <unistd.h>

#define URL "http://i0.example/fleet.jws"

static enum rjwt_err
join(struct fixture *f, const char *url, const char *pin, bool *changed)
{
	struct rjwt_options o = fixture_options(f);
	struct rjwt_fleet fleet = { .changed = false };
	enum rjwt_err err = rjwt_join(&o, url, pin, &fleet, &f->diag);

	if (changed != NULL)
		*changed = fleet.changed;
	return err;
}

static enum rjwt_err
joined(struct fixture *f, const char *url, const char *pin)
{
	struct rjwt_options o = fixture_options(f);
	struct rjwt_fleet fleet;

	return rjwt_joined(&o, url, pin, &fleet, &f->diag);
}

/* --- a host ---------------------------------------------------------------------------------------- */

static void
test_join(void **state)
{
	struct fixture *f = fixture_bare("audience: host.example\n");
	struct host h = { .f = f };
	struct fleet fleet;
	bool changed = false;

	(void)state;
	want("not joined", joined(f, URL, line_name(0)->text), RJWT_KEYSET);
	want("join", join(f, URL, line_name(0)->text, &changed), RJWT_OK);
	assert_true(changed);
	fleet = host_fleet(&h);
	assert_true(fleet.generation == 1 && fleet.chain == 1 && fleet.roster.n == 0 && fleet.born_s == T0 &&
		    fleet.before_s == 0 && fleet.used_n == 0 && fleet_key_eq(&fleet.pin, line_name(0)) &&
		    fleet_key_eq(&fleet.roster.keys[0], line_name(0)));
	assert_string_equal(fleet.url, URL);
	assert_string_equal(fleet.audience, "host.example");
	assert_int_equal(file_mode(f, FLEET_FILE), 0644);
	assert_true(file_there(f, "denied/sub") && file_there(f, "denied/jti") && file_there(f, "fleet"));
	clock_run(9);
	want("again", join(f, "http://other.example", line_name(0)->text, &changed), RJWT_OK);
	assert_true(!changed && host_fleet(&h).generation == 1);
	want("joined", joined(f, "http://other.example", line_name(0)->text), RJWT_OK);
	want("with another key", joined(f, URL, line_name(1)->text), RJWT_KEYSET);
	assert_non_null(strstr(f->diag.text, line_name(0)->text));
	want("another key", join(f, URL, line_name(1)->text, &changed), RJWT_OK);
	fleet = host_fleet(&h);
	assert_true(changed && fleet.chain == 2 && fleet.generation == 2 && fleet.born_s == T0);
	file_put(f, FLEET_FILE, VIEW("torn"));
	want("damaged", joined(f, URL, line_name(1)->text), RJWT_KEYSET);
	want("made anew", join(f, URL, line_name(1)->text, &changed), RJWT_OK);
	fleet = host_fleet(&h);
	assert_true(changed && fleet.chain == 1 && fleet.generation == 1 && fleet.born_s == T0 + 9);
	assert_true(host_denial(&h, -1, "alice", NULL) == -1);
	fixture_free(f);
}

static void
test_typed(void **state)
{
	static const struct {
		const char *url;
		bool good;
	} urls[] = { { "http://h/f", true }, { "https://h", true }, { "ftp://h/f", false }, { "h/f", false },
		{ "http://", false }, { "", false }, { "http://h/ f", false }, { "http://h/'f'", false },
		{ "http://h/\x1b", false } };
	struct host *h = *state;
	char pin[FLEET_KEY_LENGTH + 8];

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		want(urls[i].url, join(h->f, urls[i].url, line_name(0)->text, NULL),
		    urls[i].good ? RJWT_OK : RJWT_USAGE);
		want(urls[i].url, joined(h->f, urls[i].url, line_name(0)->text), urls[i].good ? RJWT_OK : RJWT_USAGE);
		if (!urls[i].good)
			assert_non_null(strstr(h->f->diag.text, "is not an address (expected http:// or https://)"));
	}
	for (size_t n = 0; n <= FLEET_KEY_LENGTH + 1; n++) {
		snprintf(pin, sizeof(pin), "%.*s", (int)(n > FLEET_KEY_LENGTH ? FLEET_KEY_LENGTH : n),
		    line_name(0)->text);
		if (n > FLEET_KEY_LENGTH)
			strcat(pin, "A");
		want(pin, join(h->f, URL, pin, NULL), n == FLEET_KEY_LENGTH ? RJWT_OK : RJWT_USAGE);
	}
	want("no key", join(h->f, URL, "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL), RJWT_USAGE);
	assert_non_null(strstr(h->f->diag.text, "is not a fleet key (expected its 43 characters)"));
	assert_int_equal(host_fleet(h).generation, 1);
}

/* --- an issuer --------------------------------------------------------------------------------------- */

static enum rjwt_err
begin(struct fixture *f, const char *url, const char *name, struct rjwt_fleet *fleet)
{
	struct rjwt_options o = fixture_options(f);
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", f->top, name);
	return rjwt_fleet_init(&o, url, path, fleet, &f->diag);
}

static void
test_issuer(void **state)
{
	struct fixture *f = fixture_new("fleet_issuer: me\n");
	struct host h = { .f = f };
	struct rjwt_fleet fleet, again;
	struct fleet there;

	(void)state;
	want("no address", begin(f, "x", "k", &fleet), RJWT_USAGE);
	assert_false(file_there(f, "../k"));
	want("init", begin(f, URL, "k", &fleet), RJWT_OK);
	assert_true(fleet.made_keys && fleet.serial == T0);
	there = host_fleet(&h);
	assert_true(there.roster.n == T0 && there.roster.iat_s == T0 && there.roster.nkeys == 2 &&
		    there.roster.nissuers == 1 && fleet_key_eq(&there.pin, &there.roster.keys[0]));
	assert_string_equal(there.pin.text, fleet.key);
	assert_string_equal(there.roster.issuers[0].name, "me");
	assert_string_equal(there.roster.issuers[0].base, "B");
	assert_string_equal(there.roster.issuers[0].iss, "iss.example");
	assert_string_equal(there.roster.issuers[0].url, URL);
	clock_run(5);
	want("again", begin(f, "http://other.example/f", "k", &again), RJWT_OK);
	assert_true(!again.made_keys && again.serial == T0 + 5 && strcmp(again.key, fleet.key) == 0);
	assert_int_equal(host_fleet(&h).roster.n, T0);
	assert_string_equal(host_fleet(&h).roster.issuers[0].url, URL);
	want("other keys", begin(f, URL, "k2", &again), RJWT_EXISTS);
	assert_non_null(strstr(f->diag.text, "this host has joined another fleet, whose key is not in "));
	file_put(f, FLEET_FILE, VIEW("torn"));
	want("torn", begin(f, URL, "k", &again), RJWT_KEYSET);
	fixture_free(f);
}

/* What an issuer asks for, by name and address. */
static void
test_request(void **state)
{
	static const struct {
		const char *url, *name;
		enum rjwt_err err;
	} rows[] = { { URL, "i-2", RJWT_OK }, { URL, NULL, RJWT_OK }, { URL, "I2", RJWT_USAGE },
		{ URL, "2i", RJWT_USAGE }, { URL, "abcdefghijklmnopqrstuvwxyz0123456", RJWT_USAGE },
		{ "x", "i2", RJWT_USAGE }, { NULL, NULL, RJWT_USAGE } };
	struct fixture *f = fixture_new("fleet_issuer: me\n");
	struct rjwt_options o = fixture_options(f);
	struct rjwt_fleet fleet;
	char *entry = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char name[60];

		want(rows[i].name, rjwt_fleet_request(&o, rows[i].url, rows[i].name, &entry, &f->diag), rows[i].err);
		if (rows[i].err != RJWT_OK)
			continue;
		snprintf(name, sizeof(name), "{\"name\":\"%s\",\"base\":\"B\",",
		    rows[i].name == NULL ? "me" : rows[i].name);
		assert_true(strncmp(entry, name, strlen(name)) == 0);
		rjwt_free(entry);
	}
	want("init", begin(f, URL, "k", &fleet), RJWT_OK);
	want("as it is listed", rjwt_fleet_request(&o, NULL, NULL, &entry, &f->diag), RJWT_OK);
	assert_non_null(strstr(entry, "\"url\":\"" URL "\""));
	rjwt_free(entry);
	fixture_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_join),
		cmocka_unit_test_setup_teardown(test_typed, host_setup, host_teardown), cmocka_unit_test(test_issuer),
		cmocka_unit_test(test_request) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
