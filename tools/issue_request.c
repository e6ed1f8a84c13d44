/* SPDX-License-Identifier: MIT */
#include "issue_request.h"
#include "base/datetime.h"

#include <string.h>

static int
add_word(struct issue *is, struct string_list *words, const char *arg)
{
	enum rjwt_err err = string_list_add(words, arg);

	return err == RJWT_OK ? EXIT_DONE : tool_fail(&is->tool, err, &(struct rjwt_diag){ 0 });
}

static int
read_uses(struct issue *is, const char *arg)
{
	int64_t uses;

	if (number_parse(view_of(arg), RJWT_USES_MAX, &uses) != RJWT_OK || uses < 2)
		return tool_wrong(&is->tool, "--uses %s: expected a number from 2 to %d", arg, RJWT_USES_MAX);
	is->request.uses = uses;
	return EXIT_DONE;
}

int
issue_check(const struct issue *is)
{
	if (is->request.reusable && is->request.uses != 0)
		return tool_wrong(&is->tool, "--reusable cannot be combined with --uses");
	return -1;
}

int
issue_read_key(struct issue *is)
{
	int status = is->bind_file == NULL ? EXIT_DONE : public_key_read(&is->tool, is->bind_file, &is->bind);

	if (is->bind_file != NULL && status == EXIT_DONE)
		is->request.bind_key = is->bind.fingerprint;
	return status;
}

int
issue_take(struct issue *is, int option, bool *known)
{
	*known = true;
	switch (option) {
	case 'a':
		return add_word(is, &is->audience, optarg);
	case 's':
		return add_word(is, &is->scope, optarg);
	case 't':
		is->request.lifetime_s = &is->lifetime_s;
		return option_duration(&is->tool, "--lifetime", optarg, 0, INT64_MAX, &is->lifetime_s);
	case OPT_NOT_BEFORE:
		return option_time(&is->tool, "--not-before", optarg, &is->request.not_before_s);
	case OPT_REUSABLE:
		is->request.reusable = true;
		return EXIT_DONE;
	case OPT_USES:
		return read_uses(is, optarg);
	case OPT_REASON:
		if (strlen(optarg) > REASON_MAX)
			return tool_wrong(&is->tool, "--reason: longer than %d bytes", REASON_MAX);
		is->request.why = optarg;
		return EXIT_DONE;
	case OPT_FROM:
		return add_word(is, &is->from, optarg);
	case OPT_BIND_KEY:
		if (is->bind_file != NULL)
			return tool_wrong(&is->tool, "--bind-key: given twice (a token is bound to one key)");
		is->bind_file = optarg;
		return EXIT_DONE;
	case OPT_JSON:
		is->json = true;
		return EXIT_DONE;
	default:
		*known = false;
		return EXIT_DONE;
	}
}
