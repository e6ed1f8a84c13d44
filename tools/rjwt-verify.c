/* SPDX-License-Identifier: MIT */
/* rjwt-verify: report whether a token would be accepted, and if not, why. */
#include "input.h"
#include "lines.h"
#include "options.h"
#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One token: a byte more than the longest is read, so that a longer one is seen to be. */
static bool
read_token(int fd, struct buf *token)
{
	if (!input_read(fd, RJWT_TOKEN_MAX + 2, token))
		return false;
	/* echo and the editor add a newline; nothing else is forgiven. */
	if (token->n > 0 && token->p[token->n - 1] == '\n')
		token->n--;
	return true;
}

/* With a JWK Set the login is on another host: what is not given is not checked. This host's module refuses it. */
static int
attempt_flags(const struct verify *v)
{
	return RJWT_DRY_RUN | (v->jwks != NULL ? RJWT_ANY_ORIGIN : 0) | (v->user == NULL ? RJWT_ANY_USER : 0) |
	       (v->service == NULL ? RJWT_ANY_SERVICE : 0) | (v->jws ? RJWT_SIGNATURE_ONLY : 0);
}

static int
worse(int a, int b)
{
	return a > b ? a : b;
}

/* With --lines, every line has a verdict, so the n-th verdict belongs to the n-th token. */
static int
judge(struct verify *v, struct rjwt *handle, const char *prefix, struct view token)
{
	struct rjwt_attempt attempt = { .token = token.p,
		.len = token.n,
		.user = v->user,
		.service = v->service,
		.flags = attempt_flags(v),
		.auth_info = v->auth_info.p,
		.source = v->source,
		.trace = v->jws ? NULL : v->trace,
		.trace_max = ARRAY_LEN(v->trace) };
	struct rjwt_verdict verdict;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = rjwt_verify(handle, &attempt, &verdict, &diag);
	bool judged = err == RJWT_OK || rjwt_is_verdict(err);

	if (judged || v->lines)
		verify_print(v, handle, prefix, &verdict);
	if (!judged)
		(void)tool_fail(&v->tool, err, &diag);
	rjwt_verdict_clear(&verdict);
	if (err == RJWT_OK)
		return EXIT_DONE;
	return judged ? EXIT_REFUSED : EXIT_WRONG_USE;
}

static int
failed_input(const struct verify *v, const char *path)
{
	tool_say(&v->tool, "%s: %s", strcmp(path, "-") == 0 ? "standard input" : path, strerrordesc_np(errno));
	return EXIT_WRONG_USE;
}

/* Ends early if nobody reads the verdicts any more. */
static int
judge_lines(struct verify *v, struct rjwt *handle, const char *path, const char *prefix, int fd)
{
	RJWT_CLEAN(lines_clear) struct lines lines = { .fd = fd, .max = RJWT_TOKEN_MAX };
	enum lines_state state = LINES_END;
	int worst = EXIT_DONE;
	struct view token;

	while (ferror(stdout) == 0) {
		if (!lines_ready(&lines) && fflush(stdout) != 0)
			break; /* a program that sends line by line waits for this verdict */
		state = lines_next(&lines, &token);
		if (state == LINES_END || state == LINES_FAILED)
			break;
		v->tool.line = lines.number;
		worst = worse(worst, judge(v, handle, prefix, token));
		tool_progress(&v->tool, "%" PRIu64 " tokens judged", lines.number);
	}
	v->tool.line = 0;
	return state == LINES_FAILED ? failed_input(v, path) : worst;
}

static int
open_regular(const struct verify *v, const char *path)
{
	int fd = input_open(path);

	if (fd < 0 && errno == 0)
		tool_say(&v->tool, "%s: not a regular file (to read it: rjwt-verify - <FILE)", path);
	else if (fd < 0)
		(void)failed_input(v, path);
	return fd;
}

static int
judge_file(struct verify *v, struct rjwt *handle, const char *path, bool several)
{
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };
	bool input = strcmp(path, "-") == 0;
	RJWT_CLEAN(fd_clean) int opened = input ? -1 : open_regular(v, path);
	int fd = input ? STDIN_FILENO : opened;
	const char *prefix = several ? path : NULL;

	if (fd < 0)
		return EXIT_WRONG_USE;
	if (v->lines)
		return judge_lines(v, handle, path, prefix, fd);
	if (!read_token(fd, &token))
		return failed_input(v, path);
	return judge(v, handle, prefix, buf_view(&token));
}

/* Of -j: the name of a file, which rjwt_open() reads, or what is on standard input. */
static bool
take_set(struct verify *v)
{
	if (v->jwks == NULL || strcmp(v->jwks, "-") != 0) {
		v->tool.options.jwks = v->jwks;
		return true;
	}
	if (!input_read(STDIN_FILENO, RJWT_JWKS_MAX + 1, &v->set))
		return false;
	v->tool.options.jwks_text = v->set.p;
	v->tool.options.jwks_len = v->set.n;
	return true;
}

static int
verify(struct verify *v, int argc, char **argv)
{
	struct rjwt_diag diag = { 0 };
	struct rjwt *handle;
	enum rjwt_err err;
	int worst = EXIT_DONE;

	if (!take_set(v))
		return failed_input(v, "-");
	err = rjwt_open(&v->tool.options, &handle, &diag);
	if (err == RJWT_KEYSET && diag.path[0] == '\0' && v->tool.options.jwks_text != NULL)
		snprintf(diag.path, sizeof(diag.path), "standard input");
	if (err != RJWT_OK)
		return tool_fail(&v->tool, err, &diag);
	if (optind == argc)
		worst = judge_file(v, handle, "-", false);
	for (int i = optind; i < argc; i++)
		worst = worse(worst, judge_file(v, handle, argv[i], argc - optind > 1));
	rjwt_close(handle);
	return tool_end(&v->tool, worst);
}

int
main(int argc, char **argv)
{
	struct verify v = { 0 };
	int status;

	tool_begin(&v.tool, &verify_program);
	status = verify_arguments(&v, argc, argv);
	if (status == -1)
		status = verify(&v, argc, argv);
	string_list_clear(&v.audience);
	buf_clear(&v.auth_info);
	buf_clear(&v.set);
	return status;
}
