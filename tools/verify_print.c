/* SPDX-License-Identifier: MIT */
/* Verdicts of rjwt-verify on standard output: a sentence, the checks, JSON, or the payload. */
#include "colour.h"
#include "verify.h"
#include "base/json_write.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *
verdict_name(enum rjwt_err reason)
{
	if (reason == RJWT_OK)
		return "accepted";
	return rjwt_is_verdict(reason) ? "rejected" : "no verdict";
}

static void
put_word(const char *word)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };

	colour_word(&out, word, colour_wanted());
	fputs(out.p == NULL ? "" : out.p, stdout);
}

/* The sentence after the reason, and unless that is explained what was expected and what was found. */
static void
put_reason(const struct verify *v, const struct rjwt_verdict *verdict)
{
	const struct rjwt_check *f = &verdict->failed;

	put_word(verdict_name(verdict->reason));
	printf(": %s: ", rjwt_reason(verdict->reason));
	if (v->explain) {
		verify_sentence(v, verdict);
		return;
	}
	fputs(rjwt_strerror(verdict->reason), stdout);
	if (f->expected[0] != '\0' || f->found[0] != '\0') {
		fputs(" (expected ", stdout);
		tool_put(f->expected);
		fputs(", found ", stdout);
		tool_put(f->found);
		fputs(")", stdout);
	}
	fputs("\n", stdout);
}

static bool
is_check(const struct rjwt_check *check, const char *name)
{
	return strcmp(check->name, name) == 0;
}

/* What a check is about, for a verdict that is without it. */
static const char *
subject_of(const struct rjwt_check *check)
{
	static const struct {
		const char *name, *subject;
	} subjects[] = { { "scope", "service" }, { "binding", "ssh key" }, { "source", "source address" },
		{ "revoked", "revocation" }, { "spent", "earlier use" } };

	for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
		if (is_check(check, subjects[i].name))
			return subjects[i].subject;
	return check->name;
}

/* "accepted", and what that does not cover: checks that were not made, and scopes for which the token is spent. */
static void
put_accepted(const struct verify *v, const struct rjwt_verdict *verdict)
{
	const char *pending = NULL, *separator = ", without ";
	const struct rjwt_check *trace = v->trace;

	put_word("accepted");
	for (size_t i = 0; i < verdict->nchecks; i++) {
		if (trace[i].outcome != RJWT_NOT_CHECKED || is_check(&trace[i], "denied")) /* with revoked */
			continue;
		if (pending != NULL) {
			printf("%s%s", separator, pending);
			separator = ", ";
		}
		pending = subject_of(&trace[i]);
	}
	if (pending != NULL)
		printf("%s%s", strcmp(separator, ", ") == 0 ? " and " : separator, pending);
	if (pending == NULL && v->explain) {
		fputs(": ", stdout);
		verify_sentence(v, verdict);
		return;
	}
	for (size_t i = 0; i < verdict->nchecks; i++)
		if (is_check(&trace[i], "spent") && strncmp(trace[i].found, "spent for ", 10) == 0) {
			fputs("; ", stdout);
			tool_put(trace[i].found);
		}
	fputs("\n", stdout);
}

static const char *
outcome_name(enum rjwt_outcome outcome)
{
	switch (outcome) {
	case RJWT_PASSED:
		return "passed";
	case RJWT_FAILED:
		return "failed";
	case RJWT_NOT_CHECKED:
		return "not checked";
	case RJWT_NOT_REACHED:
		break;
	}
	return "not reached";
}

/* The keys of a JWK Set that were not used. */
static void
put_passed_over(const struct rjwt *handle)
{
	const char *kid, *why;

	for (size_t i = 0; rjwt_passed_over(handle, i, &kid, &why); i++) {
		fputs("  passed over  key ", stdout);
		tool_put(kid[0] == '\0' ? "without kid" : kid);
		printf(": %s\n", why);
	}
}

static void
add_passed_over(struct buf *out, const struct rjwt *handle)
{
	const char *kid, *why;

	json_open_array(out, "passed_over");
	for (size_t i = 0; rjwt_passed_over(handle, i, &kid, &why); i++) {
		json_open_element(out);
		json_put_text(out, "kid", view_of(kid));
		json_put_string(out, "why", view_of(why));
		json_close(out);
	}
	json_close_array(out);
}

static void
put_json(const struct verify *v, const struct rjwt *handle, const struct rjwt_verdict *verdict)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	RJWT_CLEAN(buf_clear) struct buf fix = { 0 };
	const struct rjwt_check *trace = v->trace;
	bool minus_zero;

	json_open(&out, NULL);
	json_put_string(&out, "verdict", view_of(verdict_name(verdict->reason)));
	json_put_string(&out, "reason", view_of(rjwt_reason(verdict->reason)));
	json_put_text(&out, "kid", view_of(verdict->kid));
	json_open_array(&out, "checks");
	for (size_t i = 0; i < verdict->nchecks; i++) {
		json_open_element(&out);
		json_put_string(&out, "code", view_of(rjwt_reason(trace[i].code)));
		json_put_string(&out, "group", view_of(trace[i].group));
		json_put_string(&out, "check", view_of(trace[i].name));
		json_put_string(&out, "outcome", view_of(outcome_name(trace[i].outcome)));
		json_put_text(&out, "expected", view_of(trace[i].expected));
		json_put_text(&out, "found", view_of(trace[i].found));
		json_close(&out);
	}
	json_close_array(&out);
	if (verify_fix(v, verdict, &fix))
		json_put_text(&out, "fix", buf_view(&fix));
	if (v->jwks != NULL)
		add_passed_over(&out, handle);
	/* A good signature does not make a payload JSON. */
	if (verdict->claims != NULL &&
	    json_scan((struct view){ verdict->claims, verdict->claims_len }, &minus_zero, NULL) == RJWT_OK)
		json_put_printable(&out, "claims", (struct view){ verdict->claims, verdict->claims_len });
	else
		json_put_raw(&out, "claims", VIEW("{}"));
	json_close(&out);
	printf("%s\n", out.p == NULL ? "" : out.p);
}

void
verify_print(const struct verify *v, const struct rjwt *handle, const char *prefix, const struct rjwt_verdict *verdict)
{
	if (prefix != NULL && !(v->jws && verdict->reason == RJWT_OK)) {
		tool_put(prefix);
		fputs(": ", stdout);
	}
	if (v->json) {
		put_json(v, handle, verdict);
		return;
	}
	if (v->jws && verdict->reason == RJWT_OK) {
		(void)fwrite(verdict->claims, 1, verdict->claims_len, stdout);
		if (isatty(STDOUT_FILENO)) /* what comes next is not ours */
			fputs("\n", stdout);
		return;
	}
	if (verdict->reason == RJWT_OK)
		put_accepted(v, verdict);
	else
		put_reason(v, verdict);
	if (!v->explain)
		return;
	verify_explain(v, verdict);
	put_passed_over(handle);
}
