/* SPDX-License-Identifier: MIT */
/* The walk of libpam through the lines of a phase. */
#include "stack/stack_private.h"

#include <security/pam_appl.h>

/* What has been made up one's mind about. */
enum impression { NONE, POSITIVE, NEGATIVE };

struct mind {
	enum impression impression;
	struct stack_answer answer;
};

struct walk {
	const struct stack_lines *lines;
	struct mind now, outside[STACK_DEPTH_MAX]; /* what was thought where a substack began */
};

static void
decide(struct mind *mind, enum impression impression, int code, const struct stack_entry *entry, int action)
{
	mind->impression = impression;
	mind->answer = (struct stack_answer){ code, entry, action };
}

static int
level_of(const struct stack_lines *lines, size_t i)
{
	return i < lines->n ? lines->list[i].level : -1;
}

/* The last of the lines that belong to the substack around line i. */
static size_t
end_of_level(const struct stack_lines *lines, size_t i)
{
	int level = lines->list[i].level;

	while (level_of(lines, i + 1) >= level)
		i++;
	return i;
}

/* The last of so many lines below line i, in which a substack counts as one. false: there are not so many. */
static bool
jump(const struct stack_lines *lines, size_t *i, int lines_to_skip)
{
	int level = lines->list[*i].level;

	for (; lines_to_skip > 0 && level_of(lines, *i + 1) >= level; lines_to_skip--)
		do
			++*i;
		while (level_of(lines, *i + 1) > level);
	return lines_to_skip == 0;
}

/* A good answer counts where there is none, or no better than success. */
static void
take_good(struct mind *mind, int code, const struct stack_entry *entry, int action)
{
	if (mind->impression == NONE || (mind->impression == POSITIVE && mind->answer.code == PAM_SUCCESS))
		decide(mind, POSITIVE, code, entry, action);
}

/* Of bad answers the first counts. */
static void
take_bad(struct mind *mind, int code, const struct stack_entry *entry, int action)
{
	if (mind->impression != NEGATIVE)
		decide(mind, NEGATIVE, code == PAM_IGNORE ? PAM_PERM_DENIED : code, entry, action);
}

/* What a line's return value does. The line after which the walk continues. */
static size_t
act(struct walk *walk, size_t i, int code)
{
	const struct stack_entry *entry = &walk->lines->list[i];
	bool known = code >= 0 && code < STACK_CODES;
	int action = known ? entry->action[code] : STACK_BAD;
	struct mind *now = &walk->now;

	code = known ? code : PAM_PERM_DENIED;
	switch (action) {
	case STACK_IGNORE:
		return i;
	case STACK_RESET:
		*now = walk->outside[entry->level];
		return i;
	case STACK_OK:
	case STACK_DONE:
		take_good(now, code, entry, action);
		return action == STACK_DONE && now->impression == POSITIVE ? end_of_level(walk->lines, i) : i;
	case STACK_BAD:
	case STACK_DIE:
		take_bad(now, code, entry, action);
		return action == STACK_DIE ? end_of_level(walk->lines, i) : i;
	default:
		if (!jump(walk->lines, &i, action))
			decide(now, NEGATIVE, PAM_PERM_DENIED, entry, action);
		return i;
	}
}

void
stack_walk(const struct stack_lines *lines, stack_outcome *outcome, void *context, struct stack_answer *answer)
{
	struct walk walk = { .lines = lines, .now.answer.code = PAM_PERM_DENIED };
	int level = 0;

	walk.outside[0] = walk.now;
	for (size_t i = 0; i < lines->n; i++) {
		const struct stack_entry *entry = &lines->list[i];
		int code = PAM_PERM_DENIED;

		if (level < entry->level)
			walk.outside[entry->level] = walk.now;
		level = entry->level;
		if (entry->kind == STACK_SUBSTACK)
			continue;
		if (entry->kind == STACK_MODULE)
			code = outcome(context, entry);
		i = act(&walk, i, code);
	}
	if (walk.now.answer.code == PAM_SUCCESS && walk.now.impression != POSITIVE)
		walk.now.answer.code = PAM_PERM_DENIED;
	*answer = walk.now.answer;
}
