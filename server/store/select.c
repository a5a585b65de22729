/*
 * An artefact's list of requirements holds all that was loaded when it was compiled, so it is longer than that of
 * anything it requires: sorted by length, dependencies come first, and one pass settles everything that can be offered.
 * Nothing relies on that: passes are repeated until one settles nothing.
 */
#include "server/store/select.h"

#include "common/buf.h"

bool jic_lookup_has_lane(const struct jic_lookup *lookup, uint64_t lane_id)
{
	for (size_t i = 0; i < lookup->lanes_count; i++)
		if (lookup->lanes[i].id == lane_id)
			return true;
	return false;
}

const struct jic_index_artefact *jic_selection_find(const struct jic_selection *s, const struct jic_digest *key)
{
	size_t i = jic_key_set_find(&s->keys, key);
	return i == SIZE_MAX ? NULL : s->offered[i];
}

static bool out_of_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "selection: out of memory");
}

bool jic_select_keys(struct jic_index_txn *t, uint64_t lane, uint64_t space, struct jic_arena *arena,
                     struct jic_key_set *out, struct jic_error *err)
{
	enum { PAGE = 1024 };
	JIC_CLEAR(jic_buf) struct jic_buf all = {0};
	const struct jic_digest *page, *last = NULL;
	size_t count = PAGE;
	while (count == PAGE) {
		if (!t->ops->keys_list(t, lane, space, last, PAGE, arena, &page, &count, err))
			return false;
		jic_buf_put(&all, page, count * sizeof *page);
		last = count ? &page[count - 1] : NULL;
	}
	const struct jic_digest *list = (const void *)all.ptr;
	return jic_buf_ok(&all, err) &&
	       (jic_key_set_of(arena, list, all.len / sizeof *list, out) || out_of_memory(err));
}

static int compare_requirements(const void *pa, const void *pb)
{
	const struct jic_index_artefact *a = *(const struct jic_index_artefact *const *)pa;
	const struct jic_index_artefact *b = *(const struct jic_index_artefact *const *)pb;
	int order = (a->requires_count > b->requires_count) - (a->requires_count < b->requires_count);
	return order ? order : jic_digest_cmp(&a->record.key, &b->record.key);
}

static bool is_met(const struct jic_selection *s, const struct jic_index_artefact *a)
{
	for (size_t i = 0; i < a->requires_count; i++)
		if (!jic_module_map_get(&s->modules, a->requires_[i], NULL))
			return false;
	return true;
}

static bool offer(struct jic_selection *s, const struct jic_index_artefact *a)
{
	for (size_t i = 0; i < a->provides_count; i++)
		if (!jic_module_map_put(&s->modules, a->provides[i], (uint32_t)s->ordered_count))
			return false;
	s->offered[jic_key_set_find(&s->keys, &a->record.key)] = a;
	s->ordered[s->ordered_count++] = a;
	return true;
}

/* One pass over `rows`; those that stay open are moved to the front. @param[in,out] count how many are open */
static bool settle(struct jic_selection *s, const struct jic_index_artefact **rows, size_t *count)
{
	size_t open = 0;
	for (size_t i = 0; i < *count; i++) {
		if (!is_met(s, rows[i]))
			rows[open++] = rows[i];
		else if (!offer(s, rows[i]))
			return false;
	}
	*count = open;
	return true;
}

static size_t open_keys(const struct jic_selection *s, struct jic_digest *out)
{
	size_t count = 0;
	for (size_t i = 0; i < s->keys.count; i++)
		if (!s->offered[i])
			out[count++] = s->keys.keys[i];
	return count;
}

static bool is_wanted(const struct jic_lookup *lookup, const struct jic_index_artefact *a)
{
	for (size_t i = 0; a->record.has_signature && i < lookup->signers_count; i++)
		if (jic_digest_eq(&lookup->signers[i], &a->record.signature.key))
			return true;
	return lookup->signers_count == 0;
}

static void leave_out(struct jic_selection *s, const struct jic_index_artefact *a)
{
	const struct jic_index_artefact **place = &s->left_out[jic_key_set_find(&s->keys, &a->record.key)];
	if (!*place)
		*place = a;
}

static bool select_lane(const struct jic_lookup *lookup, const struct jic_lane *lane, struct jic_selection *s,
                        struct jic_digest *keys, const struct jic_index_artefact **rows, struct jic_error *err)
{
	size_t asked = open_keys(s, keys);
	if (!lookup->txn->ops->artefacts_find(lookup->txn, lane, lookup->space, keys, asked, lookup->arena, rows, err))
		return false;
	size_t count = 0;
	for (size_t i = 0; i < asked; i++) {
		if (rows[i] && !is_wanted(lookup, rows[i]))
			leave_out(s, rows[i]);
		else if (rows[i])
			rows[count++] = rows[i];
	}
	qsort(rows, count, sizeof *rows, compare_requirements);
	size_t before;
	do {
		before = count;
		if (!settle(s, rows, &count))
			return out_of_memory(err);
	} while (count && count < before);
	return true;
}

