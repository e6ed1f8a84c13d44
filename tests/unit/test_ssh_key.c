/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
#include "unit.h"
#include "ssh_keys.h"
#include "base/base64url.h"
#include "base/ssh_key.h"

/* What OpenSSH says of keys and certificates of each type; the certificate behind each key is over it. */
static void
vectors(void **state)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	size_t count = unit_vectors("ssh-keys.json", &json);

	(void)state;
	assert_int_equal(count, 14);
	for (size_t i = 0; i < count; i++) {
		struct json row = json_element(json, "cases", i);
		const char *name = unit_text(row, "name"), *wanted = unit_text(row, "fingerprint");
		char found[SSH_FINGERPRINT_SIZE];

		EXPECT(name, ssh_key_fingerprint(view_of(unit_text(row, "line")), found), RJWT_OK);
		CHECK(name, strcmp(found, wanted) == 0);
		CHECK(name, ssh_fingerprint_check(view_of(found)));
		CHECK(name,
		    i % 2 == 0 || strcmp(wanted, unit_text(json_element(json, "cases", i - 1), "fingerprint")) == 0);
	}
}

/* Whatever is left out at the end of the bytes, or added, refuses; so does a byte of base64 that means nothing. */
static void
cut(void **state)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	size_t count = unit_vectors("ssh-keys.json", &json);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct json row = json_element(json, "cases", i);
		const char *type = unit_text(row, "name"), *base64 = strchr(unit_text(row, "line"), ' ') + 1;
		size_t n = strcspn(base64, " =");
		char found[SSH_FINGERPRINT_SIZE] = "";

		for (size_t less = 0; less <= n; less++) { /* without padding: as often as its length fits */
			RJWT_CLEAN(buf_clear) struct buf line = { 0 };

			buf_addf(&line, "%s %.*s", type, (int)(n - less), base64);
			EXPECT(line.p, ssh_key_fingerprint(buf_view(&line), found),
			    less == 0 && n % 4 == 0 ? RJWT_OK : RJWT_MALFORMED);
		}
		for (int more = 0; more < 2; more++) {
			RJWT_CLEAN(buf_clear) struct buf line = { 0 };

			buf_addf(&line, "%s %s%.*s", type, more == 0 ? "AAAA" : "", (int)(n - n % 4), base64);
			buf_adds(&line, more == 1 ? "AAAA" : "");
			EXPECT(line.p, ssh_key_fingerprint(buf_view(&line), found), RJWT_MALFORMED);
		}
	}
}

static void
refused_lines(void **state)
{
	static const struct view rows[] = {
		VIEW(""),
		{ NULL, 0 },
		VIEW(" "),
		VIEW("ssh-ed25519"),
		VIEW("ssh-ed25519 "),
		VIEW(SSH_KEY_BASE64),
		VIEW(SSH_KEY_BASE64 " " SSH_KEY_TYPE),
		VIEW("ssh-rsa " SSH_KEY_BASE64),
		VIEW("SSH-ED25519 " SSH_KEY_BASE64),
		VIEW("ssh-ed25519-cert-v01@openssh.com " SSH_KEY_BASE64),
		VIEW("ssh-ed25519  " SSH_KEY_BASE64),
		VIEW(" " SSH_KEY),
		VIEW("ssh-ed25519\t" SSH_KEY_BASE64),
		VIEW("ssh-ed25519 " SSH_KEY_BASE64 "="),
		VIEW("ssh-ed25519 " SSH_KEY_BASE64 "===="),
		VIEW("ssh-ed25519 ===="),
		VIEW("ssh-ed25519 AAA-"), /* of base64url */
		VIEW("ssh-ed25519 AAA_"),
		VIEW("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH5pWPXHiwcMqxJCKvDno00a8NQDhJfHk3g672HoBP_8"),
		VIEW("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH5pWPXHiwcMqxJCKvDno00a8NQDhJfHk3g672HoBP-8"),
		VIEW("ssh-ed25519 " SSH_KEY_BASE64 "\n"),
		VIEW("ssh-ed25519 " SSH_KEY_BASE64 "\0"),
		VIEW("ssh-ed25519\0 " SSH_KEY_BASE64),
		VIEW("from=\"192.0.2.0/24\" " SSH_KEY),
		VIEW("no-pty " SSH_KEY),
		VIEW("* " SSH_KEY),
		VIEW("web1.example.org " SSH_KEY),
		VIEW("publickey " SSH_KEY),
		VIEW("-----BEGIN OPENSSH PRIVATE KEY-----"),
		VIEW("ssh-dss AAAAB3NzaC1kc3MAAAABAQAAAAEBAAAAAQEAAAABAQ=="),
		VIEW("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAAA=="), /* an empty key */
		VIEW("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5/////w=="), /* a length of 2^32 - 1 */
		VIEW("ssh-ed25519 /////3NzaC1lZDI1NTE5"),
		VIEW("ssh-ed25519 AAAA"),
		VIEW("root:$y$j9T$salt$hash:19000:0:99999:7:::"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char found[SSH_FINGERPRINT_SIZE] = "untouched";

		EXPECT(rows[i].p == NULL ? "NULL" : rows[i].p, ssh_key_fingerprint(rows[i], found), RJWT_MALFORMED);
		assert_string_equal(found, "untouched");
	}
	for (size_t i = 0; i < 2; i++) { /* in the alphabet of base64 */
		static const struct view twins[] = {
			VIEW("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH5pWPXHiwcMqxJCKvDno00a8NQDhJfHk3g672HoBP/8"),
			VIEW("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH5pWPXHiwcMqxJCKvDno00a8NQDhJfHk3g672HoBP+8"),
		};
		char found[SSH_FINGERPRINT_SIZE];

		EXPECT(twins[i].p, ssh_key_fingerprint(twins[i], found), RJWT_OK);
	}
}

static void
good_lines(void **state)
{
	static const struct view rows[] = { VIEW(SSH_KEY), VIEW(SSH_KEY " "), VIEW(SSH_KEY " a b  c"),
		VIEW(SSH_CERTIFICATE), VIEW(SSH_KEY " \xff\0\n") };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char found[SSH_FINGERPRINT_SIZE] = "";

		EXPECT(rows[i].p, ssh_key_fingerprint(rows[i], found), RJWT_OK);
		assert_string_equal(found, SSH_FINGERPRINT);
	}
}

