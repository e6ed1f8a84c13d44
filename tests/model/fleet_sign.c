/* SPDX-License-Identifier: MIT */
#include "fleet_sign.h"
#include "jose/alg.h"
#include "jose/jws.h"
#include "jose/provider.h"

#include <fcntl.h>
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