bool jic_select(const struct jic_lookup *lookup, const struct jic_key_set *keys, struct jic_selection *out,
                struct jic_error *err)
{
	struct jic_arena *arena = lookup->arena;
	*out = (struct jic_selection){.keys = *keys, .modules.arena = arena};
	out->offered = jic_arena_array(arena, keys->count + 1, sizeof *out->offered);
	out->ordered = jic_arena_array(arena, keys->count + 1, sizeof *out->ordered);
	out->left_out = jic_arena_array(arena, keys->count + 1, sizeof *out->left_out);
	struct jic_digest *asked = jic_arena_array(arena, keys->count + 1, sizeof *asked);
	const struct jic_index_artefact **rows = jic_arena_array(arena, keys->count + 1, sizeof *rows);
	if (!out->offered || !out->ordered || !out->left_out || !asked || !rows)
		return out_of_memory(err);
	for (size_t i = 0; i < lookup->lanes_count; i++)
		if (!select_lane(lookup, &lookup->lanes[i], out, asked, rows, err))
			return false;
	return true;
}

/* ---- the closure: keys whose artefacts provide what other keys' artefacts require */

struct closure {
	const struct jic_lookup *lookup;
	struct jic_module_map seen; /* modules that were looked up */
};

static bool note_unseen(struct closure *c, const struct jic_index_artefact *a, struct jic_buf *numbers)
{
	for (size_t i = 0; i < a->requires_count; i++) {
		if (jic_module_map_get(&c->seen, a->requires_[i], NULL))
			continue;
		jic_buf_put(numbers, &a->requires_[i], sizeof a->requires_[i]);
		if (!jic_module_map_put(&c->seen, a->requires_[i], 0))
			return false;
	}
	return true;
}

/* Numbers of modules that artefacts at `keys`, in whatever lane of the lookup, require and that were not seen before.
 */
static bool requirements_of(struct closure *c, const struct jic_key_set *keys, struct jic_buf *numbers,
                            struct jic_error *err)
{
	const struct jic_lookup *lookup = c->lookup;
	const struct jic_index_artefact **rows = jic_arena_array(lookup->arena, keys->count + 1, sizeof *rows);
	if (!rows)
		return out_of_memory(err);
	for (size_t lane = 0; lane < lookup->lanes_count; lane++) {
		if (!lookup->txn->ops->artefacts_find(lookup->txn, &lookup->lanes[lane], lookup->space, keys->keys,
		                                      keys->count, lookup->arena, rows, err))
			return false;
		for (size_t i = 0; i < keys->count; i++)
			if (rows[i] && !note_unseen(c, rows[i], numbers))
				return out_of_memory(err);
	}
	return jic_buf_ok(numbers, err);
}

static bool providers_of(struct closure *c, struct jic_view numbers, struct jic_key_set *out, struct jic_error *err)
{
	const struct jic_lookup *lookup = c->lookup;
	size_t count = numbers.len / sizeof(uint32_t), found_count, n = 0;
	const struct jic_index_provider *found;
	struct jic_index_module *modules = jic_arena_array(lookup->arena, count + 1, sizeof *modules);
	if (!modules)
		return out_of_memory(err);
	if (!lookup->txn->ops->modules_get(lookup->txn, (const void *)numbers.ptr, count, modules, err) ||
	    !lookup->txn->ops->providers(lookup->txn, lookup->space, modules, count, lookup->arena, &found,
	                                 &found_count, err))
		return false;
	struct jic_digest *keys = jic_arena_array(lookup->arena, found_count + 1, sizeof *keys);
	if (!keys)
		return out_of_memory(err);
	for (size_t i = 0; i < found_count; i++)
		if (jic_module_map_get(&c->seen, found[i].module, NULL) &&
		    jic_lookup_has_lane(lookup, found[i].lane_id))
			keys[n++] = found[i].key;
	return jic_key_set_of(lookup->arena, keys, n, out) || out_of_memory(err);
}

bool jic_select_closed(const struct jic_lookup *lookup, const struct jic_key_set *keys, struct jic_selection *out,
                       struct jic_error *err)
{
	struct closure c = {.lookup = lookup, .seen.arena = lookup->arena};
	struct jic_key_set all = *keys, frontier = *keys;
	while (frontier.count) {
		JIC_CLEAR(jic_buf) struct jic_buf numbers = {0};
		struct jic_key_set found;
		if (!requirements_of(&c, &frontier, &numbers, err) ||
		    !providers_of(&c, jic_buf_view(&numbers), &found, err))
			return false;
		if (!jic_key_set_minus(lookup->arena, &found, &all, &frontier) ||
		    !jic_key_set_union(lookup->arena, &all, &frontier, &all))
			return out_of_memory(err);
	}
	return jic_select(lookup, &all, out, err);
}
