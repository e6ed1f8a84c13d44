/* SPDX-License-Identifier: MIT */
/* What rjwt-keyd check reads in sudoers, and what it finds there: each finding has a twin that differs in one thing. */
#include "folder.h"
#include "check.h"
#include "sudoers.h"

static struct check check = { .sudo = true };

/* --- lines ------------------------------------------------------------------------------------ */

static char seen[2048];

static void
note(void *context, const char *file, unsigned line, char *text)
{
	const char *name = strrchr(file, '/');
	size_t n = strlen(seen);

	(void)context;
	snprintf(seen + n, sizeof(seen) - n, "%s:%u:%s|", name == NULL ? file : name + 1, line, text);
}

/* The lines of the file sudoers, and then what could not be read, without the folder's path. */
static const char *
lines_of(const char *text)
{
	char unread[512], *why;

	put("sudoers", text, 0600);
	seen[0] = '\0';
	sudoers_read(at("sudoers"), note, NULL, unread);
	why = strstr(unread, folder.path);
	if (unread[0] != '\0')
		snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "unread %s",
		    why == NULL ? unread : why + strlen(folder.path) + 1);
	return seen;
}

static void
reading_lines(void **state)
{
	static const struct {
		const char *text, *lines;
	} rows[] = {
		{ "", "" },
		{ "a\nb", "sudoers:1:a|sudoers:2:b|" },
		{ "# a\n\n \t\n\tb # c\n", "sudoers:4:b |" },
		{ "#1000 a\n#-1 b\n#x\n", "sudoers:1:#1000 a|sudoers:2:#-1 b|" },
		{ "a \"# b\" # c\n", "sudoers:1:a \"# b\" |" },
		{ "a \\# b # c\n", "sudoers:1:a \\# b |" },
		{ "a \\\n b\\\nc\nd\n", "sudoers:1:a  bc|sudoers:4:d|" },
		{ "# a \\\nb\n", "sudoers:2:b|" },
		{ "a \\", "sudoers:1:a |" },
		{ "@include one\n", "one:1:1|" },
		{ "#include one\nb\n", "one:1:1|sudoers:2:b|" },
		{ "  @include \"one\"  # c\n", "one:1:1|" },
		{ "#included one\n@includes one\n", "" },
		{ "@includedir d\n", "10:1:ten|9:1:nine|" },
		{ "@includedir nowhere\n@include\n", "" },
		{ "@include nowhere\nb\n", "sudoers:2:b|unread nowhere: No such file or directory" },
		{ "@include d\n", "unread d: Is a directory" },
		{ "@include fifo\n", "" },
		{ "@include loop\n", "unread loop: files include others too often" },
	};
	char long_line[9000];

	(void)state;
	put("one", "1\n", 0600);
	put("loop", "@include loop\n@include loop\n", 0600);
	make("d", 0700);
	put("d/9", "nine\n", 0600);
	put("d/10", "ten\n", 0600);
	put("d/a.b", "dot\n", 0600);
	put("d/a~", "tilde\n", 0600);
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *lines = lines_of(rows[i].text);

		if (strcmp(lines, rows[i].lines) != 0)
			fail_msg("%s\nread \"%s\", expected \"%s\"", rows[i].text, lines, rows[i].lines);
	}
	memset(long_line, 'x', sizeof(long_line));
	memcpy(long_line + sizeof(long_line) - 9, "\n@include", 9);
	long_line[sizeof(long_line) - 1] = '\0';
	assert_memory_equal(lines_of(long_line), "sudoers:1:xxxx", 14);
}

static void
closed(void **state)
{
	(void)state;
	put("one", "1\n", 0);
	if (geteuid() == 0)
		return; /* may read it */
	assert_string_equal(lines_of("@include one\nb\n"), "sudoers:2:b|unread one: Permission denied");
	assert_int_equal(chmod(at("one"), 0400), 0);
	assert_string_equal(lines_of("@include one\nb\n"), "one:1:1|sudoers:2:b|");
}

static void
items(void **state)
{
	char text[] = "a, \"b,c\" ,d\\,e,,f", *rest = text;

	(void)state;
	assert_string_equal(sudoers_item(&rest), "a");
	assert_string_equal(sudoers_item(&rest), "\"b,c\" ");
	assert_string_equal(sudoers_item(&rest), "d\\,e");
	assert_string_equal(sudoers_item(&rest), "");
	assert_string_equal(sudoers_item(&rest), "f");
	assert_null(sudoers_item(&rest));
	assert_null(sudoers_item(&rest));
}

/* --- findings --------------------------------------------------------------------------------- */

/* "CODE:LINE", and what is said where there is none. */
static const char *
found_in(const char *text)
{
	static char codes[1024];

	put("sudoers", text, 0600);
	findings_clear(&check.found);
	check_sudoers(&check, at("sudoers"));
	codes[0] = '\0';
	for (size_t i = 0; i < check.found.n; i++) {
		const struct finding *f = &check.found.list[i];
		size_t n = strlen(codes);

		if (f->kind != NULL)
			snprintf(codes + n, sizeof(codes) - n, "%s%s:%u", n == 0 ? "" : " ", f->kind->code, f->line);
		else if (!findings_in(&check.found, "sudo"))
			snprintf(codes, sizeof(codes), "%s", f->text);
	}
	return codes;
}

