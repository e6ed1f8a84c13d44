/* SPDX-License-Identifier: MIT */
/*
 * The phases and the conversation with libpam's calls failing, one by one. libpam itself is this file: one handle, with
 * its items, its environment and its data, which may be looked at.
 */
#include "fixture.h"

#include "failing.h"
#include "args.h"
#include "login.h"
#include "phases.h"

#include <security/pam_ext.h>
#include <stdio.h>

#define ROOM 8
#define TEN "0123456789"
#define LONG TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define JTI HUNDRED TEN TEN "012345678"			/* 129 */
#define SUB HUNDRED HUNDRED TEN TEN TEN TEN TEN "01234" /* 255 */

static char alice[] = "alice", sshd[] = "sshd";

static struct {
	char *user, *service, *authtok;
	const char *reply;
	char *variables[ROOM];
	struct {
		const char *name;
		void *data;
		void (*cleanup)(pam_handle_t *, void *, int);
	} data[ROOM];
	int prompts;
	const char *given; /* what was typed last, until it is freed */
	bool kept;	   /* it was freed as it was */
} host;

static pam_handle_t *const handle = (pam_handle_t *)&host;

char *__real_strdup(const char *text);
void __real_free(void *p);
void __wrap_free(void *p);
int __wrap_pam_get_item(const pam_handle_t *pamh, int type, const void **item);
int __wrap_pam_set_item(pam_handle_t *pamh, int type, const void *item);
int __wrap_pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt);
int __wrap_pam_set_data(pam_handle_t *pamh, const char *name, void *data, void (*cleanup)(pam_handle_t *, void *, int));
int __wrap_pam_get_data(const pam_handle_t *pamh, const char *name, const void **data);
int __wrap_pam_putenv(pam_handle_t *pamh, const char *text);
const char *__wrap_pam_getenv(pam_handle_t *pamh, const char *name);
int __wrap_pam_prompt(pam_handle_t *pamh, int style, char **response, const char *fmt, ...);
void __wrap_pam_syslog(const pam_handle_t *pamh, int priority, const char *fmt, ...);

void
__wrap_free(void *p)
{
	if (p != NULL && p == host.given) {
		host.kept = host.given[0] != '\0';
		host.given = NULL;
	}
	__real_free(p);
}

int
__wrap_pam_get_item(const pam_handle_t *pamh, int type, const void **item)
{
	(void)pamh;
	*item = type == PAM_USER      ? host.user
		: type == PAM_SERVICE ? host.service
		: type == PAM_AUTHTOK ? host.authtok
				      : NULL;
	return PAM_SUCCESS;
}

int
__wrap_pam_set_item(pam_handle_t *pamh, int type, const void *item)
{
	(void)pamh;
	assert_int_equal(type, PAM_AUTHTOK);
	if (failing_here("pam_set_item"))
		return PAM_BUF_ERR;
	free(host.authtok);
	host.authtok = item == NULL ? NULL : __real_strdup(item);
	return PAM_SUCCESS;
}

int
__wrap_pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
	(void)pamh;
	(void)prompt;
	if (failing_here("pam_get_user"))
		return PAM_SYSTEM_ERR;
	*user = host.user;
	return PAM_SUCCESS;
}

int
__wrap_pam_set_data(pam_handle_t *pamh, const char *name, void *data, void (*cleanup)(pam_handle_t *, void *, int))
{
	int i = 0;

	if (failing_here("pam_set_data"))
		return PAM_BUF_ERR;
	while (host.data[i].name != NULL && strcmp(host.data[i].name, name) != 0)
		i++;
	if (host.data[i].cleanup != NULL)
		host.data[i].cleanup(pamh, host.data[i].data, PAM_DATA_REPLACE);
	host.data[i].name = name;
	host.data[i].data = data;
	host.data[i].cleanup = cleanup;
	return PAM_SUCCESS;
}

int
__wrap_pam_get_data(const pam_handle_t *pamh, const char *name, const void **data)
{
	(void)pamh;
	for (int i = 0; i < ROOM && host.data[i].name != NULL; i++)
		if (strcmp(host.data[i].name, name) == 0 && host.data[i].data != NULL) {
			*data = host.data[i].data;
			return PAM_SUCCESS;
		}
	return PAM_NO_MODULE_DATA;
}

