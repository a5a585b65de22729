#include "client/lib/graph/graph.h"

#include "client/lib/environment/source.h"
#include "client/lib/environment/test_target.h"
#include "client/lib/graph/graph_build.h"
#include "client/lib/memory/memory.h"
#include "common/file.h"

#include <limits.h>

static bool no_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* ---- building */

static bool list_warnings(struct jic_builder *b)
{
	struct jic_view *list = jic_arena_array(b->arena, b->env.warnings->count + 1, sizeof(*list));
	if (!list)
		return false;
	b->out->warnings = list;
	for (const struct jic_warning *w = b->env.warnings->first; w; w = w->next)
		list[b->out->warnings_count++] = w->text;
	return true;
}

static bool index_nodes(struct jic_builder *b)
{
	for (size_t i = 0; i < b->out->count; i++) {
		if (!jic_lookup_add(&b->index->by_uuid, b->arena, jic_hash_uuid(b->out->nodes[i].inputs.uuid),
		                    (uint32_t)i))
			return false;
	}
	return true;
}

/* The active project's manifest: that of the environment which it is, if it is in the stack. */
static struct jic_view active_manifest(const struct jic_environment *e)
{
	for (size_t i = 0; i < e->count; i++) {
		if (e->envs[i].manifest && jic_view_eq(e->envs[i].path, e->active_project))
			return e->envs[i].manifest->file;
	}
	return JIC_VIEW("");
}

static bool open_environment(struct jic_builder *b, const struct jic_graph_options *options, struct jic_error *err)
{
	const char *variable = getenv("JULIA_PROJECT");
	const struct jic_facts *f = b->facts;
	struct jic_environment *e = &b->env;
	if (!jic_environment_open(f, options->project ? options->project : variable, b->arena, e, err))
		return false;
	if (!jic_preferences_open(e->preference_projects, e->preference_projects_count, f->version.major,
	                          f->version.minor, b->arena, &b->index->preferences, err))
		return false;
	if (options->test_target && !jic_test_target_apply(e, &b->index->preferences, err))
		return false;
	b->index->preferences.hashing = f->hashing;
	b->out->project_file = e->active_project;
	b->out->manifest_file = active_manifest(e);
	return true;
}

static bool build(struct jic_builder *b, const struct jic_graph_options *options, struct jic_error *err)
{
	if (!open_environment(b, options, err) || !jic_graph_collect(b, err) || !jic_graph_order(b, err) ||
	    !jic_graph_connect(b, err) || !jic_graph_describe(b, err))
		return false;
	return (index_nodes(b) && list_warnings(b) && !b->arena->failed) || no_memory(err);
}

bool jic_graph_build(const struct jic_facts *facts, const struct jic_graph_options *options, struct jic_arena *arena,
                     struct jic_graph *out, struct jic_error *err)
{
	jic_autofree char *dir = jic_memory_dir(options->memory_dir);
	JIC_AUTO(jic_remembered) struct jic_remembered *memory = jic_remembered_open(dir, "sources");
	struct jic_graph_index *index = JIC_ARENA_NEW(arena, struct jic_graph_index);
	*out = (struct jic_graph){.facts = facts, .index = index};
	if (!memory || !index)
		return no_memory(err);
	struct jic_builder b = {.facts = facts, .arena = arena, .memory = memory, .out = out, .index = index};
	bool ok = build(&b, options, err);
	free(b.drafts);
	if (ok)
		jic_remembered_save(memory);
	return ok;
}

/* ---- questions */

static bool is_node(const struct jic_node *n, struct jic_uuid uuid, struct jic_view name)
{
	return jic_uuid_eq(n->inputs.uuid, uuid) && jic_view_eq(n->inputs.name, name);
}

const struct jic_node *jic_graph_find(const struct jic_graph *g, struct jic_uuid uuid, struct jic_view name)
{
	size_t cursor = 0;
	uint32_t found;
	for (size_t i = 0; !g->index && i < g->count; i++) {
		if (is_node(&g->nodes[i], uuid, name))
			return &g->nodes[i];
	}
	while (g->index && jic_lookup_next(&g->index->by_uuid, jic_hash_uuid(uuid), &cursor, &found)) {
		if (is_node(&g->nodes[found], uuid, name))
			return &g->nodes[found];
	}
	return NULL;
}

