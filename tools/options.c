/* SPDX-License-Identifier: MIT */
#include "options.h"
#include "base/datetime.h"

#include <stdio.h>
#include <string.h>

#define OPTIONS_MAX 32

/* Every program takes these, and one of no_files only those from HELP on. */
static const struct option_row common[] = {
	{ 'c', "config", "FILE", "configuration file (default: " RJWT_CONFIG_FILE ")", "Common options:" },
	{ 'd', "state-dir", "DIR", "state directory (default: from the configuration)", NULL },
#define HELP 2
	{ 'h', "help", NULL, "print this help, and exit", NULL },
	{ 'V', "version", NULL, "print the version, and exit", NULL },
	{ 0, NULL, NULL, NULL, NULL },
};

/* What getopt_long() takes, made from the tables. */
struct getopt_tables {
	char letters[2 * OPTIONS_MAX + 2];
	struct option names[OPTIONS_MAX + 1];
	size_t nletters, nnames;
};

static void
add_rows(struct getopt_tables *t, const struct option_row *rows)
{
	for (; rows->name != NULL && t->nnames < OPTIONS_MAX; rows++) {
		int takes = rows->arg == NULL ? no_argument : required_argument;

		t->names[t->nnames++] = (struct option){ rows->name, takes, NULL, rows->id };
		if (rows->id > OPTION_LETTERS)
			continue;
		t->letters[t->nletters++] = (char)rows->id;
		if (rows->arg != NULL)
			t->letters[t->nletters++] = ':';
	}
}

static const struct option_row *
common_of(const struct program *program)
{
	return common + (program->no_files ? HELP : 0);
}

static const struct option_row *
find_row(const struct option_row *rows, int id)
{
	while (rows->name != NULL && rows->id != id)
		rows++;
	return rows->name == NULL ? NULL : rows;
}

const char *
option_name(const struct tool *tool, int id)
{
	const struct option_row *row = find_row(tool->program->options, id);

	return row == NULL ? "?" : row->name;
}

/* --- --help ----------------------------------------------------------------------------------- */

static int
row_width(const struct option_row *row)
{
	return (int)(strlen(row->name) + (row->arg == NULL ? 0 : 1 + strlen(row->arg)));
}

static int
widest(const struct option_row *rows, int width)
{
	for (; rows->name != NULL; rows++)
		if (row_width(rows) > width)
			width = row_width(rows);
	return width;
}

static void
print_row(const struct option_row *row, int width)
{
	const char *line = row->help, *end;

	if (row->id > OPTION_LETTERS)
		fputs("      ", stdout);
	else
		printf("  -%c, ", row->id);
	printf("--%s%s%s%*s", row->name, row->arg == NULL ? "" : " ", row->arg == NULL ? "" : row->arg,
	    width - row_width(row), "");
	while ((end = strchr(line, '\n')) != NULL) {
		printf("  %.*s\n%*s", (int)(end - line), line, width + 8, "");
		line = end + 1;
	}
	printf("  %s\n", line);
}

static void
print_rows(const struct option_row *rows, int width)
{
	for (; rows->name != NULL; rows++) {
		if (rows->group != NULL)
			printf("\n%s\n", rows->group);
		print_row(rows, width);
	}
}

static void
print_help(const struct program *program)
{
	int width = widest(program->options, widest(common_of(program), 0));

	fputs(program->usage, stdout);
	if (program->commands != NULL)
		program->commands();
	print_rows(program->options, width);
	print_rows(common_of(program), width);
	printf("\n%s", program->footer);
}

/* --- parsing ---------------------------------------------------------------------------------- */

/* What getopt_long() did not accept, as it was typed. optopt is an id where the option itself is known. */
static int
wrong_option(const struct tool *tool, int found, int before, char **argv)
{
	const char *typed = argv[optind > before ? optind - 1 : optind];

	if (found == ':')
		return tool_wrong(tool, "%s: the argument is missing", argv[optind - 1]);
	if (strncmp(typed, "--", 2) == 0 && optopt != 0)
		return tool_wrong(tool, "%s: this option takes no argument", typed);
	return tool_wrong(tool, "%s: unknown option", typed);
}

int
options_read(struct tool *tool, int argc, char **argv, option_taker *take, void *context)
{
	struct getopt_tables t = { .letters = ":", .nletters = 1 };
	int status = EXIT_DONE;

	add_rows(&t, tool->program->options);
	add_rows(&t, common_of(tool->program));
	while (status == EXIT_DONE) {
		int before = optind, option = getopt_long(argc, argv, t.letters, t.names, NULL);

		switch (option) {
		case -1:
			return -1;
		case 'c':
			tool->options.config = optarg;
			break;
		case 'd':
			tool->options.state_dir = optarg;
			break;
		case 'h':
			print_help(tool->program);
			return tool_end(tool, EXIT_DONE);
		case 'V':
			printf("%s %s\n", tool->program->name, RJWT_VERSION);
			return tool_end(tool, EXIT_DONE);
		case ':':
		case '?':
			return wrong_option(tool, option, before, argv);
		default:
			status = take(context, option);
		}
	}
	return status;
}

/* --- values ----------------------------------------------------------------------------------- */

int
option_duration(const struct tool *tool, const char *option, const char *text, int64_t least_s, int64_t most_s,
    int64_t *seconds)
{
	char least[32], most[32];

	if (duration_parse(text, seconds) != RJWT_OK)
		return tool_wrong(tool, "%s %s: not a duration (expected for example 90s, 15m, 12h or 7d)", option,
		    text);
	if (*seconds >= least_s && *seconds <= most_s)
		return EXIT_DONE;
	duration_format(least, least_s);
	duration_format(most, most_s);
	return tool_wrong(tool, "%s %s: out of range (expected %s to %s)", option, text, least, most);
}

int
option_time(const struct tool *tool, const char *option, const char *text, int64_t *seconds)
{
	if (time_parse(text, time(NULL), seconds) == RJWT_OK)
		return EXIT_DONE;
	return tool_wrong(tool, "%s %s: not a time (expected RFC 3339, seconds since the epoch, or +10m)", option,
	    text);
}