static char **
variable(const char *name)
{
	size_t n = strcspn(name, "=");
	int i = 0;

	while (i < ROOM - 1 &&
	       (host.variables[i] == NULL || strncmp(host.variables[i], name, n) != 0 || host.variables[i][n] != '='))
		i++;
	return &host.variables[i];
}

int
__wrap_pam_putenv(pam_handle_t *pamh, const char *text)
{
	char **found = variable(text);

	(void)pamh;
	if (failing_here("pam_putenv"))
		return PAM_BUF_ERR;
	if (*found == NULL && strchr(text, '=') == NULL)
		return PAM_BAD_ITEM;
	for (int i = 0; *found == NULL && i < ROOM - 1; i++)
		if (host.variables[i] == NULL)
			found = &host.variables[i];
	free(*found);
	*found = strchr(text, '=') == NULL ? NULL : __real_strdup(text);
	return PAM_SUCCESS;
}

const char *
__wrap_pam_getenv(pam_handle_t *pamh, const char *name)
{
	char **found = variable(name);

	(void)pamh;
	return *found == NULL ? NULL : *found + strlen(name) + 1;
}

int
__wrap_pam_prompt(pam_handle_t *pamh, int style, char **response, const char *fmt, ...)
{
	(void)pamh;
	(void)fmt;
	assert_int_equal(style, PAM_PROMPT_ECHO_OFF);
	host.prompts++;
	if (failing_here("pam_prompt"))
		return PAM_CONV_ERR;
	*response = failing_here("no answer") ? NULL : __real_strdup(host.reply);
	host.given = *response;
	return PAM_SUCCESS;
}

void
__wrap_pam_syslog(const pam_handle_t *pamh, int priority, const char *fmt, ...)
{
	(void)pamh;
	(void)priority;
	(void)fmt;
}

/* --- what is left ----------------------------------------------------------------------------- */

static void
host_clear(void)
{
	for (int i = 0; i < ROOM; i++) {
		if (host.data[i].cleanup != NULL)
			host.data[i].cleanup(handle, host.data[i].data, 0);
		free(host.variables[i]);
	}
	free(host.authtok);
	memset(&host, 0, sizeof(host));
}

static void
host_begin(const char *reply, const char *authtok)
{
	host_clear();
	host.user = alice;
	host.service = sshd;
	host.reply = reply;
	host.authtok = authtok == NULL ? NULL : strdup(authtok);
}

static bool
has_data(const char *name)
{
	const void *data = NULL;

	return __wrap_pam_get_data(handle, name, &data) == PAM_SUCCESS;
}

static bool
has_variables(void)
{
	for (int i = 0; i < ROOM; i++)
		if (host.variables[i] != NULL)
			return true;
	return false;
}

static int
end(void **state)
{
	host_clear();
	return fixture_teardown(state);
}

/* --- authenticate ----------------------------------------------------------------------------- */