#define ASKS(minutes) "timestamp_timeout " minutes ": sudo asks again after " minutes " minutes"
#define EACH_TIME "timestamp_timeout 0: sudo asks each time"

static void
findings(void **state)
{
	static const struct {
		const char *text, *found;
	} rows[] = {
		{ "", ASKS("15") },
		{ "Defaults timestamp_timeout=15\n", ASKS("15") },
		{ "Defaults timestamp_timeout=15.5\n", "sudo.timestamp:1" },
		{ "Defaults timestamp_timeout=60\nDefaults !lecture, timestamp_timeout = 5\n", ASKS("5") },
		{ "Defaults timestamp_timeout=5\nDefaults timestamp_timeout=60\n", "sudo.timestamp:2" },
		{ "Defaults env_reset, \\\n  timestamp_timeout=60\n", "sudo.timestamp:1" },
		{ "Defaults env_reset # timestamp_timeout=60\n", ASKS("15") },
		{ "Defaults badpass_message=\"no, timestamp_timeout=60\"\n", ASKS("15") },
		{ "Defaults !timestamp_timeout\n", EACH_TIME },
		{ "Defaults timestamp_timeout=\"-1\"\n", "sudo.timestamp:1" },
		{ "Defaults timestamp_timeouts=60\nDefaultsx timestamp_timeout=60\n", ASKS("15") },
		{ "Defaults:alice timestamp_timeout=60\nDefaults!/bin/ls !lecture, rootpw\n",
		    ASKS("15") "; 2 settings for some users, hosts or commands not checked" },
		{ "Defaults@web1 targetpw\nDefaults>bob mailto=x\n",
		    ASKS("15") "; 1 setting for some users, hosts or commands not checked" },
		/* whose token, and whose prompt */
		{ "Defaults rootpw\n", "sudo.other_user:1" },
		{ "Defaults rootpw\nDefaults !rootpw\n", ASKS("15") },
		{ "Defaults targetpw\nDefaults runaspw\n", "sudo.other_user:2" },
		{ "Defaults targetpw\nDefaults runaspw\nDefaults rootpw\n", "sudo.other_user:3" },
		{ "Defaults targetpw, passprompt_override\n", "sudo.other_user:1 sudo.prompt:1" },
		{ "Defaults passprompt=\"Password of %p: \"\n", ASKS("15") },
		/* who becomes root by a program of ours */
		{ "bob ALL=(root) /usr/bin/rjwt-issue\n", "sudo.free:1" },
		{ "bob ALL=(root) /usr/bin/rjwt-grant\n", ASKS("15") },
		{ "bob ALL=(root) /usr/bin/rjwt-issue \"\"\n", ASKS("15") },
		{ "bob ALL=(root) /usr/bin/rjwt-issue -s ssh carol\n", ASKS("15") },
		{ "bob ALL=(root) /usr/bin/rjwt-issue -s ssh *\n", "sudo.free:1" },
		{ "bob ALL=(root) /usr/bin/rjwt-issue ^.*$\n", "sudo.free:1" },
		{ "bob ALL=NOPASSWD:/usr/sbin/rjwt-keyd\n", "sudo.free:1" },
		{ "bob ALL=/usr/sbin/rjwt-keyd status, \\\n /usr/bin/rjwt-verify\n", "sudo.free:1" },
		{ "Cmnd_Alias MINT=/bin/ls,/usr/local/bin/rjwt-*\n", "sudo.free:1" },
		{ "bob ALL=sha224:ab/rjwt-issue= /usr/bin/rjwt-issue\n", "sudo.free:1" },
		{ "bob ALL=/usr/bin/*, !/usr/bin/rjwt-issue\n", ASKS("15") },
		{ "bob ALL=(ALL) ALL\n", ASKS("15") },
		{ "@include nowhere\nDefaults timestamp_timeout=60\n", "sudo.unreadable:0 sudo.timestamp:2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *found = found_in(rows[i].text);

		if (geteuid() != 0 && strncmp(rows[i].found, "sudo.unreadable", 15) == 0)
			assert_string_equal(found, "not checked: needs root");
		else if (strcmp(found, rows[i].found) != 0)
			fail_msg("%s\nfound \"%s\", expected \"%s\"", rows[i].text, found, rows[i].found);
	}
	assert_int_equal(unlink(at("sudoers")), 0);
	findings_clear(&check.found);
	check_sudoers(&check, at("sudoers"));
	assert_non_null(strstr(check.found.list[0].text, "not checked: there is no "));
}

static void
not_asked(void **state)
{
	(void)state;
	check.sudo = false;
	assert_string_equal(found_in("Defaults rootpw\nbob ALL=/usr/bin/rjwt-issue\n"), "sudo.free:2");
	assert_string_equal(found_in("Defaults rootpw\n"), "not checked: its stack does not name pam_rjwt.so");
	check.sudo = true;
}

static int
end_check(void **state)
{
	findings_clear(&check.found);
	return end(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { BOTH(reading_lines), BOTH(closed), BOTH(items),
		{ "findings", findings, begin, end_check, NULL },
		{ "findings for who is not root", findings, begin_as_nobody, end_check, NULL },
		{ "not_asked", not_asked, begin, end_check, NULL } };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
