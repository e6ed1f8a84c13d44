/* SPDX-License-Identifier: MIT */
#include "fleet_stage.h"
#include "rjwt_keep.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct machine machines[3], *m;
struct fleet_stage stage;

/* --- what does not go back ------------------------------------------------------------------------ */

static bool
get(const char *name, struct buf *text)
{
	char path[420];
	struct stat status;

	snprintf(path, sizeof(path), "%s/%s", m->state, name);
	if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode))
		return false;
	*text = stage_read(path);
	return true;
}

bool
machine_fleet(struct fleet *fleet)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	return get(FLEET_FILE, &text) && fleet_parse(buf_view(&text), fleet, NULL) == RJWT_OK;
}

bool
machine_keyset(const char *base, struct keyset *keyset)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char name[100];

	snprintf(name, sizeof(name), FLEET_DIR "/%s/keyset.json", base);
	return get(name, &text) && keyset_parse(buf_view(&text), keyset, NULL) == RJWT_OK;
}

void
machine_look(void)
{
	struct fleet fleet;

	if (!m->orderly || !machine_fleet(&fleet))
		return;
	FUZZ_CHECK(fleet.roster.n >= m->n);
	m->n = fleet.roster.n;
	for (unsigned i = 0; i < FLEET_ISSUERS_MAX; i++) {
		const char base[] = { 'I', (char)('0' + i), '\0' };
		struct keyset keyset;

		if (!machine_keyset(base, &keyset))
			continue;
		FUZZ_CHECK(keyset_is_followed(&keyset) && strcmp(keyset.base, base) == 0);
		FUZZ_CHECK(keyset.followed.serial >= m->serials[i] && keyset.followed.before_s >= m->before_s[i]);
		m->serials[i] = keyset.followed.serial;
		m->before_s[i] = keyset.followed.before_s;
	}
}

/* --- the stage -------------------------------------------------------------------------------------- */

/* A file with two fleet keys that the lines are signed with. */
static void
put_keys(const char *path, unsigned first)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	for (unsigned i = first; i < first + 2; i++)
		FUZZ_CHECK(key_private_format(line_key(i), &text) == RJWT_OK);
	fuzz_put(path, buf_view(&text));
}

static void
begin_machine(unsigned i)
{
	static const char *const hosts[] = { "a.example", "b.example", "host.example" };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rest nothing = { NULL, 0 };
	struct rjwt_diag diag = { .text = "" };
	struct rjwt_change change;
	struct rjwt_options o = { .now = faults_now };
	char path[400];
	enum rjwt_err err;

	m = &machines[i];
	*m = (struct machine){ .orderly = true };
	snprintf(m->state, sizeof(m->state), "%s/%u", stage.top, i);
	snprintf(m->config, sizeof(m->config), "%s/%u.yaml", stage.top, i);
	snprintf(m->host, sizeof(m->host), "%s", hosts[i]);
	snprintf(m->id, sizeof(m->id), "%u0112233445566778899aabbccddeeff\n", i);
	buf_addf(&text, "state_dir: %s\nbase_kid: I%u\nalg: EdDSA\nissuer: i%u.example\n", m->state, i, i);
	fuzz_put(m->config, buf_view(&text));
	FUZZ_CHECK(mkdir(m->state, 0755) == 0);
	if (i == 2)
		return;
	o.config = m->config;
	faults_host = m->host;
	faults_machine = m->id;
	faults_arm(&nothing);
	err = rjwt_init(&o, 0, &change, &diag);
	(void)faults_disarm();
	FUZZ_CHECK(err == RJWT_OK);
	snprintf(path, sizeof(path), "%s/private/bundle.key", m->state); /* it was stolen before it was used */
	buf_clear(&text);
	FUZZ_CHECK(key_private_format(line_key(LINE_BUNDLE_KEY(i)), &text) == RJWT_OK);
	fuzz_put(path, buf_view(&text));
}

void
fleet_stage_begin(void)
{
	snprintf(stage.top, sizeof(stage.top), "%s/follow", fuzz_folder());
	snprintf(stage.spool, sizeof(stage.spool), "%s/spool", stage.top);
	FUZZ_CHECK(mkdir(stage.top, 0700) == 0 && mkdir(stage.spool, 0755) == 0);
	faults_spool = stage.spool;
	faults_clock = (struct rjwt_time){ STAGE_T0, 100000, "11111111-1111-1111-1111-111111111111" };
	for (unsigned i = 0; i < 3; i++) {
		snprintf(stage.keys[i], sizeof(stage.keys[i]), "%s/fleet%u.key", stage.top, i);
		if (i < 2)
			put_keys(stage.keys[i], 2 * i); /* the third is made */
		begin_machine(i);
	}
}

void
fleet_stage_end(void)
{
	faults_spool = NULL;
	fuzz_remove(stage.top);
}
