/* SPDX-License-Identifier: MIT */
/* What rjwt-keyd check finds in stacks: each finding has a twin that differs in one thing and has none. */
#include "folder.h"
#include "args.h"
#include "check.h"

#include <ctype.h>

static struct check check;

/* The findings of one service, by their codes and lines: "pam.open:2 pam.prompt:1". */
static const char *
codes_of(const char *service, const char *text)
{
	static char codes[512];
	const char *directories[] = { folder.path, NULL };
	struct rjwt_options options = { .config = "/nowhere/rjwt.yaml" };

	put(service, text, 0644);
	findings_clear(&check.found);
	check = (struct check){ .options = &options, .pam = directories };
	check_pam(&check);
	codes[0] = '\0';
	for (size_t i = 0; i < check.found.n; i++) {
		const struct finding *f = &check.found.list[i];
		size_t n = strlen(codes);

		/* what this machine's own login and users have to do with */
		if (f->kind == NULL || strcmp(f->kind->code, "way_in.none") == 0 ||
		    strcmp(f->kind->code, "pam.password_age") == 0)
			continue;
		snprintf(codes + n, sizeof(codes) - n, f->line == 0 ? "%s%s" : "%s%s:%u", n == 0 ? "" : " ",
		    f->kind->code, f->line);
	}
	check.options = NULL;
	check.pam = NULL;
	assert_int_equal(unlink(at(service)), 0);
	return codes;
}

#define RJWT "pam_rjwt.so [prompt=Token or password: ]\n"
#define BRACKET "[success=ok new_authtok_reqd=ok ignore=ignore module_unknown=ignore default=bad] pam_rjwt.so\n"
#define ACCOUNT "account " BRACKET "account required pam_unix.so\n"
#define AUTH "auth sufficient " RJWT "auth required pam_unix.so\n"

