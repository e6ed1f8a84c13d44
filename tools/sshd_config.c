/* SPDX-License-Identifier: MIT */
#include "sshd_config.h"
#include "check.h"

#include <string.h>
#include <unistd.h>

const char *
sshd_path(void)
{
	static const char *const paths[] = { "/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	return NULL;
}

bool
sshd_ask(const char *path, struct buf *all, char error[static 256])
{
	return check_run((const char *const[]){ path, "-T", NULL }, all, error) == 0 && all->n > 0;
}

/* A word of methods, joined by commas. */
static bool
list_asks_after_key(const char *list, size_t n)
{
	bool key = false;
	size_t length;

	for (size_t at = 0; at < n; at += length + 1) {
		const char *method = list + at;

		length = strcspn(method, ", ");
		if (key && strncmp(method, "keyboard-interactive", 20) == 0)
			return true;
		key = key || strncmp(method, "publickey", 9) == 0;
	}
	return false;
}

bool
sshd_asks_after_key(const char *methods)
{
	size_t n;

	for (; *methods != '\0'; methods += n + (methods[n] == ' ')) {
		n = strcspn(methods, " ");
		if (list_asks_after_key(methods, n))
			return true;
	}
	return false;
}
