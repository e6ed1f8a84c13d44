/* SPDX-License-Identifier: MIT */
/* rjwt-keyd check: whether something rotates the keys when it is time. */
#include "check.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
mentions(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[1024];
	bool found = false;

	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
		found = line[strspn(line, " \t")] != '#' && strstr(line, "rjwt-keyd") != NULL;
	if (file != NULL)
		fclose(file);
	return found;
}

static bool
any_mentions(const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	bool found = false;
	char path[512];

	while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		found = entry->d_name[0] != '.' && mentions(path);
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

/* A process "rjwt-keyd ... run ...", whoever started it. */
static bool
runs(void)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	bool found = false;

	while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
		char path[300], words[512] = "";
		FILE *file;
		size_t n;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/cmdline", entry->d_name);
		file = fopen(path, "re");
		n = file == NULL ? 0 : fread(words, 1, sizeof(words) - 1, file);
		if (file != NULL)
			fclose(file);
		found = memmem(words, n, "rjwt-keyd", 10) != NULL && memmem(words, n, "\0run", 5) != NULL;
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

static const char *
find_keeper(void)
{
	static const struct {
		const char *path, *what;
	} links[] = {
		{ "/etc/systemd/system/timers.target.wants/rjwt-keyd.timer", "rjwt-keyd.timer is enabled" },
		{ "/etc/systemd/system/multi-user.target.wants/rjwt-keyd.service", "rjwt-keyd.service is enabled" },
	};
	static const char *const crons[] = { "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily",
		"/var/spool/cron/crontabs", "/var/spool/cron" };

	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (faccessat(AT_FDCWD, links[i].path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return links[i].what;
	if (runs())
		return "rjwt-keyd run is running";
	if (mentions("/etc/crontab"))
		return "/etc/crontab runs rjwt-keyd";
	for (size_t i = 0; i < ARRAY_LEN(crons); i++)
		if (any_mentions(crons[i]))
			return "cron runs rjwt-keyd";
	return NULL;
}

void
check_rotation(struct check *check)
{
	const char *keeper = find_keeper();

	for (size_t i = 0; i < check->found.n; i++)
		if (check->found.list[i].kind != NULL && strcmp(check->found.list[i].kind->code, "rotation.never") == 0)
			return;
	if (keeper != NULL)
		finding_ok(&check->found, "rotation", "%s", keeper);
	else
		finding_add(&check->found, "rotation.none",
		    "neither a timer, nor the daemon, nor cron runs rjwt-keyd: keys rotate only when somebody mints");
}
