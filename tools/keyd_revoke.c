/* SPDX-License-Identifier: MIT */
/* rjwt-keyd revoke: what was typed, how many live tokens it hits, and whether it hit any. */
#include "keyd.h"
#include "audit.h"
#include "options.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A token id is 128 random bits in base64url; its beginning is enough. */
enum { ID_LENGTH = 22, ID_LEAST = 6 };

/* The live tokens that a revocation hits. */
struct hits {
	const struct keyd *keyd;
	size_t n, before, spent; /* that are live until now; that were revoked before; that were used before */
	char jti[RJWT_ID_SIZE];	 /* of the last one */
	bool several;		 /* more than one id */
	bool unknown;		 /* the record could not be read */
	struct named {
		int64_t live;
		bool known;		      /* a token of this user of --sub is known */
		char near[RJWT_NAME_MAX + 1]; /* one of a user whose name is much the same; "": none */
	} * named;
};

static void
find_near(struct hits *hits, const char *user)
{
	const char *const names[] = { user, NULL };

	for (size_t i = 0; i < hits->keyd->users.n; i++)
		if (text_nearest(view_of(hits->keyd->users.list[i]), names) != NULL)
			snprintf(hits->named[i].near, sizeof(hits->named[i].near), "%s", user);
}

static bool
is_hit(struct hits *hits, const struct rjwt_issued *token)
{
	const struct keyd *keyd = hits->keyd;

	for (size_t i = 0; i < keyd->users.n; i++)
		if (strcmp(token->user, keyd->users.list[i]) == 0) {
			hits->named[i].live += token->live;
			return hits->named[i].known = true;
		}
	if (keyd->jti != NULL)
		return strncmp(token->jti, keyd->jti, strlen(keyd->jti)) == 0;
	if (keyd->kid != NULL)
		return strcmp(token->kid, keyd->kid) == 0;
	return (keyd->given & ALL) != 0;
}

static bool
count_hit(void *context, const struct rjwt_issued *token)
{
	struct hits *hits = context;

	find_near(hits, token->user);
	if (!is_hit(hits, token))
		return true;
	hits->n += token->live;
	hits->before += token->revoked;
	hits->spent += !token->live && !token->revoked;
	hits->several = hits->several || (hits->jti[0] != '\0' && strcmp(hits->jti, token->jti) != 0);
	snprintf(hits->jti, sizeof(hits->jti), "%s", token->jti);
	return true;
}

/* An id as rjwt-issue mints it, or its beginning: what a log shows around it is not part of it. */
static int
check_id(const struct keyd *keyd)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t n = strspn(keyd->jti, letters);

	if (strncmp(keyd->jti, "jti=", 4) == 0)
		return tool_wrong(&keyd->tool, "--jti \"%.200s\": not a token id (leave out \"jti=\")", keyd->jti);
	if (keyd->jti[n] != '\0' || n < ID_LEAST || n > ID_LENGTH)
		return tool_wrong(&keyd->tool,
		    "--jti \"%.200s\": not a token id (expected %d of A-Z a-z 0-9 _ -, or at least the first %d)",
		    keyd->jti, ID_LENGTH, ID_LEAST);
	return EXIT_DONE;
}

/* What was typed is looked up first: the tokens, and the whole id for the beginning of one. */
static int
look_up(struct keyd *keyd, struct hits *hits)
{
	struct rjwt_diag diag = { 0 };
	struct rjwt *handle;
	enum rjwt_err err = rjwt_open(&keyd->tool.options, &handle, &diag);

	if (err != RJWT_OK)
		return keyd_fail(keyd, err, &diag);
	err = rjwt_list(handle, count_hit, hits, &diag);
	rjwt_close(handle);
	/* A record that cannot be read must not prevent a revocation. */
	hits->unknown = err != RJWT_OK;
	if (hits->unknown)
		tool_say(&keyd->tool, "warning: cannot count live tokens: %s: %s", diag.path, diag.text);
	if (keyd->jti == NULL || strlen(keyd->jti) == ID_LENGTH)
		return EXIT_DONE;
	if (hits->unknown) {
		tool_say(&keyd->tool, "--jti %s: cannot be looked up; nothing was revoked (name the whole id)",
		    keyd->jti);
		return EXIT_REFUSED;
	}
	if (hits->jti[0] == '\0') {
		tool_say(&keyd->tool, "--jti %s: no live token begins with it; nothing was revoked", keyd->jti);
		return EXIT_REFUSED;
	}
	if (hits->several) {
		tool_say(&keyd->tool, "--jti %s: %zu live tokens begin with it; nothing was revoked", keyd->jti,
		    hits->n + hits->before + hits->spent);
		return EXIT_REFUSED;
	}
	memcpy(keyd->whole_jti, hits->jti, sizeof(keyd->whole_jti));
	keyd->jti = keyd->whole_jti;
	return EXIT_DONE;
}

static enum rjwt_err
do_revoke(const struct keyd *keyd, struct rjwt *handle, int flags, struct rjwt_change *done, struct rjwt_diag *diag)
{
	const struct rjwt_revocation r = { .jti = keyd->jti,
		.users = string_list_view(&keyd->users),
		.kid = keyd->kid,
		.all = (keyd->given & ALL) != 0 };

	return rjwt_revoke(handle, &r, flags, done, diag);
}

