/* SPDX-License-Identifier: MIT */
#include "fixture.h"
#include "jose/jws.h"
#include "jose/provider.h"
#include "keyset/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

struct rjwt_time clock_time;

void
clock_reset(void)
{
	clock_time = (struct rjwt_time){ T0, 100000, "11111111-1111-1111-1111-111111111111" };
}

void
clock_made_up(void *context, struct rjwt_time *now)
{
	(void)context;
	*now = clock_time;
}

void
clock_run(int64_t seconds)
{
	clock_time.wall_s += seconds;
	clock_time.boot_s += seconds;
}

void
clock_step(int64_t seconds)
{
	clock_time.wall_s += seconds;
}

void
clock_boot(int64_t seconds)
{
	clock_time.wall_s += seconds;
	clock_time.boot_s = 10;
	clock_time.boot_id[0] = clock_time.boot_id[0] == 'z' ? 'a' : (char)(clock_time.boot_id[0] + 1);
}

/* --- the directory ------------------------------------------------------------------------------- */

static void
write_text(const char *path, struct view text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_true(write(fd, text.p, text.n) == (ssize_t)text.n);
	close(fd);
}

static int
remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
write_config(const struct fixture *f, const char *yaml)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	buf_addf(&text, "state_dir: %s\n%s", f->state, yaml);
	write_text(f->config, buf_view(&text));
}

struct rjwt_options
fixture_options(const struct fixture *f)
{
	return (struct rjwt_options){ .config = f->config, .now = f->now };
}

enum rjwt_err
fixture_reopen(struct fixture *f)
{
	struct rjwt_options options = fixture_options(f);

	rjwt_close(f->h);
	f->h = NULL;
	return rjwt_open(&options, &f->h, &f->diag);
}

struct rjwt_fleet
fixture_issuer(struct fixture *f)
{
	struct rjwt_options options = fixture_options(f);
	struct rjwt_fleet fleet;
	char key_file[160];

	snprintf(key_file, sizeof(key_file), "%s/fleet.key", f->top);
	want("fleet init", rjwt_fleet_init(&options, FLEET_URL, key_file, &fleet, &f->diag), RJWT_OK);
	want("reopen", fixture_reopen(f), RJWT_OK);
	return fleet;
}

enum rjwt_err
fixture_try(struct fixture *f, const char *yaml, struct rjwt **h)
{
	struct rjwt_options options = fixture_options(f);

	write_config(f, yaml);
	return rjwt_open(&options, h, &f->diag);
}

void
fixture_config(struct fixture *f, const char *yaml)
{
	rjwt_close(f->h);
	f->h = NULL;
	want(yaml, fixture_try(f, yaml, &f->h), RJWT_OK);
}

struct fixture *
fixture_bare(const char *yaml)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	assert_non_null(f);
	clock_reset();
	snprintf(f->top, sizeof(f->top), "%.90s/rjwt-test-XXXXXX", tmp == NULL || tmp[0] != '/' ? "/tmp" : tmp);
	assert_non_null(mkdtemp(f->top));
	snprintf(f->state, sizeof(f->state), "%s/state", f->top);
	snprintf(f->config, sizeof(f->config), "%s/rjwt.yaml", f->top);
	f->now = clock_made_up;
	f->version = 1;
	write_config(f, yaml);
	return f;
}

static struct fixture *
make(const char *yaml, void (*now)(void *context, struct rjwt_time *now))
{
	static const char *const audience[] = { "host.example", NULL };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_options options;
	struct rjwt_change change;
	struct fixture *f;

	buf_addf(&text, "base_kid: B\n%s", yaml);
	f = fixture_bare(text.p);
	f->now = now;
	options = fixture_options(f);
	options.issuer = "iss.example";
	options.audience = audience;
	want(f->diag.text, rjwt_init(&options, 0, &change, &f->diag), RJWT_OK);
	fixture_config(f, yaml);
	return f;
}

struct fixture *
fixture_new(const char *yaml)
{
	return make(yaml, clock_made_up);
}

struct fixture *
fixture_new_real(const char *yaml)
{
	return make(yaml, NULL);
}

