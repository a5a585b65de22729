/**
 * A project file (Project.toml, JuliaProject.toml), as far as loading code depends on it.
 * Source: base/loading.jl; Pkg's documentation "Project.toml and Manifest.toml".
 */
#ifndef JIC_CLIENT_PROJECT_H
#define JIC_CLIENT_PROJECT_H

#include "common/arena.h"
#include "common/toml.h"
#include "common/uuid.h"

#include <jicache/error.h>

enum { JIC_PROJECT_BYTES_MAX = 4 * 1024 * 1024 };

/** "Name" or Name = "uuid": by name alone, `uuid` is nil. */
struct jic_dep {
	struct jic_view name;
	struct jic_uuid uuid;
	unsigned line;
};

struct jic_deps {
	const struct jic_dep *items; /**< in the order of the file */
	size_t count;
};

struct jic_extension {
	struct jic_view name;
	const struct jic_view *triggers; /**< names of weak (1.11.1+: or other) dependencies */
	size_t triggers_count;
};

struct jic_extensions {
	const struct jic_extension *items;
	size_t count;
};

/** What a project file says of its package, or a manifest of one entry. Absent texts are empty. */
struct jic_package {
	struct jic_view name;
	struct jic_uuid uuid; /**< nil: none */
	struct jic_view version;
	struct jic_view path;      /**< as written: relative to the manifest (entry), or of the entry file (project) */
	struct jic_view tree_hash; /**< 40 hex digits; entries only */
	struct jic_view entryfile; /**< 1.12 */
	struct jic_deps deps, weakdeps;
	struct jic_extensions extensions;
	unsigned line;
};

struct jic_project {
	struct jic_view file, dir;  /**< as given; its directory */
	struct jic_package package; /**< `name` empty: not a package */
	struct jic_deps extras;
	struct jic_view manifest;           /**< key `manifest`, as written */
	const struct jic_toml *preferences; /**< table [preferences], or NULL */
	const struct jic_view *workspace;   /**< [workspace] projects */
	size_t workspace_count;
	const struct jic_toml *targets; /**< what is under [targets], unchecked: only Pkg reads it; or NULL */
};

/** @return false with JIC_ENOTFOUND, JIC_EFORMAT (names file and line), JIC_ELIMIT, JIC_EIO, JIC_EMEMORY */
jic_must_check bool jic_project_read(const char *path, struct jic_arena *arena, struct jic_project *out,
                                     struct jic_error *err);
/** The same from text. @param file its path, for errors and for `dir`; text and file must live as long as `out` */
jic_must_check bool jic_project_parse(struct jic_view text, struct jic_view file, struct jic_arena *arena,
                                      struct jic_project *out, struct jic_error *err);

/** The project file in a directory, JuliaProject.toml first; false when it has none. @param[out] path in the arena */
jic_must_check bool jic_project_in_dir(struct jic_view dir, struct jic_arena *arena, struct jic_view *path);
/** Is this what a project file is called? */
bool jic_project_is_name(struct jic_view basename);

/** The dependency of that name; NULL when there is none. */
const struct jic_dep *jic_deps_find(const struct jic_deps *deps, struct jic_view name);

/* Shared with manifest.c: the same keys in both files. `file` is for errors. */

/** Keys name (project only), uuid, version, path, entryfile, deps, weakdeps, extensions of one table. */
jic_must_check bool jic_package_read(const struct jic_toml *table, struct jic_view file, struct jic_arena *arena,
                                     struct jic_package *out, struct jic_error *err);
/** A string under a key, "" when absent; another type is JIC_EFORMAT. */
jic_must_check bool jic_package_text(const struct jic_toml *table, const char *key, struct jic_view file,
                                     struct jic_view *out, struct jic_error *err);

#endif
