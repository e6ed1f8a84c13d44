/* SPDX-License-Identifier: MIT */
/* rjwt-keyd fleet, publish, join, follow, mirrors: few issuers, many hosts. */
#include "keyd.h"
#include "audit.h"
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct events {
	const struct keyd *keyd;
	bool any, wrong;
};

static void
say_event(void *context, bool wrong, const char *text)
{
	struct events *events = context;

	tool_say(&events->keyd->tool, "%s", text);
	if (wrong)
		audit_warning(text);
	else
		audit_followed(text);
	events->any = true;
	events->wrong = events->wrong || wrong;
}

static void
tell_published(const struct keyd *keyd, const struct rjwt_fleet *fleet)
{
	tool_say(&keyd->tool, "published serial %" PRId64 " of %s: %s", fleet->serial, fleet->name, fleet->path);
	audit_sent(fleet);
}

/* stdout has the line that is typed on each host. */
static int
fleet_init(struct keyd *keyd, const char *url, const char *const *rest)
{
	const char *file = keyd->key_file == NULL ? FLEET_KEY_FILE : keyd->key_file;
	struct rjwt_fleet fleet;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = rjwt_fleet_init(&keyd->tool.options, url, file, &fleet, &diag);

	(void)rest;
	if (err != RJWT_OK)
		return keyd_fail(keyd, err, &diag);
	if (fleet.made_keys)
		tool_say(&keyd->tool, "made the fleet keys: %s; move it off this host", file);
	tell_published(keyd, &fleet);
	tool_say(&keyd->tool, "serve that file at the address above, then type on each host:");
	/* Ours never begin as an option does; those of a file that is older may. */
	printf("rjwt-keyd join %s%s %s\n", fleet.key[0] == '-' ? "-- " : "", url, fleet.key);
	return EXIT_DONE;
}

/* stdout has the entry. */
static int
fleet_request(struct keyd *keyd, const char *url, const char *const *name)
{
	struct rjwt_diag diag = { 0 };
	char *entry = NULL;
	enum rjwt_err err = rjwt_fleet_request(&keyd->tool.options, url, name[0], &entry, &diag);

	if (err != RJWT_OK)
		return keyd_fail(keyd, err, &diag);
	tool_say(&keyd->tool, "on the host with the fleet keys, type rjwt-keyd fleet add 'ENTRY', with this entry:");
	puts(entry);
	rjwt_free(entry);
	return EXIT_DONE;
}

int
keyd_tell_entry(struct keyd *keyd)
{
	struct rjwt_diag diag = { 0 };
	char *entry = NULL;
	enum rjwt_err err = rjwt_fleet_request(&keyd->tool.options, NULL, NULL, &entry, &diag);

	if (err == RJWT_USAGE)
		return EXIT_DONE; /* no roster lists it */
	if (err != RJWT_OK)
		return keyd_fail(keyd, err, &diag);
	tool_say(&keyd->tool,
	    "hosts accept the old keyset until a roster names this one, and nothing is published until then; "
	    "on the host with the fleet keys, type rjwt-keyd fleet add 'ENTRY', with this entry:");
	puts(entry);
	rjwt_free(entry);
	return EXIT_REFUSED;
}

/* stdout has the lines that were signed, for a host of the fleet key that issues nothing. */
static int
change_roster(struct keyd *keyd, struct rjwt_roster *roster)
{
	struct events events = { .keyd = keyd };
	struct rjwt_fleet fleet;
	struct rjwt_diag diag = { 0 };
	char *lines = NULL;
	enum rjwt_err err;

	roster->key_file = keyd->key_file == NULL ? FLEET_KEY_FILE : keyd->key_file;
	err = rjwt_fleet_roster(&keyd->tool.options, roster, &lines, &fleet, say_event, &events, &diag);
	if (err != RJWT_OK)
		return keyd_fail(keyd, err, &diag);
	if (fleet.made_keys)
		tool_say(&keyd->tool, "made the fleet keys: %s; move it off this host", roster->roll);
	tool_say(&keyd->tool, "made roster %" PRId64 ", with %d issuer%s: %s", fleet.roster, fleet.issuers,
	    fleet.issuers == 1 ? "" : "s", fleet.path);
	if (fleet.serial != 0)
		tool_say(&keyd->tool, "published serial %" PRId64 " of %s", fleet.serial, fleet.name);
	if (roster->roll != NULL)
		tool_say(&keyd->tool, "hosts that join from now on are given the key %s", fleet.key);
	(void)fputs(lines, stdout);
	rjwt_free(lines);
	return events.wrong ? EXIT_REFUSED : EXIT_DONE;
}

static int
fleet_add(struct keyd *keyd, const char *entry, const char *const *files)
{
	return change_roster(keyd, &(struct rjwt_roster){ .add = entry, .files = files });
}

static int
fleet_drop(struct keyd *keyd, const char *name, const char *const *files)
{
	return change_roster(keyd, &(struct rjwt_roster){ .drop = name, .files = files });
}

static int
fleet_roll(struct keyd *keyd, const char *file, const char *const *files)
{
	return change_roster(keyd, &(struct rjwt_roster){ .roll = file, .files = files });
}

/* What follows the word: one argument that is needed, and so many that are not. */
static const struct part {
	const char *word, *expected;
	size_t more;
	int (*run)(struct keyd *keyd, const char *first, const char *const *rest);
} parts[] = {
	{ "init", "one URL, where this host's file will be fetched", 0, fleet_init },
	{ "request", "URL, where this host's file will be fetched, and at most one NAME", 1, fleet_request },
	{ "add", "ENTRY, as rjwt-keyd fleet request prints it, and FILE...", SIZE_MAX, fleet_add },
	{ "drop", "the NAME of an issuer, and FILE...", SIZE_MAX, fleet_drop },
	{ "roll", "the file for the new fleet keys, and FILE...", SIZE_MAX, fleet_roll },
};

