/* SPDX-License-Identifier: MIT */
/* The checks after a valid signature. */
#include "token/check.h"
#include "base/address.h"
#include "base/datetime.h"
#include "base/json.h"
#include "base/ssh_key.h"
#include "base/string_list.h"
#include "base/text.h"
#include "config/config.h"
#include "keyset/keyset.h"
#include "keyset/marks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
copy_name(char *to, size_t size, struct view from)
{
	if (from.n > 0 && from.n < size)
		memcpy(to, from.p, from.n);
}

/* The login name in the user claim; .p NULL: the suffix is missing or follows nothing. */
static struct view
login_name(const struct verification *w)
{
	struct view user = w->claims.user, suffix = view_of(w->verifier->config->user_suffix);

	if (user.n <= suffix.n || !view_eq((struct view){ user.p + user.n - suffix.n, suffix.n }, suffix))
		return (struct view){ NULL, 0 };
	return (struct view){ user.p, user.n - suffix.n };
}

enum rjwt_err
check_claims(struct verification *w)
{
	const struct config *config = w->verifier->config;
	struct rjwt_verdict *v = w->verdict;
	struct rjwt_diag why = { 0 };
	enum rjwt_err err = (w->foreign ? claims_parse_foreign : claims_parse)(buf_view(&w->payload),
	    config->user_claim, &w->claims, &why);

	if (err != RJWT_OK && err != RJWT_CLAIMS)
		return err;
	w->uses.most = w->claims.once || config->one_time_always ? 1 : w->claims.uses;
	if (err == RJWT_OK && w->uses.most > 0 && w->claims.jti.p == NULL) {
		err = RJWT_CLAIMS;
		snprintf(why.text, sizeof(why.text), "jti is missing (one_time: always requires it)");
	}
	if (err == RJWT_OK) {
		copy_name(v->jti, sizeof(v->jti), w->claims.jti);
		copy_name(v->sub, sizeof(v->sub), w->claims.sub);
		copy_name(v->user, sizeof(v->user), login_name(w));
		copy_name(v->actor, sizeof(v->actor), w->claims.actor);
		v->iat_s = w->claims.iat_s;
		v->nbf_s = w->claims.nbf_s;
		v->exp_s = w->claims.exp_s;
		v->accepted_until_s = v->exp_s + config->rotation.leeway_s;
		v->uses = w->uses.most;
		v->once = v->uses == 1;
		v->cap_session = config->cap_session;
	}
	return check_judge(w, err == RJWT_OK, "iss, aud, exp, iat and the user, each of its type",
	    view_of(err == RJWT_OK ? "such claims" : why.text));
}

enum rjwt_err
check_user(struct verification *w)
{
	struct view wanted = view_of(w->attempt->user), found = login_name(w);

	if ((w->attempt->flags & RJWT_ANY_USER) != 0)
		return check_not_checked(w, "no user was given");
	return check_judge(w, wanted.n > 0 && view_eq(found, wanted), wanted.n == 0 ? "a user" : wanted.p,
	    w->claims.user);
}

/* What is expected: the configured list or the name recorded in the keyset. */
static const char *
first_name(const struct string_list *names, const char *otherwise)
{
	if (names->n > 0)
		return names->list[0];
	return otherwise == NULL ? "" : otherwise;
}

enum rjwt_err
check_issuer(struct verification *w)
{
	const struct string_list *names = &w->verifier->config->issuer;
	const char *recorded = w->keyset == NULL ? NULL : w->keyset->issuer;

	if (w->issuer != NULL) /* `issuer` is for this host's own keyset */
		return check_judge(w, view_is(w->claims.iss, w->issuer->iss), w->issuer->iss, w->claims.iss);

	return check_judge(w, config_accepts(names, recorded, w->claims.iss), first_name(names, recorded),
	    w->claims.iss);
}

