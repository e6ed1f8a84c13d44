/* SPDX-License-Identifier: MIT */
#include "base/ssh_key.h"
#include "base/base64url.h"
#include "base/buf.h"
#include "base/hash.h"

#include <string.h>

#define PREFIX "SHA256:"
#define DIGITS (SSH_FINGERPRINT_SIZE - sizeof(PREFIX)) /* of a fingerprint, without padding: 43 */

/* Types of keys, of certificates over them, and of how many fields the key has behind its type (RFC 4253 s6.6 and
 * OpenSSH's PROTOCOL.certkeys, PROTOCOL.u2f). */
static const struct key_type {
	const char *plain, *certificate;
	unsigned fields;
} types[] = {
	{ "ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", 1 },
	{ "ssh-rsa", "ssh-rsa-cert-v01@openssh.com", 2 },
	{ "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256-cert-v01@openssh.com", 2 },
	{ "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384-cert-v01@openssh.com", 2 },
	{ "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521-cert-v01@openssh.com", 2 },
	{ "sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com", 2 },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", 3 },
};

/* --- base64, whose alphabet differs from base64url's in two characters ------------------------- */

static void
translate(char *p, size_t n, char plus, char slash, char to_plus, char to_slash)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == plus)
			p[i] = to_plus;
		else if (p[i] == slash)
			p[i] = to_slash;
}

/* With = up to a multiple of four. text is not empty. */
static enum rjwt_err
decode(struct view text, struct buf *out)
{
	RJWT_CLEAN(buf_clear) struct buf copy = { 0 };
	size_t pad = 0;

	if (text.n % 4 != 0 || memchr(text.p, '-', text.n) != NULL || memchr(text.p, '_', text.n) != NULL)
		return RJWT_MALFORMED;
	while (pad < 2 && text.p[text.n - 1 - pad] == '=')
		pad++;
	buf_add(&copy, text.p, text.n - pad);
	RJWT_TRY(buf_done(&copy));
	translate(copy.p, copy.n, '+', '/', '-', '_');
	return base64url_decode(buf_view(&copy), out);
}

bool
ssh_fingerprint_check(struct view text)
{
	char copy[DIGITS];

	if (text.n != SSH_FINGERPRINT_SIZE - 1 || memcmp(text.p, PREFIX, sizeof(PREFIX) - 1) != 0)
		return false;
	memcpy(copy, text.p + sizeof(PREFIX) - 1, DIGITS);
	if (memchr(copy, '-', DIGITS) != NULL || memchr(copy, '_', DIGITS) != NULL)
		return false;
	translate(copy, DIGITS, '+', '/', '-', '_');
	return base64url_check((struct view){ copy, DIGITS }) == NULL;
}

/* --- the bytes of a key ------------------------------------------------------------------------ */

/* A field, preceded by its length in four bytes, which is taken off rest. */
static bool
next_field(struct view *rest, struct view *field)
{
	const unsigned char *p = (const unsigned char *)rest->p;
	size_t n;

	if (rest->n < 4)
		return false;
	n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	if (n > rest->n - 4)
		return false;
	*field = (struct view){ rest->p + 4, n };
	*rest = (struct view){ rest->p + 4 + n, rest->n - 4 - n };
	return true;
}

static void
put_field(struct buf *out, struct view field)
{
	const unsigned char length[4] = { (unsigned char)(field.n >> 24), (unsigned char)(field.n >> 16),
		(unsigned char)(field.n >> 8), (unsigned char)field.n };

	buf_add(out, length, sizeof(length));
	buf_add_view(out, field);
}

/* What follows the key in a certificate: serial, type, and eight fields from the key id to the signature. */
static bool
ends_certificate(struct view rest)
{
	static const size_t serial = 8, kind = 4;
	struct view ignored, id, principals;

	if (rest.n < serial + kind)
		return false;
	rest = (struct view){ rest.p + serial + kind, rest.n - serial - kind };
	if (!next_field(&rest, &id) || !next_field(&rest, &principals) || rest.n < 16)
		return false;
	rest = (struct view){ rest.p + 16, rest.n - 16 }; /* valid after, valid before */
	for (int i = 0; i < 5; i++) /* critical options, extensions, reserved, signature key, signature */
		if (!next_field(&rest, &ignored))
			return false;
	return rest.n == 0;
}

