/* SPDX-License-Identifier: MIT */
/* rjwt-keyd try: log in by the real PAM stacks, before the last root shell is closed. */
#include "audit.h"
#include "colour.h"
#include "issue.h"
#include "options.h"
#include "try.h"
#include "base/json_write.h"

#include <pwd.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* A token lives so long, and is tried with this much of it left. */
enum { LIFETIME_S = 30, LEFT_S = TRY_LIMIT_S };

#define WHY "rjwt-keyd try"

/* --- tokens ------------------------------------------------------------------------------------- */

static enum rjwt_err
mint(struct trial *t, struct rjwt_diag *diag)
{
	const char *const scope[] = { t->scope, NULL };
	const int64_t lifetime_s = LIFETIME_S;
	/* Nobody is warned of the user: what the stack says of him is to be seen. */
	struct issue is = { .tool = { .program = t->keyd->tool.program, .options.config = "" }, .handle = t->handle };
	struct rjwt_token token = { 0 };
	enum rjwt_err err;

	is.request = (struct rjwt_request){ .user = t->user, .scope = scope, .lifetime_s = &lifetime_s, .why = WHY };
	issue_name_caller(&is);
	err = issue_check_log(&is, diag);
	if (err == RJWT_OK)
		err = rjwt_mint(t->handle, &is.request, &token, diag);
	if (err == RJWT_OK) {
		t->token = token;
		err = issue_tell(&is, &is.request, &token, diag);
	}
	buf_clear(&is.by);
	return err;
}

/* A token that no login has spent is revoked, whatever became of the login. */
static void
give_up(struct trial *t)
{
	const struct rjwt_revocation revocation = { .jti = t->token.jti };
	struct rjwt_change change = { 0 };
	struct rjwt_diag diag = { 0 };
	char said[64];

	if (t->token.text == NULL)
		return;
	try_said(&t->seen[TRY_GOOD], said);
	if (strcmp(said, "accepted") != 0) {
		if (rjwt_revoke(t->handle, &revocation, 0, &change, &diag) == RJWT_OK) {
			audit_revoked("jti", t->token.jti, 1);
		} else {
			finding_add(&t->check->found, "try.revoke",
			    "token %s could not be revoked, and works for %d s: %s", t->token.jti, LIFETIME_S,
			    diag.text);
			finding_area(&t->check->found, t->service);
		}
	}
	rjwt_token_clear(&t->token);
	t->token = (struct rjwt_token){ .text = NULL };
}

/* A token with enough time left. */
static enum rjwt_err
renew(struct trial *t, struct rjwt_diag *diag)
{
	if (t->token.text != NULL && t->token.exp_s - time(NULL) >= LEFT_S)
		return RJWT_OK;
	give_up(t);
	return mint(t, diag);
}

/* --- replies ------------------------------------------------------------------------------------ */

/* What is typed for pam_rjwt.so is known by its prompt, unless it takes what another module asked for. */
static const char *
prompt_of(const struct trial *t)
{
	const char *prompt = stack_argument(t->line, "prompt");

	if (stack_argument(t->line, "try_first_pass") != NULL || stack_argument(t->line, "use_first_pass") != NULL)
		return NULL;
	return prompt == NULL ? "Token: " : prompt;
}

/* A good token with another signature. */
static void
try_wrong(struct trial *t, struct try_typed *typed)
{
	char *wrong = strdup(t->token.text), *signature = wrong == NULL ? NULL : strrchr(wrong, '.');

	if (signature == NULL) {
		t->seen[TRY_WRONG].end = TRY_DIED;
	} else {
		signature[1] = signature[1] == 'A' ? 'B' : 'A';
		typed->reply = wrong;
		try_login(typed, &t->seen[TRY_WRONG]);
	}
	free(wrong);
}

static void
try_reply(struct trial *t, enum try_kind kind)
{
	struct try_typed typed = { .user = t->user, .service = t->service, .prompt = prompt_of(t) };

	switch (kind) {
	case TRY_WRONG:
		try_wrong(t, &typed);
		return;
	case TRY_EMPTY:
		typed.reply = typed.others = "";
		break;
	case TRY_GOOD:
		typed.reply = t->token.text;
		typed.others = t->password;
		break;
	case TRY_PASSWORD:
		typed.reply = typed.others = t->password;
	}
	try_login(&typed, &t->seen[kind]);
}