enum rjwt_err
check_stale(struct verification *w)
{
	int64_t max_s = w->verifier->config->fleet_max_age_s, age_s;
	char amount[32], found[160], expected[64];

	if (w->issuer == NULL)
		return check_judge(w, true, "nothing: this host's own keyset", VIEW("its own keyset"));
	age_s = w->now.wall_s - w->keyset->followed.issued_s;
	duration_format(amount, max_s);
	snprintf(expected, sizeof(expected), "heard from within %s", amount);
	duration_format(amount, age_s);
	snprintf(found, sizeof(found), "not heard from issuer %s for %s", w->issuer->name, amount);
	if (age_s > max_s)
		(void)diag_fail(w->diag, RJWT_STALE, "", "this host has %s (is rjwt-keyd follow running?)", found);
	return check_judge(w, age_s <= max_s, expected, view_of(found));
}

/* The name that this host has in tokens of the keyset. */
static const char *
recorded_audience(const struct verification *w)
{
	const struct fleet *fleet = w->issuer == NULL ? NULL : fleet_value(w->verifier->fleet);

	if (fleet != NULL)
		return fleet->audience;
	return w->keyset == NULL ? NULL : w->keyset->audience;
}

enum rjwt_err
check_audience(struct verification *w)
{
	const struct string_list *names = &w->verifier->config->audience;
	const char *own = config_audience(w->verifier->config, recorded_audience(w));
	bool good = own != NULL && claims_audience_has(&w->claims, own);

	for (size_t i = 0; i < names->n; i++)
		good = good || claims_audience_has(&w->claims, names->list[i]);
	return check_judge(w, good, own == NULL ? first_name(names, NULL) : own,
	    json_string_at(w->claims.json, "aud", 0));
}

/* Claims are at most 2^53 and leeway 300: these sums cannot overflow. */

enum rjwt_err
check_expired(struct verification *w)
{
	int64_t limit_s = w->claims.exp_s + w->verifier->config->rotation.leeway_s;

	return check_judge_time(w, w->now.wall_s < limit_s, "before", limit_s, w->now.wall_s);
}

enum rjwt_err
check_not_before(struct verification *w)
{
	int64_t limit_s = w->claims.nbf_s - w->verifier->config->rotation.leeway_s;

	return check_judge_time(w, w->now.wall_s >= limit_s, "not before", limit_s, w->now.wall_s);
}

enum rjwt_err
check_issued(struct verification *w)
{
	int64_t limit_s = w->claims.iat_s - w->verifier->config->rotation.leeway_s;

	return check_judge_time(w, w->now.wall_s >= limit_s, "not before it was issued,", limit_s, w->now.wall_s);
}

enum rjwt_err
check_lifetime(struct verification *w)
{
	int64_t max_s = w->verifier->config->rotation.max_lifetime_s;
	int64_t lifetime_s = w->claims.lifetime_s;
	bool good = lifetime_s > 0 && lifetime_s <= max_s;
	char expected[48], found[48], amount[32];

	if (good && !w->trace)
		return RJWT_OK;
	duration_format(amount, max_s);
	snprintf(expected, sizeof(expected), "1s to %s", amount);
	duration_format(amount, lifetime_s);
	snprintf(found, sizeof(found), "%s%s", lifetime_s < 0 ? "-" : "", amount);
	return check_judge(w, good, expected, view_of(found));
}

/* A stolen retired key cannot sign a token that is dated after its retirement. */
enum rjwt_err
check_retirement(struct verification *w)
{
	int64_t retired_s = w->jwk->retired_s;
	bool good = w->claims.iat_s <= retired_s + keyset_slack_s(&w->verifier->config->rotation);

	if (retired_s == 0)
		return check_judge(w, true, "a key that has not retired", VIEW("such a key"));
	return check_judge_time(w, good, "issued before its key retired,", retired_s, w->claims.iat_s);
}

enum rjwt_err
check_scope(struct verification *w)
{
	const char *service = w->attempt->service;

	if ((w->attempt->flags & RJWT_ANY_SERVICE) != 0)
		return check_not_checked(w, "no service was given");
	w->scope = service == NULL || service[0] == '\0' ? NULL : config_scope(w->verifier->config, service);
	return check_judge(w, w->scope != NULL && claims_scope_has(&w->claims, w->scope),
	    w->scope == NULL ? "nothing (an empty scope rejects all tokens)" : w->scope,
	    w->claims.other_scope    ? VIEW("not a list of words with one space between them")
	    : w->claims.scope.n == 0 ? VIEW("none")
				     : w->claims.scope);
}

