/**
 * The resolved environment as a graph: one node for each package, extension or stdlib that Julia could load from the
 * environment stack, with its inputs and Merkle key. Nodes are ordered dependencies first.
 */
#ifndef JIC_CLIENT_GRAPH_H
#define JIC_CLIENT_GRAPH_H

#include "client/lib/julia/facts.h"
#include "common/address.h"

/** Whether a node is something that a cache file is made of and shared. */
enum jic_node_state {
	JIC_STATE_SHARED,    /**< has an address and is fetched and published */
	JIC_STATE_SYSIMAGE,  /**< part of the system image: nothing to do */
	JIC_STATE_BUNDLED,   /**< an acceptable cache came with the installation: nothing to do */
	JIC_STATE_NO_SOURCE, /**< the package is not installed (yet): Julia could not load it */
	JIC_STATE_UNSHARED,  /**< can be loaded, not shared: `reason` says why; nor can its dependents be */
};

struct jic_node {
	struct jic_node_inputs inputs; /**< kind, name, UUID, source … everything that the key covers */
	struct jic_digest key;
	enum jic_node_state state;
	struct jic_view reason; /**< one sentence, for NO_SOURCE and UNSHARED */

	struct jic_view version;    /**< from the manifest or project, for people; may be empty */
	struct jic_view root;       /**< the package's directory, absolute; for an extension its parent's */
	struct jic_view entry_file; /**< what Julia's locate_package gives, textually */
	bool developed;             /**< its source is a path, not a tree hash: files may change */
	bool covers_all; /**< every file below `root` is covered by the key (tree hash; or sources that say so) */
	bool has_build;  /**< there is deps/build.jl: `inputs.build` covers deps/ */
	/** A stdlib that no project names, though anybody can import it, or an extension that needs one: fetched and
	 * published as any other, but nobody misses it */
	bool optional;

	const uint32_t *deps; /**< indices of direct dependencies; for an extension: parent, then triggers */
	size_t deps_count;
	const uint32_t *extensions; /**< indices of the extensions that Julia loads beside it when compiling it */
	size_t extensions_count;
	const uint64_t *closure; /**< bit i: node i is loaded when this one is compiled (itself excluded) */
	struct jic_digest preferences_digest; /**< of inputs.preferences */
};

struct jic_graph {
	const struct jic_facts *facts;
	struct jic_view project_file;  /**< the active project, "" when there is none */
	struct jic_view manifest_file; /**< its manifest, "" when there is none */
	struct jic_node *nodes;
	size_t count;
	size_t closure_words;            /**< uint64_t in each node's closure */
	const struct jic_view *warnings; /**< sentences about what was left out */
	size_t warnings_count;
	const struct jic_graph_index
	    *index; /**< private: finds nodes and merged preferences; NULL in a graph made by hand */
};

struct jic_graph_options {
	/** as `--project=` takes it: a directory, a project file, "@.", "@name"; NULL: $JULIA_PROJECT, else none */
	const char *project;
	bool test_target;       /**< the environment that Pkg.test makes for the project's package: test_target.h */
	const char *memory_dir; /**< where digests of files are remembered; NULL: as for facts */
};

/**
 * @param facts borrowed for the graph's life
 * @param arena owns the graph
 * @return false: JIC_ENOTFOUND (project does not exist), JIC_EUSAGE (there is no package to test), JIC_EFORMAT (a
 * project or manifest is malformed, has a cycle,
 * a missing package or an unknown format; text names file and line)
 */
jic_must_check bool jic_graph_build(const struct jic_facts *facts, const struct jic_graph_options *options,
                                    struct jic_arena *arena, struct jic_graph *out, struct jic_error *err);

/** The node of a package id; NULL when the environment has none. */
const struct jic_node *jic_graph_find(const struct jic_graph *g, struct jic_uuid uuid, struct jic_view name);

/** Whether an environment is incomplete without a cache of this node. */
static inline bool jic_node_is_wanted(const struct jic_node *n)
{
	return n->state == JIC_STATE_SHARED && !n->optional;
}

static inline bool jic_node_closure_has(const struct jic_node *n, size_t index)
{
	return n->closure[index / 64] >> (index % 64) & 1;
}

/**
 * Rule 1 for one file: does the key of `n` cover the content of `path` (absolute)? Covered are: all below the root of a
 * package with a tree hash (but deps/ outputs only through inputs.build), src/, ext/ and the project file of a
 * developed one, and the same of every node in the closure. @return false and a sentence in `why` (arena) otherwise
 */
bool jic_graph_covers(const struct jic_graph *g, const struct jic_node *n, struct jic_view path,
                      struct jic_arena *arena, struct jic_view *why);

/**
 * The merged preferences of a package and Julia's hash over the recorded names (base/loading.jl:get_preferences_hash),
 * as the environment stack gives them. Unknown UUID: hash 0.
 */
uint64_t jic_graph_preferences_hash(const struct jic_graph *g, const struct jic_node *n, const struct jic_view *names,
                                    size_t names_count);

#endif
