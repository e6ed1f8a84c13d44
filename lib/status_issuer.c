/* SPDX-License-Identifier: MIT */
/* What rjwt_status() says of a host that other hosts follow. */
#include "base/datetime.h"
#include "fleet/publish.h"
#include "status_private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define LATE_S 1800 /* three publications */

static enum rjwt_err
judge_record(struct rjwt_status *s, const char *state_dir, const char *base, const struct record *record)
{
	char since[32];

	if (record->stopped[0] != '\0')
		return status_note(s, RJWT_BROKEN, "fleet.stopped", state_dir, "nothing is published: %s",
		    record->stopped);
	if (record->base[0] != '\0' && strcmp(record->base, base) != 0)
		return status_note(s, RJWT_BROKEN, "fleet.stopped", state_dir,
		    "nothing is published: the bundle key is of another base");
	duration_format(since, s->now_s - record->iat_s);
	if (record->iat_s == 0)
		return status_note(s, RJWT_ATTENTION, "fleet.unpublished", state_dir, "nothing was published yet");
	if (s->now_s - record->iat_s <= LATE_S)
		return RJWT_OK;
	return status_note(s, RJWT_ATTENTION, "fleet.unpublished", state_dir, "nothing was published for %s", since);
}

enum rjwt_err
status_issuer(struct rjwt_status *s, const char *state_dir, struct config *config, const char *base)
{
	RJWT_CLEAN(dir_close) struct dir state = DIR_NONE;
	struct fleet fleet = { 0 };
	struct rjwt_diag why = { 0 };
	struct record record;
	bool listed;
	enum rjwt_err err;

	listed = dir_open(state_dir, &state, NULL) == RJWT_OK && fleet_read(&state, &fleet, NULL, NULL) == RJWT_OK &&
		 roster_find(&fleet.roster, view_of(base)) != NULL;
	config->rotation.rotate_every_s = config_rotate_every_s(config, listed);
	if (!publish_wanted(state_dir))
		return RJWT_OK;
	if (!listed)
		RJWT_TRY(status_note(s, RJWT_ATTENTION, "fleet.unlisted", state_dir,
		    "the roster does not list this keyset: nothing is published"));
	err = publish_last(state_dir, &record, &why);
	if (err == RJWT_OK)
		return listed || record.stopped[0] != '\0' ? judge_record(s, state_dir, base, &record) : RJWT_OK;
	if (err == RJWT_MEMORY || (why.errnum == EACCES && geteuid() != 0))
		return err == RJWT_MEMORY ? err : RJWT_OK;
	return status_note(s, RJWT_BROKEN, "fleet.stopped", why.path, "nothing is published: %s", why.text);
}
