/* SPDX-License-Identifier: MIT */
/*
 * A fleet's life by a script: two issuers and a host, files of lines that anybody signed, by keys that were stolen, too;
 * clocks that run and jump, damaged files, and any call may fail.
 *
 * Whatever is brought: follow succeeds where nothing fails and nothing is damaged; numbers, serials and `before` do not go
 * back; a token is accepted only of a base that the roster lists, by the key that it lists; and what is said shows nothing of
 * lines that nobody signed.
 */
#include "damage.h"
#include "fleet_stage.h"
#include "fleet/spool.h"
#include "rjwt_keep.h"
#include "rjwt_mint.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char fuzz_name[] = "follow";
enum { FOLLOWED, WRONG, JOINED, ISSUER, LISTED, ROLLED, PUBLISHED, ACCEPTED, DENIED, FAILED, REFUSED, LOOKED };
const char *const fuzz_sights[] = { "followed", "something wrong", "joined", "an issuer", "a roster changed",
	"keys that are rolled", "published", "a token accepted", "a token denied", "a call failed", "refused", "looked",
	NULL };

#define OPS 40
#define MARK "~~rubbish~~"
#define COUNT(table) ((unsigned)(ARRAY_LEN(table)))

static struct rest *rest;
static char mine[330];
static struct buf files[2];
static char *tokens[8];
static size_t ntokens;
static struct rjwt_diag diag;
static unsigned failed;

static void
check_text(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			fuzz_broken("not to be shown: %s", text);
	if (strstr(text, MARK) != NULL || strstr(text, "(null)") != NULL)
		fuzz_broken("said: %s", text);
}

/* Run a call of rjwt's by the plan that comes next; its result. */
#define TRY(err, call)                          \
	do {                                    \
		diag = (struct rjwt_diag){ 0 }; \
		faults_host = m->host;          \
		faults_machine = m->id;         \
		faults_arm(rest);               \
		(err) = (call);                 \
		failed = faults_disarm();       \
		check_told(err);                \
	} while (0)

static void
check_told(enum rjwt_err err)
{
	check_text(diag.path);
	check_text(diag.text);
	if (err == RJWT_OK)
		return;
	FUZZ_SAW(failed > 0 ? FAILED : REFUSED);
	FUZZ_CHECK(failed > 0 || (err != RJWT_MEMORY && err != RJWT_INTERNAL));
}

static void
say(void *context, bool wrong, const char *text)
{
	(void)context;
	check_text(text);
	FUZZ_SAW(wrong ? WRONG : FOLLOWED);
}

static struct rjwt_options
options(void)
{
	return (struct rjwt_options){ .config = m->config, .now = faults_now };
}

/* --- deeds ---------------------------------------------------------------------------------------- */

/* Lines of anybody, into a file that lies there, or in the spool under the name that an issuer's mirror has. */
static void
do_lines(void)
{
	const struct fleet_input input = { .files = files,
		.nfiles = 2,
		.from_s = faults_clock.wall_s - 100,
		.marker = MARK };
	unsigned n = take_below(rest, 8), where = take_below(rest, 3);
	char name[SPOOL_NAME_SIZE], path[420];

	for (unsigned i = 0; i < n; i++)
		fleet_input_line(&input, rest);
	if (files[0].n == 0)
		return;
	fuzz_put(mine, buf_view(&files[0]));
	FUZZ_CHECK(spool_name(where == 0 ? "http://i0.example/fleet.jws" : "http://i1.example/fleet.jws", ".jws",
		       name) == RJWT_OK);
	snprintf(path, sizeof(path), "%s/%s", stage.spool, where < 2 ? name : "x.jws");
	fuzz_put(path, buf_view(files[1].n == 0 ? &files[0] : &files[1]));
}

