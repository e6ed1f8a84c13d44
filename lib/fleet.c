/* SPDX-License-Identifier: MIT */
/*
 * The fleet's side of the face: what publishes, joins, follows and denies. pam_rjwt.so does not contain this file.
 */
#include "base/host.h"
#include "base/openssl.h"
#include "base/text.h"
#include "fleet/follow.h"
#include "fleet/own.h"
#include "fleet/prune.h"
#include "fleet/publish.h"
#include "fleet/spool.h"
#include "fleet/watch.h"
#include "handle.h"
#include "keyset/events.h"
#include "keyset/lock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *
first(const struct string_list *list)
{
	return list->n > 0 ? list->list[0] : NULL;
}

static struct follow_env
env_of(const struct config *config, struct clock *clock, struct rjwt_diag *diag)
{
	return (struct follow_env){ .state = config->state_dir,
		.name = config->fleet_issuer,
		.issuer = first(&config->issuer),
		.audience = config_audience(config, NULL),
		.keyset = { &config->rotation, clock, diag, NULL } };
}

/* For join and follow, which also work on a host without a keyset. */
static enum rjwt_err
load_config(const struct rjwt_options *options, struct config *config, struct clock *clock, struct rjwt_diag *diag)
{
	if (diag != NULL)
		*diag = (struct rjwt_diag){ 0 };
	*clock = (struct clock){ .read = options->now, .context = options->now_context };
	RJWT_TRY(openssl_ready(diag));
	RJWT_TRY(config_load(options->config, config, diag));
	return handle_override(config, options, diag);
}

static void
reader_clean(struct fleet_reader **reader)
{
	fleet_close(*reader);
}

/* --- issuers ------------------------------------------------------------------------------------ */

static void
give_published(struct rjwt_fleet *fleet, const struct published *published)
{
	fleet->changed = true;
	fleet->serial = published->serial;
	memcpy(fleet->name, published->name, sizeof(fleet->name));
	memcpy(fleet->path, published->path, sizeof(fleet->path));
}

enum rjwt_err
rjwt_publish(struct rjwt *h, struct rjwt_fleet *fleet, struct rjwt_diag *diag)
{
	struct published published;
	struct follow_env env;
	bool issues;

	RJWT_TRY(handle_need_store(h, diag));
	env = env_of(&h->config, &h->clock, diag);
	RJWT_TRY(handle_issues(h, &issues, diag));
	if (!issues)
		return diag_fail(diag, RJWT_USAGE, "", "this host is not an issuer (rjwt-keyd fleet init URL)");
	RJWT_TRY(publish(h->store, &env, &published));
	*fleet = (struct rjwt_fleet){ 0 };
	give_published(fleet, &published);
	return RJWT_OK;
}

/* Publishing that fails prevents nothing else, and is reported. */
void
handle_publish(struct rjwt *h, struct event_list *events, char *warning, size_t size)
{
	struct rjwt_diag why = { 0 };
	struct rjwt_fleet fleet;
	char text[400];
	bool issues;
	enum rjwt_err err = handle_issues(h, &issues, &why);

	if (err == RJWT_OK && issues)
		err = rjwt_publish(h, &fleet, &why);
	if (err == RJWT_OK)
		return;
	snprintf(text, sizeof(text), "not published, so other hosts do not know of it yet: %.100s%s%.150s", why.path,
	    why.path[0] == '\0' ? "" : ": ", why.text[0] == '\0' ? rjwt_strerror(err) : why.text);
	events_add_warning(events, text);
	text_append(warning, size, "; ", "%s", text);
}

