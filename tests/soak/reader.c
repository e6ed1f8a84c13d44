/* SPDX-License-Identifier: MIT */
/*
 * reader CONFIG - a handle that lives as long as we do: for each line "USER TOKEN" of stdin the verdict as a line
 * on stdout. Nothing is spent. Exit 2: no handle.
 */
#include "rjwt.h"

#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
	const struct rjwt_options options = { .config = argc == 2 ? argv[1] : "" };
	struct rjwt_attempt attempt = { .service = "sshd", .flags = RJWT_DRY_RUN };
	struct rjwt_verdict verdict;
	struct rjwt_diag diag = { .text = "" };
	static char line[RJWT_TOKEN_MAX];
	struct rjwt *handle;
	enum rjwt_err err;

	if (rjwt_open(&options, &handle, &diag) != RJWT_OK) {
		fprintf(stderr, "reader: %s: %s\n", diag.path, diag.text);
		return 2;
	}
	while (fgets(line, sizeof(line), stdin) != NULL) {
		attempt.user = strtok(line, " ");
		attempt.token = strtok(NULL, "\n");
		attempt.len = attempt.token == NULL ? 0 : strlen(attempt.token);
		err = rjwt_verify(handle, &attempt, &verdict, &diag);
		rjwt_verdict_clear(&verdict);
		printf("%s %s %s\n", rjwt_reason(err), diag.path, diag.text);
		fflush(stdout);
	}
	rjwt_close(handle);
	return 0;
}