static void
do_follow(void)
{
	unsigned how = take_byte(rest);
	struct rjwt_options o = options();
	char www[2][400];
	const char *paths[6] = { NULL };
	size_t n = 0;
	enum rjwt_err err;
	struct fleet fleet;
	struct rest nothing = { NULL, 0 }, *input = rest;

	for (size_t i = 0; i < 2; i++) {
		snprintf(www[i], sizeof(www[i]), "%s/www/fleet.jws", machines[i].state);
		if ((how >> i & 1) != 0)
			paths[n++] = www[i];
	}
	if ((how & 4) != 0)
		paths[n++] = mine;
	if ((how & 8) != 0)
		paths[n++] = stage.spool;
	TRY(err, rjwt_follow(&o, n == 0 ? NULL : paths, say, NULL, &diag));
	machine_look();
	if (err == RJWT_OK || !m->orderly || !machine_fleet(&fleet))
		return;
	rest = &nothing; /* once more, and nothing fails */
	TRY(err, rjwt_follow(&o, n == 0 ? NULL : paths, say, NULL, &diag));
	rest = input;
	if (err != RJWT_OK)
		fuzz_broken("follow: %s: %s: %s", rjwt_reason(err), diag.path, diag.text);
	machine_look();
}

static void
do_join(void)
{
	unsigned key = take_below(rest, 4), check = take_below(rest, 4);
	char *odd = key == 3 ? take_string(rest, 60) : NULL;
	const char *text = odd != NULL ? odd : line_name(key)->text,
		   *url = check == 3 ? "ftp://x" : "http://i0.example/fleet.jws";
	struct rjwt_options o = options();
	struct rjwt_fleet fleet;
	enum rjwt_err err;

	for (char *p = odd; p != NULL && *p != '\0'; p++) /* what a caller gives is in the text as it is: see rjwt.h */
		if (*p < ' ' || *p > '~')
			*p = '?';
	if (check == 1)
		TRY(err, rjwt_joined(&o, url, text, &fleet, &diag));
	else
		TRY(err, rjwt_join(&o, url, text, &fleet, &diag));
	free(odd);
	if (err == RJWT_OK)
		FUZZ_SAW(JOINED);
	if (err != RJWT_OK || fleet.changed) /* a new chain, perhaps */
		m->n = 0;
	machine_look();
}

static void
do_issuer(void)
{
	struct rjwt_options o = options();
	struct rjwt_fleet fleet;
	enum rjwt_err err;
	const char *url = m == &machines[1] ? "http://i1.example/fleet.jws" : "http://i0.example/fleet.jws";

	TRY(err,
	    rjwt_fleet_init(&o, take_below(rest, 8) == 7 ? "x" : url, stage.keys[take_below(rest, 3)], &fleet, &diag));
	if (err == RJWT_OK)
		FUZZ_SAW(ISSUER);
	machine_look();
}

static void
do_roster(void)
{
	struct machine *here = m;
	unsigned what = take_below(rest, 4);
	const char *const with[] = { mine, NULL };
	struct rjwt_roster change = { .key_file = stage.keys[take_below(rest, 3)], .files = what == 3 ? with : NULL };
	char name[] = { 'i', (char)('0' + take_below(rest, 4)), '\0' }, *entry = NULL, *odd = NULL, *lines = NULL;
	unsigned of = take_below(rest, 4);
	struct rjwt_options o;
	struct rjwt_fleet fleet;
	enum rjwt_err err = RJWT_OK;

	if (what == 0 || what == 3) {
		m = &machines[of % 3];
		o = options();
		if (of == 3)
			odd = take_string(rest, 400);
		else
			TRY(err, rjwt_fleet_request(&o, what == 3 ? NULL : "http://i1.example/fleet.jws",
				     what == 3 ? NULL : name, &entry, &diag));
		m = here;
		change.add = odd != NULL ? odd : err == RJWT_OK ? entry : "{}";
	} else if (what == 1) {
		change.drop = name;
	} else {
		change.roll = stage.keys[take_below(rest, 3)];
	}
	o = options();
	TRY(err, rjwt_fleet_roster(&o, &change, &lines, &fleet, say, NULL, &diag));
	if (err == RJWT_OK) {
		FUZZ_SAW(what == 2 ? ROLLED : LISTED);
		rjwt_free(lines);
	}
	rjwt_free(entry);
	free(odd);
	machine_look();
}

