/**
 * Why nodes missed: the first input in which each differs from the nearest that the server has, down to the leaf. Works
 * on a graph and the server's answer alone, so that tests can make up both.
 */
#ifndef JIC_CLIENT_WHY_H
#define JIC_CLIENT_WHY_H

#include "client/lib/graph/graph.h"
#include "client/lib/operation/difference.h"

/** All that is compared. Borrowed. */
struct jic_why {
	const struct jic_graph *graph;
	struct jic_made_for here;        /**< what this session compiles for */
	const struct jic_view *accepted; /**< runtime ids */
	size_t accepted_count;
	struct jic_view chosen;            /**< the runtime that the offer was made for; empty: there was none */
	const struct jic_view *distrusted; /**< for each node as in an offer; NULL: none is */
	const struct jic_msg_explained *answer;
	struct jic_arena *arena; /**< owns the texts */
	/* private: jic_why_begin() */
	struct jic_why_keyed *nodes, *stored;
};

enum { JIC_WHY_PATH_MAX = 64 };

/** Why one node missed. */
struct jic_cause {
	struct jic_difference difference;
	uint32_t leaf;   /**< the node whose own input differs; of no meaning where the difference is of the address */
	uint32_t parent; /**< the node through which the leaf is needed; the node itself when that is the leaf */
	uint32_t path[JIC_WHY_PATH_MAX]; /**< from the node to the leaf, both included; long ones are cut */
	size_t path_count;
	const struct jic_msg_stored *nearest; /**< NULL: nothing is stored */
};

/** Index graph and answer. @return false when out of memory */
jic_must_check bool jic_why_begin(struct jic_why *w);
/** Out of memory shows in the arena. */
void jic_why_find(const struct jic_why *w, uint32_t node, struct jic_cause *out);
/** "FreeType is 4.1.2 here, 4.1.1 there": the same for all nodes that have this cause. */
struct jic_view jic_why_cause_text(const struct jic_why *w, const struct jic_cause *c);
/** "GeoMakie: Makie's dependency FreeType is 4.1.2 here, 4.1.1 there". @param title of the node */
struct jic_view jic_why_text(const struct jic_why *w, const struct jic_cause *c, struct jic_view title);

#endif
