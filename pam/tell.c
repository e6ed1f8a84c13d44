/* SPDX-License-Identifier: MIT */
#include "tell.h"
#include "base/buf.h"
#include "base/datetime.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
put(char out[static TELL_SIZE], const char *sentence, const char *prompt)
{
	snprintf(out, TELL_SIZE, "%.*s. %.100s", TELL_MAX - 2, sentence, prompt);
}

/* The sentence without names, for every reason that can be told: the checks that follow that of the user. */
static const char *
plain(enum rjwt_err reason)
{
	static const struct {
		enum rjwt_err reason;
		const char *sentence;
	} rows[] = { { RJWT_ISSUER, "Token is from another issuer" }, { RJWT_AUDIENCE, "Token is for another host" },
		{ RJWT_ISSUED_IN_FUTURE, "Token was issued in the future" },
		{ RJWT_LIFETIME, "Token lasts longer than this host allows" },
		{ RJWT_KEY_RETIRED, "Token was issued after its key retired" },
		{ RJWT_SCOPE, "Token is for another service" }, { RJWT_BINDING, "Token needs its ssh key" },
		{ RJWT_SOURCE, "Token is for another network" }, { RJWT_REVOKED, "Token was revoked" },
		{ RJWT_DENIED, "Token was revoked" }, { RJWT_STALE, "This host has not heard from the issuer" },
		{ RJWT_SPENT, "Token already used" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].reason == reason)
			return rows[i].sentence;
	return rjwt_strerror(reason);
}

/* The words of a scope, as people list them. */
static void
put_words(struct buf *out, const char *words)
{
	for (const char *word = words; *word != '\0'; word += strcspn(word, " "), word += *word == ' ') {
		buf_adds(out, word == words ? "" : " and ");
		text_escape(out, (struct view){ word, strcspn(word, " ") });
	}
}

/* "Token is for web2, not web1": the names are those of the check that failed. */
static void
name_host(struct buf *out, const struct rjwt_check *failed)
{
	buf_adds(out, "Token is for ");
	text_escape(out, view_of(failed->found));
	buf_adds(out, ", not ");
	text_escape(out, view_of(failed->expected));
}

/*
 * "Token opens ssh, not sudo". What the check found is "none" where the token has no scope; what it expected is a
 * sentence, and no scope, where the configuration closes the service.
 */
static void
name_scopes(struct buf *out, const struct rjwt_check *failed, const char *service)
{
	bool closed = strchr(failed->expected, ' ') != NULL;

	if (!closed && strcmp(failed->found, "none") == 0)
		return;
	buf_adds(out, closed ? "No token opens " : "Token opens ");
	if (!closed) {
		put_words(out, failed->found);
		buf_adds(out, ", not ");
	}
	text_escape(out, view_of(closed ? service : failed->expected));
	buf_adds(out, closed ? " here" : "");
}

void
tell_rejected(char out[static TELL_SIZE], const struct rjwt_verdict *v, const char *service, const char *prompt)
{
	RJWT_CLEAN(buf_clear) struct buf sentence = { 0 };
	char amount[32];

	duration_format(amount, v->now_s - (v->reason == RJWT_NOT_YET_VALID ? v->nbf_s : v->exp_s));
	if (v->reason == RJWT_EXPIRED)
		buf_addf(&sentence, "Token expired %s ago", amount);
	else if (v->reason == RJWT_NOT_YET_VALID)
		buf_addf(&sentence, "Token starts in %s", amount);
	else if (v->reason == RJWT_SPENT && v->uses > 1)
		buf_addf(&sentence, "Token was used %" PRId64 " times", v->used);
	else if (v->reason == RJWT_AUDIENCE)
		name_host(&sentence, &v->failed);
	else if (v->reason == RJWT_STALE)
		buf_addf(&sentence, "This host has %s", v->failed.found);
	else if (v->reason == RJWT_SCOPE)
		name_scopes(&sentence, &v->failed, service);
	put(out, sentence.n == 0 || sentence.failed || sentence.n > TELL_MAX - 2 ? plain(v->reason) : sentence.p,
	    prompt);
}

void
tell_nothing_arrived(char out[static TELL_SIZE], const char *prompt)
{
	put(out, "Nothing arrived: the token may be too long here", prompt);
}
