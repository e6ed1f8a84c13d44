/* SPDX-License-Identifier: MIT */
/*
 * findings.h - what rjwt-keyd check found, for people and for programs.
 *
 *	finding_add(found, "pam.prompt", "prompt \"%s\" with a password below", prompt);
 *	finding_at(found, path, line);
 */
#ifndef RJWT_FINDINGS_H
#define RJWT_FINDINGS_H

#include "base/buf.h"
#include "base/err.h"

enum level { LEVEL_OK, LEVEL_WARN, LEVEL_FAIL };
#define LEVELS 3

/* A row of findings.def. */
struct finding_kind {
	const char *code;
	enum level level;
	const char *fix;
};
extern const struct finding_kind finding_kinds[];
extern const size_t finding_kinds_n;

struct finding {
	const struct finding_kind *kind; /* NULL: the area is well */
	enum level level;		 /* the kind's, unless somebody has changed it */
	char area[64];			 /* of the code; or what replaces it, such as a service's name */
	char path[256];
	unsigned line, column;
	char by[300]; /* the include that led there, "FILE:LINE"; "": none */
	char text[640];
	char fix[400]; /* "": there is none */
};

struct findings {
	struct finding *list;
	size_t n;
	bool failed; /* out of memory: something is missing */
};

/* A finding of the table, or the line of an area that is well, which is shown where it has no other. */
void finding_add(struct findings *found, const char *code, const char *fmt, ...) RJWT_PRINTF(3, 4);
void finding_ok(struct findings *found, const char *area, const char *fmt, ...) RJWT_PRINTF(3, 4);

/* About the finding that was added last. Of the area alone what is shown changes. */
void finding_area(struct findings *found, const char *area);
void finding_at(struct findings *found, const char *path, unsigned line);
void finding_by(struct findings *found, const char *path, unsigned line);
void finding_fix(struct findings *found, const char *fmt, ...) RJWT_PRINTF(2, 3);

enum level findings_level(const struct findings *found);
void findings_count(const struct findings *found, size_t counts[static LEVELS]);

/* Whether an area has a finding that is not well. */
bool findings_in(const struct findings *found, const char *area);

/* "OK" for people, "ok" for programs. */
void level_put(struct buf *out, enum level level, bool colour);
const char *level_word(enum level level);

/* "PATH:LINE:COLUMN (by FILE:LINE): text", as it is: what is shown of it must be escaped. */
void finding_sentence(struct buf *out, const struct finding *f);

/* One finding, with its fix: in lines for people, or as an element of an array. */
void finding_put(struct buf *out, const struct finding *f, bool colour);
void finding_json(struct buf *out, const struct finding *f);

/* By area, in the order of the page; the verdict is the last line. quiet: that alone. */
void findings_text(const struct findings *found, bool quiet, bool colour, struct buf *out);
void findings_json(const struct findings *found, struct buf *out);
void findings_clear(struct findings *found);

#endif
