/* SPDX-License-Identifier: MIT */
/* rjwt-verify --explain: the checks by their groups, what failed, and what to do about it. */
#include "colour.h"
#include "verify.h"
#include "base/datetime.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 80, INDENT = 16 };

struct explained {
	const struct verify *v;
	const struct rjwt_verdict *verdict;
	const struct rjwt_check *trace;
};

static const struct rjwt_check *
row(const struct explained *e, const char *name)
{
	static const struct rjwt_check none;

	for (size_t i = 0; i < e->verdict->nchecks; i++)
		if (strcmp(e->trace[i].name, name) == 0)
			return &e->trace[i];
	return &none;
}

/* --- what to do ----------------------------------------------------------------------------------- */

/* The last letter of a name of the shell. */
static bool
is_safe(const char *word)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/-";

	return word != NULL && word[0] != '\0' && word[0] != '-' && word[strspn(word, letters)] == '\0';
}

/* What replaces a word of a fix; what is not known, or not safe to paste, stays as it is. */
static const char *
known(const struct explained *e, const char *word, size_t n)
{
	const struct {
		const char *word, *text;
	} words[] = {
		{ "USER", e->v->user },
		{ "SCOPE", e->verdict->failed.expected },
		{ "HOST", e->verdict->failed.expected },
		{ "JTI", e->verdict->jti },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strlen(words[i].word) == n && memcmp(words[i].word, word, n) == 0 && is_safe(words[i].text))
			return words[i].text;
	return NULL;
}

bool
verify_fix(const struct verify *v, const struct rjwt_verdict *verdict, struct buf *out)
{
	static const struct {
		enum rjwt_err code;
		const char *text;
	} fixes[] = {
#define FIX(code, text) { code, text },
#include "fixes.def"
#undef FIX
	};
	const struct explained e = { v, verdict, v->trace };
	const char *text = NULL;

	for (size_t i = 0; i < ARRAY_LEN(fixes); i++)
		if (fixes[i].code == verdict->reason)
			text = fixes[i].text;
	for (size_t n; text != NULL && *text != '\0'; text += n) {
		const char *with;

		n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
		with = known(&e, text, n);
		n = n == 0 ? 1 : n;
		if (with != NULL)
			buf_adds(out, with);
		else
			buf_add(out, text, n);
	}
	return out->n > 0;
}

/* --- what was found in a group -------------------------------------------------------------------- */

/* After what is there already. */
static void
add(struct buf *out, const char *between)
{
	if (out->n > 0)
		buf_adds(out, between);
}

/* "user not checked (no user was given)"; false: it was checked. */
static bool
not_checked(struct buf *out, const struct rjwt_check *c)
{
	if (c->outcome != RJWT_NOT_CHECKED)
		return false;
	add(out, "; ");
	buf_addf(out, "%s not checked (%s)", c->name, c->expected);
	return true;
}

static void
say_form(struct buf *out, const struct explained *e)
{
	buf_addf(out, "%s, %s, %s", row(e, "too_long")->found, row(e, "malformed")->found, row(e, "alg")->found);
	if (e->verdict->kid[0] != '\0')
		buf_addf(out, ", kid %s", e->verdict->kid);
}

static void
say_key(struct buf *out, const struct explained *e)
{
	const char *until = strstr(row(e, "key_retired")->expected, ", until ");

	buf_adds(out, e->v->jwks != NULL ? "of the JWK Set" : "of this keyset");
	buf_adds(out, until == NULL ? "" : ", retired, verifies");
	buf_adds(out, until == NULL ? "" : until + 1);
	buf_adds(out, ", not revoked; the signature is good");
}

static void
say_type(struct buf *out, const struct explained *e)
{
	buf_addf(out, "%s; claims complete", row(e, "typ")->expected);
}

