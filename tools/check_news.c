/* SPDX-License-Identifier: MIT */
/*
 * check_news(): what has changed in the findings of check since the daemon was started before. The record has a line for
 * each finding, "LEVEL CODE PATH", and nothing of what the files say.
 */
#include "audit.h"
#include "check.h"
#include "log.h"
#include "base/file_write.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define RECORD "findings"
#define RECORD_BEGINS "rjwt findings 1"
#define RECORD_MAX 262144

struct news {
	struct string_list before, now; /* lines of the record */
	bool changed;
};

static void
news_clear(struct news *news)
{
	string_list_clear(&news->before);
	string_list_clear(&news->now);
}

/* " CODE PATH": what a finding is known by. A path may have several of a kind, and line numbers move. */
static const char *
name_of(const char *line)
{
	return line + strcspn(line, " ");
}

static const char *
find(const struct string_list *lines, const char *line)
{
	for (size_t i = 0; i < lines->n; i++)
		if (strcmp(name_of(lines->list[i]), name_of(line)) == 0)
			return lines->list[i];
	return NULL;
}

/* Whatever is not such a record counts as none: then all that is found is new. */
static enum rjwt_err
read_record(const struct dir *dir, struct string_list *lines)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	enum rjwt_err err = file_read(dir, RECORD, RECORD_MAX, &text, NULL, NULL);
	char *rest = NULL, *line;

	if (err != RJWT_OK)
		return err == RJWT_MEMORY ? err : RJWT_OK;
	line = text.p == NULL ? NULL : strtok_r(text.p, "\n", &rest);
	if (line == NULL || strcmp(line, RECORD_BEGINS) != 0)
		return RJWT_OK;
	while ((line = strtok_r(NULL, "\n", &rest)) != NULL)
		RJWT_TRY(string_list_add(lines, line));
	return RJWT_OK;
}

static enum rjwt_err
write_record(const struct dir *dir, const struct string_list *lines, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	buf_adds(&text, RECORD_BEGINS "\n");
	for (size_t i = 0; i < lines->n; i++)
		buf_addf(&text, "%s\n", lines->list[i]);
	RJWT_TRY(buf_done(&text));
	return file_write(dir, RECORD, 0600, buf_view(&text), NULL, diag);
}

/* --- the log ---------------------------------------------------------------------------------- */

static void
begin_line(struct buf *out, struct view code, const char *level, const char *was)
{
	buf_adds(out, "finding");
	text_log_word(out, "code", code);
	text_log_word(out, "level", view_of(level));
	if (was != NULL)
		text_log_word(out, "was", (struct view){ was, strcspn(was, " ") });
}

/* was: the line of the record; NULL: the finding is new. */
static enum rjwt_err
log_found(const struct finding *f, const char *was, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	char line[16];

	begin_line(&out, view_of(f->kind->code), level_word(f->level), was);
	if (f->path[0] != '\0')
		text_log_word(&out, "path", view_of(f->path));
	if (f->line != 0) {
		snprintf(line, sizeof(line), "%u", f->line);
		text_log_word(&out, "line", view_of(line));
	}
	text_log_word(&out, "text", view_of(f->text));
	return log_send(f->level == LEVEL_FAIL ? LOG_ERR : LOG_WARNING, &out, diag);
}

static enum rjwt_err
log_gone(const char *was, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	const char *code = name_of(was) + (*name_of(was) != '\0'), *path = name_of(code);

	begin_line(&out, (struct view){ code, (size_t)(path - code) }, level_word(LEVEL_OK), was);
	if (*path != '\0')
		text_log_word(&out, "path", view_of(path + 1));
	return log_send(LOG_NOTICE, &out, diag);
}

/* --- what has changed ------------------------------------------------------------------------- */

/* Of several that are known by one name the worst counts: those come first. */
static enum rjwt_err
compare_found(struct news *news, const struct finding *f, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	const char *was;

	buf_addf(&line, "%s %s", level_word(f->level), f->kind->code);
	if (f->path[0] != '\0') {
		buf_adds(&line, " ");
		text_escape(&line, view_of(f->path));
	}
	RJWT_TRY(buf_done(&line));
	if (find(&news->now, line.p) != NULL)
		return RJWT_OK;
	RJWT_TRY(string_list_add(&news->now, line.p));
	was = find(&news->before, line.p);
	if (was != NULL && strcmp(was, line.p) == 0)
		return RJWT_OK;
	news->changed = true;
	return log_found(f, was, diag);
}

static enum rjwt_err
compare(struct news *news, const struct findings *found, struct rjwt_diag *diag)
{
	static const enum level levels[] = { LEVEL_FAIL, LEVEL_WARN };

	for (size_t k = 0; k < ARRAY_LEN(levels); k++)
		for (size_t i = 0; i < found->n; i++)
			if (found->list[i].kind != NULL && found->list[i].level == levels[k])
				RJWT_TRY(compare_found(news, &found->list[i], diag));
	for (size_t i = 0; i < news->before.n; i++)
		if (find(&news->now, news->before.list[i]) == NULL) {
			news->changed = true;
			RJWT_TRY(log_gone(news->before.list[i], diag));
		}
	return RJWT_OK;
}

/* What the log did not take is told at the next start, for the record is then as it was. */
static enum rjwt_err
tell(const struct findings *found, const char *path, struct rjwt_diag *diag)
{
	RJWT_CLEAN(news_clear) struct news news = { .changed = false };
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;

	RJWT_TRY(dir_open(path, &dir, diag));
	RJWT_TRY(read_record(&dir, &news.before));
	RJWT_TRY(compare(&news, found, diag));
	return news.changed ? write_record(&dir, &news.now, diag) : RJWT_OK;
}

void
check_news(const struct rjwt_options *options)
{
	struct check check = { .options = options };
	struct rjwt_status status = { 0 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = check_look(&check, &status);

	if (err == RJWT_OK && status.dir[0] != '\0')
		err = tell(&check.found, status.dir, &diag);
	if (err != RJWT_OK)
		audit_failed(err, &diag);
	findings_clear(&check.found);
	rjwt_status_clear(&status);
}
