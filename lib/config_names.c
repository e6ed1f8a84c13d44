/* SPDX-License-Identifier: MIT */
#include "config_names.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *scope;
} known_services[] = { { "sshd", "ssh" }, { "sudo-i", "sudo" },
	{ "su-l", "su" }, { "remote", "login" } };

void
names_clear(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct names){ 0 };
}

enum rjwt_err
names_add(struct names *names, const char *name)
{
	char **grown = reallocarray(names->list, names->n + 2, sizeof(*grown));

	if (grown == NULL)
		return RJWT_MEMORY;
	names->list = grown;
	grown[names->n] = strdup(name);
	if (grown[names->n] == NULL)
		return RJWT_MEMORY;
	grown[++names->n] = NULL;
	return RJWT_OK;
}

enum rjwt_err
names_set(struct names *names, const char *const *values)
{
	RJWT_CLEAN(names_clear) struct names made = { 0 };

	for (; *values != NULL; values++)
		RJWT_TRY(names_add(&made, *values));
	names_clear(names);
	*names = made;
	made = (struct names){ 0 };
	return RJWT_OK;
}

const struct service *
service_find(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->nservices; i++)
		if (strcmp(config->services[i].name, name) == 0)
			return &config->services[i];
	return NULL;
}

enum rjwt_err
service_add(struct config *config, const char *name, const char *scope)
{
	struct service *grown =
	    reallocarray(config->services, config->nservices + 1, sizeof(*grown));
	struct service made;

	if (grown == NULL)
		return RJWT_MEMORY;
	config->services = grown;
	made = (struct service){ strdup(name), strdup(scope) };
	if (made.name == NULL || made.scope == NULL) {
		free(made.name);
		free(made.scope);
		return RJWT_MEMORY;
	}
	grown[config->nservices++] = made;
	return RJWT_OK;
}

const char *
config_scope(const struct config *config, const char *service)
{
	const struct service *found = service_find(config, service);

	if (found != NULL)
		return found->scope[0] == '\0' ? NULL : found->scope;
	for (size_t i = 0; i < sizeof(known_services) / sizeof(known_services[0]); i++)
		if (strcmp(known_services[i].name, service) == 0)
			return known_services[i].scope;
	return service;
}
