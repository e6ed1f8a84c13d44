/* SPDX-License-Identifier: MIT */
/*
 * fleet_host - machines of a fleet in one process: the library with a clock, a host name and a machine id of each one's own.
 *
 * fleet.py writes one command a line, words separated by tabs, and reads one line of answer: the reason code, and after it
 * what the command gives, or what diag says. A machine is a number; tokens are numbers, in the order in which they came.
 */
#include "base/buf.h"
#include "base/hash.h"
#include "base/host.h"
#include "fleet/document.h"
#include "fleet_disk.h"
#include "fleet_sign.h"
#include "rjwt_keep.h"
#include "rjwt_mint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MACHINES 32
#define WORDS 600

static struct machine {
	char config[256], name[64], id[DIGEST_HEX];
	struct rjwt_time now;
	struct rjwt *open; /* a handle that stays open, as a service has one */
} machines[MACHINES];

static struct machine *here; /* whose turn it is */
static struct rjwt_diag diag;
static char *words[WORDS];
static size_t nwords;

static struct token {
	char *text;
	char user[32];
} * tokens;
static size_t ntokens;

/* --- what a machine is -------------------------------------------------------------------------- */

enum rjwt_err __wrap_host_machine(char hex[static DIGEST_HEX], struct rjwt_diag *why);
enum rjwt_err __wrap_host_name(char name[static RJWT_NAME_MAX + 1], struct rjwt_diag *why);

enum rjwt_err
__wrap_host_machine(char hex[static DIGEST_HEX], struct rjwt_diag *why)
{
	(void)why;
	memcpy(hex, here->id, DIGEST_HEX);
	return RJWT_OK;
}

enum rjwt_err
__wrap_host_name(char name[static RJWT_NAME_MAX + 1], struct rjwt_diag *why)
{
	(void)why;
	snprintf(name, RJWT_NAME_MAX + 1, "%s", here->name);
	return RJWT_OK;
}

static void
read_clock(void *context, struct rjwt_time *now)
{
	(void)context;
	*now = here->now;
}

static struct rjwt_options
options(void)
{
	return (struct rjwt_options){ .config = here->config, .now = read_clock };
}

static const char *
word(size_t i)
{
	return i < nwords ? words[i] : "";
}

static enum rjwt_err
do_machine(void)
{
	snprintf(here->config, sizeof(here->config), "%s", word(2));
	snprintf(here->name, sizeof(here->name), "%s", word(3));
	snprintf(here->id, sizeof(here->id), "%s", word(4));
	rjwt_close(here->open);
	here->open = NULL;
	return RJWT_OK;
}

static enum rjwt_err
do_clock(void)
{
	here->now.wall_s = strtoll(word(2), NULL, 10);
	here->now.boot_s = strtoll(word(3), NULL, 10);
	snprintf(here->now.boot_id, sizeof(here->now.boot_id), "%s", word(4));
	return RJWT_OK;
}

/* --- commands ----------------------------------------------------------------------------------- */

/* One line of text for the answer. */
static void
tell(const char *text)
{
	putchar('\t');
	for (; *text != '\0'; text++)
		putchar(*text == '\n' || *text == '\t' ? ' ' : *text);
}

static void
say(void *context, bool wrong, const char *text)
{
	(void)context;
	tell(wrong ? "wrong" : "done");
	tell(text);
}

static enum rjwt_err
do_keyset(void)
{
	struct rjwt_options o = options();

	return rjwt_init(&o, strcmp(word(2), "adopt") == 0 ? RJWT_ADOPT : 0, &(struct rjwt_change){ 0 }, &diag);
}

static enum rjwt_err
do_begin(void)
{
	struct rjwt_options o = options();
	struct rjwt_fleet fleet;
	enum rjwt_err err = rjwt_fleet_init(&o, word(2), word(3), &fleet, &diag);

	if (err == RJWT_OK)
		tell(fleet.key);
	return err;
}

static enum rjwt_err
do_request(void)
{
	struct rjwt_options o = options();
	char *entry;
	enum rjwt_err err = rjwt_fleet_request(&o, word(2)[0] == '\0' ? NULL : word(2),
	    word(3)[0] == '\0' ? NULL : word(3), &entry, &diag);

	if (err == RJWT_OK) {
		tell(entry);
		rjwt_free(entry);
	}
	return err;
}

/* WHAT SUBJECT KEY-FILE FILE... */
static enum rjwt_err
do_roster(void)
{
	struct rjwt_options o = options();
	struct rjwt_roster roster = { .key_file = word(4), .files = (const char *const *)&words[5] };
	struct rjwt_fleet fleet;
	char *lines;
	enum rjwt_err err;

	if (strcmp(word(2), "add") == 0)
		roster.add = word(3);
	else if (strcmp(word(2), "drop") == 0)
		roster.drop = word(3);
	else
		roster.roll = word(3);
	err = rjwt_fleet_roster(&o, &roster, &lines, &fleet, say, NULL, &diag);
	if (err == RJWT_OK)
		rjwt_free(lines);
	return err;
}

