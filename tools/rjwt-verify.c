/* SPDX-License-Identifier: MIT */
/* rjwt-verify: say whether a token would be accepted, and why not. */
#include "lines.h"
#include "options.h"
#include "tool.h"
#include "base/json_write.h"
#include "base/string_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPT_TYP = OPTION_LETTERS + 1, OPT_LEEWAY, OPT_MAX_LIFETIME, OPT_AT, OPT_JWS, OPT_LINES, OPT_EXPLAIN, OPT_JSON };

static const struct option_row rows[] = {
	{ 'u', "user", "NAME", "login name to test (default: the user is not checked)", "Login:" },
	{ 's', "service", "NAME",
	    "PAM service to test: sshd, sudo, su, login, ... (default:\nneither the scope nor spent tokens are "
	    "checked)",
	    NULL },
	{ OPT_AT, "at", "TIME", "verify as if the time were TIME:\nRFC 3339, seconds since the epoch, or +10m", NULL },
	{ OPT_JWS, "jws", NULL, "check only the signature, and print the payload", NULL },
	{ 'a', "audience", "NAME", "audience to accept; repeatable", "Instead of the configured values:" },
	{ 'i', "issuer", "NAME", "issuer to accept", NULL },
	{ OPT_TYP, "typ", "NAME", "header typ to require", NULL },
	{ OPT_LEEWAY, "leeway", "DURATION", "leeway, up to 5m", NULL },
	{ OPT_MAX_LIFETIME, "max-lifetime", "DURATION", "longest lifetime to accept", NULL },
	{ 'j', "jwks", "FILE", "verify against this JWK Set, not the keyset", NULL },
	{ OPT_LINES, "lines", NULL, "treat each line of the input as a token, and print one\nverdict per line",
	    "Input and output:" },
	{ OPT_EXPLAIN, "explain", NULL, "print every check in order, with the expected and the actual value", NULL },
	{ OPT_JSON, "json", NULL, "print the verdict as a JSON object", NULL },
	{ 0, NULL, NULL, NULL, NULL },
};

static const struct program verify_program = {
	.name = "rjwt-verify",
	.usage = "Usage: rjwt-verify [options] [FILE...]\n"
		 "Report whether the token in each FILE would be accepted, and if not, why. Without\n"
		 "a FILE, or where FILE is -, read standard input. No token is marked as spent.\n",
	.options = rows,
	.footer = "Exit status: 0 all accepted, 1 at least one rejected, 2 usage error or no verdict.\n"
		  "See rjwt-verify(1).\n",
};

struct verify {
	struct tool tool;
	struct string_list audience;
	const char *user, *service;
	int64_t leeway_s, max_lifetime_s, at_s;
	bool jws, lines, explain, json;
};

/* --at */
static void
clock_at(void *context, struct rjwt_time *now)
{
	const struct verify *v = context;

	*now = (struct rjwt_time){ .wall_s = v->at_s };
}

/* --- the command line ------------------------------------------------------------------------- */

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
		return string_list_add(&v->audience, optarg) == RJWT_OK ? EXIT_DONE : EXIT_REFUSED;
	case 'i':
		v->tool.options.issuer = optarg;
		return EXIT_DONE;
	case 'j':
		v->tool.options.jwks = optarg;
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

/* -1: go on; otherwise the exit status. */
static int
read_arguments(struct verify *v, int argc, char **argv)
{
	int status = options_read(&v->tool, argc, argv, take_option, v);

	if (status != -1)
		return status;
	if (v->jws && (v->explain || v->json || v->lines))
		return tool_wrong(&v->tool, "--jws prints the payload: not with --explain, --json or --lines");
	for (int i = optind; i < argc; i++)
		if (strncmp(argv[i], "eyJ", 3) == 0)
			return tool_wrong(&v->tool, "a token on the command line is seen by every user of the machine: "
						    "give it on standard input");
	v->tool.options.audience = string_list_view(&v->audience);
	return -1;
}

/* --- input ------------------------------------------------------------------------------------ */

