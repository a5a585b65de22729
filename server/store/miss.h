/**
 * Why a reader of a lane is not offered what it asked for: the most telling of server/tables/miss_reasons.def that the
 * index alone can tell. The exact first difference takes the inputs of the missing key, which explain.h is for.
 */
#ifndef JIC_SERVER_STORE_MISS_H
#define JIC_SERVER_STORE_MISS_H

#include "server/store/index_views.h"
#include "server/store/select.h"

enum jic_miss_reason {
#define JIC_MISS(NAME, name, text) JIC_MISS_##NAME,
#include "server/tables/miss_reasons.def"
#undef JIC_MISS
	JIC_MISS_COUNT
};
const char *jic_miss_name(enum jic_miss_reason reason);
const char *jic_miss_text(enum jic_miss_reason reason);

enum { JIC_MISS_SPACES_MAX = 8 };

/** Who asked. Everything is borrowed. */
struct jic_miss_asker {
	struct jic_index_txn *txn;
	struct jic_arena *arena;      /**< owns what is found */
	const struct jic_lane *lanes; /**< from the one without parent to the reader's */
	size_t lanes_count;
	uint64_t spaces[JIC_MISS_SPACES_MAX]; /**< of the accepted runtimes, best first */
	size_t spaces_count;
};

struct jic_miss {
	enum jic_miss_reason reason;
	struct jic_view near_version; /**< of the package's last published artefact, where the reason is about that */
	struct jic_view near_runtime; /**< likewise its runtime's id */
};

/** @param want  what the key is; NULL: nobody said */
jic_must_check bool jic_miss_find(const struct jic_miss_asker *asker, const struct jic_digest *key,
                                  const struct jic_msg_want *want, struct jic_miss *out, struct jic_error *err);

#endif
