/**
 * A thread of the serving process that keeps the store within its limits: writes down what was used, and evicts when a
 * write was refused, when nine tenths of the limit are reached, or when artefacts are too old.
 */
#ifndef JIC_SERVER_STORE_KEEPER_H
#define JIC_SERVER_STORE_KEEPER_H

#include "server/store/store.h"

struct jic_keeper_options {
	struct jic_store *store;        /**< borrowed until the stop */
	const struct jic_log *log;      /**< likewise */
	uint64_t unused_artefact_age_s; /**< 0: no age limit */
	unsigned interval_s;            /**< between looks */
};

struct jic_keeper;
struct jic_keeper *jic_keeper_start(const struct jic_keeper_options *options, struct jic_error *err);
/** Another limit from now on. Any thread. */
void jic_keeper_set_age(struct jic_keeper *keeper, uint64_t unused_artefact_age_s);
/** Waits for the thread, which finishes the batch that it is evicting. Takes NULL. */
void jic_keeper_stop(struct jic_keeper *keeper);

#endif
