/* SPDX-License-Identifier: MIT */
/* The command line of rjwt-verify. */
#include "options.h"
#include "public_key.h"
#include "verify.h"
#include "base/address.h"

#include <string.h>

enum {
	OPT_TYP = OPTION_LETTERS + 1,
	OPT_LEEWAY,
	OPT_MAX_LIFETIME,
	OPT_AT,
	OPT_JWS,
	OPT_LINES,
	OPT_EXPLAIN,
	OPT_JSON,
	OPT_KEY,
	OPT_SOURCE
};

static const struct option_row rows[] = {
	{ 'u', "user", "NAME", "login name to test (default: the user is not checked)", "Login:" },
	{ 's', "service", "NAME",
	    "PAM service to test: sshd, sudo, su, login, ... (default:\nthe scope is not checked)", NULL },
	{ OPT_KEY, "key", "FILE", "public ssh key used before the token; repeatable", NULL },
	{ OPT_SOURCE, "source", "ADDRESS", "IP address from which the login comes", NULL },
	{ OPT_AT, "at", "TIME", "verify as if the time were TIME:\nRFC 3339, seconds since the epoch, or +10m", NULL },
	{ OPT_JWS, "jws", NULL, "check only the signature, and print the payload", NULL },
	{ 'a', "audience", "NAME", "audience to accept; repeatable", "Instead of the configured values:" },
	{ 'i', "issuer", "NAME", "issuer to accept", NULL },
	{ OPT_TYP, "typ", "NAME", "header typ to require", NULL },
	{ OPT_LEEWAY, "leeway", "DURATION", "leeway, up to 5m", NULL },
	{ OPT_MAX_LIFETIME, "max-lifetime", "DURATION", "longest lifetime to accept", NULL },
	{ 'j', "jwks", "FILE",
	    "verify against this JWK Set, not the keyset;\n- is standard input, and tokens are then in files", NULL },
	{ OPT_LINES, "lines", NULL, "treat each line of the input as a token, and print one\nverdict per line",
	    "Input and output:" },
	{ OPT_EXPLAIN, "explain", NULL, "say what was found, which check failed, and what to do", NULL },
	{ OPT_JSON, "json", NULL, "print the verdict as a JSON object", NULL },
	{ 0, NULL, NULL, NULL, NULL },
};

const struct program verify_program = {
	.name = "rjwt-verify",
	.usage = "Usage: rjwt-verify [options] [FILE...]\n"
		 "Report whether the token in each FILE would be accepted, and if not, why. Without\n"
		 "a FILE, or where FILE is -, read standard input. No token is marked as spent.\n",
	.options = rows,
	.footer = "Exit status: 0 all accepted, 1 at least one rejected, 2 usage error or no verdict.\n"
		  "See rjwt-verify(1).\n",
	.one_is_verdict = true,
};

/* --at */
static void
clock_at(void *context, struct rjwt_time *now)
{
	const struct verify *v = context;

	*now = (struct rjwt_time){ .wall_s = v->at_s };
}

static int
take_key(struct verify *v)
{
	RJWT_CLEAN(public_key_clear) struct public_key key = { 0 };
	int status = public_key_read(&v->tool, optarg, &key);

	if (status != EXIT_DONE)
		return status;
	buf_addf(&v->auth_info, "publickey %s\n", key.line.p);
	return buf_done(&v->auth_info) == RJWT_OK ? EXIT_DONE
						  : tool_fail(&v->tool, RJWT_MEMORY, &(struct rjwt_diag){ 0 });
}

static int
take_source(struct verify *v)
{
	struct address ignored;

	if (!address_parse(view_of(optarg), &ignored))
		return tool_wrong(&v->tool,
		    "--source %s: not an IP address (expected for example 192.0.2.7 or "
		    "2001:db8::7)",
		    optarg);
	v->source = optarg;
	return EXIT_DONE;
}

static int
take_option(void *context, int option)
{
	struct verify *v = context;

	switch (option) {
	case 'u':
		v->user = optarg;
		return EXIT_DONE;
	case 's':
		v->service = optarg;
		return EXIT_DONE;
	case 'a':
		if (string_list_add(&v->audience, optarg) == RJWT_OK)
			return EXIT_DONE;
		return tool_fail(&v->tool, RJWT_MEMORY, &(struct rjwt_diag){ 0 });
	case 'i':
		v->tool.options.issuer = optarg;
		return EXIT_DONE;
	case 'j':
		v->jwks = optarg;
		return EXIT_DONE;
	case OPT_TYP:
		v->tool.options.typ = optarg;
		return EXIT_DONE;
	case OPT_LEEWAY:
		v->tool.options.leeway_s = &v->leeway_s;
		return option_duration(&v->tool, "--leeway", optarg, 0, RJWT_LEEWAY_MAX, &v->leeway_s);
	case OPT_MAX_LIFETIME:
		v->tool.options.max_lifetime_s = &v->max_lifetime_s;
		return option_duration(&v->tool, "--max-lifetime", optarg, 1, RJWT_LIFETIME_MAX, &v->max_lifetime_s);
	case OPT_AT:
		v->tool.options.now = clock_at;
		v->tool.options.now_context = v;
		return option_time(&v->tool, "--at", optarg, &v->at_s);
	case OPT_KEY:
		return take_key(v);
	case OPT_SOURCE:
		return take_source(v);
	case OPT_JWS:
		v->jws = true;
		return EXIT_DONE;
	case OPT_LINES:
		v->lines = true;
		return EXIT_DONE;
	case OPT_EXPLAIN:
		v->explain = true;
		return EXIT_DONE;
	default:
		v->json = true;
		return EXIT_DONE;
	}
}

/* Standard input can have the set, or tokens. */
static int
check_input(const struct verify *v, int argc, char **argv)
{
	bool tokens = optind == argc;

	for (int i = optind; i < argc; i++)
		tokens = tokens || strcmp(argv[i], "-") == 0;
	if (v->jwks == NULL || strcmp(v->jwks, "-") != 0 || !tokens)
		return -1;
	return tool_wrong(&v->tool, "-j -: standard input has the JWK Set, so the tokens must be in files: "
				    "rjwt-verify -j - FILE... <SET");
}

int
verify_arguments(struct verify *v, int argc, char **argv)
{
	int status = options_read(&v->tool, argc, argv, take_option, v);

	if (status != -1)
		return status;
	if (v->jws && (v->explain || v->json || v->lines))
		return tool_wrong(&v->tool, "--jws cannot be combined with --explain, --json or --lines");
	if (v->jws && (v->source != NULL || v->auth_info.n > 0))
		return tool_wrong(&v->tool,
		    "--jws cannot be combined with --key or --source: it checks only the signature");
	for (int i = optind; i < argc; i++)
		if (strncmp(argv[i], "eyJ", 3) == 0)
			return tool_wrong(&v->tool, "every user of this machine can read the command line: "
						    "pass the token on standard input");
	v->tool.options.audience = string_list_view(&v->audience);
	return check_input(v, argc, argv);
}