/* What a token is bound to, and what the login came with. The texts are for people, and cut where they are full. */
struct origin {
	struct view kid;
	struct address address;
	bool good;
	char expected[160], found[160];
};

static bool
compare_key(void *context, const char *fingerprint)
{
	struct origin *o = context;

	text_append(o->found, sizeof(o->found), " ", "%s", fingerprint);
	o->good = view_is(o->kid, fingerprint);
	return o->good;
}

enum rjwt_err
check_binding(struct verification *w)
{
	struct origin o = { .kid = w->claims.cnf_kid };

	if (!w->claims.has_cnf)
		return check_judge(w, true, "any ssh key, or none", VIEW("not bound"));
	if ((w->attempt->flags & RJWT_ANY_ORIGIN) != 0 && w->attempt->auth_info == NULL)
		return check_not_checked(w, "no ssh key was given");
	if (o.kid.p == NULL)
		return check_judge(w, false, "cnf with the fingerprint of an ssh key", VIEW("another form"));
	text_append(o.expected, sizeof(o.expected), "", "ssh key %.*s", (int)o.kid.n, o.kid.p);
	RJWT_TRY(ssh_key_each(w->attempt->auth_info, compare_key, &o));
	return check_judge(w, o.good, o.expected, view_of(o.found[0] == '\0' ? "no ssh key" : o.found));
}

static bool
compare_range(void *context, struct view text)
{
	struct origin *o = context;
	struct address_range range;

	text_append(o->expected, sizeof(o->expected), " ", "%.*s", (int)text.n, text.p);
	o->good = o->good || (address_range_parse(text, &range) == NULL && address_range_has(&range, &o->address));
	return true;
}

enum rjwt_err
check_source(struct verification *w)
{
	struct view source = view_of(w->attempt->source);
	struct origin o = { .good = false };

	if (!w->claims.has_src)
		return check_judge(w, true, "any address", VIEW("not bound"));
	if ((w->attempt->flags & RJWT_ANY_ORIGIN) != 0 && w->attempt->source == NULL)
		return check_not_checked(w, "no source address was given");
	/* An address of no bytes is in no range. */
	if (!address_parse(source, &o.address))
		source = VIEW("no address");
	if (!claims_each_range(&w->claims, compare_range, &o))
		o.good = false;
	return check_judge(w, o.good, o.expected[0] == '\0' ? "src with address ranges" : o.expected, source);
}

enum rjwt_err
check_revoked(struct verification *w)
{
	struct claims named = w->claims;
	enum rjwt_err err;

	if (w->marks == NULL)
		return check_not_checked(w, "no keyset was opened");
	RJWT_TRY(keyset_kid_parse(w->keyset, w->jws.kid, &w->version));
	if (w->issuer != NULL)
		return check_judge(w, true, "nothing here: see the check denied", VIEW("another issuer's"));
	named.user = login_name(w);
	err = mark_revoked(w->marks, w->version, &named, w->diag);
	if (err != RJWT_OK && err != RJWT_REVOKED)
		return err;
	return check_judge(w, err == RJWT_OK, "no revocation", view_of(err == RJWT_OK ? "none" : "one"));
}

/*
 * A denial that was removed because its tokens have expired leaves its date: no clock brings them back. Each followed
 * keyset has one of its own, so that a new base heals a date that a wrong clock left; the fleet's is for the host's own.
 */
static int64_t
before_s(const struct verification *w)
{
	const struct fleet *fleet = fleet_value(w->verifier->fleet);

	if (w->issuer != NULL)
		return w->keyset->followed.before_s;
	return fleet == NULL ? 0 : fleet->before_s;
}

enum rjwt_err
check_denied(struct verification *w)
{
	int64_t limit_s;
	enum rjwt_err err;

	if (w->verifier->fleet == NULL)
		return check_not_checked(w, "no keyset was opened");
	limit_s = before_s(w);
	if (limit_s > 0 && w->claims.iat_s <= limit_s)
		return check_judge_time(w, false, "issued after", limit_s, w->claims.iat_s);
	err = fleet_denied(w->verifier->fleet, login_name(w), w->claims.jti, w->claims.iat_s, w->diag);
	if (err != RJWT_OK && err != RJWT_DENIED)
		return err;
	return check_judge(w, err == RJWT_OK, "no denial", view_of(err == RJWT_OK ? "none" : "one"));
}

