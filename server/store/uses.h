/**
 * When artefacts were last used, for eviction: noted in memory while reading, written in batches. Any thread.
 */
#ifndef JIC_SERVER_STORE_USES_H
#define JIC_SERVER_STORE_USES_H

#include "server/store/store.h"

enum {
	JIC_USES_MAX = 1 << 16,    /**< noted between two writes; more are forgotten */
	JIC_USE_INTERVAL_S = 3600, /**< a use within that of the last one is not written */
};

/** They are offered to a reader. Never blocks for long, never fails. */
void jic_uses_note(struct jic_store *s, uint64_t space, const struct jic_index_artefact *const *rows, size_t count);

/** Write what was noted. */
jic_must_check bool jic_uses_flush(struct jic_store *s, uint64_t now_s, struct jic_error *err);

#endif
