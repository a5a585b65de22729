/*
 * Open addressing, at most half full. The index gives out numbers one after the other, so multiplying by an odd
 * constant (2³² divided by the golden ratio) spreads them well, and nobody outside can choose them.
 */
#include "server/store/module_map.h"

struct jic_module_slot {
	uint32_t module, value;
	bool taken;
};

enum { CAP_MIN = 64 };

static struct jic_module_slot *slot_of(const struct jic_module_map *m, uint32_t module)
{
	size_t i = (size_t)(module * 2654435769u) & (m->cap - 1);
	while (m->slots[i].taken && m->slots[i].module != module)
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

static bool grow(struct jic_module_map *m)
{
	struct jic_module_map bigger = {.arena = m->arena, .cap = m->cap ? m->cap * 2 : CAP_MIN, .count = m->count};
	bigger.slots = jic_arena_array(m->arena, bigger.cap, sizeof *bigger.slots);
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].taken)
			*slot_of(&bigger, m->slots[i].module) = m->slots[i];
	*m = bigger;
	return true;
}

bool jic_module_map_put(struct jic_module_map *m, uint32_t module, uint32_t value)
{
	if (m->count * 2 >= m->cap && !grow(m))
		return false;
	struct jic_module_slot *slot = slot_of(m, module);
	if (slot->taken)
		return true;
	*slot = (struct jic_module_slot){.module = module, .value = value, .taken = true};
	m->count++;
	return true;
}

bool jic_module_map_get(const struct jic_module_map *m, uint32_t module, uint32_t *value)
{
	if (!m->cap)
		return false;
	const struct jic_module_slot *slot = slot_of(m, module);
	if (slot->taken && value)
		*value = slot->value;
	return slot->taken;
}
