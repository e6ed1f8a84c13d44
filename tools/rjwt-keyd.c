/* SPDX-License-Identifier: MIT */
/* rjwt-keyd: the keyset's keeper. */
#include "keyd.h"
#include "audit.h"
#include "fleet_log.h"
#include "options.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

void
keyd_tell(const struct keyd *keyd, const struct rjwt_change *change)
{
	if (change->warning[0] != '\0')
		tool_say(&keyd->tool, "warning: %s", change->warning);
	tool_say(&keyd->tool, "%s%s", keyd->dry_run ? "dry run, would do: " : "", change->text);
}

int
keyd_fail(const struct keyd *keyd, enum rjwt_err err, const struct rjwt_diag *diag)
{
	if (!keyd->dry_run)
		audit_failed(err, diag);
	return tool_fail(&keyd->tool, err, diag);
}

static int
keyd_init(struct keyd *keyd)
{
	struct rjwt_change change;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = rjwt_init(&keyd->tool.options, (keyd->given & ADOPT) != 0 ? RJWT_ADOPT : 0, &change, &diag);

	if (err == RJWT_EXISTS && keyd->if_missing) {
		tool_say(&keyd->tool, "%s: the keyset exists and is left unchanged", diag.path);
		return EXIT_DONE;
	}
	if (err != RJWT_OK)
		return tool_fail(&keyd->tool, err, &diag);
	keyd_tell(keyd, &change);
	return (keyd->given & ADOPT) != 0 ? keyd_tell_entry(keyd) : EXIT_DONE;
}

int
keyd_change(struct keyd *keyd, keyd_changer *how, struct rjwt_change *done)
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

static int
keyd_once(struct keyd *keyd)
{
	struct rjwt_change done;

	return keyd_change(keyd, do_tick, &done);
}

static int
keyd_rotate(struct keyd *keyd)
{
	struct rjwt_change done;
	int status = keyd_change(keyd, do_rotate, &done);

	if (status == EXIT_DONE)
		puts(done.kid);
	return status == EXIT_DONE && (keyd->given & COMPROMISED) != 0 && !keyd->dry_run ? keyd_tell_entry(keyd)
											 : status;
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
	int takes; /* options */
	const char *help;
} commands[] = {
	{ "init", keyd_init, IF_MISSING | ADOPT, "create the keyset" },
	{ "run", keyd_run, 0, "run until SIGTERM, and rotate keys when due; SIGHUP rereads the configuration" },
	{ "once", keyd_once, DRY_RUN, "do what is due now, and exit: for cron" },
	{ "rotate", keyd_rotate, DRY_RUN | COMPROMISED, "make the next key active now, and print its key id" },
	{ "codes", keyd_codes, LIFETIME | SCOPE,
	    "codes N USER: print N codes, each for one login of USER when all else fails" },
	{ "list", keyd_list, JSON | MINTED_BY, "show who can log in now: the tokens minted here that are still live" },
	{ "revoke", keyd_revoke, DRY_RUN | JTI | SUB | KID | ALL | WAIT | LOG_FILE, "reject tokens from now on" },
	{ "status", keyd_status, JSON | QUIET,
	    "say whether all is well and what is next; exits with 0, 1 (WARN) or 3 (FAIL)" },
	{ "jwks", keyd_jwks, 0, "print the public keys as a JWK Set" },
	{ "check", keyd_check, JSON | QUIET, "say what will not work, or surprise, and what to do; change nothing" },
	{ "try", keyd_try, JSON | QUIET,
	    "try USER [SERVICE...]: log in through the real PAM stacks, with good and bad tokens" },
	{ "fleet", keyd_fleet, KEY_FILE | JSON | QUIET,
	    "init URL, request URL, add ENTRY, drop NAME, roll FILE: issuers; LOG...: hosts that lag" },
	{ "publish", keyd_publish, 0, "publish keys and denials now; every change does so by itself" },
	{ "join", keyd_join, CHECK, "join URL KEY: accept tokens of the issuers of a fleet" },
	{ "follow", keyd_follow, 0,
	    "follow [FILE...]: install what these files of a fleet, or those of the spool, offer" },
	{ "mirrors", keyd_mirrors, AGENT, "print where the files of the fleet are to be fetched, an address a line" },
};

