/**
 * What the server has of this environment: one resolve request, and the set that is best for this session.
 */
#ifndef JIC_CLIENT_OFFER_H
#define JIC_CLIENT_OFFER_H

#include "client/lib/session.h"
#include "client/lib/transport.h"

struct jic_offer {
	const struct jic_msg_record *records; /**< of the chosen set, dependencies first */
	size_t count;
	uint32_t *node_of;                     /**< for each record: the node */
	const struct jic_msg_record **of_node; /**< for each node: its record, NULL when the server has none */
	struct jic_view runtime_id;            /**< of `runtime` */
	const struct jic_runtime *runtime;     /**< that the set was made for; NULL: no record at all */
};

/**
 * Ask for all nodes in state SHARED at once. Nothing to ask gives an empty offer without a request.
 * @param runtimes how many of the session's runtimes to accept: all for a pull, 1 for a push
 * @return false: as jic_connection_json(); JIC_EPROTOCOL when the answer names what was not asked for
 */
jic_must_check bool jic_offer_get(struct jic_session *s, struct jic_connection *c, size_t runtimes,
                                  struct jic_arena *arena, struct jic_offer *out, struct jic_error *err);

#endif
