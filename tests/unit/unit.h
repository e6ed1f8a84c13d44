/* SPDX-License-Identifier: MIT */
/*
 * unit.h - what the unit tests share: cmocka and what it must include before, checks that name the
 * row of a table, bytes from hex, the files of tests/vectors, a directory that goes away.
 */
#ifndef RJWT_UNIT_H
#define RJWT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"

#include <ftw.h>

/* A result, and the one that the row wants. */
#define EXPECT(label, got, wanted) unit_expect(label, got, wanted, __FILE__, __LINE__)
/* Any condition, of the row that label names. */
#define CHECK(label, condition) unit_check(label, condition, #condition, __FILE__, __LINE__)

static inline void
unit_expect(const char *label, enum rjwt_err got, enum rjwt_err wanted, const char *file, int line)
{
	if (got == wanted)
		return;
	print_error("%s: %s instead of %s\n", label, rjwt_reason(got), rjwt_reason(wanted));
	_fail(file, line);
}

static inline void
unit_check(const char *label, bool good, const char *condition, const char *file, int line)
{
	if (good)
		return;
	print_error("%s: not so: %s\n", label, condition);
	_fail(file, line);
}

/* The bytes of a literal whose NULs count. */
#define BYTES(literal) VIEW(literal)

static inline struct view
unit_view(const void *p, size_t n)
{
	return (struct view){ p, n };
}

/* Hex digits, replacing what out holds. */
static inline struct view
unit_hex(struct buf *out, const char *hex)
{
	buf_clear(out);
	for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
		char pair[3] = { hex[0], hex[1], '\0' }, byte = (char)strtol(pair, NULL, 16);

		buf_add(out, &byte, 1);
	}
	return buf_view(out);
}

/* A file of tests/vectors: {"about", "cases": [{}, ...]}; json_clear(). Gives the cases' number. */
static inline size_t
unit_vectors(const char *name, struct json *json)
{
	const char *source = getenv("RJWT_SOURCE");
	RJWT_CLEAN(buf_clear) struct buf path = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_diag diag;
	size_t count = 0, n;
	char some[4096];
	FILE *file;

	buf_addf(&path, "%s/tests/vectors/%s", source == NULL ? "." : source, name);
	file = fopen(path.p, "r");
	CHECK(path.p, file != NULL);
	while ((n = fread(some, 1, sizeof(some), file)) > 0)
		buf_add(&text, some, n);
	fclose(file);
	EXPECT(path.p, json_parse(buf_view(&text), json, &diag), RJWT_OK);
	assert_int_equal(json_array(*json, "cases", &count), JSON_GOOD);
	return count;
}

/* A member of a case, NUL-terminated as json-c has it; NULL: absent. */
static inline const char *
unit_text(struct json json, const char *name)
{
	struct view text;

	return json_string(json, name, &text) == JSON_GOOD ? text.p : NULL;
}

/* A new directory of mode 0700 below /tmp, or another that everybody may write to; unit_folder_remove(). */
static inline struct dir
unit_folder(void)
{
	const char *tmp = getenv("RJWT_TMP");
	struct dir dir = DIR_NONE;
	struct rjwt_diag diag = { .text = "" };
	char path[128];

	snprintf(path, sizeof(path), "%.90s/rjwt-unit-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	assert_non_null(mkdtemp(path));
	EXPECT(diag.text, dir_open(path, &dir, &diag), RJWT_OK);
	return dir;
}

static inline int
unit_remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)status;
	(void)kind;
	(void)at;
	return remove(path);
}

static inline void
unit_folder_remove(struct dir *dir)
{
	if (dir->path != NULL)
		nftw(dir->path, unit_remove_one, 8, FTW_DEPTH | FTW_PHYS);
	dir_close(dir);
}

#endif
