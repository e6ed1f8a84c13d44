/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
/* Rule 35: what a token is bound to. Each attempt has the key of ssh_keys.h, and an address: 192.0.2.7 unless a row says. */
#include "table.h"
#include "base/address.h"

#include <stdio.h>

#include "unit.h"

#define BOUND "{\"kid\":\"" SSH_FINGERPRINT "\"}"
#define KID "\"kid\":\"" SSH_FINGERPRINT "\""
#define CNF_OF(text) "{\"kid\":\"" text "\"}"
#define A41 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define NEAR "[\"192.0.2.0/24\"]"
#define FOUR "\"192.0.2.0/24\",\"10.0.0.0/8\",\"::/0\",\"2001:db8::/32\""

static const struct list lists[] = {
	/* RFC 7800: one member, and of one form; another one could say that something else is to be proved */
	LIST(35, CLAIMS, 'c', "cnf", BOUND, "{}", "null", "\"\"", "[]", "true", "false", "0", "1",
	    "\"" SSH_FINGERPRINT "\"", "[\"" SSH_FINGERPRINT "\"]", "[" BOUND "]", "{\"kid\":null}", "{\"kid\":true}",
	    "{\"kid\":1}", "{\"kid\":{}}", "{\"kid\":[]}", "{\"kid\":[\"" SSH_FINGERPRINT "\"]}", "{\"kid\":" BOUND "}",
	    "{\"Kid\":\"" SSH_FINGERPRINT "\"}", "{\"KID\":\"" SSH_FINGERPRINT "\"}", "{\"\":\"" SSH_FINGERPRINT "\"}",
	    "{" KID "," KID "}", "{" KID ",\"k\\u0069d\":\"" SSH_FINGERPRINT "\"}"),
	LIST(35, CLAIMS, 'c', "cnf", BOUND, "{\"jwk\":{}}", "{\"jkt\":\"x\"}", "{\"jku\":\"https://iss.example\"}",
	    "{\"jwe\":\"x\"}", "{\"x5t#S256\":\"x\"}", "{\"osc\":{}}", "{" KID ",\"jwk\":{}}", "{" KID ",\"jwk\":null}",
	    "{" KID ",\"jkt\":\"x\"}", "{\"jkt\":\"x\"," KID "}", "{" KID ",\"jku\":\"https://iss.example\"}",
	    "{" KID ",\"jwe\":\"a.b.c.d.e\"}", "{" KID ",\"x5t#S256\":\"x\"}", "{" KID ",\"x\":1}",
	    "{" KID ",\"Kid\":1}"),
	/* a fingerprint is written in one way */
	LIST(35, CLAIMS, 'c', "cnf", BOUND, CNF_OF(""), CNF_OF("SHA256:x"), CNF_OF("SHA256:"),
	    CNF_OF(SSH_FINGERPRINT "="), CNF_OF(SSH_FINGERPRINT " "), CNF_OF(" " SSH_FINGERPRINT),
	    CNF_OF(SSH_FINGERPRINT "\\n"), CNF_OF(SSH_FINGERPRINT "\\u0000"),
	    CNF_OF(SSH_FINGERPRINT " " SSH_FINGERPRINT), CNF_OF(SSH_FINGERPRINT ","), CNF_OF(SSH_FINGERPRINT "A"),
	    CNF_OF("SHA256:" A41 "A"), CNF_OF("SHA256:" A41 "AB"), CNF_OF("SHA256:" A41 "AC"),
	    CNF_OF("SHA256:" A41 "AD"), CNF_OF("SHA256:" A41 "-A"), CNF_OF("SHA256:" A41 "_A"),
	    CNF_OF("SHA256:" A41 " A"), CNF_OF("SHA256:" A41 "A="), CNF_OF("SHA256:" A41 "\xc3\xa9"),
	    CNF_OF("sha256:" A41 "AA"), CNF_OF("SHA1:" A41 "AA"), CNF_OF("SHA512:" A41 "AA"), CNF_OF(A41 "AA"),
	    CNF_OF("SHA256 " A41 "AA"), CNF_OF("MD5:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"), CNF_OF(SSH_KEY),
	    CNF_OF("*"), CNF_OF("B.5")),
	/* keys that were not used: of the same type, of others, and fingerprints beside the right one */
	LIST(35, BINDING, 'c', "cnf", BOUND, CNF_OF(OTHER_FINGERPRINT),
	    CNF_OF("SHA256:A4Jnuwja5ZX9vqM/YBA/wpdPR9WH70Qml1vfhDNeI8U"),
	    CNF_OF("SHA256:aYbZ5ZXveaueXbjHuJTttZMc00Rwcj/D5eKLaXJU9GY"),
	    CNF_OF("SHA256:3uu9Oek/+Mkxm0hPyxC6Tmqgt6531mOmb34diYeFYL0"),
	    CNF_OF("SHA256:MrQoagGw7Y8ztvJsZ+jwHG8eAuUUyZI3qJYvAB87TFM"),
	    CNF_OF("SHA256:C6bY/CWJc5nLAUPXVhUQqH147810rhxpmNZZEzf+FsY"),
	    CNF_OF("SHA256:aeRrPF3VYf5R5YB3YRcNNn/mgoGoaifXE3+cX7dMBIs"), CNF_OF("SHA256:" A41 "AA"),
	    CNF_OF("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"),
	    CNF_OF("SHA256:REJL43vvADx2VmxFTt8hZXbpoiB9LkWztIpYZrgJHfo"),
	    CNF_OF("SHA256:rEJL43vvADx2VmxFTt8hZXbpoiB9LkWztIpYZrgJHfk"),
	    CNF_OF("SHA256:rEJL43vvADx2VmxFTt8hZXbpoiB9LkWztIpYZrgJHfs"),
	    CNF_OF("SHA256:rEJL43vvADx2VmxFTt8hZXbpoiB9LkWztIpYZrgJHfA"),
	    CNF_OF("SHA256:rEJL43vvADx2VmxFTt8hZXbpoiB8LkWztIpYZrgJHfo"),
	    CNF_OF("SHA256:sEJL43vvADx2VmxFTt8hZXbpoiB9LkWztIpYZrgJHfo")),
	/* an array of ranges, each written in one way */
	LIST(35, CLAIMS, 'c', "src", NEAR, "[]", "null", "\"\"", "{}", "true", "false", "0", "\"192.0.2.0/24\"",
	    "{\"192.0.2.0/24\":true}", "[\"\"]", "[null]", "[true]", "[7]", "[{}]", "[[]]", "[[\"192.0.2.0/24\"]]",
	    "[\"192.0.2.0/24\",null]", "[\"192.0.2.0/24\",7]", "[\"192.0.2.0/24\",\"\"]", "[\"192.0.2.0/24\",[]]",
	    "[\"192.0.2.0/24\",\"x\"]", "[\"192.0.2.0/24,10.0.0.0/8\"]", "[\"192.0.2.0/24 10.0.0.0/8\"]",
	    "[" FOUR "," FOUR "," FOUR "," FOUR ",\"192.0.2.0/24\"]"),
	LIST(35, CLAIMS, 'c', "src", NEAR, "[\"192.0.2.7\"]", "[\"192.0.2.0\"]", "[\"192.0.2.7/24\"]",
	    "[\"192.0.2.1/24\"]", "[\"192.0.2.7/31\"]", "[\"192.0.2.7/0\"]", "[\"0.0.0.0/00\"]", "[\"192.0.2.0/024\"]",
	    "[\"192.0.2.0/+24\"]", "[\"192.0.2.0/-24\"]", "[\"192.0.2.0/24 \"]", "[\" 192.0.2.0/24\"]",
	    "[\"192.0.2.0 /24\"]", "[\"192.0.2.0/24\\n\"]", "[\"192.0.2.0/24\\u0000\"]", "[\"192.0.2.0/33\"]",
	    "[\"192.0.2.0/4294967320\"]", "[\"192.0.2.0/\"]", "[\"/24\"]", "[\"/\"]", "[\"192.0.2.0/24/24\"]",
	    "[\"192.0.2.0/255.255.255.0\"]", "[\"192.0.2/24\"]", "[\"192.0.02.0/24\"]", "[\"192.0.2.256/32\"]",
	    "[\"0xc0.0.2.0/24\"]", "[\"3221225984/24\"]", "[\"192.0.2.*\"]", "[\"*\"]", "[\"any\"]", "[\"all\"]",
	    "[\"localhost\"]", "[\"web1.example.org\"]", "[\"!10.0.0.0/8\"]", "[\"192.0.2.0-192.0.2.255\"]",
	    "[\"[192.0.2.0]/24\"]",
	    "[\"192.0.2.0\xe2\x81\x84"
	    "24\"]",
	    "[\"\xd9\xa1\xd9\xa9\xd9\xa2.0.2.0/24\"]", "[\"192.0.2.0/2e1\"]", "[\"192.0.2.0/24.0\"]"),
	LIST(35, CLAIMS, 'c', "src", NEAR, "[\"2001:DB8::/32\"]", "[\"2001:0db8::/32\"]", "[\"2001:db8:0::/32\"]",
	    "[\"2001:db8:0:0:0:0:0:0/32\"]", "[\"2001:db8::\"]", "[\"2001:db8::7/32\"]", "[\"2001:db8::/129\"]",
	    "[\"0::0/0\"]", "[\"::/00\"]", "[\"::1/0\"]", "[\"[2001:db8::]/32\"]", "[\"fe80::%eth0/64\"]",
	    "[\"fe80::1%lo/128\"]", "[\"::ffff:192.0.2.0/120\"]", "[\"::ffff:c000:200/120\"]",
	    "[\"::ffff:192.0.2.0/24\"]", "[\"::ffff:0:0/96\"]", "[\"::ffff:192.0.2.7/128\"]", "[\"2001:db8:::/32\"]",
	    "[\"2001::db8::/32\"]"),
	/* from elsewhere: ranges beside the address, around it, and of the other family */
	LIST(35, SOURCE, 'c', "src", NEAR, "[\"192.0.2.6/32\"]", "[\"192.0.2.8/32\"]", "[\"192.0.2.8/29\"]",
	    "[\"192.0.2.0/30\"]", "[\"192.0.2.4/31\"]", "[\"192.0.1.0/24\"]", "[\"192.0.3.0/24\"]",
	    "[\"192.0.0.0/23\"]", "[\"192.0.4.0/22\"]", "[\"7.2.0.192/32\"]", "[\"10.0.0.0/8\"]", "[\"0.0.0.0/32\"]",
	    "[\"255.255.255.255/32\"]", "[\"127.0.0.0/8\"]", "[\"0.0.0.0/1\"]", "[\"::/0\"]", "[\"::/80\"]",
	    "[\"::/96\"]", "[\"c000::/4\"]", "[\"::192.0.2.7/128\"]", "[\"64:ff9b::/96\"]", "[\"2002:c000:207::/48\"]",
	    "[\"c000:207::/32\"]", "[\"192.0.2.6/32\",\"192.0.2.8/32\"]",
	    "[\"10.0.0.0/8\",\"::/0\",\"192.0.3.0/24\",\"127.0.0.0/8\"]"),
};