/* How many failures pam_faillock has counted; -1: not known. */
static int
count_failures(const struct trial *t, const struct stack_entry *faillock)
{
	const char *dir = stack_argument(faillock, "dir");
	const char *const argv[] = { "/usr/sbin/faillock", "--user", t->user, dir == NULL ? NULL : "--dir", dir, NULL };
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	char error[256];
	int n = 0;

	if (check_run(argv, &out, error) != 0)
		return -1;
	for (size_t i = 1; i + 1 < out.n; i++)
		n += out.p[i - 1] == ' ' && out.p[i] == 'V' && out.p[i + 1] == '\n';
	return n;
}

static void
count_tally(struct trial *t, int *tally)
{
	const struct stack_lines *lines = stack_lines(t->stack, STACK_AUTH);

	*tally = -1;
	for (size_t i = 0; i < lines->n && *tally < 0; i++)
		if (stack_is_module(&lines->list[i], "pam_faillock.so"))
			*tally = count_failures(t, &lines->list[i]);
}

/* A finding about the service instead of a trial. false, so that it can be returned. */
static bool
cannot_try(struct trial *t, const char *code, const struct rjwt_diag *diag, const char *what)
{
	finding_add(&t->check->found, code, "%s%s", what, diag->text);
	finding_at(&t->check->found, diag->path, diag->line);
	finding_area(&t->check->found, t->service);
	return false;
}

/* All replies, the token's end included. false: a signal has ended it. */
static bool
try_replies(struct trial *t, int width)
{
	struct rjwt_diag diag = { 0 };
	bool go_on = true;

	count_tally(t, &t->tally[0]);
	for (int kind = 0; kind < TRY_KINDS && go_on; kind++) {
		enum rjwt_err err = kind == TRY_WRONG || kind == TRY_GOOD ? renew(t, &diag) : RJWT_OK;

		if (err != RJWT_OK) {
			if (diag.text[0] == '\0')
				snprintf(diag.text, sizeof(diag.text), "%s", rjwt_strerror(err));
			go_on = cannot_try(t, "try.mint", &diag, "no token could be minted: ");
			break;
		}
		if (kind == TRY_PASSWORD && t->password == NULL)
			break;
		try_reply(t, (enum try_kind)kind);
		go_on = t->seen[kind].end == TRY_DONE;
		if (!t->keyd->json && !t->keyd->quiet)
			try_print_row(t, (enum try_kind)kind, width);
	}
	count_tally(t, &t->tally[1]);
	give_up(t);
	for (int kind = 0; kind < TRY_KINDS; kind++)
		if (t->seen[kind].end == TRY_STOPPED)
			return false;
	return true;
}

/* --- services ----------------------------------------------------------------------------------- */

static const struct stack_entry *
find_line(const struct stack *stack)
{
	const struct stack_lines *lines = stack_lines(stack, STACK_AUTH);

	for (size_t i = 0; i < lines->n; i++)
		if (stack_is_module(&lines->list[i], RJWT_MODULE))
			return &lines->list[i];
	return NULL;
}

