/* SPDX-License-Identifier: MIT */
#include "stage.h"
#include "base/base64url.h"
#include "base/json.h"
#include "jose/jwk.h"
#include "jose/key.h"
#include "base/json_write.h"

#include "token/mint.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 64

static struct stage stages[STAGE_KINDS] = { { .alg = "ES256" }, { .alg = "HS256" }, { .alg = "EdDSA" } };
static struct stage *collected; /* whose files are being read */

struct buf
stage_read(const char *path)
{
	struct buf text = { 0 };
	FILE *file = fopen(path, "re");
	char some[4096];
	size_t n;

	if (file == NULL)
		fuzz_broken("%s is not there", path);
	buf_adds(&text, "");
	while ((n = fread(some, 1, sizeof(some), file)) > 0)
		buf_add(&text, some, n);
	fclose(file);
	return text;
}

struct signer *
stage_signer(const struct alg *alg, struct view text)
{
	struct signer *signer = NULL;
	struct key *key = NULL;
	const char *why = "";

	if (key_private_parse(alg, text, &key, &why) != RJWT_OK || signer_of_key(key, &signer) != RJWT_OK)
		fuzz_broken("no signer: %s", why);
	return signer;
}

/* --- a keyset --------------------------------------------------------------------------------- */

static struct signer *
read_signer(const struct stage *stage, int version)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char path[400];

	snprintf(path, sizeof(path), "%s/private/%d.key", stage->state, version);
	text = stage_read(path);
	return stage_signer(alg_by_label(view_of(stage->alg)), buf_view(&text));
}

void
stage_config(struct stage *stage, struct view yaml)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	buf_addf(&text, "state_dir: %s\n", stage->state);
	buf_add_view(&text, yaml);
	fuzz_put(stage->config, buf_view(&text));
}

static void
must(enum rjwt_err err, const struct rjwt_diag *diag)
{
	if (err != RJWT_OK)
		fuzz_broken("stage: %s: %s %s", rjwt_reason(err), diag->path, diag->text);
}

static void
make_keyset(struct stage *stage)
{
	static const char *const audience[] = { "host.example", NULL }, *const users[] = { "mallory", NULL };
	const struct rjwt_options options = { .config = stage->config,
		.now = faults_now,
		.issuer = "iss.example",
		.audience = audience };
	struct rjwt_diag diag = { 0 };
	struct rjwt_change change;
	struct rjwt *h;

	faults_clock = (struct rjwt_time){ STAGE_T0, 100000, "11111111-1111-1111-1111-111111111111" };
	must(rjwt_init(&options, 0, &change, &diag), &diag);
	stage->signers[1] = read_signer(stage, 1);
	must(rjwt_open(&options, &h, &diag), &diag);
	faults_clock.wall_s = STAGE_RETIRED;
	faults_clock.boot_s += STAGE_RETIRED - STAGE_T0;
	/* Promotes 2, and revokes what 1 signed for her. */
	must(rjwt_revoke(h, &(struct rjwt_revocation){ .users = users }, 0, &change, &diag), &diag);
	must(rjwt_revoke(h, &(struct rjwt_revocation){ .jti = "revoked" }, 0, &change, &diag), &diag);
	rjwt_close(h);
	stage->signers[2] = read_signer(stage, 2);
	stage->signers[3] = read_signer(stage, 3);
}

static int
collect_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	struct stage_file *file = &collected->files[collected->nfiles++];

	(void)at;
	FUZZ_CHECK(collected->nfiles < FILES_MAX && (kind == FTW_F || kind == FTW_D));
	snprintf(file->path, sizeof(file->path), "%s", path);
	file->mode = status->st_mode;
	file->mtime = status->st_mtim;
	if (kind == FTW_F)
		file->text = stage_read(path);
	return 0;
}

struct stage *
stage_get(enum stage_kind kind)
{
	struct stage *stage = &stages[kind];
	RJWT_CLEAN(buf_clear) struct buf yaml = { 0 };
	struct rjwt_time now = faults_clock;

	if (stage->files != NULL)
		return stage;
	snprintf(stage->top, sizeof(stage->top), "%s/%s", fuzz_folder(), stage->alg);
	snprintf(stage->state, sizeof(stage->state), "%s/%s/state", fuzz_folder(), stage->alg);
	snprintf(stage->config, sizeof(stage->config), "%s/%s/rjwt.yaml", fuzz_folder(), stage->alg);
	FUZZ_CHECK(mkdir(stage->top, 0700) == 0);
	buf_addf(&yaml, "alg: %s\nbase_kid: B\n", stage->alg);
	stage_config(stage, buf_view(&yaml));
	make_keyset(stage);
	stage->files = calloc(FILES_MAX, sizeof(*stage->files));
	FUZZ_CHECK(stage->files != NULL);
	collected = stage;
	FUZZ_CHECK(nftw(stage->state, collect_one, 16, FTW_PHYS) == 0);
	faults_clock = now;
	return stage;
}