static const struct {
	const char *text, *codes;
} finding_rows[] = {
	{ AUTH ACCOUNT, "" },
	/* who gets in */
	{ "auth sufficient " RJWT "auth required pam_permit.so\n" ACCOUNT, "pam.open:2" },
	{ "auth sufficient " RJWT "auth optional pam_permit.so\n" ACCOUNT, "pam.open:2" },
	{ "auth sufficient " RJWT "auth required pam_deny.so\nauth required pam_permit.so\n" ACCOUNT
	  "account required pam_unix.so no_pass_expiry\n",
	    "pam.expired_password:5" },
	{ "auth required pam_faillock.so preauth\nauth sufficient " RJWT ACCOUNT, "pam.open:1 pam.faillock:1" },
	{ "auth required pam_access.so\nauth sufficient " RJWT "auth sufficient pam_unix.so\n" ACCOUNT, "pam.open:1" },
	{ "auth required pam_access.so\nauth sufficient " RJWT
	  "auth sufficient pam_unix.so\nauth required pam_deny.so\n" ACCOUNT,
	    "" },
	{ "auth sufficient " RJWT
	  "auth sufficient pam_succeed_if.so user ingroup nopasswdlogin\nauth required pam_unix.so\n" ACCOUNT,
	    "" },
	{ "auth sufficient pam_rootok.so\n" AUTH ACCOUNT, "" },
	{ "auth [success=ok authinfo_unavail=ok default=bad] " RJWT "auth required pam_permit.so\n" ACCOUNT,
	    "pam.expired_password:4" },
	{ "auth [success=done default=ignore] " RJWT
	  "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required "
	  "pam_permit.so\n" ACCOUNT,
	    "" },
	{ "auth [success=done default=ignore] " RJWT "auth [success=1 default=1] pam_unix.so\nauth requisite "
	  "pam_deny.so\nauth required pam_permit.so\n" ACCOUNT,
	    "pam.open:4" },
	{ "auth substack common-inner\nauth optional pam_cap.so\n" ACCOUNT, "pam.open:2" },
	{ "auth substack common-inner\nauth requisite pam_deny.so\n" ACCOUNT, "pam.lockout:2" },
	/* who does not */
	{ AUTH "account " BRACKET, "pam.lockout:3" },
	{ AUTH ACCOUNT "account required pam_deny.so\n", "pam.lockout:5" },
	{ "auth sufficient " RJWT "account required pam_unix.so no_pass_expiry\n", "" },
	{ "auth required pam_rjwt.so\nauth required pam_deny.so\n" ACCOUNT, "pam.lockout:2" },
	{ "auth sufficient " RJWT "auht required pam_unix.so\n" ACCOUNT, "pam.expired_password:4" },
	{ "auth required\n" AUTH ACCOUNT, "pam.lockout:1" },
	{ AUTH ACCOUNT "@include nothing\n", "pam.lockout:5" },
	{ AUTH ACCOUNT "@include\n", "pam.unreadable:5" },
	{ "@include common-tokens\n" ACCOUNT "account required pam_unix.so no_pass_expiry\n",
	    "pam.lockout:1 pam.expired_password:3" },
	{ "@include common-auth\n" ACCOUNT, "" },
	{ "auth required " RJWT "auth required pam_unix.so\n" ACCOUNT, "" },
	{ AUTH "account required pam_rjwt.so\naccount required pam_unix.so\n", "pam.required:3" },
	{ AUTH "account sufficient pam_rjwt.so\naccount required pam_unix.so\n", "" },
	{ "auth required pam_unix.so\nauth optional " RJWT ACCOUNT, "pam.useless:2" },
	/* what surprises */
	{ "auth sufficient pam_rjwt.so\nauth required pam_unix.so\n" ACCOUNT, "pam.prompt:1" },
	{ "auth sufficient pam_rjwt.so\nauth required pam_deny.so\n" ACCOUNT, "pam.expired_password:4" },
	{ "auth sufficient pam_rjwt.so\nauth required pam_deny.so\naccount " BRACKET
	  "account required pam_unix.so no_pass_expiry\n",
	    "" },
	{ AUTH ACCOUNT "session optional pam_systemd.so\nsession optional pam_rjwt.so\n", "pam.session_order:6" },
	{ AUTH ACCOUNT "session optional pam_rjwt.so\nsession optional pam_systemd.so\n", "" },
	{ AUTH ACCOUNT "session optional pam_rjwt.so\nsession required pam_env.so user_readenv=1\n", "pam.readenv:6" },
	{ AUTH ACCOUNT "session required pam_env.so user_readenv=1\nsession optional pam_rjwt.so\n", "" },
	{ AUTH ACCOUNT "session optional pam_rjwt.so\nsession required pam_env.so user_readenv=0\n", "" },
	{ "auth required pam_env.so user_readenv=1\n" AUTH ACCOUNT "session optional pam_rjwt.so\n", "pam.readenv:1" },
	{ "auth sufficient pam_rjwt.so promt=x\nauth required pam_unix.so\n" ACCOUNT,
	    "pam.prompt:1 module.argument:1" },
	{ AUTH ACCOUNT "session optional pam_rjwt.so debug\n", "" },
	{ AUTH ACCOUNT "session optional pam_rjwt.so verbose\n", "module.argument:5" },
	/* pam_faillock: a stack for each wish, and what is missing in it */
	{ "auth requisite pam_faillock.so preauth\nauth sufficient " RJWT
	  "auth sufficient pam_unix.so\nauth required pam_faillock.so authfail\nauth required "
	  "pam_deny.so\n" ACCOUNT "account required pam_faillock.so\n",
	    "" },
	{ "auth requisite pam_faillock.so preauth\nauth sufficient " RJWT
	  "auth sufficient pam_unix.so\nauth required pam_faillock.so authfail\nauth required "
	  "pam_deny.so\n" ACCOUNT,
	    "pam.faillock:1" },
	{ "auth required pam_faillock.so preauth\nauth sufficient " RJWT
	  "auth sufficient pam_unix.so\nauth required pam_faillock.so authfail\nauth required "
	  "pam_deny.so\n" ACCOUNT "account required pam_faillock.so\n",
	    "pam.faillock:1" },
	{ "auth sufficient " RJWT "auth requisite pam_faillock.so preauth\nauth [success=1 default=ignore] "
	  "pam_unix.so\nauth [default=die] pam_faillock.so authfail\nauth sufficient "
	  "pam_faillock.so authsucc\nauth required pam_deny.so\n" ACCOUNT,
	    "" },
	{ "session optional pam_rjwt.so\nauth required pam_unix.so\naccount required pam_unix.so\n", "" },
	{ "auth required pam_unix.so\naccount required pam_unix.so\n", "pam.unused" },
};