/* After a failure too it waits: what prevents it is said once in that time. */
void
handle_publish_due(struct rjwt *h, struct event_list *events, char *warning, size_t size, int64_t *next_s)
{
	struct record record;
	struct rjwt_time now;
	bool issues;
	int64_t at_s;

	if (handle_issues(h, &issues, NULL) == RJWT_OK && !issues)
		return;
	clock_now(&h->clock, &now);
	at_s = now.wall_s + PUBLISH_EVERY_S;
	if (publish_last(h->config.state_dir, &record, NULL) == RJWT_OK && record.stopped[0] == '\0' &&
	    record.iat_s <= now.wall_s && now.wall_s - record.iat_s < PUBLISH_EVERY_S &&
	    record.next == store_keyset(h->store)->next.version)
		at_s = record.iat_s + PUBLISH_EVERY_S;
	else
		handle_publish(h, events, warning, size);
	if (*next_s == 0 || at_s < *next_s)
		*next_s = at_s;
}

enum rjwt_err
handle_issues(const struct rjwt *h, bool *issues, struct rjwt_diag *diag)
{
	*issues = false; /* a host that only follows */
	return h->store == NULL ? RJWT_OK : own_look(store_dir(h->store), issues, diag);
}

enum rjwt_err
handle_renew(const struct config *config, struct clock *clock, struct rjwt_diag *diag)
{
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	struct follow_env env = env_of(config, clock, diag);
	bool issues;

	RJWT_TRY(publish_look(config->state_dir, &issues, diag));
	if (!issues)
		return RJWT_OK;
	RJWT_TRY(store_open(config->state_dir, NULL, &store, diag));
	return fleet_renew(store, &env);
}

/* A keyset that is there is fine. */
static enum rjwt_err
open_or_init(const struct rjwt_options *options, struct rjwt **handle, struct rjwt_diag *diag)
{
	struct rjwt_change made;
	enum rjwt_err err = rjwt_init(options, 0, &made, diag);

	if (err != RJWT_OK && err != RJWT_EXISTS)
		return err;
	return rjwt_open(options, handle, diag);
}

enum rjwt_err
rjwt_fleet_init(const struct rjwt_options *options, const char *url, const char *key_file, struct rjwt_fleet *fleet,
    struct rjwt_diag *diag)
{
	struct fleet_made all;
	struct follow_env env;
	struct rjwt *h;
	enum rjwt_err err;

	RJWT_TRY(open_or_init(options, &h, diag));
	env = env_of(&h->config, &h->clock, diag);
	err = fleet_make(h->store, &env, url, key_file, &all);
	rjwt_close(h);
	RJWT_TRY(err);
	*fleet = (struct rjwt_fleet){ .made_keys = all.keys };
	give_published(fleet, &all.published);
	memcpy(fleet->key, all.pin.text, sizeof(fleet->key));
	return RJWT_OK;
}

enum rjwt_err
rjwt_fleet_request(const struct rjwt_options *options, const char *url, const char *name, char **entry,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct fleet_issuer found;
	struct follow_env env;
	struct rjwt *h;
	bool issues = true;
	size_t len;
	enum rjwt_err err;

	RJWT_TRY(url == NULL ? rjwt_open(options, &h, diag) : open_or_init(options, &h, diag));
	env = env_of(&h->config, &h->clock, diag);
	err = handle_need_store(h, diag);
	if (err == RJWT_OK && url == NULL)
		err = handle_issues(h, &issues, diag);
	if (err == RJWT_OK && !issues)
		err = diag_fail(diag, RJWT_USAGE, "", "this host is not an issuer (rjwt-keyd fleet init URL)");
	if (err == RJWT_OK)
		err = fleet_entry(h->store, &env, url == NULL ? "" : url, name == NULL ? "" : name, &found);
	rjwt_close(h);
	RJWT_TRY(err);
	RJWT_TRY(roster_entry_format(&text, &found));
	return buf_give(&text, entry, &len);
}

static void
give_report(const struct follow_report *report, void (*say)(void *context, bool wrong, const char *text), void *context)
{
	char text[64];

	for (size_t i = 0; i < report->done.n; i++)
		say(context, false, report->done.list[i]);
	for (size_t i = 0; i < report->wrong.n; i++)
		say(context, true, report->wrong.list[i]);
	snprintf(text, sizeof(text), "%zu line%s skipped", report->skipped, report->skipped == 1 ? "" : "s");
	if (report->skipped > 0)
		say(context, false, text);
}

