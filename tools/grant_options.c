/* SPDX-License-Identifier: MIT */
/* The command line of rjwt-grant. */
#include "grant.h"
#include "issue_request.h"

#include <string.h>

enum { OPT_RULES = ISSUE_OPTIONS_END };

static const struct option_row rows[] = {
	ISSUE_ROWS,
	{ OPT_BIND_KEY, "bind-key", "KEY",
	    "works only with the public ssh key on standard input, and\nonly for ssh; KEY is -", NULL },
	{ OPT_JSON, "json", NULL,
	    "print the token, its claims, header and size, and the scopes\nwhose prompts it fits, as JSON", "Output:" },
	{ OPT_RULES, "rules", NULL, "print what you may mint, and exit", NULL },
	{ 0, NULL, NULL, NULL, NULL },
};

const struct program grant_program = {
	.name = "rjwt-grant",
	.usage = "Usage: sudo rjwt-grant [options] USER\n"
		 "       sudo rjwt-grant --rules\n"
		 "Mint a token with which USER can log in, and print it, if a rule allows you to.\n",
	.options = rows,
	.footer = "See rjwt-grant(8).\n",
	.no_files = true,
};

static int
take_option(void *context, int option)
{
	struct grant *g = context;
	bool known;
	int status = issue_take(&g->issue, option, &known);

	if (!known)
		g->rules = true;
	return status;
}

int
grant_arguments(struct grant *g, int argc, char **argv)
{
	struct issue *is = &g->issue;
	int status = options_read(&is->tool, argc, argv, take_option, g);

	if (status != -1)
		return status;
	if (g->rules && optind < argc)
		return tool_wrong(&is->tool, "%s: unexpected argument", argv[optind]);
	if (!g->rules && argc - optind != 1)
		return tool_wrong(&is->tool, argc == optind ? "USER is missing" : "expected exactly one USER");
	status = issue_check(is);
	if (status != -1)
		return status;
	if (is->bind_file != NULL && strcmp(is->bind_file, "-") != 0)
		return tool_wrong(&is->tool, "--bind-key: expected - (rjwt-grant reads the key from standard input)");
	is->request.user = g->rules ? NULL : argv[optind];
	is->request.audience = string_list_view(&is->audience);
	is->request.scope = string_list_view(&is->scope);
	is->request.from = string_list_view(&is->from);
	return -1;
}
