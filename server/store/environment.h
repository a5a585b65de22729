/**
 * An environment that was asked for lately, as it would be answered now: each of its packages is offered, stored and
 * hidden, or missing.
 */
#ifndef JIC_SERVER_STORE_ENVIRONMENT_H
#define JIC_SERVER_STORE_ENVIRONMENT_H

#include "server/store/miss.h"
#include "server/store/store.h"

enum jic_environment_state { JIC_ENVIRONMENT_STORED, JIC_ENVIRONMENT_SUPERSEDED, JIC_ENVIRONMENT_MISSING };

struct jic_environment_node {
	struct jic_digest key;
	struct jic_msg_want want; /**< name and version are those of the stored artefact where nobody said */
	enum jic_environment_state state;
	struct jic_view lane;       /**< that holds it; empty: none */
	struct jic_miss miss;       /**< unless STORED */
	uint64_t bytes, compile_ms; /**< 0 when not stored */
};

struct jic_environment {
	struct jic_index_environment row;
	struct jic_view lane; /**< the reader's */
	const struct jic_environment_node *nodes;
	size_t nodes_count;
};

/** @return false with JIC_ENOTFOUND, also when its lane is gone */
jic_must_check bool jic_store_environment(struct jic_store *s, const struct jic_digest *id, struct jic_arena *arena,
                                          struct jic_environment *out, struct jic_error *err);

#endif
