/**
 * The steps from an environment to a graph. Internal to graph: collect drafts of nodes, order them, describe them.
 */
#ifndef JIC_CLIENT_GRAPH_BUILD_H
#define JIC_CLIENT_GRAPH_BUILD_H

#include "client/lib/environment/environment.h"
#include "client/lib/environment/preferences.h"
#include "client/lib/graph/graph.h"
#include "client/lib/memory/remembered.h"

enum { JIC_GRAPH_NODES_MAX = 20000 };

/** A node before it has its place in the order. */
struct jic_draft {
	struct jic_package_id id;
	struct jic_found found; /**< of an extension: its parent's; package NULL: only the system image has it */
	const struct jic_extension *extension; /**< NULL: a package */
	bool in_sysimage;                      /**< then a leaf: what it depends on is in the image, too */
	bool optional;                         /**< as jic_node.optional */
	struct jic_view trouble;               /**< why it can't be shared whatever its source is, or empty */
	uint32_t *deps;                        /**< indices of drafts; of an extension parent first, then triggers */
	size_t deps_count;
	uint32_t position; /**< in the order */
};

struct jic_graph_index {
	struct jic_lookup by_uuid;
	struct jic_preferences preferences;
	const struct jic_toml *const *merged; /**< for each node its merged preferences, or NULL */
};

struct jic_builder {
	const struct jic_facts *facts;
	struct jic_arena *arena;
	struct jic_environment env;
	struct jic_remembered *memory;
	struct jic_draft *drafts; /**< malloc'ed */
	size_t count, room;
	struct jic_lookup by_uuid; /**< of drafts with a UUID */
	uint32_t *order;           /**< drafts, dependencies first */
	struct jic_graph *out;
	struct jic_graph_index *index;
};

/** Find all packages and extensions and what they depend on. */
jic_must_check bool jic_graph_collect(struct jic_builder *b, struct jic_error *err);
/** Put dependencies first; names a cycle. */
jic_must_check bool jic_graph_order(struct jic_builder *b, struct jic_error *err);
/** Allocate the nodes in order, with deps, extensions and closures. */
jic_must_check bool jic_graph_connect(struct jic_builder *b, struct jic_error *err);
/** Sources, preferences, states and keys. */
jic_must_check bool jic_graph_describe(struct jic_builder *b, struct jic_error *err);

#endif
