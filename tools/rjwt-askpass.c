/* SPDX-License-Identifier: MIT */
/*
 * rjwt-askpass: answer a prompt for a token. ssh, sudo and git run it with the prompt as its argument and read one line.
 *
 * It belongs to the user who calls it and has no rights of its own. Only a prompt that ends as those of pam_rjwt.so do
 * gets a token; with the reason of a rejection before it, it gets none: the same token would be rejected again.
 */
#include "askpass.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct program askpass_program = { .name = "rjwt-askpass" };

static const char help[] =
    "Usage: rjwt-askpass PROMPT\n"
    "Answer a prompt for a token: print one token. For SSH_ASKPASS, SUDO_ASKPASS and GIT_ASKPASS.\n"
    "\n"
    "Environment:\n"
    "  RJWT_TOKEN_FILE     a file with tokens, one a line, that only you can read; each\n"
    "                      prompt takes the first line, and the last one stays\n"
    "  RJWT_TOKEN_COMMAND  a command that prints one token; its words are separated by\n"
    "                      blanks, no shell reads them; RJWT_PROMPT has the prompt\n"
    "  RJWT_ASKPASS_NEXT   the program that answers all other prompts\n"
    "\n"
    "Exit status: 0 a token was printed, 1 none, 2 usage error. See rjwt-askpass(1).\n";

/* The text before the question, without blanks at its end; false: this is no prompt for a token. */
static bool
asks_for_token(const char *prompt, struct view *before)
{
	static const char *const questions[] = { "Token:", "Token or password:" };
	size_t n = strlen(prompt);

	while (n > 0 && strchr(" \n\r", prompt[n - 1]) != NULL)
		n--;
	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		size_t length = strlen(questions[i]);

		if (n < length || memcmp(prompt + n - length, questions[i], length) != 0)
			continue;
		n -= length;
		if (n > 0 && strchr(" \n", prompt[n - 1]) == NULL)
			return false;
		while (n > 0 && strchr(" \n\r", prompt[n - 1]) != NULL)
			n--;
		*before = (struct view){ prompt, n };
		return true;
	}
	return false;
}

/* sshd's client puts "(alice@web1) " before each prompt. */
static struct view
without_host(struct view before)
{
	const char *end;

	if (before.n == 0 || before.p[0] != '(')
		return before;
	end = memchr(before.p, ')', before.n);
	if (end == NULL || memchr(before.p, '@', (size_t)(end - before.p)) == NULL)
		return before;
	before.n -= (size_t)(end + 1 - before.p);
	before.p = end + 1;
	while (before.n > 0 && before.p[0] == ' ') {
		before.p++;
		before.n--;
	}
	return before;
}

static int
pass_on(const struct tool *tool, char *prompt)
{
	const char *next = getenv("RJWT_ASKPASS_NEXT");

	if (next == NULL || next[0] == '\0') {
		tool_say(tool,
		    "\"%s\" does not ask for a token (RJWT_ASKPASS_NEXT: the program that answers other prompts)",
		    prompt);
		return EXIT_REFUSED;
	}
	execv(next, (char *[]){ (char *)(uintptr_t)next, prompt, NULL });
	tool_say(tool, "RJWT_ASKPASS_NEXT: %s: %s (expected the path of a program)", next, strerrordesc_np(errno));
	return EXIT_REFUSED;
}

static int
answer(const struct tool *tool, const char *prompt)
{
	const char *file = getenv("RJWT_TOKEN_FILE"), *command = getenv("RJWT_TOKEN_COMMAND");
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };
	bool has_file = file != NULL && file[0] != '\0', has_command = command != NULL && command[0] != '\0';
	int status;

	if (has_file == has_command) {
		tool_say(tool, has_file ? "RJWT_TOKEN_FILE and RJWT_TOKEN_COMMAND are both set (expected one of them)"
					: "no token: set RJWT_TOKEN_FILE or RJWT_TOKEN_COMMAND");
		return EXIT_REFUSED;
	}
	status = has_file ? askpass_from_file(tool, file, &token) : askpass_from_command(tool, command, prompt, &token);
	if (status != EXIT_DONE)
		return status;
	printf("%.*s\n", (int)token.n, token.p);
	return tool_end(tool, EXIT_DONE);
}

/* Three parts of base64url: what a program or a file gives instead is never shown. */
bool
askpass_is_token(struct view text)
{
	size_t dots = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '.')
			dots++;
		else if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
			     c == '_'))
			return false;
	}
	return dots == 2 && text.n > 2 && text.n <= RJWT_TOKEN_MAX;
}

int
main(int argc, char **argv)
{
	struct tool tool = { 0 };
	struct view before, reason;

	tool_begin(&tool, &askpass_program);
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(help, stdout);
		return tool_end(&tool, EXIT_DONE);
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("rjwt-askpass %s\n", rjwt_version());
		return tool_end(&tool, EXIT_DONE);
	}
	if (argc != 2)
		return tool_wrong(&tool, "expected exactly one PROMPT");
	if (!asks_for_token(argv[1], &before))
		return pass_on(&tool, argv[1]);
	reason = without_host(before);
	if (reason.n == 0)
		return answer(&tool, argv[1]);
	tool_say(&tool, "the host rejected the last token: %.*s", (int)reason.n, reason.p);
	return EXIT_REFUSED;
}
