/**
 * A small world for tests of environments: a directory with a depot, a standard library and projects, and facts of a
 * Julia that would live there. Paths are relative to the directory.
 */
#ifndef JIC_TESTS_WORLD_H
#define JIC_TESTS_WORLD_H

#include "client/lib/graph/graph.h"
#include "client/lib/julia/slug.h"
#include "common/digest.h"
#include "tests/support/temp.h"

#define UUID_A "aaaaaaaa-0000-4000-8000-000000000001"
#define UUID_B "bbbbbbbb-0000-4000-8000-000000000002"
#define UUID_C "cccccccc-0000-4000-8000-000000000003"
#define UUID_D "dddddddd-0000-4000-8000-000000000004"
#define UUID_SYS "55555555-0000-4000-8000-000000000005"
#define UUID_STD "66666666-0000-4000-8000-000000000006"
#define TREE_1 "1111111111111111111111111111111111111111"
#define TREE_2 "2222222222222222222222222222222222222222"
#define TREE_3 "3333333333333333333333333333333333333333"

struct world {
	struct temp dir;
	struct jic_arena arena;
	struct jic_facts facts;
	struct jic_view depots[1];
	struct jic_view load_path[4];
	struct jic_ji_module image[2];
	struct jic_bundled_file bundled[1];
};

static inline struct jic_uuid uuid_of(const char *text)
{
	struct jic_uuid u = {0};
	cr_assert(jic_uuid_parse(jic_view_of(text), &u), "%s", text);
	return u;
}

static inline const char *world_path(const struct world *w, const char *name)
{
	return at(w->dir.path, name);
}

static inline void world_file(const struct world *w, const char *name, const char *text)
{
	put_file(world_path(w, name), text);
}

static inline void world_version(struct world *w, const char *version)
{
	w->facts.version_text = jic_arena_copy(&w->arena, jic_view_of(version));
	cr_assert(jic_julia_version_parse(w->facts.version_text, &w->facts.version));
	w->facts.flags = jic_julia_at_least(w->facts.version, 1, 9, 0) ? 0xa3 : 0;
}

/** Julia `version` with LOAD_PATH @, @v#.#, @stdlib; its image has Sys, beside it there is the stdlib Std. */
static inline struct world world_make(const char *version)
{
	struct world w = {.dir = temp_make()};
	struct jic_facts *f = &w.facts;
	world_version(&w, version);
	f->uname = JIC_VIEW("Linux");
	f->arch = JIC_VIEW("x86_64");
	f->triplet = JIC_VIEW("x86_64-linux-gnu");
	f->branch = f->commit = f->cpu_features = JIC_VIEW("");
	f->word_bits = 64;
	f->cpu_target = JIC_VIEW("native");
	f->cpu_name = JIC_VIEW("testcpu");
	f->stdlib_dir = jic_arena_printf(&w.arena, "%s/stdlib", w.dir.path);
	f->depot_path_count = f->sysimage_modules_count = 1;
	f->load_path_count = 3;
	w.depots[0] = jic_arena_printf(&w.arena, "%s/depot", w.dir.path);
	w.load_path[0] = JIC_VIEW("@");
	w.load_path[1] = JIC_VIEW("@v#.#");
	w.load_path[2] = JIC_VIEW("@stdlib");
	w.image[0] = (struct jic_ji_module){.name = JIC_VIEW("Sys"), .uuid = uuid_of(UUID_SYS), .build_id = {1, 2}};
	world_file(&w, "stdlib/Std/src/Std.jl", "module Std end\n");
	world_file(&w, "stdlib/Std/Project.toml",
	           "name = \"Std\"\nuuid = \"" UUID_STD "\"\n[deps]\nSys = \"" UUID_SYS "\"\n");
	return w;
}

/** The pointers into `w`: once it has its place. */
static inline void world_settle(struct world *w)
{
	w->facts.depot_path = w->depots;
	w->facts.load_path = w->load_path;
	w->facts.sysimage_modules = w->image;
	w->facts.bundled = w->bundled;
}

static inline void world_clear(struct world *w)
{
	jic_arena_clear(&w->arena);
	temp_remove(&w->dir);
}

/** Install a package as Pkg does; its entry file has `source`. */
static inline void world_install(const struct world *w, const char *name, const char *uuid, const char *tree,
                                 const char *source)
{
	char slug[JIC_SLUG_CHARS_MAX + 1], path[256];
	uint8_t bytes[JIC_TREE_HASH_BYTES];
	cr_assert(jic_unhex(jic_view_of(tree), bytes, sizeof bytes));
	jic_version_slug(uuid_of(uuid), bytes, 5, slug);
	snprintf(path, sizeof path, "depot/packages/%s/%s/src/%s.jl", name, slug, name);
	world_file(w, path, source);
}

static inline struct jic_graph world_graph(struct world *w, const char *project)
{
	struct jic_graph g;
	struct jic_error err = {0};
	char dir[256], memory[256];
	world_settle(w);
	snprintf(dir, sizeof dir, "%s", world_path(w, project));
	snprintf(memory, sizeof memory, "%s", world_path(w, "memory"));
	const struct jic_graph_options options = {.project = dir, .memory_dir = memory};
	cr_assert(jic_graph_build(&w->facts, &options, &w->arena, &g, &err), "%s", err.text);
	return g;
}

/** The text of the error that building this project's graph gives. */
static inline struct jic_error world_failure(struct world *w, const char *project)
{
	struct jic_graph g;
	struct jic_error err = {0};
	char dir[256];
	world_settle(w);
	snprintf(dir, sizeof dir, "%s", world_path(w, project));
	const struct jic_graph_options options = {.project = dir};
	cr_assert_not(jic_graph_build(&w->facts, &options, &w->arena, &g, &err), "built");
	return err;
}

/** The node of that name; there must be one. */
static inline const struct jic_node *node(const struct jic_graph *g, const char *name)
{
	for (size_t i = 0; i < g->count; i++) {
		if (jic_view_is(g->nodes[i].inputs.name, name))
			return &g->nodes[i];
	}
	cr_assert_fail("there is no node %s", name);
	return NULL;
}

static inline bool has_node(const struct jic_graph *g, const char *name)
{
	for (size_t i = 0; i < g->count; i++) {
		if (jic_view_is(g->nodes[i].inputs.name, name))
			return true;
	}
	return false;
}

static inline bool loads(const struct jic_graph *g, const char *name, const char *other)
{
	return jic_node_closure_has(node(g, name), (size_t)(node(g, other) - g->nodes));
}

static inline bool same_key(const struct jic_graph *a, const struct jic_graph *b, const char *name)
{
	return jic_digest_eq(&node(a, name)->key, &node(b, name)->key);
}

#define expect_text(view, text)                                                                                        \
	cr_expect(jic_view_is((view), (text)), "\"" JIC_PRIv "\" is not \"%s\"", JIC_ARGv(view), (text))

#endif