/* Does the key of the package itself cover a file below its root? */
static bool covers(const struct jic_node *n, struct jic_view relative)
{
	if (n->inputs.kind == JIC_NODE_STDLIB)
		return true; /* the Julia build */
	if (n->has_build && jic_view_starts(relative, JIC_VIEW("deps/")))
		return n->inputs.build.len && !jic_view_is(relative, "deps/build.log");
	return n->developed ? jic_source_covers(n->covers_all, relative) : n->covers_all;
}

static bool below(struct jic_view root, struct jic_view path, struct jic_view *relative)
{
	if (!root.len || !jic_view_starts(path, root) || path.len <= root.len || path.ptr[root.len] != '/')
		return false;
	*relative = jic_view_skip(path, root.len + 1);
	return true;
}

/* An extension's root is its parent's, and the parent is in the closure. */
static const struct jic_node *search(const struct jic_graph *g, const struct jic_node *n, struct jic_view path,
                                     bool *covered)
{
	const struct jic_node *nearest = NULL;
	struct jic_view relative;
	for (size_t i = 0; i <= g->count; i++) {
		const struct jic_node *m = i ? &g->nodes[i - 1] : n;
		if ((i && !jic_node_closure_has(n, i - 1)) || m->inputs.kind == JIC_NODE_EXTENSION ||
		    !below(m->root, path, &relative))
			continue;
		*covered = covers(m, relative);
		nearest = m;
		if (*covered)
			return m;
	}
	return nearest;
}

/* Julia records paths as they were spelled; through a link the same file may be below the root all the same. */
static const struct jic_node *search_resolved(const struct jic_graph *g, const struct jic_node *n, const char *path,
                                              bool *covered)
{
	char resolved[PATH_MAX], root[PATH_MAX];
	if (!realpath(path, resolved))
		return NULL;
	for (size_t i = 0; i <= g->count; i++) {
		const struct jic_node *m = i ? &g->nodes[i - 1] : n;
		struct jic_view relative;
		if ((i && !jic_node_closure_has(n, i - 1)) || m->inputs.kind == JIC_NODE_EXTENSION || !m->root.len ||
		    !realpath(m->root.ptr, root) || !below(jic_view_of(root), jic_view_of(resolved), &relative))
			continue;
		*covered = covers(m, relative);
		return m;
	}
	return NULL;
}

bool jic_graph_covers(const struct jic_graph *g, const struct jic_node *n, struct jic_view path,
                      struct jic_arena *arena, struct jic_view *why)
{
	bool covered = false;
	jic_autofree char *raw = jic_strdup_view(path);
	jic_autofree char *clean = raw ? jic_path_normalise(raw) : NULL;
	if (!clean || strlen(clean) == 0) {
		*why = JIC_VIEW("it has no path");
		return false;
	}
	const struct jic_node *m = search(g, n, jic_view_of(clean), &covered);
	if (!m)
		m = search_resolved(g, n, clean, &covered);
	if (covered)
		return true;
	*why =
	    m ? jic_arena_printf(arena, "%s of " JIC_PRIv " is not covered by its key", clean, JIC_ARGv(m->inputs.name))
	      : jic_arena_printf(arena, "%s belongs to no package that it is compiled with", clean);
	return false;
}

uint64_t jic_graph_preferences_hash(const struct jic_graph *g, const struct jic_node *n, const struct jic_view *names,
                                    size_t names_count)
{
	uint64_t hash;
	size_t position = (size_t)(n - g->nodes);
	if (!g->index || position >= g->count || !g->index->merged[position])
		return 0;
	/* A value that we can't hash: say what no cache file will say, so that nothing is shared. */
	if (!jic_preferences_hash(&g->index->preferences, g->index->merged[position], names, names_count, &hash))
		return UINT64_MAX;
	return hash;
}
