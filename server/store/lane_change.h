/**
 * Changes to a whole lane: promoting what it has into its parent, and dropping it. Both are one transaction of the
 * index and touch no bytes, so they may be done beside a server that runs.
 */
#ifndef JIC_SERVER_STORE_LANE_CHANGE_H
#define JIC_SERVER_STORE_LANE_CHANGE_H

#include "server/store/store.h"

struct jic_promotion {
	struct jic_view lane;
	/** Package names, Merkle keys, or addresses (runtime/sysimage/key); none: everything that the lane offers */
	const struct jic_view *what;
	size_t what_count;
};

struct jic_promoted {
	struct jic_view parent; /**< in the arena */
	uint64_t artefacts;     /**< that are the parent's from now on */
	uint64_t same;          /**< that the parent had already, with the same bytes */
	uint64_t hidden;        /**< left behind: the parent has others, or they were built on such */
};

/**
 * Move artefacts of a lane into its parent, each with all that it requires and the parent's readers don't have yet.
 * Rule 2 holds for both lanes at every moment: what the parent offers stays, first come first served; what was built on
 * an artefact that lost stays behind. What moved keeps who published it, when, and its signature.
 * @return false with JIC_EUSAGE (no parent), JIC_ENOTFOUND (the lane, or nothing of `what` is in it), JIC_ECONFLICT (in
 * one sentence: what was named lost against the parent's, or the lanes disagree about a system image), or what the
 * index says; nothing has changed then
 */
jic_must_check bool jic_store_promote(struct jic_store *s, const struct jic_promotion *what, struct jic_arena *arena,
                                      struct jic_promoted *out, struct jic_error *err);

struct jic_dropped {
	uint64_t artefacts;
	uint64_t blobs;        /**< that nobody refers to any more; the server's sweep removes them */
	uint64_t stored_bytes; /**< of these */
};

/** Withdraw a lane with all that only it has. @return false with JIC_ENOTFOUND, JIC_EUSAGE (main, or a lane with lanes
 *  below it), or what the index says */
jic_must_check bool jic_store_lane_drop(struct jic_store *s, struct jic_view lane, struct jic_arena *arena,
                                        struct jic_dropped *out, struct jic_error *err);

#endif
