/**
 * A thread of the serving process that writes down what was noted (activity.h): sums over time, environments and misses
 * with their reasons. One transaction a second at most, none while nothing happens.
 */
#ifndef JIC_SERVER_STORE_RECORDER_H
#define JIC_SERVER_STORE_RECORDER_H

#include "server/store/store.h"

enum {
	JIC_FINE_STEP_S = 300, /**< of the history of a day */
	JIC_FINE_KEPT_S = 86400,
	JIC_COARSE_STEP_S = 3600, /**< of the history of two months */
	JIC_COARSE_KEPT_S = 60 * 86400,
	JIC_ENVIRONMENTS_KEPT = 200,
	JIC_MISSES_KEPT = 2000,
	JIC_DEPARTED_KEPT = 100000,
};

struct jic_recorder;
/** Both are borrowed until the stop. */
struct jic_recorder *jic_recorder_start(struct jic_store *s, const struct jic_log *log, struct jic_error *err);
/** Waits for the thread, which writes down the rest. Takes NULL. */
void jic_recorder_stop(struct jic_recorder *r);

/** What the thread does: write down what was noted. For tests, and for the end. */
jic_must_check bool jic_record_now(struct jic_store *s, uint64_t now_s, struct jic_error *err);

#endif
