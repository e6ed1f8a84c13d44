/* SPDX-License-Identifier: MIT */
/* mint_item_warn(): what is minted, and may not do what was meant. */
#include "base/host.h"
#include "base/text.h"
#include "config/config.h"
#include "token/mint_request.h"
#include "token/prompt_limits.h"

#include <inttypes.h>
#include <stdio.h>

/* Each host marks uses for itself, so a token that several hosts accept works on each of them. */
static void
warn_shared(struct mint_item *o)
{
	const char *const *audience = o->full.audience;
	const char *group = NULL;
	char each[200], often[32] = "once";

	for (size_t i = 0; group == NULL && audience[i] != NULL; i++)
		group = host_is_group(audience[i]) ? audience[i] : NULL;
	if (group == NULL && audience[1] == NULL)
		return;
	if (group == NULL || audience[1] != NULL)
		snprintf(each, sizeof(each), "each host that it is for");
	else
		snprintf(each, sizeof(each), "each host of %.150s", group);
	if (o->full.uses > 1 && !o->minter->config->one_time_always)
		snprintf(often, sizeof(often), "%" PRId64 " times", o->full.uses);
	text_append(o->warning, sizeof(o->warning), "; ",
	    "the token works %s on %s, and each of these hosts could use it on the others", often, each);
}

/*
 * Unless other hosts follow the keyset, none has the keys, so a token that this host rejects is useless elsewhere. It is
 * still minted, for tests and for verifiers that use the JWK Set.
 */
static void
warn_foreign(struct mint_item *o)
{
	const struct config *config = o->minter->config;
	const struct keyset *keyset = store_keyset(o->minter->store);
	bool here = config->rotation.published;

	for (size_t i = 0; o->full.audience[i] != NULL; i++)
		here = here || config_has_audience(config, keyset->audience, view_of(o->full.audience[i]));
	if (!here)
		text_append(o->warning, sizeof(o->warning), "; ", "this host does not accept the audience %.100s",
		    o->full.audience[0]);
	if (!config_accepts(&config->issuer, keyset->issuer, view_of(o->full.issuer)))
		text_append(o->warning, sizeof(o->warning), "; ", "this host does not accept the issuer %.100s",
		    o->full.issuer);
}

/* The prompts of its scopes: the one that takes least, and whether a program cannot take the token at all. */
static void
look_at_prompts(struct mint_item *o)
{
	bool once = !o->full.reusable || o->minter->config->one_time_always;

	o->prompt_limit = SIZE_MAX;
	for (size_t i = 0; o->full.scope[i] != NULL; i++) {
		struct rjwt_prompt prompt;

		if (prompt_find(o->minter->config, o->full.scope[i], &prompt) && prompt.limit < o->prompt_limit) {
			o->prompt_limit = prompt.limit;
			o->prompt_scope = o->full.scope[i];
		}
		if (prompt.as_user && once)
			text_append(o->warning, sizeof(o->warning), "; ",
			    "%s does not run as root, so it cannot take a one-time token: it needs --reusable",
			    prompt.service);
	}
}

void
mint_item_warn(struct mint_item *o)
{
	if (!o->full.reusable || o->minter->config->one_time_always)
		warn_shared(o);
	warn_foreign(o);
	look_at_prompts(o);
}
