/* SPDX-License-Identifier: MIT */
/*
 * damage.h - harm done to the files of a keyset, by the input's choice.
 */
#ifndef RJWT_DAMAGE_H
#define RJWT_DAMAGE_H

#include "stage.h"

/* Do up to three. Whether there was any; *vouched: a file that keyset.json or its seal vouches for says something
 * else now, and its sum fits. */
bool damage(struct rest *rest, struct stage *stage, bool *vouched);

/* Do one to this file or directory; as *vouched. */
bool damage_file(struct rest *rest, const struct stage_file *file);

#endif
