/* SPDX-License-Identifier: MIT */
/* The private keys of a fleet: one bundle key for the life of a base, two fleet keys in a file. */
#include "fleet_issuer.h"

#include <stdio.h>
#include <unistd.h>

/* A base has one bundle key for life. */
static void
test_lost_key(void **state)
{
	struct issuer *i = *state;
	RJWT_CLEAN(buf_clear) struct buf key = file_get(i->f, "private/bundle.key");
	struct rjwt_options o = fixture_options(i->f);
	struct record record = issuer_record(i);
	char *entry = NULL;
	int64_t serial;

	file_gone(i->f, "private/bundle.key");
	want("lost", rjwt_fleet_request(&o, URL, NULL, &entry, &i->f->diag), RJWT_KEYSET);
	assert_non_null(strstr(i->f->diag.text, "is lost, and this base cannot have a second one"));
	assert_false(file_there(i->f, "private/bundle.key"));
	want("lost", issuer_publish(i, &serial), RJWT_IO);
	file_put(i->f, "private/bundle.key", VIEW("rubbish"));
	want("rubbish", issuer_publish(i, &serial), RJWT_KEYSET);
	want("rubbish", rjwt_fleet_request(&o, URL, NULL, &entry, &i->f->diag), RJWT_KEYSET);
	file_put(i->f, "private/bundle.key", buf_view(&key));
	want("it is back", rjwt_fleet_request(&o, URL, NULL, &entry, &i->f->diag), RJWT_OK);
	rjwt_free(entry);
	assert_string_equal(issuer_record(i).base, "B");
	file_gone(i->f, "private/published.json"); /* a key without a record has signed nothing: one begins */
	want("no record", rjwt_fleet_request(&o, URL, NULL, &entry, &i->f->diag), RJWT_OK);
	rjwt_free(entry);
	assert_true(strcmp(issuer_record(i).base, "B") == 0 && issuer_record(i).serial == 0);
	snprintf(record.base, sizeof(record.base), "Other"); /* a key of another base is replaced */
	issuer_record_put(i, &record);
	want("another base", issuer_publish(i, &serial), RJWT_KEYSET);
	assert_non_null(strstr(i->f->diag.text, "the bundle key was made for another base"));
	want("another base", rjwt_fleet_request(&o, URL, NULL, &entry, &i->f->diag), RJWT_OK);
	rjwt_free(entry);
	record = issuer_record(i);
	assert_true(strcmp(record.base, "B") == 0 && record_has_left(&record, "Other"));
	assert_int_equal(file_mode(i->f, "private/bundle.key"), 0600);
}

/* Two private Ed25519 keys, PEM after PEM; one file that is missing is made, none is overwritten. */
static void
test_fleet_keys(void **state)
{
	static const struct {
		unsigned n;
		const char *after;
		enum rjwt_err err;
	} rows[] = { { 0, "", RJWT_KEYSET }, { 1, "", RJWT_KEYSET }, { 1, "-----END PRIVATE KEY-----\n", RJWT_KEYSET },
		{ 2, "", RJWT_OK }, { 2, "rubbish", RJWT_OK } };
	struct issuer *i = *state;
	struct fleet_keys keys = { { NULL } };
	struct fleet_key name;
	struct rjwt_diag diag;
	char path[200];
	bool made = false;

	snprintf(path, sizeof(path), "%s/k.key", i->f->top);
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };

		issuer_put_keys(i->f, "../k.key", 3, rows[k].n);
		text = file_get(i->f, "../k.key");
		buf_adds(&text, rows[k].after);
		file_put(i->f, "../k.key", buf_view(&text));
		want("read", fleet_keys_read(path, &keys, &diag), rows[k].err);
		if (rows[k].err != RJWT_OK)
			assert_string_equal(diag.text, "does not have two private Ed25519 keys");
		fleet_keys_clear(&keys);
		keys = (struct fleet_keys){ { NULL } };
	}
	want("there", fleet_keys_make(path, &keys, &made, &diag), RJWT_OK);
	want("name", fleet_key_of(keys.keys[1], &name), RJWT_OK);
	assert_true(!made && fleet_key_eq(&name, line_name(4)));
	fleet_keys_clear(&keys);
	keys = (struct fleet_keys){ { NULL } };
	assert_int_equal(unlink(path), 0);
	want("made", fleet_keys_make(path, &keys, &made, &diag), RJWT_OK);
	assert_true(made);
	assert_int_equal(file_mode(i->f, "../k.key"), 0600);
	fleet_keys_clear(&keys);
	keys = (struct fleet_keys){ { NULL } };
	want("they are there", fleet_keys_read(path, &keys, &diag), RJWT_OK);
	fleet_keys_clear(&keys);
	file_put(i->f, "../k.key", VIEW(""));
	keys = (struct fleet_keys){ { NULL } };
	made = false;
	want("not overwritten", fleet_keys_make(path, &keys, &made, &diag), RJWT_KEYSET);
	assert_false(made);
	fleet_keys_clear(&keys);
}

#define T(test) cmocka_unit_test_setup_teardown(test, issuer_setup, issuer_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_lost_key), T(test_fleet_keys) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
