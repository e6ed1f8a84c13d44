/* SPDX-License-Identifier: MIT */
/* rjwt_prompt() and rjwt_prompt_cuts(): what fits the prompts of those who ask for tokens. */
#include "base/err.h"
#include "rjwt.h"

/* How long a reply reaches a module whole, by the scope that is asked for at that prompt. */
static const struct prompt {
	const char *scope;
	size_t limit; /* bytes; of ssh with SSH_ASKPASS */
	size_t cut;   /* bytes that are left of a longer one */
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
