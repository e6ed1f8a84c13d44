/* SPDX-License-Identifier: MIT */
/*
 * rjwt-keyd check: whether the unit in which systemd runs a service lets pam_rjwt.so mark one-time tokens as spent.
 * Asked is systemd itself, which knows the drop-ins.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of services in which PAM is called as root, by the names of Debian and of Fedora. Of a template any instance is asked. */
static const struct row {
	const char *service, *unit, *edited; /* without .service; edited NULL: the unit */
} units[] = {
	{ "sshd", "ssh", NULL },
	{ "sshd", "sshd", NULL },
	{ "polkit-1", "polkit-agent-helper@0", "polkit-agent-helper@" },
	{ "login", "getty@tty1", "getty@" },
	{ "cron", "cron", NULL },
	{ "crond", "crond", NULL },
	{ "openvpn", "openvpn-server@0", "openvpn-server@" },
	{ "vsftpd", "vsftpd", NULL },
	{ "proftpd", "proftpd", NULL },
	{ "saslauthd", "saslauthd", NULL },
	{ "dovecot", "dovecot", NULL },
};

/* The length of path where it is dir, or dir lies below it; else 0. */
static size_t
covers(const char *path, const char *dir)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return strncmp(path, dir, n) == 0 && (n == 1 || dir[n] == '\0' || dir[n] == '/') ? n : 0;
}

/* The longest of the paths that covers dir. In front of one may be what systemd.exec(5) calls a prefix. */
static size_t
longest(const char *paths, const char *dir)
{
	size_t most = 0;
	char *copy = strdup(paths), *save = NULL;

	for (char *path = copy == NULL ? NULL : strtok_r(copy, " ", &save); path != NULL;
	     path = strtok_r(NULL, " ", &save)) {
		size_t n = covers(path + strspn(path, "-+"), dir);

		most = n > most ? n : most;
	}
	free(copy);
	return most;
}

/* Whether what the unit's properties say lets files be made in dir. What is named most closely counts. */
static bool
can_write(struct buf *all, const char *dir)
{
	const char *system = check_value(all, "ProtectSystem", '=');
	const char *open = check_value(all, "ReadWritePaths", '=');
	const char *closed = check_value(all, "ReadOnlyPaths", '=');
	const char *hidden = check_value(all, "InaccessiblePaths", '=');
	size_t writable, shut;

	if (system == NULL || open == NULL || closed == NULL || hidden == NULL)
		return true;
	writable = longest(open, dir);
	shut = longest(closed, dir);
	if (longest(hidden, dir) > shut)
		shut = longest(hidden, dir);
	return shut == 0 && strcmp(system, "strict") != 0 ? true : writable > 0 && writable >= shut;
}

/* What systemd knows of a unit; false: there is none of this name, or it is another name of one. */
static bool
ask(const char *unit, struct buf *all)
{
	const char *load, *id;
	char error[256];

	if (check_run((const char *const[]){ "/usr/bin/systemctl", "show", "-pId,LoadState,ProtectSystem",
			  "-pReadWritePaths,ReadOnlyPaths,InaccessiblePaths", unit, NULL },
		all, error) != 0)
		return false;
	load = check_value(all, "LoadState", '=');
	id = check_value(all, "Id", '=');
	return load != NULL && id != NULL && strcmp(load, "loaded") == 0 && strcmp(id, unit) == 0;
}

static void
judge(struct check *check, const struct row *row, const char *const *dirs)
{
	RJWT_CLEAN(buf_clear) struct buf all = { 0 };
	RJWT_CLEAN(buf_clear) struct buf closed = { 0 };
	const char *first = NULL;
	char unit[64];

	snprintf(unit, sizeof(unit), "%s.service", row->unit);
	if (!ask(unit, &all))
		return;
	for (size_t i = 0; dirs[i] != NULL; i++) {
		if (access(dirs[i], F_OK) != 0 || can_write(&all, dirs[i]))
			continue;
		first = first == NULL ? dirs[i] : first;
		buf_addf(&closed, " -%s", dirs[i]);
	}
	if (first == NULL || buf_done(&closed) != RJWT_OK)
		return;
	finding_add(&check->found, "pam.unit",
	    "%s: in %s nothing can be written to %s: one-time tokens are rejected there", row->service, row->unit,
	    first);
	finding_fix(&check->found, "systemctl edit %s.service: below [Service] the line ReadWritePaths=%s",
	    row->edited == NULL ? row->unit : row->edited, closed.p + 1);
}

void
check_units(struct check *check, const struct string_list *services)
{
	RJWT_CLEAN(buf_clear) struct buf spent = { 0 };
	RJWT_CLEAN(buf_clear) struct buf fleet = { 0 };

	if (check->state == NULL || access("/run/systemd/system", F_OK) != 0)
		return;
	buf_addf(&spent, "%s/spent", check->state);
	buf_addf(&fleet, "%s/fleet", check->state);
	if (buf_done(&spent) != RJWT_OK || buf_done(&fleet) != RJWT_OK) {
		check->found.failed = true;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		for (size_t k = 0; k < services->n; k++)
			if (strcmp(services->list[k], units[i].service) == 0)
				judge(check, &units[i], (const char *const[]){ spent.p, fleet.p, NULL });
}
