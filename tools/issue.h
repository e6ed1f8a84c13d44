/* SPDX-License-Identifier: MIT */
/*
 * issue.h - the parts of rjwt-issue: the command line and one token (rjwt-issue.c), a stream of requests
 * (issue_batch.c), what is said and logged of a token (issue_tell.c).
 */
#ifndef RJWT_ISSUE_H
#define RJWT_ISSUE_H

#include "tool.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/string_list.h"

struct issue {
	struct tool tool;
	struct rjwt_request request;
	struct string_list audience, scope;
	struct buf claims, header; /* JSON objects that grow, without their closing brace */
	int64_t lifetime_s;
	const char *output, *reason;
	struct {
		struct dir dir;
		const char *name;
		int fd; /* -1: no file was kept free */
	} file;
	struct buf caller; /* who asked, as the log has it */
	bool json, batch, algorithms;
};

/* The log's line about a token, and what its user is told on stderr. reason: of the request; NULL: none. */
void
issue_tell(struct issue *is, const struct rjwt_request *request, const char *reason, const struct rjwt_token *token);

/* The token as the JSON object of --json. */
RJWT_MUST enum rjwt_err issue_json(const struct rjwt_token *token, struct buf *out);

/* --batch: requests from standard input, tokens to standard output; the exit status. */
int issue_batch(struct issue *is);

#endif
