/* SPDX-License-Identifier: MIT */
/* parked_write.h - parking a token under a code, and removing what has expired. pam_rjwt.so does not contain this. */
#ifndef RJWT_PARKED_WRITE_H
#define RJWT_PARKED_WRITE_H

#include "keyset/parked.h"

/* Make the directory, remove what has expired, and check that there is room: before the token is minted. RJWT_IO, RJWT_KEYSET. */
RJWT_MUST enum rjwt_err parked_begin(const struct dir *state, int64_t now_s, struct rjwt_diag *diag);

/* Park a text, as code_format() makes it, under a new code, durably. What is in code must be wiped. RJWT_IO, RJWT_EXISTS, RJWT_INTERNAL. */
RJWT_MUST enum rjwt_err
parked_put(const struct dir *state, struct view text, char code[static PARKED_CODE_SIZE], struct rjwt_diag *diag);

/* Remove the files of tokens that have expired and are not renewed, and what a crash left half written. */
RJWT_MUST enum rjwt_err parked_prune(const struct dir *state, int64_t now_s, struct rjwt_diag *diag);

#endif
