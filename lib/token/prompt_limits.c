/* SPDX-License-Identifier: MIT */
#include "token/prompt_limits.h"
#include "base/err.h"

#include <string.h>

/*
 * By PAM service. A longer reply is cut to so many bytes, or (cut 0) rejected by the program itself. Of several ways to
 * be asked the least limit counts: of sshd that of ssh with SSH_ASKPASS, of dovecot that of LOGIN with a quoted string.
 * In HTTP the login name shares its room with the reply; the limits are those with a name of 32 bytes.
 * tests/limits/run measures all of them but swaylock.
 */
static const struct {
	const char *service;
	size_t limit, cut; /* bytes; 0: not known */
	bool as_user;	   /* the program does not run as root */
} rows[] = {
	{ "sudo", 511, 0, false },
	{ "sudo-i", 511, 0, false },
	{ "sshd", 1022, 1023, false },
	{ "su", 4095, 4095, false },
	{ "su-l", 4095, 4095, false },
	{ "login", 4095, 4095, false },
	{ "remote", 4095, 4095, false },
	{ "openvpn", 127, 127, false },
	{ "vsftpd", 128, 0, false },
	{ "saslauthd", 256, 0, false },
	{ "xscreensaver", 278, 278, true },
	{ "i3lock", 504, 504, true },
	{ "doas", 511, 511, false },
	{ "polkit-1", 511, 511, false },
	{ "vlock", 511, 511, false },
	{ "proftpd", 512, 512, false },
	{ "lighttpd", 987, 0, true },
	{ "dovecot", 1024, 0, false },
	{ "apache2", 6093, 0, true },
	{ "nginx", 6093, 0, true },
	{ "cockpit", 12192, 0, false },
	{ "postgresql", 65530, 0, true },
	{ "screen", 4095, 4095, true },
	{ "swaylock", 0, 0, true },
};

/* Whether a takes less than b; a limit that is not known is none. */
static bool
takes_less(size_t a, size_t b)
{
	return a != 0 && (b == 0 || a < b);
}

bool
prompt_find(const struct config *config, const char *scope, struct rjwt_prompt *prompt)
{
	*prompt = (struct rjwt_prompt){ .service = NULL };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *required = config_scope(config, rows[i].service);

		if (required == NULL || required[0] != scope[0] || strcmp(required, scope) != 0)
			continue;
		if (prompt->service == NULL || takes_less(rows[i].limit, prompt->limit)) {
			prompt->service = rows[i].service;
			prompt->limit = rows[i].limit;
		}
		prompt->as_user = prompt->as_user || rows[i].as_user;
	}
	return prompt->limit != 0;
}

bool
rjwt_prompt_cuts(size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].cut != 0 && rows[i].cut == len)
			return true;
	return false;
}
