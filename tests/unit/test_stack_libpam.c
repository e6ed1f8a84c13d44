/* SPDX-License-Identifier: MIT */
/*
 * lib/stack/ against libpam itself: stacks made at random, in which stack_probe.so returns what its argument says. Both
 * must call the same modules in the same order, with the same arguments, and give the same answer. RJWT_SEED repeats a
 * run, RJWT_ROUNDS makes it longer.
 */
#include "unit.h"
#include "stack/stack.h"

#include <fcntl.h>
#include <security/pam_appl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>

#define FILES 5 /* 0 is the service's, the others are included */

static struct dir folder = { -1, NULL };
static char probe[512];
static uint64_t seed;
static struct buf calls; /* of the probe, a line each */

static unsigned
some(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

static bool
one_in(unsigned n)
{
	return some(n) == 0;
}

#define ANY_OF(list) ((list)[some(ARRAY_LEN(list))])

/* --- stacks at random ------------------------------------------------------------------------- */

static const char *const codes[] = { "success", "open_err", "symbol_err", "service_err", "system_err", "buf_err",
	"perm_denied", "auth_err", "cred_insufficient", "authinfo_unavail", "user_unknown", "maxtries",
	"new_authtok_reqd", "acct_expired", "session_err", "cred_unavail", "cred_expired", "cred_err", "no_module_data",
	"conv_err", "authtok_err", "authtok_recover_err", "authtok_lock_busy", "authtok_disable_aging", "try_again",
	"ignore", "abort", "authtok_expired", "module_unknown", "bad_item", "conv_again", "incomplete", "default" };

/* Those that stacks are made of, more often than others. */
static int
make_code(void)
{
	static const int often[] = { PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS, PAM_AUTH_ERR, PAM_AUTH_ERR, PAM_IGNORE,
		PAM_NEW_AUTHTOK_REQD, PAM_USER_UNKNOWN, PAM_ABORT, -1, 32, 1000 };
	int code = one_in(3) ? (int)some(32) : ANY_OF(often);

	return code == PAM_INCOMPLETE ? PAM_SUCCESS : code; /* the walk would stop, and go on in another call */
}

static void
make_action(struct buf *out)
{
	static const char *const actions[] = { "ignore", "ok", "done", "bad", "die", "reset" };
	static const char *const wrong[] = { "0", "", "nothing", "-1", "OK" };

	if (one_in(40))
		buf_adds(out, ANY_OF(wrong));
	else if (one_in(3))
		buf_addf(out, "%u", 1 + some(4));
	else
		buf_adds(out, ANY_OF(actions));
}

static void
make_brackets(struct buf *out)
{
	static const char *const between[] = { "=", "=", "=", " = ", "\t=" };

	buf_adds(out, one_in(10) ? "[ " : "[");
	for (unsigned n = some(5); n > 0; n--) {
		const char *code = one_in(3) ? "default" : one_in(3) ? "success" : ANY_OF(codes);

		buf_adds(out, one_in(60) ? "Success" : code);
		buf_adds(out, one_in(60) ? " " : ANY_OF(between));
		make_action(out);
		buf_adds(out, one_in(20) ? "" : " ");
	}
	buf_adds(out, one_in(60) ? " " : "]");
}

static void
make_blank(struct buf *out)
{
	static const char *const blanks[] = { " ", " ", "\t", "   ", " \t ", " \\\n", " \\\n \\\n\t" };

	buf_adds(out, ANY_OF(blanks));
}

static void
make_module(struct buf *out)
{
	static const char *const wrong[] = { "/nowhere/pam_none.so", "pam_none_of_rjwt.so",
		"[/nowhere/with blank.so]" };
	static const char *const arguments[] = { "word", "name=value", "[with blanks]", "[a \\] in it]", "[]", "\\",
		"a[b]" };

	make_blank(out);
	if (one_in(12)) {
		buf_adds(out, ANY_OF(wrong));
		return;
	}
	buf_addf(out, "%s", probe);
	make_blank(out);
	buf_addf(out, "%d", make_code());
	for (unsigned n = some(3); n > 0; n--) {
		make_blank(out);
		buf_adds(out, ANY_OF(arguments));
	}
}

/* With a file: without one libpam crashes. What follows is ignored. */
static void
make_include(struct buf *out, unsigned file)
{
	buf_adds(out, one_in(3) ? "include" : one_in(10) ? "SubStack" : "substack");
	buf_addf(out, " %s/%c ", folder.path,
	    file + 1 < FILES && !one_in(20) ? (int)('1' + file + some(FILES - 1 - file)) : 'x');
	if (one_in(10))
		make_module(out);
}

static void
make_line(struct buf *out, unsigned file)
{
	static const char *const types[] = { "auth", "auth", "auth", "account", "account", "AUTH", "session", "-auth",
		"[auth]" };
	static const char *const controls[] = { "required", "requisite", "sufficient", "optional", "Required",
		"SUFFICIENT", "unheard_of", "success=ok" };

	if (one_in(12) && file + 1 < FILES) {
		buf_addf(out, "%s %s/%u\n", one_in(10) ? "-@Include" : "@include", folder.path, file + 1);
		return;
	}
	buf_adds(out, one_in(60) ? "auht" : ANY_OF(types));
	make_blank(out);
	if (one_in(6)) {
		make_include(out, file);
	} else {
		if (one_in(2))
			make_brackets(out);
		else
			buf_adds(out, one_in(15) ? ANY_OF(controls) : controls[some(4)]);
		if (!one_in(60))
			make_module(out);
	}
	buf_adds(out, one_in(8) ? " # the rest is a comment\n" : "\n");
}

static void
make_file(const char *name, unsigned file)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	int fd;

	for (unsigned n = some(7); n > 0; n--) {
		if (one_in(10))
			buf_adds(&text, one_in(2) ? "\n" : "  # a comment \\\n");
		make_line(&text, file);
	}
	if (one_in(100)) /* libpam refuses the whole */
		buf_adds(&text, one_in(2) ? "auth required \\" : "@include /nowhere/none\n");
	fd = openat(folder.fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n);
	close(fd);
}

