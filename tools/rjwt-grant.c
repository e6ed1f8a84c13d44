/* SPDX-License-Identifier: MIT */
/* rjwt-grant: mint a login token for somebody who is not root, by the rules of the configuration. */
#include "grant.h"

int
main(int argc, char **argv)
{
	return grant_run(&(struct rjwt_options){ .config = NULL }, argc, argv);
}
