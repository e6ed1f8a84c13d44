/* SPDX-License-Identifier: MIT */
/*
 * The whole module, from its entry points, on a handle of fake_pam.h: up to three logins, each with its phases, on a
 * keyset that may be damaged, with a configuration and arguments of any form. Any call may fail.
 *
 * No success of authenticate unless the token that was given last was minted here, for this user, host and service,
 * in its time, not revoked and not spent; and that one opens, where nothing failed. Never PAM_IGNORE. No token stays
 * in PAM_AUTHTOK, or comes into the log. No descriptor stays open.
 */
#include "damage.h"
#include "fake_pam.h"

#include "prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char fuzz_name[] = "authenticate";
enum { ACCEPTED, SECOND, STACKED, REFUSED, UNAVAILABLE, PASSED_ON, EXPIRED, CAPPED, SPENT };
const char *const fuzz_sights[] = { "accepted", "accepted at the second prompt", "accepted from PAM_AUTHTOK", "refused",
	"unavailable", "password passed on", "expired in account", "session capped", "spent", NULL };

#define LOGINS 3
#define REPLIES 3
#define PASSWORD "correct horse 9 battery"
#define COUNT(table) ((unsigned)(ARRAY_LEN(table)))

/* One input, unpacked as it is used. */
struct trial {
	struct rest *rest;
	struct stage *stage;
	const struct stage_setting *setting; /* NULL: the configuration is bytes of the input */
	struct asked asked;
	char kid[32];
	int version;
	bool damaged, vouched; /* see damage() */
	bool good_args, debug, try_first, use_first;
	int argc;
	const char *argv[6];
	char *raw_arg, *service;
	const char *scope;
	struct pam_handle pamh;
	/* of one login */
	struct token given[REPLIES]; /* tokens, and what else was typed */
	size_t ngiven;
	const struct token *last;
	bool changed; /* PAM_USER is another since the user was asked for */
	bool unclear; /* a call failed, now or before */
	struct said spent[LOGINS];
	size_t nspent;
};

static const char *const users[] = { "alice", "bob", "mallory", "root", "", "Alice" };

/* --- what is typed ---------------------------------------------------------------------------- */

/* One reply, in t->given; NULL: none. */
static char *
make_reply(struct trial *t)
{
	struct recipe recipe = { .signer = t->stage->signers[t->version], .kid = t->kid, .now_s = faults_clock.wall_s };
	struct token *token = &t->given[t->ngiven < REPLIES ? t->ngiven++ : REPLIES - 1];
	unsigned kind = take_below(t->rest, 8);
	size_t n;
	char *reply;

	token_clear(token);
	*token = (struct token){ .minted = false };
	t->last = token;
	if (kind < 4) {
		recipe.once = kind % 2 == 1;
		token_make(t->rest, &recipe, token);
	} else if (kind == 4) {
		buf_add_view(&token->text, take_bytes(t->rest, 70000));
	} else if (kind == 5) {
		buf_adds(&token->text, PASSWORD);
	} else if (kind == 6 && t->ngiven > 1) {
		buf_add_view(&token->text, buf_view(&t->given[0].text)); /* sshd's one password */
		buf_add_view(&token->header, buf_view(&t->given[0].header));
		buf_add_view(&token->claims, buf_view(&t->given[0].claims));
		token->minted = t->given[0].minted;
	} else {
		return NULL;
	}
	n = token->text.n == 0 ? 0 : strnlen(token->text.p, token->text.n);
	token->minted = token->minted && n == token->text.n;
	reply = malloc(n + 1);
	FUZZ_CHECK(reply != NULL);
	if (n > 0)
		memcpy(reply, token->text.p, n);
	reply[n] = '\0';
	return reply;
}

