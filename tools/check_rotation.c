/* SPDX-License-Identifier: MIT */
/* rjwt-keyd check: whether something rotates the keys when it is time, and follows the fleet. */
#include "check.h"
#include "base/datetime.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEMD "/run/systemd/system" /* is there where systemd is what runs */
#define FOLLOW "rjwt-keyd follow"
#define ENABLED "/etc/systemd/system"

/* What is looked for, and whether it is certain that it is nowhere. */
struct search {
	const char *command;
	bool systemd;	  /* a line that asks for systemd does nothing, as those of our own cron.d do */
	bool looked;	  /* there was a place for it */
	char unread[160]; /* a place that cannot be read, and why; "": none */
};

/* What others own rotates nothing, whatever it says: a user's crontab, and what a user has called rjwt-keyd. */
static bool
is_ours(const struct stat *status)
{
	return status->st_uid == 0 || status->st_uid == geteuid();
}

/* A file whose owner may not change the keyset counts for nothing, and one that is not regular is not waited for. */
static FILE *
open_ours(const char *path)
{
	RJWT_CLEAN(fd_clean) int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat status;
	FILE *file;

	if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || !is_ours(&status))
		return NULL;
	file = fdopen(fd, "r");
	if (file != NULL)
		fd = -1; /* owned by the stream now */
	return file;
}

static bool
mentions(struct search *search, const char *path)
{
	FILE *file = open_ours(path);
	char line[1024];
	bool found = false;

	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
		found = line[strspn(line, " \t")] != '#' && strstr(line, search->command) != NULL &&
			!(search->systemd && strstr(line, SYSTEMD) != NULL);
	search->looked = search->looked || file != NULL;
	if (file != NULL)
		fclose(file);
	return found;
}

static bool
any_mentions(struct search *search, const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	bool found = false;
	char path[512];

	if (dir == NULL && errno != ENOENT && errno != ENOTDIR)
		snprintf(search->unread, sizeof(search->unread), "%s: %s", directory, strerrordesc_np(errno));
	search->looked = search->looked || dir != NULL;
	while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		found = entry->d_name[0] != '.' && mentions(search, path);
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

/* Whether a process has our root: that of a container cares for the keyset there. What may not be looked at counts. */
static bool
is_here(const char *process)
{
	struct stat here, there;
	char path[300];

	snprintf(path, sizeof(path), "/proc/%.20s/root/.", process);
	return stat("/", &here) != 0 || stat(path, &there) != 0 ||
	       (here.st_dev == there.st_dev && here.st_ino == there.st_ino);
}

/* A process "rjwt-keyd ... run ..." of somebody who may change the keyset. */
static bool
runs(void)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	bool found = false;

	while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
		char path[300], words[512] = "";
		struct stat status;
		FILE *file;
		size_t n;

		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    fstatat(dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !is_ours(&status))
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/cmdline", entry->d_name);
		file = fopen(path, "re");
		n = file == NULL ? 0 : fread(words, 1, sizeof(words) - 1, file);
		if (file != NULL)
			fclose(file);
		found = memmem(words, n, "rjwt-keyd", 10) != NULL && memmem(words, n, "\0run", 5) != NULL &&
			is_here(entry->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

/* The place of a crontab that has the command; NULL: none has. */
static const char *
find_cron(struct search *search)
{
	static const char *const directories[] = { "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily",
		"/var/spool/cron/crontabs", "/var/spool/cron" };

	if (mentions(search, "/etc/crontab"))
		return "/etc/crontab";
	for (size_t i = 0; i < ARRAY_LEN(directories); i++)
		if (any_mentions(search, directories[i]))
			return directories[i];
	return NULL;
}

static const char *
find_keeper(void)
{
	static const struct {
		const char *path, *what;
	} links[] = {
		{ ENABLED "/timers.target.wants/rjwt-keyd.timer", "rjwt-keyd.timer is enabled" },
		{ ENABLED "/multi-user.target.wants/rjwt-keyd.service", "rjwt-keyd.service is enabled" },
	};
	struct search search = { .command = "rjwt-keyd", .systemd = access(SYSTEMD, F_OK) == 0 };

	for (size_t i = 0; i < ARRAY_LEN(links) && search.systemd; i++)
		if (faccessat(AT_FDCWD, links[i].path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return links[i].what;
	if (runs())
		return "rjwt-keyd run is running";
	return find_cron(&search) == NULL ? NULL : "cron runs rjwt-keyd";
}

/* Of an issuer: for how long a host may be away. */
static void
tell_bound(struct check *check, const struct rjwt_status *status)
{
	char path[300], every[32];

	snprintf(path, sizeof(path), "%s/private/bundle.key", status->dir);
	if (status->rotate_every_s == 0 || access(path, F_OK) != 0)
		return;
	duration_format(every, status->rotate_every_s);
	finding_add(&check->found, "rotation.away",
	    "keys rotate every %s: a host that hears nothing for so long may not know the key that signs then", every);
}

void
check_rotation(struct check *check, const struct rjwt_status *status)
{
	const char *keeper = find_keeper();

	tell_bound(check, status);
	for (size_t i = 0; i < check->found.n; i++)
		if (check->found.list[i].kind != NULL && strcmp(check->found.list[i].kind->code, "rotation.never") == 0)
			return;
	if (keeper != NULL)
		finding_ok(&check->found, "rotation", "%s", keeper);
	else
		finding_add(&check->found, "rotation.none",
		    "neither a timer, nor the daemon, nor cron runs rjwt-keyd: keys rotate only when somebody mints");
}

/* --- following -------------------------------------------------------------------------------- */

/* A unit that is enabled and, as rjwt-follow.timer, starts the service that follows, or runs the command itself. */
static bool
unit_follows(struct search *search)
{
	DIR *dir = search->systemd ? opendir(ENABLED) : NULL;
	const struct dirent *entry;
	bool found = false;
	char path[300];

	while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
		size_t n = strlen(entry->d_name);

		if (n < 6 || strcmp(entry->d_name + n - 6, ".wants") != 0)
			continue;
		snprintf(path, sizeof(path), ENABLED "/%s", entry->d_name);
		search->command = "rjwt-follow";
		found = any_mentions(search, path);
		search->command = FOLLOW;
		found = found || any_mentions(search, path);
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

void
check_follow(struct check *check, const struct rjwt_status *status)
{
	struct search search = { .command = FOLLOW, .systemd = access(SYSTEMD, F_OK) == 0 };
	const struct rjwt_following *fleet = &status->fleet;
	const char *by;

	if (!status->joined || (fleet->n == 0 && fleet->roster != 0)) /* the only issuer hears from nobody */
		return;
	by = unit_follows(&search) ? "a unit of systemd" : find_cron(&search);
	if (by != NULL)
		finding_ok(&check->found, "fleet", "follows %zu issuer%s, by roster %" PRId64 "; %s runs " FOLLOW,
		    fleet->n, fleet->n == 1 ? "" : "s", fleet->roster, by);
	else if (search.unread[0] != '\0' || !(search.systemd || search.looked))
		finding_ok(&check->found, "fleet",
		    "follows %zu issuer%s, by roster %" PRId64 "; not checked whether anything runs " FOLLOW ": %s",
		    fleet->n, fleet->n == 1 ? "" : "s", fleet->roster,
		    search.unread[0] != '\0' ? search.unread : "there is neither systemd nor a crontab");
	else
		finding_add(&check->found, "fleet.follow",
		    "neither a unit of systemd nor cron runs " FOLLOW ": new keys and revocations do not arrive");
}
