/* SPDX-License-Identifier: MIT */
#include "sshd_config.h"
#include "check.h"

#include <stdio.h>
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

void
sshd_value(const struct buf *all, const char *keyword, char value[static 256])
{
	size_t n = strlen(keyword);

	value[0] = '\0';
	for (const char *line = all->p; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1) {
		if (strncmp(line, keyword, n) == 0 && line[n] == ' ')
			snprintf(value, 256, "%.*s", (int)strcspn(line + n + 1, "\n"), line + n + 1);
		if (strchr(line, '\n') == NULL)
			break;
	}
}

/* A word of methods, joined by commas. */
static bool
list_asks_after_key(char *list)
{
	bool key = false;
	char *save = NULL;

	for (char *method = strtok_r(list, ",", &save); method != NULL; method = strtok_r(NULL, ",", &save)) {
		if (key && strncmp(method, "keyboard-interactive", 20) == 0)
			return true;
		key = key || strncmp(method, "publickey", 9) == 0;
	}
	return false;
}

bool
sshd_asks_after_key(const char *methods)
{
	char copy[256], *save = NULL;
	bool asks = false;

	snprintf(copy, sizeof(copy), "%s", methods);
	for (char *list = strtok_r(copy, " ", &save); list != NULL; list = strtok_r(NULL, " ", &save))
		asks = list_asks_after_key(list) || asks;
	return asks;
}
