/* SPDX-License-Identifier: MIT */
/* rjwt-grant with the configuration of a test, which rjwt-grant itself has no option for: grant_here CONFIG ARG... */
#include "grant.h"

int
main(int argc, char **argv)
{
	if (argc < 2)
		return 3;
	return grant_run(&(struct rjwt_options){ .config = argv[1] }, argc - 1, argv + 1);
}