void
stage_restore(struct stage *stage, bool touched)
{
	if (!faults_wrote() && !touched)
		return;
	fuzz_remove(stage->state);
	for (size_t i = 0; i < stage->nfiles; i++) {
		const struct stage_file *file = &stage->files[i];
		const struct timespec times[2] = { file->mtime, file->mtime };

		if (S_ISDIR(file->mode))
			FUZZ_CHECK(mkdir(file->path, 0700) == 0);
		else
			fuzz_put(file->path, buf_view(&file->text));
		FUZZ_CHECK(chmod(file->path, file->mode & 07777) == 0);
		if (S_ISREG(file->mode))
			FUZZ_CHECK(utimensat(AT_FDCWD, file->path, times, 0) == 0);
	}
	(void)faults_wrote();
}

/* --- sets ------------------------------------------------------------------------------------- */

static const char *const labels[STAGE_SETS] = { "ES256", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256",
	"PS384", "PS512", "ES384", "ES512", "EdDSA", "Ed448" };
static struct stage_set sets[STAGE_SETS];

static void
write_set(const struct stage_set *set, const struct key *key, struct view private)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(buf_clear) struct buf secret = { 0 };
	const struct jwk jwk = { .kid = "B.1", .alg = set->alg, .key = (struct key *)(uintptr_t)key };

	json_open(&text, NULL);
	json_open_array(&text, "keys");
	json_open_element(&text);
	FUZZ_CHECK(jwk_put(&text, &jwk) == RJWT_OK);
	if (set->alg->kind == ALG_HMAC) {
		base64url_encode(&secret, private);
		json_put_string(&text, "k", buf_view(&secret));
	}
	json_close(&text);
	json_close_array(&text);
	json_close(&text);
	fuzz_put(set->path, buf_view(&text));
}

const struct stage_set *
stage_set(unsigned number)
{
	static struct buf rsa; /* its private half */
	struct stage_set *set = &sets[number % STAGE_SETS];
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct key *key = NULL;
	const char *why;

	if (set->signer != NULL)
		return set;
	set->alg = alg_by_label(view_of(labels[number % STAGE_SETS]));
	snprintf(set->path, sizeof(set->path), "%s/%s.json", fuzz_folder(), labels[number % STAGE_SETS]);
	/* An RSA key takes long to make: one is enough for all. */
	if (strcmp(set->alg->kty, "RSA") == 0 && rsa.n > 0)
		FUZZ_CHECK(key_private_parse(set->alg, buf_view(&rsa), &key, &why) == RJWT_OK);
	else
		FUZZ_CHECK(key_generate(set->alg, 2048, &key) == RJWT_OK);
	FUZZ_CHECK(key_private_format(key, &text) == RJWT_OK);
	if (strcmp(set->alg->kty, "RSA") == 0 && rsa.n == 0)
		buf_add_view(&rsa, buf_view(&text));
	write_set(set, key, buf_view(&text));
	key_free(key);
	set->signer = stage_signer(set->alg, buf_view(&text));
	return set;
}

/* --- settings --------------------------------------------------------------------------------- */

const struct stage_setting stage_settings[STAGE_SETTINGS] = {
	{ "", "login+jwt", "sub", "", 30, 3600, 8192, false },
	{ "leeway: 0\n", "login+jwt", "sub", "", 0, 3600, 8192, false },
	{ "one_time: always\nleeway: 5m\n", "login+jwt", "sub", "", 300, 3600, 8192, true },
	{ "user_claim: name\nuser_suffix: \"@x\"\n", "login+jwt", "name", "@x", 30, 3600, 8192, false },
	{ "token_type: JWT\nmax_token_bytes: 65536\n", "JWT", "sub", "", 30, 3600, 65536, false },
	{ "max_lifetime: 5m\nissuer: iss.example\naudience: [host.example]\n", "login+jwt", "sub", "", 30, 300, 8192,
	    false },
	{ "max_token_bytes: 511\ntoken_type: application/jwt\n", "JWT", "sub", "", 30, 3600, 511, false },
	{ "cap_session: true\n", "login+jwt", "sub", "", 30, 3600, 8192, false },
};

char *
stage_service(struct rest *rest, const char **scope)
{
	static const char *const services[][2] = { { "sshd", "ssh" }, { "sudo", "sudo" }, { "sudo-i", "sudo" },
		{ "su-l", "su" }, { "remote", "login" }, { "cron", "cron" }, { "", STAGE_CLOSED } };
	const size_t n = ARRAY_LEN(services);
	size_t which = take_below(rest, 9);
	char *service;

	*scope = STAGE_CLOSED;
	if (which == n)
		return NULL;
	service = which < n ? strdup(services[which][0]) : take_string(rest, 100);
	FUZZ_CHECK(service != NULL);
	if (strchr(service, ' ') == NULL && service[0] != '\0')
		*scope = service;
	for (size_t i = 0; i < n; i++)
		if (strcmp(service, services[i][0]) == 0)
			*scope = services[i][1];
	return service;
}
