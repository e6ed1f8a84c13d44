/* SPDX-License-Identifier: MIT */
/* rjwt-keyd fleet, publish, join, follow, mirrors: few issuers, many hosts. */
#include "keyd.h"
#include "audit.h"
#include "options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
tell_published(const struct keyd *keyd, const struct rjwt_fleet *fleet)
{
	tool_say(&keyd->tool, "published serial %" PRId64 " of %s: %s", fleet->serial, fleet->name, fleet->path);
	audit_sent(fleet);
}

/* stdout has the line that is typed on each host. */
static int
fleet_init(struct keyd *keyd, const char *url)
{
	const char *file = keyd->key_file == NULL ? FLEET_KEY_FILE : keyd->key_file;
	struct rjwt_fleet fleet;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = rjwt_fleet_init(&keyd->tool.options, url, file, &fleet, &diag);

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

int
keyd_fleet(struct keyd *keyd)
{
	char *const *words = keyd->users.list;

	if (keyd->users.n == 0 || strcmp(words[0], "init") != 0)
		return tool_wrong(&keyd->tool, "fleet: expected fleet init URL");
	if (keyd->users.n != 2)
		return tool_wrong(&keyd->tool, "fleet init: expected one URL, where this host's file will be fetched");
	return fleet_init(keyd, words[1]);
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
	err = rjwt_join(&keyd->tool.options, keyd->users.list[0], keyd->users.list[1], &fleet, &diag);
	if (err != RJWT_OK)
		return keyd_fail(keyd, err, &diag);
	if (fleet.changed)
		audit_joined(&fleet);
	tool_say(&keyd->tool, "%s; tokens for this host: rjwt-issue -a %s USER",
	    fleet.changed ? "joined" : "already joined, nothing changed", fleet.audience);
	return EXIT_DONE;
}

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
