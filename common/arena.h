/**
 * Memory that is released all at once: for trees whose nodes live and die together (TOML, environments, messages).
 * One thread at a time. Running out of memory gives NULL and is sticky in `failed`.
 */
#ifndef JIC_COMMON_ARENA_H
#define JIC_COMMON_ARENA_H

#include "common/attr.h"
#include "common/view.h"

struct jic_arena {
	struct jic_arena_block *blocks;
	bool failed;
};

void jic_arena_clear(struct jic_arena *a);
/** `size` bytes, zeroed, aligned for any type; NULL when out of memory. */
void *jic_arena_alloc(struct jic_arena *a, size_t size);
/** `count` × `size`, zeroed; NULL on overflow too. */
void *jic_arena_array(struct jic_arena *a, size_t count, size_t size);
/** A NUL-terminated copy; the view of an empty string on failure. */
struct jic_view jic_arena_copy(struct jic_arena *a, struct jic_view v);
struct jic_view jic_arena_printf(struct jic_arena *a, const char *format, ...) jic_printf(2, 3);

#define JIC_ARENA_NEW(arena, type) ((type *)jic_arena_alloc((arena), sizeof(type)))

#endif
