/* SPDX-License-Identifier: MIT */
/* Reading the files of a service. They are read as libpam reads them, so that a symbolic link is followed. */
#include "stack/stack_private.h"
#include "base/string_list.h"

#include <errno.h>
#include <fcntl.h>
#include <security/pam_appl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* The lines that were read, with the text that the words of their entries are in. */
struct places {
	struct places *next;
	struct stack_place place;
	char *text;
};

struct stack {
	struct stack_lines own[STACK_PHASES], other[STACK_PHASES]; /* of the service, of "other" */
	struct places *places;
	struct string_list files;
	size_t nlines;
};

struct reader {
	struct stack *stack;
	struct stack_lines *into; /* own or other */
	const char *const *directories;
	struct rjwt_diag *diag;
};

/* Where a file is read for: all phases or one, and what is around it. */
struct around {
	int phase; /* ANY, or an enum stack_phase */
	int level, depth;
	const struct stack_place *by;
};

enum { ANY = -1 };

#define NO_FILE "its include names no file: libpam crashes on it"

static const char *const phases[STACK_PHASES] = { "auth", "account", "session", "password" };

static enum rjwt_err read_file(struct reader *r, const char *name, const struct around *around);

/* --- files ------------------------------------------------------------------------------------ */

/* A file that libpam passes over, too. */
static bool
is_missing(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG;
}

static enum rjwt_err
slurp(int fd, const char *path, struct buf *text, struct rjwt_diag *diag)
{
	struct stat status;
	char *room;
	ssize_t n;

	if (fstat(fd, &status) != 0)
		return diag_fail(diag, RJWT_IO, path, "cannot read");
	if (!S_ISREG(status.st_mode))
		return stack_fail(diag, RJWT_MALFORMED, path, 0, "not a regular file");
	do {
		if (text->n > STACK_BYTES_MAX)
			return stack_fail(diag, RJWT_MALFORMED, path, 0, "larger than 1 MiB");
		room = buf_room(text, 4096);
		if (room == NULL)
			return RJWT_MEMORY;
		n = read(fd, room, 4096);
		if (n < 0)
			return diag_fail(diag, RJWT_IO, path, "cannot read");
		text->n -= 4096 - (size_t)n;
	} while (n > 0);
	return buf_done(text);
}