void
fixture_free(struct fixture *f)
{
	rjwt_close(f->h);
	nftw(f->top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
}

int
fixture_setup(void **state)
{
	*state = fixture_new("");
	return 0;
}

int
fixture_setup_hs256(void **state)
{
	*state = fixture_new("alg: HS256\n");
	return 0;
}

int
fixture_teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

/* --- tokens ----------------------------------------------------------------------------------- */

char *
token_signed(struct fixture *f, struct view header, struct view payload)
{
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	struct buf token = { 0 };
	struct signer *signer;
	char *text = NULL;

	want(f->diag.text, store_open(f->state, NULL, &store, &f->diag), RJWT_OK);
	want(f->diag.text, store_signer(store, f->version, &signer, &f->diag), RJWT_OK);
	want("sign", jws_sign(signer, header, payload, &token), RJWT_OK);
	want("sign", buf_give(&token, &text, NULL), RJWT_OK);
	return text;
}

void
put_object(struct buf *out, char part, const struct edit *members, const struct edit *edits)
{
	const char *comma = "";

	buf_adds(out, "{");
	for (const struct edit *m = members; m->name != NULL; m++) {
		const char *value = m->value;

		for (const struct edit *e = edits; e != NULL && e->part != 0; e++)
			if (e->part == part && strcmp(e->name, m->name) == 0)
				value = e->value;
		if (value != NULL) {
			buf_addf(out, "%s\"%s\":%s", comma, m->name, value);
			comma = ",";
		}
	}
	for (const struct edit *e = edits; e != NULL && e->part != 0; e++) {
		bool known = e->part != part || e->value == NULL;

		for (const struct edit *m = members; m->name != NULL; m++)
			known = known || strcmp(e->name, m->name) == 0;
		if (!known) {
			buf_addf(out, "%s\"%s\":%s", comma, e->name, e->value);
			comma = ",";
		}
	}
	buf_adds(out, "}");
}

void
token_parts(const struct fixture *f, const struct edit *edits, struct buf *header, struct buf *claims)
{
	char kid[32];
	const struct edit head[] = { { 'h', "alg", "\"ES256\"" }, { 'h', "kid", kid }, { 'h', "typ", "\"login+jwt\"" },
		{ 0, NULL, NULL } };
	static const struct edit body[] = { { 'c', "iss", "\"iss.example\"" }, { 'c', "sub", "\"alice\"" },
		{ 'c', "aud", "\"host.example\"" }, { 'c', "iat", "1800000000" }, { 'c', "exp", "1800000300" },
		{ 'c', "jti", "\"a1\"" }, { 'c', "scope", "\"ssh\"" }, { 0, NULL, NULL } };

	snprintf(kid, sizeof(kid), "\"B.%lld\"", (long long)f->version);
	put_object(header, 'h', head, edits);
	put_object(claims, 'c', body, edits);
}

char *
token_with(struct fixture *f, const struct edit *edits)
{
	RJWT_CLEAN(buf_clear) struct buf header = { 0 };
	RJWT_CLEAN(buf_clear) struct buf claims = { 0 };

	token_parts(f, edits, &header, &claims);
	return token_signed(f, buf_view(&header), buf_view(&claims));
}

void
forge(char *token)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *p = token + strlen(token) - 9;

	*p = alphabet[(strchr(alphabet, *p) - alphabet) ^ 32];
}

struct edit
edit_time(char part, const char *name, int64_t at_s)
{
	static char text[8][24];
	static unsigned i;

	i = (i + 1) % 8;
	snprintf(text[i], sizeof(text[i]), "%lld", (long long)at_s);
	return (struct edit){ part, name, text[i] };
}

struct rjwt_check judge_trace[RJWT_CHECKS_MAX];

enum rjwt_err
judge_as(struct fixture *f, const char *token, const char *user, const char *service, int flags,
    struct rjwt_verdict *verdict)
{
	const struct rjwt_attempt attempt = { .token = token,
		.len = token == NULL ? 0 : strlen(token),
		.user = user,
		.service = service,
		.flags = flags & ~TRACED,
		.trace = (flags & TRACED) != 0 ? judge_trace : NULL,
		.trace_max = RJWT_CHECKS_MAX };
	struct rjwt_verdict v;
	enum rjwt_err err = rjwt_verify(f->h, &attempt, &v, &f->diag);

	if (v.reason != err)
		fail_msg("returned %s, but verdict.reason is %s", rjwt_reason(err), rjwt_reason(v.reason));
	if (verdict == NULL)
		rjwt_verdict_clear(&v);
	else
		*verdict = v;
	return err;
}

enum rjwt_err
judge(struct fixture *f, const char *token, int flags, struct rjwt_verdict *verdict)
{
	return judge_as(f, token, "alice", "sshd", flags, verdict);
}

char *
minted(struct fixture *f, const char *user)
{
	const struct rjwt_request request = { .user = user == NULL ? "alice" : user, .reusable = true };
	struct rjwt_token token;
	char *text;

	want(f->diag.text, rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
	text = strdup(token.text);
	assert_non_null(text);
	rjwt_token_clear(&token);
	return text;
}
