/* SPDX-License-Identifier: MIT */
#include "findings.h"
#include "colour.h"
#include "base/json_write.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct finding_kind finding_kinds[] = {
#define FINDING(code, level, fix) { code, LEVEL_##level, fix },
#include "findings.def"
#undef FINDING
};
const size_t finding_kinds_n = ARRAY_LEN(finding_kinds);

static const char *const areas[] = { "config", "services", "issue", "codes", "keyset", "disk", "clock", "log",
	"rotation", "fleet", "module", "pam", "sshd", "sudo", "way_in", "try" };
static const char *const levels[LEVELS] = { "OK", "WARN", "FAIL" };

static struct finding *
last(struct findings *found)
{
	static struct finding nowhere;

	return found->n == 0 ? &nowhere : &found->list[found->n - 1];
}

static struct finding *
add(struct findings *found)
{
	struct finding *grown = reallocarray(found->list, found->n + 1, sizeof(*grown));

	if (grown == NULL) {
		found->failed = true;
		return NULL;
	}
	found->list = grown;
	grown[found->n] = (struct finding){ .kind = NULL };
	return &grown[found->n++];
}

static const struct finding_kind *
kind_of(const char *code)
{
	for (size_t i = 0; i < finding_kinds_n; i++)
		if (strcmp(finding_kinds[i].code, code) == 0)
			return &finding_kinds[i];
	return NULL;
}

void
finding_add(struct findings *found, const char *code, const char *fmt, ...)
{
	static const struct finding_kind unknown = { "internal.code", LEVEL_FAIL, "report this as a fault of rjwt" };
	struct finding *f = add(found);
	va_list args;

	if (f == NULL)
		return;
	f->kind = kind_of(code) == NULL ? &unknown : kind_of(code);
	f->level = f->kind->level;
	snprintf(f->area, sizeof(f->area), "%.*s", (int)strcspn(code, "."), code);
	if (f->kind->fix != NULL)
		snprintf(f->fix, sizeof(f->fix), "%s", f->kind->fix);
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
}

void
finding_ok(struct findings *found, const char *area, const char *fmt, ...)
{
	struct finding *f = add(found);
	va_list args;

	if (f == NULL)
		return;
	snprintf(f->area, sizeof(f->area), "%s", area);
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
}

void
finding_area(struct findings *found, const char *area)
{
	snprintf(last(found)->area, sizeof(last(found)->area), "%s", area);
}

void
finding_at(struct findings *found, const char *path, unsigned line)
{
	struct finding *f = last(found);

	snprintf(f->path, sizeof(f->path), "%s", path);
	f->line = line;
}

void
finding_by(struct findings *found, const char *path, unsigned line)
{
	snprintf(last(found)->by, sizeof(last(found)->by), "%.255s:%u", path, line);
}

void
finding_fix(struct findings *found, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(last(found)->fix, sizeof(last(found)->fix), fmt, args);
	va_end(args);
}

bool
findings_in(const struct findings *found, const char *area)
{
	for (size_t i = 0; i < found->n; i++)
		if (strcmp(found->list[i].area, area) == 0 && found->list[i].level != LEVEL_OK)
			return true;
	return false;
}

/* The line of an area that is well gives way to what was found in it. */
static bool
is_shown(const struct findings *found, const struct finding *f)
{
	return f->kind != NULL || !findings_in(found, f->area);
}

void
findings_count(const struct findings *found, size_t counts[static LEVELS])
{
	memset(counts, 0, LEVELS * sizeof(*counts));
	for (size_t i = 0; i < found->n; i++)
		if (is_shown(found, &found->list[i]))
			counts[found->list[i].level]++;
}

enum level
findings_level(const struct findings *found)
{
	enum level worst = LEVEL_OK;

	for (size_t i = 0; i < found->n; i++)
		worst = found->list[i].level > worst ? found->list[i].level : worst;
	return worst;
}

/* --- for people ------------------------------------------------------------------------------- */

enum { WIDTH = 80, INDENT = 15 };

void
level_put(struct buf *out, enum level level, bool colour)
{
	colour_word(out, levels[level], colour);
}