static const struct row rows[] = {
	ROW(35, CLAIMS, BAD(CLAIM("src", "[" FOUR "," FOUR "," FOUR "," FOUR ",\"::/1\"]")),
	    TWIN(CLAIM("src", "[" FOUR "," FOUR "," FOUR "," FOUR "]"))),
	/* the last of several counts as the first */
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"10.0.0.0/8\",\"::/0\",\"192.0.2.6/32\"]")),
	    TWIN(CLAIM("src", "[\"10.0.0.0/8\",\"::/0\",\"192.0.2.7/32\"]"))),
	/* both, and the key before the address */
	ROW(35, BINDING, BAD(CLAIM("cnf", CNF_OF(OTHER_FINGERPRINT)), CLAIM("src", NEAR)),
	    TWIN(CLAIM("cnf", BOUND), CLAIM("src", NEAR))),
	ROW(35, SOURCE, BAD(CLAIM("cnf", BOUND), CLAIM("src", "[\"::/0\"]")),
	    TWIN(CLAIM("cnf", BOUND), CLAIM("src", NEAR))),
	ROW(35, BINDING, BAD(CLAIM("cnf", CNF_OF(OTHER_FINGERPRINT)), CLAIM("src", "[\"::/0\"]"))),
	/* behind the scope and the user, before the marks */
	ROW(35, SCOPE, BAD(CLAIM("scope", "\"su\""), CLAIM("cnf", CNF_OF(OTHER_FINGERPRINT))),
	    TWIN(CLAIM("cnf", BOUND))),
	ROW(35, USER, BAD(CLAIM("sub", "\"bob\""), CLAIM("cnf", CNF_OF(OTHER_FINGERPRINT))), TWIN(CLAIM("cnf", BOUND))),
	ROW(35, CLAIMS, BAD(CLAIM("sub", "\"bob\""), CLAIM("cnf", "{}")), TWIN(CLAIM("cnf", BOUND))),
	ROW(35, BINDING, BAD(CLAIM("jti", "\"gone\""), CLAIM("cnf", CNF_OF(OTHER_FINGERPRINT))),
	    TWIN(CLAIM("cnf", BOUND))),
	ROW(35, REVOKED, BAD(CLAIM("jti", "\"gone\""), CLAIM("cnf", BOUND)), TWIN(CLAIM("cnf", BOUND))),
	ROW(35, SPENT, BAD(CLAIM("once", "true"), CLAIM("jti", "\"used\""), CLAIM("cnf", BOUND)),
	    TWIN(CLAIM("once", "true"), CLAIM("jti", "\"used9\""), CLAIM("cnf", BOUND))),
	/* mapped addresses are IPv4, in each spelling */
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"::/0\"]")), TWIN(CLAIM("src", NEAR)), .source = "::ffff:192.0.2.7"),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"::/80\"]")), TWIN(CLAIM("src", NEAR)), .source = "::ffff:c000:207"),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"192.0.2.8/32\"]")), TWIN(CLAIM("src", "[\"192.0.2.7/32\"]")),
	    .source = "::ffff:192.0.2.7"),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"192.0.2.8/32\"]")), TWIN(CLAIM("src", "[\"0.0.0.0/0\"]")),
	    .source = "0:0:0:0:0:FFFF:192.0.2.7"),
	/* and compatible ones, translated ones and 6to4 are not */
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"0.0.0.0/0\"]")), TWIN(CLAIM("src", "[\"::/96\"]")),
	    .source = "::192.0.2.7"),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"0.0.0.0/0\"]")), TWIN(CLAIM("src", "[\"64:ff9b::/96\"]")),
	    .source = "64:ff9b::192.0.2.7"),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"0.0.0.0/0\"]")), TWIN(CLAIM("src", "[\"2002::/16\"]")),
	    .source = "2002:c000:207::1"),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"0.0.0.0/0\"]")), TWIN(CLAIM("src", "[\"::/0\"]")), .source = "::"),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"::/128\"]")), TWIN(CLAIM("src", "[\"::1/128\"]")), .source = "::1"),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"127.0.0.0/8\"]")), TWIN(CLAIM("src", "[\"::1/128\"]")), .source = "::1"),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"2001:db8::/32\"]")), TWIN(CLAIM("src", "[\"fe80::/10\"]")),
	    .source = "fe80::1"),
	/* the ends of everything */
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"0.0.0.1/32\"]")), TWIN(CLAIM("src", "[\"0.0.0.0/32\"]")),
	    .source = "0.0.0.0"),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"0.0.0.0/1\"]")), TWIN(CLAIM("src", "[\"128.0.0.0/1\"]")),
	    .source = "255.255.255.255"),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"192.0.2.0/25\"]")), TWIN(CLAIM("src", "[\"192.0.2.128/25\"]")),
	    .source = "192.0.2.128"),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"192.0.2.128/25\"]")), TWIN(CLAIM("src", "[\"192.0.2.0/25\"]")),
	    .source = "192.0.2.127"),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"2001:db8:0:1::/64\"]")), TWIN(CLAIM("src", "[\"2001:db8::/64\"]")),
	    .source = "2001:db8::ffff:ffff:ffff:ffff"),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"2001:db8::/64\"]")), TWIN(CLAIM("src", "[\"2001:db8:0:1::/64\"]")),
	    .source = "2001:db8:0:1::"),
	/* of others: what has another form is no key and no address; what has ours is compared */
	ROW(35, BINDING, BAD(CLAIM("cnf", "{\"jkt\":\"x\"}")), TWIN(CLAIM("cnf", BOUND)), .world = SET),
	ROW(35, BINDING, BAD(CLAIM("cnf", "{" KID ",\"jkt\":\"x\"}")), TWIN(CLAIM("cnf", BOUND)), .world = SET),
	ROW(35, BINDING, BAD(CLAIM("cnf", CNF_OF(OTHER_FINGERPRINT))), TWIN(CLAIM("cnf", BOUND)), .world = SET),
	ROW(35, SOURCE, BAD(CLAIM("src", "\"192.0.2.0/24\"")), TWIN(CLAIM("src", NEAR)), .world = SET),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"192.0.2.0/24\",7]")), TWIN(CLAIM("src", NEAR)), .world = SET),
	ROW(35, SOURCE, BAD(CLAIM("src", "[\"192.0.2.7/24\"]")), TWIN(CLAIM("src", NEAR)), .world = SET),
	ROW(35, SOURCE, BAD(CLAIM("src", "{}")), TWIN(CLAIM("src", NEAR)), .world = SET),
};

