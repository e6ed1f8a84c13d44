/* SPDX-License-Identifier: MIT */
/* The world of exhaust.c: a keyset, tokens, a PAM stack, and what is tried with them. */
#include "exhaust.h"
#include "base/err.h"

#include <security/pam_appl.h>

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

__attribute__((visibility("default"))) struct witness witness; /* the module writes it */
static char top[128], config[160], folder[160], kept[256];
static int answer; /* of pam_authenticate, or of rjwt's call */

/* --- making it -------------------------------------------------------------------------------- */

static _Noreturn void
die(const char *what, const char *why)
{
	printf("Bail out! %s: %s\n", what, why);
	exit(1);
}

static void
put_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");

	if (out == NULL || fputs(text, out) < 0 || fclose(out) != 0)
		die(path, strerror(errno));
}

static void
put_service(const char *build)
{
	char module[PATH_MAX], path[PATH_MAX + 64], text[8192] = "";
	static const char *const types[] = { "auth", "account", "session" };

	snprintf(path, sizeof(path), "%s/tests/fault/witness.so", build);
	if (realpath(path, module) == NULL)
		die(path, "not built");
	/* A refusal that is none would be a login by the line below it. */
	for (size_t i = 0; i < 3; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s required %s%s%s\n%s required pam_permit.so\n", types[i], module, " conf=", config, types[i]);
	snprintf(path, sizeof(path), "%s/sshd", folder);
	put_file(path, text);
	snprintf(path, sizeof(path), "%s/other", folder);
	put_file(path, "auth required pam_deny.so\n");
}

static void
need(enum rjwt_err err, const struct rjwt_diag *diag)
{
	if (err != RJWT_OK)
		die(rjwt_reason(err), diag->text);
}

static void
put_token(struct rjwt *h, enum token which, const char *user, bool reusable)
{
	const struct rjwt_request request = { .user = user,
		.reusable = reusable,
		.uses = which == FEW ? 2 : 0,
		.flags = which == CODE ? RJWT_PARK : 0 };
	struct rjwt_token token;
	struct rjwt_diag diag;

	need(rjwt_mint(h, &request, &token, &diag), &diag);
	snprintf(page->tokens[which], TOKEN_SIZE, "%s", which == CODE ? token.code : token.text);
	if (which == REVOKED)
		need(rjwt_revoke(h, &(struct rjwt_revocation){ .jti = token.jti }, 0, &token.change, &diag), &diag);
	rjwt_token_clear(&token);
}

/* In a process of its own: the one that tries things has not touched libcrypto yet. */
static void
put_keyset(void)
{
	static const char *const audience[] = { "host.example", NULL };
	const struct rjwt_options options = { .config = config, .issuer = "iss.example", .audience = audience };
	struct rjwt_change change;
	struct rjwt_diag diag;
	struct rjwt *h;
	char *p;

	need(rjwt_init(&options, 0, &change, &diag), &diag);
	need(rjwt_open(&(struct rjwt_options){ .config = config }, &h, &diag), &diag);
	put_token(h, REUSABLE, "alice", true);
	put_token(h, ONCE, "alice", false);
	put_token(h, FEW, "alice", false);
	put_token(h, CODE, "alice", false);
	put_token(h, FRESH, "alice", false);
	put_token(h, FORGED, "alice", true);
	put_token(h, OTHER, "bob", true);
	put_token(h, REVOKED, "alice", true);
	put_token(h, SPENT, "alice", false);
	rjwt_close(h);
	p = page->tokens[FORGED] + strlen(page->tokens[FORGED]) - 9;
	*p = *p == 'A' ? 'B' : 'A';
	strcpy(page->tokens[PASSWORD], "not a token");
	if (login(SPENT) != PAM_SUCCESS)
		die("a good token", page->log);
	page->done = true;
}

/* Each name in spent/1/; remove: those that were not there when the world was made. */
static void
marks(bool remove)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/state/spent/1", top);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (!remove)
			snprintf(kept, sizeof(kept), "%s", entry->d_name);
		else if (strcmp(entry->d_name, kept) != 0)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir != NULL)
		closedir(dir);
}

void
world_reset(void)
{
	marks(true);
}

void
world_make(const char *build)
{
	const char *tmp = getenv("TMPDIR");
	char text[512];
	pid_t pid;

	snprintf(top, sizeof(top), "%.90s/rjwt-exhaust-XXXXXX", tmp == NULL || tmp[0] != '/' ? "/tmp" : tmp);
	if (mkdtemp(top) == NULL)
		die(top, strerror(errno));
	snprintf(config, sizeof(config), "%s/rjwt.yaml", top);
	snprintf(folder, sizeof(folder), "%s/pam.d", top);
	(void)mkdir(folder, 0700);
	snprintf(text, sizeof(text), "state_dir: %s/state\n%s", top,
	    "base_kid: B\nmax_lifetime: 24h\ndefault_lifetime: 24h\nprevious_key_ttl: 48h\ncap_session: true\n");
	put_file(config, text);
	put_service(build);
	pid = child_start();
	if (pid == 0) {
		put_keyset();
		_exit(0);
	}
	if (!child_end(pid, "making the keyset"))
		die("making the keyset", page->wrong);
	marks(false);
}

