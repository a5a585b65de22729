/**
 * A hash table from names or UUIDs to indices, in an arena: `{0}` is empty. Holds hashes and indices only; the caller
 * compares what the candidates stand for.
 */
#ifndef JIC_CLIENT_LOOKUP_H
#define JIC_CLIENT_LOOKUP_H

#include "common/arena.h"
#include "common/uuid.h"

struct jic_lookup {
	struct jic_lookup_slot *slots;
	size_t capacity, used;
};

uint32_t jic_hash_name(struct jic_view name);
uint32_t jic_hash_uuid(struct jic_uuid uuid);

/** @return false: out of memory */
jic_must_check bool jic_lookup_add(struct jic_lookup *l, struct jic_arena *arena, uint32_t hash, uint32_t index);
/** The next candidate in the order in which they were added. Start with *cursor 0; false when there are no more. */
bool jic_lookup_next(const struct jic_lookup *l, uint32_t hash, size_t *cursor, uint32_t *index);

#endif
