/* SPDX-License-Identifier: MIT */
/* rjwt-issue: mint a login token. */
#include "issue.h"
#include "options.h"
#include "base/datetime.h"
#include "base/file_write.h"
#include "base/json_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_NOT_BEFORE = OPTION_LETTERS + 1,
	OPT_REUSABLE,
	OPT_REASON,
	OPT_ALG,
	OPT_KID,
	OPT_KEY_VERSION,
	OPT_BATCH,
	OPT_JSON,
	OPT_FORCE,
	OPT_ALGORITHMS
};

static const struct option_row rows[] = {
	{ 'a', "audience", "NAME", "host that the token is for; repeatable (default: this host)", "Token:" },
	{ 's', "scope", "WORD", "purpose: ssh, sudo, su, login, ...; repeatable (default: ssh)", NULL },
	{ 't', "lifetime", "DURATION", "lifetime, for example 5m (default: from the configuration)", NULL },
	{ OPT_NOT_BEFORE, "not-before", "TIME",
	    "valid from: RFC 3339, seconds since the epoch, or +10m\n(default: now)", NULL },
	{ OPT_REUSABLE, "reusable", NULL, "works any number of times until it expires", NULL },
	{ OPT_REASON, "reason", "TEXT", "note for the log", NULL },
	{ 'i', "issuer", "NAME", "claim iss (default: from the configuration)", NULL },
	{ 'C', "claim", "NAME=TEXT", "additional claim, or NAME:=JSON; repeatable", NULL },
	{ 'H', "header", "NAME=TEXT", "additional header member, or NAME:=JSON; repeatable", NULL },
	{ OPT_FORCE, "force", NULL, "mint the token even if it is too long for its prompts", NULL },
	{ OPT_ALG, "alg", "NAME", "fail unless the active key has this algorithm", "Key:" },
	{ OPT_KID, "kid", "KID", "fail unless the active key has this key id", NULL },
	{ OPT_KEY_VERSION, "key-version", "N", "fail unless the active key has this version", NULL },
	{ 'o', "output", "FILE", "write to a new file with mode 0600; - is standard output", "Input and output:" },
	{ OPT_JSON, "json", NULL,
	    "print the token, its claims, header and size, and the prompts\nthat it fits, as JSON", NULL },
	{ OPT_BATCH, "batch", NULL, "read one request per line from standard input,\nand print one token per line",
	    NULL },
	{ OPT_ALGORITHMS, "algorithms", NULL, "list the supported algorithms, and exit", NULL },
	{ 0, NULL, NULL, NULL, NULL },
};

static const struct program issue_program = {
	.name = "rjwt-issue",
	.usage = "Usage: rjwt-issue [options] USER\n"
		 "       rjwt-issue [options] --batch\n"
		 "       rjwt-issue --algorithms\n"
		 "Mint a token with which USER can log in, and print it.\n",
	.options = rows,
	.footer = "See rjwt-issue(1).\n",
};

static void
issue_clear(struct issue *is)
{
	string_list_clear(&is->audience);
	string_list_clear(&is->scope);
	buf_clear(&is->claims);
	buf_clear(&is->header);
	buf_clear(&is->caller);
	dir_close(&is->file.dir);
	fd_clean(&is->file.fd);
}

/* --- the command line ------------------------------------------------------------------------- */

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
		return tool_wrong(&is->tool, "%s %s: NAME=TEXT or NAME:=JSON is wanted", option, arg);
	if (json && !is_value(equals + 1))
		return tool_wrong(&is->tool, "%s %s: no JSON value follows :=", option, arg);
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
	return tool_wrong(&is->tool, "--key-version %s: a number from 1 is wanted", arg);
}

static int
add_word(struct issue *is, struct string_list *words, const char *arg)
{
	enum rjwt_err err = string_list_add(words, arg);

	return err == RJWT_OK ? EXIT_DONE : tool_fail(&is->tool, err, &(struct rjwt_diag){ 0 });
}

