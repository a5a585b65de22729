/**
 * Rule 2 for a set that is to be published: first writer wins, and everything required is part of the runtime, stored,
 * or in the set. Decided inside the write transaction that will store the set, from numbers alone: the bytes were read
 * before (inspect.h).
 */
#ifndef JIC_SERVER_STORE_COHERENCE_H
#define JIC_SERVER_STORE_COHERENCE_H

#include "server/store/select.h"
#include "server/store/store.h"

enum jic_fate {
	JIC_FATE_OPEN,       /**< not decided */
	JIC_FATE_NEW,        /**< to be stored */
	JIC_FATE_EXISTING,   /**< stored already, the same bytes */
	JIC_FATE_TAKEN,      /**< its address has another artefact */
	JIC_FATE_SUPERSEDED, /**< was compiled against one that is taken, or hidden by a parent lane */
	JIC_FATE_INCOHERENT, /**< requires what is nowhere */
};

/** One artefact of a publish request, with what its bytes say. */
struct jic_candidate {
	const struct jic_msg_artefact *artefact;
	struct jic_build_id build_id;
	uint64_t ji_size, image_size;
	const struct jic_ji_module *provides; /**< the package first */
	size_t provides_count;
	const struct jic_ji_module *requires_; /**< without the runtime's and the sysimage's */
	size_t requires_count;
	/** Not NULL: the same bytes were found under its address before, so that they were not read again. provides and
	 *  requires_ are empty then, and the numbers below are the stored ones. When its fate is NEW or INCOHERENT all
	 * the same, it has been evicted meanwhile: read the bytes and check again. */
	const struct jic_index_artefact *stored;
	const uint32_t *provides_numbers, *requires_numbers; /**< the index's numbers of both lists */
	size_t provides_numbers_count, requires_numbers_count;
	enum jic_fate fate; /**< the result */
};

/** Whether a stored artefact has the bytes that a request names. */
bool jic_same_bytes(const struct jic_msg_record *r, const struct jic_msg_artefact *a);

/**
 * Give the candidates' modules numbers and decide each one's fate, in a write transaction. `out->outcome` is
 * JIC_PUBLISH_DONE when all are NEW or EXISTING; otherwise keys and detail say what is wrong, and nothing may be
 * stored.
 * @return false only when the index failed
 */
jic_must_check bool jic_coherence_check(const struct jic_lookup *lookup, struct jic_candidate *candidates, size_t count,
                                        struct jic_publish_result *out, struct jic_error *err);

#endif