static void
keep_token(struct rjwt *h)
{
	const char *const audience[] = { "host.example", NULL };
	const struct rjwt_request request = { .user = "alice", .audience = audience, .reusable = true };
	struct rjwt_token made;
	enum rjwt_err err;

	TRY(err, rjwt_mint(h, &request, &made, &diag));
	if (err != RJWT_OK)
		return;
	check_text(made.warning);
	if (ntokens < COUNT(tokens))
		tokens[ntokens++] = strdup(made.text);
	rjwt_token_clear(&made);
}

/* What an issuer does with its keyset, by a new handle. */
static void
do_keyset(void)
{
	static const char *const users[] = { "alice", NULL };
	struct rjwt_options o = options();
	unsigned what = take_below(rest, 8);
	struct rjwt_revocation r = { .users = what == 3 ? users : NULL,
		.jti = what == 4 ? "a1" : NULL,
		.all = what == 5 };
	struct rjwt_change change = { .any = false };
	struct rjwt_fleet fleet;
	struct rjwt *h = NULL;
	enum rjwt_err err;

	TRY(err, rjwt_open(&o, &h, &diag));
	if (err != RJWT_OK)
		return;
	if (what == 0) {
		TRY(err, rjwt_publish(h, &fleet, &diag));
		if (err == RJWT_OK)
			FUZZ_SAW(PUBLISHED);
	} else if (what == 1) {
		TRY(err, rjwt_rotate(h, take_below(rest, 4) == 0 ? RJWT_COMPROMISED : 0, &change, &diag));
	} else if (what == 2) {
		TRY(err, rjwt_maintain(h, 0, &change, &diag));
	} else if (what < 6) {
		TRY(err, rjwt_revoke(h, &r, 0, &change, &diag));
	} else {
		keep_token(h);
	}
	check_text(change.text);
	check_text(change.warning);
	rjwt_close(h);
	machine_look();
}

static void
do_init(void)
{
	struct rjwt_options o = options();
	struct rjwt_change change = { .any = false };
	enum rjwt_err err;

	TRY(err, rjwt_init(&o, take_below(rest, 2) == 0 ? 0 : RJWT_ADOPT, &change, &diag));
	(void)err;
	check_text(change.warning);
}

/* --- tokens ---------------------------------------------------------------------------------------- */

/* Of a base that is listed, with the key that is listed; or the machine's own. */
static void
check_accepted(const struct rjwt_verdict *verdict)
{
	struct fleet fleet;
	struct keyset keyset;
	const struct fleet_issuer *issuer;
	char base[RJWT_ID_SIZE];

	FUZZ_SAW(ACCEPTED);
	snprintf(base, sizeof(base), "%.*s", (int)strcspn(verdict->kid, "."), verdict->kid);
	if (base[0] == 'I' && base[1] == (char)('0' + (m - machines)))
		return;
	FUZZ_CHECK(machine_fleet(&fleet) && (issuer = roster_find(&fleet.roster, view_of(base))) != NULL);
	FUZZ_CHECK(machine_keyset(base, &keyset) && strcmp(keyset.followed.key, issuer->key.text) == 0);
	FUZZ_CHECK(strcmp(keyset.issuer, issuer->iss) == 0 || !m->orderly);
	FUZZ_CHECK(faults_clock.wall_s <= keyset.followed.issued_s + 7 * 86400);
}

static void
do_verify(void)
{
	unsigned which = take_byte(rest);
	struct rjwt_options o = options();
	struct rjwt_attempt attempt = { .user = "alice", .service = "sshd" };
	char iss[16], *made = NULL;
	struct rjwt_verdict verdict;
	struct rjwt *h = NULL;
	enum rjwt_err err;

	snprintf(iss, sizeof(iss), "i%u.example", which >> 4 & 7);
	if (ntokens == 0 || which % 2 == 0)
		made = line_token(which >> 4 & 7, which >> 1 & 7, iss, "a1", faults_clock.wall_s - take_byte(rest));
	attempt.token = made != NULL ? made : tokens[which % ntokens];
	attempt.len = strlen(attempt.token);
	TRY(err, rjwt_open(&o, &h, &diag));
	if (err == RJWT_OK) {
		TRY(err, rjwt_verify(h, &attempt, &verdict, &diag));
		if (err == RJWT_OK)
			check_accepted(&verdict);
		if (err == RJWT_DENIED)
			FUZZ_SAW(DENIED);
		rjwt_verdict_clear(&verdict);
		rjwt_close(h);
	}
	free(made);
}

