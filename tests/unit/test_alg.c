/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
#include "unit.h"

#include "jose/alg.h"

/* RFC 7518 s3.1, RFC 8037 s3.1, written down once more. */
static const struct {
	const char *label, *name, *kty, *crv;
	size_t signature, coordinate, secret;
} rows[] = {
	{ "HS256", "HS256", "oct", NULL, 32, 0, 32 },
	{ "HS384", "HS384", "oct", NULL, 48, 0, 48 },
	{ "HS512", "HS512", "oct", NULL, 64, 0, 64 },
	{ "RS256", "RS256", "RSA", NULL, 0, 0, 0 },
	{ "RS384", "RS384", "RSA", NULL, 0, 0, 0 },
	{ "RS512", "RS512", "RSA", NULL, 0, 0, 0 },
	{ "PS256", "PS256", "RSA", NULL, 0, 0, 0 },
	{ "PS384", "PS384", "RSA", NULL, 0, 0, 0 },
	{ "PS512", "PS512", "RSA", NULL, 0, 0, 0 },
	{ "ES256", "ES256", "EC", "P-256", 64, 32, 0 },
	{ "ES384", "ES384", "EC", "P-384", 96, 48, 0 },
	{ "ES512", "ES512", "EC", "P-521", 132, 66, 0 },
	{ "EdDSA", "EdDSA", "OKP", "Ed25519", 64, 32, 0 },
	{ "Ed448", "EdDSA", "OKP", "Ed448", 114, 57, 0 },
};

static void
all_labels_in_order(void **state)
{
	const char *const *labels = alg_labels();
	size_t n = 0;

	(void)state;
	for (; labels[n] != NULL; n++) {
		const struct alg *alg = alg_by_label(view_of(labels[n]));

		assert_true(n < ARRAY_LEN(rows));
		assert_string_equal(labels[n], rows[n].label);
		assert_non_null(alg);
		assert_string_equal(alg->label, rows[n].label);
		assert_string_equal(alg->name, rows[n].name);
		assert_string_equal(alg->kty, rows[n].kty);
		assert_true((alg->crv == NULL) == (rows[n].crv == NULL));
		if (alg->crv != NULL)
			assert_string_equal(alg->crv, rows[n].crv);
		assert_int_equal(alg->signature_size, rows[n].signature);
		assert_int_equal(alg->coordinate_size, rows[n].coordinate);
		assert_int_equal(alg->secret_min, rows[n].secret);
		assert_true(alg_known(view_of(alg->name), false));
	}
	assert_int_equal(n, ARRAY_LEN(rows));
}

/* attacks: none in every spelling, unknown, wrong case, with NUL */
static void
names_that_are_none(void **state)
{
	static const struct view bad[] = { VIEW("none"), VIEW("None"), VIEW("NONE"), VIEW("nOnE"), VIEW(""),
		{ NULL, 0 }, VIEW("hs256"), VIEW("Hs256"), VIEW("HS256 "), VIEW(" HS256"), VIEW("HS256\0"),
		VIEW("HS25"), VIEW("HS2560"), VIEW("HS128"), VIEW("RS1"), VIEW("es256"), VIEW("ES256K"), VIEW("ES255"),
		VIEW("eddsa"), VIEW("EDDSA"), VIEW("Ed25519"), VIEW("RSA-OAEP"), VIEW("dir"), VIEW("A128KW"),
		VIEW("RS256\n"), VIEW("oct"), VIEW("P-256") };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CHECK(bad[i].p == NULL ? "NULL" : bad[i].p, !alg_known(bad[i], false));
		CHECK(bad[i].p == NULL ? "NULL" : bad[i].p, alg_by_label(bad[i]) == NULL);
	}
	assert_true(alg_known(VIEW("EdDSA"), false));
	assert_false(alg_known(VIEW("Ed448"), false)); /* a word of ours alone */
}

