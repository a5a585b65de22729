/* The resolve request and the choice among the sets that come back. A set is used whole: mixing two would not be
 * coherent. */
#include "client/lib/offer.h"

static size_t shared_keys(const struct jic_graph *g, struct jic_digest *keys)
{
	size_t count = 0;
	for (size_t i = 0; i < g->count; i++)
		if (g->nodes[i].state == JIC_STATE_SHARED)
			keys[count++] = g->nodes[i].key;
	return count;
}

static bool ask(struct jic_session *s, struct jic_connection *c, size_t runtimes, const struct jic_digest *keys,
                size_t count, struct jic_arena *arena, struct jic_msg_resolved *out, struct jic_error *err)
{
	struct jic_msg_resolve request = {
	    .lane = jic_view_of(s->settings.lane),
	    .sysimage = s->facts.sysimage,
	    .runtimes = s->runtime_ids,
	    .runtimes_count = runtimes,
	    .keys = keys,
	    .keys_count = count,
	};
	JIC_CLEAR(jic_buf) struct jic_buf body = {0}, answer = {0};
	if (!jic_msg_resolve_write(&request, &body, err) ||
	    !jic_connection_json(c, "POST", "/v1/resolve", jic_buf_view(&body), &answer, err))
		return false;
	struct jic_view kept = jic_arena_copy(arena, jic_buf_view(&answer));
	return jic_msg_resolved_read(kept, arena, out, err) ||
	       jic_wrap(err, "server %s: answer to resolve", s->settings.url);
}

/* Most records win; among equals the one that the session likes best, which comes first. */
static const struct jic_msg_set *best_set(const struct jic_msg_resolved *resolved)
{
	const struct jic_msg_set *best = NULL;
	for (size_t i = 0; i < resolved->sets_count; i++)
		if (!best || resolved->sets[i].records_count > best->records_count)
			best = &resolved->sets[i];
	return best;
}

static const struct jic_runtime *runtime_of(const struct jic_session *s, struct jic_view id)
{
	for (size_t i = 0; i < s->runtimes_count; i++)
		if (jic_view_eq(s->runtime_ids[i], id))
			return &s->runtimes[i];
	return NULL;
}

/* Two nodes never have one key: it covers name and UUID. A linear search would be quadratic, so the keys are sorted
 * first. */
struct keyed {
	struct jic_digest key;
	uint32_t node;
};

static int keyed_cmp(const void *a, const void *b)
{
	return jic_digest_cmp(&((const struct keyed *)a)->key, &((const struct keyed *)b)->key);
}

static struct keyed *sorted_nodes(const struct jic_graph *g, struct jic_arena *arena, size_t *count)
{
	struct keyed *k = jic_arena_array(arena, g->count + 1, sizeof *k);
	*count = 0;
	for (uint32_t i = 0; k && i < g->count; i++)
		if (g->nodes[i].state == JIC_STATE_SHARED)
			k[(*count)++] = (struct keyed){.key = g->nodes[i].key, .node = i};
	if (k)
		qsort(k, *count, sizeof *k, keyed_cmp);
	return k;
}

static bool requires_come_before(const struct jic_msg_record *r, size_t index)
{
	for (size_t i = 0; i < r->requires_count; i++)
		if (r->requires_[i] >= index)
			return false;
	return true;
}

static bool match(const struct jic_graph *g, const struct jic_msg_set *set, struct jic_arena *arena,
                  struct jic_offer *out, struct jic_error *err)
{
	size_t count;
	const struct keyed *nodes = sorted_nodes(g, arena, &count);
	out->node_of = jic_arena_array(arena, set->records_count + 1, sizeof *out->node_of);
	if (!nodes || !out->node_of)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < set->records_count; i++) {
		struct keyed wanted = {.key = set->records[i].key};
		const struct keyed *k = bsearch(&wanted, nodes, count, sizeof *nodes, keyed_cmp);
		if (!k || out->of_node[k->node] || !requires_come_before(&set->records[i], i))
			return jic_fail(err, JIC_EPROTOCOL,
			                "server's answer to resolve is not a set of what was asked for");
		out->node_of[i] = k->node;
		out->of_node[k->node] = &set->records[i];
	}
	out->records = set->records;
	out->count = set->records_count;
	return true;
}

bool jic_offer_get(struct jic_session *s, struct jic_connection *c, size_t runtimes, struct jic_arena *arena,
                   struct jic_offer *out, struct jic_error *err)
{
	*out = (struct jic_offer){.of_node = jic_arena_array(arena, s->graph.count + 1, sizeof *out->of_node)};
	struct jic_digest *keys = jic_arena_array(arena, s->graph.count + 1, sizeof *keys);
	if (!out->of_node || !keys)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	size_t count = shared_keys(&s->graph, keys);
	struct jic_msg_resolved resolved;
	if (count == 0)
		return true;
	if (!ask(s, c, runtimes, keys, count, arena, &resolved, err))
		return false;
	const struct jic_msg_set *set = best_set(&resolved);
	if (!set)
		return true;
	out->runtime = runtime_of(s, set->runtime);
	out->runtime_id = set->runtime;
	if (!out->runtime)
		return jic_fail(err, JIC_EPROTOCOL, "server answered for a runtime that was not asked for");
	return match(&s->graph, set, arena, out, err);
}
