/* SPDX-License-Identifier: MIT */
#include "base/address.h"
#include "base/datetime.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool
is_mapped(const struct address *a)
{
	return a->n == 16 && memcmp(a->bytes, mapped, sizeof(mapped)) == 0;
}

/* As it is written. */
static bool
parse(struct view text, struct address *address)
{
	char copy[INET6_ADDRSTRLEN];
	struct address found = { .n = 4 };

	/* inet_pton() would stop at a NUL. */
	if (text.n == 0 || text.n >= sizeof(copy) || memchr(text.p, '\0', text.n) != NULL)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (inet_pton(AF_INET, copy, found.bytes) != 1) {
		found.n = 16;
		if (inet_pton(AF_INET6, copy, found.bytes) != 1)
			return false;
	}
	*address = found;
	return true;
}

bool
address_parse(struct view text, struct address *address)
{
	if (!parse(text, address))
		return false;
	if (is_mapped(address)) {
		address->n = 4;
		memmove(address->bytes, address->bytes + sizeof(mapped), 4);
	}
	return true;
}

/* Whether two addresses of one family have the same first bits. */
static bool
same_prefix(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static bool
host_bits_are_zero(const struct address_range *range)
{
	unsigned char kept[16] = { 0 };
	unsigned whole = range->bits / 8, rest = range->bits % 8;

	memcpy(kept, range->first.bytes, whole);
	if (rest != 0)
		kept[whole] = (unsigned char)(range->first.bytes[whole] & 0xff << (8 - rest));
	return memcmp(kept, range->first.bytes, range->first.n) == 0;
}

const char *
address_range_parse(struct view text, struct address_range *range)
{
	const char *slash = text.n == 0 ? NULL : memchr(text.p, '/', text.n);
	size_t n = slash == NULL ? text.n : (size_t)(slash - text.p);
	struct address_range found = { .bits = 0 };
	int64_t bits, most;

	if (!parse((struct view){ text.p, n }, &found.first))
		return "not an IP address or range, such as 192.0.2.0/24 or 2001:db8::/32";
	if (is_mapped(&found.first))
		return "an IPv4-mapped address (write it as IPv4)";
	bits = most = 8 * (int64_t)found.first.n;
	if (slash != NULL && number_parse((struct view){ slash + 1, text.n - n - 1 }, most, &bits) != RJWT_OK)
		return most == 32 ? "the length of an IPv4 prefix is a number from 0 to 32"
				  : "the length of an IPv6 prefix is a number from 0 to 128";
	found.bits = (unsigned)bits;
	if (!host_bits_are_zero(&found))
		return "bits are set behind the prefix (write the first address of the range)";
	*range = found;
	return NULL;
}

void
address_range_format(const struct address_range *range, char text[static ADDRESS_RANGE_SIZE])
{
	char address[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(range->first.n == 4 ? AF_INET : AF_INET6, range->first.bytes, address, sizeof(address));
	snprintf(text, ADDRESS_RANGE_SIZE, "%s/%u", address, range->bits);
}

bool
address_range_check(struct view text)
{
	struct address_range range;
	char canonical[ADDRESS_RANGE_SIZE];

	if (address_range_parse(text, &range) != NULL)
		return false;
	address_range_format(&range, canonical);
	return view_is(text, canonical);
}

bool
address_range_has(const struct address_range *range, const struct address *address)
{
	return range->first.n == address->n && same_prefix(range->first.bytes, address->bytes, range->bits);
}
