/* Dependents are found by looking at every artefact of the lane and space: as in withdraw.c there is no table of them.
 */
#include "server/store/about.h"

#include "server/store/internal.h"
#include "server/store/select.h"

struct look {
	struct jic_index_txn *txn;
	struct jic_arena *arena;
	const struct jic_lane *lanes;
	size_t lanes_count;
	uint64_t space;
	const struct jic_lane *lane; /* that holds it */
};

static void look_clear(struct look *l)
{
	jic_index_txn_end(l->txn);
}

static bool find_artefact(struct look *l, const struct jic_digest *key, struct jic_about *out, struct jic_error *err)
{
	for (size_t i = 0; i < l->lanes_count && !out->artefact; i++) {
		l->lane = &l->lanes[i];
		if (!l->txn->ops->artefacts_find(l->txn, l->lane, l->space, key, 1, l->arena, &out->artefact, err))
			return false;
	}
	return out->artefact || jic_fail(err, JIC_ENOTFOUND, "there is no artefact under this address");
}

static bool find_offered(const struct look *l, const struct jic_digest *key, struct jic_about *out,
                         struct jic_error *err)
{
	const struct jic_lookup lookup = {
	    .txn = l->txn, .arena = l->arena, .lanes = l->lanes, .lanes_count = l->lanes_count, .space = l->space};
	const struct jic_key_set keys = {.keys = key, .count = 1};
	struct jic_selection selection;
	if (!jic_select_closed(&lookup, &keys, &selection, err))
		return false;
	out->offered = jic_selection_find(&selection, key) != NULL;
	return true;
}

/* Names of keys, each from the first lane of the chain that has it. */
static bool name_keys(const struct look *l, const struct jic_digest *keys, size_t count,
                      const struct jic_about_other **out, struct jic_error *err)
{
	struct jic_about_other *others = jic_arena_array(l->arena, count + 1, sizeof *others);
	const struct jic_index_artefact **rows = jic_arena_array(l->arena, count + 1, sizeof *rows);
	if (!others || !rows)
		return jic_fail(err, JIC_EMEMORY, "about: out of memory");
	for (size_t i = 0; i < count; i++)
		others[i].key = keys[i];
	for (size_t i = 0; i < l->lanes_count; i++) {
		if (!l->txn->ops->artefacts_find(l->txn, &l->lanes[i], l->space, keys, count, l->arena, rows, err))
			return false;
		for (size_t j = 0; j < count; j++) {
			if (!rows[j] || others[j].name.len)
				continue;
			others[j].name = rows[j]->record.name;
			others[j].version = rows[j]->record.version;
		}
	}
	*out = others;
	return true;
}

static int compare_numbers(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
	return (a > b) - (a < b);
}

/* In its own lane and in the reader's: what other lanes built on it is theirs to know. */
static bool find_dependents(const struct look *l, struct jic_about *out, struct jic_error *err)
{
	const struct jic_index_artefact *a = out->artefact;
	const struct jic_lane *reader = &l->lanes[l->lanes_count - 1];
	struct jic_key_set all = {0};
	uint32_t *modules = jic_arena_array(l->arena, a->provides_count + 1, sizeof *modules);
	if (!modules)
		return jic_fail(err, JIC_EMEMORY, "about: out of memory");
	memcpy(modules, a->provides, a->provides_count * sizeof *modules);
	qsort(modules, a->provides_count, sizeof *modules, compare_numbers);
	const struct jic_lane *const lanes[] = {l->lane, reader};
	for (size_t i = 0; i < (l->lane == reader ? 1 : 2); i++) {
		struct jic_key_set found;
		const struct jic_digest *keys;
		size_t count;
		if (!l->txn->ops->requirers_list(l->txn, lanes[i]->id, l->space, modules, a->provides_count, l->arena,
		                                 &keys, &count, err))
			return false;
		if (!jic_key_set_of(l->arena, keys, count, &found) || !jic_key_set_union(l->arena, &all, &found, &all))
			return jic_fail(err, JIC_EMEMORY, "about: out of memory");
	}
	out->dependents_count = all.count;
	return name_keys(l, all.keys, all.count < JIC_ABOUT_DEPENDENTS_MAX ? all.count : JIC_ABOUT_DEPENDENTS_MAX,
	                 &out->dependents, err);
}

bool jic_store_about(struct jic_store *s, struct jic_view lane, struct jic_view runtime,
                     const struct jic_digest *sysimage, const struct jic_digest *key, struct jic_arena *arena,
                     struct jic_about *out, struct jic_error *err)
{
	*out = (struct jic_about){0};
	JIC_CLEAR(look) struct look l = {.arena = arena};
	l.txn = s->index->ops->begin(s->index, JIC_INDEX_READ, err);
	if (!l.txn || !l.txn->ops->lane_chain(l.txn, lane, arena, &l.lanes, &l.lanes_count, err) ||
	    !l.txn->ops->space_find(l.txn, runtime, sysimage, &l.space, err))
		return false;
	if (!find_artefact(&l, key, out, err) || !find_offered(&l, key, out, err) ||
	    !l.txn->ops->origin_find(l.txn, l.lane, l.space, key, arena, &out->origin, err))
		return false;
	const struct jic_node_inputs *inputs = &out->origin.stored.inputs;
	out->deps_count = inputs->deps_count;
	return name_keys(&l, inputs->deps, inputs->deps_count, &out->deps, err) && find_dependents(&l, out, err);
}
