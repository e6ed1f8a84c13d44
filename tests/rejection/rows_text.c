/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
/* Rules 1 to 3: the length, the parts, base64url. */
#include "table.h"

#include <stdio.h>

#include "unit.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* %t the token; %h %p %s its parts; %H half of the header, %h less that; %0 NUL; all else is itself. */
static const struct {
	int rule;
	const char *text;
} forms[] = {
	/* NUL, anywhere */
	{ 1, "%t%0" },
	{ 1, "%0%t" },
	{ 1, "%h%0.%p.%s" },
	{ 1, "%h.%0%p.%s" },
	{ 1, "%h.%p%0.%s" },
	{ 1, "%h.%p.%0%s" },
	{ 1, "%t%0%t" },
	{ 1, "%t%0.x" },
	{ 1, "%0" },
	{ 1, "%h.%p%0" },
	/* parts */
	{ 2, "%h" },
	{ 2, "%h.%p" },
	{ 2, "%h.%p." },
	{ 2, "%h..%s" },
	{ 2, ".%p.%s" },
	{ 2, "..%s" },
	{ 2, ".%p." },
	{ 2, "%h.." },
	{ 2, "." },
	{ 2, ".." },
	{ 2, "..." },
	{ 2, "...." },
	{ 2, "%t." },
	{ 2, ".%t" },
	{ 2, "%t.%s" },
	{ 2, "%h.%t" },
	{ 2, "%t.%t" },
	{ 2, "%t.AAAA.AAAA" },
	{ 2, "AAAA.BBBB.%t" },
	{ 2, "%h.%p.%s.%s.%s" },
	{ 2, "%h.%p..%s" },
	{ 2, "%h%p%s" },
	{ 2, "%h,%p,%s" },
	{ 2, "%h:%p:%s" },
	{ 2, "%h/%p/%s" },
	{ 2, "%h.%p-%s" },
	{ 2, "%h\xe3\x80\x82%p\xe3\x80\x82%s" },
	{ 2, "%h\xef\xbc\x8e%p\xef\xbc\x8e%s" },
	/* other serializations, and what stands around a token elsewhere */
	{ 2, "{\"payload\":\"%p\",\"protected\":\"%h\",\"signature\":\"%s\"}" },
	{ 2, "{\"payload\":\"%p\",\"signatures\":[{\"protected\":\"%h\",\"signature\":\"%s\"}]}" },
	{ 2, "{\"token\":\"%t\"}" },
	{ 2, "[\"%t\"]" },
	{ 2, "%h.AAAA.%p.AAAA.%s" },
	{ 2, "Bearer %t" },
	{ 2, "bearer %t" },
	{ 2, "Authorization: Bearer %t" },
	{ 2, "token=%t" },
	{ 2, "\"%t\"" },
	{ 2, "'%t'" },
	{ 2, "<%t>" },
	{ 2, "%t;" },
	{ 2, "%t," },
	{ 2, "%t,%t" },
	{ 2, "%t %t" },
	{ 2, "%t\n%t" },
	{ 2, "%t#" },
	{ 2, "%t?x" },
	{ 2, "%t~" },
	{ 2, "~%t" },
	{ 2, " %t" },
	{ 2, "%t " },
	{ 2, "\t%t" },
	{ 2, "%t\t" },
	{ 2, "\n%t" },
	{ 2, "%t\n" },
	{ 2, "\r%t" },
	{ 2, "%t\r" },
	{ 2, "%t\r\n" },
	{ 2, "\r\n%t" },
	{ 2, "%t\x0b" },
	{ 2, "%t\x0c" },
	{ 2, "%t\x7f" },
	{ 2, "%h .%p.%s" },
	{ 2, "%h. %p.%s" },
	{ 2, "%h.%p .%s" },
	{ 2, "%h.%p. %s" },
	{ 2, "%h.\n%p.%s" },
	{ 2, "%h.\r\n%p.\r\n%s" },
	{ 2, "%h.%p.\t%s" },
	{ 2, "\xef\xbb\xbf%t" },
	{ 2, "%t\xef\xbb\xbf" },
	{ 2, "\xc2\xa0%t" },
	{ 2, "%t\xe2\x80\x8b" },
	{ 2, "\xe2\x80\xae%t" },
	{ 2, "%t\x1b[0m" },
	{ 2, "%t\x80" },
	{ 2, "%t\xff" },
	/* padding, the other alphabet, blanks that some decoders skip */
	{ 3, "%t=" },
	{ 3, "%t==" },
	{ 3, "%t===" },
	{ 3, "%h=.%p.%s" },
	{ 3, "%h==.%p.%s" },
	{ 3, "%h.%p=.%s" },
	{ 3, "%h.%p==.%s" },
	{ 3, "%h.=%p.%s" },
	{ 3, "%h.%p.=%s" },
	{ 3, "%h.%p.=" },
	{ 3, "%h.%p.====" },
	{ 3, "%t%%3D" },
	{ 3, "%h+.%p.%s" },
	{ 3, "%h/.%p.%s" },
	{ 3, "%h.%p+.%s" },
	{ 3, "%h.%p/.%s" },
	{ 3, "%t+" },
	{ 3, "%t/" },
	{ 3, "+%t" },
	{ 3, "/%t" },
	{ 3, "%h.%p.+%s" },
	{ 3, "%H %h.%p.%s" },
	{ 3, "%H\n%h.%p.%s" },
	{ 3, "%H=%h.%p.%s" },
	{ 3, "%H%%%h.%p.%s" },
	{ 3, "%H\xc3\xa9%h.%p.%s" },
	{ 3, "%t*" },
	{ 3, "%t!" },
	{ 3, "%t@" },
	{ 3, "%t[" },
	{ 3, "%t`" },
	{ 3, "%t{" },
	{ 3, "%t:" },
	{ 3, "%h.A.%s" },
	{ 3, "A.%p.%s" },
	{ 3, "%h.%p.A" },
	{ 3, "%h.AAAAA.%s" },
	{ 3, "%h.%p.AAAAA" },
};

