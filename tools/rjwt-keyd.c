/* SPDX-License-Identifier: MIT */
/* rjwt-keyd: the keyset's keeper. */
#include "keyd.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

static const char usage[] =
    "Usage: rjwt-keyd [options] COMMAND\n"
    "Make, rotate and show the keyset that login tokens are signed with.\n"
    "\n"
    "  init      make the keyset; --if-missing: success when there is one\n"
    "            --adopt: take over one that was copied, restored or torn; nothing from before verifies\n"
    "  run       rotate on a timer until SIGTERM; SIGHUP reads the configuration again\n"
    "  once      do what is due now, and exit: for cron\n"
    "  rotate    promote the next key now, and print its kid\n"
    "            --compromised: make two new keys, erase the old ones, and no old token verifies\n"
    "  revoke    refuse tokens from now on, one of:\n"
    "            --jti ID        the token with this id\n"
    "            --sub NAME...   all of this login name that were minted until now\n"
    "            --kid KID       all of this key\n"
    "            --all           all that were minted until now\n"
    "  status    keys and times; --json. Exit status: 0 well, 1 needs attention, 3 broken\n"
    "  jwks      print the public JWK Set\n"
    "  check     look at configuration, keyset and host, and change nothing\n"
    "\n"
    "      --dry-run           once, rotate, revoke: say what would be done\n"
    "  -c, --config FILE       configuration (default: " RJWT_CONFIG_FILE ")\n"
    "  -d, --state-dir DIR     keyset (default: the configuration's)\n"
    "  -h, --help, -V, --version\n"
    "\n"
    "See rjwt-keyd(8).\n";

/* Bits: an option is its own letter, and what a command takes is a sum. */
enum {
	DRY_RUN = 1 << 8,
	IF_MISSING = 1 << 9,
	JSON = 1 << 10,
	ADOPT = 1 << 11,
	COMPROMISED = 1 << 12,
	JTI = 1 << 13,
	SUB = 1 << 14,
	KID = 1 << 15,
	ALL = 1 << 16
};

static const char letters[] = ":" TOOL_SHORT;
static const struct option names[] = {
	{ "dry-run", no_argument, NULL, DRY_RUN },
	{ "if-missing", no_argument, NULL, IF_MISSING },
	{ "json", no_argument, NULL, JSON },
	{ "adopt", no_argument, NULL, ADOPT },
	{ "compromised", no_argument, NULL, COMPROMISED },
	{ "jti", required_argument, NULL, JTI },
	{ "sub", required_argument, NULL, SUB },
	{ "kid", required_argument, NULL, KID },
	{ "all", no_argument, NULL, ALL },
	TOOL_LONG,
};

void
keyd_tell(const struct keyd *keyd, const struct rjwt_change *change)
{
	if (change->warning[0] != '\0')
		tool_say(&keyd->tool, "warning: %s", change->warning);
	tool_say(&keyd->tool, "%s%s", keyd->dry_run ? "dry run, nothing was done; it would be: " : "", change->text);
	if (!keyd->dry_run)
		tool_log_change(change);
}

int
keyd_fail(const struct keyd *keyd, enum rjwt_err err, const struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };

	buf_addf(&line, "%s: ", rjwt_reason(err));
	if (diag->path[0] != '\0') {
		text_escape(&line, view_of(diag->path));
		buf_adds(&line, ": ");
	}
	text_escape(&line, view_of(diag->text[0] == '\0' ? rjwt_strerror(err) : diag->text));
	if (!keyd->dry_run)
		tool_log(LOG_ERR, &line);
	return tool_fail(&keyd->tool, err, diag);
}