static void
say_who(struct buf *out, const struct explained *e)
{
	const char *issuer = row(e, "issuer")->found, *audience = row(e, "audience")->expected;

	if (!not_checked(out, row(e, "user")))
		buf_addf(out, "user %s", e->verdict->user);
	if (e->verdict->actor[0] != '\0')
		buf_addf(out, "%sactor %s", out->n > 0 ? "; " : "", e->verdict->actor);
	if (strcmp(issuer, audience) == 0)
		buf_addf(out, "; issuer and audience %s", issuer);
	else
		buf_addf(out, "; issuer %s, audience %s", issuer, audience);
}

static void
say_time(struct buf *out, const struct explained *e)
{
	const struct rjwt_verdict *v = e->verdict;
	char ago[32], at[32], leeway[32];

	duration_format(ago, v->now_s - v->iat_s);
	time_format(at, v->iat_s);
	duration_format(leeway, v->accepted_until_s - v->exp_s);
	buf_addf(out, v->now_s < v->iat_s ? "issued in %s" : "issued %s ago", ago);
	buf_addf(out, ", %s, for %s; leeway %s", at, row(e, "lifetime")->found, leeway);
}

/* What was compared: the key that the token names, and the address that is in one of its ranges. */
static void
say_origin(struct buf *out, const struct rjwt_check *key, const struct rjwt_check *source)
{
	bool bound = strcmp(key->found, "not bound") != 0, ranged = strcmp(source->found, "not bound") != 0;

	if (!bound && !ranged)
		buf_adds(out, "; not bound");
	if (bound && key->outcome == RJWT_PASSED)
		buf_addf(out, "; %s", key->expected);
	if (ranged && source->outcome == RJWT_PASSED)
		buf_addf(out, "; from %s", source->found);
}

static void
say_use(struct buf *out, const struct explained *e)
{
	const struct rjwt_check *scope = row(e, "scope"), *spent = row(e, "spent");

	(void)not_checked(out, row(e, "binding"));
	(void)not_checked(out, row(e, "source"));
	if (!not_checked(out, scope)) {
		add(out, "; ");
		buf_addf(out, "scope %s", scope->expected);
	}
	say_origin(out, row(e, "binding"), row(e, "source"));
	if (!not_checked(out, row(e, "revoked")))
		buf_adds(out, "; not revoked");
	if (not_checked(out, spent))
		return;
	buf_addf(out, "; %s",
	    e->verdict->uses == 0			   ? "reusable"
	    : e->verdict->uses > 1			   ? spent->found
	    : strncmp(spent->found, "spent for ", 10) == 0 ? spent->found
							   : "not spent");
}

static const struct {
	const char *name;
	void (*say)(struct buf *out, const struct explained *e);
} groups[] = { { "form", say_form }, { "key", say_key }, { "type", say_type }, { "who", say_who }, { "time", say_time },
	{ "use", say_use } };

/* --- lines ---------------------------------------------------------------------------------------- */

static void
put_line(const char *mark, const char *group, const char *text)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	RJWT_CLEAN(buf_clear) struct buf escaped = { 0 };

	buf_adds(&out, "  ");
	colour_word(&out, mark, colour_wanted());
	buf_addf(&out, "%*s%-7s ", 6 - (int)strlen(mark), "", group);
	text_escape(&escaped, view_of(text));
	text_wrap(&out, escaped.p == NULL ? "" : escaped.p, INDENT, WIDTH);
	buf_adds(&out, "\n");
	fputs(out.p == NULL ? "" : out.p, stdout);
}

/* What a group comes to: a failure, something that was not checked, good, or not reached. */
static enum rjwt_outcome
outcome_of(const struct explained *e, const char *group)
{
	enum rjwt_outcome outcome = RJWT_NOT_REACHED;

	for (size_t i = 0; i < e->verdict->nchecks; i++) {
		enum rjwt_outcome one = e->trace[i].outcome;

		if (strcmp(e->trace[i].group, group) != 0)
			continue;
		if (one == RJWT_FAILED)
			return one;
		outcome = one == RJWT_NOT_CHECKED || outcome == RJWT_NOT_REACHED ? one : outcome;
	}
	return outcome;
}

