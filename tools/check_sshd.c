/* SPDX-License-Identifier: MIT */
/* rjwt-keyd check: what sshd says about its configuration (sshd -T), and the lines that it is from. */
#include "check.h"
#include "sshd_config.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define CONFIG "/etc/ssh/sshd_config"

/* --- where it is from ------------------------------------------------------------------------- */

struct search {
	const char *keyword;
	char path[256];
	unsigned line; /* 0: not found yet */
	unsigned matches;
	int depth;
};

static void search_file(struct search *s, const char *path, bool global);

static void
search_included(struct search *s, const char *patterns, bool global)
{
	char copy[512], path[512], *save = NULL;
	glob_t found;

	snprintf(copy, sizeof(copy), "%s", patterns);
	for (char *word = strtok_r(copy, " \t\"", &save); word != NULL; word = strtok_r(NULL, " \t\"", &save)) {
		snprintf(path, sizeof(path), "%s%s", word[0] == '/' ? "" : "/etc/ssh/", word);
		if (glob(path, 0, NULL, &found) == 0)
			for (size_t i = 0; i < found.gl_pathc; i++)
				search_file(s, found.gl_pathv[i], global);
		globfree(&found);
	}
}

/* The first line with the keyword counts for sshd; those of Match blocks are counted alone. */
static void
search_file(struct search *s, const char *path, bool global)
{
	FILE *file = s->depth >= 16 ? NULL : fopen(path, "re");
	char line[1024], word[64];
	int n = 0;

	if (file == NULL)
		return;
	s->depth++;
	for (unsigned at = 1; fgets(line, sizeof(line), file) != NULL; at++) {
		line[strcspn(line, "\r\n")] = '\0';
		if (sscanf(line, " %63[A-Za-z]%n", word, &n) != 1)
			continue;
		if (strcasecmp(word, "match") == 0) {
			s->matches++;
			global = false;
		} else if (strcasecmp(word, "include") == 0) {
			search_included(s, line + n, global);
		} else if (global && s->line == 0 && strcasecmp(word, s->keyword) == 0) {
			snprintf(s->path, sizeof(s->path), "%s", path);
			s->line = at;
		}
	}
	s->depth--;
	fclose(file);
}

static void
tell(struct check *check, const char *code, const char *keyword, const char *value, const char *what)
{
	struct search s = { .keyword = keyword };

	search_file(&s, CONFIG, true);
	finding_add(&check->found, code, "%s %s: %s", keyword, value, what);
	if (s.line != 0)
		finding_at(&check->found, s.path, s.line);
}

/* --- what it means ---------------------------------------------------------------------------- */

static const char *
value_of(struct buf *all, const char *keyword)
{
	const char *value = check_value(all, keyword, ' ');

	return value == NULL ? "" : value;
}

/* Whether one of the lists of methods, each joined by commas, has the prompt of PAM in it; "any" has. */
static bool
asks(const char *methods)
{
	return methods[0] == '\0' || strstr(methods, "any") != NULL ||
	       strstr(methods, "keyboard-interactive") != NULL || strstr(methods, "password") != NULL;
}

/* The seconds after a name in the list of penalties; 0: it is not there. */
static int
penalty(const char *list, const char *name)
{
	size_t n = strlen(name);
	int seconds = 0;

	for (const char *p = strstr(list, name); p != NULL; p = strstr(p + 1, name))
		if ((p == list || p[-1] == ' ') && p[n] == ':' && sscanf(p + n, ":%d", &seconds) == 1)
			return seconds;
	return 0;
}

/* OpenSSH 9.8 and later, where it is not switched off: nobody at the address of those who failed can log in for a while. */
static void
tell_penalties(struct check *check, struct buf *all)
{
	const char *list = value_of(all, "persourcepenalties");
	int each, from;

	each = penalty(list, "authfail");
	from = penalty(list, "min");
	if (each > 0)
		finding_add(&check->found, "sshd.penalties",
		    "persourcepenalties: after %d failed login%s in a row sshd drops connections from that address for "
		    "%d s or longer",
		    from <= each ? 1 : (from - 1) / each + 1, from <= each ? "" : "s", from <= each ? each : from);
}

static void
judge(struct check *check, struct buf *all)
{
	const char *pam = value_of(all, "usepam");
	const char *interactive = value_of(all, "kbdinteractiveauthentication");
	const char *methods = value_of(all, "authenticationmethods");
	const char *root = value_of(all, "permitrootlogin");
	struct search s = { .keyword = "" };

	if (strcmp(pam, "yes") != 0)
		tell(check, "sshd.usepam", "usepam", pam, "sshd never asks pam_rjwt.so");
	else if (strcmp(interactive, "yes") != 0)
		tell(check, "sshd.kbdint", "kbdinteractiveauthentication", interactive,
		    "nobody sees the prompt, nor why a token was rejected");
	if (!asks(methods))
		tell(check, "sshd.methods", "authenticationmethods", methods, "nobody is asked for a token");
	if (strcmp(root, "yes") == 0)
		tell(check, "sshd.root_login", "permitrootlogin", root, "root can log in with a token, or a password");
	search_file(&s, CONFIG, true);
	if (s.matches == 0)
		finding_ok(&check->found, "sshd", "usepam %s, kbdinteractiveauthentication %s", pam, interactive);
	else
		finding_ok(&check->found, "sshd",
		    "usepam %s, kbdinteractiveauthentication %s; %u Match block%s not checked", pam, interactive,
		    s.matches, s.matches == 1 ? "" : "s");
	tell_penalties(check, all);
}

void
check_sshd(struct check *check)
{
	RJWT_CLEAN(buf_clear) struct buf all = { 0 };
	const char *path = sshd_path();
	char error[256];

	if (!check->sshd) {
		finding_ok(&check->found, "sshd", "not checked: its stack does not name pam_rjwt.so");
	} else if (path == NULL) {
		finding_ok(&check->found, "sshd", "not checked: sshd is not installed");
	} else if (geteuid() != 0) {
		finding_ok(&check->found, "sshd", "not checked: needs root");
	} else if (!sshd_ask(path, &all, error)) {
		finding_ok(&check->found, "sshd", "not checked: sshd -T: %s", error);
	} else {
		judge(check, &all);
	}
}
