/*
 * What is loaded when a node is compiled: its dependencies with all that these load, and the extensions of loaded
 * packages whose triggers are all loaded. Which extensions the compilation of an extension itself loads differs
 * (base/loading.jl):
 *
 *     1.9 to 1.11.0      all of them, except itself
 *     1.11.1, 1.11.2     none
 *     1.11.3 and later   those whose parent and triggers are a strict subset of its own
 *
 * The node being compiled is not loaded: an extension that needs it would have to exist before it.
 * A trigger in the system image counts as loaded; in 1.11.0 to 1.11.2 only when a package asked for it.
 */
#include "client/lib/graph/graph_build.h"

struct connecting {
	struct jic_builder *b;
	size_t words;
	uint64_t *sysimage; /* bit set: modules that count as loaded from the start */
	uint32_t *found;    /* scratch: extensions of one node */
};

static bool has(const uint64_t *set, size_t i)
{
	return set[i / 64] >> (i % 64) & 1;
}

static void put(uint64_t *set, size_t i)
{
	set[i / 64] |= (uint64_t)1 << (i % 64);
}

static void unite(uint64_t *into, const uint64_t *from, size_t words)
{
	for (size_t w = 0; w < words; w++)
		into[w] |= from[w];
}

static const struct jic_draft *draft_at(const struct jic_builder *b, size_t position)
{
	return &b->drafts[b->order[position]];
}

static bool connect_deps(struct connecting *c, size_t position)
{
	struct jic_node *n = &c->b->out->nodes[position];
	const struct jic_draft *d = draft_at(c->b, position);
	uint64_t *closure = jic_arena_array(c->b->arena, c->words, sizeof(*closure));
	uint32_t *deps = jic_arena_array(c->b->arena, d->deps_count + 1, sizeof(*deps));
	if (!closure || !deps)
		return false;
	for (size_t i = 0; i < d->deps_count; i++) {
		deps[i] = c->b->drafts[d->deps[i]].position;
		put(closure, deps[i]);
		unite(closure, c->b->out->nodes[deps[i]].closure, c->words);
	}
	n->deps = deps;
	n->deps_count = d->deps_count;
	n->closure = closure;
	return true;
}

static bool is_strict_subset(const struct jic_node *small, const struct jic_node *large)
{
	for (size_t i = 0; i < small->deps_count; i++) {
		bool found = false;
		for (size_t k = 0; k < large->deps_count && !found; k++)
			found = small->deps[i] == large->deps[k];
		if (!found)
			return false;
	}
	return small->deps_count < large->deps_count;
}

/* Parent and triggers of `x` loaded, when what is in `closure` is? Its parent must have been imported. */
static bool is_triggered(const struct connecting *c, const struct jic_node *x, const uint64_t *closure)
{
	for (size_t i = 0; i < x->deps_count; i++) {
		if (!has(closure, x->deps[i]) && (i == 0 || !has(c->sysimage, x->deps[i])))
			return false;
	}
	return true;
}

static bool loads_beside(const struct connecting *c, size_t position, size_t extension)
{
	const struct jic_node *n = &c->b->out->nodes[position], *x = &c->b->out->nodes[extension];
	struct jic_julia_version v = c->b->facts->version;
	if (position == extension || !is_triggered(c, x, n->closure))
		return false;
	if (!draft_at(c->b, position)->extension || !jic_julia_at_least(v, 1, 11, 1))
		return true;
	return jic_julia_at_least(v, 1, 11, 3) && is_strict_subset(x, n);
}

static bool connect_extensions(struct connecting *c, size_t position, const uint32_t *extensions, size_t count)
{
	struct jic_node *n = &c->b->out->nodes[position];
	size_t found = 0;
	if (draft_at(c->b, position)->in_sysimage)
		return true;
	for (size_t i = 0; i < count; i++) {
		if (loads_beside(c, position, extensions[i]))
			c->found[found++] = extensions[i];
	}
	uint32_t *own = found ? jic_arena_array(c->b->arena, found, sizeof(*own)) : NULL;
	if (found && !own)
		return false;
	for (size_t i = 0; i < found; i++)
		own[i] = c->found[i];
	n->extensions = own;
	n->extensions_count = found;
	return true;
}

/* Second round: a dependency brings the extensions that it was compiled with. */
static void close_extensions(struct connecting *c, size_t position)
{
	struct jic_node *n = &c->b->out->nodes[position];
	uint64_t *closure;
	memcpy(&closure, &n->closure, sizeof(closure)); /* ours until the graph is done */
	for (size_t i = 0; i < n->deps_count; i++)
		unite(closure, c->b->out->nodes[n->deps[i]].closure, c->words);
	for (size_t i = 0; i < n->extensions_count; i++)
		put(closure, n->extensions[i]);
}

static bool counts_as_loaded(const struct jic_builder *b, size_t position)
{
	bool explicit_only =
	    jic_julia_at_least(b->facts->version, 1, 11, 0) && !jic_julia_at_least(b->facts->version, 1, 11, 3);
	return draft_at(b, position)->in_sysimage && !explicit_only;
}

bool jic_graph_connect(struct jic_builder *b, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena scratch = {0};
	struct connecting c = {.b = b, .words = (b->count + 63) / 64 + !b->count};
	uint32_t *extensions = jic_arena_array(&scratch, b->count + 1, sizeof(*extensions));
	size_t count = 0;
	bool ok = true;
	c.sysimage = jic_arena_array(&scratch, c.words, sizeof(*c.sysimage));
	c.found = jic_arena_array(&scratch, b->count + 1, sizeof(*c.found));
	b->out->nodes = jic_arena_array(b->arena, b->count + 1, sizeof(*b->out->nodes));
	b->out->count = b->count;
	b->out->closure_words = c.words;
	if (scratch.failed || !extensions || !b->out->nodes)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; ok && i < b->count; i++) {
		ok = connect_deps(&c, i);
		if (draft_at(b, i)->extension)
			extensions[count++] = (uint32_t)i;
		if (counts_as_loaded(b, i))
			put(c.sysimage, i);
	}
	for (size_t i = 0; ok && i < b->count; i++)
		ok = connect_extensions(&c, i, extensions, count);
	for (size_t i = 0; ok && i < b->count; i++)
		close_extensions(&c, i);
	return ok || jic_fail(err, JIC_EMEMORY, "out of memory");
}