/* One token: a byte more than the longest is read, so that a longer one is seen to be. */
static bool
read_token(int fd, struct buf *token)
{
	char *room = buf_room(token, RJWT_TOKEN_MAX + 2);
	size_t have = 0;

	if (room == NULL) {
		errno = ENOMEM;
		return false;
	}
	while (have < RJWT_TOKEN_MAX + 2) {
		ssize_t n = read(fd, room + have, RJWT_TOKEN_MAX + 2 - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	/* echo and the editor add a newline; nothing else is forgiven. */
	if (have > 0 && room[have - 1] == '\n')
		have--;
	token->n = have;
	return true;
}

/* --- output ----------------------------------------------------------------------------------- */

static const char *
verdict_name(enum rjwt_err reason)
{
	return reason == RJWT_OK ? "accepted" : rjwt_is_verdict(reason) ? "rejected" : "no verdict";
}

/* The sentence after the reason: what was expected and what was found, and no more than was shown. */
static void
put_reason(const struct rjwt_verdict *verdict)
{
	const struct rjwt_check *f = &verdict->failed;

	printf("%s: %s: %s", verdict_name(verdict->reason), rjwt_reason(verdict->reason),
	    rjwt_strerror(verdict->reason));
	if (f->expected[0] != '\0' || f->found[0] != '\0') {
		fputs(" (expected ", stdout);
		tool_put(f->expected);
		fputs(", found ", stdout);
		tool_put(f->found);
		fputs(")", stdout);
	}
	fputs("\n", stdout);
}

static const char *
outcome_name(enum rjwt_outcome outcome)
{
	switch (outcome) {
	case RJWT_PASSED:
		return "passed";
	case RJWT_FAILED:
		return "failed";
	case RJWT_NOT_CHECKED:
		return "not checked";
	case RJWT_NOT_REACHED:
		break;
	}
	return "not reached";
}

static void
put_checks(const struct rjwt_verdict *verdict)
{
	for (size_t i = 0; i < verdict->nchecks; i++) {
		const struct rjwt_check *c = &verdict->checks[i];

		printf("  %-12s %-24s", outcome_name(c->outcome), c->name);
		if (c->expected[0] != '\0') {
			fputs(c->outcome == RJWT_NOT_CHECKED ? " " : " expected ", stdout);
			tool_put(c->expected);
		}
		if (c->found[0] != '\0') {
			fputs(", found ", stdout);
			tool_put(c->found);
		}
		fputs("\n", stdout);
	}
}

static void
put_json(const struct rjwt_verdict *verdict)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	bool minus_zero;

	json_open(&out, NULL);
	json_put_string(&out, "verdict", view_of(verdict_name(verdict->reason)));
	json_put_string(&out, "reason", view_of(rjwt_reason(verdict->reason)));
	json_put_text(&out, "kid", view_of(verdict->kid));
	json_open_array(&out, "checks");
	for (size_t i = 0; i < verdict->nchecks; i++) {
		json_open_element(&out);
		json_put_string(&out, "code", view_of(rjwt_reason(verdict->checks[i].code)));
		json_put_string(&out, "check", view_of(verdict->checks[i].name));
		json_put_string(&out, "outcome", view_of(outcome_name(verdict->checks[i].outcome)));
		json_put_text(&out, "expected", view_of(verdict->checks[i].expected));
		json_put_text(&out, "found", view_of(verdict->checks[i].found));
		json_close(&out);
	}
	json_close_array(&out);
	/* A good signature does not make a payload JSON. */
	if (verdict->claims != NULL &&
	    json_scan((struct view){ verdict->claims, verdict->claims_len }, &minus_zero, NULL) == RJWT_OK)
		json_put_printable(&out, "claims", (struct view){ verdict->claims, verdict->claims_len });
	else
		json_put_raw(&out, "claims", VIEW("{}"));
	json_close(&out);
	printf("%s\n", out.p == NULL ? "" : out.p);
}

static void
put_verdict(const struct verify *v, const char *prefix, const struct rjwt_verdict *verdict)
{
	if (prefix != NULL && !(v->jws && verdict->reason == RJWT_OK)) {
		tool_put(prefix);
		fputs(": ", stdout);
	}
	if (v->json) {
		put_json(verdict);
		return;
	}
	if (v->jws && verdict->reason == RJWT_OK) {
		(void)fwrite(verdict->claims, 1, verdict->claims_len, stdout);
		if (isatty(STDOUT_FILENO)) /* what comes next is not ours */
			fputs("\n", stdout);
		return;
	}
	if (verdict->reason == RJWT_OK)
		puts("accepted");
	else
		put_reason(verdict);
	if (v->explain)
		put_checks(verdict);
}

/* --- one token, a line each, and all ---------------------------------------------------------- */

/* A JWK Set is somebody else's, whose verifier may know cnf and src; this host's module refuses them. */
static int
attempt_flags(const struct verify *v)
{
	return RJWT_DRY_RUN | (v->tool.options.jwks != NULL ? RJWT_ANY_ORIGIN : 0) |
	       (v->user == NULL ? RJWT_ANY_USER : 0) | (v->service == NULL ? RJWT_ANY_SERVICE : 0) |
	       (v->jws ? RJWT_SIGNATURE_ONLY : 0) | (v->explain || v->json ? RJWT_TRACE : 0);
}

static int
worse(int a, int b)
{
	return a > b ? a : b;
}

/* With --lines every line has its answer, so that the n-th belongs to the n-th token. */
static int
judge(const struct verify *v, struct rjwt *handle, const char *prefix, struct view token)
{
	struct rjwt_attempt attempt = { .token = token.p,
		.len = token.n,
		.user = v->user,
		.service = v->service,
		.flags = attempt_flags(v) };
	struct rjwt_verdict verdict;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = rjwt_verify(handle, &attempt, &verdict, &diag);
	bool judged = err == RJWT_OK || rjwt_is_verdict(err);

	if (judged || v->lines)
		put_verdict(v, prefix, &verdict);
	if (!judged)
		(void)tool_fail(&v->tool, err, &diag);
	rjwt_verdict_clear(&verdict);
	return err == RJWT_OK ? EXIT_DONE : judged ? EXIT_REFUSED : EXIT_WRONG_USE;
}

static int
failed_input(const struct verify *v, const char *path)
{
	tool_say(&v->tool, "%s: %s", strcmp(path, "-") == 0 ? "standard input" : path, strerrordesc_np(errno));
	return EXIT_WRONG_USE;
}

/* Ends early where nobody reads the answers any more. */
static int
judge_lines(struct verify *v, struct rjwt *handle, const char *path, const char *prefix, int fd)
{
	RJWT_CLEAN(lines_clear) struct lines lines = { .fd = fd, .max = RJWT_TOKEN_MAX };
	enum lines_state state = LINES_END;
	int worst = EXIT_DONE;
	struct view token;

	while (ferror(stdout) == 0) {
		if (!lines_ready(&lines) && fflush(stdout) != 0)
			break; /* whoever asks line by line waits for this answer */
		state = lines_next(&lines, &token);
		if (state == LINES_END || state == LINES_FAILED)
			break;
		v->tool.line = lines.number;
		worst = worse(worst, judge(v, handle, prefix, token));
	}
	v->tool.line = 0;
	return state == LINES_FAILED ? failed_input(v, path) : worst;
}

static int
judge_file(struct verify *v, struct rjwt *handle, const char *path, bool several)
{
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };
	bool input = strcmp(path, "-") == 0;
	RJWT_CLEAN(fd_clean) int opened = input ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int fd = input ? STDIN_FILENO : opened;
	const char *prefix = several ? path : NULL;

	if (fd < 0)
		return failed_input(v, path);
	if (v->lines)
		return judge_lines(v, handle, path, prefix, fd);
	if (!read_token(fd, &token))
		return failed_input(v, path);
	return judge(v, handle, prefix, buf_view(&token));
}

static int
verify(struct verify *v, int argc, char **argv)
{
	struct rjwt_diag diag = { 0 };
	struct rjwt *handle;
	enum rjwt_err err = rjwt_open(&v->tool.options, &handle, &diag);
	int worst = EXIT_DONE;

	if (err != RJWT_OK) {
		(void)tool_fail(&v->tool, err, &diag);
		return EXIT_WRONG_USE;
	}
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
	status = read_arguments(&v, argc, argv);
	if (status == -1)
		status = verify(&v, argc, argv);
	string_list_clear(&v.audience);
	return status;
}
