/* SPDX-License-Identifier: MIT */
#include "damage.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEAL (sizeof(",\"sum\":\"\"}\n") - 1 + DIGEST_HEX - 1)

/* Other bytes, and a sum that fits them. */
static void
seal(struct buf *text)
{
	if (text->n < SEAL)
		return;
	text->n -= SEAL;
	FUZZ_CHECK(seal_add(text) == RJWT_OK);
}

static void
change_bytes(struct rest *rest, struct buf *text, bool sealed)
{
	size_t most = sealed && text->n > SEAL ? text->n - SEAL : text->n;
	size_t at = most == 0 ? 0 : take_word(rest) % (most + 1), out = take_below(rest, 40);
	struct view in = take_bytes(rest, 9000), all = buf_view(text);
	RJWT_CLEAN(buf_clear) struct buf made = { 0 };

	out = out < most - at ? out : most - at;
	buf_add(&made, all.p, at);
	buf_add_view(&made, in);
	buf_add(&made, all.p + at + out, all.n - at - out);
	buf_adds(&made, "");
	if (sealed)
		seal(&made);
	buf_clear(text);
	*text = made;
	made = (struct buf){ 0 };
}

/*
 * Where a link leads to: a directory, or a file, that is safe in all but that. Of ours: whoever follows the link does no
 * harm to the machine.
 */
static const char *
elsewhere(bool folder)
{
	static char paths[2][320];
	char *path = paths[folder];

	if (path[0] != '\0')
		return path;
	snprintf(path, sizeof(paths[0]), "%s/elsewhere-%s", fuzz_folder(), folder ? "folder" : "file");
	if (folder)
		FUZZ_CHECK(mkdir(path, 0700) == 0);
	else
		fuzz_put(path, VIEW("elsewhere\n"));
	return path;
}

bool
damage_file(struct rest *rest, const struct stage_file *file)
{
	static const mode_t modes[] = { 0666, 0622, 0, 0777, 01777, 04755 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	bool folder = S_ISDIR(file->mode);
	unsigned how = take_below(rest, 8);

	if (folder && (how == 1 || how == 2 || how == 3)) /* what only a file can suffer */
		how = 0;
	buf_adds(&text, "");
	buf_add_view(&text, buf_view(&file->text));
	if (how == 4) {
		(void)chmod(file->path, modes[take_below(rest, 6)]);
		return false;
	}
	if (how == 1) {
		text.n = take_word(rest) % (text.n + 1);
	} else if (how == 2 || how == 3) {
		change_bytes(rest, &text, how == 3);
	} else {
		fuzz_remove(file->path);
		if (how == 5)
			FUZZ_CHECK(symlink(elsewhere(folder), file->path) == 0);
		else if (how == 6)
			FUZZ_CHECK(mkfifo(file->path, 0600) == 0);
		else if (how == 7)
			FUZZ_CHECK(mkdir(file->path, 0700) == 0);
		return false;
	}
	(void)chmod(file->path, 0600);
	fuzz_put(file->path, buf_view(&text));
	return how == 3;
}

bool
damage(struct rest *rest, struct stage *stage, bool *vouched)
{
	unsigned n = take_below(rest, 4);

	*vouched = false;
	for (unsigned i = 0; i < n; i++) {
		const struct stage_file *file = &stage->files[1 + take_byte(rest) % (stage->nfiles - 1)];
		struct stat status;

		/* Another may have taken it away, or put something else there. */
		if (lstat(file->path, &status) == 0 && ((status.st_mode ^ file->mode) & S_IFMT) == 0 &&
		    damage_file(rest, file))
			*vouched = true;
	}
	return n > 0;
}