/* Open a file as libpam does: by its path, or the first of that name in the directories. path is set to it. */
static enum rjwt_err
open_named(const struct reader *r, const char *name, struct buf *path, int *fd)
{
	for (size_t i = 0; r->directories[i] != NULL; i++) {
		buf_clear(path);
		if (name[0] != '/')
			buf_addf(path, "%s/", r->directories[i]);
		buf_adds(path, name);
		RJWT_TRY(buf_done(path));
		*fd = open(path->p, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (*fd >= 0)
			return RJWT_OK;
		if (!is_missing(errno))
			return diag_fail(r->diag, RJWT_IO, path->p, "cannot read");
		if (name[0] == '/')
			break;
	}
	return diag_fail(r->diag, RJWT_IO, path->p, "cannot read"); /* errno is one of is_missing() */
}

/* --- lines ------------------------------------------------------------------------------------ */

/* text is taken. */
static enum rjwt_err
add_place(struct stack *stack, const struct stack_place *place, char *text, const struct stack_place **at)
{
	struct places *new = malloc(sizeof(*new));

	if (new == NULL) {
		free(text);
		return RJWT_MEMORY;
	}
	*new = (struct places){ stack->places, *place, text };
	stack->places = new;
	*at = &new->place;
	return RJWT_OK;
}

/* A name of which libpam can make none for its audit trail: up to 1.5 it may crash then, later it refuses the service. */
static bool
is_nameless(const char *module)
{
	const char *slash = strrchr(module, '/'), *name = slash == NULL ? module : slash + 1;
	const char *dot = strrchr(name, '.');
	size_t n = dot == NULL ? strlen(name) : (size_t)(dot - name);

	return n == 0 || (n == 1 && name[0] == '?');
}

static enum rjwt_err
add_entry(struct reader *r, int phase, const struct stack_entry *entry)
{
	struct stack_lines *lines = &r->into[phase];
	size_t n = lines->n;

	if (++r->stack->nlines > STACK_LINES_MAX)
		return stack_fail(r->diag, RJWT_MALFORMED, entry->at->file, entry->at->line,
		    "more than 10000 lines, with those that are included");
	if ((n & (n - 1)) == 0) { /* there is room for a power of two: includes of includes have many lines */
		struct stack_entry *grown = reallocarray(lines->list, n == 0 ? 1 : 2 * n, sizeof(*grown));

		if (grown == NULL)
			return RJWT_MEMORY;
		lines->list = grown;
	}
	lines->list[lines->n++] = *entry;
	return RJWT_OK;
}

/* The next word, of those that all versions of libpam must read alike; NULL: none. */
static enum rjwt_err
take_word(const struct reader *r, const struct stack_place *at, char **rest, char **word)
{
	*word = stack_word(rest);
	if (*word == NULL || strchr(*word, STACK_DOUBTFUL) == NULL)
		return RJWT_OK;
	return stack_fail(r->diag, RJWT_MALFORMED, at->file, at->line,
	    "a word in brackets continues in a line that begins with a blank, which Linux-PAM 1.7 leaves out of the "
	    "word");
}

/* A line that libpam takes for a module that fails. */
static enum rjwt_err
add_fault(struct reader *r, int phase, const struct stack_entry *line, const char *fault)
{
	struct stack_entry entry = *line;

	entry.kind = STACK_FAULT;
	entry.fault = fault;
	return add_entry(r, phase, &entry);
}

static enum rjwt_err
add_module(struct reader *r, int phase, const struct stack_entry *line, char *rest)
{
	struct stack_entry entry = *line;
	enum rjwt_err err;
	char *word;

	while ((err = take_word(r, line->at, &rest, &word)) == RJWT_OK && word != NULL) {
		char **grown = reallocarray(entry.argv, entry.argc + 1, sizeof(*grown));

		if (grown == NULL) {
			err = RJWT_MEMORY;
			break;
		}
		entry.argv = grown;
		grown[entry.argc++] = word;
	}
	if (err == RJWT_OK)
		err = add_entry(r, phase, &entry);
	if (err != RJWT_OK)
		free(entry.argv);
	return err;
}

/* "@include": the lines of a file, as if they were here. */
static enum rjwt_err
include_all(struct reader *r, char *rest, const struct stack_place *at, const struct around *around)
{
	struct around inner = { around->phase, around->level, around->depth + 1, at };
	enum rjwt_err err;
	char *name;

	RJWT_TRY(take_word(r, at, &rest, &name));
	if (name == NULL)
		return stack_fail(r->diag, RJWT_MALFORMED, at->file, at->line, NO_FILE);
	err = read_file(r, name, &inner);
	if (err != RJWT_CONFIG && !(err == RJWT_IO && is_missing(errno)))
		return err;
	if (around->phase != ANY) /* Debian's patch leaves the actions of the line that fails unset */
		return stack_fail(r->diag, RJWT_MALFORMED, at->file, at->line,
		    "includes a file that libpam refuses, and what that does is undefined");
	if (err == RJWT_CONFIG)
		return err;
	return stack_fail(r->diag, RJWT_CONFIG, at->file, at->line,
	    "includes a file that does not exist, so that libpam refuses the service");
}

/* "include" and "substack": the lines of one phase of a file. Where that fails, a line that fails. */
static enum rjwt_err
include_phase(struct reader *r, int phase, bool substack, const struct stack_entry *line, const struct around *around)
{
	struct around inner = { phase, around->level + substack, around->depth + 1, line->at };
	struct stack_entry entry = *line;
	enum rjwt_err err;

	if (line->module == NULL)
		return stack_fail(r->diag, RJWT_MALFORMED, line->at->file, line->at->line, NO_FILE);
	entry.kind = STACK_SUBSTACK;
	if (substack)
		RJWT_TRY(add_entry(r, phase, &entry));
	if (inner.level >= STACK_DEPTH_MAX)
		return add_fault(r, phase, line, "nests substacks too deeply");
	err = read_file(r, line->module, &inner);
	if (err == RJWT_IO && is_missing(errno))
		return add_fault(r, phase, line, "includes a file that does not exist");
	if (err == RJWT_CONFIG)
		return add_fault(r, phase, line, "includes a file that libpam refuses");
	return err;
}

/* The phase that a line is for; ANY where its first word is none, which libpam takes for a line that fails. */
static int
phase_of(const char *word)
{
	for (int i = 0; i < STACK_PHASES; i++)
		if (strcasecmp(phases[i], word) == 0)
			return i;
	return ANY;
}

/* A jump that libpam cannot count. */
static bool
jumps_too_far(const int *action)
{
	for (size_t i = 0; i < STACK_CODES; i++)
		if (action[i] > STACK_LINES_MAX)
			return true;
	return false;
}

/* The control, and all behind it. */
static enum rjwt_err
read_rest(struct reader *r, int phase, struct stack_entry *line, char *rest, const struct around *around)
{
	const char *control = stack_word(&rest);
	bool substack = control != NULL && strcasecmp(control, "substack") == 0;
	bool include = substack || (control != NULL && strcasecmp(control, "include") == 0);
	char *module;

	if (control == NULL) {
		line->kind = STACK_FAULT;
		line->fault = "has no control";
	}
	if (!stack_control(control == NULL || include ? "" : control, line->action))
		line->fault =
		    "has a control that libpam does not know: it takes every answer of the module as a failure";
	if (jumps_too_far(line->action))
		return stack_fail(r->diag, RJWT_MALFORMED, line->at->file, line->at->line,
		    "jumps farther than libpam can count");
	RJWT_TRY(take_word(r, line->at, &rest, &module));
	line->module = module;
	if (line->module != NULL && (substack || !include) && is_nameless(line->module))
		return stack_fail(r->diag, RJWT_MALFORMED, line->at->file, line->at->line,
		    "names no module: libpam may crash on it");
	if (include)
		return include_phase(r, phase, substack, line, around);
	if (line->module == NULL || line->kind == STACK_FAULT)
		return add_fault(r, phase, line, line->fault == NULL ? "names no module" : line->fault);
	return add_module(r, phase, line, rest);
}

/* text is the line's own, and is taken apart. */
static enum rjwt_err
read_line(struct reader *r, char *text, const struct stack_place *at, const struct around *around)
{
	struct stack_entry line = { .at = at, .kind = STACK_MODULE, .level = around->level };
	char *rest = text;
	const char *type = stack_word(&rest);
	int phase;

	if (type != NULL && type[0] == '-') /* says only that libpam does not log a missing module */
		type++;
	if (type != NULL && strcasecmp(type, "@include") == 0)
		return include_all(r, rest, at, around);
	phase = type == NULL ? ANY : phase_of(type);
	if (phase == ANY) {
		line.kind = STACK_FAULT;
		line.fault = "begins with none of auth, account, session, password";
		phase = around->phase == ANY ? STACK_AUTH : around->phase;
	}
	if (around->phase != ANY && around->phase != phase)
		return RJWT_OK;
	return read_rest(r, phase, &line, rest, around);
}

/* path must live as long as the stack. */
static enum rjwt_err
read_lines(struct reader *r, struct view all, const char *path, const struct around *around)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	struct stack_text text = { all, 0 };

	for (;;) {
		struct stack_place place = { path, 0, around->by };
		const struct stack_place *at;
		char *own;

		RJWT_TRY(stack_next_line(&text, path, &line, &place.line, r->diag));
		if (place.line == 0)
			return RJWT_OK;
		RJWT_TRY(buf_give(&line, &own, NULL));
		RJWT_TRY(add_place(r->stack, &place, own, &at));
		RJWT_TRY(read_line(r, own, at, around));
	}
}

