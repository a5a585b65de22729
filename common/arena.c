/* A chain of blocks, each twice the last up to a limit; an allocation larger than a block gets one of its own. */
#include "common/arena.h"

#include <stdarg.h>

enum { ARENA_BLOCK_FIRST_BYTES = 8 * 1024, ARENA_BLOCK_BYTES_MAX = 1024 * 1024, ARENA_ALIGN = 16 };

struct jic_arena_block {
	struct jic_arena_block *next;
	size_t used, size;
	_Alignas(ARENA_ALIGN) unsigned char bytes[];
};

void jic_arena_clear(struct jic_arena *a)
{
	while (a->blocks) {
		struct jic_arena_block *next = a->blocks->next;
		free(a->blocks);
		a->blocks = next;
	}
	a->failed = false;
}

static struct jic_arena_block *block_for(struct jic_arena *a, size_t size)
{
	struct jic_arena_block *b = a->blocks;
	if (b && size <= b->size - b->used)
		return b;
	size_t bytes = b ? b->size * 2 : ARENA_BLOCK_FIRST_BYTES;
	if (bytes > ARENA_BLOCK_BYTES_MAX)
		bytes = ARENA_BLOCK_BYTES_MAX;
	if (bytes < size)
		bytes = size;
	struct jic_arena_block *fresh = calloc(1, sizeof *fresh + bytes);
	if (!fresh)
		return NULL;
	fresh->size = bytes;
	fresh->next = b;
	a->blocks = fresh;
	return fresh;
}

void *jic_arena_alloc(struct jic_arena *a, size_t size)
{
	size_t rounded;
	if (a->failed || __builtin_add_overflow(size, ARENA_ALIGN - 1, &rounded) || rounded > SIZE_MAX / 4) {
		a->failed = true;
		return NULL;
	}
	rounded &= ~(size_t)(ARENA_ALIGN - 1);
	struct jic_arena_block *b = block_for(a, rounded);
	if (!b) {
		a->failed = true;
		return NULL;
	}
	void *p = b->bytes + b->used;
	b->used += rounded;
	return p;
}

void *jic_arena_array(struct jic_arena *a, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes)) {
		a->failed = true;
		return NULL;
	}
	return jic_arena_alloc(a, bytes);
}

struct jic_view jic_arena_copy(struct jic_arena *a, struct jic_view v)
{
	char *copy = jic_arena_alloc(a, v.len + 1);
	if (!copy)
		return JIC_VIEW("");
	if (v.len)
		memcpy(copy, v.ptr, v.len);
	return jic_view_bytes(copy, v.len);
}

struct jic_view jic_arena_printf(struct jic_arena *a, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0) {
		a->failed = true;
		return JIC_VIEW("");
	}
	struct jic_view copy = jic_arena_copy(a, jic_view_bytes(text, (size_t)len));
	free(text);
	return copy;
}