static void
fill(struct buf *out, const char *form, const char *token)
{
	const char *dot = strchr(token, '.'), *last = strrchr(token, '.');
	size_t half = (size_t)(dot - token) / 2;
	bool halved = strstr(form, "%H") != NULL;

	for (const char *p = form; *p != '\0'; p++) {
		if (*p != '%') {
			buf_add(out, p, 1);
			continue;
		}
		switch (*++p) {
		case 't':
			buf_adds(out, token);
			break;
		case 'H':
			buf_add(out, token, half);
			break;
		case 'h':
			buf_add(out, halved ? token + half : token, (size_t)(dot - token) - (halved ? half : 0));
			break;
		case 'p':
			buf_add(out, dot + 1, (size_t)(last - dot - 1));
			break;
		case 's':
			buf_adds(out, last + 1);
			break;
		case '0':
			buf_add(out, "", 1);
			break;
		default:
			buf_adds(out, "%");
		}
	}
}

static void
put_forms(struct table *t)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct refusal *r = table_put(t, forms[i].rule, RJWT_MALFORMED, PLAIN, forms[i].text);

		fill(&r->bad, forms[i].text, t->plain[PLAIN].p);
	}
	buf_adds(&table_put(t, 1, RJWT_EMPTY, PLAIN, "nothing")->bad, "");
}

/* Where a + or a / stands for a - or a _, as in the alphabet of base64. */
static void
put_other_alphabet(struct table *t)
{
	static const struct edit marked[] = { HEADER("x", "\">>>>>???\?\?\""), CLAIM("x", "\">>>>>???\?\?\""),
		{ 0, NULL, NULL } };
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };
	char name[48];
	int n = 0;

	table_token(t, PLAIN, marked, &token);
	for (size_t i = 0; i < token.n; i++) {
		struct refusal *r;

		if ((token.p[i] != '-' && token.p[i] != '_') || n == 8)
			continue;
		snprintf(name, sizeof(name), "%c in the place of %c, number %d", token.p[i] == '-' ? '+' : '/',
		    token.p[i], ++n);
		r = table_put(t, 3, RJWT_MALFORMED, PLAIN, name);
		buf_add_view(&r->bad, buf_view(&token));
		r->bad.p[i] = token.p[i] == '-' ? '+' : '/';
		buf_clear(&r->twin);
		buf_add_view(&r->twin, buf_view(&token));
	}
	assert_true(n >= 4);
}

/* The end of a part of a token, from 0. */
static char *
end_of(struct buf *token, int part)
{
	char *end = token->p;

	for (int i = 0; i <= part; i++)
		end = i == 2 ? token->p + token->n : strchr(end + (i > 0), '.');
	return end;
}