static enum rjwt_err
do_join(void)
{
	struct rjwt_options o = options();

	return rjwt_join(&o, word(2), word(3), &(struct rjwt_fleet){ 0 }, &diag);
}

static enum rjwt_err
do_follow(void)
{
	struct rjwt_options o = options();
	enum rjwt_err err;

	(void)disk_calls();
	err = rjwt_follow(&o, (const char *const *)&words[2], say, NULL, &diag);
	printf("\t%lu", disk_calls());
	return err;
}

static size_t
add_token(const char *text, const char *user)
{
	struct token *grown = reallocarray(tokens, ntokens + 1, sizeof(*grown));

	if (grown == NULL)
		abort();
	tokens = grown;
	grown[ntokens].text = strdup(text);
	snprintf(grown[ntokens].user, sizeof(grown[0].user), "%s", user);
	return ntokens++;
}

static enum rjwt_err
do_mint(struct rjwt *h)
{
	const char *const audience[] = { word(3), NULL };
	int64_t lifetime_s = strtoll(word(5), NULL, 10);
	const struct rjwt_request request = { .user = word(2),
		.audience = audience,
		.lifetime_s = &lifetime_s,
		.reusable = strcmp(word(4), "once") != 0 };
	struct rjwt_token made;
	enum rjwt_err err = rjwt_mint(h, &request, &made, &diag);

	if (err != RJWT_OK)
		return err;
	printf("\t%zu\t%s\t%s\t%" PRId64 "\t%" PRId64, add_token(made.text, word(2)), made.kid, made.jti, made.iat_s,
	    made.exp_s);
	rjwt_token_clear(&made);
	return RJWT_OK;
}

static enum rjwt_err
give(enum rjwt_err err, const struct rjwt_change *change)
{
	if (err == RJWT_OK)
		tell(change->warning);
	return err;
}

static enum rjwt_err
do_revoke(struct rjwt *h)
{
	const char *const users[] = { word(3), NULL };
	struct rjwt_revocation what = { 0 };
	struct rjwt_change change;

	if (strcmp(word(2), "sub") == 0)
		what.users = users;
	else if (strcmp(word(2), "jti") == 0)
		what.jti = word(3);
	else if (strcmp(word(2), "kid") == 0)
		what.kid = word(3);
	else
		what.all = true;
	return give(rjwt_revoke(h, &what, 0, &change, &diag), &change);
}

static enum rjwt_err
do_rotate(struct rjwt *h)
{
	struct rjwt_change change;
	enum rjwt_err err = rjwt_rotate(h, strcmp(word(2), "compromised") == 0 ? RJWT_COMPROMISED : 0, &change, &diag);

	return give(err, &change);
}

static enum rjwt_err
do_maintain(struct rjwt *h)
{
	struct rjwt_change change;

	return give(rjwt_maintain(h, 0, &change, &diag), &change);
}

static enum rjwt_err
do_publish(struct rjwt *h)
{
	return rjwt_publish(h, &(struct rjwt_fleet){ 0 }, &diag);
}

/* --- tokens ------------------------------------------------------------------------------------- */

static enum rjwt_err
verify(struct rjwt *h, const char *number, int flags)
{
	const struct token *t = &tokens[strtoul(number, NULL, 10)];
	struct rjwt_attempt attempt = { .token = t->text,
		.len = strlen(t->text),
		.user = t->user,
		.service = "sshd",
		.flags = flags };
	struct rjwt_verdict verdict;
	enum rjwt_err err = rjwt_verify(h, &attempt, &verdict, &diag);

	rjwt_verdict_clear(&verdict);
	return err;
}

/* The handle that stays open; where it cannot be opened, its error is the verdict of every token. */
static enum rjwt_err
stay_open(void)
{
	struct rjwt_options o = options();

	return here->open != NULL ? RJWT_OK : rjwt_open(&o, &here->open, &diag);
}

static enum rjwt_err
do_judge(void)
{
	enum rjwt_err open = stay_open();

	for (size_t i = 2; i < nwords; i++)
		tell(rjwt_reason(open == RJWT_OK ? verify(here->open, words[i], RJWT_DRY_RUN) : open));
	return RJWT_OK;
}

static enum rjwt_err
do_login(void)
{
	enum rjwt_err open = stay_open();

	return open == RJWT_OK ? verify(here->open, word(2), 0) : open;
}

/* --- what is signed, and by whom ------------------------------------------------------------------ */

/* sign FILE TYPE PAYLOAD */
static enum rjwt_err
do_sign(void)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };

	RJWT_TRY(sign_line(word(1), sign_type(word(2)), view_of(word(3)), &line));
	tell(line.p);
	return RJWT_OK;
}

