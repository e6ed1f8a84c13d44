/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
/* Rules 18 and 19: whose a token is, what it opens, and that it is good once. */
#include "table.h"

#include <stdio.h>

#include "unit.h"

#define NAME255                                                                                 \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

_Static_assert(sizeof(NAME255) == RJWT_NAME_MAX + 1, "the longest name");

static const struct list lists[] = {
	/* compared with the login name by length and bytes; CVE-2026-87853 compared a prefix */
	LIST(18, USER, 'c', "sub", "\"\\u0061lice\"", "\"bob\"", "\"root\"", "\"Alice\"", "\"ALICE\"", "\"alic\"",
	    "\"alicee\"", "\"a\"", "\"lice\"", "\" alice\"", "\"alice \"", "\"alice alice\"", "\"alice,bob\"",
	    "\"alice:x\"", "\"alice@host.example\"", "\"alice/admin\"", "\"*\"", "\"%\"", "\".\"", "\"..\"", "\"0\"",
	    "\"1000\"", "\"-alice\"", "\"-x\"", "\"a/b\"", "\"a:b\"", "\"+alice\"", "\"#1000\"", "\"%alice\"",
	    "\"uid=alice\"", "\"ali\\\\ce\"", "\"'alice'\"", "\"\\\"alice\\\"\"", "\"\xd0\xb0lice\"",
	    "\"al\xd1\x96"
	    "ce\"",
	    "\"\xef\xbd\x81lice\"", "\"alic\xef\xbd\x85\"", "\"\xc3\xa1lice\"",
	    "\"a\xcc\x81"
	    "lice\"",
	    "\"alice\xe2\x80\x8b\"",
	    "\"\xe2\x80\xae"
	    "alice\"",
	    "\"\xef\xbb\xbf"
	    "alice\"",
	    "\"\xe2\x93\x90lice\"", "\"\xf0\x9d\x92\xb6lice\"",
	    "\"ali\xc2\xad"
	    "ce\"",
	    "\"\xe1\xb4\x80lice\"",
	    "\"al\xc4\xb1"
	    "ce\"",
	    "\"alice\xcd\x8f\"", "\"any\"", "\"null\"", "\"nobody\"", "\"" NAME255 "\""),
	LIST(18, CLAIMS, 'c', "sub", NULL, "\"alice\\u0000\"", "\"\\u0000alice\"", "\"root\\u0000alice\"",
	    "\"alice\\u0000root\"", "\"alice\\n\"", "\"alice\\nroot\"", "\"\\talice\"", "\"al\\u0007ice\"",
	    "\"\\u001b[31malice\"", "\"alice\\u007f\"", "\"alice\\u0085\"", "\"alice\\u009b1m\"", "\"a" NAME255 "\"",
	    "\"alice\",\"sub\":\"alice\"", "\"bob\",\"sub\":\"alice\"", "\"alice\",\"\\u0073ub\":\"bob\"",
	    "\"bob\",\"s\\u0075\\u0062\":\"alice\""),
	/* an empty or missing scope never means any; CVE-2024-7594 */
	LIST(18, SCOPE, 'c', "scope", "\"su ssh sudo\"", ABSENT, "\"su\"", "\"sudo\"", "\"SSH\"", "\"Ssh\"", "\"sshd\"",
	    "\"ss\"", "\"sshx\"", "\"s-sh\"", "\"ssh-\"", "\"ssh.\"", "\"any\"", "\"all\"", "\"su sudo login\"",
	    "\"ssh:root\"", "\"ssh/\"", "\"root\"", "\"alice\"", "\"sshd sudo ssh2\""),
	/* what shall be good once needs a name to be remembered by */
	LIST(19, CLAIMS, 'c', "jti", NULL, "\"a\\u0000\"", "\"a\\n\"", "\"\\u001b\""),
};

#define ONCE CLAIM("once", "true")

