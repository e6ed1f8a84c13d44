/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the harnesses share. A harness is a file that has LLVMFuzzerTestOneInput() and the two tables
 * below; libFuzzer calls it (make fuzz), or replay.c with its corpus (make check).
 *
 * What must never be calls fuzz_broken(). A corpus that does not reach what a harness is for shows nothing:
 * what must have been seen is counted, and replay.c asks for it.
 */
#ifndef RJWT_FUZZ_H
#define RJWT_FUZZ_H

#include "base/err.h"

extern const char fuzz_name[];		/* of the harness, and of its corpus */
extern const char *const fuzz_sights[]; /* what its corpus must reach, NULL at the end; at most 16 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern unsigned long fuzz_seen[16];
#define FUZZ_SAW(sight) fuzz_seen[sight]++

void fuzz_broken(const char *fmt, ...) __attribute__((noreturn)) RJWT_PRINTF(1, 2);
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_broken("%s:%d: not so: %s", __FILE__, __LINE__, #condition))

/* What is left of an input. An end that came too early reads as zeros. */
struct rest {
	const unsigned char *p;
	size_t n;
};

unsigned take_byte(struct rest *rest);
unsigned take_below(struct rest *rest, unsigned sides);
unsigned take_word(struct rest *rest); /* two bytes */
/* A length in a word, and so many bytes. view of the input. */
struct view take_bytes(struct rest *rest, size_t most);
/* The same, ended by a NUL and cut at the first one in it. free() */
char *take_string(struct rest *rest, size_t most);

/* A directory of the process's own, in memory where there is such a thing; it goes away at exit. */
const char *fuzz_folder(void);
/* Write a file, of a path below the directory. */
void fuzz_put(const char *path, struct view text);
/* Remove a file or directory with all that is in it, also a directory that is closed to us. */
void fuzz_remove(const char *path);

/* The lowest descriptor that is free: a leak would raise it. */
int fuzz_lowest(void);

#endif
