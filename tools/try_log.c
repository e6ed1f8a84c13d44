/* SPDX-License-Identifier: MIT */
/*
 * What PAM modules log, for rjwt-keyd try: these take the place of syslog(3) in this program, for libpam and all that it
 * loads. <syslog.h> is not included, because it has some of them as inline functions.
 */
#include "log.h"
#include "try.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRIORITIES = 7 }; /* the facility is ours */

/* What libpam calls, which is not linked with us, must be exported. */
#pragma GCC visibility push(default)
void syslog(int priority, const char *fmt, ...) RJWT_PRINTF(2, 3);
void vsyslog(int priority, const char *fmt, va_list args) RJWT_PRINTF(2, 0);
void __syslog_chk(int priority, int flag, const char *fmt, ...) RJWT_PRINTF(3, 4);
void __vsyslog_chk(int priority, int flag, const char *fmt, va_list args) RJWT_PRINTF(3, 0);
#pragma GCC visibility pop

static struct try_seen *into;

void
try_log_into(struct try_seen *seen)
{
	into = seen;
}

static void
keep(const struct buf *line)
{
	size_t n = into == NULL ? 0 : strnlen(into->log, sizeof(into->log));

	if (into != NULL && n + line->n + 2 <= sizeof(into->log))
		snprintf(into->log + n, sizeof(into->log) - n, "%s\n", line->p);
}

void
vsyslog(int priority, const char *fmt, va_list args)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	text_escape_most(&line, view_of(text), LOG_LINE_MAX);
	free(text);
	if (buf_done(&line) != RJWT_OK)
		return;
	tool_log(priority & PRIORITIES, &line);
	keep(&line);
}

void
syslog(int priority, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsyslog(priority, fmt, args);
	va_end(args);
}

void
__syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list args;

	(void)flag;
	va_start(args, fmt);
	vsyslog(priority, fmt, args);
	va_end(args);
}

void
__vsyslog_chk(int priority, int flag, const char *fmt, va_list args)
{
	(void)flag;
	vsyslog(priority, fmt, args);
}
