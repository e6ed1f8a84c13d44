/* SPDX-License-Identifier: MIT */
/*
 * rjwt-keyd check: will it work, and if not, what has to be changed? Each area adds its findings; what the keyset's keeper
 * knows is from rjwt_status(). Nothing is written, and nothing is asked of a network.
 */
#include "check.h"
#include "colour.h"
#include "keyd.h"
#include "log.h"
#include "base/datetime.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

/* systemd-timesyncd has set the clock in this boot; for who may not ask the kernel, as the daemon's unit may not. */
#define TIMESYNCD "/run/systemd/timesync/synchronized"

void
check_take_notes(struct findings *found, const struct rjwt_status *s)
{
	for (size_t i = 0; i < s->nnotes; i++) {
		const struct rjwt_note *note = &s->notes[i];
		struct finding *f;

		finding_add(found, note->code, "%s", note->diag.text);
		if (found->failed)
			return;
		f = &found->list[found->n - 1];
		snprintf(f->path, sizeof(f->path), "%s", note->diag.path);
		f->line = note->diag.line;
		f->column = note->diag.column;
	}
}

static void
check_keyset(struct check *check, const struct rjwt_status *s)
{
	if (s->config[0] != '\0')
		finding_ok(&check->found, "config", "%s", s->config);
	else if (s->nkeys > 0)
		finding_ok(&check->found, "config", "no configuration file: all keys have their defaults");
	for (size_t i = 0; i < s->nkeys; i++)
		if (strcmp(s->keys[i].state, "active") == 0)
			finding_ok(&check->found, "keyset", "%s: %s signs; owners, modes and sums right", s->dir,
			    s->keys[i].kid);
}

/* "3.1 GiB" */
static void
put_size(char out[static 32], double bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB" };
	size_t i = 0;

	for (; bytes >= 10000 && i + 1 < ARRAY_LEN(units); i++)
		bytes /= 1024;
	snprintf(out, 32, i == 0 ? "%.0f %s" : "%.1f %s", bytes, units[i]);
}

static void
check_disk(struct check *check, const struct rjwt_status *s)
{
	struct statvfs disk;
	char size[32];

	if (s->dir[0] == '\0' || statvfs(s->dir, &disk) != 0)
		return; /* the keyset's findings say so */
	put_size(size, (double)disk.f_bavail * (double)disk.f_frsize);
	if (geteuid() != 0)
		finding_ok(&check->found, "disk", "not checked: needs root");
	else if (disk.f_files == 0)
		finding_ok(&check->found, "disk", "writable, %s free", size);
	else
		finding_ok(&check->found, "disk", "writable, %s and %ju inodes free", size, (uintmax_t)disk.f_favail);
}

/* The newest time that the keyset has of something that happened. */
static int64_t
newest_stamp(const struct rjwt_status *s)
{
	int64_t newest_s = 0;

	for (size_t i = 0; i < s->nkeys; i++) {
		const int64_t stamps[] = { s->keys[i].published_s, s->keys[i].active_since_s, s->keys[i].retired_s };

		for (size_t k = 0; k < ARRAY_LEN(stamps); k++)
			newest_s = stamps[k] > newest_s ? stamps[k] : newest_s;
	}
	return newest_s;
}

int
check_synchronised(void)
{
	struct timex clock = { .modes = 0 };
	int state = adjtimex(&clock);

	if (state >= 0)
		return state != TIME_ERROR && (clock.status & STA_UNSYNC) == 0;
	return access(TIMESYNCD, F_OK) == 0 ? 1 : -1;
}

static void
check_clock(struct check *check, const struct rjwt_status *s)
{
	int synchronised = check_synchronised();
	char stamp[32], in_step[32];

	duration_format(in_step, s->in_step_s);
	if (newest_stamp(s) > s->now_s + RJWT_LEEWAY_MAX) {
		time_format(stamp, newest_stamp(s));
		finding_add(&check->found, "clock.wrong", "the clock is behind the keyset, which was written %s",
		    stamp);
	}
	if (synchronised < 0)
		finding_ok(&check->found, "clock", "not checked: adjtimex is not allowed here");
	else if (synchronised == 0)
		finding_add(&check->found, "clock.unsynchronised",
		    "not synchronised: tokens of other hosts may be rejected");
	else if (s->in_step_s > 0)
		finding_ok(&check->found, "clock", "synchronised, in step for %s", in_step);
	else
		finding_ok(&check->found, "clock", "synchronised");
}

/* Logins and mints work without the log, and leave no trace. */
static void
check_log(struct check *check)
{
	struct rjwt_diag diag = { 0 };

	if (log_probe(&diag) == RJWT_OK) {
		finding_ok(&check->found, "log", "/dev/log answers");
		return;
	}
	finding_add(&check->found, "log.unreachable", "%s; logins, mints and revocations leave no log line", diag.text);
	finding_at(&check->found, diag.path, 0);
}

static int
put(struct keyd *keyd, const struct check *check)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };

	if (keyd->json)
		findings_json(&check->found, &out);
	else
		findings_text(&check->found, keyd->quiet, colour_wanted(), &out);
	if (buf_done(&out) != RJWT_OK)
		return tool_fail(&keyd->tool, RJWT_MEMORY, &(struct rjwt_diag){ 0 });
	(void)fwrite(out.p, 1, out.n, stdout);
	return findings_level(&check->found) == LEVEL_FAIL ? EXIT_REFUSED : EXIT_DONE;
}

enum rjwt_err
check_look(struct check *check, struct rjwt_status *status)
{
	static const char *const pam[] = { "/etc/pam.d", "/usr/lib/pam.d", NULL };

	RJWT_TRY(rjwt_status(check->options, status));
	check->pam = pam;
	check->state = status->dir;
	check_take_notes(&check->found, status);
	check_issue(check);
	check_scopes(check, status);
	check_codes(check, status);
	check_keyset(check, status);
	check_disk(check, status);
	check_clock(check, status);
	check_log(check);
	if (status->nkeys > 0 || !status->joined)
		check_rotation(check, status);
	check_follow(check, status);
	check_find_modules(check);
	check_pam(check);
	check_module(check);
	check_sshd(check);
	check_sudo(check);
	return check->found.failed ? RJWT_MEMORY : RJWT_OK;
}

int
keyd_check(struct keyd *keyd)
{
	struct check check = { .options = &keyd->tool.options };
	struct rjwt_status status = { 0 };
	enum rjwt_err err = check_look(&check, &status);
	int result = err == RJWT_OK ? put(keyd, &check) : tool_fail(&keyd->tool, err, &(struct rjwt_diag){ 0 });

	findings_clear(&check.found);
	rjwt_status_clear(&status);
	return result;
}