static int
take_option(void *context, int option)
{
	struct issue *is = context;

	switch (option) {
	case 'a':
		return add_word(is, &is->audience, optarg);
	case 's':
		return add_word(is, &is->scope, optarg);
	case 't':
		is->request.lifetime_s = &is->lifetime_s;
		return option_duration(&is->tool, "--lifetime", optarg, 0, INT64_MAX, &is->lifetime_s);
	case 'i':
		is->request.issuer = optarg;
		return EXIT_DONE;
	case 'C':
		return add_member(is, &is->claims, "--claim", optarg);
	case 'H':
		return add_member(is, &is->header, "--header", optarg);
	case 'o':
		if (optarg[0] == '\0')
			return tool_wrong(&is->tool, "--output: the name of a file is empty");
		is->output = strcmp(optarg, "-") == 0 ? NULL : optarg;
		return EXIT_DONE;
	case OPT_NOT_BEFORE:
		return option_time(&is->tool, "--not-before", optarg, &is->request.not_before_s);
	case OPT_REUSABLE:
		is->request.reusable = true;
		return EXIT_DONE;
	case OPT_REASON:
		is->reason = optarg;
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
	case OPT_JSON:
		is->json = true;
		return EXIT_DONE;
	case OPT_FORCE:
		is->request.flags |= RJWT_FORCE;
		return EXIT_DONE;
	default:
		is->algorithms = true;
		return EXIT_DONE;
	}
}

/* -1: go on; otherwise the exit status. */
static int
read_arguments(struct issue *is, int argc, char **argv)
{
	int status = options_read(&is->tool, argc, argv, take_option, is);

	if (status != -1)
		return status;
	if (is->algorithms && optind < argc)
		return tool_wrong(&is->tool, "%s: one argument too many", argv[optind]);
	if (is->algorithms)
		return -1;
	if (is->batch && optind < argc)
		return tool_wrong(&is->tool, "%s: with --batch each line names its user", argv[optind]);
	if (is->batch && is->output != NULL)
		return tool_wrong(&is->tool, "--batch prints to standard output: not with --output");
	if (!is->batch && argc - optind != 1)
		return tool_wrong(&is->tool,
		    argc == optind ? "the name of a user is missing" : "one user is wanted, not several");
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
	return -1;
}

/* --- what becomes of the token ---------------------------------------------------------------- */

static void
add_words(struct buf *out, const char *const *words, const char *otherwise)
{
	if (words == NULL)
		buf_adds(out, otherwise);
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		buf_addf(out, "%s%s", i > 0 ? " " : "", words[i]);
}

static void
list_prompts(const struct rjwt_token *token, struct buf *out)
{
	const char *name;
	size_t limit;

	for (unsigned i = 0; (name = rjwt_prompt(i, &limit)) != NULL; i++)
		if ((token->fits & 1U << i) != 0)
			buf_addf(out, "%s%s", out->n > 0 ? " " : "", name);
	if (out->n == 0)
		buf_adds(out, "none");
}

static void
summarize(const struct issue *is, const struct rjwt_token *token)
{
	RJWT_CLEAN(buf_clear) struct buf where = { 0 };
	RJWT_CLEAN(buf_clear) struct buf what = { 0 };
	RJWT_CLEAN(buf_clear) struct buf prompts = { 0 };
	char from[32], until[32], lifetime[32];

	add_words(&where, is->request.audience, "this host");
	add_words(&what, is->request.scope, "ssh");
	list_prompts(token, &prompts);
	time_format(from, token->nbf_s);
	time_format(until, token->exp_s);
	duration_format(lifetime, token->exp_s - token->nbf_s);
	tool_say(&is->tool, "%s may use %s on %s, %s, from %s until %s (%s)", is->request.user,
	    what.p == NULL ? "" : what.p, where.p == NULL ? "" : where.p,
	    !token->once      ? "any number of times"
	    : is->scope.n > 1 ? "once for each"
			      : "once",
	    from, until, lifetime);
	tool_say(&is->tool, "%zu bytes, fits the prompts of %s", token->len, prompts.p == NULL ? "" : prompts.p);
}