/* What the stack is, and a handle as its module opens one. false: there is a finding. */
static bool
prepare(struct trial *t)
{
	struct rjwt_options options = { 0 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = stack_read(t->check->pam, t->service, &t->stack, &diag);

	if (err != RJWT_OK)
		return cannot_try(t, "try.stack", &diag, "");
	t->line = find_line(t->stack);
	if (t->line == NULL)
		return cannot_try(t, "try.stack", &diag, "no auth line names pam_rjwt.so");
	options.config = stack_argument(t->line, "conf");
	err = rjwt_open(&options, &t->handle, &diag);
	if (err != RJWT_OK)
		return cannot_try(t, "try.mint", &diag, "no token could be minted: ");
	t->scope = rjwt_scope(t->handle, t->service);
	if (t->scope == NULL)
		return cannot_try(t, "try.closed", &diag, "the configuration closes this service to tokens (services)");
	return true;
}

static void
put_service(const struct trial *t, size_t first, struct buf *json)
{
	const struct findings *found = &t->check->found;
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	enum level worst = LEVEL_OK;

	for (size_t i = first; i < found->n; i++) {
		worst = found->list[i].level > worst ? found->list[i].level : worst;
		finding_put(&out, &found->list[i], colour_wanted());
	}
	if (!t->keyd->json && !t->keyd->quiet && out.p != NULL) {
		fputs(out.p, stdout);
		fflush(stdout);
	}
	json_open_element(json);
	json_put_text(json, "service", view_of(t->service));
	json_put_string(json, "level", view_of(level_word(worst)));
	json_open_array(json, "replies");
	for (int kind = 0; kind < TRY_KINDS; kind++)
		if (t->seen[kind].end != TRY_NOT)
			try_json(t, (enum try_kind)kind, json);
	json_close_array(json);
	json_open_array(json, "findings");
	for (size_t i = first; i < found->n; i++)
		finding_json(json, &found->list[i]);
	json_close_array(json);
	json_close(json);
}

/* Whether there was nothing to try with. A token that could not be revoked says nothing about the logins. */
static bool
has_failed(const struct findings *found, size_t first)
{
	for (size_t i = first; i < found->n; i++)
		if (found->list[i].level == LEVEL_FAIL)
			return true;
	return false;
}

/* false: a signal has ended it. */
static bool
try_service(struct trial *t, int width, struct buf *json)
{
	size_t first = t->check->found.n;
	bool whole = true;

	if (prepare(t)) {
		whole = try_replies(t, width);
		if (whole && !has_failed(&t->check->found, first))
			try_judge(t);
	}
	put_service(t, first, json);
	stack_free(t->stack);
	rjwt_close(t->handle);
	return whole;
}

/* --- the command -------------------------------------------------------------------------------- */

/* Services that reach pam_rjwt.so when somebody authenticates. One whose files are not read is for rjwt-keyd check. */
static enum rjwt_err
find_services(const struct check *check, struct string_list *services)
{
	RJWT_CLEAN(string_list_clear) struct string_list names = { 0 };

	check_list_services(check, &names);
	for (size_t i = 0; i < names.n; i++) {
		RJWT_CLEAN(stack_clean) struct stack *stack = NULL;

		if (i > 0 && strcmp(names.list[i], names.list[i - 1]) == 0)
			continue;
		if (stack_read(check->pam, names.list[i], &stack, NULL) == RJWT_OK && find_line(stack) != NULL)
			RJWT_TRY(string_list_add(services, names.list[i]));
	}
	return RJWT_OK;
}

static bool
is_service(const struct check *check, const char *name)
{
	char path[512];

	for (size_t i = 0; check->pam[i] != NULL && strchr(name, '/') == NULL && name[0] != '\0'; i++) {
		snprintf(path, sizeof(path), "%s/%s", check->pam[i], name);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* A line that is typed with nothing shown. false: none, or an empty one. */
static bool
ask_password(const char *user, char password[static PAM_MAX_RESP_SIZE])
{
	struct termios before, quiet;
	ssize_t n;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return false; /* not a terminal */
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	quiet.c_lflag |= ICANON | ECHONL;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) != 0)
		return false;
	fprintf(stderr, "Password of %s (empty: it is not tried): ", user);
	n = read(STDIN_FILENO, password, PAM_MAX_RESP_SIZE - 1);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	password[n > 0 ? n : 0] = '\0';
	password[strcspn(password, "\n")] = '\0';
	return password[0] != '\0';
}

/* -1: go on; else the exit status. */
static int
check_arguments_of(const struct keyd *keyd, const struct check *check)
{
	if (keyd->tool.options.config != NULL || keyd->tool.options.state_dir != NULL)
		return tool_wrong(&keyd->tool,
		    "try: --config and --state-dir cannot be used: each stack says which configuration it reads");
	if (keyd->users.n == 0)
		return tool_wrong(&keyd->tool, "try: USER is missing");
	if (getpwnam(keyd->users.list[0]) == NULL)
		return tool_wrong(&keyd->tool, "try: no user %s on this host", keyd->users.list[0]);
	for (size_t i = 1; i < keyd->users.n; i++)
		if (!is_service(check, keyd->users.list[i]))
			return tool_wrong(&keyd->tool, "try: no service %s: there is no such file in %s",
			    keyd->users.list[i], check->pam[0]);
	if (geteuid() == 0)
		return -1;
	tool_say(&keyd->tool, "try: only root can log in for others (run it as root)");
	return EXIT_REFUSED;
}

static int
put_verdict(const struct keyd *keyd, const struct check *check, const struct string_list *services, bool password,
    bool whole)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	enum level level = services->n == 0 || !whole ? LEVEL_FAIL : findings_level(&check->found);
	bool sshd = false;

	for (size_t i = 0; i < services->n; i++)
		sshd = sshd || strcmp(services->list[i], "sshd") == 0;
	buf_adds(&out, "try: ");
	level_put(&out, level, colour_wanted());
	if (services->n == 0)
		buf_addf(&out, ": no service in %s reaches pam_rjwt.so", check->pam[0]);
	else
		buf_addf(&out, ": %zu service%s", services->n, services->n == 1 ? "" : "s");
	if (!whole)
		buf_adds(&out, ", interrupted");
	if (services->n > 0 && (!password || sshd))
		buf_addf(&out, ". Not tried: %s%s%s%s", password ? "" : keyd->users.list[0],
		    password ? "" : "'s password", !password && sshd ? ", " : "",
		    sshd ? "sshd's own rules (see check)" : "");
	if (!keyd->json && buf_done(&out) == RJWT_OK)
		puts(out.p);
	return level == LEVEL_FAIL ? EXIT_REFUSED : EXIT_DONE;
}

