/* SPDX-License-Identifier: MIT */
/* --output: a new file, reserved before the token is minted and filled afterwards; or standard output. */
#include "issue.h"
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

/* To stdout, or into a new file. */
int
issue_put(struct issue *is, const struct rjwt_token *token)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = RJWT_OK;

	if (is->json) {
		err = issue_json(is, token, &text);
	} else {
		buf_adds(&text, token->code[0] == '\0' ? token->text : token->code);
		buf_adds(&text, "\n");
		err = buf_done(&text);
	}
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
