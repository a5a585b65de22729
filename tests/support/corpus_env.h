/**
 * The corpus of one Julia version as if it had been made at a place of ours: sources copied (so with times of their
 * own), cache files rewritten to the paths and times of that place, facts as that Julia would state them, and the
 * graph.
 *
 *     <place>/depot/packages, <place>/depot/compiled, <place>/GoldDev, <place>/env, <place>/stdlib, <place>/memory
 */
#ifndef JIC_TESTS_CORPUS_ENV_H
#define JIC_TESTS_CORPUS_ENV_H

#include "client/lib/depot/cachefile.h"
#include "client/lib/depot/depot.h"
#include "client/lib/graph/graph.h"
#include "tests/support/corpus.h"
#include "tests/support/temp.h"

struct corpus_env {
	char version[16]; /* "1.11.1" */
	char place[256];
	char depot[280];
	struct jic_view depot_path[4];
	struct jic_arena arena;
	struct jic_facts facts;
	struct jic_graph graph;
};

enum { CORPUS_FLAGS = 0xa3, CORPUS_PACKAGES = 8 };

static inline void run_command(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command); /* NOLINT(cert-env33-c): our own fixed commands */
}

static inline void corpus_copy(const struct corpus_env *e)
{
	char command[4096], root[512];
	snprintf(root, sizeof root, "%s/corpus/julia/%s", corpus_root(), e->version);
	snprintf(command, sizeof command,
	         "mkdir -p '%s/depot' && cp -r '%s/depot/packages' '%s/depot/' && cp -r '%s/GoldDev' '%s/env' '%s/' && "
	         "chmod -R u+w '%s'",
	         e->place, root, e->place, root, root, e->place, e->place);
	run_command(command);
}

/* Modules that a file required: of the system image by their mark, the others are stdlibs that came with the
 * installation. */
static inline void corpus_modules(struct corpus_env *e, const struct jic_ji *ji)
{
	struct jic_ji_module *image = jic_arena_array(&e->arena, ji->required_count, sizeof *image);
	struct jic_bundled_file *bundled = jic_arena_array(&e->arena, ji->required_count + 1, sizeof *bundled);
	for (size_t i = 0; i < ji->required_count; i++) {
		const struct jic_ji_module *m = &ji->required[i];
		struct jic_view name = jic_arena_copy(&e->arena, m->name);
		if (m->build_id.hi >> 32 == JIC_JI_CHECKSUM_MARK_SYSIMAGE)
			image[e->facts.sysimage_modules_count++] =
			    (struct jic_ji_module){.name = name, .uuid = m->uuid, .build_id = m->build_id};
		else if (!jic_view_starts(name, JIC_VIEW("Gold")))
			bundled[e->facts.bundled_count++] =
			    (struct jic_bundled_file){.cache = {.name = name, .uuid = m->uuid, .build_id = m->build_id},
			                              .flags = CORPUS_FLAGS,
			                              .path = JIC_VIEW("/julia/share/julia/compiled/x.ji")};
	}
	if (jic_julia_at_least(e->facts.version, 1, 11, 0))
		/* In the manifest, but loaded by nobody. */
		bundled[e->facts.bundled_count++] =
		    (struct jic_bundled_file){.cache = {.name = JIC_VIEW("Unicode"),
		                                        .uuid = {.hi = 0x4ec0a83e493e50e2, .lo = 0xb9ac8f72acf5a8f5},
		                                        .build_id = {.hi = 0xfafbfcfd00000001, .lo = 1}},
		                              .flags = CORPUS_FLAGS,
		                              .path = JIC_VIEW("/julia/share/julia/compiled/y.ji")};
	e->facts.sysimage_modules = image;
	e->facts.bundled = bundled;
}

static inline void corpus_stdlibs(const struct corpus_env *e)
{
	static const struct {
		const char *name, *uuid;
	} libs[] = {{"Dates", "ade2ca70-3891-5945-98fb-dc099432e06a"},
	            {"Printf", "de0858da-6303-5e67-8744-51eddeeeb8d7"},
	            {"Unicode", "4ec0a83e-493e-50e2-b9ac-8f72acf5a8f5"}};
	for (size_t i = 0; i < JIC_COUNT(libs); i++) {
		char path[512], text[256];
		snprintf(path, sizeof path, "%s/stdlib/%s/src/%s.jl", e->place, libs[i].name, libs[i].name);
		put_file(path, "module X\nend\n");
		snprintf(path, sizeof path, "%s/stdlib/%s/Project.toml", e->place, libs[i].name);
		snprintf(text, sizeof text, "name = \"%s\"\nuuid = \"%s\"\n", libs[i].name, libs[i].uuid);
		put_file(path, text);
	}
}

