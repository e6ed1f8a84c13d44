/* SPDX-License-Identifier: MIT */
/*
 * string_list.h - a list of strings that grows and owns its copies.
 */
#ifndef RJWT_STRING_LIST_H
#define RJWT_STRING_LIST_H

#include "base/err.h"

struct string_list {
	char **list; /* NULL-terminated; NULL while the list is empty */
	size_t n;
};

RJWT_MUST enum rjwt_err string_list_add(struct string_list *list, const char *string); /* RJWT_MEMORY */
/* Replace the contents of the list by copies of these strings; NULL-terminated. RJWT_MEMORY. */
RJWT_MUST enum rjwt_err string_list_set(struct string_list *list, const char *const *strings);
void string_list_clear(struct string_list *list);

/* The list as rjwt.h takes it: view; NULL while it is empty. */
static inline const char *const *
string_list_view(const struct string_list *list)
{
	return (const char *const *)list->list;
}

#endif
