/**
 * Notes that wait for the recorder. Private to activity.c, recorder.c and store.c.
 */
#ifndef JIC_SERVER_STORE_ACTIVITY_STATE_H
#define JIC_SERVER_STORE_ACTIVITY_STATE_H

#include "common/buf.h"
#include "server/store/miss.h"

#include <pthread.h>

enum { JIC_ASKED_MAX = 64, JIC_PUBLISHED_LANES_MAX = 64 };

/** One environment that was asked for, `times` times. */
struct jic_asked {
	struct jic_arena arena; /**< owns what follows */
	struct jic_digest id, sysimage;
	struct jic_view lane, runtime, title, who;
	struct jic_view runtimes[JIC_MISS_SPACES_MAX]; /**< accepted ones, best first */
	size_t runtimes_count;
	uint64_t at_s, times, wanted;
	uint32_t *missing; /**< positions in `nodes` */
	size_t missing_count;
	struct jic_buf nodes; /**< packed (pack.h) */
};
void jic_asked_free(struct jic_asked *asked);

struct jic_lane_published {
	char name[JIC_LANE_NAME_BYTES_MAX];
	size_t len;
	uint64_t count;
};

struct jic_notes {
	pthread_mutex_t lock; /**< guards what follows, up to the atomics */
	pthread_cond_t changed;
	bool waiting;  /**< there is something to write down */
	bool stopping; /**< the recorder is to end */
	struct jic_asked *asked[JIC_ASKED_MAX];
	size_t asked_count;
	struct jic_buf sent_files; /**< struct jic_digest */
	struct jic_lane_published lanes[JIC_PUBLISHED_LANES_MAX];
	size_t lanes_count;

	_Atomic uint64_t requests, sent_bytes, received_bytes;              /**< since the recorder came last */
	_Atomic uint64_t hits, misses[JIC_MISS_COUNT], saved_ms, published; /**< since the process began */
};

#endif
