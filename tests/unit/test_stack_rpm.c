/* SPDX-License-Identifier: MIT */
/*
 * What the four lines of etc/authselect/rjwt.sed make of the stacks of Fedora and RHEL, for each service and all outcomes of
 * its modules: a token opens, nothing else changes, and what rejects a token late closes.
 */
#include "folder.h"
#include "stack/stack.h"

#include <security/pam_appl.h>

static const char *const services[] = { "sshd", "sudo", "sudo-i", "su", "su-l", "login", "system-auth",
	"password-auth" };
static const char *const vendors[] = { "pam-fedora", "pam-rhel" };

/* What a module may answer; those that are not named say nothing. */
static const struct {
	const char *module;
	int codes[5];
	size_t n;
} answers[] = {
	{ "pam_unix.so", { PAM_SUCCESS, PAM_AUTH_ERR, PAM_USER_UNKNOWN, PAM_NEW_AUTHTOK_REQD, PAM_MODULE_UNKNOWN }, 5 },
	{ "pam_sss.so", { PAM_SUCCESS, PAM_AUTH_ERR, PAM_USER_UNKNOWN, PAM_AUTHINFO_UNAVAIL }, 4 },
	{ "pam_usertype.so", { PAM_SUCCESS, PAM_PERM_DENIED }, 2 },
	{ "pam_localuser.so", { PAM_SUCCESS, PAM_PERM_DENIED }, 2 },
	{ "pam_rootok.so", { PAM_SUCCESS, PAM_AUTH_ERR }, 2 },
	{ "pam_succeed_if.so", { PAM_SUCCESS, PAM_AUTH_ERR }, 2 },
	{ "pam_sepermit.so", { PAM_IGNORE, PAM_SUCCESS, PAM_AUTH_ERR }, 3 },
	{ "pam_nologin.so", { PAM_IGNORE, PAM_SUCCESS, PAM_PERM_DENIED }, 3 },
	{ "pam_deny.so", { PAM_AUTH_ERR }, 1 },
	{ "pam_permit.so", { PAM_SUCCESS }, 1 },
};

/* One combination: a digit of number for each kind of module, and what pam_rjwt.so says; -1: it is not in the stack. */
struct outcomes {
	unsigned number;
	int rjwt;
	bool asked; /* pam_rjwt.so */
};

static int
outcome(void *context, const struct stack_entry *entry)
{
	struct outcomes *o = context;
	unsigned rest = o->number;

	if (stack_is_module(entry, "pam_rjwt.so")) {
		o->asked = true;
		return o->rjwt;
	}
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		unsigned n = (unsigned)answers[i].n;

		if (stack_is_module(entry, answers[i].module))
			return answers[i].codes[rest % n];
		rest /= n;
	}
	return PAM_IGNORE;
}

static unsigned
combinations(void)
{
	unsigned product = 1;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		product *= (unsigned)answers[i].n;
	return product;
}

/* The vendor's files, in the folder "plain" or "with" our lines. */
static void
copy_stacks(const char *vendor)
{
	const char *source = getenv("RJWT_SOURCE");
	char command[2048];

	source = source == NULL ? "." : source;
	snprintf(command, sizeof(command),
	    "cd '%s' && rm -rf plain with && mkdir plain with && cp '%s/tests/vectors/%s'/* plain && cp plain/* with "
	    "&& "
	    "chmod u+w with/* && cd with && sed -i -f '%s/etc/authselect/rjwt.sed' system-auth password-auth",
	    folder.path, source, vendor, source);
	assert_int_equal(system(command), 0); /* NOLINT: a test */
}

static void
read_stack(const char *which, const char *service, struct stack **stack)
{
	RJWT_CLEAN(buf_clear) struct buf directory = { 0 };
	struct rjwt_diag diag = { .text = "" };
	const char *directories[2] = { NULL, NULL };

	buf_adds(&directory, at(which));
	directories[0] = directory.p;
	EXPECT(service, stack_read(directories, service, stack, &diag), RJWT_OK);
}