/* The plain key in blob, whose type was named outside, too. */
static bool
put_plain(struct view blob, struct view named, struct buf *plain)
{
	struct view type, field, rest = blob;
	const struct key_type *t = types;
	bool certificate;

	if (!next_field(&rest, &type) || !view_eq(type, named))
		return false;
	while (t < types + ARRAY_LEN(types) && !view_is(type, t->plain) && !view_is(type, t->certificate))
		t++;
	if (t == types + ARRAY_LEN(types))
		return false;
	certificate = view_is(type, t->certificate);
	if (certificate && !next_field(&rest, &field)) /* nonce */
		return false;
	put_field(plain, view_of(t->plain));
	for (unsigned i = 0; i < t->fields; i++) {
		if (!next_field(&rest, &field) || field.n == 0)
			return false;
		put_field(plain, field);
	}
	return certificate ? ends_certificate(rest) : rest.n == 0;
}

/* --- fingerprints ------------------------------------------------------------------------------ */

static enum rjwt_err
format(struct view plain, char fingerprint[static SSH_FINGERPRINT_SIZE])
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	unsigned char sum[DIGEST_BYTES];

	RJWT_TRY(digest_bytes(plain, sum));
	buf_adds(&text, PREFIX);
	base64url_encode(&text, (struct view){ (const char *)sum, sizeof(sum) });
	RJWT_TRY(buf_done(&text));
	translate(text.p + sizeof(PREFIX) - 1, DIGITS, '-', '_', '+', '/');
	memcpy(fingerprint, text.p, SSH_FINGERPRINT_SIZE);
	return RJWT_OK;
}

/* The next word of a line, which is taken off from it. */
static struct view
take_word(struct view *line)
{
	const char *space = line->n == 0 ? NULL : memchr(line->p, ' ', line->n);
	struct view word = { line->p, space == NULL ? line->n : (size_t)(space - line->p) };

	*line = (struct view){ line->p + word.n, line->n - word.n };
	if (line->n > 0)
		*line = (struct view){ line->p + 1, line->n - 1 };
	return word;
}

enum rjwt_err
ssh_key_fingerprint(struct view line, char fingerprint[static SSH_FINGERPRINT_SIZE])
{
	RJWT_CLEAN(buf_clear) struct buf blob = { 0 };
	RJWT_CLEAN(buf_clear) struct buf plain = { 0 };
	struct view type = take_word(&line), base64 = take_word(&line);

	if (type.n == 0 || base64.n == 0)
		return RJWT_MALFORMED;
	RJWT_TRY(decode(base64, &blob));
	if (!put_plain(buf_view(&blob), type, &plain))
		return RJWT_MALFORMED;
	RJWT_TRY(buf_done(&plain));
	return format(buf_view(&plain), fingerprint);
}

enum rjwt_err
ssh_key_each(const char *auth_info, bool (*each)(void *context, const char *fingerprint), void *context)
{
	static const char method[] = "publickey ";
	const size_t n = sizeof(method) - 1;

	for (const char *line = auth_info; line != NULL && *line != '\0';) {
		size_t length = strcspn(line, "\n");
		char fingerprint[SSH_FINGERPRINT_SIZE];
		enum rjwt_err err = RJWT_MALFORMED;

		if (length > n && memcmp(line, method, n) == 0)
			err = ssh_key_fingerprint((struct view){ line + n, length - n }, fingerprint);
		if (err != RJWT_OK && err != RJWT_MALFORMED)
			return err;
		if (err == RJWT_OK && each(context, fingerprint))
			return RJWT_OK;
		line += length + (line[length] == '\n');
	}
	return RJWT_OK;
}
