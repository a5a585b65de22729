#include "client/lib/depot/candidates.h"

static bool finds_by_id(const struct jic_facts *f)
{
	return jic_julia_at_least(f->version, 1, 8, 0);
}

/* ---- order */

static int newest_first(const struct jic_candidate *a, const struct jic_candidate *b)
{
	return (a->mtime < b->mtime) - (a->mtime > b->mtime);
}

static int by_depot_and_name(const struct jic_candidate *a, const struct jic_candidate *b)
{
	if (a->depot != b->depot)
		return a->depot < b->depot ? -1 : 1;
	return jic_view_cmp(a->file_name, b->file_name);
}

/* Julia takes what was compiled with higher levels or for other processors, too; but a set of its very own is the one
 * that it would make. */
static int own_first(const struct jic_candidate *a, const struct jic_candidate *b)
{
	return (int)b->own - (int)a->own;
}

static int compare(const void *x, const void *y, void *context)
{
	const struct jic_candidate *a = x, *b = y;
	const struct jic_facts *f = context;
	int order = 0;
	if (jic_julia_at_least(f->version, 1, 11, 0) && jic_facts_loads_images(f))
		order = (int)jic_ji_flags_pkgimages(b->flags) - (int)jic_ji_flags_pkgimages(a->flags);
	if (!order)
		order = own_first(a, b);
	if (!order && jic_julia_at_least(f->version, 1, 6, 0))
		order = newest_first(a, b);
	return order ? order : by_depot_and_name(a, b);
}

void jic_candidates_sort(const struct jic_facts *f, struct jic_candidate_list *list)
{
	struct jic_facts context = *f;
	if (list->count > 1)
		qsort_r(list->items, list->count, sizeof *list->items, compare, &context);
}

/* ---- what is not there can't be needed */

static const struct jic_candidate *find_id(const struct jic_candidate_list *list, struct jic_build_id id)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].ok && jic_build_id_eq(list->items[i].build_id, id))
			return &list->items[i];
	return NULL;
}

static bool needs_are_there(const struct jic_candidate_list *lists, const struct jic_candidate *c)
{
	for (size_t i = 0; i < c->needs_count; i++)
		if (!find_id(&lists[c->needs[i].node], c->needs[i].build_id))
			return false;
	return true;
}

/* Strike out files whose needs are not there, until nothing changes. Each round strikes at least one, and nodes come
 * dependencies first, so it is two rounds unless extensions are involved. */
static void strike_out(const struct jic_graph *g, const struct jic_candidate_list *lists)
{
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t n = 0; n < g->count; n++)
			for (size_t i = 0; i < lists[n].count; i++) {
				struct jic_candidate *c = &lists[n].items[i];
				if (!c->ok || needs_are_there(lists, c))
					continue;
				c->ok = false;
				changed = true;
			}
	}
}

/* Up to 1.7 only the first file of each node counts. */
static void mark_all(const struct jic_graph *g, const struct jic_candidate_list *lists)
{
	const bool all = finds_by_id(g->facts);
	for (size_t n = 0; n < g->count; n++)
		for (size_t i = 0; i < lists[n].count; i++)
			lists[n].items[i].ok = all || i == 0;
}

/* ---- who chooses first */

struct rank {
	uint32_t node;
	uint32_t closure;
};

static uint32_t closure_count(const struct jic_graph *g, const struct jic_node *n)
{
	uint32_t count = 0;
	for (size_t i = 0; n->closure && i < g->closure_words; i++)
		count += (uint32_t)__builtin_popcountll(n->closure[i]);
	return count;
}

static int largest_first(const void *x, const void *y)
{
	const struct rank *a = x, *b = y;
	if (a->closure != b->closure)
		return a->closure > b->closure ? -1 : 1;
	return a->node < b->node ? -1 : a->node > b->node;
}

static struct rank *ranks(const struct jic_graph *g)
{
	struct rank *r = calloc(g->count ? g->count : 1, sizeof *r);
	for (size_t i = 0; r && i < g->count; i++)
		r[i] = (struct rank){.node = (uint32_t)i, .closure = closure_count(g, &g->nodes[i])};
	if (r)
		qsort(r, g->count, sizeof *r, largest_first);
	return r;
}

static bool agrees(const struct jic_candidate *c, const struct jic_candidate *const *chosen)
{
	for (size_t i = 0; i < c->needs_count; i++) {
		const struct jic_candidate *other = chosen[c->needs[i].node];
		if (other && !jic_build_id_eq(other->build_id, c->needs[i].build_id))
			return false;
	}
	return true;
}

static void choose_for(uint32_t node, const struct jic_candidate_list *lists, const struct jic_candidate **chosen)
{
	const struct jic_candidate_list *list = &lists[node];
	for (size_t i = 0; i < list->count && !chosen[node]; i++) {
		const struct jic_candidate *c = &list->items[i];
		if (!c->ok || !agrees(c, chosen))
			continue;
		chosen[node] = c;
		for (size_t k = 0; k < c->needs_count; k++)
			chosen[c->needs[k].node] = find_id(&lists[c->needs[k].node], c->needs[k].build_id);
	}
}

bool jic_candidates_choose(const struct jic_graph *g, const struct jic_candidate_list *lists,
                           const struct jic_candidate **chosen, struct jic_error *err)
{
	jic_autofree struct rank *order = ranks(g);
	if (!order)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	mark_all(g, lists);
	strike_out(g, lists);
	memset(chosen, 0, g->count * sizeof(struct jic_candidate *));
	for (size_t i = 0; i < g->count; i++)
		if (!chosen[order[i].node])
			choose_for(order[i].node, lists, chosen);
	return true;
}