/* All services. */
static int
try_all(struct keyd *keyd, struct check *check, const struct string_list *services, const char *password)
{
	RJWT_CLEAN(buf_clear) struct buf json = { 0 };
	int width = (int)strlen("SERVICE"), status;
	bool whole = true;

	for (size_t i = 0; i < services->n; i++)
		width = (int)strlen(services->list[i]) > width ? (int)strlen(services->list[i]) : width;
	json_open(&json, NULL);
	json_put_integer(&json, "schema", 1);
	json_put_text(&json, "user", view_of(keyd->users.list[0]));
	json_put_bool(&json, "password", password != NULL);
	json_open_array(&json, "services");
	if (!keyd->json && !keyd->quiet && services->n > 0)
		try_print_heading(width);
	for (size_t i = 0; i < services->n && whole; i++) {
		struct trial t = { .keyd = keyd, .check = check, .user = keyd->users.list[0], .password = password };

		t.service = services->list[i];
		whole = try_service(&t, width, &json);
	}
	json_close_array(&json);
	status = put_verdict(keyd, check, services, password != NULL, whole);
	json_put_string(&json, "level",
	    view_of(level_word(status == EXIT_REFUSED ? LEVEL_FAIL : findings_level(&check->found))));
	json_close(&json);
	if (buf_done(&json) != RJWT_OK || check->found.failed)
		return tool_fail(&keyd->tool, RJWT_MEMORY, &(struct rjwt_diag){ 0 });
	if (keyd->json)
		puts(json.p);
	return status;
}

int
keyd_try(struct keyd *keyd)
{
	static const char *const pam[] = { "/etc/pam.d", "/usr/lib/pam.d", NULL };
	RJWT_CLEAN(string_list_clear) struct string_list services = { 0 };
	struct check check = { .pam = pam, .options = &keyd->tool.options };
	char password[PAM_MAX_RESP_SIZE];
	enum rjwt_err err = RJWT_OK;
	int status = check_arguments_of(keyd, &check);
	bool asked;

	if (status != -1)
		return status;
	check_find_modules(&check);
	for (size_t i = 1; i < keyd->users.n && err == RJWT_OK; i++)
		err = string_list_add(&services, keyd->users.list[i]);
	if (keyd->users.n == 1)
		err = find_services(&check, &services);
	if (err != RJWT_OK)
		return tool_fail(&keyd->tool, err, &(struct rjwt_diag){ 0 });
	asked = services.n > 0 && ask_password(keyd->users.list[0], password);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigprocmask(SIG_BLOCK, try_signals(), NULL);
	status = try_all(keyd, &check, &services, asked ? password : NULL);
	secret_wipe(password, sizeof(password));
	findings_clear(&check.found);
	return status;
}
