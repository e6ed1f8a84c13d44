/* SPDX-License-Identifier: MIT */
/* The command line of rjwt-issue. */
#include "issue.h"
#include "issue_request.h"
#include "base/datetime.h"
#include "base/json_write.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_ALG = ISSUE_OPTIONS_END,
	OPT_KID,
	OPT_KEY_VERSION,
	OPT_BATCH,
	OPT_FORCE,
	OPT_SHORT,
	OPT_ACTOR,
	OPT_COPY,
	OPT_ALGORITHMS
};

static const struct option_row rows[] = {
	ISSUE_ROWS,
	{ OPT_BIND_KEY, "bind-key", "FILE",
	    "works only with this ssh key (its public file), and only for ssh;\n- is standard input", NULL },
	{ OPT_ACTOR, "actor", "NAME", "claim act: the person who uses USER, a shared account", NULL },
	{ 'i', "issuer", "NAME", "claim iss (default: from the configuration)", NULL },
	{ 'C', "claim", "NAME=TEXT", "additional claim, or NAME:=JSON; repeatable", NULL },
	{ 'H', "header", "NAME=TEXT", "additional header member, or NAME:=JSON; repeatable", NULL },
	{ OPT_FORCE, "force", NULL, "mint the token even if it does not fit the prompts of its scopes", NULL },
	{ OPT_SHORT, "short", NULL,
	    "keep the token on this host, and print a code of 16 characters\nthat is typed in its place", NULL },
	{ OPT_ALG, "alg", "NAME", "fail unless the active key has this algorithm", "Key:" },
	{ OPT_KID, "kid", "KID", "fail unless the active key has this key id", NULL },
	{ OPT_KEY_VERSION, "key-version", "N", "fail unless the active key has this version", NULL },
	{ 'o', "output", "FILE", "write to a new file with mode 0600; - is standard output", "Input and output:" },
	{ OPT_JSON, "json", NULL,
	    "print the token, its claims, header and size, and the scopes\nwhose prompts it fits, as JSON", NULL },
	{ OPT_COPY, "copy", NULL, "also put it into the clipboard of the terminal, by OSC 52", NULL },
	{ OPT_BATCH, "batch", NULL, "read one request per line from standard input,\nand print one token per line",
	    NULL },
	{ OPT_ALGORITHMS, "algorithms", NULL, "list the supported algorithms, and exit", NULL },
	{ 0, NULL, NULL, NULL, NULL },
};

const struct program issue_program = {
	.name = "rjwt-issue",
	.usage = "Usage: rjwt-issue [options] USER\n"
		 "       rjwt-issue [options] --batch\n"
		 "       rjwt-issue --algorithms\n"
		 "Mint a token with which USER can log in, and print it.\n",
	.options = rows,
	.footer = "See rjwt-issue(1).\n",
};

static enum rjwt_err
count_name(void *context, struct view name)
{
	(void)name;
	++*(size_t *)context;
	return RJWT_OK;
}

/* One JSON value, and not the beginning of more members. */
static bool
is_value(const char *text)
{
	RJWT_CLEAN(buf_clear) struct buf object = { 0 };
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	size_t members = 0;

	buf_addf(&object, "{\"v\":%s}", text);
	return buf_done(&object) == RJWT_OK && json_parse(buf_view(&object), &json, NULL) == RJWT_OK &&
	       json_names(json, count_name, &members) == RJWT_OK && members == 1;
}

/* NAME=TEXT, or NAME:=JSON, into an object. */
static int
add_member(struct issue *is, struct buf *object, const char *option, const char *arg)
{
	const char *equals = strchr(arg, '=');
	bool json = equals != NULL && equals > arg && equals[-1] == ':';
	RJWT_CLEAN(free_clean) char *name = NULL;

	if (equals == NULL || equals - arg - (json ? 1 : 0) < 1)
		return tool_wrong(&is->tool, "%s %s: expected NAME=TEXT or NAME:=JSON", option, arg);
	if (json && !is_value(equals + 1))
		return tool_wrong(&is->tool, "%s %s: the text after := is not a JSON value", option, arg);
	name = strndup(arg, (size_t)(equals - arg) - (json ? 1 : 0));
	if (name == NULL)
		return tool_fail(&is->tool, RJWT_MEMORY, &(struct rjwt_diag){ 0 });
	if (object->n == 0)
		json_open(object, NULL);
	if (json)
		json_put_raw(object, name, view_of(equals + 1));
	else
		json_put_string(object, name, view_of(equals + 1));
	return EXIT_DONE;
}