/* This host takes the roster as any other does. If it issues, its next bundle says so. */
static enum rjwt_err
take_roster(const struct rjwt_options *options, const struct follow_env *env, const char *path,
    struct follow_report *report, struct rjwt_fleet *fleet, struct rjwt_diag *diag)
{
	const char *const files[] = { path, NULL };
	struct rjwt_fleet published;
	struct rjwt *h;
	enum rjwt_err err;
	bool issues;

	RJWT_TRY(follow_files(env, files, report));
	RJWT_TRY(publish_look(env->state, &issues, diag));
	if (!issues)
		return RJWT_OK;
	RJWT_TRY(rjwt_open(options, &h, diag));
	err = rjwt_publish(h, &published, diag);
	rjwt_close(h);
	RJWT_TRY(err);
	fleet->serial = published.serial;
	memcpy(fleet->name, published.name, sizeof(fleet->name));
	return RJWT_OK;
}

static enum rjwt_err
read_request(const struct rjwt_roster *roster, struct roster_request *request, struct rjwt_diag *diag)
{
	if ((roster->add != NULL) + (roster->drop != NULL) + (roster->roll != NULL) != 1)
		return diag_fail(diag, RJWT_USAGE, "", "name exactly one of these: an entry, a name, a file");
	*request = (struct roster_request){ .what = ROSTER_ROLL,
		.subject = roster->roll,
		.key_file = roster->key_file,
		.files = roster->files };
	if (roster->add != NULL) {
		request->what = ROSTER_ADD;
		request->subject = roster->add;
	} else if (roster->drop != NULL) {
		request->what = ROSTER_DROP;
		request->subject = roster->drop;
	}
	return RJWT_OK;
}

/* Once the roster is written, it is out: what fails after that is said, beside it. */
static enum rjwt_err
give_roster(const struct rjwt_options *options, const struct follow_env *env, struct roster_made *made, char **lines,
    struct rjwt_fleet *fleet, struct follow_report *report)
{
	struct rjwt_diag why = { 0 };
	struct follow_env quiet = *env;
	size_t len;
	enum rjwt_err err;

	*fleet = (struct rjwt_fleet){ .changed = true, .made_keys = made->made_keys, .roster = made->roster.n };
	fleet->issuers = (int)made->roster.nissuers;
	memcpy(fleet->key, made->pin.text, sizeof(fleet->key));
	memcpy(fleet->path, made->path, sizeof(fleet->path));
	quiet.keyset.diag = &why;
	err = take_roster(options, &quiet, made->path, report, fleet, &why);
	if (err != RJWT_OK)
		RJWT_TRY(string_list_add(&report->wrong, why.text[0] == '\0' ? rjwt_strerror(err) : why.text));
	return buf_give(&made->lines, lines, &len);
}

enum rjwt_err
rjwt_fleet_roster(const struct rjwt_options *options, const struct rjwt_roster *roster, char **lines,
    struct rjwt_fleet *fleet, void (*say)(void *context, bool wrong, const char *text), void *context,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(config_clear) struct config config = { 0 };
	RJWT_CLEAN(follow_report_clear) struct follow_report report = { 0 };
	struct roster_made made = { 0 };
	struct roster_request request;
	struct follow_env env;
	struct clock clock;
	enum rjwt_err err;

	RJWT_TRY(load_config(options, &config, &clock, diag));
	RJWT_TRY(read_request(roster, &request, diag));
	env = env_of(&config, &clock, diag);
	err = fleet_change_roster(&env, &request, &made, &report);
	if (err == RJWT_OK)
		err = give_roster(options, &env, &made, lines, fleet, &report);
	buf_clear(&made.lines);
	give_report(&report, say, context);
	return err;
}

/* --- hosts -------------------------------------------------------------------------------------- */

