#include "client/lib/environment/lookup.h"

enum { FIRST_CAPACITY = 64 }; /* a power of two, as all of them */

struct jic_lookup_slot {
	uint32_t hash, index; /* index: +1, so that 0 is a free slot */
};

uint32_t jic_hash_name(struct jic_view name)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a, folded */
	for (size_t i = 0; i < name.len; i++)
		h = (h ^ (uint8_t)name.ptr[i]) * 0x100000001b3u;
	return (uint32_t)(h ^ h >> 32);
}

uint32_t jic_hash_uuid(struct jic_uuid uuid)
{
	uint64_t h = (uuid.hi ^ (uuid.lo << 1 | uuid.lo >> 63)) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32);
}

/* Linear probing; nothing is ever removed, so equal hashes are met in the order of insertion. */
static void put(struct jic_lookup *l, struct jic_lookup_slot slot)
{
	size_t i = slot.hash & (l->capacity - 1);
	while (l->slots[i].index)
		i = (i + 1) & (l->capacity - 1);
	l->slots[i] = slot;
}

/* Old slots are gone through from behind a free one, so that runs which wrap around keep their order. */
static bool grow(struct jic_lookup *l, struct jic_arena *arena)
{
	struct jic_lookup old = *l;
	size_t capacity = old.capacity ? old.capacity * 2 : FIRST_CAPACITY;
	struct jic_lookup_slot *slots = jic_arena_array(arena, capacity, sizeof(*slots));
	if (!slots)
		return false;
	l->slots = slots;
	l->capacity = capacity;
	size_t start = 0;
	while (start < old.capacity && old.slots[start].index)
		start++;
	for (size_t i = 0; i < old.capacity; i++) {
		struct jic_lookup_slot slot = old.slots[(start + i) & (old.capacity - 1)];
		if (slot.index)
			put(l, slot);
	}
	return true;
}

bool jic_lookup_add(struct jic_lookup *l, struct jic_arena *arena, uint32_t hash, uint32_t index)
{
	if (2 * (l->used + 1) > l->capacity && !grow(l, arena))
		return false;
	put(l, (struct jic_lookup_slot){.hash = hash, .index = index + 1});
	l->used++;
	return true;
}

bool jic_lookup_next(const struct jic_lookup *l, uint32_t hash, size_t *cursor, uint32_t *index)
{
	for (; l->capacity && *cursor < l->capacity; ++*cursor) {
		const struct jic_lookup_slot *slot = &l->slots[(hash + *cursor) & (l->capacity - 1)];
		if (!slot->index)
			return false;
		if (slot->hash == hash) {
			*index = slot->index - 1;
			++*cursor;
			return true;
		}
	}
	return false;
}
