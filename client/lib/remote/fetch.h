/**
 * Downloading and placing a list of artefacts, many at once, dependencies before dependents.
 */
#ifndef JIC_CLIENT_FETCH_H
#define JIC_CLIENT_FETCH_H

#include "client/lib/remote/offer.h"
#include "client/lib/session/report.h"

enum { JIC_FETCH_WORKERS_MAX = 8 };

struct jic_fetch_result {
	uint32_t placed;
	uint64_t bytes;
	bool *placed_node; /**< for each node of the graph, in the arena */
};

/**
 * @param records indices into the offer, ascending, so dependencies first
 * @param report  gets a warning or a note for each artefact that could not be used, and the server's state
 * @return false only when this machine can't take files: JIC_EDENIED, JIC_ENOSPACE, JIC_EIO. What was placed stays.
 */
jic_must_check bool jic_fetch(struct jic_session *s, const struct jic_offer *offer, const uint32_t *records,
                              size_t count, struct jic_arena *arena, struct jic_report *report,
                              struct jic_fetch_result *out, struct jic_error *err);

#endif
