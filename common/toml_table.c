/*
 * TOML's tree. Entries of a table or array are a list in the order of the file; a table with more than a few keys gets
 * a hash index beside it. The hash is SipHash-1-3 under a random key, so that no file can be written to make it slow.
 */
#include "common/toml_private.h"

/** Up to here comparing one by one is faster than hashing. */
enum { INDEX_FROM = 12, INDEX_SLOTS_FIRST = 64 };

static uint64_t rotate(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

/** Aumasson and Bernstein 2012, one compression and three finalisation rounds. */
static uint64_t sip_hash(const struct jic_toml_seed *seed, struct jic_view key)
{
	uint64_t v[4] = {seed->k0 ^ 0x736f6d6570736575u, seed->k1 ^ 0x646f72616e646f6du, seed->k0 ^ 0x6c7967656e657261u,
	                 seed->k1 ^ 0x7465646279746573u};
	uint64_t word;
	size_t pos = 0;
	for (; key.len - pos >= sizeof word; pos += sizeof word) {
		memcpy(&word, key.ptr + pos, sizeof word);
		sip_word(v, word);
	}
	word = 0;
	if (pos < key.len)
		memcpy(&word, key.ptr + pos, key.len - pos);
	sip_word(v, word ^ (uint64_t)key.len << 56);
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct jic_toml *jic_toml_new(struct jic_toml_scan *s, const char *at, struct jic_view key)
{
	if (s->nodes == JIC_TOML_NODES_MAX) {
		jic_toml_fail(s, at, JIC_ELIMIT, "more than %d values", JIC_TOML_NODES_MAX);
		return NULL;
	}
	s->nodes++;
	struct jic_toml *node = JIC_ARENA_NEW(s->arena, struct jic_toml);
	if (!node) {
		jic_fail(s->err, JIC_EMEMORY, "%s: out of memory", s->what);
		return NULL;
	}
	jic_toml_locate(s, at, &node->line, &node->column);
	node->key = key;
	return node;
}

bool jic_toml_make_items(struct jic_toml_scan *s, struct jic_toml *node, enum jic_toml_type type,
                         enum jic_toml_origin origin, const struct jic_toml *parent, const char *at)
{
	unsigned depth = parent ? parent->items.index->depth + 1 : 0;
	if (depth > JIC_TOML_DEPTH_MAX)
		return jic_toml_fail(s, at, JIC_ELIMIT, "nested more than %d levels deep", JIC_TOML_DEPTH_MAX);
	struct jic_toml_index *index = JIC_ARENA_NEW(s->arena, struct jic_toml_index);
	if (!index)
		return jic_fail(s->err, JIC_EMEMORY, "%s: out of memory", s->what);
	index->origin = origin;
	index->depth = depth;
	index->seed = s->seed;
	node->type = type;
	node->items.index = index;
	return true;
}

static void index_put(struct jic_toml_index *index, struct jic_toml *entry)
{
	size_t slot = (size_t)sip_hash(index->seed, entry->key) & (index->slots_count - 1);
	while (index->slots[slot])
		slot = (slot + 1) & (index->slots_count - 1);
	index->slots[slot] = entry;
}

/** Keep the index at most half full. The outgrown ones stay in the arena: together they are smaller than the last. */
static bool index_grow(struct jic_toml_scan *s, struct jic_toml *table)
{
	struct jic_toml_index *index = table->items.index;
	size_t count = index->slots_count ? index->slots_count * 2 : INDEX_SLOTS_FIRST;
	index->slots = jic_arena_array(s->arena, count, sizeof(struct jic_toml *));
	if (!index->slots)
		return jic_fail(s->err, JIC_EMEMORY, "%s: out of memory", s->what);
	index->slots_count = count;
	for (struct jic_toml *e = table->items.first; e; e = e->next)
		index_put(index, e);
	return true;
}

bool jic_toml_append(struct jic_toml_scan *s, struct jic_toml *parent, struct jic_toml *child)
{
	struct jic_toml_index *index = parent->items.index;
	if (index->last)
		index->last->next = child;
	else
		parent->items.first = child;
	index->last = child;
	parent->items.count++;
	if (parent->type == JIC_TOML_ARRAY || parent->items.count <= INDEX_FROM)
		return true;
	if (parent->items.count > index->slots_count / 2)
		return index_grow(s, parent);
	index_put(index, child);
	return true;
}

struct jic_toml *jic_toml_find(const struct jic_toml *table, struct jic_view key)
{
	const struct jic_toml_index *index = table->items.index;
	if (!index->slots) {
		struct jic_toml *e = table->items.first;
		while (e && !jic_view_eq(e->key, key))
			e = e->next;
		return e;
	}
	size_t slot = (size_t)sip_hash(index->seed, key) & (index->slots_count - 1);
	while (index->slots[slot] && !jic_view_eq(index->slots[slot]->key, key))
		slot = (slot + 1) & (index->slots_count - 1);
	return index->slots[slot];
}

const struct jic_toml *jic_toml_getv(const struct jic_toml *table, struct jic_view key)
{
	return jic_toml_is_table(table) ? jic_toml_find(table, key) : NULL;
}

const struct jic_toml *jic_toml_get(const struct jic_toml *table, const char *key)
{
	return jic_toml_getv(table, jic_view_of(key));
}

struct jic_view jic_toml_string(const struct jic_toml *table, const char *key, struct jic_view fallback)
{
	const struct jic_toml *v = jic_toml_get(table, key);
	return jic_toml_is_string(v) ? v->string : fallback;
}

bool jic_toml_is_table(const struct jic_toml *v)
{
	return v && v->type == JIC_TOML_TABLE;
}

bool jic_toml_is_array(const struct jic_toml *v)
{
	return v && v->type == JIC_TOML_ARRAY;
}

bool jic_toml_is_string(const struct jic_toml *v)
{
	return v && v->type == JIC_TOML_STRING;
}

const struct jic_toml *jic_toml_first(const struct jic_toml *v)
{
	return jic_toml_is_table(v) || jic_toml_is_array(v) ? v->items.first : NULL;
}
