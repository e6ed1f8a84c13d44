/* SPDX-License-Identifier: MIT */
#include "oracle.h"

#include <stdio.h>

struct model m;

void
broken(const char *fmt, ...)
{
	va_list args;

	printf("not ok 1 - model\n# step %lu of seed %lu: ", m.step, m.seed);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n# the keyset is left in %s\n", m.f->top);
	exit(1);
}

uint64_t
dice(uint64_t sides)
{
	m.random ^= m.random << 13; /* xorshift64 */
	m.random ^= m.random >> 7;
	m.random ^= m.random << 17;
	return m.random % sides;
}

void
look_at_keyset(bool replaced)
{
	struct keyset k = keyset_get(m.f);
	bool same_base = strcmp(k.base, m.keyset.base) == 0;

	if (k.generation < m.keyset.generation)
		broken("generation went back");
	if (k.active.version < m.keyset.active.version || k.next_version < m.keyset.next_version ||
	    k.floor < m.keyset.floor)
		broken("a version went back");
	if (!replaced && !same_base)
		broken("another base");
	if (!replaced && k.active.version != m.keyset.active.version && k.active.version != m.keyset.next.version &&
	    k.active.version < m.keyset.next_version)
		broken("%lld signs, and was never next", (long long)k.active.version);
	if (k.active.version != m.keyset.active.version) {
		m.minted = 0;
		m.most_limit = m.limit;
	}
	m.keyset = k;
}

enum promise
worse(enum promise a, enum promise b)
{
	return a > b ? a : b;
}

void
revoke_where(bool (*covers)(const struct token *t, const char *what, int64_t version), const char *what,
    int64_t version, bool done)
{
	for (size_t i = 0; i < m.ntokens; i++)
		if (covers(&m.tokens[i], what, version))
			m.tokens[i].promise = worse(m.tokens[i].promise, done ? NEVER : MAY_OPEN);
}

bool
covers_all(const struct token *t, const char *what, int64_t version)
{
	(void)t;
	(void)what;
	(void)version;
	return true;
}

bool
covers_user(const struct token *t, const char *what, int64_t version)
{
	(void)version;
	return strcmp(t->user, what) == 0;
}

bool
covers_jti(const struct token *t, const char *what, int64_t version)
{
	(void)version;
	return strcmp(t->jti, what) == 0;
}

bool
covers_key(const struct token *t, const char *what, int64_t version)
{
	return t->version == version && strcmp(t->base, what) == 0;
}

void
look_at_private(void)
{
	for (int64_t v = m.keyset.active.version - 2; v <= m.keyset.next.version + 2; v++) {
		bool wanted = v == m.keyset.active.version || v == m.keyset.next.version;
		char name[64];

		snprintf(name, sizeof(name), "private/%lld.key", (long long)v);
		if (v > 0 && file_there(m.f, name) != wanted)
			broken("%s %s", name, wanted ? "is missing" : "is still there");
	}
}

void
steal(void)
{
	size_t slot = (size_t)(m.keyset.active.version % 3);
	char name[64];

	for (size_t i = 0; i < 3; i++) /* what has retired since the thief came: by now at the latest */
		if (m.stolen_version[i] != 0 && m.stolen_retired_s[i] == 0 &&
		    (m.stolen_version[i] < m.keyset.active.version || strcmp(m.stolen_base[i], m.keyset.base) != 0))
			m.stolen_retired_s[i] = clock_time.wall_s;
	if (m.stolen_version[slot] == m.keyset.active.version)
		return;
	snprintf(name, sizeof(name), "private/%lld.key", (long long)m.keyset.active.version);
	buf_clear(&m.stolen[slot]);
	m.stolen[slot] = file_get(m.f, name);
	m.stolen_version[slot] = m.keyset.active.version;
	m.stolen_retired_s[slot] = 0;
	snprintf(m.stolen_base[slot], sizeof(m.stolen_base[slot]), "%s", m.keyset.base);
}

void
take_note(void)
{
	for (size_t i = 0; i < 3 && !m.settled_back; i++)
		if (m.stolen_retired_s[i] != 0)
			m.stolen_retired_s[i] = clock_time.wall_s;
	m.settled_back = true;
}
