/* SPDX-License-Identifier: MIT */
/*
 * spool.h - where carriers put the files of lines that follow reads. Anybody may have written these, and named them:
 * only names that end in .jws, of letters, digits, '.', '_' and '-', are looked at, and no other is ever shown.
 */
#ifndef RJWT_SPOOL_H
#define RJWT_SPOOL_H

#include "base/err.h"
#include "base/hash.h"
#include "base/string_list.h"

/*
 * The files that paths name, NULL-terminated: a directory for those in it, without any path RJWT_SPOOL_DIR. At most
 * one more than follow reads is named of each directory. RJWT_IO: a directory cannot be listed; RJWT_MEMORY.
 */
RJWT_MUST enum rjwt_err spool_files(const char *const *paths, struct string_list *files, struct rjwt_diag *diag);

/*
 * What the carrier that comes with rjwt keeps of a URL: HASH.jws, the file, with the mtime that its server says, and
 * HASH.answered, whose mtime says when the server answered last. HASH is digest_hex() of the URL.
 */
#define SPOOL_NAME_SIZE (DIGEST_HEX + sizeof(".answered"))
RJWT_MUST enum rjwt_err spool_name(const char *url, const char *suffix, char name[static SPOOL_NAME_SIZE]);
/* When it answered; 0: not known. */
int64_t spool_answered(const char *url);

#endif
