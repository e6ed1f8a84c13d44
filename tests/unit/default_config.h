/* SPDX-License-Identifier: MIT */
/*
 * default_config.h - another file in place of the one at the default path, which this host may have, in a program linked
 * with -Wl,--wrap=dir_of.
 */
#ifndef RJWT_DEFAULT_CONFIG_H
#define RJWT_DEFAULT_CONFIG_H

#include "base/file.h"

#include <string.h>

static const char *in_its_place;

enum rjwt_err __real_dir_of(const char *path, struct dir *dir, const char **name, struct rjwt_diag *diag);
enum rjwt_err __wrap_dir_of(const char *path, struct dir *dir, const char **name, struct rjwt_diag *diag);

enum rjwt_err
__wrap_dir_of(const char *path, struct dir *dir, const char **name, struct rjwt_diag *diag)
{
	return __real_dir_of(strcmp(path, RJWT_CONFIG_FILE) == 0 ? in_its_place : path, dir, name, diag);
}

#endif
