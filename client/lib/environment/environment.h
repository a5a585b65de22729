/**
 * The environment stack: LOAD_PATH expanded as this Julia does it, with the projects and manifests read. Answers what
 * Julia's identify_package and locate_package answer (base/loading.jl, base/initdefs.jl, 1.5 to 1.12).
 *
 * One deliberate difference: an environment behind the first one that can't be read is left out with a warning, where
 * Julia throws when a search gets there.
 */
#ifndef JIC_CLIENT_ENVIRONMENT_H
#define JIC_CLIENT_ENVIRONMENT_H

#include "client/lib/environment/manifest.h"
#include "client/lib/julia/facts.h"

enum { JIC_ENVIRONMENT_DIR_ENTRIES_MAX = 10000 };

/** A package of a package directory ("implicit environment"). */
struct jic_dir_package {
	struct jic_package package; /**< `uuid` nil without a project file */
	struct jic_view root, entry_file;
};

struct jic_env {
	struct jic_view path;                /**< the project file, or the package directory */
	const struct jic_project *project;   /**< NULL: a package directory */
	const struct jic_manifest *manifest; /**< may be NULL */
	bool is_stdlib;                      /**< the directory Sys.STDLIB: its packages are looked up by name */
	const struct jic_dir_package *packages;
	size_t packages_count;
};

struct jic_environment {
	const struct jic_facts *facts;
	struct jic_arena *arena;
	struct jic_view active_project; /**< Base.active_project(): "" when there is none */
	const struct jic_env *envs;
	size_t count;
	/** whose preferences are merged, strongest first: the environments' projects, and the ancestors of the first
	 * one in its workspace (1.12) */
	const struct jic_project *const *preference_projects;
	size_t preference_projects_count;
	struct jic_warnings *warnings;
	struct jic_stdlibs *stdlibs; /**< what was looked up by jic_environment_stdlib() */
};

/** The standard library as far as anybody asked for it. */
struct jic_stdlibs {
	struct jic_dir_package items[256]; /**< `entry_file` empty: there is none of that name */
	size_t count;
	struct jic_lookup by_name;
};

/** Sentences about what was left out. */
struct jic_warning {
	struct jic_view text;
	struct jic_warning *next;
};
struct jic_warnings {
	struct jic_warning *first, *last;
	size_t count;
};
void jic_warn(struct jic_environment *e, const char *format, ...) jic_printf(2, 3);

/**
 * @param project as jic_graph_options.project; NULL: none
 * @return false with JIC_ENOTFOUND (the project does not exist), JIC_EFORMAT, JIC_ELIMIT, JIC_EIO, JIC_EMEMORY
 */
jic_must_check bool jic_environment_open(const struct jic_facts *facts, const char *project, struct jic_arena *arena,
                                         struct jic_environment *out, struct jic_error *err);

struct jic_package_id {
	struct jic_view name;
	struct jic_uuid uuid; /**< nil: none */
};

enum jic_found_in { JIC_FOUND_PROJECT, JIC_FOUND_MANIFEST, JIC_FOUND_DIRECTORY, JIC_FOUND_STDLIB };

/** A package as the first environment that knows its UUID describes it. */
struct jic_found {
	enum jic_found_in in;
	const struct jic_package *package;
	const struct jic_env *env;         /**< NULL for JIC_FOUND_STDLIB */
	const struct jic_dir_package *dir; /**< JIC_FOUND_DIRECTORY, JIC_FOUND_STDLIB */
};

/** @return false: no environment has it, nor is it a stdlib */
jic_must_check bool jic_environment_find(const struct jic_environment *e, const struct jic_package_id *id,
                                         struct jic_found *out);

/**
 * The UUID that a dependency of a found package has: written beside it, or that of the manifest's only entry of the
 * name.
 * @return false with JIC_EFORMAT naming the manifest and the package
 */
jic_must_check bool jic_environment_dep(const struct jic_found *found, const struct jic_dep *dep,
                                        struct jic_package_id *out, struct jic_error *err);

/**
 * What a stdlib depends on beyond its manifest entry: a manifest that another Julia resolved knows that one's standard
 * library (identify_stdlib_project_dep: 1.10.8, 1.11.2 and later). Empty where that does not apply.
 */
struct jic_deps jic_environment_stdlib_deps(const struct jic_environment *e, const struct jic_found *found);

/** Base.identify_package(where, name); `where` NULL: from Main. @return false: nothing of that name can be imported
 * there */
jic_must_check bool jic_environment_identify(const struct jic_environment *e, const struct jic_package_id *where,
                                             struct jic_view name, struct jic_package_id *out);

enum jic_source_kind {
	JIC_SOURCE_NONE,   /**< known, but its source is not there */
	JIC_SOURCE_TREE,   /**< packages/Name/slug of a depot */
	JIC_SOURCE_PATH,   /**< a developed package, a project, or one of a package directory */
	JIC_SOURCE_STDLIB, /**< below Sys.STDLIB */
};

struct jic_location {
	enum jic_source_kind kind;
	struct jic_view root, entry_file; /**< absolute, textual; empty when kind is NONE */
	struct jic_view tree_hash;        /**< of the entry that decided; may be set with NONE */
};

/** Base.locate_package of a package (not an extension). NONE: not found. */
void jic_environment_locate(const struct jic_environment *e, const struct jic_package_id *id, struct jic_location *out);

/** The entry file of an extension: ROOT/ext/Name/Name.jl if that exists, else ROOT/ext/Name.jl (find_ext_path). */
struct jic_view jic_environment_extension_file(const struct jic_environment *e, struct jic_view root,
                                               struct jic_view name);

/** A stdlib by name, its project file read; NULL when this Julia has none of that name (and UUID). */
const struct jic_dir_package *jic_environment_stdlib_named(const struct jic_environment *e, struct jic_view name);
const struct jic_dir_package *jic_environment_stdlib(const struct jic_environment *e, const struct jic_package_id *id);

#endif
