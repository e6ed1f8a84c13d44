/* SPDX-License-Identifier: MIT */
#include "config/config_names.h"
#include "base/host.h"
#include "base/string_list.h"
#include "rjwt.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *scope;
} known_services[] = { { "sshd", "ssh" }, { "sudo-i", "sudo" }, { "su-l", "su" }, { "remote", "login" } };

/* Two services of one program, which an admin thinks of as one door. */
static const char *const twins[][2] = { { "sudo", "sudo-i" }, { "su", "su-l" }, { "login", "remote" } };

static const char *
twin_of(const char *service)
{
	for (size_t i = 0; i < ARRAY_LEN(twins); i++)
		for (size_t k = 0; k < 2; k++)
			if (strcmp(twins[i][k], service) == 0)
				return twins[i][1 - k];
	return NULL;
}

bool
service_name_check(struct view name)
{
	if (name.n == 0 || name.n > RJWT_NAME_MAX || name.p[0] == '.')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == '\0' || strchr("abcdefghijklmnopqrstuvwxyz0123456789._-+@:", name.p[i]) == NULL)
			return false;
	return true;
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
	struct service *grown = reallocarray(config->services, config->nservices + 1, sizeof(*grown));
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

enum rjwt_err
rule_add(struct config *config, struct issue_rule *rule)
{
	struct issue_rule *grown = reallocarray(config->rules, config->nrules + 1, sizeof(*grown));

	if (grown == NULL)
		return RJWT_MEMORY;
	config->rules = grown;
	grown[config->nrules++] = RJWT_STEAL(*rule);
	return RJWT_OK;
}

void
rule_clear(struct issue_rule *rule)
{
	string_list_clear(&rule->who);
	string_list_clear(&rule->users);
	string_list_clear(&rule->scopes);
	string_list_clear(&rule->audience);
}

const char *
config_scope(const struct config *config, const char *service)
{
	const struct service *found = service_find(config, service);
	const char *twin = found == NULL && config->nservices > 0 ? twin_of(service) : NULL;
	const struct service *other = twin == NULL ? NULL : service_find(config, twin);

	if (found != NULL)
		return found->scope[0] == '\0' ? NULL : found->scope;
	if (other != NULL && other->scope[0] == '\0')
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(known_services); i++)
		if (known_services[i].name[0] == service[0] && strcmp(known_services[i].name, service) == 0)
			return known_services[i].scope;
	return service;
}

bool
config_accepts(const struct string_list *configured, const char *recorded, struct view name)
{
	for (size_t i = 0; i < configured->n; i++)
		if (view_is(name, configured->list[i]))
			return true;
	return configured->n == 0 && recorded != NULL && view_is(name, recorded);
}

const char *
config_audience(const struct config *config, const char *recorded)
{
	const struct string_list *names = &config->audience;

	for (size_t i = 0; i < names->n; i++)
		if (!host_is_group(names->list[i]))
			return names->list[i];
	return config->audience_given ? names->list[0] : recorded;
}

bool
config_has_audience(const struct config *config, const char *recorded, struct view name)
{
	const char *own = config_audience(config, recorded);

	return (own != NULL && view_is(name, own)) || config_accepts(&config->audience, NULL, name);
}
