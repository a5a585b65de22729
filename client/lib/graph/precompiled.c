/* As base/precompilation.jl chooses, seen from the project file: what it names, and what that needs. */
#include "client/lib/graph/precompiled.h"

#include "client/lib/environment/project.h"

static void try_package(const struct jic_graph *g, struct jic_uuid uuid, struct jic_view name, bool *tried)
{
	const struct jic_node *n = jic_graph_find(g, uuid, name);
	if (!n)
		return;
	tried[n - g->nodes] = true;
	for (size_t i = 0; n->closure && i < g->count; i++)
		tried[i] |= jic_node_closure_has(n, i);
}

static void try_extensions(const struct jic_graph *g, bool *tried)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct jic_node *n = &g->nodes[i];
		bool all = n->inputs.kind == JIC_NODE_EXTENSION;
		for (size_t d = 0; all && d < n->deps_count; d++)
			all = tried[n->deps[d]] || g->nodes[n->deps[d]].state == JIC_STATE_SYSIMAGE;
		tried[i] |= all;
	}
}

bool jic_precompiled_find(const struct jic_graph *g, bool *tried)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_project project;
	const struct jic_view file = jic_arena_copy(&arena, g->project_file);
	if (!file.len || !jic_project_read(file.ptr, &arena, &project, NULL))
		return false;
	for (size_t i = 0; i < project.package.deps.count; i++)
		try_package(g, project.package.deps.items[i].uuid, project.package.deps.items[i].name, tried);
	try_package(g, project.package.uuid, project.package.name, tried);
	try_extensions(g, tried);
	return true;
}
