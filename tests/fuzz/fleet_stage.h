/* SPDX-License-Identifier: MIT */
/*
 * fleet_stage.h - two issuers, I0 and I1, and a host for a harness, in directories that are made anew for each input. Their
 * bundle keys, and two files of fleet keys, are those of ../unit/fleet_lines.h: they were stolen before they were used.
 */
#ifndef RJWT_FLEET_STAGE_H
#define RJWT_FLEET_STAGE_H

#include "fleet_input.h"
#include "fleet/fleet.h"
#include "stage.h"

struct machine {
	char state[320], config[320], host[16], id[40];
	bool orderly; /* no damage, and no clock that was set */
	int64_t n, serials[FLEET_ISSUERS_MAX], before_s[FLEET_ISSUERS_MAX];
};
extern struct machine machines[3], *m; /* m: whose turn it is */

struct fleet_stage {
	char top[300], spool[320];
	char keys[3][330]; /* files of fleet keys; the third is not there yet */
};
extern struct fleet_stage stage;

void fleet_stage_begin(void);
void fleet_stage_end(void);

/* What m has. false: it has none that can be read. */
bool machine_fleet(struct fleet *fleet);
bool machine_keyset(const char *base, struct keyset *keyset);
/* Numbers, serials and `before` do not go back while m is orderly. */
void machine_look(void);

#endif
