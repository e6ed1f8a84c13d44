/* SPDX-License-Identifier: MIT */
#include "fleet_lines.h"
#include "base/hash.h"
#include "jose/alg.h"
#include "jose/jws.h"
#include "jose/provider.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fleet_lines: %s\n", what);
	abort();
}

/* PKCS #8 of RFC 8410: 16 bytes, and the 32 of the key, of which the last six bits differ. */
static struct key *
make_key(unsigned number)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *why = "";
	struct key *key = NULL;
	char text[200];

	must(number < LINE_KEYS, "no such key");
	snprintf(text, sizeof(text),
	    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%c\n"
	    "-----END PRIVATE KEY-----\n",
	    digits[number]);
	must(key_private_parse(alg_by_label(VIEW("EdDSA")), view_of(text), &key, &why) == RJWT_OK, why);
	return key;
}

struct key *
line_key(unsigned number)
{
	static struct key *keys[LINE_KEYS];

	if (keys[number % LINE_KEYS] == NULL)
		keys[number % LINE_KEYS] = make_key(number);
	return keys[number % LINE_KEYS];
}

const struct fleet_key *
line_name(unsigned number)
{
	static struct fleet_key names[LINE_KEYS];
	struct fleet_key *name = &names[number % LINE_KEYS];

	if (name->text[0] == '\0')
		must(fleet_key_of(line_key(number), name) == RJWT_OK, "no name");
	return name;
}

/* --- values ----------------------------------------------------------------------------------- */

struct fleet_issuer
line_issuer(unsigned i)
{
	struct fleet_issuer issuer = { .key = *line_name(LINE_BUNDLE_KEY(i)) };

	snprintf(issuer.name, sizeof(issuer.name), "i%u", i);
	snprintf(issuer.base, sizeof(issuer.base), "I%u", i);
	snprintf(issuer.iss, sizeof(issuer.iss), "i%u.example", i);
	snprintf(issuer.url, sizeof(issuer.url), "http://i%u.example/fleet.jws", i);
	return issuer;
}

struct roster
line_roster(int64_t n, unsigned keys, unsigned issuers)
{
	struct roster roster = { .n = n, .iat_s = n };

	for (unsigned i = 0; i < FLEET_KEYS_MAX; i++)
		if ((keys >> i & 1) != 0)
			roster.keys[roster.nkeys++] = *line_name(i);
	for (unsigned i = 0; i < FLEET_ISSUERS_MAX; i++)
		if ((issuers >> i & 1) != 0)
			roster.issuers[roster.nissuers++] = line_issuer(i);
	return roster;
}

static struct bundle_key *
add_key(struct bundle *bundle, int64_t version, unsigned number)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	struct bundle_key *key;

	bundle->keys = reallocarray(bundle->keys, bundle->nkeys + 1, sizeof(*bundle->keys));
	must(bundle->keys != NULL, "no memory");
	key = &bundle->keys[bundle->nkeys++];
	*key = (struct bundle_key){ .version = version };
	buf_addf(&text,
	    "{\"kid\":\"%s.%" PRId64
	    "\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\",\"alg\":\"EdDSA\",\"use\":\"sig\","
	    "\"iat\":%" PRId64 "}",
	    bundle->base, version, line_name(number)->text, bundle->iat_s);
	must(json_parse(buf_view(&text), &json, NULL) == RJWT_OK && jwk_parse(json, &key->jwk, NULL) == RJWT_OK,
	    "no key");
	return key;
}

struct bundle
line_bundle(unsigned i, int64_t serial, int64_t active)
{
	struct bundle bundle = { .serial = serial, .iat_s = serial, .max_lifetime_s = 3600, .floor = active };

	snprintf(bundle.base, sizeof(bundle.base), "I%u", i);
	bundle.active.version = active;
	bundle.active.since_s = serial;
	bundle.next.version = active + 1;
	bundle.next.published_s = serial;
	bundle.next_version = active + 2;
	add_key(&bundle, active, LINE_TOKEN_KEY(i, active));
	add_key(&bundle, active + 1, LINE_TOKEN_KEY(i, active + 1));
	return bundle;
}

void
line_bundle_key(struct bundle *bundle, int64_t version, unsigned number)
{
	const struct bundle_key *there = bundle_key(bundle, version);
	size_t at = there == NULL ? 0 : (size_t)(there - bundle->keys);

	must(there != NULL, "no such version");
	jwk_clear(&bundle->keys[at].jwk);
	(void)add_key(bundle, version, number);
	bundle->keys[at] = bundle->keys[--bundle->nkeys];
}

void
line_bundle_add(struct bundle *bundle, int64_t version, int64_t until_s)
{
	unsigned i = (unsigned)strtoul(bundle->base + 1, NULL, 10);
	struct bundle_key *key = add_key(bundle, version, LINE_TOKEN_KEY(i, version));

	key->jwk.retired_s = bundle->iat_s;
	key->jwk.until_s = until_s;
	bundle->floor = version < bundle->floor ? version : bundle->floor;
}

void
line_deny(struct bundle *bundle, const char *user, const char *jti, int64_t until_s)
{
	const struct view name = view_of(user != NULL ? user : jti);
	char hash[DIGEST_HEX];

	must(digest_name(&name, 1, hash) == RJWT_OK &&
		 denial_add(user != NULL ? &bundle->sub : &bundle->jti, hash, until_s) == RJWT_OK,
	    "no denial");
}

/* --- lines ------------------------------------------------------------------------------------ */

void
line_put(struct buf *out, unsigned by, enum document_type type, struct view payload)
{
	must(document_make(line_key(by), type, payload, out) == RJWT_OK, "no line");
	buf_adds(out, "\n");
}

void
line_put_roster(struct buf *out, unsigned by, const struct roster *roster)
{
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };

	must(roster_format(&payload, roster) == RJWT_OK, "no roster");
	line_put(out, by, DOCUMENT_ROSTER, buf_view(&payload));
}

void
line_put_bundle(struct buf *out, unsigned by, const struct bundle *bundle)
{
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };

	must(bundle_format(&payload, bundle) == RJWT_OK, "no bundle");
	line_put(out, by, DOCUMENT_BUNDLE, buf_view(&payload));
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

static void
keep(struct signer *signer)
{
	(void)signer;
}

char *
line_token(unsigned i, int64_t version, const char *iss, const char *jti, int64_t iat_s)
{
	struct key *key = line_key(LINE_TOKEN_KEY(i, version));
	struct borrowed signer = { { key_alg(key), key_signature_size(key), sign_borrowed, keep, NULL }, key };
	RJWT_CLEAN(buf_clear) struct buf header = { 0 };
	RJWT_CLEAN(buf_clear) struct buf claims = { 0 };
	struct buf text = { 0 };
	char *token = NULL;

	buf_addf(&header, "{\"alg\":\"EdDSA\",\"kid\":\"I%u.%" PRId64 "\",\"typ\":\"login+jwt\"}", i, version);
	buf_addf(&claims,
	    "{\"iss\":\"%s\",\"sub\":\"alice\",\"aud\":\"host.example\",\"iat\":%" PRId64 ",\"exp\":%" PRId64
	    ",\"jti\":\"%s\",\"scope\":\"ssh\"}",
	    iss, iat_s, iat_s + 300, jti);
	must(jws_sign(&signer.signer, buf_view(&header), buf_view(&claims), &text) == RJWT_OK &&
		 buf_give(&text, &token, NULL) == RJWT_OK,
	    "no token");
	return token;
}
