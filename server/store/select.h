/**
 * Which artefact each address has for a reader of a lane: rule 2 as a function of what is stored.
 *
 * Lanes are taken from the ancestor without parent down. In each, an artefact is offered when its address is not
 * offered by a lane above already, and all that it requires is offered by this lane and those above. So the parent
 * wins; what was built on a child's own artefact, which the parent's has replaced since, is not offered any more; and
 * the union is coherent.
 */
#ifndef JIC_SERVER_STORE_SELECT_H
#define JIC_SERVER_STORE_SELECT_H

#include "server/store/index.h"
#include "server/store/key_set.h"
#include "server/store/module_map.h"

/** Where to look. Everything is borrowed and outlives what is found. */
struct jic_lookup {
	struct jic_index_txn *txn;
	struct jic_arena *arena;      /**< owns what is found */
	const struct jic_lane *lanes; /**< from the one without parent to the reader's */
	size_t lanes_count;
	uint64_t space;
	const struct jic_digest *signers; /**< only what one of these keys signed, as if nothing else were stored */
	size_t signers_count;             /**< 0: whoever signed it */
};
bool jic_lookup_has_lane(const struct jic_lookup *lookup, uint64_t lane_id);

struct jic_selection {
	struct jic_key_set keys;
	const struct jic_index_artefact **offered; /**< for each of `keys`; NULL: a miss */
	const struct jic_index_artefact **ordered; /**< those offered, dependencies first */
	size_t ordered_count;
	struct jic_module_map modules; /**< what they provide → position in `ordered` */
	/** for each of `keys`: what was left out because of its signer; the first of the lanes */
	const struct jic_index_artefact **left_out;
};

/** All keys that one lane itself, without its ancestors, holds in a space. */
jic_must_check bool jic_select_keys(struct jic_index_txn *t, uint64_t lane, uint64_t space, struct jic_arena *arena,
                                    struct jic_key_set *out, struct jic_error *err);

/** Select among `keys` alone: what is offered requires nothing beyond what is offered with it. */
jic_must_check bool jic_select(const struct jic_lookup *lookup, const struct jic_key_set *keys,
                               struct jic_selection *out, struct jic_error *err);

/** The same with all the addresses added that artefacts at `keys` require: whether `keys` are offered at all. */
jic_must_check bool jic_select_closed(const struct jic_lookup *lookup, const struct jic_key_set *keys,
                                      struct jic_selection *out, struct jic_error *err);

/** What a key of the selection has; NULL for a miss, and for a key that was not asked for. */
const struct jic_index_artefact *jic_selection_find(const struct jic_selection *s, const struct jic_digest *key);

#endif
