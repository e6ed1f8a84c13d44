/* SPDX-License-Identifier: MIT */
#include "caller.h"
#include "base/datetime.h"
#include "base/text.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What sudo, doas and pkexec say of who called them. The caller of su can say so too: the login uid is the kernel's. */
static const struct {
	const char *variable, *via;
} callers[CALLERS] = { { "SUDO_UID", "sudo" }, { "DOAS_USER", "doas" }, { "PKEXEC_UID", "pkexec" } };

static void
read_login(struct caller *caller)
{
	FILE *file = fopen("/proc/self/loginuid", "re");

	if (file == NULL)
		return;
	if (fgets(caller->login, sizeof(caller->login), file) == NULL || strcmp(caller->login, "4294967295") == 0)
		caller->login[0] = '\0';
	fclose(file);
}

void
caller_read(struct caller *caller)
{
	*caller = (struct caller){ .n = 0 };
	for (size_t i = 0; i < CALLERS; i++) {
		const char *value = getenv(callers[i].variable);

		if (value == NULL)
			continue;
		caller->said[caller->n].variable = callers[i].variable;
		caller->said[caller->n].via = callers[i].via;
		caller->said[caller->n++].value = value;
	}
	read_login(caller);
}

/* --- users and groups ------------------------------------------------------------------------- */