void
finding_sentence(struct buf *out, const struct finding *f)
{
	if (f->path[0] != '\0') {
		buf_adds(out, f->path);
		if (f->line != 0)
			buf_addf(out, ":%u", f->line);
		if (f->column != 0)
			buf_addf(out, ":%u", f->column);
		if (f->by[0] != '\0')
			buf_addf(out, " (by %s)", f->by);
		buf_adds(out, ": ");
	}
	buf_adds(out, f->text);
}

static void
put_sentence(struct buf *out, const struct finding *f)
{
	RJWT_CLEAN(buf_clear) struct buf plain = { 0 };
	RJWT_CLEAN(buf_clear) struct buf escaped = { 0 };

	finding_sentence(&plain, f);
	text_escape(&escaped, buf_view(&plain));
	text_wrap(out, escaped.p == NULL ? "" : escaped.p, INDENT, WIDTH);
}

void
finding_put(struct buf *out, const struct finding *f, bool colour)
{
	const char *word = levels[f->level];

	level_put(out, f->level, colour);
	buf_addf(out, "%*s%-8s ", 6 - (int)strlen(word), "", strcmp(f->area, "way_in") == 0 ? "way in" : f->area);
	put_sentence(out, f);
	buf_adds(out, "\n");
	if (f->fix[0] == '\0')
		return;
	buf_addf(out, "%*sfix: ", 10, "");
	text_escape(out, view_of(f->fix));
	buf_adds(out, "\n");
}

void
findings_text(const struct findings *found, bool quiet, bool colour, struct buf *out)
{
	size_t counts[LEVELS];

	for (size_t a = 0; a < ARRAY_LEN(areas) && !quiet; a++)
		for (size_t i = 0; i < found->n; i++)
			if (strcmp(found->list[i].area, areas[a]) == 0 && is_shown(found, &found->list[i]))
				finding_put(out, &found->list[i], colour);
	findings_count(found, counts);
	buf_adds(out, "check: ");
	level_put(out, findings_level(found), colour);
	buf_addf(out, ": %zu FAIL, %zu WARN, %zu OK\n", counts[LEVEL_FAIL], counts[LEVEL_WARN], counts[LEVEL_OK]);
}

/* --- for programs ----------------------------------------------------------------------------- */

const char *
level_word(enum level level)
{
	static const char *const words[LEVELS] = { "ok", "warn", "fail" };

	return words[level];
}

void
finding_json(struct buf *out, const struct finding *f)
{
	json_open_element(out);
	json_put_string(out, "level", view_of(level_word(f->level)));
	json_put_string(out, "area", view_of(f->area));
	if (f->kind != NULL)
		json_put_string(out, "code", view_of(f->kind->code));
	if (f->path[0] != '\0')
		json_put_text(out, "path", view_of(f->path));
	if (f->line != 0)
		json_put_integer(out, "line", f->line);
	if (f->column != 0)
		json_put_integer(out, "column", f->column);
	if (f->by[0] != '\0')
		json_put_text(out, "by", view_of(f->by));
	json_put_text(out, "text", view_of(f->text));
	if (f->fix[0] != '\0')
		json_put_text(out, "fix", view_of(f->fix));
	json_close(out);
}

void
findings_json(const struct findings *found, struct buf *out)
{
	size_t counts[LEVELS];

	findings_count(found, counts);
	json_open(out, NULL);
	json_put_integer(out, "schema", 1);
	json_put_string(out, "level", view_of(level_word(findings_level(found))));
	json_open(out, "counts");
	for (int i = 0; i < LEVELS; i++)
		json_put_integer(out, level_word((enum level)i), (int64_t)counts[i]);
	json_close(out);
	json_open_array(out, "findings");
	for (size_t a = 0; a < ARRAY_LEN(areas); a++)
		for (size_t i = 0; i < found->n; i++)
			if (strcmp(found->list[i].area, areas[a]) == 0 && is_shown(found, &found->list[i]))
				finding_json(out, &found->list[i]);
	json_close_array(out);
	json_close(out);
	buf_adds(out, "\n");
}

void
findings_clear(struct findings *found)
{
	free(found->list);
	*found = (struct findings){ 0 };
}