/* Whether tokens that others minted open this host, and the revocation counts for them, too. */
static bool
others_mint(const struct keyd *keyd)
{
	struct rjwt_following fleet = { .n = 0 };
	struct rjwt_diag diag;

	if (rjwt_following(&keyd->tool.options, &fleet, &diag) != RJWT_OK)
		return false;
	for (size_t i = 0; i < fleet.n; i++)
		if (!fleet.issuers[i].own)
			return true;
	return false;
}

/* An id or a name of which no token is known is recorded all the same, but it may be a typing error. */
static int
say_unknown(const struct keyd *keyd, const char *what, const char *near)
{
	if (near[0] == '\0' && !keyd->dry_run && others_mint(keyd)) {
		tool_say(&keyd->tool,
		    "%s: recorded; no token of it is known here, but other issuers may have minted some", what);
		return EXIT_DONE;
	}
	tool_say(&keyd->tool, "%s: %sno live token of it is known%s%s%s", what, keyd->dry_run ? "" : "recorded, but ",
	    near[0] == '\0' ? ": check the spelling" : " (did you mean ", near, near[0] == '\0' ? "" : "?)");
	return EXIT_REFUSED;
}

static int
tell_unknown(const struct keyd *keyd, const struct hits *hits)
{
	int status = EXIT_DONE;

	if (keyd->jti != NULL && hits->jti[0] == '\0')
		status = say_unknown(keyd, keyd->jti, "");
	for (size_t i = 0; i < keyd->users.n; i++)
		if (!hits->named[i].known)
			status = say_unknown(keyd, keyd->users.list[i], hits->named[i].near);
	return status;
}

/* How many tokens it hit. */
static int
tell_hits(const struct keyd *keyd, const struct hits *hits)
{
	if (hits->unknown)
		return EXIT_DONE;
	if (hits->n == 0 && hits->before > 0)
		tool_say(&keyd->tool, "its live tokens were revoked before");
	else if (hits->n == 0 && hits->spent > 0)
		tool_say(&keyd->tool, "its tokens were used before: sessions that they opened stay open");
	else if (hits->n > 0 || (keyd->given & (JTI | SUB)) == 0)
		tool_say(&keyd->tool, "%zu live token%s %s revoked", hits->n, hits->n == 1 ? "" : "s",
		    keyd->dry_run  ? "would be"
		    : hits->n == 1 ? "was"
				   : "were");
	return tell_unknown(keyd, hits);
}

/* A line for each user, so that each is found by name. */
static void
log_revoked(const struct keyd *keyd, const struct hits *hits)
{
	int64_t live = hits->unknown ? -1 : (int64_t)hits->n;

	for (size_t i = 0; i < keyd->users.n; i++)
		audit_revoked("sub", keyd->users.list[i], hits->unknown ? -1 : hits->named[i].live);
	if (keyd->jti != NULL)
		audit_revoked("jti", keyd->jti, live);
	else if (keyd->kid != NULL)
		audit_revoked("kid", keyd->kid, live);
	else if ((keyd->given & ALL) != 0)
		audit_revoked("all", "yes", live);
}

/* What is asked of --wait and --log; before anything is revoked. */
static int
begin_wait(struct keyd *keyd, int64_t *serial, int64_t *wait_s)
{
	if (keyd->wait == NULL)
		return keyd->log_file == NULL ? EXIT_DONE : tool_wrong(&keyd->tool, "revoke: --log belongs to --wait");
	if (keyd->dry_run)
		return tool_wrong(&keyd->tool, "revoke: --wait and --dry-run cannot be combined");
	return keyd_wait_begin(keyd, serial, wait_s);
}

int
keyd_revoke(struct keyd *keyd)
{
	RJWT_CLEAN(free_clean) struct named *named = calloc(keyd->users.n + 1, sizeof(*named));
	struct hits hits = { .keyd = keyd, .named = named };
	struct rjwt_change done;
	int what = keyd->given & (JTI | SUB | KID | ALL), status = EXIT_DONE, waited = EXIT_DONE;
	int64_t serial = 0, wait_s = 0;

	if (what == 0 || (what & (what - 1)) != 0)
		return tool_wrong(&keyd->tool, "revoke: name exactly one of --jti, --sub, --kid and --all");
	if (named == NULL)
		return tool_fail(&keyd->tool, RJWT_MEMORY, &(struct rjwt_diag){ 0 });
	if (keyd->jti != NULL)
		status = check_id(keyd);
	if (status == EXIT_DONE)
		status = begin_wait(keyd, &serial, &wait_s);
	if (status == EXIT_DONE)
		status = look_up(keyd, &hits);
	if (status == EXIT_DONE)
		status = keyd_change(keyd, do_revoke, &done);
	if (status != EXIT_DONE)
		return status;
	if (!keyd->dry_run)
		log_revoked(keyd, &hits);
	status = tell_hits(keyd, &hits);
	if (keyd->wait != NULL)
		waited = keyd_wait(keyd, serial, wait_s);
	return waited == EXIT_DONE ? status : waited;
}
