/* SPDX-License-Identifier: MIT */
#include "fleet_days.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct machine issuers[ISSUERS];
struct publication out[OUT];
size_t nout, dropped_in = SIZE_MAX, renewed_in = SIZE_MAX;
double now_s;
char top[100], config[120];
struct seen seen;
struct rjwt_diag diag;
static struct machine *here;

/* --- machines ----------------------------------------------------------------------------------- */

enum rjwt_err __wrap_host_machine(char hex[static 65], struct rjwt_diag *why);
enum rjwt_err __wrap_host_name(char name[static RJWT_NAME_MAX + 1], struct rjwt_diag *why);

enum rjwt_err
__wrap_host_machine(char hex[static 65], struct rjwt_diag *why)
{
	(void)why;
	memcpy(hex, here->id, 65);
	return RJWT_OK;
}

enum rjwt_err
__wrap_host_name(char name[static RJWT_NAME_MAX + 1], struct rjwt_diag *why)
{
	(void)why;
	snprintf(name, RJWT_NAME_MAX + 1, "%s", here->name);
	return RJWT_OK;
}

int64_t
clock_of(const struct machine *m)
{
	return START + (int64_t)floor(now_s + m->offset);
}

static void
read_clock(void *context, struct rjwt_time *now)
{
	(void)context;
	*now = (struct rjwt_time){ .wall_s = clock_of(here), .boot_s = (int64_t)now_s + 100000 };
	snprintf(now->boot_id, sizeof(now->boot_id), "boot-%s", here->name);
}

/* All hosts have one name in tokens: no verdict here depends on it. */
struct rjwt_options
as(struct machine *m)
{
	static const char *const host[] = { "host", NULL };
	bool issuer = m >= issuers && m < issuers + ISSUERS;

	here = m;
	return (struct rjwt_options){ .config = config,
		.state_dir = m->dir,
		.now = read_clock,
		.audience = issuer ? NULL : host };
}

void
must(enum rjwt_err err, const char *what)
{
	if (err == RJWT_OK)
		return;
	fprintf(stderr, "day %.4f, %s: %s: %s: %s: %s\n", now_s / DAY_S, here->name, what, rjwt_reason(err), diag.path,
	    diag.text);
	exit(2);
}

void
machine_is(struct machine *m, const char *name, unsigned number)
{
	*m = (struct machine){ .offset = days_offset(number) };
	snprintf(m->name, sizeof(m->name), "%s%u", name, number);
	snprintf(m->id, sizeof(m->id), "%064u", number + 7);
	snprintf(m->dir, sizeof(m->dir), "%s/%s", top, m->name);
}

struct rjwt *
opened(struct machine *m)
{
	struct rjwt_options o = as(m);

	if (m->open == NULL)
		must(rjwt_open(&o, &m->open, &diag), "open");
	return m->open;
}

void
shell(const char *what, const char *a, const char *b)
{
	char command[700];

	snprintf(command, sizeof(command), "%s %s %s", what, a, b);
	if (system(command) != 0) {
		fprintf(stderr, "failed: %s\n", command);
		exit(2);
	}
}

void
nothing(void *context, bool wrong, const char *text)
{
	(void)context;
	(void)wrong;
	(void)text;
}

void
follow(struct machine *m, size_t state)
{
	struct rjwt_options o = as(m);
	char paths[ISSUERS][160];
	const char *files[ISSUERS + 1] = { NULL };

	for (unsigned i = 0; i < ISSUERS; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/air/%zu.jws", top, out[state].last[i]);
		files[i] = paths[i];
	}
	must(rjwt_follow(&o, files, nothing, NULL, &diag), "follow");
	m->state = state;
	seen.follows++;
}
