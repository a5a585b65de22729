/**
 * A thread of the serving process that reads stored blobs again: suspects at once, all others in the order of their
 * digests, slowly. A damaged one is put into quarantine and withdrawn with its artefacts and their dependents, so that
 * readers see a miss. It begins at a random digest: however often a server is restarted, all blobs get their turn.
 */
#ifndef JIC_SERVER_STORE_SCRUB_H
#define JIC_SERVER_STORE_SCRUB_H

#include "server/store/store.h"

struct jic_scrub_options {
	struct jic_store *store;   /**< borrowed until the stop */
	const struct jic_log *log; /**< likewise */
	uint64_t bytes_per_second; /**< stored bytes; 0: no limit */
	uint64_t bytes_per_day;    /**< 0: suspects only. A round over all blobs begins at most once a day. */
};

struct jic_scrub;
struct jic_scrub *jic_scrub_start(const struct jic_scrub_options *options, struct jic_error *err);
/** Other speeds from now on, as in the options. Any thread. */
void jic_scrub_set_speed(struct jic_scrub *scrub, uint64_t bytes_per_second, uint64_t bytes_per_day);
/** Waits for the thread, which gives up what it is reading. Takes NULL. */
void jic_scrub_stop(struct jic_scrub *scrub);

#endif
