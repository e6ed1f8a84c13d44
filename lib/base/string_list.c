/* SPDX-License-Identifier: MIT */
#include "base/string_list.h"

#include <stdlib.h>
#include <string.h>

void
string_list_clear(struct string_list *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct string_list){ 0 };
}

enum rjwt_err
string_list_add(struct string_list *names, const char *name)
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
string_list_set(struct string_list *names, const char *const *values)
{
	RJWT_CLEAN(string_list_clear) struct string_list made = { 0 };

	for (; *values != NULL; values++)
		RJWT_TRY(string_list_add(&made, *values));
	string_list_clear(names);
	*names = RJWT_STEAL(made);
	return RJWT_OK;
}
