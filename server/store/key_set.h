/**
 * Merkle keys, sorted and without duplicates. Sorted lists and bisection, because a hash table's buckets could be
 * ground by who chooses the keys.
 */
#ifndef JIC_SERVER_STORE_KEY_SET_H
#define JIC_SERVER_STORE_KEY_SET_H

#include "common/arena.h"
#include "common/digest.h"

struct jic_key_set {
	const struct jic_digest *keys; /**< in the arena */
	size_t count;
};

/** A set of keys in any order. @return false when out of memory */
jic_must_check bool jic_key_set_of(struct jic_arena *arena, const struct jic_digest *keys, size_t count,
                                   struct jic_key_set *out);
/** Both together. */
jic_must_check bool jic_key_set_union(struct jic_arena *arena, const struct jic_key_set *a, const struct jic_key_set *b,
                                      struct jic_key_set *out);
/** Those of `a` that are not in `b`. */
jic_must_check bool jic_key_set_minus(struct jic_arena *arena, const struct jic_key_set *a, const struct jic_key_set *b,
                                      struct jic_key_set *out);
/** @return the position, or SIZE_MAX */
size_t jic_key_set_find(const struct jic_key_set *s, const struct jic_digest *key);

#endif
