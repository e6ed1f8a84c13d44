/* SPDX-License-Identifier: MIT */
/*
 * address.h - IP addresses and ranges of them, as text. Only literals: nothing is resolved.
 */
#ifndef RJWT_ADDRESS_H
#define RJWT_ADDRESS_H

#include "base/err.h"

struct address {
	size_t n; /* bytes: 4 for IPv4, 16 for IPv6 */
	unsigned char bytes[16];
};

struct address_range {
	struct address first; /* its host bits are zero */
	unsigned bits;	      /* length of the prefix */
};

#define ADDRESS_RANGE_SIZE 50 /* "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128", NUL included */

/* An address without a zone; ::ffff:a.b.c.d, in any spelling, becomes the IPv4 address. */
bool address_parse(struct view text, struct address *address);

/*
 * ADDRESS/BITS, or ADDRESS alone for exactly one. An IPv4-mapped range is refused: its prefix could be meant either way.
 * NULL: range is filled; otherwise why it is not; static.
 */
const char *address_range_parse(struct view text, struct address_range *range);

/* The one spelling of a range: as inet_ntop(3) writes the address, always with the length of the prefix. */
void address_range_format(const struct address_range *range, char text[static ADDRESS_RANGE_SIZE]);

/* Whether text is a range in that spelling. */
bool address_range_check(struct view text);

bool address_range_has(const struct address_range *range, const struct address *address);

#endif
