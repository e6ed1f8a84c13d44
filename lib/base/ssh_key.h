/* SPDX-License-Identifier: MIT */
/*
 * ssh_key.h - public keys of OpenSSH, as far as their fingerprints: the line of a .pub file, and the lines by which sshd
 * shows PAM with which keys somebody has logged in.
 */
#ifndef RJWT_SSH_KEY_H
#define RJWT_SSH_KEY_H

#include "base/err.h"

#define SSH_FINGERPRINT_SIZE 51 /* "SHA256:", 43 characters of base64, and a NUL */

/* Whether text is a fingerprint as ssh-keygen -l prints it: canonical base64 of 32 bytes, without padding. */
bool ssh_fingerprint_check(struct view text);

/*
 * The fingerprint of one key, "TYPE BASE64" or "TYPE BASE64 COMMENT"; of a certificate, that of the key in it. The key is
 * taken apart as far as that is needed, and whatever is left over refuses it.
 *
 * RJWT_MALFORMED: not a public key of a type that is known. RJWT_MEMORY, RJWT_INTERNAL.
 */
RJWT_MUST enum rjwt_err ssh_key_fingerprint(struct view line, char fingerprint[static SSH_FINGERPRINT_SIZE]);

/*
 * sshd's variable SSH_AUTH_INFO_0 has a line for each method that has succeeded, "publickey TYPE BASE64" for a key. Call
 * each with the fingerprint of every such line, until it returns true. Other lines, and keys of an unknown type, are
 * passed over. auth_info may be NULL.
 *
 * RJWT_MEMORY, RJWT_INTERNAL.
 */
RJWT_MUST enum rjwt_err
ssh_key_each(const char *auth_info, bool (*each)(void *context, const char *fingerprint), void *context);

#endif