/* Whether a lookup that found nothing says that there is nothing: getpwnam(3), NOTES. */
static bool
is_absent(int error)
{
	return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

/* *entry is NULL if the user does not exist. */
static enum rjwt_err
find_user(const char *name, struct passwd **entry, struct rjwt_diag *diag)
{
	*entry = NULL;
	if (name[0] == '\0' || strlen(name) > RJWT_NAME_MAX)
		return RJWT_OK;
	errno = 0;
	*entry = getpwnam(name);
	if (*entry == NULL && !is_absent(errno))
		return diag_fail(diag, RJWT_IO, "", "cannot look up a user");
	return RJWT_OK;
}

static enum rjwt_err
find_uid(void *context, const char *name, int64_t *uid, struct rjwt_diag *diag)
{
	struct passwd *entry;

	(void)context;
	RJWT_TRY(find_user(name, &entry, diag));
	*uid = entry == NULL ? -1 : (int64_t)entry->pw_uid;
	return RJWT_OK;
}

static enum rjwt_err
find_group(const char *name, struct group **entry, struct rjwt_diag *diag)
{
	errno = 0;
	*entry = getgrnam(name);
	if (*entry == NULL && !is_absent(errno))
		return diag_fail(diag, RJWT_IO, "", "cannot look up a group");
	return RJWT_OK;
}

/* The groups that a login of the user would have. */
static enum rjwt_err
list_groups(const char *name, gid_t first, gid_t **list, int *n)
{
	*n = 64;
	for (;;) {
		int room = *n;

		*list = reallocarray(*list, (size_t)room, sizeof(**list));
		if (*list == NULL)
			return RJWT_MEMORY;
		if (getgrouplist(name, first, *list, n) >= 0)
			return RJWT_OK;
		if (*n <= room) /* it did not say how many there are */
			*n = 2 * room;
	}
}

static enum rjwt_err
find_member(void *context, const char *name, const char *group, bool *is, struct rjwt_diag *diag)
{
	RJWT_CLEAN(free_clean) gid_t *list = NULL;
	struct passwd *user;
	struct group *entry;
	gid_t gid;
	int n;

	(void)context;
	*is = false;
	RJWT_TRY(find_group(group, &entry, diag));
	if (entry == NULL)
		return RJWT_OK;
	gid = entry->gr_gid;
	RJWT_TRY(find_user(name, &user, diag));
	if (user == NULL)
		return RJWT_OK;
	RJWT_TRY(list_groups(name, user->pw_gid, &list, &n));
	for (int i = 0; i < n; i++)
		*is = *is || list[i] == gid;
	return RJWT_OK;
}

const struct rjwt_accounts caller_accounts = { .uid = find_uid, .member = find_member };

/* --- the one caller --------------------------------------------------------------------------- */

static enum rjwt_err
refuse(struct rjwt_diag *diag)
{
	return diag_fail(diag, RJWT_RULE, "",
	    "it is not known who calls: type sudo rjwt-grant as yourself (root uses rjwt-issue)");
}

/* The uid of the caller, who may be given by name. */
static enum rjwt_err
read_uid(const struct caller *caller, int64_t *uid, struct rjwt_diag *diag)
{
	const char *value = caller->said[0].value;

	if (strcmp(caller->said[0].variable, "DOAS_USER") == 0)
		return find_uid(NULL, value, uid, diag);
	if (number_parse(view_of(value), UINT32_MAX - 1, uid) != RJWT_OK)
		*uid = -1;
	return RJWT_OK;
}

/* The name of a uid, if it is also the uid of that name: the rules ask by name. */
static enum rjwt_err
read_name(struct caller *caller, int64_t uid, struct rjwt_diag *diag)
{
	const struct passwd *entry;
	int64_t same;

	errno = 0;
	entry = getpwuid((uid_t)uid);
	if (entry == NULL && !is_absent(errno))
		return diag_fail(diag, RJWT_IO, "", "cannot look up a user");
	if (entry == NULL || strlen(entry->pw_name) > RJWT_NAME_MAX)
		return diag_fail(diag, RJWT_RULE, "", "no user of this host has the uid of the caller");
	strcpy(caller->name, entry->pw_name);
	RJWT_TRY(find_uid(NULL, caller->name, &same, diag));
	if (same == uid)
		return RJWT_OK;
	caller->name[0] = '\0';
	return diag_fail(diag, RJWT_RULE, "", "two users of this host have the name of the caller");
}

enum rjwt_err
caller_require(struct caller *caller, struct rjwt_diag *diag)
{
	int64_t uid;

	if (caller->n == 0)
		return refuse(diag);
	if (caller->n > 1)
		return diag_fail(diag, RJWT_RULE, "", "%s and %s are both set, so it is not known who calls",
		    caller->said[0].variable, caller->said[1].variable);
	RJWT_TRY(read_uid(caller, &uid, diag));
	if (uid == 0)
		return refuse(diag);
	if (uid < 0)
		return diag_fail(diag, RJWT_RULE, "", "%s does not name a user of this host", caller->said[0].variable);
	return read_name(caller, uid, diag);
}

/* --- who it was, in words --------------------------------------------------------------------- */

/* The name of a user who may be given by number. */
static const char *
name_of(const char *user)
{
	int64_t uid;
	const struct passwd *entry = NULL;

	if (number_parse(view_of(user), UINT32_MAX - 1, &uid) == RJWT_OK)
		entry = getpwuid((uid_t)uid);
	return entry == NULL ? user : entry->pw_name;
}

void
caller_by(const struct caller *caller, struct buf *by)
{
	const struct passwd *user = caller->n == 0 ? getpwuid(getuid()) : NULL;

	if (caller->n > 0) {
		text_escape_most(by, view_of(name_of(caller->said[0].value)), RJWT_NAME_MAX);
		buf_addf(by, " (%s)", caller->said[0].via);
	} else {
		buf_adds(by, user == NULL ? "?" : user->pw_name);
	}
}

/* The real user, who the environment says called it, and who logged in. */
void
caller_log(const struct caller *caller, struct buf *line)
{
	const struct passwd *user = getpwuid(getuid());

	text_log_word(line, "by", view_of(user == NULL ? "?" : user->pw_name));
	for (size_t i = 0; i < caller->n; i++) {
		text_log_word(line, "caller", view_of(caller->name[0] != '\0' ? caller->name : caller->said[i].value));
		text_log_word(line, "via", view_of(caller->said[i].via));
	}
	if (caller->login[0] != '\0')
		text_log_word(line, "loginuid", view_of(caller->login));
}
