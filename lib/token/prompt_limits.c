/* SPDX-License-Identifier: MIT */
/* rjwt_prompt() and rjwt_prompt_cuts(): which tokens fit the prompts of PAM applications. */
#include "base/err.h"
#include "rjwt.h"

/* The longest reply that reaches the module whole, by the scope that the prompt requires. */
static const struct prompt {
	const char *scope;
	size_t limit; /* bytes; of ssh with SSH_ASKPASS */
	size_t cut;   /* bytes that remain of a longer reply */
} prompts[] = { { "sudo", 511, 511 }, { "ssh", 1022, 1023 }, { "su", 4095, 4095 }, { "login", 4095, 4095 } };

#define PROMPTS (ARRAY_LEN(prompts))

const char *
rjwt_prompt(unsigned bit, size_t *limit)
{
	if (bit >= PROMPTS)
		return NULL;
	*limit = prompts[bit].limit;
	return prompts[bit].scope;
}

bool
rjwt_prompt_cuts(size_t len)
{
	for (size_t i = 0; i < PROMPTS; i++)
		if (prompts[i].cut == len)
			return true;
	return false;
}
