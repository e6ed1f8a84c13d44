/* SPDX-License-Identifier: MIT */
/*
 * What stack.h promises beside the answers, which test_stack_libpam.c compares: places of lines, the line that decided,
 * and files that are not as they should be.
 */
#include "folder.h"
#include "stack/stack.h"

#include <security/pam_appl.h>

static struct stack *stack;
static struct rjwt_diag diag;

static enum rjwt_err
read_service(const char *service)
{
	const char *const directories[] = { folder.path, NULL };

	stack_free(RJWT_STEAL(stack));
	diag = (struct rjwt_diag){ 0 };
	return stack_read(directories, service, &stack, &diag);
}

static enum rjwt_err
read_text(const char *text)
{
	put("s", text, 0644);
	return read_service("s");
}

/* ok.so is good, no.so is not, ign.so says nothing. */
static int
by_name(void *context, const struct stack_entry *entry)
{
	unsigned *calls = context;

	++*calls;
	return stack_is_module(entry, "ok.so")	  ? PAM_SUCCESS
	       : stack_is_module(entry, "ign.so") ? PAM_IGNORE
						  : PAM_AUTH_ERR;
}

static int
end_stack(void **state)
{
	stack_free(RJWT_STEAL(stack));
	return end(state);
}

static void
decided_line(void **state)
{
	static const struct {
		const char *text;
		int code;
		unsigned line; /* 0: none */
		unsigned calls;
	} rows[] = {
		{ "auth required ok.so\n", PAM_SUCCESS, 1, 1 },
		{ "auth required no.so\nauth required ok.so\n", PAM_AUTH_ERR, 1, 2 },
		{ "auth required ok.so\nauth required no.so\n", PAM_AUTH_ERR, 2, 2 },
		{ "auth requisite no.so\nauth required ok.so\n", PAM_AUTH_ERR, 1, 1 },
		{ "auth sufficient no.so\nauth sufficient ok.so\nauth required no.so\n", PAM_SUCCESS, 2, 2 },
		{ "auth sufficient no.so\n", PAM_PERM_DENIED, 0, 1 },
		{ "auth required ign.so\n", PAM_PERM_DENIED, 0, 1 },
		{ "auth required ign.so\nauth optional ok.so\n", PAM_SUCCESS, 2, 2 },
		{ "auth [success=1 default=ignore] ok.so\nauth requisite no.so\nauth required ok.so\n", PAM_SUCCESS, 3,
		    2 },
		{ "auth [success=2] ok.so\nauth required ok.so\n", PAM_PERM_DENIED, 1, 1 },
		{ "auth [success=ok default=reset] ok.so\nauth [default=reset] no.so\n", PAM_PERM_DENIED, 0, 2 },
		{ "account required ok.so\n", PAM_PERM_DENIED, 0, 0 },
		{ "\n# one\n\nauth \\\n\trequired ok.so\n", PAM_SUCCESS, 4, 1 },
		{ "auth [success=ok \\\n  default=bad] ok.so\n", PAM_SUCCESS, 1, 1 },
		{ "auth\nauth sufficient ok.so\n", PAM_PERM_DENIED, 1, 1 },
		{ "auth [success=ok default=ignore] ok.so\nauth required\n", PAM_PERM_DENIED, 2, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct stack_answer answer;
		unsigned calls = 0;

		EXPECT(rows[i].text, read_text(rows[i].text), RJWT_OK);
		stack_walk(stack_lines(stack, STACK_AUTH), by_name, &calls, &answer);
		CHECK(rows[i].text, answer.code == rows[i].code);
		CHECK(rows[i].text, calls == rows[i].calls);
		CHECK(rows[i].text, (answer.decided == NULL ? 0 : answer.decided->at->line) == rows[i].line);
		CHECK(rows[i].text, answer.decided == NULL || strcmp(answer.decided->at->file, at("s")) == 0);
	}
}

/* Through which includes a line was reached. */
static void
places(void **state)
{
	const struct stack_lines *lines;
	const struct stack_place *place;

	(void)state;
	put("inner", "\nauth required no.so word [a b] name=value name=other\n", 0644);
	put("outer", "auth substack inner\naccount required ok.so\n", 0644);
	assert_int_equal(read_text("# here\n@include outer\nauth include inner\n"), RJWT_OK);
	lines = stack_lines(stack, STACK_AUTH);
	assert_int_equal(lines->n, 3); /* the substack is one */
	assert_int_equal(lines->list[0].kind, STACK_SUBSTACK);
	assert_int_equal(lines->list[1].level, 1);
	place = lines->list[1].at;
	assert_string_equal(place->file, at("inner"));
	assert_int_equal(place->line, 2);
	assert_string_equal(place->by->file, at("outer"));
	assert_int_equal(place->by->line, 1);
	assert_string_equal(place->by->by->file, at("s"));
	assert_int_equal(place->by->by->line, 2);
	assert_null(place->by->by->by);
	assert_int_equal(lines->list[2].level, 0);
	assert_int_equal(lines->list[2].at->by->line, 3);
	assert_int_equal(stack_lines(stack, STACK_ACCOUNT)->n, 1);
	assert_string_equal(stack_argument(&lines->list[1], "word"), "");
	assert_string_equal(stack_argument(&lines->list[1], "name"), "other");
	assert_null(stack_argument(&lines->list[1], "nam"));
	assert_null(stack_argument(&lines->list[1], "names"));
	assert_string_equal(lines->list[1].argv[1], "a b");
	assert_true(stack_is_module(&lines->list[1], "no.so") && !stack_is_module(&lines->list[1], "o.so"));
	assert_false(stack_is_module(&lines->list[0], "inner"));
	assert_int_equal(read_text("auth required /lib/security/no.so\n"), RJWT_OK);
	assert_true(stack_is_module(stack_lines(stack, STACK_AUTH)->list, "no.so"));
	assert_int_equal(read_text("auth required no.so \\\n  [a\\\nb] \\\n \\\n c\n"), RJWT_OK);
	lines = stack_lines(stack, STACK_AUTH);
	assert_int_equal(lines->list[0].argc, 2);
	assert_string_equal(lines->list[0].argv[0], "a b");
	assert_string_equal(lines->list[0].argv[1], "c");
}

static void
other_service(void **state)
{
	(void)state;
	put("other", "auth required no.so\naccount required no.so\n", 0644);
	assert_int_equal(read_text("auth required ok.so\n"), RJWT_OK);
	assert_string_equal(stack_lines(stack, STACK_AUTH)->list[0].module, "ok.so");
	assert_string_equal(stack_lines(stack, STACK_ACCOUNT)->list[0].module, "no.so");
	assert_int_equal(stack_lines(stack, STACK_SESSION)->n, 0);
	assert_int_equal(read_service("without"), RJWT_OK);
	assert_string_equal(stack_lines(stack, STACK_AUTH)->list[0].module, "no.so");
	assert_int_equal(unlink(at("other")), 0);
	assert_int_equal(read_service("without"), RJWT_CONFIG);
	assert_int_equal(read_text("auth required ok.so\n"), RJWT_OK); /* its own is enough */
}

/* The first directory that has the file wins, for each file. */
static void
directories(void **state)
{
	char first[512], second[512];
	const char *const both[] = { first, second, NULL };

	(void)state;
	make("etc", 0755);
	make("vendor", 0755);
	put("etc/s", "@include common\n", 0644);
	put("vendor/s", "auth required no.so\n", 0644);
	put("vendor/common", "auth required ok.so\n", 0644);
	put("vendor/v", "auth required ign.so\n", 0644);
	snprintf(first, sizeof(first), "%s", at("etc"));
	snprintf(second, sizeof(second), "%s", at("vendor"));
	assert_int_equal(stack_read(both, "s", &stack, &diag), RJWT_OK);
	assert_string_equal(stack_lines(stack, STACK_AUTH)->list[0].module, "ok.so");
	stack_free(RJWT_STEAL(stack));
	assert_int_equal(stack_read(both, "v", &stack, &diag), RJWT_OK);
	assert_string_equal(stack_lines(stack, STACK_AUTH)->list[0].module, "ign.so");
}

/* What is not judged, or refused by libpam, and in which line. Its twins are in decided_line(). */
static void
refused(void **state)
{
	static const struct {
		const char *text;
		enum rjwt_err err;
		unsigned line;
	} rows[] = {
		{ "auth required ok.so\n@include\n", RJWT_MALFORMED, 2 },
		{ "auth include\n", RJWT_MALFORMED, 1 },
		{ "auth substack\n", RJWT_MALFORMED, 1 },
		{ "@include nothing\n", RJWT_CONFIG, 1 },
		{ "auth include half\n", RJWT_MALFORMED, 2 }, /* of half */
		{ "auth required ok.so\n\nauth required \\", RJWT_CONFIG, 3 },
		{ "auth required ok.so\r\n", RJWT_MALFORMED, 1 },
		{ "auth required\vok.so\n", RJWT_MALFORMED, 1 },
		{ "auth required ok.so \\# no comment\n", RJWT_MALFORMED, 1 },
		{ "auth required \\\n\nok.so\n", RJWT_MALFORMED, 2 },
		{ "auth \\\nrequired \\\n # not joined by Linux-PAM 1.7\nok.so\n", RJWT_MALFORMED, 3 },
		/* Blanks of which Linux-PAM 1.7 makes one. */
		{ "auth required ok.so [a \\\n  word]\n", RJWT_MALFORMED, 1 },
		{ "auth required ok.so [a \\\n \\\nword]\n", RJWT_MALFORMED, 1 },
		{ "auth required [ok.so\\\n word]\n", RJWT_MALFORMED, 1 },
		{ "auth include [ok\\\n word]\n", RJWT_MALFORMED, 1 },
		{ "@include [ok\\\n word]\n", RJWT_MALFORMED, 1 },
		{ "auth required .so\n", RJWT_MALFORMED, 1 },
		{ "auth required ?\n", RJWT_MALFORMED, 1 },
		{ "auth [default=4294967295] no.so\n", RJWT_MALFORMED, 1 },
		{ "#\n@include s\n", RJWT_MALFORMED, 2 },
		{ "auth include s\n", RJWT_MALFORMED, 1 },
		{ "auth substack s\nauth substack s\n", RJWT_MALFORMED, 0 },
		{ "auth required ok.so\nauth include fifo\n", RJWT_MALFORMED, 0 },
		{ "@include directory\n", RJWT_MALFORMED, 0 },
		{ "@include huge\n", RJWT_MALFORMED, 0 },
	};

	(void)state;
	assert_int_equal(mkfifo(at("fifo"), 0644), 0);
	make("directory", 0755);
	put("half", "auth required ok.so\n@include nothing\n", 0644);
	put("huge", "#", 0644);
	assert_int_equal(truncate(at("huge"), 2 * 1048576), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		EXPECT(rows[i].text, read_text(rows[i].text), rows[i].err);
		CHECK(rows[i].text, rows[i].line == 0 || diag.line == rows[i].line);
		CHECK(rows[i].text, diag.path[0] == '/' && diag.text[0] != '\0' && stack == NULL);
	}
	/* Substacks end, where includes do not. */
	assert_int_equal(read_text("auth substack s\n"), RJWT_OK);
	assert_int_equal(stack_lines(stack, STACK_AUTH)->n, 17);
}

static void
not_readable(void **state)
{
	(void)state;
	put("s", "auth required ok.so\n", 0000);
	EXPECT("mode 0000", read_service("s"), geteuid() == 0 ? RJWT_OK : RJWT_IO);
	put("open", "auth include s\n", 0644);
	EXPECT("included", read_service("open"), geteuid() == 0 ? RJWT_OK : RJWT_IO);
	assert_int_equal(symlink("loop", at("loop")), 0);
	EXPECT("loop", read_service("loop"), RJWT_CONFIG); /* as if it were not there, and there is no other */
}

static void
put_bytes(const char *before, char byte, size_t n, const char *after)
{
	FILE *file = fopen(at("s"), "w");

	assert_non_null(file);
	fputs(before, file);
	for (size_t i = 0; i < n; i++)
		fputc(byte, file);
	fputs(after, file);
	fclose(file);
}

static void
long_lines(void **state)
{
	static const char before[] = "auth required ok.so\nauth required no.so ";

	(void)state;
	put_bytes(before, 'x', 1001, "\n"); /* 1022 bytes with the line end */
	assert_int_equal(read_service("s"), RJWT_OK);
	put_bytes(before, 'x', 1002, "\n");
	assert_int_equal(read_service("s"), RJWT_MALFORMED);
	assert_int_equal(diag.line, 2);
	put_bytes(before, 'x', 100000, "\n");
	assert_int_equal(read_service("s"), RJWT_MALFORMED);
	put_bytes("#", 'x', 100000, "\nauth required ok.so\n"); /* libpam would take its end for a line */
	assert_int_equal(read_service("s"), RJWT_MALFORMED);
	assert_int_equal(diag.line, 1);
	put_bytes(before, ' ', 600, "\\\n");
	assert_int_equal(read_service("s"), RJWT_CONFIG); /* it ends there */
	put_bytes(before, '\0', 1, "\nauth required ok.so\n");
	assert_int_equal(read_service("s"), RJWT_MALFORMED);
	assert_int_equal(diag.line, 2);
}

static void
many_lines(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct stack_answer answer;
	unsigned calls = 0;

	(void)state;
	for (int i = 0; i < 2000; i++)
		buf_adds(&text, "auth optional ok.so\n");
	buf_adds(&text, "auth required no.so\n");
	assert_int_equal(read_text(text.p), RJWT_OK);
	stack_walk(stack_lines(stack, STACK_AUTH), by_name, &calls, &answer);
	assert_int_equal(calls, 2001);
	assert_int_equal(answer.decided->at->line, 2001);
	assert_int_equal(answer.code, PAM_AUTH_ERR);
	for (int i = 0; i < 8000; i++)
		buf_adds(&text, "auth optional ok.so\n");
	assert_int_equal(read_text(text.p), RJWT_MALFORMED);
	assert_int_equal(diag.line, 10001);
}

int
main(void)
{
#define CASE(test)                                            \
	{                                                     \
#test, test, begin_as_nobody, end_stack, NULL \
	}
	const struct CMUnitTest tests[] = { CASE(decided_line), CASE(places), CASE(other_service), CASE(directories),
		CASE(refused), CASE(not_readable), CASE(long_lines), CASE(many_lines) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