static int
keyd_init(struct keyd *keyd)
{
	struct rjwt_change change;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = rjwt_init(&keyd->tool.options, (keyd->given & ADOPT) != 0 ? RJWT_ADOPT : 0, &change, &diag);

	if (err == RJWT_EXISTS && keyd->if_missing) {
		tool_say(&keyd->tool, "%s: has a keyset, which stays as it is", diag.path);
		return EXIT_DONE;
	}
	if (err != RJWT_OK)
		return tool_fail(&keyd->tool, err, &diag);
	keyd_tell(keyd, &change);
	return EXIT_DONE;
}

/* Each of these changes the keyset of an open handle. */
typedef enum rjwt_err
changer(const struct keyd *keyd, struct rjwt *handle, int flags, struct rjwt_change *done, struct rjwt_diag *diag);

/* Open, change, tell. */
static int
change(struct keyd *keyd, changer *how, struct rjwt_change *done)
{
	struct rjwt_diag diag = { 0 };
	struct rjwt *handle;
	enum rjwt_err err = rjwt_open(&keyd->tool.options, &handle, &diag);

	if (err != RJWT_OK)
		return keyd_fail(keyd, err, &diag);
	err = how(keyd, handle, keyd->dry_run ? RJWT_DRY_RUN : 0, done, &diag);
	rjwt_close(handle);
	if (err != RJWT_OK)
		return keyd_fail(keyd, err, &diag);
	keyd_tell(keyd, done);
	return EXIT_DONE;
}

static enum rjwt_err
do_tick(const struct keyd *keyd, struct rjwt *handle, int flags, struct rjwt_change *done, struct rjwt_diag *diag)
{
	(void)keyd;
	return rjwt_maintain(handle, flags, done, diag);
}

static enum rjwt_err
do_rotate(const struct keyd *keyd, struct rjwt *handle, int flags, struct rjwt_change *done, struct rjwt_diag *diag)
{
	if ((keyd->given & COMPROMISED) != 0)
		flags |= RJWT_COMPROMISED;
	return rjwt_rotate(handle, flags, done, diag);
}

static enum rjwt_err
do_revoke(const struct keyd *keyd, struct rjwt *handle, int flags, struct rjwt_change *done, struct rjwt_diag *diag)
{
	const struct rjwt_revocation r = { .jti = keyd->jti,
		.users = string_list_view(&keyd->users),
		.kid = keyd->kid,
		.all = (keyd->given & ALL) != 0 };

	return rjwt_revoke(handle, &r, flags, done, diag);
}

static int
keyd_once(struct keyd *keyd)
{
	struct rjwt_change done;

	return change(keyd, do_tick, &done);
}

static int
keyd_rotate(struct keyd *keyd)
{
	struct rjwt_change done;
	int status = change(keyd, do_rotate, &done);

	if (status == EXIT_DONE)
		puts(done.kid);
	return status;
}

static int
keyd_revoke(struct keyd *keyd)
{
	struct rjwt_change done;
	int what = keyd->given & (JTI | SUB | KID | ALL);

	if (what == 0)
		return tool_wrong(&keyd->tool, "revoke: one of --jti, --sub, --kid and --all is wanted");
	if ((what & (what - 1)) != 0)
		return tool_wrong(&keyd->tool, "revoke: one of --jti, --sub, --kid and --all, not several");
	return change(keyd, do_revoke, &done);
}

static int
keyd_jwks(struct keyd *keyd)
{
	struct rjwt_diag diag = { 0 };
	struct rjwt *handle;
	char *text = NULL;
	size_t n = 0;
	enum rjwt_err err = rjwt_open(&keyd->tool.options, &handle, &diag);

	if (err == RJWT_OK) {
		err = rjwt_jwks(handle, &text, &n, &diag);
		rjwt_close(handle);
	}
	if (err != RJWT_OK)
		return tool_fail(&keyd->tool, err, &diag);
	(void)fwrite(text, 1, n, stdout);
	rjwt_free(text);
	return EXIT_DONE;
}