static enum rjwt_err
read_file(struct reader *r, const char *name, const struct around *around)
{
	RJWT_CLEAN(buf_clear) struct buf path = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(fd_clean) int fd = -1;
	struct string_list *files = &r->stack->files;

	if (around->depth >= STACK_DEPTH_MAX || files->n >= STACK_FILES_MAX)
		return stack_fail(r->diag, RJWT_MALFORMED, around->by->file, around->by->line,
		    "includes files too many levels deep: libpam crashes on it");
	RJWT_TRY(open_named(r, name, &path, &fd));
	RJWT_TRY(slurp(fd, path.p, &text, r->diag));
	RJWT_TRY(string_list_add(files, path.p));
	return read_lines(r, buf_view(&text), files->list[files->n - 1], around);
}

/* What a missing file of its own means for the service is another's to say. */
static enum rjwt_err
read_service(struct reader *r, const char *service, struct stack_lines *into, bool *missing)
{
	static const struct around all = { ANY, 0, 0, NULL };
	enum rjwt_err err;

	r->into = into;
	err = read_file(r, service, &all);
	*missing = err == RJWT_IO && is_missing(errno);
	return *missing ? RJWT_OK : err;
}

enum rjwt_err
stack_read(const char *const *directories, const char *service, struct stack **stack, struct rjwt_diag *diag)
{
	RJWT_CLEAN(stack_clean) struct stack *new = calloc(1, sizeof(*new));
	struct reader r = { .stack = new, .directories = directories, .diag = diag };
	bool no_own, no_other;

	if (new == NULL)
		return RJWT_MEMORY;
	RJWT_TRY(read_service(&r, service, strcasecmp(service, "other") == 0 ? new->other : new->own, &no_own));
	RJWT_TRY(read_service(&r, "other", new->other, &no_other));
	if (no_own && no_other)
		return stack_fail(diag, RJWT_CONFIG, service, 0, "has no file, nor has the service other");
	*stack = RJWT_STEAL(new);
	return RJWT_OK;
}