/* Each call fails: nobody is let in but where the call matters to nobody, and of a refused login nothing is left. */
static void
each_login(struct fixture *f, const struct args *args, const char *reply, const char *authtok, int wanted)
{
	/* A line of the log, a stat, a path for a message that is not told; and a conversation is tried again. */
	static const char harmless[] = "malloc fstatat asprintf pam_prompt no answer";

	unsigned copies = 0; /* of what is stacked, the user, the service, the remote host */

	for (unsigned k = 1;; k++) {
		int ret;

		host_begin(reply, authtok);
		failing_begin(k);
		ret = login_authenticate(handle, args, f->now);
		assert_true(host.given == NULL && !host.kept); /* a reply is wiped, whatever becomes of it */
		if (!failing_end()) {
			assert_int_equal(ret, wanted);
			break;
		}
		if (ret == PAM_SUCCESS && strstr(harmless, failing_name) == NULL)
			fail_msg("%s failed, and nobody minded", failing_name);
		if (ret == PAM_IGNORE || has_data("pam_rjwt_login") != (ret == PAM_SUCCESS) ||
		    has_variables() != (ret == PAM_SUCCESS))
			fail_msg("%s failed: %d, with %s left", failing_name, ret, host.variables[0]);
		if (host.authtok != NULL && strncmp(host.authtok, "eyJ", 3) == 0 &&
		    strcmp(failing_name, "pam_set_item") != 0)
			fail_msg("%s failed, and a token was left", failing_name);
		if (strcmp(failing_name, "pam_set_data") == 0 || strcmp(failing_name, "pam_putenv") == 0 ||
		    strcmp(failing_name, "pam_set_item") == 0)
			assert_int_equal(ret, PAM_BUF_ERR);
		if (strcmp(failing_name, "strdup") == 0 && copies++ < (authtok == NULL ? 3 : 4))
			assert_int_equal(ret, PAM_BUF_ERR);
		if (strcmp(failing_name, "pam_get_user") == 0)
			assert_int_equal(ret, PAM_CONV_ERR);
		if (strcmp(failing_name, "pam_prompt") == 0 || strcmp(failing_name, "no answer") == 0) {
			assert_int_equal(ret, wanted); /* asked once more */
			assert_int_equal(host.prompts, 2);
		}
	}
}

static void
test_authenticate(void **state)
{
	struct fixture *f = *state;
	const struct args asks = { .config = f->config, .prompt = "Token: " },
			  takes = { .config = f->config, .prompt = "Token: ", .use_first_pass = true };
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);

	each_login(f, &asks, token, NULL, PAM_SUCCESS);
	each_login(f, &takes, NULL, token, PAM_SUCCESS);
	each_login(f, &asks, "password", NULL, PAM_AUTH_ERR);
	assert_string_equal(host.authtok, "password");
	each_login(f, &asks, "", NULL, PAM_AUTH_ERR);
	assert_null(host.authtok);
}

/* What an earlier login left cannot be taken away: then there is none. */
static void
test_nothing_forgotten(void **state)
{
	struct fixture *f = *state;
	const struct args args = { .config = f->config, .prompt = "Token: " };
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	unsigned k = 0;

	do {
		host_begin(token, NULL);
		assert_int_equal(pam_putenv(handle, "RJWT_JTI=x"), PAM_SUCCESS);
		failing_begin(++k);
		assert_int_not_equal(login_authenticate(handle, &args, f->now), PAM_SUCCESS);
		assert_true(failing_end());
	} while (strcmp(failing_name, "pam_putenv") != 0);
	assert_int_equal(host.prompts, 0);
}

/* An application may say neither who it is nor who logs in. */
static void
test_nobody(void **state)
{
	struct fixture *f = *state;
	const struct args args = { .config = f->config, .prompt = "Token: " };
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);

	host_begin(token, NULL);
	host.user = NULL;
	assert_int_equal(login_authenticate(handle, &args, f->now), PAM_USER_UNKNOWN);
	host_begin(token, NULL);
	host.service = NULL;
	assert_int_equal(login_authenticate(handle, &args, f->now), PAM_AUTH_ERR);
}

/* --- the later phases ------------------------------------------------------------------------- */

static const struct rjwt_verdict accepted = { .jti = "j",
	.user = "alice",
	.exp_s = T0 + 300,
	.accepted_until_s = T0 + 330,
	.cap_session = true };

/* In the process of authenticate, and in another, which has the environment alone. */
static void
begin_phase(bool same_process)
{
	host_begin(NULL, NULL);
	assert_int_equal(phase_remember(handle, &accepted), PAM_SUCCESS);
	assert_string_equal(pam_getenv(handle, "RJWT_SUB"), "alice");
	if (!same_process)
		assert_int_equal(pam_set_data(handle, "pam_rjwt_login", NULL, NULL), PAM_SUCCESS);
}

static int
remember(void)
{
	return phase_remember(handle, &accepted);
}

static int
setcred(void)
{
	return phase_setcred(handle, PAM_ESTABLISH_CRED);
}

static int
session(void)
{
	return phase_session(handle, T0);
}