int
keyd_fleet(struct keyd *keyd)
{
	const char *const *words = string_list_view(&keyd->users);
	size_t n = keyd->users.n;

	for (size_t i = 0; n > 0 && i < ARRAY_LEN(parts); i++) {
		if (strcmp(words[0], parts[i].word) != 0)
			continue;
		if ((keyd->given & (JSON | QUIET)) != 0)
			return tool_wrong(&keyd->tool, "fleet %s does not take --%s", words[0],
			    keyd->json ? "json" : "quiet");
		if (n < 2 || n - 2 > parts[i].more)
			return tool_wrong(&keyd->tool, "fleet %s: expected %s", words[0], parts[i].expected);
		return parts[i].run(keyd, words[1], &words[2]);
	}
	if ((keyd->given & KEY_FILE) != 0)
		return tool_wrong(&keyd->tool, "fleet: --key belongs to init, request, add, drop and roll");
	/* A log's name has a path or a dot: a word that was typed wrongly has none. */
	if (n > 0 && strcmp(words[0], "-") != 0 && strpbrk(words[0], "/.") == NULL)
		return tool_wrong(&keyd->tool,
		    "fleet %s: expected init, request, add, drop, roll or the file of a log (written as ./%s)",
		    words[0], words[0]);
	return keyd_hosts(keyd, words, n);
}

int
keyd_publish(struct keyd *keyd)
{
	struct rjwt_fleet fleet;
	struct rjwt_diag diag = { 0 };
	struct rjwt *handle;
	enum rjwt_err err = rjwt_open(&keyd->tool.options, &handle, &diag);

	if (err == RJWT_OK) {
		err = rjwt_publish(handle, &fleet, &diag);
		rjwt_close(handle);
	}
	if (err != RJWT_OK)
		return keyd_fail(keyd, err, &diag);
	tell_published(keyd, &fleet);
	return EXIT_DONE;
}

int
keyd_join(struct keyd *keyd)
{
	struct rjwt_fleet fleet;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err;

	if (keyd->users.n != 2)
		return tool_wrong(&keyd->tool, "join: expected URL and KEY, as rjwt-keyd fleet init prints them");
	err = ((keyd->given & CHECK) != 0 ? rjwt_joined : rjwt_join)(&keyd->tool.options, keyd->users.list[0],
	    keyd->users.list[1], &fleet, &diag);
	if (err != RJWT_OK)
		return (keyd->given & CHECK) != 0 ? tool_fail(&keyd->tool, err, &diag) : keyd_fail(keyd, err, &diag);
	if (fleet.changed)
		audit_joined(&fleet);
	tool_say(&keyd->tool, "%s; tokens for this host: rjwt-issue -a %s USER",
	    fleet.changed ? "joined" : "already joined, nothing changed", fleet.audience);
	return EXIT_DONE;
}

int
keyd_follow(struct keyd *keyd)
{
	struct events events = { .keyd = keyd };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err;

	err = rjwt_follow(&keyd->tool.options, string_list_view(&keyd->users), say_event, &events, &diag);
	if (err != RJWT_OK)
		return keyd_fail(keyd, err, &diag);
	if (!events.any)
		tool_say(&keyd->tool, "nothing new");
	return events.wrong ? EXIT_REFUSED : EXIT_DONE;
}

void
keyd_follow_first(struct keyd *keyd)
{
	struct events events = { .keyd = keyd };
	struct rjwt_following following = { 0 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = rjwt_following(&keyd->tool.options, &following, &diag);

	if (err == RJWT_KEY_UNKNOWN)
		return; /* in no fleet */
	err = rjwt_follow(&keyd->tool.options, NULL, say_event, &events, &diag);
	if (err != RJWT_OK && diag.errnum != ENOENT) /* another carrier has no spool */
		(void)keyd_fail(keyd, err, &diag);
}

/* --- what a carrier asks --------------------------------------------------------------------------- */

/* A word of a log line that a web server writes, whatever the host is called. */
static void
put_word(const char *name)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";

	for (; *name != '\0'; name++)
		putchar(strchr(good, *name) == NULL ? '_' : *name);
}

static void
put_agent(const struct rjwt_following *following)
{
	printf("rjwt/1 ");
	put_word(following->audience);
	printf(" n=%" PRId64, following->roster);
	for (size_t i = 0; i < following->n; i++)
		if (!following->issuers[i].own)
			printf(" %s=%" PRId64, following->issuers[i].name, following->issuers[i].serial);
	puts("");
}

/* Before the first roster there is the address that join was told. */
int
keyd_mirrors(struct keyd *keyd)
{
	struct rjwt_following following = { 0 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = rjwt_following(&keyd->tool.options, &following, &diag);

	if (err == RJWT_KEY_UNKNOWN)
		return tool_fail(&keyd->tool, RJWT_KEYSET,
		    &(struct rjwt_diag){ .text = "this host has joined no fleet (rjwt-keyd join URL KEY)" });
	if (err != RJWT_OK)
		return tool_fail(&keyd->tool, err, &diag);
	if ((keyd->given & AGENT) != 0) {
		put_agent(&following);
		return EXIT_DONE;
	}
	if (following.roster == 0)
		puts(following.url);
	for (size_t i = 0; i < following.n; i++)
		puts(following.issuers[i].url);
	return EXIT_DONE;
}
