/* SPDX-License-Identifier: MIT */
/*
 * issue.h - the parts of rjwt-issue, some of which rjwt-grant has too (grant.h): the command line (issue_options.c), one token (rjwt-issue.c) and where it is
 * written (issue_output.c), a stream of requests (issue_batch.c), what is printed about a token
 * (issue_tell.c) and what is logged (issue_log.c).
 */
#ifndef RJWT_ISSUE_H
#define RJWT_ISSUE_H

#include "caller.h"
#include "public_key.h"
#include "tool.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/string_list.h"

/* Bytes of --reason, which must fit into one line of the log with all else. */
enum { REASON_MAX = 512 };

struct issue {
	struct tool tool;
	struct rjwt *handle; /* NULL: not open yet */
	struct rjwt_request request;
	struct string_list audience, scope, from;
	const char *bind_file; /* of --bind-key; NULL: not given */
	struct public_key bind;
	struct buf claims, header; /* JSON objects that grow, without their closing brace */
	int64_t lifetime_s;
	const char *output;
	struct {
		struct dir dir;
		const char *name;
		int fd; /* -1: no file is reserved */
	} file;
	struct caller caller; /* who runs the program */
	struct buf by;	      /* the same, as it is recorded */
	bool json, batch, algorithms, copy;
};

/* is->file.fd must be -1 where no file was reserved. */
void issue_clear(struct issue *is);

extern const struct program issue_program;

/* Read the command line. -1: continue; otherwise the exit status. */
int issue_arguments(struct issue *is, int argc, char **argv);

/* Before a token is minted, create the file of --output, with room for the token. */
RJWT_MUST enum rjwt_err issue_reserve(struct issue *is, struct rjwt_diag *diag);
/* No token was written: remove that file. */
void issue_release(struct issue *is);
/* Write the token to that file, or to standard output. The exit status. */
int issue_put(struct issue *is, const struct rjwt_token *token);

/* Set caller, and by and login of the request: who runs the program. */
void issue_name_caller(struct issue *is);

/* With require_log, before anything is minted: RJWT_IO if the log would not accept a line now. */
RJWT_MUST enum rjwt_err issue_check_log(const struct issue *is, struct rjwt_diag *diag);

/*
 * Log the token, and print warnings to stderr. RJWT_IO: the log did not accept its line, and with require_log nobody
 * may get the token.
 */
RJWT_MUST enum rjwt_err issue_tell(struct issue *is, const struct rjwt_request *request, const struct rjwt_token *token,
    struct rjwt_diag *diag);

/* Its line in the log, which a login's jti leads back to. RJWT_IO: the log did not accept it. */
RJWT_MUST enum rjwt_err issue_log_token(const struct issue *is, const struct rjwt_request *request,
    const struct rjwt_token *token, struct rjwt_diag *diag);

/* The line of a request that was refused. decision: of the rules, NULL: they were not asked. */
void issue_log_refused(const struct issue *is, const struct rjwt_request *request, const struct rjwt_decision *decision,
    enum rjwt_err err, const struct rjwt_diag *diag);

/* How often a token works, for people: "once", "once for each", "3 times", "any number of times". */
void issue_often(char out[static 40], const struct rjwt_token *token);

/* What is said of a token that may be used more than once, or was meant to be. */
void issue_say_uses(const struct issue *is, const struct rjwt_token *token);

/* Where a token can be used from, on stderr; nothing where that is anywhere. */
void issue_say_origin(const struct issue *is);

/* Warn of a user whom this host does not know, or would not let in. Only for this host's own keyset and name. */
void issue_warn_user(const struct issue *is, const struct rjwt_request *request);

/* Warn where sshd asks for no ssh key before the token. Only for this host's own keyset and name, and for root. */
void issue_warn_sshd(struct issue *is);

/* Two lines on stderr: who may use the token, and whether the prompts of its scopes take it. */
void issue_summarize(const struct issue *is, const struct rjwt_token *token);

/* The token as the JSON object of --json. */
RJWT_MUST enum rjwt_err issue_json(const struct issue *is, const struct rjwt_token *token, struct buf *out);

/* --batch: read requests from standard input, print tokens to standard output; the exit status. */
int issue_batch(struct issue *is);

#endif
