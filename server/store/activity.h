/**
 * What happens, noted in memory by whoever sees it and written down by a thread (recorder.h): noting takes a lock for a
 * moment and never waits for the index. What comes faster than it can be written is dropped; nothing depends on it.
 * Beside a server (admin) notes are ignored. Any thread.
 */
#ifndef JIC_SERVER_STORE_ACTIVITY_H
#define JIC_SERVER_STORE_ACTIVITY_H

#include "server/store/miss.h"
#include "server/store/store.h"

/** A resolve that was answered. Only pulls are noted. @param who name of the token, may be empty */
void jic_activity_asked(struct jic_store *s, const struct jic_msg_resolve *request,
                        const struct jic_msg_resolved *answer, struct jic_view who);
/** All bytes of a blob have been sent to a reader. */
void jic_activity_sent(struct jic_store *s, const struct jic_digest *blob);
/** @param count artefacts that a publish added to a lane */
void jic_activity_published(struct jic_store *s, struct jic_view lane, size_t count);
/** One HTTP request with its bodies. */
void jic_activity_traffic(struct jic_store *s, uint64_t sent_bytes, uint64_t received_bytes);

/** Sums since the process began, and what is going on. Some single rows of the index are read. */
struct jic_store_gauges {
	uint64_t hits, misses[JIC_MISS_COUNT], saved_ms, published;
	struct jic_index_totals totals;
	uint64_t uploads, arriving_bytes; /**< under way */
	uint64_t store_bytes_max, free_bytes_min, free_bytes;
};
jic_must_check bool jic_store_gauges(struct jic_store *s, struct jic_store_gauges *out, struct jic_error *err);

#endif
