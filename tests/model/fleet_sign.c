/* SPDX-License-Identifier: MIT */
#include "fleet_sign.h"
#include "jose/alg.h"
#include "jose/jws.h"
#include "jose/provider.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* PEM after PEM. */
static struct key *
first_key(const char *path, struct view algorithm)
{
	static const char end[] = "-----END PRIVATE KEY-----\n";
	char text[8192], *last;
	struct key *key = NULL;
	const char *why;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (got < 0)
		abort();
	close(fd);
	text[got] = '\0';
	last = strstr(text, end);
	if (last == NULL || key_private_parse(alg_by_label(algorithm),
				(struct view){ text, (size_t)(last - text) + strlen(end) }, &key, &why) != RJWT_OK)
		abort();
	return key;
}

enum rjwt_err
sign_line(const char *file, enum document_type type, struct view payload, struct buf *line)
{
	RJWT_CLEAN(key_clean) struct key *key = first_key(file, VIEW("EdDSA"));

	return document_make(key, type, payload, line);
}

enum rjwt_err
sign_token(const char *file, const char *kid, struct view claims, struct buf *text)
{
	RJWT_CLEAN(buf_clear) struct buf header = { 0 };
	struct signer *signer;
	enum rjwt_err err;

	buf_addf(&header, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"login+jwt\"}", kid);
	RJWT_TRY(signer_of_key(first_key(file, VIEW("ES256")), &signer));
	err = jws_sign(signer, buf_view(&header), claims, text);
	signer_clean(&signer);
	return err;
}

enum document_type
sign_type(const char *name)
{
	return strcmp(name, "roster") == 0 ? DOCUMENT_ROSTER : DOCUMENT_BUNDLE;
}

enum rjwt_err
sign_find(struct view line, enum document_type type, char *const *keys, size_t *number)
{
	for (*number = 0; keys[*number] != NULL; ++*number) {
		RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
		struct fleet_key key = { "" };

		snprintf(key.text, sizeof(key.text), "%s", keys[*number]);
		if (document_open(line, type, &key, &payload) == RJWT_OK)
			return RJWT_OK;
	}
	return RJWT_SIGNATURE;
}

/* --- one question, one answer --------------------------------------------------------------------- */

enum rjwt_err
__real_document_open(struct view line, enum document_type type, const struct fleet_key *key, struct buf *payload);
enum rjwt_err
__wrap_document_open(struct view line, enum document_type type, const struct fleet_key *key, struct buf *payload);

/* What was asked, and the answer. It is a pure function, and half of the time of a history would go into its signatures. */
static struct answer {
	uint64_t line[2];
	enum document_type type;
	struct fleet_key key;
	enum rjwt_err err;
	struct buf payload;
} answers[1 << 14];

static uint64_t
mix(struct view text, uint64_t seed)
{
	for (size_t i = 0; i < text.n; i++)
		seed = (seed ^ (unsigned char)text.p[i]) * UINT64_C(0x100000001b3);
	return seed ^ (seed >> 29);
}

enum rjwt_err
__wrap_document_open(struct view line, enum document_type type, const struct fleet_key *key, struct buf *payload)
{
	const uint64_t a = mix(line, UINT64_C(0xcbf29ce484222325)), b = mix(line, 0x9e3779b97f4a7c15);
	struct answer *there = &answers[mix(view_of(key->text), a) % ARRAY_LEN(answers)];

	if (there->line[0] != a || there->line[1] != b || there->type != type || !fleet_key_eq(&there->key, key)) {
		buf_clear(&there->payload);
		there->line[0] = 0;
		there->err = __real_document_open(line, type, key, &there->payload);
		if (there->err == RJWT_MEMORY || there->err == RJWT_INTERNAL)
			return there->err;
		there->line[0] = a;
		there->line[1] = b;
		there->type = type;
		there->key = *key;
	}
	if (there->err == RJWT_OK)
		buf_add_view(payload, buf_view(&there->payload));
	return there->err;
}