static const struct row rows[] = {
	ROW(18, SCOPE, BAD(CLAIM("scope", "\"sudo-i\"")), TWIN(CLAIM("scope", "\"sudo\"")), .service = "sudo-i"),
	ROW(18, SCOPE, BAD(CLAIM("scope", "\"ssh\"")), TWIN(CLAIM("scope", "\"sudo\"")), .service = "sudo"),
	ROW(18, SCOPE, BAD(CLAIM("scope", "\"su-l\"")), TWIN(CLAIM("scope", "\"su\"")), .service = "su-l"),
	ROW(18, SCOPE, BAD(CLAIM("scope", "\"remote\"")), TWIN(CLAIM("scope", "\"login\"")), .service = "remote"),
	ROW(18, SCOPE, BAD(CLAIM("scope", "\"web\"")), TWIN(CLAIM("scope", "\"cockpit\"")), .service = "cockpit"),
	ROW(18, SCOPE, BAD(CLAIM("scope", "\"cockpit\"")), TWIN(CLAIM("scope", "\"web\"")), .service = "cockpit",
	    .world = SERVICES),
	ROW(18, USER, BAD(CLAIM("sub", "\"alice\"")), TWIN(CLAIM("sub", "\"alice@x\"")), .world = SUFFIX),
	ROW(18, USER, BAD(CLAIM("sub", "\"alice@x@x\"")), TWIN(CLAIM("sub", "\"alice@x\"")), .world = SUFFIX),
	ROW(18, USER, BAD(CLAIM("sub", "\"alice@X\"")), TWIN(CLAIM("sub", "\"alice@x\"")), .world = SUFFIX),
	ROW(18, USER, BAD(CLAIM("sub", "\"alice@x \"")), TWIN(CLAIM("sub", "\"alice@x\"")), .world = SUFFIX),
	ROW(18, USER, BAD(CLAIM("sub", "\"@x\"")), TWIN(CLAIM("sub", "\"alice@x\"")), .world = SUFFIX),
	ROW(18, USER, BAD(CLAIM("sub", "\"x\"")), TWIN(CLAIM("sub", "\"alice@x\"")), .world = SUFFIX),
	ROW(18, USER, BAD(CLAIM("sub", "\"@xalice\"")), TWIN(CLAIM("sub", "\"alice@x\"")), .world = SUFFIX),
	ROW(18, CLAIMS, BAD(CLAIM("upn", NULL)), TWIN(CLAIM("upn", "\"alice\"")), .world = OTHER_CLAIM),
	ROW(18, USER, BAD(CLAIM("upn", "\"bob\"")), TWIN(CLAIM("upn", "\"alice\"")), .world = OTHER_CLAIM),
	ROW(18, CLAIMS, BAD(CLAIM("upn", "[\"alice\"]")), TWIN(CLAIM("upn", "\"alice\"")), .world = OTHER_CLAIM),
	ROW(18, CLAIMS, BAD(CLAIM("upn", "\"\"")), TWIN(CLAIM("upn", "\"alice\"")), .world = OTHER_CLAIM),
	ROW(18, CLAIMS, BAD(CLAIM("Upn", "\"alice\"")), TWIN(CLAIM("upn", "\"alice\"")), .world = OTHER_CLAIM),
	ROW(18, CLAIMS, BAD(CLAIM("sub", "7"), CLAIM("upn", "\"alice\"")),
	    TWIN(CLAIM("sub", "\"7\""), CLAIM("upn", "\"alice\"")), .world = OTHER_CLAIM),
	/* good once: for each scope, by its claims; whatever else differs in the token */
	ROW(19, SPENT, BAD(ONCE, CLAIM("jti", "\"used\"")), TWIN(ONCE, CLAIM("jti", "\"used2\""))),
	ROW(19, SPENT, BAD(ONCE, CLAIM("jti", "\"used\""), CLAIM("exp", "$+299$")),
	    TWIN(ONCE, CLAIM("jti", "\"used3\""), CLAIM("exp", "$+299$"))),
	ROW(19, SPENT, BAD(ONCE, CLAIM("jti", "\"us\\u0065d\"")), TWIN(ONCE, CLAIM("jti", "\"Used\""))),
	ROW(19, SPENT, BAD(ONCE, CLAIM("jti", "\"used\""), CLAIM("x", "1")), TWIN(CLAIM("jti", "\"used\""))),
	ROW(19, SPENT, BAD(ONCE, CLAIM("jti", "\"used\""), CLAIM("scope", "\"su ssh\"")),
	    TWIN(ONCE, CLAIM("jti", "\"used4\""), CLAIM("scope", "\"su ssh\""))),
	ROW(19, SPENT, BAD(ONCE, CLAIM("jti", "\"used\""), HEADER("x", "1")),
	    TWIN(ONCE, CLAIM("jti", "\"used5\""), HEADER("x", "1"))),
	ROW(19, SPENT, BAD(CLAIM("jti", "\"used\"")), TWIN(CLAIM("jti", "\"used6\"")), .world = ALWAYS_ONCE),
	ROW(19, CLAIMS, BAD(CLAIM("jti", NULL)), TWIN(CLAIM("jti", "\"used7\"")), .world = ALWAYS_ONCE),
	ROW(19, CLAIMS, BAD(ONCE, CLAIM("jti", NULL)), TWIN(CLAIM("jti", NULL))),
	ROW(19, CLAIMS, BAD(ONCE, CLAIM("jti", "\"\"")), TWIN(ONCE, CLAIM("jti", "\"used8\""))),
	/* a number of uses: as many for each scope; and where every token works once, one */
	ROW(19, CLAIMS, BAD(CLAIM("uses", "2"), CLAIM("jti", NULL)),
	    TWIN(CLAIM("uses", "2"), CLAIM("jti", "\"used9\""))),
	ROW(19, CLAIMS, BAD(ONCE, CLAIM("uses", "2")), TWIN(CLAIM("uses", "2"), CLAIM("jti", "\"used10\""))),
	ROW(19, REVOKED, BAD(CLAIM("uses", "2"), CLAIM("jti", "\"gone\"")),
	    TWIN(CLAIM("uses", "2"), CLAIM("jti", "\"gone4\""))),
	ROW(19, REVOKED, BAD(CLAIM("jti", "\"gone\"")), TWIN(CLAIM("jti", "\"gone2\""))),
	ROW(19, REVOKED, BAD(CLAIM("jti", "\"g\\u006fne\"")), TWIN(CLAIM("jti", "\"Gone\""))),
	ROW(19, REVOKED, BAD(ONCE, CLAIM("jti", "\"gone\"")), TWIN(ONCE, CLAIM("jti", "\"gone3\""))),
	ROW(19, REVOKED, BAD(KEY("6"), CLAIM("jti", "\"gone\"")), TWIN(KEY("6"))),
	ROW(19, REVOKED, BAD(CLAIM("sub", "\"eve\"")), TWIN(KEY("6"), CLAIM("sub", "\"eve\"")), .user = "eve"),
	ROW(19, REVOKED, BAD(KEY("4"), CLAIM("iat", "$-200$"), CLAIM("sub", "\"eve\"")),
	    TWIN(KEY("6"), CLAIM("iat", "$-200$"), CLAIM("sub", "\"eve\"")), .user = "eve"),
};

