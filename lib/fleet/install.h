/* SPDX-License-Identifier: MIT */
/*
 * install.h - used by follow.c: a bundle becomes a followed keyset. The lock is held, but by who only asks.
 */
#ifndef RJWT_INSTALL_H
#define RJWT_INSTALL_H

#include "base/err.h"
#include "fleet/follow.h"
#include "fleet/offer.h"

/* Files of lines, as they were read. */
struct texts {
	struct buf files[FOLLOW_FILES_MAX];
	size_t n;
};
void texts_clear(struct texts *texts);

/* A file that cannot be read is reported, and the others are read. files: NULL-terminated. RJWT_MEMORY. */
RJWT_MUST enum rjwt_err texts_read(const char *const *files, struct texts *texts, struct follow_report *report);

/* Borrows all. */
struct install_ctx {
	const struct dir *state;
	const struct keyset_env *env;
	struct fleet *fleet; /* as it is on disk */
	struct rjwt_time now;
};

/*
 * Install the bundle of an issuer that has the highest serial of those that may be installed. If none may,
 * report says so, and it succeeds.
 */
RJWT_MUST enum rjwt_err install_issuer(const struct install_ctx *ctx, const struct fleet_issuer *issuer,
    const struct offer *offer, struct follow_report *report);

/* Whether that call would write or report anything. It reads alone; what cannot be read is answered with true. */
bool install_is_needed(const struct install_ctx *ctx, const struct fleet_issuer *issuer, const struct offer *offer);

/* Add a line to a list. RJWT_MEMORY. */
RJWT_MUST enum rjwt_err report_add(struct string_list *list, const char *fmt, ...) RJWT_PRINTF(2, 3);

#endif
