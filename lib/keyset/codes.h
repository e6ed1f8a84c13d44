/* SPDX-License-Identifier: MIT */
/*
 * codes.h - what is kept with a parked token (parked.h): for whom it is, and whether it is a code that lives longer than a
 * token may. The token of such a code is signed anew, with the same id, before it expires or its key is gone.
 *
 *	private/parked/<SHA-256 of the code>	third line, a JSON object: user, scope, typ, kid, iat, exp, renewed, by,
 *						why, and claims, those of the token
 *
 * A code is used once. Tokens that one key signed for it share their mark. Before the token of another key takes the
 * place of an unused one, the renewal itself spends that, with a mark that says so: a login then finds it spent, and if a
 * login was first, the code is used up. So neither a crash nor a login that was stopped uses a code twice.
 *
 * Renewal believes the record, which only root can write, as it believes the private keys beside it.
 */
#ifndef RJWT_CODES_H
#define RJWT_CODES_H

#include "base/err.h"
#include "base/json.h"
#include "keyset/env.h"
#include "keyset/plan.h"
#include "keyset/store.h"
#include "rjwt.h"

/* What is in the file of a code; views into json and text. */
struct code {
	struct json json, claims; /* claims is a part of json */
	struct view text;	  /* the third line */
	struct view user, scope, kid, iss, jti, actor, by, why;
	int64_t iat_s, exp_s; /* of the token */
	int64_t until_s;      /* the end of the code */
	bool renewed;
};

/* The whole text of a file: the code of this token works until until_s, for which it is renewed if renewed. */
RJWT_MUST enum rjwt_err code_format(const struct rjwt_token *token, const struct rjwt_request *request, const char *typ,
    int64_t until_s, bool renewed, struct buf *text);

/* RJWT_MALFORMED: the file has no record, or is damaged. RJWT_MEMORY. code gives; code_clear(). Views into text. */
RJWT_MUST enum rjwt_err code_parse(struct view text, struct code *code);
void code_clear(struct code *code);

/*
 * Call each for every code; its first error ends the loop and is returned. A file that cannot be read ends nothing, and its
 * error is returned in the end: nobody knows which code that is.
 */
RJWT_MUST enum rjwt_err
codes_each(const struct dir *state, enum rjwt_err (*each)(void *context, const char *name, const struct code *code),
    void *context, struct rjwt_diag *diag);

/* What a pass did and found. */
struct codes_found {
	size_t renewed, removed;
	int64_t lowest; /* the first version that signed the token of one that is renewed; 0: there is none */
	int64_t due_s;	/* when the next pass has to be; 0: never */
};

/*
 * A pass, under the lock: remove the codes that were used or revoked, or have ended, and, if the clock is not suspect, sign
 * the tokens anew that are in the second half of their lives. A code that fails does not prevent the others.
 *
 * codes_begin(), before anything changes: a token of a key that is about to go is replaced while its marks are there, but
 * not with a key that is being revoked. What fails is a warning. codes_end(), after a revocation, removes what it revoked:
 * the first error is returned. After another change it does nothing.
 */
void codes_begin(struct store *store, const struct keyset_env *env, enum keyset_why why, struct codes_found *found,
    char *warning, size_t size);
RJWT_MUST enum rjwt_err
codes_end(struct store *store, const struct keyset_env *env, enum keyset_why why, struct codes_found *found);

#endif
