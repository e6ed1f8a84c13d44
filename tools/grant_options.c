/* SPDX-License-Identifier: MIT */
/* The command line of rjwt-grant. */
#include "grant.h"
#include "options.h"

#include <string.h>

enum { OPT_NOT_BEFORE = OPTION_LETTERS + 1, OPT_REUSABLE, OPT_REASON, OPT_JSON, OPT_RULES };

static const struct option_row rows[] = {
	{ 'a', "audience", "NAME", "host that the token is for; repeatable (default: this host)", "Token:" },
	{ 's', "scope", "WORD", "purpose: ssh, sudo, su, login, ...; repeatable (default: ssh)", NULL },
	{ 't', "lifetime", "DURATION", "lifetime, for example 5m (default: from the configuration)", NULL },
	{ OPT_NOT_BEFORE, "not-before", "TIME",
	    "valid from: RFC 3339, seconds since the epoch, or +10m\n(default: now)", NULL },
	{ OPT_REUSABLE, "reusable", NULL, "works any number of times until it expires", NULL },
	{ OPT_REASON, "reason", "TEXT", "note for the log", NULL },
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
add_word(struct issue *is, struct string_list *words, const char *arg)
{
	enum rjwt_err err = string_list_add(words, arg);

	return err == RJWT_OK ? EXIT_DONE : tool_fail(&is->tool, err, &(struct rjwt_diag){ 0 });
}

static int
take_option(void *context, int option)
{
	struct grant *g = context;
	struct issue *is = &g->issue;

	switch (option) {
	case 'a':
		return add_word(is, &is->audience, optarg);
	case 's':
		return add_word(is, &is->scope, optarg);
	case 't':
		is->request.lifetime_s = &is->lifetime_s;
		return option_duration(&is->tool, "--lifetime", optarg, 0, INT64_MAX, &is->lifetime_s);
	case OPT_NOT_BEFORE:
		return option_time(&is->tool, "--not-before", optarg, &is->request.not_before_s);
	case OPT_REUSABLE:
		is->request.reusable = true;
		return EXIT_DONE;
	case OPT_REASON:
		if (strlen(optarg) > REASON_MAX)
			return tool_wrong(&is->tool, "--reason: longer than %d bytes", REASON_MAX);
		is->request.why = optarg;
		return EXIT_DONE;
	case OPT_JSON:
		is->json = true;
		return EXIT_DONE;
	default:
		g->rules = true;
		return EXIT_DONE;
	}
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
	is->request.user = g->rules ? NULL : argv[optind];
	is->request.audience = string_list_view(&is->audience);
	is->request.scope = string_list_view(&is->scope);
	return -1;
}
