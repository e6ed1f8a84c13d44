/* SPDX-License-Identifier: MIT */
/*
 * fleet_disk.h - calls that change files, between the library and the C library: a process may end before one of them, and
 * what was not synced by then may be gone.
 *
 * Of a power cut: in each directory the last changes that were not synced are undone, any number of them; of a file whose
 * bytes were not synced any number of the last are gone.
 */
#ifndef RJWT_FLEET_DISK_H
#define RJWT_FLEET_DISK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * End this process before call number k from now. cut: as a power cut does, by dice of this seed; keep is a directory on the
 * same file system for what is needed to undo.
 */
void disk_die_at(unsigned long k, bool cut, uint64_t seed, const char *keep);

/* How many such calls there were since this was asked last. */
unsigned long disk_calls(void);

#endif
