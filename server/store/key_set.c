#include "server/store/key_set.h"

static int compare(const void *a, const void *b)
{
	return jic_digest_cmp(a, b);
}

bool jic_key_set_of(struct jic_arena *arena, const struct jic_digest *keys, size_t count, struct jic_key_set *out)
{
	struct jic_digest *sorted = jic_arena_array(arena, count + 1, sizeof *sorted);
	if (!sorted)
		return false;
	if (count)
		memcpy(sorted, keys, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare);
	size_t unique = 0;
	for (size_t i = 0; i < count; i++)
		if (!unique || jic_digest_cmp(&sorted[unique - 1], &sorted[i]) != 0)
			sorted[unique++] = sorted[i];
	*out = (struct jic_key_set){.keys = sorted, .count = unique};
	return true;
}

bool jic_key_set_union(struct jic_arena *arena, const struct jic_key_set *a, const struct jic_key_set *b,
                       struct jic_key_set *out)
{
	struct jic_digest *both = jic_arena_array(arena, a->count + b->count + 1, sizeof *both);
	if (!both)
		return false;
	if (a->count)
		memcpy(both, a->keys, a->count * sizeof *both);
	if (b->count)
		memcpy(both + a->count, b->keys, b->count * sizeof *both);
	return jic_key_set_of(arena, both, a->count + b->count, out);
}

bool jic_key_set_minus(struct jic_arena *arena, const struct jic_key_set *a, const struct jic_key_set *b,
                       struct jic_key_set *out)
{
	struct jic_digest *rest = jic_arena_array(arena, a->count + 1, sizeof *rest);
	if (!rest)
		return false;
	size_t count = 0;
	for (size_t i = 0; i < a->count; i++)
		if (jic_key_set_find(b, &a->keys[i]) == SIZE_MAX)
			rest[count++] = a->keys[i];
	*out = (struct jic_key_set){.keys = rest, .count = count};
	return true;
}

size_t jic_key_set_find(const struct jic_key_set *s, const struct jic_digest *key)
{
	size_t low = 0, high = s->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = jic_digest_cmp(&s->keys[middle], key);
		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return SIZE_MAX;
}