/* Names that look alike, to each other: each token is good for its own alone. As JSON has them, and as PAM has them. */
static void
put_lookalikes(struct table *t)
{
	static const char *const names[][2] = { { "root", "root" }, { "0", "0" }, { "-x", "-x" }, { "a/b", "a/b" },
		{ "a:b", "a:b" }, { "\\u00e9", "\xc3\xa9" }, { "e\\u0301", "e\xcc\x81" }, { "ROOT", "ROOT" },
		{ "roo", "roo" }, { "roott", "roott" } };
	char bad[32], twin[32], name[80];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			const struct row row = { .rule = 18,
				.reason = RJWT_USER,
				.bad = { CLAIM("sub", bad) },
				.twin = { CLAIM("sub", twin) },
				.user = names[k][1] };

			if (i == k)
				continue;
			snprintf(bad, sizeof(bad), "\"%s\"", names[i][0]);
			snprintf(twin, sizeof(twin), "\"%s\"", names[k][0]);
			table_rows(t, &row, 1);
			snprintf(name, sizeof(name), "a token of %s for %s", names[i][0], names[k][0]);
			memcpy(t->rows[t->n - 1].name, name, sizeof(name));
		}
}

void
table_names(struct table *t)
{
	table_lists(t, lists, ARRAY_LEN(lists));
	table_rows(t, rows, ARRAY_LEN(rows));
	put_lookalikes(t);
}
