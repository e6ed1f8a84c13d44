/* SPDX-License-Identifier: MIT */
#include "sudoers.h"
#include "base/buf.h"
#include "base/string_list.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* sudo reads no deeper; it has no limit of files, but two lines may include their own file. */
enum { DEPTH_MAX = 128, FILES_MAX = 1000 };

struct reader {
	sudoers_take take;
	void *context;
	char *unread;
	int depth, files;
};

static void read_file(struct reader *r, const char *path);

static void
note_unread(struct reader *r, const char *path, const char *why)
{
	if (r->unread[0] == '\0')
		snprintf(r->unread, 512, "%.400s: %s", path, why);
}

/* --- what is included ------------------------------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Files in order of their names; sudo passes over those with a dot, or a ~ at the end, and over a directory that is missing. */
static void
read_directory(struct reader *r, const char *path)
{
	RJWT_CLEAN(string_list_clear) struct string_list names = { 0 };
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char file[1024];

	if (dir == NULL) {
		if (errno != ENOENT && errno != ENOTDIR)
			note_unread(r, path, strerror(errno));
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (strchr(entry->d_name, '.') == NULL && entry->d_name[strlen(entry->d_name) - 1] != '~' &&
		    string_list_add(&names, entry->d_name) != RJWT_OK)
			note_unread(r, path, strerror(ENOMEM));
	closedir(dir);
	if (names.n > 0)
		qsort(names.list, names.n, sizeof(*names.list), by_name);
	for (size_t i = 0; i < names.n; i++) {
		snprintf(file, sizeof(file), "%.700s/%.255s", path, names.list[i]);
		read_file(r, file);
	}
}

static bool
is_directive(const char *line)
{
	return (line[0] == '@' || line[0] == '#') && strncmp(line + 1, "include", 7) == 0;
}

/* "@include FILE", "@includedir DIRECTORY", or with # in the place of @; a relative name is one beside this file. */
static void
follow(struct reader *r, const char *from, const char *line)
{
	const char *slash = strrchr(from, '/');
	char word[32], name[400], path[800];

	if (sscanf(line + 1, "%31s \"%399[^\"]", word, name) != 2 && sscanf(line + 1, "%31s %399s", word, name) != 2)
		return;
	snprintf(path, sizeof(path), "%.*s%s", name[0] == '/' || slash == NULL ? 0 : (int)(slash - from) + 1, from,
	    name);
	if (strcmp(word, "include") == 0)
		read_file(r, path);
	else if (strcmp(word, "includedir") == 0)
		read_directory(r, path);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* What # begins is a comment, unless it is quoted or the number of a user follows. Whether there was one. */
static bool
cut_comment(char *line)
{
	bool quoted = false;

	for (char *p = line; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0') {
			p++;
		} else if (*p == '"') {
			quoted = !quoted;
		} else if (*p == '#' && !quoted && !isdigit((unsigned char)p[p[1] == '-' ? 2 : 1])) {
			*p = '\0';
			return true;
		}
	}
	return false;
}

/* Take a line of the file to those before it. Whether another continues it. */
static bool
add_line(struct buf *whole, char *line)
{
	size_t n = strcspn(line, "\n");
	bool more = false;

	line[n] = '\0';
	if (!(whole->n == 0 && is_directive(line + strspn(line, " \t"))) && !cut_comment(line) && n > 0 &&
	    line[n - 1] == '\\') {
		line[n - 1] = '\0';
		more = true;
	}
	buf_adds(whole, line);
	return more;
}

static void
end_line(struct reader *r, const char *path, unsigned at, struct buf *whole)
{
	char *text;

	if (buf_done(whole) != RJWT_OK)
		note_unread(r, path, strerror(ENOMEM));
	text = whole->p == NULL ? NULL : whole->p + strspn(whole->p, " \t\r");
	if (text != NULL && is_directive(text))
		follow(r, path, text);
	else if (text != NULL && text[0] != '\0')
		r->take(r->context, path, at, text);
	buf_clear(whole);
}

static void
read_lines(struct reader *r, const char *path, FILE *file)
{
	RJWT_CLEAN(buf_clear) struct buf whole = { 0 };
	unsigned at = 0, begin = 1;
	size_t room = 0;
	char *line = NULL;

	while (getline(&line, &room, file) >= 0) {
		at++;
		if (add_line(&whole, line))
			continue;
		end_line(r, path, begin, &whole);
		begin = at + 1;
	}
	if (ferror(file))
		note_unread(r, path, strerror(errno));
	end_line(r, path, begin, &whole);
	free(line);
}

static void
read_file(struct reader *r, const char *path)
{
	int fd;
	FILE *file;

	if (r->depth >= DEPTH_MAX || r->files >= FILES_MAX) {
		note_unread(r, path, "files include others too often");
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (file == NULL) {
		note_unread(r, path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	r->depth++;
	r->files++;
	read_lines(r, path, file);
	r->depth--;
	fclose(file);
}

void
sudoers_read(const char *path, sudoers_take take, void *context, char unread[static 512])
{
	struct reader r = { take, context, unread, 0, 0 };

	unread[0] = '\0';
	read_file(&r, path);
}

/* --- lists ------------------------------------------------------------------------------------ */

char *
sudoers_item(char **list)
{
	char *item = *list, *p;
	bool quoted = false;

	if (item == NULL)
		return NULL;
	item += strspn(item, " \t");
	for (p = item; *p != '\0' && (quoted || *p != ','); p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	*list = *p == '\0' ? NULL : p + 1;
	*p = '\0';
	return item;
}
