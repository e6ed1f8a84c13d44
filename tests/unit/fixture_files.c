/* SPDX-License-Identifier: MIT */
/* The files of a fixture's keyset: looked at, changed behind rjwt's back, and used by a crowd. */
#include "fixture.h"
#include "base/file.h"
#include "base/json.h"
#include "jose/alg.h"
#include "jose/jwk.h"
#include "keyset/store.h"
#include "base/file_write.h"
#include "base/json_write.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- files ------------------------------------------------------------------------------------ */

void
file_put(const struct fixture *f, const char *name, struct view text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->state, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_true(write(fd, text.p, text.n) == (ssize_t)text.n);
	close(fd);
}

void
file_gone(const struct fixture *f, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->state, name);
	assert_int_equal(unlink(path), 0);
}

bool
file_has(const struct fixture *f, const char *name, const char *text)
{
	RJWT_CLEAN(buf_clear) struct buf all = file_get(f, name);

	return strstr(all.p, text) != NULL;
}

struct rjwt_change
rotate(struct fixture *f)
{
	struct rjwt_change change;

	want("rotate", rjwt_rotate(f->h, 0, &change, &f->diag), RJWT_OK);
	return change;
}

struct rjwt_change
tick(struct fixture *f)
{
	struct rjwt_change change;

	want("tick", rjwt_maintain(f->h, 0, &change, &f->diag), RJWT_OK);
	return change;
}

struct buf
file_get(const struct fixture *f, const char *name)
{
	struct dir dir = DIR_NONE;
	struct buf text = { 0 };

	assert_int_equal(dir_open(f->state, &dir, NULL), RJWT_OK);
	want(name, file_read(&dir, name, JWK_SET_MAX, &text, NULL, NULL), RJWT_OK);
	dir_close(&dir);
	return text;
}

static bool
status_of(const struct fixture *f, const char *name, struct stat *status)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->state, name);
	return lstat(path, status) == 0;
}

bool
file_there(const struct fixture *f, const char *name)
{
	struct stat status;

	return status_of(f, name, &status);
}

unsigned
file_mode(const struct fixture *f, const char *name)
{
	struct stat status;

	if (!status_of(f, name, &status))
		fail_msg("%s is not there", name);
	return status.st_mode & 07777;
}

struct keyset
keyset_of_three(void)
{
	struct keyset k = { .generation = 7,
		.base = "B",
		.issuer = "i",
		.audience = "a",
		.machine = "m",
		.floor = 1,
		.active = { 3, T0 },
		.next = { 4, T0 - 5 },
		.next_version = 5 };

	clock_reset();
	k.clock = clock_time;
	k.trial.wall_s = clock_time.wall_s;
	k.trial.boot_s = clock_time.boot_s;
	return k;
}

struct rotation_policy
policy_of_a_day(void)
{
	return (struct rotation_policy){ .alg = alg_by_label(VIEW("ES256")),
		.rsa_bits = 3072,
		.rotate_every_s = DAY,
		.previous_key_ttl_s = DAY,
		.max_lifetime_s = 3600,
		.leeway_s = 30 };
}

struct keyset
keyset_get(const struct fixture *f)
{
	RJWT_CLEAN(buf_clear) struct buf text = file_get(f, "keyset.json");
	struct keyset keyset = { 0 };

	want("keyset.json", keyset_parse(buf_view(&text), &keyset, NULL), RJWT_OK);
	return keyset;
}

static void
replace_file(const struct fixture *f, const char *name, struct view text, const struct timespec *mtime)
{
	struct dir dir = DIR_NONE;

	assert_int_equal(dir_open(f->state, &dir, NULL), RJWT_OK);
	want(name, file_write(&dir, name, 0644, text, mtime, NULL), RJWT_OK);
	dir_close(&dir);
}

void
keyset_put(const struct fixture *f, const struct keyset *keyset)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	static long other = 500000000; /* no commit of rjwt has such a generation */

	want("keyset", keyset_format(&text, keyset), RJWT_OK);
	replace_file(f, "keyset.json", buf_view(&text), &(struct timespec){ .tv_sec = T0, .tv_nsec = other++ });
}

void
key_stamp(const struct fixture *f, int64_t version, int64_t retired_s, int64_t until_s, int64_t revoked_s)
{
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct keyset keyset = keyset_get(f);
	char name[64];

	want("store", store_open(f->state, NULL, &store, NULL), RJWT_OK);
	want("key", store_read_key(store, version, &jwk, NULL), RJWT_OK);
	jwk.retired_s = retired_s;
	jwk.until_s = until_s;
	jwk.revoked_s = revoked_s;
	json_open(&text, NULL);
	want("key", jwk_put(&text, &jwk), RJWT_OK);
	want("key", seal_add(&text), RJWT_OK);
	snprintf(name, sizeof(name), "keys/%lld.jwk", (long long)version);
	file_put(f, name, buf_view(&text));
	keyset_put(f, &keyset); /* so that a handle that is open reads the key again */
}

/* --- crowds and digests ----------------------------------------------------------------------- */

int
crowd(struct fixture *f, int n, int (*work)(struct fixture *f, int i), int code)
{
	int count = 0, gate[2];
	char c;

	assert_int_equal(pipe(gate), 0);
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			close(gate[1]);
			if (read(gate[0], &c, 1) != 0) /* until all are there */
				_exit(99);
			_exit(work(f, i));
		}
	}
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < n; i++) {
		int status = 0;

		assert_true(wait(&status) > 0);
		count += WIFEXITED(status) && WEXITSTATUS(status) == code;
	}
	return count;
}

static struct buf seen;

/* A directory's order is no change: lines are added up, not strung together. */
static unsigned char sum[32];

static int
digest_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	RJWT_CLEAN(fd_clean) int fd = -1;
	char hex[DIGEST_HEX], data[4096];
	ssize_t n;

	(void)ftw;
	buf_clear(&seen);
	buf_addf(&seen, "%s %o %lld.%ld\n", path, status->st_mode,
	    type == FTW_F ? (long long)status->st_mtim.tv_sec : 0, type == FTW_F ? status->st_mtim.tv_nsec : 0);
	if (type == FTW_F && (fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0)
		while ((n = read(fd, data, sizeof(data))) > 0)
			buf_add(&seen, data, (size_t)n);
	if (digest_hex(buf_view(&seen), hex) != RJWT_OK)
		return -1;
	for (size_t i = 0; i < sizeof(sum); i++)
		sum[i] = (unsigned char)(sum[i] ^ hex[2 * i] ^ (hex[2 * i + 1] << 4));
	return 0;
}

void
state_digest(const struct fixture *f, char hex[static DIGEST_HEX])
{
	memset(sum, 0, sizeof(sum));
	assert_int_equal(nftw(f->state, digest_one, 16, FTW_PHYS), 0);
	buf_clear(&seen);
	assert_int_equal(digest_hex((struct view){ (const char *)sum, sizeof(sum) }, hex), RJWT_OK);
}

int64_t
key_member(const struct fixture *f, int64_t version, const char *name)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	char file[64];
	int64_t value = -1;

	snprintf(file, sizeof(file), "keys/%lld.jwk", (long long)version);
	text = file_get(f, file);
	want(file, json_parse(buf_view(&text), &json, NULL), RJWT_OK);
	(void)json_integer(json, name, &value);
	return value;
}
