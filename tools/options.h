/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line. Each program has one table of its options, from which come what getopt_long()
 * accepts and what --help prints; tests/bats/docs.bats compares --help with the page and the completion.
 */
#ifndef RJWT_OPTIONS_H
#define RJWT_OPTIONS_H

#include "tool.h"

#include <getopt.h> /* optarg, optind */

struct option_row {
	int id;		   /* the letter, or a number above OPTION_LETTERS if there is none */
	const char *name;  /* long; NULL ends a table */
	const char *arg;   /* the argument's name; NULL: the option takes none */
	const char *help;  /* one or more lines */
	const char *group; /* the heading above this row and those below it; NULL: the same as before */
};

enum { OPTION_LETTERS = 0xff };

/* What a program is, for the parser and for --help. Every program also has --config, --state-dir (see no_files), --help, --version. */
struct program {
	const char *name;
	const char *usage; /* the lines of --help above the options */
	const struct option_row *options;
	void (*commands)(void); /* prints the commands' part of --help; NULL: there are no commands */
	const char *footer;	/* the lines below the options */
	bool no_files;		/* neither --config nor --state-dir: who runs it must not choose them */
	bool one_is_verdict;	/* exit status 1 says something about the input: what fails ends with 2 */
};

/*
 * Read all options. take is called for each one that is not common to all programs, with its id; the argument is
 * optarg. It returns EXIT_DONE to continue. -1: continue with argv[optind]; otherwise the program's exit status.
 */
typedef int option_taker(void *context, int id);
int options_read(struct tool *tool, int argc, char **argv, option_taker *take, void *context);

/* The long name of an option of the program's own table. */
const char *option_name(const struct tool *tool, int id);

/* The value of an option. EXIT_DONE, or EXIT_WRONG_USE after a message that says what was expected. */
int option_duration(const struct tool *tool, const char *option, const char *text, int64_t least_s, int64_t most_s,
    int64_t *seconds);
int option_time(const struct tool *tool, const char *option, const char *text, int64_t *seconds);

#endif
