/* SPDX-License-Identifier: MIT */
#include "args.h"
#include "log.h"
#include "base/buf.h"
#include "base/text.h"

#include <string.h>
#include <syslog.h>

static const char *
value_of(const char *arg, const char *name)
{
	size_t n = strlen(name);

	return strncmp(arg, name, n) == 0 && arg[n] == '=' ? arg + n + 1 : NULL;
}

/* One argument; false: unknown, malformed, or given twice. */
static bool
take(const char *arg, struct args *args)
{
	const char *value;

	if ((value = value_of(arg, "conf")) != NULL) {
		if (args->config != NULL || value[0] != '/')
			return false;
		args->config = value;
	} else if ((value = value_of(arg, "prompt")) != NULL) {
		if (args->prompt != NULL || value[0] == '\0')
			return false;
		args->prompt = value;
	} else if (strcmp(arg, "debug") == 0) {
		args->debug = true;
	} else if (strcmp(arg, "try_first_pass") == 0) {
		args->try_first_pass = true;
	} else if (strcmp(arg, "use_first_pass") == 0) {
		args->use_first_pass = true;
	} else {
		return false;
	}
	return !(args->try_first_pass && args->use_first_pass);
}

bool
args_parse(pam_handle_t *pamh, int argc, const char **argv, struct args *args)
{
	struct args found = { 0 };

	for (int i = 0; i < argc; i++) {
		RJWT_CLEAN(buf_clear) struct buf line = { 0 };

		if (argv[i] != NULL && take(argv[i], &found))
			continue;
		buf_adds(&line, "rejected reason=usage");
		text_log_word(&line, "argument", view_of(argv[i]));
		text_log_word(&line, "error",
		    view_of("expected conf=/FILE, prompt=TEXT, debug, and one of try_first_pass and use_first_pass"));
		log_line(pamh, LOG_ERR, &line);
		return false;
	}
	if (found.prompt == NULL)
		found.prompt = "Token: ";
	*args = found;
	return true;
}
