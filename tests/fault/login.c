/* SPDX-License-Identifier: MIT */
/*
 * login CONFIG USER SERVICE TOKEN - what the module does about a token, without PAM around it: it is judged,
 * and a one-time token is spent. Exit 0: accepted; 1: refused; 2: no verdict. The reason, and where and why, on stdout.
 */
#include "rjwt.h"

#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
	struct rjwt_options options = { .config = argc == 5 ? argv[1] : "" };
	struct rjwt_attempt attempt = { 0 };
	struct rjwt_verdict verdict;
	struct rjwt_diag diag = { .text = "" };
	struct rjwt *handle;
	enum rjwt_err err;

	if (argc != 5)
		return 2;
	err = rjwt_open(&options, &handle, &diag);
	if (err == RJWT_OK) {
		attempt = (struct rjwt_attempt){ .token = argv[4],
			.len = strlen(argv[4]),
			.user = argv[2],
			.service = argv[3] };
		err = rjwt_verify(handle, &attempt, &verdict, &diag);
		rjwt_verdict_clear(&verdict);
		rjwt_close(handle);
	}
	printf("%s %s %s\n", rjwt_reason(err), diag.path, diag.text);
	return err == RJWT_OK ? 0 : rjwt_is_verdict(err) ? 1 : 2;
}
