/**
 * What a store holds and has done, as GET /v1/stats and `jicached stats` tell it. Sums that the index keeps up to date:
 * it takes no longer with more artefacts, only with more lanes and runtimes.
 */
#ifndef JIC_SERVER_HTTP_STATS_H
#define JIC_SERVER_HTTP_STATS_H

#include "common/json.h"
#include "server/store/activity.h"

struct jic_stats_lane {
	const struct jic_lane *lane;
	uint64_t artefacts, bytes, compile_ms;
};
struct jic_stats_julia {
	struct jic_view version; /**< "1.11.1" */
	uint64_t artefacts, bytes, compile_ms;
};

struct jic_stats {
	uint64_t now_s;
	struct jic_store_gauges gauges;
	uint64_t counters[JIC_COUNTER_COUNT];
	uint64_t artefacts, bytes, compile_ms; /**< of the lanes below */
	struct jic_stats_lane *lanes;          /**< as they were given */
	size_t lanes_count;
	struct jic_stats_julia *julias; /**< by version */
	size_t julias_count;
};

/** @param lanes  those to tell of; borrowed for the life of `out`, the rest is in the arena */
jic_must_check bool jic_stats_collect(struct jic_store *s, const struct jic_lane *lanes, size_t lanes_count,
                                      struct jic_arena *arena, struct jic_stats *out, struct jic_error *err);
/**
 * The fields, into the open object.
 * @param whole  with what is known of the whole server only. It grows with what others send, in lanes that one may not
 *               look at, and not when it is stored already: somebody could find out so what others have.
 */
void jic_stats_put(const struct jic_stats *s, bool whole, struct jic_json_writer *w);

#endif
