/* SPDX-License-Identifier: MIT */
/*
 * The files of a PAM service, and what their stack answers. The input is a plan of failing calls, a byte for what each kind
 * of module returns, and the files, each ended by a byte 0xff: they are named as below, so that they can include each other.
 *
 * A stack that is judged keeps what stack.h says of its lines, and a walk calls them in their order, each once at most.
 * Nobody gets in where no module was content. What is not judged is refused whole, with its place.
 */
#include "faults.h"
#include "stack/stack_private.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char fuzz_name[] = "stack";
enum { JUDGED, REFUSED, NOT_JUDGED, FAILED, INCLUDED, SUBSTACK, FAULT, JUMP, LET_IN, REJECTED };
const char *const fuzz_sights[] = { "judged", "refused", "not judged", "failed", "included", "substack", "fault",
	"jump", "let in", "rejected", NULL };

static const char *const names[] = { "s", "a", "b", "c", "other" };
#define KINDS 8

struct walk {
	unsigned char returns[KINDS];
	const struct stack_entry *first, *last; /* of the phase; the one that was called last */
	size_t n;
	unsigned content;
};

/* A module's kind is in its name, so that lines of one service differ. */
static int
outcome(void *context, const struct stack_entry *entry)
{
	struct walk *w = context;
	unsigned sum = 0;
	int code;

	FUZZ_CHECK(entry->kind == STACK_MODULE && entry >= w->first && entry < w->first + w->n);
	FUZZ_CHECK(w->last == NULL || entry > w->last);
	w->last = entry;
	for (const char *p = entry->module; *p != '\0'; p++)
		sum += (unsigned char)*p;
	code = w->returns[sum % KINDS] % STACK_CODES;
	if (code == PAM_INCOMPLETE)
		code = PAM_IGNORE;
	w->content += code == PAM_SUCCESS;
	return code;
}

static void
check_place(const struct stack_place *at)
{
	unsigned depth = 0;

	for (; at != NULL; at = at->by) {
		FUZZ_CHECK(at->file != NULL && at->file[0] != '\0' && at->line > 0);
		FUZZ_CHECK(depth++ <= STACK_DEPTH_MAX);
	}
	if (depth > 1)
		FUZZ_SAW(INCLUDED);
}

static void
check_entry(const struct stack_entry *e)
{
	FUZZ_CHECK(e->at != NULL && e->level >= 0 && e->level <= STACK_DEPTH_MAX);
	check_place(e->at);
	FUZZ_CHECK(e->kind == STACK_MODULE || e->kind == STACK_SUBSTACK || e->kind == STACK_FAULT);
	FUZZ_CHECK(e->kind == STACK_FAULT || (e->module != NULL && e->module[0] != '\0'));
	FUZZ_CHECK(e->kind != STACK_FAULT || e->fault != NULL);
	for (size_t i = 0; i < STACK_CODES; i++) {
		FUZZ_CHECK(e->action[i] >= STACK_RESET && e->action[i] <= STACK_LINES_MAX);
		if (e->action[i] > 0)
			FUZZ_SAW(JUMP);
	}
	for (size_t i = 0; i < e->argc; i++)
		FUZZ_CHECK(e->argv[i] != NULL && strlen(e->argv[i]) <= STACK_LINE_MAX);
	FUZZ_CHECK(stack_argument(e, "no such argument") == NULL);
	if (e->kind == STACK_SUBSTACK)
		FUZZ_SAW(SUBSTACK);
	if (e->kind == STACK_FAULT)
		FUZZ_SAW(FAULT);
}

static void
check_stack(const struct stack *stack, const unsigned char *returns)
{
	for (int phase = 0; phase < STACK_PHASES; phase++) {
		const struct stack_lines *lines = stack_lines(stack, (enum stack_phase)phase);
		struct walk w = { .first = lines->list, .n = lines->n };
		struct stack_answer answer;

		FUZZ_CHECK(lines->n <= STACK_LINES_MAX);
		for (size_t i = 0; i < lines->n; i++)
			check_entry(&lines->list[i]);
		memcpy(w.returns, returns, KINDS);
		stack_walk(lines, outcome, &w, &answer);
		FUZZ_CHECK(answer.code >= 0 && answer.code < STACK_CODES && strcmp(stack_code(answer.code), "?") != 0);
		FUZZ_CHECK(answer.decided == NULL ||
			   (answer.decided >= lines->list && answer.decided < lines->list + lines->n));
		FUZZ_CHECK(answer.code != PAM_SUCCESS || (w.content > 0 && answer.decided != NULL));
		FUZZ_SAW(answer.code == PAM_SUCCESS ? LET_IN : REJECTED);
	}
}

/* Those that the input does not have are not there. */
static void
put_files(const char *folder, struct rest rest)
{
	char path[300];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const unsigned char *end = rest.n == 0 ? NULL : memchr(rest.p, 0xff, rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (rest.n > 0)
			fuzz_put(path, (struct view){ (const char *)rest.p, n });
		else
			(void)remove(path);
		rest.p += n + (end != NULL);
		rest.n -= n + (end != NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rest rest = { data, size }, plan = rest;
	const char *folder = fuzz_folder();
	const char *const directories[] = { folder, NULL };
	unsigned char returns[KINDS];
	struct stack *stack = NULL;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err;
	unsigned failed;
	int lowest;

	faults_arm(&rest); /* takes it off the input */
	(void)faults_disarm();
	for (size_t i = 0; i < KINDS; i++)
		returns[i] = (unsigned char)take_byte(&rest);
	put_files(folder, rest);
	lowest = fuzz_lowest();
	faults_arm(&plan);
	err = stack_read(directories, "s", &stack, &diag);
	failed = faults_disarm();
	FUZZ_CHECK(fuzz_lowest() == lowest);
	if (err == RJWT_OK) {
		FUZZ_SAW(JUDGED);
		check_stack(stack, returns);
	} else {
		FUZZ_SAW(failed > 0 ? FAILED : err == RJWT_MALFORMED ? NOT_JUDGED : REFUSED);
		FUZZ_CHECK(failed > 0 || err == RJWT_CONFIG || err == RJWT_MALFORMED || err == RJWT_IO);
		FUZZ_CHECK(stack == NULL && (failed > 0 || (diag.path[0] != '\0' && diag.text[0] != '\0')));
	}
	stack_free(stack);
	return 0;
}
