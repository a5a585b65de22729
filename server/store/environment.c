/* The same selection as a resolve's; what it leaves out is explained as a miss. */
#include "server/store/environment.h"

#include "server/store/internal.h"
#include "server/store/pack.h"

struct look {
	struct jic_index_txn *txn;
	struct jic_arena *arena;
	struct jic_environment *out;
	struct jic_miss_asker asker;
	struct jic_environment_node *nodes;
};

static void look_clear(struct look *l)
{
	jic_index_txn_end(l->txn);
}

static bool find_lane(struct look *l, struct jic_store *s, struct jic_error *err)
{
	const struct jic_lane *lanes;
	size_t count;
	if (!s->index->ops->lane_list(s->index, l->arena, &lanes, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (lanes[i].id == l->out->row.lane_id)
			l->out->lane = lanes[i].name;
	return l->out->lane.len || jic_fail(err, JIC_ENOTFOUND, "no such environment was asked for lately");
}

static bool find_spaces(struct look *l, struct jic_error *err)
{
	uint64_t space;
	struct jic_error why = {0};
	const struct jic_index_environment *row = &l->out->row;
	if (l->txn->ops->space_find(l->txn, row->runtime, &row->sysimage, &space, &why)) {
		l->asker.spaces[l->asker.spaces_count++] = space;
		return true;
	}
	return why.code == JIC_ENOTFOUND || jic_fail(err, why.code, "%s", why.text);
}

static bool unpack(struct look *l, struct jic_error *err)
{
	const struct jic_digest *keys;
	const struct jic_msg_want *wants;
	size_t count;
	if (!jic_unpack_wants(l->out->row.nodes, l->arena, &keys, &wants, &count, err))
		return false;
	l->nodes = jic_arena_array(l->arena, count + 1, sizeof *l->nodes);
	if (!l->nodes)
		return jic_fail(err, JIC_EMEMORY, "environment: out of memory");
	for (size_t i = 0; i < count; i++)
		l->nodes[i] =
		    (struct jic_environment_node){.key = keys[i], .want = wants[i], .state = JIC_ENVIRONMENT_MISSING};
	l->out->nodes = l->nodes;
	l->out->nodes_count = count;
	return true;
}

static void take_record(const struct jic_msg_record *r, struct jic_environment_node *node)
{
	node->state = JIC_ENVIRONMENT_STORED;
	node->lane = r->lane;
	node->bytes = r->ji.size + (r->has_image ? r->image.size : 0);
	node->compile_ms = r->compile_ms;
	if (node->want.name.len)
		return;
	node->want.name = r->name;
	node->want.version = r->version;
	node->want.uuid = r->uuid;
}

static bool select_nodes(struct look *l, struct jic_error *err)
{
	struct jic_digest *keys = jic_arena_array(l->arena, l->out->nodes_count + 1, sizeof *keys);
	struct jic_key_set set;
	struct jic_selection selection;
	if (!keys)
		return jic_fail(err, JIC_EMEMORY, "environment: out of memory");
	for (size_t i = 0; i < l->out->nodes_count; i++)
		keys[i] = l->nodes[i].key;
	if (!jic_key_set_of(l->arena, keys, l->out->nodes_count, &set))
		return jic_fail(err, JIC_EMEMORY, "environment: out of memory");
	const struct jic_lookup lookup = {.txn = l->txn,
	                                  .arena = l->arena,
	                                  .lanes = l->asker.lanes,
	                                  .lanes_count = l->asker.lanes_count,
	                                  .space = l->asker.spaces[0]};
	if (!jic_select(&lookup, &set, &selection, err))
		return false;
	for (size_t i = 0; i < l->out->nodes_count; i++) {
		const struct jic_index_artefact *a = jic_selection_find(&selection, &l->nodes[i].key);
		if (a)
			take_record(&a->record, &l->nodes[i]);
	}
	return true;
}

static bool explain_rest(struct look *l, struct jic_error *err)
{
	for (size_t i = 0; i < l->out->nodes_count; i++) {
		struct jic_environment_node *node = &l->nodes[i];
		if (node->state == JIC_ENVIRONMENT_STORED)
			continue;
		if (!jic_miss_find(&l->asker, &node->key, &node->want, &node->miss, err))
			return false;
		if (node->miss.reason == JIC_MISS_SUPERSEDED)
			node->state = JIC_ENVIRONMENT_SUPERSEDED;
	}
	return true;
}

bool jic_store_environment(struct jic_store *s, const struct jic_digest *id, struct jic_arena *arena,
                           struct jic_environment *out, struct jic_error *err)
{
	*out = (struct jic_environment){0};
	JIC_CLEAR(look) struct look l = {.arena = arena, .out = out};
	l.txn = s->index->ops->begin(s->index, JIC_INDEX_READ, err);
	if (!l.txn || !l.txn->ops->views->environment_find(l.txn, id, arena, &out->row, err) || !find_lane(&l, s, err))
		return false;
	l.asker.txn = l.txn;
	l.asker.arena = arena;
	return l.txn->ops->lane_chain(l.txn, out->lane, arena, &l.asker.lanes, &l.asker.lanes_count, err) &&
	       find_spaces(&l, err) && unpack(&l, err) && (!l.asker.spaces_count || select_nodes(&l, err)) &&
	       explain_rest(&l, err);
}