/* "scope: expected sudo (service sudo), found ssh" */
static void
put_failed(const struct explained *e, const char *group)
{
	const struct rjwt_check *f = &e->verdict->failed;
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	RJWT_CLEAN(buf_clear) struct buf fix = { 0 };
	char leeway[32];

	buf_addf(&out, "%s: ", rjwt_reason(e->verdict->reason));
	if (f->expected[0] == '\0' && f->found[0] == '\0') {
		buf_adds(&out, rjwt_strerror(e->verdict->reason));
	} else {
		buf_addf(&out, "expected %s", f->expected);
		duration_format(leeway, e->verdict->accepted_until_s - e->verdict->exp_s);
		if (f->code == RJWT_EXPIRED || f->code == RJWT_NOT_YET_VALID || f->code == RJWT_ISSUED_IN_FUTURE)
			buf_addf(&out, " (leeway %s)", leeway);
		if (f->code == RJWT_SCOPE && e->v->service != NULL)
			buf_addf(&out, " (service %s)", e->v->service);
		buf_addf(&out, ", found %s", f->found);
	}
	put_line("FAIL", group, out.p == NULL ? "" : out.p);
	if (verify_fix(e->v, e->verdict, &fix)) {
		fputs("        fix: ", stdout);
		tool_put(fix.p);
		fputs("\n", stdout);
	}
}

/* The checks behind the one that failed, in its group, and the groups behind that. */
static void
put_rest(const struct explained *e)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	const char *group = e->verdict->failed.group, *before = group;

	for (size_t i = 0; i < e->verdict->nchecks; i++) {
		const struct rjwt_check *c = &e->trace[i];

		if (c->outcome != RJWT_NOT_REACHED)
			continue;
		if (strcmp(c->group, group) == 0)
			buf_addf(&out, " %s", rjwt_reason(c->code));
		else if (strcmp(c->group, before) != 0)
			buf_addf(&out, " %s", c->group);
		before = c->group;
	}
	if (out.n > 0)
		printf("  -     not reached:%s\n", out.p);
}

void
verify_explain(const struct verify *v, const struct rjwt_verdict *verdict)
{
	const struct explained e = { v, verdict, v->trace };
	bool failed = false;

	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		enum rjwt_outcome outcome = outcome_of(&e, groups[i].name);
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };

		failed = failed || outcome == RJWT_FAILED;
		if (outcome == RJWT_FAILED)
			put_failed(&e, groups[i].name);
		if (outcome == RJWT_FAILED || outcome == RJWT_NOT_REACHED)
			continue;
		groups[i].say(&text, &e);
		put_line(outcome == RJWT_PASSED ? "OK" : "?", groups[i].name, text.p == NULL ? "" : text.p);
	}
	if (failed)
		put_rest(&e);
}

void
verify_sentence(const struct verify *v, const struct rjwt_verdict *verdict)
{
	char amount[32];

	if (verdict->reason == RJWT_OK) {
		duration_format(amount,
		    (verdict->exp_s > verdict->now_s ? verdict->exp_s : verdict->accepted_until_s) - verdict->now_s);
		tool_put(v->user);
		fputs(" may use ", stdout);
		tool_put(v->service);
		if (verdict->uses > 1)
			printf(" for %s more, %" PRId64 " of %" PRId64 " times", amount, verdict->uses - verdict->used,
			    verdict->uses);
		else
			printf(" for %s more, %s", amount, verdict->once ? "once" : "any number of times");
	} else if (verdict->reason == RJWT_EXPIRED) {
		duration_format(amount, verdict->now_s - verdict->exp_s);
		printf("the token expired %s ago", amount);
	} else {
		fputs(rjwt_strerror(verdict->reason), stdout);
	}
	fputs("\n", stdout);
}
