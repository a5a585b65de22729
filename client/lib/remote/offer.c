/* The resolve request and the choice among the sets that come back. A set is used whole: mixing two would not be
 * coherent. */
#include "client/lib/remote/offer.h"

#include "client/lib/remote/kindred.h"

static size_t shared_keys(const struct jic_graph *g, struct jic_digest *keys)
{
	size_t count = 0;
	for (size_t i = 0; i < g->count; i++)
		if (g->nodes[i].state == JIC_STATE_SHARED)
			keys[count++] = g->nodes[i].key;
	return count;
}

/* What the keys are, for the server's pages. Without memory they get none: nothing depends on it. */
static const struct jic_msg_want *describe(const struct jic_graph *g, size_t count, struct jic_arena *arena)
{
	struct jic_msg_want *wants = jic_arena_array(arena, count + 1, sizeof *wants);
	uint32_t *position = jic_arena_array(arena, g->count + 1, sizeof *position); /* of a node's key, plus 1 */
	size_t next = 0;
	for (size_t i = 0; wants && position && i < g->count; i++) {
		const struct jic_node *n = &g->nodes[i];
		if (n->state != JIC_STATE_SHARED)
			continue;
		uint32_t *deps = jic_arena_array(arena, n->deps_count + 1, sizeof *deps);
		struct jic_msg_want *want = &wants[next];
		*want = (struct jic_msg_want){.name = n->inputs.name,
		                              .version = n->version,
		                              .uuid = n->inputs.uuid,
		                              .optional = n->optional,
		                              .deps = deps};
		/* Nodes are ordered dependencies first; what is not shared has no key to point to. */
		for (size_t j = 0; deps && j < n->deps_count; j++)
			if (position[n->deps[j]])
				deps[want->deps_count++] = position[n->deps[j]] - 1;
		position[i] = (uint32_t)++next;
	}
	return next == count ? wants : NULL;
}

static bool ask(struct jic_session *s, struct jic_connection *c, enum jic_offer_purpose purpose,
                const struct jic_digest *keys, size_t count, const struct jic_build_id *have, size_t have_count,
                struct jic_arena *arena, struct jic_msg_resolved *out, struct jic_error *err)
{
	static const char *const purposes[] = {
	    [JIC_OFFER_PULL] = "pull", [JIC_OFFER_PUSH] = "push", [JIC_OFFER_LOOK] = "look"};
	const struct jic_msg_want *nodes = purpose == JIC_OFFER_PULL ? describe(&s->graph, count, arena) : NULL;
	struct jic_msg_resolve request = {
	    .lane = jic_view_of(s->settings.lane),
	    .sysimage = s->facts.sysimage,
	    .runtimes = s->runtime_ids,
	    .runtimes_count = purpose == JIC_OFFER_PUSH ? 1 : s->runtimes_count,
	    .keys = keys,
	    .keys_count = count,
	    .signers = s->trust.signers,
	    .signers_count = purpose == JIC_OFFER_PUSH ? 0 : s->trust.count,
	    .purpose = jic_view_of(purposes[purpose]),
	    .nodes = nodes,
	    .nodes_count = nodes ? count : 0,
	    .have = have,
	    .have_count = have_count,
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

static size_t local_builds(const struct jic_locals *locals, struct jic_build_id *out)
{
	size_t count = 0;
	for (size_t i = 0; locals && i < locals->count && count < JIC_MESSAGE_KEYS_MAX; i++)
		if (locals->items[i].path.len)
			out[count++] = locals->items[i].build_id;
	return count;
}

static bool note_recalled(const struct jic_session *s, const struct jic_msg_resolved *resolved, struct jic_arena *arena,
                          struct jic_offer *out, struct jic_error *err)
{
	if (!resolved->recalled_count || !out->locals)
		return true;
	out->recalled = jic_arena_array(arena, s->graph.count + 1, sizeof *out->recalled);
	if (!out->recalled)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < out->locals->count; i++)
		for (size_t k = 0; k < resolved->recalled_count && out->locals->items[i].path.len; k++)
			if (jic_build_id_eq(resolved->recalled[k], out->locals->items[i].build_id))
				out->recalled[i] = true;
	return true;
}

/* Several sets may have something of one node that is not accepted; the first reason is told. */
static bool note_distrusted(const struct jic_session *s, const struct jic_distrusted *list, size_t count,
                            struct jic_arena *arena, struct jic_offer *out, struct jic_error *err)
{
	size_t nodes_count;
	const struct keyed *nodes = sorted_nodes(&s->graph, arena, &nodes_count);
	struct jic_view *reasons = jic_arena_array(arena, s->graph.count + 1, sizeof *reasons);
	if (!nodes || !reasons)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const struct keyed wanted = {.key = list[i].key};
		const struct keyed *k = bsearch(&wanted, nodes, nodes_count, sizeof *nodes, keyed_cmp);
		if (k && !out->of_node[k->node] && !reasons[k->node].len)
			reasons[k->node] = list[i].reason;
	}
	out->distrusted = reasons;
	return true;
}

static bool choose_set(struct jic_session *s, const struct jic_msg_resolved *resolved, struct jic_arena *arena,
                       struct jic_offer *out, struct jic_error *err)
{
	const struct jic_msg_set *set = best_set(resolved);
	if (!set || !set->records_count)
		return true;
	out->runtime = runtime_of(s, set->runtime);
	out->runtime_id = set->runtime;
	if (!out->runtime)
		return jic_fail(err, JIC_EPROTOCOL, "server answered for a runtime that was not asked for");
	return match(&s->graph, set, arena, out, err);
}

static bool get(struct jic_session *s, struct jic_connection *c, enum jic_offer_purpose purpose,
                struct jic_arena *arena, struct jic_offer *out, struct jic_error *err)
{
	*out = (struct jic_offer){.locals = out->locals,
	                          .of_node = jic_arena_array(arena, s->graph.count + 1, sizeof *out->of_node)};
	const struct jic_distrusted *distrusted = NULL;
	size_t distrusted_count = 0;
	struct jic_digest *keys = jic_arena_array(arena, s->graph.count + 1, sizeof *keys);
	struct jic_build_id *have = jic_arena_array(arena, s->graph.count + 1, sizeof *have);
	if (!out->of_node || !keys || !have)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	size_t count = shared_keys(&s->graph, keys);
	struct jic_msg_resolved resolved;
	if (count == 0)
		return true;
	if (!ask(s, c, purpose, keys, count, have, local_builds(out->locals, have), arena, &resolved, err) ||
	    (purpose != JIC_OFFER_PUSH &&
	     !jic_trust_filter(&s->trust, &s->facts.sysimage, arena, &resolved, &distrusted, &distrusted_count, err)))
		return false;
	return choose_set(s, &resolved, arena, out, err) &&
	       note_distrusted(s, distrusted, distrusted_count, arena, out, err) &&
	       note_recalled(s, &resolved, arena, out, err);
}

bool jic_offer_get(struct jic_session *s, struct jic_connection *c, enum jic_offer_purpose purpose,
                   struct jic_arena *arena, struct jic_offer *out, struct jic_error *err)
{
	if (!get(s, c, purpose, arena, out, err))
		return false;
	/* Where something is missing there may be images that run here though nobody here would think of them. */
	return purpose == JIC_OFFER_PUSH || !jic_kindred_find(s, c, out) || get(s, c, purpose, arena, out, err);
}