static int
answer(void *context, const char *prompt, char **reply)
{
	static const int codes[] = { PAM_CONV_ERR, PAM_CONV_AGAIN, PAM_BUF_ERR, PAM_ABORT, PAM_IGNORE, PAM_SUCCESS };
	struct trial *t = context;
	unsigned how = take_byte(t->rest);
	bool before = faults_pause(); /* minting must not be hindered */

	FUZZ_CHECK(prompt != NULL && t->pamh.prompts <= 2);
	if ((how & 1) != 0)
		faults_clock.wall_s += take_word(t->rest);
	if ((how & 6) == 6) {
		fake_item(&t->pamh, PAM_USER, users[take_below(t->rest, COUNT(users))]);
		t->changed = true;
	}
	*reply = NULL;
	t->last = NULL;
	if ((how & 24) == 24) {
		faults_resume(before);
		return codes[take_below(t->rest, COUNT(codes))];
	}
	*reply = make_reply(t);
	faults_resume(before);
	return PAM_SUCCESS;
}

/* --- before ----------------------------------------------------------------------------------- */

static void
choose_arguments(struct trial *t)
{
	static char conf[400];
	unsigned how = take_byte(t->rest);

	t->good_args = (how & 1) == 0;
	if (t->good_args) {
		snprintf(conf, sizeof(conf), "conf=%s", t->stage->config);
		t->argv[t->argc++] = conf;
	}
	t->debug = (how & 2) != 0;
	t->try_first = (how & 4) != 0;
	t->use_first = (how & 8) != 0;
	if (t->debug)
		t->argv[t->argc++] = "debug";
	if (t->try_first)
		t->argv[t->argc++] = "try_first_pass";
	if (t->use_first)
		t->argv[t->argc++] = "use_first_pass";
	if ((how & 48) == 48) {
		t->raw_arg = take_string(t->rest, 200);
		t->argv[t->argc++] = t->raw_arg;
	}
	t->good_args = t->good_args && t->raw_arg == NULL && !(t->try_first && t->use_first);
}

static void
choose_configuration(struct trial *t)
{
	unsigned n = take_below(t->rest, STAGE_SETTINGS + 2);

	t->setting = n < STAGE_SETTINGS ? &stage_settings[n] : NULL;
	stage_config(t->stage, n < STAGE_SETTINGS ? view_of(t->setting->yaml) : take_bytes(t->rest, 5000));
}

static void
choose(struct trial *t)
{
	static const int64_t clocks[] = { 60, 0, 1, 1800, 3600, 86399, 86400, 86401, 90000, -3600, -3700, -1800003600,
		INT64_C(9007199254740992) };

	t->stage = stage_get(take_below(t->rest, STAGE_KINDS));
	choose_configuration(t);
	choose_arguments(t);
	t->service = stage_service(t->rest, &t->scope);
	fake_item(&t->pamh, PAM_SERVICE, t->service);
	t->version = (int)(1 + (1 + take_byte(t->rest)) % (STAGE_VERSIONS - 1));
	snprintf(t->kid, sizeof(t->kid), "B.%d", t->version);
	faults_clock = (struct rjwt_time){ STAGE_RETIRED + clocks[take_below(t->rest, COUNT(clocks))], 103660,
		"11111111-1111-1111-1111-111111111111" };
	t->damaged = damage(t->rest, t->stage, &t->vouched);
	t->pamh.answer = answer;
	t->pamh.context = t;
	t->asked = (struct asked){ .scope = t->scope,
		.issuer = "iss.example",
		.audience = "host.example",
		.kid = t->kid,
		.alg = t->stage->signers[1]->alg->name };
	if (t->setting != NULL) {
		t->asked.typ = t->setting->typ;
		t->asked.user_claim = t->setting->user_claim;
		t->asked.user_suffix = t->setting->user_suffix;
		t->asked.leeway_s = t->setting->leeway_s;
		t->asked.max_lifetime_s = t->setting->max_lifetime_s;
		t->asked.once_always = t->setting->once_always;
	}
}

/* --- what came of it -------------------------------------------------------------------------- */

static bool
was_spent(const struct trial *t, const struct said *said)
{
	for (size_t i = 0; i < t->nspent; i++)
		if (strcmp(t->spent[i].jti, said->jti) == 0 && strcmp(t->spent[i].iss, said->iss) == 0)
			return true;
	return false;
}

