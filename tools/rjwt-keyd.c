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
    "  run       rotate on a timer until SIGTERM; SIGHUP reads the configuration again\n"
    "  once      do what is due now, and exit: for cron\n"
    "  rotate    promote the next key now, and print its kid\n"
    "  status    keys and times; --json. Exit status: 0 well, 1 needs attention, 3 broken\n"
    "  jwks      print the public JWK Set\n"
    "  check     look at configuration, keyset and host, and change nothing\n"
    "\n"
    "      --dry-run           once, rotate: say what would be done\n"
    "  -c, --config FILE       configuration (default: " RJWT_CONFIG_FILE ")\n"
    "  -d, --state-dir DIR     keyset (default: the configuration's)\n"
    "  -h, --help, -V, --version\n"
    "\n"
    "See rjwt-keyd(8).\n";

enum { OPT_DRY_RUN = 256, OPT_IF_MISSING, OPT_JSON };

static const char letters[] = ":" TOOL_SHORT;
static const struct option names[] = {
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "if-missing", no_argument, NULL, OPT_IF_MISSING },
	{ "json", no_argument, NULL, OPT_JSON },
	TOOL_LONG,
};

void
keyd_tell(const struct keyd *keyd, const struct rjwt_change *change)
{
	if (change->warning[0] != '\0')
		tool_say(&keyd->tool, "warning: %s", change->warning);
	tool_say(&keyd->tool, "%s%s", keyd->dry_run ? "dry run, nothing was done; it would be: " : "",
	    change->text);
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
	enum rjwt_err err = rjwt_init(&keyd->tool.options, &change, &diag);

	if (err == RJWT_EXISTS && keyd->if_missing) {
		tool_say(&keyd->tool, "%s: has a keyset, which stays as it is", diag.path);
		return EXIT_DONE;
	}
	if (err != RJWT_OK)
		return tool_fail(&keyd->tool, err, &diag);
	keyd_tell(keyd, &change);
	return EXIT_DONE;
}

/* Open, change, tell. */
static int
change(struct keyd *keyd,
    enum rjwt_err (*how)(struct rjwt *, int, struct rjwt_change *, struct rjwt_diag *),
    struct rjwt_change *done)
{
	struct rjwt_diag diag = { 0 };
	struct rjwt *handle;
	enum rjwt_err err = rjwt_open(&keyd->tool.options, &handle, &diag);

	if (err != RJWT_OK)
		return keyd_fail(keyd, err, &diag);
	err = how(handle, keyd->dry_run ? RJWT_DRY_RUN : 0, done, &diag);
	rjwt_close(handle);
	if (err != RJWT_OK)
		return keyd_fail(keyd, err, &diag);
	keyd_tell(keyd, done);
	return EXIT_DONE;
}

static int
keyd_once(struct keyd *keyd)
{
	struct rjwt_change done;

	return change(keyd, rjwt_tick, &done);
}

static int
keyd_rotate(struct keyd *keyd)
{
	struct rjwt_change done;
	int status = change(keyd, rjwt_rotate, &done);

	if (status == EXIT_DONE)
		puts(done.kid);
	return status;
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

enum { TAKES_DRY_RUN = 1, TAKES_IF_MISSING = 2, TAKES_JSON = 4 };

static const struct command {
	const char *name;
	int (*run)(struct keyd *keyd);
	int takes;
} commands[] = {
	{ "init", keyd_init, TAKES_IF_MISSING },
	{ "run", keyd_run, 0 },
	{ "once", keyd_once, TAKES_DRY_RUN },
	{ "rotate", keyd_rotate, TAKES_DRY_RUN },
	{ "status", keyd_status, TAKES_JSON },
	{ "jwks", keyd_jwks, 0 },
	{ "check", keyd_check, 0 },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

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

static int
run_command(struct keyd *keyd, const char *name)
{
	int given = (keyd->dry_run ? TAKES_DRY_RUN : 0) | (keyd->if_missing ? TAKES_IF_MISSING : 0) |
	    (keyd->json ? TAKES_JSON : 0);

	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i].name) != 0)
			continue;
		if ((given & ~commands[i].takes) != 0)
			return tool_wrong(&keyd->tool, "%s does not take that option", name);
		return tool_end(&keyd->tool, commands[i].run(keyd));
	}
	return unknown_command(keyd, name);
}

int
main(int argc, char **argv)
{
	struct keyd keyd = { 0 };
	int option;

	tool_begin(&keyd.tool, "rjwt-keyd", usage);
	while ((option = tool_option(&keyd.tool, argc, argv, letters, names)) != -1) {
		if (option == 'h' || option == '?')
			return tool_option_exit(&keyd.tool, option);
		keyd.dry_run = keyd.dry_run || option == OPT_DRY_RUN;
		keyd.if_missing = keyd.if_missing || option == OPT_IF_MISSING;
		keyd.json = keyd.json || option == OPT_JSON;
	}
	if (optind == argc)
		return tool_wrong(&keyd.tool, "a command is missing");
	if (argc - optind > 1)
		return tool_wrong(&keyd.tool, "%s: one argument too many", argv[optind + 1]);
	return run_command(&keyd, argv[optind]);
}
