/* SPDX-License-Identifier: MIT */
/* Arguments of the module, one a line. What is accepted is known, given once, and in its form. */
#include "fake_pam.h"
#include "args.h"

#include <stdlib.h>
#include <string.h>

const char fuzz_name[] = "args";
enum { ACCEPTED, REFUSED };
const char *const fuzz_sights[] = { "accepted", "refused", NULL };

static bool
is_word(const char *arg)
{
	return strcmp(arg, "debug") == 0 || strcmp(arg, "try_first_pass") == 0 || strcmp(arg, "use_first_pass") == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rest rest = { data, size };
	static struct pam_handle pamh;
	struct args args = { .config = "untouched" };
	const char *argv[17];
	char *lines, *save = NULL;
	unsigned configs = 0, prompts = 0;
	int argc = 0;
	bool good;

	faults_arm(&rest);
	(void)faults_disarm();
	lines = malloc(rest.n + 1);
	FUZZ_CHECK(lines != NULL);
	if (rest.n > 0)
		memcpy(lines, rest.p, rest.n);
	lines[rest.n] = '\0';
	for (char *line = strtok_r(lines, "\n", &save); line != NULL && argc < 16; line = strtok_r(NULL, "\n", &save))
		argv[argc++] = line;
	argv[argc] = NULL;
	rest = (struct rest){ data, size };
	faults_arm(&rest);
	good = args_parse(&pamh, argc, argv, &args);
	(void)faults_disarm();
	FUZZ_SAW(good ? ACCEPTED : REFUSED);
	if (good) {
		FUZZ_CHECK(args.config == NULL || args.config[0] == '/');
		FUZZ_CHECK(args.prompt != NULL && args.prompt[0] != '\0');
		FUZZ_CHECK(!(args.try_first_pass && args.use_first_pass));
		for (int i = 0; i < argc; i++) {
			configs += strncmp(argv[i], "conf=", 5) == 0;
			prompts += strncmp(argv[i], "prompt=", 7) == 0;
			FUZZ_CHECK(is_word(argv[i]) || strncmp(argv[i], "conf=", 5) == 0 ||
				   strncmp(argv[i], "prompt=", 7) == 0);
		}
		FUZZ_CHECK(configs <= 1 && prompts <= 1 && (configs == 1) == (args.config != NULL));
	} else {
		FUZZ_CHECK(strcmp(args.config, "untouched") == 0 && pamh.nlog > 0);
		for (size_t i = 0; i + 1 < pamh.nlog; i++) /* one line */
			FUZZ_CHECK((unsigned char)pamh.log[i] >= 0x20 && pamh.log[i] != 0x7f);
	}
	fake_clear(&pamh);
	free(lines);
	return 0;
}
