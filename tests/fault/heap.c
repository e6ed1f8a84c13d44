/* SPDX-License-Identifier: MIT */
/* The heap of exhaust.c: fault.h says what it is for. */
#include "fault.h"
#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HEAP_SIZE ((size_t)1 << (sizeof(size_t) > 4 ? 32 : 30)) /* addresses; memory is taken when it is touched */
#define BLOCKS_MAX ((size_t)1 << 22)
#define GUARD 0xa5
#define GUARD_SIZE 16
#define POISON 0xdd

struct block {
	_Alignas(16) size_t size;
	uint32_t number;
	uint32_t live; /* LIVE, or it was freed */
};
#define LIVE 0x4c495645u
_Static_assert(sizeof(struct block) % 16 == 0, "what follows a header is aligned");

struct fault fault;
void (*heap_watch)(unsigned long number);
bool heap_recycles;

/* No part of the program's data: what is noted here keeps no block alive. */
static struct heap {
	char *end; /* of what is in use */
	size_t n;
	struct block *blocks[]; /* in the order of their addresses */
} * heap;
static char *heap_base;

bool
fault_hit(enum fault_kind kind)
{
	if (!fault.armed || kind != fault.kind)
		return false;
	fault.calls++;
	return fault.at != 0 && (fault.on ? fault.calls >= fault.at : fault.calls == fault.at);
}