static void
of_jwk(void **state)
{
	static const struct {
		const char *kty, *crv, *name, *label;
	} keys[] = {
		{ "oct", NULL, NULL, "HS256" },
		{ "oct", NULL, "HS512", "HS512" },
		{ "oct", NULL, "RS256", NULL },
		{ "oct", NULL, "A128KW", NULL },
		{ "oct", NULL, "none", NULL },
		{ "RSA", NULL, NULL, "RS256" },
		{ "RSA", NULL, "RS512", "RS512" },
		{ "RSA", NULL, "PS256", "PS256" },
		{ "RSA", NULL, "HS256", NULL },
		{ "RSA", NULL, "ES256", NULL },
		{ "RSA", NULL, "RSA-OAEP", NULL },
		{ "EC", "P-256", NULL, "ES256" },
		{ "EC", "P-384", NULL, "ES384" },
		{ "EC", "P-521", NULL, "ES512" },
		{ "EC", "P-256", "ES256", "ES256" },
		{ "EC", "P-256", "ES512", NULL },
		{ "EC", "P-521", "ES256", NULL },
		{ "EC", "P-256", "ECDH-ES", NULL },
		{ "EC", "secp256k1", NULL, NULL },
		{ "EC", NULL, NULL, NULL },
		{ "EC", NULL, "ES256", NULL },
		{ "EC", "p-256", NULL, NULL },
		{ "EC", "Ed25519", NULL, NULL },
		{ "OKP", "Ed25519", NULL, "EdDSA" },
		{ "OKP", "Ed25519", "EdDSA", "EdDSA" },
		{ "OKP", "Ed448", "EdDSA", "Ed448" },
		{ "OKP", "Ed448", NULL, "Ed448" },
		{ "OKP", "X25519", NULL, NULL },
		{ "OKP", NULL, "EdDSA", NULL },
		{ "OKP", "P-256", NULL, NULL },
		{ "OKP", "Ed448", "Ed448", NULL },
		{ "ec", "P-256", NULL, NULL },
		{ "rsa", NULL, NULL, NULL },
		{ "", NULL, NULL, NULL },
		{ "AKP", NULL, "ML-DSA-44", NULL },
		{ "oct", NULL, "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct view crv = view_of(keys[i].crv), name = view_of(keys[i].name);
		const struct alg *alg = alg_of_jwk(view_of(keys[i].kty), keys[i].crv == NULL ? NULL : &crv,
		    keys[i].name == NULL ? NULL : &name, false);

		CHECK(keys[i].kty, (alg == NULL) == (keys[i].label == NULL));
		CHECK(keys[i].kty, alg == NULL || strcmp(alg->label, keys[i].label) == 0);
	}
}

/* RFC 9864: names of EdDSA that name the curve, in what others sign; not in what is ours. */
static void
names_of_others(void **state)
{
	static const struct {
		const char *crv, *name, *label;
	} keys[] = {
		{ "Ed25519", "Ed25519", "EdDSA" },
		{ "Ed448", "Ed448", "Ed448" },
		{ "Ed25519", "EdDSA", "EdDSA" },
		{ "Ed25519", "Ed448", NULL },
		{ "Ed448", "Ed25519", NULL },
		{ "Ed25519", "ed25519", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct view crv = view_of(keys[i].crv), name = view_of(keys[i].name);
		const struct alg *alg = alg_of_jwk(VIEW("OKP"), &crv, &name, true);

		CHECK(keys[i].name, (alg == NULL) == (keys[i].label == NULL));
		CHECK(keys[i].name, alg == NULL || strcmp(alg->label, keys[i].label) == 0);
		CHECK(keys[i].name, view_is(name, "EdDSA") || alg_of_jwk(VIEW("OKP"), &crv, &name, false) == NULL);
	}
	assert_true(alg_known(VIEW("Ed25519"), true) && alg_known(VIEW("Ed448"), true));
	assert_false(alg_known(VIEW("Ed25519"), false));
	assert_false(alg_known(VIEW("P-256"), true) || alg_known(VIEW("X25519"), true));
	assert_false(alg_has_name(alg_by_label(VIEW("ES256")), VIEW("P-256"), true));
}

static void
of_the_same_type(void **state)
{
	const struct alg *alg = alg_by_label(VIEW("RS256"));
	char all[64] = "";

	(void)state;
	while ((alg = alg_next_of_type(alg)) != NULL)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), " %s", alg->name);
	assert_string_equal(all, " RS384 RS512 PS256 PS384 PS512");
	assert_null(alg_next_of_type(alg_by_label(VIEW("ES256"))));
	assert_null(alg_next_of_type(alg_by_label(VIEW("Ed448"))));
}

/* Whether a key is of a kind that nobody here has, or contradicts itself. */
static void
of_parts(void **state)
{
	static const struct {
		const char *kty, *crv, *name;
		bool known;
	} parts[] = {
		{ "EC", "P-384", "ES256", true },
		{ "EC", "Ed25519", NULL, true },
		{ "EC", NULL, NULL, true },
		{ "RSA", "P-256", "HS256", true },
		{ "oct", NULL, "EdDSA", true },
		{ "OKP", "P-521", "PS512", true },
		{ "AKP", NULL, NULL, false },
		{ "ec", "P-256", "ES256", false },
		{ "", NULL, "ES256", false },
		{ "EC", "secp256k1", NULL, false },
		{ "OKP", "X25519", "EdDSA", false },
		{ "EC", "", "ES256", false },
		{ "RSA", NULL, "none", false },
		{ "EC", "P-256", "ES256K", false },
		{ "oct", NULL, "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct view crv = view_of(parts[i].crv), name = view_of(parts[i].name);

		CHECK(parts[i].kty, alg_parts_known(view_of(parts[i].kty), parts[i].crv == NULL ? NULL : &crv,
					parts[i].name == NULL ? NULL : &name, false) == parts[i].known);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_labels_in_order),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(of_jwk),
		cmocka_unit_test(names_of_others),
		cmocka_unit_test(of_the_same_type),
		cmocka_unit_test(of_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