/* Whether this token may log the user in. */
static bool
may_pass(struct trial *t, const struct token *token, struct said *said)
{
	int64_t slack_s;

	*said = (struct said){ .once = false };
	if (token == NULL || !token->minted)
		return false;
	if (t->setting == NULL) /* who knows what it says: but nobody else's token */
		return true;
	t->asked.now_s = faults_clock.wall_s;
	t->asked.user = t->pamh.items[PAM_USER] == NULL ? "" : t->pamh.items[PAM_USER];
	if (!token_may_pass(token, &t->asked, said))
		return t->vouched && said->elsewhere;
	slack_s = t->setting->leeway_s > 1 ? t->setting->leeway_s : 1;
	if (t->damaged)
		return true;
	if (t->version == 1 && (said->iat_s > STAGE_RETIRED + slack_s || faults_clock.wall_s > STAGE_RETIRED + 86400))
		return false;
	if (strcmp(said->jti, "revoked") == 0 || (t->version == 1 && strcmp(said->user, "mallory") == 0))
		return false;
	if (said->once && was_spent(t, said)) {
		FUZZ_SAW(SPENT);
		return false;
	}
	return true;
}

static void
check_log(const struct trial *t)
{
	for (size_t i = 0; i < t->pamh.nlog; i++)
		FUZZ_CHECK(t->pamh.log[i] == '\n' || ((unsigned char)t->pamh.log[i] >= 0x20 && t->pamh.log[i] != 0x7f));
	if (memmem(t->pamh.log, t->pamh.nlog, PASSWORD, sizeof(PASSWORD) - 1) != NULL)
		fuzz_broken("a password in the log: %.*s", (int)t->pamh.nlog, t->pamh.log);
	for (size_t i = 0; i < t->ngiven; i++) {
		const char *dot = t->given[i].minted ? strrchr(t->given[i].text.p, '.') : NULL;

		if (dot != NULL && memmem(t->pamh.log, t->pamh.nlog, dot, strlen(dot)) != NULL)
			fuzz_broken("a token in the log: %.*s", (int)t->pamh.nlog, t->pamh.log);
	}
}

static bool
token_shaped(const char *text)
{
	const char *dot = NULL;

	if (text != NULL && strlen(text) >= REPLY_LONG && strncmp(text, "eyJ", 3) == 0)
		dot = strchr(text, '.');
	return dot != NULL && strchr(dot + 1, '.') != NULL;
}

static void
check_success(struct trial *t, bool good, bool stacked)
{
	struct said said;

	FUZZ_CHECK(good);
	(void)may_pass(t, t->last, &said);
	if (t->setting != NULL && said.once)
		t->spent[t->nspent++] = said;
	FUZZ_SAW(stacked ? STACKED : t->pamh.prompts == 2 ? SECOND : ACCEPTED);
	FUZZ_CHECK(fake_data(&t->pamh, "pam_rjwt_login") != NULL);
}

