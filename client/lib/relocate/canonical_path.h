/**
 * Paths of source files, from this machine's form to the canonical one (relocate.h) and back. Both directions know a
 * file by the package that it belongs to: the node itself or one that is loaded when the node is compiled.
 */
#ifndef JIC_CLIENT_CANONICAL_PATH_H
#define JIC_CLIENT_CANONICAL_PATH_H

#include "client/lib/graph/graph.h"

/** "@depot/rest" as Julia ≥ 1.11 resolves it: in the first depot where it exists. Empty: in none. */
struct jic_view jic_depot_resolve(const struct jic_facts *f, struct jic_view path, struct jic_arena *arena);

/** A recorded path as an absolute, normalised one: "@depot/…" resolved, ".." taken away. Empty: it has none here. */
struct jic_view jic_recorded_path_here(const struct jic_facts *f, struct jic_view recorded, struct jic_arena *arena);

/**
 * The same file spelled below the root of the package that it belongs to (as the graph spells roots); where the path
 * reaches it through another spelling (a symbolic link), the links are followed to find out. The path itself when it
 * has no owner.
 */
struct jic_view jic_path_below_root(const struct jic_graph *g, const struct jic_node *n, struct jic_view path,
                                    struct jic_arena *arena);

/**
 * The canonical form of an absolute path: by its owner, else "@depot/rest" when it is in a depot. Empty: neither.
 */
struct jic_view jic_path_canonical(const struct jic_graph *g, const struct jic_node *n, struct jic_view path,
                                   struct jic_arena *arena);

/** Where a canonical path leads to on this machine. */
struct jic_path_here {
	struct jic_view file;     /**< absolute path of the file, NUL-terminated */
	struct jic_view recorded; /**< what the `.ji` has to say, so that this Julia finds it */
};
/**
 * @return false with JIC_ECONFLICT (it leads to no package of this environment, or into no depot), JIC_EFORMAT (it
 * tries to lead out of where it begins)
 */
jic_must_check bool jic_path_localise(const struct jic_graph *g, const struct jic_node *n, struct jic_view canonical,
                                      struct jic_arena *arena, struct jic_path_here *out, struct jic_error *err);

#endif
