/* SPDX-License-Identifier: MIT */
#include "keyset/lock_end.h"
#include "base/err.h"
#include "base/file.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct suspect {
	long pid;
	struct stat lock;
	struct dir fds; /* /proc/PID/fd */
	bool holds;
};

/* Whether fdinfo shows a flock(2) on that descriptor, which proc(5) lists only for the one that has it. */
static bool
shows_lock(long pid, const char *descriptor)
{
	char path[64], line[256];
	bool found = false;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/%ld/fdinfo/%.10s", pid, descriptor);
	info = fopen(path, "re");
	while (info != NULL && fgets(line, sizeof(line), info) != NULL)
		found = found || (strncmp(line, "lock:", 5) == 0 && strstr(line, "FLOCK") != NULL);
	if (info != NULL)
		fclose(info);
	return found;
}

static enum rjwt_err
look_at_descriptor(void *context, const char *name)
{
	struct suspect *s = context;
	struct stat there;

	if (fstatat(s->fds.fd, name, &there, 0) == 0 && there.st_dev == s->lock.st_dev &&
	    there.st_ino == s->lock.st_ino)
		s->holds = s->holds || shows_lock(s->pid, name);
	return RJWT_OK;
}

static bool
holds_lock(struct suspect *s)
{
	char path[32];

	s->holds = false; /* /proc/locks may have several lines with this inode number, of other file systems */
	snprintf(path, sizeof(path), "/proc/%ld/fd", s->pid);
	s->fds.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->fds.path = path;
	if (s->fds.fd < 0 || dir_each(&s->fds, look_at_descriptor, s, NULL) != RJWT_OK)
		s->holds = false;
	fd_clean(&s->fds.fd);
	return s->holds;
}

/* A process has to run to end, and this one may have been made the last to run: it gets a turn. */
static void
speed_up(pid_t pid)
{
	const struct sched_param usual = { 0 };

	(void)sched_setscheduler(pid, SCHED_OTHER, &usual);
	(void)setpriority(PRIO_PROCESS, (id_t)pid, -20);
}

static bool
end_process(struct suspect *s)
{
	RJWT_CLEAN(fd_clean) int process = (int)syscall(SYS_pidfd_open, s->pid, 0);

	/* From here on the number may become another process's; what we hold stays this one. */
	if (process < 0 || !holds_lock(s))
		return false;
	speed_up((pid_t)s->pid);
	return syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0) == 0;
}

static void
name_process(long pid, char *told, size_t size)
{
	char path[32], name[32] = "";
	FILE *comm;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	comm = fopen(path, "re");
	if (comm != NULL && fgets(name, sizeof(name), comm) != NULL)
		name[strcspn(name, "\n")] = '\0';
	if (comm != NULL)
		fclose(comm);
	snprintf(told, size, "process %ld (%s)", pid, name);
}

void
lock_end_holder(int fd, char *told, size_t size)
{
	struct suspect s = { 0 };
	unsigned long long inode;
	char line[256], name[64];
	FILE *locks;

	if (fstat(fd, &s.lock) != 0 || (locks = fopen("/proc/locks", "re")) == NULL)
		return;
	while (fgets(line, sizeof(line), locks) != NULL) {
		if (sscanf(line, "%*d: FLOCK ADVISORY WRITE %ld %*x:%*x:%llu", &s.pid, &inode) != 2 ||
		    inode != s.lock.st_ino || s.pid <= 1 || s.pid == getpid())
			continue;
		name_process(s.pid, name, sizeof(name));
		if (end_process(&s))
			snprintf(told, size, "%s", name);
	}
	fclose(locks);
}