static const struct command {
	const char *name;
	int (*run)(struct keyd *keyd);
	int takes;
} commands[] = {
	{ "init", keyd_init, IF_MISSING | ADOPT },
	{ "run", keyd_run, 0 },
	{ "once", keyd_once, DRY_RUN },
	{ "rotate", keyd_rotate, DRY_RUN | COMPROMISED },
	{ "revoke", keyd_revoke, DRY_RUN | JTI | SUB | KID | ALL },
	{ "status", keyd_status, JSON },
	{ "jwks", keyd_jwks, 0 },
	{ "check", keyd_check, 0 },
};

#define COMMANDS (ARRAY_LEN(commands))

static int
unknown_command(const struct keyd *keyd, const char *name)
{
	const char *known[COMMANDS + 1], *near;

	for (size_t i = 0; i < COMMANDS; i++)
		known[i] = commands[i].name;
	known[COMMANDS] = NULL;
	near = text_nearest(view_of(name), known);
	if (near != NULL)
		return tool_wrong(&keyd->tool, "%s: unknown command; do you mean %s?", name, near);
	return tool_wrong(&keyd->tool, "%s: unknown command", name);
}

static const char *
option_name(int bit)
{
	size_t i = 0;

	while (names[i].name != NULL && names[i].val != bit)
		i++;
	return names[i].name == NULL ? "?" : names[i].name;
}

static int
run_command(struct keyd *keyd, const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		int wrong = keyd->given & ~commands[i].takes;

		if (strcmp(name, commands[i].name) != 0)
			continue;
		if (wrong != 0)
			return tool_wrong(&keyd->tool, "%s does not take --%s", name, option_name(wrong & -wrong));
		if (keyd->given == (IF_MISSING | ADOPT))
			return tool_wrong(&keyd->tool, "init: --if-missing or --adopt, not both");
		return tool_end(&keyd->tool, commands[i].run(keyd));
	}
	return unknown_command(keyd, name);
}

/* -1: go on; otherwise the exit status. */
static int
take_option(struct keyd *keyd, int option)
{
	const char **once = option == JTI ? &keyd->jti : option == KID ? &keyd->kid : NULL;

	if (once != NULL && *once != NULL)
		return tool_wrong(&keyd->tool, "--%s stands twice", option_name(option));
	if (once != NULL)
		*once = optarg;
	if (option == SUB && string_list_add(&keyd->users, optarg) != RJWT_OK)
		return tool_fail(&keyd->tool, RJWT_MEMORY, &(struct rjwt_diag){ 0 });
	keyd->given |= option;
	keyd->dry_run = (keyd->given & DRY_RUN) != 0;
	keyd->if_missing = (keyd->given & IF_MISSING) != 0;
	keyd->json = (keyd->given & JSON) != 0;
	return -1;
}

/* COMMAND, and for revoke --sub the rest of the names. -1: go on. */
static int
take_arguments(struct keyd *keyd, int argc, char **argv)
{
	if (optind == argc)
		return tool_wrong(&keyd->tool, "a command is missing");
	for (int i = optind + 1; i < argc; i++) {
		if ((keyd->given & SUB) == 0)
			return tool_wrong(&keyd->tool, "%s: one argument too many", argv[i]);
		if (string_list_add(&keyd->users, argv[i]) != RJWT_OK)
			return tool_fail(&keyd->tool, RJWT_MEMORY, &(struct rjwt_diag){ 0 });
	}
	return -1;
}

int
main(int argc, char **argv)
{
	struct keyd keyd = { 0 };
	int option, status = -1;

	tool_begin(&keyd.tool, "rjwt-keyd", usage);
	while (status == -1 && (option = tool_option(&keyd.tool, argc, argv, letters, names)) != -1)
		status =
		    option == 'h' || option == '?' ? tool_option_exit(&keyd.tool, option) : take_option(&keyd, option);
	if (status == -1)
		status = take_arguments(&keyd, argc, argv);
	if (status == -1)
		status = run_command(&keyd, argv[optind]);
	string_list_clear(&keyd.users);
	return status;
}