enum rjwt_err
check_first_use(struct verification *w, enum rjwt_err spent)
{
	char expected[40], found[48];

	if (spent != RJWT_OK && spent != RJWT_SPENT)
		return spent;
	w->verdict->used = w->uses.used;
	if (w->uses.most == 1)
		return check_judge(w, spent == RJWT_OK, "its first use",
		    view_of(spent == RJWT_OK ? "its first use" : "used"));
	snprintf(expected, sizeof(expected), "one of its %" PRId64 " uses", w->uses.most);
	snprintf(found, sizeof(found), "used %" PRId64 " of %" PRId64 " times", w->uses.used, w->uses.most);
	return check_judge(w, spent == RJWT_OK, expected, view_of(found));
}

/* A view that does not end with NUL, appended after a separator; what does not fit is left out. */
static void
add_word(char list[static 80], const char *separator, struct view word)
{
	size_t n = strlen(list);

	snprintf(list + n, 80 - n, "%s%.*s", n == 0 ? "" : separator, (int)word.n, word.p);
}

/*
 * Without a service: a token that is spent for all its scopes, one at least, is spent, and for which of them is told. Only
 * root can look; for others this is not checked.
 */
static enum rjwt_err
check_spent_for_all(struct verification *w)
{
	char used[80] = "", found[160] = "its first use";
	struct view rest = w->claims.scope, word;
	bool all = true;

	while (claims_next_word(&rest, &word)) {
		char scope[33];
		enum rjwt_err err;

		snprintf(scope, sizeof(scope), "%.*s", (int)word.n, word.p);
		err = mark_find_spent(w->marks, w->version, &w->claims, scope, &w->uses, w->diag);
		if (err == RJWT_IO && (errno == EACCES || errno == EPERM))
			return check_not_checked(w, "only root can see whether it is spent");
		if (err != RJWT_OK && err != RJWT_SPENT)
			return err;
		all = all && err == RJWT_SPENT;
		if (err == RJWT_SPENT)
			add_word(used, " ", word);
	}
	if (used[0] != '\0')
		snprintf(found, sizeof(found), "spent for %s", used);
	return check_judge(w, !all, "one of its scopes not spent", view_of(found));
}

/* A one-time token of another issuer may have been used before this host remembered it. */
static int64_t
remembered_s(const struct verification *w)
{
	const struct fleet *fleet = fleet_value(w->verifier->fleet);
	int64_t born_s = w->keyset->followed.born_s;

	if (fleet != NULL && fleet->born_s > born_s)
		born_s = fleet->born_s;
	return born_s + w->verifier->config->rotation.leeway_s;
}

enum rjwt_err
check_spent(struct verification *w)
{
	bool dry_run = (w->attempt->flags & RJWT_DRY_RUN) != 0;
	enum rjwt_err err;

	if (w->uses.most == 0)
		return check_judge(w, true, "nothing: a reusable token", VIEW("reusable"));
	if (w->issuer != NULL && w->claims.iat_s <= remembered_s(w))
		return check_judge_time(w, false, "issued after this host began to remember used tokens,",
		    remembered_s(w), w->claims.iat_s);
	if (w->marks == NULL)
		return check_not_checked(w, "no keyset was opened");
	if (w->scope == NULL && dry_run && w->claims.scope.n == 0)
		return check_not_checked(w, "no service was given");
	if (w->scope == NULL && dry_run)
		return check_spent_for_all(w);
	if (w->scope == NULL)
		return diag_fail(w->diag, RJWT_USAGE, "", "a one-time token cannot be accepted without a service");
	/* A lookup now and spending later could disagree: the result is that of spending, in the caller of the checks. */
	err = dry_run ? mark_find_spent(w->marks, w->version, &w->claims, w->scope, &w->uses, w->diag) : RJWT_OK;
	return check_first_use(w, err);
}