static void
test_phases(void **state)
{
	static const struct {
		const char *name;
		int (*phase)(void);
		bool same_process;
		int failure;
	} rows[] = { { "remember", remember, true, PAM_BUF_ERR }, { "setcred", setcred, true, PAM_CRED_ERR },
		{ "setcred", setcred, false, PAM_CRED_ERR }, { "session", session, true, PAM_SESSION_ERR },
		{ "session", session, false, PAM_SESSION_ERR } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned k = 0;
		bool failed = true;

		while (failed) {
			int ret;

			begin_phase(rows[i].same_process);
			failing_begin(++k);
			ret = rows[i].phase();
			failed = failing_end();
			if (ret != (failed ? rows[i].failure : PAM_SUCCESS))
				fail_msg("%s: %s failed: %d", rows[i].name, failed ? failing_name : "nothing", ret);
		}
		assert_true(k > 1);
	}
}

/* What somebody else wrote into the environment is no login. */
static void
test_odd_environment(void **state)
{
	static const struct {
		const char *jti_text, *sub_text, *exp_text;
		bool good;
	} rows[] = { { "j", "alice", "1800000300", true }, { NULL, "alice", "1800000300", false },
		{ "j", NULL, "1800000300", false }, { "j", "alice", NULL, false }, { "j", "alice", "x", false },
		{ "j", "alice", "-1", false }, { JTI, "alice", "1800000300", true },
		{ JTI "0", "alice", "1800000300", false }, { "j", SUB, "1800000300", true },
		{ "j", SUB "5", "1800000300", false }, { LONG, "alice", "1800000300", false },
		{ "j", LONG LONG, "1800000300", false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const names[] = { "RJWT_JTI", "RJWT_SUB", "RJWT_EXP" }, *const values[] = {
			rows[i].jti_text, rows[i].sub_text, rows[i].exp_text
		};

		host_begin(NULL, NULL);
		for (int n = 0; n < 3; n++) {
			char text[600];

			snprintf(text, sizeof(text), "%s=%s", names[n], values[n] == NULL ? "" : values[n]);
			if (values[n] != NULL)
				assert_int_equal(pam_putenv(handle, text), PAM_SUCCESS);
		}
		assert_int_equal(setcred(), rows[i].good ? PAM_SUCCESS : PAM_IGNORE);
		assert_int_equal(has_data("pam_rjwt_login"), rows[i].good);
		assert_int_equal(phase_account(handle, T0 + 299), PAM_IGNORE);
		assert_int_equal(phase_account(handle, T0 + 300), rows[i].good ? PAM_ACCT_EXPIRED : PAM_IGNORE);
	}
}

/* With a sub of its own, and until the second in which a session would end at once. */
static void
test_session_end(void **state)
{
	struct rjwt_verdict v = accepted;
	static const struct {
		int64_t now_s;
		const char *seconds;
	} rows[] = { { T0, "300" }, { T0 + 299, "1" }, { T0 + 300, "1" }, { T0 + 310, "1" } };

	(void)state;
	host_begin(NULL, NULL);
	v.cap_session = false;
	assert_int_equal(phase_remember(handle, &v), PAM_SUCCESS);
	assert_null(pam_getenv(handle, "RJWT_CAP"));
	v.cap_session = true;
	snprintf(v.sub, sizeof(v.sub), "uuid");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const void *data = NULL;

		host_begin(NULL, NULL);
		assert_int_equal(phase_remember(handle, &v), PAM_SUCCESS);
		assert_string_equal(pam_getenv(handle, "RJWT_SUB"), "uuid");
		assert_int_equal(phase_session(handle, rows[i].now_s), PAM_SUCCESS);
		assert_int_equal(pam_get_data(handle, "systemd.runtime_max_sec", &data), PAM_SUCCESS);
		assert_string_equal(data, rows[i].seconds);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_authenticate, fixture_setup, end),
		cmocka_unit_test(test_phases),
		cmocka_unit_test_setup_teardown(test_nothing_forgotten, fixture_setup, end),
		cmocka_unit_test_setup_teardown(test_nobody, fixture_setup, end),
		cmocka_unit_test(test_odd_environment), cmocka_unit_test(test_session_end) };
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	host_clear();
	return failed;
}