/* --- the two ---------------------------------------------------------------------------------- */

static void
record(int argc, const char *const *argv)
{
	for (int i = 0; i < argc; i++)
		buf_addf(&calls, "<%s>", argv[i]);
	buf_adds(&calls, "\n");
}

void stack_probe_called(int argc, const char **argv);

__attribute__((visibility("default"))) void
stack_probe_called(int argc, const char **argv)
{
	record(argc, argv);
}

#ifdef __SANITIZE_ADDRESS__
/* libpam 1.5 does not free all that it has read of a stack that it rejects. */
const char *__lsan_default_suppressions(void);

__attribute__((visibility("default"))) const char *
__lsan_default_suppressions(void)
{
	return "leak:libpam.so";
}
#endif

/*
 * What libpam thinks of these stacks is not for this host's log. By other names in C, for with _FORTIFY_SOURCE the
 * header defines vsyslog() itself.
 */
__attribute__((visibility("default"))) void
no_log(int priority, const char *format, va_list arguments) __asm__("vsyslog");
__attribute__((visibility("default"))) void
no_checked_log(int priority, int flag, const char *format, va_list arguments) __asm__("__vsyslog_chk");

void
no_log(int priority, const char *format, va_list arguments)
{
	(void)priority;
	(void)format;
	(void)arguments;
}

void
no_checked_log(int priority, int flag, const char *format, va_list arguments)
{
	(void)flag;
	no_log(priority, format, arguments);
}

static int
outcome(void *context, const struct stack_entry *entry)
{
	(void)context;
	if (strcmp(entry->module, probe) != 0)
		return PAM_MODULE_UNKNOWN;
	record((int)entry->argc, (const char *const *)entry->argv);
	return entry->argc == 0 ? PAM_SUCCESS : atoi(entry->argv[0]);
}

static void
show(void)
{
	char command[600];

	snprintf(command, sizeof(command), "cd '%s' && tail -n +1 * >&2", folder.path);
	assert_int_equal(system(command), 0);
}