static inline void corpus_facts(struct corpus_env *e)
{
	struct jic_arena parsing = {0};
	struct jic_ji ji;
	struct jic_error err = {0};
	char pattern[128];
	snprintf(pattern, sizeof pattern, "%s/depot/compiled/*/GoldDev/*.ji", e->version);
	glob_t found = corpus_glob(pattern, 1);
	struct jic_view bytes = corpus_read(found.gl_pathv[0]);
	cr_assert(jic_ji_parse(bytes, &parsing, &ji, &err), "%s", err.text);
	struct jic_facts *f = &e->facts;
	f->version_text = jic_arena_copy(&e->arena, ji.version_text);
	f->version = ji.version;
	f->branch = jic_arena_copy(&e->arena, ji.branch);
	f->commit = jic_arena_copy(&e->arena, ji.commit);
	f->uname = jic_arena_copy(&e->arena, ji.uname);
	f->arch = jic_arena_copy(&e->arena, ji.arch);
	f->triplet = JIC_VIEW("x86_64-linux-gnu");
	f->word_bits = 64;
	f->flags = CORPUS_FLAGS;
	f->cpu_target = JIC_VIEW("generic");
	f->cpu_name = JIC_VIEW("znver4");
	f->cpu_features = JIC_VIEW("");
	f->julia = f->julia_bin = JIC_VIEW("/julia/bin/julia");
	f->image_file = JIC_VIEW("/julia/lib/julia/sys.so");
	f->bindir = JIC_VIEW("/julia/bin");
	f->stdlib_dir = jic_arena_printf(&e->arena, "%s/stdlib", e->place);
	e->depot_path[0] = jic_view_of(e->depot);
	f->depot_path = e->depot_path;
	f->depot_path_count = 1;
	static const struct jic_view load_path[] = {{"@", 1}, {"@stdlib", 7}};
	f->load_path = load_path;
	f->load_path_count = 2;
	corpus_modules(e, &ji);
	jic_arena_clear(&parsing);
	view_free(bytes);
	globfree(&found);
}

static inline void corpus_graph(struct corpus_env *e)
{
	struct jic_error err = {0};
	const char *project = at(e->place, "env");
	struct jic_graph_options options = {.project = project};
	cr_assert(jic_graph_build(&e->facts, &options, &e->arena, &e->graph, &err), "%s", err.text);
}

/** @param dir of the place; created */
static inline void corpus_env_open(struct corpus_env *e, const char *version, const char *dir)
{
	*e = (struct corpus_env){0};
	snprintf(e->version, sizeof e->version, "%s", version);
	snprintf(e->place, sizeof e->place, "%s", dir);
	snprintf(e->depot, sizeof e->depot, "%s/depot", dir);
	corpus_copy(e);
	corpus_stdlibs(e);
	corpus_facts(e);
	corpus_graph(e);
}

static inline void corpus_env_close(struct corpus_env *e)
{
	jic_arena_clear(&e->arena);
}

static inline const struct jic_node *corpus_node(const struct corpus_env *e, const char *name)
{
	for (size_t i = 0; i < e->graph.count; i++)
		if (jic_view_is(e->graph.nodes[i].inputs.name, name))
			return &e->graph.nodes[i];
	cr_assert_fail("no node %s", name);
	return NULL;
}

/* A path of the producer as a path of this place. */
static inline struct jic_view corpus_moved(struct corpus_env *e, struct jic_view path)
{
	char prefix[64];
	snprintf(prefix, sizeof prefix, "/home/ci/gold-%u.%u/", e->facts.version.major, e->facts.version.minor);
	if (!jic_view_starts(path, jic_view_of(prefix)))
		return path;
	path = jic_view_skip(path, strlen(prefix));
	return jic_arena_printf(&e->arena, "%s/" JIC_PRIv, e->place, JIC_ARGv(path));
}

/** The corpus's file as it would be had it been compiled at this place, with the true times. */
static inline void corpus_produced(struct corpus_env *e, const struct jic_ji *ji, struct jic_buf *out)
{
	struct jic_error err = {0};
	struct jic_ji_edit *edits = jic_arena_array(&e->arena, ji->includes_count, sizeof *edits);
	for (size_t i = 0; i < ji->includes_count; i++) {
		const struct jic_ji_include *r = &ji->includes[i];
		struct stat st;
		edits[i] = (struct jic_ji_edit){
		    .path = corpus_moved(e, r->path), .size = r->size, .crc32c = r->crc32c, .mtime = r->mtime};
		if (r->mtime > 0 && stat(edits[i].path.ptr, &st) == 0)
			edits[i].mtime = (double)st.st_mtim.tv_sec + (double)st.st_mtim.tv_nsec * 1e-9;
	}
	cr_assert(jic_ji_rewrite(ji, edits, out, &err), "%s", err.text);
}

/** All of the corpus's files, of all flags. */
static inline glob_t corpus_files(const struct corpus_env *e)
{
	char pattern[128];
	snprintf(pattern, sizeof pattern, "%s/depot/compiled/*/*/*.ji", e->version);
	return corpus_glob(pattern, CORPUS_PACKAGES);
}

/** Write the caches into the place's own depot, as Julia would have. @return how many of the default flags */
static inline size_t corpus_compile(struct corpus_env *e)
{
	glob_t files = corpus_files(e);
	size_t count = 0;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct jic_arena parsing = {0};
		struct jic_buf out = {0};
		struct jic_ji ji;
		struct jic_error err = {0};
		char target[640], command[8192];
		const char *compiled = strstr(files.gl_pathv[i], "/compiled/");
		struct jic_view bytes = corpus_read(files.gl_pathv[i]);
		cr_assert(jic_ji_parse(bytes, &parsing, &ji, &err), "%s", err.text);
		snprintf(target, sizeof target, "%s%s", e->depot, compiled);
		corpus_produced(e, &ji, &out);
		put_file(target, "");
		struct jic_writer_options options = {.no_sync = true};
		cr_assert(jic_file_write(target, jic_buf_view(&out), options, &err), "%s", err.text);
		if (ji.clone_targets.len) {
			snprintf(command, sizeof command, "cp '%.*s.so' '%.*s.so' && chmod u+w '%.*s.so'",
			         (int)strlen(files.gl_pathv[i]) - 3, files.gl_pathv[i], (int)strlen(target) - 3, target,
			         (int)strlen(target) - 3, target);
			run_command(command);
		}
		count += ji.flags == CORPUS_FLAGS;
		jic_buf_clear(&out);
		jic_arena_clear(&parsing);
		view_free(bytes);
	}
	globfree(&files);
	return count;
}

#endif
