/* SPDX-License-Identifier: MIT */
#include "fleet/document.h"
#include "base/base64url.h"
#include "base/json.h"
#include "jose/alg.h"
#include "jose/jws.h"
#include "jose/key_weak.h"

#include <string.h>

/* A header, and its one spelling in a line: base64url of other bytes is another text. */
static const struct {
	const char *json, *text;
} headers[] = {
	[DOCUMENT_ROSTER] = { "{\"alg\":\"EdDSA\",\"typ\":\"" JWS_TYP_ROSTER "\"}",
	    "eyJhbGciOiJFZERTQSIsInR5cCI6InJqd3Qtcm9zdGVyK2p3cyJ9." },
	[DOCUMENT_BUNDLE] = { "{\"alg\":\"EdDSA\",\"typ\":\"" JWS_TYP_BUNDLE "\"}",
	    "eyJhbGciOiJFZERTQSIsInR5cCI6InJqd3QtYnVuZGxlK2p3cyJ9." },
};

static const struct alg *
ed25519(void)
{
	return alg_by_label(VIEW("EdDSA"));
}

/* --- keys ------------------------------------------------------------------------------------- */

static enum rjwt_err
public_key(struct view text, struct key **key)
{
	RJWT_CLEAN(buf_clear) struct buf bytes = { 0 };
	const char *why;

	enum rjwt_err err;

	if (text.n != FLEET_KEY_LENGTH || base64url_check(text) != NULL)
		return RJWT_KEYSET;
	RJWT_TRY(base64url_decode(text, &bytes));
	if (key_ed25519_weak((const unsigned char *)bytes.p) != NULL)
		return RJWT_KEYSET;
	err = key_from_parts(ed25519(), (struct view[]){ buf_view(&bytes), { NULL, 0 } }, key, &why);
	return err == RJWT_KEYSET ? RJWT_INTERNAL : err; /* any other 32 bytes are a key, unless OpenSSL fails */
}

bool
fleet_key_read(struct view text, struct fleet_key *key)
{
	if (text.n != FLEET_KEY_LENGTH || base64url_check(text) != NULL)
		return false;
	if (key != NULL) {
		memcpy(key->text, text.p, FLEET_KEY_LENGTH);
		key->text[FLEET_KEY_LENGTH] = '\0';
	}
	return true;
}

enum rjwt_err
fleet_key_parse(struct view text, struct fleet_key *key)
{
	RJWT_CLEAN(key_clean) struct key *made = NULL;

	RJWT_TRY(public_key(text, &made));
	return fleet_key_read(text, key) ? RJWT_OK : RJWT_KEYSET;
}

enum rjwt_err
fleet_key_of(const struct key *private, struct fleet_key *key)
{
	RJWT_CLEAN(buf_clear) struct buf first = { 0 };
	RJWT_CLEAN(buf_clear) struct buf second = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct buf parts[2] = { { 0 }, { 0 } };
	enum rjwt_err err = key_alg(private) == ed25519() ? key_parts(private, parts) : RJWT_ALG;

	first = parts[0];
	second = parts[1];
	RJWT_TRY(err);
	base64url_encode(&text, buf_view(&first));
	RJWT_TRY(buf_done(&text));
	return fleet_key_parse(buf_view(&text), key);
}

bool
fleet_key_eq(const struct fleet_key *a, const struct fleet_key *b)
{
	return strcmp(a->text, b->text) == 0;
}

/* --- lines ------------------------------------------------------------------------------------ */

static bool
has_header(struct view line, enum document_type type)
{
	struct view header = view_of(headers[type].text);

	return line.n >= header.n && memcmp(line.p, header.p, header.n) == 0;
}

bool
document_type(struct view line, enum document_type *type)
{
	if (line.n > DOCUMENT_LINE_MAX)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		if (has_header(line, (enum document_type)i)) {
			*type = (enum document_type)i;
			return true;
		}
	return false;
}

enum rjwt_err
document_open(struct view line, enum document_type type, const struct fleet_key *key, struct buf *payload)
{
	RJWT_CLEAN(key_clean) struct key *public = NULL;
	struct jws jws;
	const char *why;

	if (line.n > DOCUMENT_LINE_MAX || !has_header(line, type))
		return RJWT_MALFORMED;
	RJWT_TRY(jws_split(line, false, &jws, &why));
	RJWT_TRY(public_key(view_of(key->text), &public));
	return jws_verify(&jws, public, payload, NULL);
}

static void
signer_only(struct signer *signer)
{
	(void)signer; /* the key is the caller's */
}

struct borrowed {
	struct signer signer;
	struct key *key;
};

static enum rjwt_err
sign_borrowed(struct signer *signer, struct view input, struct buf *signature)
{
	return key_sign(((struct borrowed *)signer)->key, input, signature);
}

enum rjwt_err
document_make(struct key *private, enum document_type type, struct view payload, struct buf *line)
{
	struct borrowed signer = { { key_alg(private), key_signature_size(private), sign_borrowed, signer_only, NULL },
		private };
	RJWT_CLEAN(buf_clear) struct buf made = { 0 };

	if (key_alg(private) != ed25519())
		return RJWT_ALG;
	RJWT_TRY(jws_sign(&signer.signer, view_of(headers[type].json), payload, &made));
	if (made.n > DOCUMENT_LINE_MAX)
		return RJWT_TOO_LONG;
	buf_add_view(line, buf_view(&made));
	return buf_done(line);
}

bool
document_next(struct view *file, struct view *line)
{
	while (file->n > 0) {
		const char *end = memchr(file->p, '\n', file->n);
		size_t n = end == NULL ? file->n : (size_t)(end - file->p), taken = end == NULL ? n : n + 1;

		*line = (struct view){ file->p, n };
		*file = (struct view){ file->p + taken, file->n - taken };
		if (n > 0)
			return true;
	}
	return false;
}
