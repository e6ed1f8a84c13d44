/* SPDX-License-Identifier: MIT */
/* rjwt-keyd check: how long sudo does not ask again, from the lines of sudoers that say so for all. */
#include "check.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUDOERS "/etc/sudoers"

struct sudoers {
	double minutes; /* of the last line that says so */
	char path[256]; /* "": none does */
	unsigned line;
	bool closed; /* a file cannot be read */
	int depth;
};

static void read_sudoers(struct sudoers *s, const char *path);

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Files in order of their names; sudo passes over those with a dot, or a ~ at the end. */
static void
read_directory(struct sudoers *s, const char *path)
{
	RJWT_CLEAN(string_list_clear) struct string_list names = { 0 };
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char file[512];

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (strchr(entry->d_name, '.') == NULL && entry->d_name[strlen(entry->d_name) - 1] != '~')
			(void)!string_list_add(&names, entry->d_name);
	if (dir != NULL)
		closedir(dir);
	if (names.n > 0)
		qsort(names.list, names.n, sizeof(*names.list), by_name);
	for (size_t i = 0; i < names.n; i++) {
		snprintf(file, sizeof(file), "%.250s/%.255s", path, names.list[i]);
		read_sudoers(s, file);
	}
}

/* "@include FILE" or "#include FILE", and the same for directories. false: it is another line. */
static bool
follow(struct sudoers *s, const char *line)
{
	char word[32], name[400], path[512];

	if ((line[0] != '@' && line[0] != '#') || sscanf(line + 1, "%31s \"%399[^\"]", word, name) != 2) {
		if ((line[0] != '@' && line[0] != '#') || sscanf(line + 1, "%31s %399s", word, name) != 2)
			return false;
	}
	snprintf(path, sizeof(path), "%s%s", name[0] == '/' ? "" : "/etc/", name);
	if (strcmp(word, "include") == 0)
		read_sudoers(s, path);
	else if (strcmp(word, "includedir") == 0)
		read_directory(s, path);
	else
		return false;
	return true;
}

/* "Defaults ..., timestamp_timeout=5, ...", for all: behind Defaults is a blank. */
static void
read_default(struct sudoers *s, const char *path, unsigned at, const char *line)
{
	const char *value = strstr(line, "timestamp_timeout");
	char *end;
	double minutes;

	if (strncmp(line, "Defaults", 8) != 0 || (line[8] != ' ' && line[8] != '\t') || value == NULL)
		return;
	minutes = 0; /* !timestamp_timeout */
	if (value == line || value[-1] != '!') {
		value += strlen("timestamp_timeout");
		value += strspn(value, " \t=\"");
		minutes = strtod(value, &end);
		if (end == value)
			return;
	}
	s->minutes = minutes;
	snprintf(s->path, sizeof(s->path), "%s", path);
	s->line = at;
}

static void
read_sudoers(struct sudoers *s, const char *path)
{
	FILE *file = s->depth >= 64 ? NULL : fopen(path, "re");
	char line[4096];

	if (file == NULL) {
		s->closed = s->closed || errno == EACCES;
		return;
	}
	s->depth++;
	for (unsigned at = 1; fgets(line, sizeof(line), file) != NULL; at++) {
		const char *text = line + strspn(line, " \t");

		line[strcspn(line, "\r\n")] = '\0';
		if (!follow(s, text))
			read_default(s, path, at, text);
	}
	s->depth--;
	fclose(file);
}

void
check_sudo(struct check *check)
{
	struct sudoers s = { .minutes = 15 };

	if (!check->sudo) {
		finding_ok(&check->found, "sudo", "not checked: its stack does not name pam_rjwt.so");
		return;
	}
	read_sudoers(&s, SUDOERS);
	if (s.closed) {
		finding_ok(&check->found, "sudo", "not checked: needs root");
		return;
	}
	if (s.minutes < 0)
		finding_add(&check->found, "sudo.timestamp",
		    "timestamp_timeout %g: sudo asks once, and not again until a reboot", s.minutes);
	else if (s.minutes > 15)
		finding_add(&check->found, "sudo.timestamp", "timestamp_timeout %g: sudo asks again after %g minutes",
		    s.minutes, s.minutes);
	else if (s.minutes > 0)
		finding_ok(&check->found, "sudo", "timestamp_timeout %g: sudo asks again after %g minutes", s.minutes,
		    s.minutes);
	else
		finding_ok(&check->found, "sudo", "timestamp_timeout 0: sudo asks each time");
	if (s.path[0] != '\0' && (s.minutes < 0 || s.minutes > 15))
		finding_at(&check->found, s.path, s.line);
}
