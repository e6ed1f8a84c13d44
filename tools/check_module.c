/* SPDX-License-Identifier: MIT */
/*
 * rjwt-keyd check: pam_rjwt.so, where the libpam of this host searches for modules. libpam does not say where that is, but
 * the path is a string in its file.
 */
#include "check.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const char *
check_arguments(size_t argc, char *const *argv)
{
	static const char *const words[] = { "conf", "prompt", "debug", "try_first_pass", "use_first_pass" };
	unsigned seen[ARRAY_LEN(words)] = { 0 };

	for (size_t i = 0; i < argc; i++) {
		const char *value = strchr(argv[i], '=');
		size_t n = value == NULL ? strlen(argv[i]) : (size_t)(value - argv[i]), k = 0;

		while (k < ARRAY_LEN(words) && !(strlen(words[k]) == n && strncmp(words[k], argv[i], n) == 0))
			k++;
		if (k == ARRAY_LEN(words) || (value != NULL) != (k < 2))
			return "has an argument that pam_rjwt.so does not know: it rejects every login";
		if ((k == 0 && value[1] != '/') || (k == 1 && value[1] == '\0') || (k < 2 && seen[k] > 0))
			return "has an argument that pam_rjwt.so does not accept: it rejects every login";
		seen[k]++;
	}
	return seen[3] > 0 && seen[4] > 0
		   ? "has both try_first_pass and use_first_pass: pam_rjwt.so rejects every login"
		   : NULL;
}

/* The string in a file that is an absolute path and ends with /security/. */
static void
find_path(const char *file, size_t n, char path[static 256])
{
	static const char end[] = "/security/"; /* its NUL included */
	const char *at = file, *start;

	while ((at = memmem(at, n - (size_t)(at - file), end, sizeof(end))) != NULL) {
		for (start = at; start > file && start[-1] != '\0';)
			start--;
		if (start[0] == '/' && (size_t)(at - start) + sizeof(end) <= 256) {
			memcpy(path, start, (size_t)(at - start) + sizeof(end));
			return;
		}
		at += sizeof(end);
	}
}

static void
read_libpam(const char *libpam, struct check *check)
{
	static const char second[] = "\0" CHECK_SECOND;
	RJWT_CLEAN(fd_clean) int fd = open(libpam, O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *file;

	if (fd < 0 || fstat(fd, &status) != 0 || status.st_size <= 0)
		return;
	file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		return;
	find_path(file, (size_t)status.st_size, check->modules);
	check->second = memmem(file, (size_t)status.st_size, second, sizeof(second)) != NULL;
	munmap(file, (size_t)status.st_size);
}

void
check_find_modules(struct check *check)
{
	void *libpam = dlopen("libpam.so.0", RTLD_LAZY | RTLD_LOCAL);
	struct link_map *map = NULL;

	check->modules[0] = '\0';
	if (libpam == NULL)
		return;
	if (dlinfo(libpam, RTLD_DI_LINKMAP, &map) == 0 && map != NULL)
		read_libpam(map->l_name, check);
	dlclose(libpam);
}

/* Load the module in another process: what a damaged file does happens there. text: why it cannot be loaded. */
static bool
loads(const char *path, char text[static 512])
{
	int ends[2], status = -1;
	ssize_t n;
	pid_t pid;

	snprintf(text, 512, "loading it crashes");
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	pid = fork();
	if (pid == 0) {
		const char *why;

		alarm(10);
		if (dlopen(path, RTLD_NOW) != NULL)
			_exit(0);
		why = dlerror();
		(void)!write(ends[1], why, strnlen(why, 500));
		_exit(1);
	}
	close(ends[1]);
	n = pid < 0 ? -1 : read(ends[0], text, 511);
	if (n > 0)
		text[n] = '\0';
	close(ends[0]);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Directories where a module may lie that this libpam does not search. */
static const char *const elsewhere[] = { "/lib/security/", "/usr/lib/security/", "/lib64/security/",
	"/usr/lib64/security/", "/usr/local/lib/security/", "/lib/x86_64-linux-gnu/security/",
	"/usr/lib/x86_64-linux-gnu/security/", "/lib/aarch64-linux-gnu/security/",
	"/usr/local/lib/x86_64-linux-gnu/security/" };

/* The first other copy; "": there is none. */
static void
find_copy(const char *path, char copy[static 300])
{
	struct stat here, there;
	bool have = stat(path, &here) == 0;

	copy[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(elsewhere) && copy[0] == '\0'; i++) {
		snprintf(copy, 300, "%s" RJWT_MODULE, elsewhere[i]);
		if (stat(copy, &there) != 0 || (have && here.st_dev == there.st_dev && here.st_ino == there.st_ino))
			copy[0] = '\0';
	}
}

static void
tell_missing(struct check *check, const char *path, const char *copy)
{
	if (copy[0] == '\0')
		finding_add(&check->found, "module.missing", "missing: no token is accepted");
	else
		finding_add(&check->found, "module.missing", "missing: a copy is where libpam does not search, %s",
		    copy);
	finding_at(&check->found, path, 0);
}

void
check_module(struct check *check)
{
	char path[300], copy[300], text[512];

	if (check->modules[0] == '\0') {
		finding_ok(&check->found, "module",
		    "not checked: libpam.so.0 cannot be loaded, or has no path of modules");
		return;
	}
	snprintf(path, sizeof(path), "%s" RJWT_MODULE, check->modules);
	if (check->second && access(path, F_OK) != 0 && access(CHECK_SECOND "/" RJWT_MODULE, F_OK) == 0)
		snprintf(path, sizeof(path), CHECK_SECOND "/" RJWT_MODULE);
	find_copy(path, copy);
	if (check->unused && access(path, F_OK) != 0) {
		finding_ok(&check->found, "module", "%s is not there, and no stack names it", path);
	} else if (access(path, F_OK) != 0) {
		tell_missing(check, path, copy);
	} else if (!loads(path, text)) {
		finding_add(&check->found, "module.unloadable", "cannot be loaded: %s", text);
		finding_at(&check->found, path, 0);
	} else {
		finding_ok(&check->found, "module", "%s loads", path);
	}
	if (copy[0] != '\0' && access(path, F_OK) == 0) {
		finding_add(&check->found, "module.copy", "a copy, in a directory that this libpam does not search");
		finding_at(&check->found, copy, 0);
	}
}
