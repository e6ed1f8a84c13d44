/* SPDX-License-Identifier: MIT */
/* --output: a new file, reserved before the token is minted and filled afterwards; or standard output. */
#include "issue.h"
#include "base/base64url.h"
#include "base/file_write.h"

#include <stdio.h>
#include <string.h>

void
issue_clear(struct issue *is)
{
	string_list_clear(&is->audience);
	string_list_clear(&is->scope);
	string_list_clear(&is->from);
	public_key_clear(&is->bind);
	buf_clear(&is->claims);
	buf_clear(&is->header);
	buf_clear(&is->by);
	rjwt_close(is->handle);
	dir_close(&is->file.dir);
	fd_clean(&is->file.fd);
}

/* The directory of --output. A user who may rename files in it, or above it, could substitute another token. */
static enum rjwt_err
open_output(struct issue *is, struct rjwt_diag *diag)
{
	struct rjwt_diag why = { 0 };
	enum rjwt_err err = dir_of(is->output, &is->file.dir, &is->file.name, &why);

	if (err == RJWT_KEYSET)
		return diag_fail(diag, err, why.path,
		    "%.200s (the directory of --output and those above it must be owned by root or you, and "
		    "writable by no other user)",
		    why.text);
	*diag = why;
	return err;
}

/*
 * Where the token is to go is made, with room for it, before it is minted: a token nobody gets is a token lost.
 * Of its size only the free claims and members are without a small bound; with --json they come twice.
 */
enum rjwt_err
issue_reserve(struct issue *is, struct rjwt_diag *diag)
{
	if (is->output == NULL)
		return RJWT_OK;
	RJWT_TRY(open_output(is, diag));
	return file_reserve(&is->file.dir, is->file.name, 0600, 8192 + 4 * (is->claims.n + is->header.n), &is->file.fd,
	    diag);
}

/* Nothing came of it: the file that was kept free goes. */
void
issue_release(struct issue *is)
{
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = RJWT_OK;

	if (is->file.fd >= 0)
		err = file_remove(&is->file.dir, is->file.name, &diag);
	if (err != RJWT_OK)
		(void)tool_fail(&is->tool, err, &diag);
}

/* OSC 52, for the terminal: the text, in base64, goes into its clipboard. Terminals that do not do that ignore it. */
static enum rjwt_err
add_copy(struct buf *out, const char *text)
{
	RJWT_CLEAN(buf_clear) struct buf encoded = { 0 };

	base64url_encode(&encoded, view_of(text));
	RJWT_TRY(buf_done(&encoded));
	for (size_t i = 0; i < encoded.n; i++)
		if (encoded.p[i] == '-')
			encoded.p[i] = '+';
		else if (encoded.p[i] == '_')
			encoded.p[i] = '/';
	buf_adds(out, "\033]52;c;");
	buf_add_view(out, buf_view(&encoded));
	buf_addf(out, "%.*s\a", (int)((4 - encoded.n % 4) % 4), "===");
	return buf_done(out);
}

/* What is printed: the token, or the code that is typed in its place, or JSON. */
static enum rjwt_err
compose(const struct issue *is, const struct rjwt_token *token, struct buf *out)
{
	const char *secret = token->code[0] == '\0' ? token->text : token->code;

	if (is->json)
		return issue_json(is, token, out);
	if (is->copy)
		RJWT_TRY(add_copy(out, secret));
	buf_adds(out, secret);
	buf_adds(out, "\n");
	return buf_done(out);
}

/* To stdout, or into a new file. */
int
issue_put(struct issue *is, const struct rjwt_token *token)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = compose(is, token, &text);

	if (err == RJWT_OK && is->output != NULL)
		err = file_fill(&is->file.dir, is->file.name, is->file.fd, buf_view(&text), &diag);
	else if (err == RJWT_OK)
		(void)fwrite(text.p, 1, text.n, stdout);
	if (err != RJWT_OK) {
		(void)tool_fail(&is->tool, err, &diag);
		issue_release(is);
	}
	return tool_end(&is->tool, err == RJWT_OK ? EXIT_DONE : EXIT_REFUSED);
}