static void
login(struct trial *t)
{
	unsigned how = take_byte(t->rest), failed;
	struct said said;
	bool stacked = (how & 3) == 3, good;
	int lowest = fuzz_lowest(), ret;
	char *text = NULL;

	for (size_t i = 0; i < t->ngiven; i++)
		token_clear(&t->given[i]);
	t->ngiven = 0;
	t->last = NULL;
	t->changed = false;
	t->pamh.prompts = 0;
	t->pamh.nlog = 0;
	t->pamh.kept_authtok = false;
	fake_item(&t->pamh, PAM_USER, users[(how >> 2) % COUNT(users)]);
	if ((how & 32) != 0) {
		text = take_string(t->rest, 300);
		fake_item(&t->pamh, PAM_USER, text);
		free(text);
	}
	text = take_string(t->rest, 100);
	fake_item(&t->pamh, PAM_RHOST, (how & 64) != 0 ? text : NULL);
	free(text);
	text = stacked ? make_reply(t) : NULL;
	fake_item(&t->pamh, PAM_AUTHTOK, text);
	free(text);
	faults_arm(t->rest);
	ret = pam_sm_authenticate(&t->pamh, 0, t->argc, t->argv);
	failed = faults_disarm();
	t->unclear = t->unclear || failed > 0 || t->changed; /* it may have been spent for nobody */
	stacked = t->pamh.prompts == 0;
	good = may_pass(t, t->last, &said);
	FUZZ_CHECK(ret != PAM_IGNORE);
	FUZZ_CHECK(fuzz_lowest() == lowest);
	FUZZ_CHECK(t->pamh.kept_authtok || !token_shaped(t->pamh.items[PAM_AUTHTOK]));
	FUZZ_CHECK(t->pamh.prompts == 0 || !t->use_first || t->raw_arg != NULL);
	check_log(t);
	if (ret == PAM_SUCCESS) {
		check_success(t, good, stacked);
		return;
	}
	/* Nothing failed, and no byte of the input had a part in it. */
	FUZZ_CHECK(!good || t->unclear || t->damaged || t->setting == NULL || !t->good_args || !t->last->plain ||
		   t->last->text.n > t->setting->most || (stacked && !t->try_first && !t->use_first) ||
		   (!stacked && t->pamh.prompts == 0));
	FUZZ_CHECK(failed > 0 || fake_data(&t->pamh, "pam_rjwt_login") == NULL);
	FUZZ_SAW(ret == PAM_AUTHINFO_UNAVAIL ? UNAVAILABLE : REFUSED);
	if (t->pamh.items[PAM_AUTHTOK] != NULL && strcmp(t->pamh.items[PAM_AUTHTOK], PASSWORD) == 0)
		FUZZ_SAW(PASSED_ON);
}

/* The other phases; in sshd some of them are another process's, which has the environment alone. */
static void
phases(struct trial *t)
{
	unsigned how = take_byte(t->rest);
	int lowest = fuzz_lowest(), ret;

	if ((how & 1) != 0)
		fake_forget(&t->pamh);
	faults_arm(t->rest);
	ret = pam_sm_acct_mgmt(&t->pamh, 0, t->argc, t->argv);
	FUZZ_CHECK(ret == PAM_IGNORE || ret == PAM_ACCT_EXPIRED || ret == PAM_SERVICE_ERR);
	ret = pam_sm_setcred(&t->pamh, (how & 2) != 0 ? PAM_ESTABLISH_CRED : PAM_DELETE_CRED, t->argc, t->argv);
	FUZZ_CHECK(ret == PAM_IGNORE || ret == PAM_SUCCESS || ret == PAM_CRED_ERR);
	faults_clock.wall_s += take_word(t->rest);
	ret = pam_sm_acct_mgmt(&t->pamh, 0, t->argc, t->argv);
	FUZZ_CHECK(ret == PAM_IGNORE || ret == PAM_ACCT_EXPIRED || ret == PAM_SERVICE_ERR);
	if (ret == PAM_ACCT_EXPIRED)
		FUZZ_SAW(EXPIRED);
	ret = pam_sm_open_session(&t->pamh, 0, t->argc, t->argv);
	FUZZ_CHECK(ret == PAM_SUCCESS || ret == PAM_SESSION_ERR);
	ret = pam_sm_close_session(&t->pamh, 0, t->argc, t->argv);
	FUZZ_CHECK(ret == PAM_SUCCESS || ret == PAM_SESSION_ERR);
	(void)faults_disarm();
	FUZZ_CHECK(fuzz_lowest() == lowest);
	if (fake_data(&t->pamh, "systemd.runtime_max_sec") != NULL)
		FUZZ_SAW(CAPPED);
	check_log(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rest rest = { data, size };
	static struct trial t;
	unsigned logins;

	t = (struct trial){ .rest = &rest };
	choose(&t);
	logins = 1 + take_below(&rest, LOGINS);
	for (unsigned i = 0; i < logins; i++) {
		login(&t);
		phases(&t);
	}
	fake_clear(&t.pamh);
	for (size_t i = 0; i < REPLIES; i++)
		token_clear(&t.given[i]);
	free(t.raw_arg);
	free(t.service);
	stage_restore(t.stage, t.damaged);
	return 0;
}