static void
compare(pam_handle_t *pamh, const struct stack *stack, enum stack_phase phase, uint64_t began)
{
	RJWT_CLEAN(buf_clear) struct buf theirs = { 0 };
	struct stack_answer answer;
	int code = phase == STACK_AUTH ? pam_authenticate(pamh, 0) : pam_acct_mgmt(pamh, 0);

	buf_add_view(&theirs, buf_view(&calls));
	buf_clear(&calls);
	stack_walk(stack_lines(stack, phase), outcome, NULL, &answer);
	if (answer.code != code || !view_eq(buf_view(&calls), buf_view(&theirs))) {
		show();
		fail_msg("seed %llu, phase %d: libpam says %d, and not %d; it called\n%s\nand not\n%s",
		    (unsigned long long)began, phase, code, answer.code, theirs.p, calls.p);
	}
	if (answer.decided == NULL)
		assert_int_equal(code, PAM_PERM_DENIED);
	buf_clear(&calls);
}

static int
no_talk(int n, const struct pam_message **messages, struct pam_response **replies, void *context)
{
	(void)n;
	(void)messages;
	(void)replies;
	(void)context;
	return PAM_CONV_ERR;
}

enum { TAKEN, REFUSED, NOT_JUDGED };

static int
one_round(void)
{
	static const struct pam_conv conv = { no_talk, NULL };
	const char *const directories[] = { folder.path, NULL };
	RJWT_CLEAN(stack_clean) struct stack *stack = NULL;
	struct rjwt_diag diag = { 0 };
	uint64_t began = seed;
	pam_handle_t *pamh = NULL;
	enum rjwt_err err;
	int code;

	for (unsigned i = 0; i < FILES; i++)
		make_file((const char[]){ (char)('0' + i), '\0' }, i);
	make_file("other", FILES - 1);
	err = stack_read(directories, "0", &stack, &diag);
	assert_true(err == RJWT_OK || diag.line > 0);
	if (err == RJWT_MALFORMED)
		return NOT_JUDGED; /* libpam might crash, or does what another version does not */
	code = pam_start_confdir("0", "nobody", &conv, folder.path, &pamh);
	if ((code == PAM_SUCCESS) != (err == RJWT_OK) || (err != RJWT_OK && err != RJWT_CONFIG)) {
		show();
		fail_msg("seed %llu: pam_start says %d, stack_read %s: %s:%u: %s", (unsigned long long)began, code,
		    rjwt_reason(err), diag.path, diag.line, diag.text);
	}
	if (err != RJWT_OK)
		return REFUSED;
	compare(pamh, stack, STACK_AUTH, began);
	compare(pamh, stack, STACK_ACCOUNT, began);
	pam_end(pamh, PAM_SUCCESS);
	return TAKEN;
}

static void
test_same_as_libpam(void **state)
{
	const char *wanted = getenv("RJWT_ROUNDS"), *given = getenv("RJWT_SEED");
	unsigned rounds = wanted == NULL ? 1000 : (unsigned)strtoul(wanted, NULL, 10), n[NOT_JUDGED + 1] = { 0 };

	(void)state;
	seed = given == NULL ? (uint64_t)time(NULL) * 2654435761U + 1 : strtoull(given, NULL, 10);
	for (unsigned i = 0; i < rounds; i++)
		n[one_round()]++;
	print_message("%u stacks taken, %u refused, %u not judged\n", n[TAKEN], n[REFUSED], n[NOT_JUDGED]);
	assert_true(rounds < 100 || (n[TAKEN] > rounds / 2 && n[REFUSED] > 0));
}

static int
set_up(void **state)
{
	const char *build = getenv("RJWT_BUILD");

	(void)state;
	if (build == NULL)
		build = getenv("PWD");
	snprintf(probe, sizeof(probe), "%s/tests/unit/stack_probe.so", build);
	folder = unit_folder();
	return access(probe, R_OK);
}

static int
tear_down(void **state)
{
	(void)state;
	unit_folder_remove(&folder);
	buf_clear(&calls);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_same_as_libpam) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
