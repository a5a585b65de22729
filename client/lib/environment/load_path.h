/**
 * From LOAD_PATH entries and `--project=` to paths (base/initdefs.jl:load_path_expand, active_project,
 * current_project), and from a project to its manifest (base/loading.jl:project_file_manifest_path, base_project).
 */
#ifndef JIC_CLIENT_LOAD_PATH_H
#define JIC_CLIENT_LOAD_PATH_H

#include "client/lib/environment/project.h"
#include "client/lib/julia/facts.h"

/** The project file that `--project=TEXT` activates, whether it exists or not; "" for none. In the arena. */
struct jic_view jic_load_path_project(const struct jic_facts *f, const char *text, struct jic_arena *arena);

/** The project file or directory that an entry stands for; "" when it stands for nothing. @param active "" for none */
struct jic_view jic_load_path_expand(const struct jic_facts *f, struct jic_view entry, struct jic_view active,
                                     struct jic_arena *arena);

/** "@script" and "@script/rel" of 1.11+, which jic_load_path_expand() knows nothing of. */
bool jic_load_path_is_script(const struct jic_facts *f, struct jic_view entry);

/**
 * What such an entry stands for when the program file is `script`, as it was spelled on the command line: the project
 * file of its directory or one above; 1.11 takes a path behind "@script" as it is. "" for nothing.
 */
struct jic_view jic_load_path_script(const struct jic_facts *f, struct jic_view entry, const char *script,
                                     struct jic_arena *arena);

/** Base.active_project(): `active`, or else the first entry that is a project file or could become one. */
struct jic_view jic_load_path_active(const struct jic_facts *f, struct jic_view active, struct jic_arena *arena);

/** The manifest file of a project; "" when it has none. @return false: an ancestor's project file is malformed */
jic_must_check bool jic_load_path_manifest(const struct jic_facts *f, const struct jic_project *p,
                                           struct jic_arena *arena, struct jic_view *out, struct jic_error *err);

/** 1.12: the project that lists this one in its [workspace]; NULL when there is none. */
jic_must_check bool jic_load_path_workspace(const struct jic_facts *f, const struct jic_project *p,
                                            struct jic_arena *arena, const struct jic_project **out,
                                            struct jic_error *err);

#endif
