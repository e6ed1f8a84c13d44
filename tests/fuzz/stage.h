/* SPDX-License-Identifier: MIT */
/*
 * stage.h - keysets for the harnesses, in directories in memory, which are put back as they were when something was
 * written; and the keys of a JWK Set, of every algorithm.
 *
 * A keyset has base B, issuer iss.example, audience host.example, by a clock that began at STAGE_T0: version 1 has
 * retired, an hour after that, 2 is active, 3 is next. The token "revoked" and what version 1 signed for mallory
 * are revoked.
 */
#ifndef RJWT_STAGE_H
#define RJWT_STAGE_H

#include "tokens.h"
#include "jose/alg.h"
#include "base/buf.h"
#include "jose/provider.h"

#define STAGE_T0 INT64_C(1800000000)
#define STAGE_RETIRED (STAGE_T0 + 3600) /* when version 1 retired */
#define STAGE_VERSIONS 4		/* with 0, which is none */

enum stage_kind { STAGE_ES256, STAGE_HS256, STAGE_ED25519, STAGE_KINDS };

/* One file or directory, as it was made. */
struct stage_file {
	char path[420];
	mode_t mode;
	struct timespec mtime;
	struct buf text;
};

struct stage {
	const char *alg; /* of the configuration */
	char top[300], state[320], config[320];
	struct signer *signers[STAGE_VERSIONS];
	struct stage_file *files;
	size_t nfiles;
};

/* Made when it is first asked for, and as it was made. */
struct stage *stage_get(enum stage_kind kind);
/* Put it back, where something was written since: by rjwt, or by who says so. */
void stage_restore(struct stage *stage, bool touched);

/* Write the configuration: state_dir, and what is given. */
void stage_config(struct stage *stage, struct view yaml);

/* Configurations, and what they mean. */
struct stage_setting {
	const char *yaml, *typ, *user_claim, *user_suffix;
	int64_t leeway_s, max_lifetime_s;
	size_t most; /* bytes of a token */
	bool once_always;
};
#define STAGE_SETTINGS 8
extern const struct stage_setting stage_settings[STAGE_SETTINGS];

/* A service by the input's choice; NULL is one. scope: what it needs by default. free() */
char *stage_service(struct rest *rest, const char **scope);
#define STAGE_CLOSED "\x01" /* a scope that no token has */

/* A key of an algorithm and a file with the JWK Set that is this key, of kid B.1. */
struct stage_set {
	const struct alg *alg;
	struct signer *signer;
	char path[340];
};
#define STAGE_SETS 14
const struct stage_set *stage_set(unsigned number);

/* A signer from a private half. */
struct signer *stage_signer(const struct alg *alg, struct view text);

/* Read a file that must be there. */
struct buf stage_read(const char *path);

#endif
