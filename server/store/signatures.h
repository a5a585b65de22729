/**
 * Signatures of what is published (schema/signature.md): a wrong one is never stored, so readers of a server that is
 * honest meet none. They verify all the same.
 */
#ifndef JIC_SERVER_STORE_SIGNATURES_H
#define JIC_SERVER_STORE_SIGNATURES_H

#include "server/store/coherence.h"
#include "server/store/store.h"

/** The record that a candidate becomes, with the request's (or its own origin's) provenance and its signature; of one
 * that is stored already, the stored one with these two. */
void jic_candidate_record(const struct jic_msg_publish *request, const struct jic_candidate *c,
                          struct jic_msg_record *out);

/** The first artefact of a request that is not signed; NULL: all are. */
const struct jic_msg_artefact *jic_publish_unsigned(const struct jic_msg_publish *request);

/** What all signatures of a request are about. */
struct jic_signature_check {
	struct jic_store *store;
	const struct jic_msg_publish *request;
	struct jic_view runtime; /**< id */
	struct jic_arena *arena;
};
/** Check the signature of one candidate, if it has one. @return false with JIC_EDENIED and a sentence: it is refused;
 * else the store failed */
jic_must_check bool jic_signature_check(const struct jic_signature_check *check, const struct jic_candidate *c,
                                        struct jic_error *err);

/** Give a stored artefact the signature that came with the same bytes, where it has none, or one by a key that this
 * server does not take any more. Only in the lane that was published to. In the write transaction. */
jic_must_check bool jic_signature_adopt(const struct jic_lookup *lookup, const struct jic_signature_check *check,
                                        const struct jic_candidate *c, struct jic_view writer, struct jic_error *err);

#endif