static int
remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
world_free(void)
{
	nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- the application -------------------------------------------------------------------------- */

/* No line reaches the host's log, and no record its audit. */
static void __attribute__((format(printf, 1, 0))) hear(const char *fmt, va_list args)
{
	char *line = page->log;

	vsnprintf(line, sizeof(page->log), fmt, args);
	for (int i = 0; i < EMPTY; i++)
		if (page->tokens[i][0] != '\0' && strstr(line, page->tokens[i]) != NULL)
			complain("logged: %.100s", line);
}

#pragma GCC visibility push(default)

void __syslog_chk(int priority, int flag, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int audit_open(void);

void
__syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list args;

	(void)priority;
	(void)flag;
	va_start(args, fmt);
	hear(fmt, args);
	va_end(args);
}

int
audit_open(void)
{
	errno = EPROTONOSUPPORT;
	return -1;
}

#pragma GCC visibility pop

static int
converse(int n, const struct pam_message **messages, struct pam_response **responses, void *context)
{
	struct pam_response *made = calloc((size_t)n, sizeof(*made));

	(void)messages;
	if (made == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++)
		made[i].resp = strdup(context);
	*responses = made;
	return PAM_SUCCESS;
}

int
login(enum token token)
{
	const struct pam_conv conv = { converse, page->tokens[token] };
	pam_handle_t *pamh = NULL;
	int ret;

	witness = (struct witness){ NOT_CALLED, NOT_CALLED, NOT_CALLED, NOT_CALLED, false };
	ret = pam_start_confdir("sshd", "alice", &conv, folder, &pamh);
	if (ret != PAM_SUCCESS)
		return ret;
	ret = pam_authenticate(pamh, 0);
	if (ret == PAM_SUCCESS && pam_setcred(pamh, PAM_ESTABLISH_CRED) == PAM_SUCCESS &&
	    pam_acct_mgmt(pamh, 0) == PAM_SUCCESS && pam_open_session(pamh, 0) == PAM_SUCCESS)
		(void)pam_close_session(pamh, 0);
	(void)pam_end(pamh, ret);
	return ret;
}

static void
run_login(const struct scenario *s)
{
	answer = login(s->token);
}

static void
run_mint(const struct scenario *s)
{
	const struct rjwt_request request = { .user = "alice" };
	struct rjwt_token token = { .text = NULL };
	struct rjwt_diag diag;
	struct rjwt *h = NULL;

	(void)s;
	answer = (int)rjwt_open(&(struct rjwt_options){ .config = config }, &h, &diag);
	if (answer == RJWT_OK)
		answer = (int)rjwt_mint(h, &request, &token, &diag);
	if (answer == RJWT_OK) {
		snprintf(page->tokens[MINTED], TOKEN_SIZE, "%s", token.text);
		rjwt_token_clear(&token);
	}
	rjwt_close(h);
}

static void
run_verify(const struct scenario *s)
{
	const char *token = page->tokens[s->token];
	struct rjwt_check trace[RJWT_CHECKS_MAX];
	const struct rjwt_attempt attempt = { .token = token,
		.len = strlen(token),
		.user = "alice",
		.service = "sshd",
		.flags = RJWT_DRY_RUN,
		.trace = trace,
		.trace_max = RJWT_CHECKS_MAX };
	struct rjwt_verdict verdict;
	struct rjwt_diag diag;
	struct rjwt *h = NULL;

	answer = (int)rjwt_open(&(struct rjwt_options){ .config = config }, &h, &diag);
	if (answer == RJWT_OK) {
		answer = (int)rjwt_verify(h, &attempt, &verdict, &diag);
		if (answer != (int)verdict.reason)
			complain("returned %d, but the verdict is %s", answer, rjwt_reason(verdict.reason));
		rjwt_verdict_clear(&verdict);
	}
	rjwt_close(h);
}

const struct scenario scenarios[] = {
	{ "login, one-time token", true, ONCE, run_login },
	{ "login, token with uses", true, FEW, run_login },
	{ "login, code", true, CODE, run_login },
	{ "login, reusable token", true, REUSABLE, run_login },
	{ "login, spent token", false, SPENT, run_login },
	{ "login, forged token", false, FORGED, run_login },
	{ "login, revoked token", false, REVOKED, run_login },
	{ "login, another user's token", false, OTHER, run_login },
	{ "login, password", false, PASSWORD, run_login },
	{ "login, empty reply", false, EMPTY, run_login },
	{ "mint", true, MINTED, run_mint },
	{ "verify, good token", true, REUSABLE, run_verify },
	{ "verify, revoked token", false, REVOKED, run_verify },
};
const size_t nscenarios = ARRAY_LEN(scenarios);

void
judge(const struct scenario *s)
{
	page->accepted = answer == 0;
	_Static_assert(PAM_SUCCESS == 0 && RJWT_OK == 0, "one word for both");
	if (page->accepted && !s->good)
		complain("accepted");
	if (s->run != run_login)
		return;
	if (witness.auth == PAM_IGNORE)
		complain("authenticate said PAM_IGNORE");
	if (witness.auth == PAM_SUCCESS && !s->good)
		complain("authenticate said PAM_SUCCESS");
	if (page->accepted && witness.auth != PAM_SUCCESS)
		complain("accepted, although authenticate said %d", witness.auth);
	if (witness.setcred != NOT_CALLED && witness.setcred != PAM_SUCCESS && witness.setcred != PAM_CRED_ERR)
		complain("setcred said %d after a login", witness.setcred);
	if (witness.account == PAM_SUCCESS)
		complain("account said PAM_SUCCESS");
	if (witness.session != NOT_CALLED && witness.session != PAM_SUCCESS && witness.session != PAM_SESSION_ERR)
		complain("session said %d", witness.session);
	if (witness.token_left)
		complain("a token was left in PAM_AUTHTOK");
}
