/**
 * A small hash map from module numbers (see index.h) to positions: who provides what. In an arena, grows, one thread.
 */
#ifndef JIC_SERVER_STORE_MODULE_MAP_H
#define JIC_SERVER_STORE_MODULE_MAP_H

#include "common/arena.h"

struct jic_module_map {
	struct jic_arena *arena;
	struct jic_module_slot *slots; /**< `cap` of them, a power of two; NULL when empty */
	size_t cap, count;
};

/** Keeps the value that is there already. @return false when out of memory */
jic_must_check bool jic_module_map_put(struct jic_module_map *m, uint32_t module, uint32_t value);
bool jic_module_map_get(const struct jic_module_map *m, uint32_t module, uint32_t *value); /**< value may be NULL */

#endif