static void
findings(void **state)
{
	unsigned wrong = 0;

	(void)state;
	put("common-inner", "auth sufficient pam_rjwt.so\n", 0644);
	put("common-tokens", "auth sufficient pam_rjwt.so\nauth required pam_deny.so\n", 0644);
	put("common-auth",
	    "auth [success=2 default=ignore] pam_rjwt.so [prompt=Token or password: ]\nauth [success=1 default=ignore] "
	    "pam_unix.so\nauth requisite pam_deny.so\nauth required pam_permit.so\nauth optional pam_cap.so\n",
	    0644);
	for (size_t i = 0; i < ARRAY_LEN(finding_rows); i++) {
		const char *codes = codes_of("service", finding_rows[i].text);

		if (strcmp(codes, finding_rows[i].codes) != 0) {
			print_error("%s\nfound \"%s\", expected \"%s\"\n", finding_rows[i].text, codes,
			    finding_rows[i].codes);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

/* The files of etc/pam.d, with Debian's common-*. */
static void
examples(void **state)
{
	static const char *const names[] = { "sshd", "sshd-token-only", "sudo", "sudo-i", "su", "login" };
	const char *source = getenv("RJWT_SOURCE");

	(void)state;
	put("common-auth",
	    "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required "
	    "pam_permit.so\nauth optional pam_cap.so\n",
	    0644);
	put("common-account",
	    "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite "
	    "pam_deny.so\naccount required pam_permit.so\n",
	    0644);
	put("common-session", "session required pam_unix.so\nsession optional pam_systemd.so\n", 0644);
	put("common-session-noninteractive", "session required pam_unix.so\n", 0644);
	put("common-password", "password required pam_unix.so\n", 0644);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };
		char name[512];
		FILE *file;
		int c;

		snprintf(name, sizeof(name), "%s/etc/pam.d/%s", source == NULL ? "." : source, names[i]);
		file = fopen(name, "re");
		assert_non_null(file);
		while ((c = fgetc(file)) != EOF)
			buf_add(&text, &(char){ (char)c }, 1);
		fclose(file);
		assert_string_equal(codes_of(names[i], text.p), "");
	}
}

/* The same argument lists as the module takes, and no other. */
static void
arguments(void **state)
{
	static const char *const lists[][3] = { { NULL }, { "debug" }, { "debug", "debug" }, { "conf=/etc/x" },
		{ "conf=x" }, { "conf=" }, { "conf" }, { "conf=/x", "conf=/x" }, { "prompt=a b" }, { "prompt=" },
		{ "prompt" }, { "prompt=a", "prompt=a" }, { "try_first_pass" }, { "use_first_pass" },
		{ "try_first_pass", "use_first_pass" }, { "use_first_pass", "try_first_pass" },
		{ "try_first_pass", "try_first_pass" }, { "debug=1" }, { "" }, { "use_first_pass=" }, { "deb" },
		{ "debugger" }, { "=" }, { "conf=/x", "prompt=p", "debug" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct args args;
		size_t n = 0;

		while (n < 3 && lists[i][n] != NULL)
			n++;
		CHECK(n == 0 ? "none" : lists[i][0],
		    args_parse(NULL, (int)n, (const char **)(uintptr_t)lists[i], &args) ==
			(check_arguments(n, (char *const *)(uintptr_t)lists[i]) == NULL));
	}
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
	const struct CMUnitTest tests[] = { { "findings", findings, begin, end_check, NULL },
		{ "examples", examples, begin, end_check, NULL }, { "arguments", arguments, begin, end_check, NULL } };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