/* Bits of the last character that no byte has: 4 where two characters are left over, 2 where three are. */
static void
put_unused_bits(struct table *t, int part, unsigned left_over)
{
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };
	char filler[16], name[48];
	unsigned length = 0;

	for (int n = 0; n < 3 && length % 4 != left_over; n++) {
		const struct edit edits[] = { { part == 0 ? 'h' : 'c', "x", filler }, { 0, NULL, NULL } };

		snprintf(filler, sizeof(filler), "\"%.*s\"", n, "xx");
		buf_clear(&token);
		table_token(t, PLAIN, edits, &token);
		length = (unsigned)(end_of(&token, part) - (part == 0 ? token.p : end_of(&token, part - 1) + 1));
	}
	if (length % 4 != left_over)
		fail_msg("part %d never has %u over", part, left_over);
	for (int bits = 1; bits < (left_over == 2 ? 16 : 4); bits++) {
		struct refusal *r;

		snprintf(name, sizeof(name), "unused bits %d of %u, part %d", bits, left_over, part + 1);
		r = table_put(t, 3, RJWT_MALFORMED, PLAIN, name);
		buf_add_view(&r->bad, buf_view(&token));
		end_of(&r->bad, part)[-1] = alphabet[(strchr(alphabet, end_of(&token, part)[-1]) - alphabet) | bits];
		buf_clear(&r->twin);
		buf_add_view(&r->twin, buf_view(&token));
	}
}

/* A token of exactly this length: header and claims are filled up, and all of the three lengths differ. */
static void
put_sized(struct table *t, enum world world, size_t length, struct buf *out)
{
	static char filler[RJWT_TOKEN_MAX];
	char head[16];
	const struct edit edits[] = { HEADER("x", head), CLAIM("x", filler), { 0, NULL, NULL } };

	for (int h = 0; h < 3; h++) {
		size_t have = 0, claims = 0;

		snprintf(head, sizeof(head), "\"%.*s\"", h, "xx");
		for (int round = 0; round < 16; round++) {
			RJWT_CLEAN(buf_clear) struct buf input = { 0 };

			snprintf(filler, sizeof(filler), "\"%0*d\"", (int)claims + 1, 0);
			table_input(t, world, edits, &input);
			have = input.n + 1 + 86; /* a signature of ES256 */
			if (have >= length)
				break;
			claims += length - have > 8 ? (length - have - 4) * 3 / 4 : 1;
		}
		if (have == length) {
			table_token(t, world, edits, out);
			return;
		}
	}
	fail_msg("no token of %zu bytes", length);
}

static void
put_lengths(struct table *t)
{
	static const size_t limits[] = { 511, 1023, 4095 }, longer_by[] = { 1, 2, 4, 30, 86, 87, 88, 100 };
	char name[48];
	struct refusal *r;

	r = table_put(t, 1, RJWT_TOO_LONG, SHORT, "a byte more than max_token_bytes");
	put_sized(t, SHORT, SHORT_BYTES + 1, &r->bad);
	buf_clear(&r->twin);
	put_sized(t, SHORT, SHORT_BYTES, &r->twin);
	r = table_put(t, 1, RJWT_TOO_LONG, SHORT, "rubbish, too long");
	snprintf(buf_room(&r->bad, 4000), 4000, "%03999d", 0);
	r = table_put(t, 1, RJWT_TOO_LONG, SHORT, "NUL, too long");
	memset(buf_room(&r->bad, 70000), 0, 70000);
	/* What a prompt cuts off in silence is told apart, or there is no finding out. */
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		for (size_t k = 0; k < ARRAY_LEN(longer_by); k++) {
			snprintf(name, sizeof(name), "%zu bytes, cut to %zu", limits[i] + longer_by[k], limits[i]);
			r = table_put(t, 1, RJWT_TRUNCATED, PLAIN, name);
			buf_clear(&r->twin);
			put_sized(t, PLAIN, limits[i] + longer_by[k], &r->twin);
			buf_add(&r->bad, r->twin.p, limits[i]);
		}
}

void
table_text(struct table *t)
{
	put_lengths(t);
	put_forms(t);
	put_other_alphabet(t);
	for (int part = 0; part < 3; part++) {
		put_unused_bits(t, part, 2);
		if (part < 2) /* 64 bytes have two characters over, always */
			put_unused_bits(t, part, 3);
	}
}