static void
do_look(void)
{
	struct rjwt_options o = options();
	struct rjwt_following following = { .n = 0 };
	struct rjwt_status status;
	enum rjwt_err err;

	TRY(err, rjwt_following(&o, &following, &diag));
	for (size_t i = 0; i < following.n; i++)
		check_text(following.issuers[i].why.text);
	TRY(err, rjwt_status(&o, &status));
	if (err != RJWT_OK)
		return;
	FUZZ_SAW(LOOKED);
	for (size_t i = 0; i < status.nnotes; i++)
		check_text(status.notes[i].diag.text);
	rjwt_status_clear(&status);
}

/* --- what goes wrong ------------------------------------------------------------------------------- */

static void
do_clock(void)
{
	unsigned how = take_byte(rest);
	int64_t seconds = (int64_t)take_word(rest) * ((how & 4) != 0 ? 60 : 1);

	faults_clock.wall_s += (how & 3) == 3 ? -seconds : seconds;
	if ((how & 2) == 0) { /* it runs */
		faults_clock.boot_s += seconds;
		return;
	}
	for (size_t i = 0; i < COUNT(machines); i++)
		machines[i].orderly = false;
}

static void
do_damage(void)
{
	static const char *const names[] = { FLEET_FILE, "fleet/I0/keyset.json", "fleet/I0/keys/1.jwk",
		"fleet/I0/spent", "fleet/I1/keyset.json", "fleet/I1/keys", "fleet/I0/denied", "denied", "denied/sub",
		"www/fleet.jws", "www", "private/bundle.key", "private/published.json", "keyset.json", "fleet",
		"private", "fleet/I2", "fleet/.new.x", "fleet/I0/keys/.new.1.jwk" };
	struct stage_file file = { .mode = S_IFREG };
	struct stat status;

	m->orderly = false;
	snprintf(file.path, sizeof(file.path), "%s/%s", m->state, names[take_below(rest, COUNT(names))]);
	if (lstat(file.path, &status) != 0)
		return;
	file.mode = status.st_mode;
	if (S_ISREG(status.st_mode))
		file.text = stage_read(file.path);
	if (take_below(rest, 4) == 0)
		fuzz_remove(file.path);
	else if (S_ISREG(file.mode) || S_ISDIR(file.mode))
		(void)damage_file(rest, &file);
	buf_clear(&file.text);
}

static void
do_image(void)
{
	m->id[0] = (char)('0' + take_below(rest, 10));
}

static void
step(void)
{
	static void (*const deeds[])(void) = { do_lines, do_follow, do_follow, do_follow, do_join, do_issuer, do_roster,
		do_keyset, do_keyset, do_verify, do_verify, do_look, do_clock, do_damage, do_init, do_image };
	unsigned what = take_byte(rest);

	m = &machines[what / COUNT(deeds) % COUNT(machines)];
	deeds[what % COUNT(deeds)]();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rest input = { data, size };
	int lowest = fuzz_lowest();

	fleet_stage_begin();
	snprintf(mine, sizeof(mine), "%s/mine.jws", stage.top);
	rest = &input;
	for (int i = 0; i < OPS && rest->n > 0; i++)
		step();
	FUZZ_CHECK(fuzz_lowest() == lowest);
	while (ntokens > 0)
		free(tokens[--ntokens]);
	for (size_t i = 0; i < COUNT(files); i++)
		buf_clear(&files[i]);
	fleet_stage_end();
	return 0;
}
