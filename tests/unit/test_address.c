/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
#include "unit.h"
#include "base/address.h"

static void
addresses(void **state)
{
	/* bytes in hex; NULL: no address */
	static const struct {
		struct view text;
		const char *bytes;
	} rows[] = {
		{ VIEW("192.0.2.7"), "c0000207" },
		{ VIEW("0.0.0.0"), "00000000" },
		{ VIEW("255.255.255.255"), "ffffffff" },
		{ VIEW("2001:db8::7"), "20010db8000000000000000000000007" },
		{ VIEW("2001:DB8:0:0:0:0:0:7"), "20010db8000000000000000000000007" },
		{ VIEW("::"), "00000000000000000000000000000000" },
		{ VIEW("::1"), "00000000000000000000000000000001" },
		/* mapped, in each spelling, is IPv4 */
		{ VIEW("::ffff:192.0.2.7"), "c0000207" },
		{ VIEW("::FFFF:192.0.2.7"), "c0000207" },
		{ VIEW("::ffff:c000:207"), "c0000207" },
		{ VIEW("0:0:0:0:0:ffff:c000:0207"), "c0000207" },
		/* and what looks like it is not */
		{ VIEW("::192.0.2.7"), "000000000000000000000000c0000207" },
		{ VIEW("::fffe:192.0.2.7"), "00000000000000000000fffec0000207" },
		{ VIEW("1::ffff:192.0.2.7"), "00010000000000000000ffffc0000207" },
		{ VIEW("64:ff9b::192.0.2.7"), "0064ff9b0000000000000000c0000207" },
		{ VIEW("::ffff:0:192.0.2.7"), "0000000000000000ffff0000c0000207" },
		{ VIEW(""), NULL },
		{ { NULL, 0 }, NULL },
		{ VIEW("192.0.2"), NULL },
		{ VIEW("1111111111111111111111111111111111111111111111"), NULL }, /* too long */
		{ VIEW("192.0.2.7.1"), NULL },
		{ VIEW("192.0.2.256"), NULL },
		{ VIEW("192.0.2.07"), NULL },
		{ VIEW("192.0.2.0x7"), NULL },
		{ VIEW("3221225991"), NULL },
		{ VIEW("127.1"), NULL },
		{ VIEW("0xc0000207"), NULL },
		{ VIEW("192.0.2.7/32"), NULL },
		{ VIEW("192.0.2.7 "), NULL },
		{ VIEW(" 192.0.2.7"), NULL },
		{ VIEW("192.0.2.7\n"), NULL },
		{ VIEW("192.0.2.7\0"), NULL },
		{ VIEW("192.0.2.7\0.host"), NULL },
		{ VIEW("192.0.2.7:22"), NULL },
		{ VIEW("[2001:db8::7]"), NULL },
		{ VIEW("fe80::1%eth0"), NULL },
		{ VIEW("fe80::1%2"), NULL },
		{ VIEW("2001:db8:::7"), NULL },
		{ VIEW("2001::db8::7"), NULL },
		{ VIEW("1:2:3:4:5:6:7"), NULL },
		{ VIEW("1:2:3:4:5:6:7:8:9"), NULL },
		{ VIEW("12345::"), NULL },
		{ VIEW("g::"), NULL },
		{ VIEW("localhost"), NULL },
		{ VIEW("UNKNOWN"), NULL },
		{ VIEW("\xd9\xa1.0.0.1"), NULL },
		{ VIEW("0000:0000:0000:0000:0000:0000:0000:0000:0000:0001"), NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf bytes = { 0 };
		const char *name = rows[i].text.p == NULL ? "NULL" : rows[i].text.p;
		struct address found = { .n = 99 };
		bool good = address_parse(rows[i].text, &found);

		CHECK(name, good == (rows[i].bytes != NULL));
		if (good)
			CHECK(name, view_eq(unit_hex(&bytes, rows[i].bytes), unit_view(found.bytes, found.n)));
		else
			CHECK(name, found.n == 99); /* untouched */
	}
}

static void
ranges(void **state)
{
	/* the one spelling; NULL: refused, for a reason with this word in it */
	static const struct {
		struct view text;
		const char *canonical, *why;
	} rows[] = {
		{ VIEW("192.0.2.0/24"), "192.0.2.0/24", NULL },
		{ VIEW("192.0.2.7"), "192.0.2.7/32", NULL },
		{ VIEW("192.0.2.7/32"), "192.0.2.7/32", NULL },
		{ VIEW("192.0.2.6/31"), "192.0.2.6/31", NULL },
		{ VIEW("128.0.0.0/1"), "128.0.0.0/1", NULL },
		{ VIEW("0.0.0.0/0"), "0.0.0.0/0", NULL },
		{ VIEW("10.0.0.0/8"), "10.0.0.0/8", NULL },
		{ VIEW("2001:db8::/32"), "2001:db8::/32", NULL },
		{ VIEW("2001:DB8:0::/33"), "2001:db8::/33", NULL },
		{ VIEW("2001:db8::7"), "2001:db8::7/128", NULL },
		{ VIEW("2001:db8::8/125"), "2001:db8::8/125", NULL },
		{ VIEW("8000::/1"), "8000::/1", NULL },
		{ VIEW("::/0"), "::/0", NULL },
		{ VIEW("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128"),
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", NULL },
		{ VIEW("192.0.2.7/24"), NULL, "bits" },
		{ VIEW("192.0.2.7/31"), NULL, "bits" },
		{ VIEW("192.0.2.7/0"), NULL, "bits" },
		{ VIEW("128.0.0.0/0"), NULL, "bits" },
		{ VIEW("0.0.0.1/0"), NULL, "bits" },
		{ VIEW("2001:db8::7/64"), NULL, "bits" },
		{ VIEW("2001:db8::4/125"), NULL, "bits" },
		{ VIEW("8000::/0"), NULL, "bits" },
		{ VIEW("192.0.2.0/33"), NULL, "0 to 32" },
		{ VIEW("192.0.2.0/128"), NULL, "0 to 32" },
		{ VIEW("192.0.2.0/"), NULL, "0 to 32" },
		{ VIEW("192.0.2.0/-1"), NULL, "0 to 32" },
		{ VIEW("192.0.2.0/+24"), NULL, "0 to 32" },
		{ VIEW("192.0.2.0/024"), NULL, "0 to 32" },
		{ VIEW("192.0.2.0/24 "), NULL, "0 to 32" },
		{ VIEW("192.0.2.0/24/24"), NULL, "0 to 32" },
		{ VIEW("192.0.2.0/255.255.255.0"), NULL, "0 to 32" },
		{ VIEW("192.0.2.0/24\0"), NULL, "0 to 32" },
		{ VIEW("192.0.2.0/4294967320"), NULL, "0 to 32" },
		{ VIEW("192.0.2.0/18446744073709551640"), NULL, "0 to 32" },
		{ VIEW("2001:db8::/129"), NULL, "0 to 128" },
		{ VIEW("::ffff:192.0.2.0/120"), NULL, "mapped" },
		{ VIEW("::ffff:192.0.2.0/24"), NULL, "mapped" },
		{ VIEW("::ffff:0:0/96"), NULL, "mapped" },
		{ VIEW("fe80::1%eth0/128"), NULL, "not an IP" },
		{ VIEW("/24"), NULL, "not an IP" },
		{ VIEW(""), NULL, "not an IP" },
		{ { NULL, 0 }, NULL, "not an IP" },
		{ VIEW("web1.example.org"), NULL, "not an IP" },
		{ VIEW("192.0.2.0-192.0.2.9"), NULL, "not an IP" },
		{ VIEW("192.0.2.0/24,10.0.0.0/8"), NULL, "0 to 32" },
		{ VIEW("*"), NULL, "not an IP" },
		{ VIEW("192.0.2.*"), NULL, "not an IP" },
		{ VIEW("192.0.2"), NULL, "not an IP" },
		{ VIEW("!192.0.2.0/24"), NULL, "not an IP" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *name = rows[i].text.p == NULL ? "NULL" : rows[i].text.p;
		struct address_range range = { .bits = 999 };
		const char *why = address_range_parse(rows[i].text, &range);
		char text[ADDRESS_RANGE_SIZE];

		CHECK(name, (why == NULL) == (rows[i].canonical != NULL));
		if (why != NULL) {
			CHECK(name, strstr(why, rows[i].why) != NULL && range.bits == 999);
			CHECK(name, !address_range_check(rows[i].text));
			continue;
		}
		address_range_format(&range, text);
		CHECK(name, strcmp(text, rows[i].canonical) == 0);
		CHECK(name, address_range_check(view_of(text)));
		CHECK(name, address_range_check(rows[i].text) == view_is(rows[i].text, text));
	}
}

/* Every length of a prefix: its first and last address are in it, those beside it are not. */
static void
check_ends(unsigned char fill, size_t n, unsigned bits)
{
	struct address_range range = { .first = { .n = n }, .bits = bits };
	struct address last, other;

	for (unsigned i = 0; i < bits; i++)
		range.first.bytes[i / 8] |= (unsigned char)(fill & 0x80 >> i % 8);
	last = range.first;
	for (unsigned i = bits; i < 8 * n; i++)
		last.bytes[i / 8] |= (unsigned char)(0x80 >> i % 8);
	assert_true(address_range_has(&range, &range.first) && address_range_has(&range, &last));
	for (unsigned i = 0; i < bits; i++) { /* each bit of the prefix counts */
		other = range.first;
		other.bytes[i / 8] ^= (unsigned char)(0x80 >> i % 8);
		assert_false(address_range_has(&range, &other));
		other = last;
		other.bytes[i / 8] ^= (unsigned char)(0x80 >> i % 8);
		assert_false(address_range_has(&range, &other));
	}
	for (unsigned i = bits; i < 8 * n; i++) { /* and none behind it */
		other = range.first;
		other.bytes[i / 8] ^= (unsigned char)(0x80 >> i % 8);
		assert_true(address_range_has(&range, &other));
	}
	other = range.first;
	other.n = n == 4 ? 16 : 4; /* of the other family, /0 too */
	assert_false(address_range_has(&range, &other));
	other.n = 0;
	assert_false(address_range_has(&range, &other));
}

static void
ends(void **state)
{
	static const unsigned char fills[] = { 0x00, 0xff, 0xa5 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fills); i++) {
		for (unsigned bits = 0; bits <= 32; bits++)
			check_ends(fills[i], 4, bits);
		for (unsigned bits = 0; bits <= 128; bits++)
			check_ends(fills[i], 16, bits);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(addresses), cmocka_unit_test(ranges),
		cmocka_unit_test(ends) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