static int
walk(const struct stack *stack, enum stack_phase phase, struct outcomes *o, struct stack_answer *answer)
{
	o->asked = false;
	stack_walk(stack_lines(stack, phase), outcome, o, answer);
	return answer->code;
}

/* Without a token, whyever, a stack answers as it did; with one, it opens whatever asks for passwords. */
static unsigned
judge_auth(const char *name, const struct stack *plain, const struct stack *with)
{
	static const int refusals[] = { PAM_AUTH_ERR, PAM_AUTHINFO_UNAVAIL, PAM_USER_UNKNOWN, PAM_MAXTRIES,
		PAM_SERVICE_ERR, PAM_MODULE_UNKNOWN, PAM_IGNORE };
	unsigned opened = 0;

	for (unsigned n = 0; n < combinations(); n++) {
		struct outcomes o = { .number = n };
		struct stack_answer answer;
		int before = walk(plain, STACK_AUTH, &o, &answer);

		for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
			o.rjwt = refusals[i];
			CHECK(name, (walk(with, STACK_AUTH, &o, &answer) == PAM_SUCCESS) == (before == PAM_SUCCESS));
		}
		o.rjwt = PAM_SUCCESS;
		if (walk(with, STACK_AUTH, &o, &answer) == PAM_SUCCESS)
			opened += before != PAM_SUCCESS;
		else /* sshd of RHEL 8 asks another module first */
			CHECK(name,
			    o.asked && answer.decided != NULL && stack_is_module(answer.decided, "pam_sepermit.so"));
	}
	return opened;
}

static unsigned
judge_account(const char *name, const struct stack *plain, const struct stack *with)
{
	static const int silent[] = { PAM_IGNORE, PAM_MODULE_UNKNOWN };
	static const int refusals[] = { PAM_ACCT_EXPIRED, PAM_PERM_DENIED, PAM_AUTH_ERR, PAM_SERVICE_ERR };
	unsigned closed = 0;

	for (unsigned n = 0; n < combinations(); n++) {
		struct outcomes o = { .number = n };
		struct stack_answer answer;
		int before = walk(plain, STACK_ACCOUNT, &o, &answer);

		for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
			o.rjwt = silent[i];
			CHECK(name, walk(with, STACK_ACCOUNT, &o, &answer) == before);
		}
		for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
			o.rjwt = refusals[i];
			walk(with, STACK_ACCOUNT, &o, &answer);
			/* root, who runs su, is asked for nothing */
			CHECK(name, answer.code != PAM_SUCCESS || !o.asked);
			closed += before == PAM_SUCCESS && answer.code != PAM_SUCCESS;
		}
	}
	return closed;
}

static void
all_outcomes(void **state)
{
	(void)state;
	for (size_t v = 0; v < ARRAY_LEN(vendors); v++) {
		copy_stacks(vendors[v]);
		for (size_t s = 0; s < ARRAY_LEN(services); s++) {
			RJWT_CLEAN(stack_clean) struct stack *plain = NULL, *with = NULL;

			read_stack("plain", services[s], &plain);
			read_stack("with", services[s], &with);
			CHECK(services[s], judge_auth(services[s], plain, with) > 0);
			CHECK(services[s], judge_account(services[s], plain, with) > 0);
		}
	}
}

/* The first session line is before pam_systemd, the other one the last of the file. */
static void
sessions(void **state)
{
	(void)state;
	for (size_t v = 0; v < ARRAY_LEN(vendors); v++) {
		RJWT_CLEAN(stack_clean) struct stack *with = NULL;
		const struct stack_lines *lines;
		size_t ours = 0;

		copy_stacks(vendors[v]);
		read_stack("with", "system-auth", &with);
		lines = stack_lines(with, STACK_SESSION);
		for (size_t i = 0; i < lines->n; i++)
			ours += stack_is_module(&lines->list[i], "pam_rjwt.so");
		assert_int_equal(ours, 2);
		assert_true(stack_is_module(&lines->list[0], "pam_rjwt.so"));
		assert_true(stack_is_module(&lines->list[lines->n - 1], "pam_rjwt.so"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_outcomes, begin, end),
		cmocka_unit_test_setup_teardown(sessions, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
