/* SPDX-License-Identifier: MIT */
/* Verdicts of rjwt-verify on standard output: a sentence, the checks, JSON, or the payload. */
#include "verify.h"
#include "base/json_write.h"

#include <stdio.h>
#include <unistd.h>

static const char *
verdict_name(enum rjwt_err reason)
{
	if (reason == RJWT_OK)
		return "accepted";
	return rjwt_is_verdict(reason) ? "rejected" : "no verdict";
}

/* The sentence after the reason: what was expected and what was found, and no more than was shown. */
static void
put_reason(const struct rjwt_verdict *verdict)
{
	const struct rjwt_check *f = &verdict->failed;

	printf("%s: %s: %s", verdict_name(verdict->reason), rjwt_reason(verdict->reason),
	    rjwt_strerror(verdict->reason));
	if (f->expected[0] != '\0' || f->found[0] != '\0') {
		fputs(" (expected ", stdout);
		tool_put(f->expected);
		fputs(", found ", stdout);
		tool_put(f->found);
		fputs(")", stdout);
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

static void
put_checks(const struct rjwt_verdict *verdict, const struct rjwt_check *trace)
{
	for (size_t i = 0; i < verdict->nchecks; i++) {
		const struct rjwt_check *c = &trace[i];

		printf("  %-12s %-24s", outcome_name(c->outcome), c->name);
		if (c->expected[0] != '\0') {
			fputs(c->outcome == RJWT_NOT_CHECKED ? " " : " expected ", stdout);
			tool_put(c->expected);
		}
		if (c->found[0] != '\0') {
			fputs(", found ", stdout);
			tool_put(c->found);
		}
		fputs("\n", stdout);
	}
}

static void
put_json(const struct rjwt_verdict *verdict, const struct rjwt_check *trace)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	bool minus_zero;

	json_open(&out, NULL);
	json_put_string(&out, "verdict", view_of(verdict_name(verdict->reason)));
	json_put_string(&out, "reason", view_of(rjwt_reason(verdict->reason)));
	json_put_text(&out, "kid", view_of(verdict->kid));
	json_open_array(&out, "checks");
	for (size_t i = 0; i < verdict->nchecks; i++) {
		json_open_element(&out);
		json_put_string(&out, "code", view_of(rjwt_reason(trace[i].code)));
		json_put_string(&out, "check", view_of(trace[i].name));
		json_put_string(&out, "outcome", view_of(outcome_name(trace[i].outcome)));
		json_put_text(&out, "expected", view_of(trace[i].expected));
		json_put_text(&out, "found", view_of(trace[i].found));
		json_close(&out);
	}
	json_close_array(&out);
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
verify_print(const struct verify *v, const char *prefix, const struct rjwt_verdict *verdict)
{
	if (prefix != NULL && !(v->jws && verdict->reason == RJWT_OK)) {
		tool_put(prefix);
		fputs(": ", stdout);
	}
	if (v->json) {
		put_json(verdict, v->trace);
		return;
	}
	if (v->jws && verdict->reason == RJWT_OK) {
		(void)fwrite(verdict->claims, 1, verdict->claims_len, stdout);
		if (isatty(STDOUT_FILENO)) /* what comes next is not ours */
			fputs("\n", stdout);
		return;
	}
	if (verdict->reason == RJWT_OK)
		puts("accepted");
	else
		put_reason(verdict);
	if (v->explain)
		put_checks(verdict, v->trace);
}
