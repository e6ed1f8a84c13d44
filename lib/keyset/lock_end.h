/* SPDX-License-Identifier: MIT */
/*
 * lock_end.h - ends the process that holds the lock.
 */
#ifndef RJWT_LOCK_END_H
#define RJWT_LOCK_END_H

#include <stddef.h>

/*
 * Kill the process that the kernel names as the holder of the flock(2) on fd, if one of its descriptors has that very
 * lock. Nobody else is ever hit: the process is held by a pidfd while it is looked at. told: "process 17 (NAME)",
 * unchanged if none was killed.
 */
void lock_end_holder(int fd, char *told, size_t size);

#endif
