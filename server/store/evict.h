/**
 * Making room: which artefacts save least, and taking them out.
 *
 * An artefact is worth the compile time that it saves, for each byte, the less the longer ago it was used. What
 * requires it counts for it too: a dependency is worth at least as much as the best of its dependents, is pinned with
 * them, and was used when they were. So dependents go before what they depend on.
 */
#ifndef JIC_SERVER_STORE_EVICT_H
#define JIC_SERVER_STORE_EVICT_H

#include "server/store/store.h"

struct jic_eviction {
	/** Stored bytes to free, if there are as many that are not pinned. Lanes with a quota are brought below nine
	 * tenths of it in any case. */
	uint64_t bytes;
	bool aged;         /**< what was not used for longer than its lane or `unused_s` allow goes in any case */
	uint64_t unused_s; /**< of lanes without an age limit of their own; 0: none */
	uint64_t now_s;    /**< Unix time */
	bool rows_only;    /**< of withdraw.h; then only by age: no bytes are freed that could be counted */
	bool dry_run;      /**< likewise */
};
struct jic_evicted {
	uint64_t artefacts, stored_bytes;
	uint64_t content_bytes; /**< of what went by age */
};

/**
 * Memory: about what the records of the largest (runtime, sysimage) take, and 80 bytes for each artefact.
 * @return false with JIC_EUSAGE beside a server without rows_only, or when index or blobs failed; `out` says what is
 * gone all the same
 */
jic_must_check bool jic_store_evict(struct jic_store *s, const struct jic_eviction *what, struct jic_evicted *out,
                                    struct jic_error *err);

/** Whether a lane has more than nine tenths of its quota. */
jic_must_check bool jic_lanes_full(struct jic_store *s, bool *full, struct jic_error *err);

/** Whether an artefact of a space is what a pin is about. `space` with runtime and sysimage, as spaces_list gives it.
 */
bool jic_pin_names(struct jic_view what, const struct jic_index_space *space, const struct jic_msg_record *r);
/** Whether a text can be a pin: a package's name, a Merkle key, or runtime/sysimage/key. JIC_EUSAGE */
jic_must_check bool jic_pin_check(struct jic_view what, struct jic_error *err);

#endif
