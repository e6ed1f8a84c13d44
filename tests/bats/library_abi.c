/* SPDX-License-Identifier: MIT */
/*
 * A stranger's program: it knows rjwt.h and librjwt alone. Usage: stranger CONFIG STATE_DIR
 *
 * Makes a keyset, mints, verifies, spends, rotates; prints the JWK Set. Says what it did, a line each.
 */
#include <rjwt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rjwt_diag diag;

static void
must(enum rjwt_err err, const char *what)
{
	if (err == RJWT_OK)
		return;
	printf("%s: %s: %s: %s\n", what, rjwt_reason(err), diag.path, diag.text);
	exit(1);
}

static void
judge(struct rjwt *handle, const struct rjwt_token *token, const char *user, const char *service)
{
	struct rjwt_attempt attempt = { .token = token->text, .len = token->len, .user = user, .service = service };
	struct rjwt_verdict verdict;
	enum rjwt_err err = rjwt_verify(handle, &attempt, &verdict, &diag);

	printf("%s at %s: %s%s\n", user == NULL ? "nobody" : user, service == NULL ? "none" : service, rjwt_reason(err),
	    verdict.tell ? ", told" : "");
	if (err == RJWT_OK && (strcmp(verdict.user, "alice") != 0 || strcmp(verdict.jti, token->jti) != 0))
		puts("the verdict is about another token");
	rjwt_verdict_clear(&verdict);
}

int
main(int argc, char **argv)
{
	const char *const scope[] = { "ssh", "sudo", NULL };
	struct rjwt_request request = { .user = "alice", .scope = scope };
	struct rjwt_options options = { 0 };
	struct rjwt_change change;
	struct rjwt_token token;
	struct rjwt *handle;
	char kid[RJWT_ID_SIZE], *json;
	const char *alg;
	size_t len, algs = 0;

	if (argc == 2 && strcmp(argv[1], "version") == 0)
		return puts(rjwt_version()) < 0;
	if (argc != 3)
		return 2;
	options.config = argv[1];
	options.state_dir = argv[2];
	printf("open: %s\n", rjwt_reason(rjwt_open(&options, &handle, &diag)));
	must(rjwt_init(&options, 0, &change, &diag), "init");
	must(rjwt_open(&options, &handle, &diag), "open");
	while (rjwt_algorithms()[algs] != NULL)
		algs++;
	must(rjwt_current_key(handle, kid, &alg, &diag), "current_key");
	printf("%zu algorithms, %s signs: %s\n", algs, alg, strcmp(kid, change.kid) == 0 ? "as made" : "another");

	must(rjwt_mint(handle, &request, &token, &diag), "mint");
	judge(handle, &token, "bob", "sshd");
	judge(handle, &token, NULL, NULL);
	judge(handle, &token, "alice", "su");
	judge(handle, &token, "alice", "sshd");
	judge(handle, &token, "alice", "sshd");
	must(rjwt_rotate(handle, 0, &change, &diag), "rotate");
	printf("rotated: %d, %s\n", change.rotated, strcmp(kid, change.kid) == 0 ? "the same key" : "another key");
	judge(handle, &token, "alice", "sudo");
	rjwt_token_clear(&token);

	request.user = "al\nice";
	printf("mint for a newline: %s\n", rjwt_reason(rjwt_mint(handle, &request, &token, &diag)));
	must(rjwt_jwks(handle, &json, &len, &diag), "jwks");
	printf("%.*s", (int)len, json);
	rjwt_free(json);
	rjwt_close(handle);
	return 0;
}