static int
read_version(struct issue *is, const char *arg)
{
	if (number_parse(view_of(arg), INT32_MAX, &is->request.key_version) == RJWT_OK && is->request.key_version > 0)
		return EXIT_DONE;
	return tool_wrong(&is->tool, "--key-version %s: expected a number from 1", arg);
}

static int
take_option(void *context, int option)
{
	struct issue *is = context;
	bool known;
	int status = issue_take(is, option, &known);

	if (known)
		return status;
	switch (option) {
	case 'i':
		is->request.issuer = optarg;
		return EXIT_DONE;
	case 'C':
		return add_member(is, &is->claims, "--claim", optarg);
	case 'H':
		return add_member(is, &is->header, "--header", optarg);
	case 'o':
		if (optarg[0] == '\0')
			return tool_wrong(&is->tool, "--output: the file name is empty");
		is->output = strcmp(optarg, "-") == 0 ? NULL : optarg;
		return EXIT_DONE;
	case OPT_ALG:
		is->request.alg = optarg;
		return EXIT_DONE;
	case OPT_KID:
		is->request.kid = optarg;
		return EXIT_DONE;
	case OPT_KEY_VERSION:
		return read_version(is, optarg);
	case OPT_BATCH:
		is->batch = true;
		return EXIT_DONE;
	case OPT_ACTOR:
		is->request.actor = optarg;
		return EXIT_DONE;
	case OPT_COPY:
		is->copy = true;
		return EXIT_DONE;
	case OPT_SHORT:
		is->request.flags |= RJWT_PARK;
		return EXIT_DONE;
	case OPT_FORCE:
		is->request.flags |= RJWT_FORCE;
		return EXIT_DONE;
	default:
		is->algorithms = true;
		return EXIT_DONE;
	}
}

/* The clipboard is that of whoever sits at the terminal: what goes elsewhere is not for it. */
static int
check_copy(const struct issue *is)
{
	const char *other = is->batch ? "--batch" : is->json ? "--json" : "--output";

	if (is->copy && (is->batch || is->json || is->output != NULL))
		return tool_wrong(&is->tool, "--copy cannot be combined with %s", other);
	if (is->copy && !isatty(STDOUT_FILENO))
		return tool_wrong(&is->tool, "--copy: standard output is not a terminal");
	return -1;
}

int
issue_arguments(struct issue *is, int argc, char **argv)
{
	int status = options_read(&is->tool, argc, argv, take_option, is);

	if (status != -1)
		return status;
	if (is->algorithms && optind < argc)
		return tool_wrong(&is->tool, "%s: unexpected argument", argv[optind]);
	if (is->algorithms)
		return -1;
	if (is->batch && optind < argc)
		return tool_wrong(&is->tool, "%s: unexpected argument (with --batch, each request names its user)",
		    argv[optind]);
	if ((is->request.flags & RJWT_PARK) != 0 && (is->batch || is->request.reusable || is->request.uses != 0))
		return tool_wrong(&is->tool, "--short cannot be combined with %s",
		    is->batch		   ? "--batch"
		    : is->request.reusable ? "--reusable"
					   : "--uses");
	status = check_copy(is);
	if (status != -1)
		return status;
	if (is->batch && is->output != NULL)
		return tool_wrong(&is->tool, "--batch cannot be combined with --output");
	if (is->batch && is->bind_file != NULL && strcmp(is->bind_file, "-") == 0)
		return tool_wrong(&is->tool, "--bind-key -: with --batch, standard input has the requests");
	if (!is->batch && argc - optind != 1)
		return tool_wrong(&is->tool, argc == optind ? "USER is missing" : "expected exactly one USER");
	status = issue_check(is);
	if (status != -1)
		return status;
	is->request.user = is->batch ? NULL : argv[optind];
	if (is->claims.n > 0)
		json_close(&is->claims);
	if (is->header.n > 0)
		json_close(&is->header);
	if (buf_done(&is->claims) != RJWT_OK || buf_done(&is->header) != RJWT_OK)
		return tool_fail(&is->tool, RJWT_MEMORY, &(struct rjwt_diag){ 0 });
	is->request.claims = is->claims.p;
	is->request.header = is->header.p;
	is->request.audience = string_list_view(&is->audience);
	is->request.scope = string_list_view(&is->scope);
	is->request.from = string_list_view(&is->from);
	status = issue_read_key(is);
	return status == EXIT_DONE ? -1 : status;
}
