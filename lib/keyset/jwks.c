/* SPDX-License-Identifier: MIT */
#include "keyset/jwks.h"
#include "base/file.h"
#include "base/file_write.h"
#include "base/host.h"
#include "base/json_write.h"
#include "jose/jwk.h"
#include "keyset/keyset.h"
#include "rjwt.h"

#include <fcntl.h>
#include <sys/stat.h>

enum rjwt_err
store_jwks(struct store *store, int64_t now_s, struct buf *out, struct rjwt_diag *diag)
{
	const struct keyset *keyset = store_keyset(store);

	json_open(out, NULL);
	json_open_array(out, "keys");
	for (int64_t v = keyset->floor; v <= keyset->next.version; v++) {
		RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
		enum rjwt_err err = store_read_key(store, v, &jwk, diag);

		if (err == RJWT_OK)
			err = keyset_check_key(keyset, v, &jwk);
		if (err == RJWT_KEY_UNKNOWN || (err == RJWT_KEYSET && !keyset_active_or_next(keyset, v)))
			continue; /* verifies nothing */
		RJWT_TRY(err);
		if (jwk.key == NULL || jwk.revoked_s != 0 || (jwk.until_s != 0 && jwk.until_s < now_s))
			continue;
		json_open_element(out);
		RJWT_TRY(jwk_put(out, &jwk));
		json_close(out);
	}
	json_close_array(out);
	json_close(out);
	buf_adds(out, "\n");
	return buf_done(out);
}

/* Its mtime is that of the commit, so that an outdated file is detected without reading the keys. */
bool
jwks_is_current(const struct store *store)
{
	const struct timespec *commit = store_commit_time(store);
	struct stat there;

	return fstatat(store_dir(store)->fd, "jwks.json", &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(there.st_mode) &&
	       there.st_mtim.tv_sec == commit->tv_sec && there.st_mtim.tv_nsec == commit->tv_nsec;
}

enum rjwt_err
jwks_export(const struct commit_ctx *s, struct store *store)
{
	RJWT_CLEAN(buf_clear) struct buf wanted = { 0 };
	RJWT_CLEAN(buf_clear) struct buf there = { 0 };
	struct rjwt_time now;
	enum rjwt_err err;

	clock_now(s->env->clock, &now);
	err = store_jwks(store, now.wall_s, &wanted, s->env->diag);
	if (err == RJWT_KEYSET)
		return RJWT_OK; /* a signing key is damaged: the export stays as it is until that is repaired */
	RJWT_TRY(err);
	if (jwks_is_current(store) && file_read(s->dir, "jwks.json", JWK_SET_MAX, &there, NULL, NULL) == RJWT_OK &&
	    view_eq(buf_view(&wanted), buf_view(&there)))
		return RJWT_OK;
	return file_write(s->dir, "jwks.json", 0644, buf_view(&wanted), store_commit_time(store), s->env->diag);
}
