#include "client/lib/session/uses.h"

#include "client/lib/depot/cachefile.h"

bool jic_uses_read(struct jic_history *h, struct jic_arena *arena, struct jic_uses *out, struct jic_error *err)
{
	*out = (struct jic_uses){0};
	if (!jic_history_environments(h, arena, &out->known, &out->known_count, err) ||
	    !jic_history_nodes(h, arena, &out->nodes, &out->nodes_count, err))
		return false;
	for (size_t i = 0; i < out->nodes_count; i++)
		if (!jic_lookup_add(&out->by_uuid, arena, jic_hash_uuid(out->nodes[i].uuid), (uint32_t)i))
			return jic_fail(err, JIC_EMEMORY, "out of memory");
	return true;
}

static size_t known_of(const struct jic_uses *u, const struct jic_known_node *n)
{
	size_t i = 0;
	while (i < u->known_count && u->known[i].id != n->environment)
		i++;
	return i;
}

/* Is this the name under which a pull for that environment places the node? */
static bool has_name_of(const struct jic_known *k, const struct jic_known_node *n, const struct jic_cache *c)
{
	char stem[JIC_CACHEFILE_STEM_BYTES];
	for (size_t i = 0; i < k->runtimes_count; i++) {
		if (k->runtimes[i].len >= JIC_RUNTIME_ID_BYTES_MAX)
			continue;
		jic_cachefile_stem(n->uuid, k->runtimes[i], &k->sysimage, &n->key, stem);
		if (jic_view_starts(c->file_name, jic_view_of(stem)))
			return true;
	}
	return false;
}

static bool is_for(const struct jic_known *k, const struct jic_known_node *n, const struct jic_cache *c)
{
	const bool has_build = n->build.hi || n->build.lo;
	if (has_build && c->kind == JIC_CACHE_READ && jic_build_id_eq(n->build, c->build_id))
		return true;
	return c->ours && has_name_of(k, n, c);
}

size_t jic_uses_of(const struct jic_uses *u, const struct jic_cache *c, bool *fits, struct jic_view *version)
{
	size_t cursor = 0, count = 0;
	uint32_t index;
	if (c->kind != JIC_CACHE_READ)
		return 0;
	while (jic_lookup_next(&u->by_uuid, jic_hash_uuid(c->uuid), &cursor, &index)) {
		const struct jic_known_node *n = &u->nodes[index];
		const size_t k = known_of(u, n);
		if (k == u->known_count || fits[k] || !jic_uuid_eq(n->uuid, c->uuid) ||
		    !jic_view_eq(n->name, c->name) || !is_for(&u->known[k], n, c))
			continue;
		*version = n->version;
		fits[k] = n->current;
		count += n->current;
	}
	return count;
}
