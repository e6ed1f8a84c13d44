/* SPDX-License-Identifier: MIT */
/*
 * status_private.h - the parts of rjwt_status(): the keyset of this host (status.c), what it follows (status_fleet.c), what is
 * denied for too long (status_denials.c), whether it is published (status_issuer.c), the TPM (status_tpm.c), and what can be
 * written (status_writing.c).
 */
#ifndef RJWT_STATUS_PRIVATE_H
#define RJWT_STATUS_PRIVATE_H

#include "base/err.h"
#include "config/config.h"
#include "fleet/fleet.h"
#include "rjwt.h"

/* Add a note; one that is there already is not added again. */
RJWT_MUST enum rjwt_err status_note(struct rjwt_status *s, enum rjwt_note_level level, const char *code,
    const char *path, const char *fmt, ...) RJWT_PRINTF(5, 6);

/* What is wrong with the fleet that the host of state_dir has joined; s->joined becomes whether it has. */
RJWT_MUST enum rjwt_err
status_fleet(struct rjwt_status *s, const char *state_dir, const struct config *config, const char *own_base);

/* Which directory of this host's keyset cannot be written to, and what fails there. */
RJWT_MUST enum rjwt_err status_writing(struct rjwt_status *s, const struct dir *state);

/* The same of what this host follows: s->fleet names the issuers. */
RJWT_MUST enum rjwt_err status_writing_fleet(struct rjwt_status *s, const char *state_dir);

/* What is dated ahead of the clock: denials of this host and of those that it follows, and `before`. */
RJWT_MUST enum rjwt_err status_denials(struct rjwt_status *s, struct fleet_reader *reader, const char *state_dir);

/*
 * What is wrong with publishing, if this host issues in a fleet. config: rotate_every has another default for a keyset that
 * is published.
 */
RJWT_MUST enum rjwt_err
status_issuer(struct rjwt_status *s, const char *state_dir, struct config *config, const char *base);

/* What is wrong with the TPM that makes the next keys, if one does, and what it does not cover. next: the next key's version. */
RJWT_MUST enum rjwt_err
status_tpm(struct rjwt_status *s, const char *state_dir, const struct config *config, int64_t next);

#endif
