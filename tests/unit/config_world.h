/* SPDX-License-Identifier: MIT */
/* config_world.h - a configuration that is loaded. */
#ifndef RJWT_TEST_CONFIG_WORLD_H
#define RJWT_TEST_CONFIG_WORLD_H

#include "fixture.h"
#include "config/config.h"

#include <stdio.h>

static inline int
setup(void **state)
{
	*state = fixture_bare("");
	return 0;
}

static inline enum rjwt_err
load(struct fixture *f, struct view yaml, struct config *config)
{
	FILE *out = fopen(f->config, "we");

	assert_non_null(out);
	assert_true(fwrite(yaml.p, 1, yaml.n, out) == yaml.n);
	assert_int_equal(fclose(out), 0);
	f->diag = (struct rjwt_diag){ 0 };
	return config_load(f->config, config, &f->diag);
}

static inline enum rjwt_err
load_text(struct fixture *f, const char *yaml)
{
	struct config config = { 0 };
	enum rjwt_err err = load(f, view_of(yaml), &config);

	config_clear(&config);
	return err;
}

#endif
