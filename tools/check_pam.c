/* SPDX-License-Identifier: MIT */
/*
 * rjwt-keyd check: all PAM services of this host, and what lets in where rjwt is of no use.
 */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
note_files(const struct stack *stack, struct string_list *files)
{
	for (int phase = 0; phase < STACK_PHASES; phase++) {
		const struct stack_lines *lines = stack_lines(stack, (enum stack_phase)phase);

		for (size_t i = 0; i < lines->n; i++) {
			bool known = !stack_is_module(&lines->list[i], RJWT_MODULE);

			for (size_t k = 0; k < files->n && !known; k++)
				known = strcmp(files->list[k], lines->list[i].at->file) == 0;
			if (!known)
				(void)!string_list_add(files, lines->list[i].at->file);
		}
	}
}

/* A file that cannot be read as libpam reads it. */
static void
tell_unread(struct check *check, const char *name, enum rjwt_err err, const struct rjwt_diag *diag)
{
	if (err == RJWT_CONFIG) {
		finding_add(&check->found, "pam.lockout", "%s: nobody can log in", diag->text);
		finding_fix(&check->found, "mend or remove this line");
	} else {
		finding_add(&check->found, "pam.unreadable", "%s; what %s answers is not checked", diag->text, name);
	}
	finding_at(&check->found, diag->path, diag->line);
}

struct summary {
	struct string_list files, names, ways;
	struct string_list closed; /* services that are not for us to read */
	bool password_somewhere;   /* without pam_rjwt.so, in a service through which people come in */
	char by[64];
};

/* Through which one gets in when rjwt is of no use. */
static bool
is_entrance(const char *name)
{
	static const char *const names[] = { "login", "sshd", "gdm-password", "lightdm", "sddm", "lxdm", "xdm",
		"cockpit" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void
summarize(struct summary *sum, const struct service *s)
{
	note_files(s->stack, &sum->files);
	if (s->auth == NULL)
		return;
	if (string_list_add(&sum->names, s->name) != RJWT_OK ||
	    string_list_add(&sum->ways, service_way_in(s)) != RJWT_OK)
		s->check->found.failed = true;
}

static void
check_service(struct check *check, const char *name, struct summary *sum)
{
	RJWT_CLEAN(stack_clean) struct stack *stack = NULL;
	struct rjwt_diag diag = { 0 };
	struct service s = { .check = check, .name = name };
	enum rjwt_err err = stack_read(check->pam, name, &stack, &diag);
	bool ours;

	if (err == RJWT_IO && diag.errnum == EACCES && geteuid() != 0) {
		if (string_list_add(&sum->closed, name) != RJWT_OK)
			check->found.failed = true;
		return;
	}
	if (err != RJWT_OK) {
		tell_unread(check, name, err, &diag);
		return;
	}
	s.stack = stack;
	ours = service_begin(&s);
	if (is_entrance(name) && !sum->password_somewhere && service_takes_password_alone(&s)) {
		sum->password_somewhere = true;
		snprintf(sum->by, sizeof(sum->by), "%s", name);
	}
	if (!ours)
		return;
	check->sshd = check->sshd || (s.auth != NULL && strcmp(name, "sshd") == 0);
	check->sudo = check->sudo || (s.auth != NULL && strncmp(name, "sudo", 4) == 0);
	service_judge(&s);
	summarize(sum, &s);
}

/* "sshd, sudo: a token or the password; 2 files name pam_rjwt.so" */
static void
tell_well(struct check *check, const struct summary *sum)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	for (size_t i = 0; i < sum->names.n; i++) {
		bool first = true;

		for (size_t k = 0; k < i; k++)
			first = first && strcmp(sum->ways.list[i], sum->ways.list[k]) != 0;
		for (size_t k = i; first && k < sum->names.n; k++)
			if (strcmp(sum->ways.list[i], sum->ways.list[k]) == 0)
				buf_addf(&text, "%s%s", k > i ? ", " : "", sum->names.list[k]);
		if (first)
			buf_addf(&text, ": %s; ", sum->ways.list[i]);
	}
	buf_addf(&text, "%zu %s pam_rjwt.so", sum->files.n, sum->files.n == 1 ? "file names" : "files name");
	for (size_t i = 0; i < sum->closed.n; i++)
		buf_addf(&text, "%s%s", i == 0 ? "; not checked, for want of root: " : ", ", sum->closed.list[i]);
	finding_ok(&check->found, "pam", "%s", text.p == NULL ? "" : text.p);
}

/* Files that others include and no program names as its service, and what package managers leave. */
static bool
is_no_service(const char *name)
{
	static const char *const starts[] = { ".", "common-", "system-auth", "password-auth", "fingerprint-auth",
		"smartcard-auth", "postlogin", "other" };
	static const char *const inside[] = { "~", ".dpkg-", ".rpm", ".bak", ".orig", ".old", ".pam-old" };

	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		if (strncmp(name, starts[i], strlen(starts[i])) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(inside); i++)
		if (strstr(name, inside[i]) != NULL)
			return true;
	return false;
}

/* libpam takes none for a service, and administrators keep copies in some. */
static bool
is_directory(int dir, const char *name)
{
	struct stat status;

	return fstatat(dir, name, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
check_list_services(const struct check *check, struct string_list *names)
{
	for (size_t i = 0; check->pam[i] != NULL; i++) {
		DIR *dir = opendir(check->pam[i]);
		const struct dirent *entry;

		while (dir != NULL && (entry = readdir(dir)) != NULL)
			if (!is_no_service(entry->d_name) && !is_directory(dirfd(dir), entry->d_name))
				(void)!string_list_add(names, entry->d_name);
		if (dir != NULL)
			closedir(dir);
	}
	if (names->n > 0)
		qsort(names->list, names->n, sizeof(*names->list), by_name);
}

void
check_pam(struct check *check)
{
	RJWT_CLEAN(string_list_clear) struct string_list names = { 0 };
	struct summary sum = { .by = "" };

	check_list_services(check, &names);
	for (size_t i = 0; i < names.n; i++)
		if (i == 0 || strcmp(names.list[i], names.list[i - 1]) != 0)
			check_service(check, names.list[i], &sum);
	check->unused = sum.files.n == 0;
	if (check->unused && sum.closed.n == 0 && !findings_in(&check->found, "pam"))
		finding_add(&check->found, "pam.unused", "no file in %s names pam_rjwt.so: nothing asks for a token",
		    check->pam[0]);
	else if (!check->unused || sum.closed.n > 0)
		tell_well(check, &sum);
	check_units(check, &sum.names);
	check_ages(check);
	if (sum.password_somewhere)
		finding_ok(&check->found, "way_in", "%s takes a password without rjwt", sum.by);
	else
		finding_add(&check->found, "way_in.none",
		    "neither login nor sshd takes a password when rjwt cannot verify tokens");
	string_list_clear(&sum.files);
	string_list_clear(&sum.names);
	string_list_clear(&sum.ways);
	string_list_clear(&sum.closed);
}