/* forge FILE KID USER CLAIMS: a token */
static enum rjwt_err
do_forge(void)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	RJWT_TRY(sign_token(word(1), word(2), view_of(word(4)), &text));
	printf("\t%zu", add_token(text.p, word(3)));
	return RJWT_OK;
}

/* hash NAME: as a denial names it */
static enum rjwt_err
do_hash(void)
{
	const struct view text = view_of(word(1));
	char hash[DIGEST_HEX];

	RJWT_TRY(digest_name(&text, 1, hash));
	tell(hash);
	return RJWT_OK;
}

/* signer LINE TYPE KEY...: the number of the key that signed it */
static enum rjwt_err
do_signer(void)
{
	size_t number;

	RJWT_TRY(sign_find(view_of(word(1)), sign_type(word(2)), &words[3], &number));
	printf("\t%zu", number);
	return RJWT_OK;
}

static enum rjwt_err
do_forget(void)
{
	for (size_t i = 0; i < MACHINES; i++) {
		rjwt_close(machines[i].open);
		machines[i] = (struct machine){ .open = NULL };
	}
	while (ntokens > 0)
		free(tokens[--ntokens].text);
	return RJWT_OK;
}

/* --- the loop ----------------------------------------------------------------------------------- */

static const struct command {
	const char *name;
	bool of_machine;
	enum rjwt_err (*run)(void);
	enum rjwt_err (*with)(struct rjwt *h); /* in its place: with a new handle */
} commands[] = { { "machine", true, do_machine, NULL }, { "clock", true, do_clock, NULL },
	{ "keyset", true, do_keyset, NULL }, { "begin", true, do_begin, NULL }, { "request", true, do_request, NULL },
	{ "roster", true, do_roster, NULL }, { "join", true, do_join, NULL }, { "follow", true, do_follow, NULL },
	{ "mint", true, NULL, do_mint }, { "revoke", true, NULL, do_revoke }, { "rotate", true, NULL, do_rotate },
	{ "maintain", true, NULL, do_maintain }, { "publish", true, NULL, do_publish },
	{ "judge", true, do_judge, NULL }, { "login", true, do_login, NULL }, { "sign", false, do_sign, NULL },
	{ "forge", false, do_forge, NULL }, { "signer", false, do_signer, NULL }, { "hash", false, do_hash, NULL },
	{ "forget", false, do_forget, NULL } };

static enum rjwt_err
carry_out(const struct command *c)
{
	struct rjwt_options o;
	struct rjwt *h;
	enum rjwt_err err;

	if (c->with == NULL)
		return c->run();
	o = options();
	RJWT_TRY(rjwt_open(&o, &h, &diag));
	err = c->with(h);
	rjwt_close(h);
	return err;
}

static void
answer(const struct command *c)
{
	enum rjwt_err err;

	diag = (struct rjwt_diag){ 0 };
	err = carry_out(c);
	tell(rjwt_reason(err));
	tell(diag.text);
	putchar('\n');
	fflush(stdout);
}

/* die K CUT SEED KEEP: the next command, in a process that ends on its way, or comes to its end. */
static void
answer_dying(const struct command *c, char *const die[static 4])
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		disk_die_at(strtoul(die[0], NULL, 10), die[1][0] == '1', strtoull(die[2], NULL, 10), die[3]);
		answer(c);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		printf("\t%s\t\n", WIFEXITED(status) && WEXITSTATUS(status) == 9 ? "died" : "crashed");
		fflush(stdout);
	}
}

static const struct command *
split(char *line)
{
	nwords = 0;
	for (char *p = strtok(line, "\n"); p != NULL && nwords < WORDS - 1; p = line) {
		words[nwords++] = p;
		line = strchr(p, '\t');
		if (line == NULL)
			break;
		*line++ = '\0';
	}
	words[nwords] = NULL;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, word(0)) == 0)
			return &commands[i];
	return NULL;
}

int
main(void)
{
	static char text[4][256];
	char *const die[] = { text[0], text[1], text[2], text[3] };
	char *line = NULL;
	size_t size = 0;
	bool dies = false;

	while (getline(&line, &size, stdin) > 0) {
		const struct command *c = split(line);

		if (c == NULL && strcmp(word(0), "die") == 0 && nwords == 5) {
			dies = true;
			for (size_t i = 0; i < 4; i++)
				snprintf(text[i], sizeof(text[i]), "%s", words[i + 1]);
			continue;
		}
		if (c == NULL)
			abort();
		if (c->of_machine)
			here = &machines[strtoul(word(1), NULL, 10) % MACHINES];
		if (dies)
			answer_dying(c, die);
		else
			answer(c);
		dies = false;
	}
	free(line);
	return 0;
}