#define A41 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void
fingerprints(void **state)
{
	static const struct {
		struct view text;
		bool good;
	} rows[] = {
		{ VIEW(SSH_FINGERPRINT), true },
		{ VIEW("SHA256:" A41 "AA"), true },
		{ VIEW("SHA256:" A41 "+E"), true },
		{ VIEW("SHA256:" A41 "/8"), true },
		{ VIEW("SHA256:" A41 "AB"), false }, /* a bit behind the last byte */
		{ VIEW("SHA256:" A41 "AC"), false },
		{ VIEW("SHA256:" A41 "-A"), false }, /* base64url */
		{ VIEW("SHA256:" A41 "_A"), false },
		{ VIEW("SHA256:" A41 "A"), false },
		{ VIEW("SHA256:" A41 "AAA"), false },
		{ VIEW("SHA256:" A41 "AA="), false },
		{ VIEW("SHA256:" A41 "=="), false },
		{ VIEW("SHA256:" A41 "A\0"), false },
		{ VIEW("SHA256:" A41 " A"), false },
		{ VIEW("sha256:" A41 "AA"), false },
		{ VIEW("SHA512:" A41 "AA"), false },
		{ VIEW("SHA256 " A41 "AA"), false },
		{ VIEW("MD5:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"), false },
		{ VIEW(A41 "AA"), false },
		{ VIEW(""), false },
		{ { NULL, 0 }, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK(rows[i].text.p == NULL ? "NULL" : rows[i].text.p,
		    ssh_fingerprint_check(rows[i].text) == rows[i].good);
}

struct seen {
	char text[400];
	int n, stop_at;
};

static bool
note(void *context, const char *fingerprint)
{
	struct seen *seen = context;

	snprintf(seen->text + strlen(seen->text), sizeof(seen->text) - strlen(seen->text), "%s ", fingerprint);
	return ++seen->n == seen->stop_at;
}

/* What sshd says of a login. */
static void
logins(void **state)
{
	static const struct {
		const char *auth_info, *found;
	} rows[] = {
		{ NULL, "" },
		{ "", "" },
		{ "\n", "" },
		{ SSH_AUTH_INFO, SSH_FINGERPRINT " " },
		{ "publickey " SSH_KEY, SSH_FINGERPRINT " " },
		{ "publickey " SSH_CERTIFICATE "\n", SSH_FINGERPRINT " " },
		{ "password\n" SSH_AUTH_INFO, SSH_FINGERPRINT " " },
		{ SSH_AUTH_INFO "keyboard-interactive/pam\n", SSH_FINGERPRINT " " },
		{ SSH_AUTH_INFO "publickey " OTHER_SSH_KEY "\n", SSH_FINGERPRINT " " OTHER_FINGERPRINT " " },
		{ "publickey ssh-new AAAA\n" SSH_AUTH_INFO, SSH_FINGERPRINT " " },
		{ "hostbased " SSH_KEY "\n", "" },
		{ "hostbased " SSH_KEY " publickey " SSH_KEY "\n", "" },
		{ "publickey\n" SSH_KEY "\n", "" },
		{ "publickey" SSH_KEY "\n", "" },
		{ "publickey/x " SSH_KEY "\n", "" },
		{ "Publickey " SSH_KEY "\n", "" },
		{ " publickey " SSH_KEY "\n", "" },
		{ "publickey  " SSH_KEY "\n", "" },
		{ "publickey " SSH_KEY "x\n", "" },
		{ "publickey ssh-ed25519\n " SSH_KEY_BASE64, "" },
		{ "gssapi-with-mic publickey " SSH_KEY "\n", "" },
		{ "publickey \n", "" },
		{ SSH_KEY, "" },
	};
	struct seen first = { .stop_at = 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *name = rows[i].auth_info == NULL ? "NULL" : rows[i].auth_info;
		struct seen seen = { .n = 0 };

		EXPECT(name, ssh_key_each(rows[i].auth_info, note, &seen), RJWT_OK);
		CHECK(name, strcmp(seen.text, rows[i].found) == 0);
	}
	EXPECT("first", ssh_key_each(SSH_AUTH_INFO SSH_AUTH_INFO, note, &first), RJWT_OK);
	assert_int_equal(first.n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(vectors), cmocka_unit_test(cut),
		cmocka_unit_test(refused_lines), cmocka_unit_test(good_lines), cmocka_unit_test(fingerprints),
		cmocka_unit_test(logins) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
