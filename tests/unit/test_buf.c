/* SPDX-License-Identifier: MIT */
/* The linker sends free(3) of our own objects through __wrap_free(): what it gets must be wiped. */
#include "unit.h"

void __real_free(void *p);
void __wrap_free(void *p);

static struct {
	const char *p; /* watched */
	size_t n;
	int wiped, unwiped;
} watch;

void
__wrap_free(void *p)
{
	if (p != NULL && p == watch.p) {
		bool wiped = true;

		for (size_t i = 0; i < watch.n; i++)
			wiped = wiped && watch.p[i] == 0;
		watch.wiped += wiped;
		watch.unwiped += !wiped;
		watch.p = NULL;
	}
	__real_free(p);
}

static void
watch_buf(const struct buf *b)
{
	watch.p = b->p;
	watch.n = b->cap;
	watch.wiped = watch.unwiped = 0;
}

static void
always_followed_by_nul(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf b = { 0 };

	(void)state;
	for (size_t n = 1; n <= 2000; n++) {
		char c = (char)('a' + n % 26);

		buf_add(&b, &c, 1);
		assert_int_equal(b.n, n);
		assert_true(b.cap > b.n);
		assert_int_equal(b.p[n], 0);
		assert_int_equal(b.p[n - 1], c);
		assert_int_equal(b.p[0], 'b');
	}
	assert_int_equal(buf_done(&b), RJWT_OK);
}

/* Sizes at which a buffer is exactly full, or one byte off. */
static void
edges_of_growth(void **state)
{
	char some[600];

	(void)state;
	memset(some, 'x', sizeof(some));
	for (size_t first = 120; first < 260; first++)
		for (size_t second = 0; second < 300; second += 7) {
			RJWT_CLEAN(buf_clear) struct buf b = { 0 };

			buf_add(&b, some, first);
			buf_add(&b, some, second);
			assert_int_equal(b.n, first + second);
			assert_memory_equal(b.p, some, first + second);
			assert_int_equal(b.p[b.n], 0);
		}
}

static void
bytes_and_formats(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf b = { 0 };
	char *room;

	(void)state;
	buf_add(&b, "a\0b", 3);
	buf_adds(&b, "");
	buf_add_view(&b, (struct view){ NULL, 0 });
	buf_add_view(&b, VIEW("c\0"));
	buf_addf(&b, "%s-%05d", "d", 42);
	room = buf_room(&b, 2);
	assert_non_null(room);
	memcpy(room, "yz", 2);
	assert_int_equal(b.n, 14);
	assert_memory_equal(b.p, "a\0bc\0d-00042yz", 15);
	assert_true(view_eq(buf_view(&b), VIEW("a\0bc\0d-00042yz")));
	buf_addf(&b, "%0500d", 1);
	assert_int_equal(b.n, 514);
	assert_int_equal(buf_done(&b), RJWT_OK);
}

static void
a_failure_sticks(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf b = { 0 };
	char *text = NULL;
	size_t n = 7;

	(void)state;
	buf_adds(&b, "before");
	assert_null(buf_room(&b, SIZE_MAX / 2));
	assert_int_equal(buf_done(&b), RJWT_MEMORY);
	buf_adds(&b, "after");
	buf_addf(&b, "%d", 1);
	assert_null(buf_room(&b, 1));
	assert_true(view_is(buf_view(&b), "before"));
	assert_int_equal(buf_give(&b, &text, &n), RJWT_MEMORY);
	assert_null(text);
	assert_int_equal(n, 7);
	buf_clear(&b); /* and may be used again */
	buf_adds(&b, "again");
	assert_int_equal(buf_done(&b), RJWT_OK);
	assert_string_equal(b.p, "again");
	assert_null(buf_room(&b, SIZE_MAX));
	assert_int_equal(buf_done(&b), RJWT_MEMORY);
}

static void
handing_over(void **state)
{
	struct buf b = { 0 };
	char *text = NULL;
	size_t n = 7;

	(void)state;
	assert_int_equal(buf_give(&b, &text, &n), RJWT_OK); /* nothing is a string, too */
	assert_int_equal(n, 0);
	assert_string_equal(text, "");
	free(text);
	buf_adds(&b, "word");
	assert_int_equal(buf_give(&b, &text, NULL), RJWT_OK);
	assert_string_equal(text, "word");
	assert_null(b.p);
	assert_int_equal(b.n + b.cap, 0);
	buf_clear(&b);
	assert_string_equal(text, "word");
	free(text);
}

static void
wiped_when_cleared_and_when_grown(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_adds(&b, "a secret");
	watch_buf(&b);
	buf_clear(&b);
	assert_int_equal(watch.wiped, 1);
	assert_int_equal(watch.unwiped, 0);
	assert_null(b.p);
	assert_int_equal(b.n + b.cap, 0);

	buf_adds(&b, "a secret");
	watch_buf(&b);
	assert_non_null(buf_room(&b, 1000));
	assert_int_equal(watch.wiped, 1);
	assert_int_equal(watch.unwiped, 0);
	assert_memory_equal(b.p, "a secret", 8);
	buf_clear(&b);
	buf_clear(&b);

	buf_adds(&b, "a secret"); /* the watch itself sees what is not wiped */
	watch_buf(&b);
	__wrap_free(b.p);
	assert_int_equal(watch.unwiped, 1);
}

static void
wiping(void **state)
{
	char secret[] = "secret";

	(void)state;
	secret_wipe(secret, 3);
	assert_memory_equal(secret, "\0\0\0ret", 7);
	secret_wipe(NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(always_followed_by_nul),
		cmocka_unit_test(edges_of_growth),
		cmocka_unit_test(bytes_and_formats),
		cmocka_unit_test(a_failure_sticks),
		cmocka_unit_test(handing_over),
		cmocka_unit_test(wiped_when_cleared_and_when_grown),
		cmocka_unit_test(wiping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
