/* SPDX-License-Identifier: MIT */
/* What rjwt_status() says of the TPM that is to make the next key. */
#include "base/buf.h"
#include "base/file.h"
#include "fleet/publish.h"
#include "jose/provider_tpm2.h"
#include "status_private.h"

/* Whether a TPM has wrapped a private half; also where nobody can say. */
static bool
is_wrapped(const struct dir *private, int64_t version)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char name[32];

	provider_key_name(name, version);
	return file_read(private, name, PROVIDER_FILE_MAX, &text, NULL, NULL) != RJWT_OK ||
	       provider_is_wrapped(buf_view(&text));
}

/*
 * The keys that are there were tried with the keyset. If the next one is not the TPM's yet, the setting is new: try what
 * the next rotation needs, now. An RSA key takes a TPM minutes, so an ES256 key is tried in its place.
 */
static enum rjwt_err
try_tpm(struct rjwt_status *s, const struct rotation_policy *policy)
{
	const struct alg *alg = policy->alg->kind == ALG_ECDSA ? policy->alg : alg_by_label(VIEW("ES256"));
	struct rjwt_diag why = { 0 };
	enum rjwt_err err = tpm2_try(alg, &why);

	if (err == RJWT_OK || err == RJWT_MEMORY)
		return err;
	return status_note(s, RJWT_BROKEN, "keyset.tpm", why.path, "%s: the next rotation will fail", why.text);
}

enum rjwt_err
status_tpm(struct rjwt_status *s, const char *state_dir, const struct config *config, int64_t next)
{
	RJWT_CLEAN(dir_close) struct dir state = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;

	if (!config->rotation.tpm2 || dir_open(state_dir, &state, NULL) != RJWT_OK ||
	    dir_open_at(&state, "private", &private, NULL) != RJWT_OK)
		return RJWT_OK; /* not asked for; or closed to us, and then so is the TPM */
	if (!is_wrapped(&private, next))
		RJWT_TRY(try_tpm(s, &config->rotation));
	if (!publish_wanted(state_dir))
		return RJWT_OK;
	return status_note(s, RJWT_NOTE, "fleet.bundle_key", private.path,
	    "bundle.key is a file, also where private_keys is tpm2: TPMs have no Ed25519 keys. Whoever copies it can "
	    "publish in the name of this issuer");
}