static void
heap_start(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

	heap = mmap(NULL, sizeof(*heap) + BLOCKS_MAX * sizeof(void *), PROT_READ | PROT_WRITE, flags, -1, 0);
	heap_base = mmap(NULL, HEAP_SIZE, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (heap == MAP_FAILED || heap_base == MAP_FAILED)
		_exit(3);
	heap->end = heap_base;
}

static void *
take(size_t align, size_t size)
{
	struct block *block;
	uintptr_t at;

	if (heap == NULL)
		heap_start();
	at = ((uintptr_t)heap->end + sizeof(*block) + align - 1) & ~(uintptr_t)(align - 1);
	if (size > HEAP_SIZE / 2 || at + size + GUARD_SIZE > (uintptr_t)heap_base + HEAP_SIZE ||
	    heap->n == BLOCKS_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	block = (struct block *)at - 1;
	*block = (struct block){ size, (uint32_t)heap->n, LIVE };
	memset((char *)at + size, GUARD, GUARD_SIZE);
	heap->end = (char *)((at + size + GUARD_SIZE + 15) & ~(uintptr_t)15);
	heap->blocks[heap->n++] = block;
	if (heap_watch != NULL)
		heap_watch(block->number);
	return block + 1;
}

static struct block *
block_of(void *p)
{
	struct block *block = (struct block *)p - 1;

	if ((char *)p <= heap_base || (char *)p >= heap->end || (uintptr_t)p % 16 != 0 || block->number >= heap->n ||
	    heap->blocks[block->number] != block)
		heap_broken("not a block of the heap", p);
	if (block->live != LIVE)
		heap_broken("a block that was freed", p);
	for (size_t i = 0; i < GUARD_SIZE; i++)
		if (((unsigned char *)p)[block->size + i] != GUARD)
			heap_broken("written behind its end", p);
	return block;
}

unsigned long
heap_now(void)
{
	return heap->n;
}

/* --- libc's names ----------------------------------------------------------------------------- */

#pragma GCC visibility push(default)

static bool
no_memory(void)
{
	if (!fault_hit(FAULT_MEMORY))
		return false;
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t size)
{
	return no_memory() ? NULL : take(16, size);
}

void *
calloc(size_t n, size_t size)
{
	void *p;

	if (size != 0 && n > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	p = malloc(n * size);
	if (p != NULL)
		memset(p, 0, n * size);
	return p;
}

void
free(void *p)
{
	struct block *block;

	if (p == NULL)
		return;
	block = block_of(p);
	memset(p, POISON, block->size);
	block->live = 0;
	if (!heap_recycles || block->number + 1 != heap->n)
		return;
	heap->end = (char *)block;
	heap->n--;
}

void *
realloc(void *p, size_t size)
{
	struct block *block = p == NULL ? NULL : block_of(p);
	void *to = no_memory() ? NULL : take(16, size);

	if (to == NULL || block == NULL)
		return to;
	memcpy(to, p, block->size < size ? block->size : size);
	free(p);
	return to;
}

void *
aligned_alloc(size_t align, size_t size)
{
	return no_memory() ? NULL : take(align < 16 ? 16 : align, size);
}

void *
memalign(size_t align, size_t size)
{
	return aligned_alloc(align, size);
}

int
posix_memalign(void **p, size_t align, size_t size)
{
	void *made = aligned_alloc(align, size);

	if (made == NULL)
		return ENOMEM;
	*p = made;
	return 0;
}

#pragma GCC visibility pop

/* --- what nothing points to ------------------------------------------------------------------- */

/* Blocks that are still to be looked through, and whether one was found. As the heap's own, no data of ours. */
static struct sweep {
	size_t n;
	bool found[BLOCKS_MAX];
	uint32_t todo[BLOCKS_MAX];
} * sweep;

/* A word that points to a block, or into one. */
static void
mark(uintptr_t word)
{
	size_t low = 0, high = heap->n;
	struct block *block;

	if (word < (uintptr_t)heap_base || word >= (uintptr_t)heap->end)
		return;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if ((uintptr_t)heap->blocks[middle] <= word)
			low = middle;
		else
			high = middle;
	}
	block = heap->blocks[low];
	if (block->live != LIVE || sweep->found[low] || word > (uintptr_t)(block + 1) + block->size)
		return;
	sweep->found[low] = true;
	sweep->todo[sweep->n++] = (uint32_t)low;
}

static void
mark_all(uintptr_t from, uintptr_t to)
{
	for (from = (from + 7) & ~(uintptr_t)7; from + sizeof(uintptr_t) <= to; from += sizeof(uintptr_t))
		mark(*(const uintptr_t *)from);
}

/*
 * Writable memory that is the process's own: data of program and libraries, thread storage, the stack. The
 * heap's mappings are of another kind (MAP_NORESERVE), so no other one is joined to them.
 */
static void
mark_line(const char *line, uintptr_t stack)
{
	const uintptr_t own[] = { (uintptr_t)heap, (uintptr_t)heap_base, (uintptr_t)sweep };
	char *rest;
	uintptr_t from = strtoul(line, &rest, 16), to = strtoul(rest + 1, &rest, 16);

	if (strncmp(rest, " rw-p", 5) != 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (from <= own[i] && own[i] < to)
			return;
	mark_all(from <= stack && stack < to ? stack : from, to);
}

static void
mark_roots(uintptr_t stack)
{
	static char maps[65536];
	size_t n = 0;
	long got;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC);

	while ((got = syscall(SYS_read, fd, maps + n, sizeof(maps) - 1 - n)) > 0)
		n += (size_t)got;
	(void)syscall(SYS_close, fd);
	maps[n] = '\0';
	for (char *line = maps; *line != '\0';) {
		char *end = strchr(line, '\n');

		mark_line(line, stack);
		if (end == NULL)
			break;
		line = end + 1;
	}
}

static void
mark_below(void)
{
	while (sweep->n > 0) {
		const struct block *block = heap->blocks[sweep->todo[--sweep->n]];

		mark_all((uintptr_t)(block + 1), (uintptr_t)(block + 1) + block->size);
	}
}

size_t
heap_leaks(unsigned long first, void (*leak)(unsigned long number, size_t size))
{
	size_t leaks = 0;

	sweep = mmap(NULL, sizeof(*sweep), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sweep == MAP_FAILED)
		_exit(3);
	mark_roots((uintptr_t)__builtin_frame_address(0));
	mark_below();
	/* What a lost block points to is lost by it: of a tree its root alone is told. */
	for (size_t i = first; i < heap->n; i++) {
		if (heap->blocks[i]->live != LIVE || sweep->found[i])
			continue;
		mark_all((uintptr_t)(heap->blocks[i] + 1), (uintptr_t)(heap->blocks[i] + 1) + heap->blocks[i]->size);
		sweep->found[i] = true;
		mark_below();
		leaks++;
		leak(i, heap->blocks[i]->size);
	}
	munmap(sweep, sizeof(*sweep));
	return leaks;
}