/* The range of so many bits around an address, with its last bit as it is or the other way round, as the claim. */
static void
put_range(char claim[static ADDRESS_RANGE_SIZE + 8], const struct address *around, unsigned bits, bool flip)
{
	struct address_range range = { .first = { .n = around->n }, .bits = bits };
	char text[ADDRESS_RANGE_SIZE];

	for (unsigned i = 0; i < bits; i++)
		range.first.bytes[i / 8] |= (unsigned char)(around->bytes[i / 8] & 0x80 >> i % 8);
	if (flip)
		range.first.bytes[(bits - 1) / 8] ^= (unsigned char)(0x80 >> (bits - 1) % 8);
	address_range_format(&range, text);
	snprintf(claim, ADDRESS_RANGE_SIZE + 8, "[\"%s\"]", text);
}

/* Prefixes of every step-th length: the last bit of each counts. */
static void
put_prefixes(struct table *t, const char *source, unsigned step)
{
	struct address around;

	assert_true(address_parse(view_of(source), &around));
	for (unsigned bits = step; bits <= 8 * around.n; bits += step) {
		char bad[ADDRESS_RANGE_SIZE + 8], twin[ADDRESS_RANGE_SIZE + 8];
		const struct row row = { .rule = 35,
			.reason = RJWT_SOURCE,
			.bad = { CLAIM("src", bad) },
			.twin = { CLAIM("src", twin) },
			.source = source };

		put_range(bad, &around, bits, true);
		put_range(twin, &around, bits, false);
		table_rows(t, &row, 1);
	}
}

void
table_origin(struct table *t)
{
	table_lists(t, lists, ARRAY_LEN(lists));
	table_rows(t, rows, ARRAY_LEN(rows));
	put_prefixes(t, "198.51.100.37", 1);
	put_prefixes(t, "2001:db8:5a3c:8001:ffff::beef", 4);
}
