/* SPDX-License-Identifier: MIT */
#include "audit.h"
#include "caller.h"
#include "tool.h"
#include "base/datetime.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <syslog.h>

static const char *
word_of(enum rjwt_event_kind kind)
{
	static const char *const words[] = { [RJWT_EVENT_PUBLISHED] = "published",
		[RJWT_EVENT_PROMOTED] = "promoted",
		[RJWT_EVENT_RETIRED] = "retired",
		[RJWT_EVENT_ERASED] = "erased",
		[RJWT_EVENT_REMOVED] = "removed" };

	return words[kind];
}

static void
log_key(const struct rjwt_event *event)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	char until[32];

	buf_adds(&line, word_of(event->kind));
	text_log_word(&line, "kid", view_of(event->kid));
	if (event->alg != NULL)
		text_log_word(&line, "alg", view_of(event->alg));
	if (event->cause != NULL)
		text_log_word(&line, "cause", view_of(event->cause));
	if (event->until_s != 0) {
		time_format(until, event->until_s);
		text_log_word(&line, "exp", view_of(until));
	}
	tool_log(LOG_NOTICE, &line);
}

static void
log_clock(const struct rjwt_event *event)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };

	text_log_clock(&line, event->by_s);
	tool_log(LOG_WARNING, &line);
}

static void
log_codes(const struct rjwt_event *event)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	char count[32];

	buf_adds(&line, "codes");
	snprintf(count, sizeof(count), "%zu", event->renewed);
	text_log_word(&line, "renewed", view_of(count));
	snprintf(count, sizeof(count), "%zu", event->removed);
	text_log_word(&line, "removed", view_of(count));
	tool_log(LOG_NOTICE, &line);
}

void
audit_event(void *context, const struct rjwt_event *event)
{
	(void)context;
	if (event->kind == RJWT_EVENT_CLOCK)
		log_clock(event);
	else if (event->kind == RJWT_EVENT_CODES)
		log_codes(event);
	else if (event->kind == RJWT_EVENT_WARNING)
		audit_warning(event->text);
	else
		log_key(event);
}

void
audit_revoked(const char *what, const char *value, int64_t live)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	struct caller caller = { 0 };
	char count[32];

	buf_adds(&line, "revoked");
	text_log_word(&line, what, view_of(value));
	caller_read(&caller);
	caller_log(&caller, &line);
	if (live >= 0) {
		snprintf(count, sizeof(count), "%" PRId64, live);
		text_log_word(&line, "live", view_of(count));
	}
	tool_log(LOG_NOTICE, &line);
}

void
audit_put_error(struct buf *line, const struct rjwt_diag *diag)
{
	char place[32];

	if (diag->path[0] != '\0')
		text_log_word(line, "path", view_of(diag->path));
	if (diag->line != 0) {
		snprintf(place, sizeof(place), "%u:%u", diag->line, diag->column);
		text_log_word(line, "line", view_of(place));
	}
	if (diag->text[0] != '\0')
		text_log_word(line, "error", view_of(diag->text));
}

void
audit_failed(enum rjwt_err err, const struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };

	buf_adds(&line, "failed");
	text_log_word(&line, "reason", view_of(rjwt_reason(err)));
	audit_put_error(&line, diag);
	if (diag->text[0] == '\0')
		text_log_word(&line, "error", view_of(rjwt_strerror(err)));
	tool_log(LOG_ERR, &line);
}

void
audit_sent(const struct rjwt_fleet *fleet)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	char serial[32];

	snprintf(serial, sizeof(serial), "%" PRId64, fleet->serial);
	buf_adds(&line, "sent");
	text_log_word(&line, "issuer", view_of(fleet->name));
	text_log_word(&line, "serial", view_of(serial));
	tool_log(LOG_NOTICE, &line);
}

static void
log_word(int priority, const char *event, const char *key, const char *value)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };

	buf_adds(&line, event);
	text_log_word(&line, key, view_of(value));
	tool_log(priority, &line);
}

void
audit_joined(const struct rjwt_fleet *fleet)
{
	log_word(LOG_NOTICE, "joined", "aud", fleet->audience);
}

void
audit_followed(const char *text)
{
	log_word(LOG_NOTICE, "followed", "text", text);
}

void
audit_warning(const char *text)
{
	log_word(LOG_WARNING, "warning", "text", text);
}