const struct stack_lines *
stack_lines(const struct stack *stack, enum stack_phase phase)
{
	return stack->own[phase].n > 0 ? &stack->own[phase] : &stack->other[phase];
}

/* --- entries ---------------------------------------------------------------------------------- */

const char *
stack_argument(const struct stack_entry *entry, const char *name)
{
	size_t length = strlen(name);
	const char *found = NULL;

	for (size_t i = 0; i < entry->argc; i++)
		if (strncmp(entry->argv[i], name, length) == 0) {
			if (entry->argv[i][length] == '=')
				found = entry->argv[i] + length + 1;
			else if (entry->argv[i][length] == '\0')
				found = "";
		}
	return found;
}

bool
stack_is_module(const struct stack_entry *entry, const char *module)
{
	const char *slash = entry->module == NULL ? NULL : strrchr(entry->module, '/');

	if (entry->kind != STACK_MODULE)
		return false;
	return strcmp(slash == NULL ? entry->module : slash + 1, module) == 0;
}

static void
stack_lines_clear(struct stack_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		free(lines->list[i].argv);
	free(lines->list);
}

void
stack_free(struct stack *stack)
{
	if (stack == NULL)
		return;
	for (int i = 0; i < STACK_PHASES; i++) {
		stack_lines_clear(&stack->own[i]);
		stack_lines_clear(&stack->other[i]);
	}
	while (stack->places != NULL) {
		struct places *place = stack->places;

		stack->places = place->next;
		free(place->text);
		free(place);
	}
	string_list_clear(&stack->files);
	free(stack);
}

void
stack_clean(struct stack **stack)
{
	stack_free(*stack);
}