static void
give_joined(const struct fleet *joined, bool changed, struct rjwt_fleet *fleet)
{
	*fleet = (struct rjwt_fleet){ .changed = changed };
	memcpy(fleet->audience, joined->audience, sizeof(fleet->audience));
	memcpy(fleet->key, joined->pin.text, sizeof(fleet->key));
}

enum rjwt_err
rjwt_join(const struct rjwt_options *options, const char *url, const char *key, struct rjwt_fleet *fleet,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(config_clear) struct config config = { 0 };
	struct follow_env env;
	struct fleet joined;
	struct clock clock;
	bool changed;

	RJWT_TRY(load_config(options, &config, &clock, diag));
	env = env_of(&config, &clock, diag);
	RJWT_TRY(follow_join(&env, url, key, &changed, &joined));
	give_joined(&joined, changed, fleet);
	return RJWT_OK;
}

enum rjwt_err
rjwt_joined(const struct rjwt_options *options, const char *url, const char *key, struct rjwt_fleet *fleet,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(config_clear) struct config config = { 0 };
	struct follow_env env;
	struct fleet joined;
	struct clock clock;

	RJWT_TRY(load_config(options, &config, &clock, diag));
	env = env_of(&config, &clock, diag);
	RJWT_TRY(follow_joined(&env, url, key, &joined));
	give_joined(&joined, false, fleet);
	return RJWT_OK;
}

enum rjwt_err
rjwt_follow(const struct rjwt_options *options, const char *const *files,
    void (*say)(void *context, bool wrong, const char *text), void *context, struct rjwt_diag *diag)
{
	RJWT_CLEAN(config_clear) struct config config = { 0 };
	RJWT_CLEAN(follow_report_clear) struct follow_report report = { 0 };
	RJWT_CLEAN(string_list_clear) struct string_list found = { 0 };
	static const char *const none[] = { NULL };
	struct follow_env env;
	struct clock clock;
	enum rjwt_err err;

	RJWT_TRY(load_config(options, &config, &clock, diag));
	env = env_of(&config, &clock, diag);
	RJWT_TRY(spool_files(files, &found, diag));
	err = follow_files(&env, found.n == 0 ? none : string_list_view(&found), &report);
	give_report(&report, say, context);
	return err;
}

enum rjwt_err
rjwt_following(const struct rjwt_options *options, struct rjwt_following *following, struct rjwt_diag *diag)
{
	RJWT_CLEAN(config_clear) struct config config = { 0 };
	RJWT_CLEAN(reader_clean) struct fleet_reader *reader = NULL;
	struct rjwt_following found = { 0 };
	struct clock clock;

	RJWT_TRY(load_config(options, &config, &clock, diag));
	RJWT_TRY(fleet_open(config.state_dir, &reader));
	RJWT_TRY(watch_installed(reader, config.fleet_max_age_s, &found, diag));
	RJWT_TRY(watch_spool(fleet_value(reader), &found));
	RJWT_TRY(watch_own(config.state_dir, config.fleet_max_age_s, &found));
	*following = found;
	return RJWT_OK;
}

/* What is not removed rejects tokens that are rejected anyway: it prevents nothing else, and is reported. */
void
handle_prune(struct rjwt *h, struct rjwt_change *done)
{
	struct rjwt_diag why = { 0 };
	struct follow_env env = env_of(&h->config, &h->clock, &why);
	char text[PRUNE_TEXT];
	size_t removed = 0;
	enum rjwt_err err;
	bool in_fleet;

	if (handle_is_in_fleet(h, &in_fleet) != RJWT_OK || !in_fleet || fleet_value(h->fleet) == NULL)
		return;
	err = follow_prune(&env, &removed);
	if (err != RJWT_OK)
		text_append(done->warning, sizeof(done->warning), "; ", "old denials are not removed: %.100s%s%.150s",
		    why.path, why.path[0] == '\0' ? "" : ": ", why.text[0] == '\0' ? rjwt_strerror(err) : why.text);
	prune_describe(text, removed);
	if (removed > 0)
		text_append(done->text, sizeof(done->text), "; ", "%s", text);
	done->any = done->any || removed > 0;
}