static const struct option_row rows[] = {
	{ IF_MISSING, "if-missing", NULL, "succeed if there is already a keyset", "Options of init:" },
	{ ADOPT, "adopt", NULL, "adopt a copied, restored or damaged keyset; earlier tokens stop working", NULL },
	{ COMPROMISED, "compromised", NULL, "replace both keys and erase the old ones; earlier tokens stop working",
	    "Options of rotate:" },
	{ LIFETIME, "lifetime", "DURATION", "how long the codes work, up to 400d",
	    "Options of codes (both are required):" },
	{ SCOPE, "scope", "WORD", "what they open; codes in rjwt.yaml must name it", NULL },
	{ JTI, "jti", "ID", "the token with this id", "Options of revoke (exactly one of the first four):" },
	{ SUB, "sub", "NAME...", "all tokens of these login names minted until now", NULL },
	{ KID, "kid", "KID", "all tokens signed with this key", NULL },
	{ ALL, "all", NULL, "all tokens minted until now", NULL },
	{ WAIT, "wait", "DURATION", "on an issuer: wait at most so long until the hosts have it", NULL },
	{ LOG_FILE, "log", "FILE", "the access log that --wait reads (default: " FLEET_LOG_FILE ")", NULL },
	{ MINTED_BY, "by", "NAME", "what this user minted, by rjwt-grant or as root", "Options of list:" },
	{ JSON, "json", NULL, "print a JSON object", "Options of list, status, check, try, fleet LOG:" },
	{ 'q', "quiet", NULL, "print the verdict alone", "Options of status, check, try, fleet LOG:" },
	{ KEY_FILE, "key", "FILE", "where the fleet keys are (default: " FLEET_KEY_FILE ")", "Options of fleet:" },
	{ CHECK, "check", NULL, "change nothing: exits with 0 if this host has joined with KEY", "Options of join:" },
	{ AGENT, "agent", NULL, "print the User-Agent with which this host fetches them", "Options of mirrors:" },
	{ DRY_RUN, "dry-run", NULL, "report what would be done, change nothing", "Options of once, rotate, revoke:" },
	{ 0, NULL, NULL, NULL, NULL },
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
		return tool_wrong(&keyd->tool, "%s: unknown command; did you mean %s?", name, near);
	return tool_wrong(&keyd->tool, "%s: unknown command", name);
}

static void
print_commands(void)
{
	printf("\nCommands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-8s  %s\n", commands[i].name, commands[i].help);
}

static const struct program keyd_program = {
	.name = "rjwt-keyd",
	.usage = "Usage: rjwt-keyd [options] COMMAND\n"
		 "Create, rotate and show the keyset that signs login tokens, and revoke tokens.\n",
	.options = rows,
	.commands = print_commands,
	.footer = "See rjwt-keyd(8).\n",
};

static int
run_command(struct keyd *keyd, const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		int wrong = keyd->given & ~commands[i].takes;

		if (strcmp(name, commands[i].name) != 0)
			continue;
		if (wrong != 0)
			return tool_wrong(&keyd->tool, "%s does not take --%s", name,
			    option_name(&keyd->tool, (wrong & -wrong) == QUIET ? 'q' : wrong & -wrong));
		if (keyd->given == (IF_MISSING | ADOPT))
			return tool_wrong(&keyd->tool, "init: --if-missing and --adopt cannot be combined");
		return tool_end(&keyd->tool, commands[i].run(keyd));
	}
	return unknown_command(keyd, name);
}

/* Where the argument of an option is kept that may be given once; NULL: it is another option. */
static const char **
place_of(struct keyd *keyd, int option)
{
	const struct {
		int option;
		const char **place;
	} places[] = {
		{ JTI, &keyd->jti },
		{ KID, &keyd->kid },
		{ KEY_FILE, &keyd->key_file },
		{ LIFETIME, &keyd->lifetime },
		{ SCOPE, &keyd->scope },
		{ WAIT, &keyd->wait },
		{ LOG_FILE, &keyd->log_file },
		{ MINTED_BY, &keyd->by },
	};

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (places[i].option == option)
			return places[i].place;
	return NULL;
}

static int
take_option(void *context, int option)
{
	struct keyd *keyd = context;
	const char **once = place_of(keyd, option);

	if (once != NULL && *once != NULL)
		return tool_wrong(&keyd->tool, "--%s: given twice", option_name(&keyd->tool, option));
	if (once != NULL)
		*once = optarg;
	if (option == SUB && string_list_add(&keyd->users, optarg) != RJWT_OK)
		return tool_fail(&keyd->tool, RJWT_MEMORY, &(struct rjwt_diag){ 0 });
	keyd->given |= option == 'q' ? QUIET : option;
	keyd->dry_run = (keyd->given & DRY_RUN) != 0;
	keyd->if_missing = (keyd->given & IF_MISSING) != 0;
	keyd->json = (keyd->given & JSON) != 0;
	keyd->quiet = (keyd->given & QUIET) != 0;
	return EXIT_DONE;
}

/* Whether arguments follow the command. */
static bool
takes_arguments(const struct keyd *keyd, const char *command)
{
	static const char *const names[] = { "try", "codes", "fleet", "join", "follow" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(command, names[i]) == 0)
			return true;
	return (keyd->given & SUB) != 0;
}

/* COMMAND, and what follows some of them. -1: continue. */
static int
take_arguments(struct keyd *keyd, int argc, char **argv)
{
	if (optind == argc)
		return tool_wrong(&keyd->tool, "COMMAND is missing");
	for (int i = optind + 1; i < argc; i++) {
		if (!takes_arguments(keyd, argv[optind]))
			return tool_wrong(&keyd->tool, "%s: unexpected argument", argv[i]);
		if (string_list_add(&keyd->users, argv[i]) != RJWT_OK)
			return tool_fail(&keyd->tool, RJWT_MEMORY, &(struct rjwt_diag){ 0 });
	}
	return -1;
}

int
main(int argc, char **argv)
{
	struct keyd keyd = { 0 };
	int status;

	tool_begin(&keyd.tool, &keyd_program);
	tool_choose_tpm();
	keyd.tool.options.event = audit_event;
	status = options_read(&keyd.tool, argc, argv, take_option, &keyd);
	if (status == -1)
		status = take_arguments(&keyd, argc, argv);
	if (status == -1)
		status = run_command(&keyd, argv[optind]);
	string_list_clear(&keyd.users);
	return status;
}
