/* SPDX-License-Identifier: MIT */
#include "fleet/record.h"
#include "base/file_write.h"
#include "base/json.h"
#include "base/json_write.h"

#include <stdio.h>
#include <string.h>

#define RECORD "published.json"
#define RECORD_MAX 4096

void
record_begin(struct record *record, const char *base)
{
	struct record next = { 0 };
	size_t from = record->nleft == RECORD_LEFT_MAX ? 1 : 0;

	for (size_t i = from; i < record->nleft; i++)
		memcpy(next.left[next.nleft++], record->left[i], sizeof(next.left[0]));
	if (record->base[0] != '\0')
		memcpy(next.left[next.nleft++], record->base, sizeof(next.left[0]));
	snprintf(next.base, sizeof(next.base), "%s", base);
	*record = next;
}

bool
record_has_left(const struct record *record, const char *base)
{
	for (size_t i = 0; i < record->nleft; i++)
		if (strcmp(record->left[i], base) == 0)
			return true;
	return false;
}

/* What a version before this one wrote has no more than the first three. */
static bool
read_members(struct json json, struct record *record)
{
	struct view base, stopped, left;
	size_t count = 0;

	if (json_integer(json, "serial", &record->serial) != JSON_GOOD ||
	    json_string(json, "base", &base) != JSON_GOOD || !keyset_base_check(base) ||
	    !json_copy(json, "base", record->base, sizeof(record->base)) ||
	    !json_copy(json, "digest", record->digest, sizeof(record->digest)) ||
	    json_integer(json, "iat", &record->iat_s) == JSON_WRONG ||
	    json_integer(json, "next", &record->next) == JSON_WRONG ||
	    json_integer(json, "next_since", &record->next_s) == JSON_WRONG)
		return false;
	if (json_string(json, "stopped", &stopped) != JSON_ABSENT &&
	    !json_copy(json, "stopped", record->stopped, sizeof(record->stopped)))
		return false;
	if (json_array(json, "left", &count) == JSON_WRONG || count > RECORD_LEFT_MAX)
		return false;
	for (; record->nleft < count; record->nleft++) {
		left = json_string_at(json, "left", record->nleft);
		if (!keyset_base_check(left))
			return false;
		memcpy(record->left[record->nleft], left.p, left.n);
	}
	return true;
}

enum rjwt_err
record_read(const struct dir *private, struct record *record, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	struct record found = { 0 };
	enum rjwt_err err = file_read(private, RECORD, RECORD_MAX, &text, NULL, diag);

	*record = (struct record){ 0 };
	if (err_is_missing(err))
		return RJWT_OK;
	RJWT_TRY(err);
	if (seal_check(buf_view(&text)) != RJWT_OK || json_parse(buf_view(&text), &json, NULL) != RJWT_OK ||
	    !read_members(json, &found))
		return diag_fail(diag, RJWT_KEYSET, private->path,
		    RECORD " is damaged: without it a serial could be used twice (rjwt-keyd init --adopt)");
	*record = found;
	return RJWT_OK;
}

enum rjwt_err
record_write(const struct dir *private, const struct record *record, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	json_open(&text, NULL);
	json_put_integer(&text, "format", 1);
	json_put_string(&text, "base", view_of(record->base));
	json_put_integer(&text, "serial", record->serial);
	json_put_integer(&text, "iat", record->iat_s);
	json_put_integer(&text, "next", record->next);
	json_put_integer(&text, "next_since", record->next_s);
	json_put_string(&text, "digest", view_of(record->digest));
	if (record->stopped[0] != '\0')
		json_put_string(&text, "stopped", view_of(record->stopped));
	if (record->nleft > 0) {
		json_open_array(&text, "left");
		for (size_t i = 0; i < record->nleft; i++)
			json_put_string(&text, NULL, view_of(record->left[i]));
		json_close_array(&text);
	}
	RJWT_TRY(seal_add(&text));
	return file_write(private, RECORD, 0600, buf_view(&text), NULL, diag);
}