/* The folder of --output. Whoever may rename in it, or above, could put another token in ours' place. */
static enum rjwt_err
open_output(struct issue *is, struct rjwt_diag *diag)
{
	struct rjwt_diag why = { 0 };
	enum rjwt_err err = dir_of(is->output, &is->file.dir, &is->file.name, &why);

	if (err == RJWT_KEYSET)
		return diag_fail(diag, err, why.path,
		    "%.200s: the folder of --output, and those above, must be root's or yours, and closed to "
		    "others",
		    why.text);
	*diag = why;
	return err;
}

/*
 * Where the token is to go is made, with room for it, before it is minted: a token nobody gets is a token lost.
 * Of its size only the free claims and members are without a small bound; with --json they come twice.
 */
static enum rjwt_err
reserve(struct issue *is, struct rjwt_diag *diag)
{
	if (is->output == NULL)
		return RJWT_OK;
	RJWT_TRY(open_output(is, diag));
	return file_reserve(&is->file.dir, is->file.name, 0600, 8192 + 4 * (is->claims.n + is->header.n), &is->file.fd,
	    diag);
}

/* Nothing came of it: the file that was kept free goes. */
static void
release(struct issue *is)
{
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = RJWT_OK;

	if (is->file.fd >= 0)
		err = file_remove(&is->file.dir, is->file.name, &diag);
	if (err != RJWT_OK)
		(void)tool_fail(&is->tool, err, &diag);
}

/* To stdout, or into a new file. */
static int
put_out(struct issue *is, const struct rjwt_token *token)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = RJWT_OK;

	if (is->json) {
		err = issue_json(token, &text);
	} else {
		buf_add(&text, token->text, token->len);
		buf_adds(&text, "\n");
		err = buf_done(&text);
	}
	if (err == RJWT_OK && is->output != NULL)
		err = file_fill(&is->file.dir, is->file.name, is->file.fd, buf_view(&text), &diag);
	else if (err == RJWT_OK)
		(void)fwrite(text.p, 1, text.n, stdout);
	if (err != RJWT_OK) {
		(void)tool_fail(&is->tool, err, &diag);
		release(is);
	}
	return tool_end(&is->tool, err == RJWT_OK ? EXIT_DONE : EXIT_REFUSED);
}

static enum rjwt_err
mint(struct issue *is, struct rjwt_token *token, struct rjwt_diag *diag)
{
	struct rjwt *handle;
	enum rjwt_err err;

	RJWT_TRY(reserve(is, diag));
	err = rjwt_open(&is->tool.options, &handle, diag);
	if (err == RJWT_OK) {
		err = rjwt_mint(handle, &is->request, token, diag);
		rjwt_close(handle);
	}
	if (err != RJWT_OK)
		release(is);
	return err;
}

static int
issue(struct issue *is)
{
	struct rjwt_token token;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = mint(is, &token, &diag);
	int status;

	if (err != RJWT_OK)
		return tool_fail(&is->tool, err, &diag);
	issue_tell(is, &is->request, is->reason, &token);
	if (is->request.reusable && token.once)
		tool_say(&is->tool, "the configuration has one_time: always, so this token is good once");
	else if (!token.once)
		tool_say(&is->tool, "this token is a password until it expires: whoever sees it may use it");
	if (isatty(STDERR_FILENO))
		summarize(is, &token);
	status = put_out(is, &token);
	rjwt_token_clear(&token);
	return status;
}

int
main(int argc, char **argv)
{
	struct issue is = { .file = { DIR_NONE, NULL, -1 } };
	int status;

	tool_begin(&is.tool, &issue_program);
	status = read_arguments(&is, argc, argv);
	if (status == -1 && is.algorithms) {
		for (const char *const *name = rjwt_algorithms(); *name != NULL; name++)
			puts(*name);
		status = tool_end(&is.tool, EXIT_DONE);
	} else if (status == -1 && is.batch) {
		status = issue_batch(&is);
	} else if (status == -1) {
		status = issue(&is);
	}
	issue_clear(&is);
	return status;
}
