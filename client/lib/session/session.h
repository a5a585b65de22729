/**
 * A session's insides: settings, facts, graph, and the accepted runtimes. Private to the library.
 */
#ifndef JIC_CLIENT_SESSION_H
#define JIC_CLIENT_SESSION_H

#include "client/lib/depot/depot.h"
#include "client/lib/graph/graph.h"
#include "client/lib/julia/facts.h"
#include "client/lib/session/settings.h"
#include "client/lib/session/trust.h"

#include <jicache/jicache.h>

struct jic_session {
	struct jic_arena arena; /**< owns all below */
	struct jic_session_options options;
	struct jic_settings settings;
	struct jic_trust trust;
	struct jic_facts facts;
	struct jic_graph graph;
	const struct jic_runtime *runtimes; /**< best first; [0] is what this Julia compiles for */
	struct jic_view *runtime_ids;
	size_t runtimes_count;
	struct jic_depot_options depot;
	char *depot_path;              /**< jic_session_depot_path(), malloc'ed, or NULL */
	const char *julia;             /**< facts.julia with a NUL */
	const char *const *julia_args; /**< NULL at the end */
};

/** "Name" or, for an extension, "Parent/Name": how people call a node. In the arena. */
struct jic_view jic_session_node_title(const struct jic_session *s, const struct jic_node *n, struct jic_arena *arena);

#endif
