#include "client/lib/failed.h"

#include "client/lib/project.h"
#include "common/digest.h"
#include "common/file.h"

#include <time.h>
#include <unistd.h>

/* ---- notes */

static char *note_path(const struct jic_session *s, const struct jic_node *n)
{
	JIC_CLEAR(jic_buf) struct jic_buf about = {0};
	struct jic_digest digest;
	char hex[JIC_DIGEST_HEX + 1];
	jic_buf_put(&about, n->key.bytes, sizeof n->key.bytes);
	jic_buf_put(&about, s->facts.sysimage.bytes, sizeof s->facts.sysimage.bytes);
	jic_buf_putv(&about, s->runtime_ids[0]);
	if (!jic_buf_ok(&about, NULL))
		return NULL;
	jic_sha256_of(jic_buf_view(&about), &digest);
	jic_digest_hex(&digest, hex);
	return jic_asprintf("%s/failed/%s", s->settings.memory_dir, hex);
}

static bool is_noted(const struct jic_session *s, const struct jic_node *n)
{
	struct stat st;
	jic_autofree char *path = note_path(s, n);
	if (!path || stat(path, &st) != 0)
		return false;
	const time_t age = time(NULL) - st.st_mtime;
	if (age >= 0 && age < JIC_FAILED_S)
		return true;
	(void)unlink(path);
	return false;
}

static void write_note(const struct jic_session *s, const struct jic_node *n)
{
	struct jic_error ignored;
	jic_autofree char *path = note_path(s, n);
	if (path)
		(void)!jic_file_write(path, JIC_VIEW(""), (struct jic_writer_options){.no_sync = true}, &ignored);
}

/* ---- what Pkg.precompile() goes through */

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

static bool find_tried(const struct jic_graph *g, bool *tried)
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

/* ---- */

void jic_failed_note(const struct jic_session *s, const struct jic_locals *locals)
{
	const struct jic_graph *g = &s->graph;
	struct jic_error ignored;
	/* Pkg of 1.5 ends at the first package that fails, the others were not tried. */
	if (!jic_julia_at_least(s->facts.version, 1, 6, 0))
		return;
	jic_autofree bool *tried = calloc(g->count + 1, sizeof *tried);
	jic_autofree char *dir = jic_path_join(s->settings.memory_dir, "failed");
	if (!tried || !dir || !find_tried(g, tried) || !jic_mkdirs(dir, &ignored))
		return;
	for (size_t i = 0; i < g->count; i++) {
		if (tried[i] && jic_node_is_wanted(&g->nodes[i]) && !locals->items[i].path.len)
			write_note(s, &g->nodes[i]);
	}
}

void jic_failed_mark(struct jic_session *s, struct jic_locals *locals)
{
	for (size_t i = 0; i < s->graph.count; i++) {
		struct jic_node *n = &s->graph.nodes[i];
		if (!jic_node_is_wanted(n) || locals->items[i].path.len || !is_noted(s, n))
			continue;
		locals->wanted--;
		n->optional = true;
		n->reason = JIC_VIEW("Julia could not compile it, or what it depends on, within the last hour");
	}
}
