/**
 * What the server has of this environment: one resolve request, and the set that is best for this session.
 */
#ifndef JIC_CLIENT_OFFER_H
#define JIC_CLIENT_OFFER_H

#include "client/lib/remote/transport.h"
#include "client/lib/session/session.h"

struct jic_offer {
	const struct jic_locals *locals;      /**< set by the caller: what is here, to hear of recalls; may be NULL */
	bool *recalled;                       /**< for each node: its local build was recalled; NULL: none was */
	const struct jic_msg_record *records; /**< of the chosen set, dependencies first */
	size_t count;
	uint32_t *node_of;                     /**< for each record: the node */
	const struct jic_msg_record **of_node; /**< for each node: its record, NULL when the server has none */
	const struct jic_view *distrusted; /**< for each node: why what the server has is not accepted; empty: it is */
	struct jic_view runtime_id;        /**< of `runtime` */
	const struct jic_runtime *runtime; /**< that the set was made for; NULL: no record at all */
};

/** What for: a pull or a look takes of the session's runtimes the best, and only what is signed by a trusted key; a
 * push asks for the first runtime alone, and what is there whoever signed it. The server counts and remembers pulls
 * alone. */
enum jic_offer_purpose { JIC_OFFER_PULL, JIC_OFFER_PUSH, JIC_OFFER_LOOK };

/**
 * Ask for all nodes in state SHARED at once. Nothing to ask gives an empty offer without a request.
 * @return false: as jic_connection_json(); JIC_EPROTOCOL when the answer names what was not asked for
 */
jic_must_check bool jic_offer_get(struct jic_session *s, struct jic_connection *c, enum jic_offer_purpose purpose,
                                  struct jic_arena *arena, struct jic_offer *out, struct jic_error *err);

#endif
